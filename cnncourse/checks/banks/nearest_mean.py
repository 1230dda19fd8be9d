"""``nearest_mean`` of lesson 01, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


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
    # The mean distance to the images of class 0 is 5, their mean is 1 away.
    yield (
        np.array([[[0.0]], [[8.0]], [[10.0]], [[8.0]]]),
        np.array([0, 1, 0, 1]),
        np.full((1, 1, 1), 6.0),
        2,
    )
    # The mean of class 1 is 4.5: rounded down, it lies no nearer than that of class 0.
    yield (
        np.array([[[8]], [[4]], [[5]]], np.uint8),
        np.array([0, 1, 1]),
        np.full((1, 1, 1), 6, np.uint8),
        2,
    )
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
    centers = rng.random((18, 3, 4))
    labels = np.concatenate([np.arange(18), rng.integers(0, 18, 30)]).astype(np.uint8)
    yield (
        np.clip(centers[labels] + rng.normal(0, 0.2, (48, 3, 4)), 0, 1),
        labels,
        rng.random((20, 3, 4)),
        18,
    )
    drawn = rng.normal(0, 1, (9, 2, 3, 1))
    yield drawn[:6], np.array([1, 0, 1, 1, 0, 1]), drawn[6:], 2


BANK = Bank(
    "nearest_mean",
    "01",
    _nearest_mean,
    _nearest_mean_cases,
    Values(("labels",), kind="integers"),
    axes={"train_images": "nhwc", "train_labels": "n", "images": "mhwc", "labels": "m"},
)
BANK.help(
    idea=(
        "A class is one picture: the mean of its training images. An image belongs to the class "
        "whose picture is least far away."
    ),
    section="First model: the nearest mean",
    step=(
        "Make floats first. Build the mean picture of label 0, of label 1, and so on. For one "
        "image, sum the squared differences to each of them; the place of the smallest sum is "
        "the label."
    ),
)


@BANK.mistake(
    "Each image seems to get the label of the single train image that is nearest to it. That is "
    "the nearest neighbour; wanted is a comparison with one average image per class."
)
def nearest_neighbour(train_images, train_labels, images, num_classes):
    return train_labels[_distances(images, _rows(train_images)).argmin(axis=1)]


@BANK.mistake(
    "The numbers seem to be positions of train images. Wanted is a label for each image: which "
    "class it belongs to."
)
def position_of_the_nearest_image(train_images, train_labels, images, num_classes):
    return _distances(images, _rows(train_images)).argmin(axis=1)


@BANK.mistake("The class with the largest distance seems to win. A small distance means alike.")
def farthest_mean(train_images, train_labels, images, num_classes):
    means = _class_means(train_images, train_labels, num_classes)
    return _distances(images, means).argmax(axis=1)


@BANK.mistake(
    "The class whose mean image has the largest product with the image seems to win. Then a bright "
    "mean image beats the others whatever is on it. Wanted is the smallest Euclidean distance."
)
def largest_product(train_images, train_labels, images, num_classes):
    means = _class_means(train_images, train_labels, num_classes)
    return (_rows(images) @ means.T).argmax(axis=1)


@BANK.mistake(
    "The distance seems to be the sum of absolute differences. Wanted is the Euclidean one, in "
    "which one large difference weighs more than several small ones."
)
def absolute_differences(train_images, train_labels, images, num_classes):
    means = _class_means(train_images, train_labels, num_classes)
    return _distances(images, means, power=1).argmin(axis=1)


@BANK.mistake(
    "The differences seem to be added with their signs, so that too bright here and too dark there "
    "cancel. Something must make every difference count as a distance."
)
def differences_that_cancel(train_images, train_labels, images, num_classes):
    means = _class_means(train_images, train_labels, num_classes)
    return (_rows(images)[:, np.newaxis] - means).sum(axis=2).argmin(axis=1)


@BANK.mistake(
    "Only how bright an image is on the whole seems to count. Wanted is a comparison place by "
    "place: two different pictures can be equally bright."
)
def brightness_alone(train_images, train_labels, images, num_classes):
    means = _class_means(train_images, train_labels, num_classes).mean(axis=1)
    return np.abs(_rows(images).mean(axis=1)[:, np.newaxis] - means).argmin(axis=1)


@BANK.mistake(
    "The images of a class seem to be added up and not averaged: a class with more images gets a "
    "brighter sum, and nothing lies near it."
)
def sums_of_the_classes(train_images, train_labels, images, num_classes):
    rows = _rows(train_images)
    sums = np.stack([rows[train_labels == label].sum(axis=0) for label in range(num_classes)])
    return _distances(images, sums).argmin(axis=1)


@BANK.mistake(
    "The classes seem to be numbered in the order in which they first occur among the labels. "
    "Wanted are the labels themselves: position 0 is class 0."
)
def numbered_by_first_occurrence(train_images, train_labels, images, num_classes):
    order = list(dict.fromkeys(int(label) for label in train_labels))
    means = _class_means(train_images, train_labels, num_classes)[order]
    return _distances(images, means).argmin(axis=1)


@BANK.mistake(
    "With images of whole numbers (uint8) the differences seem to wrap around: 3 - 5 becomes 254 "
    "there, because the type holds no negative numbers. Mind the type before you subtract."
)
def differences_of_uint8(train_images, train_labels, images, num_classes):
    means = _class_means(train_images, train_labels, num_classes)
    if images.dtype != np.uint8:
        return _distances(images, means).argmin(axis=1)
    difference = images.reshape(len(images), 1, -1) - means.astype(np.uint8)
    return (difference.astype(float) ** 2).sum(axis=2).argmin(axis=1)


@BANK.mistake(
    "With images of whole numbers (uint8) the means seem to lose their fractions: they are kept in "
    "the type of the images. A mean needs a type that holds fractions."
)
def means_in_the_type_of_the_images(train_images, train_labels, images, num_classes):
    means = _class_means(train_images, train_labels, num_classes)
    return _distances(images, means.astype(train_images.dtype).astype(float)).argmin(axis=1)
