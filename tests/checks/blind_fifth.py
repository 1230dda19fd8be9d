"""A fifth collection of answers to all exercises, right and wrong, by a reader of their texts.

Written before a look at the banks or the engine. Its sealed half is ``blind_fifth_sealed.py``.
Nothing here may be changed to please a check: an answer that is misjudged is a finding.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import scipy.signal
import scipy.spatial.distance
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
    kind="balanced classes",
    mistake=(
        "The sum of each class is divided by the average class size, not by the number of "
        "images of that class: right only if all classes are equally large."
    ),
)
def nearest_mean__balanced_classes(train_images, train_labels, images, num_classes):
    rows = train_images.reshape(len(train_images), -1).astype(float)
    new = images.reshape(len(images), -1).astype(float)
    means = np.zeros((num_classes, rows.shape[1]))
    for row, label in zip(rows, train_labels):
        means[label] += row
    means /= len(train_images) / num_classes
    distances = ((new[:, None] - means[None]) ** 2).sum(axis=2)
    return np.sqrt(distances).argmin(axis=1)


@_answer("nearest_mean", right=True)
def nearest_mean__cdist(train_images, train_labels, images, num_classes):
    flat = train_images.reshape(len(train_images), -1).astype(np.float64)
    means = [flat[np.asarray(train_labels) == label].mean(axis=0) for label in range(num_classes)]
    new = images.reshape(len(images), -1).astype(np.float64)
    distances = scipy.spatial.distance.cdist(np.array(means), new)
    return np.array([int(np.argmin(column)) for column in distances.T], dtype=np.uint16)


@_answer(
    "standardize",
    right=False,
    kind="pooled with test",
    mistake=(
        "The mean and the deviation come from training and test images put together; only the "
        "training images may be measured."
    ),
)
def standardize__pooled_with_test(train_images, test_images):
    train = np.asarray(train_images, dtype=np.float32)
    test = np.asarray(test_images, dtype=np.float32)
    every_pixel = np.concatenate([train.ravel(), test.ravel()])
    mean, deviation = every_pixel.mean(), every_pixel.std()
    return (train - mean) / deviation, (test - mean) / deviation


@_answer(
    "standardize_channels",
    right=False,
    kind="columns kept",
    mistake=(
        "You average over images and rows but not over columns, so each column of each "
        "channel gets a mean of its own."
    ),
)
def standardize_channels__columns_kept(train_images, test_images):
    train = train_images.astype(np.float64)
    mean = train.mean(axis=(0, 1))
    deviation = train.std(axis=(0, 1))
    scaled_train = (train - mean) / deviation
    scaled_test = (test_images - mean) / deviation
    return scaled_train.astype(np.float32), scaled_test.astype(np.float32)


# Lesson 02


@_answer(
    "conv2d",
    right=False,
    kind="bias for each channel",
    mistake=(
        "The bias is added inside the loop over input channels, so it counts once for each "
        "channel; it belongs there once for each filter."
    ),
)
def conv2d__bias_for_each_channel(inputs, kernel, bias):
    batch, height, width, channels = inputs.shape
    kh, kw, _, filters = kernel.shape
    rows, columns = height - kh + 1, width - kw + 1
    answers = np.zeros((batch, rows, columns, filters))
    for y in range(rows):
        for x in range(columns):
            patch = inputs[:, y : y + kh, x : x + kw]
            for c in range(channels):
                products = np.tensordot(patch[..., c], kernel[:, :, c], axes=((1, 2), (0, 1)))
                answers[:, y, x] += products + bias
    return answers


@_answer(
    "correlate2d",
    right=False,
    kind="answers in image type",
    mistake=(
        "The answers are stored in an array of the image's type; with uint8 pixels, negative, "
        "large and fractional sums do not fit in."
    ),
)
def correlate2d__answers_in_image_type(image, kernel):
    kernel_height, kernel_width = kernel.shape
    rows = image.shape[0] - kernel_height + 1
    columns = image.shape[1] - kernel_width + 1
    answers = np.zeros((rows, columns), dtype=image.dtype)
    with np.errstate(invalid="ignore"):
        for y in range(rows):
            for x in range(columns):
                patch = image[y : y + kernel_height, x : x + kernel_width]
                answers[y, x] = np.asarray((patch * kernel).sum()).astype(image.dtype)
    return answers


@_answer("correlate2d", right=True)
def correlate2d__scipy(image, kernel):
    return scipy.signal.correlate2d(
        image.astype(float), np.asarray(kernel, dtype=float), mode="valid"
    )


@_answer(
    "output_size",
    right=False,
    kind="valid rounded up",
    mistake=(
        "Under valid you round up where a window that does not fit any more has to be "
        "dropped: round down."
    ),
)
def output_size__valid_rounded_up(size, kernel_size, stride, padding):
    if padding == "same":
        return math.ceil(size / stride)
    return math.ceil((size - kernel_size) / stride) + 1


@_answer(
    "strided_conv2d",
    right=False,
    kind="padded for stride one",
    mistake=(
        "You pad as for a stride of 1 and then take every second answer; with a stride the "
        "last window needs fewer zeros, and so the first window begins elsewhere."
    ),
)
def strided_conv2d__padded_for_stride_one(inputs, kernel, stride, padding):
    kh, kw, _, filters = kernel.shape
    values = inputs.astype(float)
    if padding == "same":
        top, left = (kh - 1) // 2, (kw - 1) // 2
        values = np.pad(values, ((0, 0), (top, kh - 1 - top), (left, kw - 1 - left), (0, 0)))
    windows = sliding_window_view(values, (kh, kw), axis=(1, 2))
    answers = np.einsum("nyxcij,ijcf->nyxf", windows, kernel)
    return answers[:, :: stride[0], :: stride[1]]


# Lesson 03


@_answer(
    "relu",
    right=False,
    kind="in place",
    mistake=(
        "The negative numbers are set to 0 in the very array that came in: the caller's array "
        "is changed. Work on a copy."
    ),
)
def relu__in_place(inputs):
    inputs[inputs < 0] = 0
    return inputs


@_answer(
    "seen_pixels",
    right=False,
    kind="last stride only",
    mistake=(
        "The first pixel moves by the stride of the last layer alone; neighboring places lie "
        "the product of all strides apart."
    ),
)
def seen_pixels__last_stride_only(layers, place):
    width, jump, step = 1, 1, 1
    for kernel_size, stride in layers:
        width += (kernel_size - 1) * jump
        jump *= stride
        step = stride
    first = place * step
    return first, first + width - 1


@_answer("seen_pixels", right=True)
def seen_pixels__sets(layers, place):
    seen = {place}
    for kernel_size, stride in reversed(list(layers)):
        seen = {p * stride + offset for p in seen for offset in range(kernel_size)}
    return min(seen), max(seen)


@_answer(
    "strongest_images",
    right=False,
    kind="minus of uint8",
    mistake=(
        "The minus sign in front of uint8 maxima wraps round, so a map of zeros comes first; "
        "turn the order round instead of the sign."
    ),
)
def strongest_images__minus_of_uint8(maps, count):
    return np.argsort(-maps.max(axis=(1, 2)), kind="stable")[:count]


# Lesson 04


@_answer(
    "batch_norm_inference",
    right=False,
    kind="outputs like inputs",
    mistake=(
        "The outputs are written into an array like the inputs; whole-number inputs cut off "
        "everything behind the point and wrap what is negative."
    ),
)
def batch_norm_inference__outputs_like_inputs(
    inputs, gamma, beta, moving_mean, moving_variance, epsilon
):
    outputs = np.empty_like(inputs)
    with np.errstate(invalid="ignore"):
        for c in range(inputs.shape[-1]):
            centered = inputs[..., c] - float(moving_mean[c])
            scaled = centered / np.sqrt(moving_variance[c] + epsilon)
            outputs[..., c] = (gamma[c] * scaled + beta[c]).astype(inputs.dtype)
    return outputs


@_answer(
    "batch_norm_train",
    right=False,
    kind="epsilon outside root",
    mistake=(
        "Epsilon is added to the deviation, outside the root; it belongs to the variance, "
        "under the root."
    ),
)
def batch_norm_train__epsilon_outside_root(inputs, gamma, beta, epsilon):
    values = inputs.astype(float)
    mean = values.mean(axis=(0, 1, 2))
    variance = values.var(axis=(0, 1, 2))
    normalized = (values - mean) / (np.sqrt(variance) + epsilon)
    return gamma * normalized + beta, mean, variance


@_answer(
    "fold_batch_norm",
    right=False,
    kind="beta scaled",
    mistake=(
        "Beta is multiplied by the factor as well; it is added after the scaling, so it goes "
        "into the bias as it is."
    ),
)
def fold_batch_norm__beta_scaled(kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon):
    factor = gamma / np.sqrt(moving_variance + epsilon)
    return kernel * factor, (bias - moving_mean + beta) * factor


@_answer(
    "merge_moments",
    right=False,
    kind="n minus one",
    mistake=(
        "You divide by the number of all values less one, as for a sample; here every "
        "variance is divided by the number of values."
    ),
)
def merge_moments__n_minus_one(counts, means, variances):
    counts = np.asarray(counts, dtype=float)[:, None]
    total = counts.sum()
    mean = (counts * means).sum(axis=0) / total
    squares = (counts * variances).sum(axis=0) + (counts * (means - mean) ** 2).sum(axis=0)
    return mean, squares / (total - 1)


@_answer(
    "update_moving",
    right=False,
    kind="batch value whole",
    mistake=(
        "The batch value is added whole, as the gradient in SGD with momentum; in an average "
        "it gets the remaining share, 1 - momentum."
    ),
)
def update_moving__batch_value_whole(moving, batch_value, momentum):
    moving = np.asarray(moving, dtype=float)
    return momentum * moving + np.asarray(batch_value, dtype=float)


# Lesson 05


@_answer(
    "adaptive_average_pool2d",
    right=False,
    kind="windows of one size",
    mistake=(
        "Every window gets the same size, the part rounded up from its first pixel on; a part "
        "that begins inside of a pixel may touch one pixel more."
    ),
)
def adaptive_average_pool2d__windows_of_one_size(inputs, rows, columns):
    batch, height, width, channels = inputs.shape
    tall, wide = math.ceil(height / rows), math.ceil(width / columns)
    answer = np.zeros((batch, rows, columns, channels))
    for r in range(rows):
        for c in range(columns):
            top, left = r * height // rows, c * width // columns
            answer[:, r, c] = inputs[:, top : top + tall, left : left + wide].mean(axis=(1, 2))
    return answer


@_answer(
    "average_pool2d",
    right=False,
    kind="edge repeated",
    mistake=(
        "Padding repeats the edge pixels and these are then averaged as if they were pixels; "
        "padded places must not count at all."
    ),
)
def average_pool2d__edge_repeated(inputs, pool_size, padding):
    values = inputs.astype(float)
    batch, height, width, channels = values.shape
    if padding == "same":
        rows = same_padding(height, pool_size, pool_size)
        columns = same_padding(width, pool_size, pool_size)
        values = np.pad(values, ((0, 0), rows, columns, (0, 0)), mode="edge")
    rows, columns = values.shape[1] // pool_size, values.shape[2] // pool_size
    values = values[:, : rows * pool_size, : columns * pool_size]
    tiles = values.reshape(batch, rows, pool_size, columns, pool_size, channels)
    return tiles.mean(axis=(2, 4))


@_answer(
    "dropout",
    right=False,
    kind="zeros in callers array",
    mistake=(
        "`out = inputs` gives the array a second name and no copy: the zeros are written into "
        "the caller's inputs."
    ),
)
def dropout__zeros_in_callers_array(inputs, rate, keep_mask, training):
    if not training:
        return inputs
    out = inputs
    out[~keep_mask] = 0
    return out / (1 - rate)


@_answer(
    "global_average_pool2d",
    right=False,
    kind="square maps",
    mistake=(
        "You divide by the square of the height: that is the number of places only on a square map."
    ),
)
def global_average_pool2d__square_maps(inputs):
    side = inputs.shape[1]
    return inputs.astype(float).sum(axis=(1, 2)) / side**2


@_answer("global_average_pool2d", right=True)
def global_average_pool2d__einsum(inputs):
    _, height, width, _ = inputs.shape
    return np.einsum("nyxc->nc", inputs.astype(np.float64)) / (height * width)


@_answer(
    "max_pool2d",
    right=False,
    kind="padded with minus 100",
    mistake=(
        "You pad with -100, which wins where a window holds only smaller numbers; only minus "
        "infinity is safe."
    ),
)
def max_pool2d__padded_with_minus_100(inputs, pool_size, padding):
    values = inputs.astype(float)
    if padding == "same":
        rows = same_padding(values.shape[1], pool_size, pool_size)
        columns = same_padding(values.shape[2], pool_size, pool_size)
        values = np.pad(values, ((0, 0), rows, columns, (0, 0)), constant_values=-100.0)
    rows, columns = values.shape[1] // pool_size, values.shape[2] // pool_size
    answer = np.zeros((len(values), rows, columns, values.shape[3]))
    for y in range(rows):
        for x in range(columns):
            top, left = y * pool_size, x * pool_size
            window = values[:, top : top + pool_size, left : left + pool_size]
            answer[:, y, x] = window.max(axis=(1, 2))
    return answer


@_answer("max_pool2d", right=True)
def max_pool2d__padded_with_smallest(inputs, pool_size, padding):
    values = inputs
    if padding == "same":
        rows = same_padding(inputs.shape[1], pool_size, pool_size)
        columns = same_padding(inputs.shape[2], pool_size, pool_size)
        values = np.pad(inputs, ((0, 0), rows, columns, (0, 0)), constant_values=inputs.min())
    windows = sliding_window_view(values, (pool_size, pool_size), axis=(1, 2))
    return windows[:, ::pool_size, ::pool_size].max(axis=(-1, -2))


# Lesson 06


@_answer(
    "average_pool2d_backward",
    right=False,
    kind="share of side",
    mistake=(
        "Each gradient is divided by the side of the window; a window has pool_size squared pixels."
    ),
)
def average_pool2d_backward__share_of_side(grad_outputs, inputs_shape, pool_size):
    grad = np.zeros(inputs_shape)
    share = grad_outputs / pool_size
    wide = share.repeat(pool_size, axis=1).repeat(pool_size, axis=2)
    grad[:, : wide.shape[1], : wide.shape[2]] = wide
    return grad


@_answer(
    "batch_norm_backward",
    right=False,
    kind="variance held fixed",
    mistake=(
        "The path through the mean is there, the one through the variance is missing: each "
        "input also changes the deviation that all are divided by."
    ),
)
def batch_norm_backward__variance_held_fixed(grad_outputs, inputs, gamma, epsilon):
    values = inputs.astype(float)
    axes = (0, 1, 2)
    root = np.sqrt(values.var(axis=axes) + epsilon)
    normalized = (values - values.mean(axis=axes)) / root
    grad_gamma = (grad_outputs * normalized).sum(axis=axes)
    grad_beta = grad_outputs.sum(axis=axes)
    upstream = grad_outputs * gamma
    grad_inputs = (upstream - upstream.mean(axis=axes)) / root
    return grad_inputs, grad_gamma, grad_beta


@_answer("batch_norm_backward", right=True)
def batch_norm_backward__jacobian(grad_outputs, inputs, gamma, epsilon):
    values = inputs.astype(np.float64)
    grad_inputs = np.zeros(values.shape)
    grad_gamma, grad_beta = np.zeros(values.shape[-1]), np.zeros(values.shape[-1])
    for c in range(values.shape[-1]):
        x, g = values[..., c].ravel(), grad_outputs[..., c].ravel()
        root = math.sqrt(((x - x.mean()) ** 2).mean() + epsilon)
        hat = (x - x.mean()) / root
        jacobian = (np.eye(x.size) - 1 / x.size - np.outer(hat, hat) / x.size) / root
        grad_inputs[..., c] = (gamma[c] * jacobian @ g).reshape(values.shape[:3])
        grad_gamma[c], grad_beta[c] = hat @ g, g.sum()
    return grad_inputs, grad_gamma, grad_beta


@_answer(
    "conv2d_backward",
    right=False,
    kind="kernel patch without stride",
    mistake=(
        "The patch for the kernel's gradient begins at the number of the output, not at that "
        "number times the stride."
    ),
)
def conv2d_backward__kernel_patch_without_stride(grad_outputs, inputs, kernel, stride):
    kh, kw = kernel.shape[:2]
    grad_inputs = np.zeros(inputs.shape)
    grad_kernel = np.zeros(kernel.shape)
    for y in range(grad_outputs.shape[1]):
        for x in range(grad_outputs.shape[2]):
            g = grad_outputs[:, y, x]
            top, left = y * stride, x * stride
            grad_inputs[:, top : top + kh, left : left + kw] += np.einsum(
                "nf,ijcf->nijc", g, kernel
            )
            patch = inputs[:, y : y + kh, x : x + kw].astype(float)
            grad_kernel += np.einsum("nijc,nf->ijcf", patch, g)
    return grad_inputs, grad_kernel, grad_outputs.sum(axis=(0, 1, 2))


@_answer(
    "max_pool2d_backward",
    right=False,
    kind="one winner for all channels",
    mistake=(
        "One winner is found for all channels of a window together; each channel has a winner "
        "of its own."
    ),
)
def max_pool2d_backward__one_winner_for_all_channels(grad_outputs, inputs, pool_size):
    grad = np.zeros(inputs.shape)
    batch, rows, columns, channels = grad_outputs.shape
    for n, y, x in np.ndindex(batch, rows, columns):
        top, left = y * pool_size, x * pool_size
        window = inputs[n, top : top + pool_size, left : left + pool_size].max(axis=2)
        dy, dx = np.unravel_index(window.argmax(), window.shape)
        grad[n, top + dy, left + dx] = grad_outputs[n, y, x]
    return grad


# Lesson 07


@_answer(
    "count_parameters",
    right=False,
    kind="no bias before norm",
    mistake=(
        "You leave out the bias of the convolution when a normalization follows; the text "
        "counts it in both cases."
    ),
)
def count_parameters__no_bias_before_norm(channels_in, filters, kernel_size, batch_norm):
    weights = kernel_size**2 * channels_in * filters
    if batch_norm:
        return weights + 2 * filters, 2 * filters
    return weights + filters, 0


@_answer(
    "dense_from_channels_first",
    right=False,
    kind="columns before rows",
    mistake=(
        "The axes come out as (width, height, channels, outputs); Keras flattens rows first: "
        "(height, width, channels)."
    ),
)
def dense_from_channels_first__columns_before_rows(weights, channels, height, width):
    maps = weights.reshape(-1, channels, height, width)
    return maps.T.reshape(width * height * channels, -1)


@_answer(
    "softmax_cross_entropy",
    right=False,
    kind="tiny number in log",
    mistake=(
        "A small number is added before the logarithm, which caps the loss near 21; take the "
        "logarithm of the softmax by hand, and nothing has to be protected."
    ),
)
def softmax_cross_entropy__tiny_number_in_log(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    true = probabilities[np.arange(len(labels)), labels]
    return -np.log(true + 1e-9).mean()


@_answer("softmax_cross_entropy", right=True)
def softmax_cross_entropy__logaddexp(logits, labels):
    total = 0.0
    for scores, label in zip(logits, labels):
        scores = [float(score) for score in scores]
        total += float(np.logaddexp.reduce(scores)) - scores[int(label)]
    return total / len(labels)


# Lesson 08


@_answer(
    "build_simple_cnn",
    right=False,
    kind="pooling valid",
    mistake=(
        'Pooling has its default padding, valid; the text wants "same" for every pooling as '
        "well, and 7 rows become 4, not 3."
    ),
)
def build_simple_cnn__pooling_valid(input_shape, num_classes):
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input(input_shape)])
    for filters, side in [(16, 7), (32, 5), (64, 3), (128, 3)]:
        for turn in range(2):
            name = "image_array" if filters == 16 and turn == 0 else None
            model.add(layers.Conv2D(filters, side, padding="same", name=name))
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
    "receptive_field",
    right=False,
    kind="jump forgets",
    mistake=(
        "The jump is the stride of the layer before alone; jumps multiply along all earlier layers."
    ),
)
def receptive_field__jump_forgets(layers):
    side, jump = 1, 1
    for kernel_size, stride in layers:
        side += (kernel_size - 1) * jump
        jump = stride
    return side


@_answer(
    "widest_network",
    right=False,
    kind="below budget",
    mistake=(
        'You stop when the parameters reach the budget; "at most" admits a network that uses '
        "the budget exactly."
    ),
)
def widest_network__below_budget(budget, channels_in, kernel_sizes, num_classes):
    def count(width):
        total, channels, filters = 0, channels_in, width
        for side in kernel_sizes:
            total += side * side * channels * filters + filters + 4 * filters
            channels, filters = filters, 2 * filters
        return total + 9 * channels * num_classes + num_classes

    width = 0
    while count(width + 1) < budget:
        width += 1
    return width


# Lesson 09


@_answer(
    "build_simpler_cnn",
    right=False,
    kind="stride in first",
    mistake=(
        "The stride of 2 stands at the first convolution of each pair; it belongs to the second."
    ),
)
def build_simpler_cnn__stride_in_first(input_shape, num_classes):
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input(input_shape)])
    blocks = [(16, 5, 16, 5), (32, 5, 32, 5), (64, 3, 64, 3), (64, 1, 128, 3)]
    for number, (first, side, second, other) in enumerate(blocks):
        name = None if number else "image_array"
        model.add(layers.Conv2D(first, side, strides=2, padding="same", name=name))
        model.add(layers.BatchNormalization())
        model.add(layers.Conv2D(second, other, padding="same"))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
        model.add(layers.Dropout(0.25))
    model.add(layers.Conv2D(256, 1, padding="same"))
    model.add(layers.BatchNormalization())
    model.add(layers.Conv2D(128, 3, strides=2, padding="same"))
    model.add(layers.Conv2D(256, 1, padding="same"))
    model.add(layers.BatchNormalization())
    model.add(layers.Conv2D(num_classes, 3, strides=2, padding="same"))
    model.add(layers.Flatten())
    model.add(layers.Activation("softmax", name="predictions"))
    return model


@_answer(
    "head_outputs",
    right=False,
    kind="twice not power",
    mistake=(
        "The size is divided by two times the halvings; each halving divides again, so it is "
        "two to the power of halvings."
    ),
)
def head_outputs__twice_not_power(input_size, halvings, num_classes):
    side = input_size
    if halvings > 0:
        side = math.ceil(input_size / (2 * halvings))
    return side * side * num_classes


@_answer(
    "merge_convolutions",
    right=False,
    kind="bias at one place",
    mistake=(
        "The first bias goes through the top left weight alone; it stands at every place of "
        "the window and meets all weights."
    ),
)
def merge_convolutions__bias_at_one_place(first_kernel, first_bias, second_kernel, second_bias):
    kernel = np.einsum("cb,yxbf->yxcf", first_kernel[0, 0], second_kernel)
    bias = first_bias @ second_kernel[0, 0] + second_bias
    return kernel, bias


@_answer(
    "same_padding",
    right=False,
    kind="below none",
    mistake=(
        "Where the stride is larger than the kernel the padding comes out below none; it "
        "needs max(..., 0)."
    ),
)
def same_padding__below_none(size, kernel_size, stride):
    outputs = -(-size // stride)
    total = (outputs - 1) * stride + kernel_size - size
    before = total // 2
    return before, total - before


@_answer("same_padding", right=True)
def same_padding__one_at_a_time(size, kernel_size, stride):
    starts = range(0, size, stride)
    before = after = 0
    while before + size + after < starts[-1] + kernel_size:
        if after == before:
            after += 1
        else:
            before += 1
    return before, after


# Lesson 10


@_answer(
    "augment",
    right=False,
    kind="exactly half",
    mistake=(
        "Exactly half of the images are flipped each time; a coin for each image gives any "
        "number of flips."
    ),
)
def augment__exactly_half(images, rng):
    flipped = images.copy()
    chosen = rng.permutation(len(images))[: len(images) // 2]
    flipped[chosen] = flipped[chosen][:, :, ::-1]
    return flipped


@_answer("augment", right=True)
def augment__loop_and_fliplr(images, rng):
    result = np.empty_like(images)
    for place, image in enumerate(images):
        heads = rng.choice([True, False])
        result[place] = np.fliplr(image) if heads else image
    return result


@_answer(
    "choose_rate",
    right=False,
    kind="mean curve breaks",
    mistake=(
        "The runs are averaged before you ask where they break; each run breaks by its own "
        "losses, and the limit is the first of these."
    ),
)
def choose_rate__mean_curve_breaks(rates, losses):
    curve = losses.mean(axis=0)
    broken = np.isnan(curve) | (curve > curve[0])
    limit = rates[np.argmax(broken)] if broken.any() else rates[-1]
    allowed = np.flatnonzero(rates < limit / 10)
    best = allowed[np.argmin(curve[allowed])] if len(allowed) else 0
    return rates[best], limit / rates[best]


@_answer(
    "cosine_schedule",
    right=False,
    kind="whole division",
    mistake=(
        "`//` divides whole numbers and cuts: the angle stays 0 until the end, so the rate "
        "never falls. Use `/`."
    ),
)
def cosine_schedule__whole_division(step, total_steps, peak):
    if step >= total_steps:
        return 0.0
    return peak * (1 + math.cos(math.pi * (step // total_steps))) / 2


@_answer(
    "split_indices",
    right=False,
    kind="global seed",
    mistake=(
        "You seed NumPy's global generator, so everybody else's random numbers change; take a "
        "generator of your own."
    ),
)
def split_indices__global_seed(count, validation_fraction, seed):
    np.random.seed(seed)
    order = np.random.permutation(count)
    held = round(count * validation_fraction)
    return order[held:], order[:held]


# Lesson 11


@_answer(
    "accuracy_interval",
    right=False,
    kind="half not divided",
    mistake=(
        "Only the middle is divided by 1 + z²/n; the half width has to be divided by it as well."
    ),
)
def accuracy_interval__half_not_divided(correct, total, z):
    share = correct / total
    denominator = 1 + z**2 / total
    middle = (share + z**2 / (2 * total)) / denominator
    half = z * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return middle - half, middle + half


@_answer(
    "confusion_matrix",
    right=False,
    kind="pairs counted once",
    mistake=(
        "`matrix[labels, predictions] += 1` counts a pair that occurs several times only "
        "once; use np.add.at or a loop."
    ),
)
def confusion_matrix__pairs_counted_once(labels, predictions, num_classes):
    matrix = np.zeros((num_classes, num_classes), dtype=int)
    matrix[labels, predictions] += 1
    return matrix


@_answer("confusion_matrix", right=True)
def confusion_matrix__list_of_lists(labels, predictions, num_classes):
    matrix = [[0] * num_classes for _ in range(num_classes)]
    for label, prediction in zip(labels.tolist(), predictions.tolist()):
        matrix[label][prediction] += 1
    return np.array(matrix, dtype=np.int64)


@_answer(
    "worth_switching",
    right=False,
    kind="deviation not error",
    mistake=(
        "You take the standard deviation of the gains where the standard error of their mean "
        "is asked: divide by the root of n."
    ),
)
def worth_switching__deviation_not_error(old, new, worth, t):
    gains = np.asarray(new, dtype=float) - np.asarray(old, dtype=float)
    difference = gains.mean()
    half = t * gains.std(ddof=1)
    if difference - half > worth:
        return 1, difference, half
    if difference + half < worth:
        return -1, difference, half
    return 0, difference, half


# Lesson 12


@_answer(
    "grad_cam",
    right=False,
    kind="cut before sum",
    mistake=(
        "You cut what is negative in each channel before adding; channels may speak against "
        "the class, so add first and cut the sum."
    ),
)
def grad_cam__cut_before_sum(maps, gradients):
    weights = gradients.mean(axis=(0, 1))
    return np.maximum(maps * weights, 0).sum(axis=2)


@_answer(
    "occlusion_map",
    right=False,
    kind="patches one pixel apart",
    mistake=(
        "The patches begin one pixel apart; they lie side by side, so row and column have to "
        "be multiplied by the patch size."
    ),
)
def occlusion_map__patches_one_pixel_apart(predict, image, patch_size, fill):
    rows, columns = image.shape[0] // patch_size, image.shape[1] // patch_size
    whole = np.asarray(predict(image[None]))[0]
    drops = np.zeros((rows, columns))
    for y in range(rows):
        for x in range(columns):
            hidden = image.copy()
            hidden[y : y + patch_size, x : x + patch_size] = fill
            drops[y, x] = whole - np.asarray(predict(hidden[None]))[0]
    return drops


@_answer(
    "pointing_game",
    right=False,
    kind="one mean coin",
    mistake=(
        "One binomial with the mean share stands for all images; each image has a coin of its "
        "own, and a mean coin has another spread."
    ),
)
def pointing_game__one_mean_coin(heat, masks):
    n = len(heat)
    hottest = heat.reshape(n, -1).argmax(axis=1)
    hits = int(masks.reshape(n, -1)[np.arange(n), hottest].sum())
    share = float(masks.mean())
    chances = [math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(hits, n + 1)]
    return hits, n * share, sum(chances)


@_answer("pointing_game", right=True)
def pointing_game__fractions(heat, masks):
    chances, hits, expected = [Fraction(1)], 0, Fraction(0)
    for one, mask in zip(heat, masks):
        place = np.unravel_index(np.argmax(one), one.shape)
        hits += bool(mask[place])
        coin = Fraction(int(np.count_nonzero(mask)), int(mask.size))
        expected += coin
        longer = [Fraction(0)] * (len(chances) + 1)
        for k, chance in enumerate(chances):
            longer[k] += chance * (1 - coin)
            longer[k + 1] += chance * coin
        chances = longer
    return hits, float(expected), float(sum(chances[hits:]))


# Lesson 13


@_answer(
    "leaked_images",
    right=False,
    kind="flipped up and down",
    mistake=(
        "`image[::-1]` turns the rows round, up and down; left to right is the last axis, "
        "`image[:, ::-1]`."
    ),
)
def leaked_images__flipped_up_and_down(train_images, validation_images):
    places = []
    for place, image in enumerate(validation_images):
        for known in train_images:
            if np.array_equal(image, known) or np.array_equal(image[::-1], known):
                places.append(place)
                break
    return np.array(places, dtype=int)


@_answer("leaked_images", right=True)
def leaked_images__bytes_in_a_set(train_images, validation_images):
    def key(image):
        return (np.ascontiguousarray(image) + 0.0).tobytes()

    known = {key(image) for image in train_images} | {key(image[:, ::-1]) for image in train_images}
    if train_images.shape[1:] != validation_images.shape[1:]:
        known = set()
    return np.array([k for k, image in enumerate(validation_images) if key(image) in known], int)


@_answer(
    "repair_batch_norm_mode",
    right=False,
    kind="each image alone",
    mistake=(
        "In training the moments are taken for each image alone; those of a batch go over the "
        "images, too."
    ),
)
def repair_batch_norm_mode__each_image_alone(
    inputs, moving_mean, moving_variance, epsilon, training
):
    if training:
        mean = inputs.mean(axis=(1, 2), keepdims=True)
        variance = inputs.var(axis=(1, 2), keepdims=True)
    else:
        mean, variance = moving_mean, moving_variance
    return (inputs - mean) / np.sqrt(variance + epsilon)


@_answer(
    "repair_channel_order",
    right=False,
    kind="rows and columns swapped",
    mistake=(
        "Swapping axes 1 and 3 puts the channels last but exchanges rows and columns: every "
        "image is transposed."
    ),
)
def repair_channel_order__rows_and_columns_swapped(images):
    return np.swapaxes(images, 1, 3)


@_answer(
    "repair_double_softmax",
    right=False,
    kind="log of mean",
    mistake=(
        "You take the logarithm of the mean probability; the loss is the mean of the "
        "logarithms, which is another number."
    ),
)
def repair_double_softmax__log_of_mean(probabilities, labels):
    true = probabilities[np.arange(len(labels)), labels]
    return -np.log(np.mean(true))


@_answer(
    "repair_flatten_head",
    right=False,
    kind="softmax at each place",
    mistake=(
        "You take the softmax at each place and average the probabilities; the scores are "
        "averaged first, then one softmax."
    ),
)
def repair_flatten_head__softmax_at_each_place(maps):
    shifted = maps - maps.max(axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    probabilities = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return probabilities.mean(axis=(1, 2))


@_answer(
    "repair_leaky_split",
    right=False,
    kind="first photo only",
    mistake=("Only the first of the held-out photos is looked at; `held_out` may name several."),
)
def repair_leaky_split__first_photo_only(sources, held_out):
    sources = np.asarray(sources)
    chosen = sources == held_out[0]
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


@_answer(
    "repair_learning_rate",
    right=False,
    kind="place among the numbers",
    mistake=(
        "The place of the minimum counts the losses without NaN, but you use it for all "
        "rates: a NaN further ahead shifts it."
    ),
)
def repair_learning_rate__place_among_the_numbers(rates, losses):
    numbers = losses[~np.isnan(losses)]
    return rates[np.argmin(numbers)] / 10


@_answer(
    "repair_missing_relu",
    right=False,
    kind="stops too early",
    mistake=(
        "The ReLU stops one convolution too early: len(kernels) - 2 leaves out the one behind "
        "the last but one."
    ),
)
def repair_missing_relu__stops_too_early(inputs, kernels):
    for number, kernel in enumerate(kernels):
        inputs = ops.conv2d(inputs, kernel)
        if number < len(kernels) - 2:
            inputs = np.maximum(inputs, 0)
    return inputs


@_answer(
    "repair_shifted_labels",
    right=False,
    kind="one after the other",
    mistake=(
        "Images are deleted one after the other by positions of the old order; after the "
        "first deletion all later positions have moved."
    ),
)
def repair_shifted_labels__one_after_the_other(images, labels, broken):
    for position in broken:
        images = np.delete(images, position, axis=0)
        labels = np.delete(labels, position)
    return images, labels


# Lesson 14


@_answer(
    "read_ablation",
    right=False,
    kind="factor for rows",
    mistake=(
        "You take the factor for as many questions as there are changed rows; it is the "
        "number of statements that counts."
    ),
)
def read_ablation__factor_for_rows(accuracies, statements, margin, factors):
    factor = factors[min(len(accuracies) - 1, len(factors) - 1)]
    carried, differences, halves = [], [], []
    for kind, a, b in statements:
        d = accuracies[a] - accuracies[b]
        mean, half = d.mean(), factor * d.std(ddof=1) / np.sqrt(len(d))
        low, high = mean - half, mean + half
        tests = [low > 0 or high < 0, low > 0, -margin < low and high < margin]
        carried.append(int(tests[kind]))
        differences.append(mean)
        halves.append(half)
    return np.array(carried), np.array(differences), np.array(halves)


# Lesson 15


@_answer(
    "find_fault",
    right=False,
    kind="default tolerance",
    mistake=(
        "NumPy's default tolerance is far below the rounding that the text admits, so a sound "
        "layer counts as faulty; measure against the largest output."
    ),
)
def find_fault__default_tolerance(reference, deployed, images):
    wanted = np.asarray(reference(images))
    if np.allclose(deployed(images), wanted):
        return 0
    limit = 1e-3 * np.abs(wanted).max()
    if np.abs(deployed(255 * images) - wanted).max() <= limit:
        return 1
    if np.abs(deployed(images[..., ::-1]) - wanted).max() <= limit:
        return 2
    inner = np.asarray(deployed(images))[:, 1:-1, 1:-1]
    if np.abs(inner - wanted[:, 1:-1, 1:-1]).max() <= limit:
        return 3
    return 4


@_answer(
    "quantize",
    right=False,
    kind="largest without sign",
    mistake=(
        "The scale comes from the largest weight, not from the largest absolute one: a filter "
        "whose strongest weight is negative leaves the range."
    ),
)
def quantize__largest_without_sign(kernel):
    largest = kernel.max(axis=(0, 1, 2))
    scales = np.where(largest > 0, largest / 127, 1.0)
    integers = np.rint(kernel / scales).astype(int)
    return integers, scales, integers * scales
