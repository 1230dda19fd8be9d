"""The layers of a convolutional network as plain NumPy functions, forward and backward.

A reference to read and to test against: arrays in, arrays out, channels last, the arguments
named and shaped as in ``keras.ops``. Nothing that keeps a state (weights, moving averages)
belongs here, and nothing that needs more than NumPy.

Every function leaves its arguments alone and keeps their dtype: float32 stays float32, float64
stays float64. Where arguments differ, NumPy's promotion decides; integers alone become float64,
except in :func:`relu` and :func:`max_pool2d`, which only choose among values and keep integers.
``strides`` and ``pool_size`` are an int or a pair (rows, columns). ``padding`` is ``"valid"``
(none), ``"same"`` (TensorFlow's rule, see :func:`same_padding`) or
``((top, bottom), (left, right))``.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

Pair = int | tuple[int, int]
Padding = Literal["valid", "same"] | tuple[tuple[int, int], tuple[int, int]]

# Patches are copied and multiplied a few images at a time, always into the same memory: a block
# of this size stays in the cache between the copy and the product, and memory that is fresh from
# the system costs more time than what is written there.
_BLOCK_BYTES = 2**20


# --- Sizes -------------------------------------------------------------------------------------


def same_padding(size: int, kernel_size: int, stride: int) -> tuple[int, int]:
    """How many zeros ``"same"`` puts before and after one axis; the odd one goes after.

    The output has ``ceil(size / stride)`` places, and there is as much padding as the last of
    them needs: ``max((output - 1) · stride + kernel_size - size, 0)``.

    Args:
        size: length of the axis in pixels.
        kernel_size: length of the kernel along it.
        stride: step of the kernel along it.

    Returns:
        (before, after).

    Raises:
        ValueError: an argument that is no whole number above 0.

    Source: TensorFlow, ``tf.nn``, notes on padding.

    >>> same_padding(28, 5, 1)
    (2, 2)
    >>> same_padding(28, 5, 2)
    (1, 2)
    """
    for name, value in [("size", size), ("kernel_size", kernel_size), ("stride", stride)]:
        _check_positive(name, value)
    output = -(-size // stride)
    total = max((output - 1) * stride + kernel_size - size, 0)
    return total // 2, total - total // 2


def output_size(
    size: int,
    kernel_size: int,
    stride: int = 1,
    padding: Literal["valid", "same"] | tuple[int, int] = "valid",
) -> int:
    """How many places a kernel has along one axis: ``(padded - kernel_size) // stride + 1``.

    Args:
        size: length of the axis in pixels.
        kernel_size: length of the kernel along it.
        stride: step of the kernel along it.
        padding: ``"valid"``, ``"same"`` or (before, after).

    Returns:
        The length of the output; with ``"same"`` that is ``ceil(size / stride)``.

    Raises:
        ValueError: a kernel larger than the padded axis, an unknown padding, or a size or
            stride that is no whole number above 0.

    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016).

    >>> output_size(28, 5)
    24
    >>> output_size(28, 5, stride=2, padding="same")
    14
    """
    for name, value in [("size", size), ("kernel_size", kernel_size), ("stride", stride)]:
        _check_positive(name, value)
    padded = size + sum(_axis_padding(size, kernel_size, stride, padding))
    if kernel_size > padded:
        raise ValueError(
            f"Got a kernel of length {kernel_size} on an axis of length {size}, {padded} with "
            "its padding; the kernel must fit into the padded axis."
        )
    return (padded - kernel_size) // stride + 1


# --- Convolution -------------------------------------------------------------------------------


def conv2d(
    inputs: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    strides: Pair = 1,
    padding: Padding = "valid",
) -> np.ndarray:
    """Slide every filter over every image and sum the products: a layer of feature maps.

    ``outputs[n, y, x, o] = bias[o] + Σ padded[n, y·stride + i, x·stride + j, c] ·
    kernel[i, j, c, o]``, the sum over i, j and c. As in Keras, PyTorch and JAX the kernel
    is not flipped, so a mathematician calls this a cross-correlation.

    Each patch that a filter sees is laid out as one row of a matrix; one product with the
    kernel, laid out as a matrix too, then gives all the sums.

    Args:
        inputs: (batch, height, width, channels_in).
        kernel: (kernel_height, kernel_width, channels_in, channels_out).
        bias: (channels_out,), or None for none.
        strides: step of the kernel.
        padding: see the top of this module.

    Returns:
        (batch, output_height, output_width, channels_out), sizes as :func:`output_size` says.

    Raises:
        ValueError: a wrong rank, channels that differ, a stride below 1, or a kernel larger
            than the padded input. The message states both shapes.

    Source: Chellapilla, Puri and Simard, High performance convolutional neural networks for
    document processing (2006), for the product; Goodfellow, Bengio and Courville, Deep Learning
    (2016), section 9.1, for the formula.

    >>> conv2d(np.arange(9.0).reshape(1, 3, 3, 1), np.ones((2, 2, 1, 1)))[0, :, :, 0]
    array([[ 8., 12.],
           [20., 24.]])
    """
    arrays = _as_floats(inputs, kernel, *([] if bias is None else [bias]))
    inputs, kernel = arrays[:2]
    plan = _plan_convolution(inputs, kernel, strides, padding)
    channels_out = kernel.shape[3]
    if bias is not None and arrays[2].shape != (channels_out,):
        raise ValueError(
            f"Got a bias of shape {arrays[2].shape} with a kernel of shape {kernel.shape}; "
            f"wanted one number per filter: ({channels_out},)."
        )
    outputs = np.empty((len(inputs), *plan.output, channels_out), inputs.dtype)
    kernel_matrix = kernel.reshape(-1, channels_out)
    for images, patches in _patch_rows(_pad(inputs, plan), plan):
        np.matmul(patches, kernel_matrix, out=outputs[images].reshape(-1, channels_out))
    if bias is not None:
        outputs += arrays[2]
    return outputs


def conv2d_backward(
    grad_output: ArrayLike,
    inputs: ArrayLike,
    kernel: ArrayLike,
    *,
    strides: Pair = 1,
    padding: Padding = "valid",
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of :func:`conv2d` with respect to its inputs, kernel and bias.

    A filter's gradient is what its patches held, weighted by the gradients of the outputs that
    they gave. An input pixel's gradient comes from every place that read it: kernel position
    (i, j) sends ``grad_output · kernel[i, j]ᵀ`` back to the pixels that it was laid on.

    Args:
        grad_output: gradient of the loss at the output, of the output's shape.
        inputs, kernel, strides, padding: as they were given to :func:`conv2d`.

    Returns:
        (grad_inputs, grad_kernel, grad_bias), each of the shape of what it belongs to; the
        last two are summed over the batch.

    Raises:
        ValueError: as in :func:`conv2d`, or a ``grad_output`` of another shape than the output.

    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016),
    section 4.

    >>> image = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> _, grad_kernel, grad_bias = conv2d_backward(
    ...     np.ones((1, 2, 2, 1)), image, np.ones((2, 2, 1, 1))
    ... )
    >>> grad_kernel[:, :, 0, 0], grad_bias
    (array([[ 8., 12.],
           [20., 24.]]), array([4.]))
    """
    grad_output, inputs, kernel = _as_floats(grad_output, inputs, kernel)
    plan = _plan_convolution(inputs, kernel, strides, padding)
    channels_in, channels_out = kernel.shape[2:]
    _check_grad(grad_output, (len(inputs), *plan.output, channels_out))

    grad_kernel = np.zeros((kernel[..., 0].size, channels_out), inputs.dtype)
    for images, patches in _patch_rows(_pad(inputs, plan), plan):
        grad_kernel += patches.T @ grad_output[images].reshape(-1, channels_out)

    grad_padded = np.zeros(_padded_shape(inputs, plan), inputs.dtype)
    grad_rows = grad_output.reshape(-1, channels_out)
    grad_pixels = np.empty((len(grad_rows), channels_in), inputs.dtype)
    for i, j, pixels in _window_positions(plan):
        np.matmul(grad_rows, kernel[i, j].T, out=grad_pixels)
        grad_padded[pixels] += grad_pixels.reshape(len(inputs), *plan.output, channels_in)

    grad_bias = grad_output.sum(axis=(0, 1, 2))
    return _cut_padding(grad_padded, inputs, plan), grad_kernel.reshape(kernel.shape), grad_bias


