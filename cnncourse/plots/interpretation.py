"""Figures of what a trained network has learned: kernels, and maps of where it looks.

The maps themselves come from ``cnncourse.interpret``; how a network is built is drawn in
``networks``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from cnncourse.plots import style
from cnncourse.plots.networks import kernel_bank


def kernel_banks(
    banks: Mapping[str, np.ndarray], *, columns: int = 8, axes: np.ndarray | None = None
) -> np.ndarray:
    """The filters of several first layers, each bank under its title, orange above 0.

    Args:
        banks: for each title a kernel (height, width, 1, filters).
        columns: filters in a row.
        axes: as many rows of axes as the banks need; a new figure if left out.

    Returns:
        The axes, (rows, columns).
    """
    rows = [-(-kernel.shape[3] // columns) for kernel in banks.values()]
    if axes is None:
        size = (7, 0.95 * sum(rows) + 0.3 * len(rows))
        _, axes = plt.subplots(sum(rows), columns, figsize=size, squeeze=False)
    axes = np.asarray(axes)
    ends = np.cumsum(rows)
    for (title, kernel), start, end in zip(banks.items(), ends - rows, ends, strict=True):
        kernel_bank(kernel, axes=axes[start:end])
        axes[start, 0].set_title(title, fontsize=9, loc="left")
    return axes


def beside_images(
    images: np.ndarray,
    maps: Sequence[Mapping[str, np.ndarray]],
    names: Sequence[str],
    *,
    axes: np.ndarray | None = None,
) -> np.ndarray:
    """A row for each image: the image, and maps of any size laid over its outline.

    A map without negative numbers is drawn from dark (0) to bright (its own largest number); one
    with negative numbers in purple and orange, with 0 in the middle. Strips of both scales stand
    below the first column.

    Args:
        images: (n, height, width), from 0 to 1.
        maps: for each image its maps by title, each (map_height, map_width); the same titles
            for all.
        names: for each image what stands beside it.
        axes: n rows of one more axes than maps; a new figure if left out.

    Returns:
        The axes, (n, maps + 1).
    """
    columns = len(maps[0]) + 1
    if axes is None:
        size = (7, (7 / columns - 0.06) * len(images) + 0.3)
        _, axes = plt.subplots(len(images), columns, figsize=size, squeeze=False)
    axes = np.asarray(axes)
    for row, (image, pictures, name) in enumerate(zip(images, maps, names, strict=True)):
        height, width = image.shape
        axes[row, 0].imshow(image, vmin=0, vmax=1)
        axes[row, 0].set_ylabel(name, fontsize=9)
        for ax, (title, picture) in zip(axes[row, 1:], pictures.items(), strict=True):
            limit = float(np.abs(picture).max()) or 1.0
            signed = picture.min() < 0
            ax.imshow(
                picture,
                cmap=style.DIVERGING if signed else style.SEQUENTIAL,
                vmin=-limit if signed else 0,
                vmax=limit,
                extent=(-0.5, width - 0.5, height - 0.5, -0.5),
            )
            colour = style.INK if signed else "white"
            ax.contour(image, levels=[0.15], colors=[colour], linewidths=0.7)
            if row == 0:
                ax.set_title(title, fontsize=9)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    _keys(axes[-1, 0], maps)
    return axes


def _keys(ax: Axes, maps: Sequence[Mapping[str, np.ndarray]]) -> None:
    """Below the first column, strips of the color scales that the maps use."""
    signed = {picture.min() < 0 for pictures in maps for picture in pictures.values()}
    strips = {False: (style.SEQUENTIAL, "0", "largest"), True: (style.DIVERGING, "−", "+")}
    for place, kind in enumerate(sorted(signed)):
        colors, low, high = strips[kind]
        strip = ax.inset_axes((0.02, -0.2 - 0.42 * place, 0.96, 0.08))
        strip.imshow(np.linspace(0, 1, 64)[None], cmap=colors, aspect="auto")
        strip.set(xticks=[], yticks=[])
        strip.text(0, 2.6, low, fontsize=9, ha="left", va="center")
        strip.text(63, 2.6, high, fontsize=9, ha="right", va="center")


def forgetting(
    forgotten: Sequence[int],
    likeness: Mapping[str, Sequence[float]],
    *,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """How alike maps stay while a network forgets its layers, from the top down.

    Args:
        forgotten: how many layers have forgotten what they learned.
        likeness: for each method the rank correlation with its maps of the trained network, one
            for each entry of ``forgotten``.
        title: of the panel.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots()
    for (name, values), marker in zip(likeness.items(), "os^Dvx", strict=False):
        ax.plot(forgotten, values, marker=marker, label=name)
    ax.axhline(0, color=style.GREY, linewidth=1)
    ax.set(
        xlabel="convolutions forgotten, from the top",
        ylabel="rank correlation with before",
        title=title,
        ylim=(-0.3, 1.05),
    )
    ax.set_xticks(forgotten)
    ax.grid(axis="y")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return ax


def excitations(
    pictures: Mapping[str, np.ndarray], *, axes: np.ndarray | None = None
) -> np.ndarray:
    """Images made for the filters of a layer, one row for each network, black 0 and white 1.

    Args:
        pictures: for each title of a row its images, (filters, height, width), from 0 to 1; the
            same number in each row.
        axes: (rows, filters); a new figure if left out.

    Returns:
        The axes, (rows, filters).
    """
    rows, columns = len(pictures), len(next(iter(pictures.values())))
    if axes is None:
        size = (7, (7 / columns + 0.3) * rows)
        _, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    axes = np.asarray(axes)
    for row, (title, images) in zip(axes, pictures.items(), strict=True):
        row[0].set_title(title, fontsize=9, loc="left")
        for ax, image in zip(row, images, strict=True):
            ax.imshow(image, cmap="gray", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
    return axes
