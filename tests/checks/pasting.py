"""What a lesson's own code answers: its functions, handed in for each of its exercises.

An exercise that pasted code passes asks for copying. Functions are taken with the imports and the
other functions of the lesson around them; what else a cell does, such as load images or train,
stays out. A function fits an exercise whose arguments it takes, by their names or in any order.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import functools
import inspect
import io
import itertools
import json
import warnings
from pathlib import Path

import numpy as np

from cnncourse.checks import EXERCISES, diagnose, hints

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@functools.cache
def functions(lesson):
    """The functions that the cells of a lesson define, by name; nothing else of it has run."""
    notebook = json.loads((NOTEBOOKS / f"{hints.LESSONS[lesson]}.ipynb").read_text("utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    statements = [statement for cell in cells for statement in ast.parse(cell).body]
    kept = [
        one for one in statements if isinstance(one, ast.Import | ast.ImportFrom | ast.FunctionDef)
    ]
    space = {}
    exec(compile(ast.Module(kept, []), hints.LESSONS[lesson], "exec"), space)
    return {one.name: space[one.name] for one in kept if isinstance(one, ast.FunctionDef)}


def _handed_in(function, arguments):
    """A function as answers to an exercise with these arguments: by name, then in every order."""
    parameters = inspect.signature(function).parameters.values()
    placed = [one for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    needed = [one for one in parameters if one.default is one.empty]
    if {one.name for one in needed} <= set(arguments) <= {one.name for one in parameters}:
        yield lambda *given: function(**dict(zip(arguments, given, strict=True)))
    if len(needed) <= len(arguments) <= len(placed):
        for order in itertools.permutations(range(len(arguments))):
            yield lambda *given, order=order: function(*(given[place] for place in order))


def _agrees(exercise, candidate):
    """Whether an answer is right on every input; stops at the first on which it is not."""
    for case, wanted in zip(exercise.inputs, exercise.wanted, strict=True):
        try:
            answer = exercise.form.read(candidate, copy.deepcopy(case))
        except Exception:  # noqa: BLE001 - most functions are not made for most exercises
            return False
        if answer.complaint or not exercise.form.agree(answer, wanted):
            return False
    return True


def passed_by_pasting(lesson):
    """The exercises of a lesson that one of its own functions passes, each with the function."""
    found = {}
    for exercise in EXERCISES.values():
        if exercise.lesson != lesson:
            continue
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with np.errstate(all="ignore"):
                for name, function in functions(lesson).items():
                    right = next(
                        (
                            candidate
                            for candidate in _handed_in(function, exercise.arguments)
                            if _agrees(exercise, candidate)
                        ),
                        None,
                    )
                    if right is not None and diagnose(exercise.name, right).passed:
                        found[exercise.name] = name
                        break
    return found
