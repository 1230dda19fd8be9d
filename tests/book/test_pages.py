"""Every page of the built book, opened in a real browser as a reader opens it."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from browsers import BUILT, findings

from cnncourse import quizzes
from cnncourse.authoring.notebooks import Course, read
from cnncourse.checks import EXERCISES

pytestmark = pytest.mark.browser

COURSE = Course.find(Path(__file__).parent)
PAGES = COURSE.contents
LESSONS = [name for name in PAGES if re.fullmatch(r"notebooks/\d\d-[\w-]+", name)]
every_page = pytest.mark.parametrize("name", PAGES)
every_lesson = pytest.mark.parametrize("name", LESSONS)


# A page finds out while it is idle what scrolls, and lets the keyboard reach it.
REACHABLE = """() => [...document.querySelectorAll('.bd-article :is(table, pre, .math)')]
    .every(part => part.scrollWidth <= part.clientWidth || part.tabIndex === 0)"""


def _violations(page, part: str = "html") -> list[str]:
    """What axe finds in a part of a page, in light and in dark."""
    page.wait_for_function(REACHABLE)
    found = []
    for mode in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{mode}'")
        found += findings(page, part, mode)
    return found


@every_page
def test_a_page_stands_whole_in_any_light_and_width(standing) -> None:
    page = standing.page
    assert page.locator(".bd-article h1").count() == 1
    broken = page.evaluate(
        "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    )
    assert broken == []
    nameless = page.evaluate(
        "[...document.querySelectorAll('.bd-article img')].filter(i => !i.alt).map(i => i.src)"
    )
    assert nameless == []
    assert standing.faults == []

    assert _violations(page) == []
    # A phone, and 1280 pixels at 200 % and at 400 %.
    for width in (640, 360, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_more_contrast_brings_stronger_lines_and_no_fault(wide) -> None:
    page = wide.open("notebooks/08-simple-cnn")
    line = "getComputedStyle(document.querySelector('.bd-sidebar-primary')).borderRightColor"
    quiet = "getComputedStyle(document.querySelector('a.term')).textDecorationStyle"
    before = page.evaluate(line), page.evaluate(quiet)
    page.emulate_media(contrast="more")
    after = page.evaluate(line), page.evaluate(quiet)
    assert before[0] != after[0]
    assert (before[1], after[1]) == ("dotted", "solid")
    assert _violations(page) == []


@every_page
def test_formulas_are_drawn_in_their_own_font_without_a_script(standing, name: str) -> None:
    page = standing.page
    written = page.locator(".bd-article .math").count()
    assert page.locator(".bd-article .math > math").count() == written
    if name in LESSONS:
        cells = read(COURSE.root / f"{name}.ipynb").cells
        source = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        assert bool(written) == ("$" in re.sub(r"`[^`]*`", "", source))
    said = page.locator(".bd-article math").all_text_contents()
    assert [formula for formula in said if re.search(r"[\\{}$&]", formula)] == []

    # What the font lacks, another draws that fits neither in size nor in weight.
    page.evaluate("document.fonts.ready")
    session = page.context.new_cdp_session(page)
    for domain in ("DOM", "CSS"):
        session.send(f"{domain}.enable")
    root = session.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
    found = session.send("DOM.querySelectorAll", {"nodeId": root, "selector": "article math"})
    others = set()
    for node in found["nodeIds"]:
        for font in session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]:
            others.add(font["familyName"])
    session.detach()
    assert others <= {"STIX Two Math"}


def test_a_formula_that_is_too_wide_scrolls_from_its_beginning(narrow) -> None:
    page = narrow.open("notebooks/04-batch-normalization")
    wide = page.evaluate(
        """[...document.querySelectorAll('.math')].filter(m => m.scrollWidth > m.clientWidth)
            .map(m => [m.tabIndex, m.firstElementChild.getBoundingClientRect().left -
                m.getBoundingClientRect().left])"""
    )
    assert wide
    assert [(tab, left) for tab, left in wide if tab or left < 0] == []


@every_lesson
def test_the_quiz_answers_each_option_without_a_kernel(wide, name: str) -> None:
    page = wide.open(name)
    questions = quizzes.load(Path(name).name[:2])
    quiz = page.locator(".cnn-quiz")
    groups = quiz.locator("fieldset")
    assert groups.count() == len(questions)
    for question, group in zip(questions, groups.all(), strict=True):
        # By its role and name, as a screen reader finds it.
        group = quiz.get_by_role("group", name=spoken(question["question"]), exact=True)
        if question["type"] == "numeric":
            for answer in question["answers"]:
                typed = answer.get("value", answer.get("range", [-123456.5])[0])
                group.get_by_role("textbox").fill(str(typed))
                group.get_by_role("textbox").press("Enter")
                assert spoken(answer["feedback"]) in group.locator("[aria-live]").inner_text()
            continue
        for answer in question["answers"]:
            exactly = re.compile(rf"^\s*{re.escape(spoken(answer['answer']))}\s*$")
            option = group.locator("details").filter(
                has=page.locator("summary").filter(has_text=exactly)
            )
            option.locator("summary").click()
            said = option.locator("p").inner_text()
            mark = "✓" if answer["correct"] else "✗ Not this one."
            assert said == f"{mark} {spoken(answer['feedback'])}", answer
        # The marks of all that was tried are still there.
        assert group.locator("details[open]").count() == len(question["answers"])
    assert wide.faults == []
    assert _violations(page, ".cnn-quiz") == []


def spoken(text: str) -> str:
    """What a reader hears of a question's text: code without its backticks."""
    return text.replace("`", "")


