"""Figures of whole networks: their shape, their cost, what their layers are worth, their answers.

Everything is drawn from a model, its layer table or its outputs. How a single kind of layer
works is drawn in the modules that are named after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon, Rectangle
from matplotlib.ticker import AutoLocator, MaxNLocator, StrMethodFormatter

from cnncourse.plots import style

if TYPE_CHECKING:
    from cnncourse.anatomy import LayerRow, LayerTable

_COLOURS = {
    "input": style.GREY,
    "convolution": style.BLUE,
    "convolution, stride 2": style.SKY,
    "pooling": style.ORANGE,
    "head": style.GREEN,
}
_SLANT = 0.35
"""Length of a slanted edge in the drawing, as a share of the side that it stands for."""
_ACROSS, _UP = 0.9, 0.6
"""How far a slanted edge goes to the right and up, as shares of its length."""


@dataclass(frozen=True)
class _Box:
    """One block of the drawing: what stands above it, its kind, and the shape it shows."""

    label: str
    kind: str
    side: tuple[int, int]
    channels: int
    relu: bool = False


def architecture(model: Any, *, ax: Axes | None = None) -> Axes:
    """A network as a row of blocks whose sizes are the shapes of its layers' outputs.

    The height of a block is the height of the map, the slanted edge its width, and the edge
    along the page grows with the square root of the number of channels. Layers that keep the
    shape and have no window are left out, but for ReLU, which is a dot behind its block.

    Args:
        model: a built Keras model on images, as :func:`cnncourse.keras_layers.steps` takes it.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    boxes = _boxes(model)
    if ax is None:
        _, ax = plt.subplots(figsize=(10, 3.4), layout="constrained")
    # Everything is in input pixels; the unit makes room for labels whatever the image measures.
    unit = max(boxes[0].side) / 14
    left, edges = 0.0, []
    for box in boxes:
        width = unit * 0.45 * np.sqrt(box.channels)
        height, slant = box.side[0], box.side[1] * _SLANT
        across, up = _ACROSS * slant, _UP * slant
        slot = max(width + across, 2.9 * unit)
        start = left + (slot - width - across) / 2
        _draw_box(ax, (start, -height / 2), (width, height), (across, up), _COLOURS[box.kind])
        middle = start + width / 2
        ax.text(middle + across / 2, height / 2 + up, box.label, ha="center", va="bottom")
        ax.text(middle, -height / 2 - 0.2 * unit, f"{box.channels}", ha="center", va="top")
        edges.append((start, start + width))
        left += slot + 0.5 * unit
        if box.relu:
            ax.plot(left + 0.2 * unit, 0, "o", color=style.VERMILION, markersize=6)
            left += 1.1 * unit
    _bracket_sides(ax, boxes, edges, -boxes[0].side[0] / 2 - 2.4 * unit)
    _legend_of_boxes(ax, boxes)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def _boxes(model: Any) -> list[_Box]:
    from cnncourse import keras_layers, operations

    found = keras_layers.steps(model)
    height, width, channels = found[0].input_shape
    boxes = [_Box("image", "input", (height, width), channels)]
    for step in found:
        operation, shape = step.reading.operation, step.output_shape
        is_map = len(shape) == 3
        side, channels = ((shape[0], shape[1]), shape[2]) if is_map else ((1, 1), shape[0])
        if isinstance(operation, operations.Linear) and operation.window and operation.strides:
            kind = "convolution" if max(operation.strides) == 1 else "convolution, stride 2"
            boxes.append(_Box("×".join(map(str, operation.window)), kind, side, channels))
        elif operation.window:
            boxes.append(_Box("pool", "pooling", side, channels))
        elif not is_map and len(step.input_shape) == 3:
            label = {"flatten": "flatten", "global_max_pool2d": "max"}.get(operation.kind, "mean")
            boxes.append(_Box(label, "head", side, channels))
        if isinstance(step.reading.activation, operations.Relu):
            boxes[-1] = replace(boxes[-1], relu=True)
    return boxes


def _draw_box(
    ax: Axes,
    corner: tuple[float, float],
    size: tuple[float, float],
    slant: tuple[float, float],
    colour: str,
) -> None:
    (x, y), (width, height), (across, up) = corner, size, slant
    front = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    back = [(place + across, level + up) for place, level in front]
    top = [front[3], front[2], back[2], back[3]]
    right = [front[1], back[1], back[2], front[2]]
    for corners, alpha in ((front, 0.9), (top, 0.55), (right, 0.35)):
        ax.add_patch(Polygon(corners, facecolor="white", edgecolor="none"))
        ax.add_patch(Polygon(corners, facecolor=colour, edgecolor="none", alpha=alpha))
        ax.add_patch(Polygon(corners, fill=False, edgecolor=style.INK, linewidth=0.6))


