"""When an image resembles nothing that the networks were trained on: a rule, and how good it is.

Two measures of an image, each with a limit that half a per cent of the training images exceed:
how far its pixels lie from where training images have them, in their standard deviations, and
how little its shape resembles the nearest of some typical training images. The explorer's page
says so of an image beyond one of the limits. Nothing here depends on a network's weights.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cnncourse import datasets, results
from cnncourse.files import write_whole

TYPICAL_PER_CLASS = 7
EXCEEDED = 0.005
"""Share of the training images beyond each limit."""

_FLOOR = 0.01  # of a standard deviation: some pixels are always black
_FILE = "familiarity.json"


class Rule:
    """The two measures with their limits, as the page computes them.

    Args:
        images: training images, uint8 of shape (images, height, width).
        labels: their classes.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        # The first of each class are the typical ones; all others set the limits.
        first = np.zeros(len(images), dtype=bool)
        for label in np.unique(labels):
            first[np.flatnonzero(labels == label)[:TYPICAL_PER_CLASS]] = True
        self.mean = np.round(images.mean(axis=0, dtype=np.float64), 1)
        self.deviation = np.round(images.std(axis=0, dtype=np.float64), 1)
        # In 32 steps of gray, which a page loads in half the bytes; a cosine has no unit.
        self.typical = np.round(_halved(images[first]) / 8).astype(np.uint8)
        others = images[~first]
        self.limits = {
            name: float(f"{np.quantile(measure(others), 1 - EXCEEDED):.4g}")
            for name, measure in self.measures.items()
        }

    @property
    def measures(self) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
        """What is measured of images, by name."""
        return {"distance": self.distance, "strangeness": self.strangeness}

    def distance(self, images: np.ndarray) -> np.ndarray:
        """Mean squared distance of the pixels from their mean, in standard deviations."""
        spread = self.deviation**2 + (255 * _FLOOR) ** 2
        return ((images - self.mean) ** 2 / spread).mean(axis=(1, 2))

    def strangeness(self, images: np.ndarray) -> np.ndarray:
        """1 minus the cosine with the nearest typical image, at half the size; 1 for black."""
        rows = _halved(images).reshape(len(images), -1)
        known = self.typical.reshape(len(self.typical), -1).astype(np.float64)
        known /= np.linalg.norm(known, axis=1, keepdims=True)
        lengths = np.maximum(np.linalg.norm(rows, axis=1), 1e-9)
        return 1 - (rows @ known.T).max(axis=1) / lengths

    def unfamiliar(self, images: np.ndarray) -> np.ndarray:
        """Which images lie beyond a limit."""
        return np.any(
            [measure(images) > self.limits[name] for name, measure in self.measures.items()], axis=0
        )


def _halved(images: np.ndarray) -> np.ndarray:
    count, height, width = images.shape
    return images.reshape(count, height // 2, 2, width // 2, 2).mean(axis=(2, 4))


def strangers(seed: int = 0) -> dict[str, np.ndarray]:
    """Images that show none of the ten classes, by kind, as float in 0…255."""
    rng = np.random.default_rng(seed)
    _, (tests, _) = datasets.load_fashion_mnist("small")
    pieces = []
    for name in datasets.PHOTOS:
        photo = datasets.load_photo(name).astype(np.float64)
        photo = photo if photo.ndim == 2 else photo @ [0.299, 0.587, 0.114]
        for factor in (2, 4, 8):
            for _ in range(60):
                top, left = (rng.integers(0, side - 28 * factor + 1) for side in photo.shape)
                piece = photo[top : top + 28 * factor, left : left + 28 * factor]
                pieces.append(piece.reshape(28, factor, 28, factor).mean(axis=(1, 3)))
    return {
        "photos": np.stack(pieces),
        "inverted": 255.0 - tests,
        "scribbles": np.stack([_scribble(rng) for _ in range(500)]),
        "noise": rng.uniform(0, 255, (500, 28, 28)),
        "shuffled": np.stack([rng.permutation(image.ravel()) for image in tests[:500]]).reshape(
            500, 28, 28
        ),
        "empty": np.stack([np.full((28, 28), float(level)) for level in range(256)]),
    }


def _scribble(rng: np.random.Generator) -> np.ndarray:
    """A wandering line, drawn with the pen that the explorer offers."""
    rows, columns = np.mgrid[:28, :28]
    image = np.zeros((28, 28))
    row, column = rng.uniform(6, 22, 2)
    direction = rng.uniform(0, 2 * np.pi)
    for _ in range(int(rng.integers(10, 60))):
        direction += rng.normal(0, 0.5)
        row, column = row + 0.8 * np.sin(direction), column + 0.8 * np.cos(direction)
        cover = np.clip(1.75 - np.hypot(rows - row, columns - column), 0, 1)
        image = np.maximum(image, 255 * cover)
    return image


def export_familiarity(folder: Path) -> Path:
    """Write the rule as the page reads it, and give the path."""
    (images, labels), _ = datasets.load_fashion_mnist("small")
    rule = Rule(images, labels)
    path = folder / _FILE
    content = {
        "images": len(images),
        "floor": 255 * _FLOOR,
        "limits": rule.limits,
        "mean": rule.mean.ravel().tolist(),
        "deviation": rule.deviation.ravel().tolist(),
        "typical": rule.typical.reshape(len(rule.typical), -1).tolist(),
    }
    write_whole(path, (json.dumps(content, separators=(",", ":")) + "\n").encode())
    return path


def measure_familiarity() -> Path:
    """Record how many images the rule calls unfamiliar: test images, and strangers by kind."""
    (images, labels), (tests, _) = datasets.load_fashion_mnist("small")
    rule = Rule(images, labels)
    shares = {"test_images": rule.unfamiliar(tests).mean()}
    shares |= {kind: rule.unfamiliar(some).mean() for kind, some in strangers().items()}
    return results.record(
        "familiarity",
        {
            kind: {"value": round(float(share), 4), "unit": "fraction"}
            for kind, share in shares.items()
        },
        command="python -m cnncourse.authoring explorer",
        seed=0,
    )
