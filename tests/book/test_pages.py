"""Every page of the built book, opened in a real browser as a reader opens it."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import BUILT

from cnncourse import quizzes
from cnncourse.authoring.notebooks import Course, read

pytestmark = pytest.mark.browser

COURSE = Course.find(Path(__file__).parent)
PAGES = COURSE.contents
LESSONS = [name for name in PAGES if re.fullmatch(r"notebooks/\d\d-[\w-]+", name)]
every_page = pytest.mark.parametrize("name", PAGES)
every_lesson = pytest.mark.parametrize("name", LESSONS)


def _violations(page, part: str = "html") -> list[str]:
    """What axe finds in a part of a page, in light and in dark."""
    found = []
    for mode in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{mode}'")
        found += [
            f"{mode}: {violation['id']}: {node['html'][:200]}: {node['failureSummary']}"
            for violation in Axe().run(page, part).response["violations"]
            for node in violation["nodes"]
        ]
    return found


@every_page
def test_a_page_stands_whole_in_any_light_and_width(wide, name: str) -> None:
    page = wide.open(name)
    assert page.locator(".bd-article h1").count() == 1
    broken = page.evaluate(
        "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    )
    assert broken == []
    nameless = page.evaluate(
        "[...document.querySelectorAll('.bd-article img')].filter(i => !i.alt).map(i => i.src)"
    )
    assert nameless == []
    assert wide.faults == []

    assert _violations(page) == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@every_lesson
def test_formulas_render(wide, name: str) -> None:
    source = "\n".join(
        cell.source
        for cell in read(COURSE.root / f"{name}.ipynb").cells
        if cell.cell_type == "markdown"
    )
    page = wide.open(name)
    if "$" in re.sub(r"`[^`]*`", "", source):
        page.wait_for_selector(".bd-article mjx-container")
    assert page.locator("mjx-merror").count() == 0
    assert page.locator(".bd-article .math:not(:has(mjx-container))").count() == 0


def test_a_slow_network_brings_formulas_late_and_no_error(wide) -> None:
    def late(route) -> None:
        time.sleep(1.5)  # longer than the quiz waits for MathJax
        route.continue_()

    wide.page.route("**/tex-chtml.js*", late)
    page = wide.open("notebooks/02-convolution")
    page.wait_for_selector(".bd-article mjx-container")
    assert page.locator(".Quiz").count() > 0
    assert wide.faults == []


@every_lesson
def test_the_quiz_answers_each_option_without_a_kernel(wide, name: str) -> None:
    page = wide.open(name)
    shown = {box.inner_text().split("\n")[0]: box for box in page.locator(".Quiz").all()}
    questions = quizzes.load(Path(name).name[:2])
    assert len(shown) == len(questions)
    for question in questions:
        box = shown[question["question"]]
        for option in question["answers"]:
            exactly = re.compile(rf"^\s*{re.escape(option['answer'])}\s*$")
            box.locator(".MCButton").filter(has_text=exactly).click()
            said = box.locator(".Feedback").inner_text()
            assert said.startswith(option["feedback"]), option
    page.wait_for_timeout(1000)  # the answered buttons change their colour in steps
    assert _violations(page, ".Quiz") == []


@every_lesson
def test_a_link_to_a_widget_brings_it_into_the_lesson(wide, name: str) -> None:
    page = wide.open(name)
    linked = page.locator("p a[href*='explorer.html#widget-']").count()
    widgets = page.locator(".cnn-widget")
    assert widgets.count() == linked
    for widget in widgets.all():
        choice = widget.locator("select").first
        choice.wait_for()
        before = widget.inner_text()
        choice.select_option(index=choice.evaluate("s => (s.selectedIndex + 1) % s.options.length"))
        assert widget.inner_text() != before
    assert wide.faults == []


def test_there_is_one_search_field(wide, narrow) -> None:
    for visit in (wide, narrow):
        page = visit.open("book/index")
        visible = "[aria-label=Search], input[type=search]"
        shown = [entry for entry in page.locator(visible).all() if entry.is_visible()]
        assert len(shown) == 1


def test_the_search_finds_a_lesson(wide) -> None:
    page = wide.page
    page.goto(f"{wide.address}/search.html?q=convolution")
    page.wait_for_selector("#search-results li a")
    assert wide.faults == []


def test_links_inside_the_book_lead_somewhere(wide) -> None:
    """Of every page at once: the files are looked up, the anchors too."""
    missing, anchors = [], {}
    for name in PAGES:
        page = wide.open(name)
        for link in page.eval_on_selector_all("a[href]", "links => links.map(l => l.href)"):
            target, anchor = urldefrag(link)
            if not target.startswith(wide.address):
                continue
            path = BUILT / unquote(urlsplit(target).path).lstrip("/")
            if not path.is_file():
                missing.append(f"{name}: {link}")
            elif anchor and path.suffix == ".html":
                if path not in anchors:
                    text = path.read_text(encoding="utf-8")
                    anchors[path] = set(re.findall(r'\sid="([^"]+)"', text))
                if unquote(anchor) not in anchors[path]:
                    missing.append(f"{name}: {link}")
    assert missing == []