# --- Pooling and dropout -----------------------------------------------------------------------


def average_pool2d(
    inputs: ArrayLike,
    pool_size: Pair,
    *,
    strides: Pair | None = None,
    padding: Padding = "valid",
) -> np.ndarray:
    """Mean of every window, each channel on its own; padded places do not count.

    Args:
        inputs: (batch, height, width, channels).
        pool_size: size of the window.
        strides: step of the window; None means ``pool_size``.
        padding: see the top of this module.

    Returns:
        (batch, output_height, output_width, channels), sizes as :func:`output_size` says.

    Raises:
        ValueError: a wrong rank, a stride below 1, a window larger than the padded input, or
            explicit padding as wide as the window. The message states both shapes.

    Source: LeCun et al., Gradient-based learning applied to document recognition (1998), where
    the mean is also scaled; TensorFlow, ``tf.nn.avg_pool2d``, for the rule about padding.

    >>> average_pool2d(np.arange(9.0).reshape(1, 3, 3, 1), 2, padding="same")[0, :, :, 0]
    array([[2. , 3.5],
           [6.5, 8. ]])
    """
    (inputs,) = _as_floats(inputs)
    plan = _plan_pool(inputs, pool_size, strides, padding)
    sums = _windows(_pad(inputs, plan), plan).sum(axis=(3, 4))
    return sums / _pixels_in_window(inputs, plan)


