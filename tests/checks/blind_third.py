"""A third collection of answers to all exercises, right and wrong, by a reader of their texts.

Written before a look at the banks or the engine, and after the second collection had been opened.
Its sealed half is ``blind_third_sealed.py``. Nothing here may be changed to please a check: an
answer that is misjudged is a finding.
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
    kind="axis",
    mistake="Takes a mean and a deviation for each pixel (axis 0) instead of over all pixels.",
)
def standardize_every_pixel_by_itself(train_images, test_images):
    mean = train_images.mean(axis=0)
    std = train_images.std(axis=0) + 1e-7
    train = ((train_images - mean) / std).astype(np.float32)
    test = ((test_images - mean) / std).astype(np.float32)
    return train, test


@_answer(
    "standardize_channels",
    right=False,
    kind="mixed moments",
    mistake="The mean is taken for each channel, the deviation over all pixels and channels.",
)
def standardize_channels_with_one_deviation(train_images, test_images):
    centre = train_images.mean(axis=(0, 1, 2))
    spread = train_images.std()
    return tuple(
        ((np.asarray(part, dtype=np.float64) - centre) / spread).astype("float32")
        for part in (train_images, test_images)
    )


@_answer("standardize_channels", right=True)
def standardize_channels_one_after_the_other(train_images, test_images):
    a = np.empty(train_images.shape, np.float32)
    b = np.empty(test_images.shape, np.float32)
    for c in range(train_images.shape[-1]):
        values = train_images[..., c].astype(float).ravel()
        m = values.sum() / len(values)
        s = math.sqrt(((values - m) ** 2).sum() / len(values))
        a[..., c] = (train_images[..., c] - m) / s
        b[..., c] = (test_images[..., c] - m) / s
    return a, b


@_answer(
    "nearest_mean",
    right=False,
    kind="distance",
    mistake="Sums absolute differences (Manhattan) instead of squared ones.",
)
def nearest_mean_by_blocks(train_images, train_labels, images, num_classes):
    means = [train_images[train_labels == c].mean(axis=0) for c in range(num_classes)]
    result = []
    for img in images:
        dists = [np.sum(np.abs(img - m)) for m in means]
        result.append(int(np.argmin(dists)))
    return np.array(result)


@_answer(
    "nearest_mean",
    right=False,
    kind="axis",
    mistake="Takes the argmin over images, not over classes: one number for each class.",
)
def nearest_mean_for_each_class(train_images, train_labels, images, num_classes):
    flat = train_images.reshape(len(train_images), -1).astype(float)
    means = np.stack([flat[train_labels == k].mean(0) for k in range(num_classes)])
    test = images.reshape(len(images), -1).astype(float)
    d = np.linalg.norm(test[:, None] - means[None], axis=2)
    return d.argmin(axis=0)


# Lesson 02


@_answer(
    "correlate2d",
    right=False,
    kind="last left out",
    mistake="The loops end one place too early: the last row and column of answers are missing.",
)
def correlate2d_range_without_plus_one(image, kernel):
    H, W = image.shape
    kh, kw = kernel.shape
    out = np.zeros((H - kh, W - kw))
    for y in range(H - kh):
        for x in range(W - kw):
            out[y, x] = (image[y : y + kh, x : x + kw] * kernel).sum()
    return out


@_answer("correlate2d", right=True)
def correlate2d_shifting_the_image(image, kernel):
    image = np.asarray(image, float)
    kh, kw = np.shape(kernel)
    h, w = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    total = np.zeros((h, w))
    for (i, j), weight in np.ndenumerate(kernel):
        total += weight * image[i : i + h, j : j + w]
    return total.tolist()


@_answer(
    "same_padding",
    right=False,
    kind="size does not divide",
    mistake="Takes kernel - stride as the padding, which is right only if the stride divides.",
)
def same_padding_from_kernel_and_stride(size, kernel_size, stride):
    total = max(kernel_size - stride, 0)
    before = total // 2
    return before, total - before


@_answer(
    "output_size",
    right=False,
    kind="rounding",
    mistake="For same, rounds the quotient down instead of up.",
)
def output_size_same_floor(size, kernel_size, stride, padding):
    if padding == "same":
        return size // stride
    return (size - kernel_size) // stride + 1


@_answer(
    "conv2d",
    right=False,
    kind="bias counted more than once",
    mistake="Adds the bias once for every input channel.",
)
def conv2d_bias_in_the_channel_loop(inputs, kernel, bias):
    B, H, W, C = inputs.shape
    kh, kw, _, F = kernel.shape
    out = np.zeros((B, H - kh + 1, W - kw + 1, F))
    for f in range(F):
        for c in range(C):
            for y in range(H - kh + 1):
                for x in range(W - kw + 1):
                    patch = inputs[:, y : y + kh, x : x + kw, c]
                    out[:, y, x, f] += (patch * kernel[:, :, c, f]).sum(axis=(1, 2)) + bias[f]
    return out


# Lesson 03


@_answer("relu", right=False, kind="leak", mistake="A leaky ReLU: negatives are scaled by 0.01.")
def relu_with_a_leak(inputs):
    return np.where(inputs > 0, inputs, 0.01 * inputs)


@_answer("relu", right=True)
def relu_by_multiplying_with_the_sign(inputs):
    return (np.sign(inputs) + 1) // 2 * inputs


@_answer(
    "receptive_field",
    right=False,
    kind="order of steps",
    mistake="Multiplies by a layer's stride before that layer's own kernel is added.",
)
def receptive_field_jump_first(layers):
    rf, jump = 1, 1
    for k, s in layers:
        jump *= s
        rf += (k - 1) * jump
    return rf


@_answer(
    "seen_pixels",
    right=False,
    kind="strides ignored in the width",
    mistake="The width is the sum of k - 1, without the strides of the layers before.",
)
def seen_pixels_width_without_strides(layers, place):
    start = place
    for _, stride in layers:
        start *= stride
    width = 1 + sum(k - 1 for k, _ in layers)
    return start, start + width - 1


@_answer("seen_pixels", right=True)
def seen_pixels_walking_backwards(layers, place):
    first = last = place
    for kernel_size, stride in layers[::-1]:
        first, last = first * stride, last * stride + kernel_size - 1
    return [first, last]


@_answer(
    "strongest_images", right=False, kind="mean", mistake="Sorts by the mean, not the maximum."
)
def strongest_images_on_average(maps, count):
    score = maps.mean(axis=(1, 2))
    return np.argsort(score)[::-1][:count]


# Lesson 04


@_answer(
    "batch_norm_train",
    right=False,
    kind="epsilon outside the root",
    mistake="Divides by the deviation plus epsilon: epsilon stands outside the root.",
)
def batch_norm_train_epsilon_beside_the_root(inputs, gamma, beta, epsilon):
    m = inputs.mean(axis=(0, 1, 2))
    v = inputs.var(axis=(0, 1, 2))
    return gamma * (inputs - m) / (np.sqrt(v) + epsilon) + beta, m, v


@_answer(
    "update_moving",
    right=False,
    kind="channels averaged",
    mistake="Averages the batch's values over the channels before it mixes them in.",
)
def update_moving_with_the_mean_of_channels(moving, batch_value, momentum):
    return momentum * np.asarray(moving) + (1 - momentum) * np.mean(batch_value)


@_answer(
    "merge_moments",
    right=False,
    kind="unweighted",
    mistake="The spread of the means is not weighted by the counts.",
)
def merge_moments_spread_unweighted(counts, means, variances):
    w = counts / counts.sum()
    mean = (w[:, None] * means).sum(axis=0)
    within = (w[:, None] * variances).sum(axis=0)
    between = means.var(axis=0)
    return mean, within + between


@_answer("merge_moments", right=True)
def merge_moments_through_mean_squares(counts, means, variances):
    mean = np.average(means, axis=0, weights=counts)
    squares = np.average(variances + np.square(means), axis=0, weights=counts)
    return mean, squares - mean**2


@_answer(
    "batch_norm_inference",
    right=False,
    kind="order of scale and offset",
    mistake="Adds beta before it multiplies by gamma.",
)
def batch_norm_inference_offset_first(inputs, gamma, beta, moving_mean, moving_variance, epsilon):
    hat = (inputs - moving_mean) / np.sqrt(moving_variance + epsilon)
    return gamma * (hat + beta)


@_answer(
    "fold_batch_norm",
    right=False,
    kind="bias not scaled",
    mistake="The old bias is not multiplied by the factor.",
)
def fold_batch_norm_old_bias_as_it_was(
    kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon
):
    factor = gamma / np.sqrt(moving_variance + epsilon)
    return kernel * factor, bias + beta - moving_mean * factor


# Lesson 05


@_answer(
    "average_pool2d",
    right=False,
    kind="padding counted",
    mistake="Pads by repeating the edge, so border pixels count more than once.",
)
def average_pool2d_repeating_the_edge(inputs, pool_size, padding):
    b, h, w, c = inputs.shape
    p = pool_size
    if padding == "same":
        th, tw = -h % p, -w % p
        around = ((0, 0), (th // 2, th - th // 2), (tw // 2, tw - tw // 2), (0, 0))
        inputs = np.pad(inputs, around, mode="edge")
        h, w = inputs.shape[1:3]
    rows, cols = h // p, w // p
    cut = inputs[:, : rows * p, : cols * p]
    return cut.reshape(b, rows, p, cols, p, c).mean(axis=(2, 4))


@_answer(
    "max_pool2d", right=False, kind="stride", mistake="The windows move by 1, not by their size."
)
def max_pool2d_one_step_at_a_time(inputs, pool_size, padding):
    x = inputs.astype(float)
    if padding == "same":
        pads = [ops.same_padding(n, pool_size, pool_size) for n in x.shape[1:3]]
        x = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(x, (pool_size, pool_size), axis=(1, 2))
    return windows.max(axis=(-1, -2))


@_answer("max_pool2d", right=True)
def max_pool2d_padded_with_the_smallest_number(inputs, pool_size, padding):
    b, h, w, c = inputs.shape
    p = pool_size
    if padding == "same":
        th, tw = -h % p, -w % p
        around = ((0, 0), (th // 2, th - th // 2), (tw // 2, tw - tw // 2), (0, 0))
        inputs = np.pad(inputs, around, constant_values=inputs.min())
    r, q = inputs.shape[1] // p, inputs.shape[2] // p
    return inputs[:, : r * p, : q * p].reshape(b, r, p, q, p, c).max(axis=(2, 4))


@_answer(
    "global_average_pool2d",
    right=False,
    kind="extra axis",
    mistake="Keeps the two axes of length 1.",
)
def global_average_pool2d_keeps_axes(inputs):
    return np.mean(inputs, axis=(1, 2), keepdims=True)


@_answer(
    "dropout",
    right=False,
    kind="scale",
    mistake="Divides by the share that this mask keeps instead of 1 - rate.",
)
def dropout_by_the_share_of_the_mask(inputs, rate, keep_mask, training):
    if not training:
        return inputs
    kept = keep_mask.mean()
    return inputs * keep_mask / kept if kept > 0 else np.zeros_like(inputs)


# Lesson 06


@_answer(
    "conv2d_backward",
    right=False,
    kind="mean over the batch",
    mistake="Averages the kernel's gradient over the batch instead of summing it.",
)
def conv2d_backward_mean_kernel_gradient(grad_outputs, inputs, kernel, stride):
    inputs = inputs.astype(np.float64)
    dx, dk = np.zeros(inputs.shape), np.zeros(kernel.shape)
    kh, kw = kernel.shape[:2]
    n, rows, cols, _ = grad_outputs.shape
    for i in range(rows):
        for j in range(cols):
            y, x = i * stride, j * stride
            g = grad_outputs[:, i, j]
            dx[:, y : y + kh, x : x + kw] += np.einsum("bf,hwcf->bhwc", g, kernel)
            dk += np.einsum("bhwc,bf->hwcf", inputs[:, y : y + kh, x : x + kw], g)
    return dx, dk / n, grad_outputs.sum(axis=(0, 1, 2))


@_answer(
    "average_pool2d_backward",
    right=False,
    kind="constant factor",
    mistake="Every input of a window gets the whole gradient, not its share.",
)
def average_pool2d_backward_whole_gradient(grad_outputs, inputs_shape, pool_size):
    out = np.zeros(inputs_shape)
    up = grad_outputs.repeat(pool_size, axis=1).repeat(pool_size, axis=2)
    out[:, : up.shape[1], : up.shape[2]] = up
    return out


@_answer("average_pool2d_backward", right=True)
def average_pool2d_backward_pixel_by_pixel(grad_outputs, inputs_shape, pool_size):
    _, rows, cols, _ = grad_outputs.shape
    gradient = np.zeros(inputs_shape)
    for y in range(inputs_shape[1]):
        for x in range(inputs_shape[2]):
            i, j = y // pool_size, x // pool_size
            if i < rows and j < cols:
                gradient[:, y, x] = grad_outputs[:, i, j] / pool_size / pool_size
    return gradient


@_answer(
    "max_pool2d_backward",
    right=False,
    kind="one channel and one image",
    mistake="Looks for the largest number of a window over all images and channels together.",
)
def max_pool2d_backward_one_winner_for_all(grad_outputs, inputs, pool_size):
    grad = np.zeros(inputs.shape)
    p = pool_size
    for i in range(grad_outputs.shape[1]):
        for j in range(grad_outputs.shape[2]):
            window = inputs[:, i * p : (i + 1) * p, j * p : (j + 1) * p, :]
            mask = window == window.max()
            grad[:, i * p : (i + 1) * p, j * p : (j + 1) * p, :] = (
                mask * grad_outputs[:, i : i + 1, j : j + 1, :]
            )
    return grad


@_answer(
    "batch_norm_backward",
    right=False,
    kind="part of a tuple",
    mistake="The gradient at gamma lacks the division by the root: not the normalized inputs.",
)
def batch_norm_backward_gamma_with_raw_inputs(grad_outputs, inputs, gamma, epsilon):
    axes = (0, 1, 2)
    centred = inputs - inputs.mean(axes)
    root = np.sqrt(inputs.var(axes) + epsilon)
    hat = centred / root
    d_hat = grad_outputs * gamma
    dx = (d_hat - d_hat.mean(axes) - hat * (d_hat * hat).mean(axes)) / root
    return dx, (grad_outputs * centred).sum(axes), grad_outputs.sum(axes)


# Lesson 07


@_answer(
    "count_parameters",
    right=False,
    kind="bias left out with normalization",
    mistake="Leaves the bias out when batch normalization follows.",
)
def count_parameters_no_bias_before_normalization(channels_in, filters, kernel_size, batch_norm):
    weights = kernel_size**2 * channels_in * filters
    if batch_norm:
        return weights + 2 * filters, 2 * filters
    return weights + filters, 0


@_answer(
    "softmax_cross_entropy",
    right=False,
    kind="one maximum for all rows",
    mistake="Subtracts the maximum of all rows together: rows far below it underflow.",
)
def softmax_cross_entropy_one_maximum(logits, labels):
    z = logits - np.max(logits)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(labels)), labels].mean()


# Lessons 08 and 09


@_answer(
    "build_simple_cnn",
    right=False,
    kind="setting",
    mistake="Dropout drops a quarter instead of one half.",
)
def build_simple_cnn_drops_a_quarter(input_shape, num_classes):
    model = keras.Sequential([keras.Input(input_shape)])
    for n, (filters, size) in enumerate(((16, 7), (32, 5), (64, 3), (128, 3))):
        for m in range(2):
            name = "image_array" if n == m == 0 else None
            model.add(layers.Conv2D(filters, size, padding="same", name=name))
            model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
        model.add(layers.AveragePooling2D(2, padding="same"))
        model.add(layers.Dropout(0.25))
    model.add(layers.Conv2D(256, 3, padding="same"))
    model.add(layers.BatchNormalization())
    model.add(layers.Conv2D(num_classes, 3, padding="same"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Softmax(name="predictions"))
    return model


@_answer(
    "build_simple_cnn",
    right=False,
    kind="layer too many",
    mistake="A ReLU stands behind every batch normalization, not only behind the second one.",
)
def build_simple_cnn_relu_after_each_normalization(input_shape, num_classes):
    x = inputs = keras.Input(shape=input_shape)

    def conv(x, filters, size, **settings):
        x = layers.Conv2D(filters, size, padding="same", **settings)(x)
        x = layers.BatchNormalization()(x)
        return layers.Activation("relu")(x)

    first = {"name": "image_array"}
    for filters, size in [(16, 7), (32, 5), (64, 3), (128, 3)]:
        x = conv(x, filters, size, **first)
        first = {}
        x = conv(x, filters, size)
        x = layers.AveragePooling2D((2, 2), padding="same")(x)
        x = layers.Dropout(0.5)(x)
    x = layers.Conv2D(256, 3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(num_classes, 3, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Activation("softmax", name="predictions")(x))


@_answer(
    "build_simpler_cnn",
    right=False,
    kind="setting at another layer",
    mistake="The stride of 2 stands at the first convolution of each block, not at the second.",
)
def build_simpler_cnn_stride_at_the_first(input_shape, num_classes):
    model = keras.Sequential([keras.Input(input_shape)])
    same = {"padding": "same"}
    blocks = [(16, 5, 16, 5), (32, 5, 32, 5), (64, 3, 64, 3), (64, 1, 128, 3)]
    for k, (f1, k1, f2, k2) in enumerate(blocks):
        name = "image_array" if k == 0 else None
        model.add(layers.Conv2D(f1, k1, strides=2, name=name, **same))
        model.add(layers.BatchNormalization())
        model.add(layers.Conv2D(f2, k2, **same))
        model.add(layers.BatchNormalization())
        model.add(layers.Activation("relu"))
        model.add(layers.Dropout(0.25))
    model.add(layers.Conv2D(256, 1, **same))
    model.add(layers.BatchNormalization())
    model.add(layers.Conv2D(128, 3, strides=2, **same))
    model.add(layers.Conv2D(256, 1, **same))
    model.add(layers.BatchNormalization())
    model.add(layers.Conv2D(num_classes, 3, strides=2, **same))
    model.add(layers.Flatten())
    model.add(layers.Activation("softmax", name="predictions"))
    return model


@_answer(
    "head_outputs",
    right=False,
    kind="rounding",
    mistake="Halves with rounding down; same rounds up.",
)
def head_outputs_floor(input_size, halvings, num_classes):
    side = input_size
    for _ in range(halvings):
        side = side // 2
    return side * side * num_classes


@_answer("head_outputs", right=True)
def head_outputs_with_a_power(input_size, halvings, num_classes):
    return (-(-input_size // 2**halvings)) ** 2 * num_classes


# Lesson 10


@_answer(
    "split_indices",
    right=False,
    kind="global state",
    mistake="Seeds and uses NumPy's global generator.",
)
def split_indices_with_the_global_seed(count, validation_fraction, seed):
    np.random.seed(seed)
    order = np.random.permutation(count)
    k = round(count * validation_fraction)
    return order[k:], order[:k]


@_answer(
    "cosine_schedule",
    right=False,
    kind="past the end",
    mistake="Does not stay at 0 past the end: the cosine climbs again.",
)
def cosine_schedule_for_ever(step, total_steps, peak):
    return 0.5 * peak * (1 + np.cos(np.pi * step / total_steps))


@_answer("augment", right=False, kind="axis", mistake="Reverses the channels, not the columns.")
def augment_last_axis(images, rng):
    out = images.copy()
    for i in range(len(out)):
        if rng.random() < 0.5:
            out[i] = out[i][..., ::-1]
    return out


@_answer("augment", right=True)
def augment_by_integers(images, rng):
    coins = rng.integers(0, 2, size=images.shape[0]).astype(bool)
    result = np.array(images)
    result[coins] = result[coins][:, :, ::-1]
    return result


# Lesson 11


@_answer(
    "confusion_matrix",
    right=False,
    kind="pairs that occur more than once",
    mistake="Indexed += counts a pair that occurs several times only once.",
)
def confusion_matrix_plus_equals(labels, predictions, num_classes):
    cm = np.zeros((num_classes, num_classes), dtype=int)
    cm[labels, predictions] += 1
    return cm


@_answer(
    "accuracy_interval",
    right=False,
    kind="another formula",
    mistake="The normal (Wald) interval, not Wilson's.",
)
def accuracy_interval_normal(correct, total, z):
    p = correct / total
    half = z * math.sqrt(p * (1 - p) / total)
    return max(0.0, p - half), min(1.0, p + half)


# Lesson 12


@_answer(
    "occlusion_map",
    right=False,
    kind="sign",
    mistake="Score with the patch hidden minus the whole score: the sign is reversed.",
)
def occlusion_map_reversed(predict, image, patch_size, fill):
    base = predict(image[np.newaxis])[0]
    rows, cols = image.shape[0] // patch_size, image.shape[1] // patch_size
    heat = np.zeros((rows, cols))
    for r in range(rows):
        for c in range(cols):
            hidden = image.copy()
            hidden[r * patch_size : (r + 1) * patch_size, c * patch_size : (c + 1) * patch_size] = (
                fill
            )
            heat[r, c] = predict(hidden[np.newaxis])[0] - base
    return heat


@_answer("occlusion_map", right=True)
def occlusion_map_in_one_batch(predict, image, patch_size, fill):
    rows, cols = image.shape[0] // patch_size, image.shape[1] // patch_size
    batch = [image]
    for r, c in np.ndindex(rows, cols):
        copy = np.array(image)
        copy[r * patch_size :][:patch_size, c * patch_size :][:, :patch_size] = fill
        batch.append(copy)
    scores = np.asarray(predict(np.stack(batch)))
    return (scores[0] - scores[1:]).reshape(rows, cols)


@_answer(
    "grad_cam",
    right=False,
    kind="weights",
    mistake="The weight of a channel is its largest gradient, not the mean.",
)
def grad_cam_largest_gradient(maps, gradients):
    weights = gradients.max(axis=(0, 1))
    return np.maximum((maps * weights).sum(axis=-1), 0)


# Lesson 13


@_answer(
    "repair_missing_relu",
    right=False,
    kind="last one as well",
    mistake="A ReLU stands behind the last convolution as well.",
)
def repair_missing_relu_everywhere(inputs, kernels):
    for k in kernels:
        inputs = np.maximum(ops.conv2d(inputs, k), 0)
    return inputs


@_answer(
    "repair_double_softmax",
    right=False,
    kind="mean over classes as well",
    mistake="Divides by images times classes instead of by images.",
)
def repair_double_softmax_mean_of_everything(probabilities, labels):
    one_hot = np.eye(probabilities.shape[1])[labels]
    return -np.mean(one_hot * np.log(probabilities + 1e-30))


@_answer(
    "repair_batch_norm_mode",
    right=False,
    kind="exchanged",
    mistake="The two modes are exchanged.",
)
def repair_batch_norm_mode_other_way_round(inputs, moving_mean, moving_variance, epsilon, training):
    if training:
        m, v = moving_mean, moving_variance
    else:
        m, v = inputs.mean(axis=(0, 1, 2)), inputs.var(axis=(0, 1, 2))
    return (inputs - m) / np.sqrt(v + epsilon)


@_answer(
    "repair_leaky_split",
    right=False,
    kind="values instead of positions",
    mistake="Returns the numbers of the photos, not the positions of the images.",
)
def repair_leaky_split_numbers_of_photos(sources, held_out):
    mask = np.isin(sources, held_out)
    return np.asarray(sources)[~mask], np.asarray(sources)[mask]


@_answer("repair_leaky_split", right=True)
def repair_leaky_split_with_lists(sources, held_out):
    held = {int(photo) for photo in held_out}
    train = [i for i, s in enumerate(sources) if int(s) not in held]
    return train, [i for i, s in enumerate(sources) if int(s) in held]


@_answer(
    "repair_channel_order",
    right=False,
    kind="axes exchanged",
    mistake="Exchanges axes 1 and 3, so rows and columns are exchanged as well.",
)
def repair_channel_order_swapaxes(images):
    return np.swapaxes(images, 1, 3)


@_answer(
    "repair_shifted_labels",
    right=False,
    kind="values instead of positions",
    mistake="Drops the images whose label is in broken, not those at the positions.",
)
def repair_shifted_labels_by_label(images, labels, broken):
    keep = ~np.isin(labels, broken)
    return images[keep], labels[keep]


@_answer(
    "repair_learning_rate",
    right=False,
    kind="NaN",
    mistake="np.argmin chooses a NaN when there is one.",
)
def repair_learning_rate_argmin(rates, losses):
    return rates[np.argmin(losses)] / 10


@_answer(
    "repair_flatten_head",
    right=False,
    kind="order",
    mistake="Takes the softmax at each place first, and the mean of the probabilities then.",
)
def repair_flatten_head_softmax_first(maps):
    e = np.exp(maps - maps.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    return p.mean(axis=(1, 2))
