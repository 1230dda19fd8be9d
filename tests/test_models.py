"""Both networks equal their specification, which stands here as a table of its own."""

import keras
import numpy as np
import pytest
from closeness import assert_close

from cnncourse import datasets, models, results, training

C, B, R, P, D = "Conv2D", "BatchNormalization", "Activation", "AveragePooling2D", "Dropout"

# A convolution is (C, filters, kernel side, stride); pooling (P, pool side); dropout (D, rate).
SPECIFICATION = {
    "simple_CNN": [
        *[(C, 16, 7, 1), (B,), (C, 16, 7, 1), (B,), (R, "relu"), (P, 2), (D, 0.5)],
        *[(C, 32, 5, 1), (B,), (C, 32, 5, 1), (B,), (R, "relu"), (P, 2), (D, 0.5)],
        *[(C, 64, 3, 1), (B,), (C, 64, 3, 1), (B,), (R, "relu"), (P, 2), (D, 0.5)],
        *[(C, 128, 3, 1), (B,), (C, 128, 3, 1), (B,), (R, "relu"), (P, 2), (D, 0.5)],
        *[(C, 256, 3, 1), (B,), (C, "classes", 3, 1)],
        *[("GlobalAveragePooling2D",), (R, "softmax")],
    ],
    "simpler_CNN": [
        *[(C, 16, 5, 1), (B,), (C, 16, 5, 2), (B,), (R, "relu"), (D, 0.25)],
        *[(C, 32, 5, 1), (B,), (C, 32, 5, 2), (B,), (R, "relu"), (D, 0.25)],
        *[(C, 64, 3, 1), (B,), (C, 64, 3, 2), (B,), (R, "relu"), (D, 0.25)],
        *[(C, 64, 1, 1), (B,), (C, 128, 3, 2), (B,), (R, "relu"), (D, 0.25)],
        *[(C, 256, 1, 1), (B,), (C, 128, 3, 2)],
        *[(C, 256, 1, 1), (B,), (C, "classes", 3, 2)],
        *[("Flatten",), (R, "softmax")],
    ],
}


def describe(layer, num_classes):
    """A layer in the words of the table; what the table leaves out has to be Keras's default."""
    kind = type(layer).__name__
    config = layer.get_config()
    if kind == C:
        assert config["padding"] == "same"
        assert config["use_bias"]
        assert config["activation"] == "linear"
        assert config["dilation_rate"] == (1, 1)
        assert config["groups"] == 1
        (height, width), (row_stride, column_stride) = config["kernel_size"], config["strides"]
        assert height == width
        assert row_stride == column_stride
        filters = config["filters"]
        return (C, "classes" if filters == num_classes else filters, height, row_stride)
    if kind == B:
        default = keras.layers.BatchNormalization().get_config()
        own = {key: config[key] for key in ("axis", "momentum", "epsilon", "center", "scale")}
        assert own == {key: default[key] for key in own}
        return (B,)
    if kind == P:
        assert config["padding"] == "same"
        assert config["strides"] == config["pool_size"]
        height, width = config["pool_size"]
        assert height == width
        return (P, height)
    if kind == R:
        return (R, config["activation"])
    if kind == D:
        return (D, config["rate"])
    return (kind,)


@pytest.mark.parametrize("name", SPECIFICATION)
@pytest.mark.parametrize("num_classes", [10, 7])
def test_layers_are_those_of_the_specification(name, num_classes):
    model = models.build(name, (48, 48, 3), num_classes)
    assert [describe(layer, num_classes) for layer in model.layers] == SPECIFICATION[name]
    assert model.layers[0].name == "image_array"
    assert model.layers[-1].name == "predictions"


def weight_shapes(rows, channels, num_classes):
    """The shapes of get_weights(), from the table alone."""
    shapes = []
    for kind, *settings in rows:
        if kind == C:
            filters = num_classes if settings[0] == "classes" else settings[0]
            shapes += [(settings[1], settings[1], channels, filters), (filters,)]
            channels = filters
        elif kind == B:
            shapes += [(channels,)] * 4
    return shapes


@pytest.mark.parametrize("name", SPECIFICATION)
@pytest.mark.parametrize(("channels", "num_classes"), [(1, 10), (3, 7)])
def test_weights_have_the_shapes_of_the_specification(name, channels, num_classes):
    model = models.build(name, (28, 28, channels), num_classes)
    expected = weight_shapes(SPECIFICATION[name], channels, num_classes)
    assert [weight.shape for weight in model.get_weights()] == expected
    assert model.count_params() == sum(int(np.prod(shape)) for shape in expected)


@pytest.mark.parametrize("name", SPECIFICATION)
def test_predictions_are_probabilities(name):
    images = datasets.load_fashion_mnist()[1][0][:4]
    scores = models.build(name, (28, 28, 1), 10).predict(datasets.as_inputs(images), verbose=0)
    assert scores.shape == (4, 10)
    assert (scores >= 0).all()
    assert_close(scores.sum(axis=1), np.ones(4, "float32"), terms=10)


@pytest.mark.parametrize("side", [1, 5, 28, 64])
def test_simpler_CNN_takes_up_to_64_pixels(side):
    assert models.simpler_CNN((side, 64, 1), 7).output_shape == (None, 7)


@pytest.mark.parametrize(
    ("shape", "outputs"), [((65, 64, 1), 14), ((96, 96, 3), 28), ((28, 200, 1), 28)]
)
def test_simpler_CNN_refuses_more_with_the_reason(shape, outputs):
    with pytest.raises(ValueError, match=rf"at most 64×64.*= {outputs} outputs.*simple_CNN"):
        models.simpler_CNN(shape, 7)


@pytest.mark.parametrize("shape", [(96, 96, 3), (200, 28, 1), (1, 1, 1)])
def test_simple_CNN_takes_any_size(shape):
    assert models.simple_CNN(shape, 7).output_shape == (None, 7)


@pytest.mark.parametrize("name", SPECIFICATION)
@pytest.mark.parametrize(
    "shape", [(28, 28), (None, 28, 28, 1), (0, 28, 1), (28.0, 28, 1), 28, "28", None]
)
def test_wrong_shape_shows_a_right_one(name, shape):
    with pytest.raises(ValueError, match=r"\(28, 28, 1\)"):
        models.build(name, shape, 10)


@pytest.mark.parametrize("count", [0, -1, 2.0, "10", None])
def test_wrong_class_count_is_refused(count):
    with pytest.raises(ValueError, match="num_classes"):
        models.simple_CNN((28, 28, 1), count)


@pytest.mark.parametrize("load", [models.load_pretrained, lambda n: models.build(n, (8, 8, 1), 2)])
def test_unknown_network_names_the_known_ones(load):
    with pytest.raises(ValueError, match=r"'simplest_CNN'.*simple_CNN, simpler_CNN"):
        load("simplest_CNN")


@pytest.mark.parametrize("name", SPECIFICATION)
def test_shipped_weights_survive_half_precision(name):
    for weight in models.load_pretrained(name).get_weights():
        assert weight.dtype == np.float32
        np.testing.assert_array_equal(weight, weight.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("name", SPECIFICATION)
def test_shipped_weights_reach_the_recorded_hits(name):
    """Recomputed on the embedded test sample: the recorded count of hits, within its tolerance."""
    recorded = results.value(f"{name}.fashion_mnist.sample_hits")
    _, (images, labels) = datasets.load_fashion_mnist()
    network = models.load_pretrained(name)
    hits, total = training.count_correct(network, datasets.as_inputs(images), labels)
    assert total == 2000
    assert abs(hits - recorded.value) <= recorded.tolerance <= 2
