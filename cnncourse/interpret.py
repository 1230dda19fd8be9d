"""What the score of a trained network depends on, by saliency, occlusion and Grad-CAM.

Also how to doubt such pictures.

Everything works on classifiers whose layers ``keras_layers`` knows, on any backend of Keras: the
gradients come from the backward functions of ``ops``, as receptive fields do. Figures belong in
``plots``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from cnncourse import datasets, keras_layers, operations, ops
from cnncourse.keras_layers import Step

_AT_ONCE = 256
"""Images that go through a network together."""


# --- Scores and their gradients ----------------------------------------------------------------


def class_scores(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """The score of every class, before the softmax that ends the model.

    A probability near 1 hardly moves at first when the score behind it falls; so the
    methods of this module ask about scores.

    Args:
        model: a built Sequential on images, or a model of the functional API, that gives one
            row for each image: probabilities by a softmax or a sigmoid, as a layer of its own or
            inside the last one, or scores without either.
        images: (n, height, width, channels), as the model takes them.

    Returns:
        (n, classes), of the dtype in which the model computes. A model with one output has one
        score: of class 1, and its negative is that of class 0.

    Raises:
        ValueError: images of another shape, a model that gives no row for each image, or one
            that :func:`cnncourse.keras_layers.steps` does not know.

    >>> from cnncourse import models
    >>> class_scores(models.simpler_CNN((28, 28, 1), 10), np.zeros((3, 28, 28, 1))).shape
    (3, 10)
    """
    found, images = _checked(model, images)
    parts = []
    for start in range(0, len(images), _AT_ONCE):
        # Outputs that nothing takes any more are dropped, so that only a few are held.
        last_use = {number: place for place, step in enumerate(found) for number in step.inputs}
        values: dict[int, Any] = {0: images[start : start + _AT_ONCE]}
        for place, step in enumerate(found):
            before, outputs = step.run([values[number] for number in step.inputs])
            values[place + 1] = outputs
            for number in set(step.inputs):
                if last_use[number] == place:
                    del values[number]
        scores = before if _gives_probabilities(found) else outputs
        parts.append(keras.ops.convert_to_numpy(scores))
    return np.concatenate(parts)


def score_gradient(
    model: keras.Model,
    images: np.ndarray,
    labels: Sequence[int],
    layer: str | layers.Layer | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The output of a layer, and the gradient of one class's score there, for each image.

    The gradient goes back from the score, layer by layer, as at inference: dropout passes it
    on, a batch normalization is one factor for each channel, a sum sends it to all its parts.

    Args:
        model, images: as in :func:`class_scores`.
        labels: (n,), for each image the class whose score is asked about.
        layer: a layer before the last softmax or sigmoid, or its name; None means the images
            themselves.

    Returns:
        (outputs, gradients), both of the shape of the layer's output, with n images, and of
        the dtype in which the model computes.

    Raises:
        ValueError: as in :func:`class_scores`; labels that do not fit the images or classes; a
            layer that is not before the last softmax; a batch normalization of another axis than
            the channels.

    Source: the chain rule; Goodfellow, Bengio and Courville, Deep Learning (2016), section 6.5.

    >>> flat = keras.Sequential([keras.Input((1, 2, 1)), layers.Flatten(), layers.Softmax()])
    >>> pixels = np.array([[[[3.0], [4.0]]]])
    >>> [array.ravel().tolist() for array in score_gradient(flat, pixels, [1])]
    [[3.0, 4.0], [0.0, 1.0]]
    """
    found, images = _checked(model, images)
    classes = _checked_labels(found, images, labels)
    first = 0 if layer is None else _number_of(found, layer)
    values: list[Any] = [images]
    before: list[Any] = [images]
    for step in found:
        scores, outputs = step.run([values[number] for number in step.inputs])
        before.append(scores)
        values.append(outputs)
    probabilities = _gives_probabilities(found)
    scores = keras.ops.convert_to_numpy(before[-1] if probabilities else values[-1])
    grad = _gradient_of_score(scores, classes)
    if first == len(found):
        return scores, grad
    grads: dict[int, np.ndarray] = {len(found): grad}
    for number in range(len(found), first, -1):
        if number not in grads:
            continue  # no way leads from here to the score
        step, grad = found[number - 1], grads.pop(number)
        inputs, outputs = values[step.inputs[0]], values[number]
        if number == len(found) and probabilities:
            grad = step.reading.operation.gradient(grad, _as_numpy(inputs), scores)
        else:
            grad = step.gradient(grad, inputs, before[number], outputs)
        for source in step.inputs:
            grads[source] = grads[source] + grad if source in grads else grad
    outputs = _as_numpy(values[first])
    return outputs, grads.get(first, np.zeros_like(outputs))


