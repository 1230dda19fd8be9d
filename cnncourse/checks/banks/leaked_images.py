"""``leaked_images`` of lesson 13, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _same(train_images, validation_images):
    """(m, n): whether validation image m and training image n have the same pixels."""
    return (validation_images[:, None] == train_images[None]).all(axis=(2, 3))


def _mirrored(images):
    return images[:, :, ::-1]


def _found(train_images, validation_images):
    plain = _same(train_images, validation_images)
    return plain | _same(_mirrored(train_images), validation_images)


def _leaked_images(train_images, validation_images):
    return np.flatnonzero(_found(train_images, validation_images).any(axis=1))


def _leaked_cases() -> Iterator[tuple]:
    def rows(*images):
        return np.array(images, float)[:, None]

    yield rows([1, 2], [3, 5]), rows([7, 8], [3, 5], [2, 1])
    yield rows([1, 2], [3, 5], [2, 1]), rows([2, 1], [5, 4], [0, 3])
    yield rows([4, 6, 0]), rows([4, 6, 1], [6, 4, 0])
    yield np.array([[[1.0], [2]]]), np.array([[[2.0], [1]], [[-1], [-2]]])
    yield np.array([[[1.0, 2], [3, 4]]]), np.array([[[4.0, 3], [2, 1]], [[2, 1], [4, 3]]])
    yield np.array([[[1.0, 2], [3, 4]]]), np.array([[[3.0, 4], [1, 2]]])
    rng = np.random.default_rng(73)
    for count, height, width in [(9, 4, 3), (6, 2, 5)]:
        train = rng.normal(0, 2, size=(count, height, width))
        other = rng.normal(0, 2, size=(7, height, width))
        other[1], other[2], other[5], other[6] = train[4], train[1][:, ::-1], train[4], train[0]
        other[6, -1, -1] += 1.0
        yield train, other
    train = np.array([[[0.5, 2.0]], [[0.25, 1.0]]])
    yield train, np.concatenate([train[:1] + 1e-9, train[1:, :, ::-1], train[:1, :, ::-1] - 1e-9])
    train = rng.integers(0, 256, size=(5, 3, 3)).astype(np.uint8)
    yield train, np.concatenate([train[3:, :, ::-1], train[:1, ::-1], 255 - train])
    train = rng.normal(size=(4, 3, 2)).astype(np.float32)
    yield train, np.concatenate([train[1:3] + 1, train[2:]])


BANK = Bank(
    "leaked_images",
    "13",
    _leaked_images,
    _leaked_cases,
    Values(("places",), kind="integers"),
    axes={"train_images": "nhw", "validation_images": "mhw"},
)
BANK.help(
    idea="A picture that was flipped left to right is still the same picture to the network.",
    section="Patient 4:",
    step=(
        "Compare one validation image with all training images at once: where all pixels are "
        "equal, it has leaked. Then do the same with the mirrored one."
    ),
)


@BANK.mistake(
    "Only copies that are the same pixel by pixel seem to be found. Some were flipped left to "
    "right."
)
def no_mirrored_copies(train_images, validation_images):
    return np.flatnonzero(_same(train_images, validation_images).any(axis=1))


@BANK.mistake("Only mirrored copies seem to be found. Plain ones leak as well.")
def mirrored_copies_alone(train_images, validation_images):
    return np.flatnonzero(_same(_mirrored(train_images), validation_images).any(axis=1))


@BANK.mistake(
    "Images that stand upside down seem to be taken for mirrored ones. Left and right change when "
    "the *columns* are turned around."
)
def upside_down(train_images, validation_images):
    found = _same(train_images, validation_images)
    return np.flatnonzero((found | _same(train_images[:, ::-1], validation_images)).any(axis=1))


@BANK.mistake(
    "Images that were turned by 180 degrees seem to be taken for mirrored ones. Rows stay where "
    "they are."
)
def turned_around(train_images, validation_images):
    found = _same(train_images, validation_images)
    turned = _same(train_images[:, ::-1, ::-1], validation_images)
    return np.flatnonzero((found | turned).any(axis=1))


@BANK.mistake(
    "An image seems to be compared with the one at the same place alone. A copy may stand anywhere."
)
def same_place_alone(train_images, validation_images):
    found = _found(train_images, validation_images)
    count = min(found.shape)
    return np.flatnonzero(found[range(count), range(count)])


@BANK.mistake("These are the places of the training images. Wanted are those of the validation.")
def places_in_training(train_images, validation_images):
    return np.flatnonzero(_found(train_images, validation_images).any(axis=0))


@BANK.mistake(
    "One equal pixel seems to be enough. Two pictures are the same when *all* pixels are equal."
)
def one_equal_pixel(train_images, validation_images):
    equal = (validation_images[:, None] == train_images[None]).any(axis=(2, 3))
    turned = (validation_images[:, None] == _mirrored(train_images)[None]).any(axis=(2, 3))
    return np.flatnonzero((equal | turned).any(axis=1))


@BANK.mistake(
    "Images seem to be compared by the sum of their pixels. Other pictures may have the same sum."
)
def equal_sums(train_images, validation_images):
    sums = [images.sum(axis=(1, 2), dtype=float) for images in (validation_images, train_images)]
    return np.flatnonzero(np.isclose(sums[0][:, None], sums[1][None]).any(axis=1))


@BANK.mistake(
    "Images seem to be the same when they hold the same numbers in any order. Where a pixel stands "
    "is part of the picture."
)
def equal_numbers_in_any_order(train_images, validation_images):
    ordered = [
        np.sort(images.reshape(len(images), 1, -1)) for images in (train_images, validation_images)
    ]
    return np.flatnonzero(_same(*ordered).any(axis=1))


@BANK.mistake(
    "Images that are nearly equal seem to be taken for copies (`allclose` and `isclose` do that). "
    "Nothing was computed here that could round: a copy has the very same pixels."
)
def nearly_equal(train_images, validation_images):
    found = np.zeros(len(validation_images), bool)
    for images in (train_images, _mirrored(train_images)):
        near = np.isclose(validation_images[:, None], images[None]).all(axis=(2, 3))
        found |= near.any(axis=1)
    return np.flatnonzero(found)


@BANK.mistake("These are the images that did *not* leak.")
def clean_ones(train_images, validation_images):
    return np.flatnonzero(~_found(train_images, validation_images).any(axis=1))


@BANK.mistake("This says for every image whether it leaked, 1 or 0. Wanted are the places.")
def a_mark_for_each(train_images, validation_images):
    return _found(train_images, validation_images).any(axis=1).astype(int)


@BANK.mistake(
    "An image seems to be named once for each of its copies. A place is named once, however often "
    "the picture was learned."
)
def once_for_each_copy(train_images, validation_images):
    plain = np.argwhere(_same(train_images, validation_images))[:, 0]
    turned = np.argwhere(_same(_mirrored(train_images), validation_images))[:, 0]
    return np.sort(np.concatenate([plain, turned]))
