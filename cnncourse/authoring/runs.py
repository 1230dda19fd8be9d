"""What several finished training runs say together: spread of seeds, a paired comparison, recipes.

Shipping the weights of one run belongs to ``weights``, training to ``training``.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cnncourse import datasets, files, results, training
from cnncourse.authoring.notebooks import AuthoringError

Values = dict[str, dict[str, Any]]
Parts = dict[str, tuple[np.ndarray, np.ndarray]]

PROVENANCE = "provenance.json"
"""Beside the recipe of a run that was trained elsewhere: an object of strings, the versions of
``python``, ``keras``, ``numpy`` and the ``backend``, and the ``machine``."""

TOLERANCE = 2
"""Images that another machine's rounding may move across the border between two classes."""


@dataclass(frozen=True)
class Run:
    """A finished training run.

    Attributes:
        folder: what ``cnncourse train`` wrote.
        recipe: what it followed.
        network: with the weights that it ended with.
        rows: of its log.
        origin: versions and machine that trained it; empty for those of now and here.
    """

    folder: Path
    recipe: training.Recipe
    network: Any
    rows: list[training.LogRow]
    origin: Mapping[str, Any]


def finished(folder: Path) -> Run:
    """A finished run by its folder.

    Raises:
        AuthoringError: it has not ended, or is no run of this version of the course.
        OSError: its folder lacks a file, or one can't be read.
    """
    try:
        recipe, network, rows = training.load_run(folder)
    except ValueError as error:
        raise AuthoringError(str(error)) from error
    if len(rows) < recipe.epochs:
        raise AuthoringError(f"{folder}: {len(rows)} of {recipe.epochs} epochs are done.")
    return Run(folder, recipe, network, rows, origin(folder))


def origin(folder: Path) -> dict[str, Any]:
    """Versions and machine that trained the run in a folder; nothing where it does not say."""
    path = folder / PROVENANCE
    if not path.exists():
        return {}
    with files.reading(path, "the provenance of a run", "Write it again where it was trained."):
        versions = json.loads(path.read_text(encoding="utf-8"))
        machine = versions.pop("machine")
        if not {"python", "keras", "numpy", "backend"} <= set(versions):
            raise ValueError("it lacks one of python, keras, numpy, backend")
    return {"versions": versions, "machine": machine}


