"""Who pastes a lesson's own code into its exercises passes one of them at most."""

from __future__ import annotations

import pytest
from pasting import functions, passed_by_pasting

from cnncourse.checks import EXERCISES, hints


@pytest.mark.parametrize("lesson", hints.LESSONS)
def test_at_most_one_exercise_of_a_lesson_is_answered_by_its_code(lesson):
    passed = passed_by_pasting(lesson)
    assert len(passed) <= 1, passed


def test_pasted_code_is_found_under_other_names_and_in_another_order():
    assert functions("02")["correlate_loops"]
    assert passed_by_pasting("02") == {"correlate2d": "correlate_loops"}
    assert passed_by_pasting("04") == {"batch_norm_inference": "normalize"}


def test_each_lesson_has_an_exercise_that_its_code_does_not_answer():
    for lesson in hints.LESSONS:
        of_it = {exercise.name for exercise in EXERCISES.values() if exercise.lesson == lesson}
        assert of_it - set(passed_by_pasting(lesson)), lesson
