"""``receptive_field`` of lesson 08, and the mistakes that people make in it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _receptive_field(layers):
    side, jump = 1, 1
    for kernel_size, stride in layers:
        side += (kernel_size - 1) * jump
        jump *= stride
    return side


def _receptive_field_cases() -> Iterator[tuple]:
    for layers in [
        [],
        [(1, 1)],
        [(3, 1)],
        [(2, 2)],
        [(3, 1), (3, 1)],
        [(3, 2), (3, 1)],
        [(3, 1), (3, 2), (3, 1)],
        [(2, 2), (2, 2), (2, 2)],
        [(5, 3), (1, 1), (4, 2)],
        [(3, 2), (3, 3), (4, 1), (2, 5)],
        [(7, 1), (7, 1), (2, 2), (5, 1), (5, 1), (2, 2), (3, 1)],
        [(5, 1), (5, 2), (5, 1), (5, 2), (3, 1), (3, 2), (1, 1), (3, 2)],
    ]:
        yield (layers,)


BANK = Bank("receptive_field", "08", _receptive_field, _receptive_field_cases, Values(kind="whole"))
BANK.help(
    idea=(
        "Two neighbours of a map may look at pixels that lie far apart. Keep count of that "
        "distance."
    ),
    section="Block 2: the field passes the image",
    step=(
        "Carry two numbers through the layers: the side seen so far (at first 1) and the "
        "distance of neighbouring places in pixels (at first 1). A kernel adds its other places "
        "times the distance; a stride multiplies the distance for all layers behind it."
    ),
)


@BANK.mistake(
    "The strides seem to play no part. After a layer with stride 2, two neighbours of the map are "
    "two pixels apart, so the next kernel reaches farther."
)
def stride_forgotten(layers):
    return 1 + sum(kernel_size - 1 for kernel_size, _ in layers)


@BANK.mistake(
    "The sizes of the kernels seem to be added. Two kernels of 3 in a row see 5 pixels, not 6: "
    "neighbouring windows overlap."
)
def sizes_added(layers):
    return sum(kernel_size for kernel_size, _ in layers) or 1


@BANK.mistake(
    "The sizes of the kernels seem to be multiplied. That holds only for windows that do not "
    "overlap."
)
def sizes_multiplied(layers):
    return math.prod(kernel_size for kernel_size, _ in layers)


@BANK.mistake(
    "Only the largest kernel seems to count. A kernel looks at a map, and each place of the map "
    "already sees several pixels."
)
def largest_kernel(layers):
    return max([kernel_size for kernel_size, _ in layers], default=1)


@BANK.mistake(
    "The layers seem to be read from the output on. The list begins at the input, and a stride "
    "changes what comes after it."
)
def read_backwards(layers):
    return _receptive_field(layers[::-1])


@BANK.mistake("The answer seems to be an area. Wanted is the side, in pixels.")
def area(layers):
    return _receptive_field(layers) ** 2


@BANK.mistake(
    "The count seems to start at 0, so that one pixel is missing. With no layer at all, one output "
    "is one pixel."
)
def starts_at_0(layers):
    return _receptive_field(layers) - 1


@BANK.mistake(
    "The strides seem to be added up. Pixels that are two apart, taken every second time, are four "
    "apart: steps of steps."
)
def strides_added(layers):
    side, jump = 1, 1
    for kernel_size, stride in layers:
        side += (kernel_size - 1) * jump
        jump += stride - 1
    return side


@BANK.mistake(
    "Only the stride of the layer just before seems to count. All the strides before it have "
    "spread the pixels already."
)
def last_stride_only(layers):
    side, jump = 1, 1
    for kernel_size, stride in layers:
        side += (kernel_size - 1) * jump
        jump = stride
    return side


@BANK.mistake(
    "A layer's own stride seems to spread its own kernel. The stride says how far the kernel moves "
    "afterwards; only the layers behind it feel that."
)
def own_stride_counted(layers):
    side, jump = 1, 1
    for kernel_size, stride in layers:
        jump *= stride
        side += (kernel_size - 1) * jump
    return side


@BANK.mistake(
    "The whole side reached so far seems to be multiplied by the stride. The stride spreads the "
    "steps between places, not what one place has already seen."
)
def side_multiplied(layers):
    side = 1
    for kernel_size, stride in layers:
        side = (side + kernel_size - 1) * stride
    return side


@BANK.mistake(
    "An even kernel seems to count as one pixel larger: it reaches half its size to both sides. A "
    "kernel of 2 sees 2 pixels."
)
def even_kernels_as_odd(layers):
    return _receptive_field([(2 * (size // 2) + 1, stride) for size, stride in layers])
