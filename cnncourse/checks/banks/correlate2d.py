"""``correlate2d`` of lesson 02, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnncourse.checks.engine import Bank


def _correlate2d(image, kernel):
    windows = sliding_window_view(np.asarray(image, float), kernel.shape)
    return np.tensordot(windows, kernel, axes=2)


def _correlate2d_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(3)
    yield np.array([[1.0, 2.0, 0.0], [3.0, 5.0, 1.0]]), np.array([[1.0, -2.0]])
    yield (
        np.array([[1.0, 2.0, 0.0], [3.0, 5.0, 1.0], [4.0, 0.0, 2.0]]),
        np.array([[1.0, 2.0], [3.0, -4.0]]),
    )
    yield (
        np.array([[2.0, 1.0, 0.0, 4.0, 1.0, 3.0, 5.0, 2.0, 2.0, 1.0]]),
        np.array([[1.0, 2.0, 3.0]]),
    )
    yield np.arange(10.0)[:, np.newaxis] ** 2, np.array([[2.0], [1.0]])
    yield np.array([[1.0, 4.0], [2.0, 7.0], [9.0, 8.0], [6.0, 5.0], [3.0, 0.0]]), np.array([[3.0]])
    yield rng.integers(100, 256, (4, 3), dtype=np.uint8), np.array([[1, 2], [3, 4]])
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    yield rng.integers(0, 256, (3, 4), dtype=np.uint8), sobel
    yield rng.integers(0, 256, (4, 5), dtype=np.uint8), np.full((2, 3), 1 / 6)
    yield rng.normal(size=(5, 4)), rng.normal(size=(2, 3))
    yield rng.normal(size=(4, 7)).astype(np.float32), rng.normal(size=(3, 2)).astype(np.float32)
    yield rng.normal(size=(8, 9)), rng.normal(size=(5, 5))


BANK = Bank(
    "correlate2d",
    "02",
    _correlate2d,
    _correlate2d_cases,
    axes={"image": "hw", "kernel": "yx", "answer": "hw"},
)
BANK.help(
    idea=(
        "Each answer is one number: the kernel lies on one patch, the pairs are multiplied, the "
        "products are summed."
    ),
    section="Slide it",
    step=(
        "How many rows can the kernel's top row start in? As many as the image has, less the "
        "kernel's, plus one. Fill an answer of that size, one patch at a time."
    ),
)


@BANK.mistake(
    "The kernel seems to be flipped upside down and left to right before it is laid on the image. "
    "That is a convolution in the sense of mathematics; wanted is a cross-correlation, which lays "
    "the kernel on as it is. Keras computes this one as well."
)
def kernel_flipped(image, kernel):
    return _correlate2d(image, kernel[::-1, ::-1])


@BANK.mistake(
    "The kernel seems to be flipped left to right. Wanted is the kernel as it is: its first column "
    "meets the first column of the patch."
)
def kernel_flipped_left_to_right(image, kernel):
    return _correlate2d(image, kernel[:, ::-1])


@BANK.mistake(
    "The kernel seems to be flipped upside down. Wanted is the kernel as it is: its first row "
    "meets the first row of the patch."
)
def kernel_flipped_upside_down(image, kernel):
    return _correlate2d(image, kernel[::-1])


@BANK.mistake(
    "The last row and the last column of the answer seem to be missing. How many places are there "
    "for a kernel of 2 on a line of 3 pixels? Count them, then look at where your loop ends."
)
def last_place_left_out(image, kernel):
    return _correlate2d(image, kernel)[:-1, :-1]


@BANK.mistake(
    "The answer seems to have its rows and columns exchanged. The first axis runs down the image, "
    "the second one across it."
)
def answer_transposed(image, kernel):
    return _correlate2d(image, kernel).T


@BANK.mistake(
    "The products seem to be averaged over the patch. Wanted is their sum: the kernel itself says "
    "how much each pixel counts."
)
def mean_of_the_products(image, kernel):
    return _correlate2d(image, kernel) / kernel.size


@BANK.mistake(
    "The patches seem not to overlap: the kernel jumps by its own size. Wanted is a step of one "
    "pixel."
)
def patches_side_by_side(image, kernel):
    return _correlate2d(image, kernel)[:: kernel.shape[0], :: kernel.shape[1]]


@BANK.mistake(
    "The answer seems to be cut to the range of pixels, 0 to 255. An answer may be negative or "
    "larger: it says how well the patch fits, it is no picture yet."
)
def cut_to_0_and_255(image, kernel):
    return np.clip(_correlate2d(image, kernel), 0, 255)


@BANK.mistake(
    "The kernel seems to be transposed: what stands in its first row meets the first column of "
    "the patch."
)
def kernel_transposed(image, kernel):
    if kernel.shape[0] == kernel.shape[1]:
        return _correlate2d(image, kernel.T)
    return _correlate2d(image, kernel.T.reshape(kernel.shape))


@BANK.mistake(
    "The image seems to be padded with zeros, so that the answer is as large as the image. Wanted "
    'is "valid": only places at which the kernel lies wholly on the image.'
)
def padded_to_the_same_size(image, kernel):
    pads = [((k - 1) // 2, k // 2) for k in kernel.shape]
    return _correlate2d(np.pad(image, pads), kernel)


@BANK.mistake(
    "The kernel seems to be laid on wherever it touches the image at all, with zeros outside. "
    'Wanted is "valid": only places at which it lies wholly on the image.'
)
def laid_on_wherever_it_touches(image, kernel):
    return _correlate2d(np.pad(image, [(k - 1, k - 1) for k in kernel.shape]), kernel)


@BANK.mistake(
    "The answer seems to have the type of the image. An image of whole numbers (uint8) holds "
    "neither fractions nor negative numbers, nor any above 255: they are cut or wrap around."
)
def answer_in_the_type_of_the_image(image, kernel):
    answer = _correlate2d(image, kernel)
    return answer.astype(np.int64).astype(np.uint8) if image.dtype == np.uint8 else answer


@BANK.mistake(
    "Half a kernel, rounded down, seems to be left off on both sides. That fits an odd kernel; an "
    "even one has a place more. Count where its first pixel may lie: size - kernel + 1."
)
def half_a_kernel_off_each_side(image, kernel):
    rows, columns = (
        size - 2 * (side // 2) for size, side in zip(image.shape, kernel.shape, strict=True)
    )
    return _correlate2d(image, kernel)[:rows, :columns]


@BANK.mistake(
    "The kernel seems to be centred on each pixel, with zeros outside of the image, and of that as "
    "much kept from the first corner on as is wanted. The places at which a centred kernel lies "
    "wholly on the image begin half a kernel further in."
)
def centred_but_cut_at_the_corner(image, kernel):
    rows, columns = _correlate2d(image, kernel).shape
    pads = [(side // 2, (side - 1) // 2) for side in kernel.shape]
    return _correlate2d(np.pad(image, pads), kernel)[:rows, :columns]
