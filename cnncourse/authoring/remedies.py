"""What optimizers and remedies against overfitting do for the small network of lesson 10.

Each recipe differs from the first in one thing. All recipes of a seed begin with the same
weights and see the same images in the same order, so their differences can be paired. What the
numbers say is the lesson's affair.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from cnncourse import datasets, results

COMMAND = "python -m cnncourse.authoring remedies"
IMAGES, EPOCHS, BATCH = 500, 10, 25
SEEDS = range(5)
STUDENT_T = 2.776
"""Of five differences: 4 degrees of freedom, 95 % between minus and plus."""

PEAK, PLAIN_RATE, SIDE = 0.01, 0.05, 10

RECIPES: dict[str, dict[str, Any]] = {
    "adam": {},
    "descent": {"optimizer": lambda rate: keras.optimizers.SGD(rate), "peak": PLAIN_RATE},
    "momentum": {
        "optimizer": lambda rate: keras.optimizers.SGD(rate, momentum=0.9),
        "peak": PLAIN_RATE,
    },
    "weight_decay": {"optimizer": lambda rate: keras.optimizers.AdamW(rate, weight_decay=0.5)},
    "label_smoothing": {"smoothing": 0.1},
    "averaging": {
        "optimizer": lambda rate: keras.optimizers.Adam(rate, use_ema=True, ema_momentum=0.95)
    },
    "erasing": {"change": lambda images, rng: erase(images, rng)},
    "constant_rate": {"constant": True},
    "averaging_at_a_constant_rate": {
        "optimizer": lambda rate: keras.optimizers.Adam(rate, use_ema=True, ema_momentum=0.95),
        "constant": True,
    },
}
"""The first is Adam with half a cosine; each other one changes what its name says."""


def erase(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The images (n, height, width, channels), a random square of each set to 0."""
    erased = images.copy()
    for image, (top, left) in zip(
        erased, rng.integers(images.shape[1] - SIDE + 1, size=(len(images), 2)), strict=True
    ):
        image[top : top + SIDE, left : left + SIDE] = 0
    return erased


def train(
    seed: int,
    parts: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    *,
    optimizer: Callable[[Any], keras.Optimizer] = keras.optimizers.Adam,
    peak: float = PEAK,
    constant: bool = False,
    smoothing: float = 0.0,
    change: Callable[[np.ndarray, np.random.Generator], np.ndarray] = lambda images, rng: images,
) -> tuple[float, float]:
    """Train the small network once; its accuracy on the training and the validation images."""
    inputs, labels, others, other_labels = parts
    keras.utils.set_random_seed(seed)
    body = [layers.Conv2D(n, 3, 2, padding="same", activation="relu") for n in (16, 32)]
    head = [layers.Flatten(), layers.Dense(10, activation="softmax")]
    network = keras.Sequential([keras.Input(inputs.shape[1:]), *body, *head])

    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(inputs)) for _ in range(EPOCHS)]
    seen = np.concatenate([change(inputs[order], rng) for order in orders])
    targets = np.eye(10, dtype=np.float32)[labels[np.concatenate(orders)]]
    steps = math.ceil(len(seen) / BATCH)
    rate = peak if constant else keras.optimizers.schedules.CosineDecay(peak, steps)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)
    network.compile(optimizer(rate), loss)
    network.fit(seen, targets, BATCH, shuffle=False, verbose=0)

    def accuracy(images: np.ndarray, wanted: np.ndarray) -> float:
        answers = network.predict(images, batch_size=500, verbose=0).argmax(axis=1)
        return float((answers == wanted).mean())

    return accuracy(inputs, labels), accuracy(others, other_labels)


def remedies() -> str:
    """Record the topic ``remedies``; return a sentence about it."""
    train_part, _ = datasets.load_fashion_mnist()
    (images, labels), (others, other_labels) = datasets.split_validation(*train_part, count=2000)
    parts = (
        datasets.as_inputs(images[:IMAGES]),
        labels[:IMAGES],
        datasets.as_inputs(others),
        other_labels,
    )
    values: dict[str, dict[str, Any]] = {"seeds": {"value": len(SEEDS), "unit": "count"}}
    reached = {
        name: np.array([train(seed, parts, **settings) for seed in SEEDS])
        for name, settings in RECIPES.items()
    }
    for name, ends in reached.items():
        accuracies = ends[:, 1]
        values[f"{name}_validation_mean"] = _fraction(accuracies.mean())
        values[f"{name}_gap_mean"] = _fraction((ends[:, 0] - accuracies).mean())
        if name != "adam":
            differences = accuracies - reached["adam"][:, 1]
            half = STUDENT_T * statistics.stdev(differences) / math.sqrt(len(SEEDS))
            values[f"{name}_difference"] = _fraction(differences.mean())
            values[f"{name}_half_interval"] = _fraction(half)
    results.record("remedies", values, command=COMMAND)
    return f"{len(RECIPES)} recipes, {len(SEEDS)} seeds each"


def _fraction(value: float) -> dict[str, Any]:
    return {"value": float(value), "unit": "fraction", "tolerance": 0.02}
