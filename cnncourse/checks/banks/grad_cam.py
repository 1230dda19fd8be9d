"""``grad_cam`` of lesson 12, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank


def _weights(gradients, reduce=np.mean):
    return reduce(np.asarray(gradients, float), axis=(0, 1))


def _weighted(maps, weights):
    return (np.asarray(maps, float) * weights).sum(axis=-1)


def _grad_cam(maps, gradients):
    return np.maximum(_weighted(maps, _weights(gradients)), 0)


def _grad_cam_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(122)
    yield (
        np.array([[[4.0, 1.0], [0.0, 3.0]]]),
        np.array([[[1.0, -2.0], [2.0, 0.0]]]),
    )
    yield np.array([[[-2.0]]]), np.array([[[-3.0]]])
    for shape in [(2, 2, 1), (2, 2, 2), (3, 4, 2), (2, 3, 4), (4, 4, 3), (7, 5, 6)]:
        yield rng.normal(0.5, 1, shape), rng.normal(0.1, 1, shape)
    yield tuple(rng.normal(0.2, 1, (2, 3, 4, 5)).astype(np.float32))


BANK = Bank(
    "grad_cam",
    "12",
    _grad_cam,
    _grad_cam_cases,
    axes={"maps": "hwc", "gradients": "hwc", "answer": "hw"},
)
BANK.help(
    idea=(
        "A channel counts as much as raising it would raise the score, on average over its places."
    ),
    section="Grad-CAM: which maps speak for it, and where?",
    step=(
        "One weight for each channel: its mean gradient. Sum the channels times their weights, "
        "with their signs; what is negative becomes 0 only then."
    ),
)


@BANK.mistake(
    "Negative places came out. They speak against the class; a ReLU at the end takes them out."
)
def no_relu(maps, gradients):
    return _weighted(maps, _weights(gradients))


@BANK.mistake(
    "The ReLU seems to come before the channels are added. Then nothing can outweigh anything: "
    "add first."
)
def relu_of_each_channel(maps, gradients):
    return np.maximum(maps * _weights(gradients), 0).sum(axis=-1)


@BANK.mistake(
    "Channels with a negative mean gradient seem to be left out. They count against the class, "
    "and may cancel others."
)
def relu_of_the_weights(maps, gradients):
    return np.maximum(_weighted(maps, np.maximum(_weights(gradients), 0)), 0)


@BANK.mistake(
    "Negative gradients seem to be set to 0 before the mean is taken. The mean is over all of them."
)
def relu_of_the_gradients(maps, gradients):
    return np.maximum(_weighted(maps, _weights(np.maximum(gradients, 0))), 0)


@BANK.mistake(
    "The weights of the channels seem to have lost their sign. A channel that speaks against "
    "the class has a negative weight."
)
def weights_without_sign(maps, gradients):
    return np.maximum(_weighted(maps, np.abs(_weights(gradients))), 0)


@BANK.mistake(
    "The sign seems to be taken off the sum. Places that speak against the class become 0, not "
    "positive."
)
def without_sign(maps, gradients):
    return np.abs(_weighted(maps, _weights(gradients)))


@BANK.mistake(
    "Each activation seems to be multiplied by the gradient at its own place. Wanted is one "
    "weight for a whole channel."
)
def gradients_place_by_place(maps, gradients):
    return np.maximum((maps * gradients).sum(axis=-1), 0)


@BANK.mistake("The gradients of a channel seem to be added and not divided by their number.")
def gradients_added(maps, gradients):
    return np.maximum(_weighted(maps, _weights(gradients, np.sum)), 0)


@BANK.mistake("The weight of a channel seems to be its largest gradient. Wanted is the mean.")
def largest_gradient(maps, gradients):
    return np.maximum(_weighted(maps, _weights(gradients, np.max)), 0)


@BANK.mistake(
    "The gradients seem to be averaged down the rows alone, so that each column has a weight "
    "of its own. Wanted is one weight for a whole channel."
)
def mean_over_rows_alone(maps, gradients):
    return np.maximum(_weighted(maps, np.mean(gradients, axis=0)), 0)


@BANK.mistake(
    "All channels seem to get the same weight, the mean of all gradients. Each channel has a "
    "weight of its own."
)
def one_weight_for_all_channels(maps, gradients):
    return np.maximum(_weighted(maps, np.mean(gradients)), 0)


@BANK.mistake(
    "The gradients seem to be averaged over the channels, place by place. It is the other way "
    "round: over the places, channel by channel."
)
def mean_over_channels(maps, gradients):
    return np.maximum(_weighted(maps, np.mean(gradients, axis=-1, keepdims=True)), 0)


@BANK.mistake("The weighted channels seem to be averaged. Wanted is their sum.")
def channels_averaged(maps, gradients):
    return np.maximum((maps * _weights(gradients)).mean(axis=-1), 0)


@BANK.mistake(
    "The channels seem to be added as they are. How much each counts is what the gradients say."
)
def gradients_ignored(maps, gradients):
    return np.maximum(maps.sum(axis=-1), 0)


@BANK.mistake("Only the gradients seem to be added. Where something was found stands in the maps.")
def maps_ignored(maps, gradients):
    return np.maximum(gradients.sum(axis=-1), 0)


@BANK.mistake(
    "Maps and gradients seem to have changed places: gradients are added, weighted by the mean "
    "of the maps."
)
def roles_exchanged(maps, gradients):
    return np.maximum(_weighted(gradients, _weights(maps)), 0)


@BANK.mistake(
    "Only the channel with the largest weight seems to count. Wanted is the sum over all of them."
)
def strongest_channel(maps, gradients):
    weights = _weights(gradients)
    best = int(np.argmax(weights))
    return np.maximum(maps[..., best] * weights[best], 0)


@BANK.mistake(
    "The map seems to be divided by its largest value. That helps when you draw it; wanted is "
    "the sum as it is."
)
def scaled_to_1(maps, gradients):
    return _grad_cam(maps, gradients) / np.float64(_grad_cam(maps, gradients).max() or 1)


@BANK.mistake("The channels came out one by one. Add them up: one number for each place.")
def channels_kept(maps, gradients):
    return np.maximum(maps * _weights(gradients), 0)


@BANK.mistake(
    "The values are right, but a last axis of length 1 is left. Wanted is (height, width)."
)
def axis_of_length_1_left(maps, gradients):
    return _grad_cam(maps, gradients)[..., None]


@BANK.mistake("The map seems to be turned over: rows where columns belong.")
def rows_and_columns_exchanged(maps, gradients):
    return _grad_cam(maps, gradients).T
