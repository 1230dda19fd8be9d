"""Answers that were written before any bank existed are judged as the specification would."""

from __future__ import annotations

import blind_fifth
import blind_fifth_sealed
import blind_fourth
import blind_fourth_sealed
import blind_second
import blind_third
import blind_third_sealed
import pytest
from blind_answers import ANSWERS
from blind_labels import MISLABELLED, is_right

from cnncourse.checks import diagnose


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.function.__name__)
def test_a_blind_answer_is_judged_rightly(answer):
    diagnosis = diagnose(answer.exercise, answer.function)
    assert diagnosis.passed == is_right(answer), diagnosis.message


def test_each_wrong_label_belongs_to_an_answer():
    later = (
        blind_second,
        blind_third,
        blind_third_sealed,
        blind_fourth,
        blind_fourth_sealed,
        blind_fifth,
        blind_fifth_sealed,
    )
    collections = ANSWERS, *(module.ANSWERS for module in later)
    names = {answer.function.__name__ for answers in collections for answer in answers}
    assert set(MISLABELLED) <= names
