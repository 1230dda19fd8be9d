"""What a trained network looks at: saliency, occlusion and Grad-CAM, and how to doubt them.

Everything works on a Sequential of the layers that ``anatomy`` knows, on any backend of Keras:
the gradients come from the backward functions of ``ops``, as receptive fields do. Figures
belong in ``plots``.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from cnncourse import anatomy, ops

_AT_ONCE = 256
"""Images that go through a network together."""


# --- Scores and their gradients ----------------------------------------------------------------


def class_scores(model: keras.Sequential, images: np.ndarray) -> np.ndarray:
    """The score of every class, before the softmax that ends the model.

    A probability near 1 hardly moves any more, however far the score behind it falls; so the
    methods of this module ask about scores.

    Args:
        model: a built Sequential on images that ends in a softmax layer.
        images: (n, height, width, channels), as the model takes them.

    Returns:
        (n, classes), of the dtype in which the model computes.

    Raises:
        ValueError: images of another shape, a model that does not end in a softmax layer, or
            one that :func:`cnncourse.anatomy.layer_table` does not know.

    >>> from cnncourse import models
    >>> class_scores(models.simpler_CNN((28, 28, 1), 10), np.zeros((3, 28, 28, 1))).shape
    (3, 10)
    """
    images = _checked_images(model, images)
    parts = []
    for start in range(0, len(images), _AT_ONCE):
        values = images[start : start + _AT_ONCE]
        for layer in model.layers[:-1]:
            values = layer(values, training=False)
        parts.append(keras.ops.convert_to_numpy(values))
    return np.concatenate(parts)


def score_gradient(
    model: keras.Sequential,
    images: np.ndarray,
    labels: Sequence[int],
    layer: str | layers.Layer | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The output of a layer, and the gradient of one class's score there, for each image.

    The gradient goes back from the score, layer by layer, as at inference: dropout passes it
    on, a batch normalization is one factor for each channel.

    Args:
        model, images: as in :func:`class_scores`.
        labels: (n,), for each image the class whose score is asked about.
        layer: a layer before the softmax, or its name; None means the images themselves.

    Returns:
        (outputs, gradients), both of the shape of the layer's output, with n images, and of
        the dtype in which the model computes.

    Raises:
        ValueError: as in :func:`class_scores`; labels that do not fit the images or classes; a
            layer that is not before the softmax; an activation on the way that is not ReLU.

    Source: the chain rule; Goodfellow, Bengio and Courville, Deep Learning (2016), section 6.5.

    >>> flat = keras.Sequential([keras.Input((1, 2, 1)), layers.Flatten(), layers.Softmax()])
    >>> pixels = np.array([[[[3.0], [4.0]]]])
    >>> [array.ravel().tolist() for array in score_gradient(flat, pixels, [1])]
    [[3.0, 4.0], [0.0, 1.0]]
    """
    images = _checked_images(model, images)
    labels = _checked_labels(model, images, labels)
    chain = model.layers[:-1]
    names = [one.name for one in chain]
    name = layer.name if isinstance(layer, layers.Layer) else layer
    if name is not None and name not in names:
        raise ValueError(
            f"Got the layer {name!r}; the layers before the softmax are {', '.join(names)}."
        )
    first = 0 if name is None else names.index(name) + 1
    values, outputs = images, [images]
    for one in chain:
        values = one(values, training=False)
        outputs.append(keras.ops.convert_to_numpy(values))
    grad = np.zeros_like(outputs[-1])
    grad[np.arange(len(images)), labels] = 1
    for place in reversed(range(first, len(chain))):
        grad = _backward(chain[place], grad, outputs[place], outputs[place + 1])
    return outputs[first], grad


