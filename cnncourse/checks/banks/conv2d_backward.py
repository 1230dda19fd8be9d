"""``conv2d_backward`` of lesson 06, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse import ops
from cnncourse.checks.banks._normalization import ALL_BUT_CHANNELS
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


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
    yield (
        np.array([1.0, 3.0]).reshape(1, 1, 2, 1),
        np.array([1.0, 0.0, 2.0, 5.0, 4.0]).reshape(1, 1, 5, 1),
        np.array([1.0, -2.0]).reshape(1, 2, 1, 1),
        2,
    )
    yield (
        np.array([1.0, 3.0]).reshape(2, 1, 1, 1),
        np.array([1.0, 2.0, 5.0, 4.0]).reshape(2, 1, 2, 1),
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
    yield (
        np.array([0.0, 2.0]).reshape(1, 2, 1, 1),
        np.array([1.0, 0.0, 3.0]).reshape(1, 3, 1, 1),
        np.array([0.0, 2.0]).reshape(2, 1, 1, 1),
        1,
    )


BANK = Bank(
    "conv2d_backward",
    "06",
    _conv2d_backward,
    _conv_cases,
    Values(("grad_inputs", "grad_kernel", "grad_bias")),
    axes={
        "grad_outputs": "bpqf",
        "inputs": "bhwc",
        "kernel": "yxcf",
        "grad_inputs": "bhwc",
        "grad_kernel": "yxcf",
        "grad_bias": "f",
    },
)
BANK.help(
    idea=(
        "A pixel that went into several answers collects a gradient from each of them. A weight "
        "that was used at every place does so too."
    ),
    section="A convolution, backwards by hand",
    step=(
        "Go through the answers as in the forward pass. At each place add: to the patch of "
        "grad_inputs, the kernel times the answer's gradient; to grad_kernel, the patch times "
        "the same gradient. The patch starts at place times stride."
    ),
)


def _changing_the_right_ones(change):
    """A mistake that changes the three right gradients; it also sees the arguments."""

    def answer(*arguments):
        return change(*_conv2d_backward(*arguments), *arguments)

    answer.__name__ = change.__name__
    return answer


def _without_stride(grad_outputs, inputs, kernel, stride):
    """The gradients when the window is taken to move by one pixel, from the same corner."""
    rows, columns = (n + k - 1 for n, k in zip(grad_outputs.shape[1:3], kernel.shape, strict=False))
    reached = np.asarray(inputs, float)[:, :rows, :columns]
    grad_reached, grad_kernel, _ = _conv2d_backward(grad_outputs, reached, kernel, 1)
    grad_inputs = np.zeros(inputs.shape)
    grad_inputs[:, :rows, :columns] = grad_reached
    return grad_inputs, grad_kernel


@BANK.mistake(
    "The gradient at the inputs seems to come from the kernel the wrong way round. A pixel at the "
    "left of a window met the left weight; the same weight brings its gradient back."
)
@_changing_the_right_ones
def kernel_flipped_for_the_inputs(
    grad_inputs, grad_kernel, grad_bias, grad_outputs, inputs, kernel, stride
):
    return (
        _conv2d_backward(grad_outputs, inputs, kernel[::-1, ::-1], stride)[0],
        grad_kernel,
        grad_bias,
    )


@BANK.mistake(
    "The gradient of the kernel came out flipped. The forward pass lays the kernel on as it is, "
    "and so does its gradient."
)
@_changing_the_right_ones
def kernel_gradient_flipped(grad_inputs, grad_kernel, grad_bias, *_):
    return (
        grad_inputs,
        grad_kernel[::-1, ::-1],
        grad_bias,
    )


@BANK.mistake(
    "The stride seems to play no part. With stride 2, the second output looked at pixels that "
    "begin two further on; its gradient goes back there."
)
@_changing_the_right_ones
def stride_ignored(grad_inputs, grad_kernel, grad_bias, *arguments):
    return (
        *_without_stride(*arguments),
        grad_bias,
    )


@BANK.mistake(
    "In the gradient at the inputs the stride seems to play no part, though it does in that of the "
    "kernel. The second output looked at pixels that begin one stride further on."
)
@_changing_the_right_ones
def stride_ignored_for_the_inputs(grad_inputs, grad_kernel, grad_bias, *arguments):
    return (
        _without_stride(*arguments)[0],
        grad_kernel,
        grad_bias,
    )


@BANK.mistake(
    "In the gradient of the kernel the stride seems to play no part, though it does in that of the "
    "inputs. Which pixels did a weight meet?"
)
@_changing_the_right_ones
def stride_ignored_for_the_kernel(grad_inputs, grad_kernel, grad_bias, *arguments):
    return (
        grad_inputs,
        _without_stride(*arguments)[1],
        grad_bias,
    )


@BANK.mistake(
    "The gradients of kernel and bias seem to be averaged over the batch. Wanted is the sum: the "
    "loss has divided already, if it is a mean."
)
@_changing_the_right_ones
def averaged_over_the_batch(grad_inputs, grad_kernel, grad_bias, grad_outputs, *_):
    return (
        grad_inputs,
        grad_kernel / len(grad_outputs),
        grad_bias / len(grad_outputs),
    )


@BANK.mistake(
    "Only the first image seems to count in the gradient of the kernel. The same kernel was laid "
    "on all of them."
)
@_changing_the_right_ones
def kernel_gradient_of_the_first_image(
    grad_inputs, grad_kernel, grad_bias, grad_outputs, inputs, kernel, stride
):
    return (
        grad_inputs,
        _conv2d_backward(grad_outputs[:1], inputs[:1], kernel, stride)[1],
        grad_bias,
    )


@BANK.mistake(
    "The gradient of the bias seems to be a mean. The bias was added at every place, and every "
    "place sends its gradient back: they add up."
)
@_changing_the_right_ones
def bias_gradient_averaged(grad_inputs, grad_kernel, grad_bias, grad_outputs, *_):
    return (
        grad_inputs,
        grad_kernel,
        grad_outputs.mean(axis=ALL_BUT_CHANNELS),
    )


@BANK.mistake(
    "The gradient of the bias has a row for each image. There is one bias for all of them: "
    "(channels_out,)."
)
@_changing_the_right_ones
def bias_gradient_for_each_image(grad_inputs, grad_kernel, grad_bias, grad_outputs, *_):
    return (
        grad_inputs,
        grad_kernel,
        grad_outputs.sum(axis=(1, 2)),
    )


@BANK.mistake(
    "The gradient of the bias has a number for each place of the map. There is one bias for a "
    "whole filter: (channels_out,)."
)
@_changing_the_right_ones
def bias_gradient_for_each_place(grad_inputs, grad_kernel, grad_bias, grad_outputs, *_):
    return (
        grad_inputs,
        grad_kernel,
        grad_outputs.sum(axis=0),
    )


@BANK.mistake(
    "The first two gradients seem to have changed places. Wanted is the order grad_inputs, "
    "grad_kernel, grad_bias."
)
@_changing_the_right_ones
def inputs_and_kernel_exchanged(grad_inputs, grad_kernel, grad_bias, *_):
    return (grad_kernel, grad_inputs, grad_bias)


@BANK.mistake(
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


@BANK.mistake(
    "The gradient at the inputs covers only the pixels that windows reached. It has the shape of "
    "the inputs; the pixels left over get 0."
)
def leftover_pixels_cut(grad_outputs, inputs, kernel, stride):
    grad_inputs, grad_kernel, grad_bias = _conv2d_backward(grad_outputs, inputs, kernel, stride)
    rows, columns = (
        (n - 1) * stride + k for n, k in zip(grad_outputs.shape[1:3], kernel.shape, strict=False)
    )
    return grad_inputs[:, :rows, :columns], grad_kernel, grad_bias
