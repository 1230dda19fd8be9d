"""Exercises of lesson 12: occlusion and Grad-CAM.

Each wrong implementation is a mistake that people make, with the hint that answers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from cnncourse.checks.engine import Exercise


@dataclass(frozen=True)
class _Scores:
    """What stands in for a network: a batch of images in, one score for each of them out."""

    text: str
    of: Callable[[np.ndarray], np.ndarray]

    def __call__(self, images):
        images = np.asarray(images, float)
        if images.ndim != 4:
            raise ValueError(
                f"predict got an array of shape {images.shape}; it takes a batch, "
                "(n, height, width, channels)"
            )
        return self.of(images)

    def __repr__(self) -> str:
        return self.text


def _places(images):
    return np.arange(1, images[0].size + 1).reshape(images.shape[1:])


_SUM = _Scores("<the sum of all numbers of each image>", lambda images: images.sum(axis=(1, 2, 3)))
_WEIGHTED = _Scores(
    "<a weighted sum of the numbers of each image, with the weights 1, 2, 3, …>",
    lambda images: (images * _places(images)).sum(axis=(1, 2, 3)),
)
_CURVED = _Scores(
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
    yield _WEIGHTED, rng.integers(0, 256, (9, 6, 3), dtype=np.uint8), 3, 127.5


OCCLUSION_MAP = Exercise("occlusion_map", _occlusion_map, _occlusion_cases)


def _never_restored(predict, image, patch_size, fill):
    whole, hidden = _score(predict, image), np.array(image, float)

    def answer(where):
        hidden[where] = fill
        return whole - _score(predict, hidden)

    return _map_of(image, patch_size, answer)


def _against_the_one_before(predict, image, patch_size, fill):
    hidden = np.array(image, float)

    def answer(where):
        before = _score(predict, hidden)
        hidden[where] = fill
        return before - _score(predict, hidden)

    return _map_of(image, patch_size, answer)


def _only_the_patch_seen(predict, image, patch_size, fill):
    whole = _score(predict, image)

    def answer(where):
        seen = np.full(image.shape, float(fill))
        seen[where] = image[where]
        return whole - _score(predict, seen)

    return _map_of(image, patch_size, answer)


def _whole_minus_blank(predict, image, patch_size, fill):
    blank = _score(predict, np.full(image.shape, float(fill)))
    return _map_of(
        image, patch_size, lambda where: _score(predict, _hidden(image, where, fill)) - blank
    )


def _fill_added(predict, image, patch_size, fill):
    return _map_of(
        image, patch_size, lambda where: _drop(predict, image, where, fill + image[where])
    )


def _hiding(part: Callable):
    """A map that hides ``part(where, patch_size, sides)`` where it should hide the patch."""

    def wrong(predict, image, patch_size, fill):
        def answer(where):
            return _drop(predict, image, part(where, patch_size, image.shape[:2]), fill)

        return _map_of(image, patch_size, answer)

    return wrong


_first_channel_alone = _hiding(lambda where, *_: (*where, 0))
_corner_pixel_alone = _hiding(lambda where, *_: tuple(along.start for along in where))
_one_pixel_too_large = _hiding(
    lambda where, *_: tuple(slice(along.start, along.stop + 1) for along in where)
)
# The corner of a patch is its number, and not its number times its size.
_one_step_too_short = _hiding(
    lambda where, size, _: tuple(
        slice(along.start // size, along.start // size + size) for along in where
    )
)
# The last patch of a row or column reaches to the border.
_leftover_hidden_too = _hiding(
    lambda where, size, sides: tuple(
        slice(along.start, side if side - along.stop < size else along.stop)
        for along, side in zip(where, sides, strict=True)
    )
)


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
_leftover_as_patches = _from_corners(lambda side, patch_size: range(0, side, patch_size))
# The patch moves by one pixel.
_every_place = _from_corners(lambda side, patch_size: range(side - patch_size + 1))


def _fraction_of_fill_lost(predict, image, patch_size, fill):
    whole_numbers = image.dtype.kind in "iu"
    return _occlusion_map(predict, image, patch_size, int(fill) if whole_numbers else fill)


for _name, _hint, _answer in (
    (
        "sign_reversed",
        "The sign seems to be the other way round. A patch that the score needs should come out "
        "positive: start from the whole image.",
        lambda *case: -_occlusion_map(*case),
    ),
    (
        "not_compared",
        "The scores with a patch hidden came out as they are. What matters is how far each of them "
        "lies below the score of the whole image.",
        lambda predict, image, patch_size, fill: (
            _score(predict, image) - _occlusion_map(predict, image, patch_size, fill)
        ),
    ),
    (
        "patches_stay_hidden",
        "A patch seems to stay hidden when the next one is hidden as well. Only one patch is "
        "hidden at a time.",
        _never_restored,
    ),
    (
        "compared_with_the_one_before",
        "Each score seems to be compared with the one before it, while more and more patches are "
        "hidden. Each is compared with the whole image, and only one patch is hidden.",
        _against_the_one_before,
    ),
    (
        "all_but_the_patch_hidden",
        "The patch seems to be all that is left to see. It is the other way round: the patch is "
        "hidden and the rest stays.",
        _only_the_patch_seen,
    ),
    (
        "compared_with_a_blank_image",
        "The scores seem to be compared with that of an image without anything in it. Compare with "
        "the image as it is.",
        _whole_minus_blank,
    ),
    (
        "fill_ignored",
        "The patch seems to be set to 0, whatever `fill` says.",
        lambda predict, image, patch_size, fill: _occlusion_map(predict, image, patch_size, 0),
    ),
    (
        "mean_of_the_image_as_fill",
        "The patch seems to be set to the mean of the image. Wanted is the number `fill`.",
        lambda predict, image, patch_size, fill: _occlusion_map(
            predict, image, patch_size, image.mean()
        ),
    ),
    (
        "fill_added",
        "`fill` seems to be added to the pixels of the patch. It takes their place.",
        _fill_added,
    ),
    (
        "first_channel_alone",
        "Only the first channel of the patch seems to be hidden. What the other channels show "
        "would still be seen.",
        _first_channel_alone,
    ),
    (
        "one_pixel_hidden",
        "Only the first pixel of each patch seems to be hidden. A patch has `patch_size` rows and "
        "columns.",
        _corner_pixel_alone,
    ),
    (
        "patch_one_pixel_too_large",
        "Each patch seems to have one row and one column too many. The end of a slice is not part "
        "of it.",
        _one_pixel_too_large,
    ),
    (
        "patches_begin_too_close",
        "The patch with number i seems to begin at pixel i, so that patches overlap and never "
        "reach the end of the image. Patches lie side by side.",
        _one_step_too_short,
    ),
    (
        "moved_by_one_pixel",
        "The patch seems to move by one pixel at a time. Wanted are patches side by side: one "
        "answer for each of them.",
        _every_place,
    ),
    (
        "leftover_as_patches",
        "Rows and columns that do not fill a patch seem to get an answer of their own. They are "
        "left out: mind the // in the shape.",
        _leftover_as_patches,
    ),
    (
        "leftover_hidden_with_the_last_patch",
        "The last patch of a row or a column seems to reach to the border. Each patch has the same "
        "size; what is left over is never hidden.",
        _leftover_hidden_too,
    ),
    (
        "rows_and_columns_exchanged",
        "The map seems to be turned over: rows where columns belong. The first axis runs down the "
        "image.",
        lambda *case: _occlusion_map(*case).T,
    ),
    (
        "without_sign",
        "The sign seems to be lost. A patch whose hiding raises the score has a negative answer.",
        lambda *case: np.abs(_occlusion_map(*case)),
    ),
    (
        "negative_cut_off",
        "Negative answers seem to be set to 0. They say that a patch speaks against the score, and "
        "they stay.",
        lambda *case: np.maximum(_occlusion_map(*case), 0),
    ),
    (
        "share_of_the_score",
        "The fall of the score seems to be divided by the score of the whole image. Wanted is the "
        "fall itself.",
        lambda predict, image, patch_size, fill: (
            _occlusion_map(predict, image, patch_size, fill) / np.float64(_score(predict, image))
        ),
    ),
    (
        "divided_by_the_pixels",
        "The fall of the score seems to be divided by the number of pixels of a patch. Wanted is "
        "the fall itself.",
        lambda predict, image, patch_size, fill: (
            _occlusion_map(predict, image, patch_size, fill) / patch_size**2
        ),
    ),
    (
        "scaled_to_1",
        "The map seems to be divided by its largest value. Then maps of different images cannot be "
        "compared any more; wanted is the fall of the score as it is.",
        lambda *case: _occlusion_map(*case) / np.abs(_occlusion_map(*case)).max(),
    ),
    (
        "one_answer_a_pixel",
        "Each answer seems to be repeated for all pixels of its patch. Wanted is one number for "
        "each patch.",
        lambda predict, image, patch_size, fill: np.kron(
            _occlusion_map(predict, image, patch_size, fill), np.ones((patch_size, patch_size))
        ),
    ),
    (
        "all_in_one_row",
        "The answers stand in one long row. Wanted is a map: one row of it for each row of "
        "patches.",
        lambda *case: _occlusion_map(*case).ravel(),
    ),
    (
        "fraction_of_fill_lost",
        "With an image of whole numbers (uint8) `fill` seems to lose its fraction: the copy holds "
        "whole numbers alone. Hide in a copy that holds fractions.",
        _fraction_of_fill_lost,
    ),
):
    OCCLUSION_MAP.misconception(_hint, name=_name)(_answer)


def _weights(gradients, reduce=np.mean):
    return reduce(np.asarray(gradients, float), axis=(0, 1))


def _weighted(maps, weights):
    return (np.asarray(maps, float) * weights).sum(axis=-1)


def _grad_cam(maps, gradients):
    return np.maximum(_weighted(maps, _weights(gradients)), 0)


def _grad_cam_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(122)
    yield (
        np.array([[[4.0, 1.0], [0.0, 3.0]]]),
        np.array([[[1.0, -2.0], [2.0, 0.0]]]),
    )
    yield np.array([[[-2.0]]]), np.array([[[-3.0]]])
    for shape in [(2, 2, 1), (2, 2, 2), (3, 4, 2), (2, 3, 4), (4, 4, 3), (7, 5, 6)]:
        yield rng.normal(0.5, 1, shape), rng.normal(0.1, 1, shape)
    yield tuple(rng.normal(0.2, 1, (2, 3, 4, 5)).astype(np.float32))


GRAD_CAM = Exercise("grad_cam", _grad_cam, _grad_cam_cases)


def _strongest_channel(maps, gradients):
    weights = _weights(gradients)
    best = int(np.argmax(weights))
    return np.maximum(maps[..., best] * weights[best], 0)


def _roles_exchanged(maps, gradients):
    return np.maximum(_weighted(gradients, _weights(maps)), 0)


for _name, _hint, _answer in (
    (
        "no_relu",
        "Negative places came out. They speak against the class; a ReLU at the end takes them out.",
        lambda maps, gradients: _weighted(maps, _weights(gradients)),
    ),
    (
        "relu_of_each_channel",
        "The ReLU seems to come before the channels are added. Then nothing can outweigh anything: "
        "add first.",
        lambda maps, gradients: np.maximum(maps * _weights(gradients), 0).sum(axis=-1),
    ),
    (
        "relu_of_the_weights",
        "Channels with a negative mean gradient seem to be left out. They count against the class, "
        "and may cancel others.",
        lambda maps, gradients: np.maximum(_weighted(maps, np.maximum(_weights(gradients), 0)), 0),
    ),
    (
        "relu_of_the_gradients",
        "Negative gradients seem to be set to 0 before the mean is taken. The mean is over all of "
        "them.",
        lambda maps, gradients: np.maximum(_weighted(maps, _weights(np.maximum(gradients, 0))), 0),
    ),
    (
        "weights_without_sign",
        "The weights of the channels seem to have lost their sign. A channel that speaks against "
        "the class has a negative weight.",
        lambda maps, gradients: np.maximum(_weighted(maps, np.abs(_weights(gradients))), 0),
    ),
    (
        "without_sign",
        "The sign seems to be taken off the sum. Places that speak against the class become 0, not "
        "positive.",
        lambda maps, gradients: np.abs(_weighted(maps, _weights(gradients))),
    ),
    (
        "gradients_place_by_place",
        "Each activation seems to be multiplied by the gradient at its own place. Wanted is one "
        "weight for a whole channel.",
        lambda maps, gradients: np.maximum((maps * gradients).sum(axis=-1), 0),
    ),
    (
        "gradients_added",
        "The gradients of a channel seem to be added and not divided by their number.",
        lambda maps, gradients: np.maximum(_weighted(maps, _weights(gradients, np.sum)), 0),
    ),
    (
        "largest_gradient",
        "The weight of a channel seems to be its largest gradient. Wanted is the mean.",
        lambda maps, gradients: np.maximum(_weighted(maps, _weights(gradients, np.max)), 0),
    ),
    (
        "mean_over_rows_alone",
        "The gradients seem to be averaged down the rows alone, so that each column has a weight "
        "of its own. Wanted is one weight for a whole channel.",
        lambda maps, gradients: np.maximum(_weighted(maps, np.mean(gradients, axis=0)), 0),
    ),
    (
        "one_weight_for_all_channels",
        "All channels seem to get the same weight, the mean of all gradients. Each channel has a "
        "weight of its own.",
        lambda maps, gradients: np.maximum(_weighted(maps, np.mean(gradients)), 0),
    ),
    (
        "mean_over_channels",
        "The gradients seem to be averaged over the channels, place by place. It is the other way "
        "round: over the places, channel by channel.",
        lambda maps, gradients: np.maximum(
            _weighted(maps, np.mean(gradients, axis=-1, keepdims=True)), 0
        ),
    ),
    (
        "channels_averaged",
        "The weighted channels seem to be averaged. Wanted is their sum.",
        lambda maps, gradients: np.maximum((maps * _weights(gradients)).mean(axis=-1), 0),
    ),
    (
        "gradients_ignored",
        "The channels seem to be added as they are. How much each counts is what the gradients "
        "say.",
        lambda maps, gradients: np.maximum(maps.sum(axis=-1), 0),
    ),
    (
        "maps_ignored",
        "Only the gradients seem to be added. Where something was found stands in the maps.",
        lambda maps, gradients: np.maximum(gradients.sum(axis=-1), 0),
    ),
    (
        "roles_exchanged",
        "Maps and gradients seem to have changed places: gradients are added, weighted by the mean "
        "of the maps.",
        _roles_exchanged,
    ),
    (
        "strongest_channel",
        "Only the channel with the largest weight seems to count. Wanted is the sum over all of "
        "them.",
        _strongest_channel,
    ),
    (
        "scaled_to_1",
        "The map seems to be divided by its largest value. That helps when you draw it; wanted is "
        "the sum as it is.",
        lambda maps, gradients: (
            _grad_cam(maps, gradients) / np.float64(_grad_cam(maps, gradients).max() or 1)
        ),
    ),
    (
        "channels_kept",
        "The channels came out one by one. Add them up: one number for each place.",
        lambda maps, gradients: np.maximum(maps * _weights(gradients), 0),
    ),
    (
        "axis_of_length_1_left",
        "The values are right, but a last axis of length 1 is left. Wanted is (height, width).",
        lambda maps, gradients: _grad_cam(maps, gradients)[..., None],
    ),
    (
        "rows_and_columns_exchanged",
        "The map seems to be turned over: rows where columns belong.",
        lambda maps, gradients: _grad_cam(maps, gradients).T,
    ),
):
    GRAD_CAM.misconception(_hint, name=_name)(_answer)


EXERCISES = (OCCLUSION_MAP, GRAD_CAM)
