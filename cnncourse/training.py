"""Training by a written recipe: with progress, a log, and a resume that changes no bit.

Works on every Keras backend, from arrays in memory. Architectures, data and drawing have
rooms of their own.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import keras
import numpy as np
from filelock import FileLock, Timeout
from keras import layers
from tqdm import tqdm

from cnncourse import datasets, keras_layers, models, operations, variants
from cnncourse.files import make_folder, reading, write_whole

OWN = "own"
"""What a recipe names as its network where the caller builds it."""

CHECKPOINT = "checkpoint.npz"
RECIPE = "recipe.json"
LOG = "log.csv"
PROVENANCE = "provenance.json"
LOCK = ".lock"

_AUGMENTATIONS: dict[str, Callable[[], layers.Layer]] = {
    "flip": lambda: layers.RandomFlip("horizontal"),
    "shift": lambda: layers.RandomTranslation(
        2 / 28, 2 / 28, fill_mode="constant", interpolation="nearest"
    ),
    "erase": lambda: layers.RandomErasing(
        (0.5, 0.5), scale=(0.02, 0.2), fill_value=0.0, value_range=(0, 1)
    ),
}

# For each optimizer what it is made with, beside rate and decay.
_OPTIMIZERS: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "adam": keras.optimizers.Adam,
    "sgd": lambda *arguments, **settings: keras.optimizers.SGD(
        *arguments, momentum=0.9, nesterov=True, **settings
    ),
}

# Weight decay shrinks kernels alone: these are the names of what else is trained.
_NOT_DECAYED = ("bias", "gamma", "beta")

LogRow = dict[str, float]
Build = Callable[[], keras.Model]
Arrays = list[np.ndarray]


def _require(known: bool, what: str, given: object, choices: Any) -> None:
    if not known:
        raise ValueError(f"There is no {what} {given!r}; choose one of {', '.join(choices)}.")


@dataclass(frozen=True)
class Recipe:
    """All that decides a training run.

    Attributes:
        network: a key of :data:`cnncourse.models.NETWORKS`, or :data:`OWN` for one of the
            caller's, which :func:`train` is then given the builder of.
        data: ``"small"`` or ``"full"``, see :func:`cnncourse.datasets.load_fashion_mnist`.
        epochs: passes over the training part.
        batch_size: images per step; the last, smaller batch of an epoch counts too.
        learning_rate: of the first step; it falls along a half cosine to 0.
        augmentation: names of random changes to the training images, in this order:
            ``"flip"`` (left to right, one time in two), ``"shift"`` (up to two pixels),
            ``"erase"`` (one time in two a rectangle of 2 to 20 % becomes black; Zhong et al.,
            *Random Erasing Data Augmentation*, arXiv:1708.04896, 2017). One name may stand
            alone; ``"none"`` is none.
        dropout_share: the share of the epochs, from the first one on, in which dropout is
            active; in the rest it is off. "Early dropout": Liu et al., *Dropout Reduces
            Underfitting*, arXiv:2303.01500 (2023).
        validation_count: images cut from the training part, never trained on.
        seed: of the initial weights, the order of the images, dropout and augmentation.
            The cut of the validation part does not depend on it.
        variant: a key of :data:`cnncourse.variants.VARIANTS`, or empty for the network as
            it is.
        train_count: how many images of the training part are used, the first ones behind
            the validation part; 0 is all.
        optimizer: ``"adam"``, or ``"sgd"`` with Nesterov momentum 0.9.
        weight_decay: what each step takes from the kernels, as a share of the learning rate,
            apart from the gradient; Loshchilov and Hutter, *Decoupled Weight Decay
            Regularization*, arXiv:1711.05101 (2017).
        label_smoothing: the share of a label that is spread evenly over all classes;
            Szegedy et al., *Rethinking the Inception Architecture*, arXiv:1512.00567 (2015).
            The losses in the log are smoothed as well.
        average: over the ends of how many last epochs the weights are averaged; what the run
            ends with is that mean, its batch-norm moments estimated anew. 0 is none. Izmailov
            et al., *Averaging Weights Leads to Wider Optima*, arXiv:1803.05407 (2018).
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
    variant: str = ""
    train_count: int = 0
    optimizer: str = "adam"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    average: int = 0

    def __post_init__(self) -> None:
        known = [*models.NETWORKS, OWN]
        _require(self.network in known, "network", self.network, known)
        _require(self.data in ("small", "full"), "data", self.data, ("small", "full"))
        _require(self.optimizer in _OPTIMIZERS, "optimizer", self.optimizer, _OPTIMIZERS)
        for name, least in _WHOLE.items():
            object.__setattr__(self, name, _whole(name, getattr(self, name), least))
        for name, (holds, wanted) in _REAL.items():
            object.__setattr__(self, name, _real(name, getattr(self, name), holds, wanted))
        given: object = self.augmentation
        names = (given,) if isinstance(given, str) else self.augmentation
        names = () if tuple(names) == ("none",) else tuple(names)
        object.__setattr__(self, "augmentation", names)
        for name in names:
            _require(name in _AUGMENTATIONS, "augmentation", name, [*_AUGMENTATIONS, "none"])
        if self.variant and self.network not in variants.known(self.variant).networks:
            raise ValueError(f"{self.network} has no part that {self.variant!r} changes.")


