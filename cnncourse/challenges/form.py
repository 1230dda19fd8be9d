"""What a challenge asks, the images that it is measured on, and the card that answers.

Whether a network may enter is decided in ``judge``; training and measuring belong to ``worker``.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnncourse import datasets, results
from cnncourse.training import Recipe

RESULTS, PEERS = "challenges", "challenges_peers"
"""The topics of the reference results, and of the course's networks on the same images."""

SHIFT, NOISE = 3, 0.2
"""How far images are shifted at most, in pixels; the deviation of the noise, black 0, white 1."""

REFERENCES = ("weak", "fair", "strong")

Report = Callable[[str], Any]


@dataclass(frozen=True)
class Interval:
    """A share of hits with its 95 % interval, see :func:`cnncourse.results.interval`.

    >>> print(Interval(7, 8))
    87.5 % (52.9 to 97.8)
    """

    correct: int
    total: int

    @property
    def share(self) -> float:
        """The share itself."""
        return self.correct / self.total

    @property
    def ends(self) -> tuple[float, float]:
        """The lower and the upper end, after Wilson."""
        return results.interval(self.correct, self.total)

    def __str__(self) -> str:
        low, high = self.ends
        return f"{100 * self.share:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


@dataclass(frozen=True)
class Standing:
    """One network on the card.

    Attributes:
        name: whose it is.
        hits: for each condition how many images it put into the right class.
        parameters: trained or not.
        macs: multiply-accumulates for one image.
        latency: milliseconds for one image alone, on the judge's machine; the median.
    """

    name: str
    hits: Mapping[str, Interval]
    parameters: int
    macs: int
    latency: float


