"""``head_outputs`` of lesson 09, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _head_outputs(input_size, halvings, num_classes):
    side = -(-input_size // 2**halvings)
    return side * side * num_classes


def _head_cases() -> Iterator[tuple]:
    yield 4, 1, 3
    yield 5, 1, 2
    yield 7, 2, 1
    yield 3, 0, 5
    yield 28, 6, 10
    yield 64, 6, 10
    yield 65, 6, 10
    yield 96, 6, 7
    yield 130, 6, 7
    yield 224, 5, 1000
    yield 1, 3, 4


BANK = Bank("head_outputs", "09", _head_outputs, _head_cases, Values(kind="whole"))
BANK.help(
    idea=(
        "Each layer with a stride of 2 keeps every second place, the first one always: half a "
        "side, rounded up."
    ),
    section="Flatten, met at the wrong size",
    step=(
        "Halve the side and round up, once for each layer. The last map has side times side "
        "places; Flatten keeps every number of every place."
    ),
)


@BANK.mistake(
    "Half of an odd side seems to be rounded down. A `same` layer with stride 2 rounds up: the "
    "window that reaches over the edge counts."
)
def rounded_down(input_size, halvings, num_classes):
    for _ in range(halvings):
        input_size = max(input_size // 2, 1)
    return input_size**2 * num_classes


@BANK.mistake(
    "Half of an odd side seems to be rounded down, at each layer or once at the end, so that a "
    "small image has a side of 0. A `same` layer with stride 2 rounds up and never gets below 1."
)
def divided_and_cut(input_size, halvings, num_classes):
    return (input_size // 2**halvings) ** 2 * num_classes


@BANK.mistake("The map seems to be counted along one side only. It has rows and columns.")
def one_side(input_size, halvings, num_classes):
    return -(-input_size // 2**halvings) * num_classes


@BANK.mistake(
    "This counts the places of the last map. Each place holds one number for every channel, and "
    "the last map has as many channels as there are classes."
)
def places_only(input_size, halvings, num_classes):
    return (-(-input_size // 2**halvings)) ** 2


@BANK.mistake(
    "This gives one output for each class whatever the size of the map. That is what a global "
    "average does; Flatten keeps every place."
)
def as_many_as_classes(input_size, halvings, num_classes):
    return num_classes


@BANK.mistake(
    "The side seems to be divided by twice the number of layers. Each layer halves what the one "
    "before left: two layers make a quarter."
)
def divided_by_twice_the_layers(input_size, halvings, num_classes):
    return (-(-input_size // max(2 * halvings, 1))) ** 2 * num_classes


@BANK.mistake("It looks as if one halving were missing: the side is twice what is wanted.")
def one_halving_short(input_size, halvings, num_classes):
    return _head_outputs(input_size, max(halvings - 1, 0), num_classes)


@BANK.mistake(
    "The side seems to be halved without rounding, and only the end result made whole. There is "
    "no half row: each layer rounds its own side up."
)
def rounded_at_the_very_end(input_size, halvings, num_classes):
    return round((input_size / 2**halvings) ** 2 * num_classes)


@BANK.mistake(
    "The number of places seems to be quartered and rounded up, layer by layer. It is the side "
    "that is halved and rounded up: 5 × 5 places become 3 × 3, and not 7."
)
def places_quartered(input_size, halvings, num_classes):
    places = input_size**2
    for _ in range(halvings):
        places = -(-places // 4)
    return places * num_classes


@BANK.mistake(
    "The side seems to be rounded to the nearest whole number (`round` makes 2 of 2.5), at each "
    "layer or once at the end. A `same` layer with stride 2 rounds every half up, so that any rest "
    "becomes a place of its own."
)
def half_to_even(input_size, halvings, num_classes):
    for _ in range(halvings):
        input_size = max(round(input_size / 2), 1)
    return input_size**2 * num_classes


@BANK.mistake(
    "The side seems to be rounded to the nearest whole number (`round` makes 2 of 2.5), at each "
    "layer or once at the end, so that a small image has a side of 0. A `same` layer with stride 2 "
    "rounds every half up and never gets below 1."
)
def half_to_even_down_to_0(input_size, halvings, num_classes):
    for _ in range(halvings):
        input_size = round(input_size / 2)
    return input_size**2 * num_classes
