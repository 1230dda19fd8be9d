"""Judges an answer to an exercise, and says what went wrong.

What an exercise wants stands in ``banks`` as data, one exercise a file: a reference, inputs and
the mistakes that people make. How answers are read and compared stands in ``form``, and how the
learner's code is run safely in ``guards``.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import dis
import functools
import inspect
import io
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from cnncourse.checks import conditions, guards, relations
from cnncourse.checks.form import (
    Difference,
    Form,
    NoAnswer,
    Reading,
    Values,
    alike,
    counted,
    describe,
    show,
)
from cnncourse.checks.relations import Case, Finding, Setting, Tried

Answer = TypeVar("Answer", bound=Callable[..., Any])

MOST_LINES = 25
"""A message is never longer."""

# Left for what is added at the end: a warning, and where more help is to be had.
_SPARE_LINES = 3

# How many lines an array may fill: as many as leave the message short enough.
_LINES = (12, 6, 4, 2)

# Seconds for the learner's code on one input that is changed to confirm a condition.
_PROBE_LIMIT = 1.0

# Seconds that the search for a relation may take. It calls the reference with arguments that no
# text announces, and ends without one rather than never.
_SEARCH_LIMIT = 3.0


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
        kind: what the message rests on: ``"right"``, a known ``"mistake"``, a ``"relation"`` or
            a ``"condition"`` that has been found to hold, a ``"part"`` that is wrong, a
            ``"complaint"`` (an error, a wrong type, no answer), or ``"unknown"``.
        printed: what the learner's code printed for the input that is shown.
    """

    passed: bool
    misconception: str | None
    message: str
    kind: str = "unknown"
    printed: str = ""


@dataclass(frozen=True)
class Misconception:
    """A mistake that people make: a wrong implementation, and the hint that belongs to it."""

    name: str
    hint: str
    answer: Callable[..., Any]


@dataclass(frozen=True)
class Help:
    """What is given on request, one after the other, and never the solution.

    Attributes:
        idea: the one that is most often missing.
        section: how the lesson's heading begins under which it is explained.
        step: the next one, in words.
    """

    idea: str
    section: str
    step: str


@dataclass(frozen=True, eq=False)
class Exercise:
    """One exercise as data, which nobody changes any more.

    Its inputs, the wanted answers and those of the known mistakes are computed once.

    Attributes:
        name: the function that the learner writes.
        lesson: number of the lesson that the exercise belongs to, as its file begins: ``"03"``.
        reference: a right answer; its argument names are the exercise's.
        form: how answers are read and compared.
        axes: what stands along the axes of each array, a letter of ``relations.AXES`` for each.
        misconceptions: known mistakes; no two give the same answers on all inputs.
        help: what is given on request.
    """

    name: str
    lesson: str
    reference: Callable[..., Any]
    cases: Callable[[], Iterable[Case]]
    form: Form
    axes: Mapping[str, str]
    misconceptions: tuple[Misconception, ...]
    help: Help | None = None

    @functools.cached_property
    def arguments(self) -> tuple[str, ...]:
        """The names of the arguments, in order."""
        return tuple(inspect.signature(self.reference).parameters)

    @functools.cached_property
    def inputs(self) -> tuple[Case, ...]:
        """The inputs, each a tuple of arguments, from the easiest to read to the hardest."""
        return tuple(sorted(self.cases(), key=_effort))

    @functools.cached_property
    def wanted(self) -> tuple[Reading, ...]:
        """The right answer to each of the inputs."""
        return tuple(self.reading(self.reference, case) for case in self.inputs)

    def mistaken(self, known: Misconception, place: int) -> Reading:
        """What a known mistake answers to the input at a place of ``inputs``."""
        if (known.name, place) not in self._mistaken:
            self._mistaken[known.name, place] = self.reading(known.answer, self.inputs[place])
        return self._mistaken[known.name, place]

    @functools.cached_property
    def setting(self) -> Setting:
        """What relations and conditions need to know."""

        def reference(case: Case) -> list[np.ndarray] | None:
            return self.reading(self.reference, case).parts

        labels = getattr(self.form, "labels", ("answer",))
        return Setting(reference, self.arguments, labels, self.axes, self.inputs)

    @functools.cached_property
    def _mistaken(self) -> dict[tuple[str, int], Reading]:
        return {}

    def prepare(self) -> None:
        """Compute all that must not count as the learner's time."""
        self.form.prepare()
        _ = self.wanted

    def reading(self, function: Callable[..., Any], case: Case) -> Reading:
        """What the check understands of the answer that one of its own functions gives."""
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.form.read(function, copy.deepcopy(case))


