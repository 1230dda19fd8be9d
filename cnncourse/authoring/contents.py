"""The table of lessons on the landing page: made from what each lesson says at its head.

Only the lines between the two marks are written; the rest of the page belongs to its author.
"""

from __future__ import annotations

import re

from cnncourse.authoring.notebooks import AuthoringError, Course, Finding, read, write_text

PAGE = "book/index.md"
BEGIN, END = "<!-- lessons: begin -->", "<!-- lessons: end -->"

_TITLE = re.compile(r"^# (\d\d) · (.+)$", re.MULTILINE)
_QUESTION = re.compile(r"^\*([^*]+\?)\*$", re.MULTILINE)
_TIMES = re.compile(r"Reading time: (\d+ min) · Running time: (\d+ s)")


def table(course: Course) -> str:
    """One row a lesson: number and title, question, reading time, running time.

    Raises:
        AuthoringError: a lesson's head lacks one of them.
    """
    rows = ["| lesson | its question | reading | running |", "|---|---|---|---|"]
    for path in course.lessons:
        head = read(path).cells[0].source
        found = [pattern.search(head) for pattern in (_TITLE, _QUESTION, _TIMES)]
        if not all(found):
            raise AuthoringError(
                f"{course.name(path)}: cell 1: wanted `# 01 · Title`, the question in italics on "
                "a line of its own, and `Reading time: 20 min · Running time: 5 s`."
            )
        title, question, times = found
        link = f"[{title[1]} · {title[2]}](../{course.name(path)})"
        rows.append(f"| {link} | {question[1]} | {times[1]} | {times[2]} |")
    return "\n".join(rows)


def contents(course: Course, *, check: bool = False) -> list[Finding]:
    """Write the table of lessons; with ``check`` compare it and write nothing.

    Raises:
        AuthoringError: the page lacks the marks, or a lesson its head.
    """
    path = course.root / PAGE
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise AuthoringError(f"{PAGE}: wanted the lines {BEGIN} and {END}.")
    wanted = f"{before}{BEGIN}\n{table(course)}\n{END}{after}"
    if wanted == text:
        return []
    if check:
        return [Finding(PAGE, 0, "contents", "differs from the lessons: run `contents`.")]
    write_text(path, wanted)
    return []
