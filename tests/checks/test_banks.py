"""Every bank of misconceptions: each mistake gets its own hint, and none hides another."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from cnncourse.checks import EXERCISES, architecture, banks, diagnose, guards
from cnncourse.checks.engine import MOST_LINES, Bank, judge
from cnncourse.checks.form import Values

EVERY_MISTAKE = [
    pytest.param(exercise, mistake, id=f"{exercise.name}-{mistake.name}")
    for exercise in EXERCISES.values()
    for mistake in exercise.misconceptions
]


def _readings(exercise, function):
    return [exercise.reading(function, case) for case in exercise.inputs]


def _same(exercise, some, others):
    return all(exercise.form.agree(a, b) for a, b in zip(some, others, strict=True))


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_no_mistake_hides_another_or_passes_as_right(exercise):
    answers = {"the reference": _readings(exercise, exercise.reference)}
    for mistake in exercise.misconceptions:
        answers[mistake.name] = _readings(exercise, mistake.answer)
    twins = [
        (one, other)
        for one, other in itertools.permutations(answers, 2)
        if _same(exercise, answers[one], answers[other])
    ]
    assert twins == []


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_reference_is_read_without_complaint(exercise):
    for reading in _readings(exercise, exercise.reference):
        assert not reading.complaint
        assert not reading.remark


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_inputs_are_the_same_every_time(exercise):
    first, second = list(exercise.cases()), list(exercise.cases())
    assert len(first) == len(second) >= 2
    for one, other in zip(first, second, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_equal(a, b)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_each_exercise_knows_at_least_five_mistakes(exercise):
    names = [mistake.name for mistake in exercise.misconceptions]
    hints = [mistake.hint for mistake in exercise.misconceptions]
    assert len(set(names)) == len(names) >= 5
    assert len(set(hints)) == len(hints)


def test_at_least_a_hundred_mistakes_are_known():
    assert len(EVERY_MISTAKE) >= 100


def _handed_in(exercise, wrong):
    """A wrong implementation as a learner would hand it in: a network is a list of layers here."""
    if not isinstance(exercise.form, architecture.Architecture):
        return wrong
    return lambda *arguments: architecture.as_model(wrong(*arguments))


@pytest.mark.parametrize(("exercise", "mistake"), EVERY_MISTAKE)
def test_each_mistake_gets_its_own_hint(exercise, mistake):
    diagnosis = diagnose(exercise.name, _handed_in(exercise, mistake.answer))
    assert not diagnosis.passed
    assert diagnosis.misconception == mistake.name, diagnosis.message
    assert mistake.hint in diagnosis.message
    # Two more lines say where more help is.
    assert diagnosis.message.count("\n") + 1 + 2 <= MOST_LINES


def _is_easy(case):
    arrays = [one for one in case if isinstance(one, np.ndarray) and one.dtype.kind in "iuf"]
    small = sum(one.size for one in arrays) <= 16
    return small and all((one == np.rint(one)).all() for one in arrays)


def test_named_mistakes_are_shown_on_a_few_whole_numbers():
    """But for those that need more: probabilities, wrapping, a class with its variance."""
    hard, easy = [], 0
    for exercise in EXERCISES.values():
        if not isinstance(exercise.form, Values):
            continue
        for mistake in exercise.misconceptions:
            place = next(
                number
                for number, wanted in enumerate(exercise.wanted)
                if not exercise.form.agree(exercise.mistaken(mistake, number), wanted)
            )
            if _is_easy(exercise.inputs[place]):
                easy += 1
            else:
                hard.append((exercise.name, mistake.name))
    assert len(hard) < 0.1 * (len(hard) + easy), hard


def test_every_file_is_the_exercise_that_its_name_says():
    files = {path.stem for path in Path(banks.__file__).parent.glob("[!_]*.py")}
    assert files == set(EXERCISES)


def test_exercises_stand_in_the_order_of_their_lessons():
    lessons = [exercise.lesson for exercise in EXERCISES.values()]
    assert lessons == sorted(lessons)


def test_a_bank_that_has_been_read_takes_no_more_mistakes():
    bank = Bank("twice", "01", lambda number: 2 * number, lambda: [(1,), (2,)])
    bank.mistake("Once.", name="once")(lambda number: number)
    exercise = bank.freeze()
    assert [known.name for known in exercise.misconceptions] == ["once"]
    with pytest.raises(ValueError, match="read already"):
        bank.mistake("Three times.", name="thrice")(lambda number: 3 * number)


def test_answers_of_the_reference_and_the_bank_are_computed_once():
    asked = []

    def reference(number):
        asked.append(("reference", number))
        return 2 * number

    def once(number):
        asked.append(("once", number))
        return number

    bank = Bank("twice", "01", reference, lambda: [(1,), (2,)])
    bank.mistake("Once.")(once)
    exercise = bank.freeze()
    for candidate in (lambda number: number, lambda number: number + 3):
        judge(exercise, candidate)
    assert sorted(asked) == [("once", 1), ("once", 2), ("reference", 1), ("reference", 2)]


def test_the_reference_is_not_paid_for_by_the_learner(monkeypatch):
    inside = []
    run_guarded = guards.run_guarded

    def watched(work, *limit):
        inside.append(True)
        try:
            return run_guarded(work, *limit)
        finally:
            inside.pop()

    monkeypatch.setattr(guards, "run_guarded", watched)

    def reference(number):
        assert not inside
        return 2 * number

    bank = Bank("twice", "01", reference, lambda: [(1,), (2,)])
    bank.mistake("Once.", name="once")(lambda number: number if not inside else 1 / 0)
    assert judge(bank.freeze(), lambda number: number).misconception == "once"
