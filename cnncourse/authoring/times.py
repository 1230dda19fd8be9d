"""How long each lesson runs: measured, recorded, and written into its head.

The landing page's table reads the heads (``contents``). Running a notebook and storing its
outputs belongs to ``execute``.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from pathlib import Path

from cnncourse import results
from cnncourse.authoring import execute, notebooks
from cnncourse.authoring.notebooks import AuthoringError, Course

TOPIC = "notebooks"
STEP = 5
"""Seconds that a stated running time is rounded up to."""

_HEAD = re.compile(r"(Running time: )\d+ s")


def times(course: Course, paths: Sequence[Path]) -> list[str]:
    """Run lessons, record their wall times, and write them into the heads, rounded up.

    The start of the kernel counts: a reader waits for it too. Lessons that are not run keep
    their recorded time.

    Args:
        course: the course.
        paths: the lessons to run.

    Returns:
        One line for each lesson.

    Raises:
        AuthoringError: a lesson has no running time in its head, or does not run.
    """
    try:
        values = results.load(TOPIC)["values"]
    except KeyError:
        values = {}
    lines = []
    for number, path in enumerate(paths, start=1):
        notebook = notebooks.read(path)
        head = notebook.cells[0]
        if not _HEAD.search(head.source):
            raise AuthoringError(f"{course.name(path)}: cell 1: wanted `Running time: 20 s`.")
        started = time.monotonic()
        execute.run(notebook, course.name(path), f"{path.stem} ({number}/{len(paths)})")
        seconds = time.monotonic() - started
        values[path.stem] = {"value": round(seconds, 1), "unit": "s"}
        stated = STEP * math.ceil(seconds / STEP)
        head.source = _HEAD.sub(rf"\g<1>{stated} s", head.source)
        notebooks.normalise_cells(notebook)
        notebooks.write(path, notebook)
        lines.append(f"{path.stem}: {seconds:.1f} s, stated as {stated} s")
    known = {path.stem for path in course.lessons}
    values = {name: values[name] for name in sorted(known & set(values))}
    total = sum(entry["value"] for entry in values.values())
    values["all_lessons"] = {"value": round(total, 1), "unit": "s"}
    results.record(TOPIC, values, command="python -m cnncourse.authoring times")
    return [*lines, f"all lessons: {total:.0f} s"]
