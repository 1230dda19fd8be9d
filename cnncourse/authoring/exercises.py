"""Exercise notebooks, derived from the solutions: nobody writes one by hand.

In a solution, ``# BEGIN SOLUTION`` and ``# END SOLUTION`` stand around what the learner is to
write, cells tagged ``solution`` are for the solution alone, and cells tagged ``check`` hold the
checks. What a check answers belongs to :mod:`cnncourse.checks`.
"""

from __future__ import annotations

import ast
import copy
import difflib
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

from cnncourse import checks
from cnncourse.authoring import notebooks
from cnncourse.authoring.notebooks import AuthoringError, Course, Notebook
from cnncourse.checks.form import Values

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
CHECK_TAG, SOLUTION_TAG = "check", "solution"
PLACEHOLDER = ("# Your code here.", "...")
"""What stands in an unsolved function: Python that runs and does nothing."""

_CHECKED = re.compile(r"""\bcheck\(\s*["'](\w+)["']""")
_MARKER = re.compile(r"(begin|end)[ _-]*solution", re.IGNORECASE)
_TITLE = re.compile(r"^(# .*?)\b(Solution|Exercise)(s?)\b", re.MULTILINE)
_LINK = re.compile(r"\[(Solution|Exercise)(?=[^\]]*\]\()")
_FOLDER = re.compile(r"(\.\./|notebooks/)(solutions|exercises)/")
_OTHER = {
    "Solution": "Exercise",
    "Exercise": "Solution",
    "solutions": "exercises",
    "exercises": "solutions",
}


def derive(solution: Notebook, name: str) -> Notebook:
    """The exercise notebook of a solution notebook.

    Solution blocks become a placeholder of the same indentation, cells tagged ``solution`` go,
    outputs go, ids stay. In Markdown a link or path to ``solutions/`` and one to ``exercises/``
    change places, and so do the words in the title and in link texts: the solution points to
    its exercise, and the exercise to its solution.

    Args:
        solution: the notebook; it is not changed.
        name: how messages call it.

    Raises:
        AuthoringError: markers that do not pair, a marker outside code, no check cell, nothing
            to solve, or code that does not parse once the solution is out.
    """
    exercise = copy.deepcopy(solution)
    notebooks.normalise_cells(exercise)
    solved = 0
    for position, cell in enumerate(exercise.cells, start=1):
        place = f"{name}: cell {position}"
        if cell.cell_type == "code":
            stripped, blocks = _without_solution(cell.source, place)
            if blocks and CHECK_TAG in notebooks.tags(cell):
                raise AuthoringError(
                    f"{place}: a check cell holds a solution; split it into two cells."
                )
            if blocks:
                _parse(stripped, place)
            cell.source, solved = stripped, solved + blocks
            cell.outputs, cell.execution_count = [], None
        else:
            if _MARKER.search(cell.source):
                raise AuthoringError(
                    f"{place}: a solution marker stands outside code; "
                    f"tag the cell {SOLUTION_TAG!r} if it is for the solution alone."
                )
            cell.source = swapped(cell.source)
    if not solved:
        raise AuthoringError(f"{name}: no {BEGIN} in any cell, so there is nothing to solve.")
    exercise.cells = [cell for cell in exercise.cells if SOLUTION_TAG not in notebooks.tags(cell)]
    if not any(CHECK_TAG in notebooks.tags(cell) for cell in exercise.cells):
        raise AuthoringError(f"{name}: no cell is tagged {CHECK_TAG!r}, so nothing is checked.")
    _show_a_failure(exercise, name)
    return exercise


def _show_a_failure(exercise: Notebook, name: str) -> None:
    """Put :func:`failing` behind the first check cell for which there is one."""
    from nbformat.v4 import new_markdown_cell

    for position, cell in enumerate(exercise.cells):
        found = _CHECKED.search(cell.source) if CHECK_TAG in notebooks.tags(cell) else None
        if found is None:
            continue
        if found[1] not in checks.EXERCISES:
            raise AuthoringError(f"{name}: {found[0]}…: there is no exercise of that name.")
        text = failing(found[1])
        if text:
            exercise.cells.insert(position + 1, new_markdown_cell(text))
            notebooks.normalise_cells(exercise)
            return


