"""``repair_learning_rate`` of lesson 13, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values

# --- learning rate -----------------------------------------------------------------------------


def _repair_learning_rate(rates, losses):
    return float(rates[np.nanargmin(losses)] / 10)


def _rate_cases() -> Iterator[tuple]:
    yield np.array([0.01, 0.1, 1.0]), np.array([2.0, 1.0, 3.0])
    yield np.array([1e-4, 1e-3, 1e-2, 1e-1]), np.array([2.3, 2.2, 1.5, np.nan])
    yield np.logspace(-5, 0, 6), np.array([2.3, 2.3, 2.2, 1.2, 0.9, 7.0])
    yield (
        np.logspace(-4, 1, 11),
        np.array([2.3, 2.3, 2.29, 2.2, 2.0, 1.1, 0.8, 0.7, 1.6, np.nan, np.nan]),
    )
    yield np.array([0.5]), np.array([2.0])
    yield np.array([4.0, 1.0, 0.25]), np.array([np.nan, 2.0, 3.0])
    yield np.array([0.5, 2.0, 4.0], np.float32), np.array([3.0, 1.0, np.nan], np.float32)


BANK = Bank(
    "repair_learning_rate",
    "13",
    _repair_learning_rate,
    _rate_cases,
    Values(),
    axes={"rates": "n", "losses": "n"},
)
BANK.help(
    idea=("A loss that is no number is the worst of all, not the least."),
    section="Patient 7:",
    step=(
        "Find the place of the lowest loss among those that are numbers; look up the rate "
        "there, and keep a distance of ten."
    ),
)


@BANK.mistake(
    "This is the rate at the lowest loss itself. There the loss is about to explode; the rule "
    "of thumb keeps a distance."
)
def rate_of_the_lowest_loss(rates, losses):
    return float(rates[np.nanargmin(losses)])


@BANK.mistake(
    "NaN seems to win: for `np.argmin` and `min`, a NaN may count as the smallest. A loss that is "
    "no number is the worst of all."
)
def nan_wins(rates, losses):
    return float(rates[np.argmin(losses)] / 10)


@BANK.mistake("This is a tenth of the lowest loss. Wanted is a tenth of the rate that gave it.")
def the_loss(rates, losses):
    return float(np.nanmin(losses) / 10)


@BANK.mistake("This is a tenth of the largest rate that was tried, whatever the losses say.")
def tenth_of_the_largest(rates, losses):
    return float(np.max(rates) / 10)


@BANK.mistake("This is a tenth of the rate with the *highest* loss.")
def tenth_of_the_worst(rates, losses):
    return float(rates[np.nanargmax(losses)] / 10)


@BANK.mistake(
    "This is the last rate before the loss stops being a number. The lowest loss comes earlier."
)
def last_that_is_a_number(rates, losses):
    return float(rates[np.flatnonzero(np.isfinite(losses))[-1]] / 10)


@BANK.mistake(
    "The place of the lowest loss seems to be counted among the losses that are numbers, and "
    "looked up among all rates. A NaN before it shifts it: leave both out, or neither."
)
def place_among_the_numbers(rates, losses):
    return float(rates[np.argmin(losses[~np.isnan(losses)])] / 10)


@BANK.mistake(
    "The rate one place before the best seems to be taken, and where there is none, the first. "
    "That is a tenth only if the rates rise tenfold; divide the best rate by 10."
)
def one_rate_before(rates, losses):
    return float(rates[max(np.nanargmin(losses) - 1, 0)])


@BANK.mistake(
    "The rate one place before the best seems to be taken, and a tenth only where the best is the "
    "first. The place before is a tenth only if the rates rise tenfold; divide the best rate by 10."
)
def one_rate_before_if_there_is_one(rates, losses):
    best = np.nanargmin(losses)
    return float(rates[best - 1] if best else rates[0] / 10)
