"""The backward functions against TensorFlow's gradients and against finite differences."""

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from windows import Case, convolution_cases, pool_cases

from cnncourse import ops
from cnncourse.tolerances import rounding

if keras.backend.backend() != "tensorflow":
    pytest.skip("the oracle is TensorFlow's gradient", allow_module_level=True)

import tensorflow as tf

many = settings(max_examples=150, derandomize=True, deadline=None, database=None)
some = settings(max_examples=60, derandomize=True, deadline=None, database=None)

shapes = st.lists(st.integers(1, 5), min_size=2, max_size=4).map(tuple)
dtypes = st.sampled_from(["float32", "float64"])
seeds = st.integers(0, 2**32 - 1)


def keras_gradients(function, arguments, grad_output):
    """Gradients by TensorFlow of a function that is written with Keras."""
    tensors = [tf.convert_to_tensor(argument) for argument in arguments]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        outputs = function(*tensors)
    return [grad.numpy() for grad in tape.gradient(outputs, tensors, grad_output)]


STEP = 1e-5


def numerical_gradients(function, arguments, grad_output, step=STEP):
    """Central differences of ``Σ grad_output · function(*arguments)``, entry by entry."""
    grads = []
    for argument in arguments:
        grad = np.zeros_like(argument)
        for index in np.ndindex(argument.shape):
            middle = argument[index]
            argument[index] = middle + step
            above = function(*arguments)
            argument[index] = middle - step
            below = function(*arguments)
            argument[index] = middle
            grad[index] = (grad_output * (above - below)).sum() / (2 * step)
        grads.append(grad)
    return grads


# More than any drawn case adds up for one number of a gradient.
TERMS = 2000


def assert_agree(ours, theirs, *, size=1.0, step=0.0):
    """Each pair equal in shape, and in values up to rounding.

    Args:
        size: how large the terms are that are added up, where they cancel each other.
        step: of the finite differences that gave ``theirs``. They cut off step² / 6 times the
            third derivative, below 1000 times the size here, and divide rounding by the step.
    """
    for our, their in zip(ours, theirs, strict=True):
        assert our.shape == their.shape
        scale = max(size, np.abs(their).max(initial=0))
        limit = rounding(our, their, terms=TERMS, size=scale)
        if step:
            limit = limit / step + step**2 / 6 * 1000 * scale
        assert np.abs(our - their).max(initial=0) <= limit


def random_like(array, seed):
    """Random values that have nothing to do with those drawn from the seed itself."""
    return np.random.default_rng([seed, 1]).normal(size=array.shape).astype(array.dtype)


def distinct(array):
    """Values with gaps far wider than the step of a finite difference, none near 0."""
    order = array.ravel().argsort().argsort() - array.size / 2 + 0.25
    return (order / 10).reshape(array.shape).astype(array.dtype)


# --- Convolution and pooling -------------------------------------------------------------------


@many
@given(convolution_cases())
def test_conv2d_backward_agrees_with_tensorflow(case: Case):
    inputs, kernel, bias = case.arrays("inputs", "kernel", "bias")
    outputs = ops.conv2d(inputs, kernel, strides=case.strides, padding=case.padding)
    grad_output = random_like(outputs, case.seed)

    def layer(inputs, kernel, bias):
        # Explicit zeros, then stride 1 cut down: right too where the two strides differ.
        edges = case.padding
        if edges == "same":
            edges = map(ops.same_padding, case.images[1:], case.window, case.strides)
        elif edges == "valid":
            edges = (0, 0), (0, 0)
        padded = keras.ops.pad(inputs, ((0, 0), *edges, (0, 0)))
        rows, columns = case.strides
        return keras.ops.conv(padded, kernel, padding="valid")[:, ::rows, ::columns] + bias

    ours = ops.conv2d_backward(
        grad_output, inputs, kernel, strides=case.strides, padding=case.padding
    )
    assert [grad.dtype for grad in ours] == [case.dtype] * 3
    assert_agree(ours, keras_gradients(layer, [inputs, kernel, bias], grad_output))


