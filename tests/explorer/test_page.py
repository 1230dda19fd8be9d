"""The explorer as a reader uses it: with the mouse, with the keyboard, with the wrong file."""

from __future__ import annotations

import io
import json
import re
import struct
import zlib

import keras
import numpy as np
import pytest
from browsers import violations
from PIL import Image

from cnncourse import datasets, export, ops
from cnncourse.authoring import familiarity

pytestmark = pytest.mark.browser

STATUS = ".cnn-status"
ALERT = ".cnn-problem"
IMAGE = ".cnn-gallery button"
TRAIL = "document.querySelector('.cnn-trail').innerText"


def answered(page) -> str:
    """The spoken answer, once it is there."""
    page.wait_for_function(f"document.querySelector('{STATUS}').textContent.includes('says')")
    return page.inner_text(STATUS)


def says(page, name: str) -> None:
    """Wait for the answer of a network."""
    page.wait_for_function(
        "([status, start]) => document.querySelector(status).textContent.startsWith(start)",
        arg=[STATUS, f"{name} says"],
    )


def choose_image(page, number: int = 0) -> str:
    """Choose a test image, and wait until the last panel shows its arithmetic."""
    # What was said of an image before must not pass for the new answer.
    page.evaluate(f"document.querySelector('{STATUS}').textContent = ''")
    page.click(f"{IMAGE}:nth-child({number + 1})")
    page.wait_for_selector(".cnn-arithmetic p")
    return answered(page)


def complaint(page) -> str:
    """The sentence in the alert, once it is there."""
    page.wait_for_selector(f"{ALERT}:not([hidden])")
    return page.inner_text(ALERT)


def still_works(page) -> None:
    """After a complaint another image gets an answer."""
    choose_image(page, 4)
    before = page.inner_text(".cnn-answer")
    page.click(f"{IMAGE}:nth-child(28)")
    page.wait_for_function(
        "text => document.querySelector('.cnn-answer').innerText !== text", arg=before
    )


def percentages(page) -> np.ndarray:
    texts = page.locator(".cnn-percent").all_inner_texts()
    return np.array([float(text.removesuffix("\u00a0%")) for text in texts])


def png(width: int, height: int, mode: str = "L", value: int = 0) -> bytes:
    with io.BytesIO() as file:
        Image.new(mode, (width, height), value).save(file, "PNG")
        return file.getvalue()


def drop_file(page, name: str, content: bytes, kind: str = "image/png") -> None:
    page.set_input_files("#cnn-file", [{"name": name, "mimeType": kind, "buffer": content}])


def speak(page) -> str:
    return page.inner_text("[aria-live=polite].cnn-hidden")


def test_answers_are_those_of_keras(explorer, networks):
    _, (images, _) = datasets.load_fashion_mnist("small")
    indices = json.loads((export_folder() / "images.json").read_text())["indices"]
    for name, model in networks.items():
        explorer.get_by_role("radio", name=name, exact=True).click()
        for number in (0, 13, 29):
            expected = model.predict(datasets.as_inputs(images[indices[number]][None]), verbose=0)[
                0
            ]
            assert datasets.FASHION_MNIST_CLASSES[expected.argmax()] in choose_image(
                explorer, number
            )
            says(explorer, name)
            np.testing.assert_allclose(percentages(explorer), 100 * expected, atol=0.051)


def export_folder():
    from pathlib import Path

    return Path(__file__).parents[2] / "book" / "_static" / "explorer"


WEIGHTS = """performance.getEntriesByType('resource').map((entry) => entry.name)
    .filter((name) => name.endsWith('weights.bin')).map((name) => name.split('/').at(-2))"""


def test_a_first_image_is_answered_without_a_click(explorer):
    assert answered(explorer).startswith("simple_CNN says")
    assert explorer.get_attribute(f"{IMAGE}:nth-child(1)", "aria-checked") == "true"
    explorer.wait_for_selector(".cnn-arithmetic p")
    # Only the network that is shown was fetched.
    assert explorer.evaluate(WEIGHTS) == ["simple_CNN"]


def test_who_saves_data_gets_no_weights_before_an_image_is_wanted(page, explorer):
    page.add_init_script(
        "Object.defineProperty(navigator, 'connection', {value: {saveData: true}})"
    )
    page.goto("/explorer.html?saves")
    page.wait_for_selector(f"{IMAGE}:nth-child(30)")
    page.wait_for_timeout(500)
    assert page.evaluate(WEIGHTS) == []
    assert page.inner_text(STATUS).startswith("Choose an image: then the network is fetched")
    choose_image(page, 2)
    assert page.evaluate(WEIGHTS) == ["simple_CNN"]


def test_the_same_image_stays_when_the_network_changes(explorer, networks):
    first = choose_image(explorer, 7)
    explorer.get_by_role("radio", name="simpler_CNN", exact=True).click()
    says(explorer, "simpler_CNN")
    assert explorer.locator("button.cnn-card").count() == len(networks["simpler_CNN"].layers)
    assert answered(explorer) != first
    assert explorer.get_attribute(f"{IMAGE}:nth-child(8)", "aria-checked") == "true"


