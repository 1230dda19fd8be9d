"""``accuracy_interval`` of lesson 11, and the mistakes that people make in it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _middle_and_reach(correct, total, z):
    share, square = correct / total, z * z / total
    middle = (share + square / 2) / (1 + square)
    reach = z / (1 + square) * math.sqrt(share * (1 - share) / total + square / (4 * total))
    return middle, reach


def _accuracy_interval(correct, total, z):
    middle, reach = _middle_and_reach(correct, total, z)
    return middle - reach, middle + reach


def _interval_cases() -> Iterator[tuple]:
    yield 1, 2, 1.0
    yield 3, 4, 2.0
    yield 7, 8, 2.0
    yield 0, 5, 1.96
    yield 9, 9, 1.0
    yield 45, 50, 1.96
    yield 1863, 2000, 2.576
    yield 9288, 10000, 1.96
    yield 10, 40, 1.645
    yield 0, 1, 1.96
    yield 1, 1, 2.0


def _cut_to_fractions(ends, *arguments):
    """Cutting the interval to [0, 1] is as good as leaving the rounding error in."""
    return np.clip(ends, 0, 1)


BANK = Bank(
    "accuracy_interval",
    "11",
    _accuracy_interval,
    _interval_cases,
    Values(("low", "high"), canonical=_cut_to_fractions),
)
BANK.help(
    idea=(
        "Wilson's interval has its middle drawn towards one half, and keeps a width when "
        "everything is right."
    ),
    section="An interval that keeps its promise",
    step=(
        "Compute the share, and z² over total. The divisor 1 + z²/total belongs to the middle "
        "and to the reach. Then subtract, and add."
    ),
)


@BANK.mistake(
    "This is the plain interval, share ± z · √(share · (1 − share) / total). With all answers "
    "right it has no width at all, as if nothing were left to doubt. Wilson's keeps a width there."
)
def plain_interval(correct, total, z):
    share = correct / total
    reach = z * math.sqrt(share * (1 - share) / total)
    return share - reach, share + reach


@BANK.mistake(
    "The interval seems to be laid around the share of right answers. Wilson's is laid around a "
    "middle that is drawn towards one half, the more so the fewer the images."
)
def around_the_share(correct, total, z):
    share, (_, reach) = correct / total, _middle_and_reach(correct, total, z)
    return share - reach, share + reach


@BANK.mistake(
    "The middle is right, but the width is that of the plain interval. Under Wilson's root stands "
    "a second term, and the whole reach is divided by 1 + z² / total."
)
def plain_reach(correct, total, z):
    share, (middle, _) = correct / total, _middle_and_reach(correct, total, z)
    reach = z * math.sqrt(share * (1 - share) / total)
    return middle - reach, middle + reach


@BANK.mistake(
    "The reach seems not to be divided by 1 + z² / total; only the middle is. The divisor belongs "
    "to both."
)
def reach_not_divided(correct, total, z):
    middle, reach = _middle_and_reach(correct, total, z)
    reach *= 1 + z * z / total
    return middle - reach, middle + reach


@BANK.mistake(
    "The middle seems not to be divided by 1 + z² / total, so that the interval lies too high. "
    "The divisor belongs to middle and reach."
)
def middle_not_divided(correct, total, z):
    middle, reach = _middle_and_reach(correct, total, z)
    middle *= 1 + z * z / total
    return middle - reach, middle + reach


@BANK.mistake(
    "It looks as if z itself stood where its square belongs. In Wilson's formula the divisor, the "
    "shift of the middle and the second term under the root all hold z²."
)
def z_not_squared(correct, total, z):
    share = correct / total
    middle = (share + z / (2 * total)) / (1 + z / total)
    root = math.sqrt(share * (1 - share) / total + z / (4 * total**2))
    reach = z / (1 + z / total) * root
    return middle - reach, middle + reach


@BANK.mistake(
    "The root seems to be missing: the reach is a variance. A spread is the root of it, in the "
    "units of the share."
)
def no_root(correct, total, z):
    share, square = correct / total, z * z / total
    middle = (share + square / 2) / (1 + square)
    reach = z / (1 + square) * (share * (1 - share) / total + square / (4 * total))
    return middle - reach, middle + reach


@BANK.mistake(
    "The spread seems not to be divided by the number of images: the interval stays as wide for "
    "ten thousand images as for ten."
)
def not_divided_by_the_total(correct, total, z):
    share, square = correct / total, z * z / total
    middle = (share + square / 2) / (1 + square)
    reach = z / (1 + square) * math.sqrt(share * (1 - share) + square / 4)
    return middle - reach, middle + reach


@BANK.mistake("The ends seem to be counts of images. Wanted are shares between 0 and 1.")
def ends_as_counts(correct, total, z):
    low, high = _accuracy_interval(correct, total, z)
    return low * total, high * total


@BANK.mistake(
    "This is an interval for the share of wrong answers: `correct` counts the right ones."
)
def of_the_mistakes(correct, total, z):
    return _accuracy_interval(total - correct, total, z)


@BANK.mistake("The two ends come in the wrong order. Wanted is the lower one first.")
def ends_swapped(correct, total, z):
    return _accuracy_interval(correct, total, z)[::-1]


BANK.mistake(
    "It returns middle and reach. Wanted are the two ends: middle less reach, and middle plus "
    "reach.",
    name="middle_and_reach",
)(_middle_and_reach)


@BANK.mistake(
    "`z` seems to have no effect: the interval is the one for 1.96, whatever is asked for. The "
    "argument says how sure it should be."
)
def fixed_z(correct, total, z):
    return _accuracy_interval(correct, total, 1.96)


@BANK.mistake(
    "It looks as if two right and two wrong answers were added, and the plain interval taken of "
    "that (Agresti and Coull's short cut for z = 2). Wanted is Wilson's own formula."
)
def two_and_two_added(correct, total, z):
    return plain_interval(correct + 2, total + 4, z)


@BANK.mistake(
    "The second term under the root seems to be z² / (4 · total). Wanted is z² divided by four "
    "times the *square* of the total; for one image both are the same."
)
def total_not_squared(correct, total, z):
    share, square = correct / total, z * z / total
    middle = (share + square / 2) / (1 + square)
    reach = z / (1 + square) * math.sqrt(share * (1 - share) / total + square / 4)
    return middle - reach, middle + reach
