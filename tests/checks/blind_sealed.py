"""The sealed half of the second collection, by readers who had not seen the banks.

Kept apart from ``blind_second.py``, of the same making, for a measurement that no bank was mended
after. Nothing here may be changed to please a check: an answer that is misjudged is a finding.
"""

from __future__ import annotations

import math

import keras
import numpy as np
from blind_second import Answer, register_in
from keras import layers
from numpy.lib.stride_tricks import sliding_window_view

from cnncourse import ops
from cnncourse.ops import same_padding

ANSWERS: list[Answer] = []
_answer = register_in(ANSWERS)


# Lesson 01


@_answer("standardize", right=True)
def standardize_by_sums_of_squares_around_the_mean(train, test):
    n, total = train.size, float(np.sum(train, dtype=np.float64))
    m = total / n
    s = math.sqrt(sum((float(v) - m) ** 2 for v in train.flat) / n)
    return [np.float32((np.float64(part) - m) / s) for part in (train, test)]


@_answer(
    "standardize",
    right=False,
    kind="constant factor",
    mistake="Divides the variance by n - 1 (ddof=1) instead of by n.",
)
def standardize_with_the_sample_deviation(train_images, test_images):
    mu = train_images.mean()
    sigma = train_images.std(ddof=1)
    train = (train_images - mu) / sigma
    test = (test_images - mu) / sigma
    return train.astype("float32"), test.astype("float32")


@_answer(
    "standardize",
    right=False,
    kind="divided by the variance",
    mistake="Divides by the variance and not by its root, the standard deviation.",
)
def standardize_by_the_variance(train_images, test_images):
    mean, var = np.mean(train_images), np.var(train_images)
    return (
        np.float32((train_images - mean) / var),
        np.float32((test_images - mean) / var),
    )


@_answer(
    "standardize",
    right=False,
    kind="right only for floats",
    mistake="The mean is cast to the images' type: for uint8 it is cut and the difference wraps.",
)
def standardize_in_the_images_own_type(train_images, test_images):
    mean = train_images.mean().astype(train_images.dtype)
    std = train_images.std()
    return (
        ((train_images - mean) / std).astype(np.float32),
        ((test_images - mean) / std).astype(np.float32),
    )


@_answer(
    "nearest_mean",
    right=False,
    kind="nearest image and not nearest mean",
    mistake="Takes the label of the single nearest training image; no mean is ever formed.",
)
def nearest_neighbour_instead(train_images, train_labels, images, num_classes):
    labels = []
    for image in images:
        d = [np.sqrt(((image - t) ** 2).sum()) for t in train_images]
        labels.append(train_labels[np.argmin(d)])
    return np.array(labels)


@_answer(
    "nearest_mean",
    right=False,
    kind="wrong type",
    mistake="The labels stand in an array of floats, because np.zeros makes floats.",
)
def nearest_mean_in_floats(train_images, train_labels, images, num_classes):
    result = np.zeros(images.shape[0])
    for i, img in enumerate(images):
        best = np.inf
        for c in range(num_classes):
            mean = np.mean(train_images[train_labels == c], axis=0)
            d = np.sum((img - mean) ** 2)
            if d < best:
                best = d
                result[i] = c
    return result


# Lesson 02


@_answer("correlate2d", right=True)
def correlate_by_shifting_the_image(image, kernel):
    rows = image.shape[0] - kernel.shape[0] + 1
    cols = image.shape[1] - kernel.shape[1] + 1
    return sum(
        float(weight) * image[i : i + rows, j : j + cols].astype(float)
        for (i, j), weight in np.ndenumerate(kernel)
    )


@_answer(
    "correlate2d",
    right=False,
    kind="right only for floats",
    mistake="The answers go into an array of the image's type, so uint8 cuts and wraps them.",
)
def correlate_into_the_images_type(image, kernel):
    kh, kw = kernel.shape
    out = np.zeros((image.shape[0] - kh + 1, image.shape[1] - kw + 1), dtype=image.dtype)
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            out[r, c] = np.sum(image[r : r + kh, c : c + kw] * kernel)
    return out


@_answer(
    "correlate2d",
    right=False,
    kind="right only for square kernels",
    mistake="The height of the kernel is also taken for its width.",
)
def correlate_with_square_kernels(image, kernel):
    k = len(kernel)
    windows = sliding_window_view(image, (k, k))
    flat = kernel.reshape(-1)
    return (windows.reshape(*windows.shape[:2], k * k) * flat).sum(-1)


@_answer("same_padding", right=True)
def same_padding_by_the_remainder(size, kernel_size, stride):
    rest = size % stride
    missing = kernel_size - (rest if rest else stride)
    missing = missing if missing > 0 else 0
    before = missing >> 1
    return [before, missing - before]


@_answer(
    "same_padding",
    right=False,
    kind="argument ignored: size and stride",
    mistake="Pads by the kernel alone, half of it on each side, as if the stride were always 1.",
)
def same_padding_from_the_kernel(size, kernel_size, stride):
    total = kernel_size - 1
    return total // 2, total - total // 2


