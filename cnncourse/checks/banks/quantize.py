"""``quantize`` of lesson 15, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _scales(kernel):
    largest = np.abs(kernel).max(axis=(0, 1, 2))
    return np.where(largest == 0, 1, largest / 127)


def _answers(kernel, scales, integers=None):
    integers = np.round(kernel / scales) if integers is None else integers
    return integers, scales, integers * scales


def _quantize(kernel):
    return _answers(kernel, _scales(kernel))


def _quantize_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(151)
    # Whole numbers to be read, whose quotients are none.
    yield (np.array([381.0, -100.0, 0.0, 38.0]).reshape(2, 2, 1, 1),)
    yield (np.array([[381.0, -635.0], [-100.0, 7.0]]).reshape(1, 2, 1, 2),)
    yield (np.array([[381.0, 0.0], [-100.0, 0.0]]).reshape(2, 1, 1, 2),)
    for shape in [(1, 1, 2, 3), (3, 2, 2, 4), (2, 3, 4, 2)]:
        yield (rng.normal(size=shape) * rng.uniform(0.01, 3, shape[3]),)
    yield ((rng.normal(size=(3, 3, 2, 2)) * [0.02, 5]).astype(np.float32),)
    yield (-rng.uniform(0.5, 2, (2, 2, 3, 2)),)


BANK = Bank(
    "quantize",
    "15",
    _quantize,
    _quantize_cases,
    Values(("integers", "scales", "restored")),
    axes={"kernel": "yxcf", "integers": "yxcf", "scales": "f", "restored": "yxcf"},
)
BANK.help(
    idea=(
        "One step size for each filter, as large as it must be for the filter's largest weight to "
        "be 127 steps long; every weight is then counted in steps."
    ),
    section="Eight bits",
    step=(
        "The filters stand along the last axis: over which three axes do you take the largest "
        "absolute value? Divide by 127, and give a filter without any weight the scale 1. Round "
        "kernel / scales, and multiply back."
    ),
)


@BANK.mistake(
    "One scale seems to serve all filters. A filter with small weights then gets few steps; wanted "
    "is a scale for each filter."
)
def one_scale_for_all(kernel):
    largest = np.abs(kernel).max()
    return _answers(kernel, np.full(kernel.shape[3], largest / 127))


@BANK.mistake(
    "The largest weight seems to be taken without `abs`. The longest weight of a filter may be a "
    "negative one, which then does not fit into 8 bits."
)
def signed_maximum(kernel):
    return _answers(kernel, kernel.max(axis=(0, 1, 2)) / 127)


@BANK.mistake(
    "The scale seems to be the largest weight by 128. Then that weight is 128 steps long, and "
    "int8 ends at 127."
)
def by_128(kernel):
    scales = _scales(kernel) * 127 / 128
    return _answers(kernel, np.where(np.abs(kernel).max(axis=(0, 1, 2)) == 0, 1, scales))


@BANK.mistake("The scale seems to be the largest weight by 255, the steps of both signs together.")
def by_255(kernel):
    return _answers(kernel, _scales(kernel) * 127 / 255)


@BANK.mistake(
    "The numbers seem to be cut off instead of rounded (`astype` and `int` cut towards zero). "
    "Rounding halves the largest error."
)
def cut_off(kernel):
    return _answers(kernel, _scales(kernel), np.trunc(kernel / _scales(kernel)))


@BANK.mistake("The numbers seem to be rounded down, as `//` and `floor` do. Wanted is the nearest.")
def rounded_down(kernel):
    return _answers(kernel, _scales(kernel), np.floor(kernel / _scales(kernel)))


@BANK.mistake("The integers are not whole: kernel / scales still has to be rounded.")
def not_rounded(kernel):
    return _answers(kernel, _scales(kernel), kernel / _scales(kernel))


@BANK.mistake(
    "The scales come upside down: steps for each unit. Wanted is how much one step is worth, "
    "largest / 127."
)
def inverse_scales(kernel):
    integers, scales, restored = _quantize(kernel)
    return integers, 1 / scales, restored


@BANK.mistake(
    "The restored weights are the old ones. Restored are the integers times the scales, with the "
    "rounding in them."
)
def restored_is_the_kernel(kernel):
    integers, scales, _ = _quantize(kernel)
    return integers, scales, kernel.copy()


@BANK.mistake(
    "The integers are right, but multiplying them back by their scales seems to be missing."
)
def not_restored(kernel):
    integers, scales, _ = _quantize(kernel)
    return integers, scales, integers.copy()


@BANK.mistake(
    "A filter of nothing but zeros is divided by 0 here. Give it the scale 1; its integers are 0 "
    "whatever the scale."
)
def zeros_divided(kernel):
    with np.errstate(all="ignore"):
        return _answers(kernel, np.abs(kernel).max(axis=(0, 1, 2)) / 127)


@BANK.mistake(
    "Each input channel seems to get a scale. An output adds up over the input channels, so that "
    "they must share one; the filters, along the last axis, need not."
)
def scale_of_input_channels(kernel):
    largest = np.abs(kernel).max(axis=(0, 1, 3))
    scales = np.where(largest == 0, 1, largest / 127)
    integers = np.round(kernel / scales[:, np.newaxis])
    return integers, scales, integers * scales[:, np.newaxis]


@BANK.mistake(
    "Zero does not stay zero: the range seems to run from the smallest to the largest weight. "
    "Wanted is a symmetric range, without a zero point."
)
def with_a_zero_point(kernel):
    low, high = kernel.min(axis=(0, 1, 2)), kernel.max(axis=(0, 1, 2))
    scales = np.where(high == low, 1, (high - low) / 255)
    integers = np.round((kernel - low) / scales) - 128
    return integers, scales, (integers + 128) * scales + low
