"""Many training runs by one plan, on one machine or on many, and the table that they give.

A plan says what is run; ``training`` runs it, in a process of its own for each run; where and
when is the affair of dask.distributed, which the extra ``study`` installs.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import statistics
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnncourse import files

# A worker loads this room and hands its work on, so it is not made to load Keras.
if TYPE_CHECKING:
    from cnncourse.training import LogRow, Recipe

INSTALL = 'python -m pip install "cnncourse[study]"'
_ADVICE = "See the plans that ship with the course: ablation, recipes."

# How often a run may lose its worker before the study gives it up, and how long a worker that
# starts on a busy machine is waited for.
_PATIENCE = {
    "distributed.scheduler.allowed-failures": 20,
    "distributed.comm.timeouts.connect": "300s",
}


@dataclass(frozen=True)
class Condition:
    """One row of the table: a recipe but for its seed.

    Attributes:
        name: what is other than in the plan's common recipe, as a folder's name.
        recipe: with seed 0.
    """

    name: str
    recipe: Recipe

    def run(self, seed: int) -> str:
        """The name of the run with a seed, which is that of its folder."""
        return f"{self.name}_seed_{seed}"


@dataclass(frozen=True)
class Plan:
    """What a study runs: each condition with each seed.

    Attributes:
        conditions: the rows; for each network the first one is what others are compared with.
        seeds: of the runs of each condition.
    """

    conditions: tuple[Condition, ...]
    seeds: tuple[int, ...]

    def runs(self) -> dict[str, Recipe]:
        """Every run by the name of its folder, all conditions with the first seed first."""
        return {
            condition.run(seed): replace(condition.recipe, seed=seed)
            for seed in self.seeds
            for condition in self.conditions
        }


@dataclass(frozen=True)
class Row:
    """What the finished runs of one condition reach on the validation part.

    Attributes:
        name: of the condition.
        parameters: how many the network has.
        accuracies: by seed.
        mean: of them.
        interval: half the width of its 95 % interval by Student's t; None for one run.
        difference: mean over the seeds that both have, of this minus its network's first row.
        difference_interval: half the width of its 95 % interval, paired by the seeds.
    """

    name: str
    parameters: int
    accuracies: dict[int, float]
    mean: float
    interval: float | None
    difference: float
    difference_interval: float | None


def read_plan(path: Path) -> Plan:
    """The plan in a TOML file.

    ``seeds`` is a list of whole numbers, ``[common]`` holds what all recipes share, and each
    ``[[group]]`` crosses its ``networks``, its ``variants`` (``""`` is the network as it is)
    and its ``recipes`` (or one ``recipe``), in this order.

    Args:
        path: the file.

    Raises:
        FileNotFoundError: there is none.
        Damaged: it is no plan; the message says why.
    """
    with files.reading(path, "the plan of a study", _ADVICE):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        _only(content, {"seeds", "common", "group"}, "a plan")
        seeds = tuple(content.get("seeds", ()))
        if not seeds or len(set(seeds)) < len(seeds):
            raise ValueError(f"it holds the seeds {list(seeds)}; wanted one or more, each once")
        common = content.get("common", {})
        conditions: list[Condition] = []
        for group in content.get("group", ()):
            _only(group, {"networks", "variants", "recipes", "recipe"}, "a group")
            for network in group.get("networks", ()):
                for variant in group.get("variants", ("",)):
                    for change in group.get("recipes", [group.get("recipe", {})]):
                        conditions.append(_condition(network, variant, common, change))
        names = [condition.name for condition in conditions]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"it holds the conditions {names}; wanted one or more, each once")
        for seed in seeds:
            replace(conditions[0].recipe, seed=seed)
    return Plan(tuple(conditions), seeds)


def shipped_plan(name: str) -> Path | None:
    """The plan of that name that ships with the course, if there is one."""
    path = Path(str(resources.files("cnncourse.plans").joinpath(f"{name}.toml")))
    return path if path.is_file() else None


def log(folder: Path) -> list[LogRow]:
    """The epochs of a run that are kept, from its last checkpoint; none where nothing is."""
    from cnncourse import training

    path = folder / training.CHECKPOINT
    if not path.exists():
        return []
    with (
        files.reading(path, "the checkpoint of a run", "Move it away to start anew."),
        path.open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        rows: list[LogRow] = json.loads(str(arrays["log"]))
        return rows


def epochs_done(folder: Path) -> int:
    """How many epochs of a run are kept; 0 where nothing is."""
    return len(log(folder))


def accuracies(plan: Plan, folder: Path) -> dict[str, float]:
    """Validation accuracy that each run of a plan ended with, by its name; of those that ended."""
    logs = {name: (log(folder / name), recipe.epochs) for name, recipe in plan.runs().items()}
    return {
        name: rows[-1]["val_accuracy"] for name, (rows, end) in logs.items() if len(rows) == end
    }


def study(
    plan: Plan,
    folder: Path,
    *,
    scheduler: str | None = None,
    workers: int = 1,
    on_progress: Callable[[dict[str, int]], None] | None = None,
) -> None:
    """Do every run of a plan that has not ended yet.

    Each run is a folder inside ``folder``, as ``cnncourse train`` writes it, and one process of
    that command, so it ends with the bits of a run that was started by hand. A worker that
    dies takes its process with it; the run goes on elsewhere from its last whole epoch.

    Args:
        plan: what to run.
        folder: where; with workers on several machines, one that all of them see.
        scheduler: address of a running dask scheduler, ``tcp://host:port``; without it a
            cluster of this machine alone is made for the study.
        workers: how many runs at a time, on this machine.
        on_progress: called about once a second with the epochs done of each run that waits
            or is under way.

    Raises:
        ImportError: dask.distributed is not installed; the message says how to get it.
        OSError: the scheduler does not answer, or a run failed; the message has its last line.
    """
    distributed = _distributed()
    files.make_folder(folder)
    folder = folder.resolve()
    todo = {
        name: recipe
        for name, recipe in plan.runs().items()
        if epochs_done(folder / name) < recipe.epochs
    }
    if not todo:
        return
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            import dask

            stack.enter_context(dask.config.set(_PATIENCE))
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,  # a run that failed is named below, in a sentence
            )
            scheduler_or_cluster = stack.enter_context(cluster)
        else:
            scheduler_or_cluster = scheduler
        client = stack.enter_context(distributed.Client(scheduler_or_cluster, timeout=30))
        # One run takes all of a worker, whatever threads it has.
        futures = [
            client.submit(
                _run, str(folder / name), asdict(recipe), key=f"{folder}/{name}", pure=False
            )
            for name, recipe in todo.items()
        ]
        while not all(future.done() for future in futures):
            if on_progress:
                on_progress({name: epochs_done(folder / name) for name in todo})
            time.sleep(1)
        if on_progress:
            on_progress({name: epochs_done(folder / name) for name in todo})
        for future, name in zip(futures, todo, strict=True):
            if future.status != "finished":
                raise OSError(f"{name}: {future.exception()}. What it has done is kept.")


def table(plan: Plan, reached: Mapping[str, float]) -> list[Row]:
    """What the runs of a plan reach, condition by condition.

    Args:
        plan: what was run.
        reached: validation accuracies by the names of the runs, as :func:`accuracies` gives them.

    Returns:
        One row for each condition with a run, in the plan's order.
    """
    from cnncourse import variants

    rows: list[Row] = []
    first: dict[str, Row] = {}
    for condition in plan.conditions:
        runs = {seed: condition.run(seed) for seed in plan.seeds}
        by_seed = {seed: reached[name] for seed, name in runs.items() if name in reached}
        if not by_seed:
            continue
        recipe = condition.recipe
        network = variants.build(recipe.network, (28, 28, 1), 10, recipe.variant)
        base = first.get(recipe.network)
        reference = base.accuracies if base else by_seed
        paired = [by_seed[seed] - reference[seed] for seed in by_seed if seed in reference]
        row = Row(
            condition.name,
            network.count_params(),
            by_seed,
            statistics.mean(by_seed.values()),
            half_width(list(by_seed.values())),
            statistics.mean(paired) if paired else math.nan,
            half_width(paired) if base else None,
        )
        first.setdefault(recipe.network, row)
        rows.append(row)
    return rows


def half_width(values: Sequence[float]) -> float | None:
    """Half the width of the 95 % interval of a mean, by Student's t; None for fewer than two.

    Source: Student, *The Probable Error of a Mean*, Biometrika 6 (1908).

    >>> half_width([1.0])
    >>> round(half_width([1.0, 2.0, 3.0]), 2)
    2.48
    """
    if len(values) < 2:
        return None
    return factor(len(values)) * statistics.stdev(values) / math.sqrt(len(values))


def factor(count: int, *, statements: int = 1) -> float:
    """How many standard errors of a mean reach to either end of its 95 % interval.

    Args:
        count: how many values the mean and its standard error come from, at least 2.
        statements: of so many intervals all are to hold at once, 19 times in 20; each is wider
            for it, by Bonferroni's bound.

    Returns:
        The quantile of Student's t.

    Source: Dunn, *Multiple Comparisons Among Means*, Journal of the American Statistical
    Association 56 (1961).

    >>> round(factor(3), 3), round(factor(3, statements=25), 1)
    (4.303, 22.3)
    """
    from scipy import stats

    return float(stats.t.ppf(1 - 0.025 / statements, count - 1))


def describe(rows: Sequence[Row]) -> str:
    """The table as text: accuracies and differences in per cent, with their intervals."""

    def with_interval(value: float, interval: float | None, form: str) -> str:
        spread = "" if interval is None else f" ± {100 * interval:.2f}"
        return f"{100 * value:{form}}{spread}"

    width = max([len(row.name) for row in rows] + [9])
    lines = [f"{'condition':<{width}}  runs  parameters  validation %    difference, paired"]
    lines += [
        f"{row.name:<{width}}  {len(row.accuracies):>4}  {row.parameters:>10,}  "
        f"{with_interval(row.mean, row.interval, '.2f'):<14}  "
        f"{with_interval(row.difference, row.difference_interval, '+.2f')}"
        for row in rows
    ]
    return "\n".join(lines)


def forecast(plan: Plan, folder: Path, *, steps: int = 10) -> dict[str, float]:
    """How many seconds the runs that are missing will take, one after the other, on this machine.

    For each condition a few training steps are measured, the first one, which compiles, left
    out.

    Args:
        plan: what is to be run.
        folder: where; epochs that are kept there are not counted.
        steps: how many are measured.

    Returns:
        Seconds by the name of the run, for those that have not ended.
    """
    from cnncourse import training

    speeds: dict[Recipe, float] = {}
    seconds = {}
    for name, recipe in plan.runs().items():
        missing = recipe.epochs - epochs_done(folder / name)
        if missing > 0:
            kind = replace(recipe, seed=0)
            if kind not in speeds:
                speeds[kind] = training.seconds_per_epoch(recipe, steps=steps)
            seconds[name] = missing * speeds[kind]
    return seconds


def _condition(
    network: str, variant: str, common: Mapping[str, Any], change: Mapping[str, Any]
) -> Condition:
    from cnncourse.training import Recipe

    known = {field.name for field in fields(Recipe)} - {"network", "variant", "seed"}
    _only(common, known, "what recipes share")
    _only(change, known, "a recipe")
    recipe = Recipe(network, variant=variant, **{**common, **change})
    words = [network, variant]
    for name, value in change.items():
        words += [
            name,
            *(
                value
                if isinstance(value, list)
                else [f"{value:g}" if isinstance(value, float) else str(value)]
            ),
        ]
    return Condition("_".join(word for word in words if word), recipe)


def _only(given: Iterable[str], known: set[str], what: str) -> None:
    if strange := sorted(set(given) - known):
        raise ValueError(f"it holds {strange}; {what} knows {', '.join(sorted(known))}")


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise ImportError(f"A study needs dask.distributed. Get it by: {INSTALL}") from error
    return distributed


def _run(folder: str, recipe: Mapping[str, Any]) -> None:
    """One run, in a process that ends when this one does, however that ends."""
    options = [
        word
        for name, value in recipe.items()
        if name != "network"
        for word in (
            [f"--{name.replace('_', '-')}", *(value or ["none"])]
            if isinstance(value, list | tuple)
            else [f"--{name.replace('_', '-')}={value}"]
        )
    ]
    command = [sys.executable, "-m", "cnncourse.cli", "train", recipe["network"], *options]
    with subprocess.Popen(
        [*command, "--folder", folder, "--end-with-input"],
        stdin=subprocess.PIPE,  # never written to: its other end closes when this process dies
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read().strip()
        if process.wait() != 0:
            raise RuntimeError((said.splitlines() or [f"exit status {process.returncode}"])[-1])
