"""What several finished training runs say together: spread of seeds, a paired comparison, recipes.

Shipping the weights of one run belongs to ``ship``, training to ``training``.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cnncourse import datasets, results, training
from cnncourse.authoring.notebooks import AuthoringError
from cnncourse.authoring.ship import TOLERANCE

Values = dict[str, dict[str, Any]]


def spread(runs: Sequence[Path]) -> str:
    """Record what several finished runs of one network reach, which differ in the seed alone.

    Args:
        runs: their folders, one for each seed.

    Returns:
        A sentence with the mean and the standard deviation (n - 1) over the seeds.

    Raises:
        AuthoringError: fewer than two runs, one that has not ended, the same seed twice, or
            recipes that differ in more than the seed.
    """
    values: Values = {}
    reached: dict[str, list[float]] = {"validation": [], "test": []}
    recipes: list[training.Recipe] = []
    for run in runs:
        recipe, network, _ = _finished(run)
        recipes.append(recipe)
        if replace(recipe, seed=0) != replace(recipes[0], seed=0):
            raise AuthoringError(f"{run}: its recipe is not that of {runs[0]}: {recipe}.")
        for part, (images, labels) in _unseen_parts(recipe).items():
            hits, total = training.accuracy(network, datasets.as_inputs(images), labels)
            reached[part].append(hits / total)
            values[f"seed_{recipe.seed}_{part}_accuracy"] = {
                "value": hits / total,
                "unit": "fraction",
                "tolerance": TOLERANCE / total,
            }
    seeds = [recipe.seed for recipe in recipes]
    if len(set(seeds)) < max(2, len(runs)):
        raise AuthoringError(f"Got the seeds {seeds}; wanted two or more, each one once.")
    values["seeds"] = {"value": len(seeds), "unit": "count"}
    for part, accuracies in reached.items():
        values |= _mean_and_deviation(part, accuracies)
    name = recipes[0].network
    results.record(
        f"{name}.seeds",
        values,
        command=f"cnncourse train {name} --seed N for each seed, then "
        "python -m cnncourse.authoring spread runs/...",
    )
    return "; ".join(
        f"{part}: {statistics.mean(accuracies):.2%} ± {statistics.stdev(accuracies):.2%}"
        for part, accuracies in reached.items()
    )


def compare(runs: Sequence[Path]) -> str:
    """Record how two networks do on the same test images, seed by seed.

    For each seed the images that one network puts into the right class and the other does not
    are counted, and what McNemar's exact test says of the two counts: how often two equally
    good networks would differ at least as much.

    Args:
        runs: folders of finished runs, for each seed one of either network.

    Returns:
        A sentence with the mean difference of the accuracies over the seeds.

    Raises:
        AuthoringError: a run that has not ended, or runs that do not pair.

    Source: McNemar, Note on the sampling error of the difference between correlated proportions
    or percentages (1947).
    """
    right: dict[str, dict[int, np.ndarray]] = {}
    for run in runs:
        recipe, network, _ = _finished(run)
        images, labels = _unseen_parts(recipe)["test"]
        scores = network.predict(datasets.as_inputs(images), batch_size=500, verbose=0)
        right.setdefault(recipe.network, {})[recipe.seed] = scores.argmax(axis=1) == labels
    if len(right) != 2 or len({tuple(sorted(seeds)) for seeds in right.values()}) != 1:
        pairs = {name: sorted(seeds) for name, seeds in right.items()}
        raise AuthoringError(f"Got the seeds {pairs}; wanted two networks with the same seeds.")
    first, second = sorted(right)
    values: Values = {}
    differences = []
    for seed in sorted(right[first]):
        one, other = right[first][seed], right[second][seed]
        only = int((one & ~other).sum()), int((other & ~one).sum())
        differences.append((only[0] - only[1]) / len(one))
        values |= {
            f"seed_{seed}_only_{first}": _count(only[0]),
            f"seed_{seed}_only_{second}": _count(only[1]),
            f"seed_{seed}_both": _count(int((one & other).sum())),
            f"seed_{seed}_neither": _count(int((~one & ~other).sum())),
            f"seed_{seed}_p_value": {"value": mcnemar(*only), "unit": "1"},
        }
    values["seeds"] = {"value": len(differences), "unit": "count"}
    if len(differences) > 1:
        values |= _mean_and_deviation("difference", differences)
    results.record(
        "comparison",
        values,
        command="cnncourse train NETWORK --seed N for both networks and each seed, then "
        "python -m cnncourse.authoring compare runs/...",
    )
    return f"{first} - {second}: {statistics.mean(differences):+.2%} over {len(differences)} seeds."


def recipes(runs: Sequence[Path]) -> str:
    """Record the validation accuracy that runs of different recipes end with.

    The test part is not looked at: this is what a recipe is chosen by.

    Args:
        runs: folders of finished runs that differ in network, augmentation or dropout.

    Returns:
        One line for each run.

    Raises:
        AuthoringError: a run that has not ended, or one that differs in something else.
    """
    values: Values = {}
    first: training.Recipe | None = None
    for run in runs:
        recipe, _, rows = _finished(run)
        common = replace(recipe, network="simple_CNN", augmentation=(), dropout_share=1.0)
        if first is not None and common != first:
            raise AuthoringError(f"{run}: {common} differs from {runs[0]}: {first}.")
        first = common
        name = "_".join(
            [recipe.network, *recipe.augmentation, f"dropout_{round(100 * recipe.dropout_share)}"]
        )
        if f"{name}_validation_accuracy" in values:
            raise AuthoringError(f"{run}: a second run of {name}.")
        values[f"{name}_validation_accuracy"] = {
            "value": rows[-1]["val_accuracy"],
            "unit": "fraction",
        }
    values["epochs"] = _count(first.epochs)
    results.record(
        "recipes",
        values,
        command=f"cnncourse train NETWORK --epochs {first.epochs} --data {first.data} "
        "--augmentation ... --dropout-share ... for each, then "
        "python -m cnncourse.authoring recipes runs/...",
        seed=first.seed,
    )
    return "\n".join(f"{key}: {entry['value']}" for key, entry in values.items())


def mcnemar(only_first: int, only_second: int) -> float:
    """Chance of at least so unequal a split of the images that only one of two gets right.

    Two-sided and exact: each such image falls to either with probability one half.

    >>> mcnemar(0, 5)
    0.0625
    >>> mcnemar(3, 3)
    1.0
    """
    total = only_first + only_second
    tail = sum(math.comb(total, count) for count in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / 2**total)


def _finished(run: Path) -> tuple[training.Recipe, Any, list[training.LogRow]]:
    recipe, network, rows = training.load_run(run)
    if len(rows) < recipe.epochs:
        raise AuthoringError(f"{run}: {len(rows)} of {recipe.epochs} epochs are done.")
    return recipe, network, rows


def _unseen_parts(recipe: training.Recipe) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    train_part, test_part = datasets.load_fashion_mnist(recipe.data)
    _, validation_part = datasets.split_validation(*train_part, count=recipe.validation_count)
    return {"validation": validation_part, "test": test_part}


def _mean_and_deviation(name: str, fractions: Sequence[float]) -> Values:
    return {
        f"{name}_mean": {"value": statistics.mean(fractions), "unit": "fraction"},
        f"{name}_deviation": {"value": statistics.stdev(fractions), "unit": "fraction"},
    }


def _count(value: int) -> dict[str, Any]:
    return {"value": value, "unit": "count"}
