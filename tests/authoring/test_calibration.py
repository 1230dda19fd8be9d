"""The temperature is chosen on the validation images, and makes an overconfident network honest."""

from __future__ import annotations

import numpy as np
import pytest

from cnncourse import datasets, models, results
from cnncourse.authoring import calibration
from cnncourse.authoring.weights import shipped_fingerprint


def test_the_temperature_that_spoiled_honest_scores_is_found_again() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(scale=2, size=(4000, 5))
    honest = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(5, p=row) for row in honest])
    for spoiled in (0.6, 1.0, 1.8):
        powers = np.exp(scores * spoiled)
        shown = powers / powers.sum(axis=1, keepdims=True)
        assert calibration.best_temperature(shown, labels) == pytest.approx(spoiled, abs=0.11)


def test_a_certain_mistake_costs_much_and_not_an_error() -> None:
    assert calibration.best_temperature(np.array([[1.0, 0.0]]), np.array([1])) == 3.0


def test_the_test_part_is_never_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    class Guarded:
        def predict(self, inputs, **options):
            assert len(inputs) == 5000
            assert inputs.max() < 0.5, "an image of the test part"
            return np.full((len(inputs), 10), 0.1)

    train = np.full((6000, 28, 28), 100, np.uint8), np.arange(6000) % 10
    test = np.full((10, 28, 28), 255, np.uint8), np.arange(10)
    monkeypatch.setattr(datasets, "load_fashion_mnist", lambda size: (train, test))
    monkeypatch.setattr(models, "load_pretrained", lambda name: Guarded())
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    calibration.calibrate()
    values = results.load("calibration")["values"]
    assert values["simple_CNN_validation_images"]["value"] == 5000


def test_the_recorded_temperatures_are_those_of_the_shipped_weights() -> None:
    weights = results.load("calibration")["provenance"]["weights"]
    assert weights == {name: shipped_fingerprint(name) for name in models.NETWORKS}
