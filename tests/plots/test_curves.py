"""Each figure of training shows the numbers that it was given, on the axes that it was given."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cnncourse.plots import curves


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


@pytest.fixture
def two_axes():
    figure, axes = plt.subplots(1, 2)
    yield axes
    plt.close(figure)


def test_losses_stand_at_their_step_on_a_logarithmic_axis(ax):
    assert curves.losses_by_step({"a": [2.0, 0.1]}, marks={"guessing": 2.3}, ax=ax) is ax
    curve, level = ax.get_lines()
    assert list(curve.get_xdata()) == [1, 2]
    assert list(curve.get_ydata()) == [2.0, 0.1]
    assert list(level.get_ydata()) == [2.3, 2.3]
    assert ax.get_yscale() == "log"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "guessing"]


def test_range_test_cuts_the_explosion_and_names_the_rates(ax):
    rates, losses = np.array([1e-3, 1e-2, 1e-1]), np.array([2.0, 1.0, 900.0])
    drawn = curves.range_test(rates, losses, smooth=losses / 2, marks={"chosen": 0.01}, ax=ax)
    assert drawn is ax
    dots, smooth, chosen = ax.get_lines()
    np.testing.assert_array_equal(dots.get_xdata(), rates)
    np.testing.assert_array_equal(dots.get_ydata(), losses)
    np.testing.assert_array_equal(smooth.get_ydata(), losses / 2)
    assert list(chosen.get_xdata()) == [0.01, 0.01]
    assert ax.get_ylim() == (0, 3.0)
    assert ax.get_xscale() == "log"


def test_rates_start_at_step_0(ax):
    curves.rates_by_step({"cosine": [0.4, 0.2, 0.0]}, ax=ax)
    (curve,) = ax.get_lines()
    assert list(curve.get_xdata()) == [0, 1, 2]
    assert list(curve.get_ydata()) == [0.4, 0.2, 0.0]
    assert ax.get_ylabel() == "learning rate"


def test_learning_curves_give_each_run_a_panel(two_axes):
    runs = {
        "one": {"accuracy": [0.5, 0.75], "val_accuracy": [0.4, 0.6]},
        "other": {"accuracy": [0.1], "val_accuracy": [0.2]},
    }
    drawn = curves.learning_curves(runs, epochs=4, marks={"off": 1.5}, axes=two_axes)
    assert list(drawn) == list(two_axes)
    training, validation, mark = two_axes[0].get_lines()
    np.testing.assert_allclose(training.get_ydata(), [50, 75])
    np.testing.assert_allclose(validation.get_ydata(), [40, 60])
    assert list(mark.get_xdata()) == [1.5, 1.5]
    assert two_axes[0].get_xlim() == (0.5, 4.5)
    assert [ax.get_title() for ax in two_axes] == ["one", "other"]
    assert "per cent" in two_axes[0].get_ylabel()


def test_one_run_needs_no_list_of_axes(ax):
    (drawn,) = curves.learning_curves({"a": {"accuracy": [0.5], "val_accuracy": [0.4]}}, axes=ax)
    assert drawn is ax


def test_each_seed_has_its_dot_and_each_recipe_its_mean(two_axes):
    measures = {"accuracy": {"a": [1.0, 3.0], "b": [2.0]}, "loss": {"a": [5.0], "b": [6.0]}}
    drawn = curves.spread_of_seeds(measures, axes=two_axes)
    assert list(drawn) == list(two_axes)
    dots, mean, *_ = two_axes[0].get_lines()
    assert list(dots.get_xdata()) == [1.0, 3.0]
    assert list(mean.get_xdata()) == [2.0]
    assert [text.get_text() for text in two_axes[0].texts] == ["0", "1", "0"]
    assert [label.get_text() for label in two_axes[0].get_yticklabels()] == ["a", "b"]
    assert [ax.get_xlabel() for ax in two_axes] == ["accuracy", "loss"]
