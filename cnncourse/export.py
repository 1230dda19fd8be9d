"""Trained networks in a form that other programs read: so far the explorer of the book.

Writing files from a finished Keras model belongs here; training and measuring do not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnncourse import datasets

if TYPE_CHECKING:
    import keras

FORMAT = "cnncourse-explorer"
"""What the manifest says it is, so that the page can refuse any other JSON file."""

VERSION = 1
"""Counted up when an old page could no longer read a new manifest."""

MANIFEST = "manifest.json"
WEIGHTS = "weights.bin"
IMAGES_PER_CLASS = 3

# The two forms in which a weight is stored; little-endian on every machine.
_DTYPES = {"float16": np.dtype("<f2"), "float32": np.dtype("<f4")}

Entry = dict[str, Any]


def export_explorer(
    model: keras.Sequential,
    folder: str | Path,
    *,
    classes: Sequence[str] | None = None,
    precision: str = "auto",
    input_range: tuple[float, float] = (0.0, 1.0),
) -> Path:
    """Write a Sequential model as the explorer page reads it: a manifest and its weights.

    Args:
        model: a built Sequential model whose input has the shape (height, width, channels)
            with one or three channels, made of Conv2D, Dense, BatchNormalization,
            Activation (relu, softmax, linear), ReLU, Softmax, AveragePooling2D,
            MaxPooling2D, GlobalAveragePooling2D, Flatten and Dropout.
        folder: where ``manifest.json`` and ``weights.bin`` go; made when missing.
        classes: a name for each output; the numbers 0, 1, 2, … when left out.
        precision: ``"float16"`` halves the file and rounds; ``"float32"`` keeps every
            weight; ``"auto"`` takes float16 where that changes no weight, else float32.
        input_range: what a black and what a full pixel are to the network.

    Returns:
        The path of the manifest.

    Raises:
        ValueError: a layer, or a setting of a layer, that the page does not compute (the
            message names it); an input of another form; a wrong number of class names; a
            weight that is not finite or too large for float16.

    The page shows the very numbers of Keras when no weight was rounded. Reading it back:

    >>> import tempfile
    >>> from cnncourse.models import simpler_CNN
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = export_explorer(simpler_CNN((28, 28, 1), 10), folder)
    ...     manifest = json.loads(path.read_text())
    >>> manifest["name"], manifest["layers"][0]["type"], manifest["layers"][0]["strides"]
    ('simpler_CNN', 'conv2d', [1, 1])
    """
    if precision not in ("auto", *_DTYPES):
        raise ValueError(f"Got precision={precision!r}; wanted 'auto', 'float16' or 'float32'.")
    input_shape = _input_shape(model)
    arrays: list[np.ndarray] = []
    names = _stable_names(model)
    entries = [entry for layer in model.layers for entry in _entries(layer, names, arrays)]
    _check_order(entries)
    outputs = entries[-1]["output_shape"][-1] if entries else 0
    if classes is not None and len(classes) != outputs:
        raise ValueError(f"Got {len(classes)} class names for {outputs} outputs.")
    dtype = _DTYPES[_choose_precision(precision, arrays)]
    blob = b"".join(array.astype(dtype).tobytes() for array in arrays)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "name": model.name,
        "input": {"shape": input_shape, "range": [float(bound) for bound in input_range]},
        "classes": list(classes) if classes is not None else [str(k) for k in range(outputs)],
        "weights": {"file": WEIGHTS, "dtype": dtype.name, "bytes": len(blob)},
        "layers": entries,
    }
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(blob)
    (folder / MANIFEST).write_text(_to_json(manifest), encoding="utf-8")
    return folder / MANIFEST


def export_images(folder: str | Path) -> Path:
    """Write the test images that the explorer offers: the first three of each class.

    Args:
        folder: where ``images.json`` and ``images.bin`` (uint8, image after image) go.

    Returns:
        The path of ``images.json``: its ``indices`` count within the test part of
        :func:`cnncourse.datasets.load_fashion_mnist`, ``labels`` are the true classes.
    """
    _, (images, labels) = datasets.load_fashion_mnist("small")
    classes = datasets.FASHION_MNIST_CLASSES
    indices = [
        int(index)
        for label in range(len(classes))
        for index in np.flatnonzero(labels == label)[:IMAGES_PER_CLASS]
    ]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "images.bin").write_bytes(images[indices].tobytes())
    description = {
        "shape": list(images[indices].shape),
        "indices": indices,
        "labels": [int(label) for label in labels[indices]],
        "classes": list(classes),
    }
    (folder / "images.json").write_text(_to_json(description), encoding="utf-8")
    return folder / "images.json"


def export_course(folder: str | Path) -> None:
    """Write all that the book's own explorer needs: both shipped networks and the images.

    Args:
        folder: the page's folder, ``book/_static/explorer`` in the repository.
    """
    from cnncourse import models

    for name in models.NETWORKS:
        export_explorer(
            models.load_pretrained(name),
            Path(folder) / "networks" / name,
            classes=datasets.FASHION_MNIST_CLASSES,
        )
    export_images(folder)


def _input_shape(model: keras.Sequential) -> list[int]:
    import keras

    if not isinstance(model, keras.Sequential):
        raise ValueError(f"Got a {type(model).__name__}; the explorer reads Sequential models.")
    if not model.built:
        raise ValueError("The model has no weights yet; give it an Input, or build it first.")
    shape = list(model.input_shape[1:])
    if len(shape) != 3 or None in shape or shape[2] not in (1, 3):
        raise ValueError(
            f"Got an input of shape {tuple(shape)}; the explorer shows pictures of shape "
            "(height, width, channels) with fixed sides and one or three channels."
        )
    return shape


def _stable_names(model: keras.Sequential) -> dict[str, str]:
    """Names that do not depend on how many layers the session made before.

    Keras counts the layers that got no name of their own through a whole session; here the
    count begins anew with the model: conv2d, conv2d_1, ….
    """
    counts: dict[str, int] = {}
    names = {}
    for layer in model.layers:
        names[layer.name] = layer.name
        base = re.sub(r"_\d+$", "", layer.name)
        if base.replace("_", "") == type(layer).__name__.lower():
            count = counts[base] = counts.get(base, -1) + 1
            names[layer.name] = f"{base}_{count}" if count else base
    return names


def _entries(
    layer: keras.Layer, names: dict[str, str], arrays: list[np.ndarray]
) -> Iterator[Entry]:
    """What the manifest says of one Keras layer; its weights are appended to ``arrays``.

    A layer with an ``activation`` argument gives two entries, since it does two things.
    """
    from keras import layers as known

    output_shape = list(layer.output.shape[1:])
    name = names[layer.name]
    common = {"name": name, "output_shape": output_shape}

    def weights(**named: Any) -> Entry:
        """Where each weight lies in the file: its offset, counted in numbers, and shape."""
        places = {}
        for role, variable in named.items():
            if variable is not None:
                array = np.asarray(variable, dtype=np.float32)
                offset = sum(earlier.size for earlier in arrays)
                places[role] = {"offset": offset, "shape": list(array.shape)}
                arrays.append(array)
        return {"weights": places}

    def activation(name: str, function: str) -> Entry:
        if function not in ("relu", "softmax"):
            raise _unsupported(layer, f"activation {function!r}")
        return {**common, "type": function, "name": name}

    kind = type(layer)
    if kind in (known.Conv2D, known.Dense):
        if kind is known.Conv2D:
            _want(layer, groups=1, dilation_rate=(1, 1), data_format="channels_last")
            settings = _window(layer, layer.kernel_size)
        else:
            settings = {}
        yield {
            **common,
            "type": "conv2d" if kind is known.Conv2D else "dense",
            **settings,
            **weights(kernel=layer.kernel, bias=layer.bias),
        }
        if layer.activation.__name__ != "linear":
            function = layer.activation.__name__
            yield activation(f"{name}/{function}", function)
    elif kind is known.BatchNormalization:
        if layer.axis not in (-1, len(output_shape)):
            raise _unsupported(layer, f"axis {layer.axis}")
        yield {
            **common,
            "type": "batch_normalization",
            "epsilon": float(layer.epsilon),
            **weights(
                gamma=layer.gamma,
                beta=layer.beta,
                moving_mean=layer.moving_mean,
                moving_variance=layer.moving_variance,
            ),
        }
    elif kind is known.Activation:
        if layer.activation.__name__ != "linear":
            yield activation(name, layer.activation.__name__)
    elif kind is known.ReLU:
        _want(layer, max_value=None, negative_slope=0, threshold=0)
        yield activation(name, "relu")
    elif kind is known.Softmax:
        if layer.axis not in (-1, len(output_shape)):
            raise _unsupported(layer, f"axis {layer.axis}")
        yield activation(name, "softmax")
    elif kind in (known.AveragePooling2D, known.MaxPooling2D):
        _want(layer, data_format="channels_last")
        pool = "average_pool2d" if kind is known.AveragePooling2D else "max_pool2d"
        yield {**common, "type": pool, **_window(layer, layer.pool_size)}
    elif kind is known.GlobalAveragePooling2D:
        _want(layer, data_format="channels_last", keepdims=False)
        yield {**common, "type": "global_average_pool2d"}
    elif kind is known.Flatten:
        yield {**common, "type": "flatten"}
    elif kind is known.Dropout:
        yield {**common, "type": "dropout", "rate": float(layer.rate)}
    else:
        raise _unsupported(layer)


def _window(layer: keras.Layer, size: tuple[int, int]) -> Entry:
    return {
        "window": list(size),
        "strides": list(layer.strides),
        "padding": layer.padding,
    }


def _want(layer: keras.Layer, **settings: Any) -> None:
    """Refuse a layer one of whose settings the page does not compute."""
    for name, wanted in settings.items():
        value = getattr(layer, name)
        if value != wanted:
            raise _unsupported(layer, f"{name}={value!r}")


def _unsupported(layer: keras.Layer, what: str = "") -> ValueError:
    setting = f" with {what}" if what else ""
    return ValueError(
        f"The explorer cannot show the layer {layer.name!r}: {type(layer).__name__}{setting} "
        "is not among what its page computes. It knows Conv2D, Dense, BatchNormalization, "
        "Activation (relu, softmax, linear), ReLU, Softmax, AveragePooling2D, MaxPooling2D, "
        "GlobalAveragePooling2D, Flatten and Dropout."
    )


def _check_order(entries: Sequence[Entry]) -> None:
    """The page ends in one probability per class, so the last layer must be a softmax."""
    if not entries or entries[-1]["type"] != "softmax" or len(entries[-1]["output_shape"]) != 1:
        raise ValueError(
            "The explorer shows probabilities: the model must end in a softmax over one row of "
            f"numbers. Its last layer is {entries[-1]['name']!r}."
            if entries
            else "No layers."
        )


def _choose_precision(precision: str, arrays: Sequence[np.ndarray]) -> str:
    for array in arrays:
        if not np.isfinite(array).all():
            raise ValueError("The model has a weight that is infinite or not a number.")
    with np.errstate(over="ignore"):
        halves = [array.astype(np.float16).astype(np.float32) for array in arrays]
    if precision == "auto":
        exact = all(np.array_equal(*pair) for pair in zip(arrays, halves, strict=True))
        return "float16" if exact else "float32"
    if precision == "float16" and not all(np.isfinite(half).all() for half in halves):
        raise ValueError(
            "A weight lies beyond 65,504, the largest number of half precision; "
            "export with precision='float32'."
        )
    return precision


def _to_json(content: Entry) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
