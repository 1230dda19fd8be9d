"""The package as a house: what an import costs, which room may open which door, what ships."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import cnncourse

ROOT = Path(__file__).parent.parent
PACKAGE = Path(cnncourse.__file__).parent

# Room: the rooms below it that it may import, and the outside libraries that make it heavy.
HEAVY = {"keras", "tensorflow", "matplotlib"}
FLOORS = {
    "data": (set(), set()),
    "ops": (set(), set()),
    "datasets": ({"data"}, set()),
    "results": (set(), set()),
    "startup": (set(), {"keras"}),
    "quizzes": (set(), set()),
    "models": ({"data"}, {"keras"}),
    "anatomy": ({"ops"}, {"keras"}),
    "checks": ({"ops", "startup"}, {"keras"}),
    "training": ({"datasets", "models"}, {"keras"}),
    "export": ({"datasets", "models", "results"}, {"keras"}),
    "interpret": ({"anatomy", "ops"}, {"keras"}),
    "plots": ({"anatomy", "ops"}, {"matplotlib"}),
}
TOP = {"cli", "authoring"}


def rooms() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts != ("__init__",):
            found.setdefault(parts[0], []).append(path)
    return found


def imports(path: Path) -> set[str]:
    """Names of the modules that a file imports, at its top or inside a function."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "cnncourse":
            names |= {f"cnncourse.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    return names


def test_every_room_stands_on_a_floor() -> None:
    assert set(rooms()) == set(FLOORS) | TOP


@pytest.mark.parametrize("room", sorted(FLOORS))
def test_imports_point_down(room: str) -> None:
    below, heavy = FLOORS[room]
    for path in rooms()[room]:
        named = imports(path)
        own = {name.split(".")[1] for name in named if name.startswith("cnncourse.")}
        assert own <= below | {room}, path
        assert {name.split(".")[0] for name in named} & HEAVY <= heavy, path


def test_nothing_imports_the_top_floor() -> None:
    for room, paths in rooms().items():
        if room == "authoring":
            continue
        for path in paths:
            assert not any(name.startswith("cnncourse.authoring") for name in imports(path)), path


def test_importing_the_package_loads_neither_keras_nor_matplotlib() -> None:
    script = (
        "import sys, json, cnncourse, cnncourse.ops, cnncourse.datasets, cnncourse.results, "
        "cnncourse.checks; print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(json.loads(done.stdout))


def test_the_lock_holds_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)
    assert len(pinned) > 100
    assert len(re.findall(r"^[\w.-]+==[^\n]*\\\n    --hash=sha256:", lock, re.MULTILINE)) == len(
        pinned
    )
    assert "://" not in lock
    assert "index-url" not in lock


def test_the_lock_holds_every_direct_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for requirement in wanted:
        name = re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")
        assert re.search(rf"^{re.escape(name)}==", lock, re.MULTILINE), requirement


@pytest.mark.slow
def test_the_wheel_holds_all_that_the_package_reads_and_is_small(tmp_path: Path) -> None:
    import zipfile

    from hatchling.builders.wheel import WheelBuilder

    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    held = set(zipfile.ZipFile(wheel).namelist())
    read = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert read <= held
    assert Path(wheel).stat().st_size < 15_000_000