def average_pool2d_backward(
    grad_output: ArrayLike,
    inputs: ArrayLike,
    pool_size: Pair,
    *,
    strides: Pair | None = None,
    padding: Padding = "valid",
) -> np.ndarray:
    """Gradient of :func:`average_pool2d`: every pixel of a window gets an equal share.

    Args:
        grad_output: gradient of the loss at the output, of the output's shape.
        inputs, pool_size, strides, padding: as they were given to :func:`average_pool2d`;
            of the inputs only the shape matters.

    Returns:
        Gradient at the inputs, of their shape; 0 where no window reached.

    Raises:
        ValueError: as in :func:`average_pool2d`, or a ``grad_output`` of another shape than the
            output.

    >>> average_pool2d_backward([[[[4.0]]]], np.zeros((1, 2, 3, 1)), 2)[0, :, :, 0]
    array([[1., 1., 0.],
           [1., 1., 0.]])
    """
    grad_output, inputs = _as_floats(grad_output, inputs)
    plan = _plan_pool(inputs, pool_size, strides, padding)
    _check_grad(grad_output, (len(inputs), *plan.output, inputs.shape[3]))
    share = grad_output / _pixels_in_window(inputs, plan)
    grad_padded = np.zeros(_padded_shape(inputs, plan), share.dtype)
    for _, _, pixels in _window_positions(plan):
        grad_padded[pixels] += share
    return _cut_padding(grad_padded, inputs, plan)


def max_pool2d(
    inputs: ArrayLike,
    pool_size: Pair,
    *,
    strides: Pair | None = None,
    padding: Padding = "valid",
) -> np.ndarray:
    """Largest value of every window, each channel on its own; padded places never win.

    Args:
        inputs: (batch, height, width, channels); integers stay integers.
        pool_size: size of the window.
        strides: step of the window; None means ``pool_size``.
        padding: see the top of this module.

    Returns:
        (batch, output_height, output_width, channels), sizes as :func:`output_size` says.

    Raises:
        ValueError: as in :func:`average_pool2d`.

    >>> max_pool2d(np.arange(-9, 0).reshape(1, 3, 3, 1), 2, padding="same")[0, :, :, 0]
    array([[-5, -4],
           [-2, -1]])
    """
    inputs = np.asarray(inputs)
    plan = _plan_pool(inputs, pool_size, strides, padding)
    return _windows(_pad_for_max(inputs, plan), plan).max(axis=(3, 4))


def max_pool2d_backward(
    grad_output: ArrayLike,
    inputs: ArrayLike,
    pool_size: Pair,
    *,
    strides: Pair | None = None,
    padding: Padding = "valid",
) -> np.ndarray:
    """Gradient of :func:`max_pool2d`: all of it goes to the pixel that won.

    Among equal pixels the first one wins, row by row, as in TensorFlow.

    Args:
        grad_output: gradient of the loss at the output, of the output's shape.
        inputs, pool_size, strides, padding: as they were given to :func:`max_pool2d`.

    Returns:
        Gradient at the inputs, of their shape.

    Raises:
        ValueError: as in :func:`max_pool2d`, or a ``grad_output`` of another shape than the
            output.

    >>> max_pool2d_backward([[[[4.0]]]], np.arange(4.0).reshape(1, 2, 2, 1), 2)[0, :, :, 0]
    array([[0., 0.],
           [0., 4.]])
    """
    grad_output, inputs = _as_floats(grad_output, inputs)
    plan = _plan_pool(inputs, pool_size, strides, padding)
    _check_grad(grad_output, (len(inputs), *plan.output, inputs.shape[3]))
    windows = _windows(_pad_for_max(inputs, plan), plan)
    winners = windows.reshape(*grad_output.shape[:3], -1, inputs.shape[3]).argmax(axis=3)
    grad_padded = np.zeros(_padded_shape(inputs, plan), inputs.dtype)
    for i, j, pixels in _window_positions(plan):
        grad_padded[pixels] += grad_output * (winners == i * plan.window[1] + j)
    return _cut_padding(grad_padded, inputs, plan)


