"""Trained networks in the form that the explorer of the book reads.

Writing files from a finished Keras model, and reading them back, belongs here; training and
measuring do not. What the
explorer's page reads is a manifest in JSON and a file of weights beside it.

The manifest holds
    format, version     "cnncourse-explorer"; 1, or 2 where anything marked * is used
    name                of the network
    input               shape [height, width, channels], one or three channels, and range
                        [low, high]: what a black and what a white pixel are to the network
    answer *            "softmax" where it is left out: the last entry is a softmax over a row;
                        "sigmoid": the last entry is a sigmoid over a row, each output a
                        probability of its own; "scores": the row holds neither, but logits
    classes             a text for each output, but two for a single output: what 0 and 1 mean
    weights             file, dtype ("float16" or "float32", little-endian), bytes
    layers              entries in an order in which each follows what it takes

and each entry
    type, name, output_shape    one of TYPES, a name that no other has, a shape without the batch
    inputs *            numbers of outputs, 0 for the image and k for the k-th entry; left out:
                        the output just before. One number, but two or more for add
    weights             by role, offset (counted in numbers) and shape
and, by its type,
    conv2d, depthwise_conv2d *   window, strides [rows, columns], padding "valid" or "same";
                        dilation_rate * [rows, columns], left out [1, 1]; groups *, left out 1;
                        kernel (rows, columns, channels in / groups, filters), or (rows, columns,
                        channels in, depth multiplier); bias where there is one
    dense               kernel (in, out), bias; over the last axis
    batch_normalization epsilon; gamma and beta where they are, moving_mean, moving_variance
    rescaling *         scale, offset: lists of one number, or one for each channel
    average_pool2d, max_pool2d   window, strides, padding
    global_average_pool2d, global_max_pool2d *   keepdims *: true, or left out
    zero_padding2d *    padding [[top, bottom], [left, right]]
    relu                max_value *, negative_slope *, threshold *, left out: none, 0, 0
    leaky_relu *        negative_slope
    elu *               alpha
    gelu *              approximate: true (by tanh) or false (by erf)
    dropout             rate
    flatten, softmax, sigmoid *, tanh *, add *

A layer with an activation gives two entries, NAME and NAME/relu, since it does two things; so does
a separable convolution, NAME/depthwise and NAME. What passes everything on gives none.
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnncourse import datasets, files

if TYPE_CHECKING:
    import keras

    from cnncourse.keras_layers import Step

FORMAT = "cnncourse-explorer"
"""What the manifest says it is, so that the page can refuse any other JSON file."""

VERSION = 2
"""Counted up when an old page could no longer read a new manifest."""

TYPES = (
    *("conv2d", "dense", "batch_normalization", "relu", "softmax", "average_pool2d"),
    *("max_pool2d", "global_average_pool2d", "flatten", "dropout"),
    *("depthwise_conv2d", "rescaling", "global_max_pool2d", "zero_padding2d", "leaky_relu"),
    *("elu", "gelu", "sigmoid", "tanh", "add"),
)
"""Every type of entry that the page computes."""

MANIFEST = "manifest.json"
WEIGHTS = "weights.bin"
IMAGES_PER_CLASS = 3
LARGEST_FILE = 256 * 2**20
"""Bytes of weights that the page reads at most."""

# What a page of version 1 reads: these types, with these settings.
_TYPES_1 = TYPES[:10]
_SETTINGS_1 = {
    *("name", "output_shape", "type", "window", "strides", "padding", "weights", "epsilon"),
    "rate",
}

# The two forms in which a weight is stored; little-endian on every machine.
_DTYPES: dict[str, np.dtype[Any]] = {"float16": np.dtype("<f2"), "float32": np.dtype("<f4")}

Entry = dict[str, Any]
Range = tuple[float, float]


def export_explorer(
    model: keras.Model,
    folder: str | Path,
    *,
    classes: Sequence[Any] | None = None,
    precision: str = "auto",
    input_range: Range | None = None,
) -> Path:
    """Write a model as the explorer page reads it: a manifest and its weights.

    Args:
        model: a built Sequential, or a model of the functional API, whose input has the shape
            (height, width, channels) with one or three channels, of layers that
            :func:`cnncourse.keras_layers.read` knows.
        folder: where ``manifest.json`` and ``weights.bin`` go; made when missing.
        classes: a name for each output, or a number; two names where there is one output. The
            numbers 0, 1, 2, … when left out.
        precision: ``"float16"`` halves the file and rounds; ``"float32"`` keeps every
            weight; ``"auto"`` takes float16 where that changes no weight, else float32.
        input_range: what a black and what a white pixel are to the network. Left out it is
            :func:`expected_range`, with a warning where that is not 0 to 1.

    Returns:
        The path of the manifest.

    Raises:
        ValueError: a layer, or a setting of a layer, that the page does not compute (the
            message names it); an input of another form; a wrong number of class names; a
            range without two ends; a weight that is not finite or too large for float16.
            Nothing is written then.

    The page shows the very numbers of Keras when no weight was rounded. Reading it back:

    >>> import tempfile
    >>> from cnncourse.models import simpler_CNN
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = export_explorer(simpler_CNN((28, 28, 1), 10), folder, input_range=(0, 1))
    ...     manifest = json.loads(path.read_text())
    >>> manifest["name"], manifest["layers"][0]["type"], manifest["layers"][0]["strides"]
    ('simpler_CNN', 'conv2d', [1, 1])
    """
    if precision not in ("auto", *_DTYPES):
        raise ValueError(f"Got precision={precision!r}; wanted 'auto', 'float16' or 'float32'.")
    found = _steps(model)
    arrays: list[np.ndarray] = []
    entries = _entries(found, arrays)
    answer = _answer(found, entries)
    names = _class_names(classes, found[-1].output_shape[0])
    if input_range is None:
        input_range, reason = expected_range(model)
        if reason:
            warnings.warn(f"{reason} Pass input_range to say it yourself.", stacklevel=2)
    dtype = _DTYPES[_choose_precision(precision, arrays)]
    blob = b"".join(array.astype(dtype).tobytes() for array in arrays)
    if len(blob) > LARGEST_FILE:
        raise ValueError(
            f"Got {len(blob) / 2**20:,.0f} MiB of weights; the page reads at most "
            f"{LARGEST_FILE // 2**20}. Export with precision='float16', or a smaller network."
        )
    version = max(map(_version_of, entries), default=1)
    manifest = {
        "format": FORMAT,
        "version": version if answer == "softmax" else VERSION,
        "name": model.name,
        "input": {"shape": list(found[0].input_shape), "range": _checked_range(input_range)},
        **({} if answer == "softmax" else {"answer": answer}),
        "classes": names,
        "weights": {"file": WEIGHTS, "dtype": dtype.name, "bytes": len(blob)},
        "layers": entries,
    }
    folder = Path(folder)
    files.make_folder(folder)
    files.write_whole(folder / WEIGHTS, blob)
    files.write_whole(folder / MANIFEST, _to_json(manifest).encode())
    return folder / MANIFEST


def read_explorer(manifest: str | Path) -> Callable[[np.ndarray], np.ndarray]:
    """The network in the files of :func:`export_explorer`, computed from nothing but them.

    Args:
        manifest: the path of ``manifest.json``; its weights lie beside it.

    Returns:
        A function from images (n, height, width, channels), float32, as the network is fed, to
        (n, outputs), float32.

    Raises:
        OSError: one of the files is missing, or is not what was written.
    """
    import keras

    manifest = Path(manifest)
    with files.reading(manifest, "a network for the explorer", "Export it again."):
        content = json.loads(manifest.read_text("utf-8"))
        described, entries = content["weights"], content["layers"]
    stored = manifest.with_name(described["file"])
    with files.reading(stored, "the weights of a network", "Export it again."):
        numbers = np.frombuffer(stored.read_bytes(), _DTYPES[described["dtype"]])
        weights = [
            {
                role: numbers[at["offset"] :][: math.prod(at["shape"])]
                .astype(np.float32)
                .reshape(at["shape"])
                for role, at in entry.get("weights", {}).items()
            }
            for entry in entries
        ]

    def predict(images: np.ndarray) -> np.ndarray:
        values = [keras.ops.convert_to_tensor(images, "float32")]
        for entry, arrays in zip(entries, weights, strict=True):
            taken = [values[number] for number in entry.get("inputs", [len(values) - 1])]
            values.append(_run(entry, arrays, taken))
        return np.asarray(keras.ops.convert_to_numpy(values[-1]))

    return predict


def _run(entry: Entry, weights: dict[str, np.ndarray], taken: Sequence[Any]) -> Any:
    """What one entry makes of the values that it takes."""
    from keras import activations, ops

    kind, (inputs, *_) = entry["type"], taken
    window, strides = (tuple(entry.get(name, ())) for name in ("window", "strides"))
    padding: Any = entry.get("padding")
    if kind in ("conv2d", "depthwise_conv2d"):
        convolve = ops.conv if kind == "conv2d" else ops.depthwise_conv
        dilation = tuple(entry.get("dilation_rate", (1, 1)))
        outputs = convolve(inputs, weights["kernel"], strides, padding, dilation_rate=dilation)
        return outputs + weights.get("bias", 0)
    if kind == "batch_normalization":
        moments = weights["moving_mean"], weights["moving_variance"]
        offset, scale = weights.get("beta"), weights.get("gamma")
        return ops.batch_normalization(inputs, *moments, -1, offset, scale, entry["epsilon"])
    relu = {
        name: entry[name] for name in ("max_value", "negative_slope", "threshold") if name in entry
    }
    return {
        "dense": lambda: ops.matmul(inputs, weights["kernel"]) + weights.get("bias", 0),
        "rescaling": lambda: inputs * np.float32(entry["scale"]) + np.float32(entry["offset"]),
        "average_pool2d": lambda: ops.average_pool(inputs, window, strides, padding),
        "max_pool2d": lambda: ops.max_pool(inputs, window, strides, padding),
        "global_average_pool2d": lambda: ops.mean(inputs, (1, 2), entry.get("keepdims", False)),
        "global_max_pool2d": lambda: ops.max(inputs, (1, 2), entry.get("keepdims", False)),
        "zero_padding2d": lambda: ops.pad(inputs, ((0, 0), *padding, (0, 0))),
        "relu": lambda: activations.relu(inputs, **relu),
        "leaky_relu": lambda: ops.leaky_relu(inputs, entry["negative_slope"]),
        "elu": lambda: ops.elu(inputs, entry["alpha"]),
        "gelu": lambda: ops.gelu(inputs, entry["approximate"]),
        "sigmoid": lambda: ops.sigmoid(inputs),
        "tanh": lambda: ops.tanh(inputs),
        "softmax": lambda: ops.softmax(inputs),
        "flatten": lambda: ops.reshape(inputs, (len(inputs), -1)),
        "dropout": lambda: inputs,
        "add": lambda: sum(taken[1:], start=inputs),
    }[kind]()


def expected_range(model: keras.Model) -> tuple[Range, str]:
    """What black and white are to a network, as far as it shows: 0 and 1, or 0 and 255.

    A first layer that makes numbers small (Rescaling, Normalization, BatchNormalization) shows
    it, and so do answers on the sample's test images, where the network takes such.

    Returns:
        ((low, high), reason): the reason is a sentence, empty where nothing speaks for 255.

    Raises:
        ValueError: as in :func:`cnncourse.keras_layers.steps`.
    """
    from cnncourse import keras_layers, operations

    found = keras_layers.steps(model)
    for step in found:
        operation = step.reading.operation
        factor = None
        if isinstance(operation, operations.Scaling):
            factor = np.abs(operation.scale).max()
        elif isinstance(operation, operations.Normalization):
            variance = operation.array("moving_variance") + operation.epsilon
            factor = float(1 / np.sqrt(variance.max()))
        if factor is not None and factor < 0.1:
            return (0.0, 255.0), (
                f"{model.name} seems to expect pixels from 0 to 255: its layer {step.name} makes "
                f"numbers {1 / factor:,.0f} times smaller."
            )
        if not isinstance(operation, operations.Nothing) or factor is not None:
            break
    if found[0].input_shape == (28, 28, 1) and found[-1].output_shape == (10,):
        _, (images, labels) = datasets.load_fashion_mnist("small")
        pixels = images[:300, ..., np.newaxis].astype(np.float32)
        right = [int((_answers(model, pixels / scale) == labels[:300]).sum()) for scale in (255, 1)]
        # Far more than chance, and more than the other: with noise alone 30 of 300 are right.
        if right[1] > max(100, right[0] + 60):
            return (0.0, 255.0), (
                f"{model.name} seems to expect pixels from 0 to 255: it gets {right[1]} of 300 "
                f"test images right so, and {right[0]} with pixels from 0 to 1."
            )
    return (0.0, 1.0), ""


def _answers(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return np.asarray(model.predict(images, verbose=0)).argmax(axis=1)


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
    files.make_folder(folder)
    files.write_whole(folder / "images.bin", images[indices].tobytes())
    description = {
        "shape": list(images[indices].shape),
        "indices": indices,
        "labels": [int(label) for label in labels[indices]],
        "classes": list(classes),
    }
    files.write_whole(folder / "images.json", _to_json(description).encode())
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
            input_range=(0, 1),
        )
    export_images(folder)


def _steps(model: keras.Model) -> tuple[Step, ...]:
    from cnncourse import keras_layers

    found = keras_layers.steps(model)
    shape = found[0].input_shape
    if shape[2] not in (1, 3):
        raise ValueError(
            f"Got an input of shape {shape}; the explorer shows pictures of shape "
            "(height, width, channels) with one or three channels."
        )
    return found


def _stable_names(found: Sequence[Step]) -> list[str]:
    """Names that do not depend on how many layers the session made before.

    Keras counts the layers that got no name of their own through a whole session; here the
    count begins anew with the model: conv2d, conv2d_1, ….
    """
    counts: dict[str, int] = {}
    names: list[str] = []
    for step in found:
        outer, _, inner = step.name.rpartition("/")
        base = re.sub(r"_\d+$", "", inner)
        if base.replace("_", "") == step.reading.type.lower():
            count = counts[base] = counts.get(base, -1) + 1
            inner = f"{base}_{count}" if count else base
        name = wished = f"{outer}/{inner}" if outer else inner
        for number in range(2, len(found) + 2):
            if name not in names:
                break
            name = f"{wished}_{number}"
        names.append(name)
    return names


def _entries(found: Sequence[Step], arrays: list[np.ndarray]) -> list[Entry]:
    """What the manifest says of the layers; their weights are appended to ``arrays``."""
    entries: list[Entry] = []
    numbers = {0: 0}  # of the entry that gives a step's output
    for place, (step, name) in enumerate(zip(found, _stable_names(found), strict=True)):
        inputs = [numbers[number] for number in step.inputs]
        for entry in _entries_of(step, name, arrays):
            if inputs != [len(entries)]:
                entry["inputs"] = inputs
            entries.append(entry)
            inputs = [len(entries)]
        numbers[place + 1] = inputs[0]
    return entries


def _entries_of(step: Step, name: str, arrays: list[np.ndarray]) -> Iterator[Entry]:
    """The entries of one layer, without their inputs."""
    operation, activation = step.reading.operation, step.reading.activation
    parts = list(operation.entries())
    if operation.axis != -1:
        raise _unsupported(step, f"axis {operation.axis}")
    for number, (kind, settings, weights) in enumerate(parts, start=1):
        last = number == len(parts)
        shape = step.output_shape
        if not last:  # between the two of a separable convolution
            shape = (*shape[:-1], math.prod(weights["kernel"].shape[2:]))
        yield {
            "name": name if last else f"{name}/depthwise",
            "output_shape": list(shape),
            "type": _known(step, kind),
            **settings,
            **_placed(weights, operation.as_array, arrays),
        }
    if activation is not None:
        yield {
            "name": f"{name}/{activation.kind}" if parts else name,
            "output_shape": list(step.output_shape),
            "type": _known(step, activation.kind),
            **activation.settings(),
        }


def _placed(weights: Any, as_array: Any, arrays: list[np.ndarray]) -> Entry:
    """Where each weight lies in the file: its offset, counted in numbers, and shape."""
    places = {}
    for role, weight in weights.items():
        array = as_array(weight).astype(np.float32)
        offset = sum(earlier.size for earlier in arrays)
        places[role] = {"offset": offset, "shape": list(array.shape)}
        arrays.append(array)
    return {"weights": places} if places else {}


def _known(step: Step, kind: str) -> str:
    if kind not in TYPES:
        raise _unsupported(step, kind)
    return kind


def _unsupported(step: Step, what: str) -> ValueError:
    return ValueError(
        f"The explorer cannot show the layer {step.name!r}: {step.reading.type} with {what} is "
        f"not among what its page computes. It knows {', '.join(TYPES)}."
    )


def _answer(found: Sequence[Step], entries: Sequence[Entry]) -> str:
    """What the row at the end holds."""
    shape = found[-1].output_shape
    if len(shape) != 1 or not entries:
        raise ValueError(
            "The explorer shows one number for each class: the model must end in a row of numbers "
            f"for each image. Its last layer, {found[-1].name!r}, gives the shape {shape}."
        )
    kind = entries[-1]["type"]
    if kind == "softmax" and shape[0] == 1:
        raise ValueError(
            f"The layer {found[-1].name!r} is a softmax over one number, which is always 1; a "
            "network with one output ends in a sigmoid."
        )
    return kind if kind in ("softmax", "sigmoid") else "scores"


def _class_names(classes: Sequence[Any] | None, outputs: int) -> list[str]:
    wanted = max(outputs, 2)
    names = [str(k) for k in range(wanted)] if classes is None else _texts(classes)
    if len(names) != wanted:
        what = "one output, which tells two classes apart" if outputs == 1 else f"{outputs} outputs"
        raise ValueError(f"Got {len(names)} class names for {what}.")
    return names


def _texts(classes: Sequence[Any]) -> list[str]:
    if isinstance(classes, str):
        raise ValueError(f"Got classes={classes!r}; wanted a name for each output, such as a list.")
    return [str(name) for name in classes]


def _checked_range(given: Any) -> list[float]:
    try:
        low, high = (float(bound) for bound in given)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Got input_range={given!r}; wanted two numbers, what black and white are."
        ) from error
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        raise ValueError(f"Got input_range={given!r}; wanted two finite numbers that differ.")
    return [low, high]


def _version_of(entry: Entry) -> int:
    """The lowest version of a page that reads an entry."""
    return 1 if entry["type"] in _TYPES_1 and set(entry) <= _SETTINGS_1 else VERSION


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
