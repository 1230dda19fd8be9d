"""Answers that were once accepted though wrong, rejected though right, or told something untrue."""

from __future__ import annotations

import io
import re
import sys
from contextlib import redirect_stdout

import keras
import numpy as np
import pytest

from cnncourse import ops
from cnncourse.checks import EXERCISES, NotYet, check, diagnose


def _windows(inputs, size, padding, fill):
    inputs = np.asarray(inputs, float)
    if padding == "same":
        pads = [ops.same_padding(side, size, size) for side in inputs.shape[1:3]]
        inputs = np.pad(inputs, [(0, 0), *pads, (0, 0)], constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(inputs, (size, size), axis=(1, 2))
    return windows[:, ::size, ::size]


def mean_of_what_is_not_zero(inputs, pool_size, padding):
    windows = _windows(inputs, pool_size, padding, 0)
    return windows.sum(axis=(-2, -1)) / np.maximum((windows != 0).sum(axis=(-2, -1)), 1)


def padded_with_minus_999(inputs, pool_size, padding):
    return _windows(inputs, pool_size, padding, -999).max(axis=(-2, -1))


def _means(train_images, train_labels, num_classes):
    return np.stack(
        [train_images[train_labels == label].mean(axis=0) for label in range(num_classes)]
    )


def ten_classes_written_in(train_images, train_labels, images, num_classes):
    classes = min(num_classes, 10)
    means = _means(train_images, train_labels, classes).reshape(classes, -1)
    rows = images.reshape(len(images), 1, -1).astype(float)
    return ((rows - means) ** 2).sum(axis=2).argmin(axis=1)


def mean_of_the_distances(train_images, train_labels, images, num_classes):
    rows = images.reshape(len(images), 1, -1).astype(float)
    train = train_images.reshape(len(train_images), -1).astype(float)
    distances = np.sqrt(((rows - train) ** 2).sum(axis=2))
    classes = [distances[:, train_labels == label].mean(axis=1) for label in range(num_classes)]
    return np.stack(classes, axis=1).argmin(axis=1)


def means_rounded_down(train_images, train_labels, images, num_classes):
    means = _means(train_images, train_labels, num_classes) // 1
    rows = images.reshape(len(images), 1, -1).astype(float)
    return ((rows - means.reshape(num_classes, -1)) ** 2).sum(axis=2).argmin(axis=1)


def cut_from_above_at_255(image, kernel):
    return np.minimum(EXERCISES["correlate2d"].reference(image, kernel), 255)


def peaks_that_wrap(maps, count):
    return np.argsort(-maps.max(axis=(1, 2)), kind="stable")[:count]


def in_the_type_of_the_average(moving, batch_value, momentum):
    answer = momentum * moving + (1 - momentum) * batch_value
    return np.asarray(answer).astype(np.asarray(moving).dtype)


def counted_in_uint8(labels, predictions, num_classes):
    matrix = np.zeros((num_classes, num_classes), np.uint8)
    np.add.at(matrix, (labels, predictions), 1)
    return matrix


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("average_pool2d", mean_of_what_is_not_zero),
        ("max_pool2d", padded_with_minus_999),
        ("nearest_mean", ten_classes_written_in),
        ("nearest_mean", mean_of_the_distances),
        ("nearest_mean", means_rounded_down),
        ("correlate2d", cut_from_above_at_255),
        ("strongest_images", peaks_that_wrap),
        ("update_moving", in_the_type_of_the_average),
        ("confusion_matrix", counted_in_uint8),
    ],
)
def test_a_wrong_answer_that_was_accepted_is_rejected(name, wrong):
    assert not diagnose(name, wrong).passed


def dropped_in_the_type_of_the_inputs(inputs, rate, keep_mask, training):
    if not training:
        return inputs
    answer = np.zeros_like(inputs)
    answer[keep_mask] = inputs[keep_mask] / (1 - rate)
    return answer


def hidden_in_a_copy(predict, image, patch_size, fill):
    rows, columns = image.shape[0] // patch_size, image.shape[1] // patch_size
    answer = np.zeros((rows, columns))
    for y, x in np.ndindex(rows, columns):
        hidden = image.copy()
        hidden[y * patch_size :, x * patch_size :][:patch_size, :patch_size] = fill
        answer[y, x] = predict(image[None])[0] - predict(hidden[None])[0]
    return answer


def padding_as_an_array(size, kernel_size, stride):
    return np.array(ops.same_padding(size, kernel_size, stride))


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("dropout", dropped_in_the_type_of_the_inputs),
        ("occlusion_map", hidden_in_a_copy),
        ("same_padding", padding_as_an_array),
    ],
)
def test_a_right_answer_that_was_rejected_is_accepted(name, right):
    diagnosis = diagnose(name, right)
    assert diagnosis.passed, diagnosis.message


def returns_what_compile_returns(input_shape, num_classes):
    model = keras.Sequential([keras.Input(input_shape), keras.layers.Flatten()])
    return model.compile(loss="mse")


def deviation_of_both_sets(train_images, test_images):
    mean = train_images.mean()
    spread = np.concatenate([train_images.ravel(), test_images.ravel()]).std()
    return tuple(
        ((images - mean) / spread).astype("float32") for images in (train_images, test_images)
    )


def one_image_again_and_again(maps, count):
    return np.full(count, EXERCISES["strongest_images"].reference(maps, 1)[0])


