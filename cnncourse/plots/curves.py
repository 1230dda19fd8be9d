"""Figures of training: how loss, accuracy and learning rate go, and how far seeds differ.

They draw a history or a log; how it came about belongs to ``cnncourse.training`` and the lesson.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from cnncourse.plots import style

_COLOURS = (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE)


def losses_by_step(
    curves: Mapping[str, Sequence[float]],
    *,
    marks: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Loss of each step on a logarithmic axis.

    Args:
        curves: for each name the losses, one a step.
        marks: named levels, drawn as dashed lines.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    ax = ax or plt.subplots(figsize=(7, 3))[1]
    for colour, (name, losses) in zip(_COLOURS, curves.items(), strict=False):
        ax.plot(range(1, len(losses) + 1), losses, color=colour, label=name)
    for name, level in (marks or {}).items():
        ax.axhline(level, color=style.INK, linewidth=1, linestyle="--", label=name)
    ax.set(xlabel="step", ylabel="loss of the batch", yscale="log")
    ax.legend()
    return ax


def range_test(
    rates: np.ndarray,
    losses: np.ndarray,
    *,
    smooth: np.ndarray | None = None,
    marks: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Loss against the learning rate of the step, while the rate is raised.

    Args:
        rates: one a step, (steps,), rising.
        losses: of the batches, (steps,).
        smooth: the losses smoothed, (steps,).
        marks: named learning rates, drawn as lines.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    ax = ax or plt.subplots(figsize=(7, 3.2))[1]
    ax.plot(rates, losses, ".", color=style.GREY, label="one batch")
    if smooth is not None:
        ax.plot(rates, smooth, color=style.BLUE, label="smoothed")
    for colour, (name, rate) in zip(_COLOURS[1:], (marks or {}).items(), strict=False):
        ax.axvline(rate, color=colour, linewidth=1.4, linestyle="--", label=name)
    ax.set(xlabel="learning rate of the step", ylabel="loss", xscale="log")
    ax.set_ylim(0, 1.5 * losses[0])
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return ax


def rates_by_step(curves: Mapping[str, Sequence[float]], *, ax: Axes | None = None) -> Axes:
    """Learning rates over the steps of a training.

    Args:
        curves: for each schedule its rates, one a step.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    ax = ax or plt.subplots(figsize=(7, 2.6))[1]
    for colour, (name, rates) in zip(_COLOURS, curves.items(), strict=False):
        ax.plot(range(len(rates)), rates, color=colour, label=name)
    ax.set(xlabel="step", ylabel="learning rate")
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax


def learning_curves(
    histories: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    epochs: int | None = None,
    marks: Mapping[str, float] | None = None,
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    """Accuracy on the training and on the validation part by epoch, one panel for each run.

    Args:
        histories: for each run ``accuracy`` and ``val_accuracy``, fractions, one an epoch.
        epochs: how far the axis reaches; as far as the runs if left out.
        marks: named places on the axis of epochs, drawn as lines in each panel.
        axes: as many axes as runs; a new figure with one row if left out.

    Returns:
        The axes.
    """
    if axes is None:
        width = 5.2 if len(histories) == 1 else 3.3 * len(histories) + 0.6
        _, axes = plt.subplots(
            1, len(histories), figsize=(width, 3.2), sharey=True, layout="constrained"
        )
    axes = np.atleast_1d(np.asarray(axes))
    for ax, (name, history) in zip(axes, histories.items(), strict=True):
        for key, label, form in (
            ("accuracy", "training", {"color": style.ORANGE, "linestyle": "--"}),
            ("val_accuracy", "validation", {"color": style.BLUE}),
        ):
            values = 100 * np.asarray(history[key])
            ax.plot(range(1, len(values) + 1), values, marker=".", label=label, **form)
        for label, place in (marks or {}).items():
            ax.axvline(place, color=style.INK, linewidth=1, linestyle=":", label=label)
        ax.set(xlabel="epoch", title=name)
        ax.set_xlim(0.5, (epochs or len(history["accuracy"])) + 0.5)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0].set_ylabel("accuracy, in per cent")
    axes[-1].legend(loc="lower right")
    return axes


def spread_of_seeds(
    measures: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    """What several seeds reached: one panel for each measure, one row of dots for each recipe.

    Args:
        measures: for each measure, whose name labels the axis, the values of each recipe, one a
            seed, from seed 0.
        axes: as many axes as measures; a new figure with one row if left out.

    Returns:
        The axes.
    """
    if axes is None:
        size = (3.6 * len(measures), 2.4)
        _, axes = plt.subplots(1, len(measures), figsize=size, sharey=True, layout="constrained")
    axes = np.atleast_1d(np.asarray(axes))
    for ax, (label, groups) in zip(axes, measures.items(), strict=True):
        for row, (colour, values) in enumerate(zip(_COLOURS, groups.values(), strict=False)):
            ax.plot(values, [row] * len(values), "o", color=colour)
            ax.plot(np.mean(values), row, "|", color=style.INK, markersize=22)
            for seed, value in enumerate(values):
                offset = (0, 7 + 10 * (seed % 2))
                ax.annotate(f"{seed}", (value, row), offset, textcoords="offset points")
        ax.set(xlabel=label, ylim=(-0.5, len(groups) - 0.3))
        ax.margins(x=0.15)
    axes[0].set_yticks(range(len(groups)), list(groups))
    return axes
