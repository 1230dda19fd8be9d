"""The course itself keeps its own rules: every notebook, page, number and address."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnncourse.authoring.badges import badges
from cnncourse.authoring.claims import claims
from cnncourse.authoring.contents import contents
from cnncourse.authoring.exercises import exercises
from cnncourse.authoring.hygiene import hygiene
from cnncourse.authoring.notebooks import Course


@pytest.fixture(scope="module")
def course() -> Course:
    return Course.find(Path(__file__).parent)


def test_there_are_lessons_each_with_solution_and_exercise(course: Course) -> None:
    lessons = {path.name for path in course.lessons}
    assert lessons
    assert {path.name for path in course.solutions} == lessons
    assert {path.name for path in course.exercises} == lessons


def test_notebooks_and_pages_keep_the_rules(course: Course) -> None:
    assert list(map(str, hygiene(course))) == []


def test_numbers_in_prose_are_the_measured_ones(course: Course) -> None:
    assert list(map(str, claims(course))) == []


def test_exercises_are_what_the_solutions_give(course: Course, capsys) -> None:
    assert exercises(course, course.solutions, check=True) == 0, capsys.readouterr().out


def test_one_published_address(course: Course) -> None:
    assert list(map(str, badges(course, check=True))) == []


def test_the_landing_page_lists_the_lessons_as_they_are(course: Course) -> None:
    assert list(map(str, contents(course, check=True))) == []
