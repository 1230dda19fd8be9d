"""What known designs reach in the challenges, and the course's networks on the same images.

The judge itself trains and measures, each seed in a process of its own. Designs stand in
``cnncourse.challenges.designs``; what their numbers mean is the pages' affair.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from cnncourse import models, results, training
from cnncourse.authoring.weights import shipped_fingerprints
from cnncourse.challenges import CHALLENGES, form
from cnncourse.challenges.designs import DESIGNS

COMMAND = "python -m cnncourse.authoring challenges"
SEEDS = 3
FAR = 4
"""How many deviations of the seeds another machine's mean may lie away, and at least a point."""

Values = dict[str, dict[str, Any]]


def challenges(seeds: int = SEEDS, report: Callable[[str], Any] = lambda line: None) -> str:
    """Record what every design reaches, and the course's networks; return a sentence about it.

    Args:
        seeds: how many runs of each design, with the seeds 0, 1, …; at least 2.
        report: called with a line about each run.
    """
    values: Values = {"seeds": results.count(seeds)}
    runs: dict[Any, list[form.ScoreCard]] = {}
    for name, designs in DESIGNS.items():
        task = CHALLENGES[name]
        assert isinstance(task, form.Challenge)
        # All images, named by their number: the networks of the course need not be timed.
        everything = replace(
            task, conditions=tuple(form.CONDITIONS), images=len(form.kept_back()[1])
        )
        for level, design in designs.items():
            # A design may set marks in two challenges; it is trained once.
            cards = runs.setdefault((design.build, design.recipe), [])
            for seed in range(len(cards), seeds):
                recipe = replace(design.recipe, seed=seed)
                cards.append(everything.judge(design.build, recipe))
                report(f"{name}, {level}, seed {seed}: {cards[-1]}")
            values |= _of(f"{name}_{level}", cards, task)
    results.record(form.RESULTS, values, command=f"{COMMAND} --seeds {seeds}")
    return f"{sum(map(len, DESIGNS.values()))} designs, {seeds} seeds each"


def _of(start: str, cards: Sequence[form.ScoreCard], task: form.Challenge) -> Values:
    """What the runs of a design reach, by keys that begin alike."""
    reached = [card.yours.hits[task.counted].share for card in cards]
    deviation = statistics.stdev(reached)
    tolerance = max(0.01, FAR * deviation)
    seconds = statistics.mean(card.cpu_seconds for card in cards)
    values: Values = {
        "mean": _fraction(statistics.mean(reached), tolerance),
        "deviation": _fraction(deviation, tolerance),
        "parameters": results.count(cards[0].yours.parameters),
        "macs": results.count(cards[0].yours.macs),
        "cpu_seconds": {"value": round(seconds, 1), "unit": "s", "tolerance": task.budget},
    }
    for condition in task.conditions:
        mean = statistics.mean(card.yours.hits[condition].share for card in cards)
        values[condition.replace(" ", "_")] = _fraction(mean, tolerance)
    return {f"{start}_{key}": value for key, value in values.items()}


def peers() -> str:
    """Record the course's networks on the kept-back images; return a sentence about it."""
    inputs, labels = form.kept_back()
    values: Values = {}
    for name in models.NETWORKS:
        network = models.load_pretrained(name)
        for condition in form.CONDITIONS:
            shown = form.under(condition, inputs)
            correct, total = training.count_correct(network, shown, labels)
            values[form.peer_key(name, condition)] = {**results.count(correct), "tolerance": 2}
            values[form.peer_key(name, condition).replace("correct", "accuracy")] = _fraction(
                correct / total, 2 / total
            )
    results.record(
        form.PEERS,
        values,
        command=f"{COMMAND} --peers",
        details={"weights": shipped_fingerprints()},
    )
    return f"{len(models.NETWORKS)} networks under {len(form.CONDITIONS)} conditions"


def _fraction(value: float, tolerance: float) -> dict[str, Any]:
    return {"value": round(value, 5), "unit": "fraction", "tolerance": round(tolerance, 4)}
