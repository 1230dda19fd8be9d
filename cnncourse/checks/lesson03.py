"""Exercises of lesson 03: feature maps.

Each wrong implementation is a mistake that people make, with the hint that answers it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Exercise
from cnncourse.checks.forms import Values


def _relu(inputs):
    return np.maximum(inputs, 0)


def _relu_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(5)
    yield (np.array([-2.0, 0.5, 3.0]),)
    yield (np.array([[-1.0, -0.25], [-4.0, -8.0]]),)
    yield (np.array([[0.0, 0.1, 1.0], [9.0, -0.1, -9.0]], np.float32),)
    yield (np.array([[-3, 0, 2], [7, -1, 12]]),)
    yield (np.array([0, 1, 127, 128, 200, 255, 3], np.uint8),)
    yield (rng.normal(0, 5, (3, 4)),)
    yield (rng.normal(0, 5, (2, 3, 3, 2)),)
    yield (rng.normal(0, 5, (2, 4, 3, 2)).astype(np.float32),)


RELU = Exercise("relu", _relu, _relu_cases)

RELU.misconception(
    "Negative numbers seem to lose their sign. Wanted is that they become 0: the map says that "
    "nothing was found there.",
    name="absolute_value",
)(lambda inputs: np.abs(inputs))

RELU.misconception(
    "The negative numbers stay and the positive ones become 0. It is the other way round.",
    name="negative_part",
)(lambda inputs: np.minimum(inputs, 0))

RELU.misconception(
    "A small share of the negative numbers (a hundredth) comes through. That is a leaky ReLU; "
    "wanted is 0 for all of them.",
    name="leaky",
)(lambda inputs: np.where(inputs > 0, inputs, 0.01 * inputs))

RELU.misconception(
    "Every positive number seems to become 1. The ReLU keeps how strong an activation is.",
    name="step",
)(lambda inputs: (inputs > 0).astype(float))

RELU.misconception(
    "Large numbers seem to be cut at 1. The ReLU has no upper end.",
    name="cut_at_1",
)(lambda inputs: np.clip(inputs, 0, 1))

RELU.misconception(
    "Large numbers seem to be cut at 6. That is ReLU6; wanted is no upper end.",
    name="cut_at_6",
)(lambda inputs: np.clip(inputs, 0, 6))

RELU.misconception(
    "Numbers between 0 and 1 seem to become 0 as well. The threshold is 0.",
    name="threshold_1",
)(lambda inputs: np.where(inputs >= 1, inputs, 0))

RELU.misconception(
    "All numbers seem to be moved up until the smallest is 0. Wanted is that each one is judged by "
    "its own sign, and positive ones stay as they are.",
    name="moved_up",
)(lambda inputs: inputs - np.min(inputs))

RELU.misconception(
    "A smooth curve came out, the logarithm of 1 + exp(x). That is the softplus; the ReLU has a "
    "corner at 0.",
    name="softplus",
)(lambda inputs: np.logaddexp(0.0, inputs))

RELU.misconception(
    "Values between 0 and 1 came out along an S-shaped curve. That is the sigmoid; the ReLU leaves "
    "positive numbers as they are.",
    name="sigmoid",
)(lambda inputs: 1 / (1 + np.exp(-np.asarray(inputs, float))))

RELU.misconception(
    "The negative numbers seem to be taken out, and the rest moves together. Each number keeps its "
    "place: the answer has the shape of the inputs.",
    name="negative_taken_out",
)(lambda inputs: inputs[inputs > 0])


@RELU.misconception(
    "With whole numbers (uint8) a sum seems to wrap around: 200 + 200 becomes 144 there. Mind the "
    "type before you add."
)
def sum_of_uint8(inputs):
    if inputs.dtype != np.uint8:
        return _relu(inputs)
    return (inputs + inputs) / 2


def _receptive_field(layers):
    side, jump = 1, 1
    for kernel_size, stride in layers:
        side += (kernel_size - 1) * jump
        jump *= stride
    return side


def _receptive_field_cases() -> Iterator[tuple]:
    for layers in [
        [],
        [(1, 1)],
        [(3, 1)],
        [(2, 2)],
        [(3, 1), (3, 1)],
        [(3, 2), (3, 1)],
        [(3, 1), (3, 2), (3, 1)],
        [(2, 2), (2, 2), (2, 2)],
        [(5, 3), (1, 1), (4, 2)],
        [(3, 2), (3, 3), (4, 1), (2, 5)],
        [(7, 1), (7, 1), (2, 2), (5, 1), (5, 1), (2, 2), (3, 1)],
        [(5, 1), (5, 2), (5, 1), (5, 2), (3, 1), (3, 2), (1, 1), (3, 2)],
    ]:
        yield (layers,)


RECEPTIVE_FIELD = Exercise(
    "receptive_field", _receptive_field, _receptive_field_cases, Values(kind="whole")
)

RECEPTIVE_FIELD.misconception(
    "The strides seem to play no part. After a layer with stride 2, two neighbours of the map are "
    "two pixels apart, so the next kernel reaches farther.",
    name="stride_forgotten",
)(lambda layers: 1 + sum(kernel_size - 1 for kernel_size, _ in layers))

RECEPTIVE_FIELD.misconception(
    "The sizes of the kernels seem to be added. Two kernels of 3 in a row see 5 pixels, not 6: "
    "neighbouring windows overlap.",
    name="sizes_added",
)(lambda layers: sum(kernel_size for kernel_size, _ in layers) or 1)

RECEPTIVE_FIELD.misconception(
    "The sizes of the kernels seem to be multiplied. That holds only for windows that do not "
    "overlap.",
    name="sizes_multiplied",
)(lambda layers: math.prod(kernel_size for kernel_size, _ in layers))

RECEPTIVE_FIELD.misconception(
    "Only the largest kernel seems to count. A kernel looks at a map, and each place of the map "
    "already sees several pixels.",
    name="largest_kernel",
)(lambda layers: max([kernel_size for kernel_size, _ in layers], default=1))

RECEPTIVE_FIELD.misconception(
    "The layers seem to be read from the output on. The list begins at the input, and a stride "
    "changes what comes after it.",
    name="read_backwards",
)(lambda layers: _receptive_field(layers[::-1]))

RECEPTIVE_FIELD.misconception(
    "The answer seems to be an area. Wanted is the side, in pixels.",
    name="area",
)(lambda layers: _receptive_field(layers) ** 2)

RECEPTIVE_FIELD.misconception(
    "The count seems to start at 0, so that one pixel is missing. With no layer at all, one output "
    "is one pixel.",
    name="starts_at_0",
)(lambda layers: _receptive_field(layers) - 1)


@RECEPTIVE_FIELD.misconception(
    "The strides seem to be added up. Pixels that are two apart, taken every second time, are four "
    "apart: steps of steps."
)
def strides_added(layers):
    side, jump = 1, 1
    for kernel_size, stride in layers:
        side += (kernel_size - 1) * jump
        jump += stride - 1
    return side


@RECEPTIVE_FIELD.misconception(
    "Only the stride of the layer just before seems to count. All the strides before it have "
    "spread the pixels already."
)
def last_stride_only(layers):
    side, jump = 1, 1
    for kernel_size, stride in layers:
        side += (kernel_size - 1) * jump
        jump = stride
    return side


@RECEPTIVE_FIELD.misconception(
    "A layer's own stride seems to spread its own kernel. The stride says how far the kernel moves "
    "afterwards; only the layers behind it feel that."
)
def own_stride_counted(layers):
    side, jump = 1, 1
    for kernel_size, stride in layers:
        jump *= stride
        side += (kernel_size - 1) * jump
    return side


@RECEPTIVE_FIELD.misconception(
    "The whole side reached so far seems to be multiplied by the stride. The stride spreads the "
    "steps between places, not what one place has already seen."
)
def side_multiplied(layers):
    side = 1
    for kernel_size, stride in layers:
        side = (side + kernel_size - 1) * stride
    return side


@RECEPTIVE_FIELD.misconception(
    "An even kernel seems to count as one pixel larger: it reaches half its size to both sides. A "
    "kernel of 2 sees 2 pixels."
)
def even_kernels_as_odd(layers):
    return _receptive_field([(2 * (size // 2) + 1, stride) for size, stride in layers])


def _peaks(maps):
    return maps.max(axis=(1, 2))


def _strongest_by(scores, count):
    return np.argsort(-scores, kind="stable")[:count]


def _strongest_images(maps, count):
    return _strongest_by(_peaks(maps), count)


def _ties_in_order(indices, maps, count):
    """Equal images in the order of their numbers; an index that occurs again becomes -1."""
    if indices.ndim != 1 or indices.dtype.kind not in "iu":
        return indices
    peaks = _peaks(maps)
    ordered, met, taken = [], set(), {}
    for index in indices.tolist():
        if index in met or not 0 <= index < len(maps):
            ordered.append(-1)
            continue
        met.add(index)
        peak = float(peaks[index])
        ordered.append(np.flatnonzero(peaks == peaks[index])[taken.get(peak, 0)])
        taken[peak] = taken.get(peak, 0) + 1
    return np.array(ordered, int)


def _strongest_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(6)
    yield np.array([[[1.0, 1.0]], [[4.0, -5.0]], [[2.0, 2.0]]]), 1
    yield np.array([[[5.0, 4.0]], [[1.0, 2.0]], [[0.0, 3.0]], [[1.0, 0.0]]]), 2
    yield -np.array([[[1.0, 2.0]], [[4.0, 0.5]], [[2.0, 2.0]], [[7.0, 0.1]]]), 3
    yield rng.normal(size=(5, 2, 3)), 5
    yield rng.normal(size=(6, 3, 2)).astype(np.float32), 4
    yield rng.permutation(9 * 12).reshape(9, 3, 4).astype(np.uint8), 3
    yield np.repeat(rng.normal(size=(4, 3, 3)), 2, axis=0), 5
    yield rng.normal(-4, 1, (7, 4, 4)), 3


STRONGEST_IMAGES = Exercise(
    "strongest_images",
    _strongest_images,
    _strongest_cases,
    Values(("indices",), kind="integers", canonical=_ties_in_order),
)

STRONGEST_IMAGES.misconception(
    "The images seem to be ordered by the mean of their map. Wanted is the one highest activation: "
    "a pattern that occurs in one place fills little of the map.",
    name="by_the_mean",
)(lambda maps, count: _strongest_by(maps.mean(axis=(1, 2)), count))

STRONGEST_IMAGES.misconception(
    "The images seem to be ordered by the largest activation without its sign. A strongly negative "
    "one says that the pattern is absent, or upside down.",
    name="by_the_absolute_value",
)(lambda maps, count: _strongest_by(np.abs(maps.astype(float)).max(axis=(1, 2)), count))

STRONGEST_IMAGES.misconception(
    "The images seem to be ordered by the sum of squares of their map. Wanted is the one highest "
    "activation.",
    name="by_the_energy",
)(lambda maps, count: _strongest_by((maps.astype(float) ** 2).sum(axis=(1, 2)), count))

STRONGEST_IMAGES.misconception(
    "The right images came, but the strongest one stands last. Wanted is the strongest first.",
    name="strongest_last",
)(lambda maps, count: _strongest_images(maps, count)[::-1])

STRONGEST_IMAGES.misconception(
    "The weakest images came out: sorting goes from small to large.",
    name="weakest_images",
)(lambda maps, count: _strongest_by(-_peaks(maps).astype(float), count))

STRONGEST_IMAGES.misconception(
    "Activations came out. Wanted are the numbers of the images that have them.",
    name="activations",
)(lambda maps, count: _peaks(maps)[_strongest_images(maps, count)])

STRONGEST_IMAGES.misconception(
    "Maps came out. Wanted are the numbers of the images that they belong to.",
    name="maps",
)(lambda maps, count: maps[_strongest_images(maps, count)])

STRONGEST_IMAGES.misconception(
    "The numbers seem to count places in all maps laid end to end. Wanted are numbers of images: "
    "which of them holds the place?",
    name="places_end_to_end",
)(lambda maps, count: _strongest_by(maps.reshape(-1).astype(float), count))

STRONGEST_IMAGES.misconception(
    "The strongest places seem to be looked up, and an image with two of them comes twice. Each "
    "image is wanted once, with its highest activation.",
    name="an_image_twice",
)(lambda maps, count: _strongest_by(maps.reshape(-1).astype(float), count) // maps[0].size)

STRONGEST_IMAGES.misconception(
    "All images came out, in order. Wanted are only the first `count` of them.",
    name="count_ignored",
)(lambda maps, count: _strongest_images(maps, len(maps)))

STRONGEST_IMAGES.misconception(
    "Activations below 0 seem to be taken for 0, so that images with negative maps cannot be told "
    "apart. A search for the highest value must not start at 0.",
    name="search_starts_at_0",
)(lambda maps, count: _strongest_by(np.maximum(_peaks(maps).astype(float), 0), count))


EXERCISES = (RELU, RECEPTIVE_FIELD, STRONGEST_IMAGES)
