"""Exercises of lesson 07: counting parameters, and the loss of raw scores.

Each wrong implementation is a mistake that people make, with the hint that answers it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Exercise
from cnncourse.checks.forms import Values


def _count_parameters(channels_in, filters, kernel_size, batch_norm):
    trainable = kernel_size**2 * channels_in * filters + filters
    return (trainable + 2 * filters, 2 * filters) if batch_norm else (trainable, 0)


def _count_cases() -> Iterator[tuple]:
    for batch_norm in (False, True):
        yield 1, 2, 3, batch_norm
        yield 3, 1, 1, batch_norm
        yield 3, 8, 5, batch_norm
        yield 16, 32, 7, batch_norm
        yield 256, 10, 3, batch_norm


COUNT_PARAMETERS = Exercise(
    "count_parameters",
    _count_parameters,
    _count_cases,
    Values(("trainable", "non_trainable"), kind="whole"),
)


@COUNT_PARAMETERS.misconception(
    "The biases seem to be missing: each filter has one number of its own that is added."
)
def no_bias(channels_in, filters, kernel_size, batch_norm):
    trainable, frozen = _count_parameters(channels_in, filters, kernel_size, batch_norm)
    return trainable - filters, frozen


@COUNT_PARAMETERS.misconception(
    "Each filter seems to have as many biases as there are channels. It has one, because the "
    "channels are added up before."
)
def bias_for_each_channel(channels_in, filters, kernel_size, batch_norm):
    trainable, frozen = _count_parameters(channels_in, filters, kernel_size, batch_norm)
    return trainable + (channels_in - 1) * filters, frozen


@COUNT_PARAMETERS.misconception(
    "A filter seems to read a single channel. Its kernel is as deep as the input: it has weights "
    "for every channel."
)
def one_channel_deep(channels_in, filters, kernel_size, batch_norm):
    return _count_parameters(1, filters, kernel_size, batch_norm)


@COUNT_PARAMETERS.misconception(
    "The kernel seems to be a line. `kernel_size` is the side of a square."
)
def kernel_as_a_line(channels_in, filters, kernel_size, batch_norm):
    _, frozen = _count_parameters(channels_in, filters, kernel_size, batch_norm)
    return kernel_size * channels_in * filters + filters + frozen, frozen


@COUNT_PARAMETERS.misconception(
    "`batch_norm` seems to have no effect. The layer behind brings numbers of its own, and not all "
    "of them are trained."
)
def normalization_left_out(channels_in, filters, kernel_size, batch_norm):
    return _count_parameters(channels_in, filters, kernel_size, False)


@COUNT_PARAMETERS.misconception(
    "All four numbers that batch normalization keeps for a channel seem to count as trained. Two "
    "of them are not learnt by gradient descent: they are averages that it keeps."
)
def moving_moments_trained(channels_in, filters, kernel_size, batch_norm):
    trainable, frozen = _count_parameters(channels_in, filters, kernel_size, batch_norm)
    return trainable + frozen, 0


@COUNT_PARAMETERS.misconception(
    "Scale and offset of batch normalization seem to be missing among the trained ones."
)
def scale_and_offset_missing(channels_in, filters, kernel_size, batch_norm):
    trainable, frozen = _count_parameters(channels_in, filters, kernel_size, batch_norm)
    return trainable - frozen, frozen


@COUNT_PARAMETERS.misconception(
    "Nothing seems to count as not trained. Batch normalization keeps a mean and a variance for "
    "each channel; they belong to the layer and are stored with it."
)
def moving_moments_forgotten(channels_in, filters, kernel_size, batch_norm):
    return _count_parameters(channels_in, filters, kernel_size, batch_norm)[0], 0


@COUNT_PARAMETERS.misconception(
    "Batch normalization seems to be counted on the channels that the convolution reads. It stands "
    "behind it and sees one map for each filter."
)
def normalization_of_the_inputs(channels_in, filters, kernel_size, batch_norm):
    trainable, _ = _count_parameters(channels_in, filters, kernel_size, False)
    return (trainable + 2 * channels_in, 2 * channels_in) if batch_norm else (trainable, 0)


@COUNT_PARAMETERS.misconception(
    "The bias seems to vanish as soon as batch normalization follows. It is useless there, as "
    "lesson 04 shows, and it is still a parameter: here it counts in both cases."
)
def no_bias_before_normalization(channels_in, filters, kernel_size, batch_norm):
    trainable, frozen = _count_parameters(channels_in, filters, kernel_size, batch_norm)
    return trainable - filters * bool(batch_norm), frozen


@COUNT_PARAMETERS.misconception(
    "The two numbers come in the wrong order. Wanted are the trained ones first."
)
def swapped(channels_in, filters, kernel_size, batch_norm):
    return _count_parameters(channels_in, filters, kernel_size, batch_norm)[::-1]


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
    yield rng.normal(0, 5, (9, 10)).astype(np.float32), rng.integers(0, 10, 9).astype(np.uint8)


SOFTMAX_CROSS_ENTROPY = Exercise(
    "softmax_cross_entropy", _softmax_cross_entropy, _loss_cases, Values()
)


@SOFTMAX_CROSS_ENTROPY.misconception(
    "For large scores the answer is no number: exp(1000) is too large for the machine. Softmax "
    "stays the same when the largest score is taken off all of them first, and the logarithm "
    "can be taken by hand instead of undoing an exponential."
)
def overflow(logits, labels):
    powers = np.exp(np.asarray(logits, float))
    shares = powers / powers.sum(axis=1, keepdims=True)
    return float(-np.log(shares[np.arange(len(labels)), labels]).mean())


@SOFTMAX_CROSS_ENTROPY.misconception(
    "The largest score is taken off, and a share that is too small still becomes 0, whose "
    "logarithm is infinite. Do not take the logarithm of an exponential: log(exp(s) / sum) is s "
    "less the logarithm of the sum."
)
def logarithm_of_zero(logits, labels):
    shares = np.exp(_log_softmax(logits))
    return float(-np.log(shares[np.arange(len(labels)), labels]).mean())


@SOFTMAX_CROSS_ENTROPY.misconception(
    "A share that is too small seems to be cut at a small number before the logarithm. Then a "
    "label with the scores (1000, 0) costs sixteen or so, where it costs 1000."
)
def cut_at_a_small_number(logits, labels):
    shares = np.exp(_log_softmax(logits))[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(shares, 1e-7)).mean())


@SOFTMAX_CROSS_ENTROPY.misconception(
    "This is the sum over the images. Wanted is the mean, so that it does not grow with the batch."
)
def summed(logits, labels):
    return _softmax_cross_entropy(logits, labels) * len(labels)


@SOFTMAX_CROSS_ENTROPY.misconception("The sign is the wrong one: a loss is never negative.")
def no_minus(logits, labels):
    return -_softmax_cross_entropy(logits, labels)


@SOFTMAX_CROSS_ENTROPY.misconception(
    "This is minus the score of the true class. The softmax is missing: what counts is the score "
    "against all the others."
)
def no_softmax(logits, labels):
    return float(-np.asarray(logits, float)[np.arange(len(labels)), labels].mean())


@SOFTMAX_CROSS_ENTROPY.misconception(
    "Softmax seems to run over the images of the batch. Each image's shares sum to 1."
)
def softmax_over_the_batch(logits, labels):
    turned = _log_softmax(np.asarray(logits, float).T).T
    return float(-turned[np.arange(len(labels)), labels].mean())


@SOFTMAX_CROSS_ENTROPY.misconception(
    "This is the loss of the class with the highest score, whatever the label says."
)
def of_the_answer(logits, labels):
    return _softmax_cross_entropy(logits, np.argmax(logits, axis=1))


@SOFTMAX_CROSS_ENTROPY.misconception(
    "The logarithm seems to be the one to the base 2. Keras takes the natural one."
)
def logarithm_to_base_two(logits, labels):
    return _softmax_cross_entropy(logits, labels) / np.log(2)


@SOFTMAX_CROSS_ENTROPY.misconception(
    "The mean seems to run over all classes of all images. It is one number for each image, that "
    "of its true class, and the mean of those."
)
def mean_over_classes(logits, labels):
    return _softmax_cross_entropy(logits, labels) / np.shape(logits)[1]


@SOFTMAX_CROSS_ENTROPY.misconception(
    "This is one less the probability of the true class. That is no logarithm: a network that is "
    "sure and wrong would cost hardly more than one that wavers."
)
def one_less_the_probability(logits, labels):
    return float(1 - np.exp(_log_softmax(logits))[np.arange(len(labels)), labels].mean())


EXERCISES = (COUNT_PARAMETERS, SOFTMAX_CROSS_ENTROPY)
