"""A model card: one page of facts about a trained network, for whoever meets its file alone.

Facts are counted here or come from ``results``; nothing is typed in but what it is for.

Source of the form: Mitchell et al., Model cards for model reporting (2019).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from cnncourse import anatomy, results

if TYPE_CHECKING:
    import keras

    from cnncourse.training import Recipe

WORST = 3
"""How many classes are named that are found least often."""

RUNTIMES = {
    "predict": "Keras, `predict`",
    "compiled": "Keras, `predict_on_batch`",
    "folded": "the same, folded",
    "onnx": "onnxruntime",
    "onnx_int8": "onnxruntime, int8",
    "litert": "LiteRT",
    "litert_int8": "LiteRT, int8",
    "node": "the explorer's page, in Node",
    "browser": "the same, in a browser",
}
"""The ways to ask a network that the results of deployment hold."""

_COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "right, 95 %": ("hits", lambda hits: _share(hits)),
    "changed": ("changed", str),
    "largest difference": ("largest", "{:.1g}".format),
    "MB": ("bytes", lambda size: f"{size / 1e6:.2f}"),
    "alone, ms": ("alone", "{:.2f}".format),
    "in a batch": ("batch", "{:.2f}".format),
    "on two cores": ("batch_two", "{:.2f}".format),
    "start, s": ("startup", "{:.1f}".format),
    "memory, MB": ("memory", lambda size: f"{size / 1e6:.0f}"),
}

_LIMITS = """## What it must not be used for

It knows ten kinds of clothes, as gray pictures of 28×28 pixels, white on black, one in the middle.
It gives one of the ten names to whatever it is shown, a face or noise among it, and may be sure of
it. It was never tested on photographs of a shop or a person, and nothing about people may be
concluded from its answers."""


def card(
    network: keras.Model,
    recipe: Recipe,
    inputs: np.ndarray,
    labels: np.ndarray,
    *,
    part: str,
    classes: Sequence[str],
    shipped: bool = False,
) -> str:
    """The page, in Markdown.

    Args:
        network: gives (n, classes) probabilities.
        recipe: how it was trained.
        inputs: images that it was not trained on, as it is fed.
        labels: their classes, shape (n,), whole numbers.
        part: what these images are, such as ``"validation part"``.
        classes: the name of each class.
        shipped: whether these are the weights that the course ships; where ``results`` hold what
            they cost in other runtimes, that is told.

    Returns:
        The text, which ends in a newline.

    Raises:
        ValueError: as in :func:`cnncourse.anatomy.layer_table`.
    """
    answers = np.asarray(network.predict(inputs, batch_size=500, verbose=0)).argmax(axis=1)
    correct = int((answers == labels).sum())
    low, high = results.interval(correct, len(labels))
    table = anatomy.layer_table(network)
    count = table.trainable + table.non_trainable
    settings = ", ".join(f"{key} {_text(value)}" for key, value in asdict(recipe).items())
    sections = [
        f"# {network.name}",
        f"It says which of {len(classes)} kinds of clothes a picture shows: {', '.join(classes)}.",
        f"## Data and recipe\n\nTrained on Fashion-MNIST (Zalando Research, MIT license): "
        f"{settings}.",
        f"## How good it is\n\n{correct:,} of {len(labels):,} images of the {part} right: "
        f"{correct / len(labels):.2%}, with a 95 % interval from {low:.2%} to {high:.2%}. The "
        "interval covers the luck of the images, not that of another training.",
        _worst(answers, labels, classes),
        _LIMITS,
        f"## Size\n\n{count:,} parameters, {4 * count:,} bytes as float32; {table.macs:,} "
        f"multiply-accumulates for one image of {table[0].output_shape[0]}×"
        f"{table[0].output_shape[1]} pixels.",
    ]
    if shipped and "deployment" in results.topics():
        where = results.load("deployment")["provenance"]["machine"]
        sections.append(
            "## Runtimes\n\nMeasured on the embedded sample's test images, on a machine with "
            f"{where}:\n\n{runtime_table(network.name)}"
        )
    return "\n\n".join(sections) + "\n"


def _text(value: Any) -> str:
    return ("+".join(value) or "none") if isinstance(value, tuple | list) else str(value)


def _worst(answers: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> str:
    matrix = np.zeros((len(classes), len(classes)), int)
    np.add.at(matrix, (labels, answers), 1)
    asked = matrix.sum(axis=1)
    found = np.diag(matrix) / np.maximum(asked, 1)
    rows = ["| found least often | found | most often taken for |", "|---|---:|---|"]
    known = [int(label) for label in np.argsort(found, kind="stable") if asked[label]]
    for label in known[:WORST]:
        others = matrix[label].copy()
        others[label] = 0
        taken = f"{classes[int(others.argmax())]} ({others.max()})" if others.any() else "–"
        rows.append(f"| {classes[label]} | {matrix[label, label]} of {asked[label]} | {taken} |")
    return "\n".join(rows)


def runtime_table(name: str) -> str:
    """What was measured of a shipped network in each runtime, as a table in Markdown.

    Args:
        name: a key of :data:`cnncourse.models.NETWORKS`.

    Returns:
        A row for each of :data:`RUNTIMES`: right answers on the embedded sample's test images
        with Wilson's interval, answers that are other than those of Keras, the largest difference
        of a number, bytes, milliseconds for one image (asked alone and in a batch on one core, in
        a batch on two), seconds and megabytes of the process until its first answer. A dash
        stands where that was not measured.
    """
    values = results.load("deployment")["values"]
    lines = [f"| {name} | " + " | ".join(_COLUMNS) + " |", "|---|" + "---:|" * len(_COLUMNS)]
    for way, label in RUNTIMES.items():
        entries = [(values.get(f"{name}_{way}_{key}"), form) for key, form in _COLUMNS.values()]
        cells = ["–" if entry is None else form(entry["value"]) for entry, form in entries]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _share(correct: int) -> str:
    total = int(results.value("fashion_mnist.small_test_images").value)
    low, high = results.interval(correct, total)
    return f"{correct / total:.1%} ({low:.1%} to {high:.1%})"
