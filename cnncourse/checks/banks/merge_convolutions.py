"""``merge_convolutions`` of lesson 09, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _kernel(first_kernel, second_kernel):
    return np.einsum("cm,yxmf->yxcf", first_kernel[0, 0], second_kernel)


def _merge(first_kernel, first_bias, second_kernel, second_bias):
    bias = second_bias + np.einsum("m,yxmf->f", first_bias, second_kernel)
    return _kernel(first_kernel, second_kernel), bias


def _merge_cases() -> Iterator[tuple]:
    def whole(*shape):
        return np.array(shape, float)

    yield (
        whole(2).reshape(1, 1, 1, 1), whole(3),
        whole(1, -4).reshape(1, 2, 1, 1), whole(5),
    )  # fmt: skip
    yield (
        whole(1, 2, 0, -1).reshape(1, 1, 2, 2), whole(1, 3),
        whole(2, 0, 1, -3).reshape(1, 1, 2, 2), whole(0, 4),
    )  # fmt: skip
    yield (
        whole(1, -2).reshape(1, 1, 1, 2), whole(0, 2),
        whole(1, 3, 2, 5).reshape(2, 1, 2, 1), whole(-1),
    )  # fmt: skip
    rng = np.random.default_rng(59)
    for channels, between, filters, side, kind in [
        (3, 2, 4, 3, float), (2, 5, 3, 1, float), (3, 3, 3, 3, np.float32), (4, 1, 2, 5, float),
    ]:  # fmt: skip
        shapes = (1, 1, channels, between), (between,), (side, side, between, filters), (filters,)
        yield tuple(rng.normal(0, 2, size=shape).astype(kind) for shape in shapes)


BANK = Bank(
    "merge_convolutions",
    "09",
    _merge,
    _merge_cases,
    Values(("kernel", "bias")),
    axes={
        "first_kernel": "pqcm",
        "first_bias": "m",
        "second_kernel": "yxmf",
        "second_bias": "f",
        "kernel": "yxcf",
        "bias": "f",
    },
)
BANK.help(
    idea=(
        "Two linear steps without anything between them are one linear step, and the second one "
        "reads the bias of the first, too."
    ),
    section="Four convolutions that are one matrix",
    step=(
        "Follow one channel of the input to one filter at the end, through each of the maps "
        "between: multiply along each way and add the ways. Then ask what comes out when the "
        "input is 0 everywhere: that is the bias."
    ),
)


@BANK.mistake(
    "The bias of the first convolution seems to be lost. It stands in every pixel that the second "
    "one reads."
)
def first_bias_lost(first_kernel, first_bias, second_kernel, second_bias):
    return _kernel(first_kernel, second_kernel), second_bias


@BANK.mistake("The bias of the second convolution seems to be lost; it is added at the end.")
def second_bias_lost(first_kernel, first_bias, second_kernel, second_bias):
    return _merge(first_kernel, first_bias, second_kernel, 0 * second_bias)


@BANK.mistake(
    "Both biases seem to be added up as they are. The first one passes through the weights of the "
    "second convolution on its way."
)
def biases_added(first_kernel, first_bias, second_kernel, second_bias):
    first = np.resize(first_bias, second_bias.shape)
    return _kernel(first_kernel, second_kernel), first + second_bias


@BANK.mistake(
    "The first bias seems to pass through one weight of each kernel, the one in the middle. A "
    "window reads it at every one of its places."
)
def bias_through_the_middle(first_kernel, first_bias, second_kernel, second_bias):
    middle = second_kernel[second_kernel.shape[0] // 2, second_kernel.shape[1] // 2]
    return _kernel(first_kernel, second_kernel), second_bias + first_bias @ middle


@BANK.mistake(
    "The first bias seems to pass through the mean of each kernel. Its places add up, and no one "
    "divides them."
)
def bias_through_the_mean(first_kernel, first_bias, second_kernel, second_bias):
    mean = second_kernel.mean(axis=(0, 1))
    return _kernel(first_kernel, second_kernel), second_bias + first_bias @ mean


@BANK.mistake(
    "The second kernel seems to be turned. Keras computes a cross-correlation twice; nothing is "
    "turned when they merge."
)
def second_kernel_turned(first_kernel, first_bias, second_kernel, second_bias):
    return _merge(first_kernel, first_bias, second_kernel[::-1, ::-1], second_bias)


@BANK.mistake(
    "The first kernel seems to be read with its two axes exchanged: the channels that come in "
    "stand first, the maps between last."
)
def first_kernel_transposed(first_kernel, first_bias, second_kernel, second_bias):
    between = first_kernel.shape[3]
    matrix = np.resize(first_kernel[0, 0].T, (first_kernel.shape[2], between))
    return _merge(matrix[None, None], first_bias, second_kernel, second_bias)


@BANK.mistake(
    "The maps between seem to be averaged and not added: the kernel is divided by their number."
)
def maps_averaged(first_kernel, first_bias, second_kernel, second_bias):
    kernel, bias = _merge(first_kernel, first_bias, second_kernel, second_bias)
    return kernel / len(first_bias), bias


@BANK.mistake(
    "The first bias seems to be added to the weights. A bias belongs to no pixel: in the merged "
    "layer it is part of the bias."
)
def bias_in_the_weights(first_kernel, first_bias, second_kernel, second_bias):
    _, bias = _merge(first_kernel, first_bias, second_kernel, second_bias)
    return _kernel(first_kernel + first_bias, second_kernel), bias
