"""``max_pool2d`` of lesson 05, and the mistakes that people make in it."""

from __future__ import annotations

import numpy as np

from cnncourse.checks.banks._pooling import (
    average_pool2d,
    enter_wrong_pools,
    max_pool2d,
    pool,
    pool_cases,
)
from cnncourse.checks.engine import Bank

BANK = Bank("max_pool2d", "05", max_pool2d, pool_cases, axes={"inputs": "bhwc", "answer": "bhwc"})
BANK.help(
    idea=("The padding must never win, whatever the pixels are."),
    section="At the edge: windows that do not fit",
    step=(
        "Which number is smaller than every other? Pad with that one, or cut each window at the "
        "border of the image, and pad nothing at all."
    ),
)


enter_wrong_pools(BANK, max_pool2d, np.nanmax)


@BANK.mistake(
    "The padding seems to be filled with zeros, and where all pixels are negative a zero wins. "
    "What is not part of the image must never win."
)
def padded_zeros_win(inputs, size, padding):
    return pool(inputs, size, padding, reduce=np.max, fill=0)


BANK.mistake(
    "The mean of each window came out. Wanted is its largest pixel.",
    name="mean",
)(average_pool2d)


@BANK.mistake("The smallest pixel of each window came out. Wanted is the largest.")
def minimum(inputs, size, padding):
    return pool(inputs, size, padding, reduce=np.nanmin)


@BANK.mistake(
    "The pixels seem to be compared without their signs. A strongly negative activation is not a "
    "large one."
)
def largest_without_sign(inputs, size, padding):
    return max_pool2d(np.abs(inputs), size, padding)


@BANK.mistake(
    "Every answer seems to be at least 0: the search for the largest pixel starts there. All "
    "pixels of a window may be negative."
)
def search_starts_at_0(inputs, size, padding):
    return np.maximum(max_pool2d(inputs, size, padding), 0)
