"""What every notebook and page must look like, as a list of rules.

Each rule is data in :data:`RULES`: a name, what it applies to, what it demands, and a function
that yields what breaks it. Numbers in prose belong to :mod:`cnncourse.authoring.claims`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cnncourse.authoring import bootstrap, notebooks, prose
from cnncourse.authoring.notebooks import AuthoringError, Course, Finding, Notebook

LONGEST_LESSON = 300
LONGEST_CELL = 20
SHORTEST_ALT = 20

KNOWN_TAGS = {
    "check",
    "hide-cell",
    "hide-input",
    "hide-output",
    "nbval-ignore-output",
    "parameters",
    "remove-cell",
    "remove-input",
    "remove-output",
    "solution",
}
"""Tags that a tool of the course reads; ``nbval-skip`` is none, because it hides a cell."""

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_PATH = re.compile(
    r"(?<![\w./:-])/(?:home|root|tmp|Users|work|mnt|media|var|opt|content|private)/[\w.-]"
    r"|\b[A-Z]:\\{1,2}\w"
)
_HOST = re.compile(
    r"\blocalhost\b|\b127\.0\.0\.1\b|\b192\.168\.\d+\.\d+\b|\bfile://"
    r"|\b[\w-]+\.(?:internal|local|lan|corp)\b|--(?:extra-)?index-url|\bartifactory\b",
    re.IGNORECASE,
)
_WORDS = re.compile(r"\b(simply|just|obviously|easy)\b", re.IGNORECASE)
_INTERNAL = re.compile(
    r"\b(TODO|FIXME|XXX|TBD|DESIGN\.md|CURRICULUM\.md|STYLE\.md|EXERCISES\.md)\b"
    r"|\blorem ipsum\b"
)
_MYST = re.compile(
    r"^\s*(?:`{3,}|~{3,})\s*\{|^\s*:{3,}|\{[a-z][\w:-]*\}`|^\(\S+\)=\s*$", re.MULTILINE
)
_EMPTY_ALT = re.compile(r"\s*(?:(?:an?|the)\s+)?(figure|image|picture|plot of|graph of)\b", re.I)
_READING = re.compile(
    r"\bread(?:ing)?\b[^.\n]{0,30}?\d+\s*min|\b\d+\s*min(?:utes)?\b[^.\n]{0,15}\bread", re.I
)
_RUNNING = re.compile(
    r"\brun(?:ning|s)?\b[^.\n]{0,30}?\d+\s*(?:s|min)|\b\d+\s*(?:s|sec|min)\w*\b[^.\n]{0,15}\brun",
    re.I,
)

Findings = Iterator[tuple[int, str]]
"""Position of the cell, from 1 (0 for the file), and what is wrong there."""


@dataclass(frozen=True)
class Document:
    """A notebook or a page, with what the rules ask of it."""

    course: Course
    path: Path
    kind: str
    notebook: Notebook = None
    page: str = ""

    @property
    def code(self) -> list[tuple[int, Notebook]]:
        """The code cells with their positions."""
        cells = self.notebook.cells if self.notebook else []
        return [(n, cell) for n, cell in enumerate(cells, 1) if cell.cell_type == "code"]

    @property
    def markdown(self) -> list[tuple[int, str]]:
        """The Markdown with the positions of its cells; a page is one cell numbered 0."""
        if self.notebook is None:
            return [(0, self.page)]
        cells = enumerate(self.notebook.cells, 1)
        return [(n, cell.source) for n, cell in cells if cell.cell_type == "markdown"]

    @cached_property
    def blocks(self) -> list[tuple[int, prose.Block]]:
        return [(n, block) for n, text in self.markdown for block in prose.blocks(text)]

    @property
    def printed(self) -> Iterator[tuple[int, str]]:
        """Text that outputs show; the quiz widget's scripts are not read by anyone."""
        for position, cell in self.code:
            for output in cell.outputs:
                texts = [output.get("text", "")]
                texts += [
                    text
                    for kind, text in output.get("data", {}).items()
                    if kind in ("text/plain", "text/html", "text/markdown", "text/latex")
                    and not ("html" in kind and "<script" in text)
                ]
                yield from ((position, text) for text in texts if text)


def _executed(document: Document) -> Findings:
    for wanted, (position, cell) in enumerate(document.code, start=1):
        if cell.execution_count != wanted:
            yield position, f"execution count is {cell.execution_count}, wanted {wanted}"


def _cleared(document: Document) -> Findings:
    for position, cell in document.code:
        if cell.outputs or cell.execution_count is not None:
            yield position, "an exercise holds an output or a count"


def _no_error(document: Document) -> Findings:
    for position, cell in document.code:
        for output in cell.outputs:
            if output.output_type == "error":
                yield position, f"{output.ename}: {output.evalue}"


def _no_stderr(document: Document) -> Findings:
    for position, cell in document.code:
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                yield position, f"stderr holds {output.text.strip()[:60]!r}"


