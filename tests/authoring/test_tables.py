"""The tables of the page of results are made from the records; drift is found and mended."""

from __future__ import annotations

import re

import pytest

from cnncourse import results
from cnncourse.authoring import tables
from cnncourse.authoring.claims import claims
from cnncourse.authoring.notebooks import AuthoringError, Course

MARKS = "<!-- comparison: begin -->\n<!-- comparison: end -->"


@pytest.fixture
def page(course: Course, tmp_path, monkeypatch):
    """A page with one table; it is made from the number of images that this function records."""
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(tables, "TABLES", {tables.PAGE: {"comparison": tables.comparison}})
    path = course.root / tables.PAGE
    path.write_text(f"# Results\n\n{MARKS}\n\nProse.\n", encoding="utf-8")

    def record(images: int) -> str:
        values = {}
        for seed in (10, 2):
            values |= {
                f"seed_{seed}_only_simple_CNN": {"value": images, "unit": "count"},
                f"seed_{seed}_only_simpler_CNN": {"value": 2000, "unit": "count"},
                f"seed_{seed}_p_value": {"value": 0.00125 / seed, "unit": "1"},
            }
        results.record("comparison", values, command="c")
        return path.read_text(encoding="utf-8")

    record(7)
    return record


def test_a_table_holds_the_recorded_numbers_in_order(course: Course, page) -> None:
    assert tables.tables(course) == []
    lines = page(7).splitlines()[3:7]
    assert lines[:2] == [
        "| seed | only `simple_CNN` right | only `simpler_CNN` right | p-value |",
        "|---|---|---|---|",
    ]
    assert [re.sub("<!-- claim: comparison.|-->", "", line) for line in lines[2:]] == [
        f"| {seed} | 7seed_{seed}_only_simple_CNN  | 2,000seed_{seed}_only_simpler_CNN  | "
        f"{p_value}seed_{seed}_p_value  |"
        for seed, p_value in ((2, "0.00063"), (10, "0.00013"))
    ]
    assert page(7).endswith("<!-- comparison: end -->\n\nProse.\n")
    assert claims(course, [course.root / tables.PAGE]) == []


def test_a_record_that_changes_is_found_and_carried_over(course: Course, page) -> None:
    tables.tables(course)
    page(8)
    (finding,) = tables.tables(course, check=True)
    assert "comparison: not what it is made from: run `tables`" in str(finding)
    assert tables.tables(course) == []
    assert tables.tables(course, check=True) == []
    assert "| 8<!--" in page(8)


def test_a_page_without_the_marks_is_refused(course: Course, page) -> None:
    (course.root / tables.PAGE).write_text("# Results\n", encoding="utf-8")
    with pytest.raises(AuthoringError, match="comparison: begin"):
        tables.tables(course)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.5, "fraction", "50.00 %"),
        (1234567, "bytes", "1,234,567"),
        (0.2486, "1", "0.2486"),
        (0, "1", "0.0000"),
        (1.3, "ratio", "1.30"),
        (1000.0, "ratio", "1000"),
        (31.62, "s", "31.6 s"),
        (204.3, "ms", "204 ms"),
    ],
)
def test_a_number_is_shown_with_its_unit(value: float, unit: str, text: str) -> None:
    assert tables.shown(results.Measurement(value, unit, 0, {})) == text
