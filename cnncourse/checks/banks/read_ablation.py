"""``read_ablation`` of lesson 14, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values

DIFFER, BETTER, AS_GOOD = range(3)
T_OF_THREE = np.array([0, 4.303, 6.205, 7.649, 8.860])
T_OF_FIVE = np.array([0, 2.776, 3.495, 3.961, 4.315])
"""Student's factors for one to four statements at once; nothing is read with the first entry."""


def _carried(kinds, low, high, margin):
    carries = {
        DIFFER: (low > 0) | (high < 0),
        BETTER: low > 0,
        AS_GOOD: (low > -margin) & (high < margin),
    }
    return np.select([kinds == kind for kind in carries], list(carries.values())).astype(int)


def _pairs(accuracies, statements):
    table = np.asarray(accuracies, float)
    return table[statements[:, 1]] - table[statements[:, 2]]


def _read(accuracies, statements, margin, factors, *, d=None, half=None, judged=None):
    """The three answers; of what is left out the right one, and judged by another interval."""
    d = _pairs(accuracies, statements) if d is None else d
    if half is None:
        half = factors[len(statements)] * d.std(axis=1, ddof=1) / np.sqrt(d.shape[1])
    mean = d.mean(axis=1)
    reach = half if judged is None else judged
    return _carried(statements[:, 0], mean - reach, mean + reach, margin), mean, half


def _read_ablation(accuracies, statements, margin, factors):
    return _read(accuracies, statements, margin, factors)


def _cases() -> Iterator[tuple]:
    two = np.array([[80.0, 90], [82, 94]])
    for statement, margin, factor in [
        ((BETTER, 1, 0), 1.0, 2.0),
        ((DIFFER, 0, 1), 1.0, 2.0),
        ((BETTER, 0, 1), 1.0, 2.0),
        ((AS_GOOD, 1, 0), 2.0, 4.0),
        ((AS_GOOD, 1, 0), 4.0, 2.0),
        ((AS_GOOD, 0, 1), 6.0, 2.0),
    ]:
        yield two, np.array([statement]), margin, np.array([0, factor])
    three = np.array([[80.0, 90], [82, 94], [81, 97]])
    yield three, np.array([[DIFFER, 1, 0], [BETTER, 2, 1]]), 1.0, np.array([0.0, 2, 6])
    yield three, np.array([[BETTER, 1, 0], [AS_GOOD, 2, 1]]), 9.0, np.array([0.0, 1, 2])
    yield (
        np.array([[0.0, 4, 8], [11, 15.5, 18.5], [2, 5, 10.5]], np.float32),
        np.array([[BETTER, 1, 0], [AS_GOOD, 2, 0], [DIFFER, 2, 1]]),
        3.0,
        T_OF_THREE.astype(np.float32),
    )
    rng = np.random.default_rng(141)
    for rows, factors, seeds in [(4, T_OF_THREE, 3), (5, T_OF_FIVE, 5), (6, T_OF_FIVE, 5)]:
        luck = rng.normal(0, 2, size=seeds)
        effects = rng.choice([-4.0, -1.0, 0.0, 1.5], size=(rows, 1))
        table = 88 + effects + luck + rng.normal(0, 0.25, size=(rows, seeds))
        chosen = [rng.choice(rows, 2, replace=False) for _ in range(4)]
        yield (
            table,
            np.array([(number % 3, *pair) for number, pair in enumerate(chosen)]),
            1.25,
            factors,
        )


BANK = Bank(
    "read_ablation",
    "14",
    _read_ablation,
    _cases,
    Values(("carried", "differences", "halves")),
    axes={"accuracies": "mn", "statements": "se", "factors": "l"},
)
BANK.help(
    idea=(
        "Every statement is about one difference. It is carried when *all* values that its "
        "interval holds agree with it."
    ),
    section="Open is not equal",
    step=(
        "Take the two rows of a statement away from each other, seed by seed, and put the interval "
        "on that, with the factor for as many statements as are read. Sketch it on a line with "
        "marks at 0 and at both margins, and ask what must lie on which side."
    ),
)


@BANK.mistake(
    "The rows seem to be taken for unpaired: the spread of each goes in. Runs of one seed belong "
    "together, and what they share cancels in their difference."
)
def unpaired(accuracies, statements, margin, factors):
    variances = np.var(np.asarray(accuracies, float), axis=1, ddof=1)
    both = variances[statements[:, 1]] + variances[statements[:, 2]]
    half = factors[len(statements)] * np.sqrt(both / accuracies.shape[1])
    return _read(accuracies, statements, margin, factors, half=half)


@BANK.mistake(
    "The standard deviation seems to be divided by n. With so few seeds it is n − 1: their own "
    "mean lies nearer to them than the true one."
)
def divided_by_n(accuracies, statements, margin, factors):
    d = _pairs(accuracies, statements)
    half = factors[len(statements)] * d.std(axis=1) / np.sqrt(d.shape[1])
    return _read(accuracies, statements, margin, factors, half=half)


