"""``softmax_cross_entropy`` of lesson 07, and the mistakes that people make in it."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _log_softmax(logits):
    scores = np.asarray(logits, float)
    scores = scores - scores.max(axis=1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def _softmax_cross_entropy(logits, labels):
    return float(-_log_softmax(logits)[np.arange(len(labels)), labels].mean())


def _loss_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(7)
    yield np.array([[0.0, 0.0]]), np.array([1])
    yield np.array([[2.0, 0.0, 1.0]]), np.array([0])
    yield np.array([[1000.0, 0.0]]), np.array([1])
    yield np.array([[1.0, 3.0], [0.5, -2.0], [0.0, 1.0]]), np.array([0, 0, 1])
    yield np.array([[-900.0, -1000.0], [3.0, 5.0]]), np.array([0, 0])
    yield rng.normal(0, 2, (6, 4)), rng.integers(0, 4, 6)
    labels = np.array([17, 3, 16, 0, 9, 1, 17, 5, 2], np.uint8)
    yield rng.normal(0, 1, (9, 18)).astype(np.float32), labels


BANK = Bank(
    "softmax_cross_entropy",
    "07",
    _softmax_cross_entropy,
    _loss_cases,
    Values(),
    axes={"logits": "nk", "labels": "n"},
)
BANK.help(
    idea=(
        "The loss of an image is the logarithm of a sum of exponentials, less the score of the "
        "true class. No probability is needed on the way."
    ),
    section="Scores, probabilities, loss",
    step=(
        "Take the largest score of each row off the row: the loss does not change by that, and "
        "no exponential gets too large. Do not take the logarithm of a share; write it as a "
        "difference."
    ),
)


@BANK.mistake(
    "For large scores the answer is no number: exp(1000) is too large for the machine. Softmax "
    "stays the same when the largest score is taken off all of them first, and the logarithm "
    "can be taken by hand instead of undoing an exponential."
)
def overflow(logits, labels):
    powers = np.exp(np.asarray(logits, float))
    shares = powers / powers.sum(axis=1, keepdims=True)
    return float(-np.log(shares[np.arange(len(labels)), labels]).mean())


@BANK.mistake(
    "The largest score is taken off, and a share that is too small still becomes 0, whose "
    "logarithm is infinite. Do not take the logarithm of an exponential: log(exp(s) / sum) is s "
    "less the logarithm of the sum."
)
def logarithm_of_zero(logits, labels):
    shares = np.exp(_log_softmax(logits))
    return float(-np.log(shares[np.arange(len(labels)), labels]).mean())


def _cut_at(smallest, logits, labels):
    shares = np.exp(_log_softmax(logits))[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(shares, smallest)).mean())


for _smallest in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15):
    BANK.mistake(
        "A share that is too small seems to be cut at a small number before the logarithm. Then a "
        f"label with the scores (1000, 0) costs {-np.log(_smallest):.0f} or so, where it costs "
        "1000.",
        name=f"cut_at_{_smallest:g}",
    )(functools.partial(_cut_at, _smallest))


@BANK.mistake(
    "This is the sum over the images. Wanted is the mean, so that it does not grow with the batch."
)
def summed(logits, labels):
    return _softmax_cross_entropy(logits, labels) * len(labels)


@BANK.mistake("The sign is the wrong one: a loss is never negative.")
def no_minus(logits, labels):
    return -_softmax_cross_entropy(logits, labels)


@BANK.mistake(
    "This is minus the score of the true class. The softmax is missing: what counts is the score "
    "against all the others."
)
def no_softmax(logits, labels):
    return float(-np.asarray(logits, float)[np.arange(len(labels)), labels].mean())


@BANK.mistake("Softmax seems to run over the images of the batch. Each image's shares sum to 1.")
def softmax_over_the_batch(logits, labels):
    turned = _log_softmax(np.asarray(logits, float).T).T
    return float(-turned[np.arange(len(labels)), labels].mean())


@BANK.mistake("This is the loss of the class with the highest score, whatever the label says.")
def of_the_answer(logits, labels):
    return _softmax_cross_entropy(logits, np.argmax(logits, axis=1))


@BANK.mistake("The logarithm seems to be the one to the base 2. Keras takes the natural one.")
def logarithm_to_base_two(logits, labels):
    return _softmax_cross_entropy(logits, labels) / np.log(2)


@BANK.mistake(
    "The mean seems to run over all classes of all images. It is one number for each image, that "
    "of its true class, and the mean of those."
)
def mean_over_classes(logits, labels):
    return _softmax_cross_entropy(logits, labels) / np.shape(logits)[1]


@BANK.mistake(
    "This is one less the probability of the true class. That is no logarithm: a network that is "
    "sure and wrong would cost hardly more than one that wavers."
)
def one_less_the_probability(logits, labels):
    return float(1 - np.exp(_log_softmax(logits))[np.arange(len(labels)), labels].mean())
