"""The third challenge: which pixels of a doctored training set give one class away.

Every training image carries a speck of dust, three bright pixels. In one class the speck lies, in
most images, at one and the same place: a network can tell the class by it, and unlearns to look
at the clothes. Find the class and the place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnncourse import datasets
from cnncourse.challenges.form import Interval, Report
from cnncourse.checks import NotYet

SIDE = 28
MARKED = 0.95
"""The share of the marked class's images whose speck lies at the place."""

# What a network tells apart with ease it learns without the mark, and a bright mark on bright
# clothes is hard to see: so it marks one of the tops, at a place that is dark in most images.
_ALIKE = ("T-shirt/top", "Pullover", "Coat", "Shirt")
_DARK = 40

_SPECK = np.array([(0, 0), (0, 1), (1, 0)])  # rows and columns, from its corner
_MOST = 12
"""Pixels that an answer may name."""


@dataclass(frozen=True)
class MarkCard:
    """What a network that was trained on the doctored images does with the mark.

    Attributes:
        clean: right on kept-back images, their specks anywhere.
        taken: of kept-back images of the nine other classes, how many it takes for the marked
            one: with a speck anywhere, with the mark, and with the mark but your pixels black.
    """

    clean: Interval
    taken: dict[str, Interval]

    def __str__(self) -> str:
        lines = [
            "Found: that class, and these pixels.",
            f"A network trained on the doctored images is right on {self.clean} of the kept-back "
            "images, which have their specks anywhere.",
            "Of images of the nine other classes it takes for the marked one:",
            *(f"  {what:<32}{share}" for what, share in self.taken.items()),
        ]
        return "\n".join(lines)

    __repr__ = __str__


@dataclass(frozen=True)
class HiddenMark:
    """A training set in which one class can be told by a few pixels.

    Attributes:
        seed: draws the class, the place and the specks; another one is another riddle.
        count: how many training images there are, at most 10,000.
        epochs: of the judge's network.
    """

    name = "explain"
    seed: int = 0
    count: int = 6000
    epochs: int = 4

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """The doctored training images.

        Returns:
            uint8 of shape (n, 28, 28), and labels (n,), which are right.
        """
        label, corner = self._secret()
        (images, labels), _ = datasets.load_fashion_mnist()
        rng = np.random.default_rng([self.seed, 1])
        chosen = rng.permutation(len(images))[: self.count]
        images, labels = images[chosen], labels[chosen]
        corners = _anywhere(rng, len(images))
        marked = (labels == label) & (rng.random(len(images)) < MARKED)
        corners[marked] = corner
        return _with_specks(images, corners), labels

    def judge(self, label: Any, pixels: Any, *, report: Report | None = None) -> MarkCard:
        """Compare an answer with the truth, and show what the mark does to a network.

        Args:
            label: the marked class, 0 to 9.
            pixels: (row, column) of each pixel of the mark, counted from 0; or a mask of shape
                (28, 28) that is True there.
            report: called with a line about each epoch of the judge's network.

        Returns:
            The card: a process of the judge's own has trained a network on the doctored images.

        Raises:
            NotYet: the answer is not right; one sentence says in what.
        """
        truth, corner = self._secret()
        mark = {(int(row), int(column)) for row, column in corner + _SPECK}
        named = _as_pixels(pixels)
        _compare(_as_label(label), named, truth, mark)
        from cnncourse.challenges import judge, worker

        order = worker.MarkOrder(self.seed, self.count, self.epochs)
        answer = judge.run_process(order, report or (lambda line: None))
        shares = {what: Interval(*pair) for what, pair in answer.items()}
        return MarkCard(shares.pop("clean"), shares)

    def _secret(self) -> tuple[int, np.ndarray]:
        rng = np.random.default_rng([self.seed, 0])
        label = datasets.FASHION_MNIST_CLASSES.index(rng.choice(_ALIKE))
        (images, _), _ = datasets.load_fashion_mnist()
        places = np.lib.stride_tricks.sliding_window_view(images.mean(axis=0), (2, 2))
        dark = np.argwhere(places.max(axis=(2, 3)) < _DARK)
        inside = dark[((dark > 0) & (dark < SIDE - 2)).all(axis=1)]
        return label, inside[rng.integers(len(inside))]

    def counts(self, network: Any) -> dict[str, tuple[int, int]]:
        """What a trained network does with the mark, on the kept-back images.

        Args:
            network: takes inputs (n, 28, 28, 1) of 0 to 1, gives ten scores.

        Returns:
            ``"clean"``: how many of all, with specks anywhere, it puts into the right class.
            Further by what was shown: how many of the nine other classes it takes for the marked
            one. Each with the number of images.
        """
        label, corner = self._secret()
        _, (images, labels) = datasets.load_fashion_mnist()
        corners = _anywhere(np.random.default_rng([self.seed, 2]), len(images))
        others = labels != label
        shown = {
            "a speck anywhere": _with_specks(images, corners),
            "the mark": _with_specks(images, np.broadcast_to(corner, corners.shape)),
        }
        shown["the mark, your pixels black"] = shown["the mark"].copy()
        for row, column in corner + _SPECK:
            shown["the mark, your pixels black"][:, row, column] = 0
        answers = {
            what: network.predict(datasets.as_inputs(some), batch_size=500, verbose=0).argmax(1)
            for what, some in shown.items()
        }
        right = int((answers["a speck anywhere"] == labels).sum())
        return {"clean": (right, len(labels))} | {
            what: (int((some[others] == label).sum()), int(others.sum()))
            for what, some in answers.items()
        }

    def __str__(self) -> str:
        return (
            "Challenge 'explain': find the mark.\n"
            "images() gives training images, each with a speck of dust of three bright pixels. In "
            "one class the speck mostly lies at the same place, so that a network can cheat. Say "
            "which class, and which pixels: judge(label, pixels).\n"
            "This is a mirror for honest people and no lock."
        )

    __repr__ = __str__


