"""The landmarks have the parameters that their papers and sources give, and work by hand agrees."""

from __future__ import annotations

import pytest

from cnncourse import anatomy, results
from cnncourse.authoring import landmarks


def test_lenet_by_hand() -> None:
    table = anatomy.layer_table(landmarks.lenet_5())
    convolutions = 6 * 26 + 16 * (6 * 25 + 1) + 120 * (16 * 25 + 1)
    assert table.trainable == convolutions + 84 * 121 + 10 * 85
    work = 28 * 28 * 6 * 25 + 10 * 10 * 16 * 150 + 120 * 400 + 120 * 84 + 84 * 10
    assert table.macs == work


@pytest.mark.parametrize("name", ["lenet_5", "mini_xception", "simple_cnn"])
def test_the_recorded_counts_are_those_of_the_networks(name: str) -> None:
    network = landmarks.LANDMARKS[name]()
    table = anatomy.layer_table(network)
    assert results.value(f"landmarks.{name}_parameters").value == network.count_params()
    assert results.value(f"landmarks.{name}_macs").value == table.macs


def test_the_known_totals() -> None:
    # As Keras counts the published models of these names; ResNet-18 as its authors' others do.
    known = {"vgg_16": 138_357_544, "mini_xception": 58_423, "resnet_18": 11_699_112}
    for name, parameters in known.items():
        assert results.value(f"landmarks.{name}_parameters").value == parameters
