"""Claims: what agrees passes; drift, a missing marker and an unknown key do not."""

from __future__ import annotations

import pytest

from cnncourse import results
from cnncourse.authoring import notebooks
from cnncourse.authoring.claims import check_text, claims, renew, renew_text
from cnncourse.authoring.notebooks import Course

MEASURED = {
    "net.accuracy": (0.93149, "fraction"),
    "net.spread": (0.0021, "fraction"),
    "net.parameters": (642_410, "count"),
    "net.seconds": (0.01234, "s"),
    "net.milliseconds": (12.34, "ms"),
    "net.speedup": (3.46, "ratio"),
    "net.size": (2_621_440, "bytes"),
    "net.loss": (-0.25, "1"),
    "net.v1.hits": (1863, "count"),
}


def lookup(name: str) -> results.Measurement:
    if name not in MEASURED:
        raise KeyError(f"there is no {name}")
    value, unit = MEASURED[name]
    return results.Measurement(value, unit, 0, {})


def rules(text: str) -> list[str]:
    findings = check_text(text, "page.md", 0, lookup, frozenset({"lecun1998"}))
    return [finding.rule for finding in findings]


@pytest.mark.parametrize(
    "text",
    [
        "It reaches 93.1 %<!-- claim: net.accuracy -->.",
        "It reaches 93.15%<!-- claim: net.accuracy --> here.",
        "It reaches **93 %**<!-- claim: net.accuracy -->.",
        "It reaches 93.1 per cent<!--claim: net.accuracy-->.",
        "It reaches 0.931<!-- claim: net.accuracy -->.",
        "93.1 %<!-- claim: net.accuracy --> ± 0.2 percentage points<!-- claim: net.spread -->",
        "It holds 642,410<!-- claim: net.parameters --> numbers.",
        "It holds 642 410<!-- claim: net.parameters --> numbers.",
        "It holds 642\u202f410<!-- claim: net.parameters --> numbers.",
        "It holds 642410<!-- claim: net.parameters --> numbers.",
        "It holds 0.64 million<!-- claim: net.parameters --> numbers.",
        "It holds 642 thousand<!-- claim: net.parameters --> numbers.",
        "It takes 12.3 ms<!-- claim: net.seconds -->.",
        "It takes 0.012 s<!-- claim: net.seconds -->.",
        "It takes 12.3 ms<!-- claim: net.milliseconds -->.",
        "It takes 0.0123 s<!-- claim: net.milliseconds -->.",
        "It is 3.5 times<!-- claim: net.speedup --> as fast.",
        "It is 3.5×<!-- claim: net.speedup --> as fast.",
        "It weighs 2.6 MB<!-- claim: net.size --> or 2.5 MiB<!-- claim: net.size -->.",
        "It ends at −0.25<!-- claim: net.loss -->.",
        "It hits 1,863<!-- claim: net.v1.hits -->.",
        "| net | hits |\n|---|---|\n| a | 93.1 %<!-- claim: net.accuracy --> |",
        "```{note}\nIt reaches 93.1 %<!-- claim: net.accuracy -->.\n```",
    ],
)
def test_a_number_that_agrees_passes(text: str) -> None:
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "It reaches 93.2 %<!-- claim: net.accuracy -->.",
        "It reaches 93.14 %<!-- claim: net.accuracy -->.",
        "It reaches 0.93 %<!-- claim: net.accuracy -->.",
        "It holds 642,411<!-- claim: net.parameters --> numbers.",
        "It takes 12.4 ms<!-- claim: net.seconds -->.",
        "It takes 12.34 s<!-- claim: net.milliseconds -->.",
        "It ends at 0.25<!-- claim: net.loss -->.",
        "It weighs 2.6 MiB<!-- claim: net.size -->.",
        "| hits |\n|---|\n| 94 %<!-- claim: net.accuracy --> |",
        "It takes 64 %<!-- claim: net.parameters -->.",
        "It takes 93 ms<!-- claim: net.accuracy -->.",
        "It reaches 93.1 %<!-- claim: net.unknown -->.",
        "It reaches 93.1 %<!-- claim: nowhere -->.",
        "::: {note}\nIt reaches 90 %<!-- claim: net.accuracy -->.\n:::",
    ],
)
def test_drift_a_wrong_unit_and_an_unknown_key_fail(text: str) -> None:
    assert rules(text) == ["claim"]


