"""The picture of the landing page: one image, its maps layer by layer, the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from cnncourse.plots import style


def tour(
    image: np.ndarray,
    maps: Mapping[str, np.ndarray],
    probabilities: np.ndarray,
    class_names: Sequence[str],
    *,
    shown: int = 5,
) -> Figure:
    """An image on its way through a network.

    Args:
        image: shape (height, width).
        maps: for each stop its activations of shape (height, width, channels); the channels
            that vary most are drawn.
        probabilities: shape (classes,).
        class_names: the names of the classes.
        shown: maps at each stop.

    Returns:
        The figure.
    """
    figure = plt.figure(figsize=(10, 4))
    grid = figure.add_gridspec(shown, len(maps) + 4)
    ax = figure.add_subplot(grid[:, :2])
    ax.imshow(image)
    ax.set_title(f"image, {image.shape[0]} × {image.shape[1]}")
    ax.axis("off")
    for column, (title, stack) in enumerate(maps.items(), start=2):
        strongest = np.argsort(stack.std(axis=(0, 1)))[::-1][:shown]
        for row, channel in enumerate(strongest):
            ax = figure.add_subplot(grid[row, column])
            ax.imshow(stack[..., channel], cmap=style.SEQUENTIAL)
            ax.axis("off")
            if row == 0:
                ax.set_title(f"{title}\n{stack.shape[0]} × {stack.shape[1]}", fontsize=9)
    ax = figure.add_subplot(grid[:, -2:])
    order = np.argsort(probabilities)[::-1][:4]
    colours = [style.ORANGE] + [style.GREY] * 3
    ax.barh(range(4), 100 * probabilities[order], height=0.3, color=colours)
    for row, label in enumerate(order):
        text = f"{class_names[label]}  {100 * probabilities[label]:.1f} %"
        ax.text(0, row - 0.2, text, ha="left", va="bottom", fontsize=10)
    ax.set(ylim=(3.6, -0.9), xlim=(0, 100), title="answer")
    ax.axis("off")
    return figure
