"""The temperature of each shipped network, chosen on its validation images.

The test part is not looked at: how well a temperature does there is for a lesson to show.
"""

from __future__ import annotations

import numpy as np

from cnncourse import datasets, models, ops, results, training
from cnncourse.authoring.weights import shipped_fingerprints

COMMAND = "python -m cnncourse.authoring calibrate"

# From sharper to softer; a network may be less sure than it is right, so the grid begins below 1.
TEMPERATURES = np.round(np.arange(0.5, 3.001, 0.05), 2)


def calibrate() -> str:
    """Record the topic ``calibration``; return a sentence about it.

    The temperature is the one of the grid with the lowest cross-entropy on the validation part
    that was cut off before the network was trained.

    Raises:
        cnncourse.datasets.DataNotFound: the full data set is not at hand.
    """
    values = {}
    for name in models.NETWORKS:
        recipe = training.RECIPES[name]
        train_part, _ = datasets.load_fashion_mnist(recipe.data)
        _, (images, labels) = datasets.split_validation(*train_part, count=recipe.validation_count)
        network = models.load_pretrained(name)
        inputs = datasets.as_inputs(images)
        probabilities = network.predict(inputs, batch_size=500, verbose=0)
        values[f"{name}_temperature"] = {
            "value": best_temperature(probabilities, labels),
            "unit": "ratio",
            "tolerance": 0.05,
        }
        values[f"{name}_validation_images"] = {"value": len(labels), "unit": "count"}
    details = {"weights": shipped_fingerprints()}
    results.record("calibration", values, command=COMMAND, details=details)
    chosen = (f"{name} {values[f'{name}_temperature']['value']:.2f}" for name in models.NETWORKS)
    return f"temperatures: {', '.join(chosen)}"


def best_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the lowest cross-entropy.

    Args:
        probabilities: (n, classes), each above 0 or as good as 0.
        labels: (n,), whole numbers.

    >>> best_temperature(np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1]]), np.array([0, 0, 1]))
    3.0
    """
    scores = np.log(np.maximum(probabilities.astype(np.float64), 1e-30))
    rows = np.arange(len(labels))
    losses = [
        -np.log(np.maximum(ops.softmax(scores / temperature)[rows, labels], 1e-30)).mean()
        for temperature in TEMPERATURES
    ]
    return float(TEMPERATURES[int(np.argmin(losses))])
