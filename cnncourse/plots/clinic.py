"""Figures of the clinic: loss curves beside the line that tells, and the signal through the layers.

Which fault a curve belongs to is the lesson's affair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from cnncourse.plots import style

_COLOURS = (style.VERMILION, style.BLUE, style.GREEN, style.PURPLE)
_LINES = tuple(zip((style.BLUE, style.GREEN, style.VERMILION, style.PURPLE), "os^D", strict=True))


def losses(
    curves: Mapping[str, Sequence[float]],
    *,
    marks: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Training losses by epoch, with named levels as dashed lines.

    Args:
        curves: for each name the loss after each epoch.
        marks: for each name a level of the loss.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    ax = ax or plt.subplots(figsize=(6.4, 3))[1]
    for colour, (name, values) in zip(_COLOURS, curves.items(), strict=False):
        ax.plot(range(1, len(values) + 1), values, "o-", color=colour, label=name)
    for name, level in (marks or {}).items():
        ax.axhline(level, color=style.INK, linewidth=1, linestyle="--", label=name)
    top = max(max(values) for values in curves.values())
    longest = max(len(values) for values in curves.values())
    ax.set(xlabel="epoch", ylabel="training loss", ylim=(0, 1.08 * top))
    ax.set_xticks(range(1, longest + 1))
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return ax


def spread_by_layer(signal: Mapping[str, Sequence[float]], *, ax: Axes | None = None) -> Axes:
    """How far the outputs of each layer spread, on a logarithmic axis.

    Args:
        signal: for each name the standard deviations, one a layer, above 0.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    ax = ax or plt.subplots(figsize=(6.4, 3))[1]
    longest = max(len(values) for values in signal.values())
    for (colour, marker), (name, values) in zip(_LINES, signal.items(), strict=False):
        ax.plot(range(1, len(values) + 1), values, color=colour, marker=marker, label=name)
    ax.set(xlabel="convolution", ylabel="standard deviation of its outputs", yscale="log")
    ax.set_xticks(range(1, longest + 1))
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return ax
