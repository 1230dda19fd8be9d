"""``split_indices`` of lesson 10, and the mistakes that people make in it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import numpy as np

from cnncourse.checks.banks._inspect_split import inspect_split
from cnncourse.checks.draws import Draws
from cnncourse.checks.engine import Bank


def _split_indices(count, validation_fraction, seed):
    order = np.random.default_rng(seed).permutation(count)
    held_out = round(count * validation_fraction)
    return order[held_out:], order[:held_out]


def _split_cases() -> Iterator[tuple]:
    yield 4, 0.1, 3  # nothing is held out
    yield 6, 0.5, 0
    yield 7, 0.5, 1  # 3.5 becomes 4
    yield 9, 0.5, 2  # 4.5 becomes 4
    yield 10, 0.3, 5
    yield 11, 0.4, 4
    yield 13, 0.6, 7
    yield 40, 0.2, 9
    yield 100, 0.29, 11  # 28.999999999999996
    yield 600, 0.15, 2


BANK = Bank(
    "split_indices",
    "10",
    _split_indices,
    _split_cases,
    Draws(inspect_split, ("train", "validation"), "integers"),
)
BANK.help(
    idea=("Shuffle once, cut once."),
    section="Split first",
    step=(
        "Make a generator from the seed that belongs to this call alone, let it shuffle the "
        "numbers from 0 on, and cut the result at the length of one part, counted from the "
        "front."
    ),
)


def _shuffled(count, seed):
    return np.random.default_rng(seed).permutation(count)


@BANK.mistake(
    "Nothing seems to be shuffled: the parts are cut as the images lie. Where images are sorted by "
    "class, the validation part would then hold classes that training has never seen."
)
def not_shuffled(count, validation_fraction, seed):
    held_out = round(count * validation_fraction)
    return np.arange(held_out, count), np.arange(held_out)


@BANK.mistake(
    "The validation part is drawn, but the training part stands in ascending order: what is left "
    "over came back sorted. Both parts are wanted in random order."
)
def training_part_sorted(count, validation_fraction, seed):
    train, validation = _split_indices(count, validation_fraction, seed)
    return np.sort(train), validation


@BANK.mistake(
    "The right number of images is drawn, but both parts come back in ascending order. Wanted is "
    "random order in both."
)
def both_parts_sorted(count, validation_fraction, seed):
    train, validation = _split_indices(count, validation_fraction, seed)
    return np.sort(train), np.sort(validation)


def _with_length(count, held_out, seed):
    order = _shuffled(count, seed)
    return order[held_out:], order[:held_out]


@BANK.mistake(
    "The number of held-out images seems to be cut off to a whole number. Wanted is the nearest "
    "one; a product of fractions may also lie a hair below the number that you mean."
)
def length_cut_off(count, validation_fraction, seed):
    return _with_length(count, int(count * validation_fraction), seed)


@BANK.mistake(
    "The number of held-out images seems to be rounded up always. Wanted is the nearest whole "
    "number."
)
def length_rounded_up(count, validation_fraction, seed):
    return _with_length(count, math.ceil(count * validation_fraction), seed)


@BANK.mistake(
    "A half seems to be rounded up always. Wanted is what Python's own rounding does, which takes "
    "the even neighbour of a half."
)
def half_rounded_up(count, validation_fraction, seed):
    return _with_length(count, math.floor(count * validation_fraction + 0.5), seed)


@BANK.mistake(
    "The first array is as long as the validation part should be, and the second as the training "
    "part. Are they swapped, or was the fraction taken for training?"
)
def parts_swapped(count, validation_fraction, seed):
    return _split_indices(count, validation_fraction, seed)[::-1]


@BANK.mistake(
    "Some index occurs twice in one part: the draw seems to put each image back before the next "
    "one is taken. Each image may be drawn once."
)
def drawn_with_repeats(count, validation_fraction, seed):
    held_out = round(count * validation_fraction)
    validation = np.random.default_rng(seed).choice(count, held_out)
    return np.setdiff1d(np.arange(count), validation), validation


@BANK.mistake(
    "The training part seems to hold all images, the held-out ones too: a leak. A network that has "
    "seen the validation images is judged on what it may know by heart."
)
def validation_left_in_training(count, validation_fraction, seed):
    order = _shuffled(count, seed)
    return order, order[: round(count * validation_fraction)]


@BANK.mistake(
    "The two parts share images: it looks as if the images were shuffled once for each part. Both "
    "parts must come from one and the same shuffle."
)
def shuffled_once_for_each_part(count, validation_fraction, seed):
    rng = np.random.default_rng(seed)
    held_out = round(count * validation_fraction)
    return rng.permutation(count)[held_out:], rng.permutation(count)[:held_out]


@BANK.mistake(
    "The split is right, but the seed was set globally: whoever draws random numbers after this "
    "call gets other ones than before. Make a generator of your own from the seed, and draw with "
    "that."
)
def global_seed(count, validation_fraction, seed):
    np.random.seed(seed)
    order = np.random.permutation(count)
    held_out = round(count * validation_fraction)
    return order[held_out:], order[:held_out]


@BANK.mistake(
    "The draw comes from the global random state, and the seed seems to be unused: the same seed "
    "gives two different splits, so no result can be repeated."
)
def global_draw_without_seed(count, validation_fraction, seed):
    order = list(range(count))
    random.shuffle(order)
    held_out = round(count * validation_fraction)
    return order[held_out:], order[:held_out]


@BANK.mistake(
    "The same seed gives two different splits. There is a generator, but does it know the seed?"
)
def generator_without_seed(count, validation_fraction, seed):
    return _with_length(count, round(count * validation_fraction), None)


@BANK.mistake(
    "Every seed gives the same split: a fixed number seems to stand where the seed should."
)
def fixed_seed(count, validation_fraction, seed):
    return _with_length(count, round(count * validation_fraction), 42)


@BANK.mistake(
    "The number of held-out images changes from seed to seed: it seems that a coin is thrown for "
    "each image. Wanted is the same number every time."
)
def coin_for_each_image(count, validation_fraction, seed):
    rng = np.random.default_rng(seed)
    held_out = rng.random(count) < validation_fraction
    return rng.permutation(np.flatnonzero(~held_out)), rng.permutation(np.flatnonzero(held_out))


@BANK.mistake(
    "Where no image is to be held out, all of them are. A slice that counts from the end means "
    "something else when the number is 0: `[-0:]` is everything."
)
def slice_from_the_end(count, validation_fraction, seed):
    order = _shuffled(count, seed)
    held_out = round(count * validation_fraction)
    return order[:-held_out], order[-held_out:]


@BANK.mistake(
    "Each part is shuffled in itself, but the same images are held out for every seed: the cut "
    "seems to come before the shuffle."
)
def cut_before_the_shuffle(count, validation_fraction, seed):
    rng = np.random.default_rng(seed)
    held_out = round(count * validation_fraction)
    return rng.permutation(np.arange(held_out, count)), rng.permutation(held_out)


@BANK.mistake("The indices seem to count from 1. The first image has the index 0.")
def counted_from_1(count, validation_fraction, seed):
    return tuple(part + 1 for part in _split_indices(count, validation_fraction, seed))


@BANK.mistake(
    "The parts are masks of True and False. Wanted are the indices themselves, in random order, "
    "which a mask cannot hold."
)
def masks(count, validation_fraction, seed):
    _, validation = _split_indices(count, validation_fraction, seed)
    held_out = np.isin(np.arange(count), validation)
    return ~held_out, held_out


@BANK.mistake("One image is in neither part. Where one slice ends, the next one starts.")
def one_image_lost(count, validation_fraction, seed):
    order = _shuffled(count, seed)
    held_out = round(count * validation_fraction)
    return order[held_out + 1 :], order[:held_out]


@BANK.mistake(
    "The images seem to be moved along by a random step and not shuffled: neighbours are still "
    "neighbours. Of images that are sorted by class, whole classes would be held out."
)
def rolled_and_not_shuffled(count, validation_fraction, seed):
    order = np.roll(np.arange(count), np.random.default_rng(seed).integers(count))
    held_out = round(count * validation_fraction)
    return order[held_out:], order[:held_out]
