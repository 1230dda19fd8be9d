"""Figures of images as arrays: they show the numbers given, in place, under their names."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cnncourse.plots import images

NUMBERS = np.arange(100, dtype=np.uint8).reshape(10, 10)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_pixel_values_writes_each_number_where_its_pixel_is():
    whole, part = images.pixel_values(NUMBERS, top=2, left=5, size=3)
    np.testing.assert_array_equal(whole.images[0].get_array(), NUMBERS)
    np.testing.assert_array_equal(part.images[0].get_array(), NUMBERS[2:5, 5:8])
    written = {text.get_position(): text.get_text() for text in part.texts}
    assert written == {
        (column, row): str(NUMBERS[row, column]) for row in range(2, 5) for column in range(5, 8)
    }
    assert part.images[0].get_extent() == [4.5, 7.5, 4.5, 1.5]
    (frame,) = whole.patches
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((4.5, 1.5), 3, 3)
    assert {ax.get_xlabel() for ax in (whole, part)} == {"column"}
    assert {ax.get_ylabel() for ax in (whole, part)} == {"row"}


def test_pixel_values_writes_so_that_it_can_be_read():
    _, part = images.pixel_values(np.array([[0, 255]], dtype=np.uint8), top=0, left=0, size=2)
    assert [text.get_color() for text in part.texts] == ["white", "black"]


def test_pixel_values_draws_on_the_axes_given():
    _, given = plt.subplots(1, 2)
    drawn = images.pixel_values(NUMBERS, top=0, left=0, axes=given)
    assert list(drawn) == list(given)


def test_gallery_draws_each_picture_under_its_title():
    pictures = np.stack([NUMBERS, NUMBERS + 50, NUMBERS + 100])
    axes = images.gallery(pictures, ["a", "b", "c"], columns=2)
    assert axes.shape == (2, 2)
    for ax, picture, title in zip(axes.flat, pictures, "abc", strict=False):
        np.testing.assert_array_equal(ax.images[0].get_array(), picture)
        assert ax.get_title() == title
        assert ax.images[0].get_clim() == (picture.min(), picture.max())
    assert not axes[1, 1].images
    assert not axes[1, 1].axison


def test_gallery_shares_the_limits_given():
    axes = images.gallery(np.stack([NUMBERS, NUMBERS + 50]), ["a", "b"], limits=(0, 255))
    assert [ax.images[0].get_clim() for ax in axes.flat[:2]] == [(0, 255)] * 2


def test_gallery_of_weights_has_zero_in_the_middle_and_one_scale():
    axes = images.gallery(np.array([[[1.0]], [[-3.0]]]), ["a", "b"], columns=2, diverging=True)
    assert [ax.images[0].get_clim() for ax in axes.flat] == [(-3, 3)] * 2
    (bar,) = set(axes[0, 0].figure.axes) - set(axes.flat)
    assert bar.get_ylabel() == "weight"


def test_channels_draws_the_photo_and_each_channel_on_one_scale():
    photo = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    axes = images.channels(photo)
    assert [ax.get_title() for ax in axes] == ["photo", "red", "green", "blue"]
    np.testing.assert_array_equal(axes[0].images[0].get_array(), photo)
    for channel, ax in enumerate(axes[1:]):
        np.testing.assert_array_equal(ax.images[0].get_array(), photo[..., channel])
        assert ax.images[0].get_clim() == (0, 255)


def test_accuracies_draws_points_and_intervals_in_per_cent():
    ax = images.accuracies({"mean": (0.5, 0.4, 0.6), "linear": (0.8, 0.75, 0.85)})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["mean", "linear"]
    bars, points = ax.lines[::2], ax.lines[1::2]
    assert [list(bar.get_xdata()) for bar in bars] == [[40, 60], [75, 85]]
    assert {bar.get_solid_capstyle() for bar in bars} == {"butt"}, "no longer than the interval"
    assert [list(point.get_xdata()) for point in points] == [[50], [80]]
    assert [text.get_text() for text in ax.texts] == ["50.0", "80.0"]
    assert ax.get_xlabel() == "accuracy in per cent"
    assert ax.yaxis_inverted(), "the first name stands on top"


def test_accuracy_by_shift_draws_a_named_line_for_each_model():
    _, given = plt.subplots()
    ax = images.accuracy_by_shift([0, 1, 2], {"a": [0.5, 0.25, 0.1], "b": [1, 1, 0]}, ax=given)
    assert ax is given
    assert {line.get_label(): list(line.get_ydata()) for line in ax.lines} == {
        "a": [50, 25, 10],
        "b": [100, 100, 0],
    }
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert "pixels" in ax.get_xlabel()
    assert "per cent" in ax.get_ylabel()
