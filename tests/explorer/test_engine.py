"""The page's arithmetic against Keras: every layer, in a real browser."""

from __future__ import annotations

import base64

import keras
import numpy as np
import pytest
from closeness import assert_close, in_double_precision, terms_of

from cnncourse import export
from cnncourse.tolerances import close

pytestmark = pytest.mark.browser

RUN = """async ({folder, images}) => {
    const {Engine, fetchNetwork} = await import('/explorer/engine.js');
    const engine = new Engine();
    const {manifest, weights} = await fetchNetwork(new URL(folder, location.href));
    await engine.load('net', manifest, weights);
    const bytes = Uint8Array.from(atob(images.data), (letter) => letter.charCodeAt(0));
    const pixels = new Float32Array(bytes.buffer);
    const size = pixels.length / images.count;
    const all = [];
    for (let index = 0; index < images.count; index++) {
        const {outputs} = await engine.run('net', pixels.slice(index * size, (index + 1) * size));
        all.push(...outputs.slice(1).map((maps) => maps.data));
    }
    engine.worker.terminate();
    const blob = new Blob(all);
    const reader = new FileReader();
    return new Promise((resolve) => {
        reader.onload = () => resolve(reader.result.split(',')[1]);
        reader.readAsDataURL(blob);
    });
}"""


def run_in_page(page, folder: str, images: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    """The outputs of every layer as the page computes them: one (images, numbers) array each."""
    page.goto("/")
    data = base64.b64encode(np.ascontiguousarray(images, np.float32).tobytes()).decode()
    answer = page.evaluate(RUN, {"folder": folder, "images": {"data": data, "count": len(images)}})
    rows = np.frombuffer(base64.b64decode(answer), np.float32).reshape(len(images), sum(sizes))
    return np.split(rows, np.cumsum(sizes)[:-1], axis=1)


def layer_outputs(model: keras.Sequential, images: np.ndarray) -> list[np.ndarray]:
    """The outputs of every layer as Keras computes them, each as (images, numbers)."""
    double = in_double_precision(model)
    every = keras.Model(double.inputs, [layer.output for layer in double.layers])
    outputs = every([images.astype(np.float64)], training=False)
    assert all(keras.backend.standardize_dtype(output.dtype) == "float64" for output in outputs)
    return [keras.ops.convert_to_numpy(output).reshape(len(images), -1) for output in outputs]


@pytest.mark.parametrize("name", ["simple_CNN", "simpler_CNN"])
def test_every_layer_equals_keras(page, site, networks, images, name):
    model = networks[name]
    export.export_explorer(model, site[1] / name)
    expected = layer_outputs(model, images)
    got = run_in_page(page, f"/{name}/", images, [array.shape[1] for array in expected])
    terms, size = terms_of(model), 0.0
    for layer, ours, theirs in zip(model.layers, got, expected, strict=True):
        # A softmax makes small numbers of large ones.
        size = max(np.abs(theirs).max(), size if layer.name == "predictions" else 0)
        assert_close(ours, theirs, terms=terms, size=size, at=layer.name)
        assert not close(1.01 * ours, theirs, terms=terms, size=size), layer.name
