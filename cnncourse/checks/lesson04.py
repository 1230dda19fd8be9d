"""Exercises of lesson 04: batch normalization.

Each wrong implementation is a mistake that people make, with the hint that answers it. Most are
one formula with one of its parts changed, so the formula stands here once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Exercise
from cnncourse.checks.forms import Values

_ALL_BUT_CHANNELS = (0, 1, 2)


def _divide(centred, variance, epsilon):
    return centred / np.sqrt(variance + epsilon)


def _normalize(inputs, gamma, beta, mean, variance, epsilon, *, divide=_divide):
    return gamma * divide(inputs - mean, variance, epsilon) + beta


def _outside_the_root(centred, variance, epsilon):
    return centred / (np.sqrt(variance) + epsilon)


def _without_a_root(centred, variance, epsilon):
    return centred / (variance + epsilon)


def _without_epsilon(centred, variance, epsilon):
    return centred / np.sqrt(variance)


def _multiply(centred, variance, epsilon):
    return centred * np.sqrt(variance + epsilon)


# The same slips are made in training, at inference and in folding.
_DIVISIONS = (
    (
        "epsilon_outside_the_root",
        "Epsilon seems to be added to the standard deviation, outside of the root. Wanted is under "
        "it, beside the variance.",
        _outside_the_root,
    ),
    (
        "divided_by_the_variance",
        "It seems to divide by the variance. Wanted is the standard deviation, in the units of the "
        "inputs.",
        _without_a_root,
    ),
    (
        "epsilon_forgotten",
        "Epsilon seems to play no part. It keeps the division harmless when a channel hardly "
        "varies.",
        _without_epsilon,
    ),
    (
        "multiplied_by_the_deviation",
        "It seems to multiply by the standard deviation. That spreads the values further; "
        "normalizing brings them to a spread of 1.",
        _multiply,
    ),
)


def _train(inputs, gamma, beta, epsilon, *, axes=_ALL_BUT_CHANNELS, keep=False, ddof=0, **change):
    mean = np.mean(inputs, axis=axes, keepdims=True)
    variance = np.var(inputs, axis=axes, ddof=ddof, keepdims=True)
    outputs = _normalize(inputs, gamma, beta, mean, variance, epsilon, **change)
    if not keep:
        mean, variance = np.squeeze(mean, axes), np.squeeze(variance, axes)
    return outputs, mean, variance


def _batch_norm_train(inputs, gamma, beta, epsilon):
    return _train(inputs, gamma, beta, epsilon)


def _parameters(rng, channels):
    return rng.normal(1.5, 0.3, channels), rng.normal(0, 2, channels)


def _batches(seed) -> Iterator[tuple]:
    """(inputs, gamma, beta, epsilon), the first two easy to follow by hand."""
    rng = np.random.default_rng(seed)
    plain = np.array([1.0, 3.0]).reshape(2, 1, 1, 1)
    yield plain, np.array([2.0]), np.array([5.0]), 3.0
    yield (
        np.array([[0.0, 10.0], [4.0, 30.0]]).reshape(1, 2, 1, 2),
        np.array([1.0, 3.0]),
        np.array([-1.0, 2.0]),
        0.5,
    )
    for shape in [(3, 1, 2, 2), (2, 3, 2, 3), (4, 3, 3, 2)]:
        yield rng.normal(2, 3, shape), *_parameters(rng, shape[3]), 0.25
    gamma, beta = _parameters(rng, 3)
    inputs = rng.normal(1, 2, (2, 4, 3, 3)).astype(np.float32)
    yield inputs, gamma.astype(np.float32), beta.astype(np.float32), 0.1
    yield rng.integers(0, 256, (3, 4, 4, 3), dtype=np.uint8), gamma, beta, 50.0


BATCH_NORM_TRAIN = Exercise(
    "batch_norm_train",
    _batch_norm_train,
    lambda: _batches(7),
    Values(("outputs", "mean", "variance")),
)


def _wrong_train(name, hint, **change):
    def answer(inputs, gamma, beta, epsilon):
        return _train(inputs, gamma, beta, epsilon, **change)

    BATCH_NORM_TRAIN.misconception(hint, name=name)(answer)


for _name, _hint, _change in _DIVISIONS:
    _wrong_train(_name, _hint, divide=_change)

_wrong_train(
    "moments_over_the_batch_alone",
    "Each place of the map seems to get a mean and a variance of its own: they are taken over the "
    "batch alone. Wanted is one pair per channel; a pattern counts the same wherever it is.",
    axes=(0,),
)
_wrong_train(
    "moments_of_each_image",
    "Each image seems to get moments of its own. That is instance normalization; wanted is one "
    "pair per channel for the whole batch.",
    axes=(1, 2),
    keep=True,
)
_wrong_train(
    "one_pair_for_all_channels",
    "All channels seem to share one mean and one variance. Wanted is one pair for each channel.",
    axes=(0, 1, 2, 3),
)
_wrong_train(
    "moments_over_the_channels",
    "The moments seem to be taken over the channels of each pixel. Wanted is the other way round: "
    "over everything but the channels.",
    axes=(3,),
    keep=True,
)
_wrong_train(
    "variance_of_a_sample",
    "The variance seems to be divided by n - 1. Wanted is n, the number of values themselves.",
    ddof=1,
)
_wrong_train(
    "moments_not_one_dimensional",
    "The values are right, but mean and variance have leftover axes of length 1. Wanted is the "
    "shape (channels,).",
    keep=True,
)


@BATCH_NORM_TRAIN.misconception(
    "The variance comes back with epsilon added. Epsilon belongs to the division alone; the "
    "moving average must not collect it."
)
def variance_with_epsilon(inputs, gamma, beta, epsilon):
    outputs, mean, variance = _train(inputs, gamma, beta, epsilon)
    return outputs, mean, variance + epsilon


@BATCH_NORM_TRAIN.misconception(
    "The third answer seems to be the standard deviation. Wanted is the variance, its square."
)
def deviation_in_place_of_the_variance(inputs, gamma, beta, epsilon):
    outputs, mean, variance = _train(inputs, gamma, beta, epsilon)
    return outputs, mean, np.sqrt(variance)


@BATCH_NORM_TRAIN.misconception(
    "Gamma and beta seem to have changed places: gamma scales, beta is added."
)
def gamma_and_beta_exchanged(inputs, gamma, beta, epsilon):
    return _train(inputs, beta, gamma, epsilon)


@BATCH_NORM_TRAIN.misconception(
    "The outputs are normalized, but gamma and beta seem to play no part."
)
def gamma_and_beta_forgotten(inputs, gamma, beta, epsilon):
    return _train(inputs, 1, 0, epsilon)


@BATCH_NORM_TRAIN.misconception(
    "Beta seems to be added before gamma scales. Wanted is scale first, then offset."
)
def beta_scaled_as_well(inputs, gamma, beta, epsilon):
    return _train(inputs, gamma, gamma * beta, epsilon)


@BATCH_NORM_TRAIN.misconception(
    "With images of whole numbers (uint8) the squares seem to wrap around: 20 · 20 becomes 144 "
    "there. Mind the type before you square."
)
def squares_of_uint8(inputs, gamma, beta, epsilon):
    if inputs.dtype != np.uint8:
        return _train(inputs, gamma, beta, epsilon)
    mean = inputs.mean(axis=_ALL_BUT_CHANNELS)
    variance = (inputs**2).mean(axis=_ALL_BUT_CHANNELS) - mean**2
    return _normalize(inputs, gamma, beta, mean, variance, epsilon), mean, variance


def _update_moving(moving, batch_value, momentum):
    return momentum * moving + (1 - momentum) * batch_value


def _update_moving_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(8)
    yield 2.0, 4.0, 0.75
    yield 0.0, 10.0, 0.99
    yield -3.0, 5.0, 0.0
    yield -3.0, 5.0, 1.0
    for channels, momentum in [(1, 0.9), (2, 0.25), (5, 0.99)]:
        yield rng.normal(size=channels), rng.normal(3, 1, channels), momentum
    both = rng.normal(size=(2, 4)).astype(np.float32)
    yield both[0], both[1], 0.9


UPDATE_MOVING = Exercise("update_moving", _update_moving, _update_moving_cases)

UPDATE_MOVING.misconception(
    "Momentum seems to be the share of the new value. PyTorch counts it so; in Keras it is the "
    "share of the old value that stays.",
    name="momentum_reversed",
)(lambda moving, batch_value, momentum: _update_moving(batch_value, moving, momentum))

UPDATE_MOVING.misconception(
    "The whole new value seems to be added to a share of the old one. Both shares together make 1, "
    "else the average grows without end.",
    name="new_value_added_whole",
)(lambda moving, batch_value, momentum: momentum * moving + batch_value)

UPDATE_MOVING.misconception(
    "A share of the new value seems to be added to the whole old one. Both shares together make 1.",
    name="old_value_kept_whole",
)(lambda moving, batch_value, momentum: moving + (1 - momentum) * batch_value)

UPDATE_MOVING.misconception(
    "Old and new value seem to count half each, whatever the momentum.",
    name="plain_mean",
)(lambda moving, batch_value, momentum: (moving + batch_value) / 2)

UPDATE_MOVING.misconception(
    "The new value seems to replace the old one. A single batch is a poor sample: wanted is a mix "
    "of both.",
    name="new_value_alone",
)(lambda moving, batch_value, momentum: batch_value)

UPDATE_MOVING.misconception(
    "The old value came back unchanged. A share of the new one has to come in.",
    name="old_value_alone",
)(lambda moving, batch_value, momentum: moving)

UPDATE_MOVING.misconception(
    "The new value seems to be taken off where it was to be added.",
    name="new_value_subtracted",
)(lambda moving, batch_value, momentum: momentum * moving - (1 - momentum) * batch_value)

UPDATE_MOVING.misconception(
    "The average seems to move away from the new value: old minus new is the wrong direction for "
    "the step.",
    name="step_in_the_wrong_direction",
)(lambda moving, batch_value, momentum: moving - (1 - momentum) * (batch_value - moving))

UPDATE_MOVING.misconception(
    "Both shares seem to be the momentum. They have to make 1 together.",
    name="both_shares_the_momentum",
)(lambda moving, batch_value, momentum: momentum * (moving + batch_value))


def _batch_norm_inference(inputs, gamma, beta, moving_mean, moving_variance, epsilon):
    return _normalize(inputs, gamma, beta, moving_mean, moving_variance, epsilon)


def _inference_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(9)
    for inputs, gamma, beta, epsilon in _batches(9):
        channels = inputs.shape[3]
        moving_mean, moving_variance = rng.normal(3, 1, channels), rng.uniform(2, 9, channels)
        if channels == 1:
            moving_mean, moving_variance = np.array([7.0]), np.array([6.0])
        yield inputs, gamma, beta, moving_mean, moving_variance, epsilon


BATCH_NORM_INFERENCE = Exercise("batch_norm_inference", _batch_norm_inference, _inference_cases)


def _wrong_inference(name, hint, answer):
    BATCH_NORM_INFERENCE.misconception(hint, name=name)(answer)


for _name, _hint, _change in _DIVISIONS:
    _wrong_inference(
        _name,
        _hint,
        lambda inputs, gamma, beta, mean, variance, epsilon, divide=_change: _normalize(
            inputs, gamma, beta, mean, variance, epsilon, divide=divide
        ),
    )

_wrong_inference(
    "moments_of_this_batch",
    "The moments of these very inputs seem to be used, as in training. Then the answer for an "
    "image depends on its neighbours in the batch; wanted are the moving ones.",
    lambda inputs, gamma, beta, mean, variance, epsilon: _train(inputs, gamma, beta, epsilon)[0],
)
_wrong_inference(
    "variance_of_this_batch",
    "The mean is the moving one, but the variance seems to be that of these very inputs.",
    lambda inputs, gamma, beta, mean, variance, epsilon: _normalize(
        inputs, gamma, beta, mean, np.var(inputs, axis=_ALL_BUT_CHANNELS), epsilon
    ),
)
_wrong_inference(
    "gamma_and_beta_exchanged",
    "Gamma and beta seem to have changed places: gamma scales, beta is added.",
    lambda inputs, gamma, beta, *rest: _normalize(inputs, beta, gamma, *rest),
)
_wrong_inference(
    "gamma_and_beta_forgotten",
    "The outputs are normalized, but gamma and beta seem to play no part.",
    lambda inputs, gamma, beta, *rest: _normalize(inputs, 1, 0, *rest),
)
_wrong_inference(
    "beta_scaled_as_well",
    "Beta seems to be added before gamma scales. Wanted is scale first, then offset.",
    lambda inputs, gamma, beta, *rest: _normalize(inputs, gamma, gamma * beta, *rest),
)
_wrong_inference(
    "mean_added",
    "The moving mean seems to be added. Normalizing moves the values to 0: it has to go away.",
    lambda inputs, gamma, beta, mean, *rest: _normalize(inputs, gamma, beta, -mean, *rest),
)
_wrong_inference(
    "mean_forgotten",
    "The moving mean seems to play no part.",
    lambda inputs, gamma, beta, mean, *rest: _normalize(inputs, gamma, beta, 0 * mean, *rest),
)
_wrong_inference(
    "mean_and_variance_exchanged",
    "Mean and variance seem to have changed places.",
    lambda inputs, gamma, beta, mean, variance, epsilon: _normalize(
        inputs, gamma, beta, variance, mean, epsilon
    ),
)


def _fold(kernel, bias, gamma, beta, mean, variance, epsilon, *, divide=_divide):
    scale = gamma * divide(1, variance, epsilon)
    return kernel * scale, (bias - mean) * scale + beta


def _fold_batch_norm(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon):
    return _fold(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon)


def _fold_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(10)
    one = [np.array([number]) for number in (3.0, 2.0, 5.0, 1.0, 6.0)]
    yield np.array([1.0, -4.0]).reshape(1, 2, 1, 1), *one, 3.0
    for shape, epsilon in [((1, 1, 2, 2), 0.5), ((2, 2, 2, 3), 0.25), ((3, 2, 4, 3), 0.1)]:
        filters = shape[3]
        gamma, beta = _parameters(rng, filters)
        mean, variance = rng.normal(1, 2, filters), rng.uniform(2, 9, filters)
        yield rng.normal(size=shape), rng.normal(size=filters), gamma, beta, mean, variance, epsilon
    arrays = (rng.normal(size=(3, 3, 2, 2)), *rng.uniform(1, 3, (5, 2)))
    yield *(array.astype(np.float32) for array in arrays), 0.5


FOLD_BATCH_NORM = Exercise(
    "fold_batch_norm", _fold_batch_norm, _fold_cases, Values(("kernel", "bias"))
)


def _wrong_fold(name, hint, answer):
    FOLD_BATCH_NORM.misconception(hint, name=name)(answer)


for _name, _hint, _change in _DIVISIONS:
    _wrong_fold(_name, _hint, lambda *arguments, divide=_change: _fold(*arguments, divide=divide))


def _scale(gamma, variance, epsilon):
    return gamma * _divide(1, variance, epsilon)


_wrong_fold(
    "bias_not_scaled",
    "The old bias seems to come through unscaled. It is part of what the normalization divides.",
    lambda kernel, bias, gamma, beta, mean, variance, epsilon: (
        kernel * _scale(gamma, variance, epsilon),
        bias + beta - mean * _scale(gamma, variance, epsilon),
    ),
)
_wrong_fold(
    "old_bias_dropped",
    "The old bias seems to have gone. The convolution added it before the mean was taken off.",
    lambda kernel, bias, *rest: _fold(kernel, 0 * bias, *rest),
)
_wrong_fold(
    "old_bias_kept",
    "The bias came back as it was. Beta and the moving mean move the outputs as well.",
    lambda kernel, bias, *rest: (_fold(kernel, bias, *rest)[0], bias),
)
_wrong_fold(
    "kernel_not_scaled",
    "The kernel came back as it was. The normalization scales what the kernel computes.",
    lambda kernel, *rest: (kernel, _fold(kernel, *rest)[1]),
)
_wrong_fold(
    "mean_forgotten",
    "The moving mean seems to play no part in the new bias.",
    lambda kernel, bias, gamma, beta, mean, *rest: _fold(
        kernel, bias, gamma, beta, 0 * mean, *rest
    ),
)
_wrong_fold(
    "mean_added",
    "The moving mean seems to be added to the bias. Normalizing takes it away.",
    lambda kernel, bias, gamma, beta, mean, *rest: _fold(kernel, bias, gamma, beta, -mean, *rest),
)
_wrong_fold(
    "mean_not_scaled",
    "The moving mean seems to be taken off unscaled, after the division. The normalization takes "
    "it off first.",
    lambda kernel, bias, gamma, beta, mean, variance, epsilon: (
        kernel * _scale(gamma, variance, epsilon),
        bias * _scale(gamma, variance, epsilon) - mean + beta,
    ),
)
_wrong_fold(
    "beta_forgotten",
    "Beta seems to play no part in the new bias.",
    lambda kernel, bias, gamma, beta, *rest: _fold(kernel, bias, gamma, 0 * beta, *rest),
)
_wrong_fold(
    "beta_scaled_as_well",
    "Beta seems to be scaled. It is added last, after gamma has done its work.",
    lambda kernel, bias, gamma, beta, mean, variance, epsilon: _fold(
        kernel, bias, gamma, beta * _scale(gamma, variance, epsilon), mean, variance, epsilon
    ),
)
_wrong_fold(
    "gamma_forgotten",
    "Gamma seems to play no part.",
    lambda kernel, bias, gamma, *rest: _fold(kernel, bias, 0 * gamma + 1, *rest),
)


@FOLD_BATCH_NORM.misconception(
    "The scale seems to meet the input channels of the kernel. There is one scale for each filter, "
    "and the filters stand along the last axis."
)
def input_channels_scaled(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon):
    scale = _scale(gamma, moving_variance, epsilon)
    along_inputs = np.resize(scale, kernel.shape[2])[:, np.newaxis]
    return kernel * along_inputs, (bias - moving_mean) * scale + beta


EXERCISES = (BATCH_NORM_TRAIN, UPDATE_MOVING, BATCH_NORM_INFERENCE, FOLD_BATCH_NORM)
