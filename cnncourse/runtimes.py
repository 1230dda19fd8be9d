"""A trained network as one file for another runtime, and the proof that it answers as before.

ONNX for onnxruntime and LiteRT for ``ai_edge_litert``, in float32 or with int8 weights and
activations; the extra ``deploy`` installs what that needs. The form that the explorer's page
reads is the affair of ``export``; how rounding to int8 works is lesson 15's.

Reading a file needs neither Keras nor TensorFlow, so neither is loaded for it.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from cnncourse import datasets, files, tolerances

if TYPE_CHECKING:
    import keras

INSTALL = 'python -m pip install "cnncourse[deploy]"'

ENDINGS = {"onnx": ".onnx", "litert": ".tflite"}
"""The forms, each with the ending that its files have."""

CALIBRATION = 200
"""How many images show an int8 model the range of each of its maps."""

SAMPLE = 500
"""How many images the check of a written file asks about."""

CHANGED_AT_MOST = 0.05
"""Share of the answers that int8 may change; a model that loses more is not written."""

_PACKAGES = {"onnx": ("onnx", "onnxruntime", "tf2onnx"), "litert": ("ai_edge_litert",)}

Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Comparison:
    """How two programs answered the same images.

    Attributes:
        images: how many.
        largest: the largest difference between two numbers, in the unit of the outputs.
        changed: how many images got another answer: the place of the largest number, or, of a
            single output, the side of 0.5.
        tolerance: what rounding in float32 explains of the largest difference.
    """

    images: int
    largest: float
    changed: int
    tolerance: float

    def __str__(self) -> str:
        return (
            f"largest difference from Keras {self.largest:.2g}, "
            f"{self.changed} of {self.images} answers changed"
        )


class Differs(ValueError):
    """A file that was written does not answer as the model does; it was not kept."""


def available(form: str) -> bool:
    """Whether the packages that a form needs are installed."""
    return all(find_spec(package) for package in _PACKAGES[form])


def require(form: str) -> None:
    """Go on only if the packages that a form needs are installed.

    Raises:
        ImportError: one is missing; the message says how to get it.
    """
    missing = [package for package in _PACKAGES[form] if not find_spec(package)]
    if missing:
        raise ImportError(f"{', '.join(missing)} not found: {INSTALL}")


def read(path: str | Path, *, threads: int = 1) -> Predict:
    """The network in a file, ready to answer.

    Args:
        path: a file that ends in ``.onnx`` or ``.tflite``.
        threads: how many it may compute with.

    Returns:
        A function from images (n, height, width, channels), float32, to (n, outputs), float32.

    Raises:
        ImportError: the runtime is not installed; the message says how to get it.
        OSError: no such file, or one that the runtime cannot read.
        ValueError: another ending.
    """
    path = Path(path)
    form = _form_of(path)
    require(form)
    with files.reading(path, f"a network for {form}", "Export it again."):
        return _READERS[form](path, threads)


def write(
    model: keras.Model,
    path: str | Path,
    *,
    int8: bool = False,
    images: np.ndarray | None = None,
    reduce_range: bool = True,
) -> Comparison:
    """Write a model for another runtime, and keep the file only if it answers as Keras does.

    Batch normalizations are folded first. What is written is loaded again and asked about
    images; in float32 every number must agree to rounding, in int8 all but
    :data:`CHANGED_AT_MOST` of the answers must stay.

    Args:
        model: as in :func:`cnncourse.keras_layers.steps`.
        path: where to; ``.onnx`` or ``.tflite`` says the form.
        int8: weights and maps in 8 bits, the weights with one scale for each filter.
        images: (n, height, width, channels), float32, as the model is fed: the first
            :data:`CALIBRATION` show int8 its ranges, the last :data:`SAMPLE` are for the check.
            :func:`sample` if left out.
        reduce_range: weights of ONNX in 7 of the 8 bits, so that a sum of two products fits
            into 16 bits on processors that add so; see lesson 15.

    Returns:
        How the file's answers compare with those of Keras.

    Raises:
        Differs: they do not agree; nothing is kept.
        ImportError: a package is missing; the message says how to get it.
        ValueError: a model or an ending that is not of that form.
    """
    from cnncourse import anatomy

    path = Path(path)
    form = _form_of(path)
    require(form)
    images = sample(model) if images is None else np.asarray(images, np.float32)
    folded = anatomy.fold_batch_normalization(model)
    files.make_folder(path.parent)
    with TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder, path.name)
        # The calibration images are fed one by one, as a generator for either converter.
        few = images[:CALIBRATION, None] if int8 else None
        _WRITERS[form](folded, made, few, reduce_range)
        found = compare(model, read(made), images[-SAMPLE:])
        if int8 and found.changed > CHANGED_AT_MOST * found.images:
            raise Differs(
                f"{path} was not kept: int8 changed {found.changed} of {found.images} answers, "
                f"more than {CHANGED_AT_MOST:.0%}. Calibrate with images like those that the "
                "model will see, or export float32."
            )
        if not int8:
            others = f"Try another of {', '.join(ENDINGS)}, or newer versions of its packages."
            _refuse_beyond_rounding(path, found, others)
        files.write_whole(path, made.read_bytes())
    return found


def write_explorer(
    model: keras.Model, folder: str | Path, images: np.ndarray, **settings: Any
) -> Comparison:
    """Write a model for the explorer, and keep its files only if they answer as Keras does.

    Args:
        model: as in :func:`cnncourse.export.export_explorer`.
        folder: likewise.
        images: (n, height, width, channels), float32, as the model is fed; the last
            :data:`SAMPLE` are asked about.
        settings: likewise, but the precision.

    Returns:
        How the answers computed from the files compare with those of Keras.

    Raises:
        Differs: they do not agree; what was there before stays.
        ValueError: as in :func:`cnncourse.export.export_explorer`.
    """
    from cnncourse import export

    folder = Path(folder)
    files.make_folder(folder)
    with TemporaryDirectory(dir=folder) as made:
        manifest = export.export_explorer(model, made, **settings)
        found = compare(model, export.read_explorer(manifest), images[-SAMPLE:])
        _refuse_beyond_rounding(folder, found, "Please report it with the model's layers.")
        for name in (export.WEIGHTS, export.MANIFEST):
            files.write_whole(folder / name, Path(made, name).read_bytes())
    return found


def _refuse_beyond_rounding(path: Path, found: Comparison, advice: str) -> None:
    if not found.largest <= found.tolerance:
        raise Differs(
            f"{path} was not kept: its numbers differ from those of Keras by up to "
            f"{found.largest:.2g}, and rounding explains {found.tolerance:.2g}. {advice}"
        )


def compare(model: keras.Model, predict: Predict, images: np.ndarray) -> Comparison:
    """Ask a model and another program about the same images.

    Args:
        model: as in :func:`cnncourse.keras_layers.steps`.
        predict: the other program, such as :func:`read` gives.
        images: (n, height, width, channels), float32, as the model is fed.

    Returns:
        The comparison; its largest difference is NaN where the other program gave NaN.

    Raises:
        ValueError: the other program's answers have another shape.
    """
    from cnncourse import keras_layers

    values: list[Any] = [images]
    terms, size = 0, 1.0
    for step in keras_layers.steps(model):
        taken = [values[number] for number in step.inputs]
        before, outputs = step.run(taken)
        values.append(outputs)
        terms += _terms(step)
        # A softmax makes small numbers of large ones, so that its inputs count as well.
        size = max(float(np.abs(np.asarray(each)).max()) for each in (*taken, before, outputs))
    theirs, ours = np.asarray(values[-1]), predict(images)
    if ours.shape != theirs.shape:
        raise ValueError(f"Got answers of shape {ours.shape}; the model's have {theirs.shape}.")
    return Comparison(
        len(images),
        float(np.abs(ours - theirs).max()),
        int((_answers(ours) != _answers(theirs)).sum()),
        tolerances.rounding(ours, theirs, terms=terms, size=size),
    )


def sample(model: keras.Model, input_range: tuple[float, float] | None = None) -> np.ndarray:
    """Images as a model is fed: for calibration the first ones, for a check the last ones.

    Fashion-MNIST's training images where they fit, else pieces of the course's photos.

    Args:
        model: as in :func:`cnncourse.keras_layers.steps`, for one or three channels.
        input_range: what a black and what a white pixel are to the network; as
            :func:`cnncourse.export.expected_range` finds if left out.

    Returns:
        (CALIBRATION + SAMPLE, height, width, channels), float32.

    Raises:
        ValueError: a model for other inputs.
    """
    from cnncourse import keras_layers
    from cnncourse.export import expected_range

    count = CALIBRATION + SAMPLE
    height, width, channels = shape = keras_layers.steps(model)[0].input_shape
    if channels not in (1, 3):
        raise ValueError(
            f"Got a model for images of shape {shape}; the course has such of one or three "
            "channels. Give images of your own."
        )
    if shape == (28, 28, 1):
        (train_images, _), _ = datasets.load_fashion_mnist()
        found = datasets.as_inputs(train_images[:count])
    else:
        found = _pieces(height, width, channels, count)
    low, high = input_range or expected_range(model)[0]
    return (low + (high - low) * found).astype(np.float32)


def _pieces(height: int, width: int, channels: int, count: int) -> np.ndarray:
    """Pieces of the photos, each scaled to the size wanted; from 0 to 1."""
    import keras

    rng = np.random.default_rng(0)
    photos = [datasets.load_photo(name) / np.float32(255) for name in datasets.PHOTOS]
    pieces = []
    for number in range(count):
        photo = photos[number % len(photos)]
        photo = photo[..., None] if photo.ndim == 2 else photo
        photo = photo.mean(axis=2, keepdims=True) if channels == 1 else photo
        side = int(rng.integers(16, min(photo.shape[:2]) + 1))
        top, left = (int(rng.integers(0, size - side + 1)) for size in photo.shape[:2])
        piece = np.broadcast_to(photo, (*photo.shape[:2], channels))[
            top : top + side, left : left + side
        ]
        pieces.append(np.asarray(keras.ops.image.resize(piece, (height, width))))
    return np.stack(pieces)


def _terms(step: Any) -> int:
    """How many terms one number of a step's output adds up."""
    macs = step.reading.operation.macs(step.output_shape)
    numbers = int(np.prod(step.output_shape))
    # A pooling multiplies nothing, and adds up what it sees.
    return max(-(-macs // numbers), int(np.prod(step.input_shape)) // numbers) + 2


def _answers(outputs: np.ndarray) -> np.ndarray:
    return outputs[:, 0] > 0.5 if outputs.shape[1] == 1 else outputs.argmax(axis=1)


def _form_of(path: Path) -> str:
    for form, ending in ENDINGS.items():
        if path.suffix == ending:
            return form
    wanted = ", ".join(f"{ending} ({form})" for form, ending in ENDINGS.items())
    raise ValueError(f"Got {path}; wanted a file that ends in {wanted}.")


@contextlib.contextmanager
def _converting() -> Iterator[None]:
    """Hold back what converters print about their own affairs."""
    from cnncourse.startup import quietly

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with quietly(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _signature(model: keras.Model) -> list[Any]:
    """What goes in: any number of images, under a name that no session changes."""
    import keras

    return [keras.InputSpec(dtype="float32", shape=(None, *model.input_shape[1:]), name="images")]


def _write_onnx(model: keras.Model, path: Path, few: np.ndarray | None, reduce_range: bool) -> None:
    plain = path.with_name(f"plain-{path.name}")
    with _converting():
        model(np.zeros((1, *model.input_shape[1:]), np.float32))  # Keras exports what was called
        model.export(str(plain), format="onnx", verbose=False, input_signature=_signature(model))
        if few is None:
            plain.rename(path)
        else:
            _quantize_onnx(plain, path, few, reduce_range)


def _quantize_onnx(plain: Path, path: Path, few: np.ndarray, reduce_range: bool) -> None:
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self.rows = iter(few)

        def get_next(self) -> dict[str, np.ndarray] | None:
            image = next(self.rows, None)
            return None if image is None else {"images": image}

    prepared = plain.with_name(f"prepared-{path.name}")
    quantization.quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
    quantization.quantize_static(
        str(prepared),
        str(path),
        Reader(),
        per_channel=True,
        reduce_range=reduce_range,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
    )


def _write_litert(
    model: keras.Model, path: Path, few: np.ndarray | None, reduce_range: bool
) -> None:
    settings: dict[str, Any] = {}
    if few is not None:
        import tensorflow as tf

        settings = {
            "optimizations": [tf.lite.Optimize.DEFAULT],
            "representative_dataset": lambda: ([image] for image in few),
            "target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
        }
    with _converting():
        model.export(
            str(path),
            format="litert",
            verbose=False,
            input_signature=_signature(model),
            **settings,
        )


def _read_onnx(path: Path, threads: int) -> Predict:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def predict(images: np.ndarray) -> np.ndarray:
        return np.asarray(session.run(None, {name: np.ascontiguousarray(images, np.float32)})[0])

    return predict


def _read_litert(path: Path, threads: int) -> Predict:
    from cnncourse.startup import quietly

    with quietly():
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(path), num_threads=threads)
        interpreter.allocate_tensors()
    taken = interpreter.get_input_details()[0]["index"]
    given = interpreter.get_output_details()[0]["index"]
    count = 1

    def predict(images: np.ndarray) -> np.ndarray:
        nonlocal count
        if len(images) != count:
            interpreter.resize_tensor_input(taken, images.shape)
            with quietly():
                interpreter.allocate_tensors()
            count = len(images)
        interpreter.set_tensor(taken, np.ascontiguousarray(images, np.float32))
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(given))

    return predict


_READERS = {"onnx": _read_onnx, "litert": _read_litert}
_WRITERS = {"onnx": _write_onnx, "litert": _write_litert}
