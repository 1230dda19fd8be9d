"""What several runs say together, on tiny runs; runs that do not belong together are refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from scipy import stats

from cnncourse import results, training
from cnncourse.authoring import runs
from cnncourse.authoring.notebooks import AuthoringError


def spread(folders):
    return runs.spread([runs.finished(folder) for folder in folders])


def compare(folders):
    return runs.compare([runs.finished(folder) for folder in folders])


def recipes(folders):
    return runs.recipes([runs.finished(folder) for folder in folders])


@pytest.fixture(autouse=True)
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict]:
    """The values of a topic that was recorded in a test."""
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    return lambda topic: results.load(topic)["values"]


def test_spread_records_mean_and_deviation_of_the_seeds(trained, written) -> None:
    folders = [trained(), trained(seed=1)]
    spread(folders)
    values = written("simpler_CNN.seeds")
    one, other = (values[f"seed_{seed}_test_accuracy"]["value"] for seed in (0, 1))
    assert values["test_mean"]["value"] == pytest.approx((one + other) / 2)
    assert values["test_deviation"]["value"] == pytest.approx(abs(one - other) / 2**0.5)
    assert values["seeds"]["value"] == 2
    with pytest.raises(AuthoringError, match="each one once"):
        spread(folders[:1] * 2)
    with pytest.raises(AuthoringError, match="its recipe is not that of"):
        spread([folders[0], trained(augmentation=("flip",), dropout_share=0.4)])


def test_compare_counts_every_test_image_once(trained, written) -> None:
    folders = [trained(network="simple_CNN"), trained()]
    compare(folders)
    values = written("comparison")
    counts = [entry["value"] for entry in values.values() if entry["unit"] == "count"]
    assert sum(counts) == 100 + 1  # the images, and the number of seeds
    only = values["seed_0_only_simple_CNN"]["value"], values["seed_0_only_simpler_CNN"]["value"]
    assert values["seed_0_p_value"]["value"] == runs.mcnemar(*only)
    with pytest.raises(AuthoringError, match="two networks with the same seeds"):
        compare([folders[0], trained(seed=1)])


def test_recipes_record_the_validation_accuracy_of_the_last_epoch(trained, written) -> None:
    plain, flipped = trained(), trained(augmentation=("flip",), dropout_share=0.4)
    recipes([plain, flipped])
    values = written("recipes")
    assert set(values) == {
        "simpler_CNN_dropout_100_validation_accuracy",
        "simpler_CNN_flip_dropout_40_validation_accuracy",
        "epochs",
    }
    *_, rows = training.load_run(flipped)
    key = "simpler_CNN_flip_dropout_40_validation_accuracy"
    assert values[key]["value"] == rows[-1]["val_accuracy"]
    with pytest.raises(AuthoringError, match="a second run"):
        recipes([plain, plain])
    with pytest.raises(AuthoringError, match="differs from"):
        recipes([plain, trained(seed=1)])


@pytest.mark.parametrize("only", [(0, 1), (3, 9), (40, 40), (120, 171), (171, 120)])
def test_mcnemar_is_the_binomial_test(only: tuple[int, int]) -> None:
    assert runs.mcnemar(*only) == pytest.approx(stats.binomtest(only[0], sum(only)).pvalue)


def test_a_run_that_has_not_ended_is_refused(trained, tmp_path: Path) -> None:
    folder = shutil.copytree(trained(), tmp_path / "run")
    recipe = folder / training.RECIPE
    recipe.write_text(recipe.read_text().replace('"epochs": 1', '"epochs": 2'))
    for together in (spread, compare, recipes):
        with pytest.raises(AuthoringError, match="1 of 2 epochs"):
            together([folder])
