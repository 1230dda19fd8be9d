"""``repair_leaky_split`` of lesson 13, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values

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
    yield np.array([5]), np.array([2])


BANK = Bank(
    "repair_leaky_split",
    "13",
    _repair_leaky_split,
    _split_cases,
    Values(("train", "validation"), kind="integers"),
    axes={"sources": "n", "held_out": "m"},
)
BANK.help(
    idea=("Images made from one photo must stand on one side."),
    section="Patient 4:",
    step=(
        "For each image ask whether its photo is among the held-out ones. Positions where that "
        "is true are validation, the others training."
    ),
)


@BANK.mistake(
    "This is still the patient: the last images are held out, whatever they were made from. "
    "Copies of one photo then stand on both sides."
)
def last_images(sources, held_out):
    count = int(np.isin(sources, held_out).sum())
    places = np.arange(len(sources))
    return places[: len(places) - count], places[len(places) - count :]


@BANK.mistake("Train and validation are in the wrong order. Wanted is the training part first.")
def parts_swapped(sources, held_out):
    return _repair_leaky_split(sources, held_out)[::-1]


@BANK.mistake(
    "The first copy of a held-out photo goes to validation and the others to training: the leak "
    "is still there."
)
def other_copies_into_training(sources, held_out):
    _, firsts = np.unique(sources, return_index=True)
    inside = np.isin(sources, held_out) & np.isin(np.arange(len(sources)), firsts)
    return np.flatnonzero(~inside), np.flatnonzero(inside)


@BANK.mistake(
    "`held_out` names photos, and it seems to be used as positions of images. Look up which "
    "images were made from those photos."
)
def photos_as_positions(sources, held_out):
    inside = np.isin(np.arange(len(sources)), held_out)
    return np.flatnonzero(~inside), np.flatnonzero(inside)


@BANK.mistake(
    "These are the numbers of the photos. Wanted are positions in `sources`, so that images and "
    "labels can be picked with them."
)
def sources_in_place_of_positions(sources, held_out):
    inside = np.isin(sources, held_out)
    return sources[~inside], sources[inside]


@BANK.mistake(
    "Only one copy of each training photo is kept. The copies are wanted for training; they must "
    "only not stand on both sides."
)
def training_copies_dropped(sources, held_out):
    train, validation = _repair_leaky_split(sources, held_out)
    _, firsts = np.unique(sources[train], return_index=True)
    return train[np.sort(firsts)], validation
