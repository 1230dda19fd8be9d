"""``dense_from_channels_first`` of lesson 07, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _dense(weights, channels, height, width):
    whole = weights.reshape(-1, channels, height, width)
    return whole.transpose(2, 3, 1, 0).reshape(height * width * channels, -1)


def _dense_cases() -> Iterator[tuple]:
    yield np.arange(4.0).reshape(1, 4), 2, 1, 2
    yield np.arange(8.0).reshape(2, 4) - 3, 2, 2, 1
    yield np.arange(8.0).reshape(1, 8), 2, 2, 2
    yield np.arange(12.0).reshape(2, 6), 3, 1, 2
    yield np.array([[5.0], [2]]), 1, 1, 1
    rng = np.random.default_rng(57)
    for outputs, channels, height, width in [(3, 2, 3, 4), (10, 4, 2, 3), (5, 1, 3, 3)]:
        size = channels * height * width
        yield rng.normal(0, 2, size=(outputs, size)), channels, height, width
    yield rng.normal(0, 2, size=(4, 12)).astype(np.float32), 3, 2, 2


BANK = Bank(
    "dense_from_channels_first",
    "07",
    _dense,
    _dense_cases,
    Values(("matrix",)),
    axes={"weights": "nm", "matrix": "mn"},
)
BANK.help(
    idea=(
        "A weight belongs to one activation, at one row, column and channel. Flatten puts the "
        "activations into another order, and the weights have to go with them."
    ),
    section="A wrong meaning",
    step=(
        "Give each row of the matrix its three axes back, in the order in which they were "
        "flattened. Then bring the axes into the order that Keras flattens, and flatten again."
    ),
)


@BANK.mistake(
    "The matrix seems to be transposed and no more. The shape is right then, and no error is "
    "raised, but each weight meets another activation than the one it was trained for: the rows "
    "still stand in the order channel, row, column."
)
def transposed_only(weights, channels, height, width):
    return weights.T


@BANK.mistake(
    "The numbers seem to be poured into the wanted shape. `reshape` keeps their order; exchanging "
    "two axes is another thing."
)
def poured_into_the_shape(weights, channels, height, width):
    return weights.reshape(-1, len(weights))


@BANK.mistake(
    "The order of the activations seems right, and the matrix still to have one row for each "
    "output. Keras multiplies from the other side: one row for each activation."
)
def one_row_for_each_output(weights, channels, height, width):
    return _dense(weights, channels, height, width).T


@BANK.mistake(
    "Columns seem to come before rows. Keras flattens row by row: channels change fastest, then "
    "columns."
)
def columns_before_rows(weights, channels, height, width):
    whole = weights.reshape(-1, channels, height, width)
    return whole.transpose(3, 2, 1, 0).reshape(-1, len(weights))


@BANK.mistake(
    "The change seems to go the other way: from channels last to channels first. The weights that "
    "come in have the channels first."
)
def the_other_way(weights, channels, height, width):
    whole = weights.reshape(-1, height, width, channels)
    return whole.transpose(3, 1, 2, 0).reshape(-1, len(weights))


@BANK.mistake(
    "The right axes seem to be exchanged in a matrix that was read in the wrong order: the outputs "
    "are its first axis, and not its last."
)
def outputs_read_as_the_last_axis(weights, channels, height, width):
    whole = weights.reshape(channels, height, width, -1)
    return whole.transpose(1, 2, 0, 3).reshape(-1, len(weights))


@BANK.mistake(
    "The rows of the matrix seem to stand in reverse order. Turning a kernel belongs to a true "
    "convolution; here nothing slides."
)
def turned(weights, channels, height, width):
    return _dense(weights, channels, height, width)[::-1]


@BANK.mistake(
    "The axes seem right, and are four. A Dense layer holds a matrix: rows, columns and channels "
    "are one axis in it."
)
def four_axes_left(weights, channels, height, width):
    return weights.reshape(-1, channels, height, width).transpose(2, 3, 1, 0)
