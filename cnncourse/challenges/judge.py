"""What the judge asks of a network before it trains, each refusal one sentence, and the process.

Limits and cards stand in ``form``, training and measuring in ``worker``.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np

from cnncourse import (
    anatomy,
    datasets,
    files,
    keras_layers,
    models,
    operations,
    tolerances,
    training,
)
from cnncourse import results as recorded
from cnncourse.challenges import form, worker
from cnncourse.challenges.form import Challenge, Interval, Report, ScoreCard, Standing
from cnncourse.challenges.worker import CLASSES
from cnncourse.checks import NotYet, guards
from cnncourse.training import OWN, Recipe

INPUT_SHAPE = (28, 28, 1)

BUILD_LIMIT = 60.0
"""Seconds that a learner's function may take to build its network."""

PATIENCE, START = 20, 600
"""How many times its budget the process may take by the clock, and seconds on top."""

_NARROW, _WIDE = 0.1, 20.0  # what a network may make of the range from black to white
_PROBED = 32
_COMPARED = 2000


def measured(
    task: Challenge, build: Any, recipe: Any, part: str, report: Report | None
) -> ScoreCard:
    """Ask, train, measure; see :meth:`Challenge.judge`."""
    _check_recipe(recipe)
    network = _built(build)
    table = check_network(task, network)
    _refuse_weights(network, _built(build))
    whole = part == "kept-back" and not task.images
    order = worker.Order(
        layers=network.to_json(),
        recipe=asdict(recipe),
        part=part,
        conditions=task.conditions,
        budget=task.budget,
        images=task.images,
        peers=tuple(models.NETWORKS) if whole else (),
    )
    answer = run_process(order, report or (lambda line: None), cores=task.cores)
    hits = {name: Interval(count, answer["total"]) for name, count in answer["hits"].items()}
    yours = Standing("yours", hits, _parameters(table), table.macs, answer["latency"].pop("yours"))
    return ScoreCard(
        challenge=task.name,
        part=part,
        counted=task.counted,
        yours=yours,
        peers=tuple(
            _peer(name, task.conditions, answer["total"], latency)
            for name, latency in answer["latency"].items()
        ),
        cpu_seconds=answer["cpu_seconds"],
        budget=task.budget,
        epochs=answer["epochs"],
    )


# --- Questions ------------------------------------------------------------------------------------


def _check_recipe(recipe: Any) -> None:
    if not isinstance(recipe, Recipe):
        raise NotYet(
            f"The recipe is a {type(recipe).__name__}; the judge trains by a "
            f'cnncourse.training.Recipe, such as Recipe("{OWN}", epochs=5).'
        )
    if recipe.network != OWN:
        raise NotYet(
            f"The recipe is for the network {recipe.network!r}; write {OWN!r}, because the judge "
            "trains what your function builds."
        )
    if recipe.data != "small":
        raise NotYet(
            f"The recipe trains on the data {recipe.data!r}; in a challenge everybody has the "
            "10,000 training images of the embedded sample, data='small'."
        )
    try:
        training.parts(recipe)
    except ValueError as error:
        raise NotYet(f"By this recipe nothing can be trained: {error}") from error


def _built(build: Any) -> keras.Model:
    if isinstance(build, keras.Model):
        raise NotYet(
            "You gave a network; the judge wants the function that builds it, without calling it: "
            "judge(build, recipe)."
        )
    if not callable(build):
        raise NotYet(
            f"You gave a {type(build).__name__}; the judge wants a function without arguments that "
            "returns a Keras model."
        )
    try:
        with contextlib.suppress(ValueError):  # a function of C that tells no signature
            inspect.signature(build).bind()
    except TypeError as error:
        raise NotYet(
            f"The judge calls your function without arguments ({error}); give them defaults."
        ) from error
    run = guards.run_guarded(build, BUILD_LIMIT)
    if not run.finished:
        raise NotYet(
            f"Your function had built no network after {BUILD_LIMIT:.0f} s, and was stopped"
            + (f" at {run.stopped_at}." if run.stopped_at else ".")
        )
    if run.error is not None:
        place = guards.where(run.error.__traceback__)
        text = (str(run.error).strip().splitlines() or [""])[0]
        raise NotYet(
            f"Your function raised {type(run.error).__name__}{f' in {place}' if place else ''}: "
            f"{text}"
        )
    if not isinstance(run.value, keras.Model):
        raise NotYet(
            f"Your function returned a {type(run.value).__name__}; the judge wants a Keras model "
            "(does it end in `return`?)."
        )
    return run.value


