"""What goes wrong for a reader: wishes that overtake each other, files that lie, networks that
diverged. Each ends in one sentence, and the page goes on."""

from __future__ import annotations

import io
import json
import time

import numpy as np
import pytest
from PIL import Image
from test_page import ALERT, IMAGE, STATUS, answered, choose_image, complaint, drop_file, png, says

pytestmark = pytest.mark.browser


def manifest_of(layers: list[dict], shape=(4, 4, 1), classes=2, numbers=0, **more) -> dict:
    return {
        "format": "cnncourse-explorer",
        "version": 2,
        "name": "tiny",
        "input": {"shape": list(shape), "range": [0, 1]},
        "classes": [f"c{k}" for k in range(classes)],
        "weights": {"file": "weights.bin", "dtype": "float32", "bytes": 4 * numbers},
        "layers": layers,
        **more,
    }


def tiny(weights: list[float] | None = None) -> tuple[dict, bytes]:
    """A sound network of one dense layer: 16 pixels, two classes."""
    numbers = np.zeros(34) if weights is None else np.array(weights)
    layers = [
        {"type": "flatten", "name": "flatten", "output_shape": [16]},
        {
            "type": "dense",
            "name": "dense",
            "output_shape": [2],
            "weights": {
                "kernel": {"offset": 0, "shape": [16, 2]},
                "bias": {"offset": 32, "shape": [2]},
            },
        },
        {"type": "softmax", "name": "softmax", "output_shape": [2]},
    ]
    return manifest_of(layers, numbers=34), numbers.astype("<f4").tobytes()


def open_files(page, manifest: dict, weights: bytes) -> None:
    page.evaluate("document.querySelector('.cnn-own').open = true")
    page.set_input_files(
        "#cnn-files",
        [
            {
                "name": "manifest.json",
                "mimeType": "application/json",
                "buffer": json.dumps(manifest).encode(),
            },
            {"name": "weights.bin", "mimeType": "application/octet-stream", "buffer": weights},
        ],
    )


@pytest.mark.parametrize("pause", [0, 40, 60, 120])
def test_the_network_that_was_chosen_last_is_shown(explorer, pause):
    choose_image(explorer, 2)
    explorer.focus(".cnn-switch [role=radio][aria-checked=true]")
    for key in ("ArrowRight", "ArrowLeft", "ArrowRight", "ArrowLeft"):
        explorer.keyboard.press(key)
        explorer.wait_for_timeout(pause)
    chosen = explorer.inner_text(".cnn-switch [role=radio][aria-checked=true]")
    assert chosen == "simple_CNN"
    explorer.wait_for_timeout(1500)
    says(explorer, chosen)
    assert explorer.inner_text(".cnn-trail").startswith(chosen)


def wish_for_a_slow_one(explorer):
    """Wish for a network by its address; its requests, which are held back, are given."""
    held = []
    explorer.route("**/slow/**", lambda route: held.append(route))
    explorer.evaluate("document.querySelector('.cnn-own').open = true")
    explorer.fill("#cnn-address", "/slow/")
    explorer.keyboard.press("Enter")
    explorer.wait_for_function(
        f"document.querySelector('{STATUS}').textContent.startsWith('Fetching /slow/')"
    )
    return held


def test_a_network_that_comes_late_is_not_shown(explorer):
    """Files that were wished for first arrive after those that were wished for last."""
    answered(explorer)
    held = wish_for_a_slow_one(explorer)
    manifest, weights = tiny()
    open_files(explorer, {**manifest, "name": "the last"}, weights)
    says(explorer, "the last")
    for route in held:
        route.fulfill(body=json.dumps({**manifest, "name": "the first"}))
    explorer.wait_for_timeout(500)
    says(explorer, "the last")
    assert not explorer.is_visible(ALERT)


def test_an_own_network_that_comes_late_answers_the_image_chosen_meanwhile(explorer):
    """Before any network was there, an image did not fetch another one in its place."""
    explorer.add_init_script(
        "Object.defineProperty(navigator, 'connection', {value: {saveData: true}})"
    )
    explorer.reload()
    explorer.wait_for_selector(f"{IMAGE}:nth-child(30)")
    manifest, weights = tiny()
    bodies = {"manifest.json": json.dumps({**manifest, "name": "mine"}), "weights.bin": weights}

    def bring(route):
        route.fulfill(body=bodies[route.request.url.rpartition("/")[2]])

    held = wish_for_a_slow_one(explorer)
    explorer.click(f"{IMAGE}:nth-child(5)")
    explorer.wait_for_timeout(300)
    explorer.route("**/slow/**", bring)
    for route in held:
        bring(route)
    says(explorer, "mine")
    assert explorer.get_attribute(f"{IMAGE}:nth-child(5)", "aria-checked") == "true"
    assert not explorer.is_visible(ALERT)