# What the numbers of a recipe may be: the least whole number; which real ones, in words.
_WHOLE = {
    "epochs": 1,
    "batch_size": 1,
    "validation_count": 1,
    "seed": 0,
    "train_count": 0,
    "average": 0,
}
_REAL: dict[str, tuple[Callable[[float], bool], str]] = {
    "learning_rate": (lambda rate: 0 < rate < math.inf, "a number above 0"),
    "dropout_share": (lambda share: 0 <= share <= 1, "0 to 1"),
    "weight_decay": (lambda decay: 0 <= decay < math.inf, "0 or a number above it"),
    "label_smoothing": (lambda share: 0 <= share < 1, "0 to less than 1"),
}


def _whole(name: str, given: object, least: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < least:
        raise ValueError(f"Got {name}={given!r}; wanted a whole number of at least {least}.")
    return int(given)


def _real(name: str, given: Any, holds: Callable[[float], bool], wanted: str) -> float:
    number = isinstance(given, int | float | np.integer | np.floating)
    if isinstance(given, bool) or not number or not holds(float(given)):
        raise ValueError(f"Got {name}={given!r}; wanted {wanted}.")
    return float(given)


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
    build: Build | None = None,
    on_epoch: Callable[[LogRow], None] | None = None,
    callbacks: tuple[keras.callbacks.Callback, ...] = (),
) -> keras.Model:
    """Train a network by a recipe, or go on with a run that was stopped.

    After each epoch the folder holds a whole checkpoint. A run that is stopped at any
    moment and started again goes on behind the last whole epoch and ends, on the same
    machine, with the same weights bit for bit as a run that was never stopped. Sets the
    random seeds of Python, NumPy and the backend.

    Args:
        recipe: what to do.
        folder: for recipe, log and checkpoint; made if missing.
        build: gives a fresh network for inputs (28, 28, 1) and ten classes, where the recipe's
            network is :data:`OWN`; the same one each time that the run goes on.
        on_epoch: called with each row of the log (epoch, loss, accuracy, val_loss,
            val_accuracy), also with the rows of an earlier start.
        callbacks: further Keras callbacks, for instance a progress bar.

    Returns:
        The trained network.

    Raises:
        ValueError: the folder holds a run of another recipe; or a builder is missing, or given
            for a network that has a name.
        OSError: the folder cannot be written, or another process trains into it; said
            before any work starts.
    """
    folder = Path(folder)
    if (build is None) == (recipe.network == OWN):
        raise ValueError(
            f"Got a recipe for the network {recipe.network!r} and "
            f"{'no' if build is None else 'a'} function that builds one; wanted build=FUNCTION "
            f"for {OWN!r} and for no other."
        )
    make_folder(folder)
    with _alone_in(folder):
        _claim_folder(folder, recipe)
        return _train(recipe, folder, build or (lambda: _network(recipe)), on_epoch, callbacks)


