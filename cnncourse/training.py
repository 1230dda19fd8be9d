"""Training by a written recipe: with progress, a log, and a resume that changes no bit.

Works on every Keras backend, from arrays in memory. Architectures, data and drawing have
rooms of their own.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from tqdm import tqdm

from cnncourse import datasets, models

CHECKPOINT = "checkpoint.npz"
RECIPE = "recipe.json"
LOG = "log.csv"

_AUGMENTATIONS: dict[str, Callable[[], layers.Layer]] = {
    "flip": lambda: layers.RandomFlip("horizontal"),
    "shift": lambda: layers.RandomTranslation(
        2 / 28, 2 / 28, fill_mode="constant", interpolation="nearest"
    ),
}

LogRow = dict[str, float]


def _require(known: bool, what: str, given: object, choices: object) -> None:
    if not known:
        raise ValueError(f"There is no {what} {given!r}; choose one of {', '.join(choices)}.")


@dataclass(frozen=True)
class Recipe:
    """All that decides a training run.

    Attributes:
        network: a key of :data:`cnncourse.models.NETWORKS`.
        data: ``"small"`` or ``"full"``, see :func:`cnncourse.datasets.load_fashion_mnist`.
        epochs: passes over the training part.
        batch_size: images per step; the last, smaller batch of an epoch counts too.
        learning_rate: of Adam at the first step; it falls along a half cosine to 0.
        augmentation: names of random changes to the training images, in this order:
            ``"flip"`` (left to right, one time in two), ``"shift"`` (up to two pixels).
        dropout_share: the share of the epochs, from the first one on, in which dropout is
            active; in the rest it is off. "Early dropout": Liu et al., *Dropout Reduces
            Underfitting*, arXiv:2303.01500 (2023).
        validation_count: images cut from the training part, never trained on.
        seed: of the initial weights, the order of the images, dropout and augmentation.
            The cut of the validation part does not depend on it.
    """

    network: str
    data: str = "small"
    epochs: int = 10
    batch_size: int = 64
    learning_rate: float = 0.002
    augmentation: tuple[str, ...] = ()
    dropout_share: float = 1.0
    validation_count: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self.network in models.NETWORKS, "network", self.network, models.NETWORKS)
        _require(self.data in ("small", "full"), "data", self.data, ("small", "full"))
        for name in ("epochs", "batch_size", "validation_count"):
            size = getattr(self, name)
            if not isinstance(size, int) or size < 1:
                raise ValueError(f"Got {name}={size!r}; wanted a whole number above 0.")
        if not 0 <= self.dropout_share <= 1:
            raise ValueError(f"Got dropout_share={self.dropout_share!r}; wanted 0 to 1.")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"Got learning_rate={self.learning_rate!r}; wanted a number above 0.")
        object.__setattr__(self, "augmentation", tuple(self.augmentation))
        for name in self.augmentation:
            _require(name in _AUGMENTATIONS, "augmentation", name, _AUGMENTATIONS)


RECIPES = {
    name: Recipe(
        name,
        "full",
        epochs=30,
        learning_rate=0.002,
        augmentation=("flip",),
        dropout_share=0.4,
        validation_count=5000,
    )
    for name in models.NETWORKS
}
"""The documented full runs, by network: what the shipped weights were trained with."""


def train(
    recipe: Recipe,
    folder: str | os.PathLike[str],
    *,
    on_epoch: Callable[[LogRow], None] | None = None,
    callbacks: tuple[keras.callbacks.Callback, ...] = (),
) -> keras.Sequential:
    """Train a network by a recipe, or go on with a run that was stopped.

    After each epoch the folder holds a whole checkpoint. A run that is stopped at any
    moment and started again goes on behind the last whole epoch and ends, on the same
    machine, with the same weights bit for bit as a run that was never stopped. Sets the
    random seeds of Python, NumPy and the backend.

    Args:
        recipe: what to do.
        folder: for recipe, log and checkpoint; made if missing.
        on_epoch: called with each row of the log (epoch, loss, accuracy, val_loss,
            val_accuracy), also with the rows of an earlier start.
        callbacks: further Keras callbacks, for instance a progress bar.

    Returns:
        The trained network.

    Raises:
        ValueError: the folder holds a run of another recipe.
        OSError: the folder cannot be written; said before any work starts.
    """
    folder = Path(folder)
    _claim_folder(folder, recipe)
    (images, labels), (_, _) = datasets.load_fashion_mnist(recipe.data)
    (images, labels), (validation_images, validation_labels) = datasets.split_validation(
        images, labels, count=recipe.validation_count
    )
    inputs, validation_inputs = datasets.as_inputs(images), datasets.as_inputs(validation_images)

    keras.utils.set_random_seed(recipe.seed)
    network = models.build(recipe.network, inputs.shape[1:], len(datasets.FASHION_MNIST_CLASSES))
    trainer = _compiled(network, recipe, steps_per_epoch=math.ceil(len(inputs) / recipe.batch_size))
    rows = _restore(folder / CHECKPOINT, trainer)
    for row in rows:
        if on_epoch:
            on_epoch(row)
    rates = _dropout_rates(network)
    for epoch in range(len(rows), recipe.epochs):
        if epoch >= round(recipe.dropout_share * recipe.epochs):
            _set_dropout(trainer, dict.fromkeys(rates, 0.0))
        order = np.random.default_rng([recipe.seed, epoch]).permutation(len(inputs))
        history = trainer.fit(
            inputs[order],
            labels[order],
            batch_size=recipe.batch_size,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,  # the order above is the same after a resume
            validation_data=(validation_inputs, validation_labels),
            validation_batch_size=500,
            callbacks=list(callbacks),
            verbose=0,
        )
        rows.append({"epoch": epoch + 1} | {k: float(v[0]) for k, v in history.history.items()})
        _save(folder / CHECKPOINT, trainer, rows)
        _write_log(folder / LOG, rows)
        if on_epoch:
            on_epoch(rows[-1])
    _set_dropout(trainer, rates)
    return network


def load_run(folder: str | os.PathLike[str]) -> tuple[Recipe, keras.Sequential, list[LogRow]]:
    """The recipe, the network and the log of a run, as its last checkpoint left them.

    Raises:
        FileNotFoundError: there is no recipe or no checkpoint in the folder.
    """
    folder = Path(folder)
    for name in (RECIPE, CHECKPOINT):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"There is no {name} in {folder}; wanted a folder that `cnncourse train` wrote "
                "at least one epoch into."
            )
    recipe = read_recipe(folder / RECIPE)
    network = models.build(recipe.network, (28, 28, 1), len(datasets.FASHION_MNIST_CLASSES))
    rows = _restore(folder / CHECKPOINT, _compiled(network, recipe, steps_per_epoch=1))
    return recipe, network, rows


def shipped_log(network: str) -> list[LogRow]:
    """The log of the documented run that a network's shipped weights come from.

    Args:
        network: a key of :data:`RECIPES`.

    Returns:
        One row an epoch: epoch, accuracy, loss, val_accuracy, val_loss.

    >>> len(shipped_log("simple_CNN"))
    30
    """
    _require(network in RECIPES, "documented run of", network, RECIPES)
    text = resources.files("cnncourse.data").joinpath(f"{network}.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(text))
    return [{name: float(value) for name, value in row.items()} for row in rows]


def accuracy(network: keras.Model, inputs: np.ndarray, labels: np.ndarray) -> tuple[int, int]:
    """How many inputs a network puts into the right class.

    Args:
        network: gives one score per class, shape (n, classes).
        inputs: shape (n, height, width, channels).
        labels: whole numbers, shape (n,).

    Returns:
        ``(correct, total)``.
    """
    scores = network.predict(inputs, batch_size=500, verbose=0)
    return int((scores.argmax(axis=1) == labels).sum()), len(labels)


class ProgressBar(keras.callbacks.Callback):
    """One bar an epoch, on standard error; nothing where that is neither terminal nor notebook."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        # What a notebook's kernel puts there is no terminal, but shows a line that is rewritten.
        shown = sys.stderr.isatty() or type(sys.stderr).__module__ == "ipykernel.iostream"
        self._bar = tqdm(
            total=self.params["steps"],
            desc=f"epoch {epoch + 1}",
            unit="batch",
            leave=False,
            disable=not shown,
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._bar.close()


def read_recipe(path: Path) -> Recipe:
    """The recipe in a JSON file, checked as if it were written in code."""
    content = json.loads(path.read_text(encoding="utf-8"))
    known = {field.name for field in fields(Recipe)}
    if set(content) - known:
        raise ValueError(f"{path} holds {sorted(set(content) - known)}, which no recipe has.")
    return Recipe(**content)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: an interruption leaves the old one."""
    half = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)


def _compiled(network: keras.Sequential, recipe: Recipe, steps_per_epoch: int) -> keras.Model:
    """The network behind its augmentation, ready to fit; both share the weights."""
    trainer = keras.Sequential(
        [
            keras.Input(network.input_shape[1:]),
            *(_AUGMENTATIONS[name]() for name in recipe.augmentation),
            network,
        ]
    )
    schedule = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate, decay_steps=recipe.epochs * steps_per_epoch
    )
    trainer.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    trainer.optimizer.build(trainer.trainable_variables)
    return trainer


def _dropout_rates(network: keras.Sequential) -> dict[layers.Dropout, float]:
    return {layer: layer.rate for layer in network.layers if isinstance(layer, layers.Dropout)}


def _set_dropout(trainer: keras.Model, rates: dict[layers.Dropout, float]) -> None:
    """Give the dropout layers these rates; a training step traced before knows the old ones."""
    if any(layer.rate != rate for layer, rate in rates.items()):
        for layer, rate in rates.items():
            layer.rate = rate
        trainer.make_train_function(force=True)


def _state(trainer: keras.Model) -> list[Any]:
    """Every variable that the next step depends on: weights, dropout seeds, Adam's moments."""
    return [*trainer.variables, *trainer.optimizer.variables]


def _save(path: Path, trainer: keras.Model, rows: list[LogRow]) -> None:
    arrays = {f"{i:04d}": variable.numpy() for i, variable in enumerate(_state(trainer))}
    buffer = io.BytesIO()
    np.savez(buffer, log=np.array(json.dumps(rows)), **arrays)
    write_whole(path, buffer.getvalue())


def _restore(path: Path, trainer: keras.Model) -> list[LogRow]:
    """Put a checkpoint's state into the trainer; the log so far, empty without checkpoint."""
    if not path.exists():
        return []
    with np.load(path) as arrays:
        state = _state(trainer)
        if len(arrays.files) != len(state) + 1:
            raise ValueError(
                f"{path} holds {len(arrays.files) - 1} arrays; wanted {len(state)}. It was written "
                "by another version of the course; move it away to start anew."
            )
        for i, variable in enumerate(state):
            variable.assign(arrays[f"{i:04d}"])
        return json.loads(str(arrays["log"]))


def _write_log(path: Path, rows: list[LogRow]) -> None:
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    write_whole(path, ("\n".join(lines) + "\n").encode())


def _claim_folder(folder: Path, recipe: Recipe) -> None:
    """See that the folder can be written and belongs to this recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RECIPE
    if path.exists() and read_recipe(path) != recipe:
        raise ValueError(
            f"{folder} holds a run of another recipe: {read_recipe(path)}. "
            f"This one is {recipe}. Choose another folder, or remove that one."
        )
    write_whole(path, (json.dumps(asdict(recipe), indent=2) + "\n").encode())
