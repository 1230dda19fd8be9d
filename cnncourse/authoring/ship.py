"""The conductor: from finished training runs to a book that tells of them.

Each step is a command of its own in a module of its own; here is their order, and how a
conducting that was interrupted goes on. ``make ship RUN=...`` ends it with ``make test``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from cnncourse import files, models, results, training
from cnncourse.authoring import claims, execute, runs, tables
from cnncourse.authoring.exercises import exercises
from cnncourse.authoring.notebooks import EXPLORER, AuthoringError, Course
from cnncourse.authoring.weights import ship_weights, shipped_fingerprint

STATE = "_build/ship.json"
"""Which notebooks have run with which weights and results, as an interrupted conducting left it."""


def ship(course: Course, folders: Sequence[Path]) -> int:
    """Carry finished runs into the book; return the exit status.

    In this order: the weights of each documented run, the explorer's networks, the pictures, what
    the networks reach in the challenges, the results (the spread of each network's seeds and the
    comparison of both networks, where there are runs enough) with their tables, the claims, the
    notebooks. What one step makes the next ones read. A second call does what the first has not
    done.

    Args:
        course: the course.
        folders: of finished runs: for each network that is to be shipped the documented run,
            and, for the spread, others that differ from it in their seed.

    Raises:
        AuthoringError: before anything is written, when the runs do not go together.
    """
    finished = [runs.finished(folder) for folder in folders]
    groups = _groups(finished)
    steps: dict[str, Callable[[], int]] = {
        "weights": lambda: _weights(groups),
        "explorer": lambda: _explorer(course),
        "pictures": lambda: _pictures(course),
        "challenges": lambda: _challenges(course),
        "results": lambda: _results(course, groups),
        "claims": lambda: _claims(course),
        "notebooks": lambda: _notebooks(course),
    }
    for name, step in steps.items():
        print(f"== {name}", flush=True)
        if step():
            print(f"== {name} FAILED: mend it and give the same command again; it goes on here.")
            return 1
    return 0


def _groups(finished: Sequence[runs.Run]) -> dict[str, list[runs.Run]]:
    """The runs by network, each group with one documented run and nothing but other seeds."""
    groups: dict[str, list[runs.Run]] = {}
    for run in finished:
        groups.setdefault(run.recipe.network, []).append(run)
    for name, group in groups.items():
        runs.common_recipe(group)
        runs.common_origin(run.origin for run in group)
        seeds = [run.recipe.seed for run in group]
        if len(set(seeds)) < len(seeds):
            raise AuthoringError(f"{name}: got the seeds {seeds}; wanted each one once.")
        if training.RECIPES[name] not in [run.recipe for run in group]:
            raise AuthoringError(
                f"{name}: no run follows the documented recipe {training.RECIPES[name]}; "
                f"got {group[0].recipe}."
            )
    return groups


def _weights(groups: dict[str, list[runs.Run]]) -> int:
    for name, group in groups.items():
        (documented,) = [run for run in group if run.recipe == training.RECIPES[name]]
        print(ship_weights(documented))
    return 0


def _explorer(course: Course) -> int:
    from cnncourse.export import export_course

    export_course(course.root / EXPLORER)
    return 0


def _pictures(course: Course) -> int:
    from cnncourse.authoring.pictures import pictures

    pictures(course)
    return 0


def _challenges(course: Course) -> int:
    from cnncourse.authoring.challenges import peers

    print(peers())
    return 0


def _results(course: Course, groups: dict[str, list[runs.Run]]) -> int:
    for name, group in groups.items():
        if len(group) > 1:
            print(runs.spread(group))
        else:
            print(f"{name}: one run alone has no spread; the recorded one stays.")
    seeds = [sorted(run.recipe.seed for run in group) for group in groups.values()]
    if len(groups) == len(models.NETWORKS) and seeds[0] == seeds[1] and len(seeds[0]) > 1:
        print(runs.compare([run for group in groups.values() for run in group]))
    else:
        print("No comparison without runs of both networks with the same seeds, two or more.")
    tables.tables(course)
    return 0


def _claims(course: Course) -> int:
    print(f"{claims.renew(course)} files rewritten.")
    findings = claims.claims(course)
    for finding in findings:
        print(finding)
    return len(findings)


def _notebooks(course: Course) -> int:
    state = course.root / STATE
    done: dict[str, str] = {}
    if state.is_file():
        with files.reading(state, "the state of an interrupted ship", "Remove it."):
            done = json.loads(state.read_text(encoding="utf-8"))
    read = _what_notebooks_read()
    paths = [*course.lessons, *course.solutions]
    pending = [path for path in paths if done.get(course.name(path)) != _state(path, read)]
    print(f"{len(paths) - len(pending)} of {len(paths)} notebooks have run with these weights.")
    failed = 0
    for path in pending:
        if execute.execute(course, [path]):
            failed += 1
            continue
        done[course.name(path)] = _state(path, read)
        state.parent.mkdir(exist_ok=True)
        files.write_whole(state, json.dumps(done, indent=1).encode())
    return failed + exercises(course, course.solutions)


def _what_notebooks_read() -> str:
    digest = hashlib.sha256()
    for name in models.NETWORKS:
        digest.update(shipped_fingerprint(name).encode())
    for topic in results.topics():
        digest.update(json.dumps(results.load(topic)["values"], sort_keys=True).encode())
    return digest.hexdigest()


def _state(path: Path, read: str) -> str:
    return hashlib.sha256(read.encode() + path.read_bytes()).hexdigest()
