"""A browser and a local server, for every test that opens a page."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnncourse.authoring.browsing import Quiet, find_chromium, served

__all__ = ["BUILT", "EXPLORER", "Quiet", "browser", "chromium", "find_chromium", "findings"]
__all__ += ["served", "violations"]

ROOT = Path(__file__).parents[1]
BUILT = ROOT / "_build" / "html"
EXPLORER = ROOT / "book" / "_static" / "explorer"

# No sandbox: tests often run as root in a container. The rest keeps the browser from asking
# other hosts for updates while a test watches what the page asks for.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
]


@contextlib.contextmanager
def chromium() -> Iterator:
    """One running browser; the tests are skipped, with the reason, where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip(
            "No Chromium on this machine, so no page was opened in a browser; install the "
            "package chromium, or set CHROMIUM to a browser's path."
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests of a process: Playwright has one for each thread."""
    with chromium() as browser:
        yield browser


# A lesson has 2,300 pieces of text, most of them tokens of code, in 80 looks. Of each look axe
# measures the contrast once: a later text with the same letters on the same grounds passes as the
# first one did. Only a ratio that was measured and was enough is remembered, and a positioned
# element is a ground of its own, so that nothing is taken from a text that was hidden or lies
# over something else.
REMEMBER = """(() => {
    const check = axe._audit.checks['color-contrast'];
    const measure = check.evaluate;
    const enough = new Set();
    const grounds = new Map();
    const ground = (node) => {
        if (!node) return '';
        if (!grounds.has(node)) {
            const style = getComputedStyle(node);
            const own = [style.backgroundColor, style.backgroundImage, style.opacity, style.filter,
                style.mixBlendMode, style.position === 'static' ? '' : grounds.size];
            grounds.set(node, `${ground(node.parentElement)}|${own}`);
        }
        return grounds.get(node);
    };
    check.evaluate = function (node, ...rest) {
        const style = getComputedStyle(node);
        const look = [style.color, style.fontSize, style.fontWeight, style.textShadow,
            style.webkitTextStroke, ground(node)].join();
        if (enough.has(look)) return true;
        let ratio;
        const seen = {
            data: (told) => { ratio = told?.contrastRatio; this.data(told); },
            relatedNodes: (nodes) => this.relatedNodes(nodes),
        };
        const verdict = measure.call(seen, node, ...rest);
        if (verdict === true && ratio) enough.add(look);
        return verdict;
    };
})();"""


# The style sheets serve only a rule that axe leaves out as an experiment, and what they import
# is asked for at a wrong address.
OPTIONS = {"resultTypes": ["violations"], "preload": {"assets": ["media"]}}


@functools.cache
def _axe():
    from axe_playwright_python.sync_playwright import Axe

    return Axe(f"{Axe().axe_script};{REMEMBER}")


def findings(page, part: str, mode: str) -> list[str]:
    """What axe finds in a part of a page as it stands, a line each that begins with the mode."""
    return [
        f"{mode}: {violation['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for violation in _axe().run(page, part, OPTIONS).response["violations"]
        for node in violation["nodes"]
    ]


def violations(page, part: str = "html") -> list[str]:
    """What axe finds in a part of a page without the book's theme, in light and in dark."""
    found = []
    for mode in ("light", "dark"):
        page.evaluate(
            """mode => {
                document.documentElement.dataset.theme = mode;
                const dark = mode === 'dark';
                const colours = {background: ['#ffffff', '#14181e'],
                    'text-base': ['#222832', '#ced6dd'], 'text-muted': ['#48566b', '#9ca4af'],
                    surface: ['#f5f6f7', '#1c222a'], border: ['#c9c9c9', '#48566b'],
                    primary: ['#0a7d91', '#3fb1c5']};
                for (const [name, pair] of Object.entries(colours)) {
                    document.documentElement.style.setProperty(`--pst-color-${name}`, pair[+dark]);
                }
                document.body.style.background = dark ? '#14181e' : '#ffffff';
                document.body.style.color = dark ? '#ced6dd' : '#222832';
            }""",
            mode,
        )
        found += findings(page, part, mode)
    return found
