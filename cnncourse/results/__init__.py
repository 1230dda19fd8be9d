"""Measured numbers with their provenance: the JSON files beside this one, read and written.

A number enters only through :func:`record`, called by a command of the project. Measuring
itself, and printing, belong elsewhere.
"""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from cnncourse import files

FOLDER = Path(__file__).parent

UNITS = ("fraction", "count", "s", "ms", "ratio", "bytes", "1")
"""What a value may be measured in; a fraction is printed as per cent."""

_PACKAGES = ("keras", "numpy", "tensorflow", "jax", "torch", "onnxruntime", "ai-edge-litert")


@dataclass(frozen=True)
class Measurement:
    """One measured number.

    Attributes:
        value: the number.
        unit: one of :data:`UNITS`.
        tolerance: how far a repetition on another machine may lie from it; 0 is exact.
        provenance: command, seed, versions and machine that gave it.
    """

    value: float
    unit: str
    tolerance: float
    provenance: Mapping[str, Any]


def topics() -> list[str]:
    """The names of all result files, sorted.

    >>> "no such topic" in topics()
    False
    """
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load(topic: str) -> dict[str, Any]:
    """One result file: ``{"provenance": {...}, "values": {key: {...}}}``.

    Raises:
        KeyError: there is no such topic; the message lists the known ones.
    """
    path = FOLDER / f"{topic}.json"
    if not path.is_file():
        raise KeyError(f"There are no results {topic!r}; there are {', '.join(topics())}.")
    return json.loads(path.read_text(encoding="utf-8"))


def value(name: str) -> Measurement:
    """One number by its name, ``topic.key``; the key is what follows the last dot.

    Raises:
        KeyError: there is no such topic or key; the message lists the known ones.
    """
    topic, _, key = name.rpartition(".")
    content = load(topic)
    if key not in content["values"]:
        raise KeyError(
            f"The results {topic!r} hold no {key!r}; they hold {', '.join(content['values'])}."
        )
    return Measurement(provenance=content["provenance"], **content["values"][key])


def record(
    topic: str,
    values: Mapping[str, Mapping[str, Any]],
    *,
    command: str,
    seed: int | None = None,
    origin: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Path:
    """Write one result file, whole or not at all.

    Args:
        topic: name of the file, without ``.json``.
        values: for each key ``{"value": number, "unit": unit, "tolerance": number}``;
            the tolerance is 0 where it is left out. Keys hold no dot.
        command: what a reader types to measure the same.
        seed: of the random numbers, if there were any.
        origin: ``versions`` and ``machine`` where the numbers come from elsewhere, such as from
            a network that was trained on another machine; those of here and now if left out.
        details: what else belongs to the provenance, such as a recipe.
        folder: where to write; the package's own results if left out.

    Returns:
        The path of the file.

    Raises:
        ValueError: a key with a dot, an unknown unit, a value that is no finite number.
    """
    rows = {}
    for key, entry in values.items():
        row = {"value": entry["value"], "unit": entry["unit"], "tolerance": 0} | dict(entry)
        if "." in key:
            raise ValueError(f"Got the key {key!r}; a key holds no dot, use an underscore.")
        if row["unit"] not in UNITS:
            raise ValueError(f"Got the unit {row['unit']!r}; wanted one of {', '.join(UNITS)}.")
        if not isinstance(row["value"], int | float) or not abs(row["value"]) < float("inf"):
            raise ValueError(f"Got {row['value']!r} for {key!r}; wanted a finite number.")
        rows[key] = row
    provenance = {"command": command, "seed": seed, **(origin or _here()), **(details or {})}
    content = {"provenance": provenance, "values": rows}
    path = (folder or FOLDER) / f"{topic}.json"
    files.write_whole(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
    return path


def count(number: Any) -> dict[str, Any]:
    """A whole number, of any integer type, as :func:`record` takes it.

    >>> count(True + 2)
    {'value': 3, 'unit': 'count'}
    """
    return {"value": int(number), "unit": "count"}


def interval(correct: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval for a share, without continuity correction; see lesson 11.

    Args:
        correct: hits, from 0 to ``total``.
        total: how many were asked, at least 1.
        z: standard errors; 1.96 for 95 %.

    Returns:
        (low, high), fractions.

    Source: Wilson, *Probable inference, the law of succession, and statistical inference*,
    Journal of the American Statistical Association 22 (1927).

    >>> [round(end, 4) for end in interval(7, 8, 2)]
    [0.5218, 0.9782]
    """
    share, square = correct / total, z * z / total
    middle = (share + square / 2) / (1 + square)
    reach = z * math.sqrt(share * (1 - share) / total + square / (4 * total)) / (1 + square)
    return middle - reach, middle + reach


def _here() -> dict[str, Any]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    return {"versions": versions, "machine": machine}
