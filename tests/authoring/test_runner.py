"""The runner names the cell that fails, ends a lesson there, and wants unsolved checks to fail."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from cnncourse.authoring import notebooks, runner


def run(path: Path) -> list[runner.Failure]:
    return runner.run(notebooks.read(path), notebooks.kind(path))


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
        ("notebooks", [("1 / 0", []), ("2 / 0", [])], [(1, "ZeroDivisionError: division by zero")]),
        ("solutions", [(f"{NOT_YET}\nraise NotYet('no')", ["check"])], [(1, "NotYet: no")]),
        ("exercises", [(f"{NOT_YET}\nraise NotYet('no')", ["check"])], []),
        ("exercises", [("1", ["check"])], [(1, "the unsolved check passes; wanted NotYet")]),
        (
            "exercises",
            [("1", []), ("1 / 0", ["check"])],
            [(2, "ZeroDivisionError: division by zero; wanted NotYet")],
        ),
        ("notebooks", [("import os\nos._exit(1)", [])], [(0, "DeadKernelError: Kernel died")]),
    ],
)
def test_what_fails_in_a_notebook_is_named(tmp_path, folder, cells, found) -> None:
    path = write(tmp_path / folder, *cells)
    failures = run(path)
    assert [(failure.cell, failure.reason) for failure in failures] == found


def test_a_notebook_runs_alone_in_an_empty_folder(tmp_path) -> None:
    path = write(tmp_path / "notebooks", ("import os\nassert os.listdir() == []", []))
    assert run(path) == []


def test_an_interrupt_ends_the_command_not_only_the_notebook(tmp_path) -> None:
    interrupt = "import os, signal, time\nos.kill(os.getppid(), signal.SIGINT)\ntime.sleep(60)"
    path = write(tmp_path / "notebooks", (interrupt, []))
    command = (
        "import pathlib; from cnncourse.authoring import notebooks, runner; "
        f"runner.run(notebooks.read(pathlib.Path({str(path)!r})), 'lesson')"
    )
    done = subprocess.run(
        [sys.executable, "-c", command],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert "KeyboardInterrupt" in done.stderr
    assert done.returncode == -signal.SIGINT
