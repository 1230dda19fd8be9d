"""The sealed half of the fourth collection, of the same making; see ``blind_fourth.py``.

Judged once, at the end, after nothing was mended for it. Nothing here may be changed to please a
check: an answer that is misjudged is a finding.
"""

from __future__ import annotations

import math
import statistics

import keras
import numpy as np
from blind_second import Answer, register_in
from keras import layers

from cnncourse import ops

ANSWERS: list[Answer] = []
_answer = register_in(ANSWERS)


# Lesson 01


@_answer(
    "standardize",
    right=False,
    kind="in-place",
    mistake="Without a copy, float32 images that came in are scaled themselves.",
)
def standardize_without_a_copy(train_images, test_images):
    mean, deviation = float(np.mean(train_images)), float(np.std(train_images))
    train = train_images.astype(np.float32, copy=False)
    test = test_images.astype(np.float32, copy=False)
    for images in (train, test):
        images -= mean
        images /= deviation
    return train, test


@_answer(
    "standardize_channels",
    right=False,
    kind="concept",
    mistake="The deviation is the mean of each image's own, not that of all images together.",
)
def standardize_channels_mean_of_deviations(train_images, test_images):
    mean = train_images.mean(axis=(1, 2)).mean(axis=0)
    deviation = train_images.std(axis=(1, 2)).mean(axis=0)
    return tuple(
        ((images - mean) / deviation).astype(np.float32) for images in (train_images, test_images)
    )


@_answer(
    "nearest_mean",
    right=False,
    kind="denominator",
    mistake="Divides the sum of every class by the average number of images in a class.",
)
def nearest_mean_classes_of_one_size(train_images, train_labels, images, num_classes):
    per_class = len(train_images) / num_classes
    one_hot = np.eye(num_classes)[train_labels]
    flat = train_images.reshape(len(train_images), -1).astype(float)
    means = one_hot.T @ flat / per_class
    queries = images.reshape(len(images), -1).astype(float)
    distances = np.linalg.norm(queries[:, None] - means[None], axis=2)
    return distances.argmin(axis=1)


@_answer("nearest_mean", right=True)
def nearest_mean_by_products(train_images, train_labels, images, num_classes):
    means = np.zeros((num_classes, *train_images.shape[1:]))
    for label in range(num_classes):
        members = train_images[np.asarray(train_labels) == label]
        means[label] = members.astype(float).sum(axis=0) / len(members)
    nearest = []
    for image in images:
        squares = [np.sum(np.square(image.astype(float) - mean)) for mean in means]
        nearest.append(squares.index(min(squares)))
    return np.array(nearest)


# Lesson 02


@_answer(
    "correlate2d",
    right=False,
    kind="integer",
    mistake="The answers are kept in the image's type, so that uint8 cuts and wraps them.",
)
def correlate2d_in_the_type_of_the_image(image, kernel):
    h, w = kernel.shape
    result = np.zeros((image.shape[0] - h + 1, image.shape[1] - w + 1), dtype=image.dtype)
    for (y, x), _ in np.ndenumerate(result):
        total = np.sum(image[y : y + h, x : x + w] * kernel)
        result[y, x] = np.asarray(total).astype(image.dtype)
    return result


@_answer(
    "output_size",
    right=False,
    kind="rounding",
    mistake="For 'valid' the number of places at stride 1 is divided and cut, not rounded up.",
)
def output_size_valid_cut_down(size, kernel_size, stride, padding):
    if padding == "valid":
        return (size - kernel_size + 1) // stride
    return math.ceil(size / stride)


@_answer(
    "conv2d",
    right=False,
    kind="axis order",
    mistake="The channels stand before the window's rows and columns, in the kernel behind them.",
)
def conv2d_channels_before_the_window(inputs, kernel, bias):
    kh, kw, _, filters = kernel.shape
    windows = np.lib.stride_tricks.sliding_window_view(inputs, (kh, kw), axis=(1, 2))
    flat = windows.reshape(*windows.shape[:3], -1)
    return flat @ kernel.reshape(-1, filters) + bias


