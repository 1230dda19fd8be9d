"""Recorded counts are what the code and the data give now."""

from __future__ import annotations

import pytest

from cnncourse import datasets, models, results
from cnncourse.authoring import measure


def test_the_recorded_architecture_is_the_present_one() -> None:
    recorded = results.load("architecture")
    now = measure.count_architecture()
    assert {key: entry["value"] for key, entry in recorded["values"].items()} == {
        key: entry["value"] for key, entry in now.items()
    }
    assert recorded["provenance"]["command"] == measure.COMMAND


def test_the_recorded_banks_are_the_present_ones() -> None:
    recorded, now = results.load("banks")["values"], measure.count_banks()
    assert {key: entry["value"] for key, entry in recorded.items()} == {
        key: entry["value"] for key, entry in now.items()
    }


def test_the_recorded_data_counts_are_the_present_ones() -> None:
    recorded = results.load("fashion_mnist")["values"]
    now = measure.count_data("small")
    try:
        now |= measure.count_data("full")
    except datasets.DataNotFound:
        # Without network and data package the sample alone can be counted again.
        recorded = {key: entry for key, entry in recorded.items() if key.startswith("small_")}
    assert {key: entry["value"] for key, entry in recorded.items()} == {
        key: entry["value"] for key, entry in now.items()
    }


@pytest.mark.parametrize("name", models.NETWORKS)
def test_parameters_are_those_that_keras_counts(name: str) -> None:
    counts = measure.count_architecture()
    model = models.build(name, measure.INPUT_SHAPE, 10)
    assert counts[f"{name}_parameters"]["value"] == model.count_params()


def test_all_topics_are_written(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(measure, "count_data", lambda size: {f"{size}_side": results.count(28)})
    paths = measure.measure(tmp_path)
    assert [path.name for path in paths] == [
        "architecture.json",
        "banks.json",
        "fashion_mnist.json",
    ]
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    assert results.value("fashion_mnist.full_side").value == 28
    assert results.value("architecture.simple_CNN_layers").unit == "count"
