"""Figures of feature maps: stacks layer by layer, and how much of an image an activation sees.

What excites a map and how far it sees is computed elsewhere; kernels are drawn in ``networks``
and ``convolution``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cnncourse.plots import style


def stacks(
    image: np.ndarray,
    maps: Mapping[str, np.ndarray],
    *,
    count: int = 8,
    axes: np.ndarray | None = None,
) -> np.ndarray:
    """An image, and below it the first maps of each layer, one row a layer.

    Every map is drawn from dark (0) to bright (its own largest number); one without a number
    above 0 stays dark.

    Args:
        image: (height, width).
        maps: for each layer its maps, (height, width, channels), none below 0.
        count: maps in a row.
        axes: a row more than layers, ``count`` columns; a new figure if left out.

    Returns:
        The axes, (layers + 1, count).
    """
    if axes is None:
        side = 6 / count
        _, axes = plt.subplots(
            len(maps) + 1, count, figsize=(7, (side + 0.1) * (len(maps) + 1)), squeeze=False
        )
    axes = np.asarray(axes)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    axes[0, 0].imshow(image, cmap="gray")
    axes[0, 0].set_ylabel("image", rotation=0, ha="right", va="center", fontsize=9)
    for row, (name, layer) in zip(axes[1:], maps.items(), strict=True):
        row[0].set_ylabel(
            f"{name}\n{layer.shape[0]} × {layer.shape[1]} × {layer.shape[2]}",
            rotation=0,
            ha="right",
            va="center",
            fontsize=9,
        )
        for ax, values in zip(row, np.moveaxis(layer, 2, 0), strict=False):
            ax.imshow(values, cmap=style.SEQUENTIAL, vmin=0, vmax=float(values.max()) or 1.0)
    return axes


def change_by_layer(changes: Mapping[str, Mapping[str, float]], *, ax: Axes | None = None) -> Axes:
    """How much maps change under shifts, layer by layer.

    Args:
        changes: for each shift, named, the change by layer; the same layers for all.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    ax = ax or plt.subplots(figsize=(6.4, 3))[1]
    for (name, values), marker in zip(changes.items(), "os^D", strict=False):
        ax.plot(list(values), list(values.values()), marker=marker, label=name)
    ax.set(ylabel="change of the maps\n(0: moved along exactly)")
    ax.set_ylim(bottom=-0.03)
    ax.tick_params(axis="x", labelrotation=20)
    ax.legend()
    return ax


def fields(
    weights: Mapping[str, np.ndarray], image_side: int, *, axes: Sequence[Axes] | None = None
) -> np.ndarray:
    """How strongly one activation depends on each pixel around it, with the image's outline.

    Args:
        weights: for each layer an array (side, side), not negative; above 0 in the field.
        image_side: side of the image in pixels, drawn as a square in the middle of the field.
        axes: as many axes as layers; a new figure if left out.

    Returns:
        The axes.
    """
    if axes is None:
        _, axes = plt.subplots(1, len(weights), figsize=(7, 7 / len(weights) + 0.4), squeeze=False)
    axes = np.asarray(axes).ravel()
    for ax, (name, values) in zip(axes, weights.items(), strict=True):
        rows, columns = np.nonzero(values)
        field = np.array([columns.min(), rows.min()]) - 0.5, np.ptp([columns, rows], axis=1) + 1
        image = field[0] + (field[1] - image_side) / 2, (image_side, image_side)
        ax.imshow(values, cmap=style.SEQUENTIAL, vmin=0)
        for (corner, size), colour in ((image, "white"), (field, style.ORANGE)):
            ax.add_patch(Rectangle(corner, *size, fill=False, edgecolor=colour, linewidth=1.2))
        ax.set_title(f"{name}\n{np.ptp(columns) + 1} pixels", fontsize=9)
        ax.set(xticks=[], yticks=[])
    return axes
