"""``repair_double_softmax`` of lesson 13, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.banks._softmax import softmax
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values

# --- double softmax ----------------------------------------------------------------------------


def _repair_double_softmax(probabilities, labels):
    chosen = np.asarray(probabilities, float)[np.arange(len(labels)), labels]
    return float(-np.log(chosen).mean())


def _loss_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(14)
    yield np.array([[0.5, 0.25, 0.25]]), np.array([1])
    yield np.array([[0.8, 0.1, 0.1], [0.2, 0.2, 0.6]]), np.array([0, 0])
    yield softmax(rng.normal(size=(6, 4))), rng.integers(0, 4, 6)
    labels = np.array([17, 3, 16, 0, 9], np.uint8)
    yield softmax(rng.normal(0, 3, (5, 18))).astype(np.float32), labels


BANK = Bank(
    "repair_double_softmax",
    "13",
    _repair_double_softmax,
    _loss_cases,
    Values(),
    axes={"probabilities": "nk", "labels": "n"},
)
BANK.help(
    idea=("The numbers are probabilities already."),
    section="Patient 2:",
    step=(
        "Pick the probability of the true class in each row, take the logarithm, then the mean, "
        "then the sign."
    ),
)


@BANK.mistake(
    "This is still the patient: softmax is taken of numbers that are probabilities already."
)
def softmax_again(probabilities, labels):
    return _repair_double_softmax(softmax(probabilities), labels)


@BANK.mistake(
    "The loss seems to be a sum over the images. Wanted is the mean, so that it does not grow with "
    "the batch."
)
def sum_of_the_losses(probabilities, labels):
    return _repair_double_softmax(probabilities, labels) * len(labels)


@BANK.mistake(
    "The minus sign seems to be missing: the logarithm of a probability is negative, a loss is not."
)
def no_minus(probabilities, labels):
    return -_repair_double_softmax(probabilities, labels)


@BANK.mistake(
    "This is the loss of the most probable class, whatever the label says. Wanted is the "
    "probability that the true class was given."
)
def of_the_answer(probabilities, labels):
    return _repair_double_softmax(probabilities, np.argmax(probabilities, axis=1))


@BANK.mistake(
    "The probabilities seem to be averaged before the logarithm is taken. Each image has a "
    "loss of its own; average those."
)
def logarithm_of_the_mean(probabilities, labels):
    chosen = np.asarray(probabilities, float)[np.arange(len(labels)), labels]
    return float(-np.log(chosen.mean()))


@BANK.mistake(
    "The logarithm seems to be the one to the base 2. Keras and the lesson take the natural one."
)
def logarithm_to_base_two(probabilities, labels):
    return _repair_double_softmax(probabilities, labels) / np.log(2)
