"""What layers are made of: operations and activations, with their cost and their gradients.

As at inference, on arrays of NumPy. Which layer of Keras is which stands in ``keras_layers``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

import keras
import numpy as np

from cnncourse import ops

Pair = tuple[int, int]
Shape = tuple[int, ...]
Padding = Literal["valid", "same"]
Arrays = Mapping[str, np.ndarray]


# --- Operations: what layers are made of -------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What a layer does before its activation; its settings are named as in Keras.

    A subclass says how the gradient goes back. What slides a window has ``window``, ``strides``,
    ``padding`` and ``dilation_rate``; what has weights names them by their role.
    """

    kind: ClassVar[str]
    """The type of its entry in an exported network; empty where it needs none."""

    window: Pair | None = None
    strides: Pair | None = None
    padding: Padding | tuple[Pair, Pair] | None = None
    dilation_rate: Pair = (1, 1)
    groups: int = 1
    axis: int = -1
    weights: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def array(self, role: str) -> np.ndarray:
        """One of the weights as NumPy sees it."""
        return self.as_array(self.weights[role])

    @staticmethod
    def as_array(weight: Any) -> np.ndarray:
        """A weight of Keras, or what is one already, as NumPy sees it."""
        if isinstance(weight, keras.Variable):
            return weight.numpy()
        return weight if isinstance(weight, np.ndarray) else keras.ops.convert_to_numpy(weight)

    def macs(self, output_shape: Shape) -> int:
        """The multiplications with a weight of a kernel that one image costs."""
        return 0

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """The gradient at the inputs, from the one at the outputs, as at inference."""
        return grad.reshape(inputs.shape)

    def entries(self) -> Iterator[tuple[str, dict[str, Any], Mapping[str, Any]]]:
        """(kind, settings, weights) of each step that the explorer shows for it."""
        if self.kind:
            yield self.kind, self.settings(), self.weights

    def settings(self) -> dict[str, Any]:
        """The settings that an exported network states; what has its usual value is left out."""
        return {}

    def sees(self, input_shape: Shape) -> tuple[Pair, Pair, Pair]:
        """(window, step, padding before), in places of the input, of what one output reads."""
        return (1, 1), (1, 1), (0, 0)


def dilated(window: Pair, dilation_rate: Pair) -> Pair:
    """The places that a window spans when its rows and columns are that far apart."""
    rows, columns = (
        (size - 1) * rate + 1 for size, rate in zip(window, dilation_rate, strict=True)
    )
    return rows, columns


def with_holes(kernel: np.ndarray, dilation_rate: Pair) -> np.ndarray:
    """A kernel of zeros with the given one's rows and columns set apart."""
    if dilation_rate == (1, 1):
        return kernel
    spread = np.zeros((*dilated(kernel.shape[:2], dilation_rate), *kernel.shape[2:]), kernel.dtype)
    spread[:: dilation_rate[0], :: dilation_rate[1]] = kernel
    return spread


@dataclass(frozen=True, kw_only=True)
class Windowed(Operation):
    """What slides a window."""

    window: Pair
    strides: Pair
    padding: Padding

    def settings(self) -> dict[str, Any]:
        stated: dict[str, Any] = {
            "window": list(self.window),
            "strides": list(self.strides),
            "padding": self.padding,
        }
        if self.dilation_rate != (1, 1):
            stated["dilation_rate"] = list(self.dilation_rate)
        return stated

    def sees(self, input_shape: Shape) -> tuple[Pair, Pair, Pair]:
        window = dilated(self.window, self.dilation_rate)
        top, left = (
            ops.same_padding(size, length, step)[0] if self.padding == "same" else 0
            for size, length, step in zip(input_shape[:2], window, self.strides, strict=True)
        )
        return window, self.strides, (top, left)


