"""Pooling with each of its parts exchangeable, its inputs, and the mistakes of both kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnncourse import ops
from cnncourse.checks.engine import Bank


def share(total):
    return total // 2, total - total // 2


def pool(
    inputs,
    pool_size,
    padding,
    *,
    reduce: Callable,
    fill: float = np.nan,
    share: Callable = share,
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


def pool_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(11)
    yield np.array([[1.0, 2.0], [4.0, -9.0]]).reshape(1, 2, 2, 1), 2, "valid"
    yield np.array([[-1.0, -3.0, -8.0]]).reshape(1, 1, 3, 1), 2, "same"
    yield np.array([[-4.0], [-2.0], [-5.0]]).reshape(1, 3, 1, 1), 2, "same"
    yield np.array([1.0, 4.0, 3.0, 8.0]).reshape(1, 1, 2, 2), 2, "same"
    yield np.arange(10.0, 19.0).reshape(1, 3, 3, 1), 2, "valid"
    yield np.array([[0.0, 4.0]]).reshape(1, 1, 2, 1), 2, "same"
    yield np.array([[-2e9, -1e9, -3e9]]).reshape(1, 1, 3, 1), 2, "same"
    yield np.maximum(rng.normal(-1, 300, (1, 5, 3, 2)), 0), 2, "same"
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


def average_pool2d(inputs, pool_size, padding):
    return ops.average_pool2d(np.asarray(inputs, float), pool_size, padding=padding)


def max_pool2d(inputs, pool_size, padding):
    return ops.max_pool2d(np.asarray(inputs, float), pool_size, padding=padding)


def over_the_whole_map(inputs, pool_size, padding, reduce):
    return reduce(np.asarray(inputs, float), axis=(1, 2), keepdims=True)


def enter_wrong_pools(bank: Bank, right: Callable, reduce: Callable) -> None:
    """The mistakes that average and maximum share."""

    @bank.mistake(
        'Under "same" rows or columns that do not fill a window seem to be dropped, as under '
        '"valid". Wanted is that every pixel counts.'
    )
    def same_treated_as_valid(inputs, pool_size, padding):
        return right(
            inputs,
            pool_size,
            "valid" if min(inputs.shape[1:3]) >= pool_size else padding,
        )

    @bank.mistake(
        'Under "valid" a window that does not fit seems to be answered as well. There, leftover '
        "rows and columns are dropped."
    )
    def valid_treated_as_same(inputs, pool_size, padding):
        return right(inputs, pool_size, "same")

    @bank.mistake(
        "When the number of padded pixels is odd, the one left over seems to go before the image. "
        "By the rule of same_padding it goes after."
    )
    def odd_pixel_before(inputs, pool_size, padding):
        return pool(
            inputs, pool_size, padding, reduce=reduce, share=lambda total: share(total)[::-1]
        )

    @bank.mistake(
        "The first window seems always to start at the first pixel, and all the padding to go "
        "after the image. It is shared between both sides."
    )
    def all_padding_after(inputs, pool_size, padding):
        return pool(inputs, pool_size, padding, reduce=reduce, share=lambda total: (0, total))

    def leftovers(inputs, pool_size, padding):
        return [0, 0] if padding == "same" else [side % pool_size for side in inputs.shape[1:3]]

    @bank.mistake(
        'Under "valid" leftover rows and columns seem to be dropped at the top and the left. The '
        "first window begins at the first pixel, so what is left over lies at the end."
    )
    def leftovers_dropped_first(inputs, pool_size, padding):
        top, left = leftovers(inputs, pool_size, padding)
        return right(inputs[:, top:, left:], pool_size, padding)

    @bank.mistake(
        'Under "valid" leftover rows and columns seem to be dropped on both sides, half of them on '
        "each. The first window begins at the first pixel, so what is left over lies at the end."
    )
    def leftovers_dropped_on_both_sides(inputs, pool_size, padding):
        rows, columns = leftovers(inputs, pool_size, padding)
        return right(inputs[:, rows // 2 :, columns // 2 :], pool_size, padding)

    @bank.mistake(
        "The windows seem to overlap: they move by one pixel. Wanted is a step as large as the "
        "window."
    )
    def stride_1(inputs, pool_size, padding):
        return pool(inputs, pool_size, padding, reduce=reduce, stride=1)

    @bank.mistake(
        "The first pixel of each window seems to be the answer, whatever the others are. That is a "
        "stride, not pooling."
    )
    def first_pixel_of_each_window(inputs, pool_size, padding):
        return inputs[:, ::pool_size, ::pool_size][:, : right(inputs, pool_size, padding).shape[1]][
            :, :, : right(inputs, pool_size, padding).shape[2]
        ]

    @bank.mistake(
        "The whole map seems to become one number. That is global pooling; wanted is one number "
        "for each window."
    )
    def whole_map(inputs, pool_size, padding):
        return over_the_whole_map(
            inputs, pool_size, padding, np.mean if reduce is np.nanmean else np.max
        )

    @bank.mistake("The channels seem to be pooled together. Each channel is a map of its own.")
    def channels_pooled_too(inputs, pool_size, padding):
        return (np.mean if reduce is np.nanmean else np.max)(
            right(inputs, pool_size, padding), axis=3, keepdims=True
        )

    @bank.mistake("Only the rows seem to be pooled. A window has a height and a width.")
    def one_direction_only(inputs, pool_size, padding):
        return np.concatenate(
            [
                right(
                    np.repeat(inputs[:, :, column : column + 1], pool_size, axis=2),
                    pool_size,
                    padding,
                )
                for column in range(inputs.shape[2])
            ],
            axis=2,
        )