@pytest.mark.parametrize("name", ["simple_CNN", "simpler_CNN"])
def test_every_layer_shows_its_arithmetic(explorer, networks, name):
    """Each layer's printed result is the number that Keras computes there."""
    explorer.get_by_role("radio", name=name, exact=True).click()
    choose_image(explorer, 3)
    says(explorer, name)
    model = networks[name]
    _, (images, _) = datasets.load_fashion_mnist("small")
    index = json.loads((export_folder() / "images.json").read_text())["indices"][3]
    every = keras.Model(model.inputs, [layer.output for layer in model.layers])
    outputs = every([datasets.as_inputs(images[index][None])], training=False)
    explorer.focus(".cnn-network [aria-checked=true]")
    for number, output in enumerate(outputs, start=1):
        explorer.wait_for_function(
            "document.querySelector('[aria-live=polite].cnn-hidden')"
            f".innerText.startsWith('Layer {number},')"
        )
        place = re.fullmatch(
            r"Layer (\d+), map (\d+), row (\d+), column (\d+): (−?[\d.]+)", speak(explorer)
        )
        _, channel, row, column = (int(part) - 1 for part in place.groups()[:4])
        values = keras.ops.convert_to_numpy(output)[0]
        values = values.reshape((1, 1, -1)) if values.ndim == 1 else values
        assert float(place[5].replace("−", "-")) == pytest.approx(
            values[row, column, channel], abs=1.5e-4
        )
        last = explorer.locator(".cnn-arithmetic .cnn-line .cnn-number").last
        assert last.inner_text() == place[5]
        explorer.keyboard.press("ArrowRight")


def test_linked_zooms(explorer):
    choose_image(explorer, 1)
    # A click into the picture of a layer leads to the map and the place under the pointer.
    card = explorer.locator("button.cnn-card").nth(3).locator("canvas")
    box = card.bounding_box()
    # Four by four maps: the middle of the sixth, to a pixel of the screen.
    card.click(position={"x": box["width"] * 0.375, "y": box["height"] * 0.375})
    explorer.wait_for_function(
        "/layer 4, Batch norm › map 6 › row 1[3-6], column 1[3-6]/"
        ".test(document.querySelector('.cnn-trail').innerText)"
    )
    # A click on a map chooses it; its place is the same on every panel.
    explorer.locator(".cnn-maps button").nth(9).click()
    explorer.wait_for_function("document.querySelector('.cnn-trail').innerText.includes('map 10')")
    assert explorer.locator(".cnn-maps [aria-checked=true]").get_attribute("aria-label") == "Map 10"
    # Pointing at the map moves the number, and the field on the image with it.
    before = explorer.locator(".cnn-picture .cnn-box").get_attribute("style")
    explorer.locator(".cnn-views [role=application]").click(position={"x": 90, "y": 20})
    explorer.wait_for_function(
        "style => document.querySelector('.cnn-picture .cnn-box').getAttribute('style') !== style",
        arg=before,
    )
    # One layer back is the convolution; there the input map of choice is laid open.
    explorer.get_by_role("button", name="Where it comes from").click()
    explorer.wait_for_selector("#cnn-source")
    explorer.select_option("#cnn-source", "2")
    explorer.wait_for_function(
        "document.querySelector('.cnn-arithmetic caption').innerText.includes('input map 3')"
    )
    explorer.get_by_role("button", name="Where it goes").click()
    explorer.wait_for_function("document.querySelector('.cnn-trail').innerText.includes('layer 4')")
    # A class of the answer leads to the softmax.
    explorer.locator(".cnn-answer button").nth(2).click()
    explorer.wait_for_selector(".cnn-table .cnn-chosen")
    assert "Pullover" in explorer.inner_text(".cnn-table .cnn-chosen")