def _search(pattern: re.Pattern[str], texts: Iterator[tuple[int, str]], what: str) -> Findings:
    for position, text in texts:
        if match := pattern.search(text):
            shown = text[match.start() : match.end() + 30].splitlines()[0]
            yield position, f"{what}: {shown!r}"


def _all_text(document: Document) -> Iterator[tuple[int, str]]:
    yield from document.markdown
    yield from ((position, cell.source) for position, cell in document.code)
    yield from document.printed


def _no_address(document: Document) -> Findings:
    yield from _search(_ADDRESS, document.printed, "an output shows a memory address")


def _no_path(document: Document) -> Findings:
    yield from _search(_PATH, _all_text(document), "a path of one machine")


def _no_host(document: Document) -> Findings:
    yield from _search(_HOST, _all_text(document), "a host that readers do not have")


def _in_contents(document: Document) -> Findings:
    name = document.course.name(document.path).removesuffix(".ipynb").removesuffix(".md")
    if name not in document.course.contents:
        yield 0, f"_toc.yml does not name {name}"


def _first_cell(document: Document) -> Findings:
    wanted = bootstrap.cell_text(document.course.repository)
    position, source = next(((n, cell.source) for n, cell in document.code), (0, ""))
    if source != wanted:
        yield position, "the first code cell is not the common one; run the command badges"


def _length(document: Document) -> Findings:
    lines = sum(bool(line.strip()) for _, cell in document.code for line in cell.source.split("\n"))
    if lines > LONGEST_LESSON:
        yield 0, f"{lines} lines of code, wanted at most {LONGEST_LESSON}"


def _cell_length(document: Document) -> Findings:
    for position, cell in document.code:
        lines = len(cell.source.splitlines())
        if lines > LONGEST_CELL:
            yield position, f"{lines} lines, wanted at most {LONGEST_CELL}"


def _no_semicolon(document: Document) -> Findings:
    for position, cell in document.code:
        code = [line.split("  #")[0].rstrip() for line in cell.source.splitlines()]
        code = [line for line in code if line and not line.lstrip().startswith("#")]
        if code and code[-1].endswith(";"):
            yield position, f"a semicolon keeps the cell quiet: {code[-1]!r}"


def _alt_fault(alt: str) -> str:
    if len(alt.strip()) < SHORTEST_ALT:
        return f"alternative text {alt!r} is shorter than {SHORTEST_ALT} characters"
    if _EMPTY_ALT.match(alt):
        return f"alternative text {alt!r} says that it is a figure; say what it shows"
    return ""


def _alternative_text(document: Document) -> Findings:
    for position, cell in document.code:
        if any(kind.startswith("image/") for o in cell.outputs for kind in o.get("data", {})):
            render = cell.metadata.get("mystnb", {})
            if fault := _alt_fault(str(render.get("image", {}).get("alt", ""))):
                yield position, f"metadata mystnb.image.alt: {fault}"
    for position, block in document.blocks:
        for address, alt in block.images:
            if fault := _alt_fault(alt):
                yield position, f"image {address}: {fault}"


def _no_myst(document: Document) -> Findings:
    yield from _search(_MYST, iter(document.markdown), "MyST markup, raw in Colab and Jupyter")


def _no_remote(document: Document) -> Findings:
    pattern = re.compile(r"""!\[[^\]]*\]\(\s*<?https?:|<[^>]*\bsrc\s*=\s*["']?(?:https?:)?//""")
    yield from _search(pattern, iter(document.markdown), "the page would ask another host")


def _times(document: Document) -> Findings:
    head = "\n".join(text for position, text in document.markdown if position <= 2)
    if not _READING.search(head):
        yield 1, "no reading time; write 'Reading time: 20 min' in the header line"
    if not _RUNNING.search(head):
        yield 1, "no running time; write 'Running time: 30 s' in the header line"


def _words(document: Document) -> Findings:
    for position, block in document.blocks:
        for match in _WORDS.finditer(prose.without_comments(block.text)):
            yield position, f"{match[0]!r} tells readers that the fault is theirs"


def _no_internal(document: Document) -> Findings:
    yield from _search(_INTERNAL, _all_text(document), "a word from the workshop")


def _title(document: Document) -> Findings:
    titles = [position for position, block in document.blocks if block.level == 1]
    first = document.blocks[0] if document.blocks else None
    start = 1 if document.notebook is not None else 0
    if first is None or first[1].level != 1 or first[0] != start:
        yield start, "does not begin with its title, a heading of level 1"
    for position in titles[1:]:
        yield position, "a second heading of level 1"


def _headings(document: Document) -> Findings:
    previous = 0
    for position, block in document.blocks:
        if block.level:
            if previous and block.level > previous + 1:
                yield position, f"{block.text!r}: level {block.level} follows level {previous}"
            previous = block.level


