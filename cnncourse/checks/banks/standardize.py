"""``standardize`` of lesson 01, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.banks._standardizing import AXES, both, scaled
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _standardize(train_images, test_images):
    mean, deviation = np.mean(train_images), np.std(train_images)
    return both(train_images, test_images, mean, deviation)


def _standardize_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(1)
    yield np.array([[[0.0, 2.0]], [[4.0, 8.0]]]), np.array([[[1.0, 10.0]]])
    yield np.array([[[0, 50]], [[100, 250]]], np.uint8), np.array([[[30, 90]]], np.uint8)
    yield rng.normal(5, 2, (3, 2, 2)), rng.normal(1, 4, (2, 2, 2))
    yield rng.random((4, 3, 2), dtype=np.float32), rng.random((3, 3, 2), dtype=np.float32)
    yield (
        rng.integers(0, 256, (4, 3, 3, 3), dtype=np.uint8),
        rng.integers(0, 100, (2, 3, 3, 3), dtype=np.uint8),
    )
    yield (
        rng.integers(0, 256, (20, 6, 6), dtype=np.uint8),
        rng.integers(100, 256, (10, 6, 6), dtype=np.uint8),
    )
    yield np.array([-3.0, 1.0, 8.0]).reshape(1, 3, 1, 1), np.array([[[[2.0]], [[-4.0]], [[0.0]]]])


BANK = Bank(
    "standardize",
    "01",
    _standardize,
    _standardize_cases,
    Values(("train images", "test images"), kind="float32"),
    axes=AXES,
)
BANK.help(
    idea=(
        "One ruler for both sets: the two numbers come from the training images alone, and are "
        "laid on the test images as they are."
    ),
    section="Standardize",
    step=(
        "Take the mean and the standard deviation of all training pixels, once. Then subtract "
        "and divide, first in one set, then in the other, and only at the end turn both into "
        "float32."
    ),
)


@BANK.mistake(
    "Each set seems to be scaled with its own mean and deviation. Then one and the same image gets "
    "other values in the two sets, and the test images say something about themselves before the "
    "test. Wanted is one pair of numbers for both, from the images that may be looked at."
)
def each_set_by_itself(train_images, test_images):
    return tuple(scaled(i, np.mean(i), np.std(i)) for i in (train_images, test_images))


@BANK.mistake(
    "The mean and the deviation seem to come from both sets together. So the test images have "
    "already told something before the test (a leak). Wanted are those of one set alone."
)
def both_sets_together(train_images, test_images):
    every = np.concatenate([train_images, test_images])
    return tuple(scaled(i, np.mean(every), np.std(every)) for i in (train_images, test_images))


@BANK.mistake(
    "The mean and the deviation seem to come from the test images. They stand for images that "
    "nobody has seen yet; wanted are the statistics of the other set."
)
def statistics_of_the_test_images(train_images, test_images):
    mean, deviation = np.mean(test_images), np.std(test_images)
    return both(train_images, test_images, mean, deviation)


@BANK.mistake(
    "Each pixel place seems to get a mean and a deviation of its own (an average over axis 0 "
    "alone). Wanted are two single numbers, over all images and all pixels."
)
def statistics_of_each_pixel(train_images, test_images):
    mean, deviation = np.mean(train_images, axis=0), np.std(train_images, axis=0)
    return both(train_images, test_images, mean, deviation)


@BANK.mistake(
    "Each image seems to be scaled by its own mean and deviation, so that a dark image comes out "
    "like a bright one. Wanted are two single numbers for all images."
)
def statistics_of_each_image(train_images, test_images):
    def scale(images):
        axes = tuple(range(1, images.ndim))
        mean = np.mean(images, axis=axes, keepdims=True)
        return scaled(images, mean, np.std(images, axis=axes, keepdims=True))

    return scale(train_images), scale(test_images)


@BANK.mistake(
    "The images seem to be divided by the variance. That is a square: in units of grey values "
    "squared. Wanted is the spread in the units of the pixels themselves."
)
def divided_by_the_variance(train_images, test_images):
    mean, variance = np.mean(train_images), np.var(train_images)
    return both(train_images, test_images, mean, variance)


@BANK.mistake(
    "The mean is taken off, but the spread seems to stay as it was: the results reach as far apart "
    "as the pixels did. Wanted is a spread of 1 as well."
)
def only_centred(train_images, test_images):
    mean = np.mean(train_images)
    return both(train_images, test_images, mean, 1)


@BANK.mistake(
    "The images are divided by the spread, but the mean seems to stay in: the train images do not "
    "end up around 0."
)
def not_centred(train_images, test_images):
    deviation = np.std(train_images)
    return both(train_images, test_images, 0, deviation)


@BANK.mistake(
    "It seems to divide first and take the mean off afterwards. By then the mean of the values is "
    "another one. Look at the order of the two steps."
)
def divided_before_centring(train_images, test_images):
    mean, deviation = np.mean(train_images), np.std(train_images)
    return tuple((i / deviation - mean).astype(np.float32) for i in (train_images, test_images))


@BANK.mistake(
    "The images seem to be squeezed between 0 and 1 by their smallest and largest value. Wanted is "
    "another scale: mean 0 and deviation 1 on the train images."
)
def squeezed_between_0_and_1(train_images, test_images):
    low, span = np.min(train_images), np.ptp(train_images)
    return tuple((np.asarray(i, float) - low) / span for i in (train_images, test_images))


@BANK.mistake(
    "The images seem to be divided by 255, whatever is in them. Wanted is a scale that comes from "
    "the train images: mean 0 and deviation 1."
)
def divided_by_255(train_images, test_images):
    return both(train_images, test_images, 0, 255)


@BANK.mistake(
    "The train images are scaled, the test images seem to come back as they were. The network "
    "would meet them in units that it has never seen."
)
def test_images_left_as_they_are(train_images, test_images):
    return _standardize(train_images, test_images)[0], test_images.astype(np.float32)


@BANK.mistake(
    "The deviation seems to be divided by n - 1. That estimates the spread of a larger whole from "
    "a sample; wanted is the spread of these numbers, divided by n."
)
def deviation_of_a_sample(train_images, test_images):
    mean, deviation = np.mean(train_images), np.std(train_images, ddof=1)
    return both(train_images, test_images, mean, deviation)


@BANK.mistake(
    "The test images seem to be divided by their own deviation, though the mean is that of the "
    "training images. Both numbers of the ruler come from the training images."
)
def test_images_with_their_own_deviation(train_images, test_images):
    train, _ = _standardize(train_images, test_images)
    return train, scaled(test_images, np.mean(train_images), np.std(test_images))


@BANK.mistake(
    "The test images seem to be centred on their own mean, though the deviation is that of the "
    "training images. Both numbers of the ruler come from the training images."
)
def test_images_around_their_own_mean(train_images, test_images):
    train, _ = _standardize(train_images, test_images)
    return train, scaled(test_images, np.mean(test_images), np.std(train_images))


@BANK.mistake(
    "Only the mean seems to be divided by the deviation: a division goes before a subtraction. Put "
    "the difference into brackets."
)
def brackets_missing(train_images, test_images):
    quotient = np.mean(train_images) / np.std(train_images)
    return both(train_images, test_images, quotient, 1)


def _of_each_image(moment, images):
    return moment(images, axis=tuple(range(1, np.ndim(images))))


@BANK.mistake(
    "The deviation seems to be taken within each image, and averaged over the images. That leaves "
    "out how far the images lie apart; take it over all pixels of all images at once."
)
def mean_of_the_images_deviations(train_images, test_images):
    deviation = np.mean(_of_each_image(np.std, train_images))
    return both(train_images, test_images, np.mean(train_images), deviation)


@BANK.mistake(
    "The variance seems to be taken within each image, and its mean over the images to give the "
    "deviation. That leaves out how far the images lie apart; "
    "take it over all pixels of all images at once."
)
def mean_of_the_images_variances(train_images, test_images):
    deviation = np.sqrt(np.mean(_of_each_image(np.var, train_images)))
    return both(train_images, test_images, np.mean(train_images), deviation)
