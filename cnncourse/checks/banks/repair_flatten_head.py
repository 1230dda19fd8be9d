"""``repair_flatten_head`` of lesson 13, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.banks._softmax import softmax
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values

# --- Flatten head ------------------------------------------------------------------------------


def _repair_flatten_head(maps):
    return softmax(np.mean(np.asarray(maps, float), axis=(1, 2)))


def _head_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(19)
    yield (np.array([0.0, 2.0, 4.0, 0.0]).reshape(1, 1, 2, 2),)
    yield (rng.normal(size=(2, 1, 1, 3)),)
    yield (rng.normal(0, 3, (2, 2, 2, 3)),)
    yield (rng.normal(0, 2, (3, 3, 2, 4)).astype(np.float32),)


BANK = Bank(
    "repair_flatten_head",
    "13",
    _repair_flatten_head,
    _head_cases,
    Values(),
    axes={"maps": "bhwk", "answer": "bk"},
)
BANK.help(
    idea=("One number for each class, whatever the size of the map."),
    section="Patient 8:",
    step=(
        "Average the scores of each class over rows and columns first. The softmax comes last, "
        "in each row."
    ),
)


@BANK.mistake(
    "This is still the patient: the places are laid in a row, and there are as many outputs as "
    "places times classes."
)
def flattened(maps):
    return softmax(np.asarray(maps, float).reshape(len(maps), -1))


@BANK.mistake(
    "Only the place in the upper left seems to count. The others saw the rest of the picture."
)
def upper_left_place(maps):
    return softmax(np.asarray(maps, float)[:, 0, 0])


@BANK.mistake(
    "This is the sum over the places. It grows with the picture, and softmax of larger scores is "
    "surer; the mean does not."
)
def summed(maps):
    return softmax(np.asarray(maps, float).sum(axis=(1, 2)))


@BANK.mistake("This is the largest score of each map. Wanted is the mean, as in simple_CNN.")
def largest(maps):
    return softmax(np.asarray(maps, float).max(axis=(1, 2)))


@BANK.mistake(
    "Softmax seems to come before the mean, at each place. Average the scores first, as the "
    "network's layers stand: global average, then softmax."
)
def softmax_before_the_mean(maps):
    return softmax(maps).mean(axis=(1, 2))


@BANK.mistake("The scores are averaged, and softmax is missing: the outputs do not sum to 1.")
def no_softmax(maps):
    return np.asarray(maps, float).mean(axis=(1, 2))


@BANK.mistake("Softmax seems to run over the images of the batch. Each image's outputs sum to 1.")
def softmax_over_the_batch(maps):
    return softmax(np.asarray(maps, float).mean(axis=(1, 2)), axis=0)