@_answer(
    "same_padding",
    right=False,
    kind="output kept at the input's size",
    mistake="Pads so much that even with a stride the output would be as long as the input.",
)
def same_padding_for_an_output_of_the_inputs_size(size, kernel_size, stride):
    total = (size - 1) * stride + kernel_size - size
    return (total // 2, (total + 1) // 2)


@_answer("output_size", right=True)
def output_size_by_counting_starts(size, kernel_size, stride, padding):
    stops = {"valid": size - kernel_size + 1, "same": size}
    return len(range(0, stops[padding], stride))


@_answer(
    "output_size",
    right=False,
    kind="argument ignored: stride, for same",
    mistake="same is read as 'as long as the input', whatever the stride.",
)
def output_size_same_means_the_same(size, kernel_size, stride, padding):
    if padding == "same":
        return size
    return (size - kernel_size) // stride + 1


@_answer(
    "output_size",
    right=False,
    kind="rounded down instead of up, for valid",
    mistake="The places of stride 1 are divided by the stride and rounded down; it must be up.",
)
def output_size_every_other_place(size, kernel_size, stride, padding):
    places = size - kernel_size + 1
    if padding == "valid":
        return places // stride
    return (size + stride - 1) // stride


@_answer("conv2d", right=True)
def conv2d_as_one_matrix_product(inputs, kernel, bias):
    kh, kw, cin, cout = kernel.shape
    _, h, w, _ = inputs.shape
    columns = [
        inputs[:, i : h - kh + 1 + i, j : w - kw + 1 + j, :] for i in range(kh) for j in range(kw)
    ]
    return np.concatenate(columns, axis=-1) @ kernel.reshape(kh * kw * cin, cout) + bias


@_answer(
    "conv2d",
    right=False,
    kind="right only for one input channel",
    mistake="The bias is added once for each input channel instead of once.",
)
def conv2d_bias_in_the_channel_loop(inputs, kernel, bias):
    kh, kw, channels_in, channels_out = kernel.shape
    batch, height, width, _ = inputs.shape
    out = np.zeros((batch, height - kh + 1, width - kw + 1, channels_out))
    for b in range(batch):
        for f in range(channels_out):
            for c in range(channels_in):
                for i in range(height - kh + 1):
                    for j in range(width - kw + 1):
                        patch = inputs[b, i : i + kh, j : j + kw, c]
                        out[b, i, j, f] += np.sum(patch * kernel[:, :, c, f])
                out[b, :, :, f] += bias[f]
    return out


@_answer(
    "conv2d",
    right=False,
    kind="right only for one filter",
    mistake="reshape(filters, -1) cuts the kernel anew: the filters' weights get mixed up.",
)
def conv2d_kernel_reshaped_by_filter(inputs, kernel, bias):
    kh, kw, cin, cout = kernel.shape
    windows = sliding_window_view(inputs, (kh, kw), axis=(1, 2))
    windows = windows.transpose(0, 1, 2, 4, 5, 3)
    rows = windows.reshape(*windows.shape[:3], kh * kw * cin)
    return rows @ kernel.reshape(cout, -1).T + bias


# Lesson 03


@_answer(
    "relu",
    right=False,
    kind="mutates its argument",
    mistake="The answer is right, but the zeros are written into the caller's array.",
)
def relu_in_place(inputs):
    inputs[inputs < 0] = 0
    return inputs


@_answer(
    "relu",
    right=False,
    kind="right only when the first number is a positive float",
    mistake="np.vectorize takes its type from the first answer; an int 0 there cuts all decimals.",
)
def relu_vectorized(inputs):
    return np.vectorize(lambda x: x if x > 0 else 0)(inputs)


@_answer("receptive_field", right=True)
def receptive_field_from_the_output_back(layers):
    side = 1
    for kernel_size, stride in layers[::-1]:
        side = (side - 1) * stride + kernel_size
    return side


@_answer(
    "receptive_field",
    right=False,
    kind="stride counted one layer early",
    mistake="A layer's own stride widens only the layers behind it; here it widens itself too.",
)
def receptive_field_jump_too_early(layers):
    r, jump = 1, 1
    for k, s in layers:
        jump *= s
        r += (k - 1) * jump
    return r


@_answer(
    "receptive_field",
    right=False,
    kind="raises for an empty list",
    mistake="It starts from layers[0], so the empty list raises instead of giving 1.",
)
def receptive_field_starting_with_the_first(layers):
    size, step = layers[0]
    for kernel, stride in layers[1:]:
        size += (kernel - 1) * step
        step *= stride
    return size


@_answer(
    "strongest_images",
    right=False,
    kind="an image comes twice",
    mistake="Ranks single activations and not images, so an image with two peaks comes twice.",
)
def strongest_pixels(maps, count):
    _, h, w = maps.shape
    places = np.argsort(maps, axis=None)[::-1][:count]
    return places // (h * w)


@_answer(
    "strongest_images",
    right=False,
    kind="values and not indices",
    mistake="Returns the activations themselves; the places of the images were asked for.",
)
def strongest_activations(maps, count):
    values = maps.reshape(maps.shape[0], -1).max(axis=1)
    values = np.sort(values)[::-1]
    return values[:count]


# Lesson 04


@_answer(
    "batch_norm_train",
    right=False,
    kind="epsilon outside the root",
    mistake="Epsilon is added to the root of the variance instead of under it.",
)
def batch_norm_train_epsilon_beside_the_root(inputs, gamma, beta, epsilon):
    mu = np.mean(inputs, axis=(0, 1, 2))
    var = np.var(inputs, axis=(0, 1, 2))
    x_hat = (inputs - mu) / (np.sqrt(var) + epsilon)
    return gamma * x_hat + beta, mu, var


@_answer(
    "batch_norm_train",
    right=False,
    kind="right only for floats",
    mistake="The square of uint8 overflows, so the mean of squares is wrong for whole numbers.",
)
def batch_norm_train_mean_of_squares(inputs, gamma, beta, epsilon):
    mean = inputs.mean(axis=(0, 1, 2))
    variance = np.maximum((inputs * inputs).mean(axis=(0, 1, 2)) - mean**2, 0)
    outputs = gamma * (inputs - mean) / np.sqrt(variance + epsilon) + beta
    return outputs, mean, variance


@_answer("update_moving", right=True)
def update_moving_by_a_step_towards_the_batch(moving, batch_value, momentum):
    step = np.subtract(batch_value, moving)
    return np.add(moving, (1 - momentum) * step)


@_answer(
    "update_moving",
    right=False,
    kind="swapped arguments",
    mistake="Momentum weighs the new value, PyTorch's convention, and not the old one.",
)
def update_moving_as_in_torch(moving, batch_value, momentum):
    return moving * (1 - momentum) + batch_value * momentum


@_answer(
    "update_moving",
    right=False,
    kind="right only for arrays",
    mistake="Loops over the channels, so plain numbers raise.",
)
def update_moving_in_a_loop(moving, batch_value, momentum):
    new = []
    for old, value in zip(moving, batch_value, strict=True):
        new.append(momentum * old + (1 - momentum) * value)
    return np.array(new)


@_answer(
    "batch_norm_inference",
    right=False,
    kind="variance of the batch",
    mistake="The moving mean is used, but the variance is still that of the batch.",
)
def batch_norm_inference_half_moving(inputs, gamma, beta, moving_mean, moving_variance, epsilon):
    variance = np.var(inputs, axis=(0, 1, 2))
    return gamma * (inputs - moving_mean) / np.sqrt(variance + epsilon) + beta


@_answer(
    "batch_norm_inference",
    right=False,
    kind="operator precedence",
    mistake="A pair of brackets is missing: only the mean is divided by the root.",
)
def batch_norm_inference_no_brackets(inputs, gamma, beta, moving_mean, moving_variance, epsilon):
    return gamma * (inputs - moving_mean / np.sqrt(moving_variance + epsilon)) + beta


@_answer(
    "fold_batch_norm",
    right=False,
    kind="mutates its argument",
    mistake="The numbers are right, but *= writes the folded weights into the caller's kernel.",
)
def fold_into_the_callers_kernel(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon):
    factor = gamma / np.sqrt(moving_variance + epsilon)
    kernel *= factor
    bias = beta + (bias - moving_mean) * factor
    return kernel, bias


@_answer(
    "fold_batch_norm",
    right=False,
    kind="argument ignored: epsilon",
    mistake="Epsilon is left out of the root.",
)
def fold_without_epsilon(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon):
    inv = 1.0 / np.sqrt(moving_variance)
    return kernel * gamma * inv, (bias - moving_mean) * gamma * inv + beta


# Lesson 05


@_answer(
    "average_pool2d",
    right=False,
    kind="right only where no padding comes before",
    mistake="All padding is put after the image; with three or more padded places it is shared.",
)
def average_pool_all_padding_after(inputs, pool_size, padding):
    n, h, w, c = inputs.shape
    p = pool_size
    if padding == "same":
        rows, cols = math.ceil(h / p), math.ceil(w / p)
    else:
        rows, cols = h // p, w // p
    out = np.zeros((n, rows, cols, c))
    for i in range(rows):
        for j in range(cols):
            out[:, i, j] = inputs[:, i * p : (i + 1) * p, j * p : (j + 1) * p].mean(axis=(1, 2))
    return out


@_answer(
    "average_pool2d",
    right=False,
    kind="right only without real zeros",
    mistake="Counts the numbers that are not 0, so a real 0 in the image does not count either.",
)
def average_pool_counting_nonzero(inputs, pool_size, padding):
    x = inputs.astype(float)
    p = pool_size
    if padding == "same":
        top, bottom = same_padding(x.shape[1], p, p)
        left, right = same_padding(x.shape[2], p, p)
        x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    rows, cols = x.shape[1] // p, x.shape[2] // p
    tiles = x[:, : rows * p, : cols * p].reshape(len(x), rows, p, cols, p, -1)
    counts = (tiles != 0).sum(axis=(2, 4))
    return tiles.sum(axis=(2, 4)) / np.maximum(counts, 1)


@_answer("max_pool2d", right=True)
def max_pool_with_repeated_edges(inputs, pool_size, padding):
    p = pool_size
    if padding == "same":
        edges = [same_padding(s, p, p) for s in inputs.shape[1:3]]
        inputs = np.pad(inputs, [(0, 0), *edges, (0, 0)], mode="edge")
    rows, cols = inputs.shape[1] // p, inputs.shape[2] // p
    out = None
    for i in range(p):
        for j in range(p):
            part = inputs[:, i : rows * p : p, j : cols * p : p]
            out = part if out is None else np.maximum(out, part)
    return out


@_answer(
    "max_pool2d",
    right=False,
    kind="right only when no padded window is all negative",
    mistake="np.finfo(float).tiny is the smallest positive number; padding has to be -inf.",
)
def max_pool_padded_with_tiny(inputs, pool_size, padding):
    p = pool_size
    if padding == "same":
        t, b = same_padding(inputs.shape[1], p, p)
        left, r = same_padding(inputs.shape[2], p, p)
        smallest = np.finfo(float).tiny
        inputs = np.pad(
            inputs.astype(float), ((0, 0), (t, b), (left, r), (0, 0)), constant_values=smallest
        )
    h, w = inputs.shape[1] // p, inputs.shape[2] // p
    cut = inputs[:, : h * p, : w * p]
    return cut.reshape(cut.shape[0], h, p, w, p, cut.shape[3]).max(axis=(2, 4))


@_answer(
    "max_pool2d",
    right=False,
    kind="right only for square images",
    mistake="The number of columns is computed from the height.",
)
def max_pool_with_one_side(inputs, pool_size, padding):
    size = inputs.shape[1]
    if padding == "same":
        edge = same_padding(size, pool_size, pool_size)
        inputs = np.pad(inputs, ((0, 0), edge, edge, (0, 0)), constant_values=-np.inf)
    n = inputs.shape[1] // pool_size
    out = np.empty((inputs.shape[0], n, n, inputs.shape[3]))
    for i in range(n):
        for j in range(n):
            ys = slice(i * pool_size, (i + 1) * pool_size)
            xs = slice(j * pool_size, (j + 1) * pool_size)
            out[:, i, j, :] = inputs[:, ys, xs, :].max(axis=1).max(axis=1)
    return out


@_answer(
    "global_average_pool2d",
    right=False,
    kind="right only for square maps",
    mistake="The sum is divided by height squared instead of height times width.",
)
def global_average_of_a_square(inputs):
    side = inputs.shape[1]
    return inputs.sum(axis=1).sum(axis=1) / side**2


@_answer(
    "global_average_pool2d",
    right=False,
    kind="wrong axis",
    mistake="Takes the last two axes, as if channels came first, and so averages the channels.",
)
def global_average_channels_first(inputs):
    return inputs.mean(axis=(-2, -1))


@_answer("dropout", right=True)
def dropout_with_a_copy_and_two_masks(inputs, rate, keep_mask, training):
    out = np.array(inputs, copy=True)
    if not training:
        return out
    out[~keep_mask] = 0
    out[keep_mask] = out[keep_mask] / (1 - rate)
    return out


@_answer(
    "dropout",
    right=False,
    kind="constant factor",
    mistake="rate is taken for the share that stays: divides by rate and not by 1 - rate.",
)
def dropout_divided_by_the_rate(inputs, rate, keep_mask, training):
    if training:
        return np.where(keep_mask, inputs, 0) / rate if rate else np.where(keep_mask, inputs, 0)
    return inputs


@_answer(
    "dropout",
    right=False,
    kind="argument ignored: keep_mask",
    mistake="Throws its own dice instead of using the mask that was given.",
)
def dropout_with_its_own_mask(inputs, rate, keep_mask, training):
    if not training:
        return inputs
    mask = np.random.default_rng(0).random(inputs.shape) >= rate
    return inputs * mask / (1.0 - rate)


# Lesson 06


@_answer("conv2d_backward", right=True)
def conv2d_backward_one_output_at_a_time(grad_outputs, inputs, kernel, stride):
    kh, kw = kernel.shape[:2]
    x = inputs.astype(float)
    gx, gk, gb = np.zeros(x.shape), np.zeros(kernel.shape), np.zeros(kernel.shape[3])
    for n, i, j, f in np.ndindex(*grad_outputs.shape):
        g = grad_outputs[n, i, j, f]
        ys, xs = slice(i * stride, i * stride + kh), slice(j * stride, j * stride + kw)
        gx[n, ys, xs] += g * kernel[..., f]
        gk[..., f] += g * x[n, ys, xs]
        gb[f] += g
    return gx, gk, gb


@_answer(
    "conv2d_backward",
    right=False,
    kind="constant factor",
    mistake="The kernel's gradient is averaged over the batch; it has to be summed.",
)
def conv2d_backward_mean_over_the_batch(grad_outputs, inputs, kernel, stride):
    batch, rows, cols, _ = grad_outputs.shape
    kh, kw = kernel.shape[:2]
    dx = np.zeros(inputs.shape)
    dw = np.zeros(kernel.shape)
    for i in range(rows):
        for j in range(cols):
            y, x = i * stride, j * stride
            g = grad_outputs[:, i, j]
            dx[:, y : y + kh, x : x + kw] += np.einsum("no,hwco->nhwc", g, kernel)
            dw += np.einsum("no,nhwc->hwco", g, inputs[:, y : y + kh, x : x + kw])
    return dx, dw / batch, grad_outputs.sum(axis=(0, 1, 2))


@_answer(
    "conv2d_backward",
    right=False,
    kind="argument ignored: stride, along the columns",
    mistake="The stride is applied to the rows only; columns move by 1.",
)
def conv2d_backward_stride_for_rows(grad_outputs, inputs, kernel, stride):
    kh, kw, _, cout = kernel.shape
    N, H, W, _ = grad_outputs.shape
    dX = np.zeros_like(inputs, dtype=float)
    dK = np.zeros_like(kernel, dtype=float)
    for n in range(N):
        for r in range(H):
            for c in range(W):
                top = r * stride
                for f in range(cout):
                    dX[n, top : top + kh, c : c + kw] += kernel[..., f] * grad_outputs[n, r, c, f]
                    dK[..., f] += inputs[n, top : top + kh, c : c + kw] * grad_outputs[n, r, c, f]
    return dX, dK, grad_outputs.sum(axis=(0, 1, 2))


@_answer(
    "average_pool2d_backward",
    right=False,
    kind="right only for sizes that the pool divides",
    mistake="The leftover rows and columns are missing: the shape is not that of the inputs.",
)
def average_pool_backward_without_leftover(grad_outputs, inputs_shape, pool_size):
    g = grad_outputs.repeat(pool_size, axis=1).repeat(pool_size, axis=2)
    return g / pool_size**2


@_answer(
    "average_pool2d_backward",
    right=False,
    kind="right only for sizes that the pool divides",
    mistake="The leftover rows and columns get the share of the last window instead of 0.",
)
def average_pool_backward_clamped(grad_outputs, inputs_shape, pool_size):
    _, rows, cols, _ = grad_outputs.shape
    ys = np.minimum(np.arange(inputs_shape[1]) // pool_size, rows - 1)
    xs = np.minimum(np.arange(inputs_shape[2]) // pool_size, cols - 1)
    return grad_outputs[:, ys][:, :, xs] / pool_size**2


@_answer("batch_norm_backward", right=True)
def batch_norm_backward_by_the_chain(grad_outputs, inputs, gamma, epsilon):
    axes = (0, 1, 2)
    n = inputs[..., 0].size
    centred = inputs - inputs.mean(axes)
    inv = 1 / np.sqrt((centred**2).mean(axes) + epsilon)
    dxhat = grad_outputs * gamma
    dvar = (dxhat * centred).sum(axes) * -0.5 * inv**3
    dmean = -(dxhat * inv).sum(axes) + dvar * (-2 * centred).mean(axes)
    dx = dxhat * inv + dvar * 2 * centred / n + dmean / n
    return dx, (grad_outputs * centred * inv).sum(axes), grad_outputs.sum(axes)


@_answer(
    "batch_norm_backward",
    right=False,
    kind="right only for maps of one pixel",
    mistake="n is the batch size alone; it has to be batch times height times width.",
)
def batch_norm_backward_n_is_the_batch(grad_outputs, inputs, gamma, epsilon):
    N = inputs.shape[0]
    mean = inputs.mean(axis=(0, 1, 2))
    var = inputs.var(axis=(0, 1, 2))
    xhat = (inputs - mean) / np.sqrt(var + epsilon)
    dbeta = np.sum(grad_outputs, axis=(0, 1, 2))
    dgamma = np.sum(grad_outputs * xhat, axis=(0, 1, 2))
    dx = gamma / (N * np.sqrt(var + epsilon)) * (N * grad_outputs - dbeta - xhat * dgamma)
    return dx, dgamma, dbeta


@_answer(
    "batch_norm_backward",
    right=False,
    kind="argument ignored: gamma, at the inputs",
    mistake="gamma does not appear in the gradient at the inputs.",
)
def batch_norm_backward_without_gamma(grad_outputs, inputs, gamma, epsilon):
    x = np.moveaxis(inputs, -1, 0).reshape(inputs.shape[-1], -1)
    g = np.moveaxis(grad_outputs, -1, 0).reshape(inputs.shape[-1], -1)
    centred = x - x.mean(axis=1, keepdims=True)
    std = np.sqrt((centred**2).mean(axis=1, keepdims=True) + epsilon)
    xh = centred / std
    d = (g - g.mean(1, keepdims=True) - xh * (g * xh).mean(1, keepdims=True)) / std
    batch, height, width, channels = inputs.shape
    dx = d.reshape(channels, batch, height, width).transpose(1, 2, 3, 0)
    return dx, (g * xh).sum(1), g.sum(1)


# Lesson 07


@_answer(
    "count_parameters",
    right=False,
    kind="moving statistics counted as trainable",
    mistake="All four numbers of batch normalization are called trainable; two are not.",
)
def count_parameters_all_trainable(channels_in, filters, kernel_size, batch_norm):
    n = (kernel_size * kernel_size * channels_in + 1) * filters
    if batch_norm:
        n = n + 4 * filters
    return (n, 0)


@_answer(
    "count_parameters",
    right=False,
    kind="right only when channels_in equals filters, with batch_norm",
    mistake="Batch normalization stands behind the convolution: it has one set for each filter.",
)
def count_parameters_norm_of_the_input(channels_in, filters, kernel_size, batch_norm):
    conv = channels_in * filters * kernel_size**2 + filters
    bn = 2 * channels_in if batch_norm else 0
    return conv + bn, bn


@_answer(
    "count_parameters",
    right=False,
    kind="wrong type",
    mistake="Prints the two numbers and returns nothing.",
)
def count_parameters_on_the_screen(channels_in, filters, kernel_size, batch_norm):
    trainable = filters * (channels_in * kernel_size**2 + 1)
    frozen = 0
    if batch_norm:
        frozen = filters * 2
        trainable += frozen
    print(trainable, frozen)  # noqa: T201


@_answer("softmax_cross_entropy", right=True)
def cross_entropy_with_logaddexp(logits, labels):
    losses = [
        np.logaddexp.reduce(row) - row[label] for row, label in zip(logits, labels, strict=True)
    ]
    return float(np.mean(losses))


@_answer(
    "softmax_cross_entropy",
    right=False,
    kind="right only for moderate scores",
    mistake="The small number inside the log caps the loss near 16; large scores cost more.",
)
def cross_entropy_with_a_small_number(logits, labels):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    picked = p[np.arange(len(labels)), labels]
    return -np.mean(np.log(picked + 1e-7))


@_answer(
    "softmax_cross_entropy",
    right=False,
    kind="wrong axis",
    mistake="The softmax runs over the images (axis 0) and not over the classes.",
)
def cross_entropy_down_the_columns(logits, labels):
    z = logits - np.max(logits, axis=0)
    log_probs = z - np.log(np.sum(np.exp(z), axis=0))
    n = logits.shape[0]
    return -np.sum(log_probs[range(n), labels]) / n


# Lesson 08


@_answer("build_simple_cnn", right=True)
def simple_cnn_functional(input_shape, num_classes):
    x = image = keras.Input(shape=input_shape)
    name = "image_array"
    for filters, side in ((16, 7), (32, 5), (64, 3), (128, 3)):
        for _ in range(2):
            x = layers.Conv2D(filters, (side, side), padding="same", name=name)(x)
            x = layers.BatchNormalization()(x)
            name = None
        x = layers.ReLU()(x)
        x = layers.AveragePooling2D((2, 2), padding="same")(x)
        x = layers.Dropout(1 / 2)(x)
    x = layers.BatchNormalization()(layers.Conv2D(256, (3, 3), padding="same")(x))
    x = layers.Conv2D(num_classes, (3, 3), padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Softmax(name="predictions")(x))


@_answer(
    "build_simple_cnn",
    right=False,
    kind="argument ignored: num_classes",
    mistake="The last convolution always has 10 filters, Fashion-MNIST's number.",
)
def simple_cnn_for_ten_classes(input_shape, num_classes):
    def block(x, filters, size, name=None):
        x = layers.Conv2D(filters, size, padding="same", name=name)(x)
        x = layers.BatchNormalization()(x)
        x = layers.Conv2D(filters, size, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.Activation("relu")(x)
        x = layers.AveragePooling2D(2, padding="same")(x)
        return layers.Dropout(0.5)(x)

    inputs = keras.Input(input_shape)
    x = block(inputs, 16, 7, "image_array")
    x = block(x, 32, 5)
    x = block(x, 64, 3)
    x = block(x, 128, 3)
    x = layers.Conv2D(256, 3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(10, 3, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Activation("softmax", name="predictions")(x)
    return keras.Model(inputs, outputs)


@_answer(
    "build_simple_cnn",
    right=False,
    kind="an activation too many",
    mistake="The second convolution has a ReLU of its own, before its batch normalization.",
)
def simple_cnn_relu_inside_the_convolution(input_shape, num_classes):
    model = keras.Sequential([keras.Input(input_shape)])
    for filters, size in ((16, 7), (32, 5), (64, 3), (128, 3)):
        name = "image_array" if filters == 16 else None
        model.add(layers.Conv2D(filters, size, padding="same", name=name))
        model.add(layers.BatchNormalization())
        model.add(layers.Conv2D(filters, size, padding="same", activation="relu"))
        model.add(layers.BatchNormalization())
        model.add(layers.Activation("relu"))
        model.add(layers.AveragePooling2D(pool_size=2, padding="same"))
        model.add(layers.Dropout(0.5))
    model.add(layers.Conv2D(256, 3, padding="same"))
    model.add(layers.BatchNormalization())
    model.add(layers.Conv2D(num_classes, 3, padding="same"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Activation("softmax", name="predictions"))
    return model


# Lesson 09


@_answer("build_simpler_cnn", right=True)
def simpler_cnn_from_one_table(input_shape, num_classes):
    rows = [(16, 5, 1), (16, 5, 2), (32, 5, 1), (32, 5, 2), (64, 3, 1), (64, 3, 2), (64, 1, 1)]
    model = keras.models.Sequential()
    for number, (filters, side, step) in enumerate([*rows, (128, 3, 2)]):
        name = f"convolution_{number}" if number else "image_array"
        model.add(layers.Convolution2D(filters, side, (step, step), "same", name=name))
        model.add(layers.BatchNormalization())
        if step == 2:
            model.add(layers.Activation(keras.activations.relu))
            model.add(layers.Dropout(0.25))
    for filters, side, step in [(256, 1, 1), (128, 3, 2), (256, 1, 1), (num_classes, 3, 2)]:
        model.add(layers.Conv2D(filters, side, strides=step, padding="same"))
        if side == 1:
            model.add(layers.BatchNormalization())
    model.add(layers.Flatten())
    model.add(layers.Softmax(name="predictions"))
    model.build((None, *input_shape))
    return model


@_answer(
    "build_simpler_cnn",
    right=False,
    kind="stride at the wrong convolution",
    mistake="The stride of 2 stands at the first convolution of each block, not at the second.",
)
def simpler_cnn_strides_first(input_shape, num_classes):
    m = keras.Sequential([keras.Input(input_shape)])
    for f1, k1, f2, k2 in [(16, 5, 16, 5), (32, 5, 32, 5), (64, 3, 64, 3), (64, 1, 128, 3)]:
        name = "image_array" if f1 == 16 else None
        m.add(layers.Conv2D(f1, k1, strides=2, padding="same", name=name))
        m.add(layers.BatchNormalization())
        m.add(layers.Conv2D(f2, k2, padding="same"))
        m.add(layers.BatchNormalization())
        m.add(layers.ReLU())
        m.add(layers.Dropout(0.25))
    m.add(layers.Conv2D(256, 1, padding="same"))
    m.add(layers.BatchNormalization())
    m.add(layers.Conv2D(128, 3, strides=2, padding="same"))
    m.add(layers.Conv2D(256, 1, padding="same"))
    m.add(layers.BatchNormalization())
    m.add(layers.Conv2D(num_classes, 3, strides=2, padding="same"))
    m.add(layers.Flatten())
    m.add(layers.Activation("softmax", name="predictions"))
    return m


@_answer(
    "build_simpler_cnn",
    right=False,
    kind="wrong type",
    mistake="The function ends with model.summary(), which returns None; return model is missing.",
)
def simpler_cnn_that_returns_its_summary(input_shape, num_classes):
    model = keras.Sequential([keras.Input(input_shape)])
    blocks = [(16, 5, 16, 5), (32, 5, 32, 5), (64, 3, 64, 3), (64, 1, 128, 3)]
    for index, (f, k, g, j) in enumerate(blocks):
        model.add(layers.Conv2D(f, k, padding="same", name="image_array" if index == 0 else None))
        model.add(layers.BatchNormalization())
        model.add(layers.Conv2D(g, j, strides=2, padding="same"))
        model.add(layers.BatchNormalization())
        model.add(layers.Activation("relu"))
        model.add(layers.Dropout(0.25))
    model.add(layers.Conv2D(256, 1, padding="same"))
    model.add(layers.BatchNormalization())
    model.add(layers.Conv2D(128, 3, strides=2, padding="same"))
    model.add(layers.Conv2D(256, 1, padding="same"))
    model.add(layers.BatchNormalization())
    model.add(layers.Conv2D(num_classes, 3, strides=2, padding="same"))
    model.add(layers.Flatten())
    model.add(layers.Activation("softmax", name="predictions"))
    return model.summary()


@_answer(
    "head_outputs",
    right=False,
    kind="rounded to even",
    mistake="Python's round takes halves to the even number: 2.5 becomes 2, and it has to be 3.",
)
def head_outputs_rounded_by_python(input_size, halvings, num_classes):
    s = input_size
    for _ in range(halvings):
        s = max(round(s / 2), 1)
    return s**2 * num_classes


@_answer(
    "head_outputs",
    right=False,
    kind="off by one",
    mistake="range(1, halvings) runs once too seldom.",
)
def head_outputs_one_halving_short(input_size, halvings, num_classes):
    side = input_size
    for _ in range(1, halvings):
        side = (side + 1) // 2
    return side * side * num_classes


# Lesson 10


@_answer(
    "split_indices",
    right=False,
    kind="global random state",
    mistake="np.random.seed changes everybody's random numbers; a generator of its own is wanted.",
)
def split_with_the_global_seed(count, validation_fraction, seed):
    np.random.seed(seed)
    idx = np.arange(count)
    np.random.shuffle(idx)
    n_val = round(count * validation_fraction)
    return idx[n_val:], idx[:n_val]


@_answer(
    "split_indices",
    right=False,
    kind="right only when something is held out",
    mistake="order[:-0] is empty: with nothing held out all images land in validation.",
)
def split_from_the_end(count, validation_fraction, seed):
    order = np.random.default_rng(seed).permutation(count)
    n = round(validation_fraction * count)
    return order[:-n], order[-n:]


@_answer(
    "cosine_schedule",
    right=False,
    kind="right only up to total_steps",
    mistake="Past the end the function falls through and returns None; it has to be 0.",
)
def cosine_schedule_nothing_after_the_end(step, total_steps, peak):
    if step <= total_steps:
        return peak * (1 + math.cos(math.pi * step / total_steps)) / 2


@_answer(
    "cosine_schedule",
    right=False,
    kind="straight line",
    mistake="A straight line from the peak to 0; only start, middle and end are the cosine's.",
)
def cosine_schedule_as_a_line(step, total_steps, peak):
    return peak * max(0.0, 1 - step / total_steps)


@_answer(
    "augment",
    right=False,
    kind="never flips",
    mistake="integers(0, 1) leaves out the upper end and always gives 0: nothing is ever flipped.",
)
def augment_with_a_coin_of_one_side(images, rng):
    out = images.copy()
    for i in range(len(images)):
        if rng.integers(0, 1) == 1:
            out[i] = images[i, :, ::-1]
    return out


@_answer(
    "augment",
    right=False,
    kind="not independent",
    mistake="Exactly half of the batch is flipped each time; each image needs a coin of its own.",
)
def augment_exactly_half(images, rng):
    flipped = np.array(images)
    chosen = rng.permutation(len(images))[: len(images) // 2]
    flipped[chosen] = images[chosen][:, :, ::-1]
    return flipped


# Lesson 11


@_answer("confusion_matrix", right=True)
def confusion_matrix_with_bincount(labels, predictions, num_classes):
    pairs = np.asarray(labels, dtype=int) * num_classes + predictions
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


@_answer(
    "confusion_matrix",
    right=False,
    kind="right only when every class occurs",
    mistake="Only classes that occur get a row and a column, as in a cross table of pandas.",
)
def confusion_matrix_of_present_classes(labels, predictions, num_classes):
    classes = np.unique(np.concatenate([labels, predictions]))
    table = [[np.sum((labels == a) & (predictions == b)) for b in classes] for a in classes]
    return np.array(table)


@_answer(
    "confusion_matrix",
    right=False,
    kind="wrong type",
    mistake="The counts are floats, because np.zeros was given no type.",
)
def confusion_matrix_in_floats(labels, predictions, num_classes):
    matrix = np.zeros((num_classes, num_classes))
    for i in range(len(labels)):
        matrix[labels[i]][predictions[i]] += 1
    return matrix


@_answer(
    "accuracy_interval",
    right=False,
    kind="argument ignored: z",
    mistake="1.96 is written in, so the interval is always that of 95 percent.",
)
def accuracy_interval_always_95(correct, total, z):
    z = 1.96
    p = correct / total
    d = 1 + z * z / total
    mid = (p + z * z / (2 * total)) / d
    half = z / d * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    return mid - half, mid + half


@_answer(
    "accuracy_interval",
    right=False,
    kind="middle and half width",
    mistake="Returns the middle and half the width instead of the two ends.",
)
def accuracy_interval_as_middle_and_width(correct, total, z):
    share = correct / total
    scale = 1 + z**2 / total
    centre = (share + z**2 / (2 * total)) / scale
    width = z * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2)) / scale
    return centre, width


# Lesson 12


@_answer(
    "occlusion_map",
    right=False,
    kind="argument ignored: fill",
    mistake="Patches are always painted with 0; the number fill is not used.",
)
def occlusion_in_black(predict, image, patch_size, fill):
    full = predict(image[None, ...])
    out = []
    for top in range(0, image.shape[0] - patch_size + 1, patch_size):
        row = []
        for left in range(0, image.shape[1] - patch_size + 1, patch_size):
            mask = np.ones(image.shape)
            mask[top : top + patch_size, left : left + patch_size] = 0
            row.append(full[0] - predict((image * mask)[None])[0])
        out.append(row)
    return np.array(out)


@_answer(
    "occlusion_map",
    right=False,
    kind="right only for one channel",
    mistake="Only the first channel of a patch is hidden.",
)
def occlusion_of_the_first_channel(predict, image, patch_size, fill):
    p = patch_size
    rows, cols = image.shape[0] // p, image.shape[1] // p
    whole = predict(image[None])[0]
    heat = np.zeros((rows, cols))
    for r in range(rows):
        for c in range(cols):
            covered = np.array(image)
            covered[r * p : r * p + p, c * p : c * p + p, 0] = fill
            heat[r, c] = whole - predict(covered[None])[0]
    return heat


@_answer("grad_cam", right=True)
def grad_cam_as_a_matrix_product(maps, gradients):
    h, w, channels = maps.shape
    weights = gradients.reshape(-1, channels).sum(axis=0) / (h * w)
    return np.clip(maps @ weights, 0, None)


@_answer(
    "grad_cam",
    right=False,
    kind="ReLU before the sum",
    mistake="Negative parts are cut in each channel; they have to be cut after the sum.",
)
def grad_cam_relu_for_each_channel(maps, gradients):
    heat = np.zeros(maps.shape[:2])
    for c in range(maps.shape[2]):
        w = gradients[:, :, c].mean()
        heat += np.maximum(w * maps[:, :, c], 0)
    return heat


@_answer(
    "grad_cam",
    right=False,
    kind="scaled to 1",
    mistake="The answer is divided by its largest value; it was not to be scaled.",
)
def grad_cam_scaled(maps, gradients):
    weights = gradients.mean(axis=(0, 1))
    cam = np.maximum(np.dot(maps, weights), 0)
    if cam.max() > 0:
        cam = cam / cam.max()
    return cam


# Lesson 13


@_answer(
    "repair_missing_relu",
    right=False,
    kind="a ReLU too many",
    mistake="The last convolution gets a ReLU too.",
)
def relu_behind_every_convolution(inputs, kernels):
    for kernel in kernels:
        inputs = np.maximum(ops.conv2d(inputs, kernel), 0)
    return inputs


@_answer(
    "repair_missing_relu",
    right=False,
    kind="mutates its argument",
    mistake="pop takes the last kernel out of the caller's list.",
)
def relu_after_popping_the_last(inputs, kernels):
    last_kernel = kernels.pop()
    for k in kernels:
        inputs = ops.relu(ops.conv2d(inputs, k))
    return ops.conv2d(inputs, last_kernel)


@_answer(
    "repair_double_softmax",
    right=False,
    kind="right only for one image",
    mistake="The logarithm of the mean probability; the mean of the logarithms was asked for.",
)
def cross_entropy_log_of_the_mean(probabilities, labels):
    p = np.array([row[label] for row, label in zip(probabilities, labels, strict=True)])
    return -np.log(p.mean())


@_answer(
    "repair_double_softmax",
    right=False,
    kind="constant factor",
    mistake="log2 counts in bits; the loss takes the natural logarithm.",
)
def cross_entropy_in_bits(probabilities, labels):
    return -np.mean(np.log2(probabilities[np.arange(len(labels)), labels]))


@_answer("repair_batch_norm_mode", right=True)
def batch_norm_mode_through_the_course(inputs, moving_mean, moving_variance, epsilon, training):
    moments = ops.batch_moments(inputs) if training else (moving_mean, moving_variance)
    return ops.batch_normalization(inputs, *moments, epsilon=epsilon)


@_answer(
    "repair_batch_norm_mode",
    right=False,
    kind="wrong axis, in training",
    mistake="In training each image is normalized by itself; the batch belongs to the moments.",
)
def batch_norm_mode_for_each_image(inputs, moving_mean, moving_variance, epsilon, training):
    mean, var = moving_mean, moving_variance
    if training:
        mean = inputs.mean(axis=(1, 2), keepdims=True)
        var = inputs.var(axis=(1, 2), keepdims=True)
    return (inputs - mean) / np.sqrt(var + epsilon)


@_answer(
    "repair_batch_norm_mode",
    right=False,
    kind="misplaced return",
    mistake="The return stands in the inference branch only; in training None comes back.",
)
def batch_norm_mode_returning_once(inputs, moving_mean, moving_variance, epsilon, training):
    if training:
        mean = np.mean(inputs, axis=(0, 1, 2))
        variance = np.var(inputs, axis=(0, 1, 2))
        outputs = (inputs - mean) / (variance + epsilon) ** 0.5
    else:
        outputs = (inputs - moving_mean) / (moving_variance + epsilon) ** 0.5
        return outputs


@_answer(
    "repair_leaky_split",
    right=False,
    kind="positions taken for photos",
    mistake="held_out names photos; here its numbers are taken for positions of images.",
)
def leaky_split_by_position(sources, held_out):
    everything = np.arange(len(sources))
    inside = np.isin(everything, held_out)
    return everything[~inside], everything[inside]


@_answer(
    "repair_leaky_split",
    right=False,
    kind="right only for one held-out photo",
    mistake="Only the first of the held-out photos is looked at.",
)
def leaky_split_of_one_photo(sources, held_out):
    photo = held_out[0] if len(held_out) else -1
    validation = np.where(np.asarray(sources) == photo)[0]
    train = np.where(np.asarray(sources) != photo)[0]
    return train, validation


@_answer("repair_channel_order", right=True)
def channel_order_by_stacking(images):
    return np.stack([images[:, c] for c in range(images.shape[1])], axis=-1)


@_answer(
    "repair_channel_order",
    right=False,
    kind="channels reversed",
    mistake="OpenCV habit: the channels are moved and also reversed, from red first to blue first.",
)
def channel_order_as_in_opencv(images):
    moved = np.moveaxis(images, 1, -1)
    return moved[..., ::-1]


@_answer(
    "repair_channel_order",
    right=False,
    kind="shape, for axes of length 1",
    mistake="squeeze removes every axis of length 1: a single image or channel loses its axis.",
)
def channel_order_squeezed(images):
    return np.squeeze(np.transpose(images, (0, 2, 3, 1)))


@_answer("repair_shifted_labels", right=True)
def shifted_labels_by_a_loop(images, labels, broken):
    bad = set(np.asarray(broken).tolist())
    good = [i for i in range(len(images)) if i not in bad]
    good = np.array(good, dtype=int)
    return images[good], labels[good]


@_answer(
    "repair_shifted_labels",
    right=False,
    kind="right only for one broken image",
    mistake="After each deletion later positions move up by one; the next one hits a neighbour.",
)
def shifted_labels_deleting_one_by_one(images, labels, broken):
    for position in broken:
        images = np.delete(images, position, axis=0)
        labels = np.delete(labels, position)
    return images, labels


@_answer(
    "repair_shifted_labels",
    right=False,
    kind="axis forgotten",
    mistake="np.delete without an axis flattens the images and takes out single pixels.",
)
def shifted_labels_flattened(images, labels, broken):
    return np.delete(images, broken), np.delete(labels, broken)


@_answer("repair_learning_rate", right=True)
def learning_rate_from_sorted_pairs(rates, losses):
    pairs = [(loss, rate) for rate, loss in zip(rates, losses, strict=True) if loss == loss]
    return sorted(pairs)[0][1] / 10


@_answer(
    "repair_learning_rate",
    right=False,
    kind="right only when the losses fall once and then rise",
    mistake="Stops at the first rise; a lower loss further on is never seen.",
)
def learning_rate_at_the_first_rise(rates, losses):
    i = 0
    while i + 1 < len(losses) and losses[i + 1] < losses[i]:
        i += 1
    return rates[i] / 10


@_answer(
    "repair_learning_rate",
    right=False,
    kind="loss and not rate",
    mistake="A tenth of the lowest loss; a tenth of its rate was asked for.",
)
def learning_rate_from_the_loss(rates, losses):
    best = min(loss for loss in losses if not np.isnan(loss))
    return best / 10


@_answer(
    "repair_flatten_head",
    right=False,
    kind="sum in place of the mean",
    mistake="The scores of all places are summed, so larger maps give surer answers.",
)
def flatten_head_with_sums(maps):
    scores = maps.sum(axis=(1, 2))
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@_answer(
    "repair_flatten_head",
    right=False,
    kind="softmax missing",
    mistake="The mean scores come back as they are; the softmax is missing.",
)
def flatten_head_without_softmax(maps):
    return np.mean(np.mean(maps, axis=2), axis=1)