def check_network(task: Challenge, network: keras.Model) -> anatomy.LayerTable:
    """The layer table of a network that may enter a challenge.

    Raises:
        NotYet: it may not; one sentence says why.
    """
    _check_shapes(network)
    try:
        table = anatomy.layer_table(network)
    except ValueError as error:
        raise NotYet(
            f"What this network costs can't be counted, so it can't enter: {error}"
        ) from error
    parameters = _parameters(table)
    if network.count_params() != parameters:
        raise NotYet(
            f"The layer table counts {parameters:,} parameters and Keras {network.count_params():,}"
            ": a layer has weights that the table does not count, so the network can't enter."
        )
    for what, limit, cost in (
        ("parameters", task.parameters, lambda row: row.trainable + row.non_trainable),
        ("multiply-accumulates for one image", task.macs, lambda row: row.macs),
    ):
        found = sum(map(cost, table))
        if found > limit:
            raise NotYet(
                f"Your network has {found:,} {what}, {found - limit:,} more than the {limit:,} "
                f"that this challenge allows; most are in {max(table, key=cost).name}."
            )
    if not table.trainable:
        raise NotYet(
            "No weight of your network is trainable, so that training would change nothing: give "
            "it a layer with weights, and leave layer.trainable at True."
        )
    _check_answers(network)
    _check_range(network)
    return table


def _parameters(table: anatomy.LayerTable) -> int:
    return table.trainable + table.non_trainable


def _check_shapes(network: keras.Model) -> None:
    if not network.built:
        raise NotYet(
            "Your network does not know its input yet; begin with keras.Input((28, 28, 1))."
        )
    taken = getattr(network, "input_shape", None)
    if taken is None:
        return  # of an own class, whose layers cannot be counted either
    if taken != (None, *INPUT_SHAPE):
        raise NotYet(
            f"Your network takes inputs of shape {_shape(taken)}; the judge gives images of shape "
            f"{INPUT_SHAPE}: begin with keras.Input({INPUT_SHAPE})."
        )
    given = network.output_shape
    if given != (None, CLASSES):
        raise NotYet(
            f"Your network gives outputs of shape {_shape(given)} for each image; wanted "
            f"({CLASSES},), one probability for each class."
        )


def _shape(shape: Any) -> str:
    return str(tuple(shape[1:]) if isinstance(shape, tuple) else shape)


def _check_answers(network: keras.Model) -> None:
    """Refuse a network whose outputs are no probabilities, or softmax of a softmax."""
    (images, _), _ = datasets.load_fashion_mnist()
    answers = _answers(network, datasets.as_inputs(images[:_PROBED]))
    sums = answers.sum(axis=1)
    if answers.min() < 0 or not tolerances.close(sums, np.ones(len(sums)), terms=CLASSES):
        raise NotYet(
            f"The ten outputs of an image are no probabilities (they add up to {sums[0]:.3g}): end "
            'with activation="softmax"; the recipe\'s loss takes no logits.'
        )
    found = keras_layers.steps(network)
    softmaxes = [
        step.name for step in found if isinstance(step.reading.activation, operations.Softmax)
    ]
    if len(softmaxes) > 1:
        raise NotYet(
            f"A softmax stands behind a softmax ({', '.join(softmaxes)}), which flattens all "
            "answers; leave the last one alone."
        )


def _check_range(network: keras.Model) -> None:
    """Refuse a network that is made for another range of inputs than 0 to 1."""
    ends = np.array([0.0, 1.0])
    for step in keras_layers.steps(network):
        operation = step.reading.operation
        if isinstance(operation, operations.Scaling):
            if operation.adapted:
                raise NotYet(
                    f"{step.name} was given its mean and variance by adapt(), and the judge takes "
                    "no numbers along that a network has learned: write them as mean=… and "
                    "variance=…."
                )
            ends = ends * operation.scale[0] + operation.offset[0]
        elif not isinstance(operation, operations.Nothing):
            break
    width = abs(ends[1] - ends[0])
    if not _NARROW <= width <= _WIDE:
        raise NotYet(
            f"The judge gives inputs from 0 to 1, and your network first makes {ends[0]:.3g} to "
            f"{ends[1]:.3g} of them: it is made for another input range, such as 0 to 255."
        )


