"""The sealed half of the fifth collection, of the same making; see ``blind_fifth.py``.

Judged once, at the end, after nothing was mended for it. Nothing here may be changed to please a
check: an answer that is misjudged is a finding.
"""

from __future__ import annotations

import math
import random
import statistics

import numpy as np
import scipy.ndimage
import scipy.special
from blind_second import Answer, register_in
from numpy.lib.stride_tricks import sliding_window_view

from cnncourse import ops
from cnncourse.ops import same_padding

ANSWERS: list[Answer] = []
_answer = register_in(ANSWERS)


# Lesson 01


@_answer(
    "nearest_mean",
    right=False,
    kind="means in image type",
    mistake=(
        "The means are kept in the images' own type; with uint8 everything behind the point "
        "is cut off, and a close decision may tip."
    ),
)
def nearest_mean__means_in_image_type(train_images, train_labels, images, num_classes):
    means = np.zeros((num_classes, *train_images.shape[1:]), dtype=train_images.dtype)
    for label in range(num_classes):
        means[label] = train_images[train_labels == label].mean(axis=0).astype(means.dtype)
    answers = []
    for image in images:
        squares = (image.astype(float) - means.astype(float)) ** 2
        answers.append(squares.reshape(num_classes, -1).sum(axis=1).argmin())
    return np.array(answers)


@_answer(
    "standardize",
    right=False,
    kind="own deviation",
    mistake=(
        "The training mean is used for both sets, but each set is divided by its own "
        "deviation; the test images need the training deviation."
    ),
)
def standardize__own_deviation(train_images, test_images):
    train = train_images.astype(np.float32)
    test = test_images.astype(np.float32)
    mean = train.mean()
    with np.errstate(all="ignore"):
        return (train - mean) / train.std(), (test - mean) / test.std()


@_answer(
    "standardize_channels",
    right=False,
    kind="mean of deviations",
    mistake=(
        "The deviation is taken within each image and then averaged; how far the images lie "
        "apart is lost. Take it over images, rows and columns at once."
    ),
)
def standardize_channels__mean_of_deviations(train_images, test_images):
    train = train_images.astype(np.float32)
    test = test_images.astype(np.float32)
    mean = train.mean(axis=(0, 1, 2))
    deviation = train.std(axis=(1, 2)).mean(axis=0)
    with np.errstate(all="ignore"):
        return (train - mean) / deviation, (test - mean) / deviation


# Lesson 02


@_answer(
    "conv2d",
    right=False,
    kind="channels not moved",
    mistake=(
        "Sliding_window_view puts the window's axes behind the channels; without moving the "
        "channels last, patches and kernel are flattened in different orders."
    ),
)
def conv2d__channels_not_moved(inputs, kernel, bias):
    kh, kw, _, filters = kernel.shape
    windows = sliding_window_view(inputs, (kh, kw), axis=(1, 2))
    batch, rows, columns = windows.shape[:3]
    patches = windows.reshape(batch * rows * columns, -1)
    answers = patches @ kernel.reshape(-1, filters) + bias
    return answers.reshape(batch, rows, columns, filters)


@_answer("conv2d", right=True)
def conv2d__sum_over_kernel_places(inputs, kernel, bias):
    kh, kw, _, filters = kernel.shape
    rows, columns = inputs.shape[1] - kh + 1, inputs.shape[2] - kw + 1
    answers = np.zeros((len(inputs), rows, columns, filters)) + bias
    for dy in range(kh):
        for dx in range(kw):
            moved = inputs[:, dy : dy + rows, dx : dx + columns].astype(np.float64)
            answers = answers + moved @ kernel[dy, dx]
    return answers


@_answer(
    "correlate2d",
    right=False,
    kind="centered but cut at corner",
    mistake=(
        "Ndimage centers the kernel on each pixel; the places where it lies wholly on the "
        "image begin half a kernel further in, not at the top left."
    ),
)
def correlate2d__centered_but_cut_at_corner(image, kernel):
    rows = image.shape[0] - kernel.shape[0] + 1
    columns = image.shape[1] - kernel.shape[1] + 1
    centered = scipy.ndimage.correlate(image.astype(float), kernel.astype(float), mode="constant")
    return centered[:rows, :columns]


@_answer(
    "output_size",
    right=False,
    kind="half a kernel each side",
    mistake=(
        "For same you pad half a kernel on each side; an even kernel then gets one place too "
        "many. Same is the size divided by the stride, rounded up, whatever the kernel."
    ),
)
def output_size__half_a_kernel_each_side(size, kernel_size, stride, padding):
    pad = 0
    if padding == "same":
        pad = kernel_size // 2
    return (size + 2 * pad - kernel_size) // stride + 1


