"""What axe finds is the same, whether it measures each text or each look of a text."""

from __future__ import annotations

import pytest
from browsers import OPTIONS, findings

pytestmark = pytest.mark.browser

GOOD, FAINT = "color: #222", "color: #999"
TEXTS = {
    "each of many that are alike": (f"<p style='{FAINT}'>one</p>" * 3, 3),
    "only the faint one": (f"<p style='{GOOD}'>one</p>" * 2 + f"<p style='{FAINT}'>two</p>", 1),
    "the same letters on a dark ground": (
        f"<p style='{GOOD}'>one</p><div style='background: #333'><p style='{GOOD}'>two</p></div>",
        1,
    ),
    "the same letters on a faded ground": (
        f"<p style='{GOOD}'>one</p><div style='opacity: .3'><p style='{GOOD}'>two</p></div>",
        1,
    ),
    "what was hidden before": (
        f"<p style='{FAINT}; visibility: hidden'>one</p><p style='{FAINT}'>two</p>",
        1,
    ),
    "what large letters may, small ones may not": (
        "<p style='color: #888; font-size: 40px'>one</p><p style='color: #888'>two</p>",
        1,
    ),
    "over something else": (
        f"<p style='{GOOD}'>one</p><div style='position: relative'><div style='position: absolute;"
        f"inset: 0; background: #333'></div><p style='position: relative; {GOOD}'>two</p></div>",
        1,
    ),
}


@pytest.mark.parametrize(("text", "faults"), TEXTS.values(), ids=TEXTS)
def test_a_faint_text_is_found_beside_others_of_its_look(browser, text: str, faults: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page()
    page.set_content(f"<html lang=en><title>A page</title><main><h1>A page</h1>{text}</main>")
    found = [line for line in findings(page, "html", "light") if "color-contrast" in line]
    assert len(found) == faults
    every = Axe().run(page, "html", OPTIONS).response["violations"]
    assert [len(one["nodes"]) for one in every if one["id"] == "color-contrast"] == [faults]
    page.close()
