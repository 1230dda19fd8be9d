"""Batch normalization with each of its parts exchangeable, and inputs for it.

Most mistakes are one formula with one of its parts changed, so the formula stands here once.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

ALL_BUT_CHANNELS = (0, 1, 2)


def divide(centred, variance, epsilon):
    return centred / np.sqrt(variance + epsilon)


def normalize(inputs, gamma, beta, mean, variance, epsilon, *, divide=divide):
    return gamma * divide(inputs - mean, variance, epsilon) + beta


def outside_the_root(centred, variance, epsilon):
    return centred / (np.sqrt(variance) + epsilon)


def without_a_root(centred, variance, epsilon):
    return centred / (variance + epsilon)


def without_epsilon(centred, variance, epsilon):
    return centred / np.sqrt(variance)


def multiply(centred, variance, epsilon):
    return centred * np.sqrt(variance + epsilon)


# The same slips are made in training, at inference and in folding.
_DIVISIONS = (
    (
        "epsilon_outside_the_root",
        "Epsilon seems to be added to the standard deviation, outside of the root. Wanted is under "
        "it, beside the variance.",
        outside_the_root,
    ),
    (
        "divided_by_the_variance",
        "It seems to divide by the variance. Wanted is the standard deviation, in the units of the "
        "inputs.",
        without_a_root,
    ),
    (
        "epsilon_forgotten",
        "Epsilon seems to play no part. It keeps the division harmless when a channel hardly "
        "varies.",
        without_epsilon,
    ),
    (
        "multiplied_by_the_deviation",
        "It seems to multiply by the standard deviation. That spreads the values further; "
        "normalizing brings them to a spread of 1.",
        multiply,
    ),
)


def enter_wrong_divisions(bank, formula):
    """Enter the slips of the division, for a formula that takes ``divide`` as well."""
    for name, hint, wrong in _DIVISIONS:
        bank.mistake(hint, name=name)(functools.partial(formula, divide=wrong))


def train(inputs, gamma, beta, epsilon, *, axes=ALL_BUT_CHANNELS, keep=False, ddof=0, **change):
    mean = np.mean(inputs, axis=axes, keepdims=True)
    variance = np.var(inputs, axis=axes, ddof=ddof, keepdims=True)
    outputs = normalize(inputs, gamma, beta, mean, variance, epsilon, **change)
    if not keep:
        mean, variance = np.squeeze(mean, axes), np.squeeze(variance, axes)
    return outputs, mean, variance


def parameters(rng, channels):
    return rng.normal(1.5, 0.3, channels), rng.normal(0, 2, channels)


def batches(seed) -> Iterator[tuple]:
    """(inputs, gamma, beta, epsilon), the first two easy to follow by hand."""
    rng = np.random.default_rng(seed)
    plain = np.array([1.0, 3.0]).reshape(2, 1, 1, 1)
    yield plain, np.array([2.0]), np.array([5.0]), 3.0
    yield (
        np.array([[0.0, 10.0], [4.0, 30.0]]).reshape(1, 2, 1, 2),
        np.array([1.0, 3.0]),
        np.array([0.0, 2.0]),
        0.5,
    )
    for shape in [(3, 1, 2, 2), (2, 3, 2, 3), (4, 3, 3, 2)]:
        yield rng.normal(2, 3, shape), *parameters(rng, shape[3]), 0.25
    gamma, beta = parameters(rng, 3)
    inputs = rng.normal(1, 2, (2, 4, 3, 3)).astype(np.float32)
    yield inputs, gamma.astype(np.float32), beta.astype(np.float32), 0.1
    yield rng.integers(0, 256, (3, 4, 4, 3), dtype=np.uint8), gamma, beta, 50.0
