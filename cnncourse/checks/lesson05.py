"""Exercises of lesson 05: pooling and dropout.

Each wrong implementation is a mistake that people make, with the hint that answers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnncourse import ops
from cnncourse.checks.engine import Exercise


def _share(total):
    return total // 2, total - total // 2


def _pool(
    inputs,
    pool_size,
    padding,
    *,
    reduce: Callable,
    fill: float = np.nan,
    share: Callable = _share,
    stride: int | None = None,
):
    """Pooling of which every part can be exchanged, to build the wrong ones."""
    values = np.asarray(inputs, float)
    if padding == "same":
        pads = [share(-size % pool_size) for size in values.shape[1:3]]
        values = np.pad(values, [(0, 0), *pads, (0, 0)], constant_values=fill)
    windows = sliding_window_view(values, (pool_size, pool_size), axis=(1, 2))
    step = stride or pool_size
    return reduce(windows[:, ::step, ::step], axis=(-2, -1))


def _pool_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(11)
    yield np.array([[1.0, 2.0], [4.0, -9.0]]).reshape(1, 2, 2, 1), 2, "valid"
    yield np.array([[-1.0, -3.0, -8.0]]).reshape(1, 1, 3, 1), 2, "same"
    yield np.array([[-4.0], [-2.0], [-5.0]]).reshape(1, 3, 1, 1), 2, "same"
    yield np.arange(10.0, 19.0).reshape(1, 3, 3, 1), 2, "valid"
    yield np.array([[5.0, 7.0], [1.0, 2.0]]).reshape(1, 2, 2, 1), 1, "same"
    for shape, pool_size, padding in [
        ((1, 4, 4, 1), 3, "same"),
        ((2, 3, 5, 2), 2, "same"),
        ((2, 5, 4, 3), 2, "valid"),
        ((2, 7, 5, 2), 3, "same"),
        ((1, 7, 8, 2), 3, "valid"),
        ((2, 4, 6, 3), 2, "same"),
    ]:
        yield rng.normal(-1, 3, shape), pool_size, padding
    yield rng.normal(size=(2, 5, 7, 2)).astype(np.float32), 4, "same"
    yield rng.integers(0, 256, (2, 6, 5, 1), dtype=np.uint8), 2, "same"
    yield rng.integers(0, 256, (2, 5, 7, 3), dtype=np.uint8), 3, "valid"


def _average_pool2d(inputs, pool_size, padding):
    return ops.average_pool2d(np.asarray(inputs, float), pool_size, padding=padding)


def _max_pool2d(inputs, pool_size, padding):
    return ops.max_pool2d(np.asarray(inputs, float), pool_size, padding=padding)


AVERAGE_POOL2D = Exercise("average_pool2d", _average_pool2d, _pool_cases)
MAX_POOL2D = Exercise("max_pool2d", _max_pool2d, _pool_cases)


def _global(inputs, pool_size, padding, reduce):
    return reduce(np.asarray(inputs, float), axis=(1, 2), keepdims=True)


def _wrong_pools(exercise: Exercise, right: Callable, reduce: Callable) -> None:
    """The mistakes that average and maximum share."""

    def enter(name, hint, answer):
        exercise.misconception(hint, name=name)(answer)

    enter(
        "same_treated_as_valid",
        'Under "same" rows or columns that do not fill a window seem to be dropped, as under '
        '"valid". Wanted is that every pixel counts.',
        lambda inputs, pool_size, padding: right(
            inputs,
            pool_size,
            "valid" if min(inputs.shape[1:3]) >= pool_size else padding,
        ),
    )
    enter(
        "valid_treated_as_same",
        'Under "valid" a window that does not fit seems to be answered as well. There, leftover '
        "rows and columns are dropped.",
        lambda inputs, pool_size, padding: right(inputs, pool_size, "same"),
    )
    enter(
        "odd_pixel_before",
        "When the number of padded pixels is odd, the one left over seems to go before the image. "
        "By the rule of same_padding it goes after.",
        lambda inputs, pool_size, padding: _pool(
            inputs, pool_size, padding, reduce=reduce, share=lambda total: _share(total)[::-1]
        ),
    )
    enter(
        "all_padding_after",
        "The first window seems always to start at the first pixel, and all the padding to go "
        "after the image. It is shared between both sides.",
        lambda inputs, pool_size, padding: _pool(
            inputs, pool_size, padding, reduce=reduce, share=lambda total: (0, total)
        ),
    )
    enter(
        "stride_1",
        "The windows seem to overlap: they move by one pixel. Wanted is a step as large as the "
        "window.",
        lambda inputs, pool_size, padding: _pool(
            inputs, pool_size, padding, reduce=reduce, stride=1
        ),
    )
    enter(
        "first_pixel_of_each_window",
        "The first pixel of each window seems to be the answer, whatever the others are. That is a "
        "stride, not pooling.",
        lambda inputs, pool_size, padding: inputs[:, ::pool_size, ::pool_size][
            :, : right(inputs, pool_size, padding).shape[1]
        ][:, :, : right(inputs, pool_size, padding).shape[2]],
    )
    enter(
        "whole_map",
        "The whole map seems to become one number. That is global pooling; wanted is one number "
        "for each window.",
        lambda inputs, pool_size, padding: _global(
            inputs, pool_size, padding, np.mean if reduce is np.nanmean else np.max
        ),
    )
    enter(
        "channels_pooled_too",
        "The channels seem to be pooled together. Each channel is a map of its own.",
        lambda inputs, pool_size, padding: (np.mean if reduce is np.nanmean else np.max)(
            right(inputs, pool_size, padding), axis=3, keepdims=True
        ),
    )
    enter(
        "one_direction_only",
        "Only the rows seem to be pooled. A window has a height and a width.",
        lambda inputs, pool_size, padding: np.concatenate(
            [
                right(
                    np.repeat(inputs[:, :, column : column + 1], pool_size, axis=2),
                    pool_size,
                    padding,
                )
                for column in range(inputs.shape[2])
            ],
            axis=2,
        ),
    )


_wrong_pools(AVERAGE_POOL2D, _average_pool2d, np.nanmean)
_wrong_pools(MAX_POOL2D, _max_pool2d, np.nanmax)

AVERAGE_POOL2D.misconception(
    "The padded zeros seem to count, so that windows at the edge come out too small. Wanted is the "
    "mean of the pixels that are there.",
    name="padding_counted",
)(lambda inputs, size, padding: _pool(inputs, size, padding, reduce=np.mean, fill=0))

AVERAGE_POOL2D.misconception(
    "The largest pixel of each window came out. Wanted is the mean.",
    name="maximum",
)(_max_pool2d)

AVERAGE_POOL2D.misconception(
    "The pixels of each window seem to be added and not divided by how many there are.",
    name="sum",
)(lambda inputs, size, padding: _pool(inputs, size, padding, reduce=np.nansum))

AVERAGE_POOL2D.misconception(
    "With images of whole numbers the fractions seem to be cut off: the answer has the type of the "
    "image. A mean needs a type that holds fractions.",
    name="fractions_cut_off",
)(
    lambda inputs, size, padding: (
        np.floor(_average_pool2d(inputs, size, padding))
        if inputs.dtype.kind in "iu"
        else _average_pool2d(inputs, size, padding)
    )
)

MAX_POOL2D.misconception(
    "The padding seems to be filled with zeros, and where all pixels are negative a zero wins. "
    "What is not part of the image must never win.",
    name="padded_zeros_win",
)(lambda inputs, size, padding: _pool(inputs, size, padding, reduce=np.max, fill=0))

MAX_POOL2D.misconception(
    "The mean of each window came out. Wanted is its largest pixel.",
    name="mean",
)(_average_pool2d)

MAX_POOL2D.misconception(
    "The smallest pixel of each window came out. Wanted is the largest.",
    name="minimum",
)(lambda inputs, size, padding: _pool(inputs, size, padding, reduce=np.nanmin))

MAX_POOL2D.misconception(
    "The pixels seem to be compared without their signs. A strongly negative activation is not a "
    "large one.",
    name="largest_without_sign",
)(lambda inputs, size, padding: _max_pool2d(np.abs(inputs), size, padding))

MAX_POOL2D.misconception(
    "Every answer seems to be at least 0: the search for the largest pixel starts there. All "
    "pixels of a window may be negative.",
    name="search_starts_at_0",
)(lambda inputs, size, padding: np.maximum(_max_pool2d(inputs, size, padding), 0))


def _global_average_pool2d(inputs):
    return np.mean(inputs, axis=(1, 2), dtype=float)


def _global_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(12)
    yield (np.array([[1.0, 2.0], [3.0, -8.0]]).reshape(1, 2, 2, 1),)
    yield (np.array([[1.0, 5.0], [2.0, 8.0]]).reshape(1, 2, 1, 2),)
    for shape in [(2, 2, 3, 1), (2, 3, 3, 2), (3, 4, 5, 4), (2, 1, 1, 3)]:
        yield (rng.normal(1, 3, shape),)
    yield (rng.normal(size=(2, 5, 3, 2)).astype(np.float32),)
    yield (rng.integers(0, 256, (2, 5, 4, 3), dtype=np.uint8),)


GLOBAL_AVERAGE_POOL2D = Exercise("global_average_pool2d", _global_average_pool2d, _global_cases)

for _name, _hint, _answer in (
    (
        "batch_averaged_too",
        "The images of the batch seem to be averaged together. Each image keeps a row of its own: "
        "(batch, channels).",
        lambda inputs: np.mean(inputs, axis=(0, 1, 2)),
    ),
    (
        "channels_averaged",
        "The channels seem to be averaged for each pixel. It is the other way round: one number "
        "for each channel, over all its pixels.",
        lambda inputs: np.mean(inputs, axis=3),
    ),
    (
        "one_number_for_an_image",
        "Each image seems to become a single number. Each channel is a map of its own, and has its "
        "own mean.",
        lambda inputs: np.mean(inputs, axis=(1, 2, 3)),
    ),
    (
        "axes_of_length_1_left",
        "The values are right, but height and width are still there with length 1. Wanted is the "
        "shape (batch, channels).",
        lambda inputs: np.mean(inputs, axis=(1, 2), keepdims=True),
    ),
    (
        "height_alone",
        "Only the height seems to be averaged. Height and width both go.",
        lambda inputs: np.mean(inputs, axis=1),
    ),
    (
        "channels_first",
        "The last two axes seem to be averaged, as if the channels came first. They come last.",
        lambda inputs: np.mean(inputs, axis=(2, 3)),
    ),
    (
        "sum",
        "The pixels seem to be added and not divided by how many there are.",
        lambda inputs: np.sum(inputs, axis=(1, 2), dtype=float),
    ),
    (
        "maximum",
        "The largest pixel of each map came out. Wanted is the mean.",
        lambda inputs: np.max(inputs, axis=(1, 2)),
    ),
    (
        "flattened",
        "All pixels came out in a row. That is Flatten; wanted is one number for each channel.",
        lambda inputs: inputs.reshape(len(inputs), -1),
    ),
    (
        "mean_of_each_side",
        "The sum seems to be divided by height + width. A map has height · width pixels.",
        lambda inputs: (
            np.sum(inputs, axis=(1, 2), dtype=float) / (inputs.shape[1] + inputs.shape[2])
        ),
    ),
    (
        "sum_of_uint8",
        "With images of whole numbers (uint8) the sum seems to wrap around at 256. Mind the type "
        "in which you add.",
        lambda inputs: (
            np.sum(inputs, axis=(1, 2), dtype=inputs.dtype)
            / np.float64(inputs.shape[1] * inputs.shape[2])
        ),
    ),
):
    GLOBAL_AVERAGE_POOL2D.misconception(_hint, name=_name)(_answer)


def _dropout(inputs, rate, keep_mask, training):
    return inputs * keep_mask / (1 - rate) if training else inputs


def _dropout_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(13)
    three = np.array([1.0, 2.0, -3.0])
    mask = np.array([True, False, True])
    yield three, 0.75, mask, True
    yield three, 0.75, mask, False
    yield three, 0.0, ~mask, True
    for shape, rate, share in [((2, 3), 0.2, 0.5), ((2, 2, 2, 3), 0.6, 0.7), ((3, 4), 0.5, 0.2)]:
        inputs, keep = rng.normal(size=shape), rng.random(shape) < share
        yield inputs, rate, keep, True
        yield inputs, rate, keep, False
    keep = rng.random((2, 3, 2)) < 0.5
    yield rng.normal(size=(2, 3, 2)).astype(np.float32), 0.25, keep, True
    yield rng.integers(0, 256, (2, 3, 2), dtype=np.uint8), 0.6, keep, True


DROPOUT = Exercise("dropout", _dropout, _dropout_cases)

for _name, _hint, _answer in (
    (
        "not_rescaled",
        "The values that stay seem to be left as they are. Then a layer behind meets smaller sums "
        "in training than at inference; inverted dropout makes up for that in training.",
        lambda inputs, rate, keep, training: inputs * keep if training else inputs,
    ),
    (
        "active_at_inference",
        "It seems to drop values whether it is training or not. At inference all of them stay.",
        lambda inputs, rate, keep, training: _dropout(inputs, rate, keep, True),
    ),
    (
        "training_reversed",
        "It seems to drop at inference and to leave the inputs alone in training. It is the other "
        "way round.",
        lambda inputs, rate, keep, training: _dropout(inputs, rate, keep, not training),
    ),
    (
        "mask_reversed",
        "The values that were to stay seem to be dropped, and the others kept. True means that a "
        "value stays.",
        lambda inputs, rate, keep, training: _dropout(inputs, rate, ~keep, training),
    ),
    (
        "divided_by_the_rate",
        "The values that stay seem to be divided by the share that is dropped. Wanted is the other "
        "share.",
        lambda inputs, rate, keep, training: (
            inputs * keep / np.float64(rate) if training else inputs
        ),
    ),
    (
        "multiplied_by_the_share_kept",
        "The values that stay seem to become smaller. Fewer values have to make the same sum: they "
        "must grow.",
        lambda inputs, rate, keep, training: inputs * keep * (1 - rate) if training else inputs,
    ),
    (
        "scaled_at_inference",
        "The values seem to be scaled at inference in place of in training. That is how dropout "
        "was first described; inverted dropout leaves inference alone.",
        lambda inputs, rate, keep, training: inputs * keep if training else inputs * (1 - rate),
    ),
    (
        "rescaled_at_inference_too",
        "At inference nothing is dropped, but the values seem to be rescaled all the same.",
        lambda inputs, rate, keep, training: inputs * (keep if training else 1) / (1 - rate),
    ),
    (
        "share_taken_from_the_mask",
        "The values that stay seem to be divided by the share that this one mask keeps. Wanted is "
        "the share that the rate promises, whatever this draw kept.",
        lambda inputs, rate, keep, training: inputs * keep / keep.mean() if training else inputs,
    ),
    (
        "mask_forgotten",
        "Nothing seems to be dropped: all values are rescaled.",
        lambda inputs, rate, keep, training: inputs / (1 - rate) if training else inputs,
    ),
    (
        "dropped_values_taken_out",
        "The dropped values seem to be taken out, and the rest moves together. They become 0: the "
        "answer has the shape of the inputs.",
        lambda inputs, rate, keep, training: inputs[keep] / (1 - rate) if training else inputs,
    ),
    (
        "dropped_values_kept_small",
        "The values that were to be dropped seem to stay, and only the others to be rescaled. "
        "Dropped means 0.",
        lambda inputs, rate, keep, training: (
            np.where(keep, inputs / (1 - rate), inputs) if training else inputs
        ),
    ),
):
    DROPOUT.misconception(_hint, name=_name)(_answer)


EXERCISES = (AVERAGE_POOL2D, MAX_POOL2D, GLOBAL_AVERAGE_POOL2D, DROPOUT)
