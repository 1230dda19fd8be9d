"""A model card says what was counted, and nothing of runtimes for weights that nobody measured."""

from __future__ import annotations

import numpy as np
import pytest

from cnncourse import cards, cli, results, training
from cnncourse.models import NETWORKS


class Echo:
    """A network that answers what it is shown."""

    name = "echo"

    def predict(self, inputs, **options):
        return np.eye(3)[inputs]


@pytest.fixture
def page(monkeypatch):
    class Table(list):
        trainable, non_trainable, macs = 10, 2, 345

    row = type("Row", (), {"output_shape": (28, 28, 1)})
    monkeypatch.setattr(cards.anatomy, "layer_table", lambda network: Table([row]))
    answers, labels = np.array([0, 0, 1, 2, 2, 1, 0, 0]), np.array([0, 0, 1, 1, 2, 2, 2, 0])
    recipe = training.RECIPES["simple_CNN"]
    return cards.card(Echo(), recipe, answers, labels, part="test part", classes=("a", "b", "c"))


def test_hits_interval_and_worst_classes(page):
    assert "5 of 8 images of the test part right: 62.50%" in page
    low, high = results.interval(5, 8)
    assert f"from {low:.2%} to {high:.2%}" in page
    rows = [line for line in page.splitlines() if line.startswith("| ")][1:]
    assert rows == ["| c | 1 of 3 | a (1) |", "| b | 1 of 2 | c (1) |", "| a | 3 of 3 | – |"]
    assert "12 parameters, 48 bytes" in page
    assert "Runtimes" not in page


def test_every_way_that_was_measured_has_a_row_and_a_dash_where_it_was_not():
    values = results.load("deployment")["values"]
    measured = {key.removeprefix("simpler_CNN_") for key in values if key.startswith("simpler")}
    ways = {way for way in cards.RUNTIMES if f"{way}_hits" in measured}
    assert ways == set(cards.RUNTIMES)
    rows = cards.runtime_table("simpler_CNN").splitlines()[2:]
    assert len(rows) == len(ways)
    assert sum(row.count("–") for row in rows) == sum(
        f"{way}_{key}" not in measured for way in ways for key, _ in cards._COLUMNS.values()
    )


def test_the_command_writes_a_card_of_a_shipped_network(tmp_path, capsys):
    assert cli.main(["card", "simpler_CNN", "--to", str(tmp_path / "card.md")]) == 0
    written = (tmp_path / "card.md").read_text(encoding="utf-8")
    for wanted in ("# simpler_CNN", "## What it must not be used for", "| Shirt |"):
        assert wanted in written
    assert cards.runtime_table("simpler_CNN") in written
    assert cli.main(["card", "nothing"]) == 1
    assert ", ".join(NETWORKS) in capsys.readouterr().err
