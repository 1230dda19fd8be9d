"""``confusion_matrix`` of lesson 11, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


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
    yield np.repeat([0, 1], 300), np.repeat([0, 1, 0], [290, 300, 10]), 2
    yield rng.integers(0, 12, 400), rng.integers(0, 12, 400), 12
    yield rng.integers(0, 10, 300).astype(np.uint8), rng.integers(0, 10, 300), 10
    # A pair that is numbered, label times classes plus answer, leaves a small type.
    yield np.array([17, 2, 17], np.uint8), np.array([3, 2, 16], np.uint8), 18


BANK = Bank(
    "confusion_matrix",
    "11",
    _confusion_matrix,
    _confusion_cases,
    Values(kind="integers"),
    axes={"labels": "n", "predictions": "n"},
)
BANK.help(
    idea=("Count pairs: true class down, answer across."),
    section="What do they confuse?",
    step=(
        "Begin with zeros, num_classes by num_classes, in a type that can count far. For each "
        "image add 1 at (label, prediction), also when the pair was there before."
    ),
)


@BANK.mistake(
    "Rows and columns seem to be swapped. Wanted is one row for each true class: along a row you "
    "see what the network made of it."
)
def rows_are_predictions(labels, predictions, num_classes):
    return _confusion_matrix(predictions, labels, num_classes)


@BANK.mistake(
    "A pair that occurs several times seems to count once. `matrix[labels, predictions] += 1` "
    "writes each place a single time, however often it is named; look for a way that adds up."
)
def repeated_pairs_counted_once(labels, predictions, num_classes):
    matrix = np.zeros((num_classes, num_classes), int)
    matrix[labels, predictions] += 1
    return matrix


@BANK.mistake(
    "The matrix seems to have as many rows as there are classes among these images. A class that "
    "does not occur still has its row and its column, full of zeros."
)
def only_classes_that_occur(labels, predictions, num_classes):
    classes = int(max(np.max(labels), np.max(predictions))) + 1
    return _confusion_matrix(labels, predictions, classes)


@BANK.mistake(
    "Classes that do not occur seem to be left out, and the others move up. Then row 3 is no "
    "longer class 3."
)
def squeezed_to_the_classes_present(labels, predictions, num_classes):
    present = np.union1d(labels, predictions)
    places = np.searchsorted(present, labels), np.searchsorted(present, predictions)
    return _confusion_matrix(*places, len(present))


@BANK.mistake(
    "Each row seems to be divided by its sum. That is a useful picture, but wanted are the counts "
    "themselves."
)
def shares_of_each_row(labels, predictions, num_classes):
    matrix = _confusion_matrix(labels, predictions, num_classes)
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


@BANK.mistake("All counts seem to be divided by the number of images. Wanted are whole numbers.")
def shares_of_all(labels, predictions, num_classes):
    return _confusion_matrix(labels, predictions, num_classes) / len(labels)


@BANK.mistake(
    "Only the right answers seem to be counted: everything beside the diagonal is 0. The mistakes "
    "are what this matrix is for."
)
def only_the_diagonal(labels, predictions, num_classes):
    right = np.asarray(labels) == np.asarray(predictions)
    return _confusion_matrix(np.asarray(labels)[right], np.asarray(predictions)[right], num_classes)


@BANK.mistake(
    "Only the mistakes seem to be counted: the diagonal is 0. Right answers belong into the "
    "matrix, so that each row sums to the images of its class."
)
def only_the_mistakes(labels, predictions, num_classes):
    matrix = _confusion_matrix(labels, predictions, num_classes)
    np.fill_diagonal(matrix, 0)
    return matrix


@BANK.mistake(
    "Each mistake seems to be counted in two places, once for either order of the two classes. "
    "Taking a shirt for a coat is another mistake than taking a coat for a shirt."
)
def both_orders(labels, predictions, num_classes):
    matrix = _confusion_matrix(labels, predictions, num_classes)
    both = matrix + matrix.T
    np.fill_diagonal(both, np.diag(matrix))
    return both


@BANK.mistake(
    "The last class seems to be missing: the matrix is one row and one column too small. Labels "
    "count from 0, so the last one is the number of classes less one."
)
def one_class_short(labels, predictions, num_classes):
    return _confusion_matrix(labels, predictions, num_classes)[:-1, :-1]


@BANK.mistake(
    "It seems to count the same images for each class and leave out which answer was given: one "
    "number for a class. Wanted is a matrix, true class against answer."
)
def right_answers_by_class(labels, predictions, num_classes):
    return np.diag(_confusion_matrix(labels, predictions, num_classes)).copy()


@BANK.mistake(
    "Each pair seems to be given a number, label times classes plus answer, in the type of the "
    "labels. A small type such as uint8 wraps around there, and the count lands at another pair. "
    "Turn the labels into int first."
)
def numbers_of_pairs_wrap(labels, predictions, num_classes):
    counts = np.bincount(labels * num_classes + predictions, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)
