"""The two networks with one part changed: what lesson 14 measures.

A variant is a change to a list of layers; the networks themselves stand in ``models``, the
training that measures a variant in ``training`` and ``study``.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from cnncourse import models, operations
from cnncourse.keras_layers import kind_of

CONVOLUTION, NORMALIZATION = operations.Convolution.kind, operations.Normalization.kind
POOLING, GLOBAL_AVERAGE = operations.AveragePooling.kind, operations.GlobalAveragePooling.kind
DROPOUT, FLATTEN, RELU = operations.Dropping.kind, operations.Flattening.kind, operations.Relu.kind

Block = list[layers.Layer]
Change = Callable[[Block], Block]


@dataclass(frozen=True)
class Variant:
    """One change.

    Attributes:
        says: what is other than in the unchanged network, in one phrase.
        change: from the list of layers to the changed list.
        networks: which of the two networks have the part that is changed.
    """

    says: str
    change: Change
    networks: tuple[str, ...] = tuple(models.NETWORKS)


@keras.saving.register_keras_serializable("cnncourse")
class Shortcut(layers.Layer):
    """Joins what some layers make of the inputs to what a shortcut makes of them.

    Args:
        inner: layers, one behind the other.
        shortcut: likewise; empty where the inputs are handed on as they are.
        join: ``"add"`` or ``"multiply"``.
    """

    def __init__(self, inner: Block, shortcut: Block, join: str, **settings: Any) -> None:
        super().__init__(**settings)
        self.inner, self.shortcut, self.join = inner, shortcut, join

    def get_config(self) -> dict[str, Any]:
        paths = {"inner": self.inner, "shortcut": self.shortcut}
        serialized = {
            name: [keras.saving.serialize_keras_object(layer) for layer in path]
            for name, path in paths.items()
        }
        return super().get_config() | serialized | {"join": self.join}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Shortcut:
        paths = {
            name: [keras.saving.deserialize_keras_object(layer) for layer in config[name]]
            for name in ("inner", "shortcut")
        }
        return cls(**config | paths)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        for path in (self.inner, self.shortcut):
            shape = input_shape
            for layer in path:
                if not layer.built:  # one that was read from a file is
                    layer.build(shape)
                shape = layer.compute_output_shape(shape)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        results = []
        for path in (self.inner, self.shortcut):
            outputs = inputs
            for layer in path:
                takes_mode = kind_of(layer) == NORMALIZATION
                outputs = layer(outputs, training=training) if takes_mode else layer(outputs)
            results.append(outputs)
        return results[0] + results[1] if self.join == "add" else results[0] * results[1]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        shapes = []
        for path in (self.inner, self.shortcut):
            shape = input_shape
            for layer in path:
                shape = layer.compute_output_shape(shape)
            shapes.append(shape)
        # A gate of one place serves all places.
        return tuple(
            None if one is None or other is None else max(one, other)
            for one, other in zip(*shapes, strict=True)
        )


def build(
    network: str, input_shape: models.Shape, num_classes: int, variant: str = ""
) -> keras.Sequential:
    """A new network with one part changed.

    Args:
        network: a key of :data:`cnncourse.models.NETWORKS`.
        input_shape: (height, width, channels).
        num_classes: how many probabilities come out.
        variant: a key of :data:`VARIANTS`; empty for the network as it is.

    Returns:
        A Sequential model with fresh random weights. After ``keras.utils.set_random_seed`` a layer
        that the change leaves alone begins with the weights that it has in the unchanged network,
        and whatever is drawn next is the same behind both.

    Raises:
        ValueError: an unknown network or variant, or a variant that this network has not.

    >>> build("simple_CNN", (28, 28, 1), 10, "without_batch_norm").output_shape
    (None, 10)
    """
    before = random.getstate()
    model = models.build(network, input_shape, num_classes)
    if not variant:
        return model
    if network not in known(variant).networks:
        raise ValueError(f"{network} has no part that the variant {variant!r} changes.")
    # Keras draws the seed of a layer from Python's generator when the layer is made.
    behind = random.getstate()
    random.setstate(before)
    fresh = [_altered(layer) for layer in model.layers]
    changed = keras.Sequential(
        [keras.Input(input_shape), *VARIANTS[variant].change(fresh)], name=f"{network}_{variant}"
    )
    random.setstate(behind)
    return changed


def known(variant: str) -> Variant:
    """The variant of a name.

    Raises:
        ValueError: there is none; the message lists the known ones.
    """
    if variant not in VARIANTS:
        raise ValueError(f"There is no variant {variant!r}; choose one of {', '.join(VARIANTS)}.")
    return VARIANTS[variant]


def _is(kind: str) -> Callable[[layers.Layer], bool]:
    return lambda layer: kind_of(layer) == kind


def _altered(layer: layers.Layer, **settings: Any) -> layers.Layer:
    return type(layer).from_config(layer.get_config() | settings)


def _without(which: Callable[[layers.Layer], bool]) -> Change:
    return lambda block: [layer for layer in block if not which(layer)]


def _each(
    which: Callable[[layers.Layer], bool], new: Callable[[layers.Layer], Block | layers.Layer]
) -> Change:
    """Put something new in the place of each layer of a sort."""

    def change(block: Block) -> Block:
        changed: Block = []
        for layer in block:
            replaced = new(layer) if which(layer) else layer
            changed += replaced if isinstance(replaced, list) else [replaced]
        return changed

    return change


def _convolutions(block: Block) -> list[layers.Conv2D]:
    return [layer for layer in block if kind_of(layer) == CONVOLUTION]


def _stride_in_place_of_pooling(block: Block) -> Block:
    changed: Block = []
    for layer in block:
        if kind_of(layer) == POOLING:
            # The convolution before is the last one in what stands so far.
            place = max(i for i, before in enumerate(changed) if kind_of(before) == CONVOLUTION)
            changed[place] = _altered(changed[place], strides=(2, 2))
        else:
            changed.append(layer)
    return changed


def _pooling_in_place_of_stride(block: Block) -> Block:
    """Stride 1, and average pooling behind the activation (or at once where none follows)."""
    changed: Block = []
    owed = False
    for layer in block:
        strided = kind_of(layer) == CONVOLUTION and layer.strides == (2, 2)
        if owed and kind_of(layer) in (CONVOLUTION, DROPOUT, FLATTEN):
            changed.append(layers.AveragePooling2D(2, padding="same"))
            owed = False
        changed.append(_altered(layer, strides=(1, 1)) if strided else layer)
        owed = owed or strided
    return changed


def _scaled(factor: float) -> Change:
    def change(block: Block) -> Block:
        last = _convolutions(block)[-1]
        return _each(
            lambda layer: kind_of(layer) == CONVOLUTION and layer is not last,
            lambda layer: _altered(layer, filters=round(layer.filters * factor)),
        )(block)

    return change


def _relu_inside_each_pair(block: Block) -> Block:
    """A ReLU behind each batch normalization that none follows yet."""
    changed: Block = []
    for layer, following in zip(block, [*block[1:], None], strict=True):
        changed.append(layer)
        if kind_of(layer) == NORMALIZATION and not (
            following is not None and kind_of(following) == RELU
        ):
            changed.append(layers.Activation("relu"))
    return changed


def _two_small_kernels(layer: layers.Layer) -> Block:
    first = _altered(layer, kernel_size=(3, 3), strides=(1, 1))
    return [first, _altered(layer, kernel_size=(3, 3), name=f"{layer.name}_second")]


def _flatten_head(block: Block) -> Block:
    """Flatten and a dense layer in place of the last convolution and the global average."""
    last = _convolutions(block)[-1]
    return _each(
        lambda layer: layer is last or kind_of(layer) == GLOBAL_AVERAGE,
        lambda layer: layers.Flatten() if layer is last else layers.Dense(last.filters),
    )(block)


def _only_taps_that_meet_the_map(block: Block) -> Block:
    """Of the last two strided 3×3 kernels only the taps that meet more than padding at 28×28.

    The map before the first of them is 2×2, of whose window four of nine places lie inside;
    the one before the last is 1×1, of which one does.
    """
    changed = list(block)
    *_, before_last, _, last = _convolutions(block)
    changed[changed.index(before_last)] = _altered(before_last, kernel_size=(2, 2))
    changed[changed.index(last)] = _altered(last, kernel_size=(1, 1))
    return changed


def _separable(block: Block) -> Block:
    """Depthwise, then 1×1, in place of each convolution but the first, the last and the 1×1."""
    first, *_, last = _convolutions(block)
    return _each(
        lambda layer: (
            kind_of(layer) == CONVOLUTION
            and layer not in (first, last)
            and layer.kernel_size != (1, 1)
        ),
        lambda layer: layers.SeparableConv2D(
            layer.filters, layer.kernel_size, strides=layer.strides, padding="same"
        ),
    )(block)


def _pairs(block: Block) -> list[int]:
    """Where the second convolution of each pair stands: batch norm and ReLU follow it."""
    return [
        place
        for place, layer in enumerate(block[:-2])
        if kind_of(layer) == CONVOLUTION
        and kind_of(block[place + 1]) == NORMALIZATION
        and kind_of(block[place + 2]) == RELU
    ]


def _residual(block: Block) -> Block:
    """What goes into the second convolution of a pair is added to what comes out.

    A stride is met by average pooling, a change of the channels by a 1×1 convolution.
    """
    changed: Block = list(block)
    for place in reversed(_pairs(block)):
        layer = block[place]
        channels_in = next(
            before.filters for before in reversed(block[:place]) if kind_of(before) == CONVOLUTION
        )
        shortcut: Block = []
        if layer.strides == (2, 2):
            shortcut.append(layers.AveragePooling2D(2, padding="same"))
        if channels_in != layer.filters:
            shortcut.append(layers.Conv2D(layer.filters, 1, use_bias=False))
        changed[place : place + 2] = [Shortcut(block[place : place + 2], shortcut, "add")]
    return changed


def _squeeze_and_excite(block: Block) -> Block:
    """Before the ReLU of each pair every map is weighted by a number from 0 to 1.

    Source: Hu, Shen and Sun, *Squeeze-and-Excitation Networks*, arXiv:1709.01507 (2017),
    with a reduction to a quarter of the channels.
    """
    changed: Block = list(block)
    for place in reversed(_pairs(block)):
        channels = block[place].filters
        gate: Block = [
            layers.GlobalAveragePooling2D(keepdims=True),
            layers.Dense(channels // 4, activation="relu"),
            layers.Dense(channels, activation="sigmoid"),
        ]
        changed.insert(place + 2, Shortcut(gate, [], "multiply"))
    return changed


_POOLED, _STRIDED = ("simple_CNN",), ("simpler_CNN",)

VARIANTS: dict[str, Variant] = {
    "other_weights": Variant(
        "nothing but other first weights", _each(lambda layer: True, _altered)
    ),
    "without_batch_norm": Variant("no batch normalization", _without(_is(NORMALIZATION))),
    "dropout_25": Variant(
        "dropout of one quarter in each block, as simpler_CNN has it",
        _each(_is(DROPOUT), lambda layer: _altered(layer, rate=0.25)),
        _POOLED,
    ),
    "dropout_50": Variant(
        "dropout of one half in each block, as simple_CNN has it",
        _each(_is(DROPOUT), lambda layer: _altered(layer, rate=0.5)),
        _STRIDED,
    ),
    "max_pooling": Variant(
        "the maximum in place of the average where maps are pooled",
        _each(
            _is(POOLING),
            lambda layer: layers.MaxPooling2D(layer.pool_size, padding="same"),
        ),
        _POOLED,
    ),
    "stride": Variant("a stride in place of the pooling", _stride_in_place_of_pooling, _POOLED),
    "pooling": Variant(
        "average pooling in place of the strides", _pooling_in_place_of_stride, _STRIDED
    ),
    "flatten": Variant(
        "Flatten and Dense in place of the last convolution and the global average",
        _flatten_head,
        _POOLED,
    ),
    "half_width": Variant("half as many filters", _scaled(0.5)),
    "double_width": Variant("twice as many filters", _scaled(2)),
    "relu_inside": Variant("a ReLU inside each pair", _relu_inside_each_pair),
    "two_small_kernels": Variant(
        "two 3×3 convolutions in place of each wider one",
        _each(
            lambda layer: kind_of(layer) == CONVOLUTION and layer.kernel_size[0] > 3,
            _two_small_kernels,
        ),
    ),
    "only_used_taps": Variant(
        "no taps that meet padding alone", _only_taps_that_meet_the_map, _STRIDED
    ),
    "residual": Variant(
        "a residual connection around the second of each pair before a ReLU", _residual
    ),
    "separable": Variant(
        "separable convolutions, but for the first, the last and the 1×1", _separable
    ),
    "squeeze_excite": Variant(
        "squeeze-and-excitation in each pair before a ReLU", _squeeze_and_excite
    ),
}
"""The changes that lesson 14 measures, by name."""
