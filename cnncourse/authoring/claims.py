"""Numbers in prose against the results that they claim to be.

A marker follows its number and no reader sees it:

- ``93.1 %<!-- claim: topic.key -->`` is compared with ``cnncourse.results``;
- ``a rate of 0.5<!-- definition -->`` is a number that the course itself sets;
- ``0.8 %<!-- source: key -->`` is quoted from the source with that key among the references.

A percentage or a decimal with none of them is a finding. Free are code, formulas, links, and
the numbers of versions, sections and publications. Measuring belongs to ``measure`` and to the
commands that write results.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from cnncourse import results
from cnncourse.authoring import notebooks, prose
from cnncourse.authoring.notebooks import AuthoringError, Course, Finding

Lookup = Callable[[str], results.Measurement]

_THIN = "\u00a0\u2009\u202f"
_NUMBER = rf"(?:\d{{1,3}}(?:[ ,{_THIN}]\d{{3}})+|\d+)(?:\.\d+)?"
_SIGN = r"(?<![\w.,])(?:(?<!\d)[-−+])?"
_PERCENT = r"%|per cent|percent|percentage points?"

# How a printed unit reads: what it multiplies, and which units of the results it may show.
_SCALES: dict[str, tuple[str, frozenset[str]]] = {
    "thousand": ("1e3", frozenset({"count", "1", "bytes"})),
    "million": ("1e6", frozenset({"count", "1", "bytes"})),
    "billion": ("1e9", frozenset({"count", "1", "bytes"})),
    **dict.fromkeys(
        ("%", "per cent", "percent", "percentage point", "percentage points", "point", "points"),
        ("1e-2", frozenset({"fraction", "ratio"})),
    ),
    **dict.fromkeys(("times", "×", "fold"), ("1", frozenset({"ratio"}))),
    **dict.fromkeys(("bytes", "byte", "B"), ("1", frozenset({"bytes"}))),
    **dict.fromkeys(("kB", "KB"), ("1e3", frozenset({"bytes"}))),
    "MB": ("1e6", frozenset({"bytes"})),
    "GB": ("1e9", frozenset({"bytes"})),
    "KiB": ("1024", frozenset({"bytes"})),
    "MiB": ("1048576", frozenset({"bytes"})),
    **dict.fromkeys(("s", "second", "seconds"), ("1", frozenset({"s", "ms"}))),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), ("1e-3", frozenset({"s", "ms"}))),
    **dict.fromkeys(("µs", "μs", "microseconds"), ("1e-6", frozenset({"s", "ms"}))),
    **dict.fromkeys(("min", "minute", "minutes"), ("60", frozenset({"s", "ms"}))),
}
_UNIT = "|".join(sorted(map(re.escape, _SCALES), key=len, reverse=True))

_MARKER = re.compile(r"<!--\s*(claim|definition|source)\b\s*:?\s*([^\s>]*?)\s*-->")
_BEFORE = re.compile(rf"({_SIGN}{_NUMBER})(?:[ {_THIN}]?({_UNIT})(?![\w]))?[*_ )\]\"”]*$")
_LOOSE = re.compile(
    rf"(?<![\w.,])[-−+]?(?:\d[\d.,]*)?\d\s?(?:{_PERCENT})(?!\w)"  # 93.1 %, 93,1 %
    r"|(?<![\w.,])[-−+]?(?:\d{1,3}(?:,\d{3})+|\d+)\.\d+|(?<![\w.,])\.\d+"  # 0.5, 1,234.5, .5
)
_FREE = re.compile(
    r"\b(?:Python|Keras|TensorFlow|NumPy|Matplotlib|JAX|PyTorch|CUDA|Jupyter Book|JupyterLab|"
    r"Theano|CNTK|ONNX|LiteRT|Ubuntu|BY|BY-SA|CC0|version|release|[Ss]ections?|[Cc]hapters?|"
    r"[Ff]igures?|[Ee]quations?|[Tt]ables?|[Ll]essons?|[Pp]arts?|[Ss]teps?|CFF)"
    rf"[ {_THIN}\n](?:[<>=≥≤~]+ ?)?v?\d+\.\d+(?:\.\w+)*"
    r"(?:\s*(?:,|to|and|or|–|-)\s*\d+\.\d+(?:\.\w+)*)*"
    r"|\bv?\d+\.\d+\.\d+(?:\.\w+)*|\bv\d+\.\d+\b|\barXiv:\s*\d{4}\.\d+(?:v\d+)?"
    r"|\b(?:doi:\s*)?10\.\d{4,}/\S+"
)
_PERCENT_IN_FORMULA = re.compile(r"\d\s*\\%")


def check_text(
    text: str, name: str, cell: int, lookup: Lookup, sources: frozenset[str] = frozenset()
) -> list[Finding]:
    """Findings in one Markdown text.

    Args:
        text: the Markdown of a page or a cell.
        name: how findings call the file.
        cell: position of the cell, from 1; 0 for a page, whose findings then name the line.
        lookup: gives the measurement of a name, or raises KeyError.
        sources: keys that the references know.
    """
    findings = []
    for block in prose.blocks(text):
        for rule, message in _check_block(block, lookup, sources):
            place = message if cell else f"line {block.line}: {message}"
            findings.append(Finding(name, cell, rule, place))
    return findings


def _check_block(
    block: prose.Block, lookup: Lookup, sources: frozenset[str]
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    text, rest, at = block.text, [], 0
    for marker in _MARKER.finditer(text):
        before = text[at : marker.start()]
        kind, key = marker[1], marker[2]
        number = _BEFORE.search(before)
        if number is None:
            found.append(("marker", f"no number stands before {marker[0]}"))
        elif kind == "claim":
            message = _compare(number[1], number[2], key, lookup)
            if message:
                found.append(("claim", message))
        elif kind == "source" and key not in sources:
            found.append(("source", f"the references know no {key!r}"))
        rest.append(before[: number.start()] if number else before)
        at = marker.end()
    rest.append(text[at:])
    # Markers are cut out, so numbers to their left and right must not run together.
    remaining = _FREE.sub(prose.HIDDEN, prose.without_comments(prose.HIDDEN.join(rest)))
    if block.level:
        remaining = re.sub(r"^\d+(?:\.\d+)+\s", "", remaining)
    for loose in _LOOSE.finditer(remaining):
        found.append(("unmarked", f"{loose[0]!r} has no claim, source or definition"))
    found += [
        ("unmarked", f"a percentage hides in the formula {formula!r}")
        for formula in block.formulas
        if _PERCENT_IN_FORMULA.search(formula)
    ]
    return found


def _compare(number: str, unit: str | None, key: str, lookup: Lookup) -> str:
    try:
        measured = lookup(key)
    except KeyError as error:
        return f"claim {key!r}: {error.args[0]}"
    if unit is not None and measured.unit not in _SCALES[unit][1]:
        return f"claim {key}: printed in {unit!r}, but measured in {measured.unit!r}"
    value = _in_unit(measured, unit)
    if _differs(number, value):
        shown = f"{value:.6g}" + (f" {unit}" if unit else "")
        return f"claim {key}: printed {number}, measured {shown}"
    return ""


def _differs(number: str, value: Decimal) -> bool:
    printed = _plain(number)
    # Half of the last digit printed, so that either way of rounding a tie is right.
    return abs(printed - value) > _last_digit(printed) / 2


def _plain(number: str) -> Decimal:
    return Decimal(re.sub(rf"[ ,{_THIN}]", "", number).replace("−", "-").lstrip("+"))


def _last_digit(number: Decimal) -> Decimal:
    return Decimal(1).scaleb(int(number.as_tuple().exponent))


def _in_unit(measured: results.Measurement, unit: str | None) -> Decimal:
    """The measured value in the unit that is printed behind it."""
    scale = Decimal(_SCALES[unit][0]) if unit else Decimal(1)
    if unit and measured.unit == "ms":
        scale *= 1000
    return Decimal(repr(measured.value)) / scale


def renew_text(text: str, lookup: Lookup) -> str:
    """The Markdown with every claimed number that has drifted set to what was measured.

    A number keeps its decimals, its unit and the way its thousands are parted. A claim that
    cannot be looked up, or is printed in a unit that does not fit, stays as it is.
    """
    pieces, at = [], 0
    for marker in _MARKER.finditer(text):
        before = text[at : marker.start()]
        number = _BEFORE.search(before)
        if marker[1] == "claim" and number:
            start, end = number.span(1)
            before = (
                before[:start] + _renewed(number[1], number[2], marker[2], lookup) + before[end:]
            )
        pieces += [before, marker[0]]
        at = marker.end()
    return "".join(pieces) + text[at:]


def _renewed(number: str, unit: str | None, key: str, lookup: Lookup) -> str:
    try:
        measured = lookup(key)
    except KeyError:
        return number
    if unit is not None and measured.unit not in _SCALES[unit][1]:
        return number
    value = _in_unit(measured, unit)
    return _like(number, value) if _differs(number, value) else number


def _like(number: str, value: Decimal) -> str:
    """The value printed as a number was: decimals, parted thousands, minus sign."""
    digits = f"{value.quantize(_last_digit(_plain(number))):,f}"
    parted = re.search(rf"\d([ ,{_THIN}])\d{{3}}", number)
    digits = digits.replace(",", parted[1] if parted else "")
    return digits.replace("-", "−") if "−" in number else digits


def known_sources(course: Course) -> frozenset[str]:
    """Keys of the references page: MyST targets ``(key)=``, or entries of ``references.bib``."""
    keys: set[str] = set()
    for page in course.pages:
        if page.stem == "references":
            keys.update(re.findall(r"^\((\S+)\)=", page.read_text(encoding="utf-8"), re.MULTILINE))
    for bibliography in sorted((course.root / "book").rglob("*.bib")):
        entries = re.findall(r"^@\w+\{([^,\s]+),", bibliography.read_text(encoding="utf-8"), re.M)
        keys.update(entries)
    return frozenset(keys)


def claims(
    course: Course, paths: Sequence[Path] = (), *, lookup: Lookup = results.value
) -> list[Finding]:
    """Findings in the given pages and notebooks, or in all pages, lessons and solutions."""
    sources = known_sources(course)
    findings: list[Finding] = []
    for path in list(paths) or [*course.pages, *course.lessons, *course.solutions]:
        name = course.name(path)
        if path.suffix == ".md":
            text = path.read_text(encoding="utf-8")
            findings += check_text(text, name, 0, lookup, sources)
            continue
        try:
            notebook = notebooks.read(path)
        except AuthoringError as error:
            findings.append(Finding(name, 0, "readable", str(error)))
            continue
        for position, cell in enumerate(notebook.cells, start=1):
            if cell.cell_type == "markdown":
                findings += check_text(cell.source, name, position, lookup, sources)
    return findings


def renew(course: Course, paths: Sequence[Path] = (), *, lookup: Lookup = results.value) -> int:
    """Set every claimed number in the files to what was measured; return how many changed."""
    changed = 0
    for path in list(paths) or [*course.pages, *course.lessons, *course.solutions]:
        if path.suffix == ".md":
            text = path.read_text(encoding="utf-8")
            changed += notebooks.write_text(path, renew_text(text, lookup))
            continue
        notebook = notebooks.read(path)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = renew_text(cell.source, lookup)
        notebooks.normalise_cells(notebook)
        changed += notebooks.write(path, notebook)
    return changed
