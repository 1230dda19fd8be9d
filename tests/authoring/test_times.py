"""Times are measured, recorded, stated in the head, and rounded up."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from cnncourse import results
from cnncourse.authoring import execute, notebooks
from cnncourse.authoring.hygiene import hygiene
from cnncourse.authoring.notebooks import AuthoringError, Course
from cnncourse.authoring.times import times


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every notebook takes 12.3 seconds, and results go to an empty folder."""
    ticks = itertools.count(0, 12.3)
    monkeypatch.setattr("cnncourse.authoring.times.time.monotonic", lambda: next(ticks))
    monkeypatch.setattr(execute, "run", lambda notebook, name, label: notebook)
    monkeypatch.setattr(results, "FOLDER", tmp_path)


@pytest.mark.usefixtures("clock")
def test_the_time_lands_in_the_results_and_in_the_head(course: Course) -> None:
    (lesson,) = course.lessons
    before = notebooks.read(lesson)
    lines = times(course, course.lessons)
    assert "stated as 15 s" in lines[0]
    assert results.value(f"notebooks.{lesson.stem}").value == pytest.approx(12.3)
    assert results.value("notebooks.all_lessons").value == pytest.approx(12.3)
    after = notebooks.read(lesson)
    assert "Running time: 15 s" in after.cells[0].source
    assert before.cells[1:] == after.cells[1:]
    assert hygiene(course) == []


@pytest.mark.usefixtures("clock")
def test_a_lesson_that_is_not_run_keeps_its_time(course: Course) -> None:
    times(course, course.lessons)
    assert times(course, []) == ["all lessons: 12 s"]


@pytest.mark.usefixtures("clock")
def test_a_head_without_a_running_time_is_named(course: Course) -> None:
    (lesson,) = course.lessons
    notebook = notebooks.read(lesson)
    notebook.cells[0].source = notebook.cells[0].source.replace("Running time", "Duration")
    notebooks.write(lesson, notebook)
    with pytest.raises(AuthoringError, match="Running time: 20 s"):
        times(course, course.lessons)
