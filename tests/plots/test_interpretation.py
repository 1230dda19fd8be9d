"""Figures of interpretation: the axes come back, labelled, and show the numbers that were given."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cnncourse.plots import interpretation, style


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def shown(ax):
    (picture,) = ax.images
    return np.asarray(picture.get_array())


def test_kernel_banks_draws_every_filter_under_its_title():
    rng = np.random.default_rng(0)
    banks = {"first": rng.normal(size=(3, 3, 1, 6)), "second": rng.normal(size=(5, 5, 1, 4))}
    axes = interpretation.kernel_banks(banks, columns=4)
    assert axes.shape == (3, 4)
    for number in range(6):
        np.testing.assert_array_equal(shown(axes.flat[number]), banks["first"][:, :, 0, number])
    assert not axes[1, 2].images
    assert not axes[1, 3].images
    for number in range(4):
        np.testing.assert_array_equal(shown(axes[2, number]), banks["second"][:, :, 0, number])
    assert axes[0, 0].get_title(loc="left") == "first"
    assert axes[2, 0].get_title(loc="left") == "second"


def clothes_and_maps():
    rng = np.random.default_rng(1)
    images = rng.random((2, 8, 8))
    maps = [
        {"fine": rng.random((8, 8)), "coarse": rng.normal(size=(2, 2))},
        {"fine": rng.random((8, 8)), "coarse": rng.normal(size=(2, 2))},
    ]
    return images, maps


def test_beside_images_draws_each_map_on_the_image_that_it_belongs_to():
    images, maps = clothes_and_maps()
    axes = interpretation.beside_images(images, maps, ["bag", "coat"])
    assert axes.shape == (2, 3)
    for row, name in enumerate(["bag", "coat"]):
        np.testing.assert_array_equal(shown(axes[row, 0]), images[row])
        assert axes[row, 0].get_ylabel() == name
        for column, title in enumerate(["fine", "coarse"], start=1):
            np.testing.assert_array_equal(shown(axes[row, column]), maps[row][title])
            assert axes[row, column].images[0].get_extent() == [-0.5, 7.5, 7.5, -0.5]
            assert axes[row, column].collections, "the outline of the image"
    assert [ax.get_title() for ax in axes[0, 1:]] == ["fine", "coarse"]


def test_zero_lies_in_the_middle_of_a_signed_map_and_at_the_end_of_another():
    images, maps = clothes_and_maps()
    axes = interpretation.beside_images(images, maps, ["bag", "coat"])
    largest = maps[0]["fine"].max()
    assert axes[0, 1].images[0].get_clim() == (0, largest)
    assert axes[0, 1].images[0].get_cmap().name == style.SEQUENTIAL
    low, high = axes[0, 2].images[0].get_clim()
    assert low == -high == -np.abs(maps[0]["coarse"]).max()
    assert axes[0, 2].images[0].get_cmap().name == style.DIVERGING


def test_a_map_of_zeros_is_drawn_dark():
    axes = interpretation.beside_images(np.eye(4)[None], [{"nothing": np.zeros((2, 2))}], ["image"])
    assert axes[0, 1].images[0].get_clim() == (0, 1)


def test_forgetting_draws_what_was_given():
    likeness = {"saliency": [1.0, 0.3, -0.1], "edges": [1.0, 1.0, 1.0]}
    ax = interpretation.forgetting([0, 1, 9], likeness, title="a network")
    lines = {line.get_label(): line for line in ax.lines}
    for name, values in likeness.items():
        np.testing.assert_array_equal(lines[name].get_xdata(), [0, 1, 9])
        np.testing.assert_array_equal(lines[name].get_ydata(), values)
    assert "forgotten" in ax.get_xlabel()
    assert "rank correlation" in ax.get_ylabel()
    assert ax.get_title() == "a network"


def test_given_axes_are_used():
    _, grid = plt.subplots(1, 3, squeeze=False)
    images, maps = clothes_and_maps()
    assert (
        interpretation.beside_images(images[:1], maps[:1], ["bag"], axes=grid)[0, 0] is grid[0, 0]
    )
    assert interpretation.forgetting([0], {"a": [1]}, ax=grid[0, 1]) is grid[0, 1]
    assert (
        interpretation.kernel_banks({"a": np.ones((2, 2, 1, 3))}, columns=3, axes=grid)[0, 2]
        is (grid[0, 2])
    )


def test_the_keys_name_the_scales_that_the_maps_use():
    images, maps = clothes_and_maps()
    both = interpretation.beside_images(images, maps, ["bag", "coat"])
    fine = [{"fine": pictures["fine"]} for pictures in maps]
    one = interpretation.beside_images(images, fine, ["bag", "coat"])
    for axes, wanted in ((both, [["0", "largest"], ["−", "+"]]), (one, [["0", "largest"]])):
        strips = axes[-1, 0].child_axes
        assert [[text.get_text() for text in strip.texts] for strip in strips] == wanted


def test_excitations_draw_each_image_in_the_row_of_its_network():
    rng = np.random.default_rng(2)
    pictures = {"trained": rng.random((3, 4, 4)), "untrained": rng.random((3, 4, 4))}
    axes = interpretation.excitations(pictures)
    assert axes.shape == (2, 3)
    for row, (title, images) in zip(axes, pictures.items(), strict=True):
        assert row[0].get_title(loc="left") == title
        for ax, image in zip(row, images, strict=True):
            np.testing.assert_array_equal(shown(ax), image)
            assert ax.images[0].get_clim() == (0, 1)
