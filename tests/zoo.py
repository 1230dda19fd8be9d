"""Well-known small networks, built by code of our own: what learners bring.

Each builder takes (height, width, channels) and gives a classifier of ten classes, or of two by
one output, with its own kind of head. Their weights are drawn, moments of batch normalizations
too, so that no start value hides a mistake. ``REFUSED`` holds networks that are not computed,
with what the refusal names.
"""

import warnings
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import layers

Shape = tuple[int, int, int]
L = layers


def lenet_5(shape: Shape) -> keras.Model:
    """LeCun et al. (1998): tanh, average pools, softmax inside the last layer."""
    return keras.Sequential(
        [
            keras.Input(shape),
            L.Conv2D(6, 5, padding="same", activation="tanh"),
            L.AveragePooling2D(2),
            L.Conv2D(16, 5, activation="tanh"),
            L.AveragePooling2D(2),
            L.Flatten(),
            L.Dense(120, activation="tanh"),
            L.Dense(84, activation="tanh"),
            L.Dense(10, activation="softmax"),
        ]
    )


def keras_mnist(shape: Shape) -> keras.Model:
    """The convnet of Keras's introductory example."""
    return keras.Sequential(
        [
            keras.Input(shape),
            L.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            L.MaxPooling2D(pool_size=(2, 2)),
            L.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            L.MaxPooling2D(pool_size=(2, 2)),
            L.Flatten(),
            L.Dropout(0.5),
            L.Dense(10, activation="softmax"),
        ]
    )


def tutorial_cifar(shape: Shape) -> keras.Model:
    """A tutorial's network for colour pictures: rescaled, augmented, ending in scores."""
    return keras.Sequential(
        [
            keras.Input(shape),
            L.Rescaling(1 / 255),
            L.RandomFlip("horizontal"),
            L.RandomRotation(0.1),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(32, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(64, activation="relu"),
            L.Dense(10),
        ]
    )


def small_vgg(shape: Shape) -> keras.Model:
    """Pairs of 3×3 convolutions with batch normalization, as in VGG."""
    model = keras.Sequential([keras.Input(shape)])
    for filters in (8, 16):
        for _ in range(2):
            model.add(L.Conv2D(filters, 3, padding="same", use_bias=False))
            model.add(L.BatchNormalization())
            model.add(L.ReLU())
        model.add(L.MaxPooling2D(2, strides=2))
    model.add(L.Flatten())
    model.add(L.Dense(32))
    model.add(L.BatchNormalization())
    model.add(L.ReLU())
    model.add(L.Dropout(0.5))
    model.add(L.Dense(10))
    model.add(L.Softmax())
    return model


def all_convolutional(shape: Shape) -> keras.Model:
    """Springenberg et al. (2014): strides in place of pools, a global average at the end."""
    return keras.Sequential(
        [
            keras.Input(shape),
            L.Conv2D(12, 3, padding="same", activation="relu"),
            L.Conv2D(12, 3, strides=2, padding="same", activation="relu"),
            L.SpatialDropout2D(0.2),
            L.Conv2D(16, 3, strides=(2, 1), padding="same", activation="relu"),
            L.Conv2D(16, 1, activation="relu"),
            L.Conv2D(10, 1),
            L.GlobalAveragePooling2D(),
            L.Activation("softmax"),
        ]
    )


def network_in_network(shape: Shape) -> keras.Model:
    """Lin et al. (2013): each convolution is followed by two of 1×1."""
    model = keras.Sequential([keras.Input(shape)])
    for filters, side in ((12, 5), (10, 3)):
        model.add(L.Conv2D(filters, side, padding="same", activation="relu"))
        model.add(L.Conv2D(filters, 1, activation="relu"))
        model.add(L.Conv2D(filters, 1, activation="relu"))
        model.add(L.MaxPooling2D(3, strides=2, padding="same"))
    model.add(L.GlobalAveragePooling2D())
    model.add(L.Softmax())
    return model


def resnet_8(shape: Shape) -> keras.Model:
    """He et al. (2015): three residual blocks, two of them with a projection."""
    image = keras.Input(shape)
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(8, 3, padding="same", use_bias=False)(image)))
    for filters, stride in ((8, 1), (12, 2), (16, 2)):
        skip = x
        if stride == 2:
            skip = L.Conv2D(filters, 1, strides=2, use_bias=False)(x)
            skip = L.BatchNormalization()(skip)
        x = L.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        x = L.ReLU()(L.BatchNormalization()(x))
        x = L.BatchNormalization()(L.Conv2D(filters, 3, padding="same", use_bias=False)(x))
        x = L.ReLU()(L.Add()([x, skip]))
    x = L.GlobalAveragePooling2D()(x)
    return keras.Model(image, L.Dense(10, activation="softmax")(x))


