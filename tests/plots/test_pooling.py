"""Figures of pooling: the axes come back, labelled, and show the numbers that were given."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cnncourse.plots import pooling


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def _texts(ax):
    return [text.get_text() for text in ax.texts]


def test_shrunk_draws_each_map_with_its_size_on_one_scale():
    maps = {"whole": np.arange(12.0).reshape(3, 4), "mean": np.array([[20.0]])}
    axes = pooling.shrunk(maps, columns=3)
    assert len(axes) == 3
    for ax, (title, values) in zip(axes, maps.items(), strict=False):
        assert ax.get_title() == f"{title}\n{values.shape[0]} × {values.shape[1]}"
        (picture,) = ax.images
        np.testing.assert_array_equal(picture.get_array(), values)
        assert picture.get_clim() == (0, 20)
    assert not axes[2].images


def test_same_windows_counts_only_real_pixels():
    image = np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90]], dtype=np.uint8)
    grid, means = pooling.same_windows(image, 2)
    assert _texts(grid) == [str(number) for number in image.flat]
    assert _texts(means) == ["30.0\nof 4", "45.0\nof 2", "75.0\nof 2", "90.0\nof 1"]
    hatched = [patch for patch in grid.patches if patch.get_hatch()]
    assert len(hatched) == 4 * 4 - 3 * 3
    assert min(patch.get_x() for patch in hatched) > -1, "an odd place goes after, not before"


def test_same_windows_pads_both_sides_where_the_rule_says_so():
    grid, means = pooling.same_windows(np.full((4, 4), 7), 3)
    frames = [patch for patch in grid.patches if not patch.get_hatch()]
    assert sorted({patch.get_x() for patch in frames}) == [-1.5, 1.5]
    assert _texts(means) == ["7.0\nof 4"] * 4


def test_pixel_weights_writes_every_weight():
    weights = np.array([[0.25, 0.5], [0.5, 1.0]])
    ax = pooling.pixel_weights(weights)
    assert _texts(ax) == ["0.25", "0.5", "0.5", "1"]
    assert ax.get_xlabel() == "column"
    assert ax.get_ylabel() == "row"


def test_change_by_shift_draws_per_cent():
    ax = pooling.change_by_shift([0, 1], {"average": [0, 0.25], "max": [0, 0.5]})
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_allclose(lines["average"].get_ydata(), [0, 25])
    np.testing.assert_allclose(lines["max"].get_ydata(), [0, 50])
    assert "per cent" in ax.get_ylabel()
    assert "pixels" in ax.get_xlabel()


def test_head_parameters_draws_the_counts():
    ax = pooling.head_parameters([28, 56], {"Flatten": [100, 400], "global average": [10, 10]})
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(lines["Flatten"].get_ydata(), [100, 400])
    np.testing.assert_array_equal(lines["global average"].get_xdata(), [28, 56])
    assert ax.get_yscale() == "log"


def test_running_means_are_those_of_the_draws():
    ax = pooling.running_means({"rescaled": [2.0, 0.0, 4.0]}, 2.5)
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_allclose(lines["rescaled"].get_ydata(), [2, 1, 2])
    np.testing.assert_allclose(lines["without dropout"].get_ydata(), 2.5)
    assert "draws" in ax.get_xlabel()


def test_given_axes_are_used():
    _, (first, second) = plt.subplots(1, 2)
    assert pooling.change_by_shift([0], {"a": [0]}, ax=first) is first
    assert pooling.same_windows(np.ones((3, 3), int), 2, axes=[first, second])[1] is second


def test_recognized_draws_per_cent_against_the_places():
    ax = pooling.recognized([1, 8], {"maximum": [0.75, 0.9], "mean": [0.5, 1.0]})
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_allclose(lines["maximum"].get_ydata(), [75, 90])
    np.testing.assert_allclose(lines["mean"].get_ydata(), [50, 100])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "8"]
    assert ax.get_xlabel()
    _, other = plt.subplots()
    assert pooling.recognized([1], {"mean": [0.5]}, ax=other) is other
