"""Known designs that set the marks of the challenges: a weak, a fair and a strong one for each.

Each is a function and a recipe, as a learner hands them in. What they reach is measured by
``python -m cnncourse.authoring challenges`` and recorded in ``results``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
from keras import layers

from cnncourse.training import OWN, Recipe

INPUT_SHAPE, CLASSES = (28, 28, 1), 10


@dataclass(frozen=True)
class Design:
    """A network with its recipe.

    Attributes:
        says: what it is, in one phrase.
        build: gives it fresh.
        recipe: how it is trained.
    """

    says: str
    build: Callable[[], keras.Model]
    recipe: Recipe


def dense() -> keras.Model:
    """One hidden layer on the pixels in a row: it knows nothing of neighbors."""
    return keras.Sequential(
        [
            keras.Input(INPUT_SHAPE),
            layers.Flatten(),
            layers.Dense(60, activation="relu"),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def lenet(*before: layers.Layer) -> keras.Model:
    """Two convolutions with pooling and two dense layers, after LeNet-5.

    Args:
        before: layers that change images in training only, such as noise.

    Source: LeCun et al., *Gradient-based learning applied to document recognition*, Proceedings
    of the IEEE 86 (1998), figure 2; with ReLU, maximum pooling, and one dense layer fewer.
    """
    return keras.Sequential(
        [
            keras.Input(INPUT_SHAPE),
            *before,
            layers.Conv2D(6, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(84, activation="relu"),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def normalized(*before: layers.Layer) -> keras.Model:
    """Four 3×3 convolutions with batch normalization, and a global average at the end.

    Args:
        before: as in :func:`lenet`.

    Source: 3×3 kernels after Simonyan and Zisserman, arXiv:1409.1556 (2014); the global average
    in place of dense layers after Lin, Chen and Yan, arXiv:1312.4400 (2013).
    """
    network = keras.Sequential([keras.Input(INPUT_SHAPE), *before])
    for filters, padding, pooled in (
        (16, "same", True),
        (24, "same", True),
        (48, "same", False),
        (56, "valid", False),
    ):
        network.add(layers.Conv2D(filters, 3, padding=padding, use_bias=False))
        network.add(layers.BatchNormalization(momentum=0.9))
        network.add(layers.Activation("relu"))
        if pooled:
            network.add(layers.MaxPooling2D())
    network.add(layers.GlobalAveragePooling2D())
    network.add(layers.Dense(CLASSES, activation="softmax"))
    return network


def _moved_and_noisy() -> tuple[layers.Layer, ...]:
    """Layers that show a network in training what the judge shows it, anew in each epoch."""
    return (
        layers.RandomTranslation(3 / 28, 3 / 28, fill_mode="constant", interpolation="nearest"),
        layers.GaussianNoise(0.2),
        layers.ReLU(max_value=1.0),  # from black to white, as the judge's noise is cut
    )


def hardened_lenet() -> keras.Model:
    """:func:`lenet`, which in training sees each image moved and noisy."""
    return lenet(*_moved_and_noisy())


def hardened() -> keras.Model:
    """:func:`normalized`, which in training sees each image moved and noisy."""
    return normalized(*_moved_and_noisy())


_PLAIN = Recipe(OWN, epochs=8, learning_rate=0.002)
_FLIPPED = Recipe(OWN, epochs=8, learning_rate=0.005, augmentation=("flip",))

DESIGNS: dict[str, dict[str, Design]] = {
    "small": {
        "weak": Design("one hidden dense layer", dense, _PLAIN),
        "fair": Design("two convolutions and two dense layers, after LeNet-5", lenet, _PLAIN),
        "strong": Design(
            "four convolutions with batch normalization, a global average, flipped images",
            normalized,
            _FLIPPED,
        ),
    },
    "robust": {
        "weak": Design("the strong one of the small challenge", normalized, _FLIPPED),
        "fair": Design(
            "the fair one of the small challenge, on moved and noisy images",
            hardened_lenet,
            _PLAIN,
        ),
        "strong": Design(
            "the strong one of the small challenge, on moved and noisy images",
            hardened,
            replace(_FLIPPED, epochs=7),
        ),
    },
}
"""By challenge and level, the weakest first."""
