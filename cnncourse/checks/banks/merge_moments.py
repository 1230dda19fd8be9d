"""``merge_moments`` of lesson 04, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _merge_moments(counts, means, variances):
    counts, means, variances = (np.asarray(a, float) for a in (counts, means, variances))
    shares = (counts / counts.sum())[:, None]
    mean = (shares * means).sum(axis=0)
    return mean, (shares * (variances + (means - mean) ** 2)).sum(axis=0)


def _merge_moments_cases() -> Iterator[tuple]:
    yield np.array([2, 2]), np.array([[1.0], [5.0]]), np.array([[1.0], [3.0]])
    yield np.array([1, 3]), np.array([[0.0], [4.0]]), np.array([[0.0], [4.0]])
    yield np.array([10]), np.array([[3.0, 7.0]]), np.array([[2.0, 0.5]])
    rng = np.random.default_rng(27)
    for batches, channels in [(2, 3), (5, 2), (4, 1)]:
        yield (
            rng.integers(1, 40, size=batches),
            rng.normal(2, 2, size=(batches, channels)),
            rng.uniform(0.5, 3, size=(batches, channels)),
        )
    yield (
        np.array([3, 5]),
        rng.normal(0, 2, (2, 3)).astype(np.float32),
        rng.uniform(0.5, 3, (2, 3)).astype(np.float32),
    )


BANK = Bank(
    "merge_moments",
    "04",
    _merge_moments,
    _merge_moments_cases,
    Values(("mean", "variance")),
    axes={"counts": "n", "means": "nc", "variances": "nc", "mean": "c", "variance": "c"},
)
BANK.help(
    idea=(
        "Values are spread around the mean of their batch, and the means of the batches are spread "
        "around the common mean."
    ),
    section="One layer, by hand",
    step=(
        "First the common mean, each batch weighed by its count. Then, for each batch, its "
        "variance and the squared distance of its mean, weighed in the same way."
    ),
)


@BANK.mistake(
    "Each batch seems to count alike. A batch with more values has more to say: weigh by counts."
)
def batches_count_alike(counts, means, variances):
    return _merge_moments(np.ones(len(means)), means, variances)


@BANK.mistake(
    "The variance seems to be the mean of the batches' variances. That forgets that the batches "
    "lie around different means: values of two batches are further apart than those of one."
)
def spread_between_batches_forgotten(counts, means, variances):
    mean, _ = _merge_moments(counts, means, variances)
    return mean, _merge_moments(counts, variances, variances)[0]


@BANK.mistake(
    "The variance seems to be the spread of the batches' means alone. The values inside each batch "
    "are spread, too."
)
def spread_inside_forgotten(counts, means, variances):
    return _merge_moments(counts, means, np.zeros(np.shape(variances)))


@BANK.mistake("The variances seem to be added up whole. They are means, and count by their shares.")
def variances_added_up(counts, means, variances):
    mean, between = _merge_moments(counts, means, np.zeros(np.shape(variances)))
    return mean, np.sum(variances, axis=0) + between


@BANK.mistake(
    "Between the batches the distances of the means seem to be added without a square. A variance "
    "is made of squares."
)
def distances_without_a_square(counts, means, variances):
    mean, within = spread_between_batches_forgotten(counts, means, variances)
    return mean, within + _merge_moments(counts, np.abs(means - mean), variances)[0]


@BANK.mistake(
    "The distances of the means seem to be taken from 0 and not from the common mean: the mean of "
    "the squares is there, and the square of the mean is not taken off."
)
def square_of_the_mean_not_taken_off(counts, means, variances):
    mean, variance = _merge_moments(counts, means, variances)
    return mean, variance + mean**2


@BANK.mistake(
    "A standard deviation seems to come out. Wanted is the variance, as batch normalization keeps "
    "it."
)
def deviation_for_variance(counts, means, variances):
    mean, variance = _merge_moments(counts, means, variances)
    return mean, np.sqrt(variance)


@BANK.mistake(
    "The variance seems to be divided by the number of all values less one. The batches divided by "
    "their number of values; so does the whole."
)
def divided_by_one_less(counts, means, variances):
    mean, variance = _merge_moments(counts, means, variances)
    total = np.sum(counts)
    return mean, variance * total / (total - 1)


@BANK.mistake(
    "All channels seem to be merged into one. Each channel keeps a mean and a variance of its own."
)
def channels_merged(counts, means, variances):
    mean, variance = _merge_moments(counts, means, variances)
    return mean.mean(keepdims=True), variance.mean(keepdims=True)
