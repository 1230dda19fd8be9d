"""``augment`` of lesson 10, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.banks._inspect_flips import inspect_flips, mirrored
from cnncourse.checks.draws import Draws, Seeded
from cnncourse.checks.engine import Bank


def _where(flip, images, changed):
    """The images, with the changed one wherever the coin says so."""
    return np.where(flip[:, None, None, None], changed, images)


def _augment(images, rng):
    return _where(rng.random(len(images)) < 0.5, images, mirrored(images))


def _flip_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(10)
    yield np.array([[1, 2], [3, 4]], np.float32).reshape(1, 2, 2, 1), Seeded(0)
    yield np.arange(12, dtype=np.uint8).reshape(2, 2, 3, 1), Seeded(1)
    yield rng.permutation(48).reshape(4, 2, 3, 2).astype(np.float32), Seeded(2)
    yield rng.permutation(240).reshape(5, 4, 4, 3).astype(np.uint8), Seeded(3)
    yield rng.permutation(3200).reshape(200, 4, 4, 1).astype(np.float32), Seeded(4)


BANK = Bank("augment", "10", _augment, _flip_cases, Draws(inspect_flips))
BANK.help(
    idea=(
        "A coin for each image, thrown with the generator that came in; then choose between the "
        "image and its mirror image."
    ),
    section="Augmentation: more pictures than you have",
    step=(
        "Draw as many numbers as there are images and compare them with one half. Which axis "
        "runs from left to right in (batch, height, width, channels)? Choosing keeps the dtype, "
        "multiplying does not."
    ),
)


@BANK.mistake(
    "Some images stand on their heads: the rows seem to be reversed. Left and right are two ends "
    "of another axis; the first axis is the batch."
)
def upside_down(images, rng):
    return _where(rng.random(len(images)) < 0.5, images, images[:, ::-1])


@BANK.mistake(
    "Some images are turned by half a turn: rows and columns are both reversed. Left to right is "
    "one axis alone."
)
def turned_by_half(images, rng):
    return _where(rng.random(len(images)) < 0.5, images, images[:, ::-1, ::-1])


@BANK.mistake(
    "The channels are reversed, and the pixels stay where they are: with colours, red and blue "
    "would change places. The last axis holds the channels, not the columns."
)
def channels_reversed(images, rng):
    return _where(rng.random(len(images)) < 0.5, images, images[..., ::-1])


@BANK.mistake(
    "In each call all images are flipped, or none: one coin seems to be thrown for the whole "
    "batch. Each image has a coin of its own."
)
def one_coin_for_the_batch(images, rng):
    return mirrored(images).copy() if rng.random() < 0.5 else images.copy()


@BANK.mistake("Every image is flipped, always. Wanted is one time in two, by chance.")
def every_image_flipped(images, rng):
    return mirrored(images).copy()


@BANK.mistake(
    "No image is ever flipped. If you draw whole numbers: does the range that you give hold the "
    "number that you wait for? Its upper end does not belong to it."
)
def no_image_flipped(images, rng):
    return _where(rng.integers(0, 1, len(images)) == 1, images, mirrored(images))


@BANK.mistake(
    "Every draw flips the same number of images. With a coin for each image the number changes "
    "from draw to draw, and half of them is only the mean."
)
def exactly_half(images, rng):
    flip = np.zeros(len(images), bool)
    flip[rng.permutation(len(images))[: (len(images) + 1) // 2]] = True
    return _where(flip, images, mirrored(images))


@BANK.mistake(
    "The draw comes from a global random state and not from `rng`: it cannot be repeated from the "
    "generator that was handed in."
)
def drawn_globally(images, rng):
    return _where(np.random.random(len(images)) < 0.5, images, mirrored(images))


@BANK.mistake(
    "Two generators with the same seed give different answers: something else than `rng` seems to "
    "draw. Is a new generator made inside?"
)
def new_generator_without_seed(images, rng):
    return _augment(images, np.random.default_rng())


@BANK.mistake(
    "Every generator gives the same flips, so that each epoch shows the same pictures: a generator "
    "with a fixed seed seems to be made inside. Draw with `rng`."
)
def generator_with_a_fixed_seed(images, rng):
    return _augment(images, np.random.default_rng(0))


@BANK.mistake(
    "The pixels are right, but their type has changed: whole numbers came back as floats, or "
    "float32 as float64. Multiplying by shares and adding does that; choosing does not."
)
def type_changed(images, rng):
    share = (rng.random(len(images)) < 0.5).astype(float)[:, None, None, None]
    return share * mirrored(images) + (1 - share) * images


@BANK.mistake(
    "Images of whole numbers (uint8) came back as float32. What enters an augmentation and what "
    "leaves it have one type; turning pixels into floats is another step."
)
def always_float32(images, rng):
    return _augment(images, rng).astype(np.float32)


@BANK.mistake(
    "The batch came back twice as long: flipped images were added to the others. Wanted is one "
    "answer for each image, in its place."
)
def flipped_images_added(images, rng):
    return np.concatenate([images, mirrored(images)])


@BANK.mistake(
    "The number of images changes from draw to draw. Those that are not flipped have to stay."
)
def only_the_flipped_ones(images, rng):
    return mirrored(images)[rng.random(len(images)) < 0.5]


@BANK.mistake(
    "The images have changed places in the batch, and their labels do not know of it. Order is "
    "kept."
)
def order_shuffled(images, rng):
    return _augment(rng.permutation(images), rng)


@BANK.mistake(
    "Far fewer than half of the images are flipped. Which share of the numbers that you draw lies "
    "beyond your threshold, and are they spread evenly from 0 to 1?"
)
def too_seldom(images, rng):
    return _where(rng.normal(size=len(images)) > 0.5, images, mirrored(images))


@BANK.mistake(
    "Far more than half of the images are flipped. Which share of the numbers that you draw lies "
    "beyond your threshold?"
)
def too_often(images, rng):
    return _where(rng.normal(size=len(images)) < 0.5, images, mirrored(images))


@BANK.mistake(
    "Some rows of an image are flipped and others are not: the picture falls apart. One coin "
    "decides about a whole image."
)
def row_by_row(images, rng):
    flip = rng.random(images.shape[:2]) < 0.5
    return np.where(flip[:, :, None, None], mirrored(images), images)


@BANK.mistake("Rows and columns have changed places. Flipping keeps every pixel in its row.")
def transposed(images, rng):
    if images.shape[1] != images.shape[2]:
        return images.swapaxes(1, 2).copy()
    return _where(rng.random(len(images)) < 0.5, images, images.swapaxes(1, 2))


@BANK.mistake(
    "One place of the batch comes out alike in every draw: a loop seems to leave it out. The first "
    "image has a coin as well as the last."
)
def first_image_left_out(images, rng):
    flip = rng.random(len(images)) < 0.5
    flip[0] = False
    return _where(flip, images, mirrored(images))
