"""How fast the reference convolution is, beside a plain loop and beside Keras.

Every convolution of both networks at 28×28 pixels and batch 32, forward and backward. Nothing
here asserts a time; ``make bench`` runs it through ``ops_speed.py``, which records the ratios.
The loop is timed on one image, because a batch of 32 would take it minutes; its time times 32
is what the table compares.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from convolutions import BATCH, CONVOLUTIONS

from cnncourse import ops
from cnncourse.tolerances import close

by_convolution = pytest.mark.parametrize("convolution", CONVOLUTIONS, ids=str)


def loop_forward(inputs, kernel, bias, stride):
    """One output at a time, as the second lesson begins; ``inputs`` come padded."""
    height, width, _, filters = kernel.shape
    rows, columns = ((size - height) // stride + 1 for size in inputs.shape[1:3])
    outputs = np.empty((len(inputs), rows, columns, filters), inputs.dtype)
    for n, y, x, o in np.ndindex(outputs.shape):
        top, left = y * stride, x * stride
        patch = inputs[n, top : top + height, left : left + width]
        outputs[n, y, x, o] = (patch * kernel[..., o]).sum() + bias[o]
    return outputs


def loop_backward(grad_output, inputs, kernel, stride):
    """The gradients one output at a time; ``inputs`` come padded."""
    height, width, _, filters = kernel.shape
    grad_inputs, grad_kernel = np.zeros_like(inputs), np.zeros_like(kernel)
    grad_bias = np.zeros(filters, inputs.dtype)
    for n, y, x, o in np.ndindex(grad_output.shape):
        window = n, slice(y * stride, y * stride + height), slice(x * stride, x * stride + width)
        grad_kernel[..., o] += grad_output[n, y, x, o] * inputs[window]
        grad_inputs[window] += grad_output[n, y, x, o] * kernel[..., o]
        grad_bias[o] += grad_output[n, y, x, o]
    return grad_inputs, grad_kernel, grad_bias


@tf.function
def keras_forward(inputs, kernel, bias, stride):
    return keras.ops.conv(inputs, kernel, strides=stride, padding="same") + bias


@tf.function
def keras_backward(grad_output, inputs, kernel, bias, stride):
    with tf.GradientTape() as tape:
        tape.watch([inputs, kernel, bias])
        outputs = keras_forward(inputs, kernel, bias, stride)
    return tape.gradient(outputs, [inputs, kernel, bias], output_gradients=grad_output)


class Work:
    """One convolution's arrays, as each contender wants them, and the right answers."""

    def __init__(self, convolution):
        side, channels_in, channels_out, kernel_size, self.stride = convolution
        rng = np.random.default_rng(0)
        shape = kernel_size, kernel_size, channels_in, channels_out
        self.inputs = rng.normal(size=(BATCH, side, side, channels_in)).astype("float32")
        self.kernel = rng.normal(size=shape).astype("float32")
        self.bias = rng.normal(size=channels_out).astype("float32")
        self.options = {"strides": self.stride, "padding": "same"}
        self.outputs = ops.conv2d(self.inputs, self.kernel, self.bias, **self.options)
        self.grad_output = rng.normal(size=self.outputs.shape).astype("float32")
        edges = ops.same_padding(side, kernel_size, self.stride)
        self.cut = slice(None), *[slice(edges[0], edges[0] + side)] * 2
        self.one_padded = np.pad(self.inputs[:1], ((0, 0), edges, edges, (0, 0)))

    def tensors(self, *names):
        return [tf.constant(getattr(self, name)) for name in names]


def assert_agree(ours, theirs):
    for our, their in zip(ours, theirs, strict=True):
        their = np.asarray(their)
        assert close(our, their, terms=BATCH * 28 * 28)


def measure(benchmark, convolution, contender, direction, rounds, function):
    benchmark.group = f"{convolution} {direction}"
    benchmark.extra_info.update(
        convolution=str(convolution), contender=contender, direction=direction, batch=BATCH
    )
    return benchmark.pedantic(function, rounds=rounds, warmup_rounds=min(3, rounds - 1))


@by_convolution
def test_forward_ops(benchmark, convolution):
    work = Work(convolution)
    measure(
        benchmark,
        convolution,
        "ops",
        "forward",
        30,
        lambda: ops.conv2d(work.inputs, work.kernel, work.bias, **work.options),
    )


@by_convolution
def test_forward_keras(benchmark, convolution):
    work = Work(convolution)
    tensors = work.tensors("inputs", "kernel", "bias")
    outputs = measure(
        benchmark,
        convolution,
        "keras",
        "forward",
        30,
        lambda: keras_forward(*tensors, work.stride).numpy(),
    )
    assert_agree([work.outputs], [outputs])


@by_convolution
def test_forward_loop(benchmark, convolution):
    work = Work(convolution)
    outputs = measure(
        benchmark,
        convolution,
        "loop",
        "forward",
        3,
        lambda: loop_forward(work.one_padded, work.kernel, work.bias, work.stride),
    )
    assert_agree([work.outputs[:1]], [outputs])


@by_convolution
def test_backward_ops(benchmark, convolution):
    work = Work(convolution)
    measure(
        benchmark,
        convolution,
        "ops",
        "backward",
        30,
        lambda: ops.conv2d_backward(work.grad_output, work.inputs, work.kernel, **work.options),
    )


@by_convolution
def test_backward_keras(benchmark, convolution):
    work = Work(convolution)
    tensors = work.tensors("grad_output", "inputs", "kernel", "bias")
    grads = measure(
        benchmark,
        convolution,
        "keras",
        "backward",
        30,
        lambda: [grad.numpy() for grad in keras_backward(*tensors, work.stride)],
    )
    ours = ops.conv2d_backward(work.grad_output, work.inputs, work.kernel, **work.options)
    assert_agree(ours, grads)


@by_convolution
def test_backward_loop(benchmark, convolution):
    work = Work(convolution)
    grads = measure(
        benchmark,
        convolution,
        "loop",
        "backward",
        3,
        lambda: loop_backward(work.grad_output[:1], work.one_padded, work.kernel, work.stride),
    )
    ours = ops.conv2d_backward(work.grad_output[:1], work.inputs[:1], work.kernel, **work.options)
    assert_agree(ours, [grads[0][work.cut], *grads[1:]])