def test_every_control_by_keyboard(explorer):
    page = explorer
    press = page.keyboard.press

    def focus_is(selector: str) -> bool:
        return page.evaluate("s => document.activeElement.matches(s)", selector)

    def focused() -> str:
        return page.evaluate("document.activeElement.textContent")

    def tab_to(selector: str) -> None:
        """Press the tab key until the element has the focus: it must be in the tab order."""
        for _ in range(90):
            press("Tab")
            if focus_is(selector):
                return
        raise AssertionError(f"{selector} is never reached with the tab key")

    # The network, the image.
    tab_to(".cnn-switch [role=radio]")
    press("ArrowRight")
    tab_to(".cnn-sources .cnn-tab")
    tab_to(IMAGE)
    press("ArrowRight")
    says(page, "simpler_CNN")
    press("ArrowDown")
    assert page.get_attribute(f"{IMAGE}:nth-child(8)", "aria-checked") == "true"
    press("End")
    assert page.get_attribute(f"{IMAGE}:nth-child(30)", "aria-checked") == "true"
    tab_to("#cnn-invert")
    before = page.inner_text(".cnn-answer")
    press("Space")
    page.wait_for_function("t => document.querySelector('.cnn-answer').innerText !== t", arg=before)
    # A class of the answer.
    tab_to(".cnn-answer button")
    press("Enter")
    page.wait_for_function("document.querySelector('.cnn-trail').innerText.includes('Softmax')")
    # Layers, maps, one number.
    tab_to(".cnn-network [role=radio]")
    press("Home")
    press("ArrowDown")  # to the row below
    page.wait_for_function("/layer [5-9], /.test(document.querySelector('.cnn-trail').innerText)")
    press("Home")
    for _ in range(6):
        press("ArrowRight")
    page.wait_for_function("document.querySelector('.cnn-trail').innerText.includes('layer 7, ')")
    tab_to("#cnn-each")
    press("Space")
    assert page.is_checked("#cnn-each")
    tab_to(".cnn-maps [role=radio]")
    press("Home")
    press("ArrowRight")
    page.wait_for_function("document.querySelector('.cnn-trail').innerText.includes('map 2 ')")
    tab_to(".cnn-views [role=application]")
    for key in (
        "Home",
        "ArrowRight",
        "ArrowRight",
        "ArrowDown",
        "ArrowUp",
        "ArrowLeft",
        "PageDown",
    ):
        press(key)
    page.wait_for_function("document.querySelector('.cnn-trail').innerText.includes('map 3 ')")
    page.wait_for_function("document.querySelector('.cnn-trail').innerText.includes('column 2')")
    press("End")
    press("PageUp")
    page.wait_for_function("document.querySelector('.cnn-trail').innerText.includes('column 14')")
    tab_to(".cnn-arithmetic .cnn-scroll")
    tab_to("#cnn-source")
    before = page.inner_text(".cnn-arithmetic")
    press("ArrowDown")
    page.wait_for_function(
        "t => document.querySelector('.cnn-arithmetic').innerText !== t", arg=before
    )
    assert focus_is("#cnn-source")
    for _ in range(10):
        press("Shift+Tab")
        if focus_is(".cnn-number-panel .cnn-button") and "comes from" in focused():
            break
    press("Enter")
    page.wait_for_function("document.querySelector('.cnn-trail').innerText.includes('layer 6, ')")
    press("Tab")
    press("Enter")
    page.wait_for_function("document.querySelector('.cnn-trail').innerText.includes('layer 7, ')")
    # The kernel slides step by step, and by itself.
    tab_to(".cnn-play")
    press("Tab")
    press("Enter")
    press("Enter")
    page.wait_for_function(f"{TRAIL}.includes('row 1, column 2')")
    press("Shift+Tab")
    press("Space")
    page.wait_for_function(f"{TRAIL}.includes('row 2, ')")
    press("Space")
    assert "Play" in focused()
    tab_to(".cnn-player select")
    press("ArrowDown")
    assert page.input_value(".cnn-player select") == "64"


def test_drawing_by_keyboard(explorer):
    page = explorer
    press = page.keyboard.press
    page.focus(".cnn-sources .cnn-tab")
    press("ArrowRight")
    page.focus(".cnn-picture canvas[role=application]")
    answered(page)
    # What was said of the first image must not pass for the answer to the empty one.
    page.evaluate(f"document.querySelector('{STATUS}').textContent = ''")
    press("Delete")
    answered(page)
    empty = page.inner_text(".cnn-answer")
    press("Space")
    for _ in range(6):
        press("ArrowDown")
    page.wait_for_function("t => document.querySelector('.cnn-answer').innerText !== t", arg=empty)
    assert page.inner_text(".cnn-picture figcaption") == "Your drawing."
    press("Space")
    page.focus("#cnn-erase")
    press("Space")
    page.focus("#cnn-brush")
    for _ in range(4):
        press("ArrowRight")
    assert page.input_value("#cnn-brush") == "2.25"
    # Rubbing out what was drawn leads back to the empty image.
    page.focus(".cnn-picture canvas[role=application]")
    press("Space")
    for _ in range(6):
        press("ArrowUp")
    page.wait_for_function("t => document.querySelector('.cnn-answer').innerText === t", arg=empty)


def test_drawing_with_the_pointer(explorer):
    explorer.get_by_role("radio", name="Draw", exact=True).click()
    explorer.get_by_role("button", name="Start empty").click()
    answered(explorer)
    empty = explorer.inner_text(".cnn-answer")
    box = explorer.locator(".cnn-picture canvas").first.bounding_box()
    explorer.mouse.move(box["x"] + 40, box["y"] + 40)
    explorer.mouse.down()
    explorer.mouse.move(box["x"] + 120, box["y"] + 90, steps=5)
    explorer.mouse.up()
    explorer.wait_for_function(
        "t => document.querySelector('.cnn-answer').innerText !== t", arg=empty
    )


def test_a_picture_file_by_keyboard(explorer):
    explorer.focus(".cnn-sources .cnn-tab")
    explorer.keyboard.press("ArrowRight")
    explorer.keyboard.press("ArrowRight")
    explorer.wait_for_selector("#cnn-file")
    explorer.wait_for_function("document.activeElement.textContent === 'File'")
    explorer.keyboard.press("Tab")
    explorer.wait_for_function("document.activeElement.id === 'cnn-file'")
    with explorer.expect_file_chooser() as chooser:
        explorer.keyboard.press("Enter")
    chooser.value.set_files(
        [{"name": "coat.png", "mimeType": "image/png", "buffer": png(300, 200)}]
    )
    answered(explorer)
    assert explorer.inner_text(".cnn-picture figcaption") == "coat.png."


