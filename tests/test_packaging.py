"""The package as a house: what an import costs, which room may open which door, what ships."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import cnncourse

ROOT = Path(__file__).parent.parent
PACKAGE = Path(cnncourse.__file__).parent

# Room: the rooms below it that it may import, and the outside libraries that make it heavy.
HEAVY = {"keras", "tensorflow", "matplotlib"}
FLOORS = {
    "data": (set(), set()),
    "files": (set(), set()),
    "ops": (set(), set()),
    "plans": (set(), set()),
    "quizzes": (set(), set()),
    "tolerances": (set(), set()),
    "startup": (set(), {"keras"}),
    "datasets": ({"data", "files"}, set()),
    "results": ({"files"}, set()),
    "operations": ({"ops"}, {"keras"}),
    "keras_layers": ({"operations"}, {"keras"}),
    "models": ({"data", "files"}, {"keras"}),
    "variants": ({"keras_layers", "models", "operations"}, {"keras"}),
    "anatomy": ({"keras_layers", "operations", "ops"}, {"keras"}),
    "checks": ({"datasets", "files", "keras_layers", "ops", "startup", "tolerances"}, {"keras"}),
    "training": (
        {"datasets", "files", "keras_layers", "models", "operations", "variants"},
        {"keras"},
    ),
    "parallel": ({"datasets", "tolerances"}, {"keras"}),
    "study": ({"files", "training", "variants"}, set()),
    "challenges": (
        {
            *("anatomy", "checks", "datasets", "files", "keras_layers", "models", "operations"),
            *("results", "tolerances", "training"),
        },
        {"keras"},
    ),
    "export": ({"datasets", "files", "keras_layers", "models", "operations", "results"}, {"keras"}),
    "runtimes": (
        {"anatomy", "datasets", "export", "files", "keras_layers", "startup", "tolerances"},
        {"keras", "tensorflow"},
    ),
    "cards": ({"anatomy", "results", "training"}, {"keras"}),
    "interpret": ({"datasets", "keras_layers", "operations", "ops"}, {"keras"}),
    "plots": ({"anatomy", "keras_layers", "operations", "ops"}, {"matplotlib"}),
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
    assert set(rooms()) - TOP == set(FLOORS)


@pytest.mark.parametrize("room", sorted(set(rooms()) - TOP))
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


def shipped() -> list[Path]:
    """The modules that a learner installs."""
    rooms_shipped = [paths for room, paths in rooms().items() if room != "authoring"]
    return [PACKAGE / "__init__.py", *(path for paths in rooms_shipped for path in paths)]


def test_what_ships_imports_only_what_it_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def named(lines: list[str]) -> set[str]:
        return {re.match(r"[\w.-]+", line)[0].lower() for line in lines}

    declared = named(project["dependencies"])
    # What a room says how to install when it is used without.
    extras = project["optional-dependencies"]
    optional = {"study": named(extras["study"]), "runtimes": named(extras["deploy"])}
    distributions = metadata.packages_distributions()
    wanted: dict[str, str] = {}
    for path in shipped():
        for name in sorted({name.split(".")[0] for name in imports(path)}):
            if name not in sys.stdlib_module_names and name != "cnncourse":
                names = {one.lower() for one in distributions.get(name, [name])}
                if names & optional.get(path.stem, set()):
                    continue
                assert names & declared, f"{path} imports {name}, which is not declared"
                wanted |= dict.fromkeys(names & declared, name)
    # TensorFlow is what Keras runs on; where it converts, it is imported as itself.
    assert set(wanted) | {"tensorflow"} == declared


def test_the_version_stands_in_one_place_and_is_cited() -> None:
    assert (
        re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)[1]
        == cnncourse.__version__
    )
    assert metadata.version("cnncourse") == cnncourse.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" in project["dynamic"]
    assert f"\n## {cnncourse.__version__}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_wheel_holds_what_learners_read_and_no_more_and_is_small(tmp_path: Path) -> None:
    import zipfile

    from hatchling.builders.wheel import WheelBuilder

    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    read = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and not {"__pycache__", "authoring"} & set(path.parts)
    }
    assert read == held
    assert Path(wheel).stat().st_size < 15_000_000