def test_a_quiz_is_answered_by_keyboard_alone(wide) -> None:
    page = wide.open(LESSONS[0])
    group = page.locator(".cnn-quiz fieldset").first
    options = group.locator("details")
    options.first.locator("summary").focus()
    opened = "options => options.map(option => option.open)"
    for key in ("ArrowDown", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    assert not any(options.evaluate_all(opened)), "an arrow key answers"
    page.keyboard.press("Enter")
    assert options.evaluate_all(opened)[:2] == [True, False]
    assert options.first.locator("p").is_visible()
    page.keyboard.press("Tab")
    focused = "document.activeElement === document.querySelectorAll('.cnn-quiz summary')[1]"
    assert page.evaluate(focused)
    outline = page.evaluate(
        "(({outlineStyle: style, outlineWidth: width}) => [style, parseFloat(width)])"
        "(getComputedStyle(document.activeElement))"
    )
    assert outline[0] == "solid"
    assert outline[1] >= 2, "nobody sees where the focus is"
    page.keyboard.press("Space")
    assert options.evaluate_all(opened)[:2] == [True, True]
    # What opens is read out: it stands in a live region.
    assert group.locator("[aria-live=polite] details[open] p").count() == 2


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


@every_page
def test_code_fits_its_column(standing) -> None:
    page = standing.page
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    cut = "pres => pres.filter(p => p.scrollWidth > p.clientWidth).map(p => p.innerText)"
    assert page.eval_on_selector_all(".bd-article .cell_input pre", cut) == []
    page.emulate_media(media="print")
    assert page.eval_on_selector_all(".bd-article pre", cut) == []


def test_the_setup_is_folded_and_opens(wide) -> None:
    page = wide.open(LESSONS[0])
    setup = page.locator("details", has_text="start_keras()")
    assert not setup.locator("pre").is_visible()
    setup.locator("summary").click()
    assert setup.locator("pre").is_visible()


# A challenge has a judge in place of checks.
@pytest.mark.parametrize("name", [name for name in PAGES if re.search(r"/exercises/\d\d-", name)])
def test_an_exercise_folds_three_hints_below_each_check(wide, name: str) -> None:
    page = wide.open(name)
    checks = [
        re.search(r'check\("(\w+)"', cell.source)[1]
        for cell in read(COURSE.root / f"{name}.ipynb").cells
        if cell.source.startswith("check(")
    ]
    hints = page.locator("details", has=page.locator("summary", has_text="A hint:"))
    assert hints.count() == 3 * len(checks) > 0
    for place, exercise in enumerate(checks):
        told = EXERCISES[exercise].help
        for part, text in enumerate((told.idea, f'"{told.section}"', told.step)):
            hint = hints.nth(3 * place + part)
            assert not hint.locator(".sd-card-body, .sd-summary-content").first.is_visible()
            hint.locator("summary").click()
            shown = hint.inner_text().translate(str.maketrans("“”’", '""\''))
            assert text.replace("`", "") in shown
    assert wide.faults == []


def test_what_is_folded_is_open_on_paper(wide) -> None:
    page = wide.open(LESSONS[0].replace("notebooks/", "notebooks/solutions/"))
    folded = page.locator("details:not([open])").count()
    assert folded > 1
    page.emulate_media(media="print", reduced_motion="no-preference")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    # At once, and not after a fade that paper does not wait for.
    seen = "parts => Math.min(...parts.map(part => +getComputedStyle(part).opacity))"
    assert page.eval_on_selector_all("details[open] > *", seen) == 1
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() == folded


def test_a_term_shows_its_meaning_to_pointer_and_keyboard(wide) -> None:
    page = wide.open("notebooks/08-simple-cnn")
    meaning = glossary_of(page)["receptive field"]
    page = wide.open("notebooks/08-simple-cnn")
    term = page.locator("a.term", has_text="receptive field").first
    told = page.get_by_role("tooltip")
    term.hover()
    assert told.inner_text() == meaning
    page.keyboard.press("Escape")
    assert told.count() == 0
    page.mouse.move(0, 0)
    term.focus()
    assert told.inner_text() == meaning
    assert term.get_attribute("aria-describedby") == told.get_attribute("id")
    page.set_viewport_size({"width": 360, "height": 800})
    for one in page.locator("a.term").all()[:12]:
        one.focus()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert wide.faults == []
    assert _violations(page, "article") == []


def test_a_term_shows_its_meaning_to_a_finger_and_then_leads_to_the_glossary(
    browser, address
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto(f"{address}/notebooks/08-simple-cnn.html")
    term = page.locator("a.term", has_text="receptive field").first
    term.tap()
    assert "image" in page.get_by_role("tooltip").inner_text()
    assert page.url.endswith("08-simple-cnn.html")
    term.tap()
    page.wait_for_url("**/book/glossary.html#term-receptive-field")
    context.close()


def glossary_of(page) -> dict[str, str]:
    """The glossary as its page shows it."""
    page.goto(re.sub(r"/notebooks/.*", "/book/glossary.html", page.url))
    pair = "terms => terms.map(t => [t.firstChild.data, t.nextElementSibling.innerText])"
    return dict(page.eval_on_selector_all("dl.glossary dt", pair))


def test_a_reader_s_place_is_kept_shown_saved_and_deleted(wide) -> None:
    page = wide.open("book/index")
    assert page.locator(".place").count() == 0
    page = wide.open(LESSONS[1])
    quiz = page.locator(".cnn-quiz fieldset").first
    quiz.locator("details.wrong summary").first.click()
    quiz.locator("details.right summary").click()
    done = page.get_by_role("button", name="Mark this lesson as done")
    done.click()
    page = wide.open(LESSONS[1])
    assert quiz.locator("details[open]").count() == 2
    page.get_by_role("button", name="✓ This lesson is done").wait_for()

    page = wide.open("book/index")
    asked = len(quizzes.load("02"))
    row = page.locator("#the-lessons tbody tr").nth(1)
    assert row.locator(".place").inner_text() == f"✓ done, quiz 1/{asked}"
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save this as a file").click()
    place = json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))
    assert place["last"]["page"] == f"{LESSONS[1]}.html"
    assert list(place["done"]) == ["02"]
    page.get_by_role("link", name="Go on with 02").click()
    page.wait_for_url(f"**/{LESSONS[1]}.html")
    page = wide.open("book/index")
    page.get_by_role("button", name="Delete it").click()
    assert page.locator(".place").count() == 0
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('cnn'))") == []
    assert wide.faults == []


