"""Exercises of lesson 01: images as arrays.

Each wrong implementation is a mistake that people make, with the hint that answers it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Exercise
from cnncourse.checks.forms import Values


def _standardize(train_images, test_images):
    mean, deviation = np.mean(train_images), np.std(train_images)
    return _scaled(train_images, mean, deviation), _scaled(test_images, mean, deviation)


def _scaled(images, mean, deviation):
    return ((images - mean) / deviation).astype(np.float32)


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


STANDARDIZE = Exercise(
    "standardize",
    _standardize,
    _standardize_cases,
    Values(("train images", "test images"), kind="float32"),
)


@STANDARDIZE.misconception(
    "Each set seems to be scaled with its own mean and deviation. Then one and the same image gets "
    "other values in the two sets, and the test images say something about themselves before the "
    "test. Wanted is one pair of numbers for both, from the images that may be looked at."
)
def each_set_by_itself(train_images, test_images):
    return tuple(_scaled(i, np.mean(i), np.std(i)) for i in (train_images, test_images))


@STANDARDIZE.misconception(
    "The mean and the deviation seem to come from both sets together. So the test images have "
    "already told something before the test (a leak). Wanted are those of one set alone."
)
def both_sets_together(train_images, test_images):
    every = np.concatenate([train_images, test_images])
    return tuple(_scaled(i, np.mean(every), np.std(every)) for i in (train_images, test_images))


@STANDARDIZE.misconception(
    "The mean and the deviation seem to come from the test images. They stand for images that "
    "nobody has seen yet; wanted are the statistics of the other set."
)
def statistics_of_the_test_images(train_images, test_images):
    mean, deviation = np.mean(test_images), np.std(test_images)
    return _scaled(train_images, mean, deviation), _scaled(test_images, mean, deviation)


@STANDARDIZE.misconception(
    "Each pixel place seems to get a mean and a deviation of its own (an average over axis 0 "
    "alone). Wanted are two single numbers, over all images and all pixels."
)
def statistics_of_each_pixel(train_images, test_images):
    mean, deviation = np.mean(train_images, axis=0), np.std(train_images, axis=0)
    return _scaled(train_images, mean, deviation), _scaled(test_images, mean, deviation)


@STANDARDIZE.misconception(
    "Each image seems to be scaled by its own mean and deviation, so that a dark image comes out "
    "like a bright one. Wanted are two single numbers for all images."
)
def statistics_of_each_image(train_images, test_images):
    def scale(images):
        axes = tuple(range(1, images.ndim))
        mean = np.mean(images, axis=axes, keepdims=True)
        return _scaled(images, mean, np.std(images, axis=axes, keepdims=True))

    return scale(train_images), scale(test_images)


@STANDARDIZE.misconception(
    "The images seem to be divided by the variance. That is a square: in units of grey values "
    "squared. Wanted is the spread in the units of the pixels themselves."
)
def divided_by_the_variance(train_images, test_images):
    mean, variance = np.mean(train_images), np.var(train_images)
    return _scaled(train_images, mean, variance), _scaled(test_images, mean, variance)


@STANDARDIZE.misconception(
    "The mean is taken off, but the spread seems to stay as it was: the results reach as far apart "
    "as the pixels did. Wanted is a spread of 1 as well."
)
def only_centred(train_images, test_images):
    mean = np.mean(train_images)
    return _scaled(train_images, mean, 1), _scaled(test_images, mean, 1)


@STANDARDIZE.misconception(
    "The images are divided by the spread, but the mean seems to stay in: the train images do not "
    "end up around 0."
)
def not_centred(train_images, test_images):
    deviation = np.std(train_images)
    return _scaled(train_images, 0, deviation), _scaled(test_images, 0, deviation)


@STANDARDIZE.misconception(
    "It seems to divide first and take the mean off afterwards. By then the mean of the values is "
    "another one. Look at the order of the two steps."
)
def divided_before_centring(train_images, test_images):
    mean, deviation = np.mean(train_images), np.std(train_images)
    return tuple((i / deviation - mean).astype(np.float32) for i in (train_images, test_images))


@STANDARDIZE.misconception(
    "The images seem to be squeezed between 0 and 1 by their smallest and largest value. Wanted is "
    "another scale: mean 0 and deviation 1 on the train images."
)
def squeezed_between_0_and_1(train_images, test_images):
    low, span = np.min(train_images), np.ptp(train_images)
    return tuple((np.asarray(i, float) - low) / span for i in (train_images, test_images))


@STANDARDIZE.misconception(
    "The images seem to be divided by 255, whatever is in them. Wanted is a scale that comes from "
    "the train images: mean 0 and deviation 1."
)
def divided_by_255(train_images, test_images):
    return _scaled(train_images, 0, 255), _scaled(test_images, 0, 255)


@STANDARDIZE.misconception(
    "The train images are scaled, the test images seem to come back as they were. The network "
    "would meet them in units that it has never seen."
)
def test_images_left_as_they_are(train_images, test_images):
    return _standardize(train_images, test_images)[0], test_images.astype(np.float32)


@STANDARDIZE.misconception(
    "The deviation seems to be divided by n - 1. That estimates the spread of a larger whole from "
    "a sample; wanted is the spread of these numbers, divided by n."
)
def deviation_of_a_sample(train_images, test_images):
    mean, deviation = np.mean(train_images), np.std(train_images, ddof=1)
    return _scaled(train_images, mean, deviation), _scaled(test_images, mean, deviation)


def _rows(images):
    return np.asarray(images, float).reshape(len(images), -1)


def _class_means(train_images, train_labels, num_classes):
    rows = _rows(train_images)
    return np.stack([rows[train_labels == label].mean(axis=0) for label in range(num_classes)])


def _distances(images, means, power=2):
    return (np.abs(_rows(images)[:, np.newaxis] - means) ** power).sum(axis=2)


def _nearest_mean(train_images, train_labels, images, num_classes):
    means = _class_means(train_images, train_labels, num_classes)
    return _distances(images, means).argmin(axis=1)


def _nearest_mean_cases() -> Iterator[tuple]:
    train = np.array([[[0.0, 0.0]], [[9.0, 1.0]], [[1.0, 1.0]], [[5.0, 4.0]]])
    yield train, np.array([1, 0, 1, 0]), np.array([[[3.0, 2.0]], [[7.0, 2.0]], [[0.0, 5.0]]]), 2
    rng = np.random.default_rng(2)
    for classes, shape, dtype in [
        (2, (2, 2), np.uint8),
        (3, (2, 2), float),
        (3, (3, 2, 2), np.float32),
        (4, (4, 4), np.uint8),
    ]:
        labels = np.concatenate([np.arange(classes)[::-1], rng.integers(0, classes, 7)])
        centres = rng.integers(0, 200, (classes, *shape))
        train = centres[labels] + rng.integers(0, 56, (len(labels), *shape))
        images = rng.integers(0, 256, (8, *shape))
        yield train.astype(dtype), labels, images.astype(dtype), classes


NEAREST_MEAN = Exercise(
    "nearest_mean", _nearest_mean, _nearest_mean_cases, Values(("labels",), kind="integers")
)


@NEAREST_MEAN.misconception(
    "Each image seems to get the label of the single train image that is nearest to it. That is "
    "the nearest neighbour; wanted is a comparison with one average image per class."
)
def nearest_neighbour(train_images, train_labels, images, num_classes):
    return train_labels[_distances(images, _rows(train_images)).argmin(axis=1)]


@NEAREST_MEAN.misconception(
    "The numbers seem to be positions of train images. Wanted is a label for each image: which "
    "class it belongs to."
)
def position_of_the_nearest_image(train_images, train_labels, images, num_classes):
    return _distances(images, _rows(train_images)).argmin(axis=1)


@NEAREST_MEAN.misconception(
    "The class with the largest distance seems to win. A small distance means alike."
)
def farthest_mean(train_images, train_labels, images, num_classes):
    means = _class_means(train_images, train_labels, num_classes)
    return _distances(images, means).argmax(axis=1)


@NEAREST_MEAN.misconception(
    "The class whose mean image has the largest product with the image seems to win. Then a bright "
    "mean image beats the others whatever is on it. Wanted is the smallest Euclidean distance."
)
def largest_product(train_images, train_labels, images, num_classes):
    means = _class_means(train_images, train_labels, num_classes)
    return (_rows(images) @ means.T).argmax(axis=1)


@NEAREST_MEAN.misconception(
    "The distance seems to be the sum of absolute differences. Wanted is the Euclidean one, in "
    "which one large difference weighs more than several small ones."
)
def absolute_differences(train_images, train_labels, images, num_classes):
    means = _class_means(train_images, train_labels, num_classes)
    return _distances(images, means, power=1).argmin(axis=1)


@NEAREST_MEAN.misconception(
    "The differences seem to be added with their signs, so that too bright here and too dark there "
    "cancel. Something must make every difference count as a distance."
)
def differences_that_cancel(train_images, train_labels, images, num_classes):
    means = _class_means(train_images, train_labels, num_classes)
    return (_rows(images)[:, np.newaxis] - means).sum(axis=2).argmin(axis=1)


@NEAREST_MEAN.misconception(
    "Only how bright an image is on the whole seems to count. Wanted is a comparison place by "
    "place: two different pictures can be equally bright."
)
def brightness_alone(train_images, train_labels, images, num_classes):
    means = _class_means(train_images, train_labels, num_classes).mean(axis=1)
    return np.abs(_rows(images).mean(axis=1)[:, np.newaxis] - means).argmin(axis=1)


@NEAREST_MEAN.misconception(
    "The images of a class seem to be added up and not averaged: a class with more images gets a "
    "brighter sum, and nothing lies near it."
)
def sums_of_the_classes(train_images, train_labels, images, num_classes):
    rows = _rows(train_images)
    sums = np.stack([rows[train_labels == label].sum(axis=0) for label in range(num_classes)])
    return _distances(images, sums).argmin(axis=1)


@NEAREST_MEAN.misconception(
    "The classes seem to be numbered in the order in which they first occur among the labels. "
    "Wanted are the labels themselves: position 0 is class 0."
)
def numbered_by_first_occurrence(train_images, train_labels, images, num_classes):
    order = list(dict.fromkeys(int(label) for label in train_labels))
    means = _class_means(train_images, train_labels, num_classes)[order]
    return _distances(images, means).argmin(axis=1)


@NEAREST_MEAN.misconception(
    "With images of whole numbers (uint8) the differences seem to wrap around: 3 - 5 becomes 254 "
    "there, because the type holds no negative numbers. Mind the type before you subtract."
)
def differences_of_uint8(train_images, train_labels, images, num_classes):
    means = _class_means(train_images, train_labels, num_classes)
    if images.dtype != np.uint8:
        return _distances(images, means).argmin(axis=1)
    difference = images.reshape(len(images), 1, -1) - means.astype(np.uint8)
    return (difference.astype(float) ** 2).sum(axis=2).argmin(axis=1)


EXERCISES = (STANDARDIZE, NEAREST_MEAN)
