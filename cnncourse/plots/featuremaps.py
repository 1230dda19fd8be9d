"""Figures of feature maps: stacks layer by layer, and how much of an image an activation sees.

What excites a map and how far it sees is computed elsewhere; kernels are drawn in ``networks``
and ``convolution``.
"""

from __future__ import annotations

from collections.abc import Mapping

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
    maps: Mapping[str, Mapping[str, np.ndarray]], image_side: int, *, axes: np.ndarray | None = None
) -> np.ndarray:
    """How strongly one activation depends on each pixel of its field, a row for each kind.

    Each panel shows the whole field and nothing beyond it, from dark (0) to its own largest
    values, so that small fields are as large on paper as wide ones.

    Args:
        maps: for each kind of weights and each layer an array (side, side), the field, not
            negative; the same layers in all rows.
        image_side: side of the image in pixels, drawn as a square where the field is larger.
        axes: a row for each kind, a column for each layer; a new figure if left out.

    Returns:
        The axes, (kinds, layers).
    """
    columns = len(next(iter(maps.values())))
    if axes is None:
        size = (7, 7 / columns * len(maps) + 0.3)
        _, axes = plt.subplots(len(maps), columns, figsize=size, squeeze=False)
    axes = np.asarray(axes)
    for row, (kind, layers) in zip(axes, maps.items(), strict=True):
        row[0].set_ylabel(kind, fontsize=9)
        for ax, (name, values) in zip(row, layers.items(), strict=True):
            side = values.shape[0]
            ax.imshow(values, cmap=style.SEQUENTIAL, vmin=0, vmax=np.quantile(values, 0.999))
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
            if ax in axes[0]:
                ax.set_title(f"{name}\n{side} pixels", fontsize=9)
            if side > image_side:
                corner = (side - image_side) / 2 - 0.5
                square = Rectangle((corner, corner), image_side, image_side, fill=False)
                ax.add_patch(square).set(edgecolor="white", linewidth=1.2)
    return axes
