"""``max_pool2d_backward`` of lesson 06, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse import ops
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _max_pool2d_backward(grad_outputs, inputs, pool_size):
    return ops.max_pool2d_backward(grad_outputs, inputs, pool_size)


def _max_pool_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(16)
    yield np.array([[[[8.0]]]]), np.array([[1.0, 7], [3, 5]]).reshape(1, 2, 2, 1), 2
    yield (
        np.array([2.0, -3]).reshape(1, 1, 2, 1),
        np.array([[1.0, 2, 9, 8], [4, 3, 6, 7]]).reshape(1, 2, 4, 1),
        2,
    )
    yield (
        np.array([5.0, 3.0]).reshape(1, 1, 1, 2),
        np.array([[[1.0, 7], [4, 2]], [[0, 5], [3, 6]]]).reshape(1, 2, 2, 2),
        2,
    )
    for shape, pool_size in [
        ((1, 3, 3, 1), 2),
        ((2, 4, 6, 2), 2),
        ((2, 3, 4, 3), 1),
        ((2, 7, 8, 2), 3),
    ]:
        places = (shape[1] // pool_size, shape[2] // pool_size)
        yield (
            rng.normal(size=(shape[0], *places, shape[3])),
            rng.permutation(np.prod(shape)).reshape(shape) - 40.0,  # no two are equal
            pool_size,
        )
    yield (
        rng.normal(size=(2, 2, 2, 1)).astype(np.float32),
        rng.permutation(40).reshape(2, 5, 4, 1).astype(np.float32) - 50,  # all below 0
        2,
    )
    for shape in ((1, 1, 3, 1), (1, 3, 1, 1)):
        yield np.array([0.0, 2.0, -1.0]).reshape(shape), np.array([0.5, 1.5, -2]).reshape(shape), 1


BANK = Bank(
    "max_pool2d_backward",
    "06",
    _max_pool2d_backward,
    _max_pool_cases,
    Values(("gradient",)),
    axes={"grad_outputs": "bpqc", "inputs": "bhwc", "gradient": "bhwc"},
)


def _spread(grad_outputs, inputs, pool_size):
    wide = np.repeat(np.repeat(grad_outputs, pool_size, axis=1), pool_size, axis=2)
    there = [(0, side - own) for side, own in zip(inputs.shape, wide.shape, strict=True)]
    return np.pad(wide, there)


BANK.help(
    idea="A maximum chooses: the pixel that won gets the whole gradient, and the others get 0.",
    section="Pooling and ReLU",
    step=(
        "Cut the inputs into windows, find in each the place that equals its maximum, and put the "
        "gradient of the window there."
    ),
)


@BANK.mistake(
    "The gradient seems to be shared out evenly, as in average pooling. Here one pixel made the "
    "maximum, and the others changed nothing."
)
def shared_evenly(grad_outputs, inputs, pool_size):
    return _spread(grad_outputs, inputs, pool_size) / pool_size**2


@BANK.mistake(
    "Every pixel of a window seems to get the whole gradient. It belongs to the one that won."
)
def whole_to_every_pixel(grad_outputs, inputs, pool_size):
    return _spread(grad_outputs, inputs, pool_size)


@BANK.mistake(
    "The gradient seems to go to the first pixel of each window, wherever the maximum was. Who won "
    "has to be looked up in the inputs."
)
def to_the_first_pixel(grad_outputs, inputs, pool_size):
    first = np.zeros(np.shape(inputs))
    first[:, ::pool_size, ::pool_size] = 1
    return _spread(grad_outputs, inputs, pool_size) * first


@BANK.mistake(
    "The gradient seems to be multiplied by the value that won. The maximum follows its winner at "
    "1: the value says who gets the gradient, not how much."
)
def multiplied_by_the_maximum(grad_outputs, inputs, pool_size):
    return _max_pool2d_backward(grad_outputs, inputs, pool_size) * inputs


@BANK.mistake(
    "The gradient seems to go to the smallest pixel of each window. The largest made the output."
)
def to_the_smallest(grad_outputs, inputs, pool_size):
    return _max_pool2d_backward(grad_outputs, -inputs, pool_size)


@BANK.mistake(
    "Winners below 0 seem to get nothing. That is ReLU; a maximum may be negative, and its pixel "
    "gets the gradient all the same."
)
def nothing_below_nought(grad_outputs, inputs, pool_size):
    return np.where(inputs > 0, _max_pool2d_backward(grad_outputs, inputs, pool_size), 0)


@BANK.mistake(
    "The sign of the gradient seems to be lost. A negative gradient says that the loss falls when "
    "the winner rises."
)
def sign_lost(grad_outputs, inputs, pool_size):
    return _max_pool2d_backward(np.abs(grad_outputs), inputs, pool_size)


@BANK.mistake(
    "One winner seems to be taken for all channels of a window. Each channel is pooled on its own "
    "and has a winner of its own."
)
def one_winner_for_all_channels(grad_outputs, inputs, pool_size):
    same = np.repeat(np.asarray(inputs)[..., :1], inputs.shape[-1], axis=-1)
    return _max_pool2d_backward(grad_outputs, same, pool_size)


@BANK.mistake(
    "Rows and columns that no window reached are missing. The gradient has the shape of the inputs."
)
def leftovers_cut(grad_outputs, inputs, pool_size):
    rows, columns = (side * pool_size for side in np.shape(grad_outputs)[1:3])
    return _max_pool2d_backward(grad_outputs, inputs, pool_size)[:, :rows, :columns]


@BANK.mistake(
    "All channels of a window seem to share one winner, the pixel with the largest number of any "
    "channel. Each map is pooled by itself, so each channel has a winner of its own."
)
def one_winner_among_all_channels(grad_outputs, inputs, pool_size):
    strongest = np.asarray(inputs, float).max(axis=3, keepdims=True)
    of_one = ops.max_pool2d_backward(np.ones((*grad_outputs.shape[:3], 1)), strongest, pool_size)
    return of_one * _spread(grad_outputs, inputs, pool_size)


@BANK.mistake(
    "The leftover rows and columns seem to lie at the top and the left. The windows begin at the "
    "first pixel, so what is left over lies at the end."
)
def leftovers_first(grad_outputs, inputs, pool_size):
    gradient = np.zeros(np.shape(inputs))
    top, left = (side % pool_size for side in np.shape(inputs)[1:3])
    gradient[:, top:, left:] = _max_pool2d_backward(grad_outputs, inputs[:, top:, left:], pool_size)
    return gradient
