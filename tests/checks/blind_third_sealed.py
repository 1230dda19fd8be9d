"""The sealed half of the third collection, of the same making; see ``blind_third.py``.

Judged once, at the end, after nothing was mended for it. Nothing here may be changed to please a
check: an answer that is misjudged is a finding.
"""

from __future__ import annotations

import math

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
    kind="moments of both sets",
    mistake="The deviation is that of training and test images together.",
)
def standardize_spread_of_everything(train_images, test_images):
    mu = np.mean(train_images)
    everything = np.concatenate([np.ravel(train_images), np.ravel(test_images)])
    sigma = np.std(everything)
    f = lambda a: np.float32((a - mu) / sigma)  # noqa: E731 - as a learner writes it
    return f(train_images), f(test_images)


@_answer(
    "standardize_channels",
    right=False,
    kind="own moments for the test images",
    mistake="The test images are divided by their own deviations.",
)
def standardize_channels_test_by_itself(train_images, test_images):
    axes = (0, 1, 2)
    mean = train_images.mean(axes)
    train = (train_images - mean) / train_images.std(axes)
    test = (test_images - mean) / test_images.std(axes)
    return train.astype(np.float32), test.astype(np.float32)


@_answer(
    "nearest_mean",
    right=False,
    kind="classes of equal size",
    mistake="Divides a class's sum by images over classes, as if all classes were as large.",
)
def nearest_mean_equal_shares(train_images, train_labels, images, num_classes):
    per_class = len(train_images) / num_classes
    sums = np.zeros((num_classes, *train_images.shape[1:]))
    for img, lab in zip(train_images, train_labels):  # noqa: B905
        sums[lab] += img
    means = sums / per_class
    d = [[((x - m) ** 2).sum() for m in means] for x in images.astype(float)]
    return np.argmin(d, axis=1)


@_answer("nearest_mean", right=True)
def nearest_mean_through_matrix_products(train_images, train_labels, images, num_classes):
    x = train_images.reshape(len(train_images), -1).astype(float)
    y = images.reshape(len(images), -1).astype(float)
    member = np.eye(num_classes)[train_labels]
    means = member.T @ x / member.sum(axis=0)[:, None]
    return np.argmax(y @ means.T - 0.5 * (means**2).sum(axis=1), axis=1)


# Lesson 02


@_answer(
    "correlate2d",
    right=False,
    kind="type of the image",
    mistake="The answers are stored in the image's type: fractions and signs are lost for uint8.",
)
def correlate2d_zeros_like_the_image(image, kernel):
    kh, kw = kernel.shape
    out = np.zeros((image.shape[0] - kh + 1, image.shape[1] - kw + 1), dtype=image.dtype)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            out[y, x] = np.sum(image[y : y + kh, x : x + kw] * kernel)
    return out


