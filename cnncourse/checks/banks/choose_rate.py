"""``choose_rate`` of lesson 10, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _breaks(losses):
    """For each run the place at which it breaks; one behind the last place if it never does."""
    above = ~(losses <= losses[:, :1])  # True for NaN, too
    return np.where(above.any(axis=1), above.argmax(axis=1), losses.shape[1])


def _chosen(rates, losses, limit, *, distance=10, worth=lambda losses: losses.mean(axis=0)):
    safe = np.flatnonzero(rates * distance < limit)
    place = safe[np.argmin(worth(losses[:, safe]))] if safe.size else 0
    return rates[place], limit / rates[place]


def _limit(rates, losses):
    return rates[_breaks(losses).min()]


def _choose_rate(rates, losses):
    return _chosen(rates, losses, _limit(rates, losses))


def _choose_cases() -> Iterator[tuple]:
    nan = np.nan
    rates = np.array([1.0, 4, 16, 64, 256])
    yield rates, np.array([[9.0, 5, 6, 2, 20]])
    yield rates, np.array([[9.0, 8, 4, 3, nan], [9, 6, 7, 10, 1]])
    yield rates, np.array([[9.0, 7, 2, 8, nan], [9, 4, 8, 3, 12]])
    yield rates, np.array([[9.0, 2, 6, 3, 20], [9, 8, 3, 5, 6]])
    yield rates, np.array([[9.0, 5, 10, 12, 3], [9, 5, 4, 8, 2]])
    rates = 0.0005 * 4.0 ** np.arange(8)
    yield (
        rates,
        np.array(
            [
                [2.3, 2.2, 1.9, 1.4, 0.9, 1.1, 3.0, nan],
                [2.4, 2.3, 2.0, 1.2, 1.6, 0.8, 0.7, 4.0],
                [2.3, 2.3, 2.1, 1.9, 0.7, 2.5, 0.6, 0.5],
            ]
        ),
    )
    yield (
        rates,
        np.array([[2.3, 1.0, 1.6, 1.7, 1.2, 2.0, 2.2, 9.0], [2.3, 1.9, 1.5, 1.6, 1.4, nan, 1, 1]]),
    )
    rates = (0.001 * 3.0 ** np.arange(9)).astype(np.float32)
    rng = np.random.default_rng(61)
    losses = 2.3 - rng.uniform(0, 1.5, size=(4, 9))
    losses[:, 0] = 2.3
    losses[[0, 1, 2, 3], [7, 6, 8, 7]] = [nan, 3.0, 2.5, nan]
    yield rates, losses.astype(np.float32)


BANK = Bank(
    "choose_rate",
    "10",
    _choose_rate,
    _choose_cases,
    Values(("rate", "margin")),
    axes={"rates": "n", "losses": "mn"},
)
BANK.help(
    idea=(
        "A rate is used in many runs, so the run that breaks first sets the limit for all; within "
        "it the mean over the runs chooses."
    ),
    section="How fast? The range test",
    step=(
        "Mark in each run the first place at which the loss is above where it began, or no number. "
        "Of these places the smallest gives the limit. Cross out all rates that are not below a "
        "tenth of it, and compare the means of those that are left."
    ),
)


@BANK.mistake(
    "No distance from the limit seems to be kept: this is the best of all rates before it. A rate "
    "so near may break another run."
)
def no_distance(rates, losses):
    return _chosen(rates, losses, _limit(rates, losses), distance=1)


@BANK.mistake(
    "The first run alone seems to say where the limit lies. Another one may break earlier."
)
def limit_of_the_first_run(rates, losses):
    place = min(_breaks(losses)[0], len(rates) - 1)
    return _chosen(rates, losses, rates[place])


@BANK.mistake(
    "The limit seems to be the rate at which the last of the runs breaks. A rate is safe when it "
    "breaks none."
)
def limit_of_the_last_run(rates, losses):
    place = min(_breaks(losses).max(), len(rates) - 1)
    return _chosen(rates, losses, rates[place], worth=lambda losses: np.nanmean(losses, axis=0))


@BANK.mistake(
    "Only NaN seems to count as broken. A loss above the one at the start is lost as well, and may "
    "come back by luck."
)
def broken_by_nan_alone(rates, losses):
    nan = np.isnan(losses).any(axis=0)
    place = nan.argmax() if nan.any() else len(rates) - 1
    return _chosen(rates, losses, rates[place])


@BANK.mistake(
    "Only a loss above the one at the start seems to count as broken, and NaN to pass: every "
    "comparison with NaN is False."
)
def nan_is_not_seen(rates, losses):
    above = (losses > losses[:, :1]).any(axis=0)
    place = above.argmax() if above.any() else len(rates) - 1
    return _chosen(rates, losses, rates[place], worth=lambda losses: np.nanmean(losses, axis=0))


@BANK.mistake(
    "A run seems to count as broken when its loss rises at all. It may waver; broken is what lies "
    "above the loss at the smallest rate."
)
def broken_by_any_rise(rates, losses):
    before = np.concatenate([losses[:, :1], losses[:, :-1]], axis=1)
    return _chosen(rates, losses, rates[(~(losses <= before)).any(axis=0).argmax()])


@BANK.mistake(
    "The lowest loss of a single run seems to choose. That picks the luck of one run with it; the "
    "mean of all runs chooses."
)
def lowest_of_one_run(rates, losses):
    limit = _limit(rates, losses)
    return _chosen(rates, losses, limit, worth=lambda losses: losses.min(axis=0))


@BANK.mistake("The worst run seems to choose. Within the limit it is the mean that counts.")
def lowest_of_the_worst_run(rates, losses):
    limit = _limit(rates, losses)
    return _chosen(rates, losses, limit, worth=lambda losses: losses.max(axis=0))


@BANK.mistake(
    "This is the largest rate that is safe, whatever its loss. Among the safe ones the "
    "loss chooses."
)
def largest_that_is_safe(rates, losses):
    limit = _limit(rates, losses)
    return _chosen(rates, losses, limit, worth=lambda losses: -np.arange(losses.shape[1]))


@BANK.mistake("The rate seems right, and the margin upside down: it says how many times larger "
              "the limit is.")  # fmt: skip
def margin_upside_down(rates, losses):
    rate, margin = _choose_rate(rates, losses)
    return rate, 1 / margin


@BANK.mistake(
    "The rate seems right. The margin is counted to the last rate that is still whole; wanted is "
    "the one at which the first run breaks."
)
def margin_to_the_last_whole_rate(rates, losses):
    rate, _ = _choose_rate(rates, losses)
    return rate, rates[_breaks(losses).min() - 1] / rate


@BANK.mistake("The first answer seems to be the place of the rate. Wanted is the rate itself.")
def place_for_rate(rates, losses):
    rate, margin = _choose_rate(rates, losses)
    return np.flatnonzero(rates == rate)[0], margin


@BANK.mistake(
    "This is a tenth of the best rate before the limit, the rule of thumb for a single run. Here "
    "the answer is one of the rates that were tried."
)
def tenth_of_the_best(rates, losses):
    limit = _limit(rates, losses)
    rate, _ = _chosen(rates, losses, limit, distance=1)
    return rate / 10, limit / (rate / 10)


@BANK.mistake(
    "The runs seem to be averaged before it is asked where they break. One that breaks hides "
    "behind others that do not: each run breaks by its own losses, and the first sets the limit."
)
def broken_by_the_mean(rates, losses):
    place = min(_breaks(losses.mean(axis=0, keepdims=True))[0], len(rates) - 1)
    return _chosen(rates, losses, rates[place])


@BANK.mistake(
    "The last rate before a run breaks seems to be the limit. Wanted is the rate at which the "
    "first run breaks, one place further on."
)
def limit_one_rate_before(rates, losses):
    return _chosen(rates, losses, rates[_breaks(losses).min() - 1])


@BANK.mistake(
    "The rate one place before the best of the safe ones seems to be taken. The safe ones keep "
    "their distance already; among them the lowest mean chooses."
)
def one_rate_before_the_best(rates, losses):
    rate, _ = _choose_rate(rates, losses)
    before = rates[max(np.flatnonzero(rates == rate)[0] - 1, 0)]
    return before, _limit(rates, losses) / before
