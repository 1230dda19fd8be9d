"""Every bank of misconceptions: each mistake gets its own hint, and none hides another."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from cnncourse.checks import EXERCISES, diagnose

EVERY_MISTAKE = [
    pytest.param(exercise, mistake, id=f"{exercise.name}-{mistake.name}")
    for exercise in EXERCISES.values()
    for mistake in exercise.misconceptions
]


def _readings(exercise, function):
    return [exercise.reading(function, case) for case in exercise.ordered_cases()]


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
    first, second = exercise.ordered_cases(), exercise.ordered_cases()
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


@pytest.mark.parametrize(("exercise", "mistake"), EVERY_MISTAKE)
def test_each_mistake_gets_its_own_hint(exercise, mistake):
    wrong = exercise.form.as_candidate(mistake.answer)
    diagnosis = diagnose(exercise.name, wrong)
    assert not diagnosis.passed
    assert diagnosis.misconception == mistake.name, diagnosis.message
    assert mistake.hint in diagnosis.message