def global_average_pool2d(inputs: ArrayLike) -> np.ndarray:
    """Mean of each whole map: one number per channel, whatever the size of the image.

    Args:
        inputs: (batch, height, width, channels).

    Returns:
        (batch, channels).

    Raises:
        ValueError: a wrong rank, or maps without a pixel.

    Source: Lin, Chen and Yan, Network in network (2014), section 3.2.

    >>> global_average_pool2d(np.arange(8.0).reshape(1, 2, 2, 2))
    array([[3., 4.]])
    """
    (inputs,) = _as_floats(inputs)
    _check_images(inputs)
    return inputs.mean(axis=(1, 2))


def global_average_pool2d_backward(grad_output: ArrayLike, inputs: ArrayLike) -> np.ndarray:
    """Gradient of :func:`global_average_pool2d`: every pixel of a map gets an equal share.

    Args:
        grad_output: (batch, channels).
        inputs: (batch, height, width, channels), of which only the shape matters.

    Returns:
        Gradient at the inputs, of their shape.

    Raises:
        ValueError: a wrong rank, or a ``grad_output`` of another shape than the output.

    >>> global_average_pool2d_backward([[8.0]], np.zeros((1, 2, 2, 1)))[0, :, :, 0]
    array([[2., 2.],
           [2., 2.]])
    """
    grad_output, inputs = _as_floats(grad_output, inputs)
    _check_images(inputs)
    batch, height, width, channels = inputs.shape
    _check_grad(grad_output, (batch, channels))
    share = grad_output[:, np.newaxis, np.newaxis, :] / (height * width)
    return np.broadcast_to(share, inputs.shape).copy()


def dropout(inputs: ArrayLike, rate: float, *, rng: np.random.Generator) -> np.ndarray:
    """Set each value to 0 with probability ``rate`` and divide the others by ``1 - rate``.

    This is inverted dropout as it runs in training: the division keeps the expected value, so
    that at inference the layer is left out.

    Args:
        inputs: any shape.
        rate: share of values to drop, 0 ≤ rate < 1.
        rng: the random numbers, one per value; its state moves on.

    Returns:
        An array of the shape of the inputs.

    Raises:
        ValueError: a rate outside that range.

    Source: Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting
    (2014), section 10 for the inverted form.

    >>> dropout(np.ones(6), 0.5, rng=np.random.default_rng(0))
    array([2., 0., 0., 0., 2., 2.])
    """
    (inputs,) = _as_floats(inputs)
    if not 0 <= rate < 1:
        raise ValueError(f"Got a rate of {rate}; wanted a share to drop from 0 up to below 1.")
    keep = rng.random(inputs.shape) >= rate
    return np.where(keep, inputs / (1 - rate), 0).astype(inputs.dtype, copy=False)


def dropout_backward(
    grad_output: ArrayLike, rate: float, *, rng: np.random.Generator
) -> np.ndarray:
    """Gradient of :func:`dropout`: the same mask and the same factor, laid on the gradient.

    Args:
        grad_output: gradient of the loss at the output.
        rate: as it was given to :func:`dropout`.
        rng: a generator in the state that the other had before :func:`dropout`, for example
            made from the same seed, so that the same values are kept.

    Returns:
        Gradient at the inputs, of their shape.

    Raises:
        ValueError: a rate outside 0 ≤ rate < 1.

    >>> dropout_backward(np.ones(6), 0.5, rng=np.random.default_rng(0))
    array([2., 0., 0., 0., 2., 2.])
    """
    return dropout(grad_output, rate, rng=rng)


# --- Batch normalization -----------------------------------------------------------------------


