"""``global_average_pool2d`` of lesson 05, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank


def _global_average_pool2d(inputs):
    return np.mean(inputs, axis=(1, 2), dtype=float)


def _global_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(12)
    yield (np.array([[1.0, 2.0], [3.0, -8.0]]).reshape(1, 2, 2, 1),)
    yield (np.array([[1.0, 5.0], [2.0, 8.0]]).reshape(1, 2, 1, 2),)
    for shape in [(2, 2, 3, 1), (2, 3, 3, 2), (3, 4, 5, 4), (2, 1, 1, 3)]:
        yield (rng.normal(1, 3, shape),)
    yield (rng.normal(size=(2, 5, 3, 2)).astype(np.float32),)
    yield (rng.integers(0, 256, (2, 5, 4, 3), dtype=np.uint8),)


BANK = Bank(
    "global_average_pool2d",
    "05",
    _global_average_pool2d,
    _global_cases,
    axes={"inputs": "bhwc", "answer": "bc"},
)
BANK.help(
    idea=("One number for each map: two axes go, two stay."),
    section="The end of the network: two heads",
    step=(
        "Of (batch, height, width, channels), which two axes run over the pixels of one map? "
        "The mean goes over these, at once."
    ),
)


@BANK.mistake(
    "The images of the batch seem to be averaged together. Each image keeps a row of its own: "
    "(batch, channels)."
)
def batch_averaged_too(inputs):
    return np.mean(inputs, axis=(0, 1, 2))


@BANK.mistake(
    "The channels seem to be averaged for each pixel. It is the other way round: one number "
    "for each channel, over all its pixels."
)
def channels_averaged(inputs):
    return np.mean(inputs, axis=3)


@BANK.mistake(
    "Each image seems to become a single number. Each channel is a map of its own, and has its "
    "own mean."
)
def one_number_for_an_image(inputs):
    return np.mean(inputs, axis=(1, 2, 3))


@BANK.mistake(
    "The values are right, but height and width are still there with length 1. Wanted is the "
    "shape (batch, channels)."
)
def axes_of_length_1_left(inputs):
    return np.mean(inputs, axis=(1, 2), keepdims=True)


@BANK.mistake("Only the height seems to be averaged. Height and width both go.")
def height_alone(inputs):
    return np.mean(inputs, axis=1)


@BANK.mistake(
    "The last two axes seem to be averaged, as if the channels came first. They come last."
)
def channels_first(inputs):
    return np.mean(inputs, axis=(2, 3))


@BANK.mistake("The pixels seem to be added and not divided by how many there are.", name="sum")
def summed(inputs):
    return np.sum(inputs, axis=(1, 2), dtype=float)


@BANK.mistake("The largest pixel of each map came out. Wanted is the mean.")
def maximum(inputs):
    return np.max(inputs, axis=(1, 2))


@BANK.mistake(
    "All pixels came out in a row. That is Flatten; wanted is one number for each channel."
)
def flattened(inputs):
    return inputs.reshape(len(inputs), -1)


@BANK.mistake("The sum seems to be divided by height + width. A map has height · width pixels.")
def mean_of_each_side(inputs):
    return np.sum(inputs, axis=(1, 2), dtype=float) / (inputs.shape[1] + inputs.shape[2])


@BANK.mistake(
    "With images of whole numbers (uint8) the sum seems to wrap around at 256. Mind the type "
    "in which you add."
)
def sum_of_uint8(inputs):
    return np.sum(inputs, axis=(1, 2), dtype=inputs.dtype) / np.float64(
        inputs.shape[1] * inputs.shape[2]
    )
