"""Right answers of other hands: each reference, the blind ones, and these, in both precisions."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from fractions import Fraction

import blind_answers
import keras
import numpy as np
import pytest
from blind_labels import is_right
from keras import layers

from cnncourse import models
from cnncourse.checks import EXERCISES, diagnose

RIGHT = defaultdict(list)


def _right(exercise):
    def register(function):
        RIGHT[exercise].append(function)
        return function

    return register


def _numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


@_right("standardize")
def standardize_with_statistics_by_sums(train_images, test_images):
    values = [float(value) for value in np.ravel(train_images)]
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
    return (
        np.float32((np.asarray(train_images, float) - mean) / deviation),
        np.float32((np.asarray(test_images, float) - mean) / deviation),
    )


@_right("nearest_mean")
def nearest_mean_by_loops(train_images, train_labels, images, num_classes):
    answer = []
    for image in images:
        gaps = []
        for label in range(num_classes):
            members = [
                i for i, other in zip(train_images, train_labels, strict=True) if other == label
            ]
            gaps.append(np.linalg.norm(np.mean(members, axis=0) - image.astype(float)))
        answer.append(gaps.index(min(gaps)))
    return answer


@_right("correlate2d")
def correlate2d_by_loops(image, kernel):
    rows = image.shape[0] - kernel.shape[0] + 1
    columns = image.shape[1] - kernel.shape[1] + 1
    return [
        [
            sum(
                float(image[y + i, x + j]) * float(kernel[i, j])
                for i in range(kernel.shape[0])
                for j in range(kernel.shape[1])
            )
            for x in range(columns)
        ]
        for y in range(rows)
    ]


@_right("same_padding")
def same_padding_from_the_last_window(size, kernel_size, stride):
    windows = math.ceil(size / stride)
    reach = (windows - 1) * stride + kernel_size
    missing = reach - size if reach > size else 0
    return [missing // 2, missing - missing // 2]


@_right("output_size")
def output_size_with_ceil(size, kernel_size, stride, padding):
    places = size if padding == "same" else size - kernel_size + 1
    return math.ceil(Fraction(places, stride))


@_right("conv2d")
def conv2d_by_keras(inputs, kernel, bias):
    outputs = keras.ops.conv(np.asarray(inputs, kernel.dtype), kernel, padding="valid")
    return _numpy(outputs) + bias


@_right("relu")
def relu_by_loops(inputs):
    flat = [value if value > 0 else 0 for value in np.ravel(inputs)]
    return np.reshape(flat, np.shape(inputs))


@_right("receptive_field")
def receptive_field_forward(layers):
    field, jump = 1, 1
    for kernel_size, stride in layers:
        field += (kernel_size - 1) * jump
        jump *= stride
    return field


@_right("strongest_images")
def strongest_images_by_argsort(maps, count):
    return np.argsort(-maps.reshape(len(maps), -1).max(axis=1).astype(float))[:count]


@_right("batch_norm_train")
def batch_norm_train_by_keras(inputs, gamma, beta, epsilon):
    inputs = np.asarray(inputs, np.float64)
    mean, variance = map(_numpy, keras.ops.moments(inputs, axes=[0, 1, 2]))
    outputs = keras.ops.batch_normalization(
        inputs, mean, variance, axis=-1, offset=np.float64(beta), scale=np.float64(gamma),
        epsilon=epsilon,
    )  # fmt: skip
    return _numpy(outputs), mean, variance


@_right("update_moving")
def update_moving_as_a_weighted_sum(moving, batch_value, momentum):
    return np.dot([momentum, 1 - momentum], np.stack([moving, batch_value]))


@_right("batch_norm_inference")
def batch_norm_inference_channel_by_channel(
    inputs, gamma, beta, moving_mean, moving_variance, epsilon
):
    outputs = np.empty(inputs.shape)
    for c in range(inputs.shape[-1]):
        centred = inputs[..., c].astype(float) - moving_mean[c]
        outputs[..., c] = gamma[c] * centred / math.sqrt(moving_variance[c] + epsilon) + beta[c]
    return outputs


@_right("fold_batch_norm")
def fold_batch_norm_in_one_line(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon):
    factor = gamma / np.sqrt(moving_variance + epsilon)
    return kernel * factor, beta + (bias - moving_mean) * factor


@_right("average_pool2d")
def average_pool2d_by_keras(inputs, pool_size, padding):
    return _numpy(keras.ops.average_pool(np.asarray(inputs, float), pool_size, padding=padding))


@_right("max_pool2d")
def max_pool2d_by_loops(inputs, pool_size, padding):
    batch, height, width, channels = inputs.shape
    before = {"valid": (0, 0), "same": tuple((-side % pool_size) // 2 for side in (height, width))}
    top, left = before[padding]
    count = math.floor if padding == "valid" else math.ceil
    rows, columns = count(height / pool_size), count(width / pool_size)
    outputs = np.empty((batch, rows, columns, channels))
    for y in range(rows):
        for x in range(columns):
            y0, x0 = y * pool_size - top, x * pool_size - left
            window = inputs[:, max(y0, 0) : y0 + pool_size, max(x0, 0) : x0 + pool_size]
            outputs[:, y, x] = window.max(axis=(1, 2))
    return outputs


@_right("global_average_pool2d")
def global_average_pool2d_by_einsum(inputs):
    return np.einsum("nhwc->nc", inputs.astype(float)) / (inputs.shape[1] * inputs.shape[2])


@_right("dropout")
def dropout_by_multiplying(inputs, rate, keep_mask, training):
    if training:
        return inputs * keep_mask / (1 - rate)
    return inputs.copy()


@_right("conv2d_backward")
def conv2d_backward_by_loops(grad_outputs, inputs, kernel, stride):
    grad_inputs, grad_kernel = np.zeros(inputs.shape), np.zeros(kernel.shape)
    for n, y, x, o in np.ndindex(grad_outputs.shape):
        rows = slice(y * stride, y * stride + kernel.shape[0])
        columns = slice(x * stride, x * stride + kernel.shape[1])
        grad_inputs[n, rows, columns] += grad_outputs[n, y, x, o] * kernel[..., o]
        grad_kernel[..., o] += grad_outputs[n, y, x, o] * inputs[n, rows, columns]
    return grad_inputs, grad_kernel, grad_outputs.sum(axis=(0, 1, 2))


@_right("average_pool2d_backward")
def average_pool2d_backward_by_loops(grad_outputs, inputs_shape, pool_size):
    grad_inputs = np.zeros(inputs_shape)
    for y in range(grad_outputs.shape[1]):
        for x in range(grad_outputs.shape[2]):
            rows = slice(y * pool_size, (y + 1) * pool_size)
            columns = slice(x * pool_size, (x + 1) * pool_size)
            share = grad_outputs[:, y : y + 1, x : x + 1] / pool_size**2
            grad_inputs[:, rows, columns] = share
    return grad_inputs


@_right("batch_norm_backward")
def batch_norm_backward_closed_form(grad_outputs, inputs, gamma, epsilon):
    axes = (0, 1, 2)
    count = inputs[..., 0].size
    deviation = np.sqrt(inputs.var(axis=axes, dtype=float) + epsilon)
    normalized = (inputs - inputs.mean(axis=axes, dtype=float)) / deviation
    grad_beta = grad_outputs.sum(axis=axes, dtype=float)
    grad_gamma = (grad_outputs * normalized).sum(axis=axes)
    centred = grad_outputs - grad_beta / count - normalized * grad_gamma / count
    return gamma / deviation * centred, grad_gamma, grad_beta


@_right("build_simple_cnn")
def build_simple_cnn_of_the_package(input_shape, num_classes):
    return models.simple_CNN(input_shape, num_classes)


@_right("build_simpler_cnn")
def build_simpler_cnn_of_the_package(input_shape, num_classes):
    return models.simpler_CNN(input_shape, num_classes)


@_right("build_simpler_cnn")
def build_simpler_cnn_the_functional_way(input_shape, num_classes):
    image = maps = keras.Input(input_shape)
    plan = [(16, 5, 1), (16, 5, 2), (32, 5, 1), (32, 5, 2), (64, 3, 1), (64, 3, 2), (64, 1, 1)]
    for number, (filters, side, stride) in enumerate([*plan, (128, 3, 2)]):
        name = None if number else "image_array"
        maps = layers.Conv2D(filters, side, strides=stride, padding="SAME", name=name)(maps)
        maps = layers.BatchNormalization(axis=3)(maps)
        if number % 2:
            maps = layers.Dropout(0.25)(layers.ReLU()(maps))
    maps = layers.BatchNormalization()(layers.Conv2D(256, (1, 1))(maps))
    maps = layers.Conv2D(128, 3, strides=2, padding="same")(maps)
    maps = layers.BatchNormalization()(layers.Conv2D(256, 1, padding="same")(maps))
    maps = layers.Conv2D(num_classes, 3, strides=2, padding="same")(maps)
    model = keras.Model(image, layers.Softmax(name="predictions")(layers.Flatten()(maps)))
    model.compile(optimizer="adam", loss="categorical_crossentropy")
    return model


@_right("build_simpler_cnn")
def build_simpler_cnn_with_silent_padding_at_one_pixel(input_shape, num_classes):
    """A kernel of one pixel gives the same maps whatever the padding."""
    net = keras.Sequential([keras.Input(input_shape)])
    for filters, side in ((16, 5), (32, 5), (64, 3)):
        first = "image_array" if filters == 16 else None
        net.add(layers.Conv2D(filters, side, padding="same", name=first))
        net.add(layers.BatchNormalization())
        net.add(layers.Conv2D(filters, side, strides=2, padding="same"))
        net.add(layers.BatchNormalization())
        net.add(layers.Activation("relu"))
        net.add(layers.Dropout(0.25))
    for filters, strided in ((64, 128), (256, 128), (256, num_classes)):
        net.add(layers.Conv2D(filters, 1))
        net.add(layers.BatchNormalization())
        net.add(layers.Conv2D(strided, 3, strides=2, padding="same"))
        if filters == 64:
            net.add(layers.BatchNormalization())
            net.add(layers.ReLU())
            net.add(layers.Dropout(0.25))
    net.add(layers.Flatten())
    net.add(layers.Activation("softmax", name="predictions"))
    return net


@_right("head_outputs")
def head_outputs_by_halving(input_size, halvings, num_classes):
    for _ in range(halvings):
        input_size = input_size // 2 + input_size % 2
    return input_size * input_size * num_classes


@_right("head_outputs")
def head_outputs_by_one_division(input_size, halvings, num_classes):
    return np.int64(math.ceil(input_size / 2**halvings) ** 2 * num_classes)


@_right("occlusion_map")
def occlusion_map_in_one_batch(predict, image, patch_size, fill):
    rows, columns = image.shape[0] // patch_size, image.shape[1] // patch_size
    batch = np.repeat(image[None].astype(np.float64), rows * columns + 1, axis=0)
    for number in range(rows * columns):
        y, x = divmod(number, columns)
        y, x = y * patch_size, x * patch_size
        batch[number, y : y + patch_size, x : x + patch_size, :] = fill
    scores = np.asarray(predict(batch))
    return (scores[-1] - scores[:-1]).reshape(rows, columns)


@_right("occlusion_map")
def occlusion_map_with_masks(predict, image, patch_size, fill):
    height, width, _ = image.shape
    patch_row, patch_column = np.indices((height, width)) // patch_size
    answer = []
    for row in range(height // patch_size):
        answer.append([])
        for column in range(width // patch_size):
            mask = ((patch_row == row) & (patch_column == column))[..., None]
            pair = np.stack([image, np.where(mask, fill, image)])
            whole, hidden = predict(pair)
            answer[row].append(whole - hidden)
    return answer


@_right("grad_cam")
def grad_cam_by_loops(maps, gradients):
    height, width, channels = maps.shape
    answer = np.zeros((height, width))
    for k in range(channels):
        total = 0.0
        for i, j in np.ndindex(height, width):
            total += float(gradients[i, j, k])
        answer += total / (height * width) * maps[:, :, k]
    answer[answer < 0] = 0
    return answer


@_right("grad_cam")
def grad_cam_by_einsum(maps, gradients):
    summed = np.einsum("ijk,pqk->ij", maps, gradients) / gradients[:, :, 0].size
    return np.where(summed > 0, summed, 0)


for _answer in blind_answers.ANSWERS:
    if is_right(_answer):
        RIGHT[_answer.exercise].append(_answer.function)


@_right("confusion_matrix")
def confusion_matrix_by_loops(labels, predictions, num_classes):
    matrix = [[0] * num_classes for _ in range(num_classes)]
    for label, prediction in zip(labels, predictions, strict=True):
        matrix[label][prediction] += 1
    return matrix


@_right("confusion_matrix")
def confusion_matrix_by_bincount(labels, predictions, num_classes):
    pairs = np.asarray(labels, int) * num_classes + predictions
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


@_right("confusion_matrix")
def confusion_matrix_by_one_hot(labels, predictions, num_classes):
    rows, columns = (
        np.eye(num_classes, dtype=int)[labels],
        np.eye(num_classes, dtype=int)[predictions],
    )
    return rows.T @ columns


@_right("accuracy_interval")
def accuracy_interval_as_roots(correct, total, z):
    # Wilson's ends are the shares p with (p - share)² = z² p (1 - p) / total.
    share = correct / total
    a, b, c = 1 + z * z / total, -(2 * share + z * z / total), share * share
    root = math.sqrt(max(b * b - 4 * a * c, 0.0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


@_right("accuracy_interval")
def accuracy_interval_in_counts(correct, total, z):
    middle = (correct + z**2 / 2) / (total + z**2)
    reach = z * np.sqrt(correct * (total - correct) / total + z**2 / 4) / (total + z**2)
    return np.array([middle - reach, middle + reach]).clip(0, 1).tolist()


@_right("repair_missing_relu")
def repair_missing_relu_with_where(inputs, kernels):
    for number, kernel in enumerate(kernels):
        if number:
            inputs = np.where(inputs > 0, inputs, 0)
        inputs = _numpy(keras.ops.conv(inputs, kernel))
    return inputs


@_right("repair_missing_relu")
def repair_missing_relu_by_recursion(inputs, kernels):
    outputs = _correlate(inputs, kernels[0])
    return (
        outputs
        if len(kernels) == 1
        else repair_missing_relu_by_recursion(np.maximum(outputs, 0), kernels[1:])
    )


def _correlate(inputs, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(inputs, kernel.shape[:2], axis=(1, 2))
    return np.einsum("nyxcij,ijco->nyxo", windows, kernel)


@_right("repair_double_softmax")
def repair_double_softmax_by_loops(probabilities, labels):
    return sum(
        -math.log(row[label]) for row, label in zip(probabilities, labels, strict=True)
    ) / len(labels)


@_right("repair_double_softmax")
def repair_double_softmax_with_keras(probabilities, labels):
    return _numpy(keras.losses.SparseCategoricalCrossentropy()(labels, probabilities))


@_right("repair_batch_norm_mode")
def repair_batch_norm_mode_with_keras(inputs, moving_mean, moving_variance, epsilon, training):
    mean, variance = moving_mean, moving_variance
    if training:
        mean, variance = np.mean(inputs, (0, 1, 2)), np.var(inputs, (0, 1, 2))
    return _numpy(keras.ops.batch_normalization(inputs, mean, variance, axis=-1, epsilon=epsilon))


@_right("repair_batch_norm_mode")
def repair_batch_norm_mode_by_channels(inputs, moving_mean, moving_variance, epsilon, training):
    outputs = np.array(inputs, float)
    for channel in range(outputs.shape[-1]):
        values = outputs[..., channel]
        middle = values.mean() if training else moving_mean[channel]
        spread = values.var() if training else moving_variance[channel]
        outputs[..., channel] = (values - middle) * (spread + epsilon) ** -0.5
    return outputs


@_right("repair_leaky_split")
def repair_leaky_split_by_loops(sources, held_out):
    parts = [], []
    for place, source in enumerate(sources):
        parts[source in held_out].append(place)
    return parts


@_right("repair_leaky_split")
def repair_leaky_split_with_where(sources, held_out):
    held = (np.asarray(sources)[:, None] == np.asarray(held_out)).any(axis=1)
    return np.where(np.logical_not(held))[0], np.where(held)[0]


@_right("repair_channel_order")
def repair_channel_order_with_transpose(images):
    return np.transpose(images, (0, 2, 3, 1))


@_right("repair_channel_order")
def repair_channel_order_by_stacking(images):
    return np.stack([images[:, channel] for channel in range(images.shape[1])], axis=-1)


@_right("repair_shifted_labels")
def repair_shifted_labels_with_a_mask(images, labels, broken):
    kept = np.ones(len(labels), bool)
    kept[broken] = False
    return images[kept], labels[kept]


@_right("repair_shifted_labels")
def repair_shifted_labels_by_loops(images, labels, broken):
    kept = [place for place in range(len(labels)) if place not in broken]
    return [images[place] for place in kept], [labels[place] for place in kept]


@_right("repair_learning_rate")
def repair_learning_rate_with_inf(rates, losses):
    return 0.1 * rates[np.argmin(np.where(np.isnan(losses), np.inf, losses))]


@_right("repair_learning_rate")
def repair_learning_rate_by_loops(rates, losses):
    pairs = [(loss, rate) for rate, loss in zip(rates, losses, strict=True) if loss == loss]
    return min(pairs)[1] / 10


@_right("repair_flatten_head")
def repair_flatten_head_with_keras(maps):
    return _numpy(keras.ops.softmax(keras.ops.mean(np.asarray(maps, "float32"), axis=(1, 2))))


@_right("repair_flatten_head")
def repair_flatten_head_by_hand(maps):
    scores = maps.reshape(len(maps), -1, maps.shape[-1]).mean(axis=1)
    powers = np.exp(scores)
    return powers / powers.sum(axis=1)[:, None]


@_right("split_indices")
def split_indices_with_the_standard_library(count, validation_fraction, seed):
    order = list(range(count))
    random.Random(seed).shuffle(order)
    middle = count - round(count * validation_fraction)
    return order[:middle], order[middle:]


@_right("split_indices")
def split_indices_by_ranks(count, validation_fraction, seed):
    ranks = np.random.RandomState(seed).rand(count).argsort()
    return np.split(ranks, [count - round(count * validation_fraction)])


@_right("split_indices")
def split_indices_by_drawing_one_after_the_other(count, validation_fraction, seed):
    rng = np.random.default_rng(seed)
    validation = rng.choice(count, round(count * validation_fraction), replace=False)
    train = rng.permutation([place for place in range(count) if place not in set(validation)])
    return train, validation


@_right("cosine_schedule")
def cosine_schedule_by_the_half_angle(step, total_steps, peak):
    return peak * math.cos(math.pi * step / total_steps / 2) ** 2 if step < total_steps else 0


@_right("cosine_schedule")
def cosine_schedule_by_keras(step, total_steps, peak):
    schedule = keras.optimizers.schedules.CosineDecay(peak, total_steps)
    return float(_numpy(schedule(step)))


@_right("augment")
def augment_by_loops(images, rng):
    return [image[:, ::-1] if rng.random() < 0.5 else image for image in images]


@_right("augment")
def augment_by_places(images, rng):
    answer = images.copy()
    chosen = np.flatnonzero(rng.integers(0, 2, size=len(images)))
    answer[chosen] = np.flip(images[chosen], axis=2)
    return answer


@_right("augment")
def augment_by_choice(images, rng):
    both = np.stack([images, np.flip(images, 2)])
    return both[rng.choice(2, len(images)), np.arange(len(images))]


@_right("count_parameters")
def count_parameters_with_keras(channels_in, filters, kernel_size, batch_norm):
    model = keras.Sequential(
        [keras.Input((9, 9, channels_in)), layers.Conv2D(filters, kernel_size)]
    )
    if batch_norm:
        model.add(layers.BatchNormalization())
    counts = (
        [int(np.prod(w.shape)) for w in weights]
        for weights in (model.trainable_weights, model.non_trainable_weights)
    )
    return tuple(sum(count) for count in counts)


@_right("count_parameters")
def count_parameters_by_filter(channels_in, filters, kernel_size, batch_norm):
    one_filter = kernel_size * kernel_size * channels_in + 1
    return [filters * (one_filter + 2 * batch_norm), filters * 2 * batch_norm]


@_right("softmax_cross_entropy")
def softmax_cross_entropy_by_loops(logits, labels):
    total = 0.0
    for row, label in zip(np.asarray(logits, float), labels, strict=True):
        top = max(row)
        total += top + math.log(sum(math.exp(score - top) for score in row)) - row[label]
    return total / len(labels)


@_right("softmax_cross_entropy")
def softmax_cross_entropy_with_logaddexp(logits, labels):
    logits = np.asarray(logits, float)
    chosen = np.take_along_axis(logits, np.asarray(labels, int)[:, None], axis=1)[:, 0]
    return np.mean(np.logaddexp.reduce(logits, axis=1) - chosen)


@_right("standardize_channels")
def standardize_channels_one_by_one(train_images, test_images):
    outputs = [np.empty(images.shape, np.float32) for images in (train_images, test_images)]
    for channel in range(train_images.shape[-1]):
        values = train_images[..., channel].astype(float)
        for images, output in zip((train_images, test_images), outputs, strict=True):
            output[..., channel] = (images[..., channel] - values.mean()) / values.std()
    return outputs


@_right("standardize_channels")
def standardize_channels_as_rows(train_images, test_images):
    rows = train_images.reshape(-1, train_images.shape[-1]).astype(float)
    mean = rows.sum(axis=0) / len(rows)
    deviation = np.sqrt(((rows - mean) ** 2).sum(axis=0) / len(rows))
    return [np.float32((images - mean) / deviation) for images in (train_images, test_images)]


@_right("seen_pixels")
def seen_pixels_walking_back(layers, place):
    first = last = place
    for kernel_size, stride in reversed(layers):
        first, last = first * stride, last * stride + kernel_size - 1
    return first, last


@_right("seen_pixels")
def seen_pixels_as_sets(layers, place):
    seen = {place}
    for kernel_size, stride in layers[::-1]:
        seen = {stride * other + i for other in seen for i in range(kernel_size)}
    # With a stride beyond the kernel a field has holes; its ends are asked for.
    return min(seen), max(seen)


@_right("merge_moments")
def merge_moments_from_sums_of_squares(counts, means, variances):
    total = sum(int(count) for count in counts)
    mean = sum(n * m for n, m in zip(counts, means, strict=True)) / total
    squares = sum(n * (v + m * m) for n, m, v in zip(counts, means, variances, strict=True))
    return mean, squares / total - mean * mean


@_right("merge_moments")
def merge_moments_one_batch_after_another(counts, means, variances):
    count, mean, variance = counts[0], np.array(means[0]), np.array(variances[0])
    for more, other, spread in zip(counts[1:], means[1:], variances[1:], strict=True):
        share, gap = more / (count + more), other - mean
        variance = (1 - share) * variance + share * spread + share * (1 - share) * gap**2
        mean = mean + share * gap
        count = count + more
    return mean, variance


@_right("max_pool2d_backward")
def max_pool2d_backward_by_loops(grad_outputs, inputs, pool_size):
    gradient = np.zeros(inputs.shape)
    for n, row, column, channel in np.ndindex(grad_outputs.shape):
        top, left = row * pool_size, column * pool_size
        window = inputs[n, top : top + pool_size, left : left + pool_size, channel]
        i, j = np.unravel_index(window.argmax(), window.shape)
        gradient[n, top + i, left + j, channel] = grad_outputs[n, row, column, channel]
    return gradient


@_right("max_pool2d_backward")
def max_pool2d_backward_by_comparison(grad_outputs, inputs, pool_size):
    rows, columns = (side * pool_size for side in grad_outputs.shape[1:3])
    cut = inputs[:, :rows, :columns]
    batch, _, _, channels = cut.shape
    windows = cut.reshape(
        batch, rows // pool_size, pool_size, columns // pool_size, pool_size, channels
    )
    won = windows == windows.max(axis=(2, 4), keepdims=True)
    gradient = np.zeros(inputs.shape)
    gradient[:, :rows, :columns] = (won * grad_outputs[:, :, None, :, None]).reshape(cut.shape)
    return gradient


@_right("adaptive_average_pool2d")
def adaptive_average_pool2d_by_loops(inputs, rows, columns):
    batch, height, width, channels = inputs.shape
    means = np.zeros((batch, rows, columns, channels))
    for row in range(rows):
        top, bottom = math.floor(row * height / rows), math.ceil((row + 1) * height / rows)
        for column in range(columns):
            left = math.floor(column * width / columns)
            right = math.ceil((column + 1) * width / columns)
            means[:, row, column] = inputs[:, top:bottom, left:right].mean(axis=(1, 2))
    return means


@_right("adaptive_average_pool2d")
def adaptive_average_pool2d_as_two_matrices(inputs, rows, columns):
    def shares(size, count):
        # A pixel from p to p + 1 counts in window k, from k size / count on, where they meet.
        pixels, windows = np.arange(size), np.arange(count)[:, None]
        meet = (pixels * count < (windows + 1) * size) & ((pixels + 1) * count > windows * size)
        return meet / meet.sum(axis=1, keepdims=True)

    _, height, width, _ = inputs.shape
    return np.einsum(
        "ph,qw,bhwc->bpqc", shares(height, rows), shares(width, columns), inputs.astype(float)
    )


@_right("dense_from_channels_first")
def dense_from_channels_first_by_places(weights, channels, height, width):
    places = np.arange(channels * height * width).reshape(channels, height, width)
    return weights.T[np.moveaxis(places, 0, -1).ravel()]


@_right("dense_from_channels_first")
def dense_from_channels_first_by_loops(weights, channels, height, width):
    answer = np.empty((height * width * channels, len(weights)))
    for c in range(channels):
        for y in range(height):
            for x in range(width):
                answer[(y * width + x) * channels + c] = weights[:, (c * height + y) * width + x]
    return answer


@_right("widest_network")
def widest_network_by_trying(budget, channels_in, kernel_sizes, num_classes):
    def cost(width):
        total, before, own = 0, channels_in, width
        for side in kernel_sizes:
            total += side**2 * before * own + own + 4 * own
            before, own = own, 2 * own
        return total + 9 * before * num_classes + num_classes

    return max(width for width in range(2000) if not width or cost(width) <= budget)


@_right("widest_network")
def widest_network_by_the_formula(budget, channels_in, kernel_sizes, num_classes):
    # The cost is a w² + b w + classes.
    widths = [2**block for block in range(len(kernel_sizes))]
    a = sum(kernel_sizes[i] ** 2 * widths[i - 1] * widths[i] for i in range(1, len(kernel_sizes)))
    b = kernel_sizes[0] ** 2 * channels_in + 5 * sum(widths) + 9 * widths[-1] * num_classes
    left = budget - num_classes
    if left < 0:
        return 0
    if not a:
        return left // b
    width = (math.isqrt(b * b + 4 * a * left) - b) // (2 * a)
    return max(width, 0)


@_right("merge_convolutions")
def merge_convolutions_by_asking(first_kernel, first_bias, second_kernel, second_bias):
    height, width, _, filters = second_kernel.shape
    channels = first_kernel.shape[2]

    def both(images):
        between = images @ first_kernel[0, 0] + first_bias
        return np.tensordot(between, second_kernel, axes=([1, 2, 3], [0, 1, 2])) + second_bias

    bias = both(np.zeros((1, height, width, channels)))[0]
    units = np.eye(height * width * channels).reshape(-1, height, width, channels)
    return (both(units) - bias).reshape(height, width, channels, filters), bias


@_right("merge_convolutions")
def merge_convolutions_by_matrices(first_kernel, first_bias, second_kernel, second_bias):
    kernel = first_kernel[0, 0] @ second_kernel
    return kernel, second_bias + (first_bias @ second_kernel).sum(axis=(0, 1))


@_right("choose_rate")
def choose_rate_by_loops(rates, losses):
    broken = []
    for run in losses:
        for rate, loss in zip(rates, run, strict=True):
            if math.isnan(loss) or loss > run[0]:
                broken.append(rate)
                break
    limit = min(broken)
    means = {
        rate: sum(run[place] for run in losses) / len(losses)
        for place, rate in enumerate(rates)
        if rate < limit / 10
    }
    best = min(means, key=means.get)
    return best, limit / best


@_right("choose_rate")
def choose_rate_with_masks(rates, losses):
    lost = np.isnan(losses) | (losses > losses[:, :1])
    limit = rates[lost.any(axis=0)].min()
    means = np.where(rates < limit / 10, np.mean(losses, axis=0), np.inf)
    rate = rates[np.argmin(means)]
    return [rate, limit / rate]


@_right("worth_switching")
def worth_switching_by_hand(old, new, worth, t):
    gains = [float(b) - float(a) for a, b in zip(old, new, strict=True)]
    mean = sum(gains) / len(gains)
    variance = sum((gain - mean) ** 2 for gain in gains) / (len(gains) - 1)
    half = t * math.sqrt(variance / len(gains))
    if mean - half > worth:
        return 1, mean, half
    if mean + half < worth:
        return -1, mean, half
    return 0, mean, half


@_right("worth_switching")
def worth_switching_by_distance(old, new, worth, t):
    d = np.subtract(new, old, dtype=float)
    half = t * np.sqrt(np.var(d, ddof=1) / d.size)
    away = d.mean() - worth
    return (int(np.sign(away)) if abs(away) > half else 0), d.mean(), half


@_right("pointing_game")
def pointing_game_by_recursion(heat, masks):
    shares = [mask.mean() for mask in masks]
    hits = 0
    for image, mask in zip(heat, masks, strict=True):
        row, column = np.unravel_index(np.argmax(image), image.shape)
        hits += bool(mask[row, column])

    def at_least(wanted, left):
        if wanted <= 0:
            return 1.0
        if not left:
            return 0.0
        rest = left[1:]
        return left[0] * at_least(wanted - 1, rest) + (1 - left[0]) * at_least(wanted, rest)

    return hits, sum(shares), at_least(hits, shares)


@_right("pointing_game")
def pointing_game_by_polynomials(heat, masks):
    hottest = heat == heat.max(axis=(1, 2), keepdims=True)
    hits = (hottest & masks).any(axis=(1, 2)).sum()
    shares = masks.reshape(len(masks), -1).mean(axis=1)
    product = np.poly1d([1.0])
    for share in shares:
        product = product * np.poly1d([share, 1 - share])
    return hits, shares.sum(), product.coeffs[: len(shares) - hits + 1].sum()


@_right("leaked_images")
def leaked_images_by_loops(train_images, validation_images):
    return [
        place
        for place, image in enumerate(validation_images)
        if any(
            np.array_equal(image, other) or np.array_equal(image, np.fliplr(other))
            for other in train_images
        )
    ]


@_right("leaked_images")
def leaked_images_by_bytes(train_images, validation_images):
    known = {image.tobytes() for image in train_images}
    found = [
        image.tobytes() in known or np.ascontiguousarray(image[:, ::-1]).tobytes() in known
        for image in validation_images
    ]
    return np.nonzero(found)[0]


@_right("strided_conv2d")
def strided_conv2d_by_keras(inputs, kernel, stride, padding):
    images = np.asarray(inputs, kernel.dtype)
    return _numpy(keras.ops.conv(images, kernel, strides=tuple(stride), padding=padding))


@_right("strided_conv2d")
def strided_conv2d_by_loops(inputs, kernel, stride, padding):
    batch, height, width, _ = inputs.shape
    tall, wide, _, filters = kernel.shape
    down, across = stride
    if padding == "same":
        rows, columns = math.ceil(height / down), math.ceil(width / across)
        above = max((rows - 1) * down + tall - height, 0) // 2
        left = max((columns - 1) * across + wide - width, 0) // 2
    else:
        rows, columns = (height - tall) // down + 1, (width - wide) // across + 1
        above = left = 0
    outputs = np.zeros((batch, rows, columns, filters))
    for row, column, i, j in np.ndindex(rows, columns, tall, wide):
        y, x = row * down + i - above, column * across + j - left
        if 0 <= y < height and 0 <= x < width:
            outputs[:, row, column] += inputs[:, y, x].astype(float) @ kernel[i, j]
    return outputs


@_right("read_ablation")
def read_ablation_by_loops(accuracies, statements, margin, factors):
    carried, means, halves = [], [], []
    for kind, a, b in statements.tolist():
        gains = [float(x) - float(y) for x, y in zip(accuracies[a], accuracies[b], strict=True)]
        mean = sum(gains) / len(gains)
        variance = sum((gain - mean) ** 2 for gain in gains) / (len(gains) - 1)
        half = float(factors[len(statements)]) * math.sqrt(variance / len(gains))
        if kind == 0:
            holds = not mean - half <= 0 <= mean + half
        elif kind == 1:
            holds = mean > half
        else:
            holds = max(abs(mean - half), abs(mean + half)) < margin
        carried.append(int(holds))
        means.append(mean)
        halves.append(half)
    return carried, means, halves


@_right("read_ablation")
def read_ablation_by_distances(accuracies, statements, margin, factors):
    """Each kind asks how far the mean lies from a place, in half intervals."""
    kind, a, b = statements.T
    d = accuracies[a].astype(float) - accuracies[b].astype(float)
    mean = np.mean(d, axis=1)
    half = factors[kind.size] * np.sqrt(np.var(d, axis=1, ddof=1) / d.shape[1])
    room = np.choose(kind, [abs(mean), mean, margin - abs(mean)])
    return np.where(room > half, 1, 0), mean, half


@_right("find_fault")
def find_fault_by_making_each_fault(reference, deployed, images):
    """The suspect that does to the reference what was done to the deployed layer."""
    suspects = {0: images, 1: images / 255, 2: np.flip(images, axis=-1)}
    found = deployed(images)
    for fault, changed in suspects.items():
        if np.allclose(found, reference(changed), rtol=1e-3, atol=1e-4):
            return fault
    border = np.ones(found.shape[1:3], bool)
    border[1:-1, 1:-1] = False
    alike = np.isclose(found, reference(images), rtol=1e-3, atol=1e-4)
    return 3 if alike[:, ~border].all() else 4


@_right("find_fault")
def find_fault_by_the_smallest_error(reference, deployed, images):
    wanted, found = reference(images), deployed(images)
    errors = [
        np.abs(found - wanted).mean(),
        np.abs(found - reference(images / 255)).mean(),
        np.abs(found - reference(images[..., [2, 1, 0]])).mean(),
        np.abs(found - wanted)[:, 1:-1, 1:-1].mean(),
    ]
    limit = 1e-3 * np.abs(wanted).mean()
    return next((fault for fault, error in enumerate(errors) if error < limit), 4)


@_right("quantize")
def quantize_filter_by_filter(kernel):
    integers, scales = np.empty(kernel.shape, np.int8), np.ones(kernel.shape[-1])
    for number in range(kernel.shape[-1]):
        weights = kernel[..., number].astype(float)
        if weights.any():
            scales[number] = max(abs(weights.min()), abs(weights.max())) / 127
        integers[..., number] = np.rint(weights / scales[number])
    return integers, scales, integers * scales


@_right("quantize")
def quantize_by_keras(kernel):
    weights = keras.ops.convert_to_tensor(kernel.astype(float))
    largest = keras.ops.max(keras.ops.abs(weights), axis=(0, 1, 2))
    scales = keras.ops.where(largest > 0, largest / 127, keras.ops.ones_like(largest))
    integers = keras.ops.round(weights / scales)
    return _numpy(integers), _numpy(scales), _numpy(integers * scales)


EVERY_ANSWER = [
    pytest.param(name, function, id=f"{name}-{function.__name__}")
    for name, functions in RIGHT.items()
    for function in functions
]


def test_each_exercise_has_two_answers_besides_its_reference():
    assert {name for name, functions in RIGHT.items() if len(functions) >= 2} == set(EXERCISES)


@pytest.mark.parametrize(("name", "function"), EVERY_ANSWER)
def test_a_right_answer_is_accepted(name, function):
    diagnosis = diagnose(name, function)
    assert diagnosis.passed, diagnosis.message


NUMERIC = [name for name, exercise in EXERCISES.items() if hasattr(exercise.form, "kind")]


def _cast(answer, dtype):
    if isinstance(answer, tuple | list):
        return tuple(_cast(one, dtype) for one in answer)
    array = np.asarray(answer)
    return array.astype(dtype)[()] if array.dtype.kind == "f" else answer


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NUMERIC)
def test_each_reference_is_accepted_in_both_precisions(name, dtype):
    exercise = EXERCISES[name]
    if exercise.form.kind == "float32" and dtype == "float64":
        pytest.skip("this exercise asks for float32")

    def candidate(*arguments):
        return _cast(exercise.reference(*arguments), dtype)

    diagnosis = diagnose(name, candidate)
    assert diagnosis.passed, diagnosis.message


@pytest.mark.parametrize("name", ["build_simple_cnn", "build_simpler_cnn"])
def test_the_specification_is_the_network_of_the_package(name):
    exercise = EXERCISES[name]
    network = {"build_simple_cnn": models.simple_CNN, "build_simpler_cnn": models.simpler_CNN}[name]
    for case, wanted in zip(exercise.inputs, exercise.wanted, strict=True):
        assert exercise.form.agree(exercise.reading(network, case), wanted)
