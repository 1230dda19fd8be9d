"""The page on the architecture names files and what stands in them: all of it is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "book" / "architecture.md"
_ROW = re.compile(r"^\| .* \| `([^`]+)`(?:: (`[^|]+`))? \|$", re.MULTILINE)
_DEFINED_IN_A_SCRIPT = r"\b(?:function|class|const|let)\s+{name}\b"
_TARGET = r"^{name}(?: [\w-]+)*:"


def places() -> list[tuple[str, str]]:
    """Each file that a step names, with each name in it; an empty name stands for the file."""
    return sorted(
        {
            (path, name)
            for path, names in _ROW.findall(PAGE.read_text(encoding="utf-8"))
            for name in re.findall(r"`([^`]+)`", names) or [""]
        }
    )


def defined(path: Path) -> Iterator[str]:
    """What a module defines at its top: functions, classes and values."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
            for target in node.targets:
                if isinstance(target, ast.Tuple):
                    yield from (one.id for one in target.elts if isinstance(one, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def test_the_four_ways_are_there() -> None:
    headings = re.findall(r"^## From .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(headings) == 4
    assert len(places()) > 40


@pytest.mark.parametrize(("path", "name"), places())
def test_what_the_page_names_exists(path: str, name: str) -> None:
    file = ROOT / path
    assert file.is_file(), path
    text = file.read_text(encoding="utf-8")
    if not name:
        return
    if file.suffix == ".py":
        assert name in set(defined(file)), f"{path} defines no {name}"
    else:
        pattern = _TARGET if file.name == "Makefile" else _DEFINED_IN_A_SCRIPT
        found = re.search(pattern.format(name=re.escape(name)), text, re.MULTILINE)
        assert found, f"{path} defines no {name}"
