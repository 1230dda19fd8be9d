"""Exercises of lesson 06: backpropagation.

Each wrong implementation is a mistake that people make, with the hint that answers it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse import ops
from cnncourse.checks.engine import Exercise
from cnncourse.checks.forms import Values

_ALL_BUT_CHANNELS = (0, 1, 2)


def _conv2d_backward(grad_outputs, inputs, kernel, stride):
    return ops.conv2d_backward(
        np.asarray(grad_outputs, float), np.asarray(inputs, float), kernel, strides=stride
    )


def _conv_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(14)
    yield (
        np.array([2.0, 10.0]).reshape(1, 1, 2, 1),
        np.array([1.0, 3.0, 4.0]).reshape(1, 1, 3, 1),
        np.array([1.0, -2.0]).reshape(1, 2, 1, 1),
        1,
    )
    for shape, kernel_shape, stride in [
        ((1, 1, 4, 1), (1, 2, 1, 1), 2),
        ((2, 3, 3, 1), (2, 2, 1, 1), 1),
        ((2, 4, 5, 2), (2, 3, 2, 2), 1),
        ((2, 6, 5, 2), (3, 2, 2, 3), 2),
        ((1, 7, 8, 3), (2, 2, 3, 2), 3),
        ((3, 6, 6, 1), (3, 3, 1, 4), 2),
    ]:
        places = [
            (side - k) // stride + 1 for side, k in zip(shape[1:3], kernel_shape, strict=False)
        ]
        grad_outputs = rng.normal(size=(shape[0], *places, kernel_shape[3]))
        yield grad_outputs, rng.normal(size=shape), rng.normal(size=kernel_shape), stride
    yield (
        rng.normal(size=(2, 2, 2, 2)).astype(np.float32),
        rng.normal(size=(2, 4, 5, 1)).astype(np.float32),
        rng.normal(size=(2, 2, 1, 2)).astype(np.float32),
        2,
    )
    yield (
        rng.normal(size=(2, 4, 3, 2)),
        rng.integers(0, 256, (2, 5, 5, 1), dtype=np.uint8),
        rng.normal(size=(2, 3, 1, 2)),
        1,
    )


CONV2D_BACKWARD = Exercise(
    "conv2d_backward",
    _conv2d_backward,
    _conv_cases,
    Values(("grad_inputs", "grad_kernel", "grad_bias")),
)


def _wrong_conv(name, hint, change):
    """A mistake that changes the three right gradients; it also sees the arguments."""

    def answer(*arguments):
        return change(*_conv2d_backward(*arguments), *arguments)

    CONV2D_BACKWARD.misconception(hint, name=name)(answer)


def _without_stride(grad_outputs, inputs, kernel, stride):
    """The gradients when the window is taken to move by one pixel, from the same corner."""
    rows, columns = (n + k - 1 for n, k in zip(grad_outputs.shape[1:3], kernel.shape, strict=False))
    reached = np.asarray(inputs, float)[:, :rows, :columns]
    grad_reached, grad_kernel, _ = _conv2d_backward(grad_outputs, reached, kernel, 1)
    grad_inputs = np.zeros(inputs.shape)
    grad_inputs[:, :rows, :columns] = grad_reached
    return grad_inputs, grad_kernel


_wrong_conv(
    "kernel_flipped_for_the_inputs",
    "The gradient at the inputs seems to come from the kernel the wrong way round. A pixel at the "
    "left of a window met the left weight; the same weight brings its gradient back.",
    lambda grad_inputs, grad_kernel, grad_bias, grad_outputs, inputs, kernel, stride: (
        _conv2d_backward(grad_outputs, inputs, kernel[::-1, ::-1], stride)[0],
        grad_kernel,
        grad_bias,
    ),
)
_wrong_conv(
    "kernel_gradient_flipped",
    "The gradient of the kernel came out flipped. The forward pass lays the kernel on as it is, "
    "and so does its gradient.",
    lambda grad_inputs, grad_kernel, grad_bias, *_: (
        grad_inputs,
        grad_kernel[::-1, ::-1],
        grad_bias,
    ),
)
_wrong_conv(
    "stride_ignored",
    "The stride seems to play no part. With stride 2, the second output looked at pixels that "
    "begin two further on; its gradient goes back there.",
    lambda grad_inputs, grad_kernel, grad_bias, *arguments: (
        *_without_stride(*arguments),
        grad_bias,
    ),
)
_wrong_conv(
    "stride_ignored_for_the_inputs",
    "In the gradient at the inputs the stride seems to play no part, though it does in that of the "
    "kernel. The second output looked at pixels that begin one stride further on.",
    lambda grad_inputs, grad_kernel, grad_bias, *arguments: (
        _without_stride(*arguments)[0],
        grad_kernel,
        grad_bias,
    ),
)
_wrong_conv(
    "stride_ignored_for_the_kernel",
    "In the gradient of the kernel the stride seems to play no part, though it does in that of the "
    "inputs. Which pixels did a weight meet?",
    lambda grad_inputs, grad_kernel, grad_bias, *arguments: (
        grad_inputs,
        _without_stride(*arguments)[1],
        grad_bias,
    ),
)
_wrong_conv(
    "averaged_over_the_batch",
    "The gradients of kernel and bias seem to be averaged over the batch. Wanted is the sum: the "
    "loss has divided already, if it is a mean.",
    lambda grad_inputs, grad_kernel, grad_bias, grad_outputs, *_: (
        grad_inputs,
        grad_kernel / len(grad_outputs),
        grad_bias / len(grad_outputs),
    ),
)
_wrong_conv(
    "kernel_gradient_of_the_first_image",
    "Only the first image seems to count in the gradient of the kernel. The same kernel was laid "
    "on all of them.",
    lambda grad_inputs, grad_kernel, grad_bias, grad_outputs, inputs, kernel, stride: (
        grad_inputs,
        _conv2d_backward(grad_outputs[:1], inputs[:1], kernel, stride)[1],
        grad_bias,
    ),
)
_wrong_conv(
    "bias_gradient_averaged",
    "The gradient of the bias seems to be a mean. The bias was added at every place, and every "
    "place sends its gradient back: they add up.",
    lambda grad_inputs, grad_kernel, grad_bias, grad_outputs, *_: (
        grad_inputs,
        grad_kernel,
        grad_outputs.mean(axis=_ALL_BUT_CHANNELS),
    ),
)
_wrong_conv(
    "bias_gradient_for_each_image",
    "The gradient of the bias has a row for each image. There is one bias for all of them: "
    "(channels_out,).",
    lambda grad_inputs, grad_kernel, grad_bias, grad_outputs, *_: (
        grad_inputs,
        grad_kernel,
        grad_outputs.sum(axis=(1, 2)),
    ),
)
_wrong_conv(
    "bias_gradient_for_each_place",
    "The gradient of the bias has a number for each place of the map. There is one bias for a "
    "whole filter: (channels_out,).",
    lambda grad_inputs, grad_kernel, grad_bias, grad_outputs, *_: (
        grad_inputs,
        grad_kernel,
        grad_outputs.sum(axis=0),
    ),
)
_wrong_conv(
    "inputs_and_kernel_exchanged",
    "The first two gradients seem to have changed places. Wanted is the order grad_inputs, "
    "grad_kernel, grad_bias.",
    lambda grad_inputs, grad_kernel, grad_bias, *_: (grad_kernel, grad_inputs, grad_bias),
)


@CONV2D_BACKWARD.misconception(
    "Where windows overlap, a later one seems to overwrite the gradient of an earlier one. A pixel "
    "that took part in several outputs collects from all of them."
)
def overlaps_overwritten(grad_outputs, inputs, kernel, stride):
    _, grad_kernel, grad_bias = _conv2d_backward(grad_outputs, inputs, kernel, stride)
    grad_inputs = np.zeros(inputs.shape)
    height, width = kernel.shape[:2]
    for row, column in np.ndindex(*grad_outputs.shape[1:3]):
        top, left = row * stride, column * stride
        grad_inputs[:, top : top + height, left : left + width] = np.tensordot(
            grad_outputs[:, row, column], kernel, axes=(1, 3)
        )
    return grad_inputs, grad_kernel, grad_bias


@CONV2D_BACKWARD.misconception(
    "The gradient at the inputs covers only the pixels that windows reached. It has the shape of "
    "the inputs; the pixels left over get 0."
)
def leftover_pixels_cut(grad_outputs, inputs, kernel, stride):
    grad_inputs, grad_kernel, grad_bias = _conv2d_backward(grad_outputs, inputs, kernel, stride)
    rows, columns = (
        (n - 1) * stride + k for n, k in zip(grad_outputs.shape[1:3], kernel.shape, strict=False)
    )
    return grad_inputs[:, :rows, :columns], grad_kernel, grad_bias


def _average_pool2d_backward(grad_outputs, inputs_shape, pool_size):
    return ops.average_pool2d_backward(grad_outputs, np.zeros(inputs_shape), pool_size)


def _pool_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(15)
    yield np.array([[8.0]]).reshape(1, 1, 1, 1), (1, 2, 2, 1), 2
    yield np.array([[4.0, 12.0]]).reshape(1, 1, 2, 1), (1, 2, 4, 1), 2
    for shape, pool_size in [
        ((1, 3, 3, 1), 2),
        ((2, 4, 6, 2), 2),
        ((2, 3, 4, 3), 1),
        ((2, 7, 8, 2), 3),
        ((1, 9, 5, 2), 4),
    ]:
        places = (shape[1] // pool_size, shape[2] // pool_size)
        yield rng.normal(size=(shape[0], *places, shape[3])), shape, pool_size
    yield rng.normal(size=(2, 2, 3, 1)).astype(np.float32), (2, 5, 6, 1), 2


AVERAGE_POOL2D_BACKWARD = Exercise(
    "average_pool2d_backward", _average_pool2d_backward, _pool_cases, Values(("gradient",))
)


def _spread(grad_outputs, pool_size):
    return np.repeat(np.repeat(grad_outputs, pool_size, axis=1), pool_size, axis=2)


def _leftover(inputs_shape, gradient):
    return [(0, side - there) for side, there in zip(inputs_shape, gradient.shape, strict=True)]


def _padded_back(gradient, inputs_shape, **how):
    return np.pad(gradient, _leftover(inputs_shape, gradient), **how)


for _name, _hint, _answer in (
    (
        "not_divided",
        "Each pixel of a window seems to get the whole gradient. Each one made up only its share "
        "of the mean.",
        lambda grad_outputs, inputs_shape, pool_size: _padded_back(
            _spread(grad_outputs, pool_size), inputs_shape
        ),
    ),
    (
        "divided_by_one_side",
        "The gradient seems to be divided by the side of the window. How many pixels share it?",
        lambda grad_outputs, inputs_shape, pool_size: _padded_back(
            _spread(grad_outputs, pool_size) / pool_size, inputs_shape
        ),
    ),
    (
        "divided_by_the_whole_map",
        "The gradient seems to be divided by the number of pixels of the whole map. That belongs "
        "to global pooling; here a window shares it.",
        lambda grad_outputs, inputs_shape, pool_size: _padded_back(
            _spread(grad_outputs, pool_size) / (inputs_shape[1] * inputs_shape[2]), inputs_shape
        ),
    ),
    (
        "to_the_first_pixel",
        "The whole gradient seems to go to the first pixel of each window. All pixels took part in "
        "the mean.",
        lambda grad_outputs, inputs_shape, pool_size: _padded_back(
            np.kron(grad_outputs, np.eye(1, pool_size**2).reshape(1, pool_size, pool_size, 1)),
            inputs_shape,
        ),
    ),
    (
        "leftovers_from_their_neighbours",
        "Rows and columns that no window reached seem to get the gradient of their neighbours. "
        "They changed no output: their gradient is 0.",
        lambda grad_outputs, inputs_shape, pool_size: _padded_back(
            _spread(grad_outputs, pool_size) / pool_size**2, inputs_shape, mode="edge"
        ),
    ),
    (
        "leftovers_cut",
        "Rows and columns that no window reached are missing. The gradient has the shape of the "
        "inputs.",
        lambda grad_outputs, inputs_shape, pool_size: (
            _spread(grad_outputs, pool_size) / pool_size**2
        ),
    ),
    (
        "leftovers_first",
        "The leftover rows and columns seem to lie at the top and the left. The windows begin at "
        "the first pixel, so what is left over lies at the end.",
        lambda grad_outputs, inputs_shape, pool_size: np.pad(
            _spread(grad_outputs, pool_size) / pool_size**2,
            [pair[::-1] for pair in _leftover(inputs_shape, _spread(grad_outputs, pool_size))],
        ),
    ),
    (
        "tiled",
        "The map of gradients seems to be laid out again and again, as tiles. Each gradient "
        "belongs to the pixels of its own window, which lie side by side.",
        lambda grad_outputs, inputs_shape, pool_size: _padded_back(
            np.tile(grad_outputs, (1, pool_size, pool_size, 1)) / pool_size**2, inputs_shape
        ),
    ),
    (
        "averaged_over_the_batch",
        "The gradient seems to be divided by the number of images too. Each image keeps its own.",
        lambda grad_outputs, inputs_shape, pool_size: _padded_back(
            _spread(grad_outputs, pool_size) / pool_size**2 / len(grad_outputs), inputs_shape
        ),
    ),
    (
        "multiplied",
        "The gradient seems to be multiplied by the number of pixels. They share it.",
        lambda grad_outputs, inputs_shape, pool_size: _padded_back(
            _spread(grad_outputs, pool_size) * pool_size**2, inputs_shape
        ),
    ),
):
    AVERAGE_POOL2D_BACKWARD.misconception(_hint, name=_name)(_answer)


def _norm_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(16)
    yield (
        np.array([1.0, 0.0, 4.0]).reshape(3, 1, 1, 1),
        np.array([1.0, 2.0, 6.0]).reshape(3, 1, 1, 1),
        np.array([2.0]),
        0.5,
    )
    for shape in [(1, 2, 2, 2), (3, 2, 1, 2), (2, 3, 3, 3)]:
        yield rng.normal(1, 1, shape), rng.normal(1, 2, shape), rng.uniform(1.5, 3, shape[3]), 0.25
    grad_outputs, inputs = rng.normal(1, 1, (2, 2, 4, 3, 2)).astype(np.float32)
    yield grad_outputs, inputs, np.array([0.5, 2.0], np.float32), 0.25
    yield (
        rng.normal(size=(2, 3, 4, 2)),
        rng.integers(0, 256, (2, 3, 4, 2), dtype=np.uint8),
        rng.uniform(20, 30, 2),
        100.0,
    )


def _norm(
    grad_outputs,
    inputs,
    gamma,
    epsilon,
    *,
    through_mean=True,
    through_variance=True,
    ddof=0,
    epsilon_under_root=True,
):
    """The gradients of batch normalization, of which each part can be left out."""
    mean = inputs.mean(axis=_ALL_BUT_CHANNELS)
    variance = inputs.var(axis=_ALL_BUT_CHANNELS, ddof=ddof)
    under, outside = (epsilon, 0) if epsilon_under_root else (0, epsilon)
    deviation = np.sqrt(variance + under) + outside
    normal = (inputs - mean) / deviation
    grad_gamma = (grad_outputs * normal).sum(axis=_ALL_BUT_CHANNELS)
    grad_normal = grad_outputs * gamma
    grad_inputs = grad_normal.copy()
    if through_mean:
        grad_inputs = grad_inputs - grad_normal.mean(axis=_ALL_BUT_CHANNELS)
    if through_variance:
        grad_inputs = grad_inputs - normal * (grad_normal * normal).mean(axis=_ALL_BUT_CHANNELS)
    return grad_inputs / deviation, grad_gamma, grad_outputs.sum(axis=_ALL_BUT_CHANNELS)


def _batch_norm_backward(grad_outputs, inputs, gamma, epsilon):
    return ops.batch_normalization_train_backward(
        np.asarray(grad_outputs, float), np.asarray(inputs, float), scale=gamma, epsilon=epsilon
    )


BATCH_NORM_BACKWARD = Exercise(
    "batch_norm_backward",
    _batch_norm_backward,
    _norm_cases,
    Values(("grad_inputs", "grad_gamma", "grad_beta")),
)


def _wrong_norm(name, hint, **change):
    def answer(grad_outputs, inputs, gamma, epsilon):
        return _norm(grad_outputs, inputs, gamma, epsilon, **change)

    BATCH_NORM_BACKWARD.misconception(hint, name=name)(answer)


_wrong_norm(
    "moments_taken_as_constants",
    "Mean and variance seem to be taken for constants. In training they come from these very "
    "inputs: a pixel that grows moves both, and with them every output of its channel.",
    through_mean=False,
    through_variance=False,
)
_wrong_norm(
    "mean_taken_as_a_constant",
    "The mean seems to be taken for a constant. A pixel that grows raises it, and with that lowers "
    "all the others.",
    through_mean=False,
)
_wrong_norm(
    "variance_taken_as_a_constant",
    "The variance seems to be taken for a constant. A pixel that moves away from the mean raises "
    "it, and with that pulls all outputs together.",
    through_variance=False,
)
_wrong_norm(
    "variance_of_a_sample",
    "The variance seems to be divided by n - 1. The forward pass divides by n.",
    ddof=1,
)
_wrong_norm(
    "epsilon_outside_the_root",
    "Epsilon seems to be added to the standard deviation, outside of the root. It stands under it.",
    epsilon_under_root=False,
)


@BATCH_NORM_BACKWARD.misconception("Epsilon seems to play no part.")
def epsilon_forgotten(grad_outputs, inputs, gamma, epsilon):
    return _norm(grad_outputs, inputs, gamma, 0)


@BATCH_NORM_BACKWARD.misconception(
    "In the gradient at the inputs gamma seems to play no part. On the way back every output "
    "passes the scaling first."
)
def gamma_forgotten(grad_outputs, inputs, gamma, epsilon):
    grad_inputs = _norm(grad_outputs, inputs, np.ones_like(gamma), epsilon)[0]
    return grad_inputs, *_norm(grad_outputs, inputs, gamma, epsilon)[1:]


@BATCH_NORM_BACKWARD.misconception(
    "The gradient of gamma seems to be built from the inputs as they came. Gamma scales the "
    "normalized values."
)
def gamma_gradient_of_raw_inputs(grad_outputs, inputs, gamma, epsilon):
    grad_inputs, _, grad_beta = _norm(grad_outputs, inputs, gamma, epsilon)
    return grad_inputs, (grad_outputs * inputs).sum(axis=_ALL_BUT_CHANNELS), grad_beta


@BATCH_NORM_BACKWARD.misconception(
    "The gradient of gamma seems to be built from inputs that are centred but not divided. Gamma "
    "scales the normalized values."
)
def gamma_gradient_of_centred_inputs(grad_outputs, inputs, gamma, epsilon):
    grad_inputs, _, grad_beta = _norm(grad_outputs, inputs, gamma, epsilon)
    centred = inputs - inputs.mean(axis=_ALL_BUT_CHANNELS)
    return grad_inputs, (grad_outputs * centred).sum(axis=_ALL_BUT_CHANNELS), grad_beta


@BATCH_NORM_BACKWARD.misconception(
    "The gradient of gamma seems to hold gamma itself as a factor. How do the outputs change when "
    "gamma does?"
)
def gamma_gradient_times_gamma(grad_outputs, inputs, gamma, epsilon):
    grad_inputs, grad_gamma, grad_beta = _norm(grad_outputs, inputs, gamma, epsilon)
    return grad_inputs, grad_gamma * gamma, grad_beta


@BATCH_NORM_BACKWARD.misconception(
    "The last two gradients seem to have changed places. Wanted is the order grad_inputs, "
    "grad_gamma, grad_beta."
)
def gamma_and_beta_exchanged(grad_outputs, inputs, gamma, epsilon):
    grad_inputs, grad_gamma, grad_beta = _norm(grad_outputs, inputs, gamma, epsilon)
    return grad_inputs, grad_beta, grad_gamma


@BATCH_NORM_BACKWARD.misconception(
    "The gradients of gamma and beta seem to be means. Every place sends its gradient back: they "
    "add up."
)
def gamma_and_beta_averaged(grad_outputs, inputs, gamma, epsilon):
    grad_inputs, grad_gamma, grad_beta = _norm(grad_outputs, inputs, gamma, epsilon)
    count = inputs[..., 0].size
    return grad_inputs, grad_gamma / count, grad_beta / count


@BATCH_NORM_BACKWARD.misconception(
    "The gradients of gamma and beta seem to be summed over the batch alone. One gamma serves all "
    "places of the map: (channels,)."
)
def gamma_and_beta_for_each_place(grad_outputs, inputs, gamma, epsilon):
    mean = inputs.mean(axis=_ALL_BUT_CHANNELS)
    normal = (inputs - mean) / np.sqrt(inputs.var(axis=_ALL_BUT_CHANNELS) + epsilon)
    return (
        _norm(grad_outputs, inputs, gamma, epsilon)[0],
        (grad_outputs * normal).sum(axis=0),
        grad_outputs.sum(axis=0),
    )


EXERCISES = (CONV2D_BACKWARD, AVERAGE_POOL2D_BACKWARD, BATCH_NORM_BACKWARD)
