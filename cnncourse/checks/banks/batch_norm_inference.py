"""``batch_norm_inference`` of lesson 04, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.banks._normalization import (
    ALL_BUT_CHANNELS,
    batches,
    enter_wrong_divisions,
    normalize,
    train,
)
from cnncourse.checks.engine import Bank


def _batch_norm_inference(inputs, gamma, beta, moving_mean, moving_variance, epsilon):
    return normalize(inputs, gamma, beta, moving_mean, moving_variance, epsilon)


def _inference_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(9)
    for inputs, gamma, beta, epsilon in batches(9):
        channels = inputs.shape[3]
        moving_mean, moving_variance = rng.normal(1, 2, channels), rng.uniform(2, 9, channels)
        if channels == 1:
            moving_mean, moving_variance = np.array([7.0]), np.array([6.0])
        if channels == 2:
            moving_mean[0] = 0
        if inputs.dtype == np.float32:
            moving_mean, moving_variance = np.float32(moving_mean), np.float32(moving_variance)
        yield inputs, gamma, beta, moving_mean, moving_variance, epsilon


BANK = Bank(
    "batch_norm_inference",
    "04",
    _batch_norm_inference,
    _inference_cases,
    axes={
        "inputs": "bhwc",
        "gamma": "c",
        "beta": "c",
        "moving_mean": "c",
        "moving_variance": "c",
        "answer": "bhwc",
    },
)
BANK.help(
    idea=("The same formula as in training, but the moments are given and not taken."),
    section="Training and inference",
    step=(
        "Nothing is averaged here. Subtract the moving mean, divide by the root of the moving "
        "variance plus epsilon, scale, and move."
    ),
)


enter_wrong_divisions(BANK, normalize)


@BANK.mistake(
    "The moments of these very inputs seem to be used, as in training. Then the answer for an "
    "image depends on its neighbours in the batch; wanted are the moving ones."
)
def moments_of_this_batch(inputs, gamma, beta, mean, variance, epsilon):
    return train(inputs, gamma, beta, epsilon)[0]


@BANK.mistake("The mean is the moving one, but the variance seems to be that of these very inputs.")
def variance_of_this_batch(inputs, gamma, beta, mean, variance, epsilon):
    return normalize(inputs, gamma, beta, mean, np.var(inputs, axis=ALL_BUT_CHANNELS), epsilon)


@BANK.mistake("Gamma and beta seem to have changed places: gamma scales, beta is added.")
def gamma_and_beta_exchanged(inputs, gamma, beta, *rest):
    return normalize(inputs, beta, gamma, *rest)


@BANK.mistake("The outputs are normalized, but gamma and beta seem to play no part.")
def gamma_and_beta_forgotten(inputs, gamma, beta, *rest):
    return normalize(inputs, 1, 0, *rest)


@BANK.mistake("Beta seems to be added before gamma scales. Wanted is scale first, then offset.")
def beta_scaled_as_well(inputs, gamma, beta, *rest):
    return normalize(inputs, gamma, gamma * beta, *rest)


@BANK.mistake(
    "The moving mean seems to be added. Normalizing moves the values to 0: it has to go away."
)
def mean_added(inputs, gamma, beta, mean, *rest):
    return normalize(inputs, gamma, beta, -mean, *rest)


@BANK.mistake("The moving mean seems to play no part.")
def mean_forgotten(inputs, gamma, beta, mean, *rest):
    return normalize(inputs, gamma, beta, 0 * mean, *rest)


@BANK.mistake("Mean and variance seem to have changed places.")
def mean_and_variance_exchanged(inputs, gamma, beta, mean, variance, epsilon):
    return normalize(inputs, gamma, beta, variance, mean, epsilon)


@BANK.mistake(
    "Only the mean seems to be divided by the root: a division goes before a subtraction. Put the "
    "difference into brackets."
)
def brackets_missing(inputs, gamma, beta, mean, variance, epsilon):
    return gamma * (inputs - mean / np.sqrt(variance + epsilon)) + beta
