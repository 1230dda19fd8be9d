"""What taking each part out of both networks does: the table of lesson 14, from the runs of a plan.

``cnncourse study ablation`` trains the runs. What the numbers say is the lesson's affair.
"""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from cnncourse import keras_layers, results, study, training, variants
from cnncourse.authoring.notebooks import AuthoringError
from cnncourse.authoring.runs import Values, common_origin, origin

PLAN = "ablation"
COMMAND = f"cnncourse study {PLAN}, then python -m cnncourse.authoring {PLAN}"
ROUNDS, STEPS = 8, 3
"""How often the networks take turns while their time is measured, and training steps of a turn."""

VARIED = ("network", "variant", "seed", "dropout_share")
"""What tells the runs of the plan apart; the rest of a recipe is common to all of them."""


class _Recorded(NamedTuple):
    reached: dict[str, float]
    origin: dict[str, Any]


def ablation(folder: Path) -> str:
    """Record the topic ``ablation``: every condition beside its network as it is.

    Runs that the record names already are kept, if the plan still asks for their recipe, so that
    a long study may be done bit by bit, and on several machines: the record then names all of
    these. What is in the folder goes before. Sizes are recorded of all conditions. All other
    numbers rest on the same seeds: the most with which a network as it is has ended. What has not
    ended with each of them is left out.

    Args:
        folder: of the study.

    Returns:
        The table of the study, as text.

    Raises:
        AuthoringError: fewer than two seeds have ended, and without two there is no interval.
    """
    path = study.shipped_plan(PLAN)
    assert path is not None
    plan = study.read_plan(path)
    common = plan.conditions[0].recipe
    details = {k: v for k, v in asdict(common).items() if k not in VARIED}
    fresh = study.accuracies(plan, folder)
    origins = [origin(folder / name) for name in fresh]
    before = _recorded(plan, details)
    if before.reached:
        origins.append(before.origin)
    reached = before.reached | fresh

    def ended(condition: study.Condition) -> list[int]:
        return [seed for seed in plan.seeds if condition.run(seed) in reached]

    bases: dict[str, study.Condition] = {}
    for condition in plan.conditions:
        bases.setdefault(condition.recipe.network, condition)
    seeds = max(map(ended, bases.values()), key=len)
    if len(seeds) < 2:
        raise AuthoringError(
            f"{folder}: the networks as they are have ended with the seeds {seeds}; wanted two or "
            f"more of one of them. Go on with: cnncourse study {PLAN} --folder {folder}"
        )

    def complete(condition: study.Condition) -> bool:
        return set(seeds) <= set(ended(condition))

    sizes = _sizes(plan)
    asked = len(plan.conditions) - len(bases)
    plan = study.Plan(
        tuple(c for c in plan.conditions if complete(c) and complete(bases[c.recipe.network])),
        tuple(seeds),
    )
    rows = study.table(plan, reached)
    train_part, validation_part = training.parts(common)
    values = _accuracies(plan, rows, asked) | _costs(plan, len(train_part[0])) | sizes
    values |= {
        "seeds": results.count(len(seeds)),
        "training_images": results.count(len(train_part[0])),
        "validation_images": results.count(len(validation_part[0])),
        "epochs": results.count(common.epochs),
    }
    results.record(
        PLAN,
        values,
        command=COMMAND,
        origin=common_origin(origins),
        details={"seeds": seeds, "recipe": details},
    )
    return study.describe(rows)


def _recorded(plan: study.Plan, recipe: Mapping[str, Any]) -> _Recorded:
    """Runs of a plan that were recorded with its recipe; none where there is no such record."""
    if PLAN not in results.topics():
        return _Recorded({}, {})
    record = results.load(PLAN)
    provenance, values = record["provenance"], record["values"]
    if provenance["recipe"] != json.loads(json.dumps(recipe)):
        return _Recorded({}, {})
    reached = {
        name: values[f"{name}_accuracy"]["value"]
        for name in plan.runs()
        if f"{name}_accuracy" in values
    }
    return _Recorded(reached, {key: provenance[key] for key in ("versions", "machine")})


