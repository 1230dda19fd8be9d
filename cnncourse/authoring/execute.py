"""Run notebooks and store their outputs: the one writer of a lesson's outputs.

What a notebook may print is judged in :mod:`cnncourse.authoring.hygiene`; here only errors and
anything on stderr stop it, and then the old file stays as it was. Running belongs to ``runner``.
"""

from __future__ import annotations

import base64
import copy
import re
import struct
import time
from collections.abc import Sequence
from pathlib import Path

from cnncourse.authoring import notebooks, runner
from cnncourse.authoring.notebooks import AuthoringError, Course, Notebook

LONGEST_RUN = 60.0
"""Seconds that a lesson may take on two cores; more is reported."""

VOLATILE = "nbval-ignore-output"
"""Tag of a cell whose outputs differ from run to run, such as times."""

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
                text = runner.without_colors(output.text)
                first = next((line for line in text.splitlines() if line.strip()), "")
                raise RunFailed(f"{name}: cell {position}: wrote to stderr: {first}", text)
    normalise(new)
    if not fresh:
        _keep_volatile(old, new)
    return notebooks.write(path, new)


def run(notebook: Notebook, name: str, label: str) -> Notebook:
    """Run a notebook in an empty folder; return a copy with its outputs.

    Raises:
        RunFailed: a cell raised an error, or the kernel died.
    """
    notebook = copy.deepcopy(notebook)
    notebooks.normalise_cells(notebook)
    for failure in runner.run(notebook, "lesson", label=label):
        raise RunFailed(f"{name}: {failure}", failure.details)
    return notebook


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
