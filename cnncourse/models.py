"""The two networks of the course, and their trained weights.

Only the architectures and how to load them belong here; training has a room of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources

import keras
import numpy as np
from keras import layers

Shape = tuple[int, int, int]


def simple_CNN(input_shape: Shape, num_classes: int) -> keras.Sequential:
    """Ten convolutions in five blocks, average pooling, and a global average as the head.

    Args:
        input_shape: (height, width, channels). Any size of at least one pixel works: the
            global average turns whatever map is left into one number per class.
        num_classes: how many probabilities come out.

    Returns:
        A Sequential model, not compiled; its output has shape (batch, num_classes) and
        each row sums to one.

    Raises:
        ValueError: ``input_shape`` or ``num_classes`` is not of that form.

    >>> simple_CNN((28, 28, 1), 10).output_shape
    (None, 10)
    """
    _check_arguments(input_shape, num_classes)
    model = keras.Sequential([keras.Input(input_shape)], name="simple_CNN")
    for block, (filters, kernel_size) in enumerate([(16, 7), (32, 5), (64, 3), (128, 3)]):
        first_name = "image_array" if block == 0 else None
        model.add(layers.Conv2D(filters, kernel_size, padding="same", name=first_name))
        model.add(layers.BatchNormalization())
        model.add(layers.Conv2D(filters, kernel_size, padding="same"))
        model.add(layers.BatchNormalization())
        model.add(layers.Activation("relu"))
        model.add(layers.AveragePooling2D(2, padding="same"))
        model.add(layers.Dropout(0.5))
    model.add(layers.Conv2D(256, 3, padding="same"))
    model.add(layers.BatchNormalization())
    model.add(layers.Conv2D(num_classes, 3, padding="same"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Activation("softmax", name="predictions"))
    return model


def simpler_CNN(input_shape: Shape, num_classes: int) -> keras.Sequential:
    """Twelve convolutions, six of them with stride 2 in place of pooling, and a Flatten head.

    Args:
        input_shape: (height, width, channels); height and width from 1 to 64, because the
            six strides divide each side by 64 and Flatten keeps every place that is left.
        num_classes: how many probabilities come out.

    Returns:
        A Sequential model, not compiled; its output has shape (batch, num_classes) and
        each row sums to one.

    Raises:
        ValueError: an input above 64 pixels, which would give more outputs than classes;
            or ``input_shape`` or ``num_classes`` is not of the stated form.

    >>> simpler_CNN((28, 28, 1), 10).output_shape
    (None, 10)
    """
    _check_arguments(input_shape, num_classes)
    rows, columns = (-(-side // 64) for side in input_shape[:2])
    if rows * columns > 1:
        raise ValueError(
            f"Got an input of {input_shape[0]}×{input_shape[1]} pixels; simpler_CNN takes at most "
            f"64×64. Its six strides of 2 leave a map of {rows}×{columns}, and Flatten would make "
            f"{rows} · {columns} · {num_classes} = {rows * columns * num_classes} outputs of it "
            f"instead of {num_classes}. Resize the images, or use simple_CNN, whose global "
            "average takes any size."
        )
    model = keras.Sequential([keras.Input(input_shape)], name="simpler_CNN")
    blocks = [(16, 5, 16, 5), (32, 5, 32, 5), (64, 3, 64, 3), (64, 1, 128, 3)]
    for block, (filters, kernel_size, strided_filters, strided_kernel_size) in enumerate(blocks):
        first_name = "image_array" if block == 0 else None
        model.add(layers.Conv2D(filters, kernel_size, padding="same", name=first_name))
        model.add(layers.BatchNormalization())
        model.add(layers.Conv2D(strided_filters, strided_kernel_size, strides=2, padding="same"))
        model.add(layers.BatchNormalization())
        model.add(layers.Activation("relu"))
        model.add(layers.Dropout(0.25))
    model.add(layers.Conv2D(256, 1, padding="same"))
    model.add(layers.BatchNormalization())
    model.add(layers.Conv2D(128, 3, strides=2, padding="same"))
    model.add(layers.Conv2D(256, 1, padding="same"))
    model.add(layers.BatchNormalization())
    model.add(layers.Conv2D(num_classes, 3, strides=2, padding="same"))
    model.add(layers.Flatten())
    model.add(layers.Activation("softmax", name="predictions"))
    return model


NETWORKS: dict[str, Callable[[Shape, int], keras.Sequential]] = {
    "simple_CNN": simple_CNN,
    "simpler_CNN": simpler_CNN,
}
"""The networks by name."""


def build(name: str, input_shape: Shape, num_classes: int) -> keras.Sequential:
    """A new network by its name.

    Args:
        name: a key of :data:`NETWORKS`.
        input_shape: (height, width, channels).
        num_classes: how many probabilities come out.

    Returns:
        The model with fresh random weights.

    Raises:
        ValueError: an unknown name; the message lists the known ones.

    >>> build("simpler_CNN", (28, 28, 1), 10).name
    'simpler_CNN'
    """
    if name not in NETWORKS:
        raise ValueError(f"There is no network {name!r}; choose one of {', '.join(NETWORKS)}.")
    return NETWORKS[name](input_shape, num_classes)


def load_pretrained(name: str) -> keras.Sequential:
    """A network with the weights that the course ships, trained on all of Fashion-MNIST.

    Args:
        name: a key of :data:`NETWORKS`.

    Returns:
        The model for inputs of shape (batch, 28, 28, 1), float32 between 0 and 1, as
        :func:`cnncourse.datasets.as_inputs` gives them. The weights are float32 numbers
        that half precision holds exactly, so the file is small and the numbers are the
        same wherever they are read.

    Raises:
        ValueError: an unknown name; the message lists the known ones.

    >>> load_pretrained("simpler_CNN").output_shape
    (None, 10)
    """
    model = build(name, (28, 28, 1), 10)
    with (
        resources.files("cnncourse.data").joinpath(f"{name}.npz").open("rb") as file,
        np.load(file) as arrays,
    ):
        model.set_weights([arrays[key].astype(np.float32) for key in arrays.files])
    return model


def _check_arguments(input_shape: Shape, num_classes: int) -> None:
    sizes = tuple(input_shape) if isinstance(input_shape, tuple | list) else ()
    if len(sizes) != 3 or not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ValueError(
            f"Got input_shape={input_shape!r}; wanted three whole numbers above 0: "
            "(height, width, channels), without the batch, for example (28, 28, 1)."
        )
    if not isinstance(num_classes, int) or num_classes < 1:
        raise ValueError(f"Got num_classes={num_classes!r}; wanted a whole number above 0.")
