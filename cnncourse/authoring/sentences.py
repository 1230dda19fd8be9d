"""Sentences that state something about measurements, each with what holds it true.

``sentences`` lists every sentence of a lesson that says *because*, *more than*, *most*, *only*,
*never* or *hardly*, with the assertions of the code cells beside it and the results that it
claims, so that a reviewer can walk the list. ``early_terms`` finds words that a lesson uses
before the lesson that defines them. Numbers in prose belong to :mod:`cnncourse.authoring.claims`.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cnncourse.authoring import notebooks, prose
from cnncourse.authoring.notebooks import AuthoringError, Course, Finding, Notebook

STRONG = re.compile(r"\b(because|more than|most|only|never|hardly)\b", re.IGNORECASE)
"""Words that state a cause, an order or an exception, and so need something that shows it."""

GLOSSARY = "book/glossary.md"

_END_OF_SENTENCE = re.compile(r"(?<=[.!?])[)\"”*]*\s+(?=[\"“(*]*[A-Z0-9`\ufffc])")
_CLAIM = re.compile(r"<!--\s*claim\s*:?\s*([^\s>]+)\s*-->")
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_LESSON = re.compile(r"\blessons?\s+(?:\[?\d|\ufffc)|\bnext lesson\b|\(\d\d-[\w-]+\.ipynb", re.I)


@dataclass(frozen=True)
class Sentence:
    """One sentence, where it stands, and what holds it.

    Attributes:
        cell: position of its cell, from 1.
        text: as a reader sees it; code, formulas and links as "…".
        assertions: of the code cells between it and the next text, above and below, as written.
        claims: names of the results that stand in it.
    """

    cell: int
    text: str
    assertions: tuple[str, ...]
    claims: tuple[str, ...]


def sentences(notebook: Notebook) -> Iterator[Sentence]:
    """The sentences with a strong word, in order, without the sources at the end."""
    cells = notebook.cells
    for place, cell in enumerate(cells):
        if cell.cell_type != "markdown":
            continue
        held = tuple(a for near in _code_beside(cells, place) for a in _assertions(near.source))
        for block in prose.blocks(cell.source.split("\n## Sources")[0]):
            for sentence in _END_OF_SENTENCE.split(block.text):
                seen = " ".join(prose.without_comments(sentence).replace(prose.HIDDEN, "…").split())
                if STRONG.search(seen):
                    yield Sentence(place + 1, seen, held, tuple(_CLAIM.findall(sentence)))


def _code_beside(cells: list[Notebook], place: int) -> list[Notebook]:
    """The code cells between this cell and the next text, above and below."""

    def is_code(cell: Notebook) -> bool:
        return cell.cell_type == "code"

    above = list(itertools.takewhile(is_code, reversed(cells[:place])))
    return [*reversed(above), *itertools.takewhile(is_code, cells[place + 1 :])]


def _assertions(source: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield " ".join((ast.get_source_segment(source, node) or "").split())


def listing(course: Course, paths: list[Path]) -> Iterator[str]:
    """What the command prints: each sentence, and below it what holds it."""
    for path in paths:
        found = list(sentences(notebooks.read(path)))
        for sentence in found:
            yield f"{course.name(path)}:cell {sentence.cell}: {sentence.text}"
            yield from (f"    {assertion}" for assertion in sentence.assertions)
            yield from (f"    claim: {claim}" for claim in sentence.claims)
            if not sentence.assertions and not sentence.claims:
                yield "    nothing beside it"
        bare = sum(not (sentence.assertions or sentence.claims) for sentence in found)
        yield f"{course.name(path)}: {len(found)} sentences, {bare} with nothing beside them."


# --- Terms and the lessons that define them ----------------------------------------------------


def glossary_terms(page: str) -> list[str]:
    """The terms of the glossary, in its order.

    >>> glossary_terms(":::{glossary}\\nbatch\\n: Several images.\\n:::")
    ['batch']
    """
    match = re.search(
        r"^(:{3,}|`{3,})\{glossary\}.*?\n(.*?)^\1\s*$", page, re.DOTALL | re.MULTILINE
    )
    lines = match[2].splitlines() if match else []
    return [line.strip() for line in lines if line.strip() and line[0] not in ": \t"]


def early_terms(course: Course) -> list[Finding]:
    """Terms of the glossary that no lesson defines, or that a lesson uses before they are defined.

    A lesson defines a term where it sets it in bold. An earlier paragraph may name the term if
    it names a lesson as well: then the reader knows where to look. What stands above the first
    section of a lesson, and its sources, are not read.

    Raises:
        AuthoringError: there is no glossary.
    """
    path = course.root / GLOSSARY
    if not path.is_file():
        raise AuthoringError(f"{GLOSSARY}: there is no such page.")
    terms = glossary_terms(path.read_text(encoding="utf-8"))
    lessons = [(course.name(lesson), _paragraphs(lesson)) for lesson in course.lessons]
    findings: dict[Finding, None] = {}  # a term twice in a cell is one finding
    for term in terms:
        forms = _forms(term)
        defined = next((n for n, (_, told) in enumerate(lessons) if _defines(told, forms)), None)
        if defined is None:
            findings[Finding(GLOSSARY, 0, "term", f"no lesson sets {term!r} in bold")] = None
            continue
        for name, paragraphs in lessons[:defined]:
            for cell, paragraph in paragraphs:
                if forms.search(paragraph) and not _LESSON.search(paragraph):
                    late = lessons[defined][0]
                    message = f"{term!r} is used here, and defined in {late}"
                    findings[Finding(name, cell, "term", message)] = None
    return list(findings)


def _forms(term: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, term.split()))
    return re.compile(rf"(?<![\w-]){words}(?:s|es)?(?![\w-])", re.IGNORECASE)


def _paragraphs(lesson: Path) -> list[tuple[int, str]]:
    cells = notebooks.read(lesson).cells
    texts = [(n, cell.source) for n, cell in enumerate(cells, 1) if cell.cell_type == "markdown"]
    return [
        (n, paragraph)
        for n, text in texts[1:]
        for paragraph in re.split(r"\n\s*\n", text.split("## Sources")[0])
    ]


def _defines(paragraphs: list[tuple[int, str]], forms: re.Pattern[str]) -> bool:
    return any(forms.search(bold) for _, text in paragraphs for bold in _BOLD.findall(text))
