"""Exercises of lesson 02: convolution.

Each wrong implementation is a mistake that people make, with the hint that answers it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnncourse import ops
from cnncourse.checks.engine import Exercise
from cnncourse.checks.forms import Values


def _correlate2d(image, kernel):
    windows = sliding_window_view(np.asarray(image, float), kernel.shape)
    return np.tensordot(windows, kernel, axes=2)


def _correlate2d_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(3)
    yield np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])
    yield np.array([[1.0, 2.0, 4.0]]), np.array([[1.0, -1.0]])
    yield np.array([[1.0], [2.0], [5.0]]), np.array([[2.0], [1.0]])
    yield np.array([[1.0, 4.0], [2.0, 7.0]]), np.array([[3.0]])
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    yield rng.integers(0, 256, (3, 4), dtype=np.uint8), sobel
    yield rng.integers(0, 256, (4, 5), dtype=np.uint8), np.full((2, 3), 1 / 6)
    yield rng.normal(size=(5, 4)), rng.normal(size=(2, 3))
    yield rng.normal(size=(4, 7)).astype(np.float32), rng.normal(size=(3, 2)).astype(np.float32)
    yield rng.normal(size=(8, 9)), rng.normal(size=(5, 5))


CORRELATE2D = Exercise("correlate2d", _correlate2d, _correlate2d_cases)

CORRELATE2D.misconception(
    "The kernel seems to be flipped upside down and left to right before it is laid on the image. "
    "That is a convolution in the sense of mathematics; wanted is a cross-correlation, which lays "
    "the kernel on as it is. Keras computes this one as well.",
    name="kernel_flipped",
)(lambda image, kernel: _correlate2d(image, kernel[::-1, ::-1]))

CORRELATE2D.misconception(
    "The kernel seems to be flipped left to right. Wanted is the kernel as it is: its first column "
    "meets the first column of the patch.",
    name="kernel_flipped_left_to_right",
)(lambda image, kernel: _correlate2d(image, kernel[:, ::-1]))

CORRELATE2D.misconception(
    "The kernel seems to be flipped upside down. Wanted is the kernel as it is: its first row "
    "meets the first row of the patch.",
    name="kernel_flipped_upside_down",
)(lambda image, kernel: _correlate2d(image, kernel[::-1]))

CORRELATE2D.misconception(
    "The last row and the last column of the answer seem to be missing. How many places are there "
    "for a kernel of 2 on a line of 3 pixels? Count them, then look at where your loop ends.",
    name="last_place_left_out",
)(lambda image, kernel: _correlate2d(image, kernel)[:-1, :-1])

CORRELATE2D.misconception(
    "The answer seems to have its rows and columns exchanged. The first axis runs down the image, "
    "the second one across it.",
    name="answer_transposed",
)(lambda image, kernel: _correlate2d(image, kernel).T)

CORRELATE2D.misconception(
    "The products seem to be averaged over the patch. Wanted is their sum: the kernel itself says "
    "how much each pixel counts.",
    name="mean_of_the_products",
)(lambda image, kernel: _correlate2d(image, kernel) / kernel.size)

CORRELATE2D.misconception(
    "The patches seem not to overlap: the kernel jumps by its own size. Wanted is a step of one "
    "pixel.",
    name="patches_side_by_side",
)(lambda image, kernel: _correlate2d(image, kernel)[:: kernel.shape[0], :: kernel.shape[1]])

CORRELATE2D.misconception(
    "The answer seems to be cut to the range of pixels, 0 to 255. An answer may be negative or "
    "larger: it says how well the patch fits, it is no picture yet.",
    name="cut_to_0_and_255",
)(lambda image, kernel: np.clip(_correlate2d(image, kernel), 0, 255))


@CORRELATE2D.misconception(
    "The kernel seems to be transposed: what stands in its first row meets the first column of "
    "the patch."
)
def kernel_transposed(image, kernel):
    if kernel.shape[0] == kernel.shape[1]:
        return _correlate2d(image, kernel.T)
    return _correlate2d(image, kernel.T.reshape(kernel.shape))


@CORRELATE2D.misconception(
    "The image seems to be padded with zeros, so that the answer is as large as the image. Wanted "
    'is "valid": only places at which the kernel lies wholly on the image.'
)
def padded_to_the_same_size(image, kernel):
    pads = [((k - 1) // 2, k // 2) for k in kernel.shape]
    return _correlate2d(np.pad(image, pads), kernel)


@CORRELATE2D.misconception(
    "The kernel seems to be laid on wherever it touches the image at all, with zeros outside. "
    'Wanted is "valid": only places at which it lies wholly on the image.'
)
def laid_on_wherever_it_touches(image, kernel):
    return _correlate2d(np.pad(image, [(k - 1, k - 1) for k in kernel.shape]), kernel)


@CORRELATE2D.misconception(
    "The answer seems to have the type of the image. An image of whole numbers (uint8) holds "
    "neither fractions nor negative numbers, nor any above 255: they are cut or wrap around."
)
def answer_in_the_type_of_the_image(image, kernel):
    answer = _correlate2d(image, kernel)
    return answer.astype(np.int64).astype(np.uint8) if image.dtype == np.uint8 else answer


def _total_padding(size, kernel_size, stride):
    return (math.ceil(size / stride) - 1) * stride + kernel_size - size


def _split(total):
    return total // 2, total - total // 2


def _line_cases() -> Iterator[tuple[int, int, int]]:
    for size in (1, 2, 3, 4, 5, 7, 8, 28):
        for kernel_size in (1, 2, 3, 4, 5, 7):
            for stride in (1, 2, 3, 5):
                yield size, kernel_size, stride


SAME_PADDING = Exercise(
    "same_padding", ops.same_padding, _line_cases, Values(("before", "after"), kind="whole")
)

SAME_PADDING.misconception(
    "The stride seems to play no part. With a larger stride the last window may end before the "
    "image does, or need fewer pixels beyond it; count from where that window starts.",
    name="stride_ignored",
)(lambda size, kernel_size, stride: _split(kernel_size - 1))

SAME_PADDING.misconception(
    "When the number of pixels is odd, the one left over seems to go before the image. In "
    "TensorFlow's rule it goes after.",
    name="odd_pixel_before",
)(lambda size, kernel_size, stride: ops.same_padding(size, kernel_size, stride)[::-1])

SAME_PADDING.misconception(
    "Both sides seem to get half the kernel, rounded down. That is how PyTorch's layers are often "
    "padded; TensorFlow adds only what the windows need, and not always alike on both sides.",
    name="half_a_kernel_on_both_sides",
)(lambda size, kernel_size, stride: (kernel_size // 2, kernel_size // 2))

SAME_PADDING.misconception(
    "Both sides seem to get (kernel_size - 1) // 2. With an even kernel one pixel is lost then, "
    "and the stride plays no part.",
    name="half_of_kernel_less_one",
)(lambda size, kernel_size, stride: ((kernel_size - 1) // 2,) * 2)

SAME_PADDING.misconception(
    "A negative padding came out. When the stride is larger than the kernel, pixels are skipped "
    "and nothing has to be added; less than nothing cannot be.",
    name="negative_padding",
)(lambda size, kernel_size, stride: _split(_total_padding(size, kernel_size, stride)))

SAME_PADDING.misconception(
    "All of the padding seems to go after the image. It is shared between both sides.",
    name="all_of_it_after",
)(lambda size, kernel_size, stride: (0, sum(ops.same_padding(size, kernel_size, stride))))

SAME_PADDING.misconception(
    "The pixels that are needed in all seem to be added on each side. They are shared.",
    name="all_of_it_on_both_sides",
)(lambda size, kernel_size, stride: (sum(ops.same_padding(size, kernel_size, stride)),) * 2)

SAME_PADDING.misconception(
    "The two sides seem to get the same number, so that an odd pixel is lost and the last window "
    "does not fit.",
    name="odd_pixel_lost",
)(lambda size, kernel_size, stride: (ops.same_padding(size, kernel_size, stride)[0],) * 2)


@SAME_PADDING.misconception(
    'The windows seem to be counted with size // stride, rounded down. Under "same" a last window '
    "that starts inside the image counts, even when it hangs over the edge."
)
def windows_rounded_down(size, kernel_size, stride):
    return _split(max((size // stride - 1) * stride + kernel_size - size, 0))


def _output_size_cases() -> Iterator[tuple[int, int, int, str]]:
    for size, kernel_size, stride in _line_cases():
        yield size, kernel_size, stride, "same"
        if kernel_size <= size:
            yield size, kernel_size, stride, "valid"


OUTPUT_SIZE = Exercise("output_size", ops.output_size, _output_size_cases, Values(kind="whole"))


def _wrong_size(name, hint, *, valid=None, same=None):
    """A wrong rule for one of the paddings, or for both; the other stays right."""

    def answer(size, kernel_size, stride, padding):
        rule = {"valid": valid, "same": same}[padding]
        right = ops.output_size(size, kernel_size, stride, padding)
        return right if rule is None else rule(size, kernel_size, stride)

    OUTPUT_SIZE.misconception(hint, name=name)(answer)


_wrong_size(
    "first_window_not_counted",
    'Under "valid" one place seems to be missing: the steps that the window takes are counted, '
    "but not the place at which it starts.",
    valid=lambda size, kernel_size, stride: (size - kernel_size) // stride,
)
_wrong_size(
    "same_rounded_down",
    'Under "same" the length seems to be divided by the stride and rounded down. A window that '
    "starts inside the image counts even when it hangs over the edge.",
    same=lambda size, kernel_size, stride: size // stride,
)
_wrong_size(
    "same_ignores_the_stride",
    'Under "same" the answer seems to be as long as the image whatever the stride. The name is '
    "true for stride 1 only.",
    same=lambda size, kernel_size, stride: size,
)
_wrong_size(
    "valid_ignores_the_stride",
    'Under "valid" the stride seems to play no part: every place is counted, also those that the '
    "window jumps over.",
    valid=lambda size, kernel_size, stride: size - kernel_size + 1,
)
_wrong_size(
    "stride_ignored",
    "The stride seems to play no part, under neither padding: every place is counted, also those "
    "that the window jumps over.",
    valid=lambda size, kernel_size, stride: size - kernel_size + 1,
    same=lambda size, kernel_size, stride: size,
)
_wrong_size(
    "valid_rounded_up",
    'Under "valid" a last window that does not fit seems to be counted. There it is dropped.',
    valid=lambda size, kernel_size, stride: math.ceil((size - kernel_size) / stride) + 1,
)
_wrong_size(
    "valid_not_rounded",
    'Under "valid" a fraction came out. A window that fits in part is no window.',
    valid=lambda size, kernel_size, stride: (size - kernel_size) / stride + 1,
)
_wrong_size(
    "kernel_ignored",
    'Under "valid" the kernel\'s size seems to play no part. Near the end of the line a window '
    "that starts there no longer fits.",
    valid=lambda size, kernel_size, stride: math.ceil(size / stride),
)
_wrong_size(
    "half_a_kernel_padded_on_both_sides",
    'Under "same" half a kernel, rounded down, seems to be padded on both sides. With an even '
    "kernel that is one pixel too many.",
    same=lambda size, kernel_size, stride: (
        (size + 2 * (kernel_size // 2) - kernel_size) // stride + 1
    ),
)
_wrong_size(
    "same_treated_as_valid",
    '"same" seems to be treated like "valid". Under "same" the image is padded first.',
    same=lambda size, kernel_size, stride: (size - kernel_size) // stride + 1,
)


def _conv2d(inputs, kernel, bias):
    return ops.conv2d(np.asarray(inputs, float), kernel, bias)


def _conv2d_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(4)
    plain = np.array([[1.0, 2.0], [3.0, 5.0]])
    yield (
        plain.reshape(1, 2, 2, 1),
        np.array([1.0, 2.0, 4.0, -3.0]).reshape(2, 2, 1, 1),
        np.array([1.0]),
    )
    yield (
        np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 2, 2),
        np.array([1.0, -5.0]).reshape(1, 1, 2, 1),
        np.array([2.0]),
    )
    for shape, kernel_shape in [
        ((1, 3, 3, 2), (2, 2, 2, 1)),
        ((2, 3, 4, 1), (2, 3, 1, 2)),
        ((2, 4, 4, 3), (3, 3, 3, 3)),
        ((2, 5, 4, 3), (3, 2, 3, 4)),
    ]:
        yield (
            rng.normal(size=shape),
            rng.normal(size=kernel_shape),
            rng.normal(size=kernel_shape[3]),
        )
    yield (
        rng.integers(0, 256, (2, 4, 5, 3), dtype=np.uint8),
        rng.normal(size=(2, 2, 3, 2)).astype(np.float32),
        rng.normal(size=2).astype(np.float32),
    )


CONV2D = Exercise("conv2d", _conv2d, _conv2d_cases)

CONV2D.misconception(
    "The bias seems to be missing: every answer is off by the same number for its filter.",
    name="bias_forgotten",
)(lambda inputs, kernel, bias: _conv2d(inputs, kernel, 0 * bias))

CONV2D.misconception(
    "The bias seems to be added once for each input channel. Wanted is once for each filter, after "
    "the channels have been added up.",
    name="bias_for_each_channel",
)(lambda inputs, kernel, bias: _conv2d(inputs, kernel, bias * kernel.shape[2]))

CONV2D.misconception(
    "The bias seems to be added once for each pixel under the kernel. Wanted is once for each "
    "answer.",
    name="bias_for_each_pixel",
)(lambda inputs, kernel, bias: _conv2d(inputs, kernel, bias * kernel[:, :, 0, 0].size))

CONV2D.misconception(
    "The bias seems to be taken off where it was to be added.",
    name="bias_subtracted",
)(lambda inputs, kernel, bias: _conv2d(inputs, kernel, -bias))

CONV2D.misconception(
    "The kernel seems to be flipped: that is a convolution in the sense of mathematics. Keras "
    "computes a cross-correlation, with the kernel as it is.",
    name="kernel_flipped",
)(lambda inputs, kernel, bias: _conv2d(inputs, kernel[::-1, ::-1], bias))

CONV2D.misconception(
    "Only the first input channel seems to count. One filter looks at all of them.",
    name="first_channel_only",
)(lambda inputs, kernel, bias: _conv2d(inputs[..., :1], kernel[:, :, :1], bias))

CONV2D.misconception(
    "The input channels seem to be averaged. Wanted is their sum.",
    name="mean_over_channels",
)(lambda inputs, kernel, bias: _conv2d(inputs, kernel / kernel.shape[2], bias))

CONV2D.misconception(
    "Every input channel seems to meet the weights of the first one. A filter has weights of its "
    "own for each channel.",
    name="one_set_of_weights_for_all_channels",
)(
    lambda inputs, kernel, bias: _conv2d(
        inputs, np.repeat(kernel[:, :, :1], kernel.shape[2], 2), bias
    )
)

CONV2D.misconception(
    "Negative answers seem to be replaced by 0. That is the ReLU, a layer of its own.",
    name="relu_included",
)(lambda inputs, kernel, bias: np.maximum(_conv2d(inputs, kernel, bias), 0))

CONV2D.misconception(
    "Only the first image of the batch seems to be answered.",
    name="first_image_only",
)(lambda inputs, kernel, bias: _conv2d(inputs[:1], kernel, bias))

CONV2D.misconception(
    "The channels seem to come before the filters' places: the answer has its axes in the order "
    "(batch, channels, height, width). Here the channels come last.",
    name="channels_first",
)(lambda inputs, kernel, bias: _conv2d(inputs, kernel, bias).transpose(0, 3, 1, 2))


@CONV2D.misconception(
    "Patch and kernel seem to be flattened in different orders: one has the channels last, the "
    "other one first. So weights meet pixels that are not theirs."
)
def flattened_in_different_orders(inputs, kernel, bias):
    rows = kernel.transpose(2, 0, 1, 3).reshape(kernel.shape)
    return _conv2d(inputs, rows, bias)


@CONV2D.misconception(
    "The images seem to be padded with zeros, so that the answer is as large as they are. Wanted "
    'is "valid": no padding.'
)
def images_padded(inputs, kernel, bias):
    pads = [(0, 0), *(((k - 1) // 2, k // 2) for k in kernel.shape[:2]), (0, 0)]
    return _conv2d(np.pad(inputs, pads), kernel, bias)


EXERCISES = (CORRELATE2D, SAME_PADDING, OUTPUT_SIZE, CONV2D)