@_answer(
    "strided_conv2d",
    right=False,
    kind="wrong start",
    mistake="Pads for stride 1 and then leaves places out, so that windows begin too early.",
)
def strided_conv2d_thins_out(inputs, kernel, stride, padding):
    x = inputs.astype(np.float64)
    kh, kw = kernel.shape[0], kernel.shape[1]
    if padding == "same":
        top, left = (kh - 1) // 2, (kw - 1) // 2
        x = np.pad(x, ((0, 0), (top, kh - 1 - top), (left, kw - 1 - left), (0, 0)))
    rows, columns = x.shape[1] - kh + 1, x.shape[2] - kw + 1
    full = np.zeros((x.shape[0], rows, columns, kernel.shape[3]))
    for i in range(kh):
        for j in range(kw):
            full += x[:, i : i + rows, j : j + columns] @ kernel[i, j]
    return full[:, :: stride[0], :: stride[1]]


@_answer("strided_conv2d", right=True)
def strided_conv2d_by_keras(inputs, kernel, stride, padding):
    images = np.asarray(inputs, dtype="float64")
    weights = np.asarray(kernel, dtype="float64")
    outputs = keras.ops.conv(
        images, weights, strides=tuple(stride), padding=padding, data_format="channels_last"
    )
    return keras.ops.convert_to_numpy(outputs)


# Lesson 03


@_answer(
    "relu",
    right=False,
    kind="exception",
    mistake="Walks along the first axis alone, and raises where there is a second one.",
)
def relu_number_by_number(inputs):
    return np.array([max(0, number) for number in inputs])


@_answer(
    "seen_pixels",
    right=False,
    kind="wrong direction",
    mistake="Goes through the layers from the input on, where it has to go back from the output.",
)
def seen_pixels_from_the_first_layer(layers, place):
    first, last = place, place
    for kernel_size, stride in layers:
        first = first * stride
        last = last * stride + (kernel_size - 1)
    return (first, last)


@_answer(
    "strongest_images",
    right=False,
    kind="integer",
    mistake="Changes the sign to sort downwards; of uint8 a 0 stays 0 and comes first.",
)
def strongest_images_by_sign(maps, count):
    peaks = np.max(maps, axis=(1, 2))
    return np.argsort(-peaks)[:count]


# Lesson 04


@_answer(
    "batch_norm_train",
    right=False,
    kind="biased variance",
    mistake="The variance that comes back is divided by the number of values less one.",
)
def batch_norm_train_returns_the_sample_variance(inputs, gamma, beta, epsilon):
    flat = np.asarray(inputs, dtype=float).reshape(-1, inputs.shape[-1])
    mean = flat.mean(axis=0)
    outputs = (flat - mean) / np.sqrt(flat.var(axis=0) + epsilon) * gamma + beta
    return outputs.reshape(inputs.shape), mean, flat.var(axis=0, ddof=1)


@_answer("batch_norm_train", right=True)
def batch_norm_train_from_squares(inputs, gamma, beta, epsilon):
    values = inputs.astype(np.float64)
    n = values[..., 0].size
    mean = np.einsum("nyxc->c", values) / n
    moved = values - mean
    variance = np.einsum("nyxc,nyxc->c", moved, moved) / n
    return moved * (gamma * (variance + epsilon) ** -0.5) + beta, mean, variance


@_answer(
    "update_moving",
    right=False,
    kind="in-place",
    mistake="The old average is an array that is changed, and whole numbers raise.",
)
def update_moving_in_place(moving, batch_value, momentum):
    moving *= momentum
    moving += (1 - momentum) * batch_value
    return moving


@_answer(
    "merge_moments",
    right=False,
    kind="denominator",
    mistake="Takes the variances for sample variances: counts less one, here and in the end.",
)
def merge_moments_of_samples(counts, means, variances):
    n = np.asarray(counts)[:, None]
    mean = (n * means).sum(axis=0) / n.sum()
    within = ((n - 1) * variances).sum(axis=0)
    between = (n * (means - mean) ** 2).sum(axis=0)
    return mean, (within + between) / (n.sum() - 1)


@_answer(
    "batch_norm_inference",
    right=False,
    kind="epsilon",
    mistake="Takes epsilon as the least variance there may be instead of adding it.",
)
def batch_norm_inference_epsilon_as_a_floor(
    inputs, gamma, beta, moving_mean, moving_variance, epsilon
):
    deviation = np.sqrt(np.maximum(moving_variance, epsilon))
    return (inputs - moving_mean) / deviation * gamma + beta


@_answer(
    "fold_batch_norm",
    right=False,
    kind="broadcasting",
    mistake="The factor of a filter is laid along the input channels of the kernel.",
)
def fold_batch_norm_along_the_inputs(
    kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon
):
    scale = gamma / np.sqrt(moving_variance + epsilon)
    return kernel * scale[:, np.newaxis], scale * (bias - moving_mean) + beta


