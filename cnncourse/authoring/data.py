"""The images that ship with the package, cut from their sources.

Reading them belongs to :mod:`cnncourse.datasets`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cnncourse import datasets, files

FOLDER = Path(datasets.__file__).parent / "data"
"""Where everything lies that ships: images, weights, logs."""


def sample() -> None:
    """Cut the embedded sample from the full data: the first images of each class, in order."""
    arrays = {}
    parts = datasets.load_fashion_mnist("full")
    for part, (images, labels), count in zip(("train", "test"), parts, (1000, 200), strict=True):
        chosen = np.sort(np.concatenate([np.flatnonzero(labels == k)[:count] for k in range(10)]))
        arrays[f"{part}_images"], arrays[f"{part}_labels"] = images[chosen], labels[chosen]
    write_arrays(FOLDER / "fashion_mnist_small.npz", arrays)


def photos() -> None:
    """Take the CC0 photographs from scikit-image."""
    import skimage.data

    write_arrays(
        FOLDER / "photos.npz", {name: getattr(skimage.data, name)() for name in datasets.PHOTOS}
    )


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays into one compressed file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # no name is allow_pickle
    files.write_whole(path, buffer.getvalue())
