"""The first cell: outside Colab it installs nothing; in Colab it installs what is missing."""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
import types

import pytest

from cnncourse.authoring.bootstrap import cell_text
from cnncourse.authoring.hygiene import LONGEST_CELL
from cnncourse.authoring.notebooks import Repository

CELL = cell_text(Repository("https://github.com/owner/course", "main"))


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that the cell would run."""
    commands: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    return commands


def in_colab(monkeypatch: pytest.MonkeyPatch, *, installed: bool) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: found(name) if installed or name != "cnncourse" else None,
    )


def test_it_is_short_and_sets_log_level_and_seed(installs, capfd) -> None:
    assert len(CELL.splitlines()) <= LONGEST_CELL
    before = set(os.environ.items())
    exec(CELL, {})
    first = random.random()
    exec(CELL, {})
    assert random.random() == first
    assert {key for key, _ in set(os.environ.items()) - before} <= {"TF_CPP_MIN_LOG_LEVEL"}
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"]
    assert installs == []
    assert capfd.readouterr() == ("", "")


def test_in_colab_it_installs_once(installs, monkeypatch) -> None:
    monkeypatch.delenv("CNNCOURSE_SOURCE", raising=False)
    in_colab(monkeypatch, installed=False)
    exec(CELL, {})
    (command,) = installs
    assert command[1:5] == ["-m", "pip", "install", "-q"]
    assert command[5:] == ["cnncourse @ git+https://github.com/owner/course@main"]


def test_in_colab_it_takes_the_named_source(installs, monkeypatch) -> None:
    monkeypatch.setenv("CNNCOURSE_SOURCE", "cnncourse.whl")
    in_colab(monkeypatch, installed=False)
    exec(CELL, {})
    assert installs[0][5:] == ["cnncourse.whl"]


def test_in_colab_it_leaves_an_installed_course(installs, monkeypatch) -> None:
    in_colab(monkeypatch, installed=True)
    exec(CELL, {})
    assert installs == []