# Lesson 05


@_answer(
    "average_pool2d",
    right=False,
    kind="integer overflow",
    mistake="Adds the pixels of a window up in their own type, which wraps for uint8.",
)
def average_pool2d_sums_of_small_integers(inputs, pool_size, padding):
    p = pool_size
    edges = [(0, 0), (0, 0)]
    if padding == "same":
        edges = [ops.same_padding(inputs.shape[1], p, p), ops.same_padding(inputs.shape[2], p, p)]
    image = np.pad(inputs, [(0, 0), *edges, (0, 0)])
    inside = np.pad(np.ones(inputs.shape), [(0, 0), *edges, (0, 0)])
    bottom = image.shape[1] // p * p
    right = image.shape[2] // p * p
    places = [(i, j) for i in range(p) for j in range(p)]
    total = sum(image[:, i:bottom:p, j:right:p] for i, j in places)
    count = sum(inside[:, i:bottom:p, j:right:p] for i, j in places)
    return total / count


@_answer("average_pool2d", right=True)
def average_pool2d_without_nan(inputs, pool_size, padding):
    image = np.array(inputs, dtype=float)
    if padding == "same":
        edges = [ops.same_padding(side, pool_size, pool_size) for side in image.shape[1:3]]
        image = np.pad(image, [(0, 0), *edges, (0, 0)], constant_values=np.nan)
    rows, columns = image.shape[1] // pool_size, image.shape[2] // pool_size
    answer = np.empty((image.shape[0], rows, columns, image.shape[3]))
    for row in range(rows):
        for column in range(columns):
            down = slice(row * pool_size, (row + 1) * pool_size)
            across = slice(column * pool_size, (column + 1) * pool_size)
            answer[:, row, column] = np.nanmean(image[:, down, across], axis=(1, 2))
    return answer


@_answer(
    "max_pool2d",
    right=False,
    kind="padding value",
    mistake="Pads with a reflection, which in wide windows holds pixels of the window before.",
)
def max_pool2d_reflects_the_edge(inputs, pool_size, padding):
    if padding == "same":
        down = ops.same_padding(inputs.shape[1], pool_size, pool_size)
        across = ops.same_padding(inputs.shape[2], pool_size, pool_size)
        inputs = np.pad(inputs, ((0, 0), down, across, (0, 0)), mode="reflect")
    n, h, w, c = inputs.shape
    h, w = h // pool_size, w // pool_size
    blocks = inputs[:, : h * pool_size, : w * pool_size]
    return blocks.reshape(n, h, pool_size, w, pool_size, c).max(axis=4).max(axis=2)


@_answer(
    "global_average_pool2d",
    right=False,
    kind="axis order",
    mistake="Reshapes to (batch, channels, places), which mixes the channels.",
)
def global_average_pool2d_reshapes(inputs):
    batch, _, _, channels = inputs.shape
    return inputs.reshape(batch, channels, -1).mean(axis=2)


@_answer(
    "adaptive_average_pool2d",
    right=False,
    kind="window size",
    mistake="All windows are as large as a part rounded up, though some have to be larger.",
)
def adaptive_average_pool2d_windows_of_one_size(inputs, rows, columns):
    n, height, width, channels = inputs.shape
    tall, wide = math.ceil(height / rows), math.ceil(width / columns)
    out = np.empty((n, rows, columns, channels))
    for r in range(rows):
        top = r * height // rows
        for c in range(columns):
            left = c * width // columns
            out[:, r, c] = np.mean(inputs[:, top : top + tall, left : left + wide], axis=(1, 2))
    return out


@_answer("adaptive_average_pool2d", right=True)
def adaptive_average_pool2d_by_matrices(inputs, rows, columns):
    def shares(size, parts):
        part, pixel = np.arange(parts)[:, None], np.arange(size)[None, :]
        touches = ((pixel + 1) * parts > part * size) & (pixel * parts < (part + 1) * size)
        return touches / touches.sum(axis=1, keepdims=True)

    down, across = shares(inputs.shape[1], rows), shares(inputs.shape[2], columns)
    return np.einsum("ry,nyxc,kx->nrkc", down, inputs.astype(float), across)


@_answer(
    "dropout",
    right=False,
    kind="concept",
    mistake="Leaves what stays as it is in training, and scales by 1 - rate at inference.",
)
def dropout_of_the_old_kind(inputs, rate, keep_mask, training):
    if training:
        return inputs * keep_mask
    return inputs * (1.0 - rate)