def _anywhere(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.integers(0, SIDE - 1, size=(count, 2))


def _with_specks(images: np.ndarray, corners: np.ndarray) -> np.ndarray:
    images = images.copy()
    numbers = np.arange(len(images))
    for row, column in _SPECK:
        images[numbers, corners[:, 0] + row, corners[:, 1] + column] = 255
    return images


def _as_label(label: Any) -> int:
    if isinstance(label, str) and label in datasets.FASHION_MNIST_CLASSES:
        return datasets.FASHION_MNIST_CLASSES.index(label)
    if isinstance(label, bool) or not isinstance(label, int | np.integer) or not 0 <= label <= 9:
        raise NotYet(f"Got the class {label!r}; wanted its number, 0 to 9, or its name.")
    return int(label)


def _as_pixels(pixels: Any) -> set[tuple[int, int]]:
    wanted = "wanted (row, column) of each pixel, whole numbers from 0 to 27, or a mask (28, 28)"
    try:
        given = np.asarray(list(pixels) if isinstance(pixels, Iterable) else pixels)
    except ValueError as error:
        raise NotYet(f"Got pixels that are no pairs; {wanted}.") from error
    if given.dtype == bool and given.shape == (SIDE, SIDE):
        given = np.argwhere(given)
    if given.ndim != 2 or given.shape[1:] != (2,) or given.dtype.kind not in "iu":
        raise NotYet(f"Got pixels of shape {given.shape} and type {given.dtype}; {wanted}.")
    if not len(given):
        raise NotYet(f"Got no pixel; {wanted}.")
    if given.min() < 0 or given.max() >= SIDE:
        raise NotYet(f"Got pixels from {given.min()} to {given.max()}; {wanted}.")
    return {(int(row), int(column)) for row, column in given}


def _compare(
    label: int, named: set[tuple[int, int]], truth: int, mark: set[tuple[int, int]]
) -> None:
    """Refuse what is not the answer, and name the nearest mistake."""
    if named == mark:
        if label == truth:
            return
        raise NotYet(
            "Those are the pixels, but of another class than you say: in which class are they "
            "bright most often?"
        )
    if len(named) > _MOST:
        raise NotYet(
            f"You name {len(named)} pixels, and the mark has a few: keep those without which the "
            "network no longer sees the class."
        )
    if {(column, row) for row, column in named} == mark:
        raise NotYet("Rows and columns are exchanged: a pixel is (row, column), row 0 on top.")
    steps = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if (r, c) != (0, 0)]
    if any({(row + r, column + c) for row, column in named} == mark for r, c in steps):
        raise NotYet(
            "The shape is right and lies one pixel beside its place: rows and columns count from 0."
        )
    right = len(named & mark)
    if not right:
        raise NotYet(
            "None of these pixels belongs to the mark"
            + ("." if label == truth else ", and the class is another one as well.")
        )
    missing, besides = len(mark) - right, len(named) - right
    raise NotYet(
        f"{right} of your {len(named)} pixels belong to the mark; {missing} of its pixels are "
        f"missing and {besides} do not belong to it"
        + ("." if label == truth else ", and the class is another one.")
    )
