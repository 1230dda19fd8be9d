"""Figures of convolution: the axes come back, labelled, and show the numbers that were given."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cnncourse.plots import convolution


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def _texts(ax):
    return [text.get_text() for text in ax.texts]


def _hatched(ax):
    return [patch.get_x() + 0.5 for patch in ax.patches if patch.get_hatch()]


def _windows(ax):
    """First place of each window, from top to bottom."""
    return [round(patch.get_x() + 0.42) for patch in ax.patches if patch.get_y() > 0]


def test_weight_matrices_show_a_corner_beside_the_answers():
    matrices = {"dense": np.arange(1.0, 21).reshape(4, 5), "local": np.eye(4, 5)}
    answers = {"dense": np.ones((2, 2)), "local": -np.eye(2)}
    axes = convolution.weight_matrices(matrices, answers, corner=(2, 3))
    assert axes.shape == (2, 2)
    for (ax, beside), name in zip(axes, matrices, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), matrices[name][:2, :3])
        np.testing.assert_array_equal(beside.images[0].get_array(), answers[name])
        assert ax.get_title().startswith(f"{name}: 4 × 5")
        low, high = ax.images[0].get_clim()
        assert low == -high < 0  # white is 0


def test_sliding_frames_the_patch_and_its_answer():
    image = np.arange(12.0).reshape(3, 4)
    kernel = np.array([[1.0, 0.0], [0.0, -1.0]])
    axes = convolution.sliding(image, kernel, row=1, column=2)
    assert [_texts(ax)[0] for ax in axes] == ["0", "1", "-5"]
    assert _texts(axes[2]) == ["-5"] * 6
    (patch,), (place,) = axes[0].patches, axes[2].patches
    assert (patch.get_xy(), patch.get_width(), patch.get_height()) == ((1.5, 0.5), 2, 2)
    assert (place.get_xy(), place.get_width(), place.get_height()) == ((1.5, 0.5), 1, 1)


def test_filtered_keeps_grey_scales_alike_and_centres_signed_answers():
    photo = np.array([[0, 100], [200, 255]], dtype=np.uint8)
    answers = np.array([[-300.0, 0.0], [50.0, 100.0]])
    axes = convolution.filtered({"photo": photo, "edges": answers}, signed=["edges"])
    assert [ax.get_title() for ax in axes[:2]] == ["photo", "edges"]
    assert axes[0].images[0].get_clim() == (0, 255)
    low, high = axes[1].images[0].get_clim()
    assert low == -high < 0
    np.testing.assert_array_equal(axes[1].images[0].get_array(), answers)
    assert not axes[2].images
    assert not axes[2].axison


@pytest.mark.parametrize(
    ("case", "hatched", "windows"),
    [
        ((5, 3, 1, "valid"), [], [0, 1, 2]),
        ((5, 3, 1, "same"), [-1, 5], [-1, 0, 1, 2, 3]),
        ((5, 4, 1, "same"), [-1, 5, 6], [-1, 0, 1, 2, 3]),
        ((8, 3, 2, "same"), [8], [0, 2, 4, 6]),
        ((8, 3, 2, (1, 1)), [-1, 8], [-1, 1, 3, 5]),
    ],
)
def test_padding_draws_the_places_added_and_every_window(case, hatched, windows):
    (ax,) = convolution.padding({"case": case}, axes=[plt.figure().add_subplot()])
    assert _hatched(ax) == hatched
    assert _windows(ax) == windows
    assert _texts(ax) == [str(place) for place in range(case[0])]
    before = sum(place < 0 for place in hatched)
    counts = f"{before} before, {len(hatched) - before} after, {len(windows)} windows"
    assert ax.get_title() == f"case\n{counts}"


def test_kernels_share_a_scale_and_show_each_weight():
    axes = convolution.kernels({"small": np.array([[0.5, -1e-9]]), "large": np.array([[-2.0, 1]])})
    assert _texts(axes[0]) == ["0.50", "0.00"]
    assert _texts(axes[1]) == ["-2.00", "1.00"]
    assert axes[0].images[0].get_clim() == axes[1].images[0].get_clim()


def test_learning_draws_losses_and_errors():
    losses, errors = {"a": [4.0, 1.0], "b": [3.0, 2.0]}, {"a": [0.5, 0.1], "b": [0.4, 0.4]}
    axes = convolution.learning(losses, errors)
    for ax, curves in zip(axes, (losses, errors), strict=True):
        assert {line.get_label(): list(line.get_ydata()) for line in ax.lines} == curves
        assert ax.get_xlabel() == "step"
        assert ax.get_yscale() == "log"
    assert "loss" in axes[0].get_ylabel()
    assert "error" in axes[1].get_ylabel()


def test_learning_cuts_off_what_is_only_rounding():
    axes = convolution.learning({"a": [1.0, 1e-32]}, {"a": [1.0, 1e-16]})
    assert axes[0].get_ylim()[0] == 1e-12
    assert axes[1].get_ylim()[0] < 1e-16


def test_given_axes_are_used():
    _, given = plt.subplots(1, 3)
    image = np.ones((3, 3))
    assert list(convolution.sliding(image, image, row=0, column=0, axes=given)) == list(given)
    curves = {"a": [1.0]}
    assert list(convolution.learning(curves, curves, axes=given[:2])) == list(given[:2])
