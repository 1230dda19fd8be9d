"""Figures of deployment: errors of quantized weights, sums that overflow, times in each runtime.

What is measured, and where, is the lesson's affair.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from cnncourse.plots import style

_SERIES = tuple(zip((style.VERMILION, style.BLUE, style.GREEN), "os^", strict=True))


def filter_errors(
    errors: Mapping[str, np.ndarray], bound: float, *, ax: Axes | None = None
) -> Axes:
    """The largest error of each filter's weights, on a logarithmic axis.

    Args:
        errors: for each way to quantize one number a filter, above 0, as a fraction of the
            filter's largest weight.
        bound: a fraction that is drawn as a line.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    ax = ax or plt.subplots(figsize=(6.4, 3))[1]
    for (colour, marker), (name, values) in zip(_SERIES, errors.items(), strict=False):
        ax.plot(range(len(values)), 100 * values, marker, color=colour, label=name)
    ax.axhline(100 * bound, color=style.INK, linewidth=1, linestyle="--")
    ax.set(
        yscale="log", xlabel="filter", ylabel="largest error, in per cent\nof the largest weight"
    )
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return ax


def sums(values: Mapping[str, np.ndarray], limit: int, *, ax: Axes | None = None) -> Axes:
    """How often sums have which size, and between which limits they fit.

    Args:
        values: for each name whole numbers, any shape.
        limit: the largest number that fits, drawn on both sides of 0.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    ax = ax or plt.subplots(figsize=(6.4, 3))[1]
    most = max(limit, *(int(np.abs(each).max()) for each in values.values()))
    edges = np.linspace(-1.05 * most, 1.05 * most, 81).tolist()
    for (colour, _), (name, each) in zip(_SERIES, values.items(), strict=False):
        ax.hist(each.ravel(), edges, histtype="step", color=colour, linewidth=1.5, label=name)
    for side in (-limit, limit):
        ax.axvline(side, color=style.INK, linewidth=1, linestyle="--")
    ax.set(yscale="log", xlabel="sum of two products", ylabel="how often")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return ax


def times(milliseconds: Mapping[str, Mapping[str, float]], *, ax: Axes | None = None) -> Axes:
    """Times of several programs as marks in a row for each, on a logarithmic axis.

    Args:
        milliseconds: for each series, by the program's name, the milliseconds for one image.
            A series may lack programs.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    names = list(dict.fromkeys(name for series in milliseconds.values() for name in series))
    ax = ax or plt.subplots(figsize=(6.4, 0.8 + 0.35 * len(names)))[1]
    for (colour, marker), (label, series) in zip(_SERIES, milliseconds.items(), strict=False):
        rows = [names.index(name) for name in series]
        ax.plot(list(series.values()), rows, marker, color=colour, label=label, clip_on=False)
    ax.set(
        xscale="log",
        xlabel="milliseconds for one image",
        yticks=range(len(names)),
        yticklabels=names,
        ylim=(len(names) - 0.5, -0.5),
    )
    ax.grid(axis="y", linestyle=":")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return ax
