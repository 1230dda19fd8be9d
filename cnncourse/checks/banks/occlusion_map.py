"""``occlusion_map`` of lesson 12, and the mistakes that people make in it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import numpy as np

from cnncourse.checks.banks._programs import Program
from cnncourse.checks.engine import Bank

# What stands in for a network: a batch of images in, one score for each of them out.
_scores = functools.partial(Program, name="predict", takes="a batch, (n, height, width, channels)")


def _places(images):
    return np.arange(1, images[0].size + 1).reshape(images.shape[1:])


_SUM = _scores("<the sum of all numbers of each image>", lambda images: images.sum(axis=(1, 2, 3)))


_WEIGHTED = _scores(
    "<a weighted sum of the numbers of each image, with the weights 1, 2, 3, …>",
    lambda images: (images * _places(images)).sum(axis=(1, 2, 3)),
)


_CURVED = _scores(
    "<the square of a weighted sum of the numbers of each image>",
    lambda images: (images * np.cos(_places(images))).sum(axis=(1, 2, 3)) ** 2 + 3,
)


def _patches(shape, patch_size):
    """(row, column) of each patch, and the part of the image that it covers."""
    for row, column in np.ndindex(shape[0] // patch_size, shape[1] // patch_size):
        top, left = row * patch_size, column * patch_size
        yield (row, column), (slice(top, top + patch_size), slice(left, left + patch_size))


def _score(predict, image):
    return float(predict(np.asarray(image, float)[None])[0])


def _hidden(image, where, fill):
    hidden = np.array(image, float)
    hidden[where] = fill
    return hidden


def _map_of(image, patch_size, answer: Callable):
    """For each patch what ``answer`` says of it."""
    scores = np.empty((image.shape[0] // patch_size, image.shape[1] // patch_size))
    for place, where in _patches(image.shape, patch_size):
        scores[place] = answer(where)
    return scores


def _drop(predict, image, where, fill):
    """How far the score falls when a part of the image is hidden."""
    return _score(predict, image) - _score(predict, _hidden(image, where, fill))


def _occlusion_map(predict, image, patch_size, fill):
    return _map_of(image, patch_size, lambda where: _drop(predict, image, where, fill))


def _occlusion_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(121)
    yield _WEIGHTED, np.array([[3.0, 1.0], [-2.0, 4.0]])[:, :, None], 1, 0
    yield _SUM, np.arange(1.0, 9.0).reshape(2, 4, 1), 2, 0
    yield _SUM, np.arange(1.0, 7.0).reshape(1, 3, 2), 1, 0.5
    yield _WEIGHTED, np.arange(10.0, 25.0).reshape(3, 5, 1), 2, 1
    for predict, shape, patch_size, fill in (
        (_CURVED, (4, 6, 2), 2, 0.25),
        (_WEIGHTED, (7, 5, 3), 2, -0.5),
        (_CURVED, (6, 9, 1), 3, 0),
        (_CURVED, (5, 8, 2), 4, 1),
    ):
        yield predict, rng.normal(0.3, 1, shape), patch_size, fill
    yield _CURVED, rng.random((6, 4, 3)).astype(np.float32), 2, 0.5
    yield _SUM, np.array([0.0, 3.0, 1.0]).reshape(3, 1, 1), 1, 2


BANK = Bank("occlusion_map", "12", _occlusion_map, _occlusion_cases, axes={"image": "hwc"})
BANK.help(
    idea=(
        "One question for each patch: how far does the score fall when this patch alone is hidden?"
    ),
    section="Occlusion: what if this part were gone?",
    step=(
        "Take the whole image's score once. For each patch make a fresh copy, set the patch in "
        "all channels to fill, put it into a batch of one, and subtract its score from that of "
        "the whole."
    ),
)


def _hiding(part: Callable):
    """A map that hides ``part(where, patch_size, sides)`` where it should hide the patch."""

    def wrong(predict, image, patch_size, fill):
        def answer(where):
            return _drop(predict, image, part(where, patch_size, image.shape[:2]), fill)

        return _map_of(image, patch_size, answer)

    return wrong


# The corner of a patch is its number, and not its number times its size.


# The last patch of a row or column reaches to the border.


def _from_corners(corners: Callable):
    """A map with one answer for each pair of ``corners(side, patch_size)``."""

    def wrong(predict, image, patch_size, fill):
        tops, lefts = (corners(side, patch_size) for side in image.shape[:2])
        return np.array(
            [
                [
                    _drop(predict, image, np.s_[y : y + patch_size, x : x + patch_size], fill)
                    for x in lefts
                ]
                for y in tops
            ]
        )

    return wrong


# Patches that the border cuts get an answer of their own.


# The patch moves by one pixel.


@BANK.mistake(
    "The sign seems to be the other way round. A patch that the score needs should come out "
    "positive: start from the whole image."
)
def sign_reversed(*case):
    return -_occlusion_map(*case)


@BANK.mistake(
    "The scores with a patch hidden came out as they are. What matters is how far each of them "
    "lies below the score of the whole image."
)
def not_compared(predict, image, patch_size, fill):
    return _score(predict, image) - _occlusion_map(predict, image, patch_size, fill)


@BANK.mistake(
    "A patch seems to stay hidden when the next one is hidden as well. Only one patch is "
    "hidden at a time."
)
def patches_stay_hidden(predict, image, patch_size, fill):
    whole, hidden = _score(predict, image), np.array(image, float)

    def answer(where):
        hidden[where] = fill
        return whole - _score(predict, hidden)

    return _map_of(image, patch_size, answer)


@BANK.mistake(
    "Each score seems to be compared with the one before it, while more and more patches are "
    "hidden. Each is compared with the whole image, and only one patch is hidden."
)
def compared_with_the_one_before(predict, image, patch_size, fill):
    hidden = np.array(image, float)

    def answer(where):
        before = _score(predict, hidden)
        hidden[where] = fill
        return before - _score(predict, hidden)

    return _map_of(image, patch_size, answer)


@BANK.mistake(
    "The patch seems to be all that is left to see. It is the other way round: the patch is "
    "hidden and the rest stays."
)
def all_but_the_patch_hidden(predict, image, patch_size, fill):
    whole = _score(predict, image)

    def answer(where):
        seen = np.full(image.shape, float(fill))
        seen[where] = image[where]
        return whole - _score(predict, seen)

    return _map_of(image, patch_size, answer)


@BANK.mistake(
    "The scores seem to be compared with that of an image without anything in it. Compare with "
    "the image as it is."
)
def compared_with_a_blank_image(predict, image, patch_size, fill):
    blank = _score(predict, np.full(image.shape, float(fill)))
    return _map_of(
        image, patch_size, lambda where: _score(predict, _hidden(image, where, fill)) - blank
    )


@BANK.mistake("The patch seems to be set to 0, whatever `fill` says.")
def fill_ignored(predict, image, patch_size, fill):
    return _occlusion_map(predict, image, patch_size, 0)


@BANK.mistake("The patch seems to be set to the mean of the image. Wanted is the number `fill`.")
def mean_of_the_image_as_fill(predict, image, patch_size, fill):
    return _occlusion_map(predict, image, patch_size, image.mean())


@BANK.mistake("`fill` seems to be added to the pixels of the patch. It takes their place.")
def fill_added(predict, image, patch_size, fill):
    return _map_of(
        image, patch_size, lambda where: _drop(predict, image, where, fill + image[where])
    )


BANK.mistake(
    "Only the first channel of the patch seems to be hidden. What the other channels show "
    "would still be seen.",
    name="first_channel_alone",
)(_hiding(lambda where, *_: (*where, 0)))


BANK.mistake(
    "Only the first pixel of each patch seems to be hidden. A patch has `patch_size` rows and "
    "columns.",
    name="one_pixel_hidden",
)(_hiding(lambda where, *_: tuple(along.start for along in where)))


BANK.mistake(
    "Each patch seems to have one row and one column too many. The end of a slice is not part "
    "of it.",
    name="patch_one_pixel_too_large",
)(_hiding(lambda where, *_: tuple(slice(along.start, along.stop + 1) for along in where)))


BANK.mistake(
    "The patch with number i seems to begin at pixel i, so that patches overlap and never "
    "reach the end of the image. Patches lie side by side.",
    name="patches_begin_too_close",
)(
    _hiding(
        lambda where, size, _: tuple(
            slice(along.start // size, along.start // size + size) for along in where
        )
    )
)


BANK.mistake(
    "The patch seems to move by one pixel at a time. Wanted are patches side by side: one "
    "answer for each of them.",
    name="moved_by_one_pixel",
)(_from_corners(lambda side, patch_size: range(side - patch_size + 1)))


BANK.mistake(
    "Rows and columns that do not fill a patch seem to get an answer of their own. They are "
    "left out: mind the // in the shape.",
    name="leftover_as_patches",
)(_from_corners(lambda side, patch_size: range(0, side, patch_size)))


BANK.mistake(
    "The last patch of a row or a column seems to reach to the border. Each patch has the same "
    "size; what is left over is never hidden.",
    name="leftover_hidden_with_the_last_patch",
)(
    _hiding(
        lambda where, size, sides: tuple(
            slice(along.start, side if side - along.stop < size else along.stop)
            for along, side in zip(where, sides, strict=True)
        )
    )
)


@BANK.mistake(
    "The map seems to be turned over: rows where columns belong. The first axis runs down the "
    "image."
)
def rows_and_columns_exchanged(*case):
    return _occlusion_map(*case).T


@BANK.mistake(
    "The sign seems to be lost. A patch whose hiding raises the score has a negative answer."
)
def without_sign(*case):
    return np.abs(_occlusion_map(*case))


@BANK.mistake(
    "Negative answers seem to be set to 0. They say that a patch speaks against the score, and "
    "they stay."
)
def negative_cut_off(*case):
    return np.maximum(_occlusion_map(*case), 0)


@BANK.mistake(
    "The fall of the score seems to be divided by the score of the whole image. Wanted is the "
    "fall itself."
)
def share_of_the_score(predict, image, patch_size, fill):
    return _occlusion_map(predict, image, patch_size, fill) / np.float64(_score(predict, image))


@BANK.mistake(
    "The fall of the score seems to be divided by the number of pixels of a patch. Wanted is "
    "the fall itself."
)
def divided_by_the_pixels(predict, image, patch_size, fill):
    return _occlusion_map(predict, image, patch_size, fill) / patch_size**2


@BANK.mistake(
    "The map seems to be divided by its largest value. Then maps of different images cannot be "
    "compared any more; wanted is the fall of the score as it is."
)
def scaled_to_1(*case):
    return _occlusion_map(*case) / np.abs(_occlusion_map(*case)).max()


@BANK.mistake(
    "Each answer seems to be repeated for all pixels of its patch. Wanted is one number for "
    "each patch."
)
def one_answer_a_pixel(predict, image, patch_size, fill):
    return np.kron(
        _occlusion_map(predict, image, patch_size, fill), np.ones((patch_size, patch_size))
    )


@BANK.mistake(
    "The answers stand in one long row. Wanted is a map: one row of it for each row of patches."
)
def all_in_one_row(*case):
    return _occlusion_map(*case).ravel()
