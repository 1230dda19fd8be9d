"""Figures of batch normalization: ranges of maps, learning with and without, moments over steps.

The normalization itself stands in ``cnncourse.ops``; nothing is computed or trained here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from cnncourse.plots import style


def signal_by_layer(
    spreads: Mapping[str, Sequence[float]],
    gradients: Mapping[str, Sequence[float]],
    *,
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    """Spread of activations and of gradients, layer by layer, on logarithmic axes.

    Args:
        spreads: for each name the standard deviation behind each layer, from the first on.
        gradients: for the same names that of the gradients at the same places.
        axes: two axes to draw on; a new figure if left out.

    Returns:
        The two axes: activations, gradients.
    """
    if axes is None:
        _, axes = plt.subplots(1, 2, figsize=(7, 3.4))
    axes = np.asarray(axes)
    titles = ("activations, on the way forward", "gradients, on the way back")
    for ax, curves, title in zip(axes, (spreads, gradients), titles, strict=True):
        looks = zip("os^Dx", ("-", "-", "-", "--", ":"), strict=True)
        for (name, values), (marker, line) in zip(curves.items(), looks, strict=False):
            layer = range(1, len(values) + 1)
            ax.plot(layer, values, marker=marker, markersize=4, linestyle=line, label=name)
        ax.set(yscale="log", xlabel="layer", ylabel="standard deviation", title=title)
        ax.set_xticks(layer)
        ax.grid(axis="y")
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return axes


def channel_ranges(
    maps: Mapping[str, np.ndarray], *, axes: Sequence[Axes] | np.ndarray | None = None
) -> np.ndarray:
    """Between which values the middle nine tenths of each channel lie, and its mean.

    Args:
        maps: for each title an array (batch, height, width, channels).
        axes: one axes for each array; a new figure if left out.

    Returns:
        The axes, one for each array, each with its own scale.
    """
    if axes is None:
        rows = -(-len(maps) // 2)
        _, axes = plt.subplots(rows, min(2, len(maps)), figsize=(7, 0.5 + 2.4 * rows))
    axes = np.atleast_1d(np.asarray(axes)).ravel()
    for ax, (title, values) in zip(axes, maps.items(), strict=True):
        low, high = np.percentile(values, (5, 95), axis=(0, 1, 2))
        channel = np.arange(values.shape[-1])
        ax.vlines(channel, low, high, color=style.SKY, linewidth=5, label="middle 90 %")
        mean = values.mean(axis=(0, 1, 2))
        ax.plot(channel, mean, "o", color=style.INK, markersize=4, label="mean")
        ax.axhline(0, color=style.GREY, linewidth=0.8, zorder=0)
        ax.set(title=title, xlabel="channel", ylabel="activation")
        ax.set_xticks(channel[:: max(1, len(channel) // 8)])
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return axes


def learning_grid(
    rates: Sequence[float],
    batch_sizes: Sequence[int],
    accuracies: Mapping[str, np.ndarray],
    *,
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    """Accuracy for each learning rate and batch size, one panel for each network.

    Args:
        rates: learning rates, the columns.
        batch_sizes: the rows.
        accuracies: for each title an array (batch sizes, rates) of fractions.
        axes: one axes for each title; a new figure if left out.

    Returns:
        The axes, one for each title, with one colour scale for all.
    """
    if axes is None:
        rows = len(batch_sizes)
        _, axes = plt.subplots(
            len(accuracies), 1, figsize=(7, len(accuracies) * (0.9 + 0.4 * rows))
        )
    axes = np.atleast_1d(np.asarray(axes))
    for ax, (title, values) in zip(axes, accuracies.items(), strict=True):
        picture = ax.imshow(values, cmap=style.SEQUENTIAL, vmin=0, vmax=1, aspect="auto")
        for (row, column), value in np.ndenumerate(values):
            colour = "white" if value < 0.55 else "black"
            ax.text(column, row, f"{value:.0%}", ha="center", va="center", color=colour, fontsize=9)
        ax.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
        ax.set_yticks(range(len(batch_sizes)), [str(size) for size in batch_sizes])
        ax.set(title=title, xlabel="learning rate", ylabel="batch size")
        ax.spines[:].set_visible(False)
    bar = axes[0].figure.colorbar(picture, ax=list(axes), label="accuracy in per cent")
    bar.set_ticks([0, 0.5, 1], labels=["0", "50", "100"])
    return axes


def moments_over_steps(
    true: tuple[Sequence[float], Sequence[float]],
    moving: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    """Moving mean and variance of one channel over the steps of training, beside the true ones.

    Args:
        true: means and variances of the channel, one for each step, from step 0 on.
        moving: for each name the moving means and the moving variances at the same steps.
        axes: two axes to draw on; a new figure if left out.

    Returns:
        The two axes: mean, variance.
    """
    if axes is None:
        _, axes = plt.subplots(1, 2, figsize=(7, 3.1))
    axes = np.asarray(axes)
    for ax, place, name in zip(axes, (0, 1), ("mean", "variance"), strict=True):
        steps = range(len(true[place]))
        ax.plot(steps, true[place], color=style.INK, label="true")
        dashes = ("--", "-.", ":")
        for (label, moments), dash in zip(moving.items(), dashes, strict=False):
            ax.plot(steps, moments[place], linestyle=dash, label=label)
        ax.set(xlabel="step", ylabel=name)
        ax.grid(axis="y")
    axes[1].set_ylim(bottom=0)
    axes[0].legend()
    return axes


def accuracy_over_epochs(
    accuracies: Mapping[str, Sequence[float]], *, ax: Axes | None = None
) -> Axes:
    """Several accuracies after each epoch.

    Args:
        accuracies: for each name one accuracy, a fraction, for each epoch from 1 on.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots()
    for (name, values), marker in zip(accuracies.items(), "os^Dv", strict=False):
        epochs = range(1, len(values) + 1)
        ax.plot(epochs, 100 * np.asarray(values), marker=marker, label=name)
        ax.set_xticks(epochs)
    ax.set(xlabel="epoch", ylabel="accuracy in per cent", ylim=(0, 100))
    ax.grid(axis="y")
    ax.legend()
    return ax
