"""What one layer of Keras computes, or a refusal that names it: the only place that asks.

A layer is read into one operation and the activation behind it, a model into its layers and what
each takes. Tables, folding, interpretation, export and drawing work on that; they belong elsewhere.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import keras
import numpy as np
from keras import layers

from cnncourse.operations import (
    Activation,
    Addition,
    AveragePooling,
    Convolution,
    DepthwiseConvolution,
    Dropping,
    Elu,
    Flattening,
    FullyConnected,
    Gelu,
    GlobalAveragePooling,
    GlobalMaxPooling,
    LeakyRelu,
    MaxPooling,
    Normalization,
    Nothing,
    Operation,
    Pair,
    Relu,
    Scaling,
    SeparableConvolution,
    Shape,
    Sigmoid,
    Softmax,
    Tanh,
    ZeroPadding,
)


class UnknownLayer(ValueError):
    """A layer, or a setting of one, whose arithmetic the course does not know."""


# --- The table of layers -----------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """One layer, read: its operation and the activation behind it.

    ``activation`` is None where the layer has none, or a linear one.
    """

    name: str
    type: str
    operation: Operation
    activation: Activation | None

    @property
    def kind(self) -> str:
        """The operation's kind; the activation's where that is all that the layer does."""
        if self.activation is not None and isinstance(self.operation, Nothing):
            return self.activation.kind
        return self.operation.kind


@dataclass(frozen=True)
class Kind:
    """How one class of Keras is read.

    ``read`` gives its operation, or its activation; ``computed`` names the arguments that it
    takes into account, or is None where none can matter at inference.
    """

    read: Callable[[layers.Layer], Operation | Activation | None]
    computed: tuple[str, ...] | None = ()


# Arguments that change training, storage or speed, but no answer.
_WITHOUT_EFFECT = {
    *("self", "args", "kwargs", "name", "dtype", "trainable", "autocast", "activity_regularizer"),
    *("seed", "noise_shape", "momentum", "synchronized", "lora_rank", "lora_alpha"),
    *("renorm", "renorm_clipping", "renorm_momentum"),
    *(
        f"{weight}_{what}"
        for weight in ("kernel", "bias", "depthwise", "pointwise", "beta", "gamma")
        for what in ("initializer", "regularizer", "constraint")
    ),
    *("moving_mean_initializer", "moving_variance_initializer"),
}


def _weights(layer: layers.Layer, **roles: str) -> dict[str, Any]:
    """The weights that a layer has, by role; nothing where it is not built yet."""
    found = {role: getattr(layer, name, None) for role, name in roles.items()}
    return {role: weight for role, weight in found.items() if weight is not None}


def _window(layer: layers.Layer, size: Pair) -> dict[str, Any]:
    return {"window": tuple(size), "strides": tuple(layer.strides), "padding": layer.padding}


def _convolution(layer: layers.Conv2D) -> Operation:
    return Convolution(
        **_window(layer, layer.kernel_size),
        dilation_rate=tuple(layer.dilation_rate),
        groups=layer.groups,
        weights=_weights(layer, kernel="kernel", bias="bias"),
    )


def _depthwise(layer: layers.DepthwiseConv2D) -> Operation:
    return DepthwiseConvolution(
        **_window(layer, layer.kernel_size),
        dilation_rate=tuple(layer.dilation_rate),
        weights=_weights(layer, kernel="kernel", bias="bias"),
    )


def _separable(layer: layers.SeparableConv2D) -> Operation:
    roles = ("depthwise_kernel", "pointwise_kernel", "bias")
    return SeparableConvolution(
        **_window(layer, layer.kernel_size),
        dilation_rate=tuple(layer.dilation_rate),
        weights=_weights(layer, **dict(zip(roles, roles, strict=True))),
    )


def _normalization(layer: layers.BatchNormalization) -> Operation:
    roles = ("gamma", "beta", "moving_mean", "moving_variance")
    return Normalization(
        axis=_axis(layer, layer.axis),
        epsilon=float(layer.epsilon),
        weights=_weights(layer, **dict(zip(roles, roles, strict=True))),
    )


def _axis(layer: layers.Layer, axis: int) -> int:
    """-1 for the last axis; a positive number counts the batch, so it needs the rank."""
    rank = getattr(getattr(layer, "input_spec", None), "ndim", None)
    return -1 if rank and axis % rank == rank - 1 else axis


def _rescaling(layer: layers.Rescaling) -> Operation:
    scale, offset = (np.atleast_1d(np.asarray(x, float)) for x in (layer.scale, layer.offset))
    if scale.ndim > 1 or offset.ndim > 1:
        raise _setting(layer, "scale" if scale.ndim > 1 else "offset", "numbers for each pixel")
    return Scaling(scale=tuple(scale.tolist()), offset=tuple(offset.tolist()))


def _standardization(layer: layers.Normalization) -> Operation:
    adapted = layer.input_mean is None
    if not layer.built:
        return Scaling(scale=(1.0,), offset=(0.0,), adapted=adapted)
    mean, variance = (
        keras.ops.convert_to_numpy(x).astype(np.float64) for x in (layer.mean, layer.variance)
    )
    if mean.size not in (1, mean.shape[-1] if mean.shape else 1):
        raise _setting(layer, "axis", layer.axis)
    mean, deviation = mean.ravel(), np.maximum(np.sqrt(variance.ravel()), keras.config.epsilon())
    scale, offset = (deviation, mean) if layer.invert else (1 / deviation, -mean / deviation)
    return Scaling(scale=tuple(scale.tolist()), offset=tuple(offset.tolist()), adapted=adapted)


def _padding(layer: layers.ZeroPadding2D) -> Operation:
    (top, bottom), (left, right) = layer.padding
    return ZeroPadding(padding=((int(top), int(bottom)), (int(left), int(right))))


def _reshape(layer: layers.Reshape) -> Operation:
    if len(layer.target_shape) != 1:
        raise _setting(layer, "target_shape", tuple(layer.target_shape))
    return Flattening()


def _softmax(layer: layers.Softmax) -> Activation:
    if layer.axis != -1:
        raise _setting(layer, "axis", layer.axis)
    return Softmax()


def _relu(layer: layers.ReLU) -> Activation:
    slope, threshold = (float(x or 0) for x in (layer.negative_slope, layer.threshold))
    largest = None if layer.max_value is None else float(layer.max_value)
    return Relu(max_value=largest, negative_slope=slope, threshold=threshold)


def _dropping(layer: layers.Layer) -> Operation:
    return Dropping(rate=float(layer.rate))


_CONVOLUTION = ("kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation")
_POOL = ("pool_size", "strides", "padding", "data_format")
_ASLEEP = Kind(lambda layer: Nothing(), None)

KINDS: dict[type[layers.Layer], Kind] = {
    layers.Conv2D: Kind(_convolution, (*_CONVOLUTION, "groups", "filters", "use_bias")),
    layers.DepthwiseConv2D: Kind(_depthwise, (*_CONVOLUTION, "depth_multiplier", "use_bias")),
    layers.SeparableConv2D: Kind(
        _separable, (*_CONVOLUTION, "depth_multiplier", "filters", "use_bias")
    ),
    layers.Dense: Kind(
        lambda layer: FullyConnected(weights=_weights(layer, kernel="kernel", bias="bias")),
        ("units", "activation", "use_bias"),
    ),
    layers.BatchNormalization: Kind(_normalization, ("axis", "epsilon", "center", "scale")),
    layers.Rescaling: Kind(_rescaling, ("scale", "offset")),
    layers.Normalization: Kind(_standardization, ("axis", "mean", "variance", "invert")),
    layers.AveragePooling2D: Kind(
        lambda layer: AveragePooling(**_window(layer, layer.pool_size)), _POOL
    ),
    layers.MaxPooling2D: Kind(lambda layer: MaxPooling(**_window(layer, layer.pool_size)), _POOL),
    layers.GlobalAveragePooling2D: Kind(
        lambda layer: GlobalAveragePooling(keepdims=bool(layer.keepdims)),
        ("data_format", "keepdims"),
    ),
    layers.GlobalMaxPooling2D: Kind(
        lambda layer: GlobalMaxPooling(keepdims=bool(layer.keepdims)), ("data_format", "keepdims")
    ),
    layers.ZeroPadding2D: Kind(_padding, ("padding", "data_format")),
    layers.Flatten: Kind(lambda layer: Flattening(), ("data_format",)),
    layers.Reshape: Kind(_reshape, ("target_shape",)),
    layers.Add: Kind(lambda layer: Addition()),
    layers.Activation: Kind(lambda layer: _function(layer, layer.activation), ("activation",)),
    layers.ReLU: Kind(_relu, ("max_value", "negative_slope", "threshold")),
    layers.LeakyReLU: Kind(
        lambda layer: LeakyRelu(negative_slope=float(layer.negative_slope)), ("negative_slope",)
    ),
    layers.ELU: Kind(lambda layer: Elu(alpha=float(layer.alpha)), ("alpha",)),
    layers.Softmax: Kind(_softmax, ("axis",)),
    layers.Dropout: Kind(_dropping, ("rate",)),
    layers.SpatialDropout2D: Kind(_dropping, ("rate", "data_format")),
    layers.GaussianDropout: Kind(_dropping, ("rate",)),
    layers.AlphaDropout: Kind(_dropping, ("rate",)),
    **{
        getattr(layers, name): _ASLEEP
        for name in (
            *("Identity", "ActivityRegularization", "GaussianNoise", "RandomBrightness"),
            *("RandomColorDegeneration", "RandomColorJitter", "RandomContrast"),
            *("RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur"),
            *("RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective"),
            *("RandomPosterization", "RandomRotation", "RandomSaturation", "RandomSharpness"),
            *("RandomShear", "RandomTranslation", "RandomZoom", "AugMix", "CutMix", "MixUp"),
            "RandAugment",
        )
        if hasattr(layers, name)  # a younger Keras has more of them
    },
}
"""Every class of Keras that is known, and how it is read: a new one is one entry here."""


def read(layer: layers.Layer) -> Reading:
    """What one layer of Keras computes at inference.

    Args:
        layer: a layer; weights are read where it is built.

    Returns:
        Its reading.

    Raises:
        UnknownLayer: a class that is not in :data:`KINDS`, own subclasses included, or a setting
            that is not computed; the message names the layer, the setting and what is known.

    >>> reading = read(layers.Conv2D(4, 3, dilation_rate=2, activation="relu", name="seen"))
    >>> reading.kind, reading.operation.window, reading.operation.dilation_rate
    ('conv2d', (3, 3), (2, 2))
    >>> reading.activation
    Relu(max_value=None, negative_slope=0.0, threshold=0.0)
    """
    kind = KINDS.get(type(layer))
    if kind is None:
        known = ", ".join(sorted(each.__name__ for each in KINDS))
        raise UnknownLayer(
            f"Got the layer {layer.name} of type {type(layer).__name__}; known are {known}."
        )
    arguments = inspect.signature(type(layer).__init__).parameters
    _refuse_other_settings(layer, kind, arguments)
    found = kind.read(layer)
    operation = found if isinstance(found, Operation) else Nothing()
    activation = None if isinstance(found, Operation) else found
    if isinstance(found, Operation) and "activation" in arguments:
        activation = _function(layer, layer.activation)
    return Reading(layer.name, type(layer).__name__, operation, activation)


def kind_of(layer: layers.Layer) -> str:
    """The kind of a layer; empty where it does nothing at inference or is not known.

    >>> kind_of(layers.MaxPooling2D()), kind_of(layers.Activation("relu")), kind_of(layers.LSTM(2))
    ('max_pool2d', 'relu', '')
    """
    try:
        return read(layer).kind
    except UnknownLayer:
        return ""


def settings_of(layer: layers.Layer) -> dict[str, Any]:
    """A layer's arguments as it has them, whatever it computes; activations by their name.

    >>> settings = settings_of(layers.Conv2D(4, 3, activation=keras.activations.relu))
    >>> settings["kernel_size"], settings["activation"]
    ((3, 3), 'relu')
    """
    arguments = inspect.signature(type(layer).__init__).parameters
    settings = {key: _plain(getattr(layer, key)) for key in arguments if hasattr(layer, key)}
    if "axis" in settings and isinstance(settings["axis"], int):
        settings["axis"] = _axis(layer, settings["axis"])
    if "activation" in settings:
        try:
            settings["activation"] = str(_function(layer, layer.activation) or "linear")
        except UnknownLayer:
            settings["activation"] = _name_of_function(layer.activation)
    return settings


def _refuse_other_settings(layer: layers.Layer, kind: Kind, arguments: Mapping[str, Any]) -> None:
    """Refuse what is set and not taken into account, also by a younger Keras than this."""
    if kind.computed is None:
        return
    for key in set(arguments) - set(kind.computed) - _WITHOUT_EFFECT:
        if getattr(layer, key, None) not in (None, False):
            raise _setting(layer, key, getattr(layer, key))
    if getattr(layer, "quantization_mode", None):
        raise _setting(layer, "quantization_mode", layer.quantization_mode)
    if "data_format" in kind.computed and layer.data_format != "channels_last":
        raise _setting(layer, "data_format", layer.data_format, "channels_last")


def _plain(value: Any) -> Any:
    """A setting in a form that can be compared and printed."""
    if isinstance(value, list):
        return tuple(value)
    return keras.saving.serialize_keras_object(value) if hasattr(value, "get_config") else value


def _setting(layer: layers.Layer, name: str, value: object, known: str = "") -> UnknownLayer:
    return UnknownLayer(
        f"Got the layer {layer.name} of type {type(layer).__name__} with {name}={value!r}, which "
        f"is not computed here{f'; known is {known}' if known else ''}."
    )


# --- Activations by their function -------------------------------------------------------------

_FUNCTIONS: dict[str, tuple[type[Activation] | None, dict[str, Any]]] = {
    "linear": (None, {}),
    "relu": (Relu, {}),
    "relu6": (Relu, {"max_value": 6.0}),
    "leaky_relu": (LeakyRelu, {}),
    "elu": (Elu, {}),
    "gelu": (Gelu, {}),
    "sigmoid": (Sigmoid, {}),
    "tanh": (Tanh, {}),
    "softmax": (Softmax, {}),
}


def _function(layer: layers.Layer, given: Any) -> Activation | None:
    """What an ``activation`` argument is, whether name, function, partial or layer."""
    if given is None:
        return None
    if isinstance(given, layers.Layer):
        try:
            reading = read(given)
        except UnknownLayer as error:
            known = f"{', '.join(_FUNCTIONS)}. {error}"
            raise _setting(layer, "activation", type(given).__name__, known) from error
        if isinstance(reading.operation, Nothing):
            return reading.activation
        raise _setting(layer, "activation", type(given).__name__, ", ".join(_FUNCTIONS))
    function, options = given, {}
    if isinstance(given, functools.partial) and not given.args:
        function, options = given.func, dict(given.keywords)
    for name, known, usual in _known_functions():
        if function is known:
            return _with_options(layer, name, usual | options)
    raise _setting(layer, "activation", _name_of_function(function), ", ".join(_FUNCTIONS))


def _name_of_function(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _with_options(layer: layers.Layer, name: str, options: dict[str, Any]) -> Activation | None:
    kind, usual = _FUNCTIONS[name]
    options = usual | options
    if kind is LeakyRelu and "alpha" in options:  # TensorFlow's word for it
        options["negative_slope"] = options.pop("alpha")
    if kind is Softmax and options.get("axis") == -1:
        del options["axis"]
    known = {each.name for each in fields(kind)} if kind else set()
    for key in options:
        if key not in known:
            raise _setting(layer, "activation", f"{name} with {key}={options[key]}")
    return kind(**options) if kind else None


def _known_functions() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """(name, function, its own defaults) of Keras, its operations, and TensorFlow if it runs."""
    for name in _FUNCTIONS:
        yield name, getattr(keras.activations, name), {}
        own = {"approximate": True} if name == "gelu" else {}
        yield name, getattr(keras.ops, name, None), own
    # Imported by whoever made such a model; under another backend nobody did.
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and hasattr(tensorflow, "nn"):
        yield "linear", tensorflow.identity, {}
        for name in _FUNCTIONS:
            yield name, getattr(tensorflow.nn, name, None), {}


# --- Models ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One layer at its place in a model.

    ``name`` begins with the outer model's where the layer stands in an inner one. ``inputs`` are
    numbers of outputs: 0 is the image, 1 the output of the first step. Shapes are of one image.
    """

    layer: layers.Layer
    name: str
    reading: Reading
    inputs: tuple[int, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape

    @property
    def input_shape(self) -> Shape:
        """The shape of what it takes; of the first where it takes several of one shape."""
        return self.input_shapes[0]

    def run(self, values: Sequence[Any]) -> tuple[Any, Any]:
        """(before its activation, output) on a batch, as Keras computes both at inference."""
        inputs = list(values) if len(values) > 1 else values[0]
        if self.reading.activation is None or isinstance(self.reading.operation, Nothing):
            outputs = self.layer(inputs, training=False)
            return (inputs if self.reading.activation else outputs), outputs
        before = _without_activation(self.layer)(inputs, training=False)
        return before, self.layer.activation(before)

    def gradient(self, grad: np.ndarray, inputs: Any, before: Any, outputs: Any) -> np.ndarray:
        """The gradient at its inputs; at each of them where it takes several."""
        inputs, before, outputs = map(keras.ops.convert_to_numpy, (inputs, before, outputs))
        if self.reading.activation is not None:
            grad = self.reading.activation.gradient(grad, before, outputs)
        return self.reading.operation.gradient(grad, inputs, before)


def _without_activation(layer: layers.Layer) -> layers.Layer:
    """The same layer, with the same weights, that stops before its activation."""
    shadow = object.__new__(type(layer))
    shadow.__dict__.update(layer.__dict__)
    # Past the layer's own bookkeeping, which the two share.
    shadow.__dict__["activation"] = keras.activations.linear
    return shadow


def steps(model: keras.Model) -> tuple[Step, ...]:
    """The layers of a model in an order in which each follows what it takes.

    Args:
        model: a built Sequential, or a model of the functional API with one input and one
            output, on images of a fixed size, channels last. Inner models are opened.

    Returns:
        The steps; the last one's output is the model's.

    Raises:
        ValueError: a model that is not of that form.
        UnknownLayer: as in :func:`read`, or a layer that is used twice.

    >>> inner = keras.Sequential([layers.Flatten(), layers.Dense(3)], name="head")
    >>> model = keras.Sequential([keras.Input((4, 4, 1)), layers.ReLU(name="first"), inner])
    >>> [(step.name.split("_")[0], step.inputs, step.output_shape) for step in steps(model)]
    [('first', (0,), (4, 4, 1)), ('head/flatten', (1,), (16,)), ('head/dense', (2,), (3,))]
    """
    if not isinstance(model, keras.Model) or not model.built or not _is_readable(model):
        raise ValueError(
            f"Got a {type(model).__name__} that is not a built Sequential; give a "
            "keras.Sequential that begins with an Input, or a model of the functional API."
        )
    shape = tuple(model.inputs[0].shape) if len(model.inputs) == 1 else ()
    if len(shape) != 4 or None in shape[1:]:
        given = ", ".join(str(each.shape) for each in model.inputs)
        raise ValueError(
            f"Got a model for inputs of shape {given}; wanted images of a fixed size: "
            "(None, height, width, channels)."
        )
    found: list[Step] = []
    last = _walk(model, 0, "", {0: tuple(shape[1:])}, found)
    if last != len(found):
        raise ValueError(
            f"Got the model {model.name}, whose output is that of {_name(found, last)} while "
            f"{found[-1].name} comes behind it; wanted a model whose last layer gives its output."
        )
    return tuple(found)


def is_chain(found: Sequence[Step]) -> bool:
    """Whether each step takes the output just before it and nothing else."""
    return all(step.inputs == (place,) for place, step in enumerate(found))


def name_of(layer: str | layers.Layer) -> str:
    """The name of a layer that is given as itself or by its name."""
    return layer.name if isinstance(layer, layers.Layer) else layer


def place_of(found: Sequence[Step], layer: str | layers.Layer) -> int | None:
    """Where a layer, or the step of that name, stands; None where it does not."""
    for place, step in enumerate(found):
        if layer is step.layer or name_of(layer) in (step.name, step.layer.name):
            return place
    return None


def rebuilt(
    model: keras.Model, name: str, copies: Mapping[int, layers.Layer | None] | None = None
) -> keras.Model:
    """A new model with the same layers at the same places, and copies of their weights.

    Args:
        model: as in :func:`steps`.
        name: of the new model.
        copies: by the step's place, counted from 0: a built layer in place of the copy, or
            None to leave the step out.

    Returns:
        A Sequential where the layers are a chain, else a model of the functional API.
    """
    copies = copies or {}
    found = steps(model)
    image = keras.Input(found[0].input_shape, dtype=model.inputs[0].dtype)
    chain = keras.Sequential([image], name=name) if is_chain(found) else None
    outputs: list[Any] = [image]
    for place, step in enumerate(found):
        values = [outputs[number] for number in step.inputs]
        if place in copies and copies[place] is None:
            outputs.append(values[0])
            continue
        layer = copies.get(place) or copied(step)
        if chain is not None:
            chain.add(layer)
            outputs.append(None)
        else:
            outputs.append(layer(values if len(values) > 1 else values[0]))
        if place not in copies:
            layer.set_weights(step.layer.get_weights())
    return keras.Model(image, outputs[-1], name=name) if chain is None else chain


def copied(step: Step, **settings: Any) -> layers.Layer:
    """A layer of the same class, name and settings, but for those given; without weights yet."""
    try:
        # Keras allows no stroke in a name of its own.
        config = step.layer.get_config() | {"name": step.name.replace("/", "_")} | settings
        return type(step.layer).from_config(config)
    except (TypeError, ValueError, OSError) as error:
        raise UnknownLayer(
            f"Got the layer {step.name} of type {type(step.layer).__name__}, of which Keras makes "
            f"no copy: {_first_sentence(error)}"
        ) from error


def _first_sentence(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]


def _is_readable(model: keras.Model) -> bool:
    """Whether the layers and their order can be known: not in an own subclass with a call."""
    return isinstance(model, keras.Sequential) or type(model) is type(_functional())


@functools.cache
def _functional() -> keras.Model:
    # With names of their own, since Keras counts those that it gives through a session.
    image = keras.Input((1,), name="example_image")
    return keras.Model(image, layers.Identity(name="example_layer")(image), name="example")


def _walk(
    model: keras.Model, source: int, prefix: str, shapes: dict[int, Shape], found: list[Step]
) -> int:
    """Append the steps of a model that takes the output ``source``; its own output's number."""
    if not _is_readable(model):
        raise UnknownLayer(
            f"Got the model {prefix}{model.name} of type {type(model).__name__}; known are "
            "Sequential and the functional API."
        )
    if isinstance(model, keras.Sequential):
        for layer in model.layers:
            source = _visit(layer, (source,), prefix, shapes, found)
        return source
    return _walk_graph(model, source, prefix, shapes, found)


def _walk_graph(
    model: keras.Model, source: int, prefix: str, shapes: dict[int, Shape], found: list[Step]
) -> int:
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UnknownLayer(
            f"Got the model {prefix}{model.name} with {len(model.inputs)} inputs and "
            f"{len(model.outputs)} outputs; known are models with one of each."
        )
    operations = {operation.name: operation for operation in model.operations}
    for operation in operations.values():
        if not isinstance(operation, layers.InputLayer | keras.Model):
            read(operation)  # before the graph: it names the layer that is not understood
    try:
        config = model.get_config()
    except (TypeError, ValueError, OSError, NotImplementedError) as error:
        raise UnknownLayer(
            f"Got the model {prefix}{model.name}, whose layers Keras does not list: "
            f"{_first_sentence(error)}"
        ) from error
    numbers: dict[str, int] = {}
    for entry in config["layers"]:
        name, nodes = entry["name"], entry["inbound_nodes"]
        if not nodes:
            numbers[name] = source
            continue
        if len(nodes) > 1:
            raise UnknownLayer(
                f"Got the layer {prefix}{name} of type {entry['class_name']}, used at "
                f"{len(nodes)} places; known are layers that are used once."
            )
        if nodes[0]["kwargs"].get("training"):
            raise UnknownLayer(
                f"Got the layer {prefix}{name} of type {entry['class_name']} called with "
                "training=True; known are layers as they are at inference."
            )
        inputs = tuple(numbers[each] for each in _histories(nodes[0]))
        numbers[name] = _visit(operations[name], inputs, prefix, shapes, found)
    output = config["output_layers"]
    while not isinstance(output[0], str):  # given as a list of one
        (output,) = output.values() if isinstance(output, dict) else output
    return numbers[output[0]]


def _histories(node: Any) -> Iterator[str]:
    """The names of the layers whose outputs a call takes, in the order of its arguments."""
    if isinstance(node, dict) and node.get("class_name") == "__keras_tensor__":
        yield node["config"]["keras_history"][0]
    elif isinstance(node, dict):
        for value in node.values():
            yield from _histories(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _histories(value)


def _visit(
    layer: Any,
    inputs: tuple[int, ...],
    prefix: str,
    shapes: dict[int, Shape],
    found: list[Step],
) -> int:
    if isinstance(layer, layers.InputLayer):
        return inputs[0]
    if isinstance(layer, keras.Model):
        return _walk(layer, inputs[0], f"{prefix}{layer.name}/", shapes, found)
    reading = replace(read(layer), name=f"{prefix}{layer.name}")
    taken = tuple(shapes[number] for number in inputs)
    _check_places(reading, taken)
    given = [(None, *shape) for shape in taken]
    output_shape = layer.compute_output_shape(given if len(given) > 1 else given[0])[1:]
    number = len(found) + 1
    shapes[number] = tuple(output_shape)
    found.append(Step(layer, reading.name, reading, inputs, taken, shapes[number]))
    return number


def _check_places(reading: Reading, taken: tuple[Shape, ...]) -> None:
    """What a layer's class and settings do not tell: whether it fits what it takes."""
    several = isinstance(reading.operation, Addition)
    if several == (len(taken) < 2) or len(set(taken)) > 1:
        shapes = " and ".join(map(str, taken))
        raise UnknownLayer(
            f"Got the layer {reading.name} of type {reading.type} on {len(taken)} inputs of shape "
            f"{shapes}; known is one input, and Add on two or more of one shape."
        )


def _name(found: Sequence[Step], number: int) -> str:
    return found[number - 1].name if number else "the input"