# Lesson 06


@_answer(
    "conv2d_backward",
    right=False,
    kind="overlap",
    mistake="The gradient at the inputs is set and not added, so the last window alone counts.",
)
def conv2d_backward_last_window_counts(grad_outputs, inputs, kernel, stride):
    inputs = np.asarray(inputs, dtype=float)
    grad_inputs = np.zeros_like(inputs)
    grad_kernel = np.zeros_like(kernel, dtype=float)
    kh, kw, _, _ = kernel.shape
    _, out_h, out_w, _ = grad_outputs.shape
    for i in range(out_h):
        for j in range(out_w):
            rows = slice(i * stride, i * stride + kh)
            cols = slice(j * stride, j * stride + kw)
            g = grad_outputs[:, i, j, :]
            grad_inputs[:, rows, cols, :] = np.einsum("bo,hwio->bhwi", g, kernel)
            grad_kernel += np.einsum("bhwi,bo->hwio", inputs[:, rows, cols, :], g)
    grad_bias = np.sum(grad_outputs, axis=(0, 1, 2))
    return grad_inputs, grad_kernel, grad_bias


@_answer(
    "average_pool2d_backward",
    right=False,
    kind="denominator",
    mistake="Divides by the side of the window, and not by the number of its pixels.",
)
def average_pool2d_backward_divides_by_the_side(grad_outputs, inputs_shape, pool_size):
    grad = np.zeros(inputs_shape)
    for i in range(grad_outputs.shape[1]):
        for j in range(grad_outputs.shape[2]):
            rows = slice(i * pool_size, (i + 1) * pool_size)
            cols = slice(j * pool_size, (j + 1) * pool_size)
            grad[:, rows, cols] = (grad_outputs[:, i, j] / pool_size)[:, None, None, :]
    return grad


@_answer(
    "max_pool2d_backward",
    right=False,
    kind="tuple order",
    mistake="Takes the winner's number apart into column and row, and uses them as row and column.",
)
def max_pool2d_backward_row_for_column(grad_outputs, inputs, pool_size):
    grad_inputs = np.zeros(inputs.shape)
    for n, i, j, c in np.ndindex(*grad_outputs.shape):
        y0, x0 = i * pool_size, j * pool_size
        window = inputs[n, y0 : y0 + pool_size, x0 : x0 + pool_size, c]
        winner = int(np.argmax(window))
        row, column = winner % pool_size, winner // pool_size
        grad_inputs[n, y0 + row, x0 + column, c] = grad_outputs[n, i, j, c]
    return grad_inputs


@_answer(
    "batch_norm_backward",
    right=False,
    kind="epsilon",
    mistake="The last division is by the deviation without epsilon.",
)
def batch_norm_backward_epsilon_forgotten_once(grad_outputs, inputs, gamma, epsilon):
    axis = (0, 1, 2)
    centered = inputs - inputs.mean(axis=axis)
    normal = centered / np.sqrt(inputs.var(axis=axis) + epsilon)
    d_gamma = np.sum(grad_outputs * normal, axis=axis)
    d_beta = np.sum(grad_outputs, axis=axis)
    n = inputs.size / inputs.shape[-1]
    d_inputs = gamma * (grad_outputs - d_beta / n - normal * d_gamma / n) / inputs.std(axis=axis)
    return d_inputs, d_gamma, d_beta


@_answer("batch_norm_backward", right=True)
def batch_norm_backward_step_by_step(grad_outputs, inputs, gamma, epsilon):
    x = np.asarray(inputs, dtype=np.float64).reshape(-1, inputs.shape[-1])
    g = np.asarray(grad_outputs, dtype=np.float64).reshape(x.shape)
    n = x.shape[0]
    moved = x - x.mean(axis=0)
    inverse = 1.0 / np.sqrt((moved**2).mean(axis=0) + epsilon)
    d_normal = g * gamma
    d_variance = (d_normal * moved).sum(axis=0) * -0.5 * inverse**3
    d_mean = -(d_normal * inverse).sum(axis=0) + d_variance * -2.0 * moved.mean(axis=0)
    d_x = d_normal * inverse + d_variance * 2.0 * moved / n + d_mean / n
    return d_x.reshape(inputs.shape), (g * moved * inverse).sum(axis=0), g.sum(axis=0)


# Lesson 07


