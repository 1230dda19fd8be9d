"""``adaptive_average_pool2d`` of lesson 05, and the mistakes that people make in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _shared(size, count):
    """First and end of each window: rounded outwards, so that no pixel is left out."""
    return [(k * size // count, -(-(k + 1) * size // count)) for k in range(count)]


def _pooled(inputs, vertical, horizontal, shrink=np.mean):
    values = np.asarray(inputs, float)
    lines = [
        np.stack([shrink(values[:, a:b, c:d], axis=(1, 2)) for c, d in horizontal], axis=1)
        for a, b in vertical
    ]
    return np.stack(lines, axis=1)


def _with_windows(windows, shrink=np.mean):
    """The answer whose windows along an axis are ``windows(size, count)``."""

    def answer(inputs, rows, columns):
        _, height, width, _ = np.shape(inputs)
        return _pooled(inputs, windows(height, rows), windows(width, columns), shrink)

    answer.__name__ = windows.__name__
    return answer


_adaptive = _with_windows(_shared)


def _adaptive_cases() -> Iterator[tuple]:
    yield np.array([1.0, 3, 4, 8, 6]).reshape(1, 1, 5, 1), 1, 3
    yield np.array([[2.0, 4, 9], [6, 8, 1]]).reshape(1, 2, 3, 1), 2, 1
    yield np.arange(16.0).reshape(1, 4, 4, 1) - 3, 2, 2
    yield np.array([5.0, 1, 0, 7, 9]).reshape(1, 5, 1, 1), 3, 1
    rng = np.random.default_rng(35)
    for shape, rows, columns in [((2, 7, 5, 3), 3, 2), ((1, 4, 10, 2), 3, 7)]:
        yield rng.normal(0, 2, size=shape), rows, columns
    yield rng.normal(0, 2, size=(2, 5, 6, 1)).astype(np.float32), 4, 4
    yield rng.integers(0, 256, size=(1, 5, 5, 2)).astype(np.uint8), 2, 3


BANK = Bank(
    "adaptive_average_pool2d",
    "05",
    _adaptive,
    _adaptive_cases,
    Values(("means",)),
    axes={"inputs": "bhwc", "means": "bpqc"},
)
BANK.help(
    idea=(
        "The size of the answer is given, so the windows have to fit themselves to it: where they "
        "don't come out even, neighbors share a pixel."
    ),
    section="At the edge: windows that do not fit",
    step=(
        "Write down, for 5 pixels and 3 windows, where each of the three would begin and end if "
        "pixels could be cut. Round each beginning down and each end up."
    ),
)


@BANK.mistake(
    "The ends of the windows seem to be rounded down, as the beginnings are. Then each pixel "
    "belongs to one window alone; an end is rounded up, so that a pixel on the border counts in "
    "both."
)
@_with_windows
def ends_rounded_down(size, count):
    return [(k * size // count, (k + 1) * size // count) for k in range(count)]


@BANK.mistake(
    "All windows seem to have one size, and the pixels at the end that are left over are dropped. "
    "Here no pixel is left out."
)
@_with_windows
def rest_dropped(size, count):
    return [(k * (size // count), (k + 1) * (size // count)) for k in range(count)]


@BANK.mistake("All that does not come out even seems to go to the last window.")
@_with_windows
def rest_to_the_last(size, count):
    starts = [k * (size // count) for k in range(count)]
    return list(zip(starts, [*starts[1:], size], strict=True))


@BANK.mistake(
    "The first windows seem to be one pixel larger and none to overlap, as `np.array_split` cuts. "
    "Here the borders are even, and what a border cuts belongs to both."
)
@_with_windows
def first_windows_larger(size, count):
    parts = np.array_split(np.arange(size), count)
    return [(part[0], part[-1] + 1) for part in parts]


@BANK.mistake(
    "Every window seems to be as large as the largest, and the last one to end at the rim. Each "
    "has its own beginning and end."
)
@_with_windows
def one_size_for_all(size, count):
    largest = -(-size // count)
    starts = [min(k * size // count, size - largest) for k in range(count)]
    return [(start, start + largest) for start in starts]


@BANK.mistake("`rows` and `columns` seem to be exchanged: rows lie along the second axis.")
def rows_and_columns_exchanged(inputs, rows, columns):
    return _adaptive(inputs, columns, rows)


@BANK.mistake(
    "`rows` and `columns` seem to be taken for the size of a window. They say how many windows "
    "there are."
)
@_with_windows
def size_for_number(size, step):
    step = min(size, step)
    return [(k * step, (k + 1) * step) for k in range(size // step)]


BANK.mistake(
    "The windows seem to be right, and their sums to come out. Wanted are the means.", name="sums"
)(_with_windows(_shared, np.sum))


BANK.mistake("The windows seem to be right, and their largest numbers to come out.", name="maxima")(
    _with_windows(_shared, np.max)
)


@BANK.mistake(
    "One pixel of each window seems to be picked, the first. That is a stride; a mean hears all of "
    "them."
)
@_with_windows
def first_pixel_picked(size, count):
    return [(begin, begin + 1) for begin, _ in _shared(size, count)]


@BANK.mistake(
    "The cuts seem to be rounded to the nearest border between pixels, so that each pixel belongs "
    "to one window alone. A window takes every pixel that it touches: its beginning is rounded "
    "down, its end up."
)
@_with_windows
def cuts_rounded(size, count):
    return [(round(k * size / count), round((k + 1) * size / count)) for k in range(count)]


@BANK.mistake(
    "The cuts seem to be rounded to the nearest border between pixels, half a pixel upwards. A "
    "window takes every pixel that it touches: its beginning is rounded down, its end up."
)
@_with_windows
def cuts_rounded_half_up(size, count):
    cuts = [(2 * k * size + count) // (2 * count) for k in range(count + 1)]
    return list(itertools.pairwise(cuts))
