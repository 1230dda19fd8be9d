"""``standardize_channels`` of lesson 01, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.banks._standardizing import AXES, both, scaled
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _standardize_channels(train_images, test_images):
    axes = (0, 1, 2)
    return both(
        train_images, test_images, train_images.mean(axis=axes), train_images.std(axis=axes)
    )


def _standardize_channels_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(31)
    yield np.array([[[[0.0, 10], [2, 30]]]]), np.array([[[[1.0, 40]]]])
    yield (
        np.array([[[[0, 50]]], [[[100, 250]]]], np.uint8),
        np.array([[[[30, 90]]]], np.uint8),
    )
    spread = np.array([1.0, 5, 0.2])
    yield rng.normal(3, spread, (4, 2, 3, 3)), rng.normal(1, 2, (2, 2, 3, 3))
    yield rng.random((5, 3, 3, 2), dtype=np.float32), rng.random((3, 3, 3, 2), dtype=np.float32)
    yield (
        rng.integers(0, 256, (6, 3, 4, 3), dtype=np.uint8),
        rng.integers(0, 100, (2, 3, 4, 3), dtype=np.uint8),
    )
    yield np.array([-3.0, 1.0, 8.0]).reshape(1, 3, 1, 1), np.array([[[[2.0]], [[-4.0]], [[0.0]]]])


BANK = Bank(
    "standardize_channels",
    "01",
    _standardize_channels,
    _standardize_channels_cases,
    Values(("train images", "test images"), kind="float32"),
    axes=AXES,
)
BANK.help(
    idea="One mean and one deviation for each channel, over images, rows and columns alike.",
    section="Standardize",
    step=(
        "Name the axes over which you average; what is left has one number for each channel, and "
        "NumPy lines it up with the last axis."
    ),
)


@BANK.mistake(
    "One mean and one deviation seem to serve all channels. A channel that is darker or flatter "
    "than the others stays so; wanted is a pair for each."
)
def one_pair_for_all_channels(train_images, test_images):
    return both(train_images, test_images, train_images.mean(), train_images.std())


@BANK.mistake(
    "Each pixel place seems to get a mean and a deviation of its own. Rows and columns are averaged"
    " over, too: only the channels are kept apart."
)
def a_pair_for_each_pixel(train_images, test_images):
    return both(
        train_images, test_images, *(f(train_images, axis=0, keepdims=True) for f in _MOMENTS)
    )


@BANK.mistake(
    "Each column of each channel seems to get a mean and a deviation of its own: images and rows "
    "are averaged over, columns are not. Count the axes: a channel has one pair."
)
def a_pair_for_each_column(train_images, test_images):
    return both(train_images, test_images, *(f(train_images, axis=(0, 1)) for f in _MOMENTS))


@BANK.mistake(
    "Each row of each channel seems to get a mean and a deviation of its own: images and columns "
    "are averaged over, rows are not. Count the axes: a channel has one pair."
)
def a_pair_for_each_row(train_images, test_images):
    return both(
        train_images, test_images, *(f(train_images, axis=(0, 2), keepdims=True) for f in _MOMENTS)
    )


@BANK.mistake(
    "Each image seems to be scaled by itself, channel by channel. Then a dark image comes out like "
    "a bright one; wanted are the moments of all training images together."
)
def each_image_by_itself(train_images, test_images):
    return tuple(
        scaled(images, *(f(images, axis=(1, 2), keepdims=True) for f in _MOMENTS))
        for images in (train_images, test_images)
    )


@BANK.mistake(
    "Each set seems to be scaled with its own moments. The test images say something about "
    "themselves before the test (a leak); use those of the training images for both."
)
def each_set_by_itself(train_images, test_images):
    return tuple(
        scaled(images, *(f(images, axis=(0, 1, 2)) for f in _MOMENTS))
        for images in (train_images, test_images)
    )


@BANK.mistake(
    "The moments seem to be taken over the channels, at each place. That mixes red with green and "
    "blue; the channels are what has to be kept apart."
)
def over_the_channels(train_images, test_images):
    return tuple(
        scaled(images, *(f(images, axis=-1, keepdims=True) for f in _MOMENTS))
        for images in (train_images, test_images)
    )


@BANK.mistake(
    "The mean of each channel is taken off, but the deviation seems to be one for all channels. A "
    "flat channel stays flat."
)
def one_deviation_for_all(train_images, test_images):
    return both(train_images, test_images, train_images.mean(axis=(0, 1, 2)), train_images.std())


@BANK.mistake("The mean of each channel is taken off, but the spread seems to stay as it was.")
def only_centered(train_images, test_images):
    return both(train_images, test_images, train_images.mean(axis=(0, 1, 2)), 1)


@BANK.mistake("Each channel seems to be divided by its variance. Wanted is the root of it.")
def divided_by_the_variance(train_images, test_images):
    axes = (0, 1, 2)
    return both(
        train_images, test_images, train_images.mean(axis=axes), train_images.var(axis=axes)
    )


@BANK.mistake(
    "The deviation seems to be divided by n - 1. Wanted is the spread of these numbers, by n."
)
def deviation_of_a_sample(train_images, test_images):
    axes = (0, 1, 2)
    deviation = train_images.std(axis=axes, ddof=1)
    return both(train_images, test_images, train_images.mean(axis=axes), deviation)


_MOMENTS = (np.mean, np.std)


@BANK.mistake(
    "The test images seem to be divided by their own deviation, though the mean is that of the "
    "training images. Both numbers of the ruler come from the training images."
)
def test_images_with_their_own_deviation(train_images, test_images):
    train, _ = _standardize_channels(train_images, test_images)
    return train, scaled(
        test_images, np.mean(train_images, axis=(0, 1, 2)), np.std(test_images, axis=(0, 1, 2))
    )


@BANK.mistake(
    "The test images seem to be centred on their own mean, though the deviation is that of the "
    "training images. Both numbers of the ruler come from the training images."
)
def test_images_around_their_own_mean(train_images, test_images):
    train, _ = _standardize_channels(train_images, test_images)
    return train, scaled(
        test_images, np.mean(test_images, axis=(0, 1, 2)), np.std(train_images, axis=(0, 1, 2))
    )


@BANK.mistake(
    "Only the mean seems to be divided by the deviation: a division goes before a subtraction. Put "
    "the difference into brackets."
)
def brackets_missing(train_images, test_images):
    quotient = np.mean(train_images, axis=(0, 1, 2)) / np.std(train_images, axis=(0, 1, 2))
    return both(train_images, test_images, quotient, 1)


@BANK.mistake(
    "The deviation seems to be taken within each image, and averaged over the images. That leaves "
    "out how far the images lie apart; take it over images, rows and columns at once."
)
def mean_of_the_images_deviations(train_images, test_images):
    deviation = np.std(train_images, axis=(1, 2)).mean(axis=0)
    return both(train_images, test_images, np.mean(train_images, axis=(0, 1, 2)), deviation)


@BANK.mistake(
    "The variance seems to be taken within each image, and its mean over the images to give the "
    "deviation. That leaves out how far the images lie apart; "
    "take it over images, rows and columns at once."
)
def mean_of_the_images_variances(train_images, test_images):
    deviation = np.sqrt(np.var(train_images, axis=(1, 2)).mean(axis=0))
    return both(train_images, test_images, np.mean(train_images, axis=(0, 1, 2)), deviation)
