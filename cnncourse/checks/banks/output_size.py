"""``output_size`` of lesson 02, and the mistakes that people make in it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from cnncourse import ops
from cnncourse.checks.banks._lines import line_cases
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _output_size_cases() -> Iterator[tuple[int, int, int, str]]:
    for size, kernel_size, stride in line_cases():
        yield size, kernel_size, stride, "same"
        if kernel_size <= size:
            yield size, kernel_size, stride, "valid"


BANK = Bank("output_size", "02", ops.output_size, _output_size_cases, Values(kind="whole"))
BANK.help(
    idea=("Count the places at which a window may start."),
    section="Padding: what happens at the edge",
    step=(
        'For "valid", the last start is size less kernel size: how many strides fit in there, '
        'and which start is not counted by that? For "same", every stride-th pixel is a start, '
        "whatever the kernel."
    ),
)


def _with_rules(*, valid=None, same=None):
    """A wrong rule for one of the paddings, or for both; the other stays right."""

    def answer(size, kernel_size, stride, padding):
        rule = {"valid": valid, "same": same}[padding]
        right = ops.output_size(size, kernel_size, stride, padding)
        return right if rule is None else rule(size, kernel_size, stride)

    return answer


BANK.mistake(
    'Under "valid" one place seems to be missing: the steps that the window takes are counted, '
    "but not the place at which it starts.",
    name="first_window_not_counted",
)(_with_rules(valid=lambda size, kernel_size, stride: (size - kernel_size) // stride))


BANK.mistake(
    'Under "same" the length seems to be divided by the stride and rounded down. A window that '
    "starts inside the image counts even when it hangs over the edge.",
    name="same_rounded_down",
)(_with_rules(same=lambda size, kernel_size, stride: size // stride))


BANK.mistake(
    'Under "same" the answer seems to be as long as the image whatever the stride. The name is '
    "true for stride 1 only.",
    name="same_ignores_the_stride",
)(_with_rules(same=lambda size, kernel_size, stride: size))


BANK.mistake(
    'Under "valid" the stride seems to play no part: every place is counted, also those that the '
    "window jumps over.",
    name="valid_ignores_the_stride",
)(_with_rules(valid=lambda size, kernel_size, stride: size - kernel_size + 1))


BANK.mistake(
    "The stride seems to play no part, under neither padding: every place is counted, also those "
    "that the window jumps over.",
    name="stride_ignored",
)(
    _with_rules(
        valid=lambda size, kernel_size, stride: size - kernel_size + 1,
        same=lambda size, kernel_size, stride: size,
    )
)


BANK.mistake(
    'Under "valid" a last window that does not fit seems to be counted. There it is dropped.',
    name="valid_rounded_up",
)(_with_rules(valid=lambda size, kernel_size, stride: math.ceil((size - kernel_size) / stride) + 1))


BANK.mistake(
    'Under "valid" a fraction came out. A window that fits in part is no window.',
    name="valid_not_rounded",
)(_with_rules(valid=lambda size, kernel_size, stride: (size - kernel_size) / stride + 1))


BANK.mistake(
    'Under "valid" the kernel\'s size seems to play no part. Near the end of the line a window '
    "that starts there no longer fits.",
    name="kernel_ignored",
)(_with_rules(valid=lambda size, kernel_size, stride: math.ceil(size / stride)))


BANK.mistake(
    'Under "same" half a kernel, rounded down, seems to be padded on both sides. With an even '
    "kernel that is one pixel too many.",
    name="half_a_kernel_padded_on_both_sides",
)(
    _with_rules(
        same=lambda size, kernel_size, stride: (
            (size + 2 * (kernel_size // 2) - kernel_size) // stride + 1
        )
    )
)


BANK.mistake(
    '"same" seems to be treated like "valid". Under "same" the image is padded first.',
    name="same_treated_as_valid",
)(_with_rules(same=lambda size, kernel_size, stride: (size - kernel_size) // stride + 1))


BANK.mistake(
    'Under "same" the length divided by the stride seems to be rounded to the nearest whole '
    "number. A window that starts inside the image counts, however far it hangs over the edge.",
    name="same_rounded_to_the_nearest",
)(_with_rules(same=lambda size, kernel_size, stride: round(size / stride)))
