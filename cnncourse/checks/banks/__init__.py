"""The exercises, one a file: a reference, inputs, and the mistakes that people make.

A file here is an exercise as soon as it holds a ``BANK``, a :class:`~cnncourse.checks.engine.Bank`
with the file's own name; it is found by itself. What several of them share stands in files whose
names begin with an underscore.
"""

from __future__ import annotations

import importlib
import pkgutil

from cnncourse.checks.engine import Exercise


def read_all() -> dict[str, Exercise]:
    """Every exercise by its name, in the order of the lessons."""
    exercises = [
        importlib.import_module(f"{__name__}.{module.name}").BANK.freeze()
        for module in pkgutil.iter_modules(__path__)
        if not module.name.startswith("_")
    ]
    exercises.sort(key=lambda exercise: (exercise.lesson, exercise.name))
    return {exercise.name: exercise for exercise in exercises}
