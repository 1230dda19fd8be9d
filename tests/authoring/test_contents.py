"""The landing page's table of lessons says what the lessons say, and drift is found."""

from __future__ import annotations

import pytest

from cnncourse.authoring import notebooks
from cnncourse.authoring.contents import contents, table
from cnncourse.authoring.notebooks import AuthoringError, Course

HEAD = "# 01 · Pixels\n\n*What is a pixel?*\n\nlink · Reading time: 20 min · Running time: 5 s"
MARKS = "<!-- lessons: begin -->\n<!-- lessons: end -->"
ROW = "| [01 · Pixels](../notebooks/01-pixels.ipynb) | What is a pixel? | 20 min | 5 s |"


@pytest.fixture
def headed(course: Course) -> Course:
    lesson = course.lessons[0]
    notebook = notebooks.read(lesson)
    notebook.cells[0].source = HEAD
    notebooks.write(lesson, notebook)
    page = course.root / "book" / "index.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text(f"# Course\n\n{MARKS}\n\nThe end.\n", encoding="utf-8")
    return course


def test_a_row_holds_title_question_and_times(headed: Course) -> None:
    assert table(headed).splitlines()[2:] == [ROW]


def test_the_table_is_written_between_the_marks_and_then_found_right(headed: Course) -> None:
    assert [finding.rule for finding in contents(headed, check=True)] == ["contents"]
    assert contents(headed) == []
    page = (headed.root / "book" / "index.md").read_text(encoding="utf-8")
    assert ROW in page
    assert page.startswith("# Course\n")
    assert page.endswith("The end.\n")
    assert contents(headed, check=True) == []


def test_a_changed_lesson_is_found(headed: Course) -> None:
    contents(headed)
    notebook = notebooks.read(headed.lessons[0])
    notebook.cells[0].source = HEAD.replace("5 s", "6 s")
    notebooks.write(headed.lessons[0], notebook)
    assert len(contents(headed, check=True)) == 1


@pytest.mark.parametrize("missing", ["01 · ", "*", "Reading time"])
def test_a_head_that_lacks_a_part_is_refused(headed: Course, missing: str) -> None:
    notebook = notebooks.read(headed.lessons[0])
    notebook.cells[0].source = HEAD.replace(missing, "")
    notebooks.write(headed.lessons[0], notebook)
    with pytest.raises(AuthoringError, match=r"01-pixels.ipynb: cell 1"):
        table(headed)


def test_a_page_without_marks_is_refused(headed: Course) -> None:
    (headed.root / "book" / "index.md").write_text("# Course\n", encoding="utf-8")
    with pytest.raises(AuthoringError, match="lessons: begin"):
        contents(headed)