def test_a_dropped_picture(explorer):
    data = explorer.evaluate_handle(
        """bytes => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], 'dropped.png', {type: 'image/png'}));
            return data;
        }""",
        list(png(64, 64, value=40)),
    )
    explorer.dispatch_event("#cnn-explorer", "drop", {"dataTransfer": data})
    answered(explorer)
    assert explorer.inner_text(".cnn-picture figcaption") == "dropped.png."


def test_a_picture_of_the_input_size_keeps_its_pixels(explorer, networks):
    _, (images, _) = datasets.load_fashion_mnist("small")
    with io.BytesIO() as file:
        Image.fromarray(images[11]).save(file, "PNG")
        drop_file(explorer, "image.png", file.getvalue())
    answered(explorer)
    explorer.wait_for_selector(".cnn-arithmetic p")
    expected = networks["simple_CNN"].predict(datasets.as_inputs(images[11][None]), verbose=0)[0]
    np.testing.assert_allclose(percentages(explorer), 100 * expected, atol=0.051)


def test_a_light_picture_is_inverted_and_says_so(explorer):
    drop_file(explorer, "light.png", png(100, 100, value=250))
    answered(explorer)
    assert "light and dark were swapped" in explorer.inner_text(".cnn-picture figcaption")
    assert explorer.is_checked("#cnn-invert")


def test_a_transparent_picture_says_what_became_of_it(explorer):
    drop_file(explorer, "shirt.png", png(100, 100, "RGBA", (255, 255, 255, 0)))
    answered(explorer)
    assert "Transparent parts were taken as black" in explorer.inner_text(".cnn-picture figcaption")
    still_works(explorer)


def test_a_file_that_is_no_picture(explorer):
    drop_file(explorer, "letter.png", b"Dear network, what is this?")
    assert complaint(explorer) == "letter.png is not a picture that this browser can read."
    still_works(explorer)


def test_a_picture_of_too_many_pixels(explorer):
    """Sixty million pixels in a few kilobytes: refused before they are unpacked."""
    width, height = 10_000, 6_000
    raw = zlib.compress(bytes((width // 8 + 1) * height))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)), (b"IDAT", raw)]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in [*chunks, (b"IEND", b"")]
    )
    drop_file(explorer, "wall.png", content)
    assert "10000 × 6000 pixels; this page takes up to 50 million" in complaint(explorer)
    still_works(explorer)


def test_a_file_of_too_many_bytes(explorer, tmp_path):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(40 * 2**20)
    explorer.set_input_files("#cnn-file", path)
    assert complaint(explorer) == "huge.png has 40 MB; this page takes pictures up to 30 MB."
    still_works(explorer)


def test_a_refused_camera(explorer):
    explorer.get_by_role("radio", name="Camera", exact=True).click()
    explorer.evaluate(
        "void (navigator.mediaDevices.getUserMedia = () => "
        "Promise.reject(new DOMException('no', 'NotAllowedError')))"
    )
    explorer.focus("text=Switch the camera on")
    explorer.keyboard.press("Enter")
    assert complaint(explorer).startswith("The camera was refused.")
    explorer.get_by_role("radio", name="Test images", exact=True).click()
    still_works(explorer)


def test_a_photo_from_the_camera(explorer):
    """Chromium's built-in test camera stands in for a real one."""
    explorer.context.grant_permissions(["camera"])
    explorer.get_by_role("radio", name="Camera", exact=True).click()
    explorer.focus("text=Switch the camera on")
    explorer.keyboard.press("Enter")
    explorer.wait_for_function("document.querySelector('.cnn-source video').videoWidth > 0")
    explorer.focus("text=Take the picture")
    explorer.keyboard.press("Enter")
    answered(explorer)
    assert explorer.inner_text(".cnn-picture figcaption").startswith("Your photo.")
    explorer.get_by_role("radio", name="Draw", exact=True).click()
    assert explorer.evaluate("document.querySelector('.cnn-source video').srcObject") is None


@pytest.fixture
def own(tmp_path):
    """An export of the reader's own: colours, other sides, other layers."""
    keras.utils.set_random_seed(3)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((20, 26, 3)),
            layers.Conv2D(5, (3, 4), strides=(2, 3), activation="relu"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ],
        name="my_network",
    )
    export.export_explorer(model, tmp_path, classes=["cat", "dog", "fish"])
    return tmp_path


def test_own_network_from_its_two_files(explorer, own):
    choose_image(explorer, 2)
    explorer.focus(".cnn-own summary")
    explorer.keyboard.press("Enter")
    explorer.wait_for_selector("#cnn-files")
    explorer.focus("#cnn-files")
    with explorer.expect_file_chooser() as chooser:
        explorer.keyboard.press("Enter")
    chooser.value.set_files([own / "manifest.json", own / "weights.bin"])
    says(explorer, "my_network")
    assert explorer.locator(".cnn-class").all_inner_texts() == ["cat", "dog", "fish"]
    assert percentages(explorer).sum() == pytest.approx(100, abs=0.2)
    assert explorer.locator("button.cnn-card").count() == 6
    # Back to a shipped network, with the same image.
    explorer.get_by_role("radio", name="simple_CNN", exact=True).click()
    says(explorer, "simple_CNN")


def test_own_network_from_a_folder(explorer, own):
    explorer.click(".cnn-own summary")
    explorer.set_input_files("#cnn-folder", own)
    says(explorer, "my_network")
    assert choose_image(explorer, 2).startswith("my_network says")


def test_own_network_by_address(explorer, own, site):
    for file in own.iterdir():
        target = site[1] / "mine" / file.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(file.read_bytes())
    explorer.goto("/explorer.html?model=/mine")
    says(explorer, "my_network")
    explorer.goto("/explorer.html")
    explorer.focus(".cnn-own summary")
    explorer.keyboard.press("Enter")
    explorer.focus("#cnn-address")
    explorer.keyboard.type("/mine/manifest.json")
    explorer.keyboard.press("Enter")
    says(explorer, "my_network")


def test_a_link_cannot_make_the_page_ask_another_host(explorer):
    explorer.goto("/explorer.html?model=https://other.example/net")
    assert "another host, other.example. Nothing was fetched." in complaint(explorer)
    explorer.wait_for_selector(f"{IMAGE}:nth-child(30)")
    still_works(explorer)


def test_an_address_without_a_network(explorer):
    explorer.click(".cnn-own summary")
    explorer.fill("#cnn-address", "/nowhere")
    explorer.keyboard.press("Enter")
    assert complaint(explorer) == "There is no file /nowhere/manifest.json (answer 404)."
    still_works(explorer)


def with_files(explorer, manifest: str, weights: bytes | None) -> str:
    """The complaint about a damaged export."""
    explorer.click(".cnn-own summary")
    files = [{"name": "manifest.json", "mimeType": "application/json", "buffer": manifest.encode()}]
    if weights is not None:
        kind = "application/octet-stream"
        files.append({"name": "weights.bin", "mimeType": kind, "buffer": weights})
    explorer.set_input_files("#cnn-files", files)
    return complaint(explorer)


def test_truncated_weights(explorer, own):
    manifest = (own / "manifest.json").read_text()
    weights = (own / "weights.bin").read_bytes()
    sentence = with_files(explorer, manifest, weights[:-100])
    assert sentence.startswith("The weight file weights.bin is cut short")
    still_works(explorer)


def test_a_manifest_without_its_weights(explorer, own):
    sentence = with_files(explorer, (own / "manifest.json").read_text(), None)
    assert sentence == "The manifest asks for weights.bin; choose that file together with it."


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda manifest: manifest.update(format="other"), "is not the manifest"),
        (
            lambda manifest: manifest.update(version=3),
            "version 3; this page reads versions 1 and 2",
        ),
        (lambda manifest: manifest["layers"][0].update(type="lstm"), "unknown type (lstm)"),
        (lambda manifest: manifest["layers"][0].update(strides=[0, 0]), "has no strides"),
        (lambda manifest: manifest["layers"][0].pop("weights"), "has no kernel"),
        (
            lambda manifest: manifest["layers"][0]["weights"]["kernel"].update(offset=10**6),
            "outside the weight file",
        ),
        (
            lambda manifest: manifest["weights"].update(file="../secret.bin"),
            "does not name a weight file beside it",
        ),
        (lambda manifest: manifest["layers"].pop(), "does not end in a softmax"),
        (lambda manifest: manifest["classes"].pop(), "2 classes for 3 outputs"),
    ],
)
def test_a_damaged_manifest(explorer, own, change, words):
    manifest = json.loads((own / "manifest.json").read_text())
    change(manifest)
    weights = (own / "weights.bin").read_bytes()
    assert words in with_files(explorer, json.dumps(manifest), weights)


