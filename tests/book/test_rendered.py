"""What the pages say once they are built: what a reader would see as raw source is a fault."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from browsers import BUILT
from bs4 import BeautifulSoup, Tag
from fontTools.ttLib import TTFont

from cnncourse.authoring.notebooks import Course
from cnncourse.authoring.sentences import GLOSSARY, glossary_terms

COURSE = Course.find(Path(__file__).parent)


def read(name: str) -> BeautifulSoup:
    """A whole page as it is built."""
    page = BUILT.joinpath(name).with_suffix(".html").read_text(encoding="utf-8")
    return BeautifulSoup(page, "html.parser")


page_of = functools.lru_cache(maxsize=1)(read)
"""The same for tests that leave it whole: those of one page follow one another."""


def article(name: str) -> Tag:
    """The text of a page as it is built, without the theme around it."""
    return read(name).select_one("article.bd-article")


def test_the_glossary_renders_each_term_with_its_definition() -> None:
    source = (COURSE.root / GLOSSARY).read_text(encoding="utf-8")
    (shown,) = article("book/glossary").select("dl.glossary")
    for link in shown.select("a.headerlink"):
        link.decompose()
    # Sphinx sets a curly apostrophe.
    pairs = [
        (entry.get_text().replace("’", "'"), entry.find_next_sibling())
        for entry in shown.select("dt")
    ]
    assert [term for term, _ in pairs] == glossary_terms(source)
    for term, meaning in pairs:
        assert meaning.name == "dd", f"{term} has no definition of its own"
        assert len(meaning.get_text(strip=True)) > 10, f"{term} has an empty definition"


def test_the_glossary_is_sorted() -> None:
    terms = glossary_terms((COURSE.root / GLOSSARY).read_text(encoding="utf-8"))
    assert terms == sorted(terms, key=str.lower)


@pytest.mark.parametrize("name", COURSE.contents)
def test_no_page_shows_its_source(name: str) -> None:
    """Outside of code: no backtick or backslash, no mark of Markdown that was not understood."""
    text = article(name)
    assert [p for p in text.select("p, dt") if p.get_text().startswith(": ")] == []
    for part in text.select("pre, code, script, style, .math"):
        part.decompose()
    shown = [line for line in text.get_text("\n").splitlines() if line.strip()]
    raw = ("`", "\\", "**", "](", "<!--", ":::", "{term}", "$", "| ", "|--", "|:-")
    assert [line for line in shown if any(mark in line for mark in raw)] == []


@pytest.mark.parametrize("path", COURSE.solutions, ids=lambda path: path.stem)
def test_a_solution_says_so_and_folds_what_it_gives_away(path: Path) -> None:
    name = COURSE.name(path)
    text = article(name)
    exercise = article(name.replace("/solutions/", "/exercises/"))
    assert text.select_one("h1").get_text().rstrip("#s").endswith(": solution")
    assert exercise.select_one("h1").get_text().rstrip("#s").endswith(": exercise")
    assert "SOLUTION" not in text.get_text()
    source = path.read_text(encoding="utf-8")
    assert "BEGIN SOLUTION" in source
    folded = [d for d in text.select("details") if "Show the solution" in d.summary.get_text()]
    cells = sum("BEGIN SOLUTION" in cell for cell in source.split('"cell_type"'))
    assert len(folded) == cells


@pytest.mark.parametrize("name", COURSE.contents)
def test_a_page_describes_itself_and_has_a_preview(name: str) -> None:
    page = page_of(name)
    description = page.select_one("meta[name=description]")["content"]
    assert 20 < len(description) <= 165, description
    assert page.select_one("meta[property='og:description']")["content"] == description
    preview = page.select_one("meta[property='og:image']")["content"]
    address = page.select_one("link[rel=canonical]")["href"]
    base, _, file = preview.partition("_static/")
    assert address.startswith(base)
    assert base.startswith("https://")
    assert (BUILT / "_static" / file).is_file()


@pytest.mark.parametrize("name", [*COURSE.contents, "search", "genindex"])
def test_a_page_loads_no_script_that_it_does_not_use(name: str) -> None:
    page = page_of(name)
    scripts = " ".join(script.get("src", "") for script in page.select("script"))
    assert "fontawesome" not in scripts
    # A formula is MathML, and needs none.
    assert "mathjax" not in scripts.lower()
    widgets = page.select('[data-widget], p a[href*="explorer.html#widget-"]')
    assert ("explorer/widgets.js" in scripts) == bool(widgets)
    assert ("design-tabs" in scripts) == bool(page.select(".sd-tab-set"))
    assert ("searchindex" in scripts) == (name == "search")


@pytest.mark.parametrize("name", [*COURSE.contents, "search", "genindex"])
def test_each_icon_is_drawn(name: str) -> None:
    drawn = (BUILT / "_static" / "icons.css").read_text(encoding="utf-8")
    sizes = {"fa-solid", "fa-brands", "fa-regular", "fa-lg"}
    for icon in page_of(name).select("[class*=fa-]"):
        for kind in set(icon["class"]) - sizes:
            assert not kind.startswith("fa-") or f".{kind} {{" in drawn


def test_the_font_of_formulas_has_roots_and_brackets_that_grow() -> None:
    """The sign of a root stands in no text, and where the font lacks it nothing is drawn."""
    font = TTFont(BUILT / "_static" / "formulas.woff2")
    glyphs = font.getBestCmap()
    growing = font["MATH"].table.MathVariants.VertGlyphCoverage.glyphs
    assert {glyphs[ord(sign)] for sign in "√()[]"} <= set(growing)
