"""The pictures of the pages, made from the shipped network and one test image."""

from __future__ import annotations

import io

import keras
from matplotlib.figure import Figure

from cnncourse import datasets, files, models
from cnncourse.authoring.notebooks import Course
from cnncourse.authoring.weights import shipped_fingerprint

NETWORK = "simple_CNN"
PICTURE = "book/_static/landing.png"
PREVIEW = "book/_static/preview.png"
"""What sites show beside a link to a page."""
TEST_IMAGE = 14
"""Which image of the embedded test sample; one with a clear outline and an answer in doubt."""


def pictures(course: Course) -> None:
    """Draw them; they carry the fingerprint of the weights."""
    from cnncourse.plots.tour import tour

    _, (images, _) = datasets.load_fashion_mnist()
    network = models.load_pretrained(NETWORK)
    blocks = [layer.output for layer in network.layers if layer.name.startswith("activation")]
    probe = keras.Model(network.inputs, [*blocks, network.outputs[0]])
    inputs = datasets.as_inputs(images[TEST_IMAGE : TEST_IMAGE + 1])
    *maps, probabilities = probe.predict(inputs, verbose=0)
    stops = {f"block {i}": stack[0] for i, stack in enumerate(maps, start=1)}
    figure = tour(images[TEST_IMAGE], stops, probabilities[0], datasets.FASHION_MNIST_CLASSES)
    _write(course, PICTURE, figure, dpi=200)
    figure.set_size_inches(12, 6.3)
    _write(course, PREVIEW, figure, dpi=100)


def _write(course: Course, name: str, figure: Figure, dpi: float | None = None) -> None:
    buffer = io.BytesIO()
    about = {"Software": None, "Source": source()}
    figure.savefig(buffer, format="png", metadata=about, dpi=dpi)
    files.write_whole(course.root / name, buffer.getvalue())


def source() -> str:
    """What they are made from, as they say inside."""
    return f"{NETWORK} {shipped_fingerprint(NETWORK)}, test image {TEST_IMAGE}"