@_answer(
    "count_parameters",
    right=False,
    kind="two faults",
    mistake="Drops the bias before a normalization, and counts moving moments per input channel.",
)
def count_parameters_no_bias_and_input_moments(channels_in, filters, kernel_size, batch_norm):
    weights = kernel_size * kernel_size * channels_in * filters
    if batch_norm:
        return weights + 2 * filters, 2 * channels_in
    return weights + filters, 0


@_answer(
    "softmax_cross_entropy",
    right=False,
    kind="axis",
    mistake="Subtracts the largest score of all images; far below it, a loss becomes infinite.",
)
def softmax_cross_entropy_one_largest_for_all(logits, labels):
    shifted = logits - np.max(logits)
    log_sums = np.log(np.sum(np.exp(shifted), axis=1))
    picked = shifted[np.arange(len(labels)), labels]
    return np.mean(log_sums - picked)


@_answer("softmax_cross_entropy", right=True)
def softmax_cross_entropy_logaddexp(logits, labels):
    losses = []
    for scores, label in zip(np.asarray(logits, dtype=np.float64), labels, strict=True):
        losses.append(np.logaddexp.reduce(scores - scores[label]))
    return sum(losses) / len(losses)


@_answer(
    "dense_from_channels_first",
    right=False,
    kind="copy-paste",
    mistake="A row of a map is taken to be as long as the map is high.",
)
def dense_from_channels_first_height_for_width(weights, channels, height, width):
    matrix = np.zeros((height * width * channels, weights.shape[0]), dtype=weights.dtype)
    for y in range(height):
        for x in range(width):
            for c in range(channels):
                there = c * height * width + y * height + x
                here = (y * width + x) * channels + c
                matrix[here] = weights[:, there]
    return matrix


# Lesson 08


