"""Which exercises were passed on this machine: one small file each, on the learner's own disk.

What a learner wrote is not kept, and nothing leaves the machine. That a check was passed counts
more than that it is noted: where nothing can be written, nothing is, and nobody is told.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from pathlib import Path

from cnncourse import datasets, files

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def folder() -> Path | None:
    """Where the files are: ``$CNNCOURSE_PROGRESS``, or ``passed`` in the course's cache folder.

    Returns:
        A path, which need not exist yet; None where the variable is set and empty, so that
        nothing is kept.
    """
    chosen = os.environ.get("CNNCOURSE_PROGRESS")
    if chosen is None:
        return datasets.cache_folder() / "passed"
    return Path(chosen).expanduser() if chosen else None


def note(name: str) -> None:
    """Keep that an exercise was passed today, unless it was passed before.

    Args:
        name: of the exercise.
    """
    # RuntimeError: there is no home to put it into.
    with suppress(OSError, RuntimeError):
        place = folder()
        if place is not None and not (place / name).exists():
            place.mkdir(parents=True, exist_ok=True)
            files.write_whole(place / name, f"{date.today().isoformat()}\n".encode("ascii"))


def passed(names: Iterable[str]) -> dict[str, str]:
    """Which of these exercises were passed.

    Args:
        names: of exercises.

    Returns:
        For each one that was passed the day as ``YYYY-MM-DD``, empty where its file holds none.

    Raises:
        OSError: a file is there and cannot be read; the message names it and says what to do.
    """
    days: dict[str, str] = {}
    place = folder()
    if place is None:
        return days
    for name in names:
        try:
            text = (place / name).read_bytes()[:100].decode("ascii", "replace").strip()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise OSError(
                f"Cannot read {place / name} ({error.strerror}). Change its permissions, or set "
                "CNNCOURSE_PROGRESS to another folder."
            ) from error
        days[name] = text if _DAY.fullmatch(text) else ""
    return days


def forget(names: Iterable[str]) -> int:
    """Delete what is kept of these exercises, and the folder where nothing else stands in it.

    Args:
        names: of exercises.

    Returns:
        How many had been passed.

    Raises:
        OSError: a file cannot be deleted; the message names it and says what to do.
    """
    place, deleted = folder(), 0
    if place is None:
        return deleted
    for name in names:
        try:
            (place / name).unlink()
            deleted += 1
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise OSError(
                f"Cannot delete {place / name} ({error.strerror}). Change the permissions of its "
                "folder, or delete it by hand."
            ) from error
    with suppress(OSError):
        place.rmdir()
    return deleted
