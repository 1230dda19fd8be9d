"""Exercises of lesson 11: the confusion matrix, and an interval around an accuracy.

Each wrong implementation is a mistake that people make, with the hint that answers it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Exercise
from cnncourse.checks.forms import Values


def _confusion_matrix(labels, predictions, num_classes):
    matrix = np.zeros((num_classes, num_classes), int)
    np.add.at(matrix, (labels, predictions), 1)
    return matrix


def _confusion_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(11)
    yield np.array([0, 0, 1]), np.array([0, 1, 1]), 2
    yield np.array([0, 1, 1, 1]), np.array([1, 1, 1, 0]), 3  # one class never occurs
    yield np.array([2, 2, 0]), np.array([0, 0, 0]), 4
    yield np.array([1]), np.array([0]), 2
    yield np.array([3, 0, 3], np.uint8), np.array([3, 3, 1], np.uint8), 4
    yield rng.integers(0, 5, 40), rng.integers(0, 5, 40), 5
    yield rng.integers(0, 10, 300).astype(np.uint8), rng.integers(0, 10, 300), 10


CONFUSION_MATRIX = Exercise(
    "confusion_matrix",
    _confusion_matrix,
    _confusion_cases,
    Values(kind="integers"),
)


@CONFUSION_MATRIX.misconception(
    "Rows and columns seem to be swapped. Wanted is one row for each true class: along a row you "
    "see what the network made of it."
)
def rows_are_predictions(labels, predictions, num_classes):
    return _confusion_matrix(predictions, labels, num_classes)


@CONFUSION_MATRIX.misconception(
    "A pair that occurs several times seems to count once. `matrix[labels, predictions] += 1` "
    "writes each place a single time, however often it is named; look for a way that adds up."
)
def repeated_pairs_counted_once(labels, predictions, num_classes):
    matrix = np.zeros((num_classes, num_classes), int)
    matrix[labels, predictions] += 1
    return matrix


@CONFUSION_MATRIX.misconception(
    "The matrix seems to have as many rows as there are classes among these images. A class that "
    "does not occur still has its row and its column, full of zeros."
)
def only_classes_that_occur(labels, predictions, num_classes):
    classes = int(max(np.max(labels), np.max(predictions))) + 1
    return _confusion_matrix(labels, predictions, classes)


@CONFUSION_MATRIX.misconception(
    "Classes that do not occur seem to be left out, and the others move up. Then row 3 is no "
    "longer class 3."
)
def squeezed_to_the_classes_present(labels, predictions, num_classes):
    present = np.union1d(labels, predictions)
    places = np.searchsorted(present, labels), np.searchsorted(present, predictions)
    return _confusion_matrix(*places, len(present))


@CONFUSION_MATRIX.misconception(
    "Each row seems to be divided by its sum. That is a useful picture, but wanted are the counts "
    "themselves."
)
def shares_of_each_row(labels, predictions, num_classes):
    matrix = _confusion_matrix(labels, predictions, num_classes)
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


@CONFUSION_MATRIX.misconception(
    "All counts seem to be divided by the number of images. Wanted are whole numbers."
)
def shares_of_all(labels, predictions, num_classes):
    return _confusion_matrix(labels, predictions, num_classes) / len(labels)


@CONFUSION_MATRIX.misconception(
    "Only the right answers seem to be counted: everything beside the diagonal is 0. The mistakes "
    "are what this matrix is for."
)
def only_the_diagonal(labels, predictions, num_classes):
    right = np.asarray(labels) == np.asarray(predictions)
    return _confusion_matrix(np.asarray(labels)[right], np.asarray(predictions)[right], num_classes)


@CONFUSION_MATRIX.misconception(
    "Only the mistakes seem to be counted: the diagonal is 0. Right answers belong into the "
    "matrix, so that each row sums to the images of its class."
)
def only_the_mistakes(labels, predictions, num_classes):
    matrix = _confusion_matrix(labels, predictions, num_classes)
    np.fill_diagonal(matrix, 0)
    return matrix


@CONFUSION_MATRIX.misconception(
    "Each mistake seems to be counted in two places, once for either order of the two classes. "
    "Taking a shirt for a coat is another mistake than taking a coat for a shirt."
)
def both_orders(labels, predictions, num_classes):
    matrix = _confusion_matrix(labels, predictions, num_classes)
    both = matrix + matrix.T
    np.fill_diagonal(both, np.diag(matrix))
    return both


@CONFUSION_MATRIX.misconception(
    "The last class seems to be missing: the matrix is one row and one column too small. Labels "
    "count from 0, so the last one is the number of classes less one."
)
def one_class_short(labels, predictions, num_classes):
    return _confusion_matrix(labels, predictions, num_classes)[:-1, :-1]


@CONFUSION_MATRIX.misconception(
    "It seems to count the same images for each class and leave out which answer was given: one "
    "number for a class. Wanted is a matrix, true class against answer."
)
def right_answers_by_class(labels, predictions, num_classes):
    return np.diag(_confusion_matrix(labels, predictions, num_classes)).copy()


def _accuracy_interval(correct, total, z):
    share, square = correct / total, z * z / total
    middle = (share + square / 2) / (1 + square)
    reach = z / (1 + square) * math.sqrt(share * (1 - share) / total + square / (4 * total))
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


def _cut_to_fractions(ends, *arguments):
    """Cutting the interval to [0, 1] is as good as leaving the rounding error in."""
    return np.clip(ends, 0, 1)


ACCURACY_INTERVAL = Exercise(
    "accuracy_interval",
    _accuracy_interval,
    _interval_cases,
    Values(("low", "high"), canonical=_cut_to_fractions),
)


@ACCURACY_INTERVAL.misconception(
    "This is the plain interval, share ± z · √(share · (1 − share) / total). With all answers "
    "right it has no width at all, as if nothing were left to doubt. Wilson's keeps a width there."
)
def plain_interval(correct, total, z):
    share = correct / total
    reach = z * math.sqrt(share * (1 - share) / total)
    return share - reach, share + reach


@ACCURACY_INTERVAL.misconception(
    "The interval seems to be laid around the share of right answers. Wilson's is laid around a "
    "middle that is drawn towards one half, the more so the fewer the images."
)
def around_the_share(correct, total, z):
    low, high = _accuracy_interval(correct, total, z)
    share, reach = correct / total, (high - low) / 2
    return share - reach, share + reach


@ACCURACY_INTERVAL.misconception(
    "The middle is right, but the width is that of the plain interval. Under Wilson's root stands "
    "a second term, and the whole reach is divided by 1 + z² / total."
)
def plain_reach(correct, total, z):
    low, high = _accuracy_interval(correct, total, z)
    middle, share = (low + high) / 2, correct / total
    reach = z * math.sqrt(share * (1 - share) / total)
    return middle - reach, middle + reach


@ACCURACY_INTERVAL.misconception(
    "The reach seems not to be divided by 1 + z² / total; only the middle is. The divisor belongs "
    "to both."
)
def reach_not_divided(correct, total, z):
    low, high = _accuracy_interval(correct, total, z)
    middle, reach = (low + high) / 2, (high - low) / 2 * (1 + z * z / total)
    return middle - reach, middle + reach


@ACCURACY_INTERVAL.misconception(
    "The middle seems not to be divided by 1 + z² / total, so that the interval lies too high. "
    "The divisor belongs to middle and reach."
)
def middle_not_divided(correct, total, z):
    low, high = _accuracy_interval(correct, total, z)
    middle, reach = (low + high) / 2 * (1 + z * z / total), (high - low) / 2
    return middle - reach, middle + reach


@ACCURACY_INTERVAL.misconception(
    "It looks as if z itself stood where its square belongs. In Wilson's formula the divisor, the "
    "shift of the middle and the second term under the root all hold z²."
)
def z_not_squared(correct, total, z):
    share = correct / total
    middle = (share + z / (2 * total)) / (1 + z / total)
    root = math.sqrt(share * (1 - share) / total + z / (4 * total**2))
    reach = z / (1 + z / total) * root
    return middle - reach, middle + reach


@ACCURACY_INTERVAL.misconception(
    "The root seems to be missing: the reach is a variance. A spread is the root of it, in the "
    "units of the share."
)
def no_root(correct, total, z):
    share, square = correct / total, z * z / total
    middle = (share + square / 2) / (1 + square)
    reach = z / (1 + square) * (share * (1 - share) / total + square / (4 * total))
    return middle - reach, middle + reach


@ACCURACY_INTERVAL.misconception(
    "The spread seems not to be divided by the number of images: the interval stays as wide for "
    "ten thousand images as for ten."
)
def not_divided_by_the_total(correct, total, z):
    share, square = correct / total, z * z / total
    middle = (share + square / 2) / (1 + square)
    reach = z / (1 + square) * math.sqrt(share * (1 - share) + square / 4)
    return middle - reach, middle + reach


@ACCURACY_INTERVAL.misconception(
    "The ends seem to be counts of images. Wanted are shares between 0 and 1."
)
def ends_as_counts(correct, total, z):
    low, high = _accuracy_interval(correct, total, z)
    return low * total, high * total


@ACCURACY_INTERVAL.misconception(
    "This is an interval for the share of wrong answers: `correct` counts the right ones."
)
def of_the_mistakes(correct, total, z):
    return _accuracy_interval(total - correct, total, z)


@ACCURACY_INTERVAL.misconception(
    "The two ends come in the wrong order. Wanted is the lower one first."
)
def ends_swapped(correct, total, z):
    return _accuracy_interval(correct, total, z)[::-1]


@ACCURACY_INTERVAL.misconception(
    "It returns middle and reach. Wanted are the two ends: middle less reach, and middle plus "
    "reach."
)
def middle_and_reach(correct, total, z):
    low, high = _accuracy_interval(correct, total, z)
    return (low + high) / 2, (high - low) / 2


@ACCURACY_INTERVAL.misconception(
    "`z` seems to have no effect: the interval is the one for 1.96, whatever is asked for. The "
    "argument says how sure it should be."
)
def fixed_z(correct, total, z):
    return _accuracy_interval(correct, total, 1.96)


@ACCURACY_INTERVAL.misconception(
    "It looks as if two right and two wrong answers were added, and the plain interval taken of "
    "that (Agresti and Coull's short cut for z = 2). Wanted is Wilson's own formula."
)
def two_and_two_added(correct, total, z):
    return plain_interval(correct + 2, total + 4, z)


EXERCISES = (CONFUSION_MATRIX, ACCURACY_INTERVAL)
