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
from PIL import Image

from cnncourse import datasets, export

pytestmark = pytest.mark.browser

STATUS = ".cnn-status"
ALERT = ".cnn-problem"
IMAGE = ".cnn-gallery button"


def answered(page) -> str:
    """The spoken answer, once it is there."""
    page.wait_for_function(f"document.querySelector('{STATUS}').textContent.includes('says')")
    return page.inner_text(STATUS)


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
    return np.array([float(text.removesuffix(" %")) for text in texts])


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
            explorer.wait_for_function(
                f"document.querySelector('{STATUS}').innerText.startsWith('{name} ')"
            )
            np.testing.assert_allclose(percentages(explorer), 100 * expected, atol=0.051)


def export_folder():
    from pathlib import Path

    return Path(__file__).parents[2] / "book" / "_static" / "explorer"


def test_no_weights_before_they_are_wanted(page, site, networks, explorer):
    asked = explorer.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    assert not [address for address in asked if "/networks/" in address]
    choose_image(explorer)
    asked = explorer.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    loaded = [address for address in asked if address.endswith("weights.bin")]
    assert len(loaded) == 1
    assert loaded[0].endswith("/simple_CNN/weights.bin")


def test_the_same_image_stays_when_the_network_changes(explorer, networks):
    first = choose_image(explorer, 7)
    explorer.get_by_role("radio", name="simpler_CNN", exact=True).click()
    explorer.wait_for_function(
        f"document.querySelector('{STATUS}').innerText.startsWith('simpler_CNN says')"
    )
    assert explorer.locator(".cnn-card").count() == len(networks["simpler_CNN"].layers)
    assert answered(explorer) != first
    assert explorer.get_attribute(f"{IMAGE}:nth-child(8)", "aria-checked") == "true"


@pytest.mark.parametrize("name", ["simple_CNN", "simpler_CNN"])
def test_every_layer_shows_its_arithmetic(explorer, networks, name):
    """Each layer's printed result is the number that Keras computes there."""
    explorer.get_by_role("radio", name=name, exact=True).click()
    choose_image(explorer, 3)
    explorer.wait_for_function(
        f"document.querySelector('{STATUS}').innerText.startsWith('{name} ')"
    )
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
    card = explorer.locator(".cnn-card").nth(3).locator("canvas")
    box = card.bounding_box()
    card.click(position={"x": box["width"] * 0.3, "y": box["height"] * 0.3})
    # The pointer hits a pixel of the screen, which may lie on the edge of two places.
    explorer.wait_for_function(
        "/layer 4, Batch norm › map 6 › row [567], column [567]/"
        ".test(document.querySelector('.cnn-trail').innerText)"
    )
    # A click on a map chooses it; its place is the same on every panel.
    explorer.locator(".cnn-maps button").nth(9).click()
    explorer.wait_for_function("document.querySelector('.cnn-trail').innerText.includes('map 10')")
    assert explorer.locator(".cnn-maps [aria-checked=true]").get_attribute("aria-label") == "Map 10"
    # Pointing at the map moves the number, and the field on the image with it.
    before = explorer.locator(".cnn-picture .cnn-box").get_attribute("style")
    explorer.locator(".cnn-views [role=application]").click(position={"x": 200, "y": 30})
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
    assert answered(page).startswith("simpler_CNN")
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
    press("ArrowDown")
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
    tab_to(".cnn-button")
    press("Enter")
    page.wait_for_function("document.querySelector('.cnn-trail').innerText.includes('layer 6, ')")
    press("Tab")
    press("Enter")
    page.wait_for_function("document.querySelector('.cnn-trail').innerText.includes('layer 7, ')")


def test_drawing_by_keyboard(explorer):
    page = explorer
    press = page.keyboard.press
    page.focus(".cnn-sources .cnn-tab")
    press("ArrowRight")
    page.focus(".cnn-picture canvas[role=application]")
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
    explorer.wait_for_function(
        f"document.querySelector('{STATUS}').innerText.startsWith('my_network says')"
    )
    assert explorer.locator(".cnn-class").all_inner_texts() == ["cat", "dog", "fish"]
    assert percentages(explorer).sum() == pytest.approx(100, abs=0.2)
    assert explorer.locator(".cnn-card").count() == 6
    # Back to a shipped network, with the same image.
    explorer.get_by_role("radio", name="simple_CNN", exact=True).click()
    explorer.wait_for_function(
        f"document.querySelector('{STATUS}').innerText.startsWith('simple_CNN says')"
    )


def test_own_network_from_a_folder(explorer, own):
    explorer.click(".cnn-own summary")
    explorer.set_input_files("#cnn-folder", own)
    explorer.wait_for_function(
        f"document.querySelector('{STATUS}').innerText.startsWith('my_network is loaded')"
    )
    choose_image(explorer, 2)
    assert answered(explorer).startswith("my_network says")


def test_own_network_by_address(explorer, own, site):
    for file in own.iterdir():
        target = site[1] / "mine" / file.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(file.read_bytes())
    explorer.goto("/explorer.html?model=/mine")
    explorer.wait_for_function(
        f"document.querySelector('{STATUS}').innerText.startsWith('my_network is loaded')"
    )
    explorer.goto("/explorer.html")
    explorer.focus(".cnn-own summary")
    explorer.keyboard.press("Enter")
    explorer.focus("#cnn-address")
    explorer.keyboard.type("/mine/manifest.json")
    explorer.keyboard.press("Enter")
    explorer.wait_for_function(
        f"document.querySelector('{STATUS}').innerText.startsWith('my_network is loaded')"
    )


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
        (lambda manifest: manifest.update(version=2), "has version 2; this page reads version 1"),
        (lambda manifest: manifest["layers"][0].update(type="lstm"), "unknown type (lstm)"),
        (lambda manifest: manifest["layers"][0].update(strides=[0, 0]), "has no window"),
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
    choose_image(explorer)
    assert explorer.evaluate("document.documentElement.scrollWidth") <= 390


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
