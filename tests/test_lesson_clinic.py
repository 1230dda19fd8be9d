"""Every patient of lesson 13 is examined: its test has to fail on it, and to pass on the repair.

The lesson's own ``examine`` insists on both, and ``make lessons`` runs it; what is held here is
that no patient gets past it and that ``examine`` is as strict as it says.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

LESSON = Path(__file__).parent.parent / "notebooks" / "13-clinic.ipynb"
CELLS = json.loads(LESSON.read_text(encoding="utf-8"))["cells"]
CODE = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]
PROSE = "\n".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "markdown")


def definition(name: str) -> str:
    """The source of a function that the lesson defines."""
    for source in CODE:
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return ast.get_source_segment(source, node)
    raise LookupError(name)


@pytest.fixture
def examine():
    namespace: dict = {}
    exec(definition("examine"), namespace)
    return namespace["examine"]


def passes(patient: object) -> None:
    pass


def fails(patient: object) -> None:
    raise AssertionError("sick")


def test_each_of_eleven_patients_is_examined_by_a_test_of_its_own() -> None:
    patients = re.findall(r"^## Patient (\d+)", PROSE, re.MULTILINE)
    examined = re.findall(r"^examine\((test_\w+), ", "\n".join(CODE), re.MULTILINE)
    assert patients == [str(number) for number in range(1, 12)]
    assert len(set(examined)) == len(examined) == len(patients)
    for test in examined:
        assert "assert " in definition(test)


def test_examine_wants_the_test_to_fail_first(examine) -> None:
    with pytest.raises(RuntimeError, match="tests nothing"):
        examine(passes, "broken", "repaired")


def test_examine_wants_the_repair_to_pass(examine) -> None:
    with pytest.raises(AssertionError, match="sick"):
        examine(fails, "broken", "repaired")


def test_examine_prints_the_symptom(examine, capsys) -> None:
    def of_one(patient: str) -> None:
        assert patient == "repaired", "sick"

    examine(of_one, "broken", "repaired")
    assert "sick" in capsys.readouterr().out