def test_a_manifest_that_is_no_json(explorer):
    assert "not a JSON file" in with_files(explorer, "{", b"")


def test_without_javascript_a_figure_and_an_explanation_stand_there(browser, site, explorer):
    context = browser.new_context(base_url=site[0], java_script_enabled=False)
    page = context.new_page()
    page.goto("/explorer.html")
    assert page.is_visible(".cnn-fallback")
    context.close()
    assert not explorer.is_visible(".cnn-fallback")


def test_numbers_turn_with_the_theme(explorer):
    choose_image(explorer)
    look = "getComputedStyle(document.querySelector('.cnn-grid td:not(.cnn-padding)')).background"
    light = explorer.evaluate(look)
    explorer.evaluate("document.documentElement.dataset.theme = 'dark'")
    explorer.wait_for_function(f"light => {look} !== light", arg=light)


def test_nothing_moves_where_motion_is_unwanted(explorer):
    explorer.emulate_media(reduced_motion="reduce")
    duration = "getComputedStyle(document.querySelector('.cnn-bar')).transitionDuration"
    assert explorer.evaluate(duration) == "0s"


def test_a_phone_shows_all_without_sideways_scrolling(explorer):
    explorer.set_viewport_size({"width": 390, "height": 844})
    answered(explorer)
    for width in (390, 320):
        explorer.set_viewport_size({"width": width, "height": 844})
        explorer.evaluate("document.querySelector('.cnn-own').open = true")
        assert explorer.evaluate("document.documentElement.scrollWidth") <= width


def test_no_control_without_a_name(explorer):
    choose_image(explorer)
    nameless = explorer.evaluate(
        """() => [...document.querySelectorAll(
                'button, input, select, canvas[role], [role=region]')]
            .filter((element) => element.checkVisibility())
            .filter((element) => !element.getAttribute('aria-label') && !element.labels?.length
                && !element.textContent.trim())
            .map((element) => element.outerHTML.slice(0, 80))"""
    )
    assert nameless == []


