"""How a Keras model is read and compared with a specification, layer by layer.

A specification is a list of layers as plain data, so that a bank of wrong networks costs
nothing until one is needed. Which networks are wanted stands in ``banks``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cnncourse.checks.form import Difference, Reading, call, describe

if TYPE_CHECKING:
    from cnncourse.checks.engine import Bank

Layer = dict[str, Any]

# What counts as a setting, by type of layer; what is not named here is free.
_DEFAULTS: dict[str, Layer] = {
    "Conv2D": {
        "filters": None,
        "kernel_size": None,
        "strides": (1, 1),
        "padding": "valid",
        "dilation_rate": (1, 1),
        "groups": 1,
        "use_bias": True,
        "activation": "linear",
        "kernel_regularizer": None,
    },
    "BatchNormalization": {
        "axis": -1,
        "momentum": 0.99,
        "epsilon": 0.001,
        "center": True,
        "scale": True,
    },
    "AveragePooling2D": {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"},
    "MaxPooling2D": {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"},
    "Dropout": {"rate": None},
    "Dense": {"units": None, "use_bias": True, "activation": "linear"},
    "Activation": {"activation": None},
    "GlobalAveragePooling2D": {"keepdims": False},
    "GlobalMaxPooling2D": {"keepdims": False},
    "Flatten": {},
}
_NAMES = ("image_array", "predictions")


def convolution(filters: int, side: int, **settings: Any) -> Layer:
    """A square convolution with ``same`` padding, unless told otherwise."""
    return _layer("Conv2D", filters=filters, kernel_size=(side, side), **_SAME | settings)


def normalization() -> Layer:
    """Batch normalization as Keras makes it when nothing is said."""
    return _layer("BatchNormalization")


def activation(function: str, **settings: Any) -> Layer:
    """ReLU, softmax, or another function of each number or row."""
    return _layer("Activation", activation=function, **settings)


def average_pooling(**settings: Any) -> Layer:
    """The mean over windows of 2×2, with ``same`` padding unless told otherwise."""
    return _layer("AveragePooling2D", **_SAME | settings)


def max_pooling() -> Layer:
    """The largest over windows of 2×2, with ``same`` padding."""
    return _layer("MaxPooling2D", **_SAME)


def dropout(rate: float) -> Layer:
    """Dropout of a share."""
    return _layer("Dropout", rate=rate)


def dense(units: int) -> Layer:
    """A fully connected layer."""
    return _layer("Dense", units=units)


def global_average() -> Layer:
    """The mean of each map."""
    return _layer("GlobalAveragePooling2D")


def flatten() -> Layer:
    """All numbers in one row."""
    return _layer("Flatten")


_SAME = {"padding": "same"}


def _layer(kind: str, **settings: Any) -> Layer:
    return {"type": kind, "name": None} | _DEFAULTS[kind] | settings


def changed(
    layers: Sequence[Layer], which: Callable[[Layer], bool], *instead: Layer, **settings: Any
) -> list[Layer]:
    """The layers with some of them changed.

    Args:
        layers: a specification.
        which: says of a layer whether it is meant.
        instead: layers that take the place of each that is meant; none removes it, unless
            settings are given.
        settings: other values for each that is meant.
    """
    found: list[Layer] = []
    for layer in layers:
        if not which(layer):
            found.append(layer)
        elif settings:
            found.append(layer | settings)
        else:
            found += instead
    return found


def of_type(*kinds: str) -> Callable[[Layer], bool]:
    """Whether a layer is of one of these types."""
    return lambda layer: layer["type"] in kinds


def enter_common_mistakes(bank: Bank) -> None:
    """Enter into a bank what goes wrong with any network that is to be built."""
    right = bank.reference

    @bank.mistake(
        "All layers are right, but their names are Keras's own. Two names belong to the "
        "specification: that of the first convolution and that of the last activation."
    )
    def without_names(input_shape: Any, num_classes: int) -> Any:
        layers = right(input_shape, num_classes)
        return changed(layers, lambda layer: bool(layer.get("name")), name=None)

    @bank.mistake(
        "The number of classes seems to be written into the network: it has ten filters at the "
        "end whatever `num_classes` says."
    )
    def always_ten_classes(input_shape: Any, num_classes: int) -> Any:
        return right(input_shape, 10)

    @bank.mistake(
        "The size of the image seems to be written into the network: it takes 28×28 grey pixels "
        "whatever `input_shape` says."
    )
    def always_the_same_image(input_shape: Any, num_classes: int) -> Any:
        return right((28, 28, 1), num_classes)


class Architecture:
    """Answers that are Keras models, compared with lists of layers.

    The first part of a reading is the input; the others are the layers in their order.
    """

    repeatable = False
    # Building two models takes a second; on a machine with much else to do it takes many.
    time_limit = 60.0

    def prepare(self) -> None:
        """Start Keras and its backend before the clock runs."""
        from cnncourse.startup import start_keras

        start_keras()
        import keras

        keras.layers.Dense(1).build((1, 1))

    def read(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Reading:
        """The input and the layers of the model that a function builds, or why there are none.

        The reference and the known mistakes give a list of layers, and build no model.
        """
        answer = call(function, arguments)
        if isinstance(answer, list) and answer and isinstance(answer[0], dict):
            return Reading(answer)
        import keras

        if isinstance(answer, keras.layers.Layer) and not isinstance(answer, keras.Model):
            return Reading(
                complaint=f"It returned one layer ({type(answer).__name__}); wanted is a Keras "
                "model that holds all of them, such as keras.Sequential([...])."
            )
        if not isinstance(answer, keras.Model):
            return Reading(
                complaint=f"It returned {describe(answer)}; wanted is a Keras model, such as "
                "keras.Sequential([...])."
            )
        try:
            shape = tuple(answer.input_shape[1:])
        except (AttributeError, TypeError, ValueError):
            return Reading(
                complaint="The model does not know what comes in, so its layers have no weights "
                "yet. Begin it with keras.Input(input_shape)."
            )
        return Reading([{"type": "Input", "shape": shape}, *_layers_of(answer)])

    def agree(self, mine: Reading, wanted: Reading) -> bool:
        """Whether both are the same layers in the same order with the same settings."""
        return mine.parts is not None and mine.parts == wanted.parts

    def numbers(self, reading: Reading) -> list[np.ndarray] | None:
        """None: the layers that differ say all."""
        return None

    def explain(self, mine: Reading, wanted: Reading, most: int) -> Difference:
        """The first layer that differs, and how."""
        return Difference(self._first_difference(mine, wanted))

    def _first_difference(self, mine: Reading, wanted: Reading) -> str:
        for place, (a, b) in enumerate(zip(mine.parts, wanted.parts, strict=False)):
            if a == b:
                continue
            if place == 0:
                return f"The input: yours has the shape {a['shape']}, wanted is {b['shape']}."
            where = f"The first difference is layer {place}, counted from 1 behind the input: "
            if a["type"] != b["type"]:
                return f"{where}yours is {_in_words(a)}, wanted is {_in_words(b)}."
            return f"{where}{a['type']}. " + " ".join(
                f"Its {key} is {a[key]!r}, wanted is {b[key]!r}." for key in b if a[key] != b[key]
            )
        count = f"Yours has {len(mine.parts) - 1} layers, wanted are {len(wanted.parts) - 1}. "
        if len(mine.parts) < len(wanted.parts):
            missing = wanted.parts[len(mine.parts)]
            return f"{count}Up to where yours ends all is right; next comes {_in_words(missing)}."
        return f"{count}The first one too many is {_in_words(mine.parts[len(wanted.parts)])}."


def as_model(layers: Sequence[Layer]) -> Any:
    """The Keras model of a specification whose first entry is the input."""
    import keras

    model = keras.Sequential([keras.Input(layers[0]["shape"])])
    for layer in layers[1:]:
        settings = {key: value for key, value in layer.items() if key not in ("type", "name")}
        model.add(getattr(keras.layers, layer["type"])(name=layer["name"], **settings))
    return model


def _layers_of(model: Any) -> list[Layer]:
    import keras

    found: list[Layer] = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += _layers_of(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            found.append(_described(layer))
    return found


def _described(layer: Any) -> Layer:
    from cnncourse import keras_layers

    name = layer.name if layer.name in _NAMES else None
    try:
        kind = keras_layers.read(layer).kind
    except keras_layers.UnknownLayer:
        kind = ""
    settings = keras_layers.settings_of(layer)
    described: Layer = {"type": type(layer).__name__, "name": name}
    described |= {key: settings[key] for key in _DEFAULTS.get(described["type"], ())}
    if kind in ("relu", "softmax") and _is_usual(settings):
        return activation(kind, name=name)
    if described.get("kernel_size") == (1, 1):
        described["padding"] = "same"  # a kernel of one pixel needs none, so both are the same
    return described


def _is_usual(settings: Layer) -> bool:
    """Whether ReLU or softmax, as a class of Keras or by name, is the one without settings."""
    keys = ("max_value", "negative_slope", "threshold")
    by_name = settings.get("activation", "relu") in ("relu", "softmax")
    return by_name and not any(settings.get(key) for key in keys)


def _in_words(layer: Layer) -> str:
    default = _DEFAULTS.get(layer["type"], {})
    said = [f"{key}={layer[key]!r}" for key in default if layer[key] != default[key]]
    said += [f"name={layer['name']!r}"] if layer.get("name") else []
    return f"{layer['type']}({', '.join(said)})"
