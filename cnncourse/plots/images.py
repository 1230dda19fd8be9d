"""Figures of images as arrays: pixels, channels, galleries, and how often a guess is right.

What happens inside a network is drawn in the modules named after its layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cnncourse.plots import style


def pixel_values(
    image: np.ndarray,
    *,
    top: int,
    left: int,
    size: int = 8,
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    """An image, and a magnified part of it with the number in every pixel.

    Args:
        image: shape (height, width), whole numbers from 0 to 255.
        top: first row of the part.
        left: first column of the part.
        size: rows and columns of the part.
        axes: two axes to draw on; a new figure if left out.

    Returns:
        The two axes: image, part.
    """
    if axes is None:
        _, axes = plt.subplots(1, 2, figsize=(7, 3.6), width_ratios=[1, 1.25])
    whole, part = axes
    whole.imshow(image, vmin=0, vmax=255, interpolation="antialiased")
    frame = Rectangle((left - 0.5, top - 0.5), size, size, fill=False)
    frame.set(edgecolor=style.ORANGE, linewidth=1.5)
    whole.add_patch(frame)
    whole.set(xlabel="column", ylabel="row", title=f"all {image.shape[0]} × {image.shape[1]}")

    crop = image[top : top + size, left : left + size]
    part.imshow(
        crop, vmin=0, vmax=255, extent=(left - 0.5, left + size - 0.5, top + size - 0.5, top - 0.5)
    )
    for (row, column), number in np.ndenumerate(crop):
        colour = "white" if number < 128 else "black"
        part.text(
            left + column,
            top + row,
            str(number),
            ha="center",
            va="center",
            color=colour,
            fontsize=9,
        )
    part.set(xlabel="column", ylabel="row", title="the framed part, number by number")
    for ax in (whole, part):
        ax.spines[:].set_visible(False)
    return np.array([whole, part])


def gallery(
    images: np.ndarray,
    titles: Sequence[str],
    *,
    columns: int = 5,
    limits: tuple[float, float] | None = None,
    diverging: bool = False,
) -> np.ndarray:
    """Pictures in a grid, each under its title.

    Args:
        images: shape (n, height, width), or (n, height, width, 3) in colour.
        titles: n strings.
        columns: pictures in a row.
        limits: the numbers that are drawn black and white in all pictures; if left out, each
            picture is drawn from its own least to its largest number.
        diverging: draw positive and negative numbers in two colours, with one scale for all
            pictures and a colour bar; ``limits`` does not count then.

    Returns:
        The axes, shape (rows, columns); those without a picture are off.
    """
    rows = -(-len(images) // columns)
    side = 6 / columns if diverging else 7 / columns  # the colour bar takes an inch
    _, axes = plt.subplots(rows, columns, figsize=(7, rows * (side + 0.22)), squeeze=False)
    low, high = limits or (None, None)
    scale: dict[str, Any] = {"vmin": low, "vmax": high}
    if diverging:
        high = np.abs(images).max()
        scale = {"vmin": -high, "vmax": high, "cmap": style.DIVERGING}
    for ax in axes.flat:
        ax.axis("off")
    for ax, image, title in zip(axes.flat, images, titles, strict=False):
        picture = ax.imshow(image, **scale)
        ax.set_title(title, fontsize=9)
    if diverging:
        axes.flat[0].figure.colorbar(picture, ax=axes, shrink=0.8, label="weight")
    return axes


def channels(photo: np.ndarray, *, axes: Sequence[Axes] | np.ndarray | None = None) -> np.ndarray:
    """A colour photograph and its three channels.

    Args:
        photo: uint8, shape (height, width, 3).
        axes: four axes to draw on; a new figure if left out.

    Returns:
        The four axes: photograph, red, green, blue.
    """
    if axes is None:
        _, axes = plt.subplots(1, 4, figsize=(7, 1.6))
    panels = [photo, *np.moveaxis(photo, -1, 0)]
    for ax, panel, title in zip(axes, panels, ("photo", "red", "green", "blue"), strict=True):
        ax.imshow(panel, vmin=0, vmax=255, interpolation="antialiased")
        ax.set_title(title)
        ax.axis("off")
    return np.asarray(axes)


def accuracies(
    intervals: Mapping[str, tuple[float, float, float]], *, ax: Axes | None = None
) -> Axes:
    """Accuracies with their intervals, one line each.

    Args:
        intervals: for each name the accuracy, and the lower and upper end of its interval, as
            fractions.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7, 0.6 + 0.45 * len(intervals)))
    for row, (accuracy, low, high) in enumerate(intervals.values()):
        ends = [100 * low, 100 * high]
        # Other caps would draw the interval longer than it is.
        ax.plot(ends, [row, row], color=style.GREY, linewidth=4, solid_capstyle="butt")
        ax.plot(100 * accuracy, row, "o", color=style.BLUE)
        ax.annotate(
            f"{100 * accuracy:.1f}",
            (100 * accuracy, row),
            (0, 8),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    ax.set_yticks(range(len(intervals)), list(intervals))
    ax.set(xlim=(0, 100), ylim=(len(intervals) - 0.5, -0.7), xlabel="accuracy in per cent")
    ax.grid(axis="x")
    return ax


def accuracy_by_shift(
    shifts: Sequence[int], accuracies: Mapping[str, Sequence[float]], *, ax: Axes | None = None
) -> Axes:
    """How often each of several models is right when the images are moved.

    Args:
        shifts: by how many pixels.
        accuracies: for each name one accuracy, a fraction, for each shift.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots()
    for (name, values), marker in zip(accuracies.items(), "os^Dv", strict=False):
        ax.plot(shifts, 100 * np.asarray(values), marker=marker, label=name)
    ax.set(xlabel="moved to the right by (pixels)", ylabel="accuracy in per cent", ylim=(0, 100))
    ax.set_xticks(shifts)
    ax.grid(axis="y")
    ax.legend()
    return ax