def _bracket_sides(
    ax: Axes, boxes: Sequence[_Box], edges: Sequence[tuple[float, float]], y: float
) -> None:
    """A line under each run of blocks of one size, with the size."""
    first = 0
    for place in range(1, len(boxes) + 1):
        if place < len(boxes) and boxes[place].side == boxes[first].side:
            continue
        left, right = edges[first][0], edges[place - 1][1]
        ax.plot([left, right], [y, y], color=style.INK, linewidth=1)
        ax.text((left + right) / 2, y, "×".join(map(str, boxes[first].side)), ha="center", va="top")
        first = place


def _legend_of_boxes(ax: Axes, boxes: Sequence[_Box]) -> None:
    kinds = [kind for kind in _COLOURS if any(box.kind == kind for box in boxes)]
    handles: list[Any] = [Patch(color=_COLOURS[kind], label=kind) for kind in kinds]
    if any(box.relu for box in boxes):
        handles.append(
            Line2D([], [], marker="o", linestyle="", color=style.VERMILION, label="ReLU")
        )
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        ncols=len(handles),
        frameon=False,
    )


def costs(table: LayerTable, *, axes: Sequence[Axes] | np.ndarray | None = None) -> np.ndarray:
    """Parameters and multiply-accumulates of each convolution and dense layer, as bars.

    Args:
        table: of :func:`cnncourse.anatomy.layer_table`.
        axes: two axes side by side; a new figure if left out.

    Returns:
        The two axes: parameters, and multiply-accumulates in millions.
    """
    rows = [row for row in table if row.macs]
    if axes is None:
        size = (10, 0.3 * len(rows) + 1)
        _, axes = plt.subplots(1, 2, figsize=size, sharey=True, layout="constrained")
    axes = np.asarray(axes)
    names = []
    for number, row in enumerate(rows, start=1):
        names.append(f"{number}: {row.output_shape[-1]} of {_kernel_in_words(row)}")
    places = np.arange(len(rows))
    macs = [row.macs / 1e6 for row in rows]
    panels = (
        ("parameters", [row.trainable for row in rows], "{:,.0f}", style.BLUE),
        ("multiply-accumulates (millions)", macs, "{:.2f}", style.ORANGE),
    )
    for ax, (label, values, form, colour) in zip(axes, panels, strict=True):
        bars = ax.barh(places, values, color=colour)
        ax.bar_label(bars, fmt=form, padding=3)
        ax.set_xlabel(label)
        ax.margins(x=0.2)
        ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes[0].set_yticks(places, names)
    axes[0].set_ylim(len(rows) - 0.4, -0.6)
    axes[0].set_ylabel("convolution")
    return axes


def _kernel_in_words(row: LayerRow) -> str:
    if row.kernel_size is None or row.strides is None:
        return "dense"
    kernel = "×".join(map(str, row.kernel_size))
    if max(row.strides) == 1:
        return kernel
    rows, columns = row.strides
    return f"{kernel}, stride {rows if rows == columns else f'{rows}×{columns}'}"


def receptive_fields(
    tables: Mapping[str, LayerTable], image_side: int, *, ax: Axes | None = None
) -> Axes:
    """How far one output sees, layer by layer, for one or more networks.

    Args:
        tables: layer tables by the name of the network; layers without a window are left out.
        image_side: of the input in pixels, drawn as a line.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 4))
    for (name, table), marker in zip(tables.items(), "os^D", strict=False):
        fields = [1] + [row.receptive_field for row in table if row.kernel_size]
        ax.plot(range(len(fields)), fields, marker=marker, label=name)
    ax.axhline(image_side, color=style.INK, linestyle="--", linewidth=1)
    ax.text(0, image_side, f"side of the image: {image_side}", va="bottom")
    ax.set_xlabel("layers with a window passed")
    ax.set_ylabel("receptive field (pixels)")
    whole = AutoLocator()
    whole.set_params(integer=True)
    ax.xaxis.set_major_locator(whole)
    ax.legend()
    return ax


def kernel_bank(kernel: np.ndarray, *, axes: np.ndarray | None = None) -> np.ndarray:
    """The filters of one convolution on a grey image, each with its own symmetric scale.

    Args:
        kernel: (height, width, 1, filters).
        axes: as many axes as filters; a new figure if left out.

    Returns:
        The axes.
    """
    filters = kernel.shape[3]
    if axes is None:
        columns = min(filters, 8)
        rows = -(-filters // columns)
        _, axes = plt.subplots(rows, columns, figsize=(1.15 * columns, 1.15 * rows), squeeze=False)
    axes = np.asarray(axes)
    for number, ax in enumerate(axes.flat):
        ax.set_axis_off()
        if number < filters:
            weights = kernel[:, :, 0, number]
            limit = np.abs(weights).max()
            ax.imshow(weights, cmap=style.DIVERGING, vmin=-limit, vmax=limit)
    return axes


def border_difference(difference: np.ndarray, border: int, *, ax: Axes | None = None) -> Axes:
    """Where two maps differ, with the square that lies ``border`` places inside.

    Args:
        difference: (height, width), not negative.
        border: how many rows and columns on each side the square leaves out.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(5, 4))
    height, width = difference.shape
    picture = ax.imshow(difference, cmap=style.SEQUENTIAL, vmin=0)
    corner = (border - 0.5, border - 0.5)
    size = (width - 2 * border, height - 2 * border)
    frame = Rectangle(corner, *size, fill=False, edgecolor=style.ORANGE, linewidth=2)
    ax.add_patch(frame)
    ax.figure.colorbar(picture, ax=ax, label="largest difference of a channel")
    ax.set_xlabel("column")
    ax.set_ylabel("row")
    return ax


