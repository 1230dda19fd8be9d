"""``same_padding`` of lesson 09, and the mistakes that people make in it."""

from __future__ import annotations

import math

from cnncourse import ops
from cnncourse.checks.banks._lines import line_cases
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _total_padding(size, kernel_size, stride):
    return (math.ceil(size / stride) - 1) * stride + kernel_size - size


def _split(total):
    return total // 2, total - total // 2


BANK = Bank(
    "same_padding", "09", ops.same_padding, line_cases, Values(("before", "after"), kind="whole")
)
BANK.help(
    idea=(
        "Padding is what the last window lacks: where does the last window start, and where "
        "does it end?"
    ),
    section="A stride of 2 keeps every second place",
    step=(
        "Count the windows (size over stride, rounded up). The last one starts at (windows - 1) "
        "times the stride. What it reaches beyond the image is the total; share it, the larger "
        "half behind."
    ),
)


@BANK.mistake(
    "The stride seems to play no part. With a larger stride the last window may end before the "
    "image does, or need fewer pixels beyond it; count from where that window starts."
)
def stride_ignored(size, kernel_size, stride):
    return _split(kernel_size - 1)


@BANK.mistake(
    "When the number of pixels is odd, the one left over seems to go before the image. In "
    "TensorFlow's rule it goes after."
)
def odd_pixel_before(size, kernel_size, stride):
    return ops.same_padding(size, kernel_size, stride)[::-1]


@BANK.mistake(
    "Both sides seem to get half the kernel, rounded down. That is how PyTorch's layers are often "
    "padded; TensorFlow adds only what the windows need, and not always alike on both sides."
)
def half_a_kernel_on_both_sides(size, kernel_size, stride):
    return (kernel_size // 2, kernel_size // 2)


@BANK.mistake(
    "Both sides seem to get (kernel_size - 1) // 2. With an even kernel one pixel is lost then, "
    "and the stride plays no part."
)
def half_of_kernel_less_one(size, kernel_size, stride):
    return ((kernel_size - 1) // 2,) * 2


@BANK.mistake(
    "A negative padding came out. When the stride is larger than the kernel, pixels are skipped "
    "and nothing has to be added; less than nothing cannot be."
)
def negative_padding(size, kernel_size, stride):
    return _split(_total_padding(size, kernel_size, stride))


@BANK.mistake("All of the padding seems to go after the image. It is shared between both sides.")
def all_of_it_after(size, kernel_size, stride):
    return (0, sum(ops.same_padding(size, kernel_size, stride)))


@BANK.mistake("The pixels that are needed in all seem to be added on each side. They are shared.")
def all_of_it_on_both_sides(size, kernel_size, stride):
    return (sum(ops.same_padding(size, kernel_size, stride)),) * 2


@BANK.mistake(
    "The two sides seem to get the same number, so that an odd pixel is lost and the last window "
    "does not fit."
)
def odd_pixel_lost(size, kernel_size, stride):
    return (ops.same_padding(size, kernel_size, stride)[0],) * 2


@BANK.mistake(
    'The windows seem to be counted with size // stride, rounded down. Under "same" a last window '
    "that starts inside the image counts, even when it hangs over the edge."
)
def windows_rounded_down(size, kernel_size, stride):
    return _split(max((size // stride - 1) * stride + kernel_size - size, 0))


@BANK.mistake(
    "The windows seem to be counted with size / stride, rounded to the nearest whole number. Under "
    '"same" a last window that starts inside the image counts, however far it hangs over the edge.'
)
def windows_rounded_to_the_nearest(size, kernel_size, stride):
    return _split(max((round(size / stride) - 1) * stride + kernel_size - size, 0))
