"""``relu`` of lesson 03, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank


def _relu(inputs):
    return np.maximum(inputs, 0)


def _relu_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(5)
    yield (np.array([-2.0, 3.0]),)
    yield (np.array([-2.0, 0.5, 3.0]),)
    yield (np.array([-1.0, 9.0]),)
    yield (np.array([[-1.0, -0.25], [-4.0, -8.0]]),)
    yield (np.array([[0.0, 0.1, 1.0], [9.0, -0.1, -9.0]], np.float32),)
    yield (np.array([[-3, 0, 2], [7, -1, 12]]),)
    yield (np.array([0, 1, 127, 128, 200, 255, 3], np.uint8),)
    yield (rng.normal(0, 5, (3, 4)),)
    yield (rng.normal(0, 5, (2, 3, 3, 2)),)
    yield (rng.normal(0, 5, (2, 4, 3, 2)).astype(np.float32),)


BANK = Bank("relu", "03", _relu, _relu_cases)
BANK.help(
    idea=("Each number is judged by itself: above 0 it stays, else it becomes 0."),
    section="Keep what was found",
    step=(
        "Compare every number with 0 and take the larger of the two, into a new array: the "
        "inputs stay as they are."
    ),
)


@BANK.mistake(
    "Negative numbers seem to lose their sign. Wanted is that they become 0: the map says that "
    "nothing was found there."
)
def absolute_value(inputs):
    return np.abs(inputs)


@BANK.mistake(
    "The negative numbers stay and the positive ones become 0. It is the other way round."
)
def negative_part(inputs):
    return np.minimum(inputs, 0)


@BANK.mistake(
    "A small share of the negative numbers (a hundredth) comes through. That is a leaky ReLU; "
    "wanted is 0 for all of them."
)
def leaky(inputs):
    return np.where(inputs > 0, inputs, 0.01 * inputs)


@BANK.mistake(
    "Every positive number seems to become 1. The ReLU keeps how strong an activation is."
)
def step(inputs):
    return (inputs > 0).astype(float)


@BANK.mistake("Large numbers seem to be cut at 1. The ReLU has no upper end.")
def cut_at_1(inputs):
    return np.clip(inputs, 0, 1)


@BANK.mistake("Large numbers seem to be cut at 6. That is ReLU6; wanted is no upper end.")
def cut_at_6(inputs):
    return np.clip(inputs, 0, 6)


@BANK.mistake("Numbers between 0 and 1 seem to become 0 as well. The threshold is 0.")
def threshold_1(inputs):
    return np.where(inputs >= 1, inputs, 0)


@BANK.mistake(
    "All numbers seem to be moved up until the smallest is 0. Wanted is that each one is judged by "
    "its own sign, and positive ones stay as they are."
)
def moved_up(inputs):
    return inputs - np.min(inputs)


@BANK.mistake(
    "A smooth curve came out, the logarithm of 1 + exp(x). That is the softplus; the ReLU has a "
    "corner at 0."
)
def softplus(inputs):
    return np.logaddexp(0.0, inputs)


@BANK.mistake(
    "Values between 0 and 1 came out along an S-shaped curve. That is the sigmoid; the ReLU leaves "
    "positive numbers as they are."
)
def sigmoid(inputs):
    return 1 / (1 + np.exp(-np.asarray(inputs, float)))


@BANK.mistake(
    "The negative numbers seem to be taken out, and the rest moves together. Each number keeps its "
    "place: the answer has the shape of the inputs."
)
def negative_taken_out(inputs):
    return inputs[inputs > 0]


@BANK.mistake(
    "With whole numbers (uint8) a sum seems to wrap around: 200 + 200 becomes 144 there. Mind the "
    "type before you add."
)
def sum_of_uint8(inputs):
    if inputs.dtype != np.uint8:
        return _relu(inputs)
    return (inputs + inputs) / 2
