"""What a Keras model is made of: its layer table, receptive fields, and equal smaller models.

Everything works on a Sequential of the layers that the course uses and needs neither data nor
training. Figures belong in ``plots``, what a trained network has learnt in ``interpret``.
"""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, fields

import keras
import numpy as np
from keras import layers

from cnncourse import ops

Pair = tuple[int, int]

_CONVOLUTION = layers.Conv2D
_POOLS = (layers.AveragePooling2D, layers.MaxPooling2D)
_GLOBAL_POOLS = (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D)
_POINTWISE = (
    layers.BatchNormalization,
    layers.Activation,
    layers.ReLU,
    layers.Softmax,
    layers.Dropout,
)
_SUPPORTED = (_CONVOLUTION, *_POOLS, *_GLOBAL_POOLS, *_POINTWISE, layers.Flatten, layers.Dense)


# --- The layer table ---------------------------------------------------------------------------


@dataclass(frozen=True)
class LayerRow:
    """One layer of a model.

    ``kernel_size`` and ``strides`` are (rows, columns), or None for a layer without a window.
    ``macs`` counts the multiplications with a weight that one image costs; only convolutions
    and dense layers have any. ``receptive_field`` is the side in input pixels that one output
    sees, and ``jump`` the step in input pixels between two neighbouring outputs; where rows and
    columns differ, each is a pair.
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


def layer_table(model: keras.Sequential) -> LayerTable:
    """Shape, window, parameters, cost and receptive field of every layer of a model.

    Args:
        model: a built Sequential on images, channels last.

    Returns:
        One :class:`LayerRow` per layer, in order. Its attributes ``trainable``,
        ``non_trainable`` and ``macs`` are the totals.

    Raises:
        ValueError: a model that is no built Sequential on images of a fixed size, or a layer
            that this module does not know; the message names it.

    >>> from cnncourse.models import simpler_CNN
    >>> table = layer_table(simpler_CNN((28, 28, 1), 10))
    >>> table[2].output_shape, table[2].macs, table[2].receptive_field, table[2].jump
    ((14, 14, 16), 1254400, 9, 2)
    """
    rows = []
    field = _Field()
    for layer, input_shape, output_shape in _steps(model):
        field = field.through(layer, input_shape)
        kernel_size, strides, _ = _window(layer) or (None, None, None)
        rows.append(
            LayerRow(
                name=layer.name,
                type=type(layer).__name__,
                output_shape=output_shape,
                kernel_size=kernel_size,
                strides=strides,
                trainable=_count(layer.trainable_weights),
                non_trainable=_count(layer.non_trainable_weights),
                macs=_multiplications(layer, output_shape),
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


def _multiplications(layer: layers.Layer, output_shape: tuple[int, ...]) -> int:
    if isinstance(layer, _CONVOLUTION):
        return int(np.prod(output_shape[:2])) * int(np.prod(layer.kernel.shape))
    if isinstance(layer, layers.Dense):
        return int(np.prod(output_shape[:-1])) * int(np.prod(layer.kernel.shape))
    return 0


# --- Receptive fields --------------------------------------------------------------------------


def receptive_field(model: keras.Sequential) -> dict[str, int | Pair]:
    """Side in input pixels that one output of each layer sees, by formula.

    A window of length k widens the field by ``(k - 1) · jump``, where the jump is the product
    of all strides before it. Padding counts as pixels, so a field may be larger than the image.

    Args:
        model: a built Sequential on images, channels last.

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


def measured_receptive_field(model: keras.Sequential, layer: str | layers.Layer) -> int | Pair:
    """Side in input pixels that one output of a layer sees, measured by a gradient.

    See :func:`input_gradient`; the image grows until a border of zero gradient surrounds what
    the output sees, and the side of that is counted.

    Args:
        model: a built Sequential on images, channels last.
        layer: a layer of it, or its name; its output must still be a map.

    Returns:
        The side, or a pair (rows, columns) where the two differ.

    Raises:
        ValueError: as in :func:`input_gradient`.

    >>> from cnncourse.models import simpler_CNN
    >>> model = simpler_CNN((28, 28, 1), 10)
    >>> measured_receptive_field(model, model.layers[2])
    9
    """
    side = 64
    while True:
        reached = np.nonzero(input_gradient(model, layer, side))
        if all(axis.min() > 0 and axis.max() < side - 1 for axis in reached):
            return _one_number(tuple(int(np.ptp(axis)) + 1 for axis in reached))
        side *= 2


