"""Figures of backpropagation: gradients on their way back, checks of them, a network that learns.

The gradients themselves stand in ``cnncourse.ops``; how a whole course of training is judged is
drawn elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cnncourse import ops
from cnncourse.plots import style


def shares(
    grad_outputs: np.ndarray,
    kernel: np.ndarray,
    *,
    stride: int = 1,
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    """What each answer of a convolution sends back to the pixels, and the sum of it all.

    Args:
        grad_outputs: shape (rows, columns), the gradient at each answer, small numbers.
        kernel: shape (kernel_height, kernel_width).
        stride: step of the kernel.
        axes: one for each answer and one for the sum; a new figure if left out.

    Returns:
        The axes, those of the answers row by row, then that of the sum.
    """
    rows, columns = grad_outputs.shape
    if axes is None:
        _, grid = plt.subplots(1, rows * columns + 1, figsize=(7, 1.95))
        axes = np.asarray(grid).ravel()
    height, width = kernel.shape
    size = ((rows - 1) * stride + height, (columns - 1) * stride + width)
    total = ops.conv2d_backward(
        np.asarray(grad_outputs, float)[None, :, :, None],
        np.zeros((1, *size, 1)),
        np.asarray(kernel, float)[:, :, None, None],
        strides=stride,
    )[0][0, :, :, 0]
    high = 1.4 * max(np.abs(total).max(), np.abs(grad_outputs).max() * np.abs(kernel).max())
    for ax, (y, x) in zip(axes, np.ndindex(rows, columns), strict=False):
        share = np.full(size, np.nan)
        top, left = y * stride, x * stride
        share[top : top + height, left : left + width] = grad_outputs[y, x] * kernel
        _draw_numbers(ax, share, high)
        frame = Rectangle((left - 0.5, top - 0.5), width, height, fill=False, clip_on=False)
        ax.add_patch(frame).set(edgecolor=style.VERMILION, linewidth=2)
        ax.set_title(f"{grad_outputs[y, x]:g} × kernel".replace("-", "−"))
    _draw_numbers(axes[-1], total, high)
    axes[-1].set_title("the sum")
    return np.asarray(axes)


def graph(
    places: Mapping[str, tuple[float, float]],
    wires: Sequence[tuple[str, str]],
    values: Mapping[str, float],
    gradients: Mapping[str, float],
    *,
    ax: Axes | None = None,
) -> Axes:
    """A computation graph: each value on its wire above, the gradient at it below.

    Args:
        places: for each node its name and where it stands, x to the right and y upwards.
        wires: pairs of names, from the node that gives a number to the one that takes it.
        values: for each node the number that it gives.
        gradients: for each node the derivative of the last number with respect to its own.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7, 3))
    for start, end in wires:
        arrow = {"arrowstyle": "-|>", "color": style.GREY, "shrinkA": 18, "shrinkB": 18}
        ax.annotate("", places[end], places[start], arrowprops=arrow)
    for name, (x, y) in places.items():
        box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": style.INK}
        ax.text(x, y, name, ha="center", va="center", bbox=box, fontsize=10)
        for number, offset, colour in (
            (values[name], 17, style.BLUE),
            (gradients[name], -17, style.VERMILION),
        ):
            ax.annotate(
                f"{number:g}".replace("-", "−"),
                (x, y),
                (0, offset),
                textcoords="offset points",
                ha="center",
                va="center",
                color=colour,
                fontsize=10,
                fontweight="bold",
            )
    across, up = zip(*places.values(), strict=True)
    ax.set(xlim=(min(across) - 0.5, max(across) + 0.5), ylim=(min(up) - 0.6, max(up) + 0.6))
    ax.set_title("above: values, forward · below: gradients, backward", fontsize=10)
    ax.axis("off")
    return ax


def error_by_step(
    steps: Sequence[float], errors: Mapping[str, Sequence[float]], *, ax: Axes | None = None
) -> Axes:
    """How far measured slopes are from the true ones, against the step, both axes logarithmic.

    Args:
        steps: sizes of the step, above 0.
        errors: for each name one relative error for each step, above 0.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots()
    for (name, values), marker in zip(errors.items(), "os^D", strict=False):
        ax.plot(steps, values, marker=marker, markersize=4, label=name)
    ax.set(xscale="log", yscale="log", xlabel="step", ylabel="error, as a share of the slope")
    ax.grid(axis="y")
    ax.legend()
    return ax


def side_by_side(
    losses: Mapping[str, Sequence[float]],
    differences: Mapping[str, Sequence[float]],
    *,
    limit: float,
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    """Losses of networks that started alike, and how far their weights part from one of them.

    Args:
        losses: for each name the loss before every step.
        differences: for each name the largest difference of a weight after every step, above 0.
        limit: the largest difference that is allowed, drawn as a dashed line.
        axes: two axes to draw on; a new figure if left out.

    Returns:
        The two axes: losses, differences.
    """
    if axes is None:
        _, axes = plt.subplots(1, 2, figsize=(7, 3.2))
    for (name, values), look in zip(losses.items(), _LOOKS, strict=False):
        axes[0].plot(range(1, len(values) + 1), values, label=name, **look)
    axes[0].set(xlabel="step", ylabel="loss of the batch")
    axes[0].legend()
    for (name, values), line in zip(differences.items(), ("-", "-."), strict=False):
        axes[1].plot(range(1, len(values) + 1), values, linestyle=line, label=name)
    axes[1].axhline(limit, color=style.INK, linestyle="--", linewidth=1.2, label=f"{limit:g}")
    axes[1].set(xlabel="step", ylabel="largest difference of a weight", yscale="log")
    axes[1].legend()
    for ax in axes:
        ax.grid(axis="y")
    return np.asarray(axes)


# Curves that should coincide: the first wide and pale, the second thin on top of it.
_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": style.SKY, "linewidth": 6},
    {"color": style.INK, "linewidth": 1.2},
    {"color": style.VERMILION, "linewidth": 1.5, "linestyle": ":"},
)


def _draw_numbers(ax: Axes, numbers: np.ndarray, high: float) -> None:
    """An array with the number in every place that has one."""
    ax.imshow(numbers, cmap=style.DIVERGING, vmin=-high, vmax=high)
    for (row, column), number in np.ndenumerate(numbers):
        if not np.isnan(number):
            text = f"{number + 0.0:g}".replace("-", "−")  # + 0.0: no minus before a 0
            ax.text(column, row, text, ha="center", va="center", color="black", fontsize=9)
    ax.set(xticks=range(numbers.shape[1]), yticks=range(numbers.shape[0]))
    ax.set(xlim=(-0.5, numbers.shape[1] - 0.5), ylim=(numbers.shape[0] - 0.5, -0.5))
    ax.spines[:].set(visible=True, color=style.GREY)
