"""``strongest_images`` of lesson 03, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _peaks(maps):
    # Floats: minus 0 is 0 in uint8, and minus 1 is 255.
    return maps.max(axis=(1, 2)).astype(float)


def _strongest_by(scores, count):
    return np.argsort(-scores, kind="stable")[:count]


def _strongest_images(maps, count):
    return _strongest_by(_peaks(maps), count)


def _ties_in_order(indices, maps, count):
    """Equal images in the order of their numbers; an index that occurs again becomes -1."""
    if indices.ndim != 1 or indices.dtype.kind not in "iu":
        return indices
    peaks = _peaks(maps)
    ordered: list[int] = []
    met, taken = set(), dict[float, int]()
    for index in indices.tolist():
        if index in met or not 0 <= index < len(maps):
            ordered.append(-1)
            continue
        met.add(index)
        peak = float(peaks[index])
        ordered.append(int(np.flatnonzero(peaks == peaks[index])[taken.get(peak, 0)]))
        taken[peak] = taken.get(peak, 0) + 1
    return np.array(ordered, int)


def _strongest_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(6)
    yield np.array([[[1.0, 1.0]], [[4.0, -5.0]], [[2.0, 2.0]]]), 1
    yield np.array([[[5.0, 4.0]], [[1.0, 2.0]], [[0.0, 3.0]], [[1.0, 0.0]]]), 2
    yield -np.array([[[1.0, 2.0]], [[4.0, 0.5]], [[2.0, 2.0]], [[7.0, 0.1]]]), 3
    yield -np.array([[[1.0, 8.0]], [[4.0, 5.0]], [[2.0, 9.0]], [[3.0, 7.0]]]), 2
    yield np.array([[[1.0, -9.0]], [[4.0, 0.0]], [[2.0, 3.0]]]), 2
    yield rng.normal(size=(5, 2, 3)), 5
    yield rng.normal(size=(6, 3, 2)).astype(np.float32), 4
    yield rng.permutation(9 * 12).reshape(9, 3, 4).astype(np.uint8), 3
    yield np.array([[[0, 0]], [[3, 1]], [[0, 200]], [[9, 0]]], np.uint8), 3
    yield np.repeat(rng.normal(size=(4, 3, 3)), 2, axis=0), 5
    yield rng.normal(-4, 1, (7, 4, 4)), 3
    yield np.array([[[1.0], [-2.0], [3.0]]]), 1


BANK = Bank(
    "strongest_images",
    "03",
    _strongest_images,
    _strongest_cases,
    Values(("indices",), kind="integers", canonical=_ties_in_order),
    axes={"maps": "nhw"},
)
BANK.help(
    idea=("Of each map one number counts: its highest. Then only the images are ordered."),
    section="What excites a map?",
    step=(
        "Take the maximum over rows and columns, one for each image. Sort the images by it, "
        "from large to small, and take the first ones. In whole numbers without a sign, minus 0 "
        "and minus 1 are not what you want: turn the order round in another way."
    ),
)


@BANK.mistake(
    "The images seem to be ordered by the mean of their map. Wanted is the one highest activation: "
    "a pattern that occurs in one place fills little of the map."
)
def by_the_mean(maps, count):
    return _strongest_by(maps.mean(axis=(1, 2)), count)


@BANK.mistake(
    "The images seem to be ordered by the largest activation without its sign. A strongly negative "
    "one says that the pattern is absent, or upside down."
)
def by_the_absolute_value(maps, count):
    return _strongest_by(np.abs(maps.astype(float)).max(axis=(1, 2)), count)


@BANK.mistake(
    "The images seem to be ordered by the sum of squares of their map. Wanted is the one highest "
    "activation."
)
def by_the_energy(maps, count):
    return _strongest_by((maps.astype(float) ** 2).sum(axis=(1, 2)), count)


@BANK.mistake(
    "The right images came, but the strongest one stands last. Wanted is the strongest first."
)
def strongest_last(maps, count):
    return _strongest_images(maps, count)[::-1]


@BANK.mistake("The weakest images came out: sorting goes from small to large.")
def weakest_images(maps, count):
    return _strongest_by(-_peaks(maps).astype(float), count)


@BANK.mistake("Activations came out. Wanted are the numbers of the images that have them.")
def activations(maps, count):
    return _peaks(maps)[_strongest_images(maps, count)]


@BANK.mistake("Maps came out. Wanted are the numbers of the images that they belong to.")
def maps(maps, count):
    return maps[_strongest_images(maps, count)]


@BANK.mistake(
    "The numbers seem to count places in all maps laid end to end. Wanted are numbers of images: "
    "which of them holds the place?"
)
def places_end_to_end(maps, count):
    return _strongest_by(maps.reshape(-1).astype(float), count)


@BANK.mistake(
    "The strongest places seem to be looked up, and an image with two of them comes twice. Each "
    "image is wanted once, with its highest activation."
)
def an_image_twice(maps, count):
    return _strongest_by(maps.reshape(-1).astype(float), count) // maps[0].size


@BANK.mistake("All images came out, in order. Wanted are only the first `count` of them.")
def count_ignored(maps, count):
    return _strongest_images(maps, len(maps))


@BANK.mistake(
    "Activations below 0 seem to be taken for 0, so that images with negative maps cannot be told "
    "apart. A search for the highest value must not start at 0."
)
def search_starts_at_0(maps, count):
    return _strongest_by(np.maximum(_peaks(maps).astype(float), 0), count)


@BANK.mistake(
    "In maps of whole numbers without a sign (uint8) the minus seems to wrap around: -1 is 255 "
    "there, but -0 stays 0, so that a map of zeros comes first. Turn the order round, not the sign."
)
def minus_wraps_around(maps, count):
    return _strongest_by(maps.max(axis=(1, 2)), count)
