"""Tests and notebooks on every supported Python: ``make test-pythons``.

For each version of Python once with the lowest versions of our dependencies that
``pyproject.toml`` admits, and once with the newest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tomllib
from pathlib import Path

from surroundings import (
    COURSE,
    ROOT,
    UV,
    Amiss,
    end_with,
    find_python,
    installed,
    kernel,
    make,
)

from cnncourse.authoring.runner import run_all

PYTHONS = ("3.11", "3.12", "3.13")
RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}
# Of the package itself; how the project builds its pages and judges its notebooks is the same
# everywhere and is what `make test` holds.
TESTS = [
    "-Wdefault",  # `make test` makes an error of each warning; old versions have some of their own
    "--disable-warnings",
    "tests",
    "--ignore=tests/authoring",
    "--ignore=tests/book",
    "--ignore=tests/bench",
    "--ignore=tests/explorer",
    "--ignore=tests/test_course.py",
    "--ignore=tests/test_environments.py",
    "--ignore=tests/test_packaging.py",
]


def environment(version: str, way: str) -> Path:
    """The environment of one version and one way of resolving."""
    folder = ROOT / f".venv-py{version.replace('.', '')}-{way}"
    pins = ROOT / "_build" / f"{folder.name}.txt"
    pins.parent.mkdir(exist_ok=True)
    done = subprocess.run(
        [
            *(UV, "pip", "compile", "--quiet", "--no-header", "--no-annotate"),
            *("--resolution", RESOLUTIONS[way], "--python-version", version),
            *("pyproject.toml", "--output-file", str(pins), "--upgrade"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Amiss(f"No {way} versions fit Python {version}:\n{done.stderr.strip()}")
    return make(
        folder,
        version,
        ["--editable", ".[test]", "--constraint", str(pins), "--no-sources"],
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", choices=PYTHONS, action="append", help="default: all")
    parser.add_argument("--versions", choices=RESOLUTIONS, action="append", help="default: both")
    parser.add_argument("notebooks", nargs="*", help="paths; default: lessons and solutions")
    options = parser.parse_args()
    paths = COURSE.chosen(options.notebooks, [*COURSE.lessons, *COURSE.solutions])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = [name.split(">")[0] for name in project["dependencies"]]
    amiss = []
    for version in options.python or PYTHONS:
        try:
            find_python(version)
        except Amiss as missing:
            amiss.append(str(missing))
            continue
        for way in options.versions or RESOLUTIONS:
            label = f"Python {version}, {way} versions"
            python = environment(version, way)
            held = installed(python)
            print(f"== {label}: {', '.join(f'{name} {held[name]}' for name in direct)}", flush=True)
            tests = subprocess.run(
                [python, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *TESTS],
                cwd=ROOT,
                env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            )
            if tests.returncode:
                amiss.append(f"{label}: tests failed")
            with kernel(python, {}) as name:
                failed = run_all(COURSE, paths, kernel=name)
            if failed:
                amiss.append(f"{label}: {failed} of {len(paths)} notebooks failed")
    for line in amiss:
        print(line)
    print("All is as it should be." if not amiss else f"{len(amiss)} findings.")
    return 1 if amiss else 0


if __name__ == "__main__":
    end_with(main)
