"""Exercises of lesson 13: one repair for each patient of the clinic.

Each wrong implementation is the broken original, or a repair that misses.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse import ops
from cnncourse.checks.engine import Exercise
from cnncourse.checks.forms import Values


def _softmax(scores, axis=-1):
    return ops.softmax(np.asarray(scores, float), axis)


# --- missing ReLU ------------------------------------------------------------------------------


def _repair_missing_relu(inputs, kernels):
    outputs = inputs
    for kernel in kernels[:-1]:
        outputs = ops.relu(ops.conv2d(outputs, kernel))
    return ops.conv2d(outputs, kernels[-1])


def _relu_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(13)
    signed = np.array([[-1.0, 2.0], [3.0, -4.0]]).reshape(1, 2, 2, 1)
    yield signed, [np.full((1, 1, 1, 1), 2.0), np.full((1, 1, 1, 1), -1.0)]
    yield signed, [np.full((1, 1, 1, 1), -3.0)]
    for shapes in (((2, 2, 1, 2), (2, 2, 2, 1)), ((3, 3, 1, 2), (1, 1, 2, 3), (2, 2, 3, 2))):
        yield rng.normal(size=(2, 6, 6, 1)), [rng.normal(size=shape) for shape in shapes]


REPAIR_MISSING_RELU = Exercise("repair_missing_relu", _repair_missing_relu, _relu_cases, Values())


def _chain(inputs, kernels, between, last=lambda outputs: outputs):
    for kernel in kernels[:-1]:
        inputs = between(ops.conv2d(inputs, kernel))
    return last(ops.conv2d(inputs, kernels[-1]))


@REPAIR_MISSING_RELU.misconception(
    "This is still the patient: no ReLU anywhere, so that the whole chain is one affine map."
)
def no_relu(inputs, kernels):
    return _chain(inputs, kernels, lambda outputs: outputs)


@REPAIR_MISSING_RELU.misconception(
    "There seems to be a ReLU behind the last convolution too. Its outputs are the scores, and a "
    "score may be negative."
)
def relu_behind_the_last_too(inputs, kernels):
    return _chain(inputs, kernels, ops.relu, ops.relu)


@REPAIR_MISSING_RELU.misconception(
    "The only ReLU seems to stand behind the last convolution. The convolutions before it are "
    "still one affine map."
)
def relu_behind_the_last_alone(inputs, kernels):
    return _chain(inputs, kernels, lambda outputs: outputs, ops.relu)


@REPAIR_MISSING_RELU.misconception(
    "ReLU seems to be put on the inputs of the chain. It belongs on what a convolution gives."
)
def relu_on_the_inputs(inputs, kernels):
    return _chain(ops.relu(np.asarray(inputs)), kernels, lambda outputs: outputs)


@REPAIR_MISSING_RELU.misconception(
    "The absolute value stands where ReLU belongs. ReLU makes a negative number 0; it does not "
    "turn its sign."
)
def absolute_value(inputs, kernels):
    return _chain(inputs, kernels, np.abs)


@REPAIR_MISSING_RELU.misconception(
    "ReLU seems to be put on the kernels. Weights may be negative; activations are what it acts on."
)
def relu_on_the_kernels(inputs, kernels):
    return _chain(inputs, [ops.relu(kernel) for kernel in kernels], lambda outputs: outputs)


# --- double softmax ----------------------------------------------------------------------------


def _repair_double_softmax(probabilities, labels):
    chosen = np.asarray(probabilities, float)[np.arange(len(labels)), labels]
    return float(-np.log(chosen).mean())


def _loss_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(14)
    yield np.array([[0.5, 0.25, 0.25]]), np.array([1])
    yield np.array([[0.8, 0.1, 0.1], [0.2, 0.2, 0.6]]), np.array([0, 0])
    yield _softmax(rng.normal(size=(6, 4))), rng.integers(0, 4, 6)
    yield _softmax(rng.normal(0, 3, (5, 10))).astype(np.float32), rng.integers(0, 10, 5)


REPAIR_DOUBLE_SOFTMAX = Exercise(
    "repair_double_softmax", _repair_double_softmax, _loss_cases, Values()
)


@REPAIR_DOUBLE_SOFTMAX.misconception(
    "This is still the patient: softmax is taken of numbers that are probabilities already."
)
def softmax_again(probabilities, labels):
    return _repair_double_softmax(_softmax(probabilities), labels)


@REPAIR_DOUBLE_SOFTMAX.misconception(
    "The loss seems to be a sum over the images. Wanted is the mean, so that it does not grow with "
    "the batch."
)
def sum_of_the_losses(probabilities, labels):
    return _repair_double_softmax(probabilities, labels) * len(labels)


@REPAIR_DOUBLE_SOFTMAX.misconception(
    "The minus sign seems to be missing: the logarithm of a probability is negative, a loss is not."
)
def no_minus(probabilities, labels):
    return -_repair_double_softmax(probabilities, labels)


@REPAIR_DOUBLE_SOFTMAX.misconception(
    "This is the loss of the most probable class, whatever the label says. Wanted is the "
    "probability that the true class was given."
)
def of_the_answer(probabilities, labels):
    return _repair_double_softmax(probabilities, np.argmax(probabilities, axis=1))


@REPAIR_DOUBLE_SOFTMAX.misconception(
    "The probabilities seem to be averaged before the logarithm is taken. Each image has a "
    "loss of its own; average those."
)
def logarithm_of_the_mean(probabilities, labels):
    chosen = np.asarray(probabilities, float)[np.arange(len(labels)), labels]
    return float(-np.log(chosen.mean()))


@REPAIR_DOUBLE_SOFTMAX.misconception(
    "The logarithm seems to be the one to the base 2. Keras and the lesson take the natural one."
)
def logarithm_to_base_two(probabilities, labels):
    return _repair_double_softmax(probabilities, labels) / np.log(2)


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


REPAIR_BATCH_NORM_MODE = Exercise(
    "repair_batch_norm_mode", _repair_batch_norm_mode, _mode_cases, Values()
)


@REPAIR_BATCH_NORM_MODE.misconception(
    "This is still the patient: the moments of the batch are used whatever `training` says, so an "
    "image's answer depends on its neighbours."
)
def always_the_batch(inputs, moving_mean, moving_variance, epsilon, training):
    return _repair_batch_norm_mode(inputs, moving_mean, moving_variance, epsilon, True)


@REPAIR_BATCH_NORM_MODE.misconception(
    "The stored moments seem to be used in training too. There the batch's own are wanted."
)
def always_the_stored(inputs, moving_mean, moving_variance, epsilon, training):
    return _repair_batch_norm_mode(inputs, moving_mean, moving_variance, epsilon, False)


@REPAIR_BATCH_NORM_MODE.misconception(
    "The two modes seem to be swapped: batch moments at inference, stored ones in training."
)
def modes_swapped(inputs, moving_mean, moving_variance, epsilon, training):
    return _repair_batch_norm_mode(inputs, moving_mean, moving_variance, epsilon, not training)


@REPAIR_BATCH_NORM_MODE.misconception(
    "At inference the mean is the stored one, but the variance still comes from the batch. Both "
    "are stored."
)
def stored_mean_batch_variance(inputs, moving_mean, moving_variance, epsilon, training):
    mean, variance = ops.batch_moments(inputs)
    return _normalized(inputs, mean if training else moving_mean, variance, epsilon)


@REPAIR_BATCH_NORM_MODE.misconception("It seems to divide by the variance. A spread is its root.")
def no_root(inputs, moving_mean, moving_variance, epsilon, training):
    mean, variance = ops.batch_moments(inputs) if training else (moving_mean, moving_variance)
    return (inputs - mean) / (variance + epsilon)


@REPAIR_BATCH_NORM_MODE.misconception(
    "At inference nothing seems to be normalized. Every layer behind was trained on normalized "
    "numbers; give it those."
)
def inference_left_out(inputs, moving_mean, moving_variance, epsilon, training):
    if training:
        return _repair_batch_norm_mode(inputs, moving_mean, moving_variance, epsilon, True)
    return np.array(inputs)


# --- leaky split -------------------------------------------------------------------------------


def _repair_leaky_split(sources, held_out):
    inside = np.isin(sources, held_out)
    return np.flatnonzero(~inside), np.flatnonzero(inside)


def _split_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(16)
    yield np.array([0, 1, 0, 2]), np.array([0])
    yield np.array([3, 3, 1, 1, 2]), np.array([1, 3])
    yield np.array([2, 0, 1, 2, 0, 1]), np.array([2])
    yield rng.permutation(np.repeat(np.arange(8), 3)), np.array([5, 1])


REPAIR_LEAKY_SPLIT = Exercise(
    "repair_leaky_split",
    _repair_leaky_split,
    _split_cases,
    Values(("train", "validation"), kind="integers"),
)


@REPAIR_LEAKY_SPLIT.misconception(
    "This is still the patient: the last images are held out, whatever they were made from. "
    "Copies of one photo then stand on both sides."
)
def last_images(sources, held_out):
    count = int(np.isin(sources, held_out).sum())
    places = np.arange(len(sources))
    return places[: len(places) - count], places[len(places) - count :]


@REPAIR_LEAKY_SPLIT.misconception(
    "Train and validation are in the wrong order. Wanted is the training part first."
)
def parts_swapped(sources, held_out):
    return _repair_leaky_split(sources, held_out)[::-1]


@REPAIR_LEAKY_SPLIT.misconception(
    "The first copy of a held-out photo goes to validation and the others to training: the leak "
    "is still there."
)
def other_copies_into_training(sources, held_out):
    _, firsts = np.unique(sources, return_index=True)
    inside = np.isin(sources, held_out) & np.isin(np.arange(len(sources)), firsts)
    return np.flatnonzero(~inside), np.flatnonzero(inside)


@REPAIR_LEAKY_SPLIT.misconception(
    "`held_out` names photos, and it seems to be used as positions of images. Look up which "
    "images were made from those photos."
)
def photos_as_positions(sources, held_out):
    inside = np.isin(np.arange(len(sources)), held_out)
    return np.flatnonzero(~inside), np.flatnonzero(inside)


@REPAIR_LEAKY_SPLIT.misconception(
    "These are the numbers of the photos. Wanted are positions in `sources`, so that images and "
    "labels can be picked with them."
)
def sources_in_place_of_positions(sources, held_out):
    inside = np.isin(sources, held_out)
    return sources[~inside], sources[inside]


@REPAIR_LEAKY_SPLIT.misconception(
    "Only one copy of each training photo is kept. The copies are wanted for training; they must "
    "only not stand on both sides."
)
def training_copies_dropped(sources, held_out):
    train, validation = _repair_leaky_split(sources, held_out)
    _, firsts = np.unique(sources[train], return_index=True)
    return train[np.sort(firsts)], validation


# --- channels first ----------------------------------------------------------------------------


def _repair_channel_order(images):
    return np.moveaxis(images, 1, 3)


def _channel_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(17)
    yield (np.arange(8.0).reshape(1, 2, 2, 2),)
    yield (np.arange(12).reshape(1, 3, 2, 2),)
    yield (rng.integers(0, 256, (2, 3, 4, 5), dtype=np.uint8),)
    yield (rng.normal(size=(3, 1, 3, 2)),)


REPAIR_CHANNEL_ORDER = Exercise(
    "repair_channel_order", _repair_channel_order, _channel_cases, Values()
)


@REPAIR_CHANNEL_ORDER.misconception(
    "This is still the patient: reshape keeps the numbers in the order in which they lie in "
    "memory, and only cuts them up in another way. The axis itself has to move."
)
def reshaped(images):
    batch, channels, height, width = images.shape
    return images.reshape(batch, height, width, channels)


@REPAIR_CHANNEL_ORDER.misconception(
    "Height and width seem to be swapped as well: the picture lies on its side."
)
def height_and_width_swapped(images):
    return images.transpose(0, 3, 2, 1)


@REPAIR_CHANNEL_ORDER.misconception(
    "All axes seem to be turned round, the batch too (`.T`). The batch stays in front."
)
def all_axes_reversed(images):
    return images.T


@REPAIR_CHANNEL_ORDER.misconception(
    "The channels come last, but in reverse order: red and blue change places."
)
def channels_reversed(images):
    return _repair_channel_order(images)[..., ::-1]


@REPAIR_CHANNEL_ORDER.misconception(
    "The channels seem to have moved one place only. They go behind height and behind width."
)
def channels_in_the_middle(images):
    return images.transpose(0, 2, 1, 3)


@REPAIR_CHANNEL_ORDER.misconception("The images come back as they were: channels first.")
def unchanged(images):
    return images.copy()


# --- labels out of step ------------------------------------------------------------------------


def _repair_shifted_labels(images, labels, broken):
    return np.delete(images, broken, axis=0), np.delete(labels, broken)


def _label_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(18)
    yield np.arange(3).reshape(3, 1, 1), np.array([0, 1, 2]), np.array([0])
    yield np.arange(8).reshape(4, 2, 1), np.array([3, 1, 2, 0]), np.array([1])
    yield rng.normal(size=(6, 2, 2)), rng.integers(0, 10, 6), np.array([2, 4])
    yield rng.integers(0, 256, (9, 3, 2), dtype=np.uint8), np.arange(9), np.array([7, 0, 3])


REPAIR_SHIFTED_LABELS = Exercise(
    "repair_shifted_labels", _repair_shifted_labels, _label_cases, Values(("images", "labels"))
)


@REPAIR_SHIFTED_LABELS.misconception(
    "This is still the patient: the images are taken out, and the labels are cut at the end to "
    "the same length. From the first missing image on, every label belongs to its neighbour."
)
def labels_cut_at_the_end(images, labels, broken):
    kept = np.delete(images, broken, axis=0)
    return kept, labels[: len(kept)].copy()


@REPAIR_SHIFTED_LABELS.misconception(
    "The labels seem to be cut at the front. Take out the labels of the very images that go."
)
def labels_cut_at_the_front(images, labels, broken):
    kept = np.delete(images, broken, axis=0)
    return kept, labels[len(labels) - len(kept) :].copy()


@REPAIR_SHIFTED_LABELS.misconception(
    "The labels stay as many as before, while images went. Each image needs its one label."
)
def labels_left_alone(images, labels, broken):
    return np.delete(images, broken, axis=0), labels.copy()


@REPAIR_SHIFTED_LABELS.misconception(
    "The broken images seem to be kept and the good ones taken out."
)
def broken_ones_kept(images, labels, broken):
    places = np.sort(broken)
    return images[places], labels[places]


@REPAIR_SHIFTED_LABELS.misconception("Nothing seems to be taken out.")
def nothing_taken_out(images, labels, broken):
    return images.copy(), labels.copy()


@REPAIR_SHIFTED_LABELS.misconception(
    "`broken` holds positions, and it seems to be compared with the labels: images go whose class "
    "has such a number."
)
def positions_as_classes(images, labels, broken):
    kept = ~np.isin(labels, broken)
    return images[kept], labels[kept]


# --- learning rate -----------------------------------------------------------------------------


def _repair_learning_rate(rates, losses):
    return float(rates[np.nanargmin(losses)] / 10)


def _rate_cases() -> Iterator[tuple]:
    yield np.array([0.01, 0.1, 1.0]), np.array([2.0, 1.0, 3.0])
    yield np.array([1e-4, 1e-3, 1e-2, 1e-1]), np.array([2.3, 2.2, 1.5, np.nan])
    yield np.logspace(-5, 0, 6), np.array([2.3, 2.3, 2.2, 1.2, 0.9, 7.0])
    yield (
        np.logspace(-4, 1, 11),
        np.array([2.3, 2.3, 2.29, 2.2, 2.0, 1.1, 0.8, 0.7, 1.6, np.nan, np.nan]),
    )


REPAIR_LEARNING_RATE = Exercise(
    "repair_learning_rate", _repair_learning_rate, _rate_cases, Values()
)


@REPAIR_LEARNING_RATE.misconception(
    "This is the rate at the lowest loss itself. There the loss is about to explode; the rule "
    "of thumb keeps a distance."
)
def rate_of_the_lowest_loss(rates, losses):
    return float(rates[np.nanargmin(losses)])


@REPAIR_LEARNING_RATE.misconception(
    "NaN seems to win: for `np.argmin` and `min`, a NaN may count as the smallest. A loss that is "
    "no number is the worst of all."
)
def nan_wins(rates, losses):
    return float(rates[np.argmin(losses)] / 10)


@REPAIR_LEARNING_RATE.misconception("This is the loss and not the rate that gave it.")
def the_loss(rates, losses):
    return float(np.nanmin(losses) / 10)


@REPAIR_LEARNING_RATE.misconception(
    "This is a tenth of the largest rate that was tried, whatever the losses say."
)
def tenth_of_the_largest(rates, losses):
    return float(np.max(rates) / 10)


@REPAIR_LEARNING_RATE.misconception("This is a tenth of the rate with the *highest* loss.")
def tenth_of_the_worst(rates, losses):
    return float(rates[np.nanargmax(losses)] / 10)


@REPAIR_LEARNING_RATE.misconception(
    "This is the last rate before the loss stops being a number. The lowest loss comes earlier."
)
def last_that_is_a_number(rates, losses):
    return float(rates[np.flatnonzero(np.isfinite(losses))[-1]] / 10)


# --- Flatten head ------------------------------------------------------------------------------


def _repair_flatten_head(maps):
    return _softmax(np.mean(np.asarray(maps, float), axis=(1, 2)))


def _head_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(19)
    yield (np.array([0.0, 2.0, 4.0, 0.0]).reshape(1, 1, 2, 2),)
    yield (rng.normal(size=(2, 1, 1, 3)),)
    yield (rng.normal(0, 3, (2, 2, 2, 3)),)
    yield (rng.normal(0, 2, (3, 3, 2, 4)).astype(np.float32),)


REPAIR_FLATTEN_HEAD = Exercise("repair_flatten_head", _repair_flatten_head, _head_cases, Values())


@REPAIR_FLATTEN_HEAD.misconception(
    "This is still the patient: the places are laid in a row, and there are as many outputs as "
    "places times classes."
)
def flattened(maps):
    return _softmax(np.asarray(maps, float).reshape(len(maps), -1))


@REPAIR_FLATTEN_HEAD.misconception(
    "Only the place in the upper left seems to count. The others saw the rest of the picture."
)
def upper_left_place(maps):
    return _softmax(np.asarray(maps, float)[:, 0, 0])


@REPAIR_FLATTEN_HEAD.misconception(
    "This is the sum over the places. It grows with the picture, and softmax of larger scores is "
    "surer; the mean does not."
)
def summed(maps):
    return _softmax(np.asarray(maps, float).sum(axis=(1, 2)))


@REPAIR_FLATTEN_HEAD.misconception(
    "This is the largest score of each map. Wanted is the mean, as in simple_CNN."
)
def largest(maps):
    return _softmax(np.asarray(maps, float).max(axis=(1, 2)))


@REPAIR_FLATTEN_HEAD.misconception(
    "Softmax seems to come before the mean, at each place. Average the scores first, as the "
    "network's layers stand: global average, then softmax."
)
def softmax_before_the_mean(maps):
    return _softmax(maps).mean(axis=(1, 2))


@REPAIR_FLATTEN_HEAD.misconception(
    "The scores are averaged, and softmax is missing: the outputs do not sum to 1."
)
def no_softmax(maps):
    return np.asarray(maps, float).mean(axis=(1, 2))


@REPAIR_FLATTEN_HEAD.misconception(
    "Softmax seems to run over the images of the batch. Each image's outputs sum to 1."
)
def softmax_over_the_batch(maps):
    return _softmax(np.asarray(maps, float).mean(axis=(1, 2)), axis=0)


EXERCISES = (
    REPAIR_MISSING_RELU,
    REPAIR_DOUBLE_SOFTMAX,
    REPAIR_BATCH_NORM_MODE,
    REPAIR_LEAKY_SPLIT,
    REPAIR_CHANNEL_ORDER,
    REPAIR_SHIFTED_LABELS,
    REPAIR_LEARNING_RATE,
    REPAIR_FLATTEN_HEAD,
)
