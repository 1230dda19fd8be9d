"""One network, trained by several processes on JAX: each computes its part of every batch.

Start it by hand, where JAX is installed: ``KERAS_BACKEND=jax python -m cnncourse.parallel``. It
shows that the weights are those of one process, and what a mistake would do. On one machine it
teaches correctness and not speed. Recipes, logs and resume belong to ``training``.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from keras import layers

from cnncourse import datasets, tolerances

BATCH, STEPS, RATE, SEED = 64, 16, 0.05, 0
SHAPE, CLASSES, FILTERS = (28, 28, 1), 10, (16, 32)
CHECKPOINTS = (1, 4, 16)
"""After how many steps the weights are kept."""

TYPES = ("float64", "float32")
ONE = ("plain", "batch_norm", "nudged")
"""What one process trains: a network without batch normalization, and one with it. The control:
every first weight of the network without is moved to the next number that its type has."""

SEVERAL = ("plain", "batch_norm", "same_part", "alone", "alone_batch_norm")
"""What several processes train: both networks, and mistakes. Each process has the same part of a
batch, or they are not told of each other."""

Weights = dict[str, np.ndarray]


def network(*, batch_norm: bool) -> keras.Sequential:
    """Two convolutions with a stride, and a dense layer; with dropout, which draws numbers."""
    model = keras.Sequential([keras.Input(SHAPE)])
    for filters in FILTERS:
        model.add(layers.Conv2D(filters, 3, strides=2, padding="same"))
        if batch_norm:
            model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
    model.add(layers.Flatten())
    model.add(layers.Dropout(0.25))
    model.add(layers.Dense(CLASSES, activation="softmax"))
    return model


def terms() -> int:
    """How many products one weight has added up at most after all steps, for a tolerance."""
    places = [(SHAPE[0] // 2) ** 2, (SHAPE[0] // 4) ** 2]
    forward = 9 * SHAPE[2] + 9 * FILTERS[0] + places[1] * FILTERS[1]
    backward = CLASSES + 9 * FILTERS[1] + BATCH * places[0]
    return STEPS * (forward + backward)


def part(count: int, process: int, processes: int) -> np.ndarray:
    """Which images a process feeds: of each global batch its own share, batch by batch.

    >>> part(2 * BATCH, 1, 2)[[0, 31, 32, 63]].tolist()
    [32, 63, 96, 127]
    """
    return np.arange(count).reshape(-1, processes, BATCH // processes)[:, process].ravel()


def train(case: str, dtype: str, process: int = 0, processes: int = 1) -> dict[int, Weights]:
    """Train one case, as one of some processes.

    Args:
        case: of :data:`ONE` or :data:`SEVERAL`.
        dtype: one of :data:`TYPES`.
        process: which of the processes this one is.
        processes: how many there are; all of them have called ``initialize``.

    Returns:
        For each of :data:`CHECKPOINTS` the weights by their paths.
    """
    keras.config.set_floatx(dtype)
    keras.backend.clear_session()  # also forgets how the last case was distributed
    keras.utils.set_random_seed(SEED)
    if processes > 1 and not case.startswith("alone"):
        together = keras.distribution.DataParallel(auto_shard_dataset=False)
        keras.distribution.set_distribution(together)
    model = network(batch_norm=case.endswith("batch_norm"))
    if case == "nudged":
        model.set_weights([np.nextafter(w, np.inf).astype(w.dtype) for w in model.get_weights()])
    model.compile(keras.optimizers.SGD(RATE), "sparse_categorical_crossentropy")

    (images, labels), _ = datasets.load_fashion_mnist()
    fed = part(STEPS * BATCH, 0 if case == "same_part" else process, processes)
    inputs, targets = datasets.as_inputs(images[fed]).astype(dtype), labels[fed]
    kept, size, done = {}, BATCH // processes, 0
    for step in CHECKPOINTS:
        chosen = slice(done * size, step * size)
        # The share of this process; the loss is the mean over the batch of all of them.
        model.fit(inputs[chosen], targets[chosen], batch_size=size, shuffle=False, verbose=0)
        kept[step], done = weights_of(model), step
    return kept


def weights_of(model: keras.Model) -> Weights:
    """The weights that this process holds, without asking the others.

    An array that is spread over processes cannot be read as a whole by one of them. Weights are
    not spread but copied, so that the copy here is all of it.
    """
    return {
        variable.path.partition("/")[2]: np.asarray(variable.value.addressable_data(0))
        for variable in model.weights
    }


def largest_difference(ours: Weights, theirs: Weights) -> float:
    """Over all weights and moving moments."""
    return max(float(np.abs(ours[name] - theirs[name]).max()) for name in ours)


def tolerance(ours: Weights, theirs: Weights) -> float:
    """How far the weights of two right trainings may lie apart, by rounding alone."""
    arrays = [value for weights in (ours, theirs) for value in weights.values()]
    return tolerances.rounding(*arrays, terms=terms())


def start(
    processes: int, arguments: Sequence[str], *, python: str | Path = sys.executable
) -> list[subprocess.Popen[str]]:
    """Start this module as so many processes that find each other on this machine.

    Args:
        processes: how many.
        arguments: what each of them is given.
        python: of an environment that holds JAX.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    surroundings = os.environ | {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "JAX_ENABLE_X64": "1",  # else JAX makes float32 of every float64
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    command = [python, "-m", "cnncourse.parallel", "--processes", str(processes)]
    return [
        subprocess.Popen(
            [*command, "--process", str(process), "--address", address, *arguments],
            env=surroundings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for process in range(processes)
    ]


def trained(
    processes: int, *, python: str | Path = sys.executable, limit: float = 600
) -> list[dict[str, Weights]]:
    """Let so many processes train every case.

    Returns:
        For each process the weights, by ``"type case step"``.

    Raises:
        RuntimeError: a process failed; the message holds what it said.
        subprocess.TimeoutExpired: they took longer than the limit, in seconds.
    """
    with TemporaryDirectory(prefix="cnncourse-") as folder:
        running = start(processes, ["--folder", folder], python=python)
        try:
            said = [process.communicate(timeout=limit)[0] for process in running]
        finally:
            for process in running:
                process.kill()
        if any(process.returncode for process in running):
            raise RuntimeError("A process failed.\n" + "\n".join(said).strip())
        return [_read(Path(folder, f"{process}.npz")) for process in range(processes)]


def _read(path: Path) -> dict[str, Weights]:
    found: dict[str, Weights] = {}
    with np.load(path) as arrays:
        for name in arrays.files:
            key, _, weight = name.partition("|")
            found.setdefault(key, {})[weight] = arrays[name]
    return found


def _work(process: int, processes: int, folder: Path) -> None:
    """Train each case, and write what came out."""
    arrays: dict[str, Any] = {
        f"{dtype} {case} {step}|{name}": value
        for dtype in TYPES
        for case in (ONE if processes == 1 else SEVERAL)
        for step, weights in train(case, dtype, process, processes).items()
        for name, value in weights.items()
    }
    np.savez(folder / f"{process}.npz", **arrays)


def gaps(
    one: dict[str, Weights], several: dict[str, Weights], dtype: str
) -> dict[str, dict[int, float]]:
    """For each case and checkpoint the largest difference from the weights of one process.

    Args:
        one: what :func:`trained` gives for one process.
        several: the same for one of several.
        dtype: one of :data:`TYPES`.
    """
    found: dict[str, dict[int, float]] = {}
    for case in (*SEVERAL, "nudged"):
        right = "batch_norm" if case.endswith("batch_norm") else "plain"
        other = one if case == "nudged" else several
        found[case] = {
            step: largest_difference(
                one[f"{dtype} {right} {step}"], other[f"{dtype} {case} {step}"]
            )
            for step in CHECKPOINTS
        }
    return found


def _report(processes: int) -> None:
    (one,), several = trained(1), trained(processes)
    steps = ", ".join(map(str, CHECKPOINTS))
    print(f"Weights of one process and of {processes} differ by at most, after {steps} steps:")
    for dtype in TYPES:
        right = one[f"{dtype} plain {STEPS}"]
        print(f"{dtype}, where rounding explains {tolerance(right, right):.1e}")
        for case, by_step in gaps(one, several[0], dtype).items():
            print(f"  {case:18}" + "".join(f"{gap:9.1e}" for gap in by_step.values()))


SAVING = ("together", "alone")
"""Who saves: every process, or the first one while the others wait."""


def saves(who: str, *, python: str | Path = sys.executable, limit: float = 30) -> bool:
    """Whether the first of two processes gets its weights saved, after it has read them.

    Args:
        who: one of :data:`SAVING`.
        python: of an environment that holds JAX.
        limit: seconds that saving may take.

    Raises:
        RuntimeError: a process ended, or ten minutes passed, before the weights were read.
    """
    with TemporaryDirectory(prefix="cnncourse-") as folder:
        read, saved = Path(folder, "read"), Path(folder, "saved")
        running = start(2, ["--folder", folder, "--save", who], python=python)
        try:
            end = time.monotonic() + 600
            while not read.exists():
                ended = any(process.poll() is not None for process in running)
                if ended or time.monotonic() > end:
                    for process in running:
                        process.kill()
                    said = [process.communicate()[0] for process in running]
                    raise RuntimeError("A process failed or hung.\n" + "\n".join(said).strip())
                time.sleep(0.1)
            end = time.monotonic() + limit
            while not saved.exists() and time.monotonic() < end:
                time.sleep(0.1)
            return saved.exists()
        finally:
            for process in running:
                process.kill()
                process.wait()
                if process.stdout:
                    process.stdout.close()


def _save(process: int, who: str, folder: Path) -> None:
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))
    model = network(batch_norm=False)
    model.compile(keras.optimizers.SGD(RATE), "sparse_categorical_crossentropy")
    images, labels = np.zeros((BATCH // 2, *SHAPE), np.float32), np.zeros(BATCH // 2, np.int32)
    model.fit(images, labels, batch_size=BATCH // 2, verbose=0)
    if process == 0:
        model.get_weights()
        folder.joinpath("read").touch()
    if process == 0 or who == "together":
        model.save_weights(folder / f"{process}.weights.h5")
    if process == 0:
        folder.joinpath("saved").touch()
    time.sleep(3600)  # until the one who started it has seen enough


def main() -> int:
    """Train by one process and by several, and compare; or be one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2, choices=(1, 2, 4))
    parser.add_argument("--process", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--address", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--save", choices=SAVING, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if keras.backend.backend() != "jax":
        print("Keras runs on another backend. Install JAX, and set KERAS_BACKEND=jax.")
        return 1
    if chosen.process is None:
        _report(chosen.processes)
        return 0
    if chosen.processes > 1:
        keras.distribution.initialize(chosen.address, chosen.processes, chosen.process)
    if chosen.save:
        _save(chosen.process, chosen.save, chosen.folder)
    _work(chosen.process, chosen.processes, chosen.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
