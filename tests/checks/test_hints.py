"""Help on request: each exercise has it, it points at a heading that exists, one more each time."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cnncourse.checks import EXERCISES, NotYet, check, hint, hints

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def _headings(lesson):
    notebook = json.loads((NOTEBOOKS / f"{hints.LESSONS[lesson]}.ipynb").read_text("utf-8"))
    text = "\n".join(
        "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"
    )
    return re.findall(r"^## (.*)$", text, re.MULTILINE)


def test_every_lesson_with_exercises_is_known_by_its_file():
    files = {path.stem for path in (NOTEBOOKS / "exercises").glob("*.ipynb")}
    known = {hints.LESSONS[exercise.lesson] for exercise in EXERCISES.values()}
    assert known <= {path.stem for path in NOTEBOOKS.glob("*.ipynb")}
    assert known <= files


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_every_exercise_has_help_and_its_section_exists(exercise):
    assert exercise.help is not None
    starting = [one for one in _headings(exercise.lesson) if one.startswith(exercise.help.section)]
    assert len(starting) == 1, exercise.help.section
    assert exercise.help.idea[-1] in ".?"
    assert exercise.help.step[-1] in ".?"


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_help_holds_no_code(exercise):
    for text in (exercise.help.idea, exercise.help.step):
        assert not re.search(r"np\.|return |lambda|axis=|\bdef\b", text)


def test_each_call_gives_one_more(capsys, monkeypatch):
    monkeypatch.setattr(hints, "_given", {})
    printed = []
    for _ in range(4):
        hint("grad_cam")
        printed.append(capsys.readouterr().out)
    about = EXERCISES["grad_cam"].help
    assert [about.idea in text for text in printed] == [True] * 4
    assert ["In the lesson" in text for text in printed] == [False, True, True, True]
    assert [about.step in text for text in printed] == [False, False, True, True]
    assert "https://colab.research.google.com/github/" in printed[1]
    assert "../12-interpretation.ipynb" in printed[1]
    assert printed[2] == printed[3]


def test_a_failing_check_says_that_there_is_help():
    with pytest.raises(NotYet, match=r"More help: hint\('relu'\)"):
        check("relu", lambda inputs: inputs)
    with pytest.raises(ValueError, match="Did you mean 'relu'"):
        hint("rellu")