class Bank:
    """Gathers one exercise and the mistakes that people make in it, until it is frozen.

    Args:
        name: the function that the learner writes.
        lesson: number of the lesson, as its file begins.
        reference: a right answer; its argument names are the exercise's.
        cases: gives the inputs, each a tuple of arguments; the same ones every time.
        form: how answers are read and compared.
        axes: what stands along the axes of an argument or an answer, by its name: a letter of
            :data:`~cnncourse.checks.relations.AXES` for each. Axes with one letter have one length.
    """

    def __init__(
        self,
        name: str,
        lesson: str,
        reference: Callable[..., Any],
        cases: Callable[[], Iterable[Case]],
        form: Form | None = None,
        *,
        axes: Mapping[str, str] | None = None,
    ) -> None:
        self.reference = reference
        self._about = (name, lesson, reference, cases, form or Values(), axes or {})
        self._mistakes: list[Misconception] = []
        self._help: Help | None = None
        self._exercise: Exercise | None = None

    def mistake(self, hint: str, *, name: str = "") -> Callable[[Answer], Answer]:
        """Decorator that enters a wrong implementation with its hint, named as the function is."""

        def enter(answer: Answer) -> Answer:
            if self._exercise is not None:
                raise ValueError(f"The bank of {self._about[0]} is read already.")
            self._mistakes.append(Misconception(name or answer.__name__, hint, answer))
            return answer

        return enter

    def help(self, *, idea: str, section: str, step: str) -> None:
        """Say what is given on request; see :class:`Help`."""
        self._help = Help(idea, section, step)

    def freeze(self) -> Exercise:
        """The exercise; from now on no mistake can be added."""
        if self._exercise is None:
            self._exercise = Exercise(*self._about, tuple(self._mistakes), self._help)
        return self._exercise


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
    exercise.prepare()
    trial = _Trial(exercise, candidate)
    run = guards.run_guarded(trial.ask, exercise.form.time_limit)
    if not run.finished:
        return trial.not_yet(trial.out_of_time(run), "complaint")
    if run.error is not None:
        return trial.not_yet(
            f"The answer could not be judged: {_error_text(run.error)}", "complaint"
        )
    diagnosis = trial.verdict()
    if diagnosis.passed or not run.warning:
        return diagnosis
    warned = f"{diagnosis.message}\nOn the way there was a warning: {run.warning}"
    return dataclasses.replace(diagnosis, message=warned)


