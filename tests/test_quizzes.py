"""The quizzes: questions that can be shown anywhere, and numbers judged in a browser."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from cnncourse import quizzes

LESSONS = sorted(path.stem for path in Path(quizzes.__file__).parent.glob("*.json"))


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_quiz_has_one_right_answer_to_each_question_and_a_reason_for_each(lesson: str) -> None:
    for question in quizzes.load(lesson):
        right = [answer for answer in question["answers"] if answer.get("correct")]
        assert len(right) == 1, question["question"]
        assert all(answer["feedback"] for answer in question["answers"])


def test_the_length_of_an_answer_does_not_give_it_away() -> None:
    longest, expected, variance = 0, 0.0, 0.0
    for lesson in LESSONS:
        for question in quizzes.load(lesson):
            if question["type"] != "multiple_choice":
                continue
            lengths = {answer["answer"]: len(answer["answer"]) for answer in question["answers"]}
            (right,) = (a["answer"] for a in question["answers"] if a["correct"])
            longest += all(lengths[right] > n for text, n in lengths.items() if text != right)
            chance = 1 / len(lengths)
            expected += chance
            variance += chance * (1 - chance)
    # By chance the right option is the longest in so many questions at most, 19 times in 20.
    assert longest <= expected + 1.64 * variance**0.5


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_quiz_gives_the_same_page_each_time_and_draws_no_random_number(lesson: str) -> None:
    state = random.getstate()
    assert quizzes.show(lesson)._repr_html_() == quizzes.show(lesson)._repr_html_()
    assert random.getstate() == state


def test_markup_and_code_in_a_question() -> None:
    answers = [
        {"answer": "`a<b`", "correct": True, "feedback": "1 < 2 & `c`"},
        {"answer": "no", "correct": False, "feedback": "5 > 4"},
    ]
    question = {"question": "Is `x` <b>?", "type": "multiple_choice", "answers": answers}
    shown = quizzes.Quiz("00", [question])._repr_html_()
    assert "<legend>Is <code>x</code> &lt;b&gt;?</legend>" in shown
    assert (
        "<summary><code>a&lt;b</code></summary><p><b>✓</b> 1 &lt; 2 &amp; <code>c</code>" in shown
    )
    assert "<script" not in shown


def test_an_unknown_quiz_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'99'; there are 01, 02"):
        quizzes.show("99")


@pytest.mark.browser
def test_a_typed_number_gets_the_answer_it_fits(browser) -> None:
    answers = [
        {"type": "value", "value": 12832, "correct": True, "feedback": "Right."},
        {"type": "value", "value": 832, "correct": False, "feedback": "One kernel a filter."},
        {"type": "value", "value": -0.75, "correct": False, "feedback": "Turned."},
        {"type": "range", "range": [3, 4], "correct": False, "feedback": "Halved."},
        {"type": "default", "feedback": "Count once more."},
    ]
    question = {"question": "How many?", "type": "numeric", "answers": answers}
    said = {
        "12,832": "✓ Right.",
        " 12832.0 ": "✓ Right.",
        "832": "✗ Not this one. One kernel a filter.",
        "−3/4": "✗ Not this one. Turned.",
        "3": "✗ Not this one. Halved.",
        "3.999": "✗ Not this one. Halved.",
        "4": "✗ Not this one. Halved.",
        "4.001": "✗ Not this one. Count once more.",
        "0": "✗ Not this one. Count once more.",
        **dict.fromkeys(
            ["", "many", "1/0", "1/2/3", "/", "12e400"], "Type a number, such as 12, 0.5 or 3/4."
        ),
    }
    page = browser.new_page()
    page.set_content(quizzes.Quiz("00", [question])._repr_html_())
    for typed, reaction in said.items():
        page.get_by_role("textbox").fill(typed)
        page.get_by_role("button", name="Check").click()
        assert page.locator("[aria-live]").inner_text().strip() == reaction, typed