@pytest.mark.parametrize("held", ["no JSON", "[]", '{"done": 3, "quizzes": "x", "last": 1}'])
def test_a_place_that_was_damaged_stops_nobody(wide, held: str) -> None:
    page = wide.open(LESSONS[1])
    for name in (LESSONS[1], "book/index"):
        page.evaluate("held => localStorage.setItem('cnncourse.place', held)", held)
        page = wide.open(name)
    assert wide.faults == []


def test_the_landing_page_answers_a_chosen_image_and_its_doors_open_everywhere(wide) -> None:
    page = wide.open("book/index")
    live = page.locator(".live.cnn-explorer")
    live.wait_for()
    answer = live.locator(".live-answer")
    answer.locator("li").first.wait_for()
    # It opens with an image in doubt: one that is clear teaches less.
    shares = [float(share) for share in re.findall(r"([\d.]+)\s%", answer.inner_text())]
    assert 20 < shares[1] < shares[0] < 80
    said = set()
    for image in live.locator(".live-images button").all():
        image.click()
        page.wait_for_function(
            "button => button.getAttribute('aria-pressed') === 'true'",
            arg=image.element_handle(),
        )
        said.add(answer.inner_text())
    assert len(said) > 3
    assert all("%" in answer for answer in said)
    door = page.locator(".door", has_text="Work locally")
    door.scroll_into_view_if_needed()
    box = door.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 8, box["y"] + box["height"] - 8)
    page.wait_for_url("**/running.html")
    page.go_back()
    page.get_by_role("link", name="Start lesson 01").click()
    page.wait_for_url(f"**/{LESSONS[0]}.html")
    assert wide.faults == []


