"""Figures of pooling: shrunken images, windows over the edge, shifts, heads, dropout.

The pooling itself stands in ``cnncourse.ops``; what a whole network does is drawn elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cnncourse import ops
from cnncourse.plots import style


def shrunk(
    maps: Mapping[str, np.ndarray],
    *,
    columns: int = 5,
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    """Maps of any sizes side by side, drawn equally large and with one grey scale for all.

    Args:
        maps: for each title an array (height, width); the size is added to the title.
        columns: panels in a row.
        axes: at least as many axes as maps; a new figure if left out.

    Returns:
        The axes, in one row; those without a map are off.
    """
    if axes is None:
        rows = -(-len(maps) // columns)
        _, grid = plt.subplots(rows, columns, figsize=(7, rows * (0.45 + 6.6 / columns)))
        axes = np.asarray(grid).ravel()
    axes = np.asarray(axes)
    least = min(float(np.min(values)) for values in maps.values())
    largest = max(float(np.max(values)) for values in maps.values())
    for ax in axes:
        ax.axis("off")
    for ax, (title, values) in zip(axes, maps.items(), strict=False):
        ax.imshow(values, vmin=least, vmax=largest)
        ax.set_title(f"{title}\n{values.shape[0]} × {values.shape[1]}", fontsize=9)
    return axes


def same_windows(
    image: np.ndarray, pool_size: int, *, axes: Sequence[Axes] | np.ndarray | None = None
) -> np.ndarray:
    """The windows of average pooling with ``same`` padding, and the mean that each one gives.

    Args:
        image: shape (height, width), numbers of at most three digits.
        pool_size: side of the window, and its step.
        axes: two axes to draw on; a new figure if left out.

    Returns:
        The two axes: the image with its padding and windows; the means, each with the number of
        pixels that it was taken over.
    """
    if axes is None:
        _, axes = plt.subplots(1, 2, figsize=(7, 3.8), width_ratios=[1.15, 1])
    before, after = zip(
        *(ops.same_padding(size, pool_size, pool_size) for size in image.shape), strict=True
    )
    top, left = before
    _draw_numbers(axes[0], image)
    for row in range(-top, image.shape[0] + after[0]):
        for column in range(-left, image.shape[1] + after[1]):
            if not (0 <= row < image.shape[0] and 0 <= column < image.shape[1]):
                place = Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, hatch="////")
                axes[0].add_patch(place).set(edgecolor=style.GREY, linewidth=0)

    ones = np.ones((1, *image.shape, 1))
    means = ops.average_pool2d(image[None, :, :, None] * ones, pool_size, padding="same")
    # With equal shares, one pixel's share of its window is 1 / (pixels in the window).
    share = ops.average_pool2d_backward(np.ones_like(means), ones, pool_size, padding="same")
    share = ops.max_pool2d(share, pool_size, padding="same")
    means, pixels = means[0, :, :, 0], np.rint(1 / share[0, :, :, 0]).astype(int)
    for row, column in np.ndindex(means.shape):
        corner = (column * pool_size - left - 0.5, row * pool_size - top - 0.5)
        frame = Rectangle(corner, pool_size, pool_size, fill=False)
        axes[0].add_patch(frame).set(edgecolor=style.ORANGE, linewidth=2)
    axes[0].set(
        xlim=(-left - 0.7, image.shape[1] + after[1] - 0.3),
        ylim=(image.shape[0] + after[0] - 0.3, -top - 0.7),
        xlabel="column",
        ylabel="row",
        title="windows; hatched: padding",
    )

    axes[1].imshow(means, vmin=0, vmax=max(255, image.max()))
    for (row, column), mean in np.ndenumerate(means):
        text = f"{mean:.1f}\nof {pixels[row, column]}"
        colour = "white" if mean < 128 else "black"
        axes[1].text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    axes[1].set(xlabel="column", ylabel="row", title="mean, and of how many pixels")
    axes[1].set(xticks=range(means.shape[1]), yticks=range(means.shape[0]))
    for ax in axes:
        ax.spines[:].set_visible(False)
    return np.asarray(axes)


def pixel_weights(weights: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """How much each pixel counts, as a map with the number in each place.

    Args:
        weights: shape (height, width), from 0 to 1.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(4, 3.6))
    picture = ax.imshow(weights, cmap=style.SEQUENTIAL, vmin=0, vmax=1)
    for (row, column), weight in np.ndenumerate(weights):
        colour = "white" if weight < 0.55 else "black"
        ax.text(column, row, f"{weight:g}", ha="center", va="center", color=colour, fontsize=9)
    ax.figure.colorbar(picture, ax=ax, label="weight in the mean of its window")
    ax.set(xlabel="column", ylabel="row")
    ax.set(xticks=range(weights.shape[1]), yticks=range(weights.shape[0]))
    ax.spines[:].set_visible(False)
    return ax


