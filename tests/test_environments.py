"""What makes other environments names what moved and what is missing, and only that."""

from __future__ import annotations

from pathlib import Path

import pytest
import surroundings

FACTS = Path(__file__).with_name("environments") / "colab-packages.txt"


def test_versions_that_moved_are_named_and_others_not() -> None:
    shipped = {"numpy": "2.1.3", "keras": "3.13.2", "tqdm": "4.67.3"}
    held = {"numpy": "2.1.3", "keras": "3.15.1"}
    assert surroundings.moved(shipped, held) == [
        "keras: 3.15.1, was 3.13.2",
        "tqdm: gone, was 4.67.3",
    ]


def test_the_facts_name_each_package_once_with_its_version() -> None:
    lines = [line for line in FACTS.read_text().splitlines() if line and line[0] != "#"]
    assert len(surroundings.parse("\n".join(lines))) == len(lines) > 40


def test_a_python_that_is_missing_is_said_with_the_ways_to_get_it() -> None:
    with pytest.raises(surroundings.Amiss, match=r"uv python install 3\.99.*PYTHON399="):
        surroundings.find_python("3.99")