def pixel_mixing(
    before: np.ndarray,
    kernel: np.ndarray,
    after: np.ndarray,
    *,
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    """One place of a map before and after a 1×1 convolution, and the matrix between.

    Args:
        before: the channels of the place, (channels_in,).
        kernel: the weights, (channels_in, channels_out).
        after: what comes out there, (channels_out,).
        axes: three axes; a new figure if left out.

    Returns:
        The three axes: in, matrix, out.
    """
    if axes is None:
        _, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
    axes = np.asarray(axes)
    limit = np.abs(kernel).max()
    axes[0].barh(np.arange(len(before)), before, color=style.BLUE)
    axes[0].set(xlabel="value", ylabel="channel in", title="one place, before")
    picture = axes[1].imshow(
        kernel, cmap=style.DIVERGING, vmin=-limit, vmax=limit, aspect="auto", interpolation="none"
    )
    axes[1].figure.colorbar(picture, ax=axes[1], label="weight")
    axes[1].set(xlabel="channel out", ylabel="channel in", title="the 1×1 kernel")
    axes[2].bar(np.arange(len(after)), after, color=style.ORANGE)
    axes[2].set(xlabel="channel out", ylabel="value", title="the same place, after")
    axes[0].set_ylim(len(before) - 0.5, -0.5)
    return axes


def outputs_by_place(probabilities: np.ndarray, map_side: int, *, ax: Axes | None = None) -> Axes:
    """The outputs behind a Flatten head, coloured by the place of the map they come from.

    Args:
        probabilities: of one image, (map_side · map_side · classes,), in Flatten's order.
        map_side: of the last map.
        ax: where to draw; a new figure if left out.

    Returns:
        The axes.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(9, 3.2))
    classes = len(probabilities) // map_side**2
    for place in range(map_side**2):
        numbers = np.arange(place * classes, (place + 1) * classes)
        row, column = divmod(place, map_side)
        ax.bar(numbers, probabilities[numbers], label=f"row {row}, column {column}")
    ax.axvline(classes - 0.5, color=style.INK, linestyle="--", linewidth=1)
    ax.set_xlabel("output")
    ax.set_ylabel("probability")
    ax.set_xticks(np.arange(0, len(probabilities), classes))
    ax.legend(
        title="place of the last map",
        ncols=map_side**2,
        loc="lower center",
        bbox_to_anchor=(0.5, 1),
    )
    return ax


def answers(
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    *,
    axes: np.ndarray | None = None,
) -> np.ndarray:
    """Images with a network's answer and its probability; a wrong one also its label.

    Args:
        images: (n, height, width).
        labels: the true classes, (n,).
        probabilities: (n, classes).
        class_names: by label.
        axes: n axes; a new figure with five columns if left out.

    Returns:
        The axes.
    """
    if axes is None:
        rows = -(-len(images) // 5)
        _, axes = plt.subplots(
            rows, 5, figsize=(9, 2.3 * rows), squeeze=False, layout="constrained"
        )
    axes = np.asarray(axes)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
    cases = zip(axes.flat, images, labels, probabilities, strict=False)
    for ax, image, label, scores in cases:
        answer = int(scores.argmax())
        right = answer == label
        note = "right" if right else f"labeled {class_names[label]}"
        ax.imshow(image, cmap="gray")
        ax.set_title(f"{class_names[answer]}, {100 * scores[answer]:.0f} %\n{note}")
        ax.spines[:].set(visible=True, linewidth=4, color=style.GREEN if right else style.VERMILION)
    return axes