LINK = "#network=simpler_CNN&image=23&layer=5&map=6&row=8&column=9"


def test_a_link_holds_network_image_layer_map_and_place(explorer, page):
    page.goto("about:blank")
    page.goto(f"/explorer.html{LINK}")
    says(page, "simpler_CNN")
    page.wait_for_function(f"{TRAIL}.includes('layer 5, ReLU › map 6 › row 8, column 9')")
    assert "Test image 23," in page.inner_text(".cnn-picture figcaption")
    page.wait_for_function("link => location.hash === link", arg=LINK)
    # What is chosen from then on stands in the address, which leads back to it.
    page.click("button.cnn-card >> nth=6")
    page.wait_for_function("location.hash.includes('layer=7')")
    address, trail = page.url, page.inner_text(".cnn-trail")
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_function(f"trail => {TRAIL} === trail", arg=trail)
    # A layer may be named; a link inside the page leads there too.
    page.evaluate("location.hash = '#network=simple_CNN&image=19&layer=predictions&map=2'")
    page.wait_for_function(f"{TRAIL}.includes('Softmax › map 2')")
    says(page, "simple_CNN")
    # A link to a heading is none of the explorer's business.
    page.evaluate("location.hash = '#widget-pooling'")
    page.wait_for_timeout(300)
    assert not page.is_visible(ALERT)


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("#network=AlexNet", "the network AlexNet, which this page does not have"),
        ("#image=99999", "test image 99999, which is not among those"),
        ("#layer=77", "layer 77; simple_CNN has 33"),
        ("#layer=nowhere&map=3", "layer nowhere; simple_CNN has 33"),
    ],
)
def test_a_link_to_what_is_not_there(explorer, page, link, words):
    page.goto("about:blank")
    page.goto(f"/explorer.html{link}")
    assert words in complaint(page)
    says(page, "simple_CNN")


def test_two_networks_side_by_side(explorer, networks):
    answered(explorer)
    explorer.select_option("#cnn-beside", "simpler_CNN")
    explorer.wait_for_function(
        f"/simple_CNN says.*simpler_CNN says/.test(document.querySelector('{STATUS}').textContent)"
    )
    _, (images, _) = datasets.load_fashion_mnist("small")
    inputs = datasets.as_inputs(images[19][None])
    expected = [network.predict(inputs, verbose=0)[0] for network in networks.values()]
    np.testing.assert_allclose(percentages(explorer), 100 * np.concatenate(expected), atol=0.051)
    # Each network can be followed; the number is that of the one touched last.
    second = explorer.locator(".cnn-side-network").nth(1)
    second.locator("button.cnn-card").nth(4).click()
    explorer.wait_for_function(f"{TRAIL}.startsWith('simpler_CNN › layer 5, ReLU')")
    explorer.locator("button.cnn-card").nth(2).click()
    explorer.wait_for_function(f"{TRAIL}.startsWith('simple_CNN › layer 3, ')")
    explorer.select_option("#cnn-beside", "")
    assert explorer.locator(".cnn-side-network:visible").count() == 1
    choose_image(explorer, 5)
    assert "simpler" not in answered(explorer)


def test_pointing_at_a_map_lights_what_feeds_it_and_what_it_feeds(explorer, networks):
    answered(explorer)
    explorer.wait_for_selector(".cnn-arithmetic p")
    card = explorer.locator("button.cnn-card").nth(2).locator("canvas")
    box = card.bounding_box()
    card.hover(position={"x": box["width"] * 0.1, "y": box["height"] * 0.1})
    explorer.wait_for_function(
        "document.querySelector('.cnn-feeds').textContent === 'Map 1 of layer 3, Conv 7×7, reads "
        "16 maps of layer 2 and feeds one map of layer 4.'"
    )
    assert explorer.locator(".cnn-lines path.cnn-feeds-it").count() == 16
    assert explorer.locator(".cnn-lines path.cnn-fed-by-it").count() == 1
    # The strongest line belongs to the longest kernel.
    kernel = networks["simple_CNN"].layers[2].kernel.numpy()[..., 0]
    shares = np.sqrt((kernel**2).sum(axis=(0, 1)))
    drawn = explorer.eval_on_selector_all(
        ".cnn-lines path.cnn-feeds-it",
        "paths => paths.map((p) => +p.getAttribute('stroke-opacity'))",
    )
    expected = np.sort(0.15 + 0.65 * (shares / shares.max()) ** 2)
    np.testing.assert_allclose(drawn, expected, atol=1e-4)
    explorer.mouse.move(5, 5)
    explorer.wait_for_function(
        "document.querySelector('.cnn-feeds').textContent.startsWith('Map 8 of layer 1,')"
    )


