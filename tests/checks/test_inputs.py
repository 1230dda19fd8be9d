"""What the inputs of an exercise have: each property in one of them, or why it cannot come.

A property that no input has is one that a wrong answer may get wrong unseen.
"""

from __future__ import annotations

import numpy as np
import pytest

from cnncourse.checks import EXERCISES
from cnncourse.checks.form import Values

NUMERIC = [exercise for exercise in EXERCISES.values() if isinstance(exercise.form, Values)]


def _finite(value):
    return np.asarray(value, float)[np.isfinite(np.asarray(value, float))]


VALUES = {
    "a zero": lambda a: (_finite(a) == 0).any(),
    "something negative": lambda a: (_finite(a) < 0).any(),
    "something above 1": lambda a: (_finite(a) > 1).any(),
    "a fraction": lambda a: (_finite(a) != np.rint(_finite(a))).any(),
}
"""Of each array of numbers that are measured."""

CLASSES = {
    "more than ten classes": lambda a: a.size and a.max() >= 10,
    "classes of different size": lambda a: a.size and len(set(np.bincount(a))) > 1,
    "more than 255 of one class": lambda a: a.size and np.bincount(a).max() > 255,
    "uint8 whose products wrap": lambda a: a.dtype == np.uint8 and a.size and a.max() >= 16,
}
"""Of each array of labels."""

NUMBERS = {
    "1": lambda n: n == 1,
    "an even number": lambda n: n % 2 == 0,
    "an odd number above 1": lambda n: n % 2 == 1 and n > 1,
}
"""Of each argument that is a whole number."""


def _arrays(entries):
    return all(isinstance(entry, np.ndarray) for entry in entries)


LISTS = {
    "a single array": lambda arrays: len(arrays) == 1,
    "one array twice": lambda arrays: len(set(map(id, arrays))) < len(arrays),
}
"""Of each argument that is a list of arrays."""


def _nearly_equal(train, validation):
    near = np.isclose(validation[:, None], train[None]).all(axis=(2, 3))
    return (near & (validation[:, None] != train[None]).any(axis=(2, 3))).any()


OWN = {
    "leaked_images": {"images that are nearly equal, and not quite": _nearly_equal},
    "nearest_mean": {
        "classes whose sums leave the images' type": lambda train, labels, images, classes: (
            train.dtype == np.uint8
            and max(train[labels == k].sum(axis=0, dtype=int).max() for k in range(classes)) > 255
        )
    },
}
"""Of all arguments of one exercise together, by what its answer turns on."""

LABELS = {"train_labels", "labels", "predictions"}

# By exercise and argument or axis: what cannot come, and why.
ONE_CLASS = "with one class there is nothing to choose, and no loss"
TOO_MANY = "the counts of a class play no part, only each image's own"
SHARE = "no accuracy lies below 0"
PROBABILITIES = "rows of probabilities come out of a softmax and sum to 1"
UNIT_RANGE = "the images go from 0 to 1"
AN_INSIDE = "padding is told from the inside, which images of one row do not have"
EXCLUDED = {
    ("nearest_mean", "train_labels"): {"more than 255 of one class": TOO_MANY},
    ("nearest_mean", "num_classes"): {"1": ONE_CLASS},
    ("nearest_mean", "n"): {"an axis of length 1": ONE_CLASS},
    ("confusion_matrix", "num_classes"): {"1": ONE_CLASS},
    ("softmax_cross_entropy", "k"): {"an axis of length 1": ONE_CLASS},
    ("softmax_cross_entropy", "labels"): {
        "more than 255 of one class": TOO_MANY,
    },
    ("repair_double_softmax", "k"): {"an axis of length 1": ONE_CLASS},
    ("repair_double_softmax", "labels"): {
        "more than 255 of one class": TOO_MANY,
    },
    ("repair_double_softmax", "probabilities"): {
        "a zero": PROBABILITIES,
        "something negative": PROBABILITIES,
        "something above 1": PROBABILITIES,
    },
    ("repair_flatten_head", "k"): {"an axis of length 1": ONE_CLASS},
    ("repair_shifted_labels", "labels"): {
        "more than 255 of one class": TOO_MANY,
    },
    ("repair_shifted_labels", "n"): {"an axis of length 1": "one image is broken, one stays"},
    ("read_ablation", "accuracies"): {"something negative": SHARE},
    ("read_ablation", "factors"): {"something negative": "an interval has two ends"},
    ("read_ablation", "m"): {"an axis of length 1": "one row has nothing beside it"},
    ("read_ablation", "n"): {"an axis of length 1": "one seed has no spread"},
    ("read_ablation", "e"): {"an axis of length 1": "a statement is three numbers"},
    ("read_ablation", "l"): {"an axis of length 1": "its first entry is for no statement"},
    ("find_fault", "images"): {
        "something negative": UNIT_RANGE,
        "something above 1": UNIT_RANGE,
    },
    ("find_fault", "h"): {"an axis of length 1": AN_INSIDE},
    ("find_fault", "w"): {"an axis of length 1": AN_INSIDE},
    ("find_fault", "c"): {"an axis of length 1": "one channel has no order"},
    ("repair_learning_rate", "rates"): {
        "a zero": "a learning rate of 0 learns nothing",
        "something negative": "a negative rate climbs",
    },
    ("repair_learning_rate", "losses"): {
        "a zero": "no loss of a network is 0",
        "something negative": "no loss is negative",
    },
    ("choose_rate", "rates"): {
        "a zero": "a learning rate of 0 learns nothing",
        "something negative": "a negative rate climbs",
    },
    ("choose_rate", "losses"): {
        "a zero": "no loss of a network is 0",
        "something negative": "no loss is negative",
    },
    ("choose_rate", "n"): {"an axis of length 1": "a run breaks behind the first rate"},
    ("merge_convolutions", "p"): {"a longer axis": "the first convolution is 1×1"},
    ("merge_convolutions", "q"): {"a longer axis": "the first convolution is 1×1"},
    ("worth_switching", "old"): {"something negative": SHARE},
    ("worth_switching", "new"): {"something negative": SHARE},
    ("worth_switching", "n"): {"an axis of length 1": "one pair has no spread"},
}
# A variance is never negative, and a gamma, an epsilon or a count of nothing is no layer.
POSITIVE = ("variance", "variances", "moving_variance", "counts", "gamma")


