"""Run notebooks and store their outputs: the one writer of a lesson's outputs.

Each notebook runs in an empty folder of its own, as in Colab, where nothing lies beside it.
What a notebook may print is judged in :mod:`cnncourse.authoring.hygiene`; here only errors and
anything on stderr stop it, and then the old file stays as it was.
"""

from __future__ import annotations

import base64
import copy
import os
import re
import struct
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from cnncourse.authoring import notebooks
from cnncourse.authoring.notebooks import AuthoringError, Course, Notebook

LONGEST_RUN = 60.0
"""Seconds that a lesson may take on two cores; more is reported."""

CELL_LIMIT = 1800
"""Seconds after which a cell counts as one that never ends."""

VOLATILE = "nbval-ignore-output"
"""Tag of a cell whose outputs differ from run to run, such as times."""

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_TEXT = {b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf"}


class RunFailed(AuthoringError):
    """A notebook did not run clean.

    Attributes:
        details: the traceback, or what was printed, to be read after the message.
    """

    def __init__(self, message: str, details: str) -> None:
        super().__init__(message)
        self.details = details


def execute(course: Course, paths: Sequence[Path], *, fresh: bool = False) -> int:
    """Run each notebook and write it; print one line for each, and return the exit status.

    A notebook that fails is reported, its file is left as it was, and the next one runs.
    """
    failures = 0
    for number, path in enumerate(paths, start=1):
        name = course.name(path)
        started = time.monotonic()
        try:
            changed = execute_one(path, name, f"{path.stem} ({number}/{len(paths)})", fresh=fresh)
        except AuthoringError as error:
            failures += 1
            print(error, flush=True)
            if isinstance(error, RunFailed):
                print(error.details, flush=True)
            continue
        seconds = time.monotonic() - started
        state = "rewritten" if changed else "unchanged"
        slow = f"; longer than {LONGEST_RUN:.0f} s" if seconds > LONGEST_RUN else ""
        print(f"{name}: {state} after {seconds:.0f} s{slow}", flush=True)
    print(f"{len(paths) - failures} of {len(paths)} notebooks ran clean.")
    return 1 if failures else 0


def execute_one(path: Path, name: str, label: str, *, fresh: bool = False) -> bool:
    """Run one notebook and write it; True if the file changed.

    Args:
        path: the notebook's file.
        name: how messages call it.
        label: shown beside the progress bar.
        fresh: also replace the outputs of cells tagged ``nbval-ignore-output``. Otherwise
            they stay while the code up to them is the same, so that a second run changes no
            byte although a time was measured again.

    Raises:
        RunFailed: a cell raised an error or wrote to stderr; the file was not touched.
    """
    old = notebooks.read(path)
    new = run(old, name, label)
    for position, cell in enumerate(new.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                text = _ANSI.sub("", output.text)
                first = next((line for line in text.splitlines() if line.strip()), "")
                raise RunFailed(f"{name}: cell {position}: wrote to stderr: {first}", text)
    normalise(new)
    if not fresh:
        _keep_volatile(old, new)
    return notebooks.write(path, new)


def run(notebook: Notebook, name: str, label: str) -> Notebook:
    """Run a notebook top to bottom in an empty folder; return a copy with its outputs.

    Raises:
        RunFailed: a cell raised an error, or the kernel died.
    """
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    notebook = copy.deepcopy(notebook)
    notebooks.normalise_cells(notebook)
    with _surroundings() as (source, folder):
        source.write_text(notebooks.text_of(notebook), encoding="utf-8")
        try:
            return papermill.execute_notebook(
                str(source),
                None,
                kernel_name="python3",
                cwd=str(folder),
                progress_bar={"desc": label, "leave": False},
                execution_timeout=CELL_LIMIT,
            )
        except papermill.PapermillExecutionError as error:
            reason = f"{error.ename}: {error.evalue}".strip().splitlines()[0]
            traceback = _ANSI.sub("", "\n".join(error.traceback))
            message = f"{name}: cell {error.cell_index + 1}: {_ANSI.sub('', reason)}"
            raise RunFailed(message, traceback) from error
        except (CellTimeoutError, DeadKernelError) as error:
            raise RunFailed(f"{name}: {str(error).strip().splitlines()[0]}", str(error)) from error


def failing_cells(notebook: Notebook) -> dict[int, str]:
    """Run every cell, whatever fails: position of each failing cell and its error's name.

    Positions count from 1. This is for unsolved exercises, where errors are expected.
    """
    from nbclient import NotebookClient

    notebook = copy.deepcopy(notebook)
    with _surroundings() as (_, folder):
        NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=CELL_LIMIT,
            allow_errors=True,
            resources={"metadata": {"path": str(folder)}},
        ).execute()
    return {
        position: output.ename
        for position, cell in enumerate(notebook.cells, start=1)
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    }


@contextmanager
def _surroundings() -> Iterator[tuple[Path, Path]]:
    """A file to read from, an empty working folder, and an environment that leaks nothing in.

    A plotting backend or a line width set in the author's shell would change the outputs.
    """
    leaking = {"MPLBACKEND", "COLUMNS", "LINES", "JUPYTER_COLUMNS"}
    environment = {key: value for key, value in os.environ.items() if key not in leaking}
    environment["JUPYTER_PREFER_ENV_PATH"] = "1"
    with (
        tempfile.TemporaryDirectory(prefix="cnncourse-") as outer,
        mock.patch.dict(os.environ, environment, clear=True),
    ):
        folder = Path(outer, "work")
        folder.mkdir()
        yield Path(outer, "notebook.ipynb"), folder


def normalise(notebook: Notebook) -> None:
    """Bring ids, metadata and outputs into the one form that is committed.

    Neighbouring outputs of one stream become one, a carriage return leaves what a terminal
    would show, and pictures lose the date and the program that drew them.
    """
    notebooks.normalise_cells(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _merged(cell.outputs)
            for output in cell.outputs:
                data = output.get("data", {})
                if "image/png" in data:
                    data["image/png"] = _plain_png(data["image/png"])
                if "image/svg+xml" in data:
                    data["image/svg+xml"] = re.sub(
                        r"<metadata>.*?</metadata>\s*", "", data["image/svg+xml"], flags=re.DOTALL
                    )


def _merged(outputs: Sequence[Notebook]) -> list[Notebook]:
    merged: list[Notebook] = []
    for output in outputs:
        last = merged[-1] if merged else None
        if output.output_type == "stream" and last and last.get("name") == output.name:
            last.text += output.text
        else:
            merged.append(output)
    for output in merged:
        if output.output_type == "stream":
            lines = output.text.replace("\r\n", "\n").split("\n")
            output.text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
    return merged


def _plain_png(encoded: str) -> str:
    """The same picture without the chunks that hold text, dates or camera data."""
    data = base64.b64decode(encoded)
    if not data.startswith(_PNG_START):
        raise AuthoringError("An output calls itself image/png and is none.")
    kept, at = [_PNG_START], len(_PNG_START)
    while at < len(data):
        # A chunk is its length, four letters, the content and a checksum.
        end = at + 12 + struct.unpack(">I", data[at : at + 4])[0]
        if data[at + 4 : at + 8] not in _PNG_TEXT:
            kept.append(data[at:end])
        at = end
    return base64.b64encode(b"".join(kept)).decode("ascii")


def _keep_volatile(old: Notebook, new: Notebook) -> None:
    old_code = [cell for cell in old.cells if cell.cell_type == "code"]
    new_code = [cell for cell in new.cells if cell.cell_type == "code"]
    for before, after in zip(old_code, new_code, strict=False):
        # The id is the hash of the source that was run: an edited or inserted cell has another,
        # and behind a deleted one the counts no longer agree.
        if before.id != after.id or before.execution_count != after.execution_count:
            return
        if VOLATILE in notebooks.tags(after):
            after.outputs = before.outputs