def test_figures_are_sharp_and_keep_their_colors_on_a_dark_page(wide) -> None:
    page = wide.open(LESSONS[0])
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    figure = page.locator(".cell_output img").first
    figure.scroll_into_view_if_needed()
    style = figure.evaluate(
        "i => [getComputedStyle(i).filter, getComputedStyle(i).backgroundColor]"
    )
    assert style == ["none", "rgb(251, 252, 253)"]


def test_icons_come_without_the_fonts_that_hold_all_of_them(wide) -> None:
    asked = []
    wide.page.on("request", lambda request: asked.append(request.url))
    page = wide.open(LESSONS[1])
    assert [url for url in asked if "fa-" in url or "fontawesome" in url] == []
    icons = page.locator(".article-header-buttons :is(.fa-solid, .fas, .fa-brands, .fab)")
    shown = [icon for icon in icons.all() if icon.is_visible()]
    assert len(shown) > 3
    for icon in shown:
        assert "url(" in icon.evaluate("icon => getComputedStyle(icon).maskImage")


def test_there_is_one_search_field(wide, narrow) -> None:
    for visit in (wide, narrow):
        page = visit.open("book/index")
        visible = "[aria-label=Search], input[type=search]"
        shown = [entry for entry in page.locator(visible).all() if entry.is_visible()]
        assert len(shown) == 1


@pytest.mark.parametrize(
    "words",
    ["convolution", "asymmetric padding", "1x1 convolution", "batchnorm", "backprop", "GAP"],
)
def test_the_search_finds_a_lesson_by_words_that_people_use(wide, words: str) -> None:
    page = wide.page
    page.goto(f"{wide.address}/search.html?q={words}")
    page.wait_for_selector("#search-results li a[href*='notebooks/']")
    assert wide.faults == []


@functools.cache
def anchors(path: Path) -> frozenset[str]:
    """The names of the places of a built page that a link can lead to."""
    return frozenset(re.findall(r'\sid="([^"]+)"', path.read_text(encoding="utf-8")))


@every_page
def test_links_inside_the_book_lead_somewhere(standing) -> None:
    """The files are looked up, the anchors too."""
    missing = []
    for link in standing.page.eval_on_selector_all("a[href]", "links => links.map(l => l.href)"):
        target, anchor = urldefrag(link)
        if not target.startswith(standing.address):
            continue
        path = BUILT / unquote(urlsplit(target).path).lstrip("/")
        if not path.is_file() or (
            anchor and path.suffix == ".html" and unquote(anchor) not in anchors(path)
        ):
            missing.append(link)
    assert missing == []
