"""Each figure of feature maps draws the numbers that it was given."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cnncourse.plots import featuremaps


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_stacks_show_the_image_and_the_first_maps_of_each_layer():
    rng = np.random.default_rng(0)
    maps = {"first": rng.random((6, 6, 4)), "second": rng.random((3, 3, 2))}
    axes = featuremaps.stacks(rng.random((6, 6)), maps, count=3)
    assert axes.shape == (3, 3)
    np.testing.assert_array_equal(axes[1, 2].images[0].get_array(), maps["first"][:, :, 2])
    assert axes[1, 2].images[0].get_clim() == (0, maps["first"][:, :, 2].max())
    assert not axes[2, 2].images  # the second layer has two maps
    assert axes[2, 0].get_ylabel() == "second\n3 × 3 × 2"


def test_a_silent_map_stays_dark():
    axes = featuremaps.stacks(np.zeros((2, 2)), {"a": np.zeros((2, 2, 1))}, count=2)
    assert axes[1, 0].images[0].get_clim() == (0, 1)


def test_changes_are_drawn_for_each_shift_and_layer():
    _, ax = plt.subplots()
    changes = {"1 pixel": {"a": 0.1, "b": 0.5}, "2 pixels": {"a": 0.0, "b": 0.2}}
    assert featuremaps.change_by_layer(changes, ax=ax) is ax
    np.testing.assert_allclose(
        [line.get_ydata() for line in ax.get_lines()], [[0.1, 0.5], [0, 0.2]]
    )
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(changes)


def test_fields_show_each_field_whole_and_outline_the_image():
    small, wide = np.ones((3, 3)), np.ones((9, 9))
    kinds = {"trained": {"1st": small, "last": wide}, "untrained": {"1st": small, "last": wide}}
    axes = featuremaps.fields(kinds, 5)
    assert axes.shape == (2, 2)
    for row in axes:
        assert [len(ax.patches) for ax in row] == [0, 1]  # an image larger than the field: none
        (image,) = row[1].patches
        assert (image.get_xy(), image.get_width()) == ((1.5, 1.5), 5)
    assert [ax.get_title() for ax in axes[0]] == ["1st\n3 pixels", "last\n9 pixels"]
    assert [row[0].get_ylabel() for row in axes] == ["trained", "untrained"]
