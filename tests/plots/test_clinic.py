"""Loss curves show the losses that they were given, and the levels that tell."""

import numpy as np
from matplotlib import pyplot as plt

from cnncourse.plots import clinic


def test_losses_and_marks_are_drawn():
    figure, ax = plt.subplots()
    drawn = clinic.losses({"a": [2.0, 1.0], "b": [3.0]}, marks={"glass": 1.5}, ax=ax)
    assert drawn is ax
    first, second, mark = ax.get_lines()
    np.testing.assert_allclose(first.get_xydata(), [[1, 2.0], [2, 1.0]])
    np.testing.assert_allclose(second.get_xydata(), [[1, 3.0]])
    assert set(mark.get_ydata()) == {1.5}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", "glass"]
    assert ax.get_ylim()[0] == 0
    plt.close(figure)


def test_spreads_are_drawn_on_a_logarithmic_axis():
    figure, ax = plt.subplots()
    assert clinic.spread_by_layer({"a": [1.0, 0.1, 0.01], "b": [2.0, 4.0]}, ax=ax) is ax
    first, second = ax.get_lines()
    np.testing.assert_allclose(first.get_xydata(), [[1, 1], [2, 0.1], [3, 0.01]])
    np.testing.assert_allclose(second.get_ydata(), [2, 4])
    assert ax.get_yscale() == "log"
    assert first.get_marker() != second.get_marker()
    plt.close(figure)
