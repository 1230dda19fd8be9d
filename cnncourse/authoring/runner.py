"""Notebooks run as a reader runs them: top to bottom, each alone in an empty folder, as in Colab.

The one runner of the maintainers' commands, for lessons, solutions and unsolved exercises, on
this Python's kernel or on another environment's. Storing outputs belongs to ``execute``. That
the notebooks also run without this code is what ``make test`` shows, by nbval and papermill.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from cnncourse.authoring import notebooks
from cnncourse.authoring.exercises import wanted_error
from cnncourse.authoring.notebooks import Course, Notebook

CELL_LIMIT = 1800
"""Seconds after which a cell counts as one that never ends."""

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Failure:
    """One thing that went wrong in a notebook.

    Attributes:
        cell: its position, from 1; 0 for the notebook.
        reason: one line.
        details: what to read after it, for instance the traceback.
    """

    cell: int
    reason: str
    details: str = ""

    def __str__(self) -> str:
        return f"cell {self.cell}: {self.reason}" if self.cell else self.reason


def run(
    notebook: Notebook, kind: str, *, kernel: str = "python3", label: str = ""
) -> list[Failure]:
    """Run a notebook, put its outputs into it, and give what fails.

    In an unsolved exercise every check cell has to fail with ``NotYet`` and no other cell may;
    elsewhere nothing may fail, and the first error ends the run.

    Args:
        notebook: gets its outputs.
        kind: ``"lesson"``, ``"solution"`` or ``"exercise"``.
        kernel: name of a Jupyter kernel.
        label: shown beside a progress bar; without one there is no bar.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError
    from tqdm import tqdm

    with (
        _surroundings() as folder,
        tqdm(
            total=len(notebook.cells),
            desc=label,
            unit="cell",
            leave=False,
            disable=not label or None,
        ) as bar,
    ):
        client = NotebookClient(
            notebook,
            kernel_name=kernel,
            timeout=CELL_LIMIT,
            allow_errors=kind == "exercise",
            record_timing=False,
            # A kernel's warnings are about the connection, the same for each notebook.
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": str(folder)}},
            on_notebook_start=_end_by_signals,
            on_cell_start=lambda cell, cell_index: bar.update(cell_index - bar.n),
        )
        try:
            client.execute()
        except CellExecutionError:
            pass  # it stands among the outputs
        except (CellTimeoutError, RuntimeError, AssertionError) as error:
            # A kernel that dies is a RuntimeError; nbclient's tidying up after it may then assert.
            return [Failure(0, f"{type(error).__name__}: {_first(str(error))}", _trace(error))]
    cells = enumerate(notebook.cells, start=1)
    return [failure for n, cell in cells if (failure := _failure(n, cell, kind)) is not None]


def _failure(position: int, cell: Notebook, kind: str) -> Failure | None:
    errors = [one for one in cell.get("outputs", []) if one.output_type == "error"]
    wanted = wanted_error(cell, kind)
    found = errors[0].ename if errors else None
    if found == wanted:
        return None
    instead = f"; wanted {wanted}" if wanted else ""
    if not errors:
        return Failure(position, f"the unsolved check passes{instead}")
    reason = f"{found}: {_first(errors[0].evalue)}{instead}"
    return Failure(position, reason, without_colors("\n".join(errors[0].traceback)))


def without_colors(text: str) -> str:
    """A text without the codes that color it in a terminal."""
    return _ANSI.sub("", text)


def _first(text: str) -> str:
    return (without_colors(text).strip().splitlines() or [""])[0]


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def run_all(
    course: Course,
    paths: Sequence[Path],
    *,
    kernel: str = "python3",
    before_each: Callable[[], None] = lambda: None,
) -> int:
    """Run notebooks one after another, print a line for each, and give how many failed."""
    failed = 0
    for number, path in enumerate(paths, start=1):
        before_each()
        name = course.name(path)
        started = time.monotonic()
        failures = run(notebooks.read(path), notebooks.kind(path), kernel=kernel)
        seconds = time.monotonic() - started
        failed += bool(failures)
        for failure in failures:
            print(f"{name}: {failure}")
        state = "FAILED" if failures else "as it should be"
        print(f"{number}/{len(paths)} {name}: {state}, {seconds:.0f} s", flush=True)
        for failure in failures:
            print(failure.details)
    return failed


def _end_by_signals(notebook: Notebook) -> None:
    """Let Ctrl-C end the whole command: nbclient would end its kernel and we run the next."""
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # on Windows, where nbclient changes nothing either
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)


@contextmanager
def _surroundings() -> Iterator[Path]:
    """An empty working folder, and an environment that leaks nothing in.

    A plotting backend or a line width set in the author's shell would change the outputs.
    """
    leaking = {"MPLBACKEND", "COLUMNS", "LINES", "JUPYTER_COLUMNS"}
    environment = {key: value for key, value in os.environ.items() if key not in leaking}
    environment["JUPYTER_PREFER_ENV_PATH"] = "1"
    environment["CNNCOURSE_PROGRESS"] = ""  # what is run here is nobody's progress
    with (
        tempfile.TemporaryDirectory(prefix="cnncourse-") as folder,
        mock.patch.dict(os.environ, environment, clear=True),
    ):
        yield Path(folder)