@pytest.mark.parametrize(
    ("name", "answer", "said", "unsaid"),
    [
        ("conv2d", lambda i, k, b: (i, k), "a tuple of 2", "different lengths"),
        ("relu", lambda x: (value for value in x), "generator expression", "yield"),
        ("build_simple_cnn", returns_what_compile_returns, "`model.compile`", "no `return` with"),
        (
            "correlate2d",
            lambda i, k: np.maximum(EXERCISES["correlate2d"].reference(i, k), 0),
            "negative comes out as 0",
            "range of pixels",
        ),
        (
            "confusion_matrix",
            lambda t, p, n: EXERCISES["confusion_matrix"].reference(t, p, n).astype(float),
            "an array of dtype float64",
            "returned of",
        ),
        ("count_parameters", lambda c, f, k, b: (1,), "1 answer;", "1 answers"),
        (
            "build_simple_cnn",
            lambda shape, classes: keras.Sequential(
                [keras.Input(shape), keras.layers.Conv2D(8, 3, name="image_array")]
            ),
            "first difference is layer 1",
            "none of the mistakes",
        ),
        (
            "strongest_images",
            lambda maps, n: np.sort(EXERCISES["strongest_images"].reference(maps, n)),
            "The right numbers, but sorted",
            "wanted numbers come sorted",
        ),
        (
            "standardize",
            deviation_of_both_sets,
            "`test images` is wrong, too.",
            "another way",
        ),
        (
            "head_outputs",
            lambda size, halvings, classes: (size >> halvings) ** 2 * classes,
            "rounded down, at each layer or once at the end",
            "divided once",
        ),
        (
            "repair_learning_rate",
            lambda rates, losses: np.nanmin(losses) / 10,
            "a tenth of the lowest loss",
            "This is the loss",
        ),
    ],
)
def test_what_is_said_is_true(name, answer, said, unsaid):
    message = diagnose(name, answer).message
    assert said in message
    assert unsaid not in message


def test_what_is_shown_as_the_learners_answer_is_what_it_returned():
    message = diagnose("strongest_images", one_image_again_and_again).message
    assert re.search(r"Your indices \(int64\) = \[(\d), \1", message)


def test_the_height_in_the_place_of_the_width_is_not_called_global():
    def square_windows_only(inputs, pool_size, padding):
        inputs = np.asarray(inputs, float)
        count = -(-inputs.shape[1] // pool_size) if padding == "same" else 0
        right = ops.average_pool2d(inputs, pool_size, padding=padding)
        return right[:, :, : count or inputs.shape[1] // pool_size]

    assert "global pooling" not in diagnose("average_pool2d", square_windows_only).message


def test_the_forgotten_moveaxis_has_a_hint():
    def flattened_as_they_lie(inputs, kernel, bias):
        windows = np.lib.stride_tricks.sliding_window_view(
            inputs.astype(float), kernel.shape[:2], axis=(1, 2)
        )
        rows = windows.reshape(*windows.shape[:3], -1)
        return rows @ kernel.reshape(-1, kernel.shape[3]) + bias

    assert "np.moveaxis" in diagnose("conv2d", flattened_as_they_lie).message


def test_a_print_of_the_learners_comes_once_for_the_input_that_is_shown():
    def prints(inputs):
        sys.stdout.write(f"the shape is {inputs.shape}\n")
        return np.abs(inputs)

    printed = io.StringIO()
    with redirect_stdout(printed), pytest.raises(NotYet):
        check("relu", prints)
    assert printed.getvalue().count("the shape is") == 1
    assert "the shape is (2,)" in printed.getvalue()


def relu_but_behind_the_last_array(inputs, kernels):
    for kernel in kernels:
        inputs = ops.conv2d(inputs, kernel)
        if kernel is not kernels[-1]:
            inputs = ops.relu(inputs)
    return inputs


def pairs_numbered_in_the_type_of_the_labels(labels, predictions, num_classes):
    counts = np.bincount(labels * num_classes + predictions, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def copies_that_are_close(train_images, validation_images):
    def leaked(image):
        return any(np.allclose(image, o) or np.allclose(image, o[:, ::-1]) for o in train_images)

    return np.flatnonzero([leaked(image) for image in validation_images])


def no_more_than_256_filters(budget, channels_in, kernel_sizes, num_classes):
    widest = EXERCISES["widest_network"].reference(budget, channels_in, kernel_sizes, num_classes)
    return min(widest, 256)


def a_fixed_thousandth(reference, deployed, images):
    def same(mine, wanted):
        return np.abs(mine - wanted).max() <= 1e-3

    wanted, got = reference(images), deployed(images)
    if same(got, wanted):
        return 0
    if same(deployed(255 * images), wanted):
        return 1
    if same(deployed(images[..., ::-1]), wanted):
        return 2
    return 3 if same(got[:, 1:-1, 1:-1], wanted[:, 1:-1, 1:-1]) else 4


@pytest.mark.parametrize(
    ("exercise", "candidate", "said"),
    [
        ("widest_network", no_more_than_256_filters, "yours is 256, wanted is 300"),
        ("find_fault", a_fixed_thousandth, "find_fault: not yet"),
        ("repair_missing_relu", relu_but_behind_the_last_array, "no array stands in `kernels`"),
        ("confusion_matrix", pairs_numbered_in_the_type_of_the_labels, "wraps around"),
        ("leaked_images", copies_that_are_close, "nearly equal"),
    ],
)
def test_what_a_fourth_collection_slipped_past_is_found(exercise, candidate, said):
    assert said in diagnose(exercise, candidate).message
