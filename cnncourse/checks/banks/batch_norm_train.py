"""``batch_norm_train`` of lesson 04, and the mistakes that people make in it."""

from __future__ import annotations

import numpy as np

from cnncourse.checks.banks._normalization import (
    ALL_BUT_CHANNELS,
    batches,
    enter_wrong_divisions,
    normalize,
    train,
)
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _batch_norm_train(inputs, gamma, beta, epsilon):
    return train(inputs, gamma, beta, epsilon)


BANK = Bank(
    "batch_norm_train",
    "04",
    _batch_norm_train,
    lambda: batches(7),
    Values(("outputs", "mean", "variance")),
    axes={
        "inputs": "bhwc",
        "gamma": "c",
        "beta": "c",
        "outputs": "bhwc",
        "mean": "c",
        "variance": "c",
    },
)
BANK.help(
    idea=("One mean and one variance for each channel, over everything else."),
    section="One layer, by hand",
    step=(
        "Which axes go away, and which one stays? Take both moments over these axes, subtract, "
        "divide by the root of variance plus epsilon, scale by gamma, add beta. The variance "
        "goes out as it was before epsilon."
    ),
)


enter_wrong_divisions(BANK, train)


@BANK.mistake(
    "Each place of the map seems to get a mean and a variance of its own: they are taken over the "
    "batch alone. Wanted is one pair per channel; a pattern counts the same wherever it is."
)
def moments_over_the_batch_alone(inputs, gamma, beta, epsilon):
    return train(inputs, gamma, beta, epsilon, axes=(0,))


@BANK.mistake(
    "Each image seems to get moments of its own. That is instance normalization; wanted is one "
    "pair per channel for the whole batch."
)
def moments_of_each_image(inputs, gamma, beta, epsilon):
    return train(inputs, gamma, beta, epsilon, axes=(1, 2), keep=True)


@BANK.mistake(
    "All channels seem to share one mean and one variance. Wanted is one pair for each channel."
)
def one_pair_for_all_channels(inputs, gamma, beta, epsilon):
    return train(inputs, gamma, beta, epsilon, axes=(0, 1, 2, 3))


@BANK.mistake(
    "The moments seem to be taken over the channels of each pixel. Wanted is the other way round: "
    "over everything but the channels."
)
def moments_over_the_channels(inputs, gamma, beta, epsilon):
    return train(inputs, gamma, beta, epsilon, axes=(3,), keep=True)


@BANK.mistake(
    "The variance seems to be divided by n - 1. Wanted is n, the number of values themselves."
)
def variance_of_a_sample(inputs, gamma, beta, epsilon):
    return train(inputs, gamma, beta, epsilon, ddof=1)


@BANK.mistake(
    "The values are right, but mean and variance have leftover axes of length 1. Wanted is the "
    "shape (channels,)."
)
def moments_not_one_dimensional(inputs, gamma, beta, epsilon):
    return train(inputs, gamma, beta, epsilon, keep=True)


@BANK.mistake(
    "The variance comes back with epsilon added. Epsilon belongs to the division alone; the "
    "moving average must not collect it."
)
def variance_with_epsilon(inputs, gamma, beta, epsilon):
    outputs, mean, variance = train(inputs, gamma, beta, epsilon)
    return outputs, mean, variance + epsilon


@BANK.mistake(
    "The third answer seems to be the standard deviation. Wanted is the variance, its square."
)
def deviation_in_place_of_the_variance(inputs, gamma, beta, epsilon):
    outputs, mean, variance = train(inputs, gamma, beta, epsilon)
    return outputs, mean, np.sqrt(variance)


@BANK.mistake("Gamma and beta seem to have changed places: gamma scales, beta is added.")
def gamma_and_beta_exchanged(inputs, gamma, beta, epsilon):
    return train(inputs, beta, gamma, epsilon)


@BANK.mistake("The outputs are normalized, but gamma and beta seem to play no part.")
def gamma_and_beta_forgotten(inputs, gamma, beta, epsilon):
    return train(inputs, 1, 0, epsilon)


@BANK.mistake("Beta seems to be added before gamma scales. Wanted is scale first, then offset.")
def beta_scaled_as_well(inputs, gamma, beta, epsilon):
    return train(inputs, gamma, gamma * beta, epsilon)


@BANK.mistake(
    "With images of whole numbers (uint8) the squares seem to wrap around: 20 · 20 becomes 144 "
    "there. Mind the type before you square."
)
def squares_of_uint8(inputs, gamma, beta, epsilon):
    if inputs.dtype != np.uint8:
        return train(inputs, gamma, beta, epsilon)
    mean = inputs.mean(axis=ALL_BUT_CHANNELS)
    variance = (inputs**2).mean(axis=ALL_BUT_CHANNELS) - mean**2
    return normalize(inputs, gamma, beta, mean, variance, epsilon), mean, variance


@BANK.mistake(
    "Only the mean seems to be divided by the root: a division goes before a subtraction. Put the "
    "difference into brackets."
)
def brackets_missing(inputs, gamma, beta, epsilon):
    _, mean, variance = train(inputs, gamma, beta, epsilon)
    return gamma * (inputs - mean / np.sqrt(variance + epsilon)) + beta, mean, variance


@BANK.mistake(
    "The variance seems to be taken within each image, and averaged over the images. That leaves "
    "out how far the images lie apart; take it over images, rows and columns at once."
)
def mean_of_the_images_variances(inputs, gamma, beta, epsilon):
    mean = np.mean(inputs, axis=ALL_BUT_CHANNELS)
    variance = np.mean(np.var(inputs, axis=(1, 2)), axis=0)
    return normalize(inputs, gamma, beta, mean, variance, epsilon), mean, variance
