"""What judges notebooks in other environments names what moved and what failed, and only that."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

sys.path.insert(0, str(Path(__file__).with_name("environments")))

import surroundings

FACTS = Path(__file__).with_name("environments") / "colab-packages.txt"


def write(folder: Path, *cells: tuple[str, list[str]]) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "01-tiny.ipynb"
    made = [new_code_cell(source, metadata={"tags": tags}) for source, tags in cells]
    nbformat.write(new_notebook(cells=made), path)
    return path


NOT_YET = "class NotYet(Exception): pass"


@pytest.mark.parametrize(
    ("folder", "cells", "found"),
    [
        ("notebooks", [("1 + 1", [])], []),
        ("notebooks", [("1 / 0", []), ("2", [])], [(1, "ZeroDivisionError: division by zero")]),
        ("solutions", [(f"{NOT_YET}\nraise NotYet('no')", ["check"])], [(1, "NotYet: no")]),
        ("exercises", [(f"{NOT_YET}\nraise NotYet('no')", ["check"])], []),
        ("exercises", [("1", ["check"])], [(1, "the unsolved check passes; wanted NotYet")]),
        (
            "exercises",
            [("1", []), ("1 / 0", ["check"])],
            [(2, "ZeroDivisionError: division by zero")],
        ),
        ("notebooks", [("import os\nos._exit(1)", [])], [(0, "DeadKernelError: Kernel died")]),
    ],
)
def test_what_fails_in_a_notebook_is_named(tmp_path, folder, cells, found) -> None:
    path = write(tmp_path / folder, *cells)
    failures = surroundings.run(path, "python3")
    assert [(failure.cell, failure.reason) for failure in failures] == found


def test_a_notebook_runs_alone_in_an_empty_folder(tmp_path) -> None:
    path = write(tmp_path / "notebooks", ("import os\nassert os.listdir() == []", []))
    assert surroundings.run(path, "python3") == []


def test_an_interrupt_ends_the_command_not_only_the_notebook(tmp_path) -> None:
    interrupt = "import os, signal, time\nos.kill(os.getppid(), signal.SIGINT)\ntime.sleep(60)"
    path = write(tmp_path / "notebooks", (interrupt, []))
    command = (
        f"import surroundings, pathlib; surroundings.run(pathlib.Path({str(path)!r}), 'python3')"
    )
    done = subprocess.run(
        [sys.executable, "-c", command],
        cwd=FACTS.parent,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert "KeyboardInterrupt" in done.stderr
    assert done.returncode == -signal.SIGINT


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


def test_an_unknown_notebook_is_refused() -> None:
    with pytest.raises(surroundings.Amiss, match=r"no notebook; give paths such as"):
        surroundings.chosen(["notebooks/99-nowhere.ipynb"])