def _gradient_of_score(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The gradient at the scores of the one that each label asks about."""
    grad = np.zeros_like(scores)
    if scores.shape[1] == 1:
        grad[:, 0] = np.where(labels == 1, 1, -1)
    else:
        grad[np.arange(len(labels)), labels] = 1
    return grad


def _scores_of(scores: np.ndarray, label: int) -> np.ndarray:
    """The score of one class for each image."""
    if scores.shape[1] == 1:
        return scores[:, 0] if label == 1 else -scores[:, 0]
    return scores[:, label]


def _as_numpy(values: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(values)


# --- Three methods -----------------------------------------------------------------------------


def saliency(model: keras.Model, images: np.ndarray, labels: Sequence[int]) -> np.ndarray:
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
    model: keras.Model,
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
    found, images = _checked(model, images)
    classes = _checked_labels(found, images, labels)
    height, width = images.shape[1:3]
    if not 1 <= patch_size <= min(height, width):
        raise ValueError(
            f"Got patch_size={patch_size} for images of {height}×{width}; wanted a whole number "
            f"from 1 to {min(height, width)}."
        )
    rows, columns = height // patch_size, width // patch_size
    answer = np.empty((len(images), rows * columns), images.dtype)
    for number, (image, label) in enumerate(zip(images, classes, strict=True)):
        hidden = np.repeat(image[None], rows * columns + 1, axis=0)  # the last one stays whole
        for place in range(rows * columns):
            top, left = np.multiply(divmod(place, columns), patch_size)
            hidden[place, top : top + patch_size, left : left + patch_size] = fill
        scores = _scores_of(class_scores(model, hidden), label)
        answer[number] = scores[-1] - scores[:-1]
    return answer.reshape(-1, rows, columns)


def grad_cam(
    model: keras.Model,
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


def randomized(model: keras.Model, layer: str | layers.Layer, *, seed: int) -> keras.Model:
    """A copy of a model that has forgotten what it learned, from its top down to a layer.

    Kernels are drawn as Keras draws them for a new model (Glorot's uniform distribution), biases
    are 0, and batch normalizations are as in a new model. The layers below keep their weights.

    Args:
        model: as in :func:`class_scores`; it is not changed.
        layer: the lowest layer that forgets, or its name.
        seed: of the draw. The same seed draws the same weights for a layer, however many
            others forget.

    Returns:
        A new model with the layers' names kept.

    Raises:
        ValueError: a layer that is not in the model, or a model that
            :func:`cnncourse.keras_layers.steps` does not know.

    Source: Adebayo et al., Sanity checks for saliency maps (2018), section 3: cascading
    randomization. Glorot and Bengio, Understanding the difficulty of training deep feedforward
    neural networks (2010), equation 16.

    >>> from cnncourse import models
    >>> network = models.load_pretrained("simpler_CNN")
    >>> lost = randomized(network, network.layers[-3], seed=0)
    >>> [bool(np.array_equal(a, b)) for a, b in zip(network.get_weights(), lost.get_weights())][-4:]
    [True, True, False, False]
    """
    found = keras_layers.steps(model)
    place = keras_layers.place_of(found, layer)
    if place is None:
        raise ValueError(
            f"Got the layer {keras_layers.name_of(layer)!r}; the layers of this model are "
            f"{', '.join(step.name for step in found)}."
        )
    copy = keras_layers.rebuilt(model, f"{model.name}_randomized")
    for number, step in enumerate(keras_layers.steps(copy)):
        if number >= place:
            rng = np.random.default_rng([seed, number])
            step.layer.set_weights(_fresh_weights(step.layer, rng))
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


def _checked(model: keras.Model, images: np.ndarray) -> tuple[tuple[Step, ...], np.ndarray]:
    """The steps of a classifier, and images as it takes them."""
    found = keras_layers.steps(model)
    for step in found:
        if step.reading.operation.axis != -1:
            raise keras_layers.UnknownLayer(
                f"Got the layer {step.name} of type {step.reading.type} with "
                f"axis={step.reading.operation.axis}; known is the axis of the channels."
            )
    if len(found[-1].output_shape) != 1:
        raise ValueError(
            f"Got a model that ends in {found[-1].name} with the shape {found[-1].output_shape}; "
            "wanted a row of numbers for each image, one for each class."
        )
    images = np.asarray(images)
    if images.dtype.kind not in "biuf":
        raise ValueError(f"Got images of dtype {images.dtype}; wanted an array of numbers.")
    if images.ndim != 4 or images.shape[1:] != found[0].input_shape or not len(images):
        raise ValueError(
            f"Got images of shape {images.shape}; wanted a batch (n, *{found[0].input_shape})."
        )
    # As Keras does: what comes in has the input's type before it has the layers'.
    given = images.astype(keras.backend.standardize_dtype(model.inputs[0].dtype))
    return found, given.astype(found[0].layer.compute_dtype)


def _gives_probabilities(found: Sequence[Step]) -> bool:
    """Whether the last thing the model does turns scores into probabilities."""
    last = found[-1].reading.activation
    return isinstance(last, operations.Softmax | operations.Sigmoid)


def _number_of(found: Sequence[Step], layer: str | layers.Layer) -> int:
    """The number of a layer's output, if it lies before the probabilities."""
    known = found[:-1] if _gives_probabilities(found) else found
    place = keras_layers.place_of(known, layer)
    if place is None:
        raise ValueError(
            f"Got the layer {keras_layers.name_of(layer)!r}; the layers before the softmax are "
            f"{', '.join(step.name for step in known)}."
        )
    return place + 1


def _checked_labels(found: Sequence[Step], images: np.ndarray, labels: Sequence[int]) -> np.ndarray:
    outputs = found[-1].output_shape[-1]
    return datasets.as_labels(labels, len(images), max(outputs, 2))
