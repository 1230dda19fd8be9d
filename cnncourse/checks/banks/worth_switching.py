"""``worth_switching`` of lesson 11, and the mistakes that people make in it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _verdict(difference, half, worth):
    return int(difference - half > worth) - int(difference + half < worth)


def _answer(difference, half, worth):
    return _verdict(difference, half, worth), difference, half


def _paired(old, new, t, ddof=1):
    d = np.asarray(new, float) - np.asarray(old, float)
    return d.mean(), t * d.std(ddof=ddof) / math.sqrt(len(d))


def _worth_switching(old, new, worth, t):
    difference, half = _paired(old, new, t)
    return _answer(difference, half, worth)


def _switching_cases() -> Iterator[tuple]:
    yield np.array([90.0, 80, 85, 89]), np.array([92.0, 84, 87, 93]), 1.0, 1.0
    yield np.array([90.0, 80, 85, 89]), np.array([92.0, 84, 87, 93]), 1.0, 3.0
    yield np.array([90.0, 80, 85, 89]), np.array([92.0, 84, 87, 93]), 5.0, 2.0
    yield np.array([50.0, 52]), np.array([53.0, 54]), 0.0, 12.706
    yield np.array([0.0, 4, 8]), np.array([2.0, 0, 7]), 0.5, 4.303
    rng = np.random.default_rng(67)
    for count, t, gain, worth in [(3, 4.303, 2.0, 0.5), (10, 2.262, 1.0, 0.2), (5, 2.776, 0.1, 1)]:
        old = rng.normal(90, 2, size=count)
        yield old, old + gain + rng.normal(0, 0.3, size=count), worth, t
    yield (
        np.array([92.5, 91.25, 93.0], np.float32),
        np.array([92.75, 91.25, 93.5], np.float32),
        0.5,
        4.303,
    )


BANK = Bank(
    "worth_switching",
    "11",
    _worth_switching,
    _switching_cases,
    Values(("verdict", "difference", "half")),
    axes={"old": "n", "new": "n"},
)
BANK.help(
    idea=(
        "The question is not whether the difference is 0. It is on which side of what a change has "
        "to gain the whole interval lies."
    ),
    section="The luck of the seed",
    step=(
        "Make one number of each pair first, and an interval of these numbers. Then sketch it on "
        "a line with a mark at the gain that is worth it: it lies above, below, or across."
    ),
)


@BANK.mistake(
    "The runs seem to be taken for unpaired: the spread of each recipe goes in. Runs of one seed "
    "belong together, and what both share cancels in their difference."
)
def unpaired(old, new, worth, t):
    variance = (np.var(old, ddof=1) + np.var(new, ddof=1)) / len(old)
    return _answer(_paired(old, new, t)[0], t * math.sqrt(variance), worth)


@BANK.mistake(
    "The standard deviation seems to be divided by n. With so few pairs it is n − 1: their own "
    "mean lies nearer to them than the true one."
)
def divided_by_n(old, new, worth, t):
    difference, half = _paired(old, new, t, ddof=0)
    return _answer(difference, half, worth)


@BANK.mistake(
    "The root of the number of pairs seems to be missing: this is the spread of single "
    "differences, and wanted is that of their mean."
)
def spread_of_single_pairs(old, new, worth, t):
    difference, half = _paired(old, new, t)
    return _answer(difference, half * math.sqrt(len(old)), worth)


@BANK.mistake("The difference seems to be old minus new. A gain is new minus old.")
def old_minus_new(old, new, worth, t):
    return _worth_switching(new, old, worth, t)


@BANK.mistake(
    "The verdict seems to ask whether the difference is 0. A gain may be real and too small to be "
    "worth it: compare with `worth`."
)
def compared_with_nothing(old, new, worth, t):
    difference, half = _paired(old, new, t)
    return _verdict(difference, half, 0), difference, half


@BANK.mistake(
    "The verdict seems to look at the mean difference alone. As long as the interval lies on both "
    "sides of `worth`, these pairs leave it open."
)
def mean_decides(old, new, worth, t):
    difference, half = _paired(old, new, t)
    return (1 if difference > worth else -1), difference, half


@BANK.mistake(
    "An interval that lies across `worth` seems to count as a no. It says that the pairs are too "
    "few; that is a 0."
)
def open_means_no(old, new, worth, t):
    verdict, difference, half = _worth_switching(old, new, worth, t)
    return (verdict or -1), difference, half


@BANK.mistake(
    "Every interval whose upper end reaches `worth` seems to count as a yes. What is possible is "
    "not yet shown: the lower end has to lie above it."
)
def possible_means_yes(old, new, worth, t):
    verdict, difference, half = _worth_switching(old, new, worth, t)
    return (verdict or 1), difference, half


@BANK.mistake(
    "The factor seems to be 1.96, whatever `t` is. That holds for many pairs; with few ones the "
    "spread itself is uncertain."
)
def normal_factor(old, new, worth, t):
    return _worth_switching(old, new, worth, 1.96)


@BANK.mistake("The third answer seems to be the whole width. Wanted is half of it.")
def whole_width(old, new, worth, t):
    verdict, difference, half = _worth_switching(old, new, worth, t)
    return verdict, difference, 2 * half


@BANK.mistake("The third answer seems to be the standard error, without `t`.")
def standard_error(old, new, worth, t):
    return _worth_switching(old, new, worth, 1.0)
