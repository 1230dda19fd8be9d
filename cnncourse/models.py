"""The two networks of the course, their trained weights, and models from other people's files.

Only the architectures and how to load them belong here; training has a room of its own.
"""

from __future__ import annotations

import operator
import os
import re
import shutil
import warnings
import zipfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import SupportsIndex

import keras
import numpy as np
from keras import layers

from cnncourse import files

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
    input_shape, num_classes = _checked_arguments(input_shape, num_classes)
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
    input_shape, num_classes = _checked_arguments(input_shape, num_classes)
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
    """A network with the weights that the course ships, from 55,000 images of Fashion-MNIST.

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


def load_file(path: str | os.PathLike[str]) -> keras.Model:
    """A model from a file of Keras: ``.keras``, ``.h5`` or ``.hdf5``, in any case of letters.

    What it was compiled with is not needed and not read. Code inside a file is never run.

    Args:
        path: the file. What it is shows in its first bytes, not in its ending.

    Returns:
        The model with its weights, not compiled.

    Raises:
        OSError: no such file, or one that is damaged; the message says what to do.
        ValueError: something else than a whole model of Keras 3, a layer of somebody's own in
            it among them; the message says what it is.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten()], name="flat")
    ...     model.save(f"{folder}/mine.keras")
    ...     load_file(f"{folder}/mine.keras").name
    'flat'
    """
    path = Path(path)
    if path.is_dir() and (path / "saved_model.pb").is_file():
        raise ValueError(
            f"{path} is a SavedModel of TensorFlow, whose layers Keras 3 cannot read. Load it with "
            "the Keras 2 that wrote it, and save it as one file: model.save('model.h5')."
        )
    advice = "Save the model again, with model.save('model.keras'), and copy the whole file."
    with files.reading(path, "a file of Keras", advice):
        form = _form_of(path)
    if not form:
        raise ValueError(
            f"{path} is no file of Keras ({path.stat().st_size:,} bytes); wanted one that "
            "model.save('model.keras') or model.save('model.h5') wrote."
        )
    try:
        return _loaded(path, form)
    except Exception as error:  # whatever Keras, its archives and h5py raise on what they get
        raise ValueError(f"{path} cannot be read as a model: {_reason(error)}") from error


def _form_of(path: Path) -> str:
    """The ending that Keras wants for such a file; empty where it can't be one."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return ".h5"
    if not start.startswith(b"PK"):
        return ""
    with zipfile.ZipFile(path) as archive:
        # Keras reads pieces of a stored file, which its checksum does not guard.
        damaged = archive.testzip()
        if damaged:
            raise zipfile.BadZipFile(f"its part {damaged} is damaged")
        return ".keras" if "config.json" in archive.namelist() else ""


# What files call functions of Keras that were given as TensorFlow's.
_OTHER_NAMES = {"softmax_v2": keras.activations.softmax}


def _loaded(path: Path, form: str) -> keras.Model:
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of settings of training, which are not read
        readable = path
        if path.suffix != form:
            readable = Path(folder, "model").with_suffix(form)
            shutil.copyfile(path, readable)
        model = keras.models.load_model(readable, custom_objects=_OTHER_NAMES, compile=False)
    if not isinstance(model, keras.Model):
        raise ValueError(f"it holds a {type(model).__name__}, which is no model.")
    for weight in model.weights:
        if not np.isfinite(weight.numpy()).all():
            raise ValueError(f"its weight {weight.path} holds a number that is not finite.")
    return model


def _reason(error: Exception) -> str:
    """Why Keras did not read a file, in one sentence."""
    text = " ".join(str(error).split())
    own = re.search(r"Could not locate (?:class|function) '([^']+)'", text) or re.search(
        r"Unknown layer: '([^']+)'", text
    )
    if own:
        return (
            f"it holds {own[1]}, which is not Keras's own. Build the model of Keras's layers alone."
        )
    if "lambda" in text.lower() or "Lambda" in text:
        return "it holds code (a Lambda layer), which is not run from a file."
    sentence = re.split(r"(?<=[.!?]) ", text)[0][:200].rstrip(".") or type(error).__name__
    return f"{sentence}."


def _checked_arguments(input_shape: Shape, num_classes: int) -> tuple[Shape, int]:
    """Both as whole numbers of Python, whichever library's they are."""
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            "Keras is set to channels_first, by its file keras.json or in code; the networks need "
            '"image_data_format": "channels_last". `cnncourse doctor` names the file.'
        )
    try:
        height, width, channels = (_whole(size) for size in input_shape)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Got input_shape={input_shape!r}; wanted three whole numbers above 0: "
            "(height, width, channels), without the batch, for example (28, 28, 1)."
        ) from error
    try:
        return (height, width, channels), _whole(num_classes)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Got num_classes={num_classes!r}; wanted a whole number above 0."
        ) from error


def _whole(number: SupportsIndex) -> int:
    """A whole number above 0, of NumPy too; True and False are none."""
    whole = operator.index(number)
    if whole < 1 or isinstance(number, bool | np.bool_):
        raise ValueError(f"{number!r} is no size")
    return whole
