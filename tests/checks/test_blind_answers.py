"""Answers that were written before any bank existed are judged as their authors meant them."""

from __future__ import annotations

import pytest
from blind_answers import ANSWERS

from cnncourse.checks import diagnose


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.function.__name__)
def test_a_blind_answer_is_judged_rightly(answer):
    diagnosis = diagnose(answer.exercise, answer.function)
    assert diagnosis.passed == answer.right, diagnosis.message
