"""The built book, served to a browser that notes what goes wrong in a page."""

from __future__ import annotations

import functools
import http.server
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from browsers import BUILT, chromium, served


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: pytest shows what matters."""


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
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    if not (BUILT / "index.html").is_file():
        pytest.fail("There is no built book to test; run `make book` first.")
    with served(functools.partial(_Quiet, directory=str(BUILT))) as address:
        yield address


def _visit(browser, address: str, width: int) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    visit = Visit(context.new_page(), address)
    page, faults = visit.page, visit.faults
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
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


@pytest.fixture
def wide(browser, address) -> Iterator[Visit]:
    yield from _visit(browser, address, 1280)


@pytest.fixture
def narrow(browser, address) -> Iterator[Visit]:
    yield from _visit(browser, address, 360)
