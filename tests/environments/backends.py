"""The same weights on every backend of Keras: ``make test-backends``.

TensorFlow, JAX and PyTorch each answer the embedded test images with both shipped networks, in
an environment that holds no other of them. The largest difference from TensorFlow is recorded,
and more than a rounding is a failure.

PyTorch comes as a build for CPUs (``TORCH_BACKEND=cpu``, the meaning of uv's ``--torch-backend``);
``TORCH_BACKEND=`` takes the one of the package index.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import numpy as np
from surroundings import ROOT, THIS_PYTHON, Amiss, end_with, make

from cnncourse import results

LIMIT = 1e-4
"""Of probabilities: float32 keeps seven digits, and thirty layers add their roundings up."""

TORCH_BACKEND = os.environ.get("TORCH_BACKEND", "cpu")
EXTRA = {
    "jax": ["jax"],
    "torch": ["torch", *(["--torch-backend", TORCH_BACKEND] if TORCH_BACKEND else [])],
}
ASK = """
import sys
import keras
import numpy as np
from cnncourse import datasets, models
_, (images, _) = datasets.load_fashion_mnist()
inputs = datasets.as_inputs(images)
answers = {
    name: models.load_pretrained(name).predict(inputs, batch_size=500, verbose=0)
    for name in models.NETWORKS
}
assert keras.backend.backend() == sys.argv[1]
np.savez(sys.argv[2], **answers)
"""


def answers(python: Path | str, backend: str) -> dict[str, np.ndarray]:
    """Probabilities of both networks, (images, classes), computed by one backend."""
    with tempfile.TemporaryDirectory(prefix="cnncourse-") as folder:
        path = Path(folder, "answers.npz")
        done = subprocess.run(
            [python, "-c", ASK, backend, path],
            env=os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Amiss(f"{backend}: the networks do not answer.\n{done.stderr.strip()}")
        with np.load(path) as arrays:
            return dict(arrays)


def main() -> int:
    chosen = sys.argv[1:] or list(EXTRA)
    unknown = set(chosen) - set(EXTRA)
    if unknown:
        raise Amiss(f"There is no backend {', '.join(unknown)}; choose from {', '.join(EXTRA)}.")
    same = [f"{name}=={metadata.version(name)}" for name in ("keras", "numpy")]
    wanted = answers(sys.executable, "tensorflow")
    try:
        values = results.load("backends")["values"]
    except KeyError:
        values = {}
    failed = 0
    for backend in chosen:
        python = make(ROOT / f".venv-{backend}", THIS_PYTHON, [*same, *EXTRA[backend]])
        for name, found in answers(python, backend).items():
            gap = float(np.abs(found - wanted[name]).max())
            moved = int((found.argmax(axis=1) != wanted[name].argmax(axis=1)).sum())
            print(f"{backend}: {name} differs by at most {gap:.2g}; {moved} other answers")
            failed += gap > LIMIT
            values |= {
                f"{name}_{backend}_largest_difference": {"value": float(f"{gap:.2g}"), "unit": "1"},
                f"{name}_{backend}_other_answers": {"value": moved, "unit": "count"},
            }
    values["images"] = {"value": len(next(iter(wanted.values()))), "unit": "count"}
    results.record("backends", values, command="make test-backends")
    print("All agree." if not failed else f"{failed} differences above {LIMIT}.")
    return 1 if failed else 0


if __name__ == "__main__":
    end_with(main)