class _Page(io.TextIOBase):
    """Keeps what is printed, up to a limit."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._left = guards.PRINT_LIMIT

    def write(self, text: str) -> int:
        if self._left > 0:
            self._kept.append(text[: self._left])
            self._left -= len(text)
        return len(text)

    def text(self) -> str:
        """What was printed, and where it was cut."""
        return "".join(self._kept) + ("\n… (the rest is left out)\n" if self._left <= 0 else "")


class _Complaint(Exception):
    """Ends a trial with a sentence."""


class _Trial:
    """One candidate's way through the inputs of one exercise."""

    def __init__(self, exercise: Exercise, candidate: Any) -> None:
        self.exercise = exercise
        self.candidate = candidate
        self.case: Case = ()
        self.answers: list[Reading] = []
        self.printed: list[str] = []
        self.complaint = ""
        self.unsteady = False
        self.note = ""

    def ask(self) -> None:
        """Let the learner's code answer every input.

        The first input at which it gives no answer ends this, where it was right before. Where it
        was wrong, what is said of that must hold on the inputs behind, too.
        """
        try:
            self.note = self._check_signature()
            for place, case in enumerate(self.exercise.inputs):
                self.answers.append(self._answer_in_any_case(case))
                if self.complaint and all(self._is_right(one) for one in range(place)):
                    self.answers.pop()
                    return
            if self.exercise.form.repeatable and not self.complaint:
                self._ask_again()
        except _Complaint as complaint:
            self.complaint = str(complaint)

    def _answer_in_any_case(self, case: Case) -> Reading:
        """The answer, or in its place the complaint; the first one is kept."""
        try:
            return self._answer(case)
        except _Complaint as complaint:
            self.complaint = self.complaint or str(complaint)
            return Reading(complaint=str(complaint))

    def _is_right(self, place: int) -> bool:
        mine = self.answers[place]
        agree = self.exercise.form.agree
        return not mine.complaint and agree(mine, self.exercise.wanted[place])

    def verdict(self) -> Diagnosis:
        """What the answers amount to; a wrong one tells more than a later input's failure."""
        wrong = None if self.unsteady else self._about_a_wrong_answer()
        if wrong is not None:
            return wrong
        if self.complaint:
            return self.not_yet(self.complaint + self._how_far(), "complaint", len(self.answers))
        count = f"{len(self.answers)} inputs"
        name = self.exercise.name
        message = f"{name}: right on {count}. Well done.{self.note}"
        return Diagnosis(True, None, message, "right", self._printed(0))

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

    def _ask_again(self) -> None:
        for case, reading in zip(self.exercise.inputs, self.answers, strict=True):
            if not self.exercise.form.agree(self._answer(case), reading):
                self.unsteady = True
                raise _Complaint(
                    "Called twice with the same input, it gave two different answers. All that "
                    "it needs comes in its arguments: no random numbers, and nothing kept from "
                    f"one call to the next.\n\nThe input:\n{self._show_case(case)}"
                )

    def _answer(self, case: Case) -> Reading:
        self.case, given = case, copy.deepcopy(case)
        nothing, printed = None, _Page()
        self.printed.append("")
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                reading = self.exercise.form.read(self.candidate, given)
        except guards.OutOfTime:
            raise
        except NoAnswer as answer:
            nothing = answer
        except BaseException as error:  # noqa: BLE001 - also sys.exit() and the like
            raise _Complaint(self._about_error(error)) from None
        finally:
            self.printed[-1] = printed.text()
        for name, before, after in zip(self.exercise.arguments, case, given, strict=True):
            if not _unchanged(before, after):
                raise _Complaint(
                    f"It changed its argument `{name}`: whoever called the function finds other "
                    "values there afterwards. Assigning to an element, += on an array and methods "
                    "such as sort() and reverse() work in place; wanted is a new "
                    f"object.\n\n{show(f'{name} before', before)}\n{show(f'{name} after', after)}"
                )
        if nothing is not None:
            raise _Complaint(self._about_nothing(nothing.answer))
        if reading.complaint:
            raise _Complaint(f"{reading.complaint}\n\nThe input:\n{self._show_case(case)}")
        return reading

    def _about_nothing(self, answer: Any) -> str:
        code = getattr(self.candidate, "__code__", None)
        idle = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "POP_TOP"}
        if answer is not None or (code and {i.opname for i in dis.get_instructions(code)} <= idle):
            return "This function is not written yet: its body does nothing."
        return (
            "It returned None: on this input no `return` was reached, or what stands behind it "
            "gives None, as methods do that change something in place (`list.sort`, "
            f"`model.compile`).\n\nThe input:\n{self._show_case(self.case)}"
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

    def _about_a_wrong_answer(self) -> Diagnosis | None:
        """The verdict on the first wrong answer, or on one of a wrong type; None if all are right.

        The answers are ordered as the inputs are, and may be fewer.
        """
        form, exercise = self.exercise.form, self.exercise
        right = [self._is_right(place) for place in range(len(self.answers))]
        if all(right):
            return self._about_a_type()
        place = right.index(False)
        known = self._known_mistake(right, place)
        if known is not None:
            text = _paragraphs(known.hint, self._failures())
            return self._shown(text, "mistake", place, known.name)
        mine, wanted = self.answers[place], exercise.wanted[place]
        if form.numbers(wanted) is None:
            return self._shown("", "relation", place)
        finding = self._finding(right)
        count = self._count(right, finding)
        if finding is not None:
            text = "\n".join(one for one in (mine.remark, finding.text) if one)
            return self._shown(_paragraphs(text, count), finding.kind, place)
        text = mine.remark or (
            "The answer is not the wanted one, and this is none of the mistakes known by name."
        )
        return self._shown(
            _paragraphs(text, count), "complaint" if mine.remark else "unknown", place
        )

    def _about_a_type(self) -> Diagnosis | None:
        for place, mine in enumerate(self.answers):
            if mine.remark:
                shown = (
                    f"{mine.remark}\n\nThe input:\n{self._show_case(self.exercise.inputs[place])}"
                )
                return self.not_yet(shown, "complaint", place)
        return None

    def _known_mistake(self, right: Sequence[bool], place: int) -> Misconception | None:
        """The known mistake that gives these very answers."""
        # The input that tells this answer from a right one tells most mistakes apart, too.
        telling = sorted(self._answered(), key=lambda one: one != place)
        if len(telling) < len(right) and not relations.is_evidence(
            [one for one in self._tried(right) if not one.right]
        ):
            return None  # a few answers before an error are those of many a mistake
        for known in self.exercise.misconceptions:
            if all(self._mistaken_alike(known, one) for one in telling):
                return known
        return None

    def _mistaken_alike(self, known: Misconception, place: int) -> bool:
        exercise = self.exercise
        return exercise.form.agree(self.answers[place], exercise.mistaken(known, place))

    def _finding(self, right: Sequence[bool]) -> Finding | None:
        """What can be said for certain of an answer that no known mistake gives."""
        setting = self.exercise.setting
        tried = self._tried(right)
        seen = relations.Seen()
        relation = _in_time(lambda: relations.find(setting, tried, seen))
        if relation is not None and relation.everywhere:
            return relation
        by_parts = _in_time(lambda: self._by_parts(tried, seen))
        if by_parts is not None and by_parts.everywhere:
            return by_parts
        relation = relation or by_parts
        condition = conditions.find(setting, self._tried_cases(right), self._probe)
        if relation is not None:
            return _together(relation, condition)
        parts = conditions.parts(setting, tried)
        mostly = self._mostly(right)
        if mostly is not None:
            return _together(mostly, condition or parts)
        if condition is not None:
            return _together(condition, parts)
        return _in_time(lambda: relations.find_but_for_one(setting, tried, seen)) or parts

    def _answered(self) -> list[int]:
        """The inputs on which there is an answer."""
        return [place for place, mine in enumerate(self.answers) if not mine.complaint]

    def _tried(self, right: Sequence[bool]) -> list[Tried]:
        """The inputs on which there is an answer, with the answers."""
        inputs, wanted = self.exercise.inputs, self.exercise.wanted
        if self.exercise.form.numbers(wanted[0]) is None:
            return []
        return [
            Tried(
                inputs[place],
                self.answers[place].parts,
                [part.astype(float) for part in wanted[place].parts],
                right[place],
            )
            for place in self._answered()
        ]

    def _by_parts(self, tried: Sequence[Tried], seen: relations.Seen) -> Finding | None:
        """For each wrong part of the answer a known mistake or a relation of its own."""
        setting = self.exercise.setting
        if len(setting.labels) < 2:
            return None
        sentences, unexplained, right = [], [], []
        for number, label in enumerate(setting.labels):
            alone = relations.of_part(setting, number)
            own = [
                dataclasses.replace(
                    one,
                    mine=one.mine[number : number + 1],
                    wanted=one.wanted[number : number + 1],
                    right=alike(one.mine[number], one.wanted[number]),
                )
                for one in tried
            ]
            if all(one.right for one in own):
                right.append(label)
                continue
            hint = self._mistake_in_part(number, own)
            if not hint:
                finding = relations.find(alone, own, seen)
                hint = finding.text if finding else ""
            if hint:
                sentences.append(f"`{label}`: {hint}")
            else:
                unexplained.append(label)
        if not sentences:
            return None
        for labels, said in ((unexplained, "wrong, too"), (right, "right")):
            sentences += relations.verdict_on(labels, said)
        return Finding("relation", "\n".join(sentences), everywhere=not unexplained)

    def _mistake_in_part(self, number: int, own: Sequence[Tried]) -> str:
        """The hint of a known mistake that gives this part, and every other one right."""
        if not relations.is_evidence([one for one in own if not one.right]):
            return ""
        exercise = self.exercise
        for known in exercise.misconceptions:
            for place, one in zip(self._answered(), own, strict=True):
                given, wanted = exercise.mistaken(known, place).parts, exercise.wanted[place].parts
                if given is None or len(given) != len(wanted):
                    break
                like = [*wanted[:number], one.mine[0], *wanted[number + 1 :]]
                if not all(map(alike, given, like)):
                    break
            else:
                return known.hint
        return ""

    def _mostly(self, right: Sequence[bool]) -> Finding | None:
        """A known mistake that gives most of the wrong answers."""
        wrong = [place for place in self._answered() if not right[place]]
        found: tuple[list[int], str] = ([], "")
        for known in self.exercise.misconceptions:
            # No more inputs than it takes to see that this one falls short.
            needed = max(2, int(np.ceil(2 / 3 * len(wrong))), len(found[0]) + 1)
            places: list[int] = []
            for number, place in enumerate(wrong):
                if len(places) + len(wrong) - number < needed:
                    break
                if self._mistaken_alike(known, place):
                    places.append(place)
            if len(places) >= needed:
                found = places, known.hint
        places, hint = found
        if not places:
            return None
        answers = dict(zip(self._answered(), self._tried(right), strict=True))
        if not relations.is_evidence([answers[place] for place in places]):
            return None
        others = "; on the others something else happens" if len(places) < len(wrong) else ""
        return Finding(
            "relation",
            f"On {len(places)} of the {len(wrong)} inputs that come out wrong, this describes "
            f"it{others}. {hint}",
        )

    def _probe(self, case: Case) -> bool | None:
        """Whether the learner's code is right on an input made of one of the exercise's."""
        exercise = self.exercise

        def solve() -> Reading:
            with np.errstate(divide="raise", invalid="raise"), warnings.catch_warnings():
                warnings.simplefilter("error")
                return exercise.form.read(exercise.reference, copy.deepcopy(case))

        solved = guards.run_guarded(solve, _PROBE_LIMIT)
        if not solved.finished or solved.error is not None:
            return None  # the reference refuses an input that does not fit together
        wanted = solved.value
        if wanted.parts is None or not all(np.isfinite(one).all() for one in wanted.parts):
            return None

        def ask() -> Reading:
            with contextlib.redirect_stdout(_Page()), np.errstate(all="ignore"):
                return exercise.form.read(self.candidate, copy.deepcopy(case))

        run = guards.run_guarded(ask, _PROBE_LIMIT)
        return run.finished and run.error is None and exercise.form.agree(run.value, wanted)

    def _count(self, right: Sequence[bool], finding: Finding | None) -> str:
        """On how many inputs the answer is right, and what the first wrong one has of its own."""
        failures = self._failures()
        if not any(right):
            return failures
        said = ""
        if finding is None:
            tried = self._tried_cases(right)
            said = conditions.first_with(self.exercise.setting, tried, self._probe)
        own = f"; the first wrong one would come out right, but for this: {said}" if said else ""
        count = f"Right on {sum(right)} of {len(right)} inputs{own}."
        return f"{count} {failures}".rstrip()

    def _failures(self) -> str:
        """On how many inputs there is no answer, where others have a wrong one."""
        failed = len(self.answers) - len(self._answered())
        if not failed:
            return ""
        first = next(mine.complaint for mine in self.answers if mine.complaint)
        said = first.partition("\n\n")[0].replace("\n", " ")
        return f"On {counted(failed, 'input')} there was no answer. {said}"

    def _how_far(self) -> str:
        """What the input has of its own at which the code stopped after it had been right."""
        if not self.answers or self.unsteady:
            return ""
        tried = self._tried_cases([*[True] * len(self.answers), False])
        said = conditions.first_with(self.exercise.setting, tried, self._probe)
        before = counted(len(self.answers), "input")
        own = f", and would come out right, but for this: {said}" if said else ""
        return f"\n\nThis input comes after {before} on which it was right{own}."

    def _tried_cases(self, right: Sequence[bool]) -> list[Tried]:
        inputs = self.exercise.inputs
        return [Tried(case, [], [], good) for case, good in zip(inputs, right, strict=False)]

    def _shown(self, text: str, kind: str, place: int, name: str | None = None) -> Diagnosis:
        """A verdict with the input at a place and the answers to it, in as many lines as fit."""
        exercise = self.exercise
        case = exercise.inputs[place]
        for most in _LINES:
            difference = exercise.form.explain(self.answers[place], exercise.wanted[place], most)
            shown = self._show_case(case, most, difference)
            shown = f"The smallest input on which it shows:\n{shown}"
            # Without a hint the difference itself is what is to be said.
            order = (text, shown, difference.text) if text else (difference.text, shown)
            message = _paragraphs(*order)
            if message.count("\n") < MOST_LINES - _SPARE_LINES:
                break
        return self.not_yet(message, kind, place, name)

    def _show_case(self, case: Case, most: int = 6, difference: Difference | None = None) -> str:
        lines = []
        for name, value in zip(self.exercise.arguments, case, strict=True):
            around: tuple[int, ...] = ()
            if difference is not None and np.shape(value) == difference.shape:
                around = difference.index
            lines.append(show(name, value, most=most, around=around))
        return "\n".join(lines)

    def _printed(self, place: int) -> str:
        return self.printed[place] if place < len(self.printed) else ""

    def not_yet(
        self, text: str, kind: str, place: int = 0, misconception: str | None = None
    ) -> Diagnosis:
        """A verdict of wrong."""
        name = self.exercise.name
        message = f"{name}: not yet. {text}"
        return Diagnosis(False, misconception, message, kind, self._printed(place))


def _in_time(search: Callable[[], Finding | None]) -> Finding | None:
    """What a search finds within its time."""
    run = guards.run_guarded(search, _SEARCH_LIMIT)
    if run.error is not None:
        raise run.error
    return run.value if run.finished else None


def _together(one: Finding | None, other: Finding | None) -> Finding | None:
    """Two findings as one."""
    if one is None or other is None:
        return one or other
    return Finding(one.kind, f"{one.text}\n{other.text}")


def _paragraphs(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text)


def _effort(case: Case) -> float:
    """How hard an input is to read: a large one is, and one with fractions."""
    fractions = any(
        isinstance(one, np.ndarray) and one.dtype.kind == "f" and (one != np.rint(one)).any()
        for one in case
    )
    return _size(case) + 16 * fractions


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