def _backward(
    layer: layers.Layer, grad: np.ndarray, inputs: np.ndarray, outputs: np.ndarray
) -> np.ndarray:
    """The gradient at the inputs of a layer, from the one at its outputs."""
    grad = _before_activation(layer, grad, outputs)
    if isinstance(layer, layers.Conv2D):
        options = {"strides": layer.strides, "padding": layer.padding}
        return ops.conv2d_backward(grad, inputs, _array(layer.kernel), **options)[0]
    if isinstance(layer, layers.Dense):
        return grad @ _array(layer.kernel).T
    if isinstance(layer, layers.BatchNormalization):
        return ops.batch_normalization_backward(
            grad,
            inputs,
            _array(layer.moving_mean),
            _array(layer.moving_variance),
            scale=_array(layer.gamma) if layer.scale else None,
            epsilon=layer.epsilon,
        )[0]
    if isinstance(layer, layers.AveragePooling2D | layers.MaxPooling2D):
        average = isinstance(layer, layers.AveragePooling2D)
        backward = ops.average_pool2d_backward if average else ops.max_pool2d_backward
        options = {"strides": layer.strides, "padding": layer.padding}
        return backward(grad, inputs, layer.pool_size, **options)
    if isinstance(layer, layers.GlobalAveragePooling2D):
        return ops.global_average_pool2d_backward(grad.reshape(len(grad), -1), inputs)
    if isinstance(layer, layers.GlobalMaxPooling2D):
        grad = grad.reshape(len(grad), 1, 1, -1)
        return ops.max_pool2d_backward(grad, inputs, inputs.shape[1:3])
    return grad.reshape(inputs.shape)  # Flatten, dropout and activations