def failing(name: str) -> str:
    """What the check of an exercise says to one wrong answer, in Markdown, for who reads along.

    The answer is the known mistake about which it says least, so that input and answers are small.
    Models are not built for it: for them the text is empty.

    Args:
        name: of the exercise.

    >>> print(failing("relu").splitlines()[3])
    relu: not yet. Large numbers seem to be cut at 1. The ReLU has no upper end.
    """
    exercise = checks.EXERCISES[name]
    if not isinstance(exercise.form, Values):
        return ""
    messages = [
        checks.diagnose(name, mistake.answer).message for mistake in exercise.misconceptions
    ]
    hint, _, shown = min(messages, key=len).partition("\n")
    return (
        "A check that fails names the mistake and shows the smallest input on which it shows. To "
        f"one wrong answer to `{name}` it says:\n\n"
        f"```\n{textwrap.fill(hint, 88)}\n{shown}\n```"
    )


def wanted_error(cell: Notebook, kind: str) -> str | None:
    """The error that a cell has to give: ``NotYet`` in a check cell that nobody has solved.

    Args:
        cell: of a notebook.
        kind: of the notebook, see :func:`cnncourse.authoring.notebooks.kind`.
    """
    return "NotYet" if kind == "exercise" and CHECK_TAG in notebooks.tags(cell) else None


def swapped(text: str) -> str:
    """Markdown of a solution as it stands in the exercise.

    >>> swapped("# Solution: pooling")
    '# Exercise: pooling'
    >>> swapped("[Exercise](../exercises/05-pooling.ipynb)")
    '[Solution](../solutions/05-pooling.ipynb)'
    """
    text = _TITLE.sub(lambda match: match[1] + _OTHER[match[2]] + match[3], text)
    text = _LINK.sub(lambda match: "[" + _OTHER[match[1]], text)
    return _FOLDER.sub(lambda match: match[1] + _OTHER[match[2]] + "/", text)


def _without_solution(source: str, place: str) -> tuple[str, int]:
    lines: list[str] = []
    blocks, opened = 0, 0
    for number, line in enumerate(source.splitlines(), start=1):
        word = line.strip()
        if word == BEGIN:
            if opened:
                raise AuthoringError(f"{place}: line {number}: {BEGIN} inside another one.")
            blocks, opened = blocks + 1, number
            indentation = line[: len(line) - len(line.lstrip())]
            lines += [indentation + part for part in PLACEHOLDER]
        elif word == END:
            if not opened:
                raise AuthoringError(f"{place}: line {number}: {END} without {BEGIN}.")
            if number == opened + 1:
                raise AuthoringError(f"{place}: line {number}: the solution is empty.")
            opened = 0
        elif _MARKER.search(line):
            raise AuthoringError(
                f"{place}: line {number}: {word!r} looks like a marker; "
                f"wanted a line that holds {BEGIN!r} or {END!r} and nothing else."
            )
        elif not opened:
            lines.append(line)
    if opened:
        raise AuthoringError(f"{place}: line {opened}: {BEGIN} without {END}.")
    return "\n".join(lines), blocks


def _parse(source: str, place: str) -> None:
    try:
        ast.parse(source)
    except SyntaxError as error:
        raise AuthoringError(
            f"{place}: without its solution the cell is no Python: {error.msg}, "
            f"line {error.lineno}; move the markers."
        ) from error


def exercises(course: Course, paths: Sequence[Path], *, check: bool = False) -> int:
    """Write the exercise of each solution, or with ``check`` compare; return the exit status.

    An exercise without a solution is a finding as well.
    """
    wrong = 0
    for path in paths:
        name = course.name(path)
        target = course.root / notebooks.EXERCISES / path.name
        try:
            exercise = derive(notebooks.read(path), name)
        except AuthoringError as error:
            print(error)
            wrong += 1
            continue
        if not check:
            target.parent.mkdir(parents=True, exist_ok=True)
            state = "rewritten" if notebooks.write(target, exercise) else "unchanged"
            print(f"{course.name(target)}: {state}")
            continue
        wanted = notebooks.text_of(exercise)
        found = target.read_text(encoding="utf-8") if target.is_file() else ""
        if found != wanted:
            wrong += 1
            print(f"{course.name(target)}: differs from what {name} gives:")
            print(
                "\n".join(
                    difflib.unified_diff(
                        found.splitlines(), wanted.splitlines(), "committed", "derived", lineterm=""
                    )
                )
            )
    for target in course.exercises:
        if target.name not in {path.name for path in course.solutions}:
            wrong += 1
            print(f"{course.name(target)}: no solution of that name; delete it.")
    count = len(paths)
    print(f"{count} exercise notebooks {'checked' if check else 'derived'}, {wrong} findings.")
    return 1 if wrong else 0
