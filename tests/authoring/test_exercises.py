"""Exercises: what is taken out, what is refused, and that drift is found."""

from __future__ import annotations

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cnncourse import checks
from cnncourse.authoring import notebooks
from cnncourse.authoring.__main__ import main
from cnncourse.authoring.exercises import derive, failing
from cnncourse.authoring.notebooks import AuthoringError, Course, Notebook
from cnncourse.authoring.runner import run_all

BLOCK = "def f(x):\n    # BEGIN SOLUTION\n    return x\n    # END SOLUTION"


def notebook(*code: str, check: bool = True) -> Notebook:
    cells = [new_markdown_cell("# Solution: one"), *map(new_code_cell, code)]
    if check:
        cells.append(new_code_cell("check(f)", metadata={"tags": ["check"]}))
    return new_notebook(cells=cells)


def test_what_the_learner_sees(course: Course) -> None:
    solved = notebooks.read(course.solutions[0])
    exercise = derive(solved, "s.ipynb")
    head, first, body, check = exercise.cells
    assert head.source == (
        "# Exercise: pixels\n\n[Open in Colab](https://colab.research.google.com/github/owner/"
        "course/blob/main/notebooks/exercises/01-pixels.ipynb)"
        " · [Solution](../solutions/01-pixels.ipynb)"
    )
    assert first.source == solved.cells[1].source
    assert body.source.startswith("def double(value):\n    # Your code here.\n    ...\n\n\nclass")
    assert check.metadata.tags == ["check"]
    assert [cell.id for cell in exercise.cells] == [cell.id for cell in solved.cells[:4]]
    assert all(cell.execution_count is None and not cell.outputs for cell in exercise.cells[1:])
    assert solved == notebooks.read(course.solutions[0])


def test_indentation_and_several_blocks() -> None:
    source = (
        "# BEGIN SOLUTION\nx = 1\n# END SOLUTION\ny = 2\nfor i in x:\n"
        "        # BEGIN SOLUTION\n        pass\n        # END SOLUTION"
    )
    exercise = derive(notebook(source), "s.ipynb")
    assert exercise.cells[1].source == (
        "# Your code here.\n...\ny = 2\nfor i in x:\n        # Your code here.\n        ..."
    )


def _checked(*names: str) -> Notebook:
    solved = notebook(BLOCK, check=False)
    for name in names:
        cell = new_code_cell(f'check("{name}", f)', metadata={"tags": ["check"]})
        solved.cells += [cell, new_markdown_cell(f"## Behind {name}")]
    return solved


def test_the_learner_sees_once_what_a_failing_check_says() -> None:
    exercise = derive(_checked("build_simple_cnn", "relu", "conv2d"), "s.ipynb")
    texts = [cell.source for cell in exercise.cells if cell.cell_type == "markdown"]
    assert texts[1:] == [
        "## Behind build_simple_cnn", failing("relu"), "## Behind relu", "## Behind conv2d",
    ]  # fmt: skip
    assert len({cell.id for cell in exercise.cells}) == len(exercise.cells)


@pytest.mark.parametrize("name", ["relu", "count_parameters"])
def test_what_it_says_is_what_the_check_says(name: str) -> None:
    said = " ".join(failing(name).split("```")[1].split())
    known = checks.EXERCISES[name].misconceptions
    answers = [checks.diagnose(name, mistake.answer).message for mistake in known]
    assert said in [" ".join(answer.split()) for answer in answers]


