"""Each figure of ablation shows the numbers that it was given, one panel for each network."""

import numpy as np
from matplotlib import pyplot as plt

from cnncourse.plots import ablation


def test_each_difference_has_both_intervals_and_0_is_marked():
    rows = {
        "simple_CNN": {"no part": (-0.05, 0.01, 0.04), "wider": (0.02, 0.03, 0.06)},
        "simpler_CNN": {"no part": (0.0, 0.01, 0.02)},
    }
    first, second = ablation.differences(rows)
    assert [label.get_text() for label in first.get_yticklabels()] == ["no part", "wider"]
    assert [ax.get_title() for ax in (first, second)] == ["simple_CNN", "simpler_CNN"]
    together, alone = first.collections
    ends = [np.array(lines.get_segments())[:, :, 0] for lines in (together, alone)]
    np.testing.assert_allclose(ends[0], [[-9, -1], [-4, 8]])
    np.testing.assert_allclose(ends[1], [[-6, -4], [-1, 5]])
    np.testing.assert_allclose(first.containers[0].lines[0].get_xdata(), [-5, 2])
    assert any(list(line.get_xdata()) == [0, 0] for line in first.get_lines())
    assert "points" in second.get_xlabel()
    plt.close("all")


def test_costs_stand_beside_the_line_of_proportion():
    ratios = {"simple_CNN": {"wider": (4.0, 2.0), "as dear": (1.0, 1.0)}}
    ax = ablation.costs(ratios)
    line, points = ax.get_lines()
    np.testing.assert_array_equal(line.get_xdata(), line.get_ydata())
    np.testing.assert_allclose(np.transpose(points.get_data()), [[4, 2], [1, 1]])
    assert [text.get_text() for text in ax.texts] == ["wider"]
    assert ax.get_xscale() == ax.get_yscale() == "log"
    plt.close("all")
