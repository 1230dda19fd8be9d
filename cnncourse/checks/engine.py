"""Judges an answer to an exercise, and says what went wrong.

What an exercise wants stands in ``lesson01`` and its neighbours as data: a reference, inputs and
a bank of misconceptions. How the learner's code is run safely stands in ``guards``.
"""

from __future__ import annotations

import copy
import dis
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cnncourse.checks import guards
from cnncourse.checks.forms import Reading, Values, describe, show


class NotYet(Exception):
    """An answer that is not right yet; its text is the hint."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the hint without the check's own calls above it."""
        return [str(self)]


@dataclass(frozen=True)
class Diagnosis:
    """The verdict on one answer.

    Attributes:
        passed: whether the answer is right on every input tried.
        misconception: the name of the known mistake that gives the same answers, if there is one.
        message: praise in one line, or the hint.
    """

    passed: bool
    misconception: str | None
    message: str


@dataclass(frozen=True)
class Misconception:
    """A mistake that people make: a wrong implementation, and the hint that belongs to it."""

    name: str
    hint: str
    answer: Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """One exercise as data.

    Attributes:
        name: the function that the learner writes.
        reference: a right answer; its argument names are the exercise's.
        cases: gives the inputs, each a tuple of arguments; the same ones every time.
        form: how answers are read and compared.
        misconceptions: known mistakes; no two give the same answers on all inputs.
    """

    name: str
    reference: Callable[..., Any]
    cases: Callable[[], Iterable[tuple[Any, ...]]]
    form: Any = field(default_factory=Values)
    misconceptions: list[Misconception] = field(default_factory=list)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the arguments, in order."""
        return tuple(inspect.signature(self.reference).parameters)

    def misconception(self, hint: str, *, name: str = "") -> Callable[[Callable], Callable]:
        """Decorator that enters a wrong implementation with its hint into the bank."""

        def enter(answer: Callable) -> Callable:
            self.misconceptions.append(Misconception(name or answer.__name__, hint, answer))
            return answer

        return enter

    def ordered_cases(self) -> list[tuple[Any, ...]]:
        """The inputs from the smallest to the largest."""
        return sorted(self.cases(), key=_size)

    def reading(self, function: Callable[..., Any], case: tuple[Any, ...]) -> Reading:
        """What the check understands of the answer that a function gives to an input."""
        with np.errstate(all="ignore"):
            return self.form.read(self.form.ask(function, copy.deepcopy(case)), case)


def judge(exercise: Exercise, candidate: Any) -> Diagnosis:
    """Judge one answer; never raises, whatever the candidate does.

    Args:
        exercise: what was asked.
        candidate: the learner's function, or whatever came in its place.

    Returns:
        The verdict.

    Raises:
        KeyboardInterrupt: the reader stopped the check.
    """
    exercise.form.prepare()
    trial = _Trial(exercise, candidate)
    run = guards.run_guarded(trial.judge, exercise.form.time_limit)
    if not run.finished:
        message = trial.out_of_time(run)
    elif run.error is not None:
        message = f"The answer could not be judged: {_error_text(run.error)}"
    elif run.value.passed:
        return run.value
    else:
        note = f"\nOn the way there was a warning: {run.warning}" if run.warning else ""
        return Diagnosis(False, run.value.misconception, run.value.message + note)
    return Diagnosis(False, None, f"{exercise.name}: not yet. {message}")


class _Complaint(Exception):
    """Ends a trial with a sentence."""


class _Trial:
    """One candidate's way through the inputs of one exercise."""

    def __init__(self, exercise: Exercise, candidate: Any) -> None:
        self.exercise = exercise
        self.candidate = candidate
        self.case: tuple[Any, ...] = ()

    def judge(self) -> Diagnosis:
        try:
            note = self._check_signature()
            tried = self._answers()
            known = self._first_mistake(tried)
        except _Complaint as complaint:
            return self._not_yet(str(complaint))
        if known is not None:
            return known
        count = f"{len(tried)} inputs" if len(tried) > 1 else "the input tried"
        return Diagnosis(True, None, f"{self.exercise.name}: right on {count}. Well done.{note}")

    def out_of_time(self, run: guards.Run) -> str:
        place = f" When time ran out it was at {run.stopped_at}." if run.stopped_at else ""
        text = (
            f"It did not come to an end within {self.exercise.form.time_limit:g} seconds, where "
            "the inputs are so small that one is plenty: look for a loop whose condition never "
            f"changes.{place}"
        )
        if run.left_behind:
            text += " It could not be stopped and still runs in the background: restart the kernel."
        return text + (f"\n\nThe input:\n{self._show_case(self.case)}" if self.case else "")

    def _check_signature(self) -> str:
        candidate, names = self.candidate, self.exercise.arguments
        wanted = f"{self.exercise.name}({', '.join(names)})"
        if isinstance(candidate, type):
            raise _Complaint(
                f"The check was given {describe(candidate)}; wanted is a function, {wanted}."
            )
        if not callable(candidate):
            raise _Complaint(
                f"The check was given {describe(candidate)}, which cannot be called; wanted is "
                f"the function itself, without parentheses behind its name: {wanted}."
            )
        try:
            signature = inspect.signature(candidate)
        except (ValueError, TypeError):
            return ""  # Some functions written in C have none.
        mine = [
            name
            for name, parameter in signature.parameters.items()
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        ]
        try:
            signature.bind(*names)
        except TypeError as error:
            taken = ", ".join(str(p) for p in signature.parameters.values()) or "nothing"
            raise _Complaint(
                f"Your function takes ({taken}); it will be called with {len(names)} arguments "
                f"in this order: {wanted}. Python says: {error}."
            ) from None
        mine = mine[: len(names)]
        if sorted(mine) == sorted(names) and mine != list(names):
            raise _Complaint(
                f"The arguments stand in another order: yours are ({', '.join(mine)}), and the "
                f"check calls {wanted} by position."
            )
        if len(mine) == len(names) and mine != list(names):
            return f" (Its arguments are called ({', '.join(mine)}) here; {wanted} in the lesson.)"
        return ""

    def _answers(self) -> list[tuple[tuple[Any, ...], Reading]]:
        """The answer to each input, up to the first one at which the code gives none."""
        cases = self.exercise.ordered_cases()
        tried: list[tuple[tuple[Any, ...], Reading]] = []
        for self.case in cases:
            try:
                tried.append((self.case, self._answer(self.case)))
            except _Complaint:
                # A wrong answer to a smaller input tells more than this one's failure.
                if self._first_mistake(tried) is None:
                    raise
                return tried
        if self.exercise.form.repeatable:
            for self.case, reading in tried:
                if not self.exercise.form.agree(self._answer(self.case), reading):
                    raise _Complaint(
                        "Called twice with the same input, it gave two different answers. All that "
                        "it needs comes in its arguments: no random numbers, and nothing kept from "
                        f"one call to the next.\n\nThe input:\n{self._show_case(self.case)}"
                    )
        return tried

    def _answer(self, case: tuple[Any, ...]) -> Reading:
        given = copy.deepcopy(case)
        try:
            answer = self.exercise.form.ask(self.candidate, given)
        except guards.OutOfTime:
            raise
        except BaseException as error:  # noqa: BLE001 - also sys.exit() and the like
            raise _Complaint(self._about_error(error)) from None
        for name, before, after in zip(self.exercise.arguments, case, given, strict=True):
            if not _unchanged(before, after):
                raise _Complaint(
                    f"It changed its argument `{name}`: whoever called the function finds other "
                    "values there afterwards. Assigning to an element, += on an array and methods "
                    "such as sort() and reverse() work in place; wanted is a new "
                    f"object.\n\n{show(f'{name} before', before)}\n{show(f'{name} after', after)}"
                )
        if answer is None or answer is Ellipsis or answer is NotImplemented:
            raise _Complaint(self._about_nothing(answer))
        reading = self.exercise.form.read(answer, case)
        if reading.complaint:
            raise _Complaint(f"{reading.complaint}\n\nThe input:\n{self._show_case(case)}")
        return reading

    def _about_nothing(self, answer: Any) -> str:
        code = getattr(self.candidate, "__code__", None)
        idle = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "POP_TOP"}
        if answer is not None or (code and {i.opname for i in dis.get_instructions(code)} <= idle):
            return "This function is not written yet: its body does nothing."
        return (
            "It returned None: on this input no `return` with a value was reached.\n\n"
            f"The input:\n{self._show_case(self.case)}"
        )

    def _about_error(self, error: BaseException) -> str:
        if isinstance(error, NotImplementedError):
            return "This function is not written yet: it raises NotImplementedError."
        place = guards.where(error.__traceback__)
        at = f" in {place}" if place else ""
        shown = f"\n\nThe input:\n{self._show_case(self.case)}"
        if isinstance(error, SystemExit):
            return f"It ended the whole program with exit(){at}; wanted is a `return`.{shown}"
        if isinstance(error, KeyboardInterrupt):
            return f"It raised KeyboardInterrupt{at}, which is kept for the stop button.{shown}"
        if isinstance(error, RecursionError):
            return f"It called itself without end{at}: no case stops the recursion.{shown}"
        return f"It stopped with an error{at}:\n{_error_text(error)}{shown}"

    def _first_mistake(self, tried: Sequence[tuple[tuple[Any, ...], Reading]]) -> Diagnosis | None:
        form, exercise = self.exercise.form, self.exercise
        for case, reading in tried:
            wanted = exercise.reading(exercise.reference, case)
            if not form.agree(reading, wanted):
                break
        else:
            remarks = [(case, reading.remark) for case, reading in tried if reading.remark]
            if not remarks:
                return None
            case, remark = remarks[0]
            return self._not_yet(f"{remark}\n\nThe input:\n{self._show_case(case)}")
        difference = (
            f"\n\nThe smallest input on which it shows:\n{self._show_case(case)}\n\n"
            f"{form.explain(reading, wanted)}"
        )
        # The input that tells this answer from a right one tells most mistakes apart, too.
        telling = sorted(tried, key=lambda pair: pair[0] is not case)
        for known in exercise.misconceptions:
            if all(form.agree(mine, exercise.reading(known.answer, one)) for one, mine in telling):
                return self._not_yet(known.hint + difference, known.name)
        text = reading.remark or (
            "The answer is not the wanted one, and this is none of the mistakes known by name."
        )
        return self._not_yet(text + difference)

    def _show_case(self, case: tuple[Any, ...]) -> str:
        return "\n".join(
            show(name, value) for name, value in zip(self.exercise.arguments, case, strict=True)
        )

    def _not_yet(self, text: str, misconception: str | None = None) -> Diagnosis:
        return Diagnosis(False, misconception, f"{self.exercise.name}: not yet. {text}")


def _size(value: Any) -> float:
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, tuple | list):
        return sum(_size(one) for one in value)
    return abs(value) if isinstance(value, int | float) else 0


def _unchanged(before: Any, after: Any) -> bool:
    if isinstance(before, np.ndarray):
        if not isinstance(after, np.ndarray):
            return False
        return before.dtype == after.dtype and np.array_equal(before, after, equal_nan=True)
    if isinstance(before, tuple | list):
        return len(before) == len(after) and all(map(_unchanged, before, after))
    return bool(before == after)


def _error_text(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an exception whose text cannot be had
        text = ""
    text = text if len(text) <= 300 else text[:300] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
