"""Figures of batch normalization: the axes come back, labelled, and show the given numbers."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cnncourse.plots import normalization


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def _lines(ax):
    return {line.get_label(): line for line in ax.lines}


def test_channel_ranges_draws_the_middle_of_each_channel():
    channels = np.linspace(0, 100, 101)[:, None] * [1, -2]  # (101, 2)
    maps = channels.reshape(101, 1, 1, 2)
    before, after = normalization.channel_ranges({"before": maps, "after": maps / 10})
    assert (before.get_title(), after.get_title()) == ("before", "after")
    for ax, scale in ((before, 1), (after, 0.1)):
        ends = [segment[:, 1] for segment in ax.collections[0].get_segments()]
        np.testing.assert_allclose(ends, np.array([[5, 95], [-190, -10]]) * scale)
        np.testing.assert_allclose(_lines(ax)["mean"].get_ydata(), np.array([50, -100]) * scale)
    assert before.get_xlabel() == "channel"
    assert before.get_ylabel() == "activation"


def test_learning_grid_writes_each_accuracy_on_one_scale():
    without, with_it = np.array([[0.1, 0.25, 0.6]]), np.array([[0.5, 0.75, 1.0]])
    axes = normalization.learning_grid([0.01, 0.1, 1], [32], {"without": without, "with": with_it})
    assert [ax.get_title() for ax in axes] == ["without", "with"]
    for ax, values in zip(axes, (without, with_it), strict=True):
        (picture,) = ax.images
        np.testing.assert_array_equal(picture.get_array(), values)
        assert picture.get_clim() == (0, 1)
        assert [label.get_text() for label in ax.get_xticklabels()] == ["0.01", "0.1", "1"]
        assert [label.get_text() for label in ax.get_yticklabels()] == ["32"]
    assert [text.get_text() for text in axes[0].texts] == ["10%", "25%", "60%"]


def test_moments_over_steps_begins_at_step_0():
    true = ([0.0, 5.0], [1.0, 4.0])
    axes = normalization.moments_over_steps(true, {"moving": ([0.0, 1.25], [1.0, 1.75])})
    for ax, place, name in zip(axes, (0, 1), ("mean", "variance"), strict=True):
        assert ax.get_ylabel() == name
        assert ax.get_xlabel() == "step"
        np.testing.assert_array_equal(_lines(ax)["true"].get_xdata(), [0, 1])
        np.testing.assert_array_equal(_lines(ax)["true"].get_ydata(), true[place])
    np.testing.assert_array_equal(_lines(axes[1])["moving"].get_ydata(), [1.0, 1.75])


def test_accuracy_over_epochs_draws_per_cent_from_epoch_1():
    ax = normalization.accuracy_over_epochs({"training": [0.5, 0.75], "test": [0.1, 0.2]})
    np.testing.assert_array_equal(_lines(ax)["training"].get_xdata(), [1, 2])
    np.testing.assert_allclose(_lines(ax)["test"].get_ydata(), [10, 20])
    assert "per cent" in ax.get_ylabel()
    assert ax.get_xlabel() == "epoch"


def test_given_axes_are_used():
    _, (first, second) = plt.subplots(1, 2)
    maps = np.arange(8.0).reshape(2, 2, 1, 2)
    assert normalization.channel_ranges({"maps": maps}, axes=[first])[0] is first
    assert normalization.accuracy_over_epochs({"test": [0.5]}, ax=second) is second
    moments = ([0.0], [1.0])
    assert normalization.moments_over_steps(moments, {}, axes=[first, second])[1] is second
    grid = normalization.learning_grid([1], [8], {"one": np.ones((1, 1))}, axes=[first])
    assert grid[0] is first


def test_signal_by_layer_draws_each_way_on_a_logarithmic_axis():
    spreads, gradients = {"small": [1, 0.1, 0.01]}, {"small": [0.02, 0.2, 2]}
    forward, back = normalization.signal_by_layer(spreads, gradients)
    for ax, curves in ((forward, spreads), (back, gradients)):
        assert ax.get_yscale() == "log"
        assert ax.get_xlabel() == "layer"
        np.testing.assert_array_equal(_lines(ax)["small"].get_ydata(), curves["small"])
        np.testing.assert_array_equal(_lines(ax)["small"].get_xdata(), [1, 2, 3])


def test_channel_ranges_of_four_stand_in_two_rows():
    maps = np.arange(8.0).reshape(2, 2, 1, 2)
    axes = normalization.channel_ranges(dict.fromkeys("abcd", maps))
    assert [ax.get_subplotspec().rowspan.start for ax in axes] == [0, 0, 1, 1]
