"""A tiny course in which every command finds nothing amiss; tests spoil one thing at a time.

And training runs of one epoch on few images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cnncourse import datasets, training
from cnncourse.authoring import notebooks
from cnncourse.authoring.badges import badge
from cnncourse.authoring.bootstrap import cell_text
from cnncourse.authoring.exercises import derive
from cnncourse.authoring.notebooks import Course

# One white pixel.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5E"
    "rkJggg=="
)
ALT = "A white square, one pixel wide and high"


def numbered(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook as if it had been run: counts set, ids and metadata as ``execute`` sets them."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, start=1):
        cell.execution_count = count
    notebooks.normalise_cells(notebook)
    return notebook


def lesson(course: Course) -> nbformat.NotebookNode:
    head = (
        "# Pixels\n\nWhat is a pixel?\n\n"
        + badge(course.repository, "notebooks/01-pixels.ipynb")
        + " · Reading time: 20 min · Running time: 5 s"
    )
    picture = new_output("display_data", {"image/png": PIXEL, "text/plain": "a pixel"})
    return numbered(
        new_notebook(
            cells=[
                new_markdown_cell(head),
                new_code_cell(cell_text(course.repository)),
                new_markdown_cell("## One pixel\n\nLook at the white square."),
                new_code_cell("print(1)", outputs=[new_output("stream", text="1\n")]),
                new_code_cell(
                    "draw()", outputs=[picture], metadata={"mystnb": {"image": {"alt": ALT}}}
                ),
            ]
        )
    )


def solution(course: Course) -> nbformat.NotebookNode:
    head = (
        "# Solution: pixels\n\n"
        + badge(course.repository, "notebooks/solutions/01-pixels.ipynb")
        + " · [Exercise](../exercises/01-pixels.ipynb)"
    )
    body = (
        "def double(value):\n    # BEGIN SOLUTION\n    return 2 * value\n    # END SOLUTION\n\n\n"
        "class NotYet(AssertionError):\n    pass"
    )
    check = "if double(2) != 4:\n    raise NotYet"
    return numbered(
        new_notebook(
            cells=[
                new_markdown_cell(head),
                new_code_cell(cell_text(course.repository)),
                new_code_cell(body),
                new_code_cell(check, metadata={"tags": ["check"]}),
                new_markdown_cell("Twice is a sum.", metadata={"tags": ["solution"]}),
            ]
        )
    )


@pytest.fixture
def course(tmp_path: Path) -> Course:
    files = {
        "pyproject.toml": "[project]\n",
        "_config.yml": "repository:\n  url: https://github.com/owner/course\n  branch: main\n",
        "_toc.yml": (
            "root: book/index\nparts:\n  - chapters:\n      - file: notebooks/01-pixels\n"
            "        sections:\n          - file: notebooks/exercises/01-pixels\n"
            "          - file: notebooks/solutions/01-pixels.ipynb\n      - file: book/references\n"
        ),
        "README.md": "# Course\n\nRun `git clone https://github.com/owner/course` first.\n",
        "book/index.md": "# Welcome\n\nTo the course.\n",
        "book/references.md": "# References\n\n(lecun1998)=\nLeCun and others, 1998.\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for folder in (notebooks.LESSONS, notebooks.SOLUTIONS, notebooks.EXERCISES):
        (tmp_path / folder).mkdir(exist_ok=True)
    course = Course(tmp_path)
    solved = solution(course)
    notebooks.write(tmp_path / notebooks.LESSONS / "01-pixels.ipynb", lesson(course))
    notebooks.write(tmp_path / notebooks.SOLUTIONS / "01-pixels.ipynb", solved)
    notebooks.write(
        tmp_path / notebooks.EXERCISES / "01-pixels.ipynb", derive(solved, "01-pixels.ipynb")
    )
    return course


@pytest.fixture(scope="module")
def tiny_recipe() -> training.Recipe:
    return training.Recipe("simpler_CNN", epochs=1, validation_count=40)


@pytest.fixture(scope="module")
def few_images() -> Iterator[None]:
    """Both parts of Fashion-MNIST, as small as can be."""
    train_part, test_part = datasets.load_fashion_mnist()
    few = tuple(part[::100] for part in train_part), tuple(part[::20] for part in test_part)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "load_fashion_mnist", lambda size: few)
        yield


@pytest.fixture(scope="module")
def trained(
    few_images, tiny_recipe, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Train a run of one epoch; returns its folder, the same for the same changes."""
    root = tmp_path_factory.mktemp("runs")

    @cache
    def train(**changes: object) -> Path:
        folder = root / "-".join(map(str, ["run", *changes.values()]))
        training.train(replace(tiny_recipe, **changes), folder)
        return folder

    return train