class Linear(Operation):
    """A weighted sum: its kernel can take a factor and an addend for each channel."""

    def after(self, factor: np.ndarray, addend: np.ndarray) -> Arrays:
        """Weights that give the outputs times a factor, plus an addend, for each channel."""
        return {"kernel": self.array("kernel") * factor, "bias": self._bias() * factor + addend}

    def before(self, factor: np.ndarray, addend: np.ndarray) -> Arrays:
        """Weights that give the same on inputs as on those times a factor, plus an addend.

        Only right where no padding is seen, which :attr:`pads` tells.
        """
        raise NotImplementedError

    @property
    def pads(self) -> bool:
        """Whether a place can read zeros from outside of its input."""
        return self.window is not None and self.padding == "same" and max(self.window) > 1

    def _bias(self) -> np.ndarray:
        return self.array("bias") if "bias" in self.weights else np.zeros(())


@dataclass(frozen=True, kw_only=True)
class Convolution(Linear, Windowed):
    """Conv2D, also with groups and dilation."""

    kind = "conv2d"

    def macs(self, output_shape: Shape) -> int:
        return math.prod(output_shape[:2]) * math.prod(self.weights["kernel"].shape)

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        kernel = with_holes(self.array("kernel"), self.dilation_rate)
        parts = (np.split(array, self.groups, axis=-1) for array in (grad, inputs, kernel))
        backward = (
            ops.conv2d_backward(*part, strides=self.strides, padding=self.padding)[0]
            for part in zip(*parts, strict=True)
        )
        return np.concatenate(list(backward), axis=-1)

    def settings(self) -> dict[str, Any]:
        return super().settings() | ({"groups": self.groups} if self.groups > 1 else {})

    def before(self, factor: np.ndarray, addend: np.ndarray) -> Arrays:
        kernel = self.array("kernel").astype(np.float64)
        # (group, channel in it) beside the kernel's (channel in a group, group, filter in it).
        split = kernel.reshape(*kernel.shape[:3], self.groups, -1)
        factor, addend = (np.reshape(each, (self.groups, -1)).T for each in (factor, addend))
        shift = np.einsum("hwcgf,cg->gf", split, addend).ravel()
        return {
            "kernel": (split * factor[..., None]).reshape(kernel.shape),
            "bias": self._bias() + shift,
        }


@dataclass(frozen=True, kw_only=True)
class DepthwiseConvolution(Linear, Windowed):
    """DepthwiseConv2D: for each channel filters of its own."""

    kind = "depthwise_conv2d"

    def macs(self, output_shape: Shape) -> int:
        return math.prod(output_shape[:2]) * math.prod(self.weights["kernel"].shape)

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        *window, channels, multiplier = self.array("kernel").shape
        grouped = Convolution(
            window=self.window,
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            groups=channels,
            weights={"kernel": self.array("kernel").reshape(*window, 1, channels * multiplier)},
        )
        return grouped.gradient(grad, inputs, outputs)

    def after(self, factor: np.ndarray, addend: np.ndarray) -> Arrays:
        kernel = self.array("kernel")
        return {
            "kernel": kernel * np.reshape(factor, kernel.shape[2:]),
            "bias": self._bias() * factor + addend,
        }

    def before(self, factor: np.ndarray, addend: np.ndarray) -> Arrays:
        kernel = self.array("kernel").astype(np.float64)
        shift = (kernel.sum(axis=(0, 1)) * addend[:, None]).ravel()
        return {"kernel": kernel * factor[:, None], "bias": self._bias() + shift}


@dataclass(frozen=True, kw_only=True)
class SeparableConvolution(Linear, Windowed):
    """SeparableConv2D: a depthwise convolution, then one of 1×1 over the channels."""

    kind = "separable_conv2d"

    def _parts(self) -> tuple[DepthwiseConvolution, Convolution]:
        weights = dict(self.weights)
        depthwise = DepthwiseConvolution(
            window=self.window,
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
            weights={"kernel": weights.pop("depthwise_kernel")},
        )
        weights["kernel"] = weights.pop("pointwise_kernel")
        pointwise = Convolution(window=(1, 1), strides=(1, 1), padding="valid", weights=weights)
        return depthwise, pointwise

    def macs(self, output_shape: Shape) -> int:
        return sum(part.macs(output_shape) for part in self._parts())

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        depthwise, pointwise = self._parts()
        # The gradient of a convolution does not depend on its inputs, only on their shape.
        between = np.empty((*grad.shape[:3], pointwise.weights["kernel"].shape[2]), grad.dtype)
        between[:] = 0
        return depthwise.gradient(pointwise.gradient(grad, between, outputs), inputs, between)

    def entries(self) -> Iterator[tuple[str, dict[str, Any], Mapping[str, Any]]]:
        for part in self._parts():
            yield from part.entries()

    def after(self, factor: np.ndarray, addend: np.ndarray) -> Arrays:
        changed = self._parts()[1].after(factor, addend)
        return {"pointwise_kernel": changed["kernel"], "bias": changed["bias"]}

    def before(self, factor: np.ndarray, addend: np.ndarray) -> Arrays:
        depthwise, pointwise = self._parts()
        changed = depthwise.before(factor, addend)
        shift = changed["bias"] @ pointwise.array("kernel")[0, 0]
        return {"depthwise_kernel": changed["kernel"], "bias": self._bias() + shift}


