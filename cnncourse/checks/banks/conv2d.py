"""``conv2d`` of lesson 02, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse import ops
from cnncourse.checks.engine import Bank


def _conv2d(inputs, kernel, bias):
    return ops.conv2d(np.asarray(inputs, float), kernel, bias)


def _conv2d_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(4)
    plain = np.array([[1.0, 2.0], [3.0, 5.0]])
    yield (
        plain.reshape(1, 2, 2, 1),
        np.array([1.0, 2.0, 4.0, -3.0]).reshape(2, 2, 1, 1),
        np.array([1.0]),
    )
    yield (
        np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 2, 2),
        np.array([1.0, -5.0]).reshape(1, 1, 2, 1),
        np.array([2.0]),
    )
    yield np.array([1.0, 2.0]).reshape(2, 1, 1, 1), np.full((1, 1, 1, 1), 3.0), np.array([1.0])
    for shape, kernel_shape in [
        ((1, 3, 3, 2), (2, 2, 2, 1)),
        ((2, 3, 4, 1), (2, 3, 1, 2)),
        ((2, 4, 4, 3), (3, 3, 3, 3)),
        ((2, 5, 4, 3), (3, 2, 3, 4)),
    ]:
        yield (
            rng.normal(size=shape),
            rng.normal(size=kernel_shape),
            rng.normal(size=kernel_shape[3]),
        )
    yield (
        rng.integers(0, 256, (2, 4, 5, 3), dtype=np.uint8),
        rng.normal(size=(2, 2, 3, 2)).astype(np.float32),
        rng.normal(size=2).astype(np.float32),
    )
    single = np.array([1.0, 0.0, 3.0], np.float32).reshape(1, 3, 1, 1)
    yield (
        single,
        np.array([[0.0, 2.0], [1.0, -1.0]], np.float32).reshape(2, 1, 1, 2),
        np.zeros(2, np.float32),
    )


BANK = Bank(
    "conv2d",
    "02",
    _conv2d,
    _conv2d_cases,
    axes={"inputs": "bhwc", "kernel": "yxcf", "bias": "f", "answer": "bhwf"},
)
BANK.help(
    idea=(
        "One filter reads all channels of a patch and gives one number. As many filters, as "
        "many channels out."
    ),
    section="Several channels, one number still",
    step=(
        "Take one patch with all its channels and one filter: multiply, sum all three axes, add "
        "that filter's bias. Then let it run over images, rows, columns and filters; mind that "
        "both are flattened in one order."
    ),
)


@BANK.mistake(
    "The bias seems to be missing: every answer is off by the same number for its filter."
)
def bias_forgotten(inputs, kernel, bias):
    return _conv2d(inputs, kernel, 0 * bias)


@BANK.mistake(
    "The bias seems to be added once for each input channel. Wanted is once for each filter, after "
    "the channels have been added up."
)
def bias_for_each_channel(inputs, kernel, bias):
    return _conv2d(inputs, kernel, bias * kernel.shape[2])


@BANK.mistake(
    "The bias seems to be added once for each pixel under the kernel. Wanted is once for each "
    "answer."
)
def bias_for_each_pixel(inputs, kernel, bias):
    return _conv2d(inputs, kernel, bias * kernel[:, :, 0, 0].size)


@BANK.mistake("The bias seems to be taken off where it was to be added.")
def bias_subtracted(inputs, kernel, bias):
    return _conv2d(inputs, kernel, -bias)


@BANK.mistake(
    "The kernel seems to be flipped: that is a convolution in the sense of mathematics. Keras "
    "computes a cross-correlation, with the kernel as it is."
)
def kernel_flipped(inputs, kernel, bias):
    return _conv2d(inputs, kernel[::-1, ::-1], bias)


@BANK.mistake("Only the first input channel seems to count. One filter looks at all of them.")
def first_channel_only(inputs, kernel, bias):
    return _conv2d(inputs[..., :1], kernel[:, :, :1], bias)


@BANK.mistake("The input channels seem to be averaged. Wanted is their sum.")
def mean_over_channels(inputs, kernel, bias):
    return _conv2d(inputs, kernel / kernel.shape[2], bias)


@BANK.mistake(
    "Every input channel seems to meet the weights of the first one. A filter has weights of its "
    "own for each channel."
)
def one_set_of_weights_for_all_channels(inputs, kernel, bias):
    return _conv2d(inputs, np.repeat(kernel[:, :, :1], kernel.shape[2], 2), bias)


@BANK.mistake("Negative answers seem to be replaced by 0. That is the ReLU, a layer of its own.")
def relu_included(inputs, kernel, bias):
    return np.maximum(_conv2d(inputs, kernel, bias), 0)


@BANK.mistake("Only the first image of the batch seems to be answered.")
def first_image_only(inputs, kernel, bias):
    return _conv2d(inputs[:1], kernel, bias)


@BANK.mistake(
    "The channels seem to come before the filters' places: the answer has its axes in the order "
    "(batch, channels, height, width). Here the channels come last."
)
def channels_first(inputs, kernel, bias):
    return _conv2d(inputs, kernel, bias).transpose(0, 3, 1, 2)


@BANK.mistake(
    "Patch and kernel seem to be flattened in different orders: one has the channels last, the "
    "other one first. So weights meet pixels that are not theirs."
)
def flattened_in_different_orders(inputs, kernel, bias):
    rows = kernel.transpose(2, 0, 1, 3).reshape(kernel.shape)
    return _conv2d(inputs, rows, bias)


@BANK.mistake(
    "The windows seem to be flattened with their channels first, which is where "
    "sliding_window_view puts them, and the kernel with its channels last. Bring both into one "
    "order (np.moveaxis) before you flatten."
)
def channels_of_the_windows_not_moved(inputs, kernel, bias):
    height, width, channels, filters = kernel.shape
    laid_out_anew = kernel.reshape(channels, height, width, filters)
    return _conv2d(inputs, np.moveaxis(laid_out_anew, 0, 2), bias)


@BANK.mistake(
    "The images seem to be padded with zeros, so that the answer is as large as they are. Wanted "
    'is "valid": no padding.'
)
def images_padded(inputs, kernel, bias):
    pads = [(0, 0), *(((k - 1) // 2, k // 2) for k in kernel.shape[:2]), (0, 0)]
    return _conv2d(np.pad(inputs, pads), kernel, bias)


@BANK.mistake(
    "The kernel seems to be centred on each pixel, with zeros outside of the image, and of that as "
    "much kept from the first corner on as is wanted. The places at which a centred kernel lies "
    "wholly on the image begin half a kernel further in."
)
def centred_but_cut_at_the_corner(inputs, kernel, bias):
    _, rows, columns, _ = _conv2d(inputs, kernel, bias).shape
    pads = [(side // 2, (side - 1) // 2) for side in kernel.shape[:2]]
    padded = np.pad(inputs, [(0, 0), *pads, (0, 0)])
    return _conv2d(padded, kernel, bias)[:, :rows, :columns]