def _train(
    recipe: Recipe,
    folder: Path,
    build: Build,
    on_epoch: Callable[[LogRow], None] | None,
    callbacks: tuple[keras.callbacks.Callback, ...],
) -> keras.Model:
    (images, labels), (validation_images, validation_labels) = parts(recipe)
    inputs, validation_inputs = datasets.as_inputs(images), datasets.as_inputs(validation_images)
    targets, validation_targets = _targets(labels, recipe), _targets(validation_labels, recipe)

    keras.utils.set_random_seed(recipe.seed)
    network = build()
    trainer = _compiled(network, recipe, steps_per_epoch=math.ceil(len(inputs) / recipe.batch_size))
    rows, mean = _restore(folder / CHECKPOINT, trainer)
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
            targets[order],
            batch_size=recipe.batch_size,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,  # the order above is the same after a resume
            validation_data=(validation_inputs, validation_targets),
            validation_batch_size=500,
            callbacks=list(callbacks),
            verbose=0,
        )
        rows.append({"epoch": epoch + 1} | {k: float(v[0]) for k, v in history.history.items()})
        averaged = len(rows) - (recipe.epochs - recipe.average)
        if averaged > 0:
            weights = [np.asarray(variable) for variable in network.trainable_variables]
            mean = weights if averaged == 1 else _next_mean(mean, weights, averaged)
        if finished := len(rows) == recipe.epochs:
            rows[-1] |= _finish(
                trainer, network, mean, inputs, validation_inputs, validation_targets
            )
        _save(folder / CHECKPOINT, trainer, rows, mean, finished=finished)
        _write_log(folder / LOG, rows)
        if on_epoch:
            on_epoch(rows[-1])
    _set_dropout(trainer, rates)
    return network


