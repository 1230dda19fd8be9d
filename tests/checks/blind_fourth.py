"""A fourth collection of answers to all exercises, right and wrong, by a reader of their texts.

Written before a look at the banks or the engine. Its sealed half is ``blind_fourth_sealed.py``.
Nothing here may be changed to please a check: an answer that is misjudged is a finding.
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
    kind="copy-paste",
    mistake="The test images get the mean of the training images, but their own deviation.",
)
def standardize_test_with_its_own_deviation(train_images, test_images):
    mean = train_images.mean()
    train = (train_images - mean) / train_images.std()
    test = (test_images - mean) / test_images.std()
    return train.astype(np.float32), test.astype(np.float32)


@_answer(
    "standardize_channels",
    right=False,
    kind="axis",
    mistake="The means are those of the channels, but one deviation is taken over everything.",
)
def standardize_channels_one_deviation(train_images, test_images):
    mean = np.mean(train_images, axis=(0, 1, 2))
    std = np.std(train_images)
    train = (train_images - mean) / std
    test = (test_images - mean) / std
    return train.astype("float32"), test.astype("float32")


@_answer("standardize_channels", right=True)
def standardize_channels_in_a_loop(train_images, test_images):
    train = np.array(train_images, dtype=np.float64)
    test = np.array(test_images, dtype=np.float64)
    for c in range(train.shape[-1]):
        values = train[..., c].ravel()
        m = values.sum() / values.size
        s = math.sqrt(((values - m) ** 2).sum() / values.size)
        test[..., c] = (test[..., c] - m) / s
        train[..., c] = (train[..., c] - m) / s
    return np.float32(train), np.float32(test)


@_answer(
    "nearest_mean",
    right=False,
    kind="integer overflow",
    mistake="The images of a class are summed in their own type, so that uint8 sums wrap at 256.",
)
def nearest_mean_sums_in_the_type_of_the_images(train_images, train_labels, images, num_classes):
    sums = np.zeros((num_classes, *train_images.shape[1:]), dtype=train_images.dtype)
    counts = np.zeros(num_classes)
    for image, label in zip(train_images, train_labels, strict=True):
        sums[label] += image
        counts[label] += 1
    answer = []
    for image in images:
        distances = [
            np.sqrt(((image.astype(float) - sums[k] / counts[k]) ** 2).sum())
            for k in range(num_classes)
        ]
        answer.append(int(np.argmin(distances)))
    return np.array(answer)


# Lesson 02


@_answer(
    "correlate2d",
    right=False,
    kind="off by one",
    mistake="Counts half a kernel off each side, so that an even kernel loses its last place.",
)
def correlate2d_half_a_kernel_off_each_side(image, kernel):
    kh, kw = kernel.shape
    rows = image.shape[0] - 2 * (kh // 2)
    cols = image.shape[1] - 2 * (kw // 2)
    out = np.zeros((rows, cols))
    for r in range(rows):
        for c in range(cols):
            out[r, c] = np.sum(image[r : r + kh, c : c + kw] * kernel)
    return out


@_answer(
    "output_size",
    right=False,
    kind="forgotten case",
    mistake="Takes half a kernel of padding on both sides for 'same', one too many if it is even.",
)
def output_size_same_means_half_a_kernel_on_both_sides(size, kernel_size, stride, padding):
    pad = kernel_size // 2 if padding == "same" else 0
    return (size + 2 * pad - kernel_size) // stride + 1


@_answer("output_size", right=True)
def output_size_of_a_range(size, kernel_size, stride, padding):
    last_start = size - 1 if padding == "same" else size - kernel_size
    return len(range(0, last_start + 1, stride))


@_answer(
    "conv2d",
    right=False,
    kind="wrong place in a loop",
    mistake="Adds the bias inside the loop over the input channels, once for each of them.",
)
def conv2d_bias_for_every_input_channel(inputs, kernel, bias):
    n, height, width, channels_in = inputs.shape
    kh, kw, _, filters = kernel.shape
    out = np.zeros((n, height - kh + 1, width - kw + 1, filters))
    for f in range(filters):
        for c in range(channels_in):
            for y in range(out.shape[1]):
                for x in range(out.shape[2]):
                    patch = inputs[:, y : y + kh, x : x + kw, c]
                    out[:, y, x, f] += (patch * kernel[:, :, c, f]).sum(axis=(1, 2))
            out[..., f] += bias[f]
    return out


@_answer("conv2d", right=True)
def conv2d_matrix_for_each_tap(inputs, kernel, bias):
    height, width = kernel.shape[0], kernel.shape[1]
    rows, columns = inputs.shape[1] - height + 1, inputs.shape[2] - width + 1
    total = bias
    for i in range(height):
        for j in range(width):
            total = total + inputs[:, i : i + rows, j : j + columns].astype(float) @ kernel[i, j]
    return total


@_answer(
    "strided_conv2d",
    right=False,
    kind="copy-paste",
    mistake="The padding of the columns is computed with the stride of the rows.",
)
def strided_conv2d_row_stride_pads_columns(inputs, kernel, stride, padding):
    kh, kw = kernel.shape[:2]
    down, across = stride
    x = inputs.astype(float)
    if padding == "same":
        out_h = math.ceil(x.shape[1] / down)
        pad_h = max((out_h - 1) * down + kh - x.shape[1], 0)
        out_w = math.ceil(x.shape[2] / across)
        pad_w = max((out_w - 1) * down + kw - x.shape[2], 0)
        x = np.pad(
            x,
            (
                (0, 0),
                (pad_h // 2, pad_h - pad_h // 2),
                (pad_w // 2, pad_w - pad_w // 2),
                (0, 0),
            ),
        )
    out_h = (x.shape[1] - kh) // down + 1
    out_w = (x.shape[2] - kw) // across + 1
    out = np.zeros((len(x), out_h, out_w, kernel.shape[3]))
    for i in range(out_h):
        for j in range(out_w):
            patch = x[:, i * down : i * down + kh, j * across : j * across + kw, :]
            out[:, i, j, :] = np.tensordot(patch, kernel, axes=3)
    return out


# Lesson 03


@_answer(
    "relu",
    right=False,
    kind="in-place",
    mistake="Reshape gives a view, so that the zeros are written into the array that came in.",
)
def relu_on_a_flat_view(inputs):
    flat = inputs.reshape(-1)
    flat[flat < 0] = 0
    return flat.reshape(inputs.shape)


@_answer("relu", right=True)
def relu_by_a_mask(inputs):
    outputs = np.zeros_like(inputs)
    positive = inputs > 0
    outputs[positive] = inputs[positive]
    return outputs


@_answer(
    "seen_pixels",
    right=False,
    kind="order of steps",
    mistake="Multiplies the jump by a layer's stride before it is used for this layer's kernel.",
)
def seen_pixels_jump_too_early(layers, place):
    field, jump = 1, 1
    for kernel_size, stride in layers:
        jump *= stride
        field += (kernel_size - 1) * jump
    first = place * jump
    return first, first + field - 1


@_answer(
    "strongest_images",
    right=False,
    kind="wrong direction",
    mistake="The strongest images come with the strongest last.",
)
def strongest_images_from_the_end(maps, count):
    scores = maps.reshape(len(maps), -1).max(axis=1)
    return np.argsort(scores)[len(scores) - count :]


# Lesson 04


@_answer(
    "batch_norm_train",
    right=False,
    kind="epsilon",
    mistake="Adds epsilon to the deviation, behind the root and not under it.",
)
def batch_norm_train_epsilon_behind_the_root(inputs, gamma, beta, epsilon):
    mean = inputs.mean(axis=(0, 1, 2))
    var = ((inputs - mean) ** 2).mean(axis=(0, 1, 2))
    outputs = gamma * (inputs - mean) / (np.sqrt(var) + epsilon) + beta
    return outputs, mean, var


@_answer(
    "update_moving",
    right=False,
    kind="integer",
    mistake="Writes the answer into an array of the old value's type, which cuts it if whole.",
)
def update_moving_in_the_old_type(moving, batch_value, momentum):
    new = np.empty_like(moving)
    new[...] = momentum * moving + (1 - momentum) * batch_value
    return new


@_answer(
    "merge_moments",
    right=False,
    kind="weighting",
    mistake="The spread of the means is a plain mean over the batches, whatever their size.",
)
def merge_moments_spread_without_weights(counts, means, variances):
    mean = np.average(means, axis=0, weights=counts)
    within = np.average(variances, axis=0, weights=counts)
    between = np.mean((means - mean) ** 2, axis=0)
    return mean, within + between


@_answer("merge_moments", right=True)
def merge_moments_one_batch_after_another(counts, means, variances):
    n, mean, spread = 0, np.zeros(means.shape[1]), np.zeros(means.shape[1])
    for count, batch_mean, batch_variance in zip(counts, means, variances, strict=True):
        delta = batch_mean - mean
        together = n + count
        spread = spread + batch_variance * count + delta**2 * n * count / together
        mean = mean + delta * count / together
        n = together
    return mean, spread / n


@_answer(
    "batch_norm_inference",
    right=False,
    kind="precedence",
    mistake="Without brackets only the mean is divided by the root, and not the difference.",
)
def batch_norm_inference_without_brackets(
    inputs, gamma, beta, moving_mean, moving_variance, epsilon
):
    normalized = inputs - moving_mean / np.sqrt(moving_variance + epsilon)
    return normalized * gamma + beta


@_answer(
    "fold_batch_norm",
    right=False,
    kind="forgotten factor",
    mistake="The moving mean is taken off the new bias without being multiplied by the factor.",
)
def fold_batch_norm_mean_not_scaled(
    kernel, bias, gamma, beta, moving_mean, moving_variance, epsilon
):
    factor = gamma / np.sqrt(moving_variance + epsilon)
    new_kernel = kernel * factor.reshape(1, 1, 1, -1)
    new_bias = bias * factor - moving_mean + beta
    return new_kernel, new_bias


# Lesson 05


@_answer(
    "average_pool2d",
    right=False,
    kind="padding side",
    mistake="Puts all padding behind the image, where same_padding puts some of it before.",
)
def average_pool2d_all_padding_at_the_end(inputs, pool_size, padding):
    batch, height, width, channels = inputs.shape
    if padding == "same":
        rows, columns = -(-height // pool_size), -(-width // pool_size)
    else:
        rows, columns = height // pool_size, width // pool_size
    out = np.zeros((batch, rows, columns, channels))
    for r in range(rows):
        for c in range(columns):
            top, left = r * pool_size, c * pool_size
            window = inputs[:, top : top + pool_size, left : left + pool_size]
            out[:, r, c] = window.mean(axis=(1, 2))
    return out


@_answer(
    "max_pool2d",
    right=False,
    kind="wrong constant",
    mistake="Pads with finfo.tiny, the smallest positive float, which wins over negative numbers.",
)
def max_pool2d_pads_with_tiny(inputs, pool_size, padding):
    x = np.array(inputs, dtype=float)
    if padding == "same":
        rows = ops.same_padding(x.shape[1], pool_size, pool_size)
        cols = ops.same_padding(x.shape[2], pool_size, pool_size)
        lowest = np.finfo(x.dtype).tiny
        x = np.pad(x, ((0, 0), rows, cols, (0, 0)), constant_values=lowest)
    h, w = x.shape[1] // pool_size, x.shape[2] // pool_size
    out = np.empty((x.shape[0], h, w, x.shape[3]))
    for i in range(h):
        for j in range(w):
            window = x[:, i * pool_size : (i + 1) * pool_size, j * pool_size : (j + 1) * pool_size]
            out[:, i, j] = window.max(axis=(1, 2))
    return out


@_answer("max_pool2d", right=True)
def max_pool2d_edge_pixels_once_more(inputs, pool_size, padding):
    x = inputs
    if padding == "same":
        before_after = [ops.same_padding(s, pool_size, pool_size) for s in x.shape[1:3]]
        # A copy of a pixel that is in the window anyway never wins over it.
        x = np.pad(x, [(0, 0), *before_after, (0, 0)], mode="edge")
    h = x.shape[1] // pool_size * pool_size
    w = x.shape[2] // pool_size * pool_size
    by_rows = np.maximum.reduce([x[:, i:h:pool_size] for i in range(pool_size)])
    return np.maximum.reduce([by_rows[:, :, j:w:pool_size] for j in range(pool_size)])


@_answer(
    "global_average_pool2d",
    right=False,
    kind="denominator",
    mistake="Divides by the square of the height, as if all maps were square.",
)
def global_average_pool2d_of_squares(inputs):
    side = inputs.shape[1]
    return inputs.sum(axis=(1, 2)) / (side * side)


@_answer(
    "adaptive_average_pool2d",
    right=False,
    kind="rounding",
    mistake="Cuts both ends of a window down, so that a pixel with a cut goes to one side only.",
)
def adaptive_average_pool2d_cuts_down(inputs, rows, columns):
    batch, height, width, channels = inputs.shape
    ys = np.arange(rows + 1) * height // rows
    xs = np.arange(columns + 1) * width // columns
    out = np.zeros((batch, rows, columns, channels))
    for i in range(rows):
        for j in range(columns):
            out[:, i, j] = inputs[:, ys[i] : ys[i + 1], xs[j] : xs[j + 1]].mean(axis=(1, 2))
    return out


@_answer(
    "dropout",
    right=False,
    kind="in-place",
    mistake="In training the zeros are written into the inputs themselves.",
)
def dropout_writes_into_its_inputs(inputs, rate, keep_mask, training):
    if training:
        inputs[~keep_mask] = 0.0
        return inputs / (1 - rate)
    return inputs


# Lesson 06


@_answer(
    "conv2d_backward",
    right=False,
    kind="two faults",
    mistake="Turns the kernel round for the gradient at the inputs; averages the bias's gradient.",
)
def conv2d_backward_turned_kernel_and_mean_bias(grad_outputs, inputs, kernel, stride):
    x = inputs.astype(float)
    grad_x, grad_k = np.zeros_like(x), np.zeros(kernel.shape)
    kh, kw = kernel.shape[:2]
    turned = kernel[::-1, ::-1]
    for i in range(grad_outputs.shape[1]):
        for j in range(grad_outputs.shape[2]):
            y, z = i * stride, j * stride
            g = grad_outputs[:, i, j, :]
            grad_k += np.einsum("nyxc,nf->yxcf", x[:, y : y + kh, z : z + kw], g)
            grad_x[:, y : y + kh, z : z + kw] += np.einsum("nf,yxcf->nyxc", g, turned)
    return grad_x, grad_k, grad_outputs.sum(axis=(1, 2)).mean(axis=0)


@_answer("conv2d_backward", right=True)
def conv2d_backward_tap_by_tap(grad_outputs, inputs, kernel, stride):
    rows, columns = grad_outputs.shape[1:3]
    grad_inputs = np.zeros(inputs.shape)
    grad_kernel = np.zeros(kernel.shape)
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            down = slice(i, i + (rows - 1) * stride + 1, stride)
            across = slice(j, j + (columns - 1) * stride + 1, stride)
            grad_inputs[:, down, across] += grad_outputs @ kernel[i, j].T
            seen = inputs[:, down, across].astype(float)
            grad_kernel[i, j] = np.einsum("nyxc,nyxf->cf", seen, grad_outputs)
    return grad_inputs, grad_kernel, np.einsum("nyxf->f", grad_outputs)


@_answer(
    "average_pool2d_backward",
    right=False,
    kind="forgotten case",
    mistake="Leftover rows and columns are missing from the answer instead of being 0.",
)
def average_pool2d_backward_without_the_rest(grad_outputs, inputs_shape, pool_size):
    window = np.full((pool_size, pool_size), 1 / pool_size**2)
    return np.kron(grad_outputs, window[None, :, :, None])


@_answer(
    "max_pool2d_backward",
    right=False,
    kind="axis",
    mistake="Looks for one winner among all channels of a window, and gives it every gradient.",
)
def max_pool2d_backward_one_winner_for_all_channels(grad_outputs, inputs, pool_size):
    grads = np.zeros(inputs.shape)
    batch, rows, columns, _ = grad_outputs.shape
    for n in range(batch):
        for r in range(rows):
            for c in range(columns):
                top, left = r * pool_size, c * pool_size
                window = inputs[n, top : top + pool_size, left : left + pool_size]
                y, x, _ = np.unravel_index(window.argmax(), window.shape)
                grads[n, top + y, left + x] = grad_outputs[n, r, c]
    return grads


@_answer(
    "batch_norm_backward",
    right=False,
    kind="forgotten term",
    mistake="The gradient at the inputs goes through the mean, but not through the variance.",
)
def batch_norm_backward_variance_held_still(grad_outputs, inputs, gamma, epsilon):
    mean = inputs.mean(axis=(0, 1, 2))
    std = np.sqrt(inputs.var(axis=(0, 1, 2)) + epsilon)
    x_hat = (inputs - mean) / std
    grad_gamma = (grad_outputs * x_hat).sum(axis=(0, 1, 2))
    grad_beta = grad_outputs.sum(axis=(0, 1, 2))
    grad_hat = grad_outputs * gamma
    return (grad_hat - grad_hat.mean(axis=(0, 1, 2))) / std, grad_gamma, grad_beta


# Lesson 07


@_answer(
    "count_parameters",
    right=False,
    kind="concept",
    mistake="With normalization the first number is the total, with the moving moments in it.",
)
def count_parameters_total_first(channels_in, filters, kernel_size, batch_norm):
    total = kernel_size**2 * channels_in * filters + filters
    frozen = 0
    if batch_norm:
        total += 4 * filters
        frozen = 2 * filters
    return total, frozen


@_answer(
    "softmax_cross_entropy",
    right=False,
    kind="epsilon",
    mistake="Adds 1e-7 under the logarithm, so that no image costs more than about 16.",
)
def softmax_cross_entropy_small_number_in_the_log(logits, labels):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    picked = probabilities[np.arange(len(labels)), labels]
    return -np.mean(np.log(picked + 1e-7))


@_answer(
    "dense_from_channels_first",
    right=False,
    kind="axis order",
    mistake="Lays the maps out as (width, height, channels): rows and columns are swapped.",
)
def dense_from_channels_first_reversed_axes(weights, channels, height, width):
    outputs = weights.shape[0]
    cube = weights.reshape(outputs, channels, height, width)
    return cube.T.reshape(height * width * channels, outputs)


@_answer("dense_from_channels_first", right=True)
def dense_from_channels_first_by_numbers(weights, channels, height, width):
    numbers = np.arange(channels * height * width).reshape(channels, height, width)
    return weights[:, np.moveaxis(numbers, 0, -1).ravel()].T


# Lesson 08


@_answer(
    "build_simple_cnn",
    right=False,
    kind="forgotten padding",
    mistake="The poolings have no padding='same', so that an odd row or column is dropped.",
)
def build_simple_cnn_pooling_drops_the_edge(input_shape, num_classes):
    x = inputs = keras.Input(shape=input_shape)
    first = True
    for filters, size in ((16, 7), (32, 5), (64, 3), (128, 3)):
        for _ in range(2):
            kwargs = {"name": "image_array"} if first else {}
            first = False
            x = layers.Conv2D(filters, (size, size), padding="same", **kwargs)(x)
            x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        x = layers.AveragePooling2D((2, 2))(x)
        x = layers.Dropout(0.5)(x)
    x = layers.Conv2D(256, (3, 3), padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(num_classes, (3, 3), padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Softmax(name="predictions")(x)
    return keras.Model(inputs, outputs)


@_answer(
    "receptive_field",
    right=False,
    kind="not cumulative",
    mistake="The step between two places is the stride of the layer before, not of all before.",
)
def receptive_field_last_stride_alone(layers):
    field = 1
    previous_stride = 1
    for kernel_size, stride in layers:
        field = field + (kernel_size - 1) * previous_stride
        previous_stride = stride
    return field


@_answer("receptive_field", right=True)
def receptive_field_from_the_end(layers):
    if not layers:
        return 1
    (kernel_size, stride), *later = layers
    return (receptive_field_from_the_end(later) - 1) * stride + kernel_size


@_answer(
    "widest_network",
    right=False,
    kind="two faults",
    mistake="The last convolution counts twice its input channels; the whole budget is too much.",
)
def widest_network_one_doubling_too_many_and_no_equality(
    budget, channels_in, kernel_sizes, num_classes
):
    w = 0
    while True:
        w += 1
        filters, before, total = w, channels_in, 0
        for k in kernel_sizes:
            total += k * k * before * filters + filters + 4 * filters
            before = filters
            filters *= 2
        total += 3 * 3 * filters * num_classes + num_classes
        if total >= budget:
            return w - 1


# Lesson 09


@_answer(
    "build_simpler_cnn",
    right=False,
    kind="wrong layer order",
    mistake="In the first four blocks the first convolution has the stride of 2, not the second.",
)
def build_simpler_cnn_stride_first(input_shape, num_classes):
    model = keras.models.Sequential()
    model.add(keras.Input(shape=input_shape))
    model.add(layers.Conv2D(16, 5, strides=2, padding="same", name="image_array"))
    model.add(layers.BatchNormalization())
    model.add(layers.Conv2D(16, 5, padding="same"))
    model.add(layers.BatchNormalization())
    model.add(layers.Activation("relu"))
    model.add(layers.Dropout(0.25))
    for first, first_size, second, second_size in (
        (32, 5, 32, 5),
        (64, 3, 64, 3),
        (64, 1, 128, 3),
    ):
        model.add(layers.Conv2D(first, first_size, strides=2, padding="same"))
        model.add(layers.BatchNormalization())
        model.add(layers.Conv2D(second, second_size, padding="same"))
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
    return model


@_answer(
    "merge_convolutions",
    right=False,
    kind="denominator",
    mistake="The first bias goes through the mean of the second kernel's places, not their sum.",
)
def merge_convolutions_mean_of_the_taps(first_kernel, first_bias, second_kernel, second_bias):
    kernel = first_kernel[0, 0] @ second_kernel
    bias = first_bias @ second_kernel.mean(axis=(0, 1)) + second_bias
    return kernel, bias


@_answer(
    "same_padding",
    right=False,
    kind="forgotten case",
    mistake="Where the stride is larger than the kernel the padding may become negative.",
)
def same_padding_below_zero(size, kernel_size, stride):
    out = math.ceil(size / stride)
    total = (out - 1) * stride + kernel_size - size
    before = total // 2
    return before, total - before


@_answer(
    "head_outputs",
    right=False,
    kind="concept",
    mistake="Quarters the number of places and rounds that up, instead of halving the side.",
)
def head_outputs_quarter_of_the_places(input_size, halvings, num_classes):
    places = input_size**2
    for _ in range(halvings):
        places = math.ceil(places / 4)
    return places * num_classes


# Lesson 10


@_answer(
    "split_indices",
    right=False,
    kind="rounding",
    mistake="Cuts the number of validation images down instead of rounding it.",
)
def split_indices_cut_down(count, validation_fraction, seed):
    rng = np.random.default_rng(seed)
    indices = np.arange(count)
    rng.shuffle(indices)
    n_validation = int(count * validation_fraction)
    return indices[n_validation:], indices[:n_validation]


@_answer(
    "cosine_schedule",
    right=False,
    kind="forgotten case",
    mistake="Beyond the last step the cosine rises again instead of staying at 0.",
)
def cosine_schedule_comes_back(step, total_steps, peak):
    return peak * 0.5 * (1.0 + np.cos(np.pi * step / total_steps))


@_answer(
    "augment",
    right=False,
    kind="dtype",
    mistake="Mixes both pictures by whole-number weights, and the images come back in their type.",
)
def augment_by_weights(images, rng):
    coin = rng.integers(0, 2, size=(len(images), 1, 1, 1))
    return coin * images[:, :, ::-1, :] + (1 - coin) * images


@_answer(
    "choose_rate",
    right=False,
    kind="axis",
    mistake="Takes the rate with the lowest loss of any single run, not of the mean over runs.",
)
def choose_rate_luckiest_run(rates, losses):
    broken = np.isnan(losses) | (losses > losses[:, [0]])
    limit = rates[np.argmax(broken.any(axis=0))]
    candidates = rates < limit / 10
    best = losses[:, candidates].min(axis=0).argmin()
    rate = rates[candidates][best]
    return rate, limit / rate


@_answer("choose_rate", right=True)
def choose_rate_run_by_run(rates, losses):
    limit = math.inf
    for run in losses:
        for rate, loss in zip(rates, run, strict=True):
            if not loss <= run[0]:
                limit = min(limit, float(rate))
                break
    best, lowest = None, math.inf
    for place, rate in enumerate(rates):
        if rate * 10 < limit and sum(losses[:, place]) < lowest:
            best, lowest = float(rate), sum(losses[:, place])
    return best, limit / best


# Lesson 11


@_answer(
    "confusion_matrix",
    right=False,
    kind="integer overflow",
    mistake="Computes the number of a pair in the labels' type, which wraps for small types.",
)
def confusion_matrix_numbered_pairs(labels, predictions, num_classes):
    pairs = labels * num_classes + predictions
    counts = np.bincount(pairs, minlength=num_classes * num_classes)
    return counts.reshape(num_classes, num_classes)


@_answer(
    "accuracy_interval",
    right=False,
    kind="denominator",
    mistake="Under the root, z squared is divided by four times the total, not its square.",
)
def accuracy_interval_total_not_squared(correct, total, z):
    p = correct / total
    factor = 1 / (1 + z**2 / total)
    center = factor * (p + z**2 / (2 * total))
    half = factor * z * math.sqrt(p * (1 - p) / total + z**2 / (4 * total))
    return center - half, center + half


@_answer(
    "worth_switching",
    right=False,
    kind="concept",
    mistake="Adds the variances of two separate groups, although the runs are pairs.",
)
def worth_switching_two_groups(old, new, worth, t):
    n = len(old)
    difference = np.mean(new) - np.mean(old)
    half = t * np.sqrt(np.var(old, ddof=1) / n + np.var(new, ddof=1) / n)
    verdict = 0
    if difference - half > worth:
        verdict = 1
    if difference + half < worth:
        verdict = -1
    return verdict, difference, half


# Lesson 12


@_answer(
    "occlusion_map",
    right=False,
    kind="state kept",
    mistake="One copy serves for all patches, so that what was hidden before stays hidden.",
)
def occlusion_map_hides_more_and_more(predict, image, patch_size, fill):
    h, w = image.shape[0] // patch_size, image.shape[1] // patch_size
    heat = np.zeros((h, w))
    base = predict(image[np.newaxis])[0]
    covered = image.copy()
    for i in range(h):
        for j in range(w):
            y, x = i * patch_size, j * patch_size
            covered[y : y + patch_size, x : x + patch_size, :] = fill
            heat[i, j] = base - predict(covered[np.newaxis])[0]
    return heat


@_answer(
    "grad_cam",
    right=False,
    kind="order of steps",
    mistake="Sets what is negative to 0 in each channel, before the channels are added up.",
)
def grad_cam_relu_in_each_channel(maps, gradients):
    heat = np.zeros(maps.shape[:2])
    for c in range(maps.shape[2]):
        weight = gradients[:, :, c].mean()
        heat += np.maximum(weight * maps[:, :, c], 0)
    return heat


@_answer(
    "pointing_game",
    right=False,
    kind="off by one",
    mistake="The last number is the chance of more hits than these, not of at least so many.",
)
def pointing_game_more_than_these(heat, masks):
    hits, shares = 0, []
    for h, m in zip(heat, masks, strict=True):
        y, x = np.unravel_index(np.argmax(h), h.shape)
        hits += int(m[y, x])
        shares.append(m.sum() / m.size)
    chances = np.array([1.0])
    for p in shares:
        chances = np.convolve(chances, [1 - p, p])
    return hits, sum(shares), 1 - chances[: hits + 1].sum()


@_answer("pointing_game", right=True)
def pointing_game_by_recursion(heat, masks):
    shares = [float(np.count_nonzero(mask)) / mask.size for mask in masks]
    hits = sum(bool(mask[h == h.max()][0]) for h, mask in zip(heat, masks, strict=True))

    def at_least(wanted, rest):
        if wanted <= 0:
            return 1.0
        if wanted > len(rest):
            return 0.0
        p = rest[0]
        return p * at_least(wanted - 1, rest[1:]) + (1 - p) * at_least(wanted, rest[1:])

    return hits, math.fsum(shares), at_least(hits, shares)


# Lesson 13


@_answer(
    "repair_missing_relu",
    right=False,
    kind="wrong test",
    mistake="Knows the last kernel by identity: one array twice in the list leaves a ReLU out.",
)
def repair_missing_relu_is_not_the_last(inputs, kernels):
    for kernel in kernels:
        inputs = ops.conv2d(inputs, kernel)
        if kernel is not kernels[-1]:
            inputs = ops.relu(inputs)
    return inputs


@_answer(
    "repair_double_softmax",
    right=False,
    kind="order of steps",
    mistake="Takes the logarithm of the mean probability instead of the mean of the logarithms.",
)
def repair_double_softmax_log_of_the_mean(probabilities, labels):
    true_class = np.take_along_axis(probabilities, labels[:, None], axis=1)
    return -np.log(true_class.mean())


@_answer(
    "repair_batch_norm_mode",
    right=False,
    kind="axis",
    mistake="In training the moments are taken over the batch axis alone, for each pixel.",
)
def repair_batch_norm_mode_every_pixel(inputs, moving_mean, moving_variance, epsilon, training):
    if training:
        mean = inputs.mean(axis=0)
        variance = inputs.var(axis=0)
    else:
        mean = moving_mean
        variance = moving_variance
    return (inputs - mean) / np.sqrt(variance + epsilon)


@_answer(
    "repair_leaky_split",
    right=False,
    kind="broadcasting",
    mistake="Compares with all held-out photos at once, which works for one photo only.",
)
def repair_leaky_split_one_photo_only(sources, held_out):
    is_held_out = np.asarray(sources) == np.asarray(held_out)
    return np.where(~is_held_out)[0], np.where(is_held_out)[0]


@_answer(
    "repair_channel_order",
    right=False,
    kind="axis order",
    mistake="Swaps the channels with the columns, so that rows and columns change places.",
)
def repair_channel_order_swapped(images):
    return np.swapaxes(images, 1, -1)


@_answer(
    "repair_shifted_labels",
    right=False,
    kind="moving index",
    mistake="Deletes one after another, so that later positions mean other images.",
)
def repair_shifted_labels_one_by_one(images, labels, broken):
    for position in broken:
        images = np.delete(images, position, axis=0)
        labels = np.delete(labels, position, axis=0)
    return images, labels


@_answer(
    "repair_learning_rate",
    right=False,
    kind="wrong value",
    mistake="Returns a tenth of the lowest loss, not of the rate that belongs to it.",
)
def repair_learning_rate_of_the_loss(rates, losses):
    return np.nanmin(losses) / 10


@_answer(
    "repair_flatten_head",
    right=False,
    kind="order of steps",
    mistake="Takes the softmax at each place first, and the mean of the probabilities after it.",
)
def repair_flatten_head_softmax_at_each_place(maps):
    return ops.softmax(maps, axis=-1).mean(axis=(1, 2))


@_answer(
    "leaked_images",
    right=False,
    kind="tolerance",
    mistake="Uses allclose, so that images that are nearly equal count as copies.",
)
def leaked_images_nearly_equal(train_images, validation_images):
    found = []
    for place, image in enumerate(validation_images):
        for other in train_images:
            if np.allclose(image, other) or np.allclose(image, np.fliplr(other)):
                found.append(place)
                break
    return np.array(found, dtype=int)


# Lesson 15


@_answer(
    "quantize",
    right=False,
    kind="epsilon",
    mistake="Adds 1e-8 to every scale, so that a filter of zeros has the scale 1e-8 and not 1.",
)
def quantize_small_number_on_the_scale(kernel):
    scales = np.abs(kernel).max(axis=(0, 1, 2)) / 127 + 1e-8
    integers = np.clip(np.rint(kernel / scales), -127, 127)
    return integers, scales, integers * scales


@_answer("quantize", right=True)
def quantize_in_int8(kernel):
    rows, columns, channels, filters = kernel.shape
    flat = np.asarray(kernel, dtype=np.float64).reshape(-1, filters)
    scales = np.ones(filters)
    for f in range(filters):
        largest = max(flat[:, f].max(), -flat[:, f].min())
        if largest > 0:
            scales[f] = largest / 127
    integers = np.rint(flat / scales).astype(np.int8).reshape(rows, columns, channels, filters)
    return integers, scales, scales * integers


@_answer(
    "find_fault",
    right=False,
    kind="forgotten axis",
    mistake="Leaves only the first and last rows out, so that padded columns still differ.",
)
def find_fault_rows_alone(reference, deployed, images):
    wanted, got = np.asarray(reference(images)), np.asarray(deployed(images))
    tolerance = 1e-3 * np.max(np.abs(wanted))

    def equal(a, b):
        return np.max(np.abs(a - b)) <= tolerance

    if equal(got, wanted):
        return 0
    if equal(np.asarray(deployed(images * 255)), wanted):
        return 1
    if equal(np.asarray(deployed(images[:, :, :, ::-1])), wanted):
        return 2
    if equal(got[:, 1:-1], wanted[:, 1:-1]):
        return 3
    return 4
