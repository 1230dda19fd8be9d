"""``dropout`` of lesson 05, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank


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
    yield np.array([[0.0, 2.0], [5.0, -1.0]]), 0.5, np.array([[True, False], [True, True]]), True


BANK = Bank("dropout", "05", _dropout, _dropout_cases)
BANK.help(
    idea=(
        "In training some numbers become 0 and the others grow, so that the sum to expect stays "
        "the same. At inference nothing happens."
    ),
    section="Dropout",
    step=(
        "Ask first whether this is training. If so, the mask says what stays; what stays is "
        "divided by the share that the rate lets stay, not by the share of this mask."
    ),
)


@BANK.mistake(
    "The values that stay seem to be left as they are. Then a layer behind meets smaller sums "
    "in training than at inference; inverted dropout makes up for that in training."
)
def not_rescaled(inputs, rate, keep, training):
    return inputs * keep if training else inputs


@BANK.mistake(
    "It seems to drop values whether it is training or not. At inference all of them stay."
)
def active_at_inference(inputs, rate, keep, training):
    return _dropout(inputs, rate, keep, True)


@BANK.mistake(
    "It seems to drop at inference and to leave the inputs alone in training. It is the other "
    "way round."
)
def training_reversed(inputs, rate, keep, training):
    return _dropout(inputs, rate, keep, not training)


@BANK.mistake(
    "The values that were to stay seem to be dropped, and the others kept. True means that a "
    "value stays."
)
def mask_reversed(inputs, rate, keep, training):
    return _dropout(inputs, rate, ~keep, training)


@BANK.mistake(
    "The values that stay seem to be divided by the share that is dropped. Wanted is the other "
    "share."
)
def divided_by_the_rate(inputs, rate, keep, training):
    return inputs * keep / np.float64(rate) if training else inputs


@BANK.mistake(
    "The values that stay seem to become smaller. Fewer values have to make the same sum: they "
    "must grow."
)
def multiplied_by_the_share_kept(inputs, rate, keep, training):
    return inputs * keep * (1 - rate) if training else inputs


@BANK.mistake(
    "The values seem to be scaled at inference in place of in training. That is how dropout "
    "was first described; inverted dropout leaves inference alone."
)
def scaled_at_inference(inputs, rate, keep, training):
    return inputs * keep if training else inputs * (1 - rate)


@BANK.mistake("At inference nothing is dropped, but the values seem to be rescaled all the same.")
def rescaled_at_inference_too(inputs, rate, keep, training):
    return inputs * (keep if training else 1) / (1 - rate)


@BANK.mistake(
    "The values that stay seem to be divided by the share that this one mask keeps. Wanted is "
    "the share that the rate promises, whatever this draw kept."
)
def share_taken_from_the_mask(inputs, rate, keep, training):
    return inputs * keep / keep.mean() if training else inputs


@BANK.mistake("Nothing seems to be dropped: all values are rescaled.")
def mask_forgotten(inputs, rate, keep, training):
    return inputs / (1 - rate) if training else inputs


@BANK.mistake(
    "The dropped values seem to be taken out, and the rest moves together. They become 0: the "
    "answer has the shape of the inputs."
)
def dropped_values_taken_out(inputs, rate, keep, training):
    return inputs[keep] / (1 - rate) if training else inputs


@BANK.mistake(
    "The values that were to be dropped seem to stay, and only the others to be rescaled. "
    "Dropped means 0."
)
def dropped_values_kept_small(inputs, rate, keep, training):
    return np.where(keep, inputs / (1 - rate), inputs) if training else inputs
