"""The trained weights that ship, and how others tell that they were made from them.

What several runs say together belongs to ``runs``, the order of all steps to ``ship``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from cnncourse import datasets, files, models, results, training
from cnncourse.authoring import data, runs
from cnncourse.authoring.notebooks import AuthoringError


def fingerprint(weights: Sequence[np.ndarray]) -> str:
    """The SHA-256 of weights in half precision, as they ship: the same on every machine."""
    digest = hashlib.sha256()
    for weight in weights:
        digest.update(f"{weight.shape}".encode())
        digest.update(np.ascontiguousarray(weight, "<f2").tobytes())
    return digest.hexdigest()


def shipped_fingerprint(network: str) -> str:
    """That of the weights that a network ships with; what was made from them carries it."""
    path = data.FOLDER / f"{network}.npz"
    advice = "Take it from the repository again."
    with (
        files.reading(path, f"the weights of {network}", advice),
        path.open("rb") as file,
        np.load(file) as arrays,
    ):
        return fingerprint([arrays[name] for name in arrays.files])


def shipped_fingerprints() -> dict[str, str]:
    """Those of both networks, as a record of them carries it."""
    return {name: shipped_fingerprint(name) for name in models.NETWORKS}


def ship_weights(run: runs.Run) -> str:
    """Ship the weights of a finished run, rounded to half precision, and record what they reach.

    The rounded weights are what is evaluated, so that the published numbers are those of the
    shipped file. They are recorded with their fingerprint.

    Args:
        run: one that followed the documented recipe of its network.

    Returns:
        A sentence that says what was shipped.

    Raises:
        AuthoringError: it followed another recipe.
    """
    name = run.recipe.network
    if run.recipe != training.RECIPES[name]:
        raise AuthoringError(f"{run.folder}: not the documented recipe of {name}: {run.recipe}.")
    trained = run.network.get_weights()
    halves = [weight.astype(np.float16) for weight in trained]
    _, sample_part = datasets.load_fashion_mnist("small")
    run.network.set_weights([half.astype(np.float32) for half in halves])
    reached = runs.reached(run.network, runs.unseen_parts(run.recipe) | {"sample": sample_part})
    run.network.set_weights(trained)
    path = data.FOLDER / f"{name}.npz"
    data.write_arrays(path, {f"{i:02d}": half for i, half in enumerate(halves)})
    files.write_whole(data.FOLDER / f"{name}.csv", (run.folder / training.LOG).read_bytes())
    size = path.stat().st_size
    results.record(
        f"{name}.fashion_mnist",
        {
            "epochs": results.count(run.recipe.epochs),
            **reached,
            "file_bytes": {"value": size, "unit": "bytes"},
        },
        command=f"cnncourse train {name}, then make ship RUN=runs/{name}",
        seed=run.recipe.seed,
        origin=run.origin,
        details={"weights": fingerprint(halves)},
    )
    return (
        f"{path.name}: {size:,} bytes, "
        f"{reached['validation_accuracy']['value']:.2%} on the validation part, "
        f"{reached['test_accuracy']['value']:.2%} on the test part."
    )
