"""The judge's own process: trains a network from its layers and a recipe, and measures it.

``python -m cnncourse.challenges.worker FOLDER`` reads ``order.json`` there and writes
``answer.json``; a line on standard output tells of each epoch. What may enter, and all that a
learner reads, belongs to ``judge``.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np

from cnncourse import datasets, files, models, training
from cnncourse.challenges import designs, form, mark

ORDER, ANSWER = "order.json", "answer.json"
CLASSES = 10
_WARM_UP, _TIMED = 5, 31

Report = Callable[[str], Any]


@dataclass(frozen=True)
class Order:
    """Train a learner's network and measure it.

    Attributes:
        layers: the network, as Keras writes it without weights.
        recipe: the fields of a :class:`cnncourse.training.Recipe`.
        part: ``"kept-back"`` or ``"validation"``.
        conditions: to measure under.
        budget: processor seconds of training.
        images: how many to measure on; 0 is all.
        peers: networks of the course whose latency is taken as well.
    """

    layers: str
    recipe: dict[str, Any]
    part: str
    conditions: tuple[str, ...]
    budget: float
    images: int = 0
    peers: tuple[str, ...] = ()


@dataclass(frozen=True)
class MarkOrder:
    """Train a network on the images with a hidden mark; see :class:`.mark.HiddenMark`."""

    seed: int
    count: int
    epochs: int


class Mistake(Exception):
    """The network or its recipe keeps the judge from measuring; the text is one sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what stands in the folder; the exit status is 0 also where a mistake is the answer."""
    (folder,) = map(Path, sys.argv[1:] if arguments is None else arguments)
    with files.reading(folder / ORDER, "the order of a judge", "Call the judge again."):
        content = json.loads((folder / ORDER).read_text(encoding="utf-8"))
    threading.Thread(target=_end_with_input, daemon=True).start()
    kind, work = _WORKS[content.pop("kind")]
    try:
        answer = work(kind(**content), lambda line: print(line, flush=True))
    except Mistake as mistake:
        answer = {"mistake": str(mistake)}
    files.write_whole(folder / ANSWER, json.dumps(answer).encode())
    return 0


def _end_with_input() -> None:
    """End with the judge, whatever became of it: then nobody holds the other end any more."""
    # Not through sys.stdin: its lock, held by this thread, would break the end of Python.
    while os.read(0, 1):
        pass
    os._exit(1)


def judge_network(order: Order, report: Report = lambda line: None) -> dict[str, Any]:
    """Train and measure a learner's network.

    Returns:
        ``hits`` and ``total`` by condition, ``latency`` by network in milliseconds,
        ``cpu_seconds``, ``epochs``.

    Raises:
        Mistake: the training took too long, broke down, or taught nothing.
    """
    recipe = training.Recipe(**order.recipe)
    network, cpu_seconds = _trained(order, recipe, report)
    if not all(np.isfinite(np.asarray(weight)).all() for weight in network.weights):
        raise Mistake(
            "The training broke down: a weight is no finite number any more. Take a lower "
            f"learning rate than {recipe.learning_rate:g}."
        )
    if order.part == "kept-back":
        inputs, labels = form.kept_back(order.images)
    else:
        _, (images, labels) = training.parts(recipe)
        chosen = form.spread(len(images), min(order.images, len(images)))
        inputs, labels = datasets.as_inputs(images[chosen]), labels[chosen]
    hits = {
        condition: training.count_correct(network, form.under(condition, inputs), labels)[0]
        for condition in order.conditions
    }
    clean = form.Interval(hits["clean"], len(labels))
    if clean.ends[0] <= 1 / CLASSES:
        raise Mistake(
            f"After its training the network is right on {clean} of the images, no better than "
            f"guessing one of {CLASSES} classes: it has learned nothing. Look at the learning rate "
            f"({recipe.learning_rate:g}), the number of epochs ({recipe.epochs}), and whether its "
            "layers are trainable."
        )
    timed: dict[str, keras.Model] = {"yours": network}
    timed |= {name: models.load_pretrained(name) for name in order.peers}
    return {
        "hits": hits,
        "total": len(labels),
        "latency": {name: _latency(one, inputs[:1]) for name, one in timed.items()},
        "cpu_seconds": cpu_seconds,
        "epochs": recipe.epochs,
    }


def _trained(order: Order, recipe: Any, report: Report) -> tuple[Any, float]:
    """The network after its training, and the processor seconds that this took."""

    class Clock(keras.callbacks.Callback):
        """Ends the training once it has used up its time."""

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if time.process_time() - start > order.budget:
                done = len(rows) + (batch + 1) / self.params["steps"]
                fit = math.floor(done)
                raise Mistake(
                    f"The training takes too long: {order.budget:.0f} processor seconds were used "
                    f"up after {done:.1f} of {recipe.epochs} epochs; take "
                    + (f"at most {fit}" if fit else "fewer images or a network that costs less")
                    + ", or a larger batch."
                )

    rows: list[dict[str, float]] = []

    def on_epoch(row: dict[str, float]) -> None:
        rows.append(row)
        report(
            f"epoch {len(rows)} of {recipe.epochs}: {100 * row['val_accuracy']:.1f} % of the "
            f"validation images, {time.process_time() - start:.0f} of {order.budget:.0f} "
            "processor seconds"
        )

    with TemporaryDirectory() as folder:
        start = time.process_time()
        network = training.train(
            recipe,
            folder,
            build=lambda: keras.models.model_from_json(order.layers),
            on_epoch=on_epoch,
            callbacks=(Clock(),),
        )
        return network, time.process_time() - start


def _latency(network: Any, one: Any) -> float:
    """Milliseconds that one image alone takes: the median of some calls."""
    times = []
    for _ in range(_WARM_UP + _TIMED):
        start = time.perf_counter()
        network.predict_on_batch(one)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[_WARM_UP:])


def judge_mark(order: MarkOrder, report: Report = lambda line: None) -> dict[str, Any]:
    """Train a network on the marked images, and count what it does with the mark.

    Returns:
        By what was shown, pairs of how many it put into the right class (``"clean"``) or took
        for the marked one, and how many there were.
    """
    riddle = mark.HiddenMark(**asdict(order))
    images, labels = riddle.images()
    keras.utils.set_random_seed(order.seed)
    network = designs.lenet()
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    told = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: report(
            f"epoch {epoch + 1} of {order.epochs}: {100 * logs['accuracy']:.1f} % of the doctored "
            "training images"
        )
    )
    network.fit(
        datasets.as_inputs(images),
        labels,
        epochs=order.epochs,
        batch_size=32,
        callbacks=[told],
        verbose=0,
    )
    return riddle.counts(network)


_WORKS: dict[str, tuple[Any, Callable[[Any, Report], dict[str, Any]]]] = {
    "Order": (Order, judge_network),
    "MarkOrder": (MarkOrder, judge_mark),
}


def written(order: Order | MarkOrder) -> bytes:
    """An order as it stands in its file."""
    return json.dumps({"kind": type(order).__name__} | asdict(order)).encode()


if __name__ == "__main__":
    sys.exit(main())