def test_a_check_of_no_exercise_is_refused() -> None:
    with pytest.raises(AuthoringError, match=r"rellu.*there is no exercise of that name"):
        derive(_checked("rellu"), "s.ipynb")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (notebook("# BEGIN SOLUTION\nx = 1"), "cell 2: line 1: # BEGIN SOLUTION without # END"),
        (notebook(BLOCK, "x\n# END SOLUTION"), "cell 3: line 2: # END SOLUTION without # BEGIN"),
        (notebook("# BEGIN SOLUTION\n" + BLOCK), "cell 2: line 3: # BEGIN SOLUTION inside"),
        (notebook("# BEGIN SOLUTION\n# END SOLUTION"), "cell 2: line 2: the solution is empty"),
        (notebook("# begin solution\nx = 1"), "cell 2: line 1: '# begin solution' looks like"),
        (notebook("x = 1  # BEGIN SOLUTION"), "cell 2: line 1: 'x = 1  # BEGIN SOLUTION' looks"),
        (notebook("x = 1"), "nothing to solve"),
        (notebook(BLOCK, check=False), "no cell is tagged 'check'"),
        (
            notebook("# BEGIN SOLUTION\nif x:\n# END SOLUTION\n    y = 1"),
            "cell 2: without its solution the cell is no Python: unexpected indent, line 3",
        ),
        (
            new_notebook(cells=[new_markdown_cell("# BEGIN SOLUTION\nText\n# END SOLUTION")]),
            "cell 1: a solution marker stands outside code",
        ),
        (
            new_notebook(cells=[new_code_cell(BLOCK, metadata={"tags": ["check"]})]),
            "cell 1: a check cell holds a solution",
        ),
    ],
)
def test_a_bad_solution_is_refused_by_name_and_cell(bad: Notebook, message: str) -> None:
    with pytest.raises(AuthoringError) as caught:
        derive(bad, "notebooks/solutions/s.ipynb")
    assert str(caught.value).startswith("notebooks/solutions/s.ipynb: ")
    assert message in str(caught.value)


def test_drift_is_found_and_mended(course: Course, monkeypatch, capsys) -> None:
    monkeypatch.chdir(course.root)
    assert main(["exercises", "--check"]) == 0
    path = course.exercises[0]
    good = path.read_bytes()

    drifted = notebooks.read(path)
    drifted.cells[2].source = "print('edited by hand')"
    notebooks.write(path, drifted)
    kept = path.read_bytes()
    capsys.readouterr()
    assert main(["exercises", "--check"]) == 1
    out = capsys.readouterr().out
    assert "notebooks/exercises/01-pixels.ipynb: differs from" in out
    assert "-    \"print('edited by hand')\"" in out
    assert path.read_bytes() == kept

    assert main(["exercises"]) == 0
    assert path.read_bytes() == good

    path.unlink()
    assert main(["exercises", "--check"]) == 1
    assert main(["exercises"]) == 0
    path.with_name("02-orphan.ipynb").write_bytes(good)
    assert main(["exercises", "--check"]) == 1
    assert "02-orphan.ipynb: no solution of that name" in capsys.readouterr().out


def test_a_bad_solution_leaves_the_old_exercise(course: Course, monkeypatch, capsys) -> None:
    monkeypatch.chdir(course.root)
    good = course.exercises[0].read_bytes()
    solved = notebooks.read(course.solutions[0])
    solved.cells[2].source += "\n# BEGIN SOLUTION"
    notebooks.write(course.solutions[0], solved)
    assert main(["exercises"]) == 1
    assert "notebooks/solutions/01-pixels.ipynb: cell 3: line 9:" in capsys.readouterr().out
    assert course.exercises[0].read_bytes() == good


def test_unsolved_only_check_cells_may_fail(course: Course, capsys) -> None:
    path = course.exercises[0]
    unsolved = notebooks.read(path)
    del unsolved.cells[1]
    notebooks.write(path, unsolved)
    assert run_all(course, [path]) == 0

    unsolved.cells += [
        new_code_cell("1 / 0"),
        new_code_cell("'passes'", metadata={"tags": ["check"]}),
        new_code_cell("1 / 0", metadata={"tags": ["check"]}),
    ]
    notebooks.write(path, unsolved)
    capsys.readouterr()
    assert run_all(course, [path]) == 1
    out = capsys.readouterr().out
    place = "notebooks/exercises/01-pixels.ipynb"
    assert out.splitlines()[:3] == [
        f"{place}: cell 4: ZeroDivisionError: division by zero",
        f"{place}: cell 5: the unsolved check passes; wanted NotYet",
        f"{place}: cell 6: ZeroDivisionError: division by zero; wanted NotYet",
    ]
    assert f"1/1 {place}: FAILED" in out
