"""What the package ships of data and of training runs, and the numbers that belong to them.

Run by a maintainer after the full data set was fetched or a full run has ended. Training
itself, and reading what was shipped, belong to ``training``, ``models`` and ``datasets``; what
several runs say together to ``runs``.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from cnncourse import datasets, results, training
from cnncourse.authoring.notebooks import AuthoringError

DATA = Path(datasets.__file__).parent / "data"

# An image may lie so near the border between two classes that another machine's rounding
# moves it; two of them are allowed to.
TOLERANCE = 2


def sample() -> None:
    """Cut the embedded sample from the full data: the first images of each class, in order."""
    arrays = {}
    parts = datasets.load_fashion_mnist("full")
    for part, (images, labels), count in zip(("train", "test"), parts, (1000, 200), strict=True):
        chosen = np.sort(np.concatenate([np.flatnonzero(labels == k)[:count] for k in range(10)]))
        arrays[f"{part}_images"], arrays[f"{part}_labels"] = images[chosen], labels[chosen]
    _write_arrays(DATA / "fashion_mnist_small.npz", arrays)


def photos() -> None:
    """Take the CC0 photographs from scikit-image."""
    import skimage.data

    _write_arrays(
        DATA / "photos.npz", {name: getattr(skimage.data, name)() for name in datasets.PHOTOS}
    )


def ship(run: Path) -> str:
    """Ship the weights of a finished run, rounded to half precision, and record what they reach.

    The rounded weights are what is evaluated, so that the published numbers are those of the
    shipped file. This is the one place that looks at the test part.

    Args:
        run: the folder of a run that followed the documented recipe of its network.

    Returns:
        A sentence that says what was shipped.

    Raises:
        AuthoringError: the run has not ended, or followed another recipe.
    """
    recipe, network, rows = training.load_run(run)
    if len(rows) < recipe.epochs:
        raise AuthoringError(f"{run}: {len(rows)} of {recipe.epochs} epochs are done; go on first.")
    if recipe != training.RECIPES[recipe.network]:
        raise AuthoringError(f"{run}: not the documented recipe of {recipe.network}: {recipe}.")

    halves = [weight.astype(np.float16) for weight in network.get_weights()]
    network.set_weights([half.astype(np.float32) for half in halves])
    train_part, test_part = datasets.load_fashion_mnist(recipe.data)
    _, validation_part = datasets.split_validation(*train_part, count=recipe.validation_count)
    _, sample_part = datasets.load_fashion_mnist("small")

    values = {"epochs": {"value": recipe.epochs, "unit": "count"}}
    parts = {"validation": validation_part, "test": test_part, "sample": sample_part}
    for name, (images, labels) in parts.items():
        hits, total = training.accuracy(network, datasets.as_inputs(images), labels)
        values[f"{name}_hits"] = {"value": hits, "unit": "count", "tolerance": TOLERANCE}
        values[f"{name}_accuracy"] = {
            "value": hits / total,
            "unit": "fraction",
            "tolerance": TOLERANCE / total,
        }

    path = DATA / f"{recipe.network}.npz"
    _write_arrays(path, {f"{i:02d}": half for i, half in enumerate(halves)})
    training.write_whole(DATA / f"{recipe.network}.csv", (run / training.LOG).read_bytes())
    results.record(
        f"{recipe.network}.fashion_mnist",
        values,
        command=f"cnncourse train {recipe.network}, then python -m cnncourse.authoring ship "
        f"runs/{recipe.network}",
        seed=recipe.seed,
    )
    return (
        f"{path.name}: {path.stat().st_size:,} bytes, "
        f"{values['validation_accuracy']['value']:.2%} on the validation part, "
        f"{values['test_accuracy']['value']:.2%} on the test part."
    )


def _write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    training.write_whole(path, buffer.getvalue())