def test_the_kernel_plays_pauses_and_fills_its_map(explorer):
    answered(explorer)
    explorer.click("button.cnn-card >> nth=0")
    explorer.wait_for_function(f"{TRAIL}.includes('layer 1, ')")
    empty = """() => {
        const canvas = document.querySelector('.cnn-views [role=application]');
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((_, place) => place % 4 === 3 && data[place] === 0).length;
    }"""
    assert explorer.evaluate(empty) == 0
    explorer.select_option(".cnn-player select", "64")
    explorer.click(".cnn-play")
    explorer.wait_for_function(f"{TRAIL}.includes('row 2, ')")
    explorer.click(".cnn-play")
    explorer.wait_for_timeout(200)
    row, column = (int(part) for part in re.findall(r"row (\d+), column (\d+)", trail(explorer))[0])
    assert explorer.evaluate(empty) == 28 * 28 - ((row - 1) * 28 + column)
    before = trail(explorer)
    explorer.wait_for_timeout(400)
    assert trail(explorer) == before
    explorer.click(".cnn-number-panel button:has-text('One step')")
    explorer.wait_for_function(f"before => {TRAIL} !== before", arg=before)
    # Who chooses a place sees the whole map again.
    explorer.locator(".cnn-views [role=application]").click(position={"x": 30, "y": 90})
    explorer.wait_for_function(f"({empty})() === 0")


def trail(page) -> str:
    return page.inner_text(".cnn-trail")


def test_nothing_plays_where_motion_is_unwanted(explorer):
    answered(explorer)
    explorer.wait_for_selector(".cnn-player")
    assert explorer.is_visible(".cnn-number-panel .cnn-play")
    explorer.emulate_media(reduced_motion="reduce")
    explorer.wait_for_selector(".cnn-number-panel .cnn-play", state="hidden")
    explorer.click(".cnn-number-panel button:has-text('One step')")
    explorer.wait_for_function(f"{TRAIL}.includes('row 1, column 1')")


def test_every_number_of_the_widgets_can_be_changed(explorer):
    widget = explorer.locator("[data-widget=convolution]")
    grids = widget.locator(".cnn-editable")
    assert grids.nth(0).locator("input").count() == 36
    assert grids.nth(1).locator("input").count() == 9
    rng = np.random.default_rng(0)
    image, kernel = rng.integers(-9, 10, (6, 6)), rng.integers(-3, 4, (3, 3))
    for grid, numbers in ((grids.nth(0), image), (grids.nth(1), kernel)):
        for place, number in enumerate(numbers.ravel()):
            grid.locator("input").nth(place).fill(str(number).replace("-", "−"))
    expected = ops.conv2d(
        image[None, ..., None].astype(float), kernel[..., None, None].astype(float)
    ).ravel()
    shown = widget.locator("[aria-label=Output] td").evaluate_all(
        "cells => cells.map((cell) => +cell.title.replace('−', '-'))"
    )
    np.testing.assert_allclose(shown, expected)
    assert widget.locator("select").first.evaluate("s => s.selectedOptions[0].text") == "your own"
    # What is no number counts as zero, and nothing breaks.
    grids.nth(0).locator("input").first.fill("many")
    assert "NaN" not in widget.inner_text()

    pool = explorer.locator("[data-widget=pooling]")
    pool.locator(".cnn-editable input").first.fill("7,5")
    assert "(7.5 + 0 + 0 + 4) ÷ 4 = 11.50 ÷ 4 = 2.88" in pool.inner_text()
    batch = explorer.locator("[data-widget=batch-normalization]")
    before = batch.inner_text()
    batch.locator(".cnn-editable input").first.fill("-3")
    assert batch.inner_text() != before
    # The cursor stays where the reader types, and the theme keeps what was typed.
    assert batch.locator(".cnn-editable input").first.evaluate("i => i === document.activeElement")
    explorer.evaluate("document.documentElement.dataset.theme = 'dark'")
    explorer.wait_for_timeout(200)
    assert pool.locator(".cnn-editable input").first.input_value() == "7.5"


def test_a_widget_plays(explorer):
    widget = explorer.locator("[data-widget=convolution]")
    widget.locator("select").last.select_option("64")
    widget.locator(".cnn-play").click()
    explorer.wait_for_function(
        "document.querySelector('[data-widget=convolution] input[type=range]').value === '15'"
    )
    explorer.wait_for_function(
        "document.querySelector('[data-widget=convolution] .cnn-play').textContent.includes('Play')"
    )
    assert "" not in widget.locator("[aria-label=Output] td").all_inner_texts()


def test_softmax_shows_its_exponentials(explorer):
    answered(explorer)
    explorer.click(".cnn-answer button")
    explorer.wait_for_selector(".cnn-table .cnn-chosen")
    rows = explorer.locator(".cnn-table tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].slice(1).map((cell) =>"
        " parseFloat(cell.textContent.replace('−', '-'))))"
    )
    scores, less, powers, shares = np.array(rows).T
    np.testing.assert_allclose(less, scores - scores.max(), atol=0.011)
    np.testing.assert_allclose(powers, np.exp(less), atol=0.006)
    np.testing.assert_allclose(shares, 100 * powers / powers.sum(), atol=0.06)


