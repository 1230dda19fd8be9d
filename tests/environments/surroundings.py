"""Environments of other Python versions, and kernels in them: shared by ``make colab``,
``make test-pythons`` and ``make packages``.

A kernel lives in the other environment; what drives it, ``cnncourse.authoring.runner``, in this.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from cnncourse.authoring.notebooks import AuthoringError, Course

ROOT = Path(__file__).parents[2]
COURSE = Course(ROOT)
UV = Path(sys.executable).with_name("uv")
THIS_PYTHON = ".".join(map(str, sys.version_info[:2]))


class Amiss(AuthoringError):
    """An environment is not what it should be; the line says what to do."""


def end_with(main: Callable[[], int]) -> NoReturn:
    """End the process with the status that ``main`` gives, or with the line of what was amiss."""
    try:
        sys.exit(main())
    except AuthoringError as amiss:
        sys.exit(str(amiss))


def find_python(version: str) -> str:
    """The path of an interpreter: named by a variable, on the path, uv's own, or pyenv's.

    Raises:
        Amiss: there is none; the text says how to get one.
    """
    variable = f"PYTHON{version.replace('.', '')}"
    if os.environ.get(variable):
        return os.environ[variable]
    found = _said(
        UV, "python", "find", "--no-project", "--no-python-downloads", "--system", version
    )
    if found:
        return found
    if shutil.which("pyenv"):
        newest = _said("pyenv", "latest", version)
        prefix = newest and _said("pyenv", "prefix", newest)
        if prefix:
            return str(Path(prefix, "bin", "python"))
    raise Amiss(
        f"There is no Python {version} here, so nothing was tested with it. Get it from your "
        f"system, with `pyenv install {version}` or with `uv python install {version}`, or name "
        f"one: make {variable}=/path/to/python{version} ..."
    )


def _said(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def make(folder: Path, version: str, requirements: Sequence[str]) -> Path:
    """An environment with these requirements, made anew if they changed; gives its Python.

    Args:
        folder: where it stands or will stand.
        version: of Python.
        requirements: arguments of ``uv pip install``.

    Raises:
        Amiss: no such Python, or the requirements cannot be met.
    """
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "made.json"
    wanted = json.dumps([version, *requirements, *map(_content, requirements)])
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted and python.exists():
        return python
    interpreter = find_python(version)
    print(f"== Making {folder.name} with Python {version}", flush=True)
    _uv("venv", "--quiet", "--clear", "--seed", "--python", interpreter, str(folder))
    _uv("pip", "install", "--quiet", "--python", str(python), *requirements)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _content(argument: str) -> str:
    path = Path(argument)
    return path.read_text(encoding="utf-8") if path.suffix in (".txt", ".toml") else ""


def _uv(*arguments: str) -> None:
    done = subprocess.run([UV, *arguments], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise Amiss(f"uv {' '.join(arguments[:2])} failed:\n{done.stderr.strip()}")


def build(folder: Path, *kinds: str) -> list[Path]:
    """The project's ``"wheel"``, ``"sdist"`` or both, built into a folder; sorted by name.

    Raises:
        Amiss: the project cannot be built.
    """
    options = [f"--{kind}" for kind in kinds]
    _uv("build", "--quiet", *options, "--out-dir", str(folder), str(ROOT))
    return sorted([*folder.glob("*.whl"), *folder.glob("*.tar.gz")])


def installed(python: Path) -> dict[str, str]:
    """Names and versions of what an environment holds, in normal form."""
    done = subprocess.run(
        [UV, "pip", "list", "--quiet", "--format", "json", "--python", str(python)],
        capture_output=True,
        text=True,
        check=True,
    )
    return {_normal(held["name"]): held["version"] for held in json.loads(done.stdout)}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def parse(requirements: str) -> dict[str, str]:
    """``name==version`` lines as a dict; other lines do not count.

    >>> parse("# facts\\nPyYAML==6.0.3\\njupyter_core == 5.9.1")
    {'pyyaml': '6.0.3', 'jupyter-core': '5.9.1'}
    """
    found = re.findall(r"^([\w.-]+)\s*==\s*([^\s;#]+)", requirements, re.MULTILINE)
    return {_normal(name): version for name, version in found}


def moved(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """One line for each package whose version is another than wanted.

    >>> moved({"numpy": "2.1.3", "keras": "3.13.2"}, {"numpy": "2.4.0", "keras": "3.13.2"})
    ['numpy: 2.4.0, was 2.1.3']
    """
    return [
        f"{name}: {found.get(name, 'gone')}, was {version}"
        for name, version in wanted.items()
        if found.get(name) != version
    ]


@contextmanager
def kernel(python: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The name of a Jupyter kernel that runs on this Python with these variables set."""
    with tempfile.TemporaryDirectory(prefix="cnncourse-") as outer:
        folder = Path(outer, "kernels", "course-elsewhere")
        folder.mkdir(parents=True)
        spec = {
            "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "elsewhere",
            "language": "python",
            "env": {"PYDEVD_DISABLE_FILE_VALIDATION": "1", **environment},
        }
        folder.joinpath("kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        old = os.environ.get("JUPYTER_PATH")
        os.environ["JUPYTER_PATH"] = outer
        try:
            yield folder.name
        finally:
            os.environ.pop("JUPYTER_PATH")
            if old is not None:
                os.environ["JUPYTER_PATH"] = old
