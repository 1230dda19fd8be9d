"""The table of lessons on the landing page: made from what each lesson says at its head."""

from __future__ import annotations

import re

from cnncourse.authoring.generated import markdown_table, set_pieces
from cnncourse.authoring.notebooks import AuthoringError, Course, Finding, read

PAGE = "book/index.md"

_TITLE = re.compile(r"^# (\d\d) · (.+)$", re.MULTILINE)
_QUESTION = re.compile(r"^\*([^*]+\?)\*$", re.MULTILINE)
_TIMES = re.compile(r"Reading time: (\d+ min) · Running time: (\d+ s)")


def table(course: Course) -> str:
    """One row a lesson: number and title, question, reading time, running time.

    Raises:
        AuthoringError: a lesson's head lacks one of them.
    """
    rows = []
    for path in course.lessons:
        head = read(path).cells[0].source
        title, question, times = _TITLE.search(head), _QUESTION.search(head), _TIMES.search(head)
        if not (title and question and times):
            raise AuthoringError(
                f"{course.name(path)}: cell 1: wanted `# 01 · Title`, the question in italics on "
                "a line of its own, and `Reading time: 20 min · Running time: 5 s`."
            )
        link = f"[{title[1]} · {title[2]}](../{course.name(path)})"
        rows.append([link, question[1], times[1], times[2]])
    return markdown_table(["lesson", "its question", "reading", "running"], rows)


def contents(course: Course, *, check: bool = False) -> list[Finding]:
    """Write the table of lessons; with ``check`` compare it and write nothing.

    Raises:
        AuthoringError: the page lacks the marks, or a lesson its head.
    """
    return set_pieces(course, PAGE, {"lessons": table(course)}, command="contents", check=check)
