"""One check for each exercise: it accepts every right answer and names the mistake in a wrong one.

The exercises of a lesson stand in the file of that lesson; how answers are judged stands in
``engine``, how the learner's code is kept in bounds in ``guards``.
"""

from __future__ import annotations

import difflib
from typing import Any

from cnncourse.checks import (
    lesson01,
    lesson02,
    lesson03,
    lesson04,
    lesson05,
    lesson06,
    lesson07,
    lesson08,
    lesson09,
    lesson10,
    lesson11,
    lesson12,
    lesson13,
)
from cnncourse.checks.engine import Diagnosis, Exercise, Misconception, NotYet, judge

__all__ = ["EXERCISES", "Diagnosis", "Exercise", "Misconception", "NotYet", "check", "diagnose"]

_LESSONS = (
    lesson01,
    lesson02,
    lesson03,
    lesson04,
    lesson05,
    lesson06,
    lesson07,
    lesson08,
    lesson09,
    lesson10,
    lesson11,
    lesson12,
    lesson13,
)

EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise for lesson in _LESSONS for exercise in lesson.EXERCISES
}
"""Every exercise by the name of its function."""


def check(name: str, candidate: Any) -> None:
    """Judge an answer; print one line of praise when it is right.

    Args:
        name: of the exercise, a key of :data:`EXERCISES`.
        candidate: the learner's function. It is called with copies of small inputs, for at most
            five seconds in all, or sixty when it builds a model.

    Raises:
        NotYet: the answer is not right yet; the text says what it seems to do, what was wanted,
            and shows the smallest input on which they differ.
        ValueError: there is no such exercise.

    >>> check("relu", lambda inputs: (abs(inputs * 1.0) + inputs) / 2)
    relu: right on 8 inputs. Well done.
    """
    diagnosis = diagnose(name, candidate)
    if not diagnosis.passed:
        raise NotYet(diagnosis.message)
    print(diagnosis.message)


def diagnose(name: str, candidate: Any) -> Diagnosis:
    """Judge an answer and return the verdict, whatever the candidate does.

    Args:
        name: of the exercise, a key of :data:`EXERCISES`.
        candidate: the learner's function, or anything that came in its place.

    Returns:
        The verdict; ``misconception`` is the name of the known mistake, if it is one.

    Raises:
        ValueError: there is no such exercise.

    >>> diagnose("output_size", lambda size, kernel_size, stride, padding: size).passed
    False
    """
    if name not in EXERCISES:
        near = difflib.get_close_matches(str(name), EXERCISES, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"There is no exercise {name!r}.{hint} The exercises are {', '.join(EXERCISES)}."
        )
    return judge(EXERCISES[name], candidate)