@dataclass(frozen=True)
class ScoreCard:
    """What the judge measured; prints as text, and as a table in a notebook.

    Attributes:
        challenge: its name.
        part: ``"kept-back"`` or ``"validation"``: which images.
        counted: the condition by which networks are ranked.
        yours: the network that was judged.
        peers: both networks of the course, on the same images; none on validation images, for
            they were trained on these.
        cpu_seconds: of processor time that the training took.
        budget: how many there were.
        epochs: passes that were made.
    """

    challenge: str
    part: str
    counted: str
    yours: Standing
    peers: tuple[Standing, ...]
    cpu_seconds: float
    budget: float
    epochs: int

    @property
    def accuracy(self) -> Interval:
        """Yours, under the condition that counts."""
        return self.yours.hits[self.counted]

    @property
    def rank(self) -> str:
        """Between which reference results it lies; empty where none are recorded."""
        marks = references(self.challenge)
        below = [name for name, value in marks.items() if value <= self.accuracy.share]
        above = [name for name, value in marks.items() if value > self.accuracy.share]
        if not marks:
            return ""
        if not below:
            return f"below {above[0]}"
        return f"{below[-1]} or better" if not above else f"between {below[-1]} and {above[0]}"

    def _cells(self) -> Iterator[list[str]]:
        conditions = list(self.yours.hits)
        yield ["network", *conditions, "parameters", "MACs", "one image"]
        for one in (self.yours, *self.peers):
            counts = [f"{one.parameters:,}", f"{one.macs:,}", f"{one.latency:.1f} ms"]
            yield [one.name, *(str(one.hits[name]) for name in conditions), *counts]

    def _notes(self) -> Iterator[str]:
        yield (
            f"Right of {self.accuracy.total:,} {self.part} images, with 95 % intervals; "
            f"{self.counted!r} counts. {self.epochs} epochs took {self.cpu_seconds:.0f} of "
            f"{self.budget:.0f} processor seconds."
        )
        marks = references(self.challenge)
        if marks:
            shown = ", ".join(f"{name} {100 * value:.1f} %" for name, value in marks.items())
            yield f"Known designs reach on the kept-back images: {shown}. Yours is {self.rank}."

    def __str__(self) -> str:
        lines = list(self._cells())
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([*table, *self._notes()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *body = ([html.escape(cell) for cell in line] for line in self._cells())
        columns = "".join(f'<th scope="col">{cell}</th>' for cell in head)
        rows = "".join(
            f'<tr><th scope="row">{name}</th>'
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
            for name, *cells in body
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        return f"<table><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table>{notes}"


@dataclass(frozen=True)
class Challenge:
    """A network of your own within limits, trained and measured by the judge.

    Attributes:
        name: of the challenge.
        task: one sentence.
        counted: the condition that ranks the networks.
        conditions: under which it is measured, keys of :data:`CONDITIONS`.
        parameters: how many it may have, trained or not.
        macs: how many multiply-accumulates one image may cost.
        seconds: of training on ``cores`` cores that do nothing else. Counted is processor time,
            of all threads together, so that other programs use none of it up:
            ``seconds * cores``.
        cores: see there.
        images: how many images are measured on, the first ones of each part; 0 is all.
    """

    name: str
    task: str
    counted: str
    conditions: tuple[str, ...] = ("clean",)
    parameters: int = 50_000
    macs: int = 2_000_000
    seconds: float = 60.0
    cores: int = 2
    images: int = 0

    @property
    def budget(self) -> float:
        """Processor seconds that the training may take."""
        return self.seconds * self.cores

    def judge(self, build: Any, recipe: Recipe, *, report: Report | None = None) -> ScoreCard:
        """Train a network by a recipe and measure it on the images that were kept back.

        The judge builds, trains and measures in a process of its own, from fresh weights: what
        ``build`` returns is read for its layers alone.

        Args:
            build: a function without arguments that gives a fresh Keras model, Sequential or
                functional, for inputs (28, 28, 1), floats of 0 to 1, with a probability for each
                of ten classes.
            recipe: with the network ``"own"``; it trains on the embedded sample.
            report: called with a line about each epoch, for instance ``print``.

        Returns:
            The card.

        Raises:
            NotYet: the answer does not keep to the task; one sentence says in what.
        """
        return self._measured(build, recipe, "kept-back", report)

    def rehearse(self, build: Any, recipe: Recipe, *, report: Report | None = None) -> ScoreCard:
        """The same on the recipe's validation images, as often as you like.

        Choose by these. Whoever chooses by the kept-back images has no images left that tell how
        good the choice is. Arguments, answer and errors are those of :meth:`judge`.
        """
        return self._measured(build, recipe, "validation", report)

    def _measured(self, build: Any, recipe: Any, part: str, report: Report | None) -> ScoreCard:
        from cnncourse.challenges.judge import measured

        return measured(self, build, recipe, part, report)

    def __str__(self) -> str:
        return (
            f"Challenge {self.name!r}: {self.task}\n"
            f"At most {self.parameters:,} parameters, {self.macs:,} multiply-accumulates for one "
            f"image, and {self.budget:.0f} processor seconds of training "
            f"({self.seconds:.0f} s on {self.cores} cores), on the embedded sample.\n"
            f"Measured on {self.images or 2000:,} images that are kept back: "
            f"{', '.join(self.conditions)}; {self.counted!r} counts.\n"
            "This is a mirror for honest people and no lock."
        )

    __repr__ = __str__


def references(name: str) -> dict[str, float]:
    """The recorded accuracies of known designs in one challenge, the weakest first.

    Args:
        name: of the challenge.

    Returns:
        The mean over seeds of the accuracy that counts; empty where nothing is recorded.
    """
    try:
        values = results.load(RESULTS)["values"]
    except KeyError:
        return {}
    keys = {level: f"{name}_{level}_mean" for level in REFERENCES}
    return {level: values[key]["value"] for level, key in keys.items() if key in values}


def peer_key(network: str, condition: str) -> str:
    """The key under which a network's hits on the kept-back images are recorded."""
    return f"{network}_{condition.replace(' ', '_')}_correct"


# --- What images go through ----------------------------------------------------------------------


def _unchanged(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return images


def _shifted(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each image moved by up to :data:`SHIFT` rows and columns; what comes in is black."""
    moved = np.zeros_like(images)
    padded = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)))
    height, width = images.shape[1:3]
    starts = rng.integers(0, 2 * SHIFT + 1, size=(len(images), 2))
    for number, (top, left) in enumerate(starts):
        moved[number] = padded[number, top : top + height, left : left + width]
    return moved


def _noisy(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Normal noise of the deviation :data:`NOISE` on each pixel, cut at black and white."""
    noise = rng.normal(0, NOISE, images.shape).astype(images.dtype)
    return np.clip(images + noise, 0, 1)


def _shifted_and_noisy(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _noisy(_shifted(images, rng), rng)


CONDITIONS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "clean": _unchanged,
    "shifted": _shifted,
    "noisy": _noisy,
    "shifted and noisy": _shifted_and_noisy,
}
"""What is done to images before a network sees them."""


def under(condition: str, inputs: np.ndarray) -> np.ndarray:
    """Images as they are measured under a condition: the same ones for every network.

    Args:
        condition: a key of :data:`CONDITIONS`.
        inputs: (n, height, width, channels), floats of 0 to 1.

    Returns:
        Changed images of the same shape and dtype.

    >>> bool(under("shifted", np.ones((5, 28, 28, 1))).min() == 0)
    True
    """
    return CONDITIONS[condition](inputs, np.random.default_rng(0))


def kept_back(count: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The images that no network of the course was trained on: the sample's test part.

    Args:
        count: how many, spread evenly over the part; 0 is all.

    Returns:
        Inputs (n, 28, 28, 1), floats of 0 to 1, and labels (n,).
    """
    _, (images, labels) = datasets.load_fashion_mnist()
    chosen = spread(len(images), count)
    return datasets.as_inputs(images[chosen]), labels[chosen]


def spread(total: int, count: int) -> np.ndarray:
    """Places of ``count`` of ``total`` things, evenly spread; of all where ``count`` is 0."""
    return np.arange(total) if not count else np.arange(count) * total // count