def input_gradient(model: keras.Sequential, layer: str | layers.Layer, side: int) -> np.ndarray:
    """Gradient of the middle output of a layer at every pixel of a square image.

    Every filter is replaced by an average, and with it maximum by average pooling, on a single
    channel: no two paths from a pixel to the output can then cancel, so the gradient is above 0
    exactly where the model could look. Layers that act on each place alone do not matter.

    Args:
        model: a built Sequential on images, channels last.
        layer: a layer of it, or its name; its output must still be a map.
        side: of the image, in pixels.

    Returns:
        Array (side, side), float64, not negative, with a sum of 1 while no padding is seen.

    Raises:
        ValueError: a layer that is not in the model, or whose output is no map any more; or as
            in :func:`layer_table`.

    Source: Luo et al., Understanding the effective receptive field in deep convolutional neural
    networks (2016), section 2.

    >>> model = keras.Sequential([keras.Input((9, 9, 1)), layers.Conv2D(4, 3, strides=2)])
    >>> np.argwhere(input_gradient(model, model.layers[0], 7) > 0).tolist()[::4]
    [[2, 2], [3, 3], [4, 4]]
    """
    name = layer if isinstance(layer, str) else layer.name
    shape = (1, side, side, 1)
    seen = []
    for step, _, output_shape in _steps(model):
        if len(output_shape) != 3:
            break
        if window := _window(step):
            kernel_size, strides, padding = window
            seen.append((np.zeros(shape), kernel_size, strides, padding))
            rows, columns = (
                ops.output_size(length, kernel, stride, padding)
                for length, kernel, stride in zip(shape[1:3], kernel_size, strides, strict=True)
            )
            shape = (1, rows, columns, 1)
        if step.name == name:
            return _gradient_of_middle(shape, seen)
    maps = ", ".join(step.name for step, _, output in _steps(model) if len(output) == 3)
    raise ValueError(f"Got the layer {name!r}; the layers of this model with maps are: {maps}.")