@some
@given(convolution_cases(), st.integers(1, 3))
def test_conv2d_backward_agrees_with_tensorflow_at_its_own_strides(case: Case, stride: int):
    inputs, kernel = case.arrays("inputs", "kernel")
    padded, padding = case.for_keras(inputs)
    outputs = ops.conv2d(padded, kernel, strides=stride, padding=padding)
    grad_output = random_like(outputs, case.seed)
    ours = ops.conv2d_backward(grad_output, padded, kernel, strides=stride, padding=padding)
    theirs = keras_gradients(
        lambda inputs, kernel: keras.ops.conv(inputs, kernel, strides=stride, padding=padding),
        [padded, kernel],
        grad_output,
    )
    assert_agree(ours[:2], theirs)


@some
@given(convolution_cases("float64"))
def test_conv2d_backward_agrees_with_finite_differences(case: Case):
    arrays = case.arrays("inputs", "kernel", "bias")
    options = {"strides": case.strides, "padding": case.padding}
    outputs = ops.conv2d(*arrays, **options)
    grad_output = random_like(outputs, case.seed)
    ours = ops.conv2d_backward(grad_output, *arrays[:2], **options)
    theirs = numerical_gradients(
        lambda *arrays: ops.conv2d(*arrays, **options), arrays, grad_output
    )
    assert_agree(ours, theirs, step=STEP)


POOLS = {
    "average": (ops.average_pool2d, ops.average_pool2d_backward, keras.ops.average_pool),
    "max": (ops.max_pool2d, ops.max_pool2d_backward, keras.ops.max_pool),
}


@pytest.mark.parametrize("kind", POOLS)
@many
@given(pool_cases())
def test_pool_backward_agrees_with_tensorflow(kind, case: Case):
    # TensorFlow's gradient of an average whose window is larger than the image is wrong: it
    # differs from finite differences, which the next test compares with in these cases too.
    fits = all(length <= size for length, size in zip(case.window, case.images[1:], strict=True))
    assume(kind == "max" or fits)
    forward, backward, keras_pool = POOLS[kind]
    padded, padding = case.for_keras(*case.arrays("inputs"))
    outputs = forward(padded, case.window, strides=case.strides, padding=padding)
    grad_output = random_like(outputs, case.seed)
    ours = backward(grad_output, padded, case.window, strides=case.strides, padding=padding)
    assert ours.dtype == case.dtype
    theirs = keras_gradients(
        lambda inputs: keras_pool(inputs, case.window, case.strides, padding),
        [padded],
        grad_output,
    )
    assert_agree([ours], theirs)


@pytest.mark.parametrize("kind", POOLS)
@some
@given(pool_cases("float64"))
def test_pool_backward_agrees_with_finite_differences(kind, case: Case):
    forward, backward, _ = POOLS[kind]
    inputs = distinct(case.arrays("inputs")[0][:1])
    options = {"strides": case.strides, "padding": case.padding}
    grad_output = random_like(forward(inputs, case.window, **options), case.seed)
    ours = backward(grad_output, inputs, case.window, **options)
    theirs = numerical_gradients(
        lambda inputs: forward(inputs, case.window, **options), [inputs], grad_output
    )
    assert_agree([ours], theirs, step=STEP)


def test_the_first_of_equal_pixels_gets_the_gradient():
    inputs = np.ones((1, 4, 4, 1))
    grad_output = np.arange(1.0, 5.0).reshape(1, 2, 2, 1)
    theirs = keras_gradients(
        lambda inputs: keras.ops.max_pool(inputs, 2, 2, "valid"), [inputs], grad_output
    )
    assert_agree([ops.max_pool2d_backward(grad_output, inputs, 2)], theirs)


