"""The reference layers against Keras on drawn cases, and their own rules and errors."""

import keras
import numpy as np
import pytest
from closeness import assert_close
from hypothesis import given, settings
from hypothesis import strategies as st
from windows import Case, convolution_cases, pool_cases

from cnncourse import ops

many = settings(max_examples=250, derandomize=True, deadline=None, database=None)
some = settings(max_examples=100, derandomize=True, deadline=None, database=None)

shapes = st.lists(st.integers(1, 5), min_size=2, max_size=4).map(tuple)
dtypes = st.sampled_from(["float32", "float64"])
seeds = st.integers(0, 2**32 - 1)


def assert_agree(ours, theirs, *, terms=200, size=1.0):
    """Equal shape and dtype, and equal values up to rounding.

    Args:
        terms: no drawn case adds up more (6·6 places of a window, 5 channels, a bias).
        size: of the values that are added up, which may cancel; those drawn are about 1.
    """
    theirs = keras.ops.convert_to_numpy(theirs)
    assert ours.dtype == theirs.dtype
    assert_close(ours, theirs, terms=terms, size=max(size, np.abs(theirs).max(initial=0)))


# --- Against Keras -----------------------------------------------------------------------------


@many
@given(convolution_cases())
def test_conv2d_agrees_with_keras(case: Case):
    inputs, kernel, bias = case.arrays("inputs", "kernel", "bias")
    ours = ops.conv2d(inputs, kernel, bias, strides=case.strides, padding=case.padding)
    padded, padding = case.for_keras(inputs)
    rows, columns = case.strides
    if rows == columns:
        theirs = keras.ops.conv(padded, kernel, strides=case.strides, padding=padding)
    else:
        # Keras's TensorFlow backend reads memory that nobody wrote where strides differ.
        if padding == "same":
            edges = map(ops.same_padding, case.images[1:], case.window, case.strides)
            padded = np.pad(inputs, ((0, 0), *edges, (0, 0)))
        theirs = keras.ops.conv(padded, kernel, padding="valid")[:, ::rows, ::columns]
    assert_agree(ours, theirs + bias)


@many
@given(pool_cases())
def test_average_pool2d_agrees_with_keras(case: Case):
    (inputs,) = case.arrays("inputs")
    ours = ops.average_pool2d(inputs, case.window, strides=case.strides, padding=case.padding)
    padded, padding = case.for_keras(inputs)
    real, _ = case.for_keras(np.ones_like(inputs))
    theirs = keras.ops.average_pool(padded, case.window, case.strides, padding)
    share_that_counts = keras.ops.average_pool(real, case.window, case.strides, padding)
    assert_agree(ours, theirs / share_that_counts)


@many
@given(pool_cases())
def test_max_pool2d_agrees_with_keras(case: Case):
    (inputs,) = case.arrays("inputs")
    ours = ops.max_pool2d(inputs, case.window, strides=case.strides, padding=case.padding)
    padded, padding = case.for_keras(inputs, fill=-np.inf)
    padded = keras.ops.convert_to_tensor(padded)  # which keeps float64
    assert_agree(ours, keras.ops.max_pool(padded, case.window, case.strides, padding))


@some
@given(pool_cases())
def test_pools_step_by_their_own_size_when_no_strides_are_given(case: Case):
    (inputs,) = case.arrays("inputs")
    for pool in (ops.average_pool2d, ops.max_pool2d):
        np.testing.assert_array_equal(
            pool(inputs, case.window, padding="same"),
            pool(inputs, case.window, strides=case.window, padding="same"),
        )


@some
@given(pool_cases())
def test_global_average_pool2d_agrees_with_keras(case: Case):
    (inputs,) = case.arrays("inputs")
    theirs = keras.layers.GlobalAveragePooling2D(dtype=case.dtype)(inputs)
    assert_agree(ops.global_average_pool2d(inputs), theirs)