def preactivated_resnet(shape: Shape) -> keras.Model:
    """He et al. (2016): normalization and ReLU stand before the convolution."""
    image = keras.Input(shape)
    x = L.Conv2D(8, 3, padding="same")(image)
    for _ in range(2):
        inner = L.ReLU()(L.BatchNormalization()(x))
        inner = L.Conv2D(8, 3, padding="same")(inner)
        inner = L.ReLU()(L.BatchNormalization()(inner))
        x = L.Add()([L.Conv2D(8, 3, padding="same")(inner), x])
    x = L.GlobalAveragePooling2D()(L.ReLU()(L.BatchNormalization()(x)))
    return keras.Model(image, L.Dense(10)(x))


def small_mobilenet(shape: Shape) -> keras.Model:
    """Howard et al. (2017): depthwise and 1×1 convolutions, ReLU6, explicit padding."""
    model = keras.Sequential([keras.Input(shape), L.Rescaling(1 / 127.5, offset=-1)])
    model.add(L.ZeroPadding2D(((0, 1), (0, 1))))
    model.add(L.Conv2D(8, 3, strides=2, use_bias=False))
    model.add(L.BatchNormalization())
    model.add(L.ReLU(max_value=6))
    for filters, stride in ((12, 1), (16, 2)):
        if stride == 2:
            model.add(L.ZeroPadding2D(((0, 1), (0, 1))))
        padding = "same" if stride == 1 else "valid"
        model.add(L.DepthwiseConv2D(3, strides=stride, padding=padding, use_bias=False))
        model.add(L.BatchNormalization())
        model.add(L.ReLU(max_value=6))
        model.add(L.Conv2D(filters, 1, use_bias=False))
        model.add(L.BatchNormalization())
        model.add(L.ReLU(max_value=6))
    model.add(L.GlobalAveragePooling2D(keepdims=True))
    model.add(L.Dropout(0.001))
    model.add(L.Conv2D(10, 1))
    model.add(L.Reshape((10,)))
    model.add(L.Activation("softmax"))
    return model


def inverted_residuals(shape: Shape) -> keras.Model:
    """Sandler et al. (2018), MobileNetV2: wide in the middle, linear at the ends."""
    image = keras.Input(shape)
    x = L.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(image)
    x = L.ReLU(6.0)(L.BatchNormalization()(x))
    for _ in range(2):
        inner = L.ReLU(6.0)(L.BatchNormalization()(L.Conv2D(24, 1, use_bias=False)(x)))
        inner = L.DepthwiseConv2D(3, padding="same", use_bias=False)(inner)
        inner = L.ReLU(6.0)(L.BatchNormalization()(inner))
        inner = L.BatchNormalization()(L.Conv2D(8, 1, use_bias=False)(inner))
        x = L.Add()([x, inner])
    x = L.GlobalAveragePooling2D()(x)
    return keras.Model(image, L.Dense(10, activation="softmax")(x))


def mini_xception(shape: Shape) -> keras.Model:
    """Arriaga et al. (2017): separable convolutions beside a strided projection."""
    image = keras.Input(shape)
    x = L.Conv2D(6, 3, use_bias=False)(image)
    x = L.Activation("relu")(L.BatchNormalization()(x))
    for filters in (8, 12):
        skip = L.Conv2D(filters, 1, strides=2, padding="same", use_bias=False)(x)
        skip = L.BatchNormalization()(skip)
        x = L.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x)
        x = L.Activation("relu")(L.BatchNormalization()(x))
        x = L.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x)
        x = L.MaxPooling2D(3, strides=2, padding="same")(L.BatchNormalization()(x))
        x = L.add([x, skip])
    x = L.Conv2D(10, 3, padding="same")(x)
    return keras.Model(image, L.Activation("softmax")(L.GlobalAveragePooling2D()(x)))


def grouped_residual(shape: Shape) -> keras.Model:
    """Xie et al. (2016), ResNeXt: a bottleneck whose convolution has groups."""
    image = keras.Input(shape)
    x = L.Conv2D(8, 3, padding="same", activation="relu")(image)
    inner = L.Conv2D(12, 1, activation="relu")(x)
    inner = L.BatchNormalization()(L.Conv2D(12, 3, padding="same", groups=3)(inner))
    inner = L.Conv2D(8, 1)(L.ReLU()(inner))
    x = L.GlobalMaxPooling2D()(L.ReLU()(L.Add()([inner, x])))
    return keras.Model(image, L.Dense(10)(x))


def dilated_context(shape: Shape) -> keras.Model:
    """Yu and Koltun (2015): dilation doubles from layer to layer, no pool."""
    model = keras.Sequential([keras.Input(shape)])
    for rate in (1, 2, 4):
        model.add(L.Conv2D(8, 3, dilation_rate=rate, padding="same"))
        model.add(L.LeakyReLU(negative_slope=0.1))
    model.add(L.Conv2D(10, 1))
    model.add(L.GlobalAveragePooling2D())
    model.add(L.Softmax())
    return model


def small_convnext(shape: Shape) -> keras.Model:
    """In the manner of Liu et al. (2022): patches, wide depthwise kernels, GELU, residuals."""
    image = keras.Input(shape)
    x = L.Conv2D(8, 4, strides=4)(image)
    for _ in range(2):
        inner = L.BatchNormalization()(L.DepthwiseConv2D(5, padding="same")(x))
        inner = L.Dense(8)(L.Dense(24, activation="gelu")(inner))
        x = L.Add()([x, inner])
    return keras.Model(image, L.Dense(10, activation="softmax")(L.GlobalAveragePooling2D()(x)))