def test_an_image_that_resembles_nothing_is_said_to_be_so(explorer):
    """The page's rule is that of the recorded results, on familiar and on strange images."""
    (images, labels), (tests, _) = datasets.load_fashion_mnist("small")
    rule = familiarity.Rule(images, labels)
    some = [np.asarray(tests[:20], float)] + [
        kind[:5] for kind in familiarity.strangers().values() if len(kind)
    ]
    some = np.concatenate(some)
    measured = explorer.evaluate(
        """async (images) => {
            const {measure} = await import('/explorer/familiarity.js');
            const rule = await (await fetch('/explorer/familiarity.json')).json();
            return images.map((image) => {
                const {distance, strangeness} = measure(rule, Float32Array.from(image));
                return [distance, strangeness];
            });
        }""",
        (some / 255).reshape(len(some), -1).tolist(),
    )
    expected = np.stack([rule.distance(some), rule.strangeness(some)], axis=1)
    np.testing.assert_allclose(measured, expected, rtol=1e-4, atol=1e-5)

    answered(explorer)
    assert explorer.inner_text(".cnn-warning") == ""
    explorer.get_by_role("radio", name="Draw", exact=True).click()
    explorer.get_by_role("button", name="Start empty").click()
    explorer.wait_for_function(
        "document.querySelector('.cnn-warning').textContent.includes('the shape of nothing')"
    )
    explorer.get_by_role("radio", name="Test images", exact=True).click()
    choose_image(explorer, 3)
    explorer.wait_for_function("document.querySelector('.cnn-warning').textContent === ''")
    explorer.check("#cnn-invert")
    explorer.wait_for_function(
        "document.querySelector('.cnn-warning').textContent.includes('light where')"
        " || document.querySelector('.cnn-warning').textContent.includes('the shape of nothing')"
    )


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_after_use(explorer, own, width):
    explorer.set_viewport_size({"width": width, "height": 900})
    answered(explorer)
    explorer.click("button.cnn-card >> nth=2")
    explorer.wait_for_selector("#cnn-source")
    assert violations(explorer) == []
    explorer.click(".cnn-answer button >> nth=1")
    explorer.wait_for_selector(".cnn-table .cnn-chosen")
    explorer.select_option("#cnn-beside", "simpler_CNN")
    explorer.wait_for_function(
        f"document.querySelector('{STATUS}').textContent.includes('simpler_CNN says')"
    )
    explorer.evaluate("document.querySelector('.cnn-own').open = true")
    assert violations(explorer) == []
    explorer.set_input_files("#cnn-folder", own)
    says(explorer, "my_network")
    for tab in ("Draw", "File", "Camera"):
        explorer.get_by_role("radio", name=tab, exact=True).click()
    drop_file(explorer, "letter.png", b"Dear network")
    complaint(explorer)
    assert violations(explorer) == []


def test_a_finger_reaches_every_control(browser, site, explorer):
    context = browser.new_context(
        base_url=site[0], viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto("/explorer.html")
    answered(page)
    page.tap(".cnn-switch [role=radio] >> nth=1")
    says(page, "simpler_CNN")
    page.tap(f"{IMAGE}:nth-child(9)")
    page.tap("button.cnn-card >> nth=3")
    page.wait_for_function(f"{TRAIL}.includes('layer 4, ')")
    # The sheet rises with the number, and goes down again.
    page.wait_for_selector(".cnn-arithmetic p")
    sheet = page.locator(".cnn-number-panel").bounding_box()
    assert sheet["y"] + sheet["height"] <= 845
    assert sheet["height"] <= 0.61 * 844
    for selector in (".cnn-number-panel button:has-text('One step')", ".cnn-play"):
        page.tap(f".cnn-number-panel {selector}" if selector == ".cnn-play" else selector)
    page.wait_for_function(f"{TRAIL}.includes('row 1, ')")
    page.tap(".cnn-number-panel .cnn-play")
    page.tap(".cnn-toggle")
    page.wait_for_selector(".cnn-arithmetic p", state="hidden")
    page.tap(".cnn-toggle")
    page.locator(".cnn-views [role=application]").tap(position={"x": 20, "y": 20})
    page.tap(".cnn-toggle")
    page.tap(".cnn-maps button >> nth=3")
    page.wait_for_function(f"{TRAIL}.includes('map 4 ')")
    page.tap("#cnn-each")
    page.tap(".cnn-answer button >> nth=2")
    page.wait_for_function(f"{TRAIL}.includes('Softmax')")
    page.tap(".cnn-sources .cnn-tab >> nth=1")
    page.get_by_role("button", name="Start empty").tap()
    page.tap("#cnn-erase")
    page.tap(".cnn-own summary")
    page.get_by_role("button", name="Copy link").tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


@pytest.mark.parametrize("width", [640, 320])
def test_twice_as_large_or_narrow_nothing_is_cut_off(explorer, width):
    """1280 pixels at 200 %, and at 400 %."""
    explorer.set_viewport_size({"width": width, "height": 450})
    answered(explorer)
    explorer.click("button.cnn-card >> nth=2")
    explorer.wait_for_selector("#cnn-source")
    assert explorer.evaluate("document.documentElement.scrollWidth") <= width
    # The sheet leaves the network in sight.
    assert explorer.locator(".cnn-number-panel").bounding_box()["height"] <= 0.61 * 450


def test_more_contrast_brings_stronger_lines(explorer):
    answered(explorer)
    line = "getComputedStyle(document.querySelector('.cnn-section')).borderColor"
    before = explorer.evaluate(line)
    explorer.emulate_media(contrast="more")
    assert explorer.evaluate(line) != before