@dataclass(frozen=True, kw_only=True)
class FullyConnected(Linear):
    """Dense, over the last axis."""

    kind = "dense"

    def macs(self, output_shape: Shape) -> int:
        return math.prod(output_shape[:-1]) * math.prod(self.weights["kernel"].shape)

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        return grad @ self.array("kernel").T

    def before(self, factor: np.ndarray, addend: np.ndarray) -> Arrays:
        kernel = self.array("kernel").astype(np.float64)
        return {"kernel": kernel * factor[:, None], "bias": self._bias() + addend @ kernel}


@dataclass(frozen=True, kw_only=True)
class Normalization(Operation):
    """BatchNormalization with its moving averages; ``axis`` is -1 for the channels."""

    kind = "batch_normalization"
    epsilon: float

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        return ops.batch_normalization_backward(
            grad,
            inputs,
            self.array("moving_mean"),
            self.array("moving_variance"),
            scale=self.array("gamma") if "gamma" in self.weights else None,
            epsilon=self.epsilon,
        )[0]

    def settings(self) -> dict[str, Any]:
        return {"epsilon": self.epsilon}

    def factor_and_addend(self) -> tuple[np.ndarray, np.ndarray]:
        """What it multiplies each channel by and what it adds, in double precision."""
        arrays = {role: self.array(role).astype(np.float64) for role in self.weights}
        factor = arrays.get("gamma", 1) / np.sqrt(arrays["moving_variance"] + self.epsilon)
        return factor, arrays.get("beta", 0) - arrays["moving_mean"] * factor


@dataclass(frozen=True, kw_only=True)
class Scaling(Operation):
    """Rescaling and Normalization: inputs · scale + offset, alike everywhere or by channel.

    Attributes:
        adapted: whether the numbers were found in data (``adapt``), not given as settings.
    """

    kind = "rescaling"
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    adapted: bool = False

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        return grad * np.asarray(self.scale, grad.dtype)

    def settings(self) -> dict[str, Any]:
        return {"scale": list(self.scale), "offset": list(self.offset)}


@dataclass(frozen=True, kw_only=True)
class AveragePooling(Windowed):
    """The mean of each window; padding does not count."""

    kind = "average_pool2d"

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        return ops.average_pool2d_backward(
            grad, inputs, self.window, strides=self.strides, padding=self.padding
        )


@dataclass(frozen=True, kw_only=True)
class MaxPooling(Windowed):
    """The largest of each window."""

    kind = "max_pool2d"

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        return ops.max_pool2d_backward(
            grad, inputs, self.window, strides=self.strides, padding=self.padding
        )


@dataclass(frozen=True, kw_only=True)
class GlobalPooling(Operation):
    """One number of each whole map."""

    keepdims: bool = False

    def settings(self) -> dict[str, Any]:
        return {"keepdims": True} if self.keepdims else {}

    def sees(self, input_shape: Shape) -> tuple[Pair, Pair, Pair]:
        height, width = input_shape[:2]
        return (height, width), (1, 1), (0, 0)


class GlobalAveragePooling(GlobalPooling):
    """The mean of each map."""

    kind = "global_average_pool2d"

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        return ops.global_average_pool2d_backward(grad.reshape(len(grad), -1), inputs)


class GlobalMaxPooling(GlobalPooling):
    """The largest number of each map."""

    kind = "global_max_pool2d"

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        grad = grad.reshape(len(grad), 1, 1, -1)
        return ops.max_pool2d_backward(grad, inputs, inputs.shape[1:3])