def _refuse_weights(network: keras.Model, again: keras.Model) -> None:
    """Refuse a network that brings weights which its initializers do not give."""
    fresh = [keras.models.model_from_json(network.to_json()).get_weights() for _ in range(2)]
    brought = network is again or any(
        np.array_equal(one, other) and not np.array_equal(one, own)
        for one, other, own in zip(*fresh, network.get_weights(), strict=True)
    )
    if not brought:
        return
    (images, labels), _ = datasets.load_fashion_mnist()
    chosen = form.spread(len(images), _COMPARED)
    seen = _hits(network, datasets.as_inputs(images[chosen]), labels[chosen])
    kept = _hits(network, *form.kept_back(_COMPARED))
    share = (seen.correct + kept.correct) / (seen.total + kept.total)
    error = np.sqrt(share * (1 - share) * (1 / seen.total + 1 / kept.total))
    if kept.share - seen.share > 3 * error:
        raise NotYet(
            "Your network was trained on the images that are kept back: it brings weights that "
            f"know {kept} of these and {seen} of the training images; build a new one on each "
            "call, and let the judge train it."
        )
    raise NotYet(
        "Your function returns a network that exists or is trained already (it knows "
        f"{seen} of the training images); build a new one on each call, because the judge trains "
        "by itself and takes no weights along."
    )


def _hits(network: keras.Model, inputs: np.ndarray, labels: np.ndarray) -> Interval:
    answers = _answers(network, inputs)
    return Interval(int((answers.argmax(axis=1) == labels).sum()), len(labels))


def _answers(network: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Not by ``predict``, which compiles each new network and warns after a few of them."""
    batches = (inputs[start : start + 500] for start in range(0, len(inputs), 500))
    return np.concatenate(
        [keras.ops.convert_to_numpy(network(batch, training=False)) for batch in batches]
    )


def _peer(name: str, conditions: tuple[str, ...], total: int, latency: float) -> Standing:
    """A network of the course with its recorded hits on the same images."""
    values = recorded.load(form.PEERS)["values"]
    hits = {
        condition: Interval(values[form.peer_key(name, condition)]["value"], total)
        for condition in conditions
    }
    table = anatomy.layer_table(models.build(name, INPUT_SHAPE, CLASSES))
    return Standing(name, hits, _parameters(table), table.macs, latency)


# --- The process ----------------------------------------------------------------------------------


def run_process(
    order: worker.Order | worker.MarkOrder, report: Callable[[str], Any], *, cores: int = 2
) -> dict[str, Any]:
    """Have an order worked off in a process of its own.

    Args:
        order: what it is to do.
        report: called with each line that it writes.
        cores: how many threads TensorFlow may use; graphics cards are not used.

    Returns:
        What the function of ``worker`` gives that works off such an order.

    Raises:
        NotYet: what it found amiss; or the process ended without an answer, or did not end.
    """
    surroundings = os.environ | {
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_NUM_INTRAOP_THREADS": str(cores),
        "TF_NUM_INTEROP_THREADS": str(cores),
        "OMP_NUM_THREADS": str(cores),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONIOENCODING": "utf-8",
    }
    limit = START + PATIENCE * getattr(order, "budget", 0)
    with TemporaryDirectory(prefix="cnncourse-judge-") as name:
        folder = Path(name)
        files.write_whole(folder / worker.ORDER, worker.written(order))
        with (
            (folder / "errors.txt").open("w+", encoding="utf-8", errors="replace") as errors,
            subprocess.Popen(
                [sys.executable, "-P", "-m", worker.__name__, name],
                stdin=subprocess.PIPE,  # closed when this process ends, and that ends the other
                stdout=subprocess.PIPE,
                stderr=errors,
                env=surroundings,
                text=True,
                encoding="utf-8",
            ) as process,
        ):
            watchdog = threading.Timer(limit, process.kill)
            watchdog.start()
            try:
                for line in process.stdout or ():
                    report(line.rstrip())
                process.wait()
            finally:  # also where the reader interrupts it
                late = not watchdog.is_alive()
                watchdog.cancel()
                process.kill()
            errors.seek(0)
            last = (errors.read().strip().splitlines() or ["it said nothing"])[-1]
        if process.returncode != 0:
            raise NotYet(
                f"The judge's process was ended after {limit:.0f} s by the clock; is this machine "
                "busy with something else?"
                if late
                else f"The judge's process ended without an answer: {last}"
            )
        path = folder / worker.ANSWER
        with files.reading(path, "the answer of the judge's process", "Call the judge again."):
            answer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if "mistake" in answer:
        raise NotYet(answer["mistake"])
    return answer