@_answer(
    "strided_conv2d",
    right=False,
    kind="rows padding for both",
    mistake=(
        "The padding is computed from the height and the stride down, and used for the "
        "columns too; each axis goes by its own size, kernel and stride."
    ),
)
def strided_conv2d__rows_padding_for_both(inputs, kernel, stride, padding):
    kh, kw = kernel.shape[:2]
    values = inputs.astype(float)
    if padding == "same":
        out = -(-inputs.shape[1] // stride[0])
        total = max((out - 1) * stride[0] + kh - inputs.shape[1], 0)
        pad = (total // 2, total - total // 2)
        values = np.pad(values, ((0, 0), pad, pad, (0, 0)))
    rows = (values.shape[1] - kh) // stride[0] + 1
    columns = (values.shape[2] - kw) // stride[1] + 1
    answers = np.zeros((len(values), rows, columns, kernel.shape[3]))
    for y in range(rows):
        for x in range(columns):
            top, left = y * stride[0], x * stride[1]
            patch = values[:, top : top + kh, left : left + kw]
            answers[:, y, x] = np.tensordot(patch, kernel, axes=3)
    return answers


# Lesson 03


@_answer(
    "relu",
    right=False,
    kind="half of x plus abs",
    mistake=(
        "(x + |x|) / 2 is right for floats, but x + |x| overflows in small whole numbers: "
        "from 128 on a uint8 wraps round."
    ),
)
def relu__half_of_x_plus_abs(inputs):
    return (inputs + np.abs(inputs)) / 2


@_answer(
    "seen_pixels",
    right=False,
    kind="layers from the front",
    mistake=(
        "You go back from the output, but through the layers from the first on; the last "
        "layer is the first that you meet on the way back."
    ),
)
def seen_pixels__layers_from_the_front(layers, place):
    first = last = place
    for kernel_size, stride in layers:
        first = first * stride
        last = last * stride + kernel_size - 1
    return first, last


@_answer(
    "strongest_images",
    right=False,
    kind="all pixels sorted",
    mistake=(
        "All activations are sorted, not the maximum of each map, so an image with two strong "
        "pixels is named twice."
    ),
)
def strongest_images__all_pixels_sorted(maps, count):
    images, height, width = maps.shape
    order = np.argsort(maps.reshape(-1), kind="stable")[::-1]
    return order[:count] // (height * width)


# Lesson 04


@_answer(
    "batch_norm_inference",
    right=False,
    kind="beta inside",
    mistake=("Beta is added before gamma scales, so it is scaled as well; scale first, then move."),
)
def batch_norm_inference__beta_inside(inputs, gamma, beta, moving_mean, moving_variance, epsilon):
    normalized = (inputs - moving_mean) / np.sqrt(moving_variance + epsilon)
    return gamma * (normalized + beta)


@_answer(
    "batch_norm_train",
    right=False,
    kind="squares in uint8",
    mistake=(
        "The squares are taken in uint8, where 16 squared is already 0; turn the inputs into "
        "floats before you square."
    ),
)
def batch_norm_train__squares_in_uint8(inputs, gamma, beta, epsilon):
    mean = inputs.mean(axis=(0, 1, 2))
    variance = (inputs**2).mean(axis=(0, 1, 2)) - mean**2
    with np.errstate(invalid="ignore", divide="ignore"):
        outputs = gamma * (inputs - mean) / np.sqrt(variance + epsilon) + beta
    return outputs, mean, variance


@_answer(
    "fold_batch_norm",
    right=False,
    kind="bias not scaled",
    mistake=(
        "The old bias is added as it was; it passes through the normalization as well, and "
        "has to be scaled by the factor."
    ),
)
def fold_batch_norm__bias_not_scaled(
    kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon
):
    factor = gamma / np.sqrt(moving_variance + epsilon)
    shift = beta - moving_mean * factor
    return kernel * factor, bias + shift


@_answer(
    "merge_moments",
    right=False,
    kind="spread of means unweighted",
    mistake=(
        "The spread of the batch means counts every batch alike; a batch with more values "
        "weighs more there, too."
    ),
)
def merge_moments__spread_of_means_unweighted(counts, means, variances):
    weights = counts / counts.sum()
    mean = weights @ means
    within = weights @ variances
    between = ((means - mean) ** 2).mean(axis=0)
    return mean, within + between


@_answer("merge_moments", right=True)
def merge_moments__one_batch_after_another(counts, means, variances):
    n = 0
    mean = np.zeros(means.shape[1])
    squares = np.zeros(means.shape[1])
    for count, batch_mean, batch_variance in zip(counts.tolist(), means, variances):
        delta = batch_mean - mean
        together = n + count
        mean = mean + delta * (count / together)
        squares = squares + batch_variance * count + delta**2 * (n * count / together)
        n = together
    return mean, squares / n


@_answer(
    "update_moving",
    right=False,
    kind="written into whole numbers",
    mistake=(
        "The answer is written into an array like `moving`; if that holds whole numbers, "
        "everything behind the point is lost."
    ),
)
def update_moving__written_into_whole_numbers(moving, batch_value, momentum):
    updated = np.zeros_like(moving)
    updated[...] = momentum * np.asarray(moving) + (1 - momentum) * np.asarray(batch_value)
    return updated


# Lesson 05


@_answer(
    "adaptive_average_pool2d",
    right=False,
    kind="cuts rounded",
    mistake=(
        "The cuts are rounded to the nearest pixel edge; a window takes every pixel that it "
        "touches, so its start is rounded down and its end up."
    ),
)
def adaptive_average_pool2d__cuts_rounded(inputs, rows, columns):
    batch, height, width, channels = inputs.shape
    down = [round(k * height / rows) for k in range(rows + 1)]
    across = [round(k * width / columns) for k in range(columns + 1)]
    answer = np.zeros((batch, rows, columns, channels))
    for r in range(rows):
        for c in range(columns):
            window = inputs[:, down[r] : down[r + 1], across[c] : across[c + 1]]
            answer[:, r, c] = window.mean(axis=(1, 2))
    return answer


@_answer("adaptive_average_pool2d", right=True)
def adaptive_average_pool2d__overlap_matrices(inputs, rows, columns):
    def shares(size, parts):
        matrix = np.zeros((parts, size))
        for part in range(parts):
            for pixel in range(size):
                touches = pixel * parts < (part + 1) * size and (pixel + 1) * parts > part * size
                matrix[part, pixel] = touches
        return matrix / matrix.sum(axis=1, keepdims=True)

    down, across = shares(inputs.shape[1], rows), shares(inputs.shape[2], columns)
    return np.einsum("ry,nyxc,kx->nrkc", down, inputs.astype(float), across)


@_answer(
    "average_pool2d",
    right=False,
    kind="all padding at end",
    mistake=(
        "Under same your first window begins at the first pixel and only the end is cut; "
        "where two places or more are added, some come before and shift all windows."
    ),
)
def average_pool2d__all_padding_at_end(inputs, pool_size, padding):
    batch, height, width, channels = inputs.shape
    if padding == "same":
        rows, columns = math.ceil(height / pool_size), math.ceil(width / pool_size)
    else:
        rows, columns = height // pool_size, width // pool_size
    answer = np.zeros((batch, rows, columns, channels))
    for r in range(rows):
        for c in range(columns):
            down = slice(r * pool_size, (r + 1) * pool_size)
            across = slice(c * pool_size, (c + 1) * pool_size)
            answer[:, r, c] = inputs[:, down, across].mean(axis=(1, 2))
    return answer


@_answer(
    "dropout",
    right=False,
    kind="scaled at inference",
    mistake=(
        "At inference you multiply by 1 - rate as in the old dropout; the inverted one has "
        "already divided in training, so the inputs stay as they are."
    ),
)
def dropout__scaled_at_inference(inputs, rate, keep_mask, training):
    if training:
        return np.where(keep_mask, inputs / (1 - rate), 0.0)
    return inputs * (1 - rate)


@_answer(
    "global_average_pool2d",
    right=False,
    kind="reshaped to channels",
    mistake=(
        "Reshape does not exchange axes: the channels stand last, so cutting the numbers into "
        "(channels, places) mixes them."
    ),
)
def global_average_pool2d__reshaped_to_channels(inputs):
    batch, height, width, channels = inputs.shape
    return inputs.reshape(batch, channels, height * width).mean(axis=2)


@_answer(
    "max_pool2d",
    right=False,
    kind="leftover dropped at start",
    mistake=(
        "Under valid you drop the leftover rows and columns at the start; they are dropped at "
        "the end."
    ),
)
def max_pool2d__leftover_dropped_at_start(inputs, pool_size, padding):
    values = inputs.astype(float)
    batch, height, width, channels = values.shape
    if padding == "same":
        pads = [same_padding(size, pool_size, pool_size) for size in (height, width)]
        values = np.pad(values, [(0, 0), *pads, (0, 0)], constant_values=-np.inf)
    else:
        values = values[:, height % pool_size :, width % pool_size :]
    rows, columns = values.shape[1] // pool_size, values.shape[2] // pool_size
    tiles = values.reshape(batch, rows, pool_size, columns, pool_size, channels)
    return tiles.max(axis=(2, 4))


# Lesson 06


@_answer(
    "average_pool2d_backward",
    right=False,
    kind="stretched over all",
    mistake=(
        "The gradients are stretched over the whole image; leftover rows and columns were "
        "read by no window and get 0."
    ),
)
def average_pool2d_backward__stretched_over_all(grad_outputs, inputs_shape, pool_size):
    _, height, width, _ = inputs_shape
    _, rows, columns, _ = grad_outputs.shape
    from_row = np.arange(height) * rows // height
    from_column = np.arange(width) * columns // width
    return grad_outputs[:, from_row][:, :, from_column] / pool_size**2


@_answer(
    "batch_norm_backward",
    right=False,
    kind="gamma without deviation",
    mistake=(
        "The gradient at gamma is summed over the centered inputs; gamma multiplies the "
        "normalized ones, so the division by the deviation is missing."
    ),
)
def batch_norm_backward__gamma_without_deviation(grad_outputs, inputs, gamma, epsilon):
    axes = (0, 1, 2)
    values = inputs.astype(float)
    centered = values - values.mean(axis=axes)
    root = np.sqrt((centered**2).mean(axis=axes) + epsilon)
    hat = centered / root
    grad_beta = grad_outputs.sum(axis=axes)
    grad_gamma = (grad_outputs * centered).sum(axis=axes)
    g = grad_outputs * gamma
    grad_inputs = (g - g.mean(axis=axes) - hat * (g * hat).mean(axis=axes)) / root
    return grad_inputs, grad_gamma, grad_beta


@_answer(
    "conv2d_backward",
    right=False,
    kind="overlap overwritten",
    mistake=(
        "`=` where `+=` is needed: a pixel that several windows read gets only the share of "
        "the last one."
    ),
)
def conv2d_backward__overlap_overwritten(grad_outputs, inputs, kernel, stride):
    kh, kw = kernel.shape[:2]
    grad_inputs = np.zeros(inputs.shape)
    grad_kernel = np.zeros(kernel.shape)
    for y in range(grad_outputs.shape[1]):
        for x in range(grad_outputs.shape[2]):
            down = slice(y * stride, y * stride + kh)
            across = slice(x * stride, x * stride + kw)
            g = grad_outputs[:, y, x]
            grad_inputs[:, down, across] = np.einsum("nf,ijcf->nijc", g, kernel)
            grad_kernel += np.einsum("nijc,nf->ijcf", inputs[:, down, across].astype(float), g)
    return grad_inputs, grad_kernel, grad_outputs.sum(axis=(0, 1, 2))


@_answer("conv2d_backward", right=True)
def conv2d_backward__strided_slices(grad_outputs, inputs, kernel, stride):
    _, rows, columns, _ = grad_outputs.shape
    grad_inputs = np.zeros(inputs.shape)
    grad_kernel = np.zeros(kernel.shape)
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            down = slice(i, i + (rows - 1) * stride + 1, stride)
            across = slice(j, j + (columns - 1) * stride + 1, stride)
            seen = inputs[:, down, across].astype(float)
            grad_kernel[i, j] = np.tensordot(seen, grad_outputs, axes=((0, 1, 2), (0, 1, 2)))
            grad_inputs[:, down, across] += grad_outputs @ kernel[i, j].T
    return grad_inputs, grad_kernel, np.einsum("nyxf->f", grad_outputs)


@_answer(
    "max_pool2d_backward",
    right=False,
    kind="row and column exchanged",
    mistake=(
        "The flat place of the winner is taken apart in the wrong order: the quotient is the "
        "row, the remainder the column."
    ),
)
def max_pool2d_backward__row_and_column_exchanged(grad_outputs, inputs, pool_size):
    grad = np.zeros(inputs.shape)
    for n, y, x, c in np.ndindex(grad_outputs.shape):
        top, left = y * pool_size, x * pool_size
        window = inputs[n, top : top + pool_size, left : left + pool_size, c]
        winner = int(np.argmax(window))
        row, column = winner % pool_size, winner // pool_size
        grad[n, top + row, left + column, c] = grad_outputs[n, y, x, c]
    return grad


# Lesson 07


@_answer(
    "count_parameters",
    right=False,
    kind="bias for each channel",
    mistake=(
        "You give each pair of input channel and filter a bias; a filter has one bias, "
        "however many channels it reads."
    ),
)
def count_parameters__bias_for_each_channel(channels_in, filters, kernel_size, batch_norm):
    trainable = (kernel_size * kernel_size + 1) * channels_in * filters
    non_trainable = 0
    if batch_norm:
        trainable += 2 * filters
        non_trainable += 2 * filters
    return trainable, non_trainable


@_answer(
    "dense_from_channels_first",
    right=False,
    kind="reshaped not transposed",
    mistake=(
        "The outputs are still the first axis when you reshape to (…, outputs); with more "
        "than one output that mixes them. Transpose at the end instead."
    ),
)
def dense_from_channels_first__reshaped_not_transposed(weights, channels, height, width):
    outputs = weights.shape[0]
    maps = weights.reshape(outputs, channels, height, width).transpose(0, 2, 3, 1)
    return maps.reshape(height * width * channels, outputs)


@_answer(
    "softmax_cross_entropy",
    right=False,
    kind="maximum of batch",
    mistake=(
        "The largest score of the whole batch is subtracted; a row that lies far below it "
        "underflows to log 0. Each row needs its own maximum."
    ),
)
def softmax_cross_entropy__maximum_of_batch(logits, labels):
    shifted = logits - np.max(logits)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_sums = np.log(np.exp(shifted).sum(axis=1))
        losses = log_sums - shifted[np.arange(len(labels)), labels]
    return losses.mean()


# Lesson 08


@_answer(
    "build_simple_cnn",
    right=False,
    kind="one norm for two",
    mistake=(
        'You read "twice" for the convolution alone; each of both has a batch normalization '
        "behind it."
    ),
)
def build_simple_cnn__one_norm_for_two(input_shape, num_classes):
    import keras
    from keras import layers

    inputs = x = keras.Input(input_shape)
    names = iter(["image_array"])
    for filters, side in [(16, 7), (32, 5), (64, 3), (128, 3)]:
        x = layers.Conv2D(filters, side, padding="same", name=next(names, None))(x)
        x = layers.Conv2D(filters, side, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        x = layers.AveragePooling2D(2, padding="same")(x)
        x = layers.Dropout(0.5)(x)
    x = layers.Conv2D(256, 3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(num_classes, 3, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Softmax(name="predictions")(x))


@_answer(
    "receptive_field",
    right=False,
    kind="nothing for no layers",
    mistake=(
        "Without layers you say that nothing is seen; an output that is the pixel itself sees "
        "1 pixel."
    ),
)
def receptive_field__nothing_for_no_layers(layers):
    if not layers:
        return 0
    side = 1
    for kernel_size, stride in reversed(layers):
        side = (side - 1) * stride + kernel_size
    return side


@_answer(
    "widest_network",
    right=False,
    kind="doubled too early",
    mistake=(
        "The width is doubled before it is handed on as the next block's input, so every "
        "later kernel counts twice the channels that come in."
    ),
)
def widest_network__doubled_too_early(budget, channels_in, kernel_sizes, num_classes):
    def count(w):
        total, channels, filters = 0, channels_in, w
        for side in kernel_sizes:
            total += (side**2 * channels + 1) * filters + 4 * filters
            last = filters
            filters *= 2
            channels = filters
        return total + (9 * last + 1) * num_classes

    w = 0
    while count(w + 1) <= budget:
        w += 1
    return w


@_answer("widest_network", right=True)
def widest_network__bisection(budget, channels_in, kernel_sizes, num_classes):
    blocks = len(kernel_sizes)
    square = sum(s * s * 2 ** (2 * k - 1) for k, s in enumerate(kernel_sizes) if k > 0)
    linear = kernel_sizes[0] ** 2 * channels_in + 5 * (2**blocks - 1)
    linear += 9 * 2 ** (blocks - 1) * num_classes
    low, high = 0, budget + 1
    while high - low > 1:
        middle = (low + high) // 2
        if square * middle**2 + linear * middle + num_classes <= budget:
            low = middle
        else:
            high = middle
    return low


# Lesson 09


@_answer(
    "build_simpler_cnn",
    right=False,
    kind="norm behind strided",
    mistake=(
        "In block 5 you normalize behind every convolution; the text has none behind the two "
        "with a stride."
    ),
)
def build_simpler_cnn__norm_behind_strided(input_shape, num_classes):
    import keras
    from keras import layers

    inputs = keras.Input(input_shape)
    x, name = inputs, "image_array"
    for first, side, second, other in [
        (16, 5, 16, 5),
        (32, 5, 32, 5),
        (64, 3, 64, 3),
        (64, 1, 128, 3),
    ]:
        x = layers.Conv2D(first, side, padding="same", name=name)(x)
        x = layers.BatchNormalization()(x)
        x = layers.Conv2D(second, other, strides=2, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x, name = layers.Dropout(0.25)(layers.ReLU()(x)), None
    for filters, side, stride in [(256, 1, 1), (128, 3, 2), (256, 1, 1)]:
        x = layers.Conv2D(filters, side, strides=stride, padding="same")(x)
        x = layers.BatchNormalization()(x)
    x = layers.Conv2D(num_classes, 3, strides=2, padding="same")(x)
    return keras.Model(inputs, layers.Softmax(name="predictions")(layers.Flatten()(x)))


@_answer(
    "head_outputs",
    right=False,
    kind="half to even",
    mistake=(
        'Round() takes a half to the even neighbor, so 5 becomes 2; with "same" a half is '
        "always rounded up."
    ),
)
def head_outputs__half_to_even(input_size, halvings, num_classes):
    side = input_size
    for _ in range(halvings):
        side = max(round(side / 2), 1)
    return side * side * num_classes


@_answer(
    "merge_convolutions",
    right=False,
    kind="product of sums",
    mistake=(
        "You multiply the sum of all first biases by the sum of all weights; each bias goes "
        "only through the weights that read its own channel."
    ),
)
def merge_convolutions__product_of_sums(first_kernel, first_bias, second_kernel, second_bias):
    kernel = np.tensordot(second_kernel, first_kernel[0, 0], axes=(2, 1)).transpose(0, 1, 3, 2)
    bias = first_bias.sum() * second_kernel.sum(axis=(0, 1, 2)) + second_bias
    return kernel, bias


@_answer(
    "same_padding",
    right=False,
    kind="kernel minus stride",
    mistake=(
        '"Kernel minus stride" holds only where the stride divides the size; what is left '
        "over in the last window has to be counted."
    ),
)
def same_padding__kernel_minus_stride(size, kernel_size, stride):
    total = max(kernel_size - stride, 0)
    return total // 2, total - total // 2


# Lesson 10


@_answer(
    "augment",
    right=False,
    kind="channels reversed",
    mistake=(
        "`[..., ::-1]` turns the last axis, the channels: colors are exchanged and nothing is "
        "flipped. Left to right is axis 2."
    ),
)
def augment__channels_reversed(images, rng):
    coins = rng.random(len(images)) < 0.5
    return np.where(coins[:, None, None, None], images[..., ::-1], images)


@_answer(
    "choose_rate",
    right=False,
    kind="luckiest run",
    mistake=(
        "You take the rate at which any single run was lowest; wanted is the lowest mean over "
        "the runs."
    ),
)
def choose_rate__luckiest_run(rates, losses):
    broken = np.isnan(losses) | (losses > losses[:, :1])
    limit = rates[broken.any(axis=0).argmax()]
    allowed = rates < limit / 10
    best = losses[:, allowed].min(axis=0).argmin()
    rate = rates[allowed][best]
    return rate, limit / rate


@_answer("choose_rate", right=True)
def choose_rate__loops(rates, losses):
    limit = math.inf
    for run in losses:
        for rate, loss in zip(rates, run):
            if math.isnan(loss) or loss > run[0]:
                limit = min(limit, float(rate))
                break
    best_rate, best_loss = None, math.inf
    for place, rate in enumerate(rates):
        if rate < limit / 10:
            loss = sum(float(run[place]) for run in losses) / len(losses)
            if loss < best_loss:
                best_rate, best_loss = float(rate), loss
    return best_rate, limit / best_rate


@_answer(
    "cosine_schedule",
    right=False,
    kind="last step is total less one",
    mistake=(
        "You divide by total_steps - 1, so the rate reaches 0 one step too early; it is 0 at "
        "step total_steps."
    ),
)
def cosine_schedule__last_step_is_total_less_one(step, total_steps, peak):
    last = max(total_steps - 1, 1)
    if step >= last:
        return 0.0
    return peak * (1 + math.cos(math.pi * step / last)) / 2


@_answer("cosine_schedule", right=True)
def cosine_schedule__squared_half_angle(step, total_steps, peak):
    done = min(step, total_steps) / total_steps
    return peak * math.cos(math.pi * done / 2) ** 2


@_answer(
    "split_indices",
    right=False,
    kind="training sorted",
    mistake=(
        "Setdiff1d sorts: the training indices come out in increasing order, and the text "
        "wants both parts in random order."
    ),
)
def split_indices__training_sorted(count, validation_fraction, seed):
    rng = np.random.default_rng(seed)
    held = round(count * validation_fraction)
    validation = rng.choice(count, size=held, replace=False)
    train = np.setdiff1d(np.arange(count), validation)
    return train, validation


@_answer("split_indices", right=True)
def split_indices__python_shuffle(count, validation_fraction, seed):
    order = list(range(count))
    random.Random(int(seed)).shuffle(order)
    cut = count - round(count * validation_fraction)
    return np.array(order[:cut], dtype=np.int64), np.array(order[cut:], dtype=np.int64)


# Lesson 11


@_answer(
    "accuracy_interval",
    right=False,
    kind="n not squared",
    mistake="Under the root stands z²/(4n); Wilson has z²/(4n²).",
)
def accuracy_interval__n_not_squared(correct, total, z):
    p = correct / total
    center = p + z * z / (2 * total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total))
    scale = 1 + z * z / total
    return (center - half) / scale, (center + half) / scale


@_answer(
    "confusion_matrix",
    right=False,
    kind="code in small type",
    mistake=(
        "Label * num_classes is computed in the labels' own type; as uint8 it wraps round "
        "from 256 on. Turn the labels into int first."
    ),
)
def confusion_matrix__code_in_small_type(labels, predictions, num_classes):
    codes = labels * num_classes + predictions
    counts = np.bincount(codes, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


@_answer(
    "worth_switching",
    right=False,
    kind="below minus worth",
    mistake=(
        "You say -1 only if the interval lies below minus `worth`; it is -1 as soon as all of "
        "it lies below `worth` itself."
    ),
)
def worth_switching__below_minus_worth(old, new, worth, t):
    gains = np.asarray(new, float) - np.asarray(old, float)
    difference = gains.mean()
    half = t * gains.std(ddof=1) / np.sqrt(len(gains))
    verdict = int(difference - half > worth) - int(difference + half < -worth)
    return verdict, difference, half


# Lesson 12


@_answer(
    "grad_cam",
    right=False,
    kind="gradient times activation",
    mistake=(
        "Each activation is multiplied by its own gradient; Grad-CAM has one weight for each "
        "channel, the mean of its gradients."
    ),
)
def grad_cam__gradient_times_activation(maps, gradients):
    product = (maps * gradients).sum(axis=-1)
    return np.where(product > 0, product, 0)


@_answer(
    "occlusion_map",
    right=False,
    kind="patches stay hidden",
    mistake=(
        "The copy is made once, before the loops, so earlier patches stay hidden; each patch "
        "needs a fresh copy."
    ),
)
def occlusion_map__patches_stay_hidden(predict, image, patch_size, fill):
    rows, columns = image.shape[0] // patch_size, image.shape[1] // patch_size
    whole = predict(image[np.newaxis])[0]
    drops = np.zeros((rows, columns))
    hidden = image.copy()
    for r in range(rows):
        for c in range(columns):
            y, x = r * patch_size, c * patch_size
            hidden[y : y + patch_size, x : x + patch_size, :] = fill
            drops[r, c] = whole - predict(hidden[np.newaxis])[0]
    return drops


@_answer(
    "pointing_game",
    right=False,
    kind="more than",
    mistake=('The tail begins at one hit more; "at least so many" includes the number itself.'),
)
def pointing_game__more_than(heat, masks):
    n = len(heat)
    hits, coins = 0, []
    for one, mask in zip(heat, masks):
        hits += int(mask.ravel()[one.argmax()])
        coins.append(mask.mean())
    chances = np.ones(1)
    for coin in coins:
        chances = np.convolve(chances, [1 - coin, coin])
    return hits, float(np.sum(coins)), float(chances[hits + 1 :].sum())


# Lesson 13


@_answer(
    "leaked_images",
    right=False,
    kind="nearly equal",
    mistake=(
        "Allclose also accepts images that are nearly equal; the text wants all pixels equal, "
        "np.array_equal."
    ),
)
def leaked_images__nearly_equal(train_images, validation_images):
    places = []
    for place, image in enumerate(validation_images):
        pairs = [(image, known) for known in train_images]
        pairs += [(image[:, ::-1], known) for known in train_images]
        if any(np.allclose(a, b) for a, b in pairs):
            places.append(place)
    return np.array(places, dtype=int)


@_answer(
    "repair_batch_norm_mode",
    right=False,
    kind="normalizes with average",
    mistake=(
        "In training you normalize with the updated moving average; training uses the moments "
        "of the batch alone, and the average is only kept for later."
    ),
)
def repair_batch_norm_mode__normalizes_with_average(
    inputs, moving_mean, moving_variance, epsilon, training
):
    mean, variance = moving_mean, moving_variance
    if training:
        mean = 0.9 * moving_mean + 0.1 * inputs.mean(axis=(0, 1, 2))
        variance = 0.9 * moving_variance + 0.1 * inputs.var(axis=(0, 1, 2))
    return (inputs - mean) / np.sqrt(variance + epsilon)


@_answer(
    "repair_channel_order",
    right=False,
    kind="moved the wrong way",
    mistake=(
        "Moveaxis goes the wrong way: it brings the last axis to place 1. Wanted is axis 1 to "
        "the end, moveaxis(images, 1, -1)."
    ),
)
def repair_channel_order__moved_the_wrong_way(images):
    return np.moveaxis(images, -1, 1)


@_answer(
    "repair_double_softmax",
    right=False,
    kind="all labels from each row",
    mistake=(
        "`probabilities[:, labels]` takes the labels of all images from every row; pair each "
        "row with its own label by np.arange."
    ),
)
def repair_double_softmax__all_labels_from_each_row(probabilities, labels):
    return -np.mean(np.log(probabilities[:, labels]))


@_answer(
    "repair_flatten_head",
    right=False,
    kind="sum of the batch",
    mistake=(
        "The exponentials are divided by the sum of the whole batch; each image's "
        "probabilities have to sum to 1."
    ),
)
def repair_flatten_head__sum_of_the_batch(maps):
    scores = maps.mean(axis=(1, 2))
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum()


@_answer("repair_flatten_head", right=True)
def repair_flatten_head__scipy_softmax(maps):
    batch, height, width, classes = maps.shape
    scores = maps.reshape(batch, height * width, classes).mean(axis=1)
    return scipy.special.softmax(scores, axis=1)


@_answer(
    "repair_leaky_split",
    right=False,
    kind="photo by photo",
    mistake=(
        "Validation is collected photo by photo, in the order of `held_out`; the positions "
        "have to come out in increasing order."
    ),
)
def repair_leaky_split__photo_by_photo(sources, held_out):
    sources = np.asarray(sources)
    validation = []
    for photo in held_out:
        validation.extend(np.flatnonzero(sources == photo))
    train = [k for k in range(len(sources)) if k not in validation]
    return np.array(train, dtype=int), np.array(validation, dtype=int)


@_answer(
    "repair_learning_rate",
    right=False,
    kind="one rate before",
    mistake=(
        "You take the rate before the best one, which is a tenth only if the rates rise "
        "tenfold; divide the best rate by 10."
    ),
)
def repair_learning_rate__one_rate_before(rates, losses):
    best = int(np.nanargmin(losses))
    if best == 0:
        return rates[0] / 10
    return rates[best - 1]


@_answer(
    "repair_missing_relu",
    right=False,
    kind="pops from the list",
    mistake=(
        "`pop` takes the last kernel out of the caller's list; a second call would find a "
        "shorter chain. Use kernels[:-1]."
    ),
)
def repair_missing_relu__pops_from_the_list(inputs, kernels):
    last = kernels.pop()
    for kernel in kernels:
        inputs = np.maximum(ops.conv2d(inputs, kernel), 0)
    return ops.conv2d(inputs, last)


@_answer(
    "repair_shifted_labels",
    right=False,
    kind="positions taken for labels",
    mistake=(
        "The labels are left out where their value stands in `broken`; `broken` holds "
        "positions, not labels."
    ),
)
def repair_shifted_labels__positions_taken_for_labels(images, labels, broken):
    keep_images = ~np.isin(np.arange(len(images)), broken)
    keep_labels = ~np.isin(labels, broken)
    return images[keep_images], labels[keep_labels]


# Lesson 14


@_answer(
    "read_ablation",
    right=False,
    kind="open taken for equal",
    mistake=(
        '"Equally good" is carried wherever the interval holds 0; that is an open question, '
        "and equality needs the whole interval within the margin."
    ),
)
def read_ablation__open_taken_for_equal(accuracies, statements, margin, factors):
    factor = factors[len(statements)]
    d = accuracies[statements[:, 1]] - accuracies[statements[:, 2]]
    differences = d.mean(axis=1)
    halves = factor * d.std(axis=1, ddof=1) / np.sqrt(d.shape[1])
    low, high = differences - halves, differences + halves
    holds_zero = (low < 0) & (high > 0)
    kinds = statements[:, 0]
    carried = np.select([kinds == 0, kinds == 1], [~holds_zero, low > 0], holds_zero)
    return carried.astype(int), differences, halves


@_answer("read_ablation", right=True)
def read_ablation__statistics_module(accuracies, statements, margin, factors):
    rows = []
    for kind, a, b in statements.tolist():
        d = [float(x) - float(y) for x, y in zip(accuracies[a], accuracies[b])]
        mean = statistics.fmean(d)
        half = float(factors[len(statements)]) * statistics.stdev(d) / math.sqrt(len(d))
        if kind == 0:
            says = abs(mean) > half
        elif kind == 1:
            says = mean > half
        else:
            says = abs(mean) + half < margin
        rows.append((1 if says else 0, mean, half))
    carried, differences, halves = zip(*rows)
    return list(carried), np.array(differences), np.array(halves)


# Lesson 15


@_answer(
    "find_fault",
    right=False,
    kind="columns for channels",
    mistake=(
        "`images[:, :, ::-1]` flips the columns; the channels are the last axis, so fault 2 "
        "is never found and counts as folding."
    ),
)
def find_fault__columns_for_channels(reference, deployed, images):
    wanted = np.asarray(reference(images))
    limit = 2e-3 * np.abs(wanted).max()

    def agrees(given, inner=slice(None)):
        found = np.asarray(deployed(given))
        return np.abs(found - wanted)[:, inner, inner].max() <= limit

    if agrees(images):
        return 0
    if agrees(images * 255):
        return 1
    if agrees(images[:, :, ::-1]):
        return 2
    return 3 if agrees(images, slice(1, -1)) else 4


@_answer("find_fault", right=True)
def find_fault__own_probes(reference, deployed, images):
    rng = np.random.default_rng(5)
    probe = rng.uniform(0.1, 1, size=(3, 9, 8, 3)).astype(np.asarray(images).dtype)
    wanted = np.asarray(reference(probe), dtype=float)
    plain = np.asarray(deployed(probe), dtype=float)
    size = np.abs(wanted).max()
    gaps = [
        np.abs(plain - wanted).max(),
        np.abs(np.asarray(deployed(probe * 255)) - wanted).max(),
        np.abs(np.asarray(deployed(probe[..., [2, 1, 0]])) - wanted).max(),
        np.abs(plain - wanted)[:, 1:-1, 1:-1].max(),
    ]
    for fault, gap in enumerate(gaps):
        if gap < 0.002 * size:
            return fault
    return 4


@_answer(
    "quantize",
    right=False,
    kind="cut not rounded",
    mistake="Astype cuts towards 0 and does not round: -50.8 becomes -50. Round first.",
)
def quantize__cut_not_rounded(kernel):
    largest = np.abs(kernel).max(axis=(0, 1, 2))
    scales = np.where(largest == 0, 1.0, largest / 127)
    integers = (kernel / scales).astype(np.int8)
    return integers, scales, integers * scales


@_answer("quantize", right=True)
def quantize__filter_by_filter(kernel):
    integers = np.zeros(kernel.shape, dtype=np.int16)
    restored = np.zeros(kernel.shape)
    scales = np.ones(kernel.shape[-1])
    for f in range(kernel.shape[-1]):
        weights = kernel[..., f].astype(np.float64)
        largest = max(weights.max(), -weights.min())
        if largest > 0:
            scales[f] = largest / 127
        integers[..., f] = np.floor(weights / scales[f] + 0.5)
        restored[..., f] = integers[..., f] * scales[f]
    return integers, scales, restored
