"""What a Keras model is made of: its layer table, receptive fields, and equal smaller models.

Everything works on a model whose layers ``keras_layers`` knows and needs neither data nor
training. Figures belong in ``plots``, what a trained network has learned in ``interpret``.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

from cnncourse import keras_layers, operations, ops
from cnncourse.keras_layers import Step
from cnncourse.operations import Pair

# --- The layer table ---------------------------------------------------------------------------


@dataclass(frozen=True)
class LayerRow:
    """One layer of a model.

    ``kernel_size`` and ``strides`` are (rows, columns), or None for a layer without a window.
    ``macs`` counts the multiplications with a weight that one image costs, in convolutions and
    dense layers, those with padding included; a normalization counts as 0. ``receptive_field``
    is the side in input pixels that one output sees, and ``jump`` the step in input pixels
    between two neighboring outputs; where rows and columns differ, each is a pair.
    """

    name: str
    type: str
    output_shape: tuple[int | None, ...]
    kernel_size: Pair | None
    strides: Pair | None
    trainable: int
    non_trainable: int
    macs: int
    receptive_field: int | Pair
    jump: int | Pair


class LayerTable(tuple[LayerRow, ...]):
    """The rows of :func:`layer_table`; prints as text, and as a table in a notebook."""

    __slots__ = ()

    @property
    def trainable(self) -> int:
        """Parameters that training changes."""
        return sum(row.trainable for row in self)

    @property
    def non_trainable(self) -> int:
        """Parameters that training does not change by gradients, such as moving averages."""
        return sum(row.non_trainable for row in self)

    @property
    def macs(self) -> int:
        """Multiply-accumulates that one image costs."""
        return sum(row.macs for row in self)

    def _cells(self) -> Iterator[list[str]]:
        yield [field.name.replace("_", " ") for field in fields(LayerRow)]
        for row in self:
            yield [_show(getattr(row, field.name)) for field in fields(row)]
        total = {"name": "total", "trainable": self.trainable, "macs": self.macs}
        total["non_trainable"] = self.non_trainable
        yield [_show(total.get(field.name)) for field in fields(LayerRow)]

    def __str__(self) -> str:
        lines = list(self._cells())
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if place < 2 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *body = ([html.escape(cell) for cell in line] for line in self._cells())
        rows = [
            f'<tr><th scope="row">{name}</th>' + "".join(f"<td>{cell}</td>" for cell in cells)
            for name, *cells in body
        ]
        columns = "".join(f'<th scope="col">{cell}</th>' for cell in head)
        return (
            f"<table><thead><tr>{columns}</tr></thead><tbody>"
            + "".join(f"{row}</tr>" for row in rows)
            + "</tbody></table>"
        )


def layer_table(model: keras.Model) -> LayerTable:
    """Shape, window, parameters, cost and receptive field of every layer of a model.

    Args:
        model: a built Sequential on images, channels last, or a model of the functional API,
            skip connections included; see :func:`cnncourse.keras_layers.steps`.

    Returns:
        One :class:`LayerRow` per layer, in order. Its attributes ``trainable``,
        ``non_trainable`` and ``macs`` are the totals.

    Raises:
        ValueError: a model that is not of that form, or a layer or a setting that
            :func:`cnncourse.keras_layers.read` does not know; the message names it.

    >>> from cnncourse.models import simpler_CNN
    >>> table = layer_table(simpler_CNN((28, 28, 1), 10))
    >>> table[2].output_shape, table[2].macs, table[2].receptive_field, table[2].jump
    ((14, 14, 16), 1254400, 9, 2)
    """
    rows = []
    found = keras_layers.steps(model)
    for step, field in zip(found, _fields(found), strict=True):
        operation = step.reading.operation
        rows.append(
            LayerRow(
                name=step.name,
                type=step.reading.type,
                output_shape=step.output_shape,
                kernel_size=operation.window,
                strides=operation.strides,
                trainable=_count(step.layer.trainable_weights),
                non_trainable=_count(step.layer.non_trainable_weights),
                macs=operation.macs(step.output_shape),
                receptive_field=_one_number(field.size),
                jump=_one_number(field.jump),
            )
        )
    return LayerTable(rows)


def _show(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "×".join("?" if entry is None else str(entry) for entry in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _count(weights: list[keras.Variable]) -> int:
    return sum(int(np.prod(weight.shape)) for weight in weights)


# --- Receptive fields --------------------------------------------------------------------------


def receptive_field(model: keras.Model) -> dict[str, int | Pair]:
    """Side in input pixels that one output of each layer sees, by formula.

    A window of length k widens the field by ``(k - 1) · jump``, where the jump is the product
    of all strides before it; dilation by d makes ``(k - 1) · d + 1`` of k. A sum sees what any of
    its parts sees. Padding counts as pixels, so a field may be larger than the image.

    Args:
        model: as in :func:`layer_table`.

    Returns:
        The side by layer name, in order; a pair (rows, columns) where the two differ.

    Raises:
        ValueError: as in :func:`layer_table`.

    Source: Araujo, Norris and Sim, Computing receptive fields of convolutional neural networks
    (2019), equation 2.

    >>> from cnncourse.models import simple_CNN
    >>> list(receptive_field(simple_CNN((28, 28, 1), 10)).values())[:6]
    [7, 7, 13, 13, 13, 14]
    """
    return {row.name: row.receptive_field for row in layer_table(model)}


def measured_receptive_field(model: keras.Model, layer: str | layers.Layer) -> int | Pair:
    """Side in input pixels that one output of a layer sees, measured by a gradient.

    See :func:`input_gradient`; the image grows until a border of zero gradient surrounds what
    the output sees, and the side of that is counted.

    Args:
        model: as in :func:`layer_table`.
        layer: a layer of it, or its name; its output must still be a map.

    Returns:
        The side, or a pair (rows, columns) where the two differ.

    Raises:
        ValueError: as in :func:`input_gradient`, or a layer with a global pool before it.

    >>> from cnncourse.models import simpler_CNN
    >>> model = simpler_CNN((28, 28, 1), 10)
    >>> measured_receptive_field(model, model.layers[2])
    9
    """
    chain, name = _up_to(model, layer)
    for step in chain:
        if isinstance(step.reading.operation, operations.GlobalPooling):
            raise ValueError(
                f"Got the layer {name!r}, which sees the whole image, whatever its size: "
                f"{step.name} stands on the way to it."
            )
    side = 64
    while True:
        try:
            reached = np.nonzero(_gradient_of_middle(chain, side))
        except _TooSmall:
            side *= 2
            continue
        if all(axis.min() > 0 and axis.max() < side - 1 for axis in reached):
            return _one_number(_pair([np.ptp(axis) + 1 for axis in reached]))
        side *= 2


def input_gradient(model: keras.Model, layer: str | layers.Layer, side: int) -> np.ndarray:
    """Gradient of the middle output of a layer at every pixel of a square image.

    Every filter is replaced by an average, and with it maximum by average pooling, on a single
    channel: no two paths from a pixel to the output can then cancel, so the gradient is above 0
    exactly where the model could look. Layers that act on each place alone do not matter, and a
    sum passes the gradient on to all its parts.

    Args:
        model: as in :func:`layer_table`.
        layer: a layer of it, or its name; its output must still be a map.
        side: of the image, in pixels.

    Returns:
        Array (side, side), float64, not negative. While no padding is seen, its sum is the number
        of ways from the image to the layer: 1 in a chain, 2 where one block adds its input.

    Raises:
        ValueError: a layer that is not in the model, or whose output is no map any more; an
            image that is too small for the layers on the way; or as in :func:`layer_table`.

    Source: Luo et al., Understanding the effective receptive field in deep convolutional neural
    networks (2016), section 2.

    >>> model = keras.Sequential([keras.Input((9, 9, 1)), layers.Conv2D(4, 3, strides=2)])
    >>> np.argwhere(input_gradient(model, model.layers[0], 7) > 0).tolist()[::4]
    [[2, 2], [3, 3], [4, 4]]
    """
    chain, name = _up_to(model, layer)
    try:
        return _gradient_of_middle(chain, side)
    except _TooSmall as error:
        raise ValueError(
            f"Got an image of {side}×{side} pixels for the layer {name!r}: {error} Take a larger "
            "one."
        ) from error


class _TooSmall(ValueError):
    """A window does not fit on what is left of the image."""


def _up_to(model: keras.Model, layer: str | layers.Layer) -> tuple[Sequence[Step], str]:
    """The steps up to a layer with maps, and its name."""
    found = keras_layers.steps(model)
    place = keras_layers.place_of(found, layer)
    with_maps = [step.name for step in found if len(step.output_shape) == 3]
    if place is None or len(found[place].output_shape) != 3:
        raise ValueError(
            f"Got the layer {keras_layers.name_of(layer)!r}; the layers of this model with maps "
            f"are: {', '.join(with_maps)}."
        )
    return found[: place + 1], found[place].name


def _gradient_of_middle(chain: Sequence[Step], side: int) -> np.ndarray:
    """The gradient of the last step's middle output at each pixel, everything an average."""
    sides: list[Pair] = [(side, side)]
    for step in chain:
        sides.append(_side_after(step, sides[step.inputs[0]]))
    grads: dict[int, np.ndarray] = {len(chain): np.zeros((1, *sides[-1], 1))}
    grads[len(chain)][0, sides[-1][0] // 2, sides[-1][1] // 2] = 1
    for number in reversed(range(1, len(chain) + 1)):
        if number not in grads:
            continue  # no part of what the last step sees
        step, grad = chain[number - 1], grads.pop(number)
        grad = _averaged(step, sides[step.inputs[0]]).gradient(
            grad, np.zeros((1, *sides[step.inputs[0]], 1)), grad
        )
        for source in step.inputs:
            grads[source] = grads[source] + grad if source in grads else grad
    return grads[0][0, :, :, 0] if 0 in grads else np.zeros((side, side))


def _side_after(step: Step, sides: Pair) -> Pair:
    operation = step.reading.operation
    if isinstance(operation, operations.ZeroPadding):
        rows, columns = (
            size + sum(around) for size, around in zip(sides, operation.padding, strict=True)
        )
        return rows, columns
    if not isinstance(operation, operations.Windowed):
        return (1, 1) if isinstance(operation, operations.GlobalPooling) else sides
    window = operations.dilated(operation.window, operation.dilation_rate)
    try:
        rows, columns = (
            ops.output_size(size, length, stride, operation.padding)
            for size, length, stride in zip(sides, window, operation.strides, strict=True)
        )
    except ValueError as error:
        raise _TooSmall(f"{step.name} lays a window of {window} on a map of {sides}.") from error
    return rows, columns


def _averaged(step: Step, sides: Pair) -> operations.Operation:
    """What a step does to one channel when all its weights are alike."""
    operation = step.reading.operation
    if isinstance(operation, operations.ZeroPadding):
        return operation
    if isinstance(operation, operations.GlobalPooling):
        return operations.GlobalAveragePooling(keepdims=True)
    if not isinstance(operation, operations.Windowed):
        return operations.Nothing()
    window = operation.window
    return operations.Convolution(
        window=window,
        strides=operation.strides,
        padding=operation.padding,
        dilation_rate=operation.dilation_rate,
        weights={"kernel": np.full((*window, 1, 1), 1 / np.prod(window))},
    )


@dataclass(frozen=True)
class _Field:
    """What one output sees, and how far its neighbour's view is away: (rows, columns).

    ``start`` is the first pixel that the first output sees, counted from the image's first.
    """

    start: Pair = (0, 0)
    size: Pair = (1, 1)
    jump: Pair = (1, 1)
    flattened_map: Pair | None = None

    def through(self, step: Step) -> _Field:
        operation = step.reading.operation
        if self.flattened_map:
            if not isinstance(operation, operations.FullyConnected):
                return self
            return self._widened(self.flattened_map, (1, 1), (0, 0))
        if isinstance(operation, operations.Flattening) and len(step.input_shape) == 3:
            return _Field(self.start, self.size, self.jump, step.input_shape[:2])
        return self._widened(*operation.sees(step.input_shape))

    def _widened(self, window: Pair, strides: Pair, before: Pair) -> _Field:
        jump = np.array(self.jump)
        return _Field(
            _pair(self.start - np.multiply(before, jump)),
            _pair(self.size + np.subtract(window, 1) * jump),
            _pair(jump * strides),
        )


def _fields(found: Sequence[Step]) -> list[_Field]:
    """The field of each step; that of a sum holds those of all its parts."""
    fields = [_Field()]
    for step in found:
        parts = [fields[number] for number in step.inputs]
        start = np.min([part.start for part in parts], axis=0)
        end = np.max([np.add(part.start, part.size) for part in parts], axis=0)
        whole = _Field(_pair(start), _pair(end - start), parts[0].jump, parts[0].flattened_map)
        fields.append(whole.through(step))
    return fields[1:]


# --- Equal models with fewer layers ------------------------------------------------------------


def fold_batch_normalization(model: keras.Model) -> keras.Model:
    """A model that gives the same answers at inference with fewer batch normalizations.

    At inference ``(x - mean) / √(variance + epsilon) · gamma + beta`` is one factor and one
    addend per channel. A convolution or dense layer just before it can do both: its kernel
    takes the factor, its bias the rest. So can one just after it, unless it pads: then the zeros
    around the map would have to be normalized too.

    Args:
        model: as in :func:`layer_table`; it is not changed.

    Returns:
        A new model with the layers' names kept: a Sequential, or a model of the functional API
        where outputs are used twice. A normalization stays that has no such layer beside it, has
        an activation before it, works on another axis than the channels, or whose sums others
        use too.

    Raises:
        ValueError: as in :func:`layer_table`.

    Source: Jacob et al., Quantization and training of neural networks for efficient
    integer-arithmetic-only inference (2018), section 3.2.

    >>> from cnncourse.models import simple_CNN
    >>> model = simple_CNN((28, 28, 1), 10)
    >>> len(model.layers), len(fold_batch_normalization(model).layers)
    (33, 24)
    """
    found = keras_layers.steps(model)
    left_out: dict[int, layers.Layer | None] = {}
    changes: dict[int, operations.Linear] = {}
    for pair in (*_normalized(found), *_fed_by_normalization(found)):
        if pair.normalized in left_out:
            continue
        left_out[pair.normalized] = None
        linear = changes.get(pair.place, pair.linear)
        change = linear.after if pair.place < pair.normalized else linear.before
        weights = change(*pair.normalization.factor_and_addend())
        changes[pair.place] = replace(linear, weights=dict(linear.weights) | dict(weights))
    folded: dict[int, layers.Layer | None] = {
        place: _with_weights(found[place], change) for place, change in changes.items()
    }
    return keras_layers.rebuilt(model, f"{model.name}_folded", folded | left_out)


def _with_weights(step: Step, changed: operations.Operation) -> layers.Layer:
    layer = keras_layers.copied(step, use_bias=True)
    layer.build((None, *step.input_shape))
    # A layer's weights come in the order in which its operation names them, the bias last.
    bias = np.broadcast_to(changed.array("bias"), layer.bias.shape)
    kernels = [changed.array(role) for role in changed.weights if role != "bias"]
    layer.set_weights([*kernels, bias])
    return layer


def useless_biases(model: keras.Model) -> dict[str, int]:
    """Biases that change nothing, because a batch normalization follows directly.

    The normalization takes the mean off each channel, and the bias with it: whatever a bias is,
    the moving mean makes up for it, and beta does its work.

    Args:
        model: as in :func:`layer_table`.

    Returns:
        How many such biases each layer has, by name; the sum of the values is the total.

    Raises:
        ValueError: as in :func:`layer_table`.

    Source: Ioffe and Szegedy, Batch normalization (2015), section 3.2.

    >>> from cnncourse.models import simple_CNN
    >>> sum(useless_biases(simple_CNN((28, 28, 1), 10)).values())
    736
    """
    found = keras_layers.steps(model)
    return {
        found[pair.place].name: int(np.prod(pair.linear.weights["bias"].shape))
        for pair in _normalized(found)
        if "bias" in pair.linear.weights
    }


def merge_convolutions(
    first: layers.Conv2D, second: layers.Conv2D
) -> tuple[np.ndarray, np.ndarray]:
    """The one convolution that does the work of two with nothing but numbers between them.

    Two kernels of length k₁ and k₂, the first with stride s, become one of length
    ``(k₂ - 1) · s + k₁``; its stride is the product of both. Where no padding is seen the
    outputs are equal. At the border they differ with ``"same"``: the second convolution pads
    the map of the first with zeros, which is not what padding the image with zeros gives.

    Args:
        first, second: built convolutions without an activation, the second directly after the
            first; fold a batch normalization between them with
            :func:`fold_batch_normalization` before.

    Returns:
        (kernel, bias) for :func:`cnncourse.ops.conv2d`: (height, width, channels_in,
        channels_out) and (channels_out,), of the layers' dtype.

    Raises:
        ValueError: an activation in one of them, or channels that do not fit.

    Source: a convolution is associative; see Oppenheim and Willsky, Signals and systems (second
    edition, 1997), section 2.3.3.

    >>> from cnncourse.models import simple_CNN
    >>> folded = fold_batch_normalization(simple_CNN((28, 28, 1), 10))
    >>> kernel, bias = merge_convolutions(folded.layers[0], folded.layers[1])
    >>> kernel.shape, bias.shape
    ((13, 13, 1, 16), (16,))
    """
    readings = [keras_layers.read(layer) for layer in (first, second)]
    for reading in readings:
        operation = reading.operation
        plain = isinstance(operation, operations.Convolution) and operation.groups == 1
        if not plain or operation.dilation_rate != (1, 1):
            raise ValueError(
                f"Got {reading.name} of type {reading.type} with groups={operation.groups} and "
                f"dilation_rate={operation.dilation_rate}; only ordinary convolutions are merged."
            )
        if reading.activation is not None:
            raise ValueError(
                f"Got {reading.name} with the activation {reading.activation}; two convolutions "
                "are one only where nothing but numbers stands between them."
            )
    (kernel_1, bias_1), (kernel_2, bias_2) = map(_kernel_and_bias, readings)
    if kernel_1.shape[3] != kernel_2.shape[2]:
        raise ValueError(
            f"Got kernels of shape {kernel_1.shape} and {kernel_2.shape}; the filters of the "
            "first must be the channels that the second takes."
        )
    (height, width), (rows, columns) = kernel_1.shape[:2], kernel_2.shape[:2]
    step_rows, step_columns = first.strides
    kernel = np.zeros(
        (
            (rows - 1) * step_rows + height,
            (columns - 1) * step_columns + width,
            kernel_1.shape[2],
            kernel_2.shape[3],
        )
    )
    for i, j in np.ndindex(rows, columns):
        top, left = i * step_rows, j * step_columns
        kernel[top : top + height, left : left + width] += kernel_1 @ kernel_2[i, j]
    bias = bias_1 @ kernel_2.sum(axis=(0, 1)) + bias_2
    dtype = second.variable_dtype
    return kernel.astype(dtype), bias.astype(dtype)


def _kernel_and_bias(reading: keras_layers.Reading) -> tuple[np.ndarray, np.ndarray]:
    operation = reading.operation
    kernel = operation.array("kernel").astype(np.float64)
    if "bias" not in operation.weights:
        return kernel, np.zeros(kernel.shape[-1])
    return kernel, operation.array("bias").astype(np.float64)


class _Pair(NamedTuple):
    """A convolution or dense layer and a normalization beside it, with their places."""

    place: int
    linear: operations.Linear
    normalized: int
    normalization: operations.Normalization


def _normalized(found: Sequence[Step]) -> Iterator[_Pair]:
    """Layers whose sums go into a normalization and nowhere else."""
    for place, step in enumerate(found):
        normalization, source = _normalization(step), step.inputs[0] - 1
        if normalization is None or source < 0:
            continue
        linear = found[source].reading.operation
        if (
            isinstance(linear, operations.Linear)
            and found[source].reading.activation is None
            and _users(found, source) == 1
        ):
            yield _Pair(source, linear, place, normalization)


def _fed_by_normalization(found: Sequence[Step]) -> Iterator[_Pair]:
    """Layers that take what a normalization gives, which nobody else does, and do not pad."""
    for place, step in enumerate(found):
        linear, source = step.reading.operation, step.inputs[0] - 1
        if source < 0 or not isinstance(linear, operations.Linear) or linear.pads:
            continue
        normalization = _normalization(found[source])
        if normalization is not None and _users(found, source) == 1:
            yield _Pair(place, linear, source, normalization)


def _normalization(step: Step) -> operations.Normalization | None:
    """What a step does if it normalizes the channels."""
    operation = step.reading.operation
    if isinstance(operation, operations.Normalization) and operation.axis == -1:
        return operation
    return None


def _users(found: Sequence[Step], place: int) -> int:
    return sum(step.inputs.count(place + 1) for step in found)


# --- What they share ---------------------------------------------------------------------------


def _pair(values: Iterable[Any]) -> Pair:
    rows, columns = (int(value) for value in values)
    return rows, columns


def _one_number(pair: Pair) -> int | Pair:
    return pair[0] if pair[0] == pair[1] else pair