def batch_moments(inputs: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each channel over all other axes; the variance is divided by n.

    Args:
        inputs: (batch, height, width, channels), or any array with the channels last.

    Returns:
        (mean, variance), each (channels,).

    Raises:
        ValueError: no value to take a mean of.

    Source: Ioffe and Szegedy, Batch normalization (2015), algorithm 1.

    >>> batch_moments([[1.0, 10.0], [3.0, 10.0]])
    (array([ 2., 10.]), array([1., 0.]))
    """
    (inputs,) = _as_floats(inputs)
    axes = _all_but_channels(inputs)
    # Sums over a whole batch lose digits in float32.
    mean = inputs.mean(axis=axes, dtype=np.float64)
    variance = inputs.var(axis=axes, dtype=np.float64)
    return mean.astype(inputs.dtype), variance.astype(inputs.dtype)


def batch_moments_backward(
    grad_mean: ArrayLike, grad_variance: ArrayLike, inputs: ArrayLike
) -> np.ndarray:
    """Gradient of :func:`batch_moments`: ``(grad_mean + 2 (x - mean) grad_variance) / n``.

    Args:
        grad_mean, grad_variance: gradients of the loss at the two moments, each (channels,).
        inputs: as they were given to :func:`batch_moments`.

    Returns:
        Gradient at the inputs, of their shape.

    Raises:
        ValueError: a gradient that does not have one number per channel.

    >>> batch_moments_backward([1.0], [0.0], [[5.0], [7.0]])
    array([[0.5],
           [0.5]])
    """
    grad_mean, grad_variance, inputs = _as_floats(grad_mean, grad_variance, inputs)
    _check_per_channel(inputs, grad_mean=grad_mean, grad_variance=grad_variance)
    mean, _ = batch_moments(inputs)
    count = inputs.size // inputs.shape[-1]
    return (grad_mean + 2 * (inputs - mean) * grad_variance) / count


def batch_normalization(
    inputs: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    *,
    scale: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    epsilon: float = 1e-3,
) -> np.ndarray:
    """Rescale each channel: ``(x - mean) / √(variance + epsilon) · scale + offset``.

    With the moving averages as ``mean`` and ``variance`` this is the layer at inference; in
    training they are the :func:`batch_moments` of the inputs.

    Args:
        inputs: (batch, height, width, channels), or any array with the channels last.
        mean, variance: (channels,).
        scale: (channels,), Keras's gamma; None means 1.
        offset: (channels,), Keras's beta; None means 0.
        epsilon: keeps the root away from 0.

    Returns:
        An array of the shape of the inputs.

    Raises:
        ValueError: a statistic that does not have one number per channel; the message states
            both shapes.

    Source: Ioffe and Szegedy, Batch normalization (2015), algorithm 1.

    >>> batch_normalization([[1.0], [3.0]], [2.0], [1.0], scale=[5.0], epsilon=0.0)
    array([[-5.],
           [ 5.]])
    """
    inputs, mean, variance, scale, offset = _normalization_arrays(
        inputs, mean, variance, scale, offset
    )
    return (inputs - mean) * (scale / np.sqrt(variance + epsilon)) + offset


def batch_normalization_backward(
    grad_output: ArrayLike,
    inputs: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    *,
    scale: ArrayLike | None = None,
    epsilon: float = 1e-3,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of :func:`batch_normalization`, the two moments being inputs like the others.

    At inference the moments are constants and their gradients are not used. In training they
    depend on the inputs: pass their gradients on through :func:`batch_moments_backward`, or
    call :func:`batch_normalization_train_backward`, which does so.

    Args:
        grad_output: gradient of the loss at the output, of the inputs' shape.
        inputs, mean, variance, scale, epsilon: as given to :func:`batch_normalization`.

    Returns:
        (grad_inputs, grad_mean, grad_variance, grad_scale, grad_offset); the first has the
        shape of the inputs, the others (channels,).

    Raises:
        ValueError: as in :func:`batch_normalization`, or a ``grad_output`` of another shape
            than the output.

    >>> grads = batch_normalization_backward([[1.0], [1.0]], [[1.0], [5.0]], [2.0], [4.0],
    ...                                      epsilon=0.0)
    >>> [grad.tolist() for grad in grads]
    [[[0.5], [0.5]], [-1.0], [-0.125], [1.0], [2.0]]
    """
    (grad_output,) = _as_floats(grad_output)
    inputs, mean, variance, scale, _ = _normalization_arrays(inputs, mean, variance, scale, None)
    _check_grad(grad_output, inputs.shape)
    axes = _all_but_channels(inputs)
    deviation = np.sqrt(variance + epsilon)
    normalized = (inputs - mean) / deviation
    grad_offset = grad_output.sum(axis=axes)
    grad_scale = (grad_output * normalized).sum(axis=axes)
    grad_inputs = grad_output * (scale / deviation)
    grad_mean = -grad_offset * scale / deviation
    grad_variance = -grad_scale * scale / (2 * deviation**2)
    return grad_inputs, grad_mean, grad_variance, grad_scale, grad_offset


def batch_normalization_train(
    inputs: ArrayLike,
    *,
    scale: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    epsilon: float = 1e-3,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Batch normalization as it runs in training: with the moments of this very batch.

    Args:
        inputs, scale, offset, epsilon: as in :func:`batch_normalization`.

    Returns:
        (outputs, mean, variance); the moments are what the moving averages are made from.

    Raises:
        ValueError: as in :func:`batch_normalization`.

    Source: Ioffe and Szegedy, Batch normalization (2015), algorithm 1.

    >>> outputs, mean, variance = batch_normalization_train([[1.0], [3.0]], epsilon=0.0)
    >>> outputs.tolist(), mean.tolist(), variance.tolist()
    ([[-1.0], [1.0]], [2.0], [1.0])
    """
    mean, variance = batch_moments(inputs)
    outputs = batch_normalization(
        inputs, mean, variance, scale=scale, offset=offset, epsilon=epsilon
    )
    return outputs, mean, variance


def batch_normalization_train_backward(
    grad_output: ArrayLike,
    inputs: ArrayLike,
    *,
    scale: ArrayLike | None = None,
    epsilon: float = 1e-3,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of the outputs of :func:`batch_normalization_train`, moments differentiated.

    Args:
        grad_output: gradient of the loss at the outputs, of the inputs' shape.
        inputs, scale, epsilon: as they were given to :func:`batch_normalization_train`.

    Returns:
        (grad_inputs, grad_scale, grad_offset); the last two are (channels,), summed over all
        other axes.

    Raises:
        ValueError: as in :func:`batch_normalization_backward`.

    Source: Ioffe and Szegedy, Batch normalization (2015), section 3.

    >>> grad_inputs, _, _ = batch_normalization_train_backward([[1.0], [1.0]], [[1.0], [5.0]])
    >>> grad_inputs.tolist()  # a shift of all inputs changes no output
    [[0.0], [0.0]]
    """
    mean, variance = batch_moments(inputs)
    grad_inputs, grad_mean, grad_variance, grad_scale, grad_offset = batch_normalization_backward(
        grad_output, inputs, mean, variance, scale=scale, epsilon=epsilon
    )
    grad_inputs += batch_moments_backward(grad_mean, grad_variance, inputs)
    return grad_inputs, grad_scale, grad_offset


# --- Activations -------------------------------------------------------------------------------


def relu(inputs: ArrayLike) -> np.ndarray:
    """Keep what is positive, set the rest to 0.

    Args:
        inputs: any shape; integers stay integers.

    Returns:
        An array of the shape of the inputs.

    Source: Nair and Hinton, Rectified linear units improve restricted Boltzmann machines (2010).

    >>> relu([-2.0, 0.0, 3.0])
    array([0., 0., 3.])
    """
    return np.maximum(inputs, 0)


def relu_backward(grad_output: ArrayLike, inputs: ArrayLike) -> np.ndarray:
    """Gradient of :func:`relu`: passes where the input was positive; 0 at 0, as in Keras.

    Args:
        grad_output: gradient of the loss at the output, of the inputs' shape.
        inputs: as they were given to :func:`relu`.

    Returns:
        Gradient at the inputs, of their shape.

    Raises:
        ValueError: two shapes that differ.

    >>> relu_backward([5.0, 5.0, 5.0], [-2.0, 0.0, 3.0])
    array([0., 0., 5.])
    """
    grad_output, inputs = _as_floats(grad_output, inputs)
    _check_grad(grad_output, inputs.shape)
    return np.where(inputs > 0, grad_output, np.zeros_like(grad_output))


def softmax(inputs: ArrayLike, axis: int = -1) -> np.ndarray:
    """Turn scores into probabilities: ``exp(x) / Σ exp(x)``, without overflow.

    Subtracting the largest score changes no quotient and keeps every power at 1 or below.

    Args:
        inputs: scores, any shape.
        axis: the axis along which the probabilities sum to 1.

    Returns:
        An array of the shape of the inputs.

    Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 4.1.

    >>> softmax([1000.0, 1000.0])
    array([0.5, 0.5])
    """
    (inputs,) = _as_floats(inputs)
    powers = np.exp(inputs - inputs.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def softmax_backward(grad_output: ArrayLike, inputs: ArrayLike, axis: int = -1) -> np.ndarray:
    """Gradient of :func:`softmax`: ``p · (grad_output - Σ grad_output · p)``.

    Args:
        grad_output: gradient of the loss at the output, of the inputs' shape.
        inputs, axis: as they were given to :func:`softmax`.

    Returns:
        Gradient at the inputs, of their shape.

    Raises:
        ValueError: two shapes that differ.

    >>> softmax_backward([1.0, 0.0], [0.0, 0.0])
    array([ 0.25, -0.25])
    """
    grad_output, inputs = _as_floats(grad_output, inputs)
    _check_grad(grad_output, inputs.shape)
    probabilities = softmax(inputs, axis)
    weighted = (grad_output * probabilities).sum(axis=axis, keepdims=True)
    return probabilities * (grad_output - weighted)


# --- What the layers share ---------------------------------------------------------------------


class _Plan(NamedTuple):
    """Where a window goes on an image; each pair is (rows, columns)."""

    window: tuple[int, int]
    strides: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    output: tuple[int, int]


def _plan_convolution(
    inputs: np.ndarray, kernel: np.ndarray, strides: Pair, padding: Padding
) -> _Plan:
    shapes = f"inputs of shape {inputs.shape} and a kernel of shape {kernel.shape}"
    if inputs.ndim != 4 or kernel.ndim != 4:
        raise ValueError(
            f"Got {shapes}; wanted (batch, height, width, channels_in) and "
            "(kernel_height, kernel_width, channels_in, channels_out)."
        )
    if inputs.shape[3] != kernel.shape[2]:
        raise ValueError(
            f"Got {shapes}: the inputs have {inputs.shape[3]} channels, the kernel takes "
            f"{kernel.shape[2]}. The last axis of the inputs must equal the third of the kernel."
        )
    return _plan(shapes, inputs.shape[1:3], kernel.shape[:2], strides, padding)


def _plan_pool(
    inputs: np.ndarray, pool_size: Pair, strides: Pair | None, padding: Padding
) -> _Plan:
    shapes = f"inputs of shape {inputs.shape} and a pool of size {pool_size}"
    if inputs.ndim != 4:
        raise ValueError(f"Got {shapes}; wanted inputs (batch, height, width, channels).")
    window = _pair("pool_size", pool_size, shapes)
    strides = window if strides is None else strides
    plan = _plan(shapes, inputs.shape[1:3], window, strides, padding)
    if any(max(edges) >= length for edges, length in zip(plan.padding, window, strict=True)):
        raise ValueError(
            f"Got {shapes} with padding {plan.padding}: a window would hold nothing but "
            "padding. Each side's padding must be smaller than the pool."
        )
    return plan


def _plan(
    shapes: str, image: tuple[int, int], window: tuple[int, int], strides: Pair, padding: Padding
) -> _Plan:
    strides = _pair("strides", strides, shapes)
    if min(*image, *window) < 1:
        raise ValueError(f"Got {shapes}; wanted at least one pixel along height and width.")
    along: tuple[Any, ...] = (padding, padding)
    if not isinstance(padding, str):
        try:
            rows, columns = (tuple(map(operator.index, edges)) for edges in padding)
        except (TypeError, ValueError):
            raise ValueError(f"Got {shapes} with padding {padding!r}; {_PADDING_FORMS}") from None
        padding = along = rows, columns  # type: ignore[assignment]  # checked below
    axes = list(zip(image, window, strides, along, strict=True))
    try:
        height, width = (output_size(*axis) for axis in axes)
        rows_edges, columns_edges = (_axis_padding(*axis) for axis in axes)
    except ValueError as error:
        raise ValueError(f"Got {shapes} with padding {padding!r}: {error}") from None
    return _Plan(window, strides, (rows_edges, columns_edges), (height, width))


_PADDING_FORMS = 'wanted "valid", "same" or ((top, bottom), (left, right)), none below 0.'


def _axis_padding(
    size: int, kernel_size: int, stride: int, padding: str | tuple[int, int]
) -> tuple[int, int]:
    if padding == "valid":
        return 0, 0
    if padding == "same":
        return same_padding(size, kernel_size, stride)
    if isinstance(padding, str) or len(padding) != 2 or min(padding) < 0:
        raise ValueError(f"Got padding {padding!r}; {_PADDING_FORMS}")
    return padding[0], padding[1]


def _pair(name: str, value: Any, shapes: str) -> tuple[int, int]:
    values = (value, value) if np.ndim(value) == 0 else tuple(value)
    try:
        pair = [operator.index(entry) for entry in values]
    except TypeError:
        pair = []
    if len(pair) != 2 or min(pair) < 1:
        raise ValueError(
            f"Got {name}={value!r} with {shapes}; wanted a whole number above 0, or two of them: "
            "(rows, columns)."
        )
    return pair[0], pair[1]


def _check_positive(name: str, value: int) -> None:
    if operator.index(value) < 1:
        raise ValueError(f"Got {name}={value}; wanted a whole number above 0.")


def _as_floats(*arrays: ArrayLike) -> list[np.ndarray]:
    given = [np.asarray(array) for array in arrays]
    dtype = np.result_type(*given)
    if not np.issubdtype(dtype, np.floating):
        dtype = np.dtype(np.float64)
    return [array.astype(dtype, copy=False) for array in given]


def _check_images(inputs: np.ndarray) -> None:
    if inputs.ndim != 4 or min(inputs.shape[1:3]) < 1:
        raise ValueError(
            f"Got inputs of shape {inputs.shape}; wanted (batch, height, width, channels) with "
            "at least one pixel."
        )


def _check_grad(grad_output: np.ndarray, shape: tuple[int, ...]) -> None:
    if grad_output.shape != shape:
        raise ValueError(
            f"Got a gradient of shape {grad_output.shape} for an output of shape {shape}; "
            "the two shapes must be equal."
        )


def _check_per_channel(inputs: np.ndarray, **statistics: np.ndarray) -> None:
    for name, values in statistics.items():
        if inputs.ndim < 1 or values.shape != inputs.shape[-1:]:
            raise ValueError(
                f"Got {name} of shape {values.shape} for inputs of shape {inputs.shape}; wanted "
                f"one number per channel: {inputs.shape[-1:]}."
            )


def _all_but_channels(inputs: np.ndarray) -> tuple[int, ...]:
    if inputs.ndim < 2 or inputs.size == 0:
        raise ValueError(
            f"Got inputs of shape {inputs.shape}; wanted at least one value per channel, with "
            "the channels as the last of two axes or more."
        )
    return tuple(range(inputs.ndim - 1))


def _normalization_arrays(
    inputs: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    scale: ArrayLike | None,
    offset: ArrayLike | None,
) -> list[np.ndarray]:
    """All as arrays of one dtype; a missing scale becomes ones, a missing offset zeros."""
    inputs, mean, variance = _as_floats(inputs, mean, variance)
    scale = np.ones_like(mean) if scale is None else scale
    offset = np.zeros_like(mean) if offset is None else offset
    inputs, mean, variance, scale, offset = _as_floats(inputs, mean, variance, scale, offset)
    _check_per_channel(inputs, mean=mean, variance=variance, scale=scale, offset=offset)
    return [inputs, mean, variance, scale, offset]


def _padded_shape(inputs: np.ndarray, plan: _Plan) -> tuple[int, int, int, int]:
    batch, height, width, channels = inputs.shape
    rows, columns = plan.padding
    return batch, height + sum(rows), width + sum(columns), channels


def _pad(inputs: np.ndarray, plan: _Plan, value: float = 0) -> np.ndarray:
    return np.pad(inputs, ((0, 0), *plan.padding, (0, 0)), constant_values=value)


def _pad_for_max(inputs: np.ndarray, plan: _Plan) -> np.ndarray:
    if np.issubdtype(inputs.dtype, np.integer):
        return _pad(inputs, plan, np.iinfo(inputs.dtype).min)
    return _pad(inputs, plan, -np.inf)


def _cut_padding(padded: np.ndarray, inputs: np.ndarray, plan: _Plan) -> np.ndarray:
    (top, _), (left, _) = plan.padding
    _, height, width, _ = inputs.shape
    return padded[:, top : top + height, left : left + width].copy()


def _windows(padded: np.ndarray, plan: _Plan) -> np.ndarray:
    """View (batch, output_height, output_width, window_height, window_width, channels)."""
    step_rows, step_columns = plan.strides
    windows = sliding_window_view(padded, plan.window, axis=(1, 2))
    return windows[:, ::step_rows, ::step_columns].transpose(0, 1, 2, 4, 5, 3)


def _patch_rows(padded: np.ndarray, plan: _Plan) -> Iterator[tuple[slice, np.ndarray]]:
    """A few images at a time: which ones, and a matrix with one patch of theirs per row.

    Every matrix lies in the same memory: use it before asking for the next one.
    """
    windows = _windows(padded, plan)
    image_bytes = windows[:1].size * padded.itemsize
    images_at_once = min(max(1, _BLOCK_BYTES // max(1, image_bytes)), len(padded))
    memory = np.empty((images_at_once, *windows.shape[1:]), padded.dtype)
    patch_length = plan.window[0] * plan.window[1] * padded.shape[3]
    for first in range(0, len(padded), max(1, images_at_once)):
        images = slice(first, first + images_at_once)
        patches = memory[: len(windows[images])]
        np.copyto(patches, windows[images])
        yield images, patches.reshape(math.prod(patches.shape[:3]), patch_length)


def _window_positions(plan: _Plan) -> Iterator[tuple[int, int, tuple[slice, slice, slice]]]:
    """Each position (i, j) in the window, and the padded pixels that it is ever laid on."""
    for i in range(plan.window[0]):
        rows = slice(i, i + plan.strides[0] * plan.output[0], plan.strides[0])
        for j in range(plan.window[1]):
            columns = slice(j, j + plan.strides[1] * plan.output[1], plan.strides[1])
            yield i, j, (slice(None), rows, columns)


def _pixels_in_window(inputs: np.ndarray, plan: _Plan) -> np.ndarray:
    """How many places of each window are not padding: (1, output_height, output_width, 1)."""
    ones = np.ones((1, *inputs.shape[1:3], 1), inputs.dtype)
    return _windows(_pad(ones, plan), plan).sum(axis=(3, 4))
