"""Tables, receptive fields and folded copies against Keras, gradients and counts by hand."""

import keras
import numpy as np
import pytest
from closeness import assert_close, in_double_precision, terms_of
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from cnncourse import anatomy, datasets, models, ops, tolerances

NAMES = list(models.NETWORKS)


def randomize(model, seed=0):
    """Give every weight a value that is not its start value; variances stay above 0."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        spread = 1.5 / np.sqrt(np.prod(weight.shape[:-1])) if weight.name == "kernel" else 0.3
        values = rng.normal(0, spread, weight.shape)
        if weight.name in {"gamma", "moving_variance"}:
            values = rng.uniform(0.5, 2, weight.shape)
        weight.assign(values)
    return model


def clothes(count):
    (images, _), _ = datasets.load_fashion_mnist()
    return datasets.as_inputs(images[:count])


def answers(model, images, **options):
    return keras.ops.convert_to_numpy(model(images, **options))


@pytest.fixture(params=NAMES)
def model(request):
    return randomize(models.build(request.param, (28, 28, 1), 10))


# --- The layer table ---------------------------------------------------------------------------


def test_the_table_agrees_with_keras(model):
    table = anatomy.layer_table(model)
    assert [row.name for row in table] == [layer.name for layer in model.layers]
    for row, layer in zip(table, model.layers, strict=True):
        assert row.type == type(layer).__name__
        assert row.output_shape == layer.output.shape[1:]
        assert row.trainable + row.non_trainable == layer.count_params()
    assert table.trainable + table.non_trainable == model.count_params()
    assert table.trainable == sum(int(np.prod(w.shape)) for w in model.trainable_weights)


def test_multiplications_of_simple_cnn_counted_by_hand():
    # (side of the output map, side of the kernel, channels in, channels out)
    convolutions = [
        (28, 7, 1, 16),
        (28, 7, 16, 16),
        (14, 5, 16, 32),
        (14, 5, 32, 32),
        (7, 3, 32, 64),
        (7, 3, 64, 64),
        (4, 3, 64, 128),
        (4, 3, 128, 128),
        (2, 3, 128, 256),
        (2, 3, 256, 10),
    ]
    by_hand = [side**2 * kernel**2 * old * new for side, kernel, old, new in convolutions]
    table = anatomy.layer_table(models.simple_CNN((28, 28, 1), 10))
    assert [row.macs for row in table if row.macs] == by_hand
    assert table.macs == sum(by_hand)


def test_a_dense_head_is_counted_and_sees_everything():
    model = keras.Sequential(
        [keras.Input((8, 6, 2)), layers.Conv2D(3, 3), layers.Flatten(), layers.Dense(5)]
    )
    convolution, flatten, dense = anatomy.layer_table(model)
    assert (convolution.macs, flatten.macs, dense.macs) == (6 * 4 * 9 * 2 * 3, 0, 6 * 4 * 3 * 5)
    assert (convolution.receptive_field, flatten.receptive_field) == (3, 3)
    assert dense.receptive_field == (8, 6)


def test_the_table_prints_as_text_and_as_html():
    table = anatomy.layer_table(models.simpler_CNN((28, 28, 1), 10))
    lines = str(table).splitlines()
    assert len(lines) == len(table) + 2
    assert lines[0].split()[:2] == ["name", "type"]
    assert lines[1].split()[:4] == ["image_array", "Conv2D", "28×28×16", "5×5"]
    assert lines[-1].split() == ["total", "564,730", "1,856", f"{table.macs:,}"]
    page = table._repr_html_()
    assert page.count("<tr>") == page.count("</tr>") == len(lines)
    assert '<th scope="row">image_array</th><td>Conv2D</td><td>28×28×16</td>' in page


def test_names_are_escaped_in_html():
    table = anatomy.LayerTable([anatomy.LayerRow("a&b", "<i>", (1,), None, None, 0, 0, 0, 1, 1)])
    assert '<th scope="row">a&amp;b</th><td>&lt;i&gt;</td>' in table._repr_html_()


# --- Receptive fields --------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "side"), [("simple_CNN", 156), ("simpler_CNN", 153)])
def test_the_last_convolution_sees_more_than_the_image(name, side):
    model = models.build(name, (28, 28, 1), 10)
    last = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)][-1]
    assert anatomy.receptive_field(model)[last.name] == side


@pytest.mark.parametrize("name", NAMES)
def test_formula_and_gradient_agree_on_every_map(name):
    model = models.build(name, (28, 28, 1), 10)
    fields = anatomy.receptive_field(model)
    maps = [layer for layer in model.layers if len(layer.output.shape) == 4]
    assert len(maps) >= 28
    for layer in maps:
        assert anatomy.measured_receptive_field(model, layer) == fields[layer.name]


def test_a_global_average_sees_all_that_its_map_sees():
    model = models.simple_CNN((28, 28, 1), 10)
    # Two by two places, 16 pixels apart.
    assert anatomy.receptive_field(model)[model.layers[-2].name] == 156 + 16


windows = st.tuples(
    st.sampled_from([layers.Conv2D, layers.AveragePooling2D, layers.MaxPooling2D]),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.integers(1, 3),
    st.sampled_from(["valid", "same"]),
)


@settings(max_examples=25, derandomize=True, deadline=None, database=None)
@given(st.lists(windows, min_size=1, max_size=3))
def test_the_formula_agrees_with_keras_when_single_pixels_are_changed(drawn):
    # No cancelling and no hiding: positive weights, and a maximum over one raised pixel.
    chain = [keras.Input((60, 60, 1))]
    for kind, size, stride, padding in drawn:
        options = {"strides": stride, "padding": padding}
        if kind is layers.Conv2D:
            chain.append(kind(1, size, kernel_initializer="ones", **options))
        else:
            chain.append(kind(size, **options))
    model = keras.Sequential(chain)
    rows, columns = model.output_shape[1:3]
    reached = []
    for axis in (0, 1):
        images = np.zeros((60, 60, 60, 1), "float32")
        for place in range(60):
            # A whole line is raised, so that the other axis does not matter.
            images[(place, place) if axis == 0 else (place, slice(None), place)] = 1
        seen = answers(model, images)[:, rows // 2, columns // 2, 0] > 0
        reached.append(int(seen.sum()))
    field = next(reversed(anatomy.receptive_field(model).values()))
    assert (field if isinstance(field, tuple) else (field, field)) == tuple(reached) or (
        # Where a window skips pixels (stride above its size) the field has holes.
        any(stride > min(size) for _, size, stride, _ in drawn)
        and all(np.less_equal(reached, field))
    )


def test_the_gradient_is_an_average():
    model = models.simpler_CNN((28, 28, 1), 10)
    gradient = anatomy.input_gradient(model, model.layers[9], 64)
    assert gradient.shape == (64, 64)
    assert gradient.min() == 0
    assert gradient.sum() == pytest.approx(1)


# --- Equal models with fewer layers ------------------------------------------------------------


def scores(model, images):
    """What stands before the softmax, which would shrink every difference."""
    return answers(keras.Sequential(model.layers[:-1]), images)


@pytest.mark.parametrize("double", [False, True])
def test_folding_keeps_the_answers(model, double):
    images = clothes(16)
    if double:
        model = in_double_precision(model)
    before = [weight.numpy() for weight in model.weights]
    folded = anatomy.fold_batch_normalization(model)
    # The answers differ between images, so the comparison says something.
    assert np.ptp(answers(model, images), axis=0).max() > 1e-3
    assert_close(scores(folded, images), scores(model, images), terms=terms_of(model))
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in folded.layers)
    kept = [layer.name for layer in model.layers if "normalization" not in layer.name]
    assert [layer.name for layer in folded.layers] == kept
    assert len(kept) < len(model.layers)
    for weight, old in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old)


def forget_the_bias(kernel, bias):
    bias[:] = 0


def change_one_weight(kernel, bias):
    # One in the middle: those at the edge of a last kernel may only ever meet padding.
    middle = kernel[kernel.shape[0] // 2, kernel.shape[1] // 2]
    middle[np.unravel_index(np.abs(middle).argmax(), middle.shape)] *= 1.01


@pytest.mark.parametrize(
    ("fault", "double"),
    [(forget_the_bias, False), (forget_the_bias, True), (change_one_weight, True)],
)
def test_folding_wrongly_is_seen(model, fault, double):
    images = clothes(16)
    if double:
        model = in_double_precision(model)
    wanted = scores(model, images)
    for place in (0, -3):
        folded = anatomy.fold_batch_normalization(model)
        wrong = [layer for layer in folded.layers if isinstance(layer, layers.Conv2D)][place]
        weights = wrong.get_weights()
        fault(*weights)
        wrong.set_weights(weights)
        assert not tolerances.close(scores(folded, images), wanted, terms=terms_of(model)), place


def test_folding_into_layers_without_bias_scale_or_offset():
    model = keras.Sequential(
        [
            keras.Input((9, 9, 3)),
            layers.BatchNormalization(name="first"),  # follows nothing, and padding comes: stays
            layers.Conv2D(4, 3, use_bias=False, padding="same"),
            layers.BatchNormalization(scale=False),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(name="after_relu"),  # the relu stands between: stays
            layers.Flatten(),
            layers.Dense(6),
            layers.BatchNormalization(center=False, epsilon=0.1),
            layers.ReLU(),
        ]
    )
    randomize(model)
    folded = anatomy.fold_batch_normalization(model)
    stayed = [x.name for x in folded.layers if isinstance(x, layers.BatchNormalization)]
    assert stayed == ["first", "after_relu"]
    images = np.random.default_rng(1).normal(size=(5, 9, 9, 3)).astype("float32")
    assert_close(answers(folded, images), answers(model, images), terms=terms_of(model))
    assert anatomy.useless_biases(model) == {model.layers[6].name: 6}


@pytest.mark.parametrize(("name", "total"), [("simple_CNN", 736), ("simpler_CNN", 928)])
def test_useless_biases_change_nothing_in_training(name, total):
    model = keras.Sequential(
        [keras.Input((28, 28, 1))]
        + [
            layer
            for layer in models.build(name, (28, 28, 1), 10).layers
            if not isinstance(layer, layers.Dropout)
        ]
    )
    randomize(model)
    useless = anatomy.useless_biases(model)
    assert sum(useless.values()) == total
    images = clothes(32)
    before = answers(model, images, training=True)
    for layer in model.layers:
        if layer.name in useless:
            layer.bias.assign(layer.bias + 1)
    # The moments of a batch add up over its images and places.
    terms = terms_of(model) + 32 * 28 * 28
    size = np.abs(scores(model, images)).max()
    assert_close(answers(model, images, training=True), before, terms=terms, size=size)
    last = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)][-1]
    assert last.name not in useless
    last.bias.assign(last.bias.numpy() + np.linspace(-1, 1, 10))
    assert np.abs(answers(model, images, training=True) - before).max() > 0.01


def test_two_convolutions_of_simple_cnn_are_one_away_from_the_border():
    model = randomize(models.simple_CNN((28, 28, 1), 10))
    folded = anatomy.fold_batch_normalization(model)
    kernel, bias = anatomy.merge_convolutions(*folded.layers[:2])
    assert kernel.shape == (13, 13, 1, 16)
    images = np.random.default_rng(1).uniform(size=(4, 28, 28, 1)).astype("float32")
    two = answers(keras.Sequential(model.layers[:4]), images)
    one = ops.conv2d(images, kernel, bias, padding="same")
    assert np.ptp(two) > 0.1
    terms = 49 + 784 + 8
    assert_close(one[:, 6:-6, 6:-6], two[:, 6:-6, 6:-6], terms=terms)
    forgotten = ops.conv2d(images, kernel, padding="same")
    assert not tolerances.close(forgotten[:, 6:-6, 6:-6], two[:, 6:-6, 6:-6], terms=terms)
    # At the border the second convolution saw zeros where the first one would have gone on.
    assert np.abs(one[:, :3] - two[:, :3]).max() > 1e-2


@pytest.mark.parametrize(("first_stride", "second_stride"), [(1, 2), (2, 1), (3, 2), ((2, 1), 1)])
def test_strided_convolutions_merge_too(first_stride, second_stride):
    pair = keras.Sequential(
        [
            keras.Input((21, 20, 2)),
            layers.Conv2D(5, (3, 4), strides=first_stride, use_bias=False),
            layers.Conv2D(3, (2, 3), strides=second_stride),
        ]
    )
    randomize(pair)
    kernel, bias = anatomy.merge_convolutions(*pair.layers)
    strides = tuple(np.multiply(pair.layers[0].strides, pair.layers[1].strides).tolist())
    images = np.random.default_rng(1).normal(size=(2, 21, 20, 2)).astype("float32")
    first, second = pair.layers
    middle = ops.conv2d(images, first.kernel.numpy(), strides=first.strides)
    two = ops.conv2d(middle, second.kernel.numpy(), second.bias.numpy(), strides=second.strides)
    assert_close(ops.conv2d(images, kernel, bias, strides=strides), two, terms=3 * 4 * 2 + 30)
    kernel[1, 1, 0, 0] *= 1.01
    wrong = ops.conv2d(images, kernel, bias, strides=strides)
    assert not tolerances.close(wrong, two, terms=3 * 4 * 2 + 30)


# --- Errors ------------------------------------------------------------------------------------


def built(*chain, shape=(8, 8, 2)):
    return keras.Sequential([keras.Input(shape), *chain])


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda: anatomy.layer_table(layers.Dense(3)), "Got a Dense"),
        (lambda: anatomy.layer_table(keras.Sequential([layers.Dense(3)])), "not a built"),
        (lambda: anatomy.layer_table(built(layers.Dense(3), shape=(5,))), "(None, 5)"),
        (lambda: anatomy.layer_table(built(layers.ReLU(), shape=(None, None, 1))), "fixed size"),
        (lambda: anatomy.layer_table(built(layers.UpSampling2D(name="up"))), "up of type UpSamp"),
        (
            lambda: anatomy.merge_convolutions(
                *built(layers.Conv2D(2, 3, dilation_rate=2), layers.Conv2D(2, 3)).layers
            ),
            "dilation",
        ),
        (
            lambda: anatomy.merge_convolutions(
                *built(layers.Conv2D(2, 3), layers.Conv2D(2, 3, groups=2)).layers
            ),
            "groups=2",
        ),
        (
            lambda: anatomy.measured_receptive_field(
                built(layers.Conv2D(2, 3, name="seen"), layers.Flatten(name="flat")), "flat"
            ),
            "'flat'; the layers of this model with maps are: seen",
        ),
        (
            lambda: anatomy.merge_convolutions(
                *built(
                    layers.Conv2D(2, 3, activation="relu", name="bent"), layers.Conv2D(2, 3)
                ).layers
            ),
            "bent with the activation relu",
        ),
        (
            lambda: anatomy.merge_convolutions(
                built(layers.Conv2D(4, 3)).layers[0], built(layers.Conv2D(4, 5)).layers[0]
            ),
            "(3, 3, 2, 4) and (5, 5, 2, 4)",
        ),
    ],
)
def test_errors_name_what_came(call, part):
    with pytest.raises(ValueError, match="Got") as caught:
        call()
    assert part in str(caught.value)
