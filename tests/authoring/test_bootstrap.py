"""The first cell: outside Colab it installs nothing; in Colab it installs what is missing."""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
import types
import venv
import zipfile
from pathlib import Path

import pytest

from cnncourse.authoring.bootstrap import cell_text
from cnncourse.authoring.hygiene import LONGEST_CELL
from cnncourse.authoring.notebooks import Repository

CELL = cell_text(Repository("https://github.com/owner/course", "main"))


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that the cell would run."""
    commands: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: commands.append(command))
    monkeypatch.setattr(subprocess, "check_output", lambda command: b"numpy==2.1.3\n")
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
    assert command[1:5] == ["-m", "pip", "install", "-qc/dev/stdin"]
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


def wheel(folder: Path, name: str, version: str, *requirements: str) -> Path:
    """The smallest wheel that pip installs."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requirements)
    with zipfile.ZipFile(path, "w") as archive:
        info = f"{name}-{version}.dist-info"
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{info}/METADATA", head)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Colab runs on Linux; the cell names /dev/stdin")
def test_in_colab_no_shipped_package_moves(tmp_path) -> None:
    """A real pip: a newer version lies ready, and is taken neither by wish nor by need."""
    venv.create(tmp_path / "colab", with_pip=True)
    python = tmp_path / "colab" / "bin" / "python"
    shipped = wheel(tmp_path, "tiny", "1.0")
    odd = wheel(tmp_path, "odd", "1.1build1")
    wheel(tmp_path, "tiny", "1.1")
    begin = CELL.partition("from cnncourse")[0]
    script = f"import sys, types; sys.modules['google.colab'] = types.ModuleType('g')\n{begin}"

    def pip(*arguments: str | Path) -> str:
        return subprocess.run(
            [python, "-m", "pip", *arguments],
            env=offline,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def install(source: Path) -> subprocess.CompletedProcess:
        return subprocess.run(
            [python, "-c", script],
            cwd=tmp_path,
            env=offline | {"CNNCOURSE_SOURCE": str(source)},
            capture_output=True,
            text=True,
        )

    ours = {key: value for key, value in os.environ.items() if key[:3] not in ("PIP", "PYT")}
    offline = ours | {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path),
        "PIP_CONFIG_FILE": os.devnull,
    }
    offline |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    pip("install", shipped)
    with zipfile.ZipFile(odd) as archive:
        archive.extractall(next(tmp_path.glob("colab/lib/python*/site-packages")))

    refused = install(wheel(tmp_path, "cnncourse", "2.0", "tiny>=1.1"))
    assert refused.returncode != 0
    assert "ResolutionImpossible" in refused.stderr
    assert "tiny==1.0" in pip("list", "--format=freeze").splitlines()

    assert install(wheel(tmp_path, "cnncourse", "1.0", "tiny>=1.0")).returncode == 0
    held = pip("list", "--format=freeze").splitlines()
    assert {"cnncourse==1.0", "tiny==1.0"} <= set(held)
