"""``average_pool2d_backward`` of lesson 06, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse import ops
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _average_pool2d_backward(grad_outputs, inputs_shape, pool_size):
    return ops.average_pool2d_backward(grad_outputs, np.zeros(inputs_shape), pool_size)


def _pool_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(15)
    yield np.array([[8.0]]).reshape(1, 1, 1, 1), (1, 2, 2, 1), 2
    yield np.array([[4.0, 12.0]]).reshape(1, 1, 2, 1), (1, 2, 4, 1), 2
    yield np.array([4.0, 8.0]).reshape(2, 1, 1, 1), (2, 2, 3, 1), 2
    for shape, pool_size in [
        ((1, 3, 3, 1), 2),
        ((2, 4, 6, 2), 2),
        ((2, 3, 4, 3), 1),
        ((2, 7, 8, 2), 3),
        ((1, 9, 5, 2), 4),
    ]:
        places = (shape[1] // pool_size, shape[2] // pool_size)
        yield rng.normal(size=(shape[0], *places, shape[3])), shape, pool_size
    yield rng.normal(size=(2, 2, 3, 1)).astype(np.float32), (2, 5, 6, 1), 2
    yield np.array([0.0, 8.0]).reshape(1, 1, 2, 1), (1, 2, 5, 1), 2


BANK = Bank(
    "average_pool2d_backward",
    "06",
    _average_pool2d_backward,
    _pool_cases,
    Values(("gradient",)),
    axes={"grad_outputs": "bpqc", "gradient": "bhwc"},
)
BANK.help(
    idea=(
        "Each pixel of a window had an equal share in its mean; it gets that share of the "
        "gradient back."
    ),
    section="Pooling and ReLU",
    step=(
        "How many pixels has a window? Each gets its gradient divided by that number. Start "
        "from zeros of the inputs' shape: what no window reached stays as it is."
    ),
)


def _spread(grad_outputs, pool_size):
    return np.repeat(np.repeat(grad_outputs, pool_size, axis=1), pool_size, axis=2)


def _leftover(inputs_shape, gradient):
    return [(0, side - there) for side, there in zip(inputs_shape, gradient.shape, strict=True)]


def _padded_back(gradient, inputs_shape, **how):
    return np.pad(gradient, _leftover(inputs_shape, gradient), **how)


@BANK.mistake(
    "Each pixel of a window seems to get the whole gradient. Each one made up only its share "
    "of the mean."
)
def not_divided(grad_outputs, inputs_shape, pool_size):
    return _padded_back(_spread(grad_outputs, pool_size), inputs_shape)


@BANK.mistake(
    "The gradient seems to be divided by the side of the window. How many pixels share it?"
)
def divided_by_one_side(grad_outputs, inputs_shape, pool_size):
    return _padded_back(_spread(grad_outputs, pool_size) / pool_size, inputs_shape)


@BANK.mistake(
    "The gradient seems to be divided by the number of pixels of the whole map. That belongs "
    "to global pooling; here a window shares it."
)
def divided_by_the_whole_map(grad_outputs, inputs_shape, pool_size):
    return _padded_back(
        _spread(grad_outputs, pool_size) / (inputs_shape[1] * inputs_shape[2]), inputs_shape
    )


@BANK.mistake(
    "The whole gradient seems to go to the first pixel of each window. All pixels took part in "
    "the mean."
)
def to_the_first_pixel(grad_outputs, inputs_shape, pool_size):
    return _padded_back(
        np.kron(grad_outputs, np.eye(1, pool_size**2).reshape(1, pool_size, pool_size, 1)),
        inputs_shape,
    )


@BANK.mistake(
    "Rows and columns that no window reached seem to get the gradient of their neighbours. "
    "They changed no output: their gradient is 0."
)
def leftovers_from_their_neighbours(grad_outputs, inputs_shape, pool_size):
    return _padded_back(_spread(grad_outputs, pool_size) / pool_size**2, inputs_shape, mode="edge")


@BANK.mistake(
    "Rows and columns that no window reached are missing. The gradient has the shape of the inputs."
)
def leftovers_cut(grad_outputs, inputs_shape, pool_size):
    return _spread(grad_outputs, pool_size) / pool_size**2


@BANK.mistake(
    "The leftover rows and columns seem to lie at the top and the left. The windows begin at "
    "the first pixel, so what is left over lies at the end."
)
def leftovers_first(grad_outputs, inputs_shape, pool_size):
    return np.pad(
        _spread(grad_outputs, pool_size) / pool_size**2,
        [pair[::-1] for pair in _leftover(inputs_shape, _spread(grad_outputs, pool_size))],
    )


@BANK.mistake(
    "The map of gradients seems to be laid out again and again, as tiles. Each gradient "
    "belongs to the pixels of its own window, which lie side by side."
)
def tiled(grad_outputs, inputs_shape, pool_size):
    return _padded_back(
        np.tile(grad_outputs, (1, pool_size, pool_size, 1)) / pool_size**2, inputs_shape
    )


@BANK.mistake(
    "The gradient seems to be divided by the number of images too. Each image keeps its own."
)
def averaged_over_the_batch(grad_outputs, inputs_shape, pool_size):
    return _padded_back(
        _spread(grad_outputs, pool_size) / pool_size**2 / len(grad_outputs), inputs_shape
    )


@BANK.mistake("The gradient seems to be multiplied by the number of pixels. They share it.")
def multiplied(grad_outputs, inputs_shape, pool_size):
    return _padded_back(_spread(grad_outputs, pool_size) * pool_size**2, inputs_shape)


@BANK.mistake(
    "The gradients seem to be stretched until they fill the whole image. A window keeps its size: "
    "rows and columns that no window reached changed no output, and get 0."
)
def stretched_over_the_image(grad_outputs, inputs_shape, pool_size):
    _, height, width, _ = inputs_shape
    _, rows, columns, _ = grad_outputs.shape
    stretched = grad_outputs[:, np.arange(height) * rows // height]
    return stretched[:, :, np.arange(width) * columns // width] / pool_size**2
