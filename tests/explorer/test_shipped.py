"""What the page loads is what the shipped weights give: no export was forgotten."""

from __future__ import annotations

import gzip
import json
import re

import numpy as np
import pytest
from browsers import EXPLORER

from cnncourse.authoring.familiarity import export_familiarity
from cnncourse.export import export_course


def test_the_exported_files_are_those_of_the_shipped_networks(tmp_path):
    export_course(tmp_path)
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(written) == 6
    for path in written:
        assert (EXPLORER / path).read_bytes() == (tmp_path / path).read_bytes(), (
            f"{path} differs: run `python -m cnncourse.authoring explorer`"
        )


def test_the_rule_of_what_is_familiar_is_that_of_the_training_images(tmp_path):
    """Its numbers are rounded; on another processor one may fall to the other side."""
    written = json.loads(export_familiarity(tmp_path).read_text())
    shipped = json.loads((EXPLORER / "familiarity.json").read_text())
    assert written.keys() == shipped.keys()
    assert written["typical"] == shipped["typical"]
    assert written["limits"] == pytest.approx(shipped["limits"], rel=1e-3)
    for name in ("mean", "deviation"):
        np.testing.assert_allclose(written[name], shipped[name], atol=0.11)


def _fetched_from(name: str, files: set[str] | None = None) -> set[str]:
    """The files that a script fetches, by import or address, and those that these fetch."""
    files = set() if files is None else files
    if name not in files and (EXPLORER / name).is_file():
        files.add(name)
        for inner in re.findall(
            r'(?<!import\()"(?:\./)?([\w-]+\.\w+)"', (EXPLORER / name).read_text("latin-1")
        ):
            _fetched_from(inner, files)
    return files


def _travels(files: set[str]) -> int:
    """Bytes of the files, each packed by itself, as servers do."""
    return sum(len(gzip.compress((EXPLORER / name).read_bytes())) for name in files)


def test_the_page_and_each_network_are_small():
    explorer, widgets = (
        _fetched_from(f"{script}.js") | {"explorer.css"} for script in ("explorer", "widgets")
    )
    assert explorer | widgets == {path.name for path in EXPLORER.iterdir() if path.is_file()}
    assert _travels(explorer) < 100_000
    assert _travels(widgets) < 35_000
    for network in (EXPLORER / "networks").iterdir():
        assert sum(path.stat().st_size for path in network.iterdir()) <= 1_400_000