@some
@given(shapes, dtypes, seeds)
def test_batch_normalization_agrees_with_keras(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(3, 2, shape).astype(dtype)
    mean, scale, offset = rng.normal(size=(3, shape[-1])).astype(dtype)
    variance = rng.uniform(0.1, 4, shape[-1]).astype(dtype)
    ours = ops.batch_normalization(inputs, mean, variance, scale=scale, offset=offset)
    theirs = keras.ops.batch_normalization(
        inputs, mean, variance, axis=-1, offset=offset, scale=scale
    )
    assert_agree(ours, theirs)
    ours = ops.batch_normalization(inputs, mean, variance, epsilon=0.1)
    theirs = keras.ops.batch_normalization(inputs, mean, variance, axis=-1, epsilon=0.1)
    assert_agree(ours, theirs)


@some
@given(shapes, dtypes, seeds)
def test_batch_normalization_train_agrees_with_keras(shape, dtype, seed):
    inputs = np.random.default_rng(seed).normal(3, 2, shape).astype(dtype)
    layer = keras.layers.BatchNormalization(momentum=0.0, dtype=dtype)
    theirs = layer(inputs, training=True)
    outputs, mean, variance = ops.batch_normalization_train(inputs)
    # Values around 3 are subtracted from each other, and what is left is divided by a small root.
    largest = np.abs(inputs).max()
    factor = 1 / np.sqrt(variance.min() + 1e-3)
    assert_agree(outputs, theirs, terms=625, size=largest * factor)
    assert_agree(mean, layer.moving_mean.numpy(), terms=125, size=largest)
    assert_agree(variance, layer.moving_variance.numpy(), terms=125, size=largest**2)
    assert outputs.dtype == mean.dtype == variance.dtype == inputs.dtype


@some
@given(shapes, dtypes, seeds, st.data())
def test_activations_agree_with_keras(shape, dtype, seed, data):
    inputs = np.random.default_rng(seed).normal(0, 5, shape).astype(dtype)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    assert_agree(ops.relu(inputs), keras.ops.relu(inputs))
    if shape[axis] == 1:  # where Keras warns
        np.testing.assert_array_equal(ops.softmax(inputs, axis), np.ones_like(inputs))
    else:
        assert_agree(ops.softmax(inputs, axis), keras.ops.softmax(inputs, axis))


@some
@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 9), st.data())
def test_sizes_agree_with_keras(size, kernel_size, stride, data):
    ones = np.ones((1, size, size, 1), "float32")
    theirs = keras.ops.max_pool(ones, kernel_size, stride, "same")
    assert ops.output_size(size, kernel_size, stride, "same") == theirs.shape[1]
    before, after = ops.same_padding(size, kernel_size, stride)
    assert 0 <= before <= after <= before + 1
    explicit = data.draw(st.tuples(st.integers(0, 9), st.integers(0, 9)))
    if sum(explicit) + size >= kernel_size:
        padded = np.ones((1, size + sum(explicit), 1, 1), "float32")
        theirs = keras.ops.max_pool(padded, (kernel_size, 1), (stride, 1), "valid")
        assert ops.output_size(size, kernel_size, stride, explicit) == theirs.shape[1]


# --- Rules of their own ------------------------------------------------------------------------


@some
@given(convolution_cases())
def test_blocks_of_images_change_nothing(case: Case):
    inputs, kernel = case.arrays("inputs", "kernel")
    options = {"strides": case.strides, "padding": case.padding}
    whole = ops.conv2d(inputs, kernel, **options)
    one_by_one = [ops.conv2d(image[np.newaxis], kernel, **options) for image in inputs]
    assert_agree(np.concatenate(one_by_one), whole)


def test_a_batch_larger_than_a_block(monkeypatch):
    rng = np.random.default_rng(0)
    inputs, kernel = rng.normal(size=(7, 6, 5, 2)), rng.normal(size=(3, 2, 2, 4))
    grad = rng.normal(size=(7, 4, 4, 4))
    outputs, grads = ops.conv2d(inputs, kernel), ops.conv2d_backward(grad, inputs, kernel)
    two_images = 2 * outputs[0, ..., 0].size * kernel[..., 0].size * inputs.itemsize
    monkeypatch.setattr(ops, "_BLOCK_BYTES", two_images)
    assert_agree(ops.conv2d(inputs, kernel), outputs)
    for ours, theirs in zip(ops.conv2d_backward(grad, inputs, kernel), grads, strict=True):
        assert_agree(ours, theirs)


def test_padding_never_counts_in_an_average():
    ones = np.ones((1, 5, 4, 2))
    for padding in ["same", ((1, 2), (0, 2))]:
        assert (ops.average_pool2d(ones, 3, strides=2, padding=padding) == 1).all()


def test_padding_never_wins_a_maximum():
    negative = np.full((1, 3, 3, 1), -7)
    for dtype in ["float32", "int8", "int64"]:
        pooled = ops.max_pool2d(negative.astype(dtype), 2, padding="same")
        assert (pooled == -7).all()
        assert pooled.dtype == dtype


def test_integers_become_floats_where_sums_need_them():
    images = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4, 1) * 7
    kernel = np.array([[-1, 1], [1, 3]]).reshape(2, 2, 1, 1)
    exact = images.astype("float64")
    assert_agree(ops.conv2d(images, kernel), ops.conv2d(exact, kernel.astype("float64")))
    assert_agree(ops.average_pool2d(images, 2), ops.average_pool2d(exact, 2))
    assert_agree(ops.global_average_pool2d(images), ops.global_average_pool2d(exact))
    assert ops.conv2d(images, kernel.astype("float32")).dtype == "float32"
    assert ops.max_pool2d(images, 2).dtype == ops.relu(images).dtype == "uint8"