def _gradient_of_middle(shape: tuple[int, ...], seen: list[tuple]) -> np.ndarray:
    grad = np.zeros(shape)
    grad[0, shape[1] // 2, shape[2] // 2, 0] = 1
    for inputs, kernel_size, strides, padding in reversed(seen):
        average = np.full((*kernel_size, 1, 1), 1 / np.prod(kernel_size))
        grad, _, _ = ops.conv2d_backward(grad, inputs, average, strides=strides, padding=padding)
    return grad[0, :, :, 0]


@dataclass(frozen=True)
class _Field:
    """What one output sees, and how far its neighbour's view is away: (rows, columns)."""

    size: Pair = (1, 1)
    jump: Pair = (1, 1)
    flattened_map: Pair | None = None

    def through(self, layer: layers.Layer, input_shape: tuple[int, ...]) -> _Field:
        if window := _window(layer):
            kernel_size, strides, _ = window
            jump = tuple(np.multiply(self.jump, strides).tolist())
            return _Field(self._widened(kernel_size), jump)
        if isinstance(layer, _GLOBAL_POOLS):
            return _Field(self._widened(input_shape[:2]), self.jump)
        if isinstance(layer, layers.Flatten) and len(input_shape) == 3:
            return _Field(self.size, self.jump, input_shape[:2])
        if isinstance(layer, layers.Dense) and self.flattened_map:
            return _Field(self._widened(self.flattened_map), self.jump)
        return self

    def _widened(self, window: Pair) -> Pair:
        return tuple((np.array(self.size) + (np.array(window) - 1) * self.jump).tolist())


# --- Equal models with fewer layers ------------------------------------------------------------


def fold_batch_normalization(model: keras.Sequential) -> keras.Sequential:
    """A model that gives the same answers at inference without its batch normalizations.

    At inference ``(x - mean) / √(variance + epsilon) · gamma + beta`` is one factor and one
    addend per channel. A convolution or dense layer just before it can do both: its kernel
    takes the factor, its bias the rest.

    Args:
        model: a built Sequential; it is not changed.

    Returns:
        A new Sequential with the layers' names kept. A normalization that does not directly
        follow such a layer without an activation stays.

    Raises:
        ValueError: as in :func:`layer_table`.

    Source: Jacob et al., Quantization and training of neural networks for efficient
    integer-arithmetic-only inference (2018), section 3.2.

    >>> from cnncourse.models import simple_CNN
    >>> model = simple_CNN((28, 28, 1), 10)
    >>> len(model.layers), len(fold_batch_normalization(model).layers)
    (33, 24)
    """
    folded = keras.Sequential([keras.Input(model.input_shape[1:])], name=f"{model.name}_folded")
    to_fold = dict(_normalized_layers(model))
    skipped = {normalization.name for normalization in to_fold.values()}
    for layer, _, _ in _steps(model):
        if layer.name in skipped:
            continue
        normalization = to_fold.get(layer)
        config = layer.get_config()
        if normalization is not None:
            config["use_bias"] = True
        copy = type(layer).from_config(config)
        folded.add(copy)
        copy.set_weights(
            layer.get_weights() if normalization is None else _folded_weights(layer, normalization)
        )
    return folded


def useless_biases(model: keras.Sequential) -> dict[str, int]:
    """Biases that change nothing, because a batch normalization follows directly.

    The normalization takes the mean off each channel, and the bias with it: whatever a bias is,
    the moving mean makes up for it, and beta does its work.

    Args:
        model: a built Sequential.

    Returns:
        How many such biases each layer has, by name; the sum of the values is the total.

    Raises:
        ValueError: as in :func:`layer_table`.

    Source: Ioffe and Szegedy, Batch normalization (2015), section 3.2.

    >>> from cnncourse.models import simple_CNN
    >>> sum(useless_biases(simple_CNN((28, 28, 1), 10)).values())
    736
    """
    return {
        layer.name: int(np.prod(layer.bias.shape))
        for layer, _ in _normalized_layers(model)
        if layer.use_bias
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

    Source: a convolution is associative; see Goodfellow, Bengio and Courville, Deep Learning
    (2016), section 9.1.

    >>> from cnncourse.models import simple_CNN
    >>> folded = fold_batch_normalization(simple_CNN((28, 28, 1), 10))
    >>> kernel, bias = merge_convolutions(folded.layers[0], folded.layers[1])
    >>> kernel.shape, bias.shape
    ((13, 13, 1, 16), (16,))
    """
    for layer in (first, second):
        _window(layer)
        if layer.activation is not keras.activations.linear:
            raise ValueError(
                f"Got {layer.name} with the activation {layer.activation.__name__}; two "
                "convolutions are one only where nothing but numbers stands between them."
            )
    (kernel_1, bias_1), (kernel_2, bias_2) = map(_kernel_and_bias, (first, second))
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


def _normalized_layers(
    model: keras.Sequential,
) -> Iterator[tuple[layers.Layer, layers.BatchNormalization]]:
    """Each convolution or dense layer whose sums go straight into a batch normalization."""
    chain = [layer for layer, _, _ in _steps(model)]
    for layer, following in itertools.pairwise(chain):
        if (
            isinstance(layer, _CONVOLUTION | layers.Dense)
            and isinstance(following, layers.BatchNormalization)
            and layer.activation is keras.activations.linear
        ):
            yield layer, following


def _folded_weights(
    layer: layers.Layer, normalization: layers.BatchNormalization
) -> list[np.ndarray]:
    kernel, bias = _kernel_and_bias(layer)
    mean = _as_array(normalization.moving_mean)
    variance = _as_array(normalization.moving_variance)
    factor = 1 / np.sqrt(variance + normalization.epsilon)
    if normalization.scale:
        factor = factor * _as_array(normalization.gamma)
    offset = _as_array(normalization.beta) if normalization.center else 0
    return [kernel * factor, (bias - mean) * factor + offset]


def _kernel_and_bias(layer: layers.Layer) -> tuple[np.ndarray, np.ndarray]:
    kernel = _as_array(layer.kernel)
    return kernel, _as_array(layer.bias) if layer.use_bias else np.zeros(kernel.shape[-1])


def _as_array(weight: keras.Variable) -> np.ndarray:
    return weight.numpy().astype(np.float64)


# --- What they share ---------------------------------------------------------------------------


def _steps(
    model: keras.Sequential,
) -> Iterator[tuple[layers.Layer, tuple[int, ...], tuple[int, ...]]]:
    """Each layer with the shapes of one image before and after it."""
    if not isinstance(model, keras.Sequential) or not model.built:
        raise ValueError(
            f"Got a {type(model).__name__} that is not a built Sequential; give a "
            "keras.Sequential that begins with an Input."
        )
    shape = model.input_shape
    if len(shape) != 4 or None in shape[1:]:
        raise ValueError(
            f"Got a model for inputs of shape {shape}; wanted images of a fixed size: "
            "(None, height, width, channels)."
        )
    for layer in model.layers:
        if not isinstance(layer, _SUPPORTED):
            known = ", ".join(kind.__name__ for kind in _SUPPORTED)
            raise ValueError(
                f"Got the layer {layer.name} of type {type(layer).__name__}; known are {known}."
            )
        output_shape = layer.compute_output_shape(shape)
        yield layer, shape[1:], output_shape[1:]
        shape = output_shape


def _window(layer: layers.Layer) -> tuple[Pair, Pair, str] | None:
    """(kernel size, strides, padding) of a layer that slides a window, None of another."""
    if isinstance(layer, _CONVOLUTION):
        if layer.groups != 1 or set(layer.dilation_rate) != {1}:
            raise ValueError(
                f"Got {layer.name} with groups={layer.groups} and "
                f"dilation_rate={layer.dilation_rate}; only ordinary convolutions are known."
            )
        return layer.kernel_size, layer.strides, layer.padding
    if isinstance(layer, _POOLS):
        return layer.pool_size, layer.strides, layer.padding
    return None


def _one_number(pair: Pair) -> int | Pair:
    return pair[0] if pair[0] == pair[1] else pair