@_answer(
    "build_simple_cnn",
    right=False,
    kind="extra layer",
    mistake="Puts a ReLU into the last block too, behind its normalization.",
)
def build_simple_cnn_relu_in_the_last_block(input_shape, num_classes):
    model = keras.Sequential(name="simple_CNN")
    model.add(keras.Input(shape=input_shape))
    for block, (filters, kernel_size) in enumerate([(16, 7), (32, 5), (64, 3), (128, 3)]):
        name = "image_array" if block == 0 else f"conv_{block}_a"
        model.add(layers.Conv2D(filters, kernel_size, padding="same", name=name))
        model.add(layers.BatchNormalization())
        model.add(layers.Conv2D(filters, kernel_size, padding="same"))
        model.add(layers.BatchNormalization())
        model.add(layers.Activation("relu"))
        model.add(layers.AveragePooling2D(pool_size=2, padding="same"))
        model.add(layers.Dropout(0.5))
    model.add(layers.Conv2D(256, 3, padding="same"))
    model.add(layers.BatchNormalization())
    model.add(layers.Activation("relu"))
    model.add(layers.Conv2D(num_classes, 3, padding="same"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Activation("softmax", name="predictions"))
    return model


@_answer(
    "receptive_field",
    right=False,
    kind="off by one",
    mistake="Going back, multiplies the side by the stride, where the steps between are side - 1.",
)
def receptive_field_side_times_stride(layers):
    side = 1
    for kernel_size, stride in layers[::-1]:
        side = side * stride + kernel_size - 1
    return side


@_answer(
    "widest_network",
    right=False,
    kind="bounded search",
    mistake="Tries no more than 256 filters, where a large budget allows more.",
)
def widest_network_up_to_256(budget, channels_in, kernel_sizes, num_classes):
    best = 0
    for w in range(1, 257):
        channels = [channels_in] + [w * 2**k for k in range(len(kernel_sizes))]
        total = sum(
            (side**2 * before + 1) * after + 4 * after
            for side, before, after in zip(kernel_sizes, channels[:-1], channels[1:], strict=True)
        )
        total += (9 * channels[-1] + 1) * num_classes
        if total <= budget:
            best = w
    return best


# Lesson 09


@_answer(
    "build_simpler_cnn",
    right=False,
    kind="wrong layer",
    mistake="Ends in a global average pooling in place of Flatten.",
)
def build_simpler_cnn_pools_at_the_end(input_shape, num_classes):
    inputs = keras.Input(input_shape)
    x = inputs
    plan = [(16, 16, 5, 5), (32, 32, 5, 5), (64, 64, 3, 3), (64, 128, 1, 3)]
    for number, (one, two, size_one, size_two) in enumerate(plan):
        name = None if number else "image_array"
        x = layers.Conv2D(one, size_one, padding="same", name=name)(x)
        x = layers.BatchNormalization()(x)
        x = layers.Conv2D(two, size_two, strides=2, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.Activation("relu")(x)
        x = layers.Dropout(0.25)(x)
    x = layers.Conv2D(256, 1, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(128, 3, strides=2, padding="same")(x)
    x = layers.Conv2D(256, 1, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(num_classes, 3, strides=2, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Activation("softmax", name="predictions")(x)
    return keras.Model(inputs, x)


@_answer("build_simpler_cnn", right=True)
def build_simpler_cnn_functional(input_shape, num_classes):
    def normalized(tensor, filters, size, stride=1, **names):
        tensor = layers.Conv2D(
            filters, (size, size), strides=(stride, stride), padding="same", **names
        )(tensor)
        return layers.BatchNormalization()(tensor)

    images = keras.Input(shape=tuple(input_shape))
    t = normalized(images, 16, 5, name="image_array")
    t = normalized(t, 16, 5, 2)
    t = layers.Dropout(0.25)(layers.Activation("relu")(t))
    for filters, size, wider, wider_size in [(32, 5, 32, 5), (64, 3, 64, 3), (64, 1, 128, 3)]:
        t = normalized(t, filters, size)
        t = normalized(t, wider, wider_size, 2)
        t = layers.Dropout(0.25)(layers.Activation("relu")(t))
    t = normalized(t, 256, 1)
    t = layers.Conv2D(128, 3, strides=2, padding="same")(t)
    t = normalized(t, 256, 1)
    t = layers.Conv2D(num_classes, 3, strides=2, padding="same")(t)
    t = layers.Flatten()(t)
    return keras.Model(images, layers.Activation("softmax", name="predictions")(t))


@_answer(
    "merge_convolutions",
    right=False,
    kind="forgotten sum",
    mistake="The first bias goes through the first place of the second kernel only.",
)
def merge_convolutions_bias_through_one_tap(first_kernel, first_bias, second_kernel, second_bias):
    kernel = np.tensordot(second_kernel, first_kernel[0, 0], axes=([2], [1])).swapaxes(2, 3)
    bias = second_bias + second_kernel[0, 0].T @ first_bias
    return kernel, bias


@_answer(
    "same_padding",
    right=False,
    kind="ignored argument",
    mistake="Takes kernel less stride whatever the size, as if the stride divided it.",
)
def same_padding_whatever_the_size(size, kernel_size, stride):
    total = max(kernel_size - stride, 0)
    before = total // 2
    return before, total - before


@_answer("same_padding", right=True)
def same_padding_by_the_remainder(size, kernel_size, stride):
    reached = (size % stride) or stride
    total = kernel_size - reached if kernel_size > reached else 0
    half, odd = divmod(total, 2)
    return half, half + odd


@_answer(
    "head_outputs",
    right=False,
    kind="rounding",
    mistake="Uses round, which takes 2.5 to 2, where a half has to go up.",
)
def head_outputs_rounds_to_even(input_size, halvings, num_classes):
    side = input_size
    for _ in range(halvings):
        side = round(side / 2)
    return side**2 * num_classes


# Lesson 10


@_answer(
    "split_indices",
    right=False,
    kind="global state",
    mistake="Seeds NumPy's common generator, which changes everybody else's random numbers.",
)
def split_indices_seeds_everybody(count, validation_fraction, seed):
    np.random.seed(seed)
    shuffled = np.random.permutation(count)
    cut = count - round(count * validation_fraction)
    return shuffled[:cut], shuffled[cut:]


@_answer(
    "cosine_schedule",
    right=False,
    kind="off by one",
    mistake="Holds the step at the last but one, so that the rate never comes down to 0.",
)
def cosine_schedule_held_before_the_end(step, total_steps, peak):
    step = min(step, total_steps - 1)
    return peak * (1 + math.cos(math.pi * step / total_steps)) / 2


@_answer(
    "augment",
    right=False,
    kind="concept",
    mistake="Always flips exactly half of the images, which is no coin for each of them.",
)
def augment_exactly_half(images, rng):
    flipped = images.copy()
    chosen = rng.permutation(len(images))[: len(images) // 2]
    flipped[chosen] = images[chosen, :, ::-1]
    return flipped


@_answer(
    "choose_rate",
    right=False,
    kind="missing numbers",
    mistake="A loss that is NaN does not count as a break, for it is not higher than anything.",
)
def choose_rate_nan_is_not_higher(rates, losses):
    breaks = (losses > losses[:, :1]).any(axis=0)
    limit = rates[breaks].min() if breaks.any() else rates[-1]
    below = np.flatnonzero(rates < 0.1 * limit)
    rate = rates[below[np.argmin(losses.mean(axis=0)[below])]]
    return rate, limit / rate


# Lesson 11


@_answer(
    "confusion_matrix",
    right=False,
    kind="repeated index",
    mistake="Adds at repeated indices at once, which counts every pair one time at most.",
)
def confusion_matrix_adds_once(labels, predictions, num_classes):
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    matrix[labels, predictions] += 1
    return matrix


@_answer(
    "accuracy_interval",
    right=False,
    kind="rare branch",
    mistake="With no hit, or with hits only, it uses the rule of three, and not Wilson's formula.",
)
def accuracy_interval_rule_of_three(correct, total, z):
    if correct == 0:
        return 0.0, min(1.0, 3 / total)
    if correct == total:
        return max(0.0, 1 - 3 / total), 1.0
    p = correct / total
    denominator = 1 + z * z / total
    center = (p + z * z / (2 * total)) / denominator
    half = z * math.sqrt((p * (1 - p) + z * z / (4 * total)) / total) / denominator
    return center - half, center + half


@_answer(
    "worth_switching",
    right=False,
    kind="wrong threshold",
    mistake="The verdict is -1 only where the whole interval lies below 0, and not below worth.",
)
def worth_switching_worse_means_below_zero(old, new, worth, t):
    gains = np.subtract(new, old)
    difference = gains.mean()
    half = t * gains.std(ddof=1) / np.sqrt(gains.size)
    low, high = difference - half, difference + half
    return (1 if low > worth else -1 if high < 0 else 0), difference, half


@_answer("worth_switching", right=True)
def worth_switching_by_statistics(old, new, worth, t):
    gains = [float(b) - float(a) for a, b in zip(old, new, strict=True)]
    difference = statistics.fmean(gains)
    half = t * statistics.stdev(gains) / math.sqrt(len(gains))
    above = int(difference - half > worth)
    below = int(difference + half < worth)
    return above - below, difference, half


# Lesson 12


@_answer(
    "occlusion_map",
    right=False,
    kind="two faults",
    mistake="The difference has the wrong sign, and patches begin at each pixel, not side by side.",
)
def occlusion_map_turned_sign_and_overlapping(predict, image, patch_size, fill):
    rows, columns = image.shape[0] // patch_size, image.shape[1] // patch_size
    score = predict(image[None])[0]
    result = np.zeros((rows, columns))
    for r in range(rows):
        for c in range(columns):
            occluded = image.copy()
            occluded[r : r + patch_size, c : c + patch_size] = fill
            result[r, c] = predict(occluded[None])[0] - score
    return result


@_answer("occlusion_map", right=True)
def occlusion_map_in_one_batch(predict, image, patch_size, fill):
    rows, columns = image.shape[0] // patch_size, image.shape[1] // patch_size
    batch = np.repeat(np.asarray(image, dtype=float)[None], rows * columns + 1, axis=0)
    for number in range(rows * columns):
        row, column = divmod(number, columns)
        down = slice(row * patch_size, (row + 1) * patch_size)
        across = slice(column * patch_size, (column + 1) * patch_size)
        batch[number + 1, down, across, :] = fill
    scores = np.asarray(predict(batch)).reshape(-1)
    return (scores[0] - scores[1:]).reshape(rows, columns)


@_answer(
    "grad_cam",
    right=False,
    kind="denominator",
    mistake="The weight of a channel is the sum of its gradients and not their mean.",
)
def grad_cam_sum_of_gradients(maps, gradients):
    weights = np.sum(gradients, axis=(0, 1))
    heat = maps @ weights
    return heat * (heat > 0)


@_answer(
    "pointing_game",
    right=False,
    kind="concept",
    mistake="Tosses one coin with the mean share for all images, though each has its own.",
)
def pointing_game_one_coin(heat, masks):
    n = len(heat)
    best = heat.reshape(n, -1).argmax(axis=1)
    hits = int(np.take_along_axis(masks.reshape(n, -1), best[:, None], axis=1).sum())
    p = masks.mean()
    p_value = sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(hits, n + 1))
    return hits, n * p, p_value


# Lesson 13


@_answer(
    "repair_missing_relu",
    right=False,
    kind="off by one",
    mistake="Puts a ReLU behind the last convolution, too.",
)
def repair_missing_relu_behind_all(inputs, kernels):
    outputs = inputs
    for kernel in kernels:
        outputs = np.maximum(ops.conv2d(outputs, kernel), 0)
    return outputs


@_answer(
    "repair_double_softmax",
    right=False,
    kind="indexing",
    mistake="Picks the columns of all labels in every row, instead of one number from each row.",
)
def repair_double_softmax_all_columns(probabilities, labels):
    return np.mean(-np.log(probabilities[:, labels]))


@_answer(
    "repair_batch_norm_mode",
    right=False,
    kind="epsilon",
    mistake="In training epsilon is added to the deviation and not to the variance.",
)
def repair_batch_norm_mode_epsilon_in_one_branch(
    inputs, moving_mean, moving_variance, epsilon, training
):
    if training:
        axes = (0, 1, 2)
        return (inputs - inputs.mean(axis=axes)) / (inputs.std(axis=axes) + epsilon)
    return (inputs - moving_mean) / np.sqrt(moving_variance + epsilon)


@_answer(
    "repair_leaky_split",
    right=False,
    kind="wrong shape",
    mistake="Argwhere gives a column of positions, shape (n, 1), and not a row of them.",
)
def repair_leaky_split_in_columns(sources, held_out):
    chosen = np.isin(sources, held_out)
    return np.argwhere(~chosen), np.argwhere(chosen)


@_answer(
    "repair_channel_order",
    right=False,
    kind="off by one",
    mistake="Rollaxis moves the channels to before axis 3, so that the columns stay last.",
)
def repair_channel_order_rolls_too_short(images):
    return np.rollaxis(images, 1, 3)


@_answer(
    "repair_shifted_labels",
    right=False,
    kind="mask type",
    mistake="The mask holds whole numbers, so that it picks the images 0 and 1 again and again.",
)
def repair_shifted_labels_mask_of_numbers(images, labels, broken):
    keep = np.ones(len(labels), dtype=int)
    keep[broken] = 0
    return images[keep], labels[keep]


@_answer(
    "repair_learning_rate",
    right=False,
    kind="missing numbers",
    mistake="A loss that is NaN becomes 0, and so the lowest of all.",
)
def repair_learning_rate_nan_becomes_zero(rates, losses):
    best = np.argmin(np.nan_to_num(losses))
    return 0.1 * rates[best]


@_answer(
    "repair_flatten_head",
    right=False,
    kind="denominator",
    mistake="The sum over rows and columns is divided by the number of rows only.",
)
def repair_flatten_head_divides_by_rows(maps):
    scores = maps.mean(axis=1).sum(axis=1)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@_answer(
    "leaked_images",
    right=False,
    kind="duplicates",
    mistake="Names a place once for each copy among the training images.",
)
def leaked_images_every_copy(train_images, validation_images):
    places = []
    for place, image in enumerate(validation_images):
        for other in train_images:
            if np.array_equal(image, other) or np.array_equal(image, other[:, ::-1]):
                places.append(place)
    return np.array(places, dtype=int)


@_answer("leaked_images", right=True)
def leaked_images_in_a_set(train_images, validation_images):
    def key(image):
        return tuple(map(tuple, image.tolist()))

    known = {key(image) for image in train_images}
    known |= {key(np.fliplr(image)) for image in train_images}
    return np.array([i for i, image in enumerate(validation_images) if key(image) in known], int)


# Lesson 15


@_answer(
    "quantize",
    right=False,
    kind="sign",
    mistake="Takes the largest weight and not the largest absolute one; negative ones are cut.",
)
def quantize_largest_with_its_sign(kernel):
    largest = kernel.max(axis=(0, 1, 2))
    scales = np.where(largest > 0, largest, 127) / 127
    integers = np.clip(np.round(kernel / scales), -127, 127)
    return integers, scales, integers * scales


@_answer(
    "find_fault",
    right=False,
    kind="tolerance",
    mistake="Allows a fixed thousandth, and not a thousandth of the largest output.",
)
def find_fault_fixed_tolerance(reference, deployed, images):
    target = reference(images)
    answer = deployed(images)
    if np.allclose(answer, target, atol=1e-3):
        return 0
    if np.allclose(deployed(255 * images), target, atol=1e-3):
        return 1
    if np.allclose(deployed(np.flip(images, axis=-1)), target, atol=1e-3):
        return 2
    if np.allclose(answer[:, 1:-1, 1:-1], target[:, 1:-1, 1:-1], atol=1e-3):
        return 3
    return 4
