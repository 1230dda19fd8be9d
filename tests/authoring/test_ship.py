"""From runs to the book: every step in its order, none forgotten, and on again after a failure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnncourse import models, results, training
from cnncourse.authoring import data, execute, pictures, runs, ship, tables, weights
from cnncourse.authoring.notebooks import AuthoringError, Course


class Network:
    """Answers every image with one class, and has one array of weights."""

    output_shape = (None, 10)

    def __init__(self, answer: int) -> None:
        self.answer = answer
        self.weights = [np.full(3, 0.1 + answer, np.float32)]

    def get_weights(self) -> list[np.ndarray]:
        return self.weights

    def set_weights(self, weights: list[np.ndarray]) -> None:
        self.weights = weights

    def predict(self, inputs: np.ndarray, **options: object) -> np.ndarray:
        return np.tile(np.eye(10)[self.answer], (len(inputs), 1))


@pytest.fixture
def trained(tmp_path, monkeypatch) -> Callable[..., Path]:
    """The folder of a finished run with this recipe; its network answers with its seed."""
    found: dict[Path, runs.Run] = {}

    def train(**changes: object) -> Path:
        recipe = replace(training.RECIPES["simpler_CNN"], **changes)
        folder = tmp_path / "-".join(map(str, ["run", *changes.values()]))
        folder.mkdir(exist_ok=True)
        (folder / training.LOG).write_text("epoch\n1\n")
        found[folder] = runs.Run(folder, recipe, Network(recipe.seed), [], {})
        return folder

    monkeypatch.setattr(runs, "finished", found.__getitem__)
    return train


@pytest.fixture
def stage(course: Course, few_images, tmp_path, monkeypatch) -> list[str]:
    """A course whose documented recipe is tiny; what happens in it is written down."""
    happened: list[str] = []
    tiny_recipe = training.Recipe("simpler_CNN", epochs=1, validation_count=40)
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    for name in models.NETWORKS:
        data.write_arrays(shipped / f"{name}.npz", {"00": np.zeros(3, np.float16)})
    documented = {name: replace(tiny_recipe, network=name) for name in models.NETWORKS}
    monkeypatch.setattr(training, "RECIPES", documented)
    monkeypatch.setattr(data, "FOLDER", shipped)
    monkeypatch.setattr(results, "FOLDER", shipped)
    monkeypatch.setattr(tables, "TABLES", {tables.PAGE: {"seeds": lambda: "as recorded"}})
    page = course.root / tables.PAGE
    page.write_text("# Results\n\n<!-- seeds: begin -->\n<!-- seeds: end -->\n", encoding="utf-8")
    for name in ("_explorer", "_pictures", "_challenges"):
        monkeypatch.setattr(ship, name, lambda course, name=name: happened.append(name[1:]))

    def run(course: Course, paths: list) -> int:
        happened.extend(course.name(path) for path in paths)
        return 0

    monkeypatch.setattr(execute, "execute", run)
    monkeypatch.setattr(ship, "exercises", lambda *_: 0)
    return happened


NOTEBOOKS = ["notebooks/01-pixels.ipynb", "notebooks/solutions/01-pixels.ipynb"]


def test_runs_of_both_networks_go_into_the_book_step_by_step(
    course: Course, trained, stage: list[str]
) -> None:
    folders = [trained(network=name, seed=seed) for name in models.NETWORKS for seed in (0, 1)]
    assert ship.ship(course, folders) == 0
    assert stage == ["explorer", "pictures", "challenges", *NOTEBOOKS]
    assert results.topics() == [
        "comparison",
        *(f"{name}.{kind}" for name in models.NETWORKS for kind in ("fashion_mnist", "seeds")),
    ]
    for folder in folders[::2]:
        run = runs.finished(folder)
        name = run.recipe.network
        with np.load(data.FOLDER / f"{name}.npz") as arrays:
            (half,) = arrays.values()
        assert (half == np.float16(0.1)).all()
        assert (run.network.weights[0] == np.float32(0.1)).all()
        record = results.load(f"{name}.fashion_mnist")
        assert record["provenance"]["weights"] == weights.shipped_fingerprint(name)
        assert record["values"]["test_hits"]["value"] == 11  # of 100 few images, class 0
        spread = results.load(f"{name}.seeds")["provenance"]["recipe"]
        assert training.Recipe(**spread) == training.RECIPES[name]
    assert "as recorded" in (course.root / tables.PAGE).read_text(encoding="utf-8")


def test_one_run_of_each_network_leaves_what_more_seeds_have_shown(
    course: Course, trained, stage: list[str]
) -> None:
    assert ship.ship(course, [trained(network=name) for name in models.NETWORKS]) == 0
    assert results.topics() == [f"{name}.fashion_mnist" for name in models.NETWORKS]


def test_what_has_run_does_not_run_again(
    course: Course, trained, stage: list[str], monkeypatch, capsys
) -> None:
    whole = execute.execute
    monkeypatch.setattr(
        execute, "execute", lambda course, paths: whole(course, paths) or "solutions" in f"{paths}"
    )
    assert ship.ship(course, [trained()]) == 1
    assert "== notebooks FAILED: mend it and give the same command again" in capsys.readouterr().out
    monkeypatch.setattr(execute, "execute", whole)
    stage.clear()
    assert ship.ship(course, [trained()]) == 0
    assert stage == ["explorer", "pictures", "challenges", NOTEBOOKS[1]]
    stage.clear()
    results.record("other", {"n": {"value": 1, "unit": "count"}}, command="c")
    assert ship.ship(course, [trained()]) == 0
    assert stage[3:] == NOTEBOOKS


def test_one_run_has_no_spread_and_no_comparison(
    course: Course, trained, stage: list[str], capsys
) -> None:
    assert ship.ship(course, [trained()]) == 0
    said = capsys.readouterr().out
    assert "one run alone has no spread" in said
    assert "No comparison without" in said
    assert results.topics() == ["simpler_CNN.fashion_mnist"]


def test_runs_that_do_not_go_together_write_nothing(course: Course, trained, stage) -> None:
    for folders, words in {
        (trained(seed=1),): "no run follows the documented recipe",
        (trained(), trained()): "wanted each one once",
        (trained(), trained(augmentation=("flip",))): "its recipe is not that of",
    }.items():
        with pytest.raises(AuthoringError, match=words):
            ship.ship(course, folders)
    assert results.topics() == []
    assert stage == []


def test_a_run_from_elsewhere_keeps_its_origin(stage, trained, tmp_path) -> None:
    origin = {"python": "3.12.1", "keras": "3.13.2", "numpy": "2.1.3", "backend": "jax 0.5.0"}
    run = runs.finished(trained())
    path = tmp_path / runs.PROVENANCE
    path.write_text(json.dumps(origin | {"machine": "an accelerator"}))
    run = replace(run, origin=runs.origin(path.parent))
    weights.ship_weights(run)
    provenance = results.load("simpler_CNN.fashion_mnist")["provenance"]
    assert provenance["versions"] == origin
    assert provenance["machine"] == "an accelerator"
    path.write_text(json.dumps({"machine": "an accelerator"}))
    with pytest.raises(OSError, match="lacks one of python"):
        runs.origin(path.parent)


def test_origins_that_differ_are_all_recorded(trained) -> None:
    run = runs.finished(trained())
    one, other = (
        replace(run, origin={"versions": {"keras": version}, "machine": machine})
        for version, machine in (("3.13", "this"), ("3.14", "that"))
    )
    assert runs.common_origin([one.origin, one.origin]) == one.origin
    assert runs.common_origin([one.origin, other.origin]) == {
        "versions": {"keras": "3.13; 3.14"},
        "machine": "that; this",
    }
    assert runs.common_origin([run.origin, run.origin]) == {}
    with pytest.raises(AuthoringError, match="train all alike"):
        runs.common_origin([run.origin, one.origin])


@pytest.mark.parametrize("network", models.NETWORKS)
def test_the_records_are_those_of_the_shipped_weights(network: str) -> None:
    record = results.load(f"{network}.fashion_mnist")
    assert record["provenance"]["weights"] == weights.shipped_fingerprint(network), "run ship"
    size = (data.FOLDER / f"{network}.npz").stat().st_size
    assert record["values"]["file_bytes"]["value"] == size


@pytest.mark.parametrize("network", models.NETWORKS)
def test_the_records_of_several_seeds_follow_the_documented_recipe(network: str) -> None:
    for recorded in (
        results.load(f"{network}.seeds")["provenance"]["recipe"],
        results.load("comparison")["provenance"]["recipes"][network],
    ):
        documented = replace(training.RECIPES[network], seed=0)
        assert replace(training.Recipe(**recorded), seed=0) == documented, "run ship"


@pytest.mark.parametrize("name", [pictures.PICTURE, pictures.PREVIEW])
def test_a_picture_is_drawn_from_the_shipped_weights(name: str) -> None:
    from PIL import Image

    path = Course.find().root / name
    with Image.open(path) as picture:
        assert picture.text["Source"] == pictures.source(), "run the command pictures"
