"""Pieces of pages that are made, not written: what stands between two marks.

``<!-- NAME: begin -->`` and ``<!-- NAME: end -->`` stand around each, alone on their lines; the
rest of the page belongs to its author. What is put there, ``contents`` and ``tables`` know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cnncourse.authoring.notebooks import AuthoringError, Course, Finding, write_text


def set_pieces(
    course: Course, page: str, pieces: Mapping[str, str], *, command: str, check: bool
) -> list[Finding]:
    """Put each piece between its marks; with ``check`` compare and write nothing.

    Args:
        course: the course.
        page: the page's path from the root.
        pieces: text by the name in the marks.
        command: what writes them, for the findings.
        check: compare only.

    Returns:
        A finding for each piece that differs; none after writing.

    Raises:
        AuthoringError: the page lacks the marks of a piece.
    """
    path = course.root / page
    before = text = path.read_text(encoding="utf-8")
    findings = []
    for name, piece in pieces.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        head, found, rest = text.partition(begin)
        old, closed, tail = rest.partition(end)
        if not (found and closed):
            raise AuthoringError(f"{page}: wanted the lines {begin.strip()} and {end}.")
        if old != f"{piece}\n":
            message = f"{name}: not what it is made from: run `{command}`."
            findings.append(Finding(page, 0, command, message))
        text = f"{head}{begin}{piece}\n{end}{tail}"
    if check:
        return findings
    if text != before:
        write_text(path, text)
    return []


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown.

    >>> print(markdown_table(["a", "b"], [["1", "2"]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    lines = [head, *rows]
    text = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([text[0], "|" + "---|" * len(head), *text[1:]])
