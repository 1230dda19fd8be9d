"""Files, written whole or not at all; read, or refused in a sentence that says what to do.

What stands in a file is the affair of the room that reads it. Standard library only.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

_ELSEWHERE = "Choose another folder, or change its owner or permissions."
_ADVICE = {
    errno.ENOSPC: "Make room on that disk and do the same again.",
    errno.EDQUOT: "Make room in your quota and do the same again.",
    errno.ENOENT: "Make its folder first.",
    errno.ENOTDIR: "A file stands where its folder should be: move that file away.",
    errno.EISDIR: "A folder of that name stands there: move it away.",
}


class Damaged(OSError, ValueError):
    """A file is there and is not what it should be; the message says what to do."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: an interruption at any moment leaves the old one.

    The content first goes into a file beside it, ``.NAME.PROCESS.part``, which then takes its
    place in one step. One that a killed process left behind goes with the next writing.

    Args:
        path: the file; its folder exists.
        content: all of it.

    Raises:
        OSError: the file cannot be written; the message names it and says what to do.
    """
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _remove_leftovers(path)
        try:
            with half.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(half, path)
        finally:
            half.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(
            f"Cannot write {path} ({error.strerror}); what stood there is unchanged. "
            f"{_ADVICE.get(error.errno or 0, _ELSEWHERE)}"
        ) from error


def _remove_leftovers(path: Path) -> None:
    """Remove the halves of this file whose writers are dead."""
    start, end = f".{path.name}.", ".part"
    for name in os.listdir(path.parent):
        process = name.removeprefix(start).removesuffix(end)
        if name == f"{start}{process}{end}" and process.isdecimal() and not _lives(int(process)):
            # Windows does not remove a file that is open, so there its writer need not be asked.
            with suppress(OSError):
                path.with_name(name).unlink()


def _lives(process: int) -> bool:
    if os.name == "nt":  # where signal 0 is not a question but Ctrl-C
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def make_folder(folder: Path, *, advice: str = _ELSEWHERE) -> None:
    """Make a folder that can be written into, or say so before any work starts.

    Args:
        folder: made if missing, and those above it.
        advice: what to do where it cannot be.

    Raises:
        OSError: it cannot be made or written into; the message names it and gives the advice.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryDirectory(dir=folder).cleanup()
    except OSError as error:
        raise OSError(f"Cannot write into {folder} ({error.strerror}). {advice}") from error


@contextmanager
def reading(path: Path, what: str, advice: str) -> Iterator[None]:
    """Whatever goes wrong inside while this file is read becomes one sentence.

    Args:
        path: the file.
        what: what it is, with its article: ``"the checkpoint of a run"``.
        advice: what to do, a sentence: ``"Move it away to start anew."``

    Raises:
        FileNotFoundError: there is no such file.
        Damaged: it is a folder, empty, cut short or garbled.
        OSError: it cannot be read for another reason, such as its permissions.

    >>> from tempfile import TemporaryDirectory
    >>> import json
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.json")
    ...     path.touch()
    ...     try:
    ...         with reading(path, "the recipe of a run", "Move it away."):
    ...             json.loads(path.read_text())
    ...     except Damaged as error:
    ...         print(str(error).replace(folder, "runs"))
    runs/a.json is not the recipe of a run that can be read: it is empty. Move it away.
    """
    try:
        yield
    except Exception as error:
        if not path.exists():
            raise FileNotFoundError(f"There is no {path}, {what}. {advice}") from error
        if path.is_dir():
            reason = "it is a folder"
        elif isinstance(error, PermissionError):
            raise OSError(f"Cannot read {path}, {what} ({error.strerror}). {advice}") from error
        elif path.stat().st_size == 0:
            reason = "it is empty"
        else:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise Damaged(f"{path} is not {what} that can be read: {reason}. {advice}") from error
