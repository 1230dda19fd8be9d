"""Figures of ablation: what taking out each part does, with intervals, and what it saves.

The differences and their intervals are computed in the lesson.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from cnncourse.plots import style

_COLOURS = {"simple_CNN": style.BLUE, "simpler_CNN": style.VERMILION}
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5)


def differences(
    rows: Mapping[str, Mapping[str, tuple[float, float, float]]], *, wider: str = "together"
) -> np.ndarray:
    """Differences to the unchanged network with two intervals each, one panel for each network.

    Args:
        rows: for each network, by the name of the change, the difference of the accuracies,
            half the width of its interval alone, and half that of one that holds together
            with all others; fractions.
        wider: what the second interval is called in the legend.

    Returns:
        The axes, shape (networks,).
    """
    counts = [len(changes) for changes in rows.values()]
    axes = plt.subplots(
        len(rows),
        1,
        figsize=(7, 0.9 + 0.34 * sum(counts) + 0.5 * len(rows)),
        gridspec_kw={"height_ratios": counts},
        squeeze=False,
        sharex=True,
        layout="constrained",
    )[1]
    for ax, (network, changes) in zip(axes[:, 0], rows.items(), strict=True):
        middle, alone, together = 100 * np.array(list(changes.values())).T
        places = np.arange(len(changes))
        ax.hlines(
            places, middle - together, middle + together, color=style.GREY, linewidth=1, label=wider
        )
        ax.errorbar(
            middle,
            places,
            xerr=alone,
            fmt="o",
            color=_COLOURS[network],
            linewidth=3,
            label="this one alone",
        )
        ax.axvline(0, color=style.INK, linewidth=1, linestyle="--")
        ax.set(yticks=places, yticklabels=list(changes), title=network)
        ax.invert_yaxis()
    axes[0, 0].legend(loc="upper left", bbox_to_anchor=(1, 1))
    axes[-1, 0].set(
        xlabel="accuracy minus that of the network as it is, dropout off, in percentage points"
    )
    return axes[:, 0]


def costs(
    ratios: Mapping[str, Mapping[str, tuple[float, float]]], *, ax: Axes | None = None
) -> Axes:
    """What training costs over what the multiply-accumulates say, both against the network's own.

    Args:
        ratios: for each network, by the name of the change, the multiply-accumulates and the
            processor's time, each divided by that of the unchanged network.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes, both logarithmic; on the dashed line time goes with the arithmetic. Changes near
        to 1 on both have no names.
    """
    ax = ax or plt.subplots(figsize=(6, 4.6))[1]
    every = np.array([pair for changes in ratios.values() for pair in changes.values()])
    ends = [0.8 * every.min(), 1.25 * every.max()]
    ax.plot(ends, ends, color=style.INK, linewidth=1, linestyle="--", label="in proportion")
    for network, changes in ratios.items():
        macs, time = np.array(list(changes.values())).T
        ax.plot(macs, time, "o", color=_COLOURS[network], label=network)
        far = sorted((place, name) for name, place in changes.items() if _is_far(place))
        for number, (place, name) in enumerate(far):
            above = 8 if number % 2 else -16  # in turn, as neighbors may lie close
            ax.annotate(name, place, (0, above), textcoords="offset points", ha="center")
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="multiply-accumulates, as a multiple of the unchanged network's",
        ylabel="processor time of a training step,\nas a multiple of the unchanged network's",
    )
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
        axis.set_ticks([], minor=True)
    ax.set(xlim=(ends[0] / 1.5, ends[1] * 2), ylim=(ends[0] / 1.5, ends[1] * 1.5))
    ax.legend(loc="upper left")
    return ax


def _is_far(place: tuple[float, float]) -> bool:
    """Whether a change is far enough from the unchanged network for its name to be legible."""
    return max(place) > 1.3 or min(place) < 0.6
