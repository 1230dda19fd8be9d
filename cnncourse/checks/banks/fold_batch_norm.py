"""``fold_batch_norm`` of lesson 04, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.banks._normalization import divide, enter_wrong_divisions, parameters
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _fold(kernel, bias, gamma, beta, mean, variance, epsilon, *, divide=divide):
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
        gamma, beta = parameters(rng, filters)
        mean, variance = rng.normal(1, 2, filters), rng.uniform(2, 9, filters)
        yield rng.normal(size=shape), rng.normal(size=filters), gamma, beta, mean, variance, epsilon
    arrays = (rng.normal(size=(3, 3, 2, 2)), *rng.uniform(1, 3, (5, 2)))
    yield *(array.astype(np.float32) for array in arrays), 0.5
    ones = [np.array([number]) for number in (0.0, 2.0, 0.0, 0.0, 4.0)]
    yield np.array([0.0, 2.0]).reshape(2, 1, 1, 1), *ones, 0.5


BANK = Bank(
    "fold_batch_norm",
    "04",
    _fold_batch_norm,
    _fold_cases,
    Values(("kernel", "bias")),
    axes={
        "kernel": "yxcf",
        "bias": "f",
        "gamma": "f",
        "beta": "f",
        "moving_mean": "f",
        "moving_variance": "f",
    },
)
BANK.help(
    idea=(
        "Subtracting, dividing, scaling and moving are one multiplication and one addition for "
        "each filter; a convolution can do both itself."
    ),
    section="Folding it away",
    step=(
        "Write down what becomes of w·x + b when the normalization follows. What stands before "
        "w·x is the factor for the kernel's last axis; all the rest is the new bias."
    ),
)


enter_wrong_divisions(BANK, _fold)


def _scale(gamma, variance, epsilon):
    return gamma * divide(1, variance, epsilon)


@BANK.mistake(
    "The old bias seems to come through unscaled. It is part of what the normalization divides."
)
def bias_not_scaled(kernel, bias, gamma, beta, mean, variance, epsilon):
    return (
        kernel * _scale(gamma, variance, epsilon),
        bias + beta - mean * _scale(gamma, variance, epsilon),
    )


@BANK.mistake(
    "The old bias seems to have gone. The convolution added it before the mean was taken off."
)
def old_bias_dropped(kernel, bias, *rest):
    return _fold(kernel, 0 * bias, *rest)


@BANK.mistake("The bias came back as it was. Beta and the moving mean move the outputs as well.")
def old_bias_kept(kernel, bias, *rest):
    return (_fold(kernel, bias, *rest)[0], bias)


@BANK.mistake("The kernel came back as it was. The normalization scales what the kernel computes.")
def kernel_not_scaled(kernel, *rest):
    return (kernel, _fold(kernel, *rest)[1])


@BANK.mistake("The moving mean seems to play no part in the new bias.")
def mean_forgotten(kernel, bias, gamma, beta, mean, *rest):
    return _fold(kernel, bias, gamma, beta, 0 * mean, *rest)


@BANK.mistake("The moving mean seems to be added to the bias. Normalizing takes it away.")
def mean_added(kernel, bias, gamma, beta, mean, *rest):
    return _fold(kernel, bias, gamma, beta, -mean, *rest)


@BANK.mistake(
    "The moving mean seems to be taken off unscaled, after the division. The normalization takes "
    "it off first."
)
def mean_not_scaled(kernel, bias, gamma, beta, mean, variance, epsilon):
    return (
        kernel * _scale(gamma, variance, epsilon),
        bias * _scale(gamma, variance, epsilon) - mean + beta,
    )


@BANK.mistake("Beta seems to play no part in the new bias.")
def beta_forgotten(kernel, bias, gamma, beta, *rest):
    return _fold(kernel, bias, gamma, 0 * beta, *rest)


@BANK.mistake("Beta seems to be scaled. It is added last, after gamma has done its work.")
def beta_scaled_as_well(kernel, bias, gamma, beta, mean, variance, epsilon):
    return _fold(
        kernel, bias, gamma, beta * _scale(gamma, variance, epsilon), mean, variance, epsilon
    )


@BANK.mistake("Gamma seems to play no part.")
def gamma_forgotten(kernel, bias, gamma, *rest):
    return _fold(kernel, bias, 0 * gamma + 1, *rest)


@BANK.mistake(
    "The scale seems to meet the input channels of the kernel. There is one scale for each filter, "
    "and the filters stand along the last axis."
)
def input_channels_scaled(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon):
    scale = _scale(gamma, moving_variance, epsilon)
    along_inputs = np.resize(scale, kernel.shape[2])[:, np.newaxis]
    return kernel * along_inputs, (bias - moving_mean) * scale + beta