def _before_activation(layer: layers.Layer, grad: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    if isinstance(layer, layers.ReLU):
        plain = not layer.negative_slope and not layer.threshold and layer.max_value is None
        name = "relu" if plain else "ReLU with a slope, a threshold or a largest value"
    elif isinstance(layer, layers.Softmax):
        name = "softmax"
    else:
        name = getattr(getattr(layer, "activation", None), "__name__", "linear")
    if name == "linear":
        return grad
    if name == "relu":
        # An output is positive where the input is, so the output tells what passes.
        return ops.relu_backward(grad, outputs)
    raise ValueError(
        f"Got the layer {layer.name} with the activation {name}; between image and score this "
        "module knows relu and linear. A last softmax must be a layer of its own."
    )


# --- Three methods -----------------------------------------------------------------------------


def saliency(model: keras.Sequential, images: np.ndarray, labels: Sequence[int]) -> np.ndarray:
    """How strongly the score of a class answers to each pixel: the size of the gradient there.

    Args:
        model, images, labels: as in :func:`score_gradient`.

    Returns:
        (n, height, width), not negative: the largest of the channels, without sign.

    Raises:
        ValueError: as in :func:`score_gradient`.

    Source: Simonyan, Vedaldi and Zisserman, Deep inside convolutional networks (2013),
    section 3.1.

    >>> from cnncourse import models
    >>> network = models.simple_CNN((8, 8, 3), 2)
    >>> saliency(network, np.ones((2, 8, 8, 3)), [0, 1]).shape
    (2, 8, 8)
    """
    return np.abs(score_gradient(model, images, labels)[1]).max(axis=-1)


def occlusion(
    model: keras.Sequential,
    images: np.ndarray,
    labels: Sequence[int],
    patch_size: int,
    *,
    fill: float = 0.0,
) -> np.ndarray:
    """How far the score of a class falls when a patch of the image is hidden.

    The patches are squares side by side, from the top left; rows and columns that are left
    over are never hidden.

    Args:
        model, images, labels: as in :func:`score_gradient`.
        patch_size: side of the square, in pixels, from 1 to the shorter side of the image.
        fill: the number that hidden pixels get.

    Returns:
        (n, height // patch_size, width // patch_size): the score of the whole image minus the
        score without the patch. Negative where hiding helps the class.

    Raises:
        ValueError: as in :func:`score_gradient`, or a patch that is not of the stated size.

    Source: Zeiler and Fergus, Visualizing and understanding convolutional networks (2013),
    section 4.2; there the probability of the class is watched, here its score.

    >>> flat = keras.Sequential([keras.Input((2, 2, 1)), layers.Flatten(), layers.Softmax()])
    >>> occlusion(flat, np.array([[[[3.0], [4.0]], [[5.0], [6.0]]]]), [3], 1)[0]
    array([[0., 0.],
           [0., 6.]], dtype=float32)
    """
    images = _checked_images(model, images)
    labels = _checked_labels(model, images, labels)
    height, width = images.shape[1:3]
    if not 1 <= patch_size <= min(height, width):
        raise ValueError(
            f"Got patch_size={patch_size} for images of {height}×{width}; wanted a whole number "
            f"from 1 to {min(height, width)}."
        )
    rows, columns = height // patch_size, width // patch_size
    answer = np.empty((len(images), rows * columns), images.dtype)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        hidden = np.repeat(image[None], rows * columns + 1, axis=0)  # the last one stays whole
        for place in range(rows * columns):
            top, left = np.multiply(divmod(place, columns), patch_size)
            hidden[place, top : top + patch_size, left : left + patch_size] = fill
        scores = class_scores(model, hidden)[:, label]
        answer[number] = scores[-1] - scores[:-1]
    return answer.reshape(-1, rows, columns)


def grad_cam(
    model: keras.Sequential,
    images: np.ndarray,
    labels: Sequence[int],
    layer: str | layers.Layer,
) -> np.ndarray:
    """Where the maps of a layer speak for a class: their sum, weighted by their mean gradients.

    Args:
        model, images, labels: as in :func:`score_gradient`.
        layer: a layer whose output is maps, or its name.

    Returns:
        (n, map_height, map_width), not negative, not scaled: of the size of the layer's maps.

    Raises:
        ValueError: as in :func:`score_gradient`, or a layer whose output is no map.

    Source: Selvaraju et al., Grad-CAM (2016), equations 1 and 2.

    >>> from cnncourse import models
    >>> network = models.simple_CNN((28, 28, 1), 10)
    >>> grad_cam(network, np.ones((2, 28, 28, 1)), [0, 1], "image_array").shape
    (2, 28, 28)
    """
    maps, gradients = score_gradient(model, images, labels, layer)
    if maps.ndim != 4:
        raise ValueError(
            f"Got a layer whose output has the shape {maps.shape}; wanted maps, "
            "(n, height, width, channels)."
        )
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    return ops.relu((maps * weights).sum(axis=-1))


# --- Doubt -------------------------------------------------------------------------------------


def randomized(
    model: keras.Sequential, layer: str | layers.Layer, *, seed: int
) -> keras.Sequential:
    """A copy of a model that has forgotten what it learned, from its top down to a layer.

    Kernels are drawn as Keras draws them for a new model (Glorot's uniform distribution), biases
    are 0, and batch normalizations are as in a new model. The layers below keep their weights.

    Args:
        model: a built Sequential on images; it is not changed.
        layer: the lowest layer that forgets, or its name.
        seed: of the draw. The same seed draws the same weights for a layer, however many
            others forget.

    Returns:
        A new Sequential with the layers' names kept.

    Raises:
        ValueError: a layer that is not in the model, or a model that
            :func:`cnncourse.anatomy.layer_table` does not know.

    Source: Adebayo et al., Sanity checks for saliency maps (2018), section 3: cascading
    randomization. Glorot and Bengio, Understanding the difficulty of training deep feedforward
    neural networks (2010), equation 16.

    >>> from cnncourse import models
    >>> network = models.load_pretrained("simpler_CNN")
    >>> lost = randomized(network, network.layers[-3], seed=0)
    >>> [bool(np.array_equal(a, b)) for a, b in zip(network.get_weights(), lost.get_weights())][-4:]
    [True, True, False, False]
    """
    anatomy.layer_table(model)
    names = [one.name for one in model.layers]
    name = layer.name if isinstance(layer, layers.Layer) else layer
    if name not in names:
        raise ValueError(
            f"Got the layer {name!r}; the layers of this model are {', '.join(names)}."
        )
    copy = keras.Sequential(
        [
            keras.Input(model.input_shape[1:]),
            *(type(one).from_config(one.get_config()) for one in model.layers),
        ],
        name=f"{model.name}_randomized",
    )
    for place, (old, new) in enumerate(zip(model.layers, copy.layers, strict=True)):
        if place < names.index(name):
            new.set_weights(old.get_weights())
        else:
            new.set_weights(_fresh_weights(new, np.random.default_rng([seed, place])))
    return copy


def _fresh_weights(layer: layers.Layer, rng: np.random.Generator) -> list[np.ndarray]:
    fresh = []
    for weight in layer.weights:
        if weight.name == "kernel":
            fan_in, fan_out = (
                np.prod(weight.shape[:-1]),
                np.prod(weight.shape[:-2]) * weight.shape[-1],
            )
            limit = np.sqrt(6 / (fan_in + fan_out))
            fresh.append(rng.uniform(-limit, limit, weight.shape))
        else:
            value = 1.0 if weight.name in {"gamma", "moving_variance"} else 0.0
            fresh.append(np.full(weight.shape, value))
    return fresh


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """How far two maps put their places in the same order: 1 the same, -1 the reverse, 0 neither.

    Args:
        first, second: arrays of one shape.

    Returns:
        Spearman's coefficient: the correlation of the ranks, equal values sharing the mean of
        their ranks. NaN where one map has the same value everywhere, and so no order.

    Raises:
        ValueError: two shapes that differ.

    Source: Spearman, The proof and measurement of association between two things (1904).

    >>> rank_correlation([1, 2, 30], [5, 6, 7]), rank_correlation([1, 2, 3], [3, 2, 1])
    (1.0, -1.0)
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape:
        raise ValueError(
            f"Got maps of shape {first.shape} and {second.shape}; wanted two of one shape."
        )
    ranks = [_ranks(values) for values in (first, second)]
    centred = [values - values.mean() for values in ranks]
    size = np.linalg.norm(centred[0]) * np.linalg.norm(centred[1])
    return float(np.round(centred[0] @ centred[1] / size, 12)) if size else float("nan")


def _ranks(values: np.ndarray) -> np.ndarray:
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[group.ravel()]


# --- What they share ---------------------------------------------------------------------------


def _checked_images(model: keras.Sequential, images: np.ndarray) -> np.ndarray:
    anatomy.layer_table(model)
    last = model.layers[-1]
    ends_in_softmax = isinstance(last, layers.Softmax) or (
        isinstance(last, layers.Activation) and last.activation is keras.activations.softmax
    )
    if not ends_in_softmax:
        raise ValueError(
            f"Got a model that ends in {last.name}; wanted a softmax layer of its own, "
            'Activation("softmax"), so that the scores before it can be read.'
        )
    images = np.asarray(images, model.layers[0].compute_dtype)
    if images.ndim != 4 or images.shape[1:] != model.input_shape[1:] or not len(images):
        raise ValueError(
            f"Got images of shape {images.shape}; wanted a batch (n, *{model.input_shape[1:]})."
        )
    return images


def _checked_labels(
    model: keras.Sequential, images: np.ndarray, labels: Sequence[int]
) -> np.ndarray:
    labels, classes = np.asarray(labels), model.output_shape[-1]
    fits = labels.shape == (len(images),) and labels.dtype.kind in "iu"
    if not fits or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"Got labels {labels!r} for {len(images)} images; wanted for each of them one whole "
            f"number from 0 to {classes - 1}."
        )
    return labels


def _array(weight: keras.Variable) -> np.ndarray:
    return weight.numpy()
