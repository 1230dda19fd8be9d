"""``repair_channel_order`` of lesson 13, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values

# --- channels first ----------------------------------------------------------------------------


def _repair_channel_order(images):
    return np.moveaxis(images, 1, 3)


def _channel_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(17)
    yield (np.arange(8.0).reshape(1, 2, 2, 2),)
    yield (np.arange(12).reshape(1, 3, 2, 2),)
    yield (rng.integers(0, 256, (2, 3, 4, 5), dtype=np.uint8),)
    yield (rng.normal(size=(3, 1, 3, 2)),)
    yield (np.arange(6, dtype=np.float32).reshape(2, 3, 1, 1),)
    yield (rng.normal(size=(1, 2, 1, 4)),)


BANK = Bank(
    "repair_channel_order",
    "13",
    _repair_channel_order,
    _channel_cases,
    Values(),
    axes={"images": "bchw", "answer": "bhwc"},
)
BANK.help(
    idea=("An axis has to move; cutting the same row of numbers in another way does not move it."),
    section="Patient 5:",
    step=(
        "Which place should axis 0 of the answer come from, which axis 1, axis 2, axis 3? Write "
        "down the four numbers."
    ),
)


@BANK.mistake(
    "This is still the patient: reshape keeps the numbers in the order in which they lie in "
    "memory, and only cuts them up in another way. The axis itself has to move."
)
def reshaped(images):
    batch, channels, height, width = images.shape
    return images.reshape(batch, height, width, channels)


@BANK.mistake("Height and width seem to be swapped as well: the picture lies on its side.")
def height_and_width_swapped(images):
    return images.transpose(0, 3, 2, 1)


@BANK.mistake("All axes seem to be turned round, the batch too (`.T`). The batch stays in front.")
def all_axes_reversed(images):
    return images.T


@BANK.mistake("The channels come last, but in reverse order: red and blue change places.")
def channels_reversed(images):
    return _repair_channel_order(images)[..., ::-1]


@BANK.mistake(
    "The channels seem to have moved one place only. They go behind height and behind width."
)
def channels_in_the_middle(images):
    return images.transpose(0, 2, 1, 3)


@BANK.mistake("The images come back as they were: channels first.")
def unchanged(images):
    return images.copy()