@dataclass(frozen=True, kw_only=True)
class ZeroPadding(Operation):
    """Rows and columns of zeros around each map."""

    kind = "zero_padding2d"
    padding: tuple[Pair, Pair]

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        (top, _), (left, _) = self.padding
        height, width = inputs.shape[1:3]
        return grad[:, top : top + height, left : left + width]

    def settings(self) -> dict[str, Any]:
        return {"padding": [list(side) for side in self.padding]}

    def sees(self, input_shape: Shape) -> tuple[Pair, Pair, Pair]:
        return (1, 1), (1, 1), (self.padding[0][0], self.padding[1][0])


class Flattening(Operation):
    """All numbers of an image in one row."""

    kind = "flatten"


@dataclass(frozen=True, kw_only=True)
class Dropping(Operation):
    """Dropout of any form: awake in training only."""

    kind = "dropout"
    rate: float

    def settings(self) -> dict[str, Any]:
        return {"rate": self.rate}


class Addition(Operation):
    """The sum of two or more outputs of one shape, such as a skip connection's."""

    kind = "add"


class Nothing(Operation):
    """What passes everything on at inference: augmentation, noise, linear activations."""

    kind = ""


# --- Activations: functions of each number, or of a row ----------------------------------------


@dataclass(frozen=True, kw_only=True)
class Activation:
    """The function behind an operation, with its settings."""

    kind: ClassVar[str]

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """The gradient at the function's inputs, from the one at its outputs."""
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """The settings that an exported network states: those without their default value."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def __str__(self) -> str:
        stated = ", ".join(f"{key}={value}" for key, value in self.settings().items())
        return f"{self.kind}({stated})" if stated else self.kind


@dataclass(frozen=True, kw_only=True)
class Relu(Activation):
    """ReLU; below the threshold a slope, above the largest value nothing more."""

    kind = "relu"
    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        slope = np.where(inputs > self.threshold, 1, self.negative_slope)
        if self.max_value is not None:
            slope = np.where(inputs >= self.max_value, 0, slope)
        return grad * slope.astype(grad.dtype)

    def settings(self) -> dict[str, Any]:
        return {key: value for key, value in super().settings().items() if value not in (None, 0)}


@dataclass(frozen=True, kw_only=True)
class LeakyRelu(Activation):
    """ReLU with a slope below 0."""

    kind = "leaky_relu"
    negative_slope: float = 0.2

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        return np.where(inputs > 0, grad, grad * np.asarray(self.negative_slope, grad.dtype))


@dataclass(frozen=True, kw_only=True)
class Elu(Activation):
    """x above 0, alpha · (exp(x) - 1) below."""

    kind = "elu"
    alpha: float = 1.0

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        slope = self.alpha * np.exp(np.minimum(inputs, 0))
        return np.where(inputs > 0, grad, grad * slope.astype(grad.dtype))


@dataclass(frozen=True, kw_only=True)
class Gelu(Activation):
    """x times the share of a standard normal distribution below x."""

    kind = "gelu"
    approximate: bool = False

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        x = inputs.astype(np.float64)
        if self.approximate:
            root = math.sqrt(2 / math.pi)
            share = np.tanh(root * (x + 0.044715 * x**3))
            slope = (1 + share) / 2 + x * (1 - share**2) / 2 * root * (1 + 3 * 0.044715 * x**2)
        else:
            share = keras.ops.convert_to_numpy(keras.ops.erf(x / math.sqrt(2)))
            slope = (1 + share) / 2 + x * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
        return grad * slope.astype(grad.dtype)


class Sigmoid(Activation):
    """1 / (1 + exp(-x))."""

    kind = "sigmoid"

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        return grad * outputs * (1 - outputs)


class Tanh(Activation):
    """The hyperbolic tangent."""

    kind = "tanh"

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        return grad * (1 - outputs**2)


class Softmax(Activation):
    """Shares of one over the last axis."""

    kind = "softmax"

    def gradient(self, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        return outputs * (grad - (grad * outputs).sum(axis=-1, keepdims=True))
