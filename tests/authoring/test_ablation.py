"""The record of the ablation rests on seeds with which everything has ended, paired by seed."""

from __future__ import annotations

from typing import Any

import pytest

from cnncourse import results, study, training, variants
from cnncourse.authoring import ablation
from cnncourse.authoring.notebooks import AuthoringError

PLAN = """
seeds = [0, 1, 2]
[common]
train_count = 40
validation_count = 40
epochs = 1
batch_size = 20
[[group]]
networks = ["simpler_CNN"]
variants = ["", "half_width", "separable"]
[[group]]
networks = ["simple_CNN"]
"""


def origin(machine: str) -> dict[str, Any]:
    return {"versions": {"keras": "3"}, "machine": machine}


@pytest.fixture
def ended(tmp_path, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Runs that have ended, with the accuracy of each; a test puts them in."""
    path, done = tmp_path / "plan.toml", {}
    path.write_text(PLAN)
    monkeypatch.setattr(study, "shipped_plan", lambda name: path)
    monkeypatch.setattr(study, "accuracies", lambda plan, folder: dict(done))
    now = [0.0]
    monkeypatch.setattr(ablation.time, "process_time", lambda: now[0])
    monkeypatch.setattr(
        training,
        "stepper",
        lambda recipe: lambda: now.__setitem__(0, now[0] + (3.0 if recipe.variant else 2.0)),
    )
    monkeypatch.setattr(ablation, "origin", lambda folder: origin("this machine"))
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    return done


def test_rows_rest_on_the_same_seeds_and_are_paired(ended: dict[str, float], tmp_path) -> None:
    ended |= {"simpler_CNN_seed_0": 0.7, "simpler_CNN_half_width_seed_0": 0.72}
    with pytest.raises(AuthoringError, match=r"with the seeds \[0\]; wanted two or more"):
        ablation.ablation(tmp_path)
    ended |= {"simpler_CNN_seed_2": 0.8, "simpler_CNN_half_width_seed_2": 0.83}
    ended |= {"simpler_CNN_separable_seed_0": 0.9, "simple_CNN_seed_0": 0.9}  # not with seed 2
    assert "simpler_CNN_half_width" in ablation.ablation(tmp_path)
    record = results.load("ablation")
    values = {key: entry["value"] for key, entry in record["values"].items()}
    assert record["provenance"]["seeds"] == [0, 2]
    assert {key for key in values if key.endswith("_mean")} == {
        "simpler_CNN_mean",
        "simpler_CNN_half_width_mean",
    }
    assert values["seeds"] == 2
    assert values["differences"] == 1
    assert values["factor"] == pytest.approx(12.706, rel=1e-4)
    # For the two changes that the plan asks about, measured or not.
    assert values["factor_together"] == pytest.approx(25.452, rel=1e-4)
    assert values["simpler_CNN_half_width_difference"] == pytest.approx(0.025)
    half = values["simpler_CNN_half_width_difference_half_interval"]
    assert half == pytest.approx(12.706 * 0.005, rel=1e-4)
    assert values["carried"] == values["carried_together"] == 0
    assert values["simpler_CNN_half_width_time_ratio"] == 1.5
    # Two networks, two seeds, and an epoch of two steps.
    assert values["core_hours"] == pytest.approx((2 + 3) * 2 * 2 / 3600)


def test_a_study_may_be_recorded_bit_by_bit(
    ended: dict[str, float], tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in the record stays, but for runs of another recipe and runs done again."""
    ended |= {f"simpler_CNN_seed_{seed}": 0.7 for seed in range(3)}
    ended |= {f"simpler_CNN_half_width_seed_{seed}": 0.72 for seed in range(3)}
    ablation.ablation(tmp_path)
    ended.clear()
    ended |= {f"simpler_CNN_separable_seed_{seed}": 0.6 for seed in range(3)}
    ended |= {"simpler_CNN_half_width_seed_0": 0.75}
    monkeypatch.setattr(ablation, "origin", lambda folder: origin("that machine"))
    ablation.ablation(tmp_path)
    record = results.load("ablation")
    assert record["provenance"]["machine"] == "that machine; this machine"
    values = {key: entry["value"] for key, entry in record["values"].items()}
    assert values["differences"] == 2
    assert values["simpler_CNN_half_width_mean"] == pytest.approx(0.73)
    assert values["simpler_CNN_separable_difference"] == pytest.approx(-0.1)
    path = tmp_path / "plan.toml"
    path.write_text(PLAN.replace("epochs = 1", "epochs = 2"))
    with pytest.raises(AuthoringError, match=r"with the seeds \[\]"):
        ablation.ablation(tmp_path)


@pytest.mark.parametrize(
    ("network", "variant", "least", "most"),
    [
        ("simple_CNN", "squeeze_excite", 1.0, 1.01),
        ("simple_CNN", "residual", 1.0, 1.0),
        ("simpler_CNN", "residual", 1.0, 1.01),
        ("simpler_CNN", "separable", 0.1, 0.3),
        ("simpler_CNN", "double_width", 3.5, 4.0),
    ],
)
def test_what_a_shortcut_costs_is_counted_once(network, variant, least, most) -> None:
    def macs(name: str) -> int:
        return ablation.macs(variants.build(network, (28, 28, 1), 10, name))

    assert least <= macs(variant) / macs("") <= most


def test_the_shipped_record_is_one_of_the_shipped_plan() -> None:
    plan = study.read_plan(study.shipped_plan("ablation"))
    record = results.load("ablation")
    common = plan.conditions[0].recipe
    for name, value in record["provenance"]["recipe"].items():
        wanted = getattr(common, name)
        assert value == (list(wanted) if isinstance(wanted, tuple) else wanted)
    named = {condition.name for condition in plan.conditions}
    measured = {key.removesuffix("_mean") for key in record["values"] if key.endswith("_mean")}
    assert measured <= named
    assert record["values"]["factor"]["value"] == study.factor(record["values"]["seeds"]["value"])
