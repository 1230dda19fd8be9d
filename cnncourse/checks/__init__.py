"""One check for each exercise: it accepts every right answer and names the mistake in a wrong one.

Each exercise stands in a file of its own in ``banks``; how answers are judged stands in
``engine``, how the learner's code is kept in bounds in ``guards``, and what was passed before in
``progress``.
"""

from __future__ import annotations

import difflib
from typing import Any

from cnncourse.checks import banks, hints, progress
from cnncourse.checks.engine import Diagnosis, Exercise, Misconception, NotYet, judge

__all__ = [
    "EXERCISES",
    "Diagnosis",
    "Exercise",
    "Misconception",
    "NotYet",
    "check",
    "diagnose",
    "hint",
]

EXERCISES: dict[str, Exercise] = banks.read_all()
"""Every exercise by the name of its function."""


def check(name: str, candidate: Any) -> None:
    """Judge an answer; print one line of praise when it is right, and keep that it was.

    Args:
        name: of the exercise, a key of :data:`EXERCISES`.
        candidate: the learner's function. It is called with copies of small inputs, for at most
            five seconds in all, or sixty when it builds a model.

    Raises:
        NotYet: the answer is not right yet; the text says what it seems to do, what was wanted,
            and shows the smallest input on which they differ.
        ValueError: there is no such exercise.

    >>> check("relu", lambda inputs: (abs(inputs * 1.0) + inputs) / 2)
    relu: right on 10 inputs. Well done.
    """
    diagnosis = diagnose(name, candidate)
    if diagnosis.printed:
        print(f"On the input shown here your code printed:\n{diagnosis.printed.rstrip()}\n")
    if not diagnosis.passed:
        raise NotYet(f"{diagnosis.message}\n\n{hints.offer(name)}")
    progress.note(name)
    print(diagnosis.message)


def hint(name: str) -> None:
    """Print help with an exercise: one hint more each time it is called, never the solution.

    First the idea that is most often missing, then the place in the lesson, then the next step.

    Args:
        name: of the exercise, a key of :data:`EXERCISES`.

    Raises:
        ValueError: there is no such exercise.

    >>> hint("relu")
    1. The idea: Each number is judged by itself: above 0 it stays, else it becomes 0.
    <BLANKLINE>
    More: hint('relu') once more.
    """
    print(hints.next_hint(_exercise(name)))


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
    return judge(_exercise(name), candidate)


def _exercise(name: str) -> Exercise:
    if name not in EXERCISES:
        near = difflib.get_close_matches(str(name), EXERCISES, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"There is no exercise {name!r}.{hint} The exercises are {', '.join(EXERCISES)}."
        )
    return EXERCISES[name]