@some
@given(pool_cases())
def test_global_average_pool2d_backward(case: Case):
    (inputs,) = case.arrays("inputs")
    grad_output = random_like(inputs[:, 0, 0, :], case.seed)
    ours = ops.global_average_pool2d_backward(grad_output, inputs)
    assert ours.dtype == case.dtype
    layer = keras.layers.GlobalAveragePooling2D(dtype=case.dtype)
    assert_agree([ours], keras_gradients(layer, [inputs], grad_output))
    if case.dtype == "float64":
        theirs = numerical_gradients(ops.global_average_pool2d, [inputs], grad_output)
        assert_agree([ours], theirs, step=STEP)


# --- Batch normalization -----------------------------------------------------------------------


def normalization_arrays(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(2, 1, shape).astype(dtype)
    mean, scale, offset = rng.normal(size=(3, shape[-1])).astype(dtype)
    variance = rng.uniform(0.5, 2, shape[-1]).astype(dtype)
    return [inputs, mean, variance, scale, offset]


def normalize(inputs, mean, variance, scale, offset):
    return ops.batch_normalization(inputs, mean, variance, scale=scale, offset=offset)


@some
@given(shapes, dtypes, seeds)
def test_batch_normalization_backward(shape, dtype, seed):
    arrays = normalization_arrays(shape, dtype, seed)
    inputs, mean, variance, scale, _ = arrays
    grad_output = random_like(inputs, seed)
    ours = ops.batch_normalization_backward(grad_output, inputs, mean, variance, scale=scale)
    assert [grad.dtype for grad in ours] == [dtype] * 5
    theirs = keras_gradients(
        lambda inputs, mean, variance, scale, offset: keras.ops.batch_normalization(
            inputs, mean, variance, axis=-1, offset=offset, scale=scale
        ),
        arrays,
        grad_output,
    )
    assert_agree(ours, theirs, size=np.abs(grad_output).sum())
    if dtype == "float64":
        assert_agree(ours, numerical_gradients(normalize, arrays, grad_output), step=STEP)


def train(inputs, scale, offset):
    return ops.batch_normalization_train(inputs, scale=scale, offset=offset)[0]


@some
@given(shapes, seeds)
def test_batch_normalization_train_backward(shape, seed):
    inputs, _, _, scale, offset = normalization_arrays((shape[0] + 2, *shape), "float64", seed)
    grad_output = random_like(inputs, seed)
    ours = ops.batch_normalization_train_backward(grad_output, inputs, scale=scale)

    def by_keras(inputs, scale, offset):
        mean, variance = keras.ops.moments(inputs, axes=tuple(range(inputs.ndim - 1)))
        return keras.ops.batch_normalization(
            inputs, mean, variance, axis=-1, offset=offset, scale=scale
        )

    arrays = [inputs, scale, offset]
    assert_agree(
        ours, keras_gradients(by_keras, arrays, grad_output), size=np.abs(grad_output).sum()
    )
    assert_agree(ours, numerical_gradients(train, arrays, grad_output), step=STEP)


def test_batch_normalization_train_backward_agrees_with_the_keras_layer():
    inputs, _, _, scale, offset = normalization_arrays((8, 6, 5, 3), "float32", 0)
    layer = keras.layers.BatchNormalization()
    layer.build(inputs.shape)
    layer.gamma.assign(scale)
    layer.beta.assign(offset)
    grad_output = random_like(inputs, 1)
    watched = tf.convert_to_tensor(inputs)
    with tf.GradientTape() as tape:
        tape.watch(watched)
        outputs = layer(watched, training=True)
    theirs = tape.gradient(
        outputs, [watched, layer.gamma.value, layer.beta.value], output_gradients=grad_output
    )
    ours = ops.batch_normalization_train_backward(grad_output, inputs, scale=scale)
    assert [grad.dtype for grad in ours] == ["float32"] * 3
    assert_agree(ours, [grad.numpy() for grad in theirs], size=np.abs(grad_output).sum())


@some
@given(shapes, seeds)
def test_batch_moments_backward(shape, seed):
    (inputs,) = normalization_arrays(shape, "float64", seed)[:1]
    grad_mean, grad_variance = np.random.default_rng(seed).normal(size=(2, shape[-1]))
    ours = ops.batch_moments_backward(grad_mean, grad_variance, inputs)
    theirs = numerical_gradients(
        lambda inputs: np.stack(ops.batch_moments(inputs)),
        [inputs],
        np.stack([grad_mean, grad_variance]),
    )
    assert_agree([ours], theirs, step=STEP)


# --- Activations and dropout -------------------------------------------------------------------


@some
@given(shapes, dtypes, seeds)
def test_relu_backward(shape, dtype, seed):
    inputs = distinct(np.random.default_rng(seed).normal(size=shape).astype(dtype))
    grad_output = random_like(inputs, seed)
    ours = ops.relu_backward(grad_output, inputs)
    assert ours.dtype == dtype
    assert_agree([ours], keras_gradients(keras.ops.relu, [inputs], grad_output))
    if dtype == "float64":
        assert_agree([ours], numerical_gradients(ops.relu, [inputs], grad_output), step=STEP)


@some
@given(shapes, dtypes, seeds, st.data())
def test_softmax_backward(shape, dtype, seed, data):
    inputs = np.random.default_rng(seed).normal(size=shape).astype(dtype)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    grad_output = random_like(inputs, seed)
    ours = ops.softmax_backward(grad_output, inputs, axis)
    assert ours.dtype == dtype
    if shape[axis] > 1:  # below that Keras warns, and the gradient is 0
        theirs = keras_gradients(lambda x: keras.ops.softmax(x, axis), [inputs], grad_output)
        assert_agree([ours], theirs)
    if dtype == "float64":
        theirs = numerical_gradients(lambda x: ops.softmax(x, axis), [inputs], grad_output)
        assert_agree([ours], theirs, step=STEP)


@some
@given(shapes, seeds, st.floats(0, 0.9))
def test_dropout_backward_agrees_with_finite_differences(shape, seed, rate):
    inputs = np.random.default_rng(seed).normal(size=shape)
    grad_output = random_like(inputs, seed)
    ours = ops.dropout_backward(grad_output, rate, rng=np.random.default_rng(seed))
    theirs = numerical_gradients(
        lambda inputs: ops.dropout(inputs, rate, rng=np.random.default_rng(seed)),
        [inputs],
        grad_output,
    )
    assert_agree([ours], theirs, step=STEP)


# --- What must not pass ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_wrong_gradient_lies_outside_of_every_tolerance(dtype):
    arrays = normalization_arrays((5, 5, 5, 5), dtype, 0)
    inputs, mean, variance, scale, _ = arrays
    grad_output = random_like(inputs, 0)
    right = ops.batch_normalization_backward(grad_output, inputs, mean, variance, scale=scale)
    size = np.abs(grad_output).sum()
    assert_agree(right, right, size=size, step=STEP * (dtype == "float64"))
    for place in range(5):
        wrong = list(right)
        wrong[place] = wrong[place] * np.asarray(1.01, dtype)
        with pytest.raises(AssertionError):
            assert_agree(wrong, right)
        with pytest.raises(AssertionError):
            assert_agree(wrong, right, step=STEP * (dtype == "float64"))
    kernel = np.random.default_rng(1).normal(size=(3, 3, 5, 4)).astype(dtype)
    grads = ops.conv2d_backward(random_like(ops.conv2d(inputs, kernel), 1), inputs, kernel)
    wrong = grads[1].copy()
    wrong[1, 1, 2, 3] *= np.asarray(1.01, dtype)
    for bad in ([grads[0], wrong, grads[2]], [*grads[:2], np.zeros_like(grads[2])]):
        with pytest.raises(AssertionError):
            assert_agree(bad, grads)
