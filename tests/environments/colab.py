"""Run every notebook as Colab would: ``make colab``.

An environment holds the versions that Colab ships. Each notebook begins there without the
course, alone in an empty folder, and installs it by its own first cell, from a wheel of this
working tree. Then not one of Colab's packages may have moved.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from surroundings import (
    COURSE,
    ROOT,
    UV,
    Amiss,
    build,
    end_with,
    installed,
    kernel,
    make,
    moved,
    parse,
)

from cnncourse.authoring.runner import run_all

HERE = Path(__file__).parent
FACTS = HERE / "colab-packages.txt"
PYTHON = "3.13"
FOLDER = ROOT / ".venv-colab"
OURS = {"cnncourse"}
"""What the first cell installs beside what Colab ships."""


def uninstall(python: Path, names: set[str]) -> None:
    """Remove packages from an environment; those it does not hold do not count."""
    subprocess.run(
        [UV, "pip", "uninstall", "--quiet", "--python", str(python), *sorted(names)],
        check=True,
        capture_output=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", help="paths; default: all")
    options = parser.parse_args()
    paths = COURSE.chosen(options.notebooks, COURSE.notebooks)
    python = make(FOLDER, PYTHON, ["--requirement", str(FACTS)])
    shipped = parse(FACTS.read_text(encoding="utf-8"))
    uninstall(python, OURS)  # of an earlier run
    at_first = installed(python)
    stale = moved(shipped, at_first)
    if stale:
        raise Amiss(f"{FOLDER.name} is not what Colab ships ({'; '.join(stale)}): remove it.")

    def without_the_course() -> None:
        uninstall(python, OURS | set(installed(python)) - set(at_first))

    with tempfile.TemporaryDirectory(prefix="cnncourse-") as outer:
        (wheel,) = build(Path(outer), "wheel")
        variables = {"CNNCOURSE_SOURCE": str(wheel), "PYTHONPATH": str(HERE / "standin")}
        with kernel(python, variables) as name:
            failed = run_all(COURSE, paths, kernel=name, before_each=without_the_course)
    at_last = installed(python)
    if "cnncourse" not in at_last:
        print("The first cell did not install the course.")
        failed += 1
    changes = moved(shipped, at_last)
    for line in changes:
        print(f"A package of Colab's has moved: {line}")
    new = sorted(set(at_last) - set(at_first))
    print(f"Installed beside Colab's {len(shipped)} packages: {', '.join(new)}.")
    print(f"{len(paths) - failed} of {len(paths)} notebooks are as they should be.")
    return 1 if failed or changes else 0


if __name__ == "__main__":
    end_with(main)
