"""A browser and a local server, for every test that opens a page."""

from __future__ import annotations

import contextlib
import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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


def find_chromium() -> str | None:
    """The system's Chromium, or what ``$CHROMIUM`` names."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, (shutil.which(name) for name in names if name)), None)


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


@contextlib.contextmanager
def served(handler: Callable[..., http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server in a thread; gives its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
