"""``build_simple_cnn`` of lesson 08, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

from cnncourse.checks import architecture as spec
from cnncourse.checks.engine import Bank

BLOCKS = ((16, 7), (32, 5), (64, 3), (128, 3))


def _simple(input_shape, num_classes):
    layers = [{"type": "Input", "shape": tuple(input_shape)}]
    for filters, side in BLOCKS:
        for _ in range(2):
            layers += [spec.convolution(filters, side), spec.normalization()]
        layers += [spec.activation("relu"), spec.average_pooling(), spec.dropout(0.5)]
    layers[1] |= {"name": "image_array"}
    return [
        *layers,
        spec.convolution(256, 3),
        spec.normalization(),
        spec.convolution(num_classes, 3),
        spec.global_average(),
        spec.activation("softmax", name="predictions"),
    ]


def _cases() -> Iterator[tuple]:
    yield (28, 28, 1), 10
    yield (48, 40, 3), 7


BANK = Bank("build_simple_cnn", "08", _simple, _cases, spec.Architecture())
BANK.help(
    idea=(
        "The table in the exercise is the network: go through it row by row, and let a loop "
        "make what repeats."
    ),
    section="The whole network first",
    step=(
        "Compare your model.summary() with the table, layer by layer: kinds first, then sides "
        "and filters, then padding, then the two names."
    ),
)


@BANK.mistake(
    "There is no batch normalization. The specification has one behind each convolution but the "
    "very last: without them this network hardly learns."
)
def no_normalization(input_shape, num_classes):
    return spec.changed(_simple(input_shape, num_classes), spec.of_type("BatchNormalization"))


@BANK.mistake(
    "The last convolution has a batch normalization behind it. It is the one that has none: its "
    "maps go straight to the global average, whose means are the scores."
)
def normalization_of_the_scores(input_shape, num_classes):
    layers = _simple(input_shape, num_classes)
    return [*layers[:-2], spec.normalization(), *layers[-2:]]


@BANK.mistake(
    "ReLU stands behind every convolution. In this network it stands once in each of the first "
    "four blocks, behind the second normalization: four in all."
)
def relu_behind_each_normalization(input_shape, num_classes):
    layers = _simple(input_shape, num_classes)
    without = spec.changed(layers, lambda layer: layer.get("activation") == "relu")
    return spec.changed(
        without, spec.of_type("BatchNormalization"), spec.normalization(), spec.activation("relu")
    )


@BANK.mistake(
    "The last block has a ReLU behind its normalization. The specification has none there."
)
def relu_in_the_last_block(input_shape, num_classes):
    layers = _simple(input_shape, num_classes)
    return [*layers[:-3], spec.activation("relu"), *layers[-3:]]


@BANK.mistake(
    "ReLU sits inside the second convolution of each block (`activation=`), so it comes before "
    "the normalization. Wanted is a layer of its own, behind it."
)
def relu_inside_the_convolution(input_shape, num_classes):
    layers = _simple(input_shape, num_classes)
    for place, layer in enumerate(layers):
        if layer.get("activation") == "relu":
            layers[place - 2] = layers[place - 2] | {"activation": "relu"}
    return spec.changed(
        layers, lambda layer: layer["type"] == "Activation" and layer["activation"] == "relu"
    )


@BANK.mistake("The poolings take the largest number of each window. This network takes the mean.")
def largest_of_each_window(input_shape, num_classes):
    return spec.changed(
        _simple(input_shape, num_classes), spec.of_type("AveragePooling2D"), spec.max_pooling()
    )


@BANK.mistake(
    'The poolings pad nothing ("valid", which is Keras\'s default), so a map of 7×7 becomes 3×3 '
    "and its last row and column are lost. The specification keeps them."
)
def pooling_without_padding(input_shape, num_classes):
    return spec.changed(
        _simple(input_shape, num_classes), spec.of_type("AveragePooling2D"), padding="valid"
    )


@BANK.mistake(
    'The first convolution pads nothing ("valid", which is Keras\'s default), so the maps start '
    "smaller than the image. Every convolution here keeps the size of its maps."
)
def first_convolution_without_padding(input_shape, num_classes):
    layers = _simple(input_shape, num_classes)
    layers[1] |= {"padding": "valid"}
    return layers


@BANK.mistake(
    "All kernels are 3×3. The first two blocks of this network look wider: compare the sizes in "
    "the specification block by block."
)
def small_kernels_everywhere(input_shape, num_classes):
    return spec.changed(
        _simple(input_shape, num_classes), spec.of_type("Conv2D"), kernel_size=(3, 3)
    )


@BANK.mistake(
    "Each block has one convolution. In the specification they come in pairs, each followed by a "
    "normalization, and one ReLU for the pair."
)
def one_convolution_a_block(input_shape, num_classes):
    layers = _simple(input_shape, num_classes)
    single = layers[:1]
    for place in range(1, 29, 7):
        single += [*layers[place : place + 2], *layers[place + 4 : place + 7]]
    return single + layers[29:]


@BANK.mistake("There is no dropout. The first four blocks end with one, behind the pooling.")
def no_dropout(input_shape, num_classes):
    return spec.changed(_simple(input_shape, num_classes), spec.of_type("Dropout"))


@BANK.mistake(
    "The rate of dropout is that of the other network, simpler_CNN. Here half of the numbers are "
    "switched off."
)
def rate_of_the_other_network(input_shape, num_classes):
    return spec.changed(_simple(input_shape, num_classes), spec.of_type("Dropout"), rate=0.25)


@BANK.mistake(
    "The head lays all numbers in one row. simple_CNN ends with the mean of each map, which holds "
    "one number for each class whatever the size of the image."
)
def flatten_in_place_of_the_mean(input_shape, num_classes):
    return spec.changed(
        _simple(input_shape, num_classes), spec.of_type("GlobalAveragePooling2D"), spec.flatten()
    )


@BANK.mistake(
    "A dense layer makes the scores. This network has none: its last convolution has one filter "
    "for each class, and the global average of each map is the score."
)
def dense_head(input_shape, num_classes):
    layers = _simple(input_shape, num_classes)
    return [*layers[:-3], spec.global_average(), spec.dense(num_classes), layers[-1]]


@BANK.mistake(
    "The model ends with the scores; the softmax that makes probabilities of them is missing."
)
def no_softmax(input_shape, num_classes):
    layers = _simple(input_shape, num_classes)
    layers[-2] |= {"name": "predictions"}
    return layers[:-1]


spec.enter_common_mistakes(BANK)
