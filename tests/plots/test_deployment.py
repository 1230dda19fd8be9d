"""Figures of deployment show the numbers that they were given."""

import numpy as np
from matplotlib import pyplot as plt

from cnncourse.plots import deployment


def test_errors_are_drawn_in_per_cent_with_their_bound():
    ax = deployment.filter_errors({"one": np.array([0.1, 0.2]), "each": np.array([0.01, 0.02])}, 1)
    one, each, bound = ax.get_lines()
    np.testing.assert_allclose(one.get_xydata(), [[0, 10], [1, 20]])
    np.testing.assert_allclose(each.get_ydata(), [1, 2])
    assert set(bound.get_ydata()) == {100}
    plt.close(ax.figure)


def test_every_sum_is_counted_and_both_limits_are_drawn():
    values = np.array([-90, -1, 0, 5, 40_000])
    ax = deployment.sums({"a": values}, 100)
    assert [set(line.get_xdata()) for line in ax.get_lines()] == [{-100}, {100}]
    counts, _ = np.histogram(values, np.linspace(-42_000, 42_000, 81))
    (outline,) = ax.patches
    assert outline.get_path().vertices[:, 1].max() == counts.max()
    assert counts.sum() == len(values)
    plt.close(ax.figure)


def test_each_program_has_its_row_and_its_bars():
    ax = deployment.times({"alone": {"a": 2.0, "b": 1.0}, "batch": {"b": 0.5}})
    marks = [(line.get_label(), *line.get_xydata().tolist()) for line in ax.lines]
    assert marks == [("alone", [2.0, 0.0], [1.0, 1.0]), ("batch", [0.5, 1.0])]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "b"]
    top, bottom = ax.transData.transform([(1, 0), (1, 1)])[:, 1]
    assert top > bottom  # the first program stands at the top
    plt.close(ax.figure)
