"""Figures of evaluation: how accuracies scatter, which classes are confused, how sure is sure.

The statistics themselves stand in the lesson and its exercise; images with answers are drawn in
``networks``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from cnncourse.plots import style

_COLOURS = (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE)


def scatter_of_samples(
    accuracies: Mapping[int, np.ndarray], truth: float, *, ax: Axes | None = None
) -> Axes:
    """Accuracies of random test sets, one row of dots for each size of the test set.

    Args:
        accuracies: for each number of images the accuracies of many samples of that size,
            fractions, shape (samples,).
        truth: the accuracy over all images, drawn as a line.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    ax = ax or plt.subplots(figsize=(7, 2.8))[1]
    rng = np.random.default_rng(0)
    for row, (colour, (size, values)) in enumerate(zip(_COLOURS, accuracies.items(), strict=False)):
        heights = row + rng.uniform(-0.28, 0.28, len(values))
        ax.plot(100 * values, heights, ".", color=colour, markersize=4, alpha=0.6, label=str(size))
    ax.axvline(100 * truth, color=style.INK, linewidth=1, linestyle="--")
    ax.set(
        yticks=range(len(accuracies)),
        yticklabels=[f"{size:,} images" for size in accuracies],
        xlabel="accuracy of the sample, in per cent",
    )
    return ax


def coverage(
    truths: np.ndarray, shares: Mapping[str, np.ndarray], level: float, *, ax: Axes | None = None
) -> Axes:
    """How often an interval holds the truth, over true accuracies.

    Args:
        truths: true accuracies, fractions, shape (n,).
        shares: for each kind of interval the share of samples whose interval held the truth.
        level: the share that is promised.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    ax = ax or plt.subplots(figsize=(7, 3))[1]
    for colour, (name, values) in zip(_COLOURS, shares.items(), strict=False):
        ax.plot(100 * truths, 100 * values, color=colour, label=name)
    ax.axhline(100 * level, color=style.INK, linewidth=1, linestyle="--", label="promised")
    ax.set(
        xlabel="true accuracy, in per cent",
        ylabel="intervals that hold it,\nin per cent",
        ylim=(0, 104),
    )
    ax.legend(loc="lower left")
    return ax


def seeds(
    runs: Mapping[str, Sequence[tuple[float, float, float]]], *, ax: Axes | None = None
) -> Axes:
    """Accuracy of several runs of each network, each with an interval.

    Args:
        runs: for each network one (low, accuracy, high) for each seed, fractions.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    ax = ax or plt.subplots(figsize=(7, 2.8))[1]
    for row, (colour, (name, values)) in enumerate(zip(_COLOURS, runs.items(), strict=False)):
        low, middle, high = 100 * np.asarray(values, float).T
        heights = row + np.linspace(-0.22, 0.22, len(middle))
        ax.errorbar(
            middle,
            heights,
            xerr=[middle - low, high - middle],
            fmt="o",
            color=colour,
            capsize=3,
            label=name,
        )
        for seed, (x, y) in enumerate(zip(high, heights, strict=True)):
            ax.annotate(f"seed {seed}", (x, y), (4, 0), textcoords="offset points", va="center")
    ax.set(
        yticks=range(len(runs)),
        yticklabels=list(runs),
        ylim=(-0.6, len(runs) - 0.4),
        xlabel="test accuracy, in per cent",
    )
    ax.margins(x=0.14)
    return ax


def confusion(matrix: np.ndarray, class_names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """A confusion matrix with its counts; mistakes are shaded by how many there are.

    Args:
        matrix: counts, shape (classes, classes); rows are true labels.
        class_names: by label.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    ax = ax or plt.subplots(figsize=(6.4, 5.6))[1]
    mistakes = np.where(np.eye(len(matrix), dtype=bool), 0, matrix)
    ax.imshow(mistakes, cmap="Oranges", vmax=max(1, 1.6 * mistakes.max()))
    for row, column in np.ndindex(matrix.shape):
        if matrix[row, column]:
            ax.text(column, row, f"{matrix[row, column]}", ha="center", va="center")
    places = range(len(matrix))
    ax.set(xlabel="answer of the network", ylabel="true class", yticks=places)
    ax.set_xticks(places, class_names, rotation=45, ha="right")
    ax.set_yticklabels(class_names)
    return ax


def reliability(
    bins: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]], *, ax: Axes | None = None
) -> Axes:
    """How often a network is right when it is so sure: the diagonal is honest.

    Args:
        bins: for each network the mean probability of the answers in each bin, the share of
            right ones among them, both fractions of shape (bins,), and how many they are.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    ax = ax or plt.subplots(figsize=(4.8, 4.4))[1]
    ax.plot([0, 100], [0, 100], color=style.INK, linewidth=1, linestyle="--", label="honest")
    for colour, (name, (sure, right, counts)) in zip(_COLOURS, bins.items(), strict=False):
        ax.plot(100 * sure, 100 * right, color=colour, label=name)
        ax.scatter(100 * sure, 100 * right, 12 + counts / 4, color=colour, alpha=0.8)
    ax.set(
        xlabel="probability of the answer, in per cent",
        ylabel="right answers, in per cent",
        xlim=(20, 103),
        ylim=(0, 103),
    )
    ax.legend(loc="upper left")
    return ax