def _columns(exercise):
    for place, name in enumerate(exercise.arguments):
        yield name, [case[place] for case in exercise.inputs]


def _wanted_properties(exercise):
    """(argument, property, whether an input has it)."""
    for name, values in _columns(exercise):
        arrays = [one for one in values if isinstance(one, np.ndarray) and one.dtype.kind in "iuf"]
        if name in LABELS and arrays:
            for said, has in CLASSES.items():
                yield name, said, any(has(one) for one in arrays)
        elif any(one.dtype.kind == "f" for one in arrays):
            for said, has in VALUES.items():
                if name in POSITIVE and said in ("a zero", "something negative"):
                    continue
                yield name, said, any(has(one) for one in arrays)
            yield name, "float32", any(one.dtype == np.float32 for one in arrays)
            yield name, "float64", any(one.dtype == np.float64 for one in arrays)
        elif all(type(one) is int for one in values):
            for said, has in NUMBERS.items():
                yield name, said, any(has(one) for one in values)
        elif all(isinstance(one, bool) for one in values):
            yield name, "True and False", len(set(values)) == 2
        elif all(isinstance(one, str) for one in values):
            yield name, "each of its texts", len(set(values)) >= 2
        elif all(isinstance(one, list) and _arrays(one) for one in values):
            for said, has in LISTS.items():
                yield name, said, any(has(one) for one in values)
    for said, holds in OWN.get(exercise.name, {}).items():
        yield "all", said, any(holds(*case) for case in exercise.inputs)
    lengths = {}
    for name, values in _columns(exercise):
        for axis, letter in enumerate(exercise.axes.get(name, "")):
            lengths.setdefault(letter, [one.shape[axis] for one in values if np.ndim(one) > axis])
    for letter, found in lengths.items():
        yield letter, "an axis of length 1", 1 in found
        yield letter, "a longer axis", max(found) > 1
    for one, other in (("h", "w"), ("y", "x")):
        if one in lengths and other in lengths:
            pairs = list(zip(lengths[one], lengths[other], strict=True))
            yield one + other, "a square", any(a == b for a, b in pairs)
            yield one + other, "more rows than columns", any(a > b for a, b in pairs)
            yield one + other, "more columns than rows", any(a < b for a, b in pairs)


@pytest.mark.parametrize("exercise", NUMERIC, ids=lambda exercise: exercise.name)
def test_every_property_is_covered_or_excluded_by_the_text(exercise):
    missing = []
    for name, said, held in _wanted_properties(exercise):
        excluded = EXCLUDED.get((exercise.name, name), {})
        if not held and said not in excluded:
            missing.append(f"{name}: {said}")
        assert not (held and said in excluded), f"{name}: {said} is covered, and called excluded"
    assert missing == []
