"""``build_simpler_cnn`` of lesson 09, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

from cnncourse.checks import architecture as spec
from cnncourse.checks.engine import Bank

BLOCKS = ((16, 5, 16, 5), (32, 5, 32, 5), (64, 3, 64, 3), (64, 1, 128, 3))


HALF = {"strides": (2, 2)}


def _simpler(input_shape, num_classes):
    layers = [{"type": "Input", "shape": tuple(input_shape)}]
    for filters, side, strided_filters, strided_side in BLOCKS:
        layers += [spec.convolution(filters, side), spec.normalization()]
        layers += [spec.convolution(strided_filters, strided_side, **HALF), spec.normalization()]
        layers += [spec.activation("relu"), spec.dropout(0.25)]
    layers[1] |= {"name": "image_array"}
    return [
        *layers,
        spec.convolution(256, 1),
        spec.normalization(),
        spec.convolution(128, 3, **HALF),
        spec.convolution(256, 1),
        spec.normalization(),
        spec.convolution(num_classes, 3, **HALF),
        spec.flatten(),
        spec.activation("softmax", name="predictions"),
    ]


def _strided(layer) -> bool:
    return layer.get("strides") == (2, 2)


def _cases() -> Iterator[tuple]:
    yield (28, 28, 1), 10
    yield (64, 48, 3), 7


BANK = Bank("build_simpler_cnn", "09", _simpler, _cases, spec.Architecture())
BANK.help(
    idea=(
        "The table in the exercise is the network; no pooling, the second convolution of each "
        "block has the stride."
    ),
    section="The second network",
    step=(
        "Compare your model.summary() with the table, layer by layer: kinds first, then sides, "
        "filters and strides, then where a normalization is missing on purpose, then the two "
        "names."
    ),
)


@BANK.mistake(
    "No convolution has a stride, and nothing else shrinks the maps. In this network the second "
    "convolution of each block moves two places at a time."
)
def no_strides(input_shape, num_classes):
    layers = spec.changed(_simpler(input_shape, num_classes), _strided, strides=(1, 1))
    return layers


@BANK.mistake(
    "Average poolings shrink the maps, as in simple_CNN. This network has no pooling: the second "
    "convolution of each block has a stride."
)
def pooling_in_place_of_strides(input_shape, num_classes):
    layers = []
    for layer in _simpler(input_shape, num_classes):
        strided = _strided(layer)
        layers.append(layer | {"strides": (1, 1)} if strided else layer)
        if strided:
            layers.append(spec.average_pooling())
    return layers


@BANK.mistake(
    "The stride sits in the first convolution of each block. It belongs to the second, so that "
    "the first still sees every place."
)
def stride_in_the_first_convolution(input_shape, num_classes):
    layers = _simpler(input_shape, num_classes)
    for place in range(1, 25, 6):
        layers[place] = layers[place] | HALF
        layers[place + 2] = layers[place + 2] | {"strides": (1, 1)}
    return layers


@BANK.mistake(
    "There is no batch normalization. Count them in the specification: all but two of the twelve "
    "convolutions have one behind them."
)
def no_normalization(input_shape, num_classes):
    return spec.changed(_simpler(input_shape, num_classes), spec.of_type("BatchNormalization"))


@BANK.mistake(
    "The strided convolution in the head has a batch normalization behind it. The specification "
    "goes on with the 1×1 convolution at once."
)
def normalization_behind_each_convolution(input_shape, num_classes):
    layers = _simpler(input_shape, num_classes)
    return [*layers[:-5], spec.normalization(), *layers[-5:]]


@BANK.mistake(
    "The batch normalization behind the second 1×1 convolution of the head is missing: the one "
    "right before the convolution that makes the scores."
)
def last_normalization_missing(input_shape, num_classes):
    layers = _simpler(input_shape, num_classes)
    return [*layers[:-4], *layers[-3:]]


@BANK.mistake(
    "The 1×1 convolutions are 3×3. The specification looks at a single place there and only "
    "mixes its channels."
)
def no_small_kernels(input_shape, num_classes):
    return spec.changed(
        _simpler(input_shape, num_classes),
        lambda layer: layer.get("kernel_size") == (1, 1),
        kernel_size=(3, 3),
    )


@BANK.mistake("The first kernels are 7×7, as in simple_CNN. Here they are smaller.")
def wide_first_kernels(input_shape, num_classes):
    layers = _simpler(input_shape, num_classes)
    return spec.changed(layers, lambda layer: layer.get("filters") == 16, kernel_size=(7, 7))


@BANK.mistake(
    "The head takes the mean of each map. That would be the better head for large images, and it "
    "is what simple_CNN has; this network's specification lays all numbers in one row."
)
def mean_in_place_of_flatten(input_shape, num_classes):
    return spec.changed(
        _simpler(input_shape, num_classes), spec.of_type("Flatten"), spec.global_average()
    )


@BANK.mistake(
    "A dense layer makes the scores behind Flatten. This network has none: its last convolution "
    "has one filter for each class, and Flatten only drops the two ones from the shape."
)
def dense_head(input_shape, num_classes):
    layers = _simpler(input_shape, num_classes)
    return [*layers[:-3], spec.flatten(), spec.dense(num_classes), layers[-1]]


@BANK.mistake(
    "ReLU stands behind every normalization. In this network it stands once in each of the first "
    "four blocks, behind the second normalization: four in all."
)
def relu_behind_each_normalization(input_shape, num_classes):
    layers = _simpler(input_shape, num_classes)
    without = spec.changed(layers, lambda layer: layer.get("activation") == "relu")
    return spec.changed(
        without, spec.of_type("BatchNormalization"), spec.normalization(), spec.activation("relu")
    )


@BANK.mistake(
    "The rate of dropout is that of the other network, simple_CNN. Here a quarter of the numbers "
    "is switched off."
)
def rate_of_the_other_network(input_shape, num_classes):
    return spec.changed(_simpler(input_shape, num_classes), spec.of_type("Dropout"), rate=0.5)


@BANK.mistake(
    "The fourth block gives 64 channels, like the third. Its strided convolution doubles them."
)
def fourth_block_as_wide_as_the_third(input_shape, num_classes):
    layers = _simpler(input_shape, num_classes)
    layers[21] = layers[21] | {"filters": 64}
    return layers


spec.enter_common_mistakes(BANK)