def test_a_picture_that_comes_late_is_not_shown(explorer):
    answered(explorer)
    explorer.evaluate(
        """() => {
            const decode = HTMLImageElement.prototype.decode;
            HTMLImageElement.prototype.decode = async function () {
                await new Promise((resolve) => setTimeout(resolve, 800));
                return decode.call(this);
            };
        }"""
    )
    drop_file(explorer, "late.png", png(60, 60))
    explorer.click(f"{IMAGE}:nth-child(5)")
    explorer.wait_for_timeout(1500)
    assert "labelled" in explorer.inner_text(".cnn-picture figcaption")
    assert explorer.get_attribute(f"{IMAGE}:nth-child(5)", "aria-checked") == "true"


def test_a_camera_that_comes_late_is_switched_off(explorer):
    """Who leaves the camera's tab while the browser still asks is not filmed afterwards."""
    explorer.evaluate(
        """() => {
            const canvas = document.createElement('canvas');
            canvas.getContext('2d');
            window.stream = canvas.captureStream();
            navigator.mediaDevices.getUserMedia = () =>
                new Promise((resolve) => setTimeout(() => resolve(window.stream), 500));
        }"""
    )
    explorer.get_by_role("radio", name="Camera", exact=True).click()
    explorer.click("text=Switch the camera on")
    explorer.get_by_role("radio", name="Draw", exact=True).click()
    explorer.wait_for_function("stream.getTracks().every((track) => track.readyState === 'ended')")
    assert explorer.evaluate("document.querySelector('.cnn-source video').srcObject") is None


def test_a_complaint_goes_when_something_good_comes(explorer):
    answered(explorer)
    drop_file(explorer, "letter.png", b"Dear network")
    complaint(explorer)
    explorer.click(f"{IMAGE}:nth-child(5)")
    explorer.wait_for_selector(ALERT, state="hidden")
    explorer.get_by_role("radio", name="Camera", exact=True).click()
    explorer.evaluate(
        "void (navigator.mediaDevices.getUserMedia = () => "
        "Promise.reject(new DOMException('no', 'NotAllowedError')))"
    )
    explorer.click("text=Switch the camera on")
    complaint(explorer)
    drop_file(explorer, "good.png", png(60, 60))
    explorer.wait_for_selector(ALERT, state="hidden")


HUGE = {
    "type": "max_pool2d",
    "name": "pool",
    "window": [2, 2],
    "strides": [2, 2],
    "padding": "valid",
    "output_shape": [10000, 10000, 1],
}
GLOBAL = {"type": "global_average_pool2d", "name": "global", "output_shape": [1]}
SIGMOID = {"type": "sigmoid", "name": "sigmoid", "output_shape": [1]}
HEAVY = [
    {
        "type": "conv2d",
        "name": "conv",
        "window": [9, 9],
        "strides": [1, 1],
        "padding": "same",
        "output_shape": [200, 200, 32],
        "weights": {"kernel": {"offset": 0, "shape": [9, 9, 3, 32]}},
    },
    {
        "type": "conv2d",
        "name": "conv_1",
        "window": [9, 9],
        "strides": [1, 1],
        "padding": "same",
        "output_shape": [200, 200, 32],
        "weights": {"kernel": {"offset": 0, "shape": [9, 9, 32, 32]}},
    },
    {"type": "global_average_pool2d", "name": "global", "output_shape": [32]},
    {"type": "softmax", "name": "softmax", "output_shape": [32]},
]


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (
            manifest_of([HUGE, GLOBAL, SIGMOID], (20000, 20000, 1), answer="sigmoid"),
            "tiny holds 500 million numbers between its layers for one image",
        ),
        (
            manifest_of(HEAVY, (200, 200, 3), classes=32, numbers=9 * 9 * 32 * 32),
            "tiny multiplies and adds 3.63 billion times for one image",
        ),
    ],
)
def test_a_network_that_is_too_much_is_refused_before_it_runs(explorer, manifest, words):
    answered(explorer)
    started = time.monotonic()
    open_files(explorer, manifest, bytes(manifest["weights"]["bytes"]))
    assert words in complaint(explorer)
    assert time.monotonic() - started < 10
    choose_image(explorer, 3)
    says(explorer, "simple_CNN")


