"""Each figure of evaluation shows the numbers that it was given, on the axes that it was given."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cnncourse.plots import evaluation


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_samples_stand_at_their_accuracy(ax):
    drawn = evaluation.scatter_of_samples(
        {10: np.array([0.5, 0.9]), 50: np.array([0.8])}, 0.85, ax=ax
    )
    assert drawn is ax
    first, second, truth = ax.get_lines()
    assert list(first.get_xdata()) == [50, 90]
    assert list(second.get_xdata()) == [80]
    assert list(truth.get_xdata()) == [85, 85]
    assert "per cent" in ax.get_xlabel()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["10 images", "50 images"]


def test_coverage_draws_each_kind_and_the_promise(ax):
    evaluation.coverage(np.array([0.5, 1.0]), {"Wald": np.array([0.9, 0.0])}, 0.95, ax=ax)
    curve, promised = ax.get_lines()
    np.testing.assert_allclose(curve.get_ydata(), [90, 0])
    np.testing.assert_allclose(promised.get_ydata(), [95, 95])
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"Wald", "promised"}


def test_each_seed_has_its_interval(ax):
    evaluation.seeds({"a": [(0.90, 0.92, 0.93), (0.80, 0.85, 0.90)], "b": [(0.7, 0.8, 0.9)]}, ax=ax)
    bars = ax.containers[0]
    np.testing.assert_allclose(bars.lines[0].get_xdata(), [92, 85])
    ends = np.array([segment[:, 0] for segment in bars.lines[2][0].get_segments()])
    np.testing.assert_allclose(ends, [[90, 93], [80, 90]])
    assert [text.get_text() for text in ax.texts] == ["seed 0", "seed 1", "seed 0"]


def test_confusion_prints_every_count_and_shades_mistakes_alone(ax):
    matrix = np.array([[90, 3], [0, 7]])
    evaluation.confusion(matrix, ["bag", "coat"], ax=ax)
    assert {text.get_text() for text in ax.texts} == {"90", "3", "7"}
    np.testing.assert_array_equal(ax.images[0].get_array(), [[0, 3], [0, 0]])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["bag", "coat"]
    assert ax.get_ylabel() == "true class"


def test_reliability_draws_bins_against_the_diagonal(ax):
    bins = {"net": (np.array([0.6, 0.9]), np.array([0.5, 0.8]), np.array([10, 40]))}
    evaluation.reliability(bins, ax=ax)
    np.testing.assert_allclose(ax.collections[0].get_offsets(), [[60, 50], [90, 80]])
    sizes = ax.collections[0].get_sizes()
    assert sizes[1] > sizes[0]
    np.testing.assert_allclose(ax.get_lines()[0].get_xdata(), [0, 100])


def test_without_axes_each_makes_a_figure():
    before = len(plt.get_fignums())
    evaluation.confusion(np.eye(2, dtype=int), ["a", "b"])
    evaluation.seeds({"a": [(0.1, 0.2, 0.3)]})
    assert len(plt.get_fignums()) == before + 2
    plt.close("all")
