"""``batch_norm_backward`` of lesson 06, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse import ops
from cnncourse.checks.banks._normalization import ALL_BUT_CHANNELS
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _norm_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(16)
    yield (
        np.array([1.0, 0.0, 4.0]).reshape(3, 1, 1, 1),
        np.array([1.0, 2.0, 6.0]).reshape(3, 1, 1, 1),
        np.array([2.0]),
        0.5,
    )
    for shape in [(1, 2, 2, 2), (3, 2, 1, 2), (2, 3, 3, 3)]:
        yield rng.normal(1, 1, shape), rng.normal(1, 2, shape), rng.uniform(1.5, 3, shape[3]), 0.25
    grad_outputs, inputs = rng.normal(1, 1, (2, 2, 4, 3, 2)).astype(np.float32)
    yield grad_outputs, inputs, np.array([0.5, 2.0], np.float32), 0.25
    yield (
        rng.normal(size=(2, 3, 4, 2)),
        rng.integers(0, 256, (2, 3, 4, 2), dtype=np.uint8),
        rng.uniform(20, 30, 2),
        100.0,
    )
    yield (
        np.array([1.0, -1.0, 3.0]).reshape(1, 3, 1, 1),
        np.array([0.0, 2.0, 4.0]).reshape(1, 3, 1, 1),
        np.array([3.0]),
        0.25,
    )


def _norm(
    grad_outputs,
    inputs,
    gamma,
    epsilon,
    *,
    through_mean=True,
    through_variance=True,
    ddof=0,
    epsilon_under_root=True,
):
    """The gradients of batch normalization, of which each part can be left out."""
    mean = inputs.mean(axis=ALL_BUT_CHANNELS)
    variance = inputs.var(axis=ALL_BUT_CHANNELS, ddof=ddof)
    under, outside = (epsilon, 0) if epsilon_under_root else (0, epsilon)
    deviation = np.sqrt(variance + under) + outside
    normal = (inputs - mean) / deviation
    grad_gamma = (grad_outputs * normal).sum(axis=ALL_BUT_CHANNELS)
    grad_normal = grad_outputs * gamma
    grad_inputs = grad_normal.copy()
    if through_mean:
        grad_inputs = grad_inputs - grad_normal.mean(axis=ALL_BUT_CHANNELS)
    if through_variance:
        grad_inputs = grad_inputs - normal * (grad_normal * normal).mean(axis=ALL_BUT_CHANNELS)
    return grad_inputs / deviation, grad_gamma, grad_outputs.sum(axis=ALL_BUT_CHANNELS)


def _batch_norm_backward(grad_outputs, inputs, gamma, epsilon):
    return ops.batch_normalization_train_backward(
        np.asarray(grad_outputs, float), np.asarray(inputs, float), scale=gamma, epsilon=epsilon
    )


BANK = Bank(
    "batch_norm_backward",
    "06",
    _batch_norm_backward,
    _norm_cases,
    Values(("grad_inputs", "grad_gamma", "grad_beta")),
    axes={
        "grad_outputs": "bhwc",
        "inputs": "bhwc",
        "gamma": "c",
        "grad_inputs": "bhwc",
        "grad_gamma": "c",
        "grad_beta": "c",
    },
)
BANK.help(
    idea=("A pixel reaches the loss in three ways: by itself, by the mean and by the variance."),
    section="Batch normalization: three ways to the loss",
    step=(
        "Normalize again first. Sum the gradient for beta, and the gradient times the "
        "normalized values for gamma. For the inputs, take off the mean of the gradient, and "
        "the normalized values times the mean of gradient times normalized values; then scale "
        "by gamma over the deviation."
    ),
)


@BANK.mistake(
    "Mean and variance seem to be taken for constants. In training they come from these very "
    "inputs: a pixel that grows moves both, and with them every output of its channel."
)
def moments_taken_as_constants(grad_outputs, inputs, gamma, epsilon):
    return _norm(grad_outputs, inputs, gamma, epsilon, through_mean=False, through_variance=False)


@BANK.mistake(
    "The mean seems to be taken for a constant. A pixel that grows raises it, and with that lowers "
    "all the others."
)
def mean_taken_as_a_constant(grad_outputs, inputs, gamma, epsilon):
    return _norm(grad_outputs, inputs, gamma, epsilon, through_mean=False)


@BANK.mistake(
    "The variance seems to be taken for a constant. A pixel that moves away from the mean raises "
    "it, and with that pulls all outputs together."
)
def variance_taken_as_a_constant(grad_outputs, inputs, gamma, epsilon):
    return _norm(grad_outputs, inputs, gamma, epsilon, through_variance=False)


@BANK.mistake("The variance seems to be divided by n - 1. The forward pass divides by n.")
def variance_of_a_sample(grad_outputs, inputs, gamma, epsilon):
    return _norm(grad_outputs, inputs, gamma, epsilon, ddof=1)


@BANK.mistake(
    "Epsilon seems to be added to the standard deviation, outside of the root. It stands under it."
)
def epsilon_outside_the_root(grad_outputs, inputs, gamma, epsilon):
    return _norm(grad_outputs, inputs, gamma, epsilon, epsilon_under_root=False)


@BANK.mistake("Epsilon seems to play no part.")
def epsilon_forgotten(grad_outputs, inputs, gamma, epsilon):
    return _norm(grad_outputs, inputs, gamma, 0)


@BANK.mistake(
    "In the gradient at the inputs gamma seems to play no part. On the way back every output "
    "passes the scaling first."
)
def gamma_forgotten(grad_outputs, inputs, gamma, epsilon):
    grad_inputs = _norm(grad_outputs, inputs, np.ones_like(gamma), epsilon)[0]
    return grad_inputs, *_norm(grad_outputs, inputs, gamma, epsilon)[1:]


@BANK.mistake(
    "The gradient of gamma seems to be built from the inputs as they came. Gamma scales the "
    "normalized values."
)
def gamma_gradient_of_raw_inputs(grad_outputs, inputs, gamma, epsilon):
    grad_inputs, _, grad_beta = _norm(grad_outputs, inputs, gamma, epsilon)
    return grad_inputs, (grad_outputs * inputs).sum(axis=ALL_BUT_CHANNELS), grad_beta


@BANK.mistake(
    "The gradient of gamma seems to be built from inputs that are centred but not divided. Gamma "
    "scales the normalized values."
)
def gamma_gradient_of_centred_inputs(grad_outputs, inputs, gamma, epsilon):
    grad_inputs, _, grad_beta = _norm(grad_outputs, inputs, gamma, epsilon)
    centred = inputs - inputs.mean(axis=ALL_BUT_CHANNELS)
    return grad_inputs, (grad_outputs * centred).sum(axis=ALL_BUT_CHANNELS), grad_beta


@BANK.mistake(
    "The gradient of gamma seems to hold gamma itself as a factor. How do the outputs change when "
    "gamma does?"
)
def gamma_gradient_times_gamma(grad_outputs, inputs, gamma, epsilon):
    grad_inputs, grad_gamma, grad_beta = _norm(grad_outputs, inputs, gamma, epsilon)
    return grad_inputs, grad_gamma * gamma, grad_beta


@BANK.mistake(
    "The last two gradients seem to have changed places. Wanted is the order grad_inputs, "
    "grad_gamma, grad_beta."
)
def gamma_and_beta_exchanged(grad_outputs, inputs, gamma, epsilon):
    grad_inputs, grad_gamma, grad_beta = _norm(grad_outputs, inputs, gamma, epsilon)
    return grad_inputs, grad_beta, grad_gamma


@BANK.mistake(
    "The gradients of gamma and beta seem to be means. Every place sends its gradient back: they "
    "add up."
)
def gamma_and_beta_averaged(grad_outputs, inputs, gamma, epsilon):
    grad_inputs, grad_gamma, grad_beta = _norm(grad_outputs, inputs, gamma, epsilon)
    count = inputs[..., 0].size
    return grad_inputs, grad_gamma / count, grad_beta / count


@BANK.mistake(
    "The gradients of gamma and beta seem to be summed over the batch alone. One gamma serves all "
    "places of the map: (channels,)."
)
def gamma_and_beta_for_each_place(grad_outputs, inputs, gamma, epsilon):
    mean = inputs.mean(axis=ALL_BUT_CHANNELS)
    normal = (inputs - mean) / np.sqrt(inputs.var(axis=ALL_BUT_CHANNELS) + epsilon)
    return (
        _norm(grad_outputs, inputs, gamma, epsilon)[0],
        (grad_outputs * normal).sum(axis=0),
        grad_outputs.sum(axis=0),
    )