@_answer(
    "same_padding",
    right=False,
    kind="argument ignored",
    mistake="Ignores the stride: pads kernel - 1 places.",
)
def same_padding_for_stride_one(size, kernel_size, stride):
    p = kernel_size - 1
    return (p // 2, p - p // 2)


@_answer(
    "output_size",
    right=False,
    kind="rounding",
    mistake="For valid, rounds up, so a window that sticks out counts.",
)
def output_size_valid_ceil(size, kernel_size, stride, padding):
    return {
        "valid": math.ceil((size - kernel_size) / stride) + 1,
        "same": math.ceil(size / stride),
    }[padding]


@_answer("output_size", right=True)
def output_size_counting_starts(size, kernel_size, stride, padding):
    last = size if padding == "same" else size - kernel_size + 1
    return len(range(0, last, stride))


@_answer(
    "conv2d",
    right=False,
    kind="square kernel",
    mistake="Exchanges kernel height and width.",
)
def conv2d_width_for_height(inputs, kernel, bias):
    kw, kh = kernel.shape[0], kernel.shape[1]
    n, h, w, _ = inputs.shape
    out = np.zeros((n, h - kh + 1, w - kw + 1, kernel.shape[3]))
    for i in range(h - kh + 1):
        for j in range(w - kw + 1):
            patch = inputs[:, i : i + kh, j : j + kw, :]
            out[:, i, j, :] = np.tensordot(patch, kernel, axes=([1, 2, 3], [0, 1, 2]))
    return out + bias


@_answer(
    "conv2d",
    right=False,
    kind="bias missing",
    mistake="The bias is never added.",
)
def conv2d_without_bias(inputs, kernel, bias):
    kh, kw = kernel.shape[:2]
    win = np.lib.stride_tricks.sliding_window_view(inputs, (kh, kw), axis=(1, 2))
    return np.einsum("nyxcij,ijcf->nyxf", win, kernel)


# Lesson 03


@_answer("relu", right=False, kind="cut from above", mistake="ReLU6: cuts at 6 as well.")
def relu_up_to_six(inputs):
    return np.clip(inputs, 0, 6)


@_answer(
    "receptive_field",
    right=False,
    kind="order of layers",
    mistake="The recursion for walking from the output to the input is run from the input on.",
)
def receptive_field_wrong_end(layers):
    size = 1
    for kernel_size, stride in layers:
        size = (size - 1) * stride + kernel_size
    return size


@_answer("receptive_field", right=True)
def receptive_field_recursive(layers):
    if not layers:
        return 1
    (kernel_size, stride), *rest = layers
    return (receptive_field_recursive(rest) - 1) * stride + kernel_size


@_answer(
    "seen_pixels",
    right=False,
    kind="one too many",
    mistake="The last pixel is one too far: the end is exclusive.",
)
def seen_pixels_exclusive_end(layers, place):
    field, jump = 1, 1
    for k, s in layers:
        field += (k - 1) * jump
        jump *= s
    return place * jump, place * jump + field


@_answer(
    "strongest_images",
    right=False,
    kind="order",
    mistake="argpartition leaves the strongest ones unsorted.",
)
def strongest_images_partition(maps, count):
    peaks = maps.reshape(len(maps), -1).max(axis=1).astype(float)
    if count >= len(peaks):
        return np.arange(len(peaks))
    return np.sort(np.argpartition(-peaks, count)[:count])


@_answer(
    "strongest_images",
    right=False,
    kind="values instead of indices",
    mistake="Returns the highest activations, not the indices of their images.",
)
def strongest_images_activations(maps, count):
    return sorted((float(m.max()) for m in maps), reverse=True)[:count]


# Lesson 04


@_answer(
    "batch_norm_train",
    right=False,
    kind="part of a tuple",
    mistake="The third part is the standard deviation, not the variance.",
)
def batch_norm_train_gives_deviation(inputs, gamma, beta, epsilon):
    inputs = np.asarray(inputs, np.float64)
    mean = inputs.mean(axis=(0, 1, 2))
    std = inputs.std(axis=(0, 1, 2))
    out = gamma * (inputs - mean) / np.sqrt(std**2 + epsilon) + beta
    return out, mean, std


@_answer("batch_norm_train", right=True)
def batch_norm_train_flattened(inputs, gamma, beta, epsilon):
    flat = inputs.reshape(-1, inputs.shape[-1]).astype(np.float64)
    mean = flat.sum(0) / flat.shape[0]
    variance = ((flat - mean) ** 2).sum(0) / flat.shape[0]
    out = (flat - mean) * (gamma / (variance + epsilon) ** 0.5) + beta
    return [out.reshape(inputs.shape), mean, variance]


@_answer(
    "update_moving",
    right=False,
    kind="weight missing",
    mistake="The batch's value is added whole, not times 1 - momentum.",
)
def update_moving_adds_the_whole_value(moving, batch_value, momentum):
    return momentum * moving + batch_value


@_answer(
    "merge_moments",
    right=False,
    kind="spread of the means missing",
    mistake="The variance is the weighted mean of the variances; the means' spread is missing.",
)
def merge_moments_within_only(counts, means, variances):
    n = counts.sum()
    return counts @ means / n, counts @ variances / n


@_answer(
    "batch_norm_inference", right=False, kind="root", mistake="Divides without taking the root."
)
def batch_norm_inference_no_root(inputs, gamma, beta, moving_mean, moving_variance, epsilon):
    return gamma * ((inputs - moving_mean) / (moving_variance + epsilon)) + beta


@_answer(
    "fold_batch_norm",
    right=False,
    kind="axis",
    mistake="The factor is laid along the kernel's input channels, not its filters.",
)
def fold_batch_norm_along_inputs(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon):
    s = gamma / np.sqrt(moving_variance + epsilon)
    return kernel * s[:, None], (bias - moving_mean) * s + beta


@_answer(
    "fold_batch_norm",
    right=False,
    kind="offset missing",
    mistake="The folded bias lacks beta.",
)
def fold_batch_norm_forgets_beta(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon):
    root = (moving_variance + epsilon) ** 0.5
    return kernel / root * gamma, (bias - moving_mean) / root * gamma


# Lesson 05


@_answer(
    "average_pool2d",
    right=False,
    kind="place of the padding",
    mistake="With same, all padding comes after: the windows start at the first pixel.",
)
def average_pool2d_pads_only_at_the_end(inputs, pool_size, padding):
    n, h, w, c = inputs.shape
    up = math.ceil if padding == "same" else math.floor
    rows, cols = up(h / pool_size), up(w / pool_size)
    out = np.zeros((n, rows, cols, c))
    for r in range(rows):
        for q in range(cols):
            part = inputs[:, r * pool_size :, q * pool_size :][:, :pool_size, :pool_size]
            out[:, r, q] = part.mean(axis=(1, 2))
    return out


@_answer(
    "max_pool2d",
    right=False,
    kind="raises for whole numbers",
    mistake="Padding with minus infinity fails for whole numbers.",
)
def max_pool2d_infinite_padding(inputs, pool_size, padding):
    if padding == "same":
        (t, b), (left, r) = (ops.same_padding(s, pool_size, pool_size) for s in inputs.shape[1:3])
        inputs = np.pad(inputs, ((0, 0), (t, b), (left, r), (0, 0)), constant_values=float("-inf"))
    n, h, w, c = inputs.shape
    p = pool_size
    return (
        inputs[:, : h // p * p, : w // p * p]
        .reshape(n, h // p, p, w // p, p, c)
        .max(axis=4)
        .max(axis=2)
    )


@_answer(
    "global_average_pool2d",
    right=False,
    kind="square",
    mistake="Divides by the height squared: right for square maps only.",
)
def global_average_pool2d_square(inputs):
    return inputs.sum(axis=(1, 2)) / inputs.shape[1] ** 2


@_answer("global_average_pool2d", right=True)
def global_average_pool2d_in_two_steps(inputs):
    return np.mean(np.mean(inputs, axis=1), axis=1)


@_answer("dropout", right=False, kind="scale", mistake="Divides by rate instead of 1 - rate.")
def dropout_divides_by_rate(inputs, rate, keep_mask, training):
    if training and rate > 0:
        return np.where(keep_mask, inputs / rate, 0.0)
    return inputs * 1.0


# Lesson 06


@_answer(
    "conv2d_backward",
    right=False,
    kind="stride",
    mistake="The gradient at the inputs is laid without the stride.",
)
def conv2d_backward_inputs_without_stride(grad_outputs, inputs, kernel, stride):
    kh, kw, _, co = kernel.shape
    n, oh, ow, _ = grad_outputs.shape
    gx = np.zeros(inputs.shape)
    gk = np.zeros(kernel.shape)
    for b in range(n):
        for y in range(oh):
            for x in range(ow):
                for f in range(co):
                    g = grad_outputs[b, y, x, f]
                    gx[b, y : y + kh, x : x + kw] += g * kernel[..., f]
                    ys, xs = y * stride, x * stride
                    gk[..., f] += g * inputs[b, ys : ys + kh, xs : xs + kw]
    return gx, gk, grad_outputs.sum((0, 1, 2))


@_answer(
    "average_pool2d_backward",
    right=False,
    kind="leftover rows missing",
    mistake="Leftover rows and columns are missing from the answer.",
)
def average_pool2d_backward_without_leftovers(grad_outputs, inputs_shape, pool_size):
    block = np.ones((1, pool_size, pool_size, 1)) / pool_size**2
    return np.kron(grad_outputs, block)


@_answer(
    "max_pool2d_backward",
    right=False,
    kind="stride",
    mistake="Windows start at i and j instead of i and j times the pool's size.",
)
def max_pool2d_backward_windows_overlap(grad_outputs, inputs, pool_size):
    g = np.zeros_like(inputs, dtype=float)
    n, rows, cols, ch = grad_outputs.shape
    for b, i, j, c in np.ndindex(n, rows, cols, ch):
        window = inputs[b, i : i + pool_size, j : j + pool_size, c]
        y, x = np.unravel_index(window.argmax(), window.shape)
        g[b, i + y, j + x, c] += grad_outputs[b, i, j, c]
    return g


@_answer("max_pool2d_backward", right=True)
def max_pool2d_backward_by_comparing(grad_outputs, inputs, pool_size):
    n, r, q, c = grad_outputs.shape
    p = pool_size
    cut = inputs[:, : r * p, : q * p]
    peaks = cut.reshape(n, r, p, q, p, c).max(axis=(2, 4))
    big = lambda a: np.repeat(np.repeat(a, p, 1), p, 2)  # noqa: E731
    out = np.zeros(inputs.shape)
    out[:, : r * p, : q * p] = (cut == big(peaks)) * big(grad_outputs)
    return out


@_answer(
    "batch_norm_backward",
    right=False,
    kind="moments taken as constants",
    mistake="Treats mean and variance as constants: the gradient through them is missing.",
)
def batch_norm_backward_constant_moments(grad_outputs, inputs, gamma, epsilon):
    m, v = inputs.mean((0, 1, 2)), inputs.var((0, 1, 2))
    hat = (inputs - m) / np.sqrt(v + epsilon)
    return (
        grad_outputs * gamma / np.sqrt(v + epsilon),
        np.sum(grad_outputs * hat, axis=(0, 1, 2)),
        np.sum(grad_outputs, axis=(0, 1, 2)),
    )


# Lesson 07


@_answer(
    "count_parameters",
    right=False,
    kind="side not squared",
    mistake="Counts kernel_size instead of kernel_size squared weights for each pair of channels.",
)
def count_parameters_side_once(channels_in, filters, kernel_size, batch_norm):
    n = (channels_in * kernel_size + 1) * filters
    moving = filters * 2 * int(batch_norm)
    return n + moving, moving


@_answer(
    "softmax_cross_entropy",
    right=False,
    kind="outer indexing",
    mistake="logits[:, labels] takes every label's column in every row.",
)
def softmax_cross_entropy_all_columns(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.mean(log_p[:, labels])


@_answer("softmax_cross_entropy", right=True)
def softmax_cross_entropy_logaddexp(logits, labels):
    losses = [np.logaddexp.reduce(row) - row[k] for row, k in zip(logits, labels, strict=True)]
    return sum(losses) / len(losses)


# Lessons 08 and 09


@_answer(
    "build_simple_cnn",
    right=False,
    kind="another head",
    mistake="Flatten and a dense layer stand where global average pooling is wanted.",
)
def build_simple_cnn_dense_head(input_shape, num_classes):
    m = keras.Sequential()
    m.add(keras.Input(shape=input_shape))
    m.add(layers.Conv2D(16, (7, 7), padding="same", name="image_array"))
    m.add(layers.BatchNormalization())
    m.add(layers.Conv2D(16, (7, 7), padding="same"))
    m.add(layers.BatchNormalization())
    m.add(layers.Activation("relu"))
    m.add(layers.AveragePooling2D((2, 2), padding="same"))
    m.add(layers.Dropout(0.5))
    for f, k in ((32, 5), (64, 3), (128, 3)):
        for _ in range(2):
            m.add(layers.Conv2D(f, (k, k), padding="same"))
            m.add(layers.BatchNormalization())
        m.add(layers.Activation("relu"))
        m.add(layers.AveragePooling2D((2, 2), padding="same"))
        m.add(layers.Dropout(0.5))
    m.add(layers.Conv2D(256, (3, 3), padding="same"))
    m.add(layers.BatchNormalization())
    m.add(layers.Flatten())
    m.add(layers.Dense(num_classes))
    m.add(layers.Activation("softmax", name="predictions"))
    return m


@_answer(
    "build_simpler_cnn",
    right=False,
    kind="setting",
    mistake="The second convolution of block 4 has 64 filters instead of 128.",
)
def build_simpler_cnn_narrow_fourth_block(input_shape, num_classes):
    inputs = keras.Input(input_shape)
    x = inputs
    first = True
    for filters, k1, k2 in [(16, 5, 5), (32, 5, 5), (64, 3, 3), (64, 1, 3)]:
        x = layers.Conv2D(filters, k1, padding="same", name="image_array" if first else None)(x)
        first = False
        x = layers.BatchNormalization()(x)
        x = layers.Conv2D(filters, k2, strides=2, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        x = layers.Dropout(0.25)(x)
    x = layers.BatchNormalization()(layers.Conv2D(256, 1, padding="same")(x))
    x = layers.Conv2D(128, 3, strides=2, padding="same")(x)
    x = layers.BatchNormalization()(layers.Conv2D(256, 1, padding="same")(x))
    x = layers.Conv2D(num_classes, 3, strides=2, padding="same")(x)
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Softmax(name="predictions")(x))


@_answer(
    "head_outputs",
    right=False,
    kind="side not squared",
    mistake="Multiplies the classes by the side instead of by its square.",
)
def head_outputs_one_side(input_size, halvings, num_classes):
    for _ in range(halvings):
        input_size = (input_size + 1) // 2
    return input_size * num_classes


# Lesson 10


@_answer("split_indices", right=False, kind="rounding", mistake="Cuts the number off, not rounded.")
def split_indices_int(count, validation_fraction, seed):
    rng = np.random.default_rng(seed)
    idx = rng.permutation(count)
    n_val = int(count * validation_fraction)
    return idx[n_val:], idx[:n_val]


@_answer("split_indices", right=True)
def split_indices_shuffles_an_array(count, validation_fraction, seed):
    numbers = np.arange(count)
    np.random.default_rng(seed).shuffle(numbers)
    held = round(count * validation_fraction)
    return numbers[: count - held], numbers[count - held :]


@_answer(
    "cosine_schedule",
    right=False,
    kind="degrees",
    mistake="Hands degrees to a cosine that wants radians.",
)
def cosine_schedule_degrees(step, total_steps, peak):
    if step >= total_steps:
        return 0.0
    return peak / 2 * (1 + math.cos(180 * step / total_steps))


@_answer(
    "augment",
    right=False,
    kind="one coin",
    mistake="One coin for the whole batch.",
)
def augment_all_or_none(images, rng):
    if rng.random() < 0.5:
        return images[:, :, ::-1, :].copy()
    return images.copy()


# Lesson 11


@_answer(
    "confusion_matrix",
    right=False,
    kind="shares instead of counts",
    mistake="Divides each row by its sum: shares, not counts.",
)
def confusion_matrix_normalized(labels, predictions, num_classes):
    cm = np.zeros((num_classes, num_classes))
    for t, p in zip(labels, predictions):  # noqa: B905
        cm[t][p] += 1
    return cm / np.maximum(cm.sum(axis=1, keepdims=True), 1)


@_answer(
    "accuracy_interval",
    right=False,
    kind="slip in the formula",
    mistake="Under the root stands z²/(4n) instead of z²/(4n²).",
)
def accuracy_interval_slip(correct, total, z):
    p, n = correct / total, total
    middle = p + z**2 / (2 * n)
    margin = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n))
    scale = 1 + z**2 / n
    return (middle - margin) / scale, (middle + margin) / scale


# Lesson 12


@_answer(
    "occlusion_map",
    right=False,
    kind="copy outside the loop",
    mistake="Copies the image once: patches that were hidden stay hidden.",
)
def occlusion_map_stays_hidden(predict, image, patch_size, fill):
    score = float(predict(image[None])[0])
    h, w = image.shape[0] // patch_size, image.shape[1] // patch_size
    result = np.empty((h, w))
    work = image.copy()
    for i in range(h):
        for j in range(w):
            y, x = i * patch_size, j * patch_size
            work[y : y + patch_size, x : x + patch_size, :] = fill
            result[i, j] = score - predict(work[None])[0]
    return result


@_answer(
    "grad_cam",
    right=False,
    kind="order",
    mistake="Takes the ReLU of each channel before the sum.",
)
def grad_cam_relu_before_sum(maps, gradients):
    w = np.mean(gradients, axis=(0, 1))
    return np.sum(np.maximum(maps * w[None, None, :], 0), axis=2)


@_answer("grad_cam", right=True)
def grad_cam_as_a_product(maps, gradients):
    cam = maps @ gradients.mean(axis=0).mean(axis=0)
    cam[cam < 0] = 0
    return cam


# Lesson 13


@_answer(
    "repair_missing_relu",
    right=False,
    kind="place of the ReLU",
    mistake="The ReLU stands before every convolution, so the images are cut as well.",
)
def repair_missing_relu_before(inputs, kernels):
    x = inputs
    for kernel in kernels:
        x = ops.conv2d(ops.relu(x), kernel)
    return x


@_answer(
    "repair_double_softmax",
    right=False,
    kind="constant factor",
    mistake="Takes the logarithm to the base 2.",
)
def repair_double_softmax_bits(probabilities, labels):
    picked = probabilities[np.arange(len(labels)), labels]
    return float(-np.log2(picked).mean())


@_answer(
    "repair_batch_norm_mode",
    right=False,
    kind="training only",
    mistake="In training the mean is the batch's, but the variance is the stored one.",
)
def repair_batch_norm_mode_stored_variance(inputs, moving_mean, moving_variance, epsilon, training):
    mean = inputs.mean(axis=(0, 1, 2)) if training else moving_mean
    return (inputs - mean) / np.sqrt(moving_variance + epsilon)


@_answer(
    "repair_leaky_split",
    right=False,
    kind="masks instead of positions",
    mistake="Returns two boolean masks instead of positions.",
)
def repair_leaky_split_masks(sources, held_out):
    validation = np.isin(sources, held_out)
    return ~validation, validation


@_answer(
    "repair_channel_order",
    right=False,
    kind="wrong axis moved",
    mistake="Moves the batch axis to the end, not the channels.",
)
def repair_channel_order_moves_the_batch(images):
    return np.moveaxis(images, 0, -1)


@_answer("repair_channel_order", right=True)
def repair_channel_order_stacking(images):
    return np.stack([images[:, c] for c in range(images.shape[1])], axis=-1)


@_answer(
    "repair_shifted_labels",
    right=False,
    kind="more than one broken",
    mistake="Deletes one after another, so later positions have moved up.",
)
def repair_shifted_labels_one_by_one(images, labels, broken):
    images, labels = list(images), list(labels)
    for i in sorted(broken):
        if i < len(images):
            images.pop(i)
            labels.pop(i)
    return np.array(images), np.array(labels)


@_answer(
    "repair_learning_rate",
    right=False,
    kind="loss instead of rate",
    mistake="Returns a tenth of the lowest loss, not of its rate.",
)
def repair_learning_rate_of_the_loss(rates, losses):
    return np.nanmin(losses) / 10


@_answer(
    "repair_flatten_head",
    right=False,
    kind="sum",
    mistake="Adds the scores of all places up instead of taking their mean.",
)
def repair_flatten_head_adds_up(maps):
    logits = maps.sum(axis=(1, 2))
    logits = logits - logits.max(axis=1, keepdims=True)
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