def cats_and_dogs(shape: Shape) -> keras.Model:
    """A tutorial's binary classifier: one output with a sigmoid."""
    return keras.Sequential(
        [
            keras.Input(shape),
            L.Conv2D(8, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Conv2D(16, 3, activation="elu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(32, activation="relu"),
            L.Dense(1, activation="sigmoid"),
        ]
    )


def nested_transfer(shape: Shape) -> keras.Model:
    """A body and a head as two inner models, as after transfer learning."""
    body = keras.Sequential(
        [
            keras.Input(shape),
            L.Conv2D(8, 3, strides=2, activation="relu"),
            L.Conv2D(12, 3, strides=2),
            L.BatchNormalization(),
            L.LeakyReLU(),
        ],
        name="body",
    )
    head = keras.Sequential(
        [L.GlobalAveragePooling2D(), L.Dense(16, activation="sigmoid"), L.Dense(10)], name="head"
    )
    return keras.Sequential([keras.Input(shape), body, head, L.Softmax()])


ZOO: dict[str, Callable[[Shape], keras.Model]] = {
    builder.__name__: builder
    for builder in (
        lenet_5,
        keras_mnist,
        tutorial_cifar,
        small_vgg,
        all_convolutional,
        network_in_network,
        resnet_8,
        preactivated_resnet,
        small_mobilenet,
        inverted_residuals,
        mini_xception,
        grouped_residual,
        dilated_context,
        small_convnext,
        cats_and_dogs,
        nested_transfer,
    )
}
"""The networks by name."""

SHAPES: tuple[Shape, ...] = ((20, 28, 3), (25, 18, 1))
"""No square among them, odd and even sides, one and three channels."""


def u_net(shape: Shape) -> keras.Model:
    """Ronneberger et al. (2015): its way up takes larger maps and joins channels."""
    image = keras.Input(shape)
    down = L.Conv2D(4, 3, padding="same", activation="relu")(image)
    low = L.Conv2D(8, 3, padding="same", activation="relu")(L.MaxPooling2D()(down))
    up = L.Concatenate(name="joined")([down, L.UpSampling2D(name="larger")(low)])
    return keras.Model(image, L.Conv2D(1, 1, activation="sigmoid")(up))


def transposed(shape: Shape) -> keras.Model:
    """An autoencoder, with transposed convolutions."""
    return keras.Sequential(
        [keras.Input(shape), L.Conv2D(4, 2, 2), L.Conv2DTranspose(1, 2, 2, name="back")]
    )


def squeezed_and_excited(shape: Shape) -> keras.Model:
    """Hu et al. (2017): channels weighted by a product."""
    image = keras.Input(shape)
    x = L.Conv2D(4, 3)(image)
    weights = L.Dense(4, activation="sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(x))
    x = L.Multiply(name="excited")([x, weights])
    return keras.Model(image, L.Dense(10)(L.Flatten()(x)))


def densely_connected(shape: Shape) -> keras.Model:
    """Huang et al. (2016): channels joined."""
    image = keras.Input(shape)
    x = L.Concatenate(name="dense_block")([L.Conv2D(4, 3, padding="same")(image), image])
    return keras.Model(image, L.Dense(10)(L.Flatten()(x)))


def swish_everywhere(shape: Shape) -> keras.Model:
    """As in EfficientNet: swish."""
    return keras.Sequential(
        [keras.Input(shape), L.Conv2D(4, 3, activation="swish", name="swishing"), L.Flatten()]
    )


REFUSED: dict[Callable[[Shape], keras.Model], str] = {
    u_net: "larger|joined",
    transposed: "back",
    squeezed_and_excited: "excited",
    densely_connected: "dense_block",
    swish_everywhere: "swishing.*activation='silu'",
}
"""What is not computed, and the layer that the refusal names."""


def drawn(model: keras.Model, seed: int = 0) -> keras.Model:
    """Give every weight and every moment a value that is not its start value."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if not np.issubdtype(np.dtype(str(weight.dtype)), np.floating):
            continue  # the state of a random generator
        if "kernel" in weight.name:
            fan_in = np.prod(weight.shape[:-1])
            values = rng.normal(0, 1.4 / np.sqrt(fan_in), weight.shape)
        elif weight.name in {"gamma", "moving_variance"}:
            values = rng.uniform(0.5, 2, weight.shape)
        else:
            values = rng.normal(0, 0.3, weight.shape)
        weight.assign(values.astype(str(weight.dtype)))
    return model


def save(model: keras.Model, path: Path) -> Path:
    """Save a model; Keras warns of its own file of .h5, and of how it calls NumPy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)
    return path


def images(shape: Shape, count: int = 3, seed: int = 1) -> np.ndarray:
    """Pictures of noise between 0 and 1."""
    return np.random.default_rng(seed).uniform(size=(count, *shape)).astype(np.float32)
