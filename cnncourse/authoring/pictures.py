"""The picture of the landing page, made from the shipped network and one test image."""

from __future__ import annotations

import io

import keras

from cnncourse import datasets, models, training
from cnncourse.authoring.notebooks import Course

TEST_IMAGE = 33
"""Which image of the embedded test sample; one with a clear outline and an answer in doubt."""


def pictures(course: Course) -> None:
    """Draw ``book/_static/landing.png``."""
    from cnncourse.plots.tour import tour

    _, (images, _) = datasets.load_fashion_mnist()
    network = models.load_pretrained("simple_CNN")
    blocks = [layer.output for layer in network.layers if layer.name.startswith("activation")]
    probe = keras.Model(network.inputs, [*blocks, network.outputs[0]])
    inputs = datasets.as_inputs(images[TEST_IMAGE : TEST_IMAGE + 1])
    *maps, probabilities = probe.predict(inputs, verbose=0)
    stops = {f"block {i}": stack[0] for i, stack in enumerate(maps, start=1)}
    figure = tour(images[TEST_IMAGE], stops, probabilities[0], datasets.FASHION_MNIST_CLASSES)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    training.write_whole(course.root / "book" / "_static" / "landing.png", buffer.getvalue())