def test_ten_thousand_classes_are_answered(explorer):
    layers = [
        {"type": "flatten", "name": "flatten", "output_shape": [16]},
        {
            "type": "dense",
            "name": "dense",
            "output_shape": [10_000],
            "weights": {"kernel": {"offset": 0, "shape": [16, 10_000]}},
        },
        {"type": "softmax", "name": "softmax", "output_shape": [10_000]},
    ]
    manifest = manifest_of(layers, classes=10_000, numbers=160_000)
    answered(explorer)
    weights = np.random.default_rng(0).normal(size=160_000).astype("<f4").tobytes()
    open_files(explorer, manifest, weights)
    says(explorer, "tiny")
    assert explorer.locator(".cnn-answer button:visible").count() == 12
    assert "The likeliest 12 of 10000 classes." in explorer.inner_text(".cnn-answers")
    explorer.click(".cnn-answer button")
    explorer.wait_for_selector(".cnn-table .cnn-chosen")
    assert explorer.locator(".cnn-table tbody tr").count() == 20


def test_a_network_that_diverged_says_so_and_why(explorer):
    answered(explorer)
    manifest, _ = tiny()
    open_files(explorer, manifest, np.full(34, np.nan, "<f4").tobytes())
    explorer.wait_for_function(f"document.querySelector('{STATUS}').textContent.includes('NaN')")
    said = explorer.inner_text(STATUS)
    assert said.startswith("tiny gives no answer: from layer 2, Dense, on")
    assert "34 of the 34 weights in layer 2 already are" in said
    assert "smaller learning rate" in said
    assert explorer.locator(".cnn-percent:visible").all_inner_texts() == ["–", "–"]
    assert not explorer.is_visible(ALERT)
    # Its numbers can be looked at all the same.
    explorer.click("button.cnn-card >> nth=1")
    explorer.wait_for_function("document.querySelector('.cnn-value').textContent === 'NaN'")


def test_numbers_beyond_single_precision_are_said_to_be(explorer):
    answered(explorer)
    manifest, _ = tiny()
    open_files(explorer, manifest, np.full(34, 3e38, "<f4").tobytes())
    explorer.wait_for_function(
        f"document.querySelector('{STATUS}').textContent.includes('outgrew single precision')"
    )


def without(layer: int, field: str):
    return lambda manifest: manifest["layers"][layer].pop(field)


def put(layer: int, **fields):
    return lambda manifest: manifest["layers"][layer].update(fields)


POOL = {
    "type": "max_pool2d",
    "name": "pool",
    "window": [5, 5],
    "strides": [1, 1],
    "padding": "valid",
    "output_shape": [1, 1, 1],
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without(1, "name"), "layer 2, without a name, has no name"),
        (put(1, name="x" * 501), "layer 2, without a name, has no name of up to 500"),
        (put(1, name="flatten"), "two layers have the name flatten"),
        (put(1, weights=3), "has no record of its weights"),
        (put(1, use_bias=True), "setting that this page does not know (use_bias)"),
        (put(1, inputs=[2]), "inputs that do not come before it"),
        (put(1, inputs=[0, 1]), "has 2 inputs"),
        (put(2, type="add"), "layer softmax has 1 inputs"),
        (put(1, type="constructor"), "unknown type (constructor)"),
        (lambda m: m["layers"].insert(0, POOL), "where it fits nowhere"),
        (lambda m: m["layers"].insert(0, None), "layer 1, without a name, is no record"),
        (lambda m: m["layers"].insert(0, 7), "is no record"),
        (lambda m: m["input"].update(range=[1, 1]), "range of the input is empty"),
        (lambda m: m["input"].update(range=[0]), "no range of two numbers"),
        (lambda m: m["input"].update(range=[0, "1"]), "no range of two numbers"),
        (lambda m: m["weights"].update(file=5), "does not name a weight file"),
        (lambda m: m["weights"].update(file=None), "does not name a weight file"),
        (lambda m: m["weights"].update(bytes=5), "form of the weights"),
        (lambda m: m.update(weights=None), "says nothing of the weights"),
        (lambda m: m.update(name="  "), "the network has no name"),
        (lambda m: m.update(classes=["a", 3]), "classes have no names"),
        (lambda m: m.update(answer="maybe"), "answer is of an unknown form (maybe)"),
        (lambda m: m.update(answer="scores"), "ends in a softmax, not in scores"),
        (lambda m: m["layers"].extend([None] * 600), "more than 500 layers"),
    ],
)
def test_a_manifest_is_checked_whole(page, site, change, words):
    """Each fault is named in the sentence; none passes, none is an error of the page."""
    manifest, _ = tiny()
    change(manifest)
    page.goto("/")
    said = page.evaluate(
        """async (text) => {
            const {readManifest, Complaint} = await import('/explorer/network.js');
            try {
                readManifest(text);
                return 'nothing';
            } catch (error) {
                return error instanceof Complaint ? error.message : `a fault: ${error}`;
            }
        }""",
        json.dumps(manifest),
    )
    assert words in said
    assert not said.startswith("a fault")


