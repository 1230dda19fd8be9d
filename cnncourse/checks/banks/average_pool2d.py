"""``average_pool2d`` of lesson 05, and the mistakes that people make in it."""

from __future__ import annotations

import numpy as np

from cnncourse.checks.banks._pooling import (
    average_pool2d,
    enter_wrong_pools,
    max_pool2d,
    pool,
    pool_cases,
    share,
)
from cnncourse.checks.engine import Bank

BANK = Bank(
    "average_pool2d", "05", average_pool2d, pool_cases, axes={"inputs": "bhwc", "answer": "bhwc"}
)
BANK.help(
    idea=(
        "A mean of the pixels that are there: as many as there are, not as many as the window "
        "has places."
    ),
    section="At the edge: windows that do not fit",
    step=(
        "Pad with something that you can tell from a pixel, or count the pixels of each window "
        "on the side, by pooling an array of ones. A pixel that is 0 is a pixel all the same."
    ),
)


enter_wrong_pools(BANK, average_pool2d, np.nanmean)


@BANK.mistake(
    "The padded zeros seem to count, so that windows at the edge come out too small. Wanted is the "
    "mean of the pixels that are there."
)
def padding_counted(inputs, size, padding):
    return pool(inputs, size, padding, reduce=np.mean, fill=0)


BANK.mistake(
    "The largest pixel of each window came out. Wanted is the mean.",
    name="maximum",
)(max_pool2d)


@BANK.mistake(
    "The pixels of each window seem to be added and not divided by how many there are.", name="sum"
)
def summed(inputs, size, padding):
    return pool(inputs, size, padding, reduce=np.nansum)


@BANK.mistake(
    "With images of whole numbers the fractions seem to be cut off: the answer has the type of the "
    "image. A mean needs a type that holds fractions."
)
def fractions_cut_off(inputs, size, padding):
    return (
        np.floor(average_pool2d(inputs, size, padding))
        if inputs.dtype.kind in "iu"
        else average_pool2d(inputs, size, padding)
    )


@BANK.mistake(
    "The padding seems to repeat the pixels at the edge, which are then averaged twice. What is "
    "padded is no pixel and counts in no mean."
)
def edge_repeated(inputs, size, padding):
    values = np.asarray(inputs, float)
    if padding == "same":
        pads = [share(-side % size) for side in values.shape[1:3]]
        values = np.pad(values, [(0, 0), *pads, (0, 0)], mode="edge")
    return average_pool2d(values, size, "valid")
