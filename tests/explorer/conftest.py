"""A browser and a local server for the tests of the explorer page."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from cnncourse import datasets, export, models

ROOT = Path(__file__).parents[2]
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


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves ``/explorer/`` from the page's folder and the rest from a temporary one."""

    def translate_path(self, path: str) -> str:
        path = path.split("?")[0].split("#")[0]
        # Networks come from the test, so that a page test needs no trained weights.
        if path.startswith("/explorer/") and not path.startswith("/explorer/networks/"):
            return str(EXPLORER / path.removeprefix("/explorer/"))
        return super().translate_path(path)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: pytest shows what matters."""


def find_chromium() -> str | None:
    """The system's Chromium, or what ``$CHROMIUM`` names."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, (shutil.which(name) for name in names if name)), None)


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests."""
    path = find_chromium()
    if path is None:
        pytest.skip(
            "No Chromium on this machine, so the explorer was not tested in a browser; install "
            "the package chromium, or set CHROMIUM to a browser's path."
        )
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """The address of the local server, and the folder that it serves."""
    folder = tmp_path_factory.mktemp("site")
    with serve(functools.partial(Handler, directory=str(folder))) as address:
        yield address, folder


class serve:
    """A server in a thread: ``with serve(handler) as address``."""

    def __init__(self, handler: Callable[..., object]) -> None:
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self) -> str:
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *exception: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def page(browser, site):
    """A fresh page that fails the test when the browser reports an error or leaves the host."""
    address, _ = site
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    page.on("request", lambda request: _check_host(request.url, address, faults))
    yield page
    context.close()
    assert not faults, faults


def _check_host(url: str, address: str, faults: list[str]) -> None:
    if not url.startswith((address, "data:", "blob:")):
        faults.append(f"a request left the host: {url}")


def randomized(model: keras.Sequential, seed: int) -> keras.Sequential:
    """Give every weight, the moving statistics included, a value that is not a default."""
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            channels = layer.gamma.shape
            layer.set_weights(
                [
                    generator.uniform(0.5, 1.5, channels),
                    generator.normal(0, 0.3, channels),
                    generator.normal(0, 0.3, channels),
                    generator.uniform(0.5, 2, channels),
                ]
            )
        elif layer.weights and layer.bias is not None:
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, generator.normal(0, 0.1, bias.shape)])
    return model


def halved(model: keras.Sequential) -> keras.Sequential:
    """The same model with weights that half precision holds exactly."""
    model.set_weights([w.astype(np.float16).astype(np.float32) for w in model.get_weights()])
    return model


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The explorer</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/explorer/explorer.css">
<main>
<h1>The explorer</h1>
<div id="cnn-explorer" class="cnn-explorer"><div class="cnn-fallback"><p>A picture</p></div></div>
<div class="cnn-widget" data-widget="convolution"></div>
<div class="cnn-widget" data-widget="batch-normalization"></div>
<div class="cnn-widget" data-widget="pooling"></div>
</main>
<script type="module" src="/explorer/explorer.js"></script>
<script type="module" src="/explorer/widgets.js"></script>
</html>
"""


@pytest.fixture
def explorer(page, site, networks):
    """The explorer with both networks at hand, its test images shown."""
    _, folder = site
    (folder / "explorer.html").write_text(PAGE, encoding="utf-8")
    for name, model in networks.items():
        export.export_explorer(
            model, folder / "explorer" / "networks" / name, classes=datasets.FASHION_MNIST_CLASSES
        )
    page.goto("/explorer.html")
    page.wait_for_selector(".cnn-gallery button:nth-child(30)")
    return page


@pytest.fixture(scope="session")
def networks() -> dict[str, keras.Sequential]:
    """Both networks, every weight random and exact in half precision."""
    keras.utils.set_random_seed(0)
    return {
        name: halved(randomized(build((28, 28, 1), 10), seed=1))
        for name, build in models.NETWORKS.items()
    }


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """Twenty test images, two of each class, as float32 of shape (20, 28, 28, 1)."""
    _, (images, labels) = datasets.load_fashion_mnist("small")
    chosen = np.concatenate([np.flatnonzero(labels == label)[3:5] for label in range(10)])
    return datasets.as_inputs(images[chosen])
