"""``strided_conv2d`` of lesson 02, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse import ops
from cnncourse.checks.engine import Bank


def _strided(inputs, kernel, stride, padding):
    return ops.conv2d(np.asarray(inputs, float), kernel, strides=stride, padding=padding)


def _pads(inputs, kernel, stride):
    return [
        ops.same_padding(size, side, step)
        for size, side, step in zip(inputs.shape[1:3], kernel.shape[:2], stride, strict=True)
    ]


def _strided_cases() -> Iterator[tuple]:
    row = np.array([1.0, 2, 4, 0, 3])
    pair = np.array([1.0, -3])
    yield row.reshape(1, 1, 5, 1), pair.reshape(1, 2, 1, 1), (1, 2), "valid"
    yield row[:4].reshape(1, 1, 4, 1), np.array([1.0, 2, -4]).reshape(1, 3, 1, 1), (1, 2), "same"
    yield row.reshape(1, 5, 1, 1), pair.reshape(2, 1, 1, 1), (3, 1), "same"
    yield np.arange(9.0).reshape(1, 3, 3, 1), np.arange(4.0).reshape(2, 2, 1, 1), (1, 1), "same"
    yield np.arange(12.0).reshape(1, 3, 4, 1), np.ones((1, 1, 1, 1)), (2, 1), "valid"
    rng = np.random.default_rng(79)
    for shape, kernel_shape, stride in [
        ((2, 6, 5, 2), (3, 3, 2, 3), (2, 1)),
        ((1, 5, 7, 3), (2, 4, 3, 2), (2, 3)),
        ((2, 8, 8, 1), (5, 3, 1, 2), (3, 2)),
    ]:
        for padding in ("valid", "same"):
            yield rng.normal(size=shape), rng.normal(0, 2, size=kernel_shape), stride, padding
    yield (
        rng.integers(0, 256, (1, 4, 6, 2), dtype=np.uint8),
        rng.normal(size=(3, 3, 2, 2)).astype(np.float32),
        (2, 2),
        "same",
    )
    yield (
        np.array([1.0, 0, 3.5, -2], np.float32).reshape(1, 2, 2, 1),
        np.array([0.0, 2, 1, -1.5], np.float32).reshape(2, 1, 1, 2),
        (2, 1),
        "valid",
    )


BANK = Bank(
    "strided_conv2d",
    "02",
    _strided,
    _strided_cases,
    axes={"inputs": "bhwc", "kernel": "yxcf", "answer": "bpqf"},
)
BANK.help(
    idea=(
        "A stride leaves places out, and padding moves where the places begin: how much padding "
        "there is depends on the stride, too."
    ),
    section="Padding: what happens at the edge",
    step=(
        "Put zeros around the images first, for each axis by its own rule. Then begin a window at "
        "every multiple of the stride at which it still fits, each axis with its own stride."
    ),
)


def _under_same(pads):
    """Right but for the padding under `same`, (before, after) for each axis, which is ``pads``."""

    def answer(inputs, kernel, stride, padding):
        if padding == "same":
            padding = pads(inputs, kernel, stride)
        return _strided(inputs, kernel, stride, padding)

    answer.__name__ = pads.__name__
    return answer


@BANK.mistake(
    "The two strides seem to be exchanged: the first one goes from row to row, downwards, and the "
    "second from column to column."
)
def strides_exchanged(inputs, kernel, stride, padding):
    return _strided(inputs, kernel, stride[::-1], padding)


@BANK.mistake("The first stride seems to hold for both axes. Each has its own.")
def first_stride_for_both(inputs, kernel, stride, padding):
    return _strided(inputs, kernel, (stride[0], stride[0]), padding)


@BANK.mistake("The stride seems to play no part: there is an answer at every place.")
def stride_ignored(inputs, kernel, stride, padding):
    return _strided(inputs, kernel, (1, 1), padding)


@BANK.mistake("`padding` seems to play no part: the images get no zeros under `same` either.")
def padding_ignored(inputs, kernel, stride, padding):
    return _strided(inputs, kernel, stride, "valid")


@BANK.mistake(
    "Under `same` every place seems to be computed with a stride of 1, and some of them kept. But "
    "with a wider stride there is less padding, and so the windows begin elsewhere."
)
def padded_as_for_stride_one(inputs, kernel, stride, padding):
    return _strided(inputs, kernel, (1, 1), padding)[:, :: stride[0], :: stride[1]]


@BANK.mistake(
    "Under `same` the odd row or column of zeros seems to come before the image. It comes after."
)
@_under_same
def odd_zero_before(inputs, kernel, stride):
    return [pads[::-1] for pads in _pads(inputs, kernel, stride)]


@BANK.mistake("Under `same` all zeros seem to come after the image. They are shared by both sides.")
@_under_same
def all_zeros_after(inputs, kernel, stride):
    return [(0, sum(pads)) for pads in _pads(inputs, kernel, stride)]


@BANK.mistake(
    "Under `same` half of the kernel seems to be added on either side, whatever the stride. Count "
    "the windows first, and add what the last one needs."
)
@_under_same
def half_a_kernel_on_either_side(inputs, kernel, stride):
    return [(side // 2, side // 2) for side in kernel.shape[:2]]


@BANK.mistake(
    "Under `same` the pixels at the edge seem to be repeated. Padding is made of zeros here."
)
def edge_repeated(inputs, kernel, stride, padding):
    values = np.asarray(inputs, float)
    if padding == "same":
        values = np.pad(values, [(0, 0), *_pads(inputs, kernel, stride), (0, 0)], mode="edge")
    return _strided(values, kernel, stride, "valid")


@BANK.mistake(
    "The kernel seems to be turned. Keras computes a cross-correlation: the kernel lies as it is."
)
def kernel_turned(inputs, kernel, stride, padding):
    return _strided(inputs, kernel[::-1, ::-1], stride, padding)


@BANK.mistake("The last window seems to be missing on each axis where it ends at the edge.")
def last_window_missing(inputs, kernel, stride, padding):
    answer = _strided(inputs, kernel, stride, padding)
    pads = _pads(inputs, kernel, stride) if padding == "same" else [(0, 0), (0, 0)]
    ends = [
        (size + sum(pad) - side) % step == 0
        for size, pad, side, step in zip(
            inputs.shape[1:3], pads, kernel.shape[:2], stride, strict=True
        )
    ]
    rows, columns = (size - end for size, end in zip(answer.shape[1:3], ends, strict=True))
    return answer[:, :rows, :columns]


@BANK.mistake(
    "Under `same` the padding seems to be counted for the rows, and the columns to get the same. "
    "Each axis has its own size, kernel and stride, and so its own padding."
)
@_under_same
def padding_of_the_rows_for_both(inputs, kernel, stride):
    return [_pads(inputs, kernel, stride)[0]] * 2


@BANK.mistake(
    "Under `same` the padding seems to be counted for the columns, and the rows to get the same. "
    "Each axis has its own size, kernel and stride, and so its own padding."
)
@_under_same
def padding_of_the_columns_for_both(inputs, kernel, stride):
    return [_pads(inputs, kernel, stride)[1]] * 2