def parts(
    recipe: Recipe,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Images and labels that a recipe trains on, and those that it validates with."""
    part, _ = datasets.load_fashion_mnist(recipe.data)
    (images, labels), validation = datasets.split_validation(*part, count=recipe.validation_count)
    if recipe.train_count > len(images):
        raise ValueError(
            f"Got train_count={recipe.train_count}; wanted at most the {len(images)} images that "
            "the validation part leaves."
        )
    count = recipe.train_count or len(images)
    return (images[:count], labels[:count]), validation


def seconds_per_epoch(
    recipe: Recipe, *, steps: int = 10, clock: Callable[[], float] = time.perf_counter
) -> float:
    """How long an epoch of a recipe takes here, from a few steps without the first one.

    Args:
        recipe: what would be trained; nothing is kept.
        steps: how many are measured; the median counts.
        clock: what measures them, in seconds.

    Returns:
        Seconds, without validation.
    """
    step = stepper(recipe)
    step()
    ticks = [clock()]
    for _ in range(steps):
        step()
        ticks.append(clock())
    taken = statistics.median(end - start for start, end in itertools.pairwise(ticks))
    return taken * len(parts(recipe)[0][0]) / recipe.batch_size


def stepper(recipe: Recipe) -> Callable[[], None]:
    """A function that takes one training step of a recipe, again and again on the same images.

    Its first call compiles. It is there to be timed; the network is kept by nobody else.
    """
    (images, labels), _ = parts(recipe)
    inputs = datasets.as_inputs(images[: recipe.batch_size])
    targets = _targets(labels[: recipe.batch_size], recipe)
    trainer = _compiled(_network(recipe), recipe, steps_per_epoch=1)
    return lambda: trainer.train_on_batch(inputs, targets)


def load_run(folder: str | os.PathLike[str]) -> tuple[Recipe, keras.Sequential, list[LogRow]]:
    """The recipe, the network and the log of a run, as its last checkpoint left them.

    Raises:
        FileNotFoundError: there is no recipe or no checkpoint in the folder.
    """
    folder = Path(folder)
    for name in (RECIPE, CHECKPOINT):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"There is no file {folder / name}; wanted a folder that `cnncourse train` wrote "
                "at least one epoch into."
            )
    recipe = read_recipe(folder / RECIPE)
    network = _network(recipe)
    rows, _ = _restore(folder / CHECKPOINT, _compiled(network, recipe, steps_per_epoch=1))
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


def count_correct(network: keras.Model, inputs: np.ndarray, labels: np.ndarray) -> tuple[int, int]:
    """How many inputs a network puts into the right class.

    Args:
        network: gives one score per class, shape (n, classes).
        inputs: shape (n, height, width, channels).
        labels: whole numbers, shape (n,) or (n, 1).

    Returns:
        ``(correct, total)``.

    Raises:
        ValueError: labels of another shape, or that are no classes of the network.
    """
    scores = network.predict(inputs, batch_size=500, verbose=0)
    labels = datasets.as_labels(labels, len(inputs), scores.shape[-1])
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
    """The recipe in a JSON file, checked as if it were written in code.

    Raises:
        FileNotFoundError: there is no such file.
        Damaged: it holds no recipe; the message names it and says why.
    """
    with reading(path, "the recipe of a run", "Move its folder away, or repair it."):
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or "network" not in content:
            raise ValueError("it holds no object with the key 'network'")
        known = {field.name for field in fields(Recipe)}
        if set(content) - known:
            raise ValueError(f"it holds {sorted(set(content) - known)}, which no recipe has")
        return Recipe(**content)


def _network(recipe: Recipe) -> keras.Sequential:
    if recipe.network == OWN:
        raise ValueError(
            f"Got a recipe for the network {OWN!r}, which only its owner can build; load its "
            "weights into that network."
        )
    classes = len(datasets.FASHION_MNIST_CLASSES)
    return variants.build(recipe.network, (28, 28, 1), classes, recipe.variant)


def _targets(labels: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Labels as the loss wants them: one-hot where they are smoothed."""
    if not recipe.label_smoothing:
        return labels
    return np.eye(len(datasets.FASHION_MNIST_CLASSES), dtype=np.float32)[labels]


def _compiled(network: keras.Model, recipe: Recipe, steps_per_epoch: int) -> keras.Model:
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
    optimizer = _OPTIMIZERS[recipe.optimizer](schedule, weight_decay=recipe.weight_decay or None)
    if recipe.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=list(_NOT_DECAYED))
    smoothed = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
    trainer.compile(
        optimizer=optimizer,
        loss=smoothed if recipe.label_smoothing else "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    trainer.optimizer.build(trainer.trainable_variables)
    return trainer


def _next_mean(mean: Arrays, weights: Arrays, count: int) -> Arrays:
    """The mean of ``count`` sets of weights, from that of one fewer and the last."""
    return [old + (new - old) / count for old, new in zip(mean, weights, strict=True)]


def _finish(
    trainer: keras.Model,
    network: keras.Model,
    mean: Arrays,
    inputs: np.ndarray,
    validation_inputs: np.ndarray,
    validation_targets: np.ndarray,
) -> LogRow:
    """Put averaged weights into the network, if there are any, and moments that belong to them.

    The moving moments were gathered under other weights. They become the mean over batches of
    the training part, unchanged, of what each batch norm sees.

    Returns:
        What of the last row of the log is other then.
    """
    if not mean:
        return {}
    for variable, value in zip(network.trainable_variables, mean, strict=True):
        variable.assign(value)
    kind = operations.Normalization.kind
    norms = [layer for layer in network._flatten_layers() if keras_layers.kind_of(layer) == kind]
    momenta = [norm.momentum for norm in norms]
    for count, start in enumerate(range(0, max(1, len(inputs) - 499), 500)):
        for norm in norms:  # a running mean over all batches so far
            norm.momentum = count / (count + 1)
        network(inputs[start : start + 500], training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    loss, accuracy = trainer.evaluate(
        validation_inputs, validation_targets, batch_size=500, verbose=0
    )
    return {"val_loss": float(loss), "val_accuracy": float(accuracy)}


def _dropout_rates(network: keras.Model) -> dict[layers.Dropout, float]:
    return {
        layer: layer.rate
        for layer in network.layers
        if keras_layers.kind_of(layer) == operations.Dropping.kind
    }


def _set_dropout(trainer: keras.Model, rates: dict[layers.Dropout, float]) -> None:
    """Give the dropout layers these rates; a training step traced before knows the old ones."""
    if any(layer.rate != rate for layer, rate in rates.items()):
        for layer, rate in rates.items():
            layer.rate = rate
        trainer.make_train_function(force=True)


def _state(trainer: keras.Model) -> list[Any]:
    """Every variable that the next step depends on: weights, dropout seeds, Adam's moments."""
    return [*trainer.variables, *trainer.optimizer.variables]


def _save(
    path: Path, trainer: keras.Model, rows: list[LogRow], mean: Arrays, *, finished: bool
) -> None:
    """Keep all that the next step needs; once there is none, the network's variables alone."""
    state = trainer.variables if finished else _state(trainer)
    arrays: dict[str, Any] = {f"{i:04d}": np.asarray(variable) for i, variable in enumerate(state)}
    if not finished:
        arrays |= {f"mean {i:04d}": value for i, value in enumerate(mean)}
    buffer = io.BytesIO()
    np.savez(buffer, log=np.array(json.dumps(rows)), **arrays)
    write_whole(path, buffer.getvalue())


def _restore(path: Path, trainer: keras.Model) -> tuple[list[LogRow], Arrays]:
    """Put a checkpoint's state into the trainer.

    Returns:
        The log so far and the mean of the weights so far; both empty without a checkpoint.
    """
    if not path.exists():
        return [], []
    with reading(path, "the checkpoint of a run", "Move it away to start anew."):
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            rows = json.loads(str(arrays["log"]))
            names = sorted(set(arrays.files) - {"log"})
            mean = [arrays[name] for name in names if name.startswith("mean")]
            kept = [arrays[name] for name in names if not name.startswith("mean")]
        states = (trainer.variables, _state(trainer))
        for state in states:
            if [array.shape for array in kept] == [tuple(variable.shape) for variable in state]:
                for variable, array in zip(state, kept, strict=True):
                    variable.assign(array)
                return rows, mean
        raise ValueError(
            f"it holds {len(kept)} arrays that do not fit; wanted {len(states[0])} of a finished "
            f"run, or {len(states[1])}: it was written by another version of the course"
        )


def _write_log(path: Path, rows: list[LogRow]) -> None:
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    write_whole(path, ("\n".join(lines) + "\n").encode())


def _claim_folder(folder: Path, recipe: Recipe) -> None:
    """See that the folder belongs to this recipe, and make it so if it is new."""
    path = folder / RECIPE
    if path.exists() and read_recipe(path) != recipe:
        raise ValueError(
            f"{folder} holds a run of another recipe: {read_recipe(path)}. "
            f"This one is {recipe}. Choose another folder, or remove that one."
        )
    write_whole(path, (json.dumps(asdict(recipe), indent=2) + "\n").encode())
    write_whole(folder / PROVENANCE, (json.dumps(_surroundings(), indent=2) + "\n").encode())


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold a lock that the operating system takes back when this process dies."""
    try:
        # A process that lost its parent a moment ago may still be on its way out.
        with FileLock(folder / LOCK, timeout=20):
            yield
    except Timeout as error:
        raise OSError(
            f"Another process trains into {folder}. Wait until it has ended, or choose another "
            "folder."
        ) from error


def _surroundings() -> dict[str, str]:
    """What a run's numbers depend on beside its recipe: versions, and the machine."""
    backend = keras.backend.backend()
    machine = [f"{os.cpu_count()} cores", platform.machine(), platform.system()]
    if accelerators := len(keras.distribution.list_devices("gpu")):
        machine.append(f"GPUs: {accelerators}")
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "numpy": np.__version__,
        "backend": f"{backend} {metadata.version(backend)}",
        "machine": ", ".join(machine),
    }