def test_an_empty_batch_gives_an_empty_batch():
    empty, kernel = np.zeros((0, 6, 6, 3)), np.zeros((3, 3, 3, 4))
    assert ops.conv2d(empty, kernel).shape == (0, 4, 4, 4)
    assert ops.average_pool2d(empty, 2).shape == ops.max_pool2d(empty, 2).shape == (0, 3, 3, 3)
    grads = ops.conv2d_backward(np.zeros((0, 4, 4, 4)), empty, kernel)
    assert [grad.shape for grad in grads] == [(0, 6, 6, 3), (3, 3, 3, 4), (4,)]


def test_arguments_stay_as_they_are():
    rng = np.random.default_rng(0)
    inputs, kernel, bias = rng.normal(size=(2, 5, 5, 3)), rng.normal(size=(3, 3, 3, 4)), np.ones(4)
    for array in (inputs, kernel, bias):
        array.flags.writeable = False
    outputs = ops.conv2d(inputs, kernel, bias)
    ops.conv2d_backward(outputs, inputs, kernel)
    for pool, backward in [
        (ops.average_pool2d, ops.average_pool2d_backward),
        (ops.max_pool2d, ops.max_pool2d_backward),
    ]:
        pooled = pool(inputs, 2, padding="same")
        pooled.flags.writeable = False
        backward(pooled, inputs, 2, padding="same")
    ops.batch_normalization_train_backward(inputs, inputs)
    for function in (ops.relu, ops.softmax, ops.global_average_pool2d):
        assert not np.shares_memory(function(inputs), inputs)


def test_softmax_of_large_scores():
    np.testing.assert_allclose(ops.softmax([1e4, 0.0, -1e4]), [1, 0, 0])


def test_dropout_keeps_the_mean_and_drops_the_rate():
    inputs = np.full((400, 250), 3.0, "float32")
    dropped = ops.dropout(inputs, 0.25, rng=np.random.default_rng(0))
    assert dropped.dtype == inputs.dtype
    assert set(np.unique(dropped)) == {0, np.float32(4)}
    # Five standard deviations of a share over 100,000 draws.
    assert abs((dropped == 0).mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / inputs.size)


def test_dropout_draws_the_same_mask_forward_and_backward():
    inputs = np.random.default_rng(1).normal(size=(4, 5, 5, 3))
    outputs = ops.dropout(inputs, 0.4, rng=np.random.default_rng(7))
    grad = ops.dropout_backward(np.ones_like(inputs), 0.4, rng=np.random.default_rng(7))
    np.testing.assert_allclose(outputs, inputs * grad)
    other = ops.dropout(inputs, 0.4, rng=np.random.default_rng(8))
    assert (other != outputs).any()


def test_dropout_with_rate_0_is_the_identity():
    inputs = np.arange(5.0)
    np.testing.assert_array_equal(ops.dropout(inputs, 0, rng=np.random.default_rng(0)), inputs)


# --- Errors ------------------------------------------------------------------------------------

