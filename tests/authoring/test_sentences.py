"""Strong sentences are listed with what holds them; terms are defined before they are used."""

from __future__ import annotations

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cnncourse.authoring import notebooks
from cnncourse.authoring.__main__ import main
from cnncourse.authoring.notebooks import AuthoringError, Course
from cnncourse.authoring.sentences import GLOSSARY, early_terms, glossary_terms, sentences


def of(*cells: str) -> list:
    """The sentences of a notebook; a cell that begins with > is code."""
    made = [new_code_cell(c[1:]) if c[0] == ">" else new_markdown_cell(c) for c in cells]
    return list(sentences(new_notebook(cells=made)))


def test_a_strong_sentence_comes_with_the_assertions_around_it() -> None:
    (found,) = of("# Title", ">assert far", "Text.", ">assert a < b", ">c = 1\nassert c",
                  "It works. Most pixels are black.", ">assert d")  # fmt: skip
    assert found.text == "Most pixels are black."
    assert found.assertions == ("assert a < b", "assert c", "assert d")
    assert found.cell == 6


@pytest.mark.parametrize("word", ["because", "More than", "most", "only", "never", "hardly"])
def test_every_strong_word_counts(word: str) -> None:
    assert len(of(f"It is {word} black.")) == 1


@pytest.mark.parametrize("text", ["It is almost black.", "Everywhere `only` black.", "A $never$."])
def test_parts_of_words_code_and_formulas_do_not_count(text: str) -> None:
    assert of(text) == []


def test_claims_hold_a_sentence_and_sources_are_not_read() -> None:
    found = of("Only 3 %<!-- claim: a.b --> is black.\n\n## Sources\n\n1. Never mind.")
    assert [sentence.claims for sentence in found] == [("a.b",)]
    assert found[0].text == "Only 3 % is black."


def test_an_assertion_over_several_lines_stands_in_one() -> None:
    (found,) = of("It never fails.", ">for i in x:\n    assert all(\n        i\n    )")
    assert found.assertions == ("assert all( i )",)


def test_the_command_prints_what_has_nothing_beside_it(course: Course, monkeypatch, capsys) -> None:
    (lesson,) = course.lessons
    notebook = notebooks.read(lesson)
    notebook.cells[2].source += " It is hardly black."
    notebooks.write(lesson, notebook)
    monkeypatch.chdir(course.root)
    assert main(["sentences"]) == 0
    assert "    nothing beside it\n" in capsys.readouterr().out


def glossary(course: Course, *terms: str) -> None:
    path = course.root / GLOSSARY
    entries = "".join(f"{term}\n: What it is.\n" for term in terms)
    path.write_text(f"# Glossary\n\n:::{{glossary}}\n{entries}:::\n", encoding="utf-8")


def two_lessons(course: Course, first: str, second: str) -> None:
    (path,) = course.lessons
    for name, text in (("01-pixels.ipynb", first), ("02-more.ipynb", second)):
        notebook = notebooks.read(path)
        notebook.cells[2].source = text
        notebooks.write(path.with_name(name), notebook)


def test_terms_are_read_from_both_kinds_of_glossary() -> None:
    page = ":::{glossary}\nbatch size\n: How many.\n\nmap\n  One of them.\n:::\nno term\n"
    assert glossary_terms(page) == ["batch size", "map"]


def test_a_term_used_before_its_lesson_is_found(course: Course) -> None:
    glossary(course, "feature map")
    two_lessons(course, "Two feature\nmaps.", "A **feature map** is a map.")
    (found,) = early_terms(course)
    assert found.path == "notebooks/01-pixels.ipynb"
    assert found.cell == 3
    assert "02-more" in found.message


def test_a_paragraph_that_names_a_lesson_may_use_a_later_term(course: Course) -> None:
    glossary(course, "map")
    two_lessons(course, "Maps come in lesson 02.\n\nNothing.", "A **map** is a map.")
    assert early_terms(course) == []


def test_parts_of_words_are_no_use_of_a_term(course: Course) -> None:
    glossary(course, "rate")
    two_lessons(course, "A moderate crate.", "The **rate** of it.")
    assert early_terms(course) == []


def test_a_term_that_no_lesson_defines_is_found(course: Course) -> None:
    glossary(course, "map")
    two_lessons(course, "A map.", "A map.")
    (found,) = early_terms(course)
    assert found.path == GLOSSARY


def test_a_course_without_a_glossary_is_told_so(course: Course) -> None:
    (course.root / GLOSSARY).unlink(missing_ok=True)
    with pytest.raises(AuthoringError, match=r"glossary\.md"):
        early_terms(course)