def test_a_damaged_manifest_never_surprises_the_page(page, site):
    """Two thousand drawn changes: each is read or answered with a complaint."""
    manifest, _ = tiny()
    page.goto("/")
    surprises = page.evaluate(
        """async (text) => {
            const {readManifest, Complaint} = await import('/explorer/network.js');
            let state = 7;
            const draw = (below) => (state = (state * 48271) % 2147483647) % below;
            const values = [null, 0, -1, 1.5, 1e300, '', 'x', [], {}, [null], true, [[1]], {a: 1},
                [0, 0], [1, 2, 3, 4], 'softmax', 'add', 2 ** 31];
            const surprises = [];
            for (let n = 0; n < 2000; n++) {
                const manifest = JSON.parse(text);
                const spots = [];
                const walk = (node) => {
                    for (const key of Object.keys(node)) {
                        spots.push([node, key]);
                        if (node[key] && typeof node[key] === 'object') walk(node[key]);
                    }
                };
                walk(manifest);
                for (let k = 0; k <= draw(2); k++) {
                    const [node, key] = spots[draw(spots.length)];
                    if (draw(5) === 0) delete node[key];
                    else node[key] = values[draw(values.length)];
                }
                try {
                    readManifest(JSON.stringify(manifest));
                } catch (error) {
                    if (!(error instanceof Complaint)) surprises.push(String(error));
                }
            }
            return surprises;
        }""",
        json.dumps(manifest),
    )
    assert surprises == []


def test_a_picture_cut_short_is_refused(explorer):
    answered(explorer)
    noise = np.random.default_rng(0).integers(0, 256, (80, 80, 3)).astype(np.uint8)
    for kind, name in (("PNG", "coat.png"), ("JPEG", "coat.jpg")):
        with io.BytesIO() as file:
            Image.fromarray(noise).save(file, kind)
            content = file.getvalue()
        drop_file(explorer, name, content)
        explorer.wait_for_function(
            "name => document.querySelector('.cnn-picture figcaption').innerText.startsWith(name)",
            arg=name,
        )
        drop_file(explorer, name, content[: len(content) // 2])
        assert complaint(explorer) == (
            f"{name} is cut short: its end is missing. Save or download it again."
        )
        choose_image(explorer, 1)


def test_a_drawing_with_foreign_parts_is_refused_with_the_reason(explorer):
    answered(explorer)
    drawing = (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><foreignObject width="64" '
        b'height="64"><p xmlns="http://www.w3.org/1999/xhtml">coat</p></foreignObject></svg>'
    )
    drop_file(explorer, "coat.svg", drawing, "image/svg+xml")
    explorer.wait_for_function(
        f"""!document.querySelector('{ALERT}').hidden
            || document.querySelector('.cnn-picture figcaption').innerText.startsWith('coat.svg')"""
    )
    # Browsers differ in whether they let a page read it; none may end in "reload".
    if explorer.is_visible(ALERT):
        assert "holds foreign parts" in complaint(explorer)


def test_endless_names_widen_nothing(explorer):
    answered(explorer)
    explorer.set_viewport_size({"width": 390, "height": 844})
    manifest, weights = tiny()
    manifest.update(name="n" * 400, classes=["a" * 400, "b" * 400])
    manifest["layers"][1]["name"] = "l" * 400
    open_files(explorer, manifest, weights)
    says(explorer, "n" * 39 + "…")
    drop_file(explorer, "p" * 200 + ".png", png(50, 50))
    explorer.wait_for_function(
        "document.querySelector('.cnn-picture figcaption').innerText.startsWith('ppp')"
    )
    assert explorer.evaluate("document.documentElement.scrollWidth") <= 390


def test_sentences_of_other_networks_are_true(page, site):
    """Strides of two sizes, a global average whose maps are no classes."""
    page.goto("/")
    titles = page.evaluate(
        """async () => {
            const {titleOf, storyOf} = await import('/explorer/describe.js');
            const conv = {type: 'conv2d', name: 'c', window: [3, 4], strides: [1, 2],
                padding: 'same', output_shape: [4, 2, 8], dilation_rate: [1, 1]};
            const pool = {type: 'global_average_pool2d', name: 'g', output_shape: [128]};
            const maps = (height, width, channels) => ({height, width, channels, data: []});
            return [titleOf(conv), storyOf([conv], 0, [maps(4, 4, 1), maps(4, 2, 8)]),
                storyOf([pool], 0, [maps(4, 4, 128), maps(1, 1, 128)])];
        }"""
    )
    assert titles[0] == "Conv 3×4, stride 1×2"
    assert "in steps of 1×2" in titles[1]
    assert "class" not in titles[2]
