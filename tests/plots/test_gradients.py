"""Figures of backpropagation: the axes come back, labelled, and show the numbers given."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cnncourse.plots import gradients


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def _texts(ax):
    return [text.get_text() for text in ax.texts]


def test_shares_lay_the_kernel_back_and_add_up():
    kernel = np.array([[1, 2], [0, -1]])
    axes = gradients.shares(np.array([[1, 3]]), kernel)
    assert len(axes) == 3
    assert [ax.get_title() for ax in axes] == ["1 × kernel", "3 × kernel", "the sum"]
    assert _texts(axes[0]) == ["1", "2", "0", "−1"]
    assert _texts(axes[1]) == ["3", "6", "0", "−3"]
    np.testing.assert_array_equal(axes[2].images[0].get_array(), [[1, 5, 6], [0, -1, -3]])
    (frame,) = axes[1].patches
    assert (frame.get_x(), frame.get_y()) == (0.5, -0.5)


def test_shares_write_no_minus_before_a_nought():
    axes = gradients.shares(np.array([[-1.0]]), np.array([[0.0, 2.0]]))
    assert axes[0].get_title() == "−1 × kernel"
    assert _texts(axes[0]) == ["0", "−2"]


def test_shares_of_a_stride_lie_further_apart():
    axes = gradients.shares(np.array([[1, 3]]), np.array([[1, 2, -1]]), stride=2)
    np.testing.assert_array_equal(axes[2].images[0].get_array(), [[1, 2, 2, 6, -3]])
    shares = [axes[place].images[0].get_array().filled(np.nan)[0] for place in (0, 1)]
    np.testing.assert_array_equal(np.isnan(shares[0]), [False, False, False, True, True])
    np.testing.assert_array_equal(np.isnan(shares[1]), [True, True, False, False, False])


def test_error_by_step_draws_the_errors_on_logarithmic_axes():
    ax = gradients.error_by_step([1e-3, 1e-2], {"one side": [1e-3, 1e-2], "both": [1e-6, 1e-4]})
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(lines["both"].get_ydata(), [1e-6, 1e-4])
    np.testing.assert_array_equal(lines["one side"].get_xdata(), [1e-3, 1e-2])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel() == "step"
    assert "error" in ax.get_ylabel()


def test_side_by_side_draws_losses_and_differences_with_their_limit():
    losses = {"NumPy": [2.0, 1.0], "Keras": [2.0, 1.5]}
    left, right = gradients.side_by_side(losses, {"Keras": [1e-7, 1e-6]}, limit=1e-4)
    lines = {line.get_label(): line for line in left.lines}
    np.testing.assert_array_equal(lines["NumPy"].get_ydata(), [2, 1])
    np.testing.assert_array_equal(lines["Keras"].get_xdata(), [1, 2])
    curve, line = right.lines
    assert curve.get_label() == "Keras"
    np.testing.assert_array_equal(curve.get_ydata(), [1e-7, 1e-6])
    np.testing.assert_array_equal(line.get_ydata(), [1e-4, 1e-4])
    assert right.get_yscale() == "log"
    assert all(ax.get_xlabel() == "step" and ax.get_ylabel() for ax in (left, right))


def test_given_axes_are_used():
    _, axes = plt.subplots(1, 3)
    assert gradients.error_by_step([0.1, 1], {"a": [1, 2]}, ax=axes[0]) is axes[0]
    drawn = gradients.side_by_side({"a": [1, 2]}, {"a": [0.1, 1]}, limit=1, axes=axes[1:])
    assert list(drawn) == list(axes[1:])
    _, three = plt.subplots(1, 3)
    assert list(gradients.shares(np.ones((1, 2)), np.ones((1, 1)), axes=three)) == list(three)


def test_a_graph_writes_values_above_and_gradients_below():
    places = {"w": (0, 0), "2·w": (1, 0)}
    ax = gradients.graph(places, [("w", "2·w")], {"w": 3, "2·w": 6}, {"w": -2, "2·w": -1})
    assert [text for text in _texts(ax) if text] == ["w", "3", "−2", "2·w", "6", "−1"]
    offsets = {text.get_text(): text.get_position()[1] for text in ax.texts if text.get_text()}
    assert offsets["6"] > 0 > offsets["−1"]


def test_a_graph_draws_on_given_axes():
    _, ax = plt.subplots()
    assert gradients.graph({"w": (0, 0)}, [], {"w": 1}, {"w": 1}, ax=ax) is ax
