"""More answers to the exercises, right and wrong, by readers who had not seen the banks.

They saw what a learner sees: the lessons, the exercises' texts and the names of the arguments.
Each wrong answer states its one true mistake, for a comparison by hand with what a check says.
Nothing here may be changed to please a check: an answer that is misjudged is a finding.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from cnncourse import ops
from cnncourse.ops import same_padding


class Answer(NamedTuple):
    """One answer, and what a good teacher would say of it.

    ``mistake`` is the truth in a sentence, ``kind`` the kind of mistake or the condition under
    which the answer is right after all; both are empty for a right answer.
    """

    exercise: str
    right: bool
    function: Callable
    mistake: str
    kind: str


def register_in(answers: list[Answer]) -> Callable[..., Callable[[Callable], Callable]]:
    """The decorator that puts an answer with its truth into a list."""

    def answer(
        exercise: str, *, right: bool, mistake: str = "", kind: str = ""
    ) -> Callable[[Callable], Callable]:
        def register(function: Callable) -> Callable:
            answers.append(Answer(exercise, right, function, mistake, kind))
            return function

        return register

    return answer


ANSWERS: list[Answer] = []
_answer = register_in(ANSWERS)


# Lesson 01


@_answer(
    "standardize",
    right=False,
    kind="statistics of both sets",
    mistake="Mean and deviation come from training and test images together, so the test leaks.",
)
def standardize_everything_together(train_images, test_images):
    everything = np.concatenate([train_images.ravel(), test_images.ravel()])
    everything_mean = everything.mean()
    everything_std = everything.std()
    scaled = [(x - everything_mean) / everything_std for x in (train_images, test_images)]
    return scaled[0].astype(np.float32), scaled[1].astype(np.float32)


@_answer(
    "standardize",
    right=False,
    kind="wrong type",
    mistake="The numbers are right, but float64 comes back where float32 was asked for.",
)
def standardize_without_a_cast(train_images, test_images):
    train_images = np.array(train_images, dtype=float)
    test_images = np.array(test_images, dtype=float)
    m = train_images.mean()
    s = train_images.std()
    return (train_images - m) / s, (test_images - m) / s


@_answer("nearest_mean", right=True)
def nearest_mean_with_norm_and_dictionary(train_images, train_labels, images, num_classes):
    means = {c: train_images[train_labels == c].mean(axis=0) for c in range(num_classes)}
    result = []
    for image in images:
        distances = {c: np.linalg.norm((image - m).ravel()) for c, m in means.items()}
        result.append(min(distances, key=distances.get))
    return np.array(result)


@_answer(
    "nearest_mean",
    right=False,
    kind="another distance",
    mistake="Sums absolute differences (city-block distance) and not their squares.",
)
def nearest_mean_in_city_blocks(train_images, train_labels, images, num_classes):
    class_means = np.array([train_images[train_labels == k].mean(0) for k in range(num_classes)])
    out = np.zeros(len(images), dtype=int)
    for n in range(len(images)):
        differences = np.abs(class_means - images[n])
        out[n] = differences.reshape(num_classes, -1).sum(axis=1).argmin()
    return out


@_answer(
    "nearest_mean",
    right=False,
    kind="right only for one channel",
    mistake="Of images with channels only the first channel is compared.",
)
def nearest_mean_in_the_first_channel(train_images, train_labels, images, num_classes):
    if train_images.ndim == 4:
        train_images = train_images[..., 0]
        images = images[..., 0]
    means = np.stack([train_images[train_labels == c].mean(axis=0) for c in range(num_classes)])
    squared = (images[:, None] - means[None]) ** 2
    return squared.sum(axis=(2, 3)).argmin(axis=1)


# Lesson 02


@_answer(
    "correlate2d",
    right=False,
    kind="off by one",
    mistake="The last row and column of places are missing: the + 1 was forgotten.",
)
def correlate_one_place_short(image, kernel):
    H, W = image.shape
    kh, kw = kernel.shape
    out = np.zeros((H - kh, W - kw))
    for y in range(H - kh):
        for x in range(W - kw):
            out[y, x] = (image[y : y + kh, x : x + kw] * kernel).sum()
    return out


@_answer(
    "correlate2d",
    right=False,
    kind="matrix product",
    mistake="MATLAB habit: @ is the matrix product; patch and kernel must be multiplied by entry.",
)
def correlate_with_a_matrix_product(image, kernel):
    m, n = kernel.shape
    rows = image.shape[0] - m + 1
    cols = image.shape[1] - n + 1
    result = np.empty((rows, cols))
    for i in range(rows):
        for j in range(cols):
            patch = image[i : i + m, j : j + n]
            result[i, j] = np.sum(patch @ kernel.T)
    return result


@_answer(
    "same_padding",
    right=False,
    kind="tuple order",
    mistake="The odd place goes before the image instead of after it.",
)
def same_padding_odd_one_first(size, kernel_size, stride):
    out = math.ceil(size / stride)
    pad = max((out - 1) * stride + kernel_size - size, 0)
    after = pad // 2
    before = pad - after
    return before, after


@_answer(
    "same_padding",
    right=False,
    kind="right only while the kernel is as wide as the stride",
    mistake="Without max(…, 0) a stride wider than the kernel gives negative padding.",
)
def same_padding_below_zero(size, kernel_size, stride):
    output = -(-size // stride)
    total = (output - 1) * stride + kernel_size - size
    before = total // 2
    return before, total - before


@_answer(
    "output_size",
    right=False,
    kind="off by one",
    mistake="With valid the + 1 for the first window is missing.",
)
def output_size_without_the_first_window(size, kernel_size, stride, padding):
    if padding == "same":
        return math.ceil(size / stride)
    else:
        return (size - kernel_size) // stride


@_answer(
    "output_size",
    right=False,
    kind="wrong type",
    mistake="np.floor and np.ceil give floats; a whole number was asked for.",
)
def output_size_as_a_float(size, kernel_size, stride, padding):
    if padding == "valid":
        return np.floor((size - kernel_size) / stride) + 1
    if padding == "same":
        return np.ceil(size / stride)


@_answer(
    "conv2d",
    right=False,
    kind="last channel only",
    mistake="Inside the channel loop = overwrites the sum; it has to be +=.",
)
def conv2d_only_the_last_channel(inputs, kernel, bias):
    kh, kw, cin, cout = kernel.shape
    H = inputs.shape[1] - kh + 1
    W = inputs.shape[2] - kw + 1
    out = np.zeros((inputs.shape[0], H, W, cout))
    for y in range(H):
        for x in range(W):
            for f in range(cout):
                for c in range(cin):
                    patch = inputs[:, y : y + kh, x : x + kw, c]
                    out[:, y, x, f] = (patch * kernel[:, :, c, f]).sum(axis=(1, 2)) + bias[f]
    return out


@_answer(
    "conv2d",
    right=False,
    kind="right only for one image",
    mistake="Only the first image is convolved; its answer is repeated for the whole batch.",
)
def conv2d_first_image_for_all(inputs, kernel, bias):
    image = inputs[0]
    kh, kw = kernel.shape[:2]
    rows, columns = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    maps = np.zeros((len(inputs), rows, columns, kernel.shape[-1]))
    for i in range(rows):
        for j in range(columns):
            maps[:, i, j] = np.tensordot(image[i : i + kh, j : j + kw], kernel, 3) + bias
    return maps


# Lesson 03


@_answer("relu", right=True)
def relu_by_multiplying_with_the_question(inputs):
    return inputs * (inputs > 0)


@_answer(
    "relu",
    right=False,
    kind="right only for two axes",
    mistake="Two nested loops expect a matrix; any other number of axes raises.",
)
def relu_in_two_loops(inputs):
    out = inputs.copy()
    rows, cols = inputs.shape
    for i in range(rows):
        for j in range(cols):
            if out[i, j] < 0:
                out[i, j] = 0
    return out


@_answer(
    "relu",
    right=False,
    kind="shape",
    mistake="The negative numbers are left out instead of set to 0, so the shape is lost.",
)
def relu_keeps_only_positives(inputs):
    return inputs[inputs > 0]


@_answer(
    "receptive_field",
    right=False,
    kind="order of layers",
    mistake="The recursion has to run from the last layer back; here it runs from the first.",
)
def receptive_field_forwards(layers):
    side = 1
    for kernel_size, stride in layers:
        side = (side - 1) * stride + kernel_size
    return side


@_answer(
    "receptive_field",
    right=False,
    kind="strides not multiplied up",
    mistake="Only the stride of the layer before counts; the strides of all before must multiply.",
)
def receptive_field_only_the_last_stride(layers):
    r = 1
    previous_stride = 1
    for k, s in layers:
        r = r + (k - 1) * previous_stride
        previous_stride = s
    return r


@_answer("strongest_images", right=True)
def strongest_by_sorting_indices(maps, count):
    peaks = [float(m.max()) for m in maps]
    return sorted(range(len(peaks)), key=peaks.__getitem__, reverse=True)[:count]


@_answer(
    "strongest_images",
    right=False,
    kind="order",
    mistake="The right images, but weakest first: the slice from the end is not reversed.",
)
def strongest_weakest_first(maps, count):
    top = maps.max(axis=(1, 2))
    order = np.argsort(top)
    return order[len(order) - count :]


@_answer(
    "strongest_images",
    right=False,
    kind="right only for positive activations",
    mistake="The search for the maximum starts at 0, so maps that are negative are never found.",
)
def strongest_starting_from_zero(maps, count):
    peaks = list(np.max(maps, axis=(1, 2)))
    chosen = []
    for _ in range(count):
        best, best_index = 0, 0
        for i in range(len(peaks)):
            if i not in chosen and peaks[i] > best:
                best = peaks[i]
                best_index = i
        chosen.append(best_index)
    return chosen


# Lesson 04


@_answer("batch_norm_train", right=True)
def batch_norm_train_channel_by_channel(inputs, gamma, beta, epsilon):
    x = np.moveaxis(np.asarray(inputs, dtype=np.float64), -1, 0)
    mean, variance, outputs = [], [], []
    for c, values in enumerate(x):
        m = values.sum() / values.size
        v = np.square(values - m).sum() / values.size
        mean.append(m)
        variance.append(v)
        outputs.append((values - m) / (v + epsilon) ** 0.5 * gamma[c] + beta[c])
    return np.stack(outputs, axis=-1), np.array(mean), np.array(variance)


@_answer(
    "batch_norm_train",
    right=False,
    kind="constant factor",
    mistake="The variance is divided by n - 1 and not by the number of values.",
)
def batch_norm_train_unbiased(inputs, gamma, beta, epsilon):
    mean = inputs.mean(axis=(0, 1, 2))
    n = inputs.shape[0] * inputs.shape[1] * inputs.shape[2]
    var = ((inputs - mean) ** 2).sum(axis=(0, 1, 2)) / max(n - 1, 1)
    return gamma * (inputs - mean) / np.sqrt(var + epsilon) + beta, mean, var


@_answer(
    "batch_norm_train",
    right=False,
    kind="variance comes back with epsilon",
    mistake="The outputs are right, but the variance that comes back contains epsilon.",
)
def batch_norm_train_variance_with_epsilon(inputs, gamma, beta, epsilon):
    axes = (0, 1, 2)
    mean = inputs.mean(axes)
    variance = inputs.var(axes)
    variance += epsilon
    outputs = (inputs - mean) / np.sqrt(variance) * gamma + beta
    return outputs, mean, variance


@_answer(
    "update_moving",
    right=False,
    kind="mutates its argument",
    mistake="The value is right, but *= and += change the caller's array.",
)
def update_moving_in_place(moving, batch_value, momentum):
    moving *= momentum
    moving += (1 - momentum) * batch_value
    return moving


@_answer(
    "update_moving",
    right=False,
    kind="argument ignored: momentum",
    mistake="Keras's default of 0.99 is written in; the argument plays no part.",
)
def update_moving_with_the_default(moving, batch_value, momentum):
    momentum = 0.99
    return momentum * moving + (1 - momentum) * batch_value


@_answer("batch_norm_inference", right=True)
def batch_norm_inference_as_scale_and_shift(inputs, gamma, beta, moving_mean, moving_var, eps):
    scale = gamma * np.power(moving_var + eps, -0.5)
    shift = beta - moving_mean * scale
    return np.einsum("nhwc,c->nhwc", inputs, scale) + shift[None, None, None]


@_answer(
    "batch_norm_inference",
    right=False,
    kind="root missing",
    mistake="Divides by variance plus epsilon without taking the root.",
)
def batch_norm_inference_no_root(inputs, gamma, beta, moving_mean, moving_variance, epsilon):
    normalised = (inputs - moving_mean) / (moving_variance + epsilon)
    return normalised * gamma + beta


@_answer(
    "batch_norm_inference",
    right=False,
    kind="right only for one channel",
    mistake="Statistics are reshaped for channels first; with channels last they do not line up.",
)
def batch_norm_inference_channels_first(inputs, gamma, beta, moving_mean, moving_variance, epsilon):
    def shaped(v):
        return np.reshape(v, (1, -1, 1, 1))

    x = (inputs - shaped(moving_mean)) / np.sqrt(shaped(moving_variance) + epsilon)
    return shaped(gamma) * x + shaped(beta)


@_answer("fold_batch_norm", right=True)
def fold_filter_by_filter(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon):
    new_kernel, new_bias = np.array(kernel, float), np.array(bias, float)
    for f in range(kernel.shape[3]):
        a = gamma[f] / math.sqrt(moving_variance[f] + epsilon)
        new_kernel[:, :, :, f] *= a
        new_bias[f] = a * (bias[f] - moving_mean[f]) + beta[f]
    return new_kernel, new_bias


@_answer(
    "fold_batch_norm",
    right=False,
    kind="bias not scaled",
    mistake="The old bias has to be scaled with the factor as well; here only the mean is.",
)
def fold_without_scaling_the_bias(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon):
    factor = gamma / np.sqrt(moving_variance + epsilon)
    return kernel * factor, bias - moving_mean * factor + beta


@_answer(
    "fold_batch_norm",
    right=False,
    kind="sign",
    mistake="The moving mean is added to the bias; it has to be subtracted.",
)
def fold_with_a_plus(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon):
    std = np.sqrt(moving_variance + epsilon)
    w = kernel * (gamma / std).reshape(1, 1, 1, -1)
    b = gamma * (bias + moving_mean) / std + beta
    return w, b


# Lesson 05


@_answer("average_pool2d", right=True)
def average_pool_with_nan_padding(inputs, pool_size, padding):
    x = np.array(inputs, dtype=float)
    b, h, w, c = x.shape
    p = pool_size
    if padding == "same":
        edges = [(0, 0), same_padding(h, p, p), same_padding(w, p, p), (0, 0)]
        x = np.pad(x, edges, constant_values=np.nan)
    rows, cols = x.shape[1] // p, x.shape[2] // p
    return np.nanmean(x[:, : rows * p, : cols * p].reshape(b, rows, p, cols, p, c), axis=(2, 4))


@_answer(
    "average_pool2d",
    right=False,
    kind="right only for sizes that the pool divides, with valid",
    mistake="Leftover rows and columns are not cut off, so reshape raises with valid.",
)
def average_pool_by_reshape_alone(inputs, pool_size, padding):
    inputs = np.asarray(inputs, dtype=np.float64)
    ones = np.ones_like(inputs)
    if padding == "same":
        pads = [(0, 0)]
        pads += [same_padding(s, pool_size, pool_size) for s in inputs.shape[1:3]]
        pads += [(0, 0)]
        inputs, ones = np.pad(inputs, pads), np.pad(ones, pads)
    b, h, w, c = inputs.shape
    shape = (b, h // pool_size, pool_size, w // pool_size, pool_size, c)
    return inputs.reshape(shape).sum(axis=(2, 4)) / ones.reshape(shape).sum(axis=(2, 4))


@_answer(
    "average_pool2d",
    right=False,
    kind="right only for floats",
    mistake="The running sum keeps the images' type; with uint8 it overflows at 256.",
)
def average_pool_summing_in_uint8(inputs, pool_size, padding):
    p = pool_size
    h, w = inputs.shape[1:3]
    before_y, after_y = same_padding(h, p, p) if padding == "same" else (0, 0)
    before_x, after_x = same_padding(w, p, p) if padding == "same" else (0, 0)
    frame = ((0, 0), (before_y, after_y), (before_x, after_x), (0, 0))
    padded, inside = np.pad(inputs, frame), np.pad(np.ones(inputs.shape), frame)
    rows, cols = padded.shape[1] // p, padded.shape[2] // p
    total = np.zeros((len(inputs), rows, cols, inputs.shape[3]), inputs.dtype)
    count = np.zeros(total.shape)
    for i in range(p):
        for j in range(p):
            total += padded[:, i::p, j::p][:, :rows, :cols]
            count += inside[:, i::p, j::p][:, :rows, :cols]
    return total / count


@_answer(
    "max_pool2d",
    right=False,
    kind="right only for one channel",
    mistake="max() without an axis runs over the channels of the window too.",
)
def max_pool_over_channels_too(inputs, pool_size, padding):
    b, h, w, c = inputs.shape
    top = left = 0
    if padding == "same":
        rows, cols = -(-h // pool_size), -(-w // pool_size)
        top = same_padding(h, pool_size, pool_size)[0]
        left = same_padding(w, pool_size, pool_size)[0]
    else:
        rows, cols = h // pool_size, w // pool_size
    out = np.zeros((b, rows, cols, c))
    for n in range(b):
        for i in range(rows):
            for j in range(cols):
                y, x = i * pool_size - top, j * pool_size - left
                window = inputs[n, max(y, 0) : y + pool_size, max(x, 0) : x + pool_size]
                out[n, i, j] = window.max()
    return out


@_answer(
    "max_pool2d",
    right=False,
    kind="leftover kept, with valid",
    mistake="With valid the leftover rows and columns form windows too; they must be dropped.",
)
def max_pool_keeping_the_leftover(inputs, pool_size, padding):
    p = pool_size
    starts = []
    for size in inputs.shape[1:3]:
        before = same_padding(size, p, p)[0] if padding == "same" else 0
        starts.append(range(-before, size, p))
    rows = []
    for y in starts[0]:
        row = [inputs[:, max(y, 0) : y + p, max(x, 0) : x + p].max(axis=(1, 2)) for x in starts[1]]
        rows.append(np.stack(row, axis=1))
    return np.stack(rows, axis=1)


@_answer("global_average_pool2d", right=True)
def global_average_as_a_product_with_ones(inputs):
    n, h, w, c = inputs.shape
    weights = np.full(h * w, 1 / (h * w))
    return weights @ inputs.reshape(n, h * w, c)


@_answer(
    "global_average_pool2d",
    right=False,
    kind="shape",
    mistake="keepdims leaves two axes of length 1; the answer has only (batch, channels).",
)
def global_average_with_all_axes(inputs):
    return np.mean(inputs, axis=(1, 2), keepdims=True)


@_answer(
    "global_average_pool2d",
    right=False,
    kind="misplaced return",
    mistake="The return stands inside the loop over images: only the first image gets a row.",
)
def global_average_of_the_first_image(inputs):
    answer = []
    for image in inputs:
        row = [image[:, :, c].mean() for c in range(image.shape[-1])]
        answer.append(row)
        return np.array(answer)


@_answer(
    "dropout",
    right=False,
    kind="scaled by the mask's share",
    mistake="Divides by the share that this mask happens to keep instead of by 1 - rate.",
)
def dropout_scaled_by_what_is_kept(inputs, rate, keep_mask, training):
    if not training:
        return inputs
    kept = keep_mask.mean()
    return inputs * keep_mask / max(kept, 1e-12)


@_answer(
    "dropout",
    right=False,
    kind="classic and not inverted",
    mistake="Old dropout: unscaled in training and times 1 - rate at inference.",
)
def dropout_of_the_old_kind(inputs, rate, keep_mask, training):
    if training:
        return inputs * keep_mask
    return inputs * (1 - rate)


# Lesson 06


@_answer(
    "conv2d_backward",
    right=False,
    kind="right only where windows do not overlap",
    mistake="= overwrites what another window sent to the same pixel; it has to be +=.",
)
def conv2d_backward_overwriting(grad_outputs, inputs, kernel, stride):
    k1, k2 = kernel.shape[0], kernel.shape[1]
    grad_inputs = np.zeros(inputs.shape)
    grad_kernel = np.zeros(kernel.shape)
    for i in range(grad_outputs.shape[1]):
        for j in range(grad_outputs.shape[2]):
            a, b = i * stride, j * stride
            g = grad_outputs[:, i, j, :]
            grad_inputs[:, a : a + k1, b : b + k2, :] = np.tensordot(g, kernel, ([1], [3]))
            patch = inputs[:, a : a + k1, b : b + k2, :]
            grad_kernel += np.tensordot(patch, g, ([0], [0]))
    return grad_inputs, grad_kernel, grad_outputs.sum((0, 1, 2))


@_answer(
    "conv2d_backward",
    right=False,
    kind="kernel turned",
    mistake="The kernel is turned by 180 degrees although += already sends each share home.",
)
def conv2d_backward_turned_once_too_often(grad_outputs, inputs, kernel, stride):
    kh, kw = kernel.shape[:2]
    turned = kernel[::-1, ::-1]
    dx = np.zeros(inputs.shape)
    dk = np.zeros(kernel.shape)
    for i in range(grad_outputs.shape[1]):
        for j in range(grad_outputs.shape[2]):
            rows = slice(i * stride, i * stride + kh)
            cols = slice(j * stride, j * stride + kw)
            g = grad_outputs[:, i, j]
            dx[:, rows, cols] += np.einsum("no,ijco->nijc", g, turned)
            dk += np.einsum("nijc,no->ijco", inputs[:, rows, cols], g)
    db = grad_outputs.sum(axis=(0, 1, 2))
    return dx, dk, db


@_answer(
    "conv2d_backward",
    right=False,
    kind="right only for floats",
    mistake="zeros_like takes over uint8 from the images, so adding float gradients raises.",
)
def conv2d_backward_zeros_like_images(grad_outputs, inputs, kernel, stride):
    kh, kw = kernel.shape[:2]
    rows, cols = grad_outputs.shape[1:3]
    grad_inputs = np.zeros_like(inputs)
    grad_kernel = np.zeros_like(kernel)
    for i in range(kh):
        for j in range(kw):
            ys = slice(i, i + stride * rows, stride)
            xs = slice(j, j + stride * cols, stride)
            grad_inputs[:, ys, xs] += grad_outputs @ kernel[i, j].T
            grad_kernel[i, j] = np.einsum("nhwc,nhwo->co", inputs[:, ys, xs], grad_outputs)
    return grad_inputs, grad_kernel, np.einsum("nhwo->o", grad_outputs)


@_answer("average_pool2d_backward", right=True)
def average_pool_backward_with_kron(grad_outputs, inputs_shape, pool_size):
    share = np.kron(grad_outputs, np.ones((1, pool_size, pool_size, 1))) / pool_size**2
    grown = [(0, whole - part) for whole, part in zip(inputs_shape, share.shape, strict=True)]
    return np.pad(share, grown)


@_answer(
    "average_pool2d_backward",
    right=False,
    kind="constant factor",
    mistake="A window has pool_size squared pixels; each share is divided by pool_size only.",
)
def average_pool_backward_divided_once(grad_outputs, inputs_shape, pool_size):
    grad = np.zeros(inputs_shape)
    for i in range(grad_outputs.shape[1]):
        for j in range(grad_outputs.shape[2]):
            ys = i * pool_size
            xs = j * pool_size
            grad[:, ys : ys + pool_size, xs : xs + pool_size] = (
                grad_outputs[:, i : i + 1, j : j + 1] / pool_size
            )
    return grad


@_answer(
    "average_pool2d_backward",
    right=False,
    kind="order of the pixels",
    mistake="np.tile repeats the whole map; np.repeat has to repeat each number.",
)
def average_pool_backward_tiled(grad_outputs, inputs_shape, pool_size):
    grad = np.zeros(inputs_shape)
    tiled = np.tile(grad_outputs, (1, pool_size, pool_size, 1)) / (pool_size * pool_size)
    grad[:, : tiled.shape[1], : tiled.shape[2], :] = tiled
    return grad


@_answer(
    "batch_norm_backward",
    right=False,
    kind="path through the variance missing",
    mistake="Only the path through the mean is followed; the variance is held constant.",
)
def batch_norm_backward_constant_variance(grad_outputs, inputs, gamma, epsilon):
    mean = inputs.mean(axis=(0, 1, 2))
    std = np.sqrt(inputs.var(axis=(0, 1, 2)) + epsilon)
    x_hat = (inputs - mean) / std
    dbeta = grad_outputs.sum(axis=(0, 1, 2))
    dgamma = (grad_outputs * x_hat).sum(axis=(0, 1, 2))
    dx = gamma / std * (grad_outputs - grad_outputs.mean(axis=(0, 1, 2)))
    return dx, dgamma, dbeta


@_answer(
    "batch_norm_backward",
    right=False,
    kind="gradient of gamma from the raw inputs",
    mistake="gamma's gradient sums gradient times inputs; it has to be the normalized inputs.",
)
def batch_norm_backward_gamma_from_inputs(grad_outputs, inputs, gamma, epsilon):
    mu, var = inputs.mean((0, 1, 2)), inputs.var((0, 1, 2))
    s = 1 / np.sqrt(var + epsilon)
    xn = (inputs - mu) * s
    g = grad_outputs
    dx = gamma * s * (g - g.mean((0, 1, 2)) - xn * (g * xn).mean((0, 1, 2)))
    return dx, (g * inputs).sum((0, 1, 2)), g.sum((0, 1, 2))


# Lesson 07


@_answer("count_parameters", right=True)
def count_parameters_filter_by_filter(channels_in, filters, kernel_size, batch_norm):
    one_filter = sum(1 for _ in range(kernel_size) for _ in range(kernel_size)) * channels_in + 1
    extra = 2 * filters * int(batch_norm)
    return filters * one_filter + extra, extra


@_answer(
    "count_parameters",
    right=False,
    kind="one bias for all filters",
    mistake="Counts a single bias; every filter has its own.",
)
def count_parameters_one_bias(channels_in, filters, kernel_size, batch_norm):
    trainable = kernel_size**2 * channels_in * filters + 1
    non_trainable = 0
    if batch_norm:
        trainable += 2 * filters
        non_trainable = 2 * filters
    return trainable, non_trainable


@_answer(
    "count_parameters",
    right=False,
    kind="wrong type without batch_norm",
    mistake="Without batch normalization one number comes back and not a pair.",
)
def count_parameters_pair_only_with_norm(channels_in, filters, kernel_size, batch_norm):
    weights = kernel_size * kernel_size * channels_in * filters + filters
    if not batch_norm:
        return weights
    return weights + 2 * filters, 2 * filters


@_answer(
    "softmax_cross_entropy",
    right=False,
    kind="right only when the rows are of similar size",
    mistake="One maximum is taken over all images; a row far below it underflows to log 0.",
)
def cross_entropy_with_one_maximum_for_all(logits, labels):
    shifted = logits - logits.max()
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    return np.mean(log_sum - shifted[np.arange(len(labels)), labels])


@_answer(
    "softmax_cross_entropy",
    right=False,
    kind="right only for one image",
    mistake="[:, labels] picks every label for every image, n × n numbers instead of n.",
)
def cross_entropy_with_all_pairs(logits, labels):
    top = logits.max(axis=1, keepdims=True)
    log_p = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
    return -log_p[:, labels].mean()


# Lesson 08


@_answer(
    "build_simple_cnn",
    right=False,
    kind="padding of the pools",
    mistake="The pools are left at Keras's default padding, valid, instead of same.",
)
def simple_cnn_with_default_pools(input_shape, num_classes):
    model = keras.Sequential()
    model.add(keras.Input(shape=input_shape))
    first = True
    for f, k in [(16, 7), (32, 5), (64, 3), (128, 3)]:
        model.add(layers.Conv2D(f, k, padding="same", name="image_array" if first else None))
        first = False
        model.add(layers.BatchNormalization())
        model.add(layers.Conv2D(f, k, padding="same"))
        model.add(layers.BatchNormalization())
        model.add(layers.Activation("relu"))
        model.add(layers.AveragePooling2D(2))
        model.add(layers.Dropout(0.5))
    model.add(layers.Conv2D(256, 3, padding="same"))
    model.add(layers.BatchNormalization())
    model.add(layers.Conv2D(num_classes, 3, padding="same"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Activation("softmax", name="predictions"))
    return model


@_answer(
    "build_simple_cnn",
    right=False,
    kind="order of layers",
    mistake="Dropout stands before the pooling in each block; it has to come after it.",
)
def simple_cnn_dropout_before_pooling(input_shape, num_classes):
    stack = [keras.Input(input_shape)]
    for i, (f, k) in enumerate([(16, 7), (32, 5), (64, 3), (128, 3)]):
        name = "image_array" if i == 0 else None
        stack += [
            layers.Conv2D(f, k, padding="same", name=name),
            layers.BatchNormalization(),
            layers.Conv2D(f, k, padding="same"),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Dropout(0.5),
            layers.AveragePooling2D(2, padding="same"),
        ]
    stack += [
        layers.Conv2D(256, 3, padding="same"),
        layers.BatchNormalization(),
        layers.Conv2D(num_classes, 3, padding="same"),
        layers.GlobalAveragePooling2D(),
        layers.Activation("softmax", name="predictions"),
    ]
    return keras.Sequential(stack)


# Lesson 09


@_answer(
    "build_simpler_cnn",
    right=False,
    kind="a layer too many",
    mistake="Block 5 has a batch normalization behind the convolution with 128 filters as well.",
)
def simpler_cnn_normalized_everywhere(input_shape, num_classes):
    def conv(x, filters, size, stride=1, name=None):
        x = layers.Conv2D(filters, size, strides=stride, padding="same", name=name)(x)
        return layers.BatchNormalization()(x)

    inputs = keras.Input(input_shape)
    x = inputs
    name = "image_array"
    for f, k in [(16, 5), (32, 5), (64, 3)]:
        x = conv(x, f, k, name=name)
        x = conv(x, f, k, 2)
        x = layers.Dropout(0.25)(layers.Activation("relu")(x))
        name = None
    x = conv(x, 64, 1)
    x = conv(x, 128, 3, 2)
    x = layers.Dropout(0.25)(layers.Activation("relu")(x))
    x = conv(x, 256, 1)
    x = conv(x, 128, 3, 2)
    x = conv(x, 256, 1)
    x = layers.Conv2D(num_classes, 3, strides=2, padding="same")(x)
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Activation("softmax", name="predictions")(x))


@_answer(
    "build_simpler_cnn",
    right=False,
    kind="another head",
    mistake="Global average pooling in place of Flatten: equal at 28 pixels, but another layer.",
)
def simpler_cnn_with_the_other_head(input_shape, num_classes):
    net = [keras.Input(input_shape)]
    blocks = [(16, 5, 16, 5), (32, 5, 32, 5), (64, 3, 64, 3), (64, 1, 128, 3)]
    for number, sizes in enumerate(blocks):
        first, k_first, second, k_second = sizes
        label = None if number else "image_array"
        net.append(layers.Conv2D(first, k_first, padding="same", name=label))
        net.append(layers.BatchNormalization())
        net.append(layers.Conv2D(second, k_second, 2, padding="same"))
        net.append(layers.BatchNormalization())
        net.append(layers.Activation("relu"))
        net.append(layers.Dropout(0.25))
    net.append(layers.Conv2D(256, 1, padding="same"))
    net.append(layers.BatchNormalization())
    net.append(layers.Conv2D(128, 3, 2, padding="same"))
    net.append(layers.Conv2D(256, 1, padding="same"))
    net.append(layers.BatchNormalization())
    net.append(layers.Conv2D(num_classes, 3, 2, padding="same"))
    net.append(layers.GlobalAveragePooling2D())
    net.append(layers.Activation("softmax", name="predictions"))
    return keras.Sequential(net)


@_answer("head_outputs", right=True)
def head_outputs_with_one_ceiling(input_size, halvings, num_classes):
    side = -(-input_size // 2**halvings)
    return num_classes * side * side


@_answer(
    "head_outputs",
    right=False,
    kind="rounded down instead of up",
    mistake="Odd sides are rounded down; with same padding a stride of 2 rounds up.",
)
def head_outputs_rounded_down(input_size, halvings, num_classes):
    for _ in range(halvings):
        input_size = input_size // 2
    return input_size * input_size * num_classes


@_answer(
    "head_outputs",
    right=False,
    kind="right only for one row",
    mistake="Counts the side once; the map is a square with side times side places.",
)
def head_outputs_of_one_axis(input_size, halvings, num_classes):
    size = input_size
    while halvings > 0:
        size = math.ceil(size / 2)
        halvings -= 1
    return size * num_classes


# Lesson 10


@_answer("split_indices", right=True)
def split_with_the_standard_library(count, validation_fraction, seed):
    order = list(range(count))
    random.Random(seed).shuffle(order)
    held_out = round(count * validation_fraction)
    return np.array(order[held_out:], dtype=int), np.array(order[:held_out], dtype=int)


@_answer(
    "split_indices",
    right=False,
    kind="not disjoint",
    mistake="choice draws with replacement, so an index can be in validation twice.",
)
def split_by_choice_with_replacement(count, validation_fraction, seed):
    rng = np.random.default_rng(seed)
    validation = rng.choice(count, size=round(count * validation_fraction))
    train = np.array([i for i in range(count) if i not in validation], dtype=int)
    rng.shuffle(train)
    return train, validation


@_answer(
    "split_indices",
    right=False,
    kind="training part in order",
    mistake="The training indices are in increasing order; both parts have to be shuffled.",
)
def split_by_set_difference(count, validation_fraction, seed):
    rng = np.random.default_rng(seed)
    validation = rng.permutation(count)[: round(count * validation_fraction)]
    train = np.setdiff1d(np.arange(count), validation)
    return train, validation


@_answer("cosine_schedule", right=True)
def cosine_schedule_with_the_half_angle(step, total_steps, peak):
    share = min(step / total_steps, 1)
    return peak * math.cos(math.pi / 2 * share) ** 2 if share < 1 else 0.0


@_answer(
    "cosine_schedule",
    right=False,
    kind="right only before total_steps",
    mistake="The remainder starts a new cosine at total_steps; the rate has to stay 0.",
)
def cosine_schedule_with_restarts(step, total_steps, peak):
    progress = (step % total_steps) / total_steps
    return 0.5 * peak * (1 + np.cos(np.pi * progress))


@_answer(
    "cosine_schedule",
    right=False,
    kind="whole-number division",
    mistake="// makes 0 of every share below 1, so the rate stays at the peak until the end.",
)
def cosine_schedule_in_whole_numbers(step, total_steps, peak):
    if step > total_steps:
        return 0
    return peak * (1 + math.cos(math.pi * (step // total_steps))) / 2


@_answer("augment", right=True)
def augment_image_by_image(images, rng):
    result = images.copy()
    for n, heads in enumerate(rng.integers(0, 2, size=len(images))):
        if heads:
            result[n] = np.fliplr(images[n])
    return result


@_answer(
    "augment",
    right=False,
    kind="wrong type",
    mistake="np.zeros makes floats, so uint8 images come back as floats.",
)
def augment_into_zeros(images, rng):
    out = np.zeros(images.shape)
    for i, image in enumerate(images):
        out[i] = image[:, ::-1] if rng.random() < 0.5 else image
    return out


@_answer(
    "augment",
    right=False,
    kind="mutates its argument",
    mistake="The flipped images are written into the caller's batch.",
)
def augment_in_place(images, rng):
    flip = rng.random(len(images)) < 0.5
    images[flip] = images[flip][:, :, ::-1, :]
    return images


# Lesson 11


@_answer(
    "confusion_matrix",
    right=False,
    kind="each pair counted once",
    mistake="m[labels, predictions] += 1 counts a repeated pair only once; np.add.at is needed.",
)
def confusion_matrix_with_fancy_indexing(labels, predictions, num_classes):
    m = np.zeros((num_classes, num_classes), dtype=int)
    m[labels, predictions] += 1
    return m


@_answer(
    "confusion_matrix",
    right=False,
    kind="right only without hits",
    mistake="Only the errors are counted; the diagonal stays empty.",
)
def confusion_matrix_of_errors(labels, predictions, num_classes):
    cm = np.zeros((num_classes, num_classes), int)
    for t, p in zip(labels, predictions, strict=True):
        if t != p:
            cm[t, p] += 1
    return cm


@_answer("accuracy_interval", right=True)
def accuracy_interval_as_roots_of_a_parabola(correct, total, z):
    # The ends are where (p - share)² = z² p (1 - p) / total.
    a, b, c = total + z * z, -(2 * correct + z * z), correct * correct / total
    root = math.sqrt(max(b * b - 4 * a * c, 0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


@_answer(
    "accuracy_interval",
    right=False,
    kind="another interval",
    mistake="Agresti and Coull's width around Wilson's middle: close to Wilson's, but not equal.",
)
def accuracy_interval_agresti_coull(correct, total, z):
    n = total + z**2
    p = (correct + z**2 / 2) / n
    half = z * math.sqrt(p * (1 - p) / n)
    return p - half, p + half


@_answer(
    "accuracy_interval",
    right=False,
    kind="divisor missing in the half width",
    mistake="Only the middle is divided by 1 + z²/n; the half width has to be divided too.",
)
def accuracy_interval_half_divided(correct, total, z):
    p = correct / total
    middle = (p + z * z / total / 2) / (1 + z * z / total)
    spread = z * math.sqrt(p * (1 - p) / total + z * z / total / total / 4)
    return max(middle - spread, 0.0), min(middle + spread, 1.0)


# Lesson 12


@_answer("occlusion_map", right=True)
def occlusion_all_patches_in_one_batch(predict, image, patch_size, fill):
    rows, cols = image.shape[0] // patch_size, image.shape[1] // patch_size
    batch = np.repeat(image[None], rows * cols + 1, axis=0)
    for number in range(rows * cols):
        y, x = divmod(number, cols)
        batch[number, y * patch_size :, x * patch_size :][:patch_size, :patch_size] = fill
    scores = np.asarray(predict(batch))
    return (scores[-1] - scores[:-1]).reshape(rows, cols)


@_answer(
    "occlusion_map",
    right=False,
    kind="patches stay hidden",
    mistake="The copy is made once before the loops, so earlier patches stay hidden.",
)
def occlusion_hiding_more_and_more(predict, image, patch_size, fill):
    h, w = image.shape[0] // patch_size, image.shape[1] // patch_size
    base = predict(image[np.newaxis])[0]
    result = np.zeros((h, w))
    hidden = image.copy()
    for i in range(h):
        for j in range(w):
            y, x = i * patch_size, j * patch_size
            hidden[y : y + patch_size, x : x + patch_size] = fill
            result[i, j] = base - predict(hidden[np.newaxis])[0]
    return result


@_answer(
    "occlusion_map",
    right=False,
    kind="leftover is hidden too",
    mistake="The last patch of a row or column reaches to the image's edge.",
)
def occlusion_with_split(predict, image, patch_size, fill):
    rows, cols = image.shape[0] // patch_size, image.shape[1] // patch_size
    edges_y = [*range(0, rows * patch_size, patch_size), image.shape[0]]
    edges_x = [*range(0, cols * patch_size, patch_size), image.shape[1]]
    score = predict(image[None])[0]
    drops = np.empty((rows, cols))
    for i in range(rows):
        for j in range(cols):
            test = image.copy()
            test[edges_y[i] : edges_y[i + 1], edges_x[j] : edges_x[j + 1]] = fill
            drops[i, j] = score - predict(test[None])[0]
    return drops


@_answer(
    "grad_cam",
    right=False,
    kind="constant factor",
    mistake="The channels' weights are sums of the gradients; they have to be means.",
)
def grad_cam_with_summed_gradients(maps, gradients):
    alpha = np.sum(gradients, axis=(0, 1))
    cam = np.einsum("hwc,c->hw", maps, alpha)
    cam[cam < 0] = 0
    return cam


@_answer(
    "grad_cam",
    right=False,
    kind="weights at each place",
    mistake="Each activation is weighed with its own gradient; a channel has one mean weight.",
)
def grad_cam_place_by_place(maps, gradients):
    return np.maximum((maps * gradients).sum(axis=-1), 0)


# Lesson 13


@_answer("repair_missing_relu", right=True)
def relu_between_by_recursion(inputs, kernels):
    if not kernels:
        return inputs
    first, *others = kernels
    maps = ops.conv2d(inputs, first)
    return relu_between_by_recursion(ops.relu(maps), others) if others else maps


@_answer(
    "repair_missing_relu",
    right=False,
    kind="right only for images without negative numbers",
    mistake="The ReLU stands before each convolution, so the images themselves go through one.",
)
def relu_before_every_convolution(inputs, kernels):
    x = inputs
    for kernel in kernels:
        x = ops.conv2d(ops.relu(x), kernel)
    return x


@_answer(
    "repair_missing_relu",
    right=False,
    kind="raises",
    mistake="kernel != last compares arrays entry by entry; if raises on such an array.",
)
def relu_unless_it_is_the_last_kernel(inputs, kernels):
    last = kernels[-1]
    for kernel in kernels:
        inputs = ops.conv2d(inputs, kernel)
        if kernel != last:
            inputs = ops.relu(inputs)
    return inputs


@_answer("repair_double_softmax", right=True)
def cross_entropy_as_the_log_of_a_geometric_mean(probabilities, labels):
    picked = np.take_along_axis(probabilities, np.asarray(labels)[:, None], axis=1)
    return np.log(1 / picked).mean()


@_answer(
    "repair_double_softmax",
    right=False,
    kind="constant factor",
    mistake="The mean runs over images and classes, so the loss is divided by the classes too.",
)
def cross_entropy_mean_of_everything(probabilities, labels):
    one_hot = np.eye(probabilities.shape[1])[labels]
    return -np.mean(one_hot * np.log(probabilities))


@_answer(
    "repair_double_softmax",
    right=False,
    kind="penalty on the wrong classes",
    mistake="The binary form adds log(1 - p) of all other classes; only the true one counts.",
)
def cross_entropy_binary(probabilities, labels):
    target = np.zeros(probabilities.shape)
    target[np.arange(len(labels)), labels] = 1
    p = np.clip(probabilities, 1e-15, 1 - 1e-15)
    losses = target * np.log(p) + (1 - target) * np.log(1 - p)
    return -losses.sum(axis=1).mean()


@_answer(
    "repair_batch_norm_mode",
    right=False,
    kind="modes swapped",
    mistake="The two branches are swapped: stored moments in training, the batch's at inference.",
)
def batch_norm_mode_swapped(inputs, moving_mean, moving_variance, epsilon, training):
    if training:
        mean, variance = moving_mean, moving_variance
    else:
        mean, variance = inputs.mean(axis=(0, 1, 2)), inputs.var(axis=(0, 1, 2))
    return (inputs - mean) / np.sqrt(variance + epsilon)


@_answer(
    "repair_batch_norm_mode",
    right=False,
    kind="mutates its argument",
    mistake="In training it updates the caller's moving averages; nobody asked for that.",
)
def batch_norm_mode_with_update(inputs, moving_mean, moving_variance, epsilon, training):
    if training:
        m = inputs.mean(axis=(0, 1, 2))
        v = inputs.var(axis=(0, 1, 2))
        moving_mean[:] = 0.99 * moving_mean + 0.01 * m
        moving_variance[:] = 0.99 * moving_variance + 0.01 * v
        return (inputs - m) / np.sqrt(v + epsilon)
    return (inputs - moving_mean) / np.sqrt(moving_variance + epsilon)


@_answer("repair_leaky_split", right=True)
def leaky_split_with_a_set(sources, held_out):
    photos = {int(photo) for photo in held_out}
    sides = ([], [])
    for position, photo in enumerate(sources):
        sides[int(photo) in photos].append(position)
    return tuple(np.array(side, dtype=int) for side in sides)


@_answer(
    "repair_leaky_split",
    right=False,
    kind="order",
    mistake="Validation is grouped photo by photo; positions have to be in increasing order.",
)
def leaky_split_photo_by_photo(sources, held_out):
    validation = []
    for photo in held_out:
        validation.extend(np.flatnonzero(np.asarray(sources) == photo))
    train = [i for i in range(len(sources)) if i not in validation]
    return np.array(train, dtype=int), np.array(validation, dtype=int)


@_answer(
    "repair_leaky_split",
    right=False,
    kind="values and not positions",
    mistake="Returns the photos' numbers instead of the positions of the images.",
)
def leaky_split_of_the_sources(sources, held_out):
    sources = np.asarray(sources)
    mask = np.isin(sources, held_out)
    return sources[~mask], sources[mask]


@_answer(
    "repair_channel_order",
    right=False,
    kind="transposed",
    mistake="swapaxes(1, 3) exchanges channels and width, so height and width are swapped too.",
)
def channel_order_by_swapping(images):
    return images.swapaxes(1, 3)


@_answer(
    "repair_channel_order",
    right=False,
    kind="wrong axis",
    mistake="The axes run (batch, width, channels, height): rolled by one in the wrong direction.",
)
def channel_order_rolled_backwards(images):
    return np.transpose(images, (0, 3, 1, 2))


@_answer(
    "repair_shifted_labels",
    right=False,
    kind="positions taken for labels",
    mistake="Leaves out images whose label is in broken; broken names positions.",
)
def shifted_labels_by_label(images, labels, broken):
    keep = ~np.isin(labels, broken)
    return images[keep], labels[keep]


@_answer(
    "repair_shifted_labels",
    right=False,
    kind="tuple order",
    mistake="Labels come back first and images second.",
)
def shifted_labels_swapped(images, labels, broken):
    keep = np.ones(len(labels), dtype=bool)
    keep[np.asarray(broken, dtype=int)] = False
    return labels[keep], images[keep]


@_answer(
    "repair_learning_rate",
    right=False,
    kind="NaN taken for the lowest",
    mistake="nan_to_num makes 0 of NaN, which then is the smallest loss.",
)
def learning_rate_nan_is_zero(rates, losses):
    clean = np.nan_to_num(losses)
    return rates[np.argmin(clean)] / 10


@_answer(
    "repair_learning_rate",
    right=False,
    kind="constant factor",
    mistake="The rate itself is returned, without dividing by ten.",
)
def learning_rate_undivided(rates, losses):
    return rates[np.nanargmin(losses)]


@_answer("repair_flatten_head", right=True)
def flatten_head_with_keras(maps):
    mean = np.mean(maps, axis=(1, 2), dtype=np.float64)
    return np.asarray(keras.ops.softmax(mean, axis=-1))


@_answer(
    "repair_flatten_head",
    right=False,
    kind="softmax before the mean",
    mistake="Softmax at each place and then the mean; the scores are averaged first.",
)
def flatten_head_mean_of_probabilities(maps):
    return ops.softmax(maps, axis=-1).mean(axis=(1, 2))


@_answer(
    "repair_flatten_head",
    right=False,
    kind="right only for one image",
    mistake="The powers are divided by the sum over the whole batch; each row has its own sum.",
)
def flatten_head_one_sum_for_all(maps):
    scores = ops.global_average_pool2d(maps)
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()