def _with_half(change):
    def answer(accuracies, statements, margin, factors):
        half = _read(accuracies, statements, margin, factors)[2]
        changed = change(half, len(statements), factors, accuracies.shape[1])
        return _read(accuracies, statements, margin, factors, half=changed)

    return answer


BANK.mistake(
    "The root of the number of seeds seems to be missing: this is the spread of single "
    "differences, and wanted is that of their mean.",
    name="spread_of_single_pairs",
)(_with_half(lambda half, count, factors, seeds: half * np.sqrt(seeds)))
BANK.mistake(
    "The factor seems to be that of a single statement. Several are read from one table: take "
    "`factors[k]` for k of them.",
    name="factor_of_one_statement",
)(_with_half(lambda half, count, factors, seeds: half / factors[count] * factors[1]))
BANK.mistake(
    "The factor seems to be 1.96, whatever `factors` says. That holds for many seeds and one "
    "statement.",
    name="normal_factor",
)(_with_half(lambda half, count, factors, seeds: half / factors[count] * 1.96))
BANK.mistake(
    "The halves seem to be standard errors, without a factor.",
    name="standard_error",
)(_with_half(lambda half, count, factors, seeds: half / factors[count]))


@BANK.mistake("The halves seem to be whole widths. Wanted is half of each interval.")
def whole_width(accuracies, statements, margin, factors):
    carried, mean, half = _read(accuracies, statements, margin, factors)
    return carried, mean, 2 * half


@BANK.mistake("The differences seem to be the second row minus the first. It is a minus b.")
def b_minus_a(accuracies, statements, margin, factors):
    return _read(accuracies, statements[:, [0, 2, 1]], margin, factors)


@BANK.mistake(
    "Row a seems to be compared with the network as it is, whatever b says. A statement about two "
    "changed rows is about their own difference."
)
def compared_with_the_first_row(accuracies, statements, margin, factors):
    first = statements.copy()
    first[:, 2] = 0
    return _read(accuracies, first, margin, factors)


@BANK.mistake(
    "The intervals seem right, and the verdicts look at the mean differences alone. A statement is "
    "carried by the whole interval."
)
def mean_decides(accuracies, statements, margin, factors):
    return _read(accuracies, statements, margin, factors, judged=0.0)


def _with_verdict(kind, carried):
    """Right but for the statements of one kind, which another question to the interval decides."""

    def answer(accuracies, statements, margin, factors):
        verdicts, mean, half = _read(accuracies, statements, margin, factors)
        others = carried(mean, half, margin).astype(int)
        return np.where(statements[:, 0] == kind, others, verdicts), mean, half

    return answer


BANK.mistake(
    "Two rows seem to count as equally good when their interval holds 0. That it holds 0 leaves "
    "them open: equal to within `margin` they are when all of it lies there.",
    name="open_means_equal",
)(_with_verdict(AS_GOOD, lambda mean, half, margin: np.abs(mean) < half))


BANK.mistake(
    "Two rows seem to count as equally good when their mean difference lies within `margin`. "
    "The ends of the interval have to lie there, too.",
    name="equal_by_the_mean",
)(_with_verdict(AS_GOOD, lambda mean, half, margin: np.abs(mean) < margin))


BANK.mistake(
    "An interval that holds both 0 and one `margin` seems to count as equally good. It has to lie "
    "between −`margin` and `margin` with both ends.",
    name="one_end_within",
)(_with_verdict(AS_GOOD, lambda mean, half, margin: np.abs(mean) - half < margin))


BANK.mistake(
    "Two rows seem to differ only if the first is the better one. They differ as well when the "
    "whole interval lies below 0.",
    name="differ_only_upwards",
)(_with_verdict(DIFFER, lambda mean, half, margin: mean - half > 0))


BANK.mistake(
    "Row a seems to count as better whenever the two differ. The interval of a minus b has to lie "
    "above 0.",
    name="better_when_different",
)(_with_verdict(BETTER, lambda mean, half, margin: np.abs(mean) > half))


@BANK.mistake(
    "The verdicts seem to ask whether the intervals of the two rows overlap. Put one interval on "
    "their difference: rows whose own intervals overlap may differ clearly."
)
def overlap_of_the_rows(accuracies, statements, margin, factors):
    _, mean, half = _read(accuracies, statements, margin, factors)
    table = np.asarray(accuracies, float)
    reach = factors[len(statements)] * table.std(axis=1, ddof=1) / np.sqrt(table.shape[1])
    both = reach[statements[:, 1]] + reach[statements[:, 2]]
    kinds = statements[:, 0]
    return _carried(kinds, mean - both, mean + both, margin), mean, half
