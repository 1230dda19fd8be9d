"""Answers to the exercises, right and wrong, written before any bank of misconceptions existed.

They measure how well the checks judge code that they were not tuned on; ``score.py`` counts.
Nothing here may be changed to please a check: an answer that is misjudged is a finding.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Answer(NamedTuple):
    """One answer: the exercise, whether it is right, and the function."""

    exercise: str
    right: bool
    function: Callable


ANSWERS: list[Answer] = []


def _answer(exercise: str, *, right: bool) -> Callable[[Callable], Callable]:
    def register(function: Callable) -> Callable:
        ANSWERS.append(Answer(exercise, right, function))
        return function

    return register


# Lesson 01


@_answer("standardize", right=True)
def scaled_with_one_formula(a, b):
    a = np.asarray(a, "float64")
    centre, spread = a.mean(), np.sqrt(((a - a.mean()) ** 2).mean())
    return [((x - centre) / spread).astype(np.float32) for x in (a, np.asarray(b, "float64"))]


@_answer("standardize", right=False)
def each_with_its_own_statistics(train_images, test_images):
    def scale(images):
        return ((images - images.mean()) / images.std()).astype(np.float32)

    return scale(train_images), scale(test_images)


@_answer("nearest_mean", right=True)
def nearest_by_broadcasting(train_images, train_labels, images, num_classes):
    flat = train_images.reshape(len(train_images), -1).astype(float)
    means = np.stack([flat[train_labels == c].mean(0) for c in range(num_classes)])
    queries = images.reshape(len(images), -1).astype(float)
    return np.argmin(((queries[:, None] - means[None]) ** 2).sum(-1), axis=1)


@_answer("nearest_mean", right=False)
def nearest_single_image(train_images, train_labels, images, num_classes):
    found = []
    for image in images:
        gaps = [np.linalg.norm(image.astype(float) - other) for other in train_images]
        found.append(train_labels[int(np.argmin(gaps))])
    return np.array(found)


# Lesson 02


@_answer("correlate2d", right=True)
def correlate_shift_and_add(image, kernel):
    kh, kw = kernel.shape
    h, w = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    total = np.zeros((h, w))
    for i, j in np.ndindex(kh, kw):
        total = total + float(kernel[i, j]) * image[i : i + h, j : j + w]
    return total


@_answer("correlate2d", right=False)
def correlate_one_row_short(image, kernel):
    kh, kw = kernel.shape
    out = np.zeros((image.shape[0] - kh, image.shape[1] - kw))
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            out[r, c] = np.sum(image[r : r + kh, c : c + kw] * kernel)
    return out


@_answer("same_padding", right=True)
def padding_from_remainder(size, kernel_size, stride):
    rest = size % stride
    total = kernel_size - stride if rest == 0 else kernel_size - rest
    total = max(total, 0)
    return total // 2, total - total // 2


@_answer("same_padding", right=False)
def padding_that_ignores_the_stride(size, kernel_size, stride):
    p = kernel_size - 1
    return p // 2, p - p // 2


@_answer("output_size", right=True)
def output_size_by_counting(size, kernel_size, stride, padding):
    if padding == "same":
        return len(range(0, size, stride))
    return len(range(0, size - kernel_size + 1, stride))


@_answer("output_size", right=False)
def output_size_with_division(size, kernel_size, stride, padding):
    if padding == "valid":
        return (size - kernel_size) // stride + 1
    else:
        return size // stride


@_answer("conv2d", right=True)
def conv2d_einsum(inputs, kernel, bias):
    windows = np.lib.stride_tricks.sliding_window_view(inputs, kernel.shape[:2], axis=(1, 2))
    return np.einsum("bhwcij,ijcf->bhwf", windows.astype(kernel.dtype), kernel) + bias


@_answer("conv2d", right=False)
def conv2d_without_bias(inputs, kernel, bias):
    kh, kw, _, filters = kernel.shape
    n, h, w, _ = inputs.shape
    out = np.empty((n, h - kh + 1, w - kw + 1, filters))
    for y in range(h - kh + 1):
        for x in range(w - kw + 1):
            patch = inputs[:, y : y + kh, x : x + kw, :].reshape(n, -1)
            out[:, y, x] = patch @ kernel.reshape(-1, filters)
    return out


# Lesson 03


@_answer("relu", right=True)
def relu_where(inputs):
    return np.where(np.asarray(inputs) > 0, inputs, 0)


@_answer("relu", right=False)
def relu_in_place(inputs):
    inputs[inputs < 0] = 0
    return inputs


@_answer("receptive_field", right=True)
def receptive_field_from_the_output(layers):
    side = 1
    for kernel_size, stride in layers[::-1]:
        side = (side - 1) * stride + kernel_size
    return side


@_answer("receptive_field", right=False)
def receptive_field_of_stride_one(layers):
    return 1 + sum(k - 1 for k, _ in layers)


@_answer("strongest_images", right=True)
def strongest_by_sorting_pairs(maps, count):
    peaks = [(float(np.max(m)), i) for i, m in enumerate(maps)]
    peaks.sort(reverse=True)
    return [i for _, i in peaks[:count]]


@_answer("strongest_images", right=False)
def strongest_by_mean(maps, count):
    order = np.argsort(maps.mean(axis=(1, 2)))
    return order[::-1][:count]


# Lesson 04


@_answer("batch_norm_train", right=True)
def batch_norm_flattened(inputs, gamma, beta, epsilon):
    rows = inputs.reshape(-1, inputs.shape[-1])
    m = rows.sum(0) / len(rows)
    v = ((rows - m) ** 2).sum(0) / len(rows)
    return (inputs - m) * (gamma / np.sqrt(v + epsilon)) + beta, m, v


@_answer("batch_norm_train", right=False)
def batch_norm_per_image(inputs, gamma, beta, epsilon):
    mean = inputs.mean(axis=(1, 2), keepdims=True)
    var = inputs.var(axis=(1, 2), keepdims=True)
    return gamma * (inputs - mean) / np.sqrt(var + epsilon) + beta, mean, var


@_answer("update_moving", right=True)
def moving_by_step(moving, batch_value, momentum):
    return moving + (1 - momentum) * (batch_value - moving)


@_answer("update_moving", right=False)
def moving_the_pytorch_way(moving, batch_value, momentum):
    return (1 - momentum) * moving + momentum * batch_value


@_answer("batch_norm_inference", right=True)
def inference_as_scale_and_shift(inputs, gamma, beta, moving_mean, moving_variance, epsilon):
    scale = gamma * (moving_variance + epsilon) ** -0.5
    return inputs * scale + (beta - moving_mean * scale)


@_answer("batch_norm_inference", right=False)
def inference_divides_by_variance(inputs, gamma, beta, moving_mean, moving_variance, epsilon):
    return gamma * (inputs - moving_mean) / (moving_variance + epsilon) + beta


@_answer("fold_batch_norm", right=True)
def fold_filter_by_filter(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon):
    new_kernel, new_bias = kernel.astype(float), np.array(bias, dtype=float)
    for f in range(kernel.shape[3]):
        s = gamma[f] / math.sqrt(moving_variance[f] + epsilon)
        new_kernel[..., f] *= s
        new_bias[f] = (bias[f] - moving_mean[f]) * s + beta[f]
    return new_kernel, new_bias


@_answer("fold_batch_norm", right=False)
def fold_with_unscaled_bias(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon):
    scale = gamma / np.sqrt(moving_variance + epsilon)
    return kernel * scale, bias + beta - moving_mean * scale


# Lesson 05


@_answer("average_pool2d", right=True)
def average_pool_window_by_window(inputs, pool_size, padding):
    n, h, w, c = inputs.shape
    p = pool_size
    if padding == "same":
        rows, cols = -(-h // p), -(-w // p)
        top, left = (rows * p - h) // 2, (cols * p - w) // 2
    else:
        rows, cols, top, left = h // p, w // p, 0, 0
    out = np.zeros((n, rows, cols, c))
    for r, s in itertools.product(range(rows), range(cols)):
        y, x = r * p - top, s * p - left
        out[:, r, s] = inputs[:, max(y, 0) : y + p, max(x, 0) : x + p].mean(axis=(1, 2))
    return out


@_answer("average_pool2d", right=False)
def average_pool_counts_zeros(inputs, pool_size, padding):
    n, h, w, c = inputs.shape
    p = pool_size
    if padding == "same":
        down, right = -h % p, -w % p
        inputs = np.pad(
            inputs,
            [(0, 0), (down // 2, down - down // 2), (right // 2, right - right // 2), (0, 0)],
        )
    else:
        inputs = inputs[:, : h // p * p, : w // p * p]
    n, h, w, c = inputs.shape
    return inputs.reshape(n, h // p, p, w // p, p, c).mean(axis=(2, 4))


@_answer("max_pool2d", right=True)
def max_pool_with_keras(inputs, pool_size, padding):
    import keras

    return keras.ops.max_pool(np.asarray(inputs, "float32"), pool_size, padding=padding)


@_answer("max_pool2d", right=False)
def max_pool_with_zero_padding(inputs, pool_size, padding):
    if padding == "same":
        down, right = -inputs.shape[1] % pool_size, -inputs.shape[2] % pool_size
        inputs = np.pad(
            inputs,
            [(0, 0), (down // 2, down - down // 2), (right // 2, right - right // 2), (0, 0)],
        )
    views = np.lib.stride_tricks.sliding_window_view(inputs, (pool_size, pool_size), (1, 2))
    return views[:, ::pool_size, ::pool_size].max(axis=(-1, -2))


@_answer("global_average_pool2d", right=True)
def global_average_by_two_sums(inputs):
    return np.sum(np.sum(inputs, axis=1, dtype=float), axis=1) / (inputs.shape[1] * inputs.shape[2])


@_answer("global_average_pool2d", right=False)
def global_average_over_everything_else(inputs):
    return inputs.mean(axis=(0, 1, 2))


@_answer("dropout", right=True)
def dropout_with_where(inputs, rate, keep_mask, training):
    if not training:
        return inputs
    return np.where(keep_mask, inputs, 0) / (1.0 - rate)


@_answer("dropout", right=False)
def dropout_divides_by_rate(inputs, rate, keep_mask, training):
    if training and rate > 0:
        return inputs * keep_mask / rate
    return inputs


# Lesson 06


@_answer("conv2d_backward", right=True)
def conv_backward_scatter(grad_outputs, inputs, kernel, stride):
    grad_inputs = np.zeros(inputs.shape)
    grad_kernel = np.zeros(kernel.shape)
    kh, kw = kernel.shape[:2]
    for y in range(grad_outputs.shape[1]):
        for x in range(grad_outputs.shape[2]):
            here = (slice(None), slice(y * stride, y * stride + kh))
            here = (*here, slice(x * stride, x * stride + kw))
            g = grad_outputs[:, y, x]
            grad_inputs[here] += np.tensordot(g, kernel, axes=(1, 3))
            grad_kernel += np.tensordot(inputs[here], g, axes=(0, 0))
    return grad_inputs, grad_kernel, grad_outputs.sum(axis=(0, 1, 2))


@_answer("conv2d_backward", right=False)
def conv_backward_mean_over_batch(grad_outputs, inputs, kernel, stride):
    grad_inputs, grad_kernel, grad_bias = conv_backward_scatter(
        grad_outputs, inputs, kernel, stride
    )
    n = len(inputs)
    return grad_inputs, grad_kernel / n, grad_bias / n


@_answer("average_pool2d_backward", right=True)
def pool_backward_with_repeat(grad_outputs, inputs_shape, pool_size):
    spread = grad_outputs.repeat(pool_size, axis=1).repeat(pool_size, axis=2) / pool_size**2
    missing = [(0, want - have) for want, have in zip(inputs_shape, spread.shape, strict=True)]
    return np.pad(spread, missing)


@_answer("average_pool2d_backward", right=False)
def pool_backward_without_sharing(grad_outputs, inputs_shape, pool_size):
    grad = np.zeros(inputs_shape)
    for i in range(grad_outputs.shape[1]):
        for j in range(grad_outputs.shape[2]):
            y, x = i * pool_size, j * pool_size
            grad[:, y : y + pool_size, x : x + pool_size] = grad_outputs[:, i : i + 1, j : j + 1]
    return grad


@_answer("batch_norm_backward", right=True)
def batch_norm_backward_step_by_step(grad_outputs, inputs, gamma, epsilon):
    axes = (0, 1, 2)
    m = inputs.size // inputs.shape[-1]
    centred = inputs - inputs.mean(axes)
    istd = 1 / np.sqrt((centred**2).mean(axes) + epsilon)
    d_normal = grad_outputs * gamma
    d_var = (d_normal * centred).sum(axes) * -0.5 * istd**3
    d_mean = -(d_normal * istd).sum(axes) - 2 * d_var * centred.mean(axes)
    d_inputs = d_normal * istd + d_var * 2 * centred / m + d_mean / m
    return d_inputs, (grad_outputs * centred * istd).sum(axes), grad_outputs.sum(axes)


@_answer("batch_norm_backward", right=False)
def batch_norm_backward_fixed_moments(grad_outputs, inputs, gamma, epsilon):
    mean, var = inputs.mean(axis=(0, 1, 2)), inputs.var(axis=(0, 1, 2))
    normal = (inputs - mean) / np.sqrt(var + epsilon)
    return (
        grad_outputs * gamma / np.sqrt(var + epsilon),
        (grad_outputs * normal).sum(axis=(0, 1, 2)),
        grad_outputs.sum(axis=(0, 1, 2)),
    )


# Lessons 08 and 09


def _simple_cnn(input_shape, num_classes, *, drop=0.5, relu_twice=False):
    import keras
    from keras import layers

    x = first = keras.Input(input_shape)
    for i, (f, k) in enumerate(((16, 7), (32, 5), (64, 3), (128, 3))):
        x = layers.Conv2D(f, (k, k), padding="same", name="image_array" if i == 0 else None)(x)
        x = layers.BatchNormalization()(x)
        if relu_twice:
            x = layers.Activation("relu")(x)
        x = layers.Conv2D(f, (k, k), padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        x = layers.AveragePooling2D((2, 2), padding="same")(x)
        x = layers.Dropout(drop)(x)
    x = layers.Conv2D(256, 3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(num_classes, 3, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(first, layers.Softmax(name="predictions")(x))


@_answer("build_simple_cnn", right=True)
def simple_cnn_functional(input_shape, num_classes):
    model = _simple_cnn(input_shape, num_classes)
    model.compile("adam", "categorical_crossentropy")
    return model


@_answer("build_simple_cnn", right=False)
def simple_cnn_with_a_relu_after_every_convolution(input_shape, num_classes):
    return _simple_cnn(input_shape, num_classes, relu_twice=True)


def _simpler_cnn(input_shape, num_classes, last_stride):
    from keras import Input, Sequential
    from keras.layers import Activation, BatchNormalization, Conv2D, Dropout, Flatten

    net = Sequential()
    net.add(Input(shape=input_shape))
    net.add(Conv2D(16, 5, padding="same", name="image_array"))
    for before, after in (
        ((), (16, 5)),
        ((32, 5), (32, 5)),
        ((64, 3), (64, 3)),
        ((64, 1), (128, 3)),
    ):
        if before:
            net.add(Conv2D(before[0], before[1], padding="same"))
        net.add(BatchNormalization())
        net.add(Conv2D(after[0], after[1], strides=2, padding="same"))
        net.add(BatchNormalization())
        net.add(Activation("relu"))
        net.add(Dropout(0.25))
    net.add(Conv2D(256, 1))
    net.add(BatchNormalization())
    net.add(Conv2D(128, 3, strides=2, padding="same"))
    net.add(Conv2D(256, 1))
    net.add(Conv2D(num_classes, 3, strides=last_stride, padding="same"))
    net.add(Flatten())
    net.add(Activation("softmax", name="predictions"))
    return net


@_answer("build_simpler_cnn", right=True)
def simpler_cnn_sequential(input_shape, num_classes):
    """The 1×1 convolutions say nothing of padding: at that size it changes nothing."""
    return _simpler_cnn(input_shape, num_classes, 2)


@_answer("build_simpler_cnn", right=False)
def simpler_cnn_without_the_last_stride(input_shape, num_classes):
    return _simpler_cnn(input_shape, num_classes, 1)


@_answer("head_outputs", right=True)
def head_outputs_by_ceiling(input_size, halvings, num_classes):
    return math.ceil(input_size / 2**halvings) ** 2 * num_classes


@_answer("head_outputs", right=False)
def head_outputs_by_floor(input_size, halvings, num_classes):
    for _ in range(halvings):
        input_size //= 2
    return input_size * input_size * num_classes
