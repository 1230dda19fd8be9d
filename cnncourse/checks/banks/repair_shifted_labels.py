"""``repair_shifted_labels`` of lesson 13, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values

# --- labels out of step ------------------------------------------------------------------------


def _repair_shifted_labels(images, labels, broken):
    return np.delete(images, broken, axis=0), np.delete(labels, broken)


def _label_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(18)
    yield np.arange(3).reshape(3, 1, 1), np.array([0, 1, 2]), np.array([0])
    yield np.arange(8).reshape(4, 2, 1), np.array([3, 1, 2, 0]), np.array([1])
    yield rng.normal(size=(6, 2, 2)), rng.integers(0, 10, 6), np.array([2, 4])
    yield rng.integers(0, 256, (9, 3, 2), dtype=np.uint8), np.arange(9), np.array([7, 0, 3])
    yield rng.normal(size=(5, 2, 3)).astype(np.float32), np.array([1, 0, 0, 4, 2]), np.array([3])
    labels = np.array([17, 2, 16, 17], np.uint8)
    yield np.arange(4).reshape(4, 1, 1), labels, np.array([2, 0])


BANK = Bank(
    "repair_shifted_labels",
    "13",
    _repair_shifted_labels,
    _label_cases,
    Values(("images", "labels")),
    axes={"images": "nhw", "labels": "n", "broken": "m"},
)
BANK.help(
    idea=("An image and its label leave together."),
    section="Patient 6:",
    step=("Take the same positions out of both arrays, and keep the order of what stays."),
)


@BANK.mistake(
    "This is still the patient: the images are taken out, and the labels are cut at the end to "
    "the same length. From the first missing image on, every label belongs to its neighbour."
)
def labels_cut_at_the_end(images, labels, broken):
    kept = np.delete(images, broken, axis=0)
    return kept, labels[: len(kept)].copy()


@BANK.mistake(
    "The labels seem to be cut at the front. Take out the labels of the very images that go."
)
def labels_cut_at_the_front(images, labels, broken):
    kept = np.delete(images, broken, axis=0)
    return kept, labels[len(labels) - len(kept) :].copy()


@BANK.mistake(
    "The labels stay as many as before, while images went. Each image needs its one label."
)
def labels_left_alone(images, labels, broken):
    return np.delete(images, broken, axis=0), labels.copy()


@BANK.mistake("The broken images seem to be kept and the good ones taken out.")
def broken_ones_kept(images, labels, broken):
    places = np.sort(broken)
    return images[places], labels[places]


@BANK.mistake("Nothing seems to be taken out.")
def nothing_taken_out(images, labels, broken):
    return images.copy(), labels.copy()


@BANK.mistake(
    "`broken` holds positions, and it seems to be compared with the labels: images go whose class "
    "has such a number."
)
def positions_as_classes(images, labels, broken):
    kept = ~np.isin(labels, broken)
    return images[kept], labels[kept]


@BANK.mistake(
    "The broken ones seem to be taken out one after another. The first one gone, all behind it "
    "move up, and the next position means another image. Take out all at once."
)
def one_after_another(images, labels, broken):
    for place in broken:
        place = min(int(place), len(labels) - 1)
        images, labels = np.delete(images, place, axis=0), np.delete(labels, place)
    return images, labels