@pytest.mark.parametrize(
    "text",
    [
        "It reaches 93.1 %.",
        "It reaches 93%.",
        "It reaches 93,1 %.",
        "It reaches 93 per cent.",
        "It takes 0.5 seconds.",
        "The loss is .25 here.",
        "About 1,234.5 of them.",
        "# It reaches 93.1 %",
        "> It reaches 93.1 %.",
        "- It reaches 93.1 %.",
        "| hits |\n|---|\n| 93.1 % |",
        "<p>It reaches 93.1 %.</p>",
        "```{tip}\n:class: x\nIt reaches 93.1 %.\n```",
        ":::{admonition} It reaches 93.1 %\nYes.\n:::",
        "````{note}\n```{tip}\n93.1 %\n```\n````",
        "It reaches $93.1\\%$.",
        "$$\n93.1 \\%\n$$",
        "A rate of 0.5<!-- definition --> to 0.9.",
        "A rate of 0.9 to 0.5<!-- definition -->.",
        "In 0.5 <!-- a plain comment --> words.",
    ],
)
def test_a_percentage_or_decimal_without_a_marker_fails(text: str) -> None:
    assert rules(text) == ["unmarked"]


@pytest.mark.parametrize(
    "text",
    [
        "Dropout at a rate of 0.5<!-- definition --> drops half.",
        "It was 99.2 %<!-- source: lecun1998 --> then.",
        "Call `dropout(0.5)`, or\n\n```python\nrate = 0.5\n```\n",
        "```{code-block} python\nrate = 0.5\n```",
        "The factor is $0.5$, and\n\n$$ \\frac{0.5}{2} $$\n",
        "See [table 0.5](https://example.org/0.5) and <https://example.org/1.5>.",
        "Python 3.11 to 3.13, Keras 3.13, NumPy ≥ 2.1, release 1.0.4 and v1.2.",
        "CC BY 4.0, arXiv:1502.03167, doi:10.1109/5.726791.",
        "Section 2.3 and Figure 1.2.",
        "## 2.1 Padding",
        "10,000 images of 28 × 28 pixels, 64 filters, in 2017.",
        "(part-1.5)=\n## Padding",
        "<div style='width: 50%; margin: 0.5em'>\n\nText.\n\n</div>",
        ":::{card}\n:width: 0.5\nText.\n:::",
        "---\nversion: 0.5\n---\n\n# Title",
        "![A square with sides of half a unit](a.png)",
    ],
)
def test_definitions_sources_and_what_is_no_prose_pass(text: str) -> None:
    assert rules(text) == []


def test_a_marker_without_a_number_fails() -> None:
    assert rules("It is good<!-- claim: net.accuracy -->.") == ["marker"]
    assert rules("93.1 % of images<!-- claim: net.accuracy -->.") == ["marker", "unmarked"]


def test_a_source_that_the_references_lack_fails() -> None:
    assert rules("It was 99.2 %<!-- source: nobody1900 -->.") == ["source"]


def test_the_message_names_both_numbers_and_the_line() -> None:
    text = "# Title\n\nFirst.\n\nIt reaches 94 %<!-- claim: net.accuracy -->."
    (finding,) = check_text(text, "page.md", 0, lookup)
    assert str(finding) == (
        "page.md: claim: line 5: claim net.accuracy: printed 94, measured 93.149 %"
    )


