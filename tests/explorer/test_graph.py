"""The computation graph of the page, against slopes measured here with finite differences."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from browsers import violations

pytestmark = pytest.mark.browser

WIDGET = "[data-widget=computation-graph]"
COMPUTE = {"sum": np.add, "product": np.multiply, "maximum": np.maximum}
NAMES = "kwdc"


@pytest.fixture
def graph(page, site):
    """The widget alone, with nothing else on the page."""
    (site[1] / "graph.html").write_text(
        '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">'
        '<title>A graph</title><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="/explorer/explorer.css"><main><h1>A graph</h1>'
        '<div class="cnn-widget" data-widget="computation-graph"></div></main>'
        '<script type="module" src="/explorer/widgets.js"></script></html>',
        encoding="utf-8",
    )
    page.goto("/graph.html")
    page.wait_for_selector(f"{WIDGET} svg circle")
    return page.locator(WIDGET)


def values_of(operations, leaves) -> dict[str, float]:
    """Every number of the graph, in NumPy."""
    k, w, d, c = leaves
    first, second, third, last = (COMPUTE[operation] for operation in operations)
    a, b = first(k, w), second(w, d)
    p = third(a, b)
    return {"a": a, "b": b, "p": p, "loss": last(p, c)}


def told(text: str) -> dict[str, float]:
    """The pairs `name = number` of a text."""
    pairs = re.findall(r"(\w+) = ([−\d.e]+)", text)
    return {name: float(number.replace("−", "-")) for name, number in pairs}


def gradients(graph) -> list[float]:
    """What stands below the four numbers on the left."""
    texts = graph.locator("svg text.cnn-backward").all_text_contents()[-4:]
    return [float(text.replace("−", "-")) for text in texts]


@pytest.mark.parametrize("leaves", [(2, 3, 1, 10), (-1.5, 4, -7, 2.25), (0, 0.5, 3, -40)])
def test_every_graph_gives_the_measured_slopes(graph, leaves) -> None:
    for name, number in zip(NAMES, leaves, strict=True):
        graph.get_by_label(name, exact=True).fill(str(number))
    selects = [graph.get_by_label(name, exact=True) for name in ("a", "b", "p", "loss")]
    compared = 0
    for operations in itertools.product(COMPUTE, repeat=4):
        for select, operation in zip(selects, operations, strict=True):
            if select.evaluate("s => s.selectedOptions[0].text") != operation:
                select.select_option(operation)
        shown = told(graph.locator("svg").get_attribute("aria-label"))
        wanted = values_of(operations, leaves)
        assert {name: shown[name] for name in wanted} == pytest.approx(wanted, abs=0.006)
        slopes, corner = [], False
        for place in range(4):
            above, below = np.array(leaves, float), np.array(leaves, float)
            above[place] += 1e-6
            below[place] -= 1e-6
            high, middle, low = (
                values_of(operations, numbers)["loss"] for numbers in (above, leaves, below)
            )
            slopes.append((high - low) / 2e-6)
            corner |= abs(high + low - 2 * middle) > 1e-8  # it bends here: no derivative
        if not corner:
            compared += 1
            assert gradients(graph) == pytest.approx(slopes, abs=0.006), operations
    assert compared > 40


def test_the_patterns_are_told_box_by_box(graph) -> None:
    words = graph.locator("[aria-live]")
    assert "8 + 6 = 14. Measured with a small step of w to both sides: 14." in words.inner_text()
    graph.get_by_label("Step").press("Home")
    assert graph.locator("svg text.cnn-backward").all_text_contents() == [""] * 9
    said = []
    for _ in range(8):
        graph.get_by_label("Step").press("ArrowRight")
        said.append(words.inner_text())
    starts = ["a = 2 · 3 = 6.", "b = 3 + 1 = 4.", "p = 6 · 4 = 24.", "loss = max(24, 10) = 24."]
    assert said[:4] == [f"Forward: {start}" for start in starts]
    arriving = {"loss": 1, "p": 1, "b": 6, "a": 4}
    for sentence, (name, number) in zip(said[4:], arriving.items(), strict=True):
        assert sentence.startswith(f"Backward: {number} arrives at {name}. ")
    for sentence, pattern in zip(
        said[4:], ("maximum chooses", "product exchanges", "sum hands on", "product"), strict=True
    ):
        assert pattern in sentence
    graph.get_by_label("c", exact=True).fill("24")
    graph.get_by_label("Step").fill("5")
    assert "a corner: the first one wins. So p gets 1, and c gets 0." in words.inner_text()


def test_the_graph_plays_where_motion_is_wanted_and_steps_where_not(graph) -> None:
    step = graph.get_by_label("Step")
    graph.get_by_label("Speed").select_option("16")
    graph.locator(".cnn-play").click()
    graph.page.wait_for_function(f"document.querySelector('{WIDGET} input[type=range]').value < 8")
    graph.page.wait_for_function(
        f"document.querySelector('{WIDGET} .cnn-play').textContent.includes('Play')"
    )
    assert step.input_value() == "8"
    graph.page.emulate_media(reduced_motion="reduce")
    graph.locator(".cnn-play").wait_for(state="hidden")
    graph.get_by_role("button", name="One step").click()
    assert step.input_value() == "0"


@pytest.mark.parametrize("text", ["many", "", "1e9", "-", "٣"])
def test_whatever_is_typed_stays_a_number(graph, text) -> None:
    field = graph.get_by_label("w", exact=True)
    field.fill(text)
    assert not re.search("NaN|∞|undefined", graph.inner_text())
    field.blur()
    assert re.fullmatch(r"−?\d+(\.\d+)?", field.input_value())


@pytest.mark.parametrize("width", [1280, 320])
def test_the_graph_fits_every_width_and_axe_finds_nothing(graph, width) -> None:
    page = graph.page
    page.set_viewport_size({"width": width, "height": 800})
    graph.get_by_label("w", exact=True).fill("-99")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page, WIDGET) == []
    # A finger finds each field, and none lies on another one.
    boxes = [graph.get_by_label(name, exact=True).bounding_box() for name in NAMES]
    assert all(box["height"] >= 24 and box["width"] >= 24 for box in boxes)
    assert all(one["y"] + one["height"] <= two["y"] for one, two in itertools.pairwise(boxes))