def common_origin(origins: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Versions and machine of several runs; where they differ, all of them."""
    origins = list(origins)
    if not any(origins):
        return {}
    if not all(origins):
        raise AuthoringError(f"Some runs have a {PROVENANCE}, some have none; train all alike.")

    def together(values: Iterable[str]) -> str:
        return "; ".join(sorted(set(values)))

    names = origins[0]["versions"]
    versions = {name: together(o["versions"].get(name, "none") for o in origins) for name in names}
    return {"versions": versions, "machine": together(o["machine"] for o in origins)}


def spread(runs: Sequence[Run]) -> str:
    """Record what several finished runs of one network reach, which differ in the seed alone.

    Args:
        runs: one for each seed.

    Returns:
        A sentence with the mean and the standard deviation (n - 1) over the seeds.

    Raises:
        AuthoringError: fewer than two runs, the same seed twice, or recipes that differ in more
            than the seed.
    """
    recipe = common_recipe(runs)
    seeds = [run.recipe.seed for run in runs]
    if len(set(seeds)) < max(2, len(runs)):
        raise AuthoringError(f"Got the seeds {seeds}; wanted two or more, each one once.")
    values: Values = {}
    parts = unseen_parts(recipe)
    for run in runs:
        hits = reached(run.network, parts)
        values |= {
            f"seed_{run.recipe.seed}_{part}_accuracy": hits[f"{part}_accuracy"] for part in parts
        }
    values["seeds"] = results.count(len(seeds))
    sentences = []
    for part in parts:
        accuracies = [values[f"seed_{seed}_{part}_accuracy"]["value"] for seed in seeds]
        mean_and_deviation = _mean_and_deviation(part, accuracies)
        values |= mean_and_deviation
        mean, deviation = (entry["value"] for entry in mean_and_deviation.values())
        sentences.append(f"{part}: {mean:.2%} ± {deviation:.2%}")
    results.record(
        f"{recipe.network}.seeds",
        values,
        command=f"cnncourse train {recipe.network} --seed N for each seed, then "
        "make ship RUN='runs/...'",
        origin=common_origin(run.origin for run in runs),
        details={"recipe": _without_seed(recipe)},
    )
    return f"{recipe.network}, {len(seeds)} seeds: {'; '.join(sentences)}"


def common_recipe(runs: Sequence[Run]) -> training.Recipe:
    """The recipe that runs share but for their seed.

    Raises:
        AuthoringError: they differ in more.
    """
    first = runs[0]
    for run in runs:
        if replace(run.recipe, seed=0) != replace(first.recipe, seed=0):
            raise AuthoringError(
                f"{run.folder}: its recipe is not that of {first.folder}: {run.recipe}."
            )
    return first.recipe


def _without_seed(recipe: training.Recipe) -> dict[str, Any]:
    return {name: value for name, value in asdict(recipe).items() if name != "seed"}


def compare(runs: Sequence[Run]) -> str:
    """Record how two networks do on the same test images, seed by seed.

    For each seed the images that one network puts into the right class and the other does not
    are counted, and what McNemar's exact test says of the two counts: how often two equally
    good networks would differ at least as much.

    Args:
        runs: for each seed one of either network.

    Returns:
        A sentence with the mean difference of the accuracies over the seeds.

    Raises:
        AuthoringError: runs that do not pair.

    Source: McNemar, Note on the sampling error of the difference between correlated proportions
    or percentages (1947).
    """
    right: dict[str, dict[int, np.ndarray]] = {}
    for run in runs:
        images, labels = unseen_parts(run.recipe)["test"]
        scores = run.network.predict(datasets.as_inputs(images), batch_size=500, verbose=0)
        hits = scores.argmax(axis=1) == labels
        right.setdefault(run.recipe.network, {})[run.recipe.seed] = hits
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
            f"seed_{seed}_only_{first}": results.count(only[0]),
            f"seed_{seed}_only_{second}": results.count(only[1]),
            f"seed_{seed}_both": results.count(int((one & other).sum())),
            f"seed_{seed}_neither": results.count(int((~one & ~other).sum())),
            f"seed_{seed}_p_value": {"value": mcnemar(*only), "unit": "1"},
        }
    values["seeds"] = results.count(len(differences))
    if len(differences) > 1:
        values |= _mean_and_deviation("difference", differences)
    results.record(
        "comparison",
        values,
        command="cnncourse train NETWORK --seed N for both networks and each seed, then "
        "make ship RUN='runs/...'",
        origin=common_origin(run.origin for run in runs),
        details={
            "recipes": {run.recipe.network: _without_seed(run.recipe) for run in runs},
        },
    )
    return f"{first} - {second}: {statistics.mean(differences):+.2%} over {len(differences)} seeds."


def recipes(runs: Sequence[Run]) -> str:
    """Record the validation accuracy that runs of different recipes end with.

    The test part is not looked at: this is what a recipe is chosen by.

    Args:
        runs: they differ in network, augmentation or dropout.

    Returns:
        One line for each run.

    Raises:
        AuthoringError: one differs in something else.
    """
    values: Values = {}
    first = _shared(runs[0].recipe)
    for run in runs:
        recipe = run.recipe
        if _shared(recipe) != first:
            raise AuthoringError(f"{run.folder}: {recipe} differs from {runs[0].folder}: {first}.")
        name = "_".join(
            [recipe.network, *recipe.augmentation, f"dropout_{round(100 * recipe.dropout_share)}"]
        )
        if f"{name}_validation_accuracy" in values:
            raise AuthoringError(f"{run.folder}: a second run of {name}.")
        values[f"{name}_validation_accuracy"] = {
            "value": run.rows[-1]["val_accuracy"],
            "unit": "fraction",
        }
    values["epochs"] = results.count(first.epochs)
    results.record(
        "recipes",
        values,
        command=f"cnncourse train NETWORK --epochs {first.epochs} --data {first.data} "
        "--augmentation ... --dropout-share ... for each, then "
        "python -m cnncourse.authoring recipes runs/...",
        seed=first.seed,
        origin=common_origin(run.origin for run in runs),
    )
    return "\n".join(f"{key}: {entry['value']}" for key, entry in values.items())


def _shared(recipe: training.Recipe) -> training.Recipe:
    """What runs of different recipes have to share, with a stand-in for the rest."""
    return replace(recipe, network="simple_CNN", augmentation=(), dropout_share=1.0)


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


def unseen_parts(recipe: training.Recipe) -> Parts:
    """Images and labels that a run has not trained on: its validation part and the test part."""
    train_part, test_part = datasets.load_fashion_mnist(recipe.data)
    _, validation_part = datasets.split_validation(*train_part, count=recipe.validation_count)
    return {"validation": validation_part, "test": test_part}


def reached(network: Any, parts: Parts) -> Values:
    """For each part how many images a network puts into the right class, and the share."""
    values: Values = {}
    for name, (images, labels) in parts.items():
        hits, total = training.count_correct(network, datasets.as_inputs(images), labels)
        values[f"{name}_hits"] = {"value": hits, "unit": "count", "tolerance": TOLERANCE}
        values[f"{name}_accuracy"] = {
            "value": hits / total,
            "unit": "fraction",
            "tolerance": TOLERANCE / total,
        }
    return values


def _mean_and_deviation(name: str, fractions: Sequence[float]) -> Values:
    return {
        f"{name}_mean": {"value": statistics.mean(fractions), "unit": "fraction"},
        f"{name}_deviation": {"value": statistics.stdev(fractions), "unit": "fraction"},
    }
