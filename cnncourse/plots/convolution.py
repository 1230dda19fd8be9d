"""Figures of convolution: a sliding filter, filtered photos, padding, kernels that are learnt.

The convolution itself stands in ``cnncourse.ops``; stacks of maps inside a network are drawn
elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from cnncourse import ops
from cnncourse.plots import style


def weight_matrices(
    matrices: Mapping[str, np.ndarray],
    answers: Mapping[str, np.ndarray],
    *,
    corner: tuple[int, int] = (30, 90),
    axes: np.ndarray | None = None,
) -> np.ndarray:
    """The upper left corner of each layer written as a matrix, and what the layer answers.

    Args:
        matrices: for each name an array (answers, pixels); zeros stay white.
        answers: for the same names an array (height, width).
        corner: rows and columns of the matrix that are drawn.
        axes: shape (names, 2); a new figure if left out.

    Returns:
        The axes, a row for each name: matrix, answers.
    """
    if axes is None:
        _, axes = plt.subplots(
            len(matrices), 2, figsize=(7, 2 * len(matrices)), width_ratios=[2.7, 1], squeeze=False
        )
    rows, columns = corner
    for (ax, beside), (name, matrix) in zip(axes, matrices.items(), strict=True):
        weights = matrix[:rows, :columns]
        high = np.abs(weights).max()
        ax.imshow(weights, cmap=style.DIVERGING, vmin=-high, vmax=high, aspect="auto")
        ax.set(title=f"{name}: {matrix.shape[0]} × {matrix.shape[1]}, its corner")
        ax.set(xlabel="pixel", ylabel="answer")
        high = np.quantile(np.abs(answers[name]), 0.99)
        beside.imshow(answers[name], cmap=style.DIVERGING, vmin=-high, vmax=high)
        beside.set(title="answers", xticks=[], yticks=[])
        beside.spines[:].set_visible(False)
    return np.asarray(axes)


def sliding(
    image: np.ndarray,
    kernel: np.ndarray,
    *,
    row: int,
    column: int,
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    """An image with a patch framed, the kernel, and all answers with that patch's framed.

    Args:
        image: shape (height, width), numbers of at most three digits.
        kernel: shape (kernel_height, kernel_width).
        row: first row of the framed patch.
        column: first column of the framed patch.
        axes: three axes to draw on; a new figure if left out.

    Returns:
        The three axes: image, kernel, answers.
    """
    if axes is None:
        _, axes = plt.subplots(1, 3, figsize=(7, 2.6))
    answers = ops.conv2d(image[None, :, :, None], kernel[:, :, None, None])[0, :, :, 0]
    titles = ("image, a patch framed", "kernel", "answers, its answer framed")
    for ax, numbers, title in zip(axes, (image, kernel, answers), titles, strict=True):
        _draw_numbers(ax, numbers, "{:g}", diverging=numbers is kernel)
        ax.set_title(title)
        ax.set(xticks=range(numbers.shape[1]), yticks=range(numbers.shape[0]))
    for ax, size in [(axes[0], kernel.shape), (axes[2], (1, 1))]:
        frame = Rectangle((column - 0.5, row - 0.5), size[1], size[0], fill=False)
        ax.add_patch(frame).set(edgecolor=style.VERMILION, linewidth=3, clip_on=False)
    return np.asarray(axes)


def filtered(
    pictures: Mapping[str, np.ndarray],
    *,
    columns: int = 3,
    signed: Collection[str] = (),
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    """Photos and the answers of filters, each under its title.

    Args:
        pictures: for each title an array (height, width), drawn from 0, black, to 255, white,
            whatever lies outside being cut; or a colour photo (height, width, 3), uint8.
        columns: panels in a row.
        signed: titles of answers in which 0 means "nothing found"; they are drawn in two
            colours, orange above 0 and purple below, each on a scale of its own.
        axes: at least as many axes as pictures; a new figure if left out.

    Returns:
        The axes, in one row; those without a picture are off.
    """
    if axes is None:
        rows = -(-len(pictures) // columns)
        height, width = next(iter(pictures.values())).shape[:2]
        side = 7 / columns * height / width + 0.25
        _, grid = plt.subplots(rows, columns, figsize=(7, rows * side))
        axes = np.asarray(grid).ravel()
    for ax in axes:
        ax.axis("off")
    for ax, (title, picture) in zip(axes, pictures.items(), strict=False):
        if title in signed:
            # The strongest answers are few: a scale up to them would leave the others pale.
            high = np.quantile(np.abs(picture), 0.99)
            ax.imshow(picture, cmap=style.DIVERGING, vmin=-high, vmax=high)
        else:
            ax.imshow(picture, vmin=0, vmax=255)
        ax.set_title(title)
    return np.asarray(axes)


def padding(
    cases: Mapping[str, tuple[int, int, int, str | tuple[int, int]]],
    *,
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    """One row of pixels in each panel, the places added to it, and every window below it.

    Args:
        cases: for each title (size, kernel_size, stride, padding); padding is ``"valid"``,
            ``"same"`` or (before, after).
        axes: as many axes as cases; a new figure of two columns if left out.

    Returns:
        The axes, in one row.
    """
    if axes is None:
        rows = -(-len(cases) // 2)
        _, grid = plt.subplots(rows, 2, figsize=(7, 2.45 * rows))
        axes = np.asarray(grid).ravel()
    for ax, (title, (size, kernel_size, stride, rule)) in zip(axes, cases.items(), strict=True):
        if isinstance(rule, str):
            same = ops.same_padding(size, kernel_size, stride)
            before, after = same if rule == "same" else (0, 0)
        else:
            before, after = rule
        windows = ops.output_size(size, kernel_size, stride, (before, after))
        for place in range(-before, size + after):
            box = Rectangle((place - 0.5, -0.45), 1, 0.9, edgecolor=style.GREY, linewidth=1)
            if 0 <= place < size:
                box.set(facecolor="white")
                ax.text(place, 0, str(place), ha="center", va="center", fontsize=9)
            else:
                box.set(facecolor="none", hatch="////")
            ax.add_patch(box)
        for window in range(windows):
            first = window * stride - before
            bar = Rectangle((first - 0.42, window + 0.75), kernel_size - 0.16, 0.5)
            ax.add_patch(bar).set(facecolor=style.BLUE if window % 2 == 0 else style.SKY)
        ax.set_title(f"{title}\n{before} before, {after} after, {windows} windows")
        ax.set(xlim=(-before - 0.7, size + after - 0.3), ylim=(windows + 0.6, -0.7))
        ax.axis("off")
    for ax in axes[len(cases) :]:
        ax.axis("off")
    return np.asarray(axes)


def kernels(
    weights: Mapping[str, np.ndarray], *, axes: Sequence[Axes] | np.ndarray | None = None
) -> np.ndarray:
    """Kernels side by side with the number of each weight, on one scale of colours.

    Args:
        weights: for each title an array (height, width).
        axes: as many axes as kernels; a new figure if left out.

    Returns:
        The axes, in one row.
    """
    if axes is None:
        _, grid = plt.subplots(1, len(weights), figsize=(7, 0.55 + 6.6 / len(weights)))
        axes = np.atleast_1d(grid)
    high = max(float(np.abs(kernel).max()) for kernel in weights.values())
    for ax, (title, kernel) in zip(axes, weights.items(), strict=True):
        _draw_numbers(ax, kernel, "{:.2f}", diverging=True, high=high)
        ax.set_title(title)
        ax.set(xticks=[], yticks=[])
    return np.asarray(axes)


def learning(
    losses: Mapping[str, Sequence[float]],
    errors: Mapping[str, Sequence[float]],
    *,
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    """How well examples are met, and how near the kernel is to the true one, step by step.

    Args:
        losses: for each name the loss before every step, above 0; the axis ends at 1e-12.
        errors: for each name the largest error of a weight before every step, above 0.
        axes: two axes to draw on; a new figure if left out.

    Returns:
        The two axes: losses, errors.
    """
    if axes is None:
        _, axes = plt.subplots(1, 2, figsize=(7, 3.2))
    labels = ("loss on the examples", "largest error of a weight")
    for ax, curves, label in zip(axes, (losses, errors), labels, strict=True):
        for (name, values), line in zip(curves.items(), ("-", "--", ":", "-."), strict=False):
            ax.plot(range(1, len(values) + 1), values, line, label=name)
        ax.set(xscale="log", yscale="log", xlabel="step", ylabel=label)
        ax.grid(axis="y")
    # Further down there is only rounding, which would take most of the height.
    axes[0].set_ylim(bottom=max(axes[0].get_ylim()[0], 1e-12))
    axes[1].legend()
    return np.asarray(axes)


def _draw_numbers(
    ax: Axes, numbers: np.ndarray, form: str, *, diverging: bool = False, high: float | None = None
) -> None:
    """An array with the number in every place, white on dark and black on light ground."""
    high = float(np.abs(numbers).max()) if high is None else high
    if diverging:
        ax.imshow(numbers, cmap=style.DIVERGING, vmin=-1.4 * high, vmax=1.4 * high)
    else:
        ax.imshow(numbers, vmin=0, vmax=high)
    for (row, column), number in np.ndenumerate(numbers):
        light = diverging or number > 0.5 * high
        text = form.format(number + 0.0 if abs(number) > 5e-3 else 0.0)
        colour = "black" if light else "white"
        ax.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    ax.spines[:].set_visible(False)
