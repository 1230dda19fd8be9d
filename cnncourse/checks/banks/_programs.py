"""Functions of images that a learner is given: they refuse what is no batch, and say their name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Program:
    """A function of a batch of images, as a check hands it to a learner's code.

    Attributes:
        text: what stands for it where an input is shown.
        of: what it computes of (n, height, width, channels).
        name: what a refusal calls it.
        takes: what it wants, in the words of a refusal.
        channels: how many it takes; any number if left out.
    """

    text: str
    of: Callable[[np.ndarray], np.ndarray]
    name: str
    takes: str
    channels: int | None = None

    def __call__(self, images: Any) -> np.ndarray:
        images = np.asarray(images, float)
        if images.ndim != 4 or self.channels not in (None, images.shape[3]):
            raise ValueError(
                f"{self.name} got an array of shape {images.shape}; it takes {self.takes}"
            )
        return self.of(images)

    def __repr__(self) -> str:
        return self.text
