"""Other people's architectures in the page: numbers, their arithmetic and their fields."""

from __future__ import annotations

import base64
import json

import keras
import numpy as np
import pytest
import zoo

from cnncourse import export

pytestmark = [
    pytest.mark.browser,
    # Some take pixels up to 255; that the export says so is tested beside it.
    pytest.mark.filterwarnings("ignore:.* seems to expect pixels"),
]

# The page runs the images, works some numbers of each layer out from their parts, and changes
# the image outside the receptive field of one number of each layer.
PROBE = """async ({folder, data, count}) => {
    const {fetchNetwork} = await import('/explorer/engine.js');
    const {readManifest, readWeights, run} = await import('/explorer/network.js');
    const {explain, receptiveField, valueAt} = await import('/explorer/explain.js');
    const {readAnswer} = await import('/explorer/describe.js');
    const files = await fetchNetwork(new URL(folder, location.href));
    const manifest = readManifest(files.manifest);
    const network = readWeights(manifest, files.weights);
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const pixels = new Float32Array(bytes.buffer);
    const size = pixels.length / count;
    const images = Array.from({length: count}, (_, k) => pixels.slice(k * size, (k + 1) * size));
    const all = images.map((image) => run(network, image));
    const [outputs] = all;

    let state = 1;
    const draw = (below) => (state = (state * 48271) % 2147483647) % below;
    const worked = [];
    const outside = [];
    manifest.layers.forEach((layer, index) => {
        const maps = outputs[index + 1];
        const place = () => ({layer: index, row: draw(maps.height), column: draw(maps.width),
            channel: draw(maps.channels)});
        for (let n = 0; n < 5; n++) {
            const parts = explain(network, outputs, place());
            worked.push([layer.name, parts.value, FROM_PARTS(parts)]);
        }
        const at = place();
        const field = receptiveField(manifest.layers, outputs, at);
        const [height, width, channels] = manifest.input.shape;
        const changed = images[0].map((value, index) => {
            const pixel = Math.floor(index / channels);
            const row = Math.floor(pixel / width);
            const column = pixel % width;
            const inside = row >= field.top && row < field.top + field.height
                && column >= field.left && column < field.left + field.width;
            return inside ? value : 1 - value;
        });
        const after = run(network, changed)[index + 1];
        outside.push([layer.name, valueAt(maps, at.row, at.column, at.channel),
            valueAt(after, at.row, at.column, at.channel)]);
    });
    return {
        worked, outside,
        answers: all.map((maps) => Array.from(maps.at(-1).data)),
        shares: all.map((maps) => readAnswer(manifest, maps.at(-1)).rows.map((row) => row.share)),
        names: manifest.layers.map(({name}) => name),
    };
}"""
FROM_PARTS = """((parts) => {
    const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
    const seen = () => [...parts.patch].filter((number) => !Number.isNaN(number));
    switch (parts.type) {
        case 'conv2d': {
            const products = [...parts.patch].map((number, k) => (number || 0) * parts.kernel[k]);
            return sum(products) + parts.bias;
        }
        case 'pool':
            return parts.summary === 'max' ? Math.max(...seen()) : sum(seen()) / parts.count;
        case 'batch_normalization':
            return (parts.input - parts.mean) / Math.sqrt(parts.variance + parts.epsilon)
                * parts.gamma + parts.beta;
        case 'rescaling': return parts.input * parts.scale + parts.offset;
        case 'add': return sum(parts.numbers);
        case 'softmax': return parts.powers[parts.channel] / parts.total;
        case 'padding': return parts.inside ? parts.value : 0;
        default: return parts.value;
    }
})"""


def in_double(name: str, shape: zoo.Shape) -> tuple[keras.Model, keras.Model]:
    """The network as learners have it, and the same in float64."""
    model = zoo.drawn(zoo.ZOO[name](shape))
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        double = zoo.ZOO[name](shape)
    finally:
        keras.config.set_dtype_policy(before)
    double.set_weights(model.get_weights())
    return model, double


@pytest.mark.parametrize("shape", zoo.SHAPES, ids=str)
@pytest.mark.parametrize("name", zoo.ZOO)
def test_the_page_computes_what_keras_does(page, site, name, shape):
    model, double = in_double(name, shape)
    path = export.export_explorer(model, site[1] / f"zoo-{name}-{shape[2]}")
    manifest = json.loads(path.read_text())
    low, high = manifest["input"]["range"]
    images = (low + (high - low) * zoo.images(shape)).astype(np.float32)
    expected = np.asarray(double(images.astype(np.float64), training=False))

    page.goto("/")
    got = page.evaluate(
        PROBE.replace("FROM_PARTS", FROM_PARTS),
        {
            "folder": f"/zoo-{name}-{shape[2]}/",
            "data": base64.b64encode(images.tobytes()).decode(),
            "count": len(images),
        },
    )
    size = np.abs(expected).max()
    np.testing.assert_allclose(got["answers"], expected, rtol=1e-4, atol=1e-5 * size)
    for layer, value, parts in got["worked"]:
        assert value == pytest.approx(parts, rel=1e-4, abs=1e-5), layer
    for layer, before, after in got["outside"]:
        assert before == after, f"{layer} reads beyond its field"
    if manifest.get("answer", "softmax") != "sigmoid" or len(manifest["classes"]) == 2:
        np.testing.assert_allclose(np.sum(got["shares"], axis=1), 1, atol=1e-5)


def test_the_kinds_are_those_of_the_exporter(page, site):
    page.goto("/")
    kinds = page.evaluate(
        "async () => Object.keys((await import('/explorer/kinds.js')).KINDS)",
    )
    assert sorted(kinds) == sorted(export.TYPES)