def test_pages_and_notebooks_are_read(course: Course) -> None:
    assert claims(course, lookup=lookup) == []
    (course.root / "README.md").write_text("# Course\n\nIt reaches 93.1 %.\n")
    (course.root / "book/index.md").write_text("# Hello\n\n9 %<!-- claim: net.accuracy -->\n")
    for path in (*course.lessons, *course.solutions):
        notebook = notebooks.read(path)
        notebook.cells[0].source += "\n\nIt takes 0.5 s and 99 %<!-- source: lecun1998 -->."
        notebooks.write(path, notebook)
    found = {
        (finding.path, finding.cell, finding.rule) for finding in claims(course, lookup=lookup)
    }
    assert found == {
        ("README.md", 0, "unmarked"),
        ("book/index.md", 0, "claim"),
        ("notebooks/01-pixels.ipynb", 1, "unmarked"),
        ("notebooks/solutions/01-pixels.ipynb", 1, "unmarked"),
    }


def test_the_recorded_results_are_what_is_looked_up(course: Course, tmp_path, monkeypatch) -> None:
    values = {"accuracy": {"value": 0.5, "unit": "fraction"}}
    results.record("net", values, command="measure", folder=tmp_path)
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    page = course.root / "README.md"
    page.write_text("# Course\n\n50 %<!-- claim: net.accuracy -->\n", encoding="utf-8")
    assert claims(course, [page]) == []
    values["accuracy"]["value"] = 0.6
    results.record("net", values, command="measure", folder=tmp_path)
    assert [finding.rule for finding in claims(course, [page])] == ["claim"]
    page.write_text("# Course\n\n50 %<!-- claim: net.other -->\n", encoding="utf-8")
    assert [finding.rule for finding in claims(course, [page])] == ["claim"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("It reaches **90.0 %**<!-- claim: net.accuracy -->.", "**93.1 %**"),
        ("It reaches 93.15 %<!-- claim: net.accuracy -->.", "93.15 %"),
        ("It holds 1,234<!-- claim: net.parameters -->.", "642,410"),
        ("It holds 1 234<!-- claim: net.parameters -->.", "642 410"),
        ("It holds 12<!-- claim: net.parameters -->.", "642410"),
        ("It takes 99.9 ms<!-- claim: net.seconds -->.", "12.3 ms"),
        ("It ends at −9.99<!-- claim: net.loss -->.", "−0.25"),
        ("90 %<!-- claim: net.accuracy --> ± 9.9 %<!-- claim: net.spread -->", "93 %"),
        ("90 %<!-- claim: net.accuracy --> ± 9.9 %<!-- claim: net.spread -->", "± 0.2 %"),
    ],
)
def test_a_drifted_number_is_renewed_in_its_own_form(old: str, new: str) -> None:
    renewed = renew_text(old, lookup)
    assert new in renewed
    assert rules(renewed) == []
    assert renew_text(renewed, lookup) == renewed


@pytest.mark.parametrize(
    "text",
    [
        "It reaches 93 ms<!-- claim: net.accuracy -->.",
        "It reaches 93.1 %<!-- claim: net.unknown -->.",
        "A rate of 0.5<!-- definition -->, 99 %<!-- source: lecun1998 -->, 12 and 0.7.",
    ],
)
def test_what_cannot_be_renewed_stays(text: str) -> None:
    assert renew_text(text, lookup) == text


def test_renewing_rewrites_only_what_has_drifted(course: Course) -> None:
    page = course.root / "README.md"
    page.write_text("# Course\n\n90 %<!-- claim: net.accuracy -->\n", encoding="utf-8")
    lesson = course.lessons[0]
    notebook = notebooks.read(lesson)
    notebook.cells[0].source += "\n\nIt takes 9 ms<!-- claim: net.seconds -->."
    notebooks.normalise_cells(notebook)
    notebooks.write(lesson, notebook)
    assert renew(course, lookup=lookup) == 2
    assert claims(course, lookup=lookup) == []
    renewed = notebooks.read(lesson)
    notebooks.normalise_cells(renewed)
    assert renewed == notebooks.read(lesson)
    assert renew(course, lookup=lookup) == 0
