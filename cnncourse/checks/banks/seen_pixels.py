"""``seen_pixels`` of lesson 03, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _side_and_jump(layers):
    side, jump = 1, 1
    for kernel_size, stride in layers:
        side += (kernel_size - 1) * jump
        jump *= stride
    return side, jump


def _seen_pixels(layers, place):
    side, jump = _side_and_jump(layers)
    return place * jump, place * jump + side - 1


def _seen_pixels_cases() -> Iterator[tuple]:
    for layers in [
        [],
        [(3, 1)],
        [(2, 2)],
        [(3, 2)],
        [(3, 1), (2, 2), (3, 1)],
        [(5, 3), (1, 1), (4, 2)],
        [(3, 2), (3, 3), (4, 1)],
        [(3, 2), (2, 3), (1, 2)],
    ]:
        for place in (0, 1, 3, 4):
            yield layers, place


BANK = Bank(
    "seen_pixels", "03", _seen_pixels, _seen_pixels_cases, Values(("first", "last"), kind="whole")
)
BANK.help(
    idea=(
        "A window begins at the number of its place times the stride, and ends a kernel less one "
        "further on."
    ),
    section="How deep does it see?",
    step=(
        "Go from the output to the input, layer by layer, and carry two numbers along: the first "
        "and the last place that are needed."
    ),
)


@BANK.mistake(
    "The field seems to begin at the pixel with the number of the place, whatever the strides. "
    "Neighboring places lie a jump apart, and each stride has multiplied it."
)
def strides_do_not_move_the_field(layers, place):
    return place, place + _side_and_jump(layers)[0] - 1


@BANK.mistake(
    "The fields of neighboring places seem to lie side by side, a whole field apart. They lie a "
    "jump apart and may overlap."
)
def fields_side_by_side(layers, place):
    side, _ = _side_and_jump(layers)
    return place * side, place * side + side - 1


@BANK.mistake(
    "The last pixel seems to be one too far: the first pixel and the side add up to the pixel "
    "behind the field, as in a slice."
)
def end_of_a_slice(layers, place):
    first, last = _seen_pixels(layers, place)
    return first, last + 1


@BANK.mistake(
    "The field seems to lie around its first pixel, with half of it on either side. Without "
    "padding the place 0 sees from pixel 0 on, and nothing lies before it."
)
def first_pixel_as_the_middle(layers, place):
    side, jump = _side_and_jump(layers)
    return place * jump - side // 2, place * jump - side // 2 + side - 1


@BANK.mistake(
    "The stride of the last layer seems to be left out of the jump. It does not widen the field, "
    "but it does move the place."
)
def last_stride_left_out(layers, place):
    side, jump = _side_and_jump(layers)
    jump = _side_and_jump(layers[:-1])[1] if layers else jump
    return place * jump, place * jump + side - 1


@BANK.mistake(
    "The strides seem to be added up. Steps of steps multiply: two strides of 2 lie four pixels "
    "apart."
)
def strides_added(layers, place):
    side, _ = _side_and_jump(layers)
    jump = sum(stride for _, stride in layers) or 1
    return place * jump, place * jump + side - 1


@BANK.mistake(
    "Only the last layer seems to count. Its window covers places of the map before it, and each "
    "of those sees pixels of its own."
)
def last_layer_alone(layers, place):
    return _seen_pixels(layers[-1:], place)


@BANK.mistake("The answer seems to be the first pixel and the side. Wanted is the last pixel.")
def first_and_side(layers, place):
    side, jump = _side_and_jump(layers)
    return place * jump, side


@BANK.mistake(
    "The layers seem to be taken in the wrong order, as if the list were turned round. It begins "
    "at the input: who carries a side and a jump begins with the first layer, and who goes back "
    "from a place of the output begins with the last."
)
def read_backwards(layers, place):
    return _seen_pixels(layers[::-1], place)


@BANK.mistake(
    "A stride seems to widen the window of its own layer. It spreads the places of the layers "
    "behind it: multiply the jump after the kernel has been added."
)
def stride_before_its_own_kernel(layers, place):
    side, jump = 1, 1
    for kernel_size, stride in layers:
        jump *= stride
        side += (kernel_size - 1) * jump
    return place * jump, place * jump + side - 1
