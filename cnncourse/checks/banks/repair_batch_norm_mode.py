"""``repair_batch_norm_mode`` of lesson 13, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse import ops
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values

# --- mode of batch normalization ---------------------------------------------------------------


def _normalized(inputs, mean, variance, epsilon):
    return (inputs - mean) / np.sqrt(variance + epsilon)


def _repair_batch_norm_mode(inputs, moving_mean, moving_variance, epsilon, training):
    if training:
        return _normalized(inputs, *ops.batch_moments(inputs), epsilon)
    return _normalized(inputs, moving_mean, moving_variance, epsilon)


def _mode_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(15)
    tiny = np.array([1.0, 3.0]).reshape(1, 1, 2, 1)
    for training in (False, True):
        yield tiny, np.array([1.0]), np.array([4.0]), 0.0, training
        yield (
            rng.normal(2, 3, (3, 2, 2, 2)),
            np.array([1.0, 0.5]),
            np.array([4.0, 0.25]),
            0.1,
            training,
        )
        yield rng.normal(0, 1, (4, 3, 3, 3)), np.zeros(3), np.array([0.5, 1, 2]), 1e-3, training
        yield (
            np.array([0.0, 2.0, 5.0], np.float32).reshape(1, 3, 1, 1),
            np.array([-3.0], np.float32),
            np.array([2.0], np.float32),
            0.5,
            training,
        )
        yield (
            rng.normal(0, 1, (2, 4, 3, 2)),
            np.array([5.0, 2.0]),
            np.array([0.5, 2]),
            0.1,
            training,
        )


BANK = Bank(
    "repair_batch_norm_mode",
    "13",
    _repair_batch_norm_mode,
    _mode_cases,
    Values(),
    axes={"inputs": "bhwc", "moving_mean": "c", "moving_variance": "c", "answer": "bhwc"},
)
BANK.help(
    idea=("In training the batch speaks for itself, at inference the stored moments do."),
    section="Patient 3:",
    step=(
        "Choose mean and variance first, by `training`, both from one source; the formula "
        "behind is the same."
    ),
)


@BANK.mistake(
    "This is still the patient: the moments of the batch are used whatever `training` says, so an "
    "image's answer depends on its neighbours."
)
def always_the_batch(inputs, moving_mean, moving_variance, epsilon, training):
    return _repair_batch_norm_mode(inputs, moving_mean, moving_variance, epsilon, True)


@BANK.mistake(
    "The stored moments seem to be used in training too. There the batch's own are wanted."
)
def always_the_stored(inputs, moving_mean, moving_variance, epsilon, training):
    return _repair_batch_norm_mode(inputs, moving_mean, moving_variance, epsilon, False)


@BANK.mistake(
    "The two modes seem to be swapped: batch moments at inference, stored ones in training."
)
def modes_swapped(inputs, moving_mean, moving_variance, epsilon, training):
    return _repair_batch_norm_mode(inputs, moving_mean, moving_variance, epsilon, not training)


@BANK.mistake(
    "At inference the mean is the stored one, but the variance still comes from the batch. Both "
    "are stored."
)
def stored_mean_batch_variance(inputs, moving_mean, moving_variance, epsilon, training):
    mean, variance = ops.batch_moments(inputs)
    return _normalized(inputs, mean if training else moving_mean, variance, epsilon)


@BANK.mistake("It seems to divide by the variance. A spread is its root.")
def no_root(inputs, moving_mean, moving_variance, epsilon, training):
    mean, variance = ops.batch_moments(inputs) if training else (moving_mean, moving_variance)
    return (inputs - mean) / (variance + epsilon)


@BANK.mistake(
    "At inference nothing seems to be normalized. Every layer behind was trained on normalized "
    "numbers; give it those."
)
def inference_left_out(inputs, moving_mean, moving_variance, epsilon, training):
    if training:
        return _repair_batch_norm_mode(inputs, moving_mean, moving_variance, epsilon, True)
    return np.array(inputs)


@BANK.mistake(
    "Only the mean seems to be divided by the root: a division goes before a subtraction. Put the "
    "difference into brackets."
)
def brackets_missing(inputs, moving_mean, moving_variance, epsilon, training):
    moments = ops.batch_moments(inputs) if training else (moving_mean, moving_variance)
    with np.errstate(all="ignore"):
        return inputs - moments[0] / np.sqrt(moments[1] + epsilon)


@BANK.mistake(
    "In training each place of the map seems to get moments of its own, over the batch alone. "
    "Wanted is one pair for each channel, over rows and columns, too."
)
def moments_of_each_place(inputs, moving_mean, moving_variance, epsilon, training):
    if not training:
        return _normalized(inputs, moving_mean, moving_variance, epsilon)
    return _normalized(inputs, np.mean(inputs, axis=0), np.var(inputs, axis=0), epsilon)


@BANK.mistake(
    "In training each image seems to get moments of its own. Wanted is one pair for each channel, "
    "over the whole batch."
)
def moments_of_each_image(inputs, moving_mean, moving_variance, epsilon, training):
    if not training:
        return _normalized(inputs, moving_mean, moving_variance, epsilon)
    mean, variance = (f(inputs, axis=(1, 2), keepdims=True) for f in (np.mean, np.var))
    return _normalized(inputs, mean, variance, epsilon)


@BANK.mistake(
    "In training the variance seems to be taken within each image, and averaged over the images. "
    "That leaves out how far the images lie apart; take it over images, rows and columns at once."
)
def mean_of_the_images_variances(inputs, moving_mean, moving_variance, epsilon, training):
    if training:
        variance = np.mean(np.var(inputs, axis=(1, 2)), axis=0)
        return _normalized(inputs, ops.batch_moments(inputs)[0], variance, epsilon)
    return _normalized(inputs, moving_mean, moving_variance, epsilon)
