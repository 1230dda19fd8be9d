"""Networks of the wider map, built so that parameters and multiply-accumulates can be counted.

They are counted and thrown away; nothing here is trained. What they brought is told in the book.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

from cnncourse import anatomy, models, results

COMMAND = "python -m cnncourse.authoring landmarks"


def lenet_5() -> keras.Model:
    """LeNet-5, with ordinary poolings and every map of a layer reading all maps before it."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            layers.Conv2D(6, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(120, 5, activation="tanh"),
            layers.Flatten(),
            layers.Dense(84, activation="tanh"),
            layers.Dense(10),
            layers.Softmax(),
        ]
    )


def alexnet() -> keras.Model:
    """AlexNet on one device, without its two halves and without response normalization."""
    return keras.Sequential(
        [
            keras.Input((227, 227, 3)),
            layers.Conv2D(96, 11, strides=4, activation="relu"),
            layers.MaxPooling2D(3, strides=2),
            layers.Conv2D(256, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(3, strides=2),
            layers.Conv2D(384, 3, padding="same", activation="relu"),
            layers.Conv2D(384, 3, padding="same", activation="relu"),
            layers.Conv2D(256, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(3, strides=2),
            layers.Flatten(),
            layers.Dense(4096, activation="relu"),
            layers.Dense(4096, activation="relu"),
            layers.Dense(1000),
            layers.Softmax(),
        ]
    )


def vgg_16() -> keras.Model:
    """VGG-16, configuration D."""
    network = keras.Sequential([keras.Input((224, 224, 3))])
    for filters, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            network.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        network.add(layers.MaxPooling2D(2))
    network.add(layers.Flatten())
    for _ in range(2):
        network.add(layers.Dense(4096, activation="relu"))
    network.add(layers.Dense(1000))
    network.add(layers.Softmax())
    return network


def _normalized(maps: keras.KerasTensor, layer: layers.Layer, *, relu: bool) -> keras.KerasTensor:
    maps = layers.BatchNormalization()(layer(maps))
    return layers.ReLU()(maps) if relu else maps


def resnet_18() -> keras.Model:
    """ResNet-18: eight residual blocks, and a 1×1 convolution where sizes change."""
    image = keras.Input((224, 224, 3))
    stem = layers.Conv2D(64, 7, strides=2, padding="same", use_bias=False)
    maps = _normalized(image, stem, relu=True)
    maps = layers.MaxPooling2D(3, strides=2, padding="same")(maps)
    for filters, stride in (
        (64, 1),
        (64, 1),
        (128, 2),
        (128, 1),
        (256, 2),
        (256, 1),
        (512, 2),
        (512, 1),
    ):
        first = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)
        second = layers.Conv2D(filters, 3, padding="same", use_bias=False)
        change = _normalized(_normalized(maps, first, relu=True), second, relu=False)
        if stride == 2:
            short = layers.Conv2D(filters, 1, strides=2, padding="same", use_bias=False)
            maps = _normalized(maps, short, relu=False)
        maps = layers.ReLU()(layers.Add()([maps, change]))
    scores = layers.Dense(1000)(layers.GlobalAveragePooling2D()(maps))
    return keras.Model(image, layers.Softmax()(scores))


def mini_xception() -> keras.Model:
    """The mini-Xception of the authors of simple_CNN, on 64×64 pixels and seven expressions."""
    image = maps = keras.Input((64, 64, 1))
    for _ in range(2):
        maps = _normalized(maps, layers.Conv2D(8, 3, use_bias=False), relu=True)
    for filters in (16, 32, 64, 128):
        short = layers.Conv2D(filters, 1, strides=2, padding="same", use_bias=False)
        inner = maps
        for last in (False, True):
            separable = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)
            inner = _normalized(inner, separable, relu=not last)
        inner = layers.MaxPooling2D(3, strides=2, padding="same")(inner)
        maps = layers.Add()([inner, _normalized(maps, short, relu=False)])
    maps = layers.Conv2D(7, 3, padding="same")(maps)
    return keras.Model(image, layers.Softmax()(layers.GlobalAveragePooling2D()(maps)))


def simple_cnn() -> keras.Model:
    """simple_CNN on the same images as mini-Xception."""
    return models.simple_CNN((64, 64, 1), 7)


LANDMARKS: dict[str, Callable[[], keras.Model]] = {
    build.__name__: build
    for build in (lenet_5, alexnet, vgg_16, resnet_18, simple_cnn, mini_xception)
}


def landmarks() -> str:
    """Record the topic ``landmarks``: parameters and multiply-accumulates of each network."""
    values = {}
    for name, build in LANDMARKS.items():
        keras.utils.clear_session(free_memory=True)
        table = anatomy.layer_table(build())
        values[f"{name}_parameters"] = results.count(table.trainable + table.non_trainable)
        values[f"{name}_macs"] = results.count(table.macs)
    results.record("landmarks", values, command=COMMAND)
    return f"{len(LANDMARKS)} networks counted"