IMAGES = np.zeros((2, 5, 6, 3))
KERNEL = np.zeros((3, 3, 3, 4))


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda: ops.conv2d(IMAGES[0], KERNEL), ["(5, 6, 3)", "(3, 3, 3, 4)", "batch"]),
        (lambda: ops.conv2d(IMAGES, KERNEL[0]), ["(2, 5, 6, 3)", "(3, 3, 4)"]),
        (lambda: ops.conv2d(IMAGES[..., :2], KERNEL), ["(2, 5, 6, 2)", "(3, 3, 3, 4)", "channel"]),
        (lambda: ops.conv2d(IMAGES, KERNEL, strides=0), ["strides=0", "(2, 5, 6, 3)", "(3, 3, 3"]),
        (lambda: ops.conv2d(IMAGES, KERNEL, strides=(1, -2)), ["strides=(1, -2)", "(2, 5, 6, 3)"]),
        (lambda: ops.conv2d(IMAGES, KERNEL, strides=(1, 2, 1)), ["strides=(1, 2, 1)"]),
        (lambda: ops.conv2d(IMAGES, KERNEL, strides=1.5), ["strides=1.5", "whole number"]),
        (
            lambda: ops.conv2d(IMAGES, np.zeros((7, 3, 3, 4))),
            ["(2, 5, 6, 3)", "(7, 3, 3, 4)", "length 7", "length 5"],
        ),
        (
            lambda: ops.conv2d(IMAGES, np.zeros((7, 3, 3, 4)), padding=((1, 0), (0, 0))),
            ["(2, 5, 6, 3)", "(7, 3, 3, 4)", "6 with its padding"],
        ),
        (lambda: ops.conv2d(IMAGES, KERNEL, padding="full"), ["'full'", '"same"']),
        (lambda: ops.conv2d(IMAGES, KERNEL, padding=1), ["padding 1", "((top, bottom)"]),
        (lambda: ops.conv2d(IMAGES, KERNEL, padding=(1, 1)), ["(1, 1)", "((top, bottom)"]),
        (lambda: ops.conv2d(IMAGES, KERNEL, padding=((1, 1.5), (0, 0))), ["1.5", "((top"]),
        (lambda: ops.conv2d(IMAGES, KERNEL, padding=((-1, 0), (0, 0))), ["-1", "below 0"]),
        (lambda: ops.conv2d(IMAGES, KERNEL, np.zeros(3)), ["(3,)", "(3, 3, 3, 4)", "(4,)"]),
        (lambda: ops.conv2d(IMAGES[:, :0], KERNEL, padding="same"), ["(2, 0, 6, 3)", "pixel"]),
        (
            lambda: ops.conv2d_backward(np.zeros((2, 3, 3, 4)), IMAGES, KERNEL),
            ["(2, 3, 3, 4)", "(2, 3, 4, 4)"],
        ),
        (lambda: ops.average_pool2d(IMAGES[0], 2), ["(5, 6, 3)", "size 2", "batch"]),
        (lambda: ops.average_pool2d(IMAGES, 0), ["pool_size=0", "(2, 5, 6, 3)"]),
        (lambda: ops.average_pool2d(IMAGES, 2, strides=0), ["strides=0", "(2, 5, 6, 3)"]),
        (lambda: ops.max_pool2d(IMAGES, (2, 7)), ["(2, 5, 6, 3)", "(2, 7)", "length 7"]),
        (
            lambda: ops.max_pool2d(IMAGES, 2, padding=((2, 0), (0, 0))),
            ["(2, 5, 6, 3)", "nothing but padding"],
        ),
        (
            lambda: ops.average_pool2d_backward(np.zeros((2, 2, 2, 3)), IMAGES, 2),
            ["(2, 2, 2, 3)", "(2, 2, 3, 3)"],
        ),
        (
            lambda: ops.max_pool2d_backward(np.zeros((2, 2, 2, 3)), IMAGES, 2),
            ["(2, 2, 2, 3)", "(2, 2, 3, 3)"],
        ),
        (lambda: ops.global_average_pool2d(IMAGES[0]), ["(5, 6, 3)", "batch"]),
        (
            lambda: ops.global_average_pool2d_backward(np.zeros((2, 4)), IMAGES),
            ["(2, 4)", "(2, 3)"],
        ),
        (
            lambda: ops.batch_normalization(IMAGES, np.zeros(4), np.ones(3)),
            ["mean", "(4,)", "(2, 5, 6, 3)", "(3,)"],
        ),
        (
            lambda: ops.batch_normalization(IMAGES, np.zeros(3), np.ones(3), scale=np.ones((1, 3))),
            ["scale", "(1, 3)", "(2, 5, 6, 3)"],
        ),
        (
            lambda: ops.batch_normalization_backward(KERNEL, IMAGES, np.zeros(3), np.ones(3)),
            ["(3, 3, 3, 4)", "(2, 5, 6, 3)"],
        ),
        (lambda: ops.batch_moments(IMAGES[:0]), ["(0, 5, 6, 3)", "at least one"]),
        (
            lambda: ops.batch_moments_backward(np.zeros(4), np.zeros(3), IMAGES),
            ["grad_mean", "(4,)", "(2, 5, 6, 3)"],
        ),
        (lambda: ops.relu_backward(KERNEL, IMAGES), ["(3, 3, 3, 4)", "(2, 5, 6, 3)"]),
        (lambda: ops.softmax_backward(KERNEL, IMAGES), ["(3, 3, 3, 4)", "(2, 5, 6, 3)"]),
        (lambda: ops.dropout(IMAGES, 1, rng=np.random.default_rng()), ["rate of 1", "below 1"]),
        (lambda: ops.dropout(IMAGES, -0.1, rng=np.random.default_rng()), ["rate of -0.1"]),
        (lambda: ops.same_padding(0, 3, 1), ["size=0"]),
        (lambda: ops.output_size(5, 3, 0), ["stride=0"]),
        (lambda: ops.output_size(5, 6), ["length 6", "length 5"]),
        (lambda: ops.output_size(5, 3, padding="full"), ["'full'"]),
    ],
)
def test_errors_state_what_came_and_what_was_wanted(call, parts):
    with pytest.raises(ValueError, match=r"Got .*[;:.]") as caught:
        call()
    for part in parts:
        assert part in str(caught.value)