def _known_tags(document: Document) -> Findings:
    for position, cell in enumerate(document.notebook.cells, start=1):
        for tag in sorted(set(notebooks.tags(cell)) - KNOWN_TAGS):
            yield position, f"unknown tag {tag!r}; known are {', '.join(sorted(KNOWN_TAGS))}"


def _normal_form(document: Document) -> Findings:
    normal = copy.deepcopy(document.notebook)
    notebooks.normalise_cells(normal)
    pairs = zip(document.notebook.cells, normal.cells, strict=True)
    for position, (cell, wanted) in enumerate(pairs, start=1):
        if cell != wanted:
            yield position, "edited since it was run; run the command execute"
    if document.notebook.metadata != normal.metadata:
        yield 0, "metadata of a tool; run the command execute"


RUN = ("lesson", "solution")
NOTEBOOK = ("lesson", "solution", "exercise")
EVERYTHING = (*NOTEBOOK, "page")


@dataclass(frozen=True)
class Rule:
    """One demand: on which kinds of document, in one sentence, and what finds the breaches."""

    name: str
    kinds: tuple[str, ...]
    demand: str
    find: Callable[[Document], Findings]


RULES = (
    Rule("executed", RUN, "Every code cell was run, with counts 1 to n.", _executed),
    Rule("cleared", ("exercise",), "An exercise holds no outputs.", _cleared),
    Rule("no-error", RUN, "No output is an error.", _no_error),
    Rule("no-stderr", RUN, "Nothing was written to stderr.", _no_stderr),
    Rule("no-address", RUN, "No output shows a memory address.", _no_address),
    Rule("no-path", EVERYTHING, "No path of one machine stands anywhere.", _no_path),
    Rule("no-host", NOTEBOOK, "No host stands anywhere that readers lack.", _no_host),
    Rule("in-contents", EVERYTHING, "The table of contents names it.", _in_contents),
    Rule("first-cell", NOTEBOOK, "The first code cell is the common one.", _first_cell),
    Rule("length", ("lesson",), f"At most {LONGEST_LESSON} lines of code.", _length),
    Rule("cell-length", ("lesson",), f"At most {LONGEST_CELL} lines a cell.", _cell_length),
    Rule("no-semicolon", NOTEBOOK, "No semicolon keeps a cell quiet.", _no_semicolon),
    Rule("alternative-text", EVERYTHING, "Each picture says what it shows.", _alternative_text),
    Rule("no-myst", NOTEBOOK, "Markdown in notebooks is CommonMark.", _no_myst),
    Rule("no-remote", EVERYTHING, "No picture comes from another host.", _no_remote),
    Rule("times", ("lesson",), "The head states reading and running time.", _times),
    Rule("words", EVERYTHING, "Never simply, just, obviously, easy.", _words),
    Rule("no-internal", EVERYTHING, "No word from the workshop.", _no_internal),
    Rule("title", EVERYTHING, "One title, at the top.", _title),
    Rule("headings", EVERYTHING, "Headings do not skip a level.", _headings),
    Rule("known-tags", NOTEBOOK, "Every tag is one that a tool reads.", _known_tags),
    Rule("normal-form", RUN, "As the command execute wrote it.", _normal_form),
)


def check_document(document: Document) -> list[Finding]:
    """What breaks a rule in one notebook or page."""
    name = document.course.name(document.path)
    return [
        Finding(name, position, rule.name, message)
        for rule in RULES
        if document.kind in rule.kinds
        for position, message in rule.find(document)
    ]


def check_contents(course: Course) -> list[Finding]:
    """Entries of the table of contents that have no file, or stand there twice."""
    findings = []
    for number, entry in enumerate(course.contents):
        if not any((course.root / f"{entry}{ending}").is_file() for ending in (".ipynb", ".md")):
            findings.append(Finding("_toc.yml", 0, "contents", f"{entry}: there is no such file"))
        if entry in course.contents[:number]:
            findings.append(Finding("_toc.yml", 0, "contents", f"{entry}: stands there twice"))
    return findings


def document(course: Course, path: Path) -> Document:
    """A notebook or page read for the rules; its folder says of which kind it is."""
    if path.suffix == ".md":
        return Document(course, path, "page", page=path.read_text(encoding="utf-8"))
    return Document(course, path, notebooks.kind(path), notebook=notebooks.read(path))


def hygiene(course: Course, paths: Sequence[Path] = ()) -> list[Finding]:
    """All findings in the given files; without paths in the whole course, contents included."""
    from tqdm import tqdm

    findings = [] if paths else check_contents(course)
    book = [path for path in course.pages if path.parent != course.root]
    everything = [*course.lessons, *course.solutions, *course.exercises, *book]
    for path in tqdm(list(paths) or everything, desc="Hygiene", leave=False, disable=None):
        try:
            findings += check_document(document(course, path))
        except AuthoringError as error:
            findings.append(Finding(course.name(path), 0, "readable", str(error)))
    return sorted(findings)