def _accuracies(plan: study.Plan, rows: list[study.Row], asked: int) -> Values:
    """Accuracies, differences and their intervals; how many of these exclude 0.

    Intervals that hold together are as wide as all that the plan asks about would need, measured
    or not: a statement must not depend on how far the study has come.
    """
    differences = [row for row in rows if row.difference_interval is not None]
    alone = study.factor(len(plan.seeds))
    together = study.factor(len(plan.seeds), statements=asked)
    values: Values = {
        "differences": results.count(len(differences)),
        "factor": {"value": alone, "unit": "1"},
        "factor_together": {"value": together, "unit": "1"},
        "carried": results.count(sum(_excludes_0(row, 1.0) for row in differences)),
        "carried_together": results.count(
            sum(_excludes_0(row, together / alone) for row in differences)
        ),
    }
    for row in rows:
        for seed, accuracy in row.accuracies.items():
            values[f"{row.name}_seed_{seed}_accuracy"] = _fraction(accuracy)
        values[f"{row.name}_mean"] = _fraction(row.mean)
        assert row.interval is not None
        values[f"{row.name}_half_interval"] = _fraction(row.interval)
    for row in differences:
        assert row.difference_interval is not None
        values[f"{row.name}_difference"] = _fraction(row.difference)
        values[f"{row.name}_difference_half_interval"] = _fraction(row.difference_interval)
    return values


def _costs(plan: study.Plan, images: int) -> Values:
    """The processor's time for a training step of each row, as a ratio, and for all runs together.

    The time of all threads is counted. The networks take turns, so that a slow minute of the
    machine falls on all of them; of the ratios of the turns the median counts.
    """
    values: Values = {}
    hours = 0.0
    order = np.random.default_rng(0)
    for network in dict.fromkeys(condition.recipe.network for condition in plan.conditions):
        rows = {c.name: c.recipe for c in plan.conditions if c.recipe.network == network}
        steps = {name: training.stepper(recipe) for name, recipe in rows.items()}
        seconds: dict[str, list[float]] = {name: [] for name in rows}
        for step in steps.values():
            step()  # the first one compiles
        for _ in range(ROUNDS):
            for name in order.permutation(list(rows)):
                steps[name]()  # another network's weights are in the cache
                start = time.process_time()
                for _ in range(STEPS):
                    steps[name]()
                seconds[name].append((time.process_time() - start) / STEPS)
        first = next(iter(rows))
        for name, recipe in rows.items():
            ratio = statistics.median(
                one / other for one, other in zip(seconds[name], seconds[first], strict=True)
            )
            values[f"{name}_time_ratio"] = {"value": ratio, "unit": "ratio", "tolerance": 0.5}
            count = (
                recipe.epochs * len(plan.seeds) * math.ceil(recipe.train_count / recipe.batch_size)
            )
            hours += statistics.median(seconds[name]) * count / 3600
        keras.backend.clear_session()
    return values | {"core_hours": {"value": hours, "unit": "1", "tolerance": hours}}


def _sizes(plan: study.Plan) -> Values:
    """Parameters and multiply-accumulates, which need no run."""
    values: Values = {}
    for condition in plan.conditions:
        recipe = condition.recipe
        network = variants.build(recipe.network, (28, 28, 1), 10, recipe.variant)
        values |= {
            f"{condition.name}_parameters": results.count(network.count_params()),
            f"{condition.name}_macs": results.count(macs(network)),
        }
    return values


def macs(network: keras.Sequential) -> int:
    """Multiply-accumulates that one image costs, those of paths that a shortcut joins included.

    >>> macs(variants.build("simpler_CNN", (28, 28, 1), 10))
    7666432
    """

    def cost(path: list[keras.layers.Layer], shape: tuple[int | None, ...]) -> int:
        total = 0
        for layer in path:
            behind = layer.compute_output_shape(shape)
            if isinstance(layer, variants.Shortcut):
                total += cost(layer.inner, shape) + cost(layer.shortcut, shape)
            else:
                total += keras_layers.read(layer).operation.macs(behind[1:])
            shape = behind
        return total

    return cost(network.layers, network.input_shape)


def _excludes_0(row: study.Row, wider: float) -> bool:
    assert row.difference_interval is not None
    return abs(row.difference) > wider * row.difference_interval


def _fraction(value: float) -> dict[str, Any]:
    return {"value": value, "unit": "fraction", "tolerance": 0.02}
