"""The course itself keeps its own rules: every notebook, page, number and address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cnncourse.authoring import notebooks
from cnncourse.authoring.badges import badges
from cnncourse.authoring.claims import claims
from cnncourse.authoring.contents import contents
from cnncourse.authoring.exercises import exercises
from cnncourse.authoring.hygiene import hygiene
from cnncourse.authoring.notebooks import Course
from cnncourse.authoring.sentences import early_terms
from cnncourse.authoring.tables import tables
from cnncourse.challenges import CHALLENGES


@pytest.fixture(scope="module")
def course() -> Course:
    return Course.find(Path(__file__).parent)


def test_each_lesson_and_each_challenge_has_a_solution_and_an_exercise(course: Course) -> None:
    lessons = {path.name for path in course.lessons}
    assert lessons
    wanted = lessons | {f"challenge-{name}.ipynb" for name in CHALLENGES}
    assert {path.name for path in course.solutions} == wanted
    assert {path.name for path in course.exercises} == wanted


def test_notebooks_and_pages_keep_the_rules(course: Course) -> None:
    assert list(map(str, hygiene(course))) == []


def test_numbers_in_prose_are_the_measured_ones(course: Course) -> None:
    assert list(map(str, claims(course))) == []


def test_exercises_are_what_the_solutions_give(course: Course, capsys) -> None:
    assert exercises(course, course.solutions, check=True) == 0, capsys.readouterr().out


def test_each_exercise_says_how_long_it_takes_and_each_solution_why(course: Course) -> None:
    for path in course.solutions:
        cells = notebooks.read(path).cells
        checked = [place for place, cell in enumerate(cells) if cell.source.startswith("check(")]
        for before, place in zip([0, *checked], checked, strict=False):
            text = "".join(cell.source for cell in cells[before:place])
            assert len(re.findall(r"\((About \d+|\d+ to \d+) minutes\.\)", text)) == 1, text
            assert "solution" in notebooks.tags(cells[place + 1]), cells[place].source


def test_each_exercise_shows_one_failing_check(course: Course) -> None:
    for path in course.exercises:
        texts = [cell.source for cell in notebooks.read(path).cells]
        if any(text.startswith("check(") for text in texts):
            assert sum(": not yet. " in text for text in texts) == 1, path


def test_one_published_address(course: Course) -> None:
    assert list(map(str, badges(course, check=True))) == []


def test_the_landing_page_lists_the_lessons_as_they_are(course: Course) -> None:
    assert list(map(str, contents(course, check=True))) == []


def test_the_tables_of_results_are_made_from_the_records(course: Course) -> None:
    assert list(map(str, tables(course, check=True))) == []


def test_no_term_is_used_before_the_lesson_that_defines_it(course: Course) -> None:
    assert list(map(str, early_terms(course))) == []
