"""Counts that follow from the code and the data alone, recorded so that prose can claim them.

Whatever needs training or a clock is recorded by the command that trains or times.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cnncourse import results

COMMAND = "python -m cnncourse.authoring measure"

INPUT_SHAPE = (28, 28, 1)
"""Fashion-MNIST's; the counts of a network are for it and its ten classes."""

Values = dict[str, dict[str, Any]]


def count_architecture() -> Values:
    """What both networks are made of, at Fashion-MNIST's input; keys begin with the network."""
    import keras

    from cnncourse import anatomy, datasets, models

    values: Values = {}
    for name in models.NETWORKS:
        model = models.build(name, INPUT_SHAPE, len(datasets.FASHION_MNIST_CLASSES))
        table = anatomy.layer_table(model)
        kinds = [row.type for row in table]
        counts = {
            "parameters": table.trainable + table.non_trainable,
            "trainable_parameters": table.trainable,
            "non_trainable_parameters": table.non_trainable,
            "macs": table.macs,
            "layers": len(table),
            "convolutions": kinds.count("Conv2D"),
            "batch_normalizations": kinds.count("BatchNormalization"),
            "average_poolings": kinds.count("AveragePooling2D"),
            "dropouts": kinds.count("Dropout"),
            "relus": sum(
                getattr(layer, "activation", None) is keras.activations.relu
                for layer in model.layers
            ),
            "receptive_field": max(row.receptive_field for row in table if row.type == "Conv2D"),
            "useless_biases": sum(anatomy.useless_biases(model).values()),
        }
        values |= {f"{name}_{key}": results.count(count) for key, count in counts.items()}
    return values


def count_data(size: str) -> Values:
    """Images, classes and sides of one size of Fashion-MNIST; keys begin with the size."""
    import numpy as np

    from cnncourse import datasets

    (train_images, train_labels), (test_images, test_labels) = datasets.load_fashion_mnist(size)
    counts = {
        "train_images": len(train_images),
        "test_images": len(test_images),
        "classes": len(np.unique(train_labels)),
        "train_images_per_class": _equal(np.bincount(train_labels)),
        "test_images_per_class": _equal(np.bincount(test_labels)),
        "side": _equal(train_images.shape[1:3]),
    }
    return {f"{size}_{key}": results.count(count) for key, count in counts.items()}


def count_banks() -> Values:
    """The exercises that have a check, and the mistakes that their banks know by name."""
    from cnncourse.checks import EXERCISES

    known = sum(len(exercise.misconceptions) for exercise in EXERCISES.values())
    return {"exercises": results.count(len(EXERCISES)), "misconceptions": results.count(known)}


def measure(folder: Path | None = None) -> list[Path]:
    """Record the topics ``architecture``, ``banks`` and ``fashion_mnist``; return their files.

    Raises:
        cnncourse.datasets.DataNotFound: the full data set is not at hand.
    """
    data = count_data("small") | count_data("full")
    return [
        results.record("architecture", count_architecture(), command=COMMAND, folder=folder),
        results.record("banks", count_banks(), command=COMMAND, folder=folder),
        results.record("fashion_mnist", data, command=COMMAND, folder=folder),
    ]


def _equal(counts: Any) -> int:
    (count,) = set(map(int, counts))
    return count
