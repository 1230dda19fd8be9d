"""A browser and a local server for the tests of the explorer page."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from browsers import EXPLORER, Quiet, served

from cnncourse import datasets, export, models


class Handler(Quiet):
    """Serves ``/explorer/`` from the page's folder and the rest from a temporary one."""

    def translate_path(self, path: str) -> str:
        path = path.split("?")[0].split("#")[0]
        # Networks come from the test, so that a page test needs no trained weights.
        if path.startswith("/explorer/") and not path.startswith("/explorer/networks/"):
            return str(EXPLORER / path.removeprefix("/explorer/"))
        return super().translate_path(path)


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """The address of the local server, and the folder that it serves."""
    folder = tmp_path_factory.mktemp("site")
    with served(functools.partial(Handler, directory=str(folder))) as address:
        yield address, folder


@pytest.fixture
def page(browser, site):
    """A fresh page that fails the test when the browser reports an error or leaves the host."""
    address, _ = site
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    faults: list[str] = []
    # Listening from the start makes the browser hand over every file chooser, the first one too.
    page.on("filechooser", lambda chooser: None)
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    page.on("request", lambda request: _check_host(request.url, address, faults))
    yield page
    context.close()
    assert not faults, faults


def _check_host(url: str, address: str, faults: list[str]) -> None:
    if not url.startswith((address, "data:", "blob:")):
        faults.append(f"a request left the host: {url}")


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
<div class="cnn-widget" data-widget="computation-graph"></div>
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
    """Both networks as they ship."""
    return {name: models.load_pretrained(name) for name in models.NETWORKS}


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """Twenty test images, two of each class, as float32 of shape (20, 28, 28, 1)."""
    _, (images, labels) = datasets.load_fashion_mnist("small")
    chosen = np.concatenate([np.flatnonzero(labels == label)[3:5] for label in range(10)])
    return datasets.as_inputs(images[chosen])
