"""The built book, served to a browser that notes what goes wrong in a page."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from browsers import BUILT, Quiet, browser, served

__all__ = ["browser"]


WIDE = 1280


@dataclass
class Visit:
    """A page of the browser, and the faults that showed since it was opened."""

    page: Any
    address: str
    faults: list[str] = field(default_factory=list)

    def open(self, name: str) -> Any:
        """Open a page of the book, such as ``"book/index"``, and wait until it stands."""
        self.page.goto(f"{self.address}/{name}.html")
        self.page.wait_for_load_state("networkidle")
        return self.page


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    if not (BUILT / "index.html").is_file():
        pytest.fail("There is no built book to test; run `make book` first.")
    with served(functools.partial(Quiet, directory=str(BUILT))) as address:
        yield address


@contextlib.contextmanager
def _visit(browser, address: str, width: int) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    visit = Visit(context.new_page(), address)
    page, faults = visit.page, visit.faults
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    page.on(
        "console",
        lambda message: message.type == "error" and faults.append(f"console: {message.text}"),
    )
    page.on(
        "request",
        lambda request: (
            request.url.startswith((address, "data:", "blob:"))
            or faults.append(f"left the host: {request.url}")
        ),
    )
    page.on(
        "response",
        lambda answer: answer.status < 400 or faults.append(f"{answer.status}: {answer.url}"),
    )
    yield visit
    context.close()
    # Also what came late, and in a test that looked for something else.
    assert faults == [], f"in {page.url}"


@pytest.fixture
def wide(browser, address) -> Iterator[Visit]:
    """A visit of a test's own, which may use and change the page."""
    with _visit(browser, address, WIDE) as visit:
        yield visit


@pytest.fixture
def narrow(browser, address) -> Iterator[Visit]:
    with _visit(browser, address, 360) as visit:
        yield visit


class Standing:
    """The page that was opened last, for all tests that look at it.

    A page is opened and set for half of the time of a test that looks at it. Such tests follow
    one another, and each finds the page as it stood at first.
    """

    def __init__(self, browser, address: str):
        self._begin = functools.partial(_visit, browser, address, WIDE)
        self._held = contextlib.ExitStack()
        self._name: str | None = None
        self.visit: Visit | None = None

    def open(self, name: str) -> Visit:
        """The visit of the page, which may have begun in an earlier test."""
        if name != self._name:
            self.close()
            self.visit = self._held.enter_context(self._begin())
            self.visit.open(name).evaluate(REMEMBER)
            self._name = name
        return self.visit

    def restore(self) -> None:
        """Make the page stand as it was opened."""
        if self._name:
            self.visit.page.set_viewport_size({"width": WIDE, "height": 900})
            self.visit.page.emulate_media(media="null", contrast="null")
            self.visit.page.evaluate("restore()")

    def close(self) -> None:
        """Leave the page; what went wrong in it by now fails the test that leaves it."""
        self._name = None
        self._held.close()


REMEMBER = """() => {
    const root = document.documentElement;
    const theme = root.dataset.theme;
    const folds = [...document.querySelectorAll('details')].map(part => [part, part.open]);
    window.restore = () => {
        root.dataset.theme = theme;
        for (const [part, open] of folds) part.open = open;
    };
}"""


@pytest.fixture(scope="session")
def _standing(browser, address) -> Iterator[Standing]:
    standing = Standing(browser, address)
    yield standing
    standing.close()


@pytest.fixture
def standing(_standing, name: str) -> Iterator[Visit]:
    """The page that the test names, opened once for all tests that only look at it."""
    yield _standing.open(name)
    _standing.restore()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of one page follow one another, in one process."""
    order: dict[str, list[pytest.Item]] = {}
    for item in items:
        page = item.callspec.params.get("name") if hasattr(item, "callspec") else None
        order.setdefault(page or item.nodeid, []).append(item)
        if page:
            item.add_marker(pytest.mark.xdist_group(page))
    items[:] = [item for group in order.values() for item in group]
