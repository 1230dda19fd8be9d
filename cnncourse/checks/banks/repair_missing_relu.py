"""``repair_missing_relu`` of lesson 13, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse import ops
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values

# --- missing ReLU ------------------------------------------------------------------------------


def _repair_missing_relu(inputs, kernels):
    outputs = inputs
    for kernel in kernels[:-1]:
        outputs = ops.relu(ops.conv2d(outputs, kernel))
    return ops.conv2d(outputs, kernels[-1])


def _relu_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(13)
    signed = np.array([[-1.0, 2.0], [3.0, -4.0]]).reshape(1, 2, 2, 1)
    yield signed, [np.full((1, 1, 1, 1), 2.0), np.full((1, 1, 1, 1), -1.0)]
    yield signed, [np.full((1, 1, 1, 1), -3.0)]
    twice = np.full((1, 1, 1, 1), -1.0)
    yield signed, [twice, twice]
    for shapes in (((2, 2, 1, 2), (2, 2, 2, 1)), ((3, 3, 1, 2), (1, 1, 2, 3), (2, 2, 3, 2))):
        yield rng.normal(size=(2, 6, 6, 1)), [rng.normal(size=shape) for shape in shapes]
    row = np.array([0.0, -2.0, 3.0], np.float32)
    for shape in ((1, 1, 3, 1), (1, 3, 1, 1)):
        kernels = [np.full((1, 1, 1, 2), 2.0), np.full((1, 1, 2, 1), -1.0)]
        yield row.reshape(shape), [kernel.astype(np.float32) for kernel in kernels]
    for sides in ((3, 5), (5, 4)):
        shapes = ((2, 2, 3, 2), (1, 1, 2, 2))
        yield rng.normal(size=(2, *sides, 3)), [rng.normal(size=shape) for shape in shapes]


BANK = Bank(
    "repair_missing_relu",
    "13",
    _repair_missing_relu,
    _relu_cases,
    Values(),
    axes={"inputs": "bhwc", "answer": "bhwf"},
)
BANK.help(
    idea=("Without something that is not affine in between, any number of convolutions is one."),
    section="Patient 1:",
    step=(
        "Which convolutions are followed by a ReLU, and which one gives the scores? Treat the "
        "last kernel apart."
    ),
)


def _chain(inputs, kernels, between, last=lambda outputs: outputs):
    for kernel in kernels[:-1]:
        inputs = between(ops.conv2d(inputs, kernel))
    return last(ops.conv2d(inputs, kernels[-1]))


@BANK.mistake(
    "This is still the patient: no ReLU anywhere, so that the whole chain is one affine map."
)
def no_relu(inputs, kernels):
    return _chain(inputs, kernels, lambda outputs: outputs)


@BANK.mistake(
    "There seems to be a ReLU behind the last convolution too. Its outputs are the scores, and a "
    "score may be negative."
)
def relu_behind_the_last_too(inputs, kernels):
    return _chain(inputs, kernels, ops.relu, ops.relu)


@BANK.mistake(
    "The only ReLU seems to stand behind the last convolution. The convolutions before it are "
    "still one affine map."
)
def relu_behind_the_last_alone(inputs, kernels):
    return _chain(inputs, kernels, lambda outputs: outputs, ops.relu)


@BANK.mistake(
    "ReLU seems to be put on the inputs of the chain. It belongs on what a convolution gives."
)
def relu_on_the_inputs(inputs, kernels):
    return _chain(ops.relu(np.asarray(inputs)), kernels, lambda outputs: outputs)


@BANK.mistake(
    "The absolute value stands where ReLU belongs. ReLU makes a negative number 0; it does not "
    "turn its sign."
)
def absolute_value(inputs, kernels):
    return _chain(inputs, kernels, np.abs)


@BANK.mistake(
    "ReLU seems to be put on the kernels. Weights may be negative; activations are what it acts on."
)
def relu_on_the_kernels(inputs, kernels):
    return _chain(inputs, [ops.relu(kernel) for kernel in kernels], lambda outputs: outputs)


@BANK.mistake(
    "The ReLU seems to stop one convolution too early: the one behind the last but one is missing, "
    "and two convolutions without a ReLU between them are one."
)
def relu_stops_too_early(inputs, kernels):
    for number, kernel in enumerate(kernels):
        inputs = ops.conv2d(inputs, kernel)
        if number < len(kernels) - 2:
            inputs = ops.relu(inputs)
    return inputs