def change_by_shift(
    shifts: Sequence[int], changes: Mapping[str, Sequence[float]], *, ax: Axes | None = None
) -> Axes:
    """How far maps change when the image under them is moved.

    Args:
        shifts: by how many pixels.
        changes: for each name one change, a fraction of the size of the map, for each shift.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots()
    for (name, values), marker in zip(changes.items(), "os^Dv", strict=False):
        ax.plot(shifts, 100 * np.asarray(values), marker=marker, label=name)
    ax.set(xlabel="image moved by (pixels)", ylabel="change of the map in per cent")
    ax.set_xticks(shifts)
    ax.set_ylim(bottom=0)
    ax.grid(axis="y")
    ax.legend()
    return ax


def head_parameters(
    sides: Sequence[int], counts: Mapping[str, Sequence[int]], *, ax: Axes | None = None
) -> Axes:
    """Parameters of several heads against the side of the image, on a logarithmic scale.

    Args:
        sides: sides of square images, in pixels.
        counts: for each name one number of parameters for each side.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots()
    for (name, values), marker in zip(counts.items(), "os^Dv", strict=False):
        ax.plot(sides, values, marker=marker, label=name)
    ax.set(xlabel="side of the image (pixels)", ylabel="parameters of the head", yscale="log")
    ax.set_xticks(sides)
    ax.grid(axis="y")
    ax.legend()
    return ax


def recognized(
    places: Sequence[int], shares: Mapping[str, Sequence[float]], *, ax: Axes | None = None
) -> Axes:
    """How often each way of pooling tells a window with a feature from one without.

    Args:
        places: in how many places of the window the feature stands.
        shares: for each name the share of pairs told apart, one for each of ``places``.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots()
    for (name, values), marker in zip(shares.items(), "os^Dv", strict=False):
        ax.plot(places, 100 * np.asarray(values), marker=marker, label=name)
    ax.axhline(50, color=style.INK, linestyle="--", linewidth=1.2, label="chance")
    ax.set(xscale="log", xlabel="places of the window that hold the feature")
    ax.set(ylabel="pairs told apart, in per cent", ylim=(45, 102))
    ax.set_xticks(places, [str(count) for count in places])
    ax.minorticks_off()
    ax.grid(axis="y")
    ax.legend()
    return ax


def running_means(
    draws: Mapping[str, Sequence[float]], target: float, *, ax: Axes | None = None
) -> Axes:
    """The mean of the first 1, 2, 3, … draws, beside the value that it should come to.

    Args:
        draws: for each name one number for each draw.
        target: the value without any draw.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots()
    for name, values in draws.items():
        count = np.arange(1, len(values) + 1)
        ax.plot(count, np.cumsum(values) / count, label=name)
    ax.axhline(target, color=style.INK, linestyle="--", linewidth=1.2, label="without dropout")
    ax.set(xlabel="draws so far", ylabel="mean of the map over the draws", xscale="log")
    ax.set_ylim(bottom=0)
    ax.grid(axis="y")
    ax.legend()
    return ax


def _draw_numbers(ax: Axes, image: np.ndarray) -> None:
    """An image with the number in every pixel."""
    ax.imshow(image, vmin=0, vmax=255)
    for (row, column), number in np.ndenumerate(image):
        colour = "white" if number < 128 else "black"
        ax.text(column, row, str(number), ha="center", va="center", color=colour, fontsize=9)
