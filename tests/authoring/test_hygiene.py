"""Each rule has a document that breaks it and no other rule; the tiny course breaks none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from cnncourse.authoring import notebooks
from cnncourse.authoring.__main__ import main
from cnncourse.authoring.hygiene import LONGEST_CELL, RULES, document, hygiene
from cnncourse.authoring.notebooks import Course, Notebook

Spoil = Callable[[Course, Notebook], None]


def add_code(notebook: Notebook, source: str, *outputs: Notebook, **metadata: object) -> None:
    count = sum(cell.cell_type == "code" for cell in notebook.cells) + 1
    notebook.cells.append(
        new_code_cell(source, outputs=list(outputs), execution_count=count, metadata=metadata)
    )


def add_output(**output: object) -> Spoil:
    return lambda course, notebook: add_code(notebook, "show()", new_output(**output))


def add_printed(text: str) -> Spoil:
    return add_output(output_type="stream", text=text)


def add_source(source: str) -> Spoil:
    return lambda course, notebook: add_code(notebook, source)


def add_prose(text: str) -> Spoil:
    return lambda course, notebook: notebook.cells.append(new_markdown_cell(text))


def add_picture(alt: str | None) -> Spoil:
    metadata = {} if alt is None else {"mystnb": {"image": {"alt": alt}}}
    picture = new_output("display_data", {"image/svg+xml": "<svg/>", "text/plain": "a drawing"})
    return lambda course, notebook: add_code(notebook, "draw(1)", picture, **metadata)


def skip_a_count(course: Course, notebook: Notebook) -> None:
    notebook.cells[-1].execution_count += 1


def forget_to_run(course: Course, notebook: Notebook) -> None:
    notebook.cells.append(new_code_cell("print(2)"))


def leave_contents(course: Course, notebook: Notebook) -> None:
    (course.root / "_toc.yml").write_text("root: book/index\n", encoding="utf-8")


def edit_first_cell(course: Course, notebook: Notebook) -> None:
    notebook.cells[1].source += "; print(keras.__version__)"


def long_lesson(course: Course, notebook: Notebook) -> None:
    for number in range(40):
        add_code(notebook, "\n".join(f"a{number}_{line} = 1" for line in range(8)))


def head_says(old: str, new: str) -> Spoil:
    def spoil(course: Course, notebook: Notebook) -> None:
        assert old in notebook.cells[0].source
        notebook.cells[0].source = notebook.cells[0].source.replace(old, new)

    return spoil


def add_tag(course: Course, notebook: Notebook) -> None:
    notebook.cells[3].metadata["tags"] = ["nbval-skip"]


OF_ONE_MACHINE = (
    *("home", "root", "tmp", "Users", "work", "mnt"),
    *("media", "var", "opt", "content", "private"),
)
"""Folders at the top of a file system that differ from one machine to the next."""

BAD_LESSONS: list[tuple[str, str, Spoil]] = [
    ("executed", "a count left out", skip_a_count),
    ("executed", "never run", forget_to_run),
    ("no-error", "error", add_output(output_type="error", ename="E", evalue="e", traceback=[])),
    ("no-stderr", "warning", add_output(output_type="stream", name="stderr", text="careful")),
    ("no-address", "address", add_printed("<Thing object at 0x7f01a2b3c4d5>")),
    ("no-path", "home", add_printed("/home/ann/course/photo.png")),
    ("no-path", "temporary", add_printed("saved in /tmp/x")),
    ("no-path", "Windows", add_printed("C:\\Users\\Ann")),
    ("no-path", "in the code", add_source("read('/home/ann/photo.png')")),
    *(
        ("no-path", f"below {folder}", add_printed(f"/{folder}/photo.png"))
        for folder in OF_ONE_MACHINE
    ),
    ("no-host", "server", add_printed("see localhost, port 8888")),
    ("no-host", "index", add_source("!pip install --index-url x y")),
    ("in-contents", "not named", leave_contents),
    ("first-cell", "edited", edit_first_cell),
    ("length", "long", long_lesson),
    ("cell-length", "long cell", add_source("\n".join(["x = 1"] * (LONGEST_CELL + 1)))),
    ("no-semicolon", "quiet", add_source("draw();")),
    ("no-semicolon", "quiet above a comment", add_source("draw();  # hush\n# the end")),
    ("alternative-text", "none", add_picture(None)),
    ("alternative-text", "short", add_picture("A square")),
    ("alternative-text", "says figure", add_picture("Figure of a white square, one pixel wide")),
    ("alternative-text", "says plot", add_picture("A plot of the accuracy over ten epochs")),
    ("alternative-text", "in Markdown", add_prose("![](square.png)")),
    ("no-myst", "fence", add_prose("```{note}\nA note.\n```")),
    ("no-myst", "colons", add_prose(":::{note}\nA note.\n:::")),
    ("no-myst", "role", add_prose("See {term}`pooling`.")),
    ("no-remote", "picture", add_prose("![A white square, one pixel](https://example.org/a.png)")),
    ("no-remote", "tag", add_prose('<img src="https://example.org/a.png">')),
    ("times", "no reading", head_says("Reading time: 20 min · ", "")),
    ("times", "no running", head_says(" · Running time: 5 s", "")),
    ("words", "just", add_prose("You just call it.")),
    ("words", "Easy", add_prose("Easy.")),
    ("no-internal", "to do", add_prose("TODO: a picture")),
    ("no-internal", "in the code", add_source("x = 1  # FIXME")),
    ("title", "two", add_prose("# A second title")),
    ("title", "none at the top", head_says("# Pixels", "Pixels")),
    ("headings", "skip", add_prose("#### Deep")),
    ("known-tags", "skips a test", add_tag),
]


@pytest.mark.parametrize(
    ("rule", "spoil"),
    [pytest.param(rule, spoil, id=f"{rule}: {name}") for rule, name, spoil in BAD_LESSONS],
)
def test_a_bad_lesson_breaks_exactly_its_rule(course: Course, rule: str, spoil: Spoil) -> None:
    path = course.lessons[0]
    notebook = notebooks.read(path)
    spoil(course, notebook)
    notebooks.normalise_cells(notebook)
    notebooks.write(path, notebook)

    findings = hygiene(course, [path])

    assert {finding.rule for finding in findings} == {rule}
    assert all(str(finding).startswith("notebooks/01-pixels.ipynb") for finding in findings)


def test_every_rule_has_its_bad_example() -> None:
    elsewhere = {"cleared", "normal-form"}
    assert {rule for rule, _, _ in BAD_LESSONS} | elsewhere == {rule.name for rule in RULES}


def test_the_tiny_course_breaks_no_rule(course: Course) -> None:
    assert hygiene(course) == []
    kinds = {document(course, path).kind for path in (*course.lessons, *course.solutions)}
    assert kinds == {"lesson", "solution"}


def test_an_exercise_with_outputs_is_found(course: Course) -> None:
    path = course.exercises[0]
    notebook = notebooks.read(path)
    notebook.cells[1].execution_count = 1
    notebooks.write(path, notebook)
    assert {finding.rule for finding in hygiene(course, [path])} == {"cleared"}


@pytest.mark.parametrize("edit", ["source", "cell metadata", "notebook metadata"])
def test_an_edit_after_the_run_is_found(course: Course, edit: str) -> None:
    path = course.lessons[0]
    notebook = notebooks.read(path)
    if edit == "source":
        notebook.cells[3].source = "print(2)"
    elif edit == "cell metadata":
        notebook.cells[3].metadata["ExecuteTime"] = {"start_time": "today"}
    else:
        notebook.metadata.language_info["version"] = "3.11.9"
    notebooks.write(path, notebook)
    assert {finding.rule for finding in hygiene(course, [path])} == {"normal-form"}


def test_the_quiz_widget_may_hold_scripts(course: Course) -> None:
    path = course.lessons[0]
    notebook = notebooks.read(path)
    script = "<div id='q'></div><script>const at = 0x7f01a2b3c4; fetch('/tmp/x')</script>"
    add_code(notebook, "display_quiz(questions)", new_output("display_data", {"text/html": script}))
    notebooks.normalise_cells(notebook)
    notebooks.write(path, notebook)
    assert hygiene(course, [path]) == []


@pytest.mark.parametrize(
    "text",
    [
        "`just` is a word in code.",
        "An adjustment, easier than uneasy.",
        "Dropout <!-- just a comment --> drops.",
        "Divide by height/home/width.",
        "The data lie in `/usr/share/datasets`.",
    ],
)
def test_harmless_prose_is_left_alone(course: Course, text: str) -> None:
    path = course.lessons[0]
    notebook = notebooks.read(path)
    notebook.cells.append(new_markdown_cell(text))
    notebooks.normalise_cells(notebook)
    notebooks.write(path, notebook)
    assert hygiene(course, [path]) == []


def test_contents_without_a_file_and_twice(course: Course) -> None:
    with (course.root / "_toc.yml").open("a", encoding="utf-8") as file:
        file.write("  - chapters:\n      - file: notebooks/02-gone\n      - file: book/index\n")
    found = [str(finding) for finding in hygiene(course)]
    assert found == [
        "_toc.yml: contents: book/index: stands there twice",
        "_toc.yml: contents: notebooks/02-gone: there is no such file",
    ]


def test_pages_are_checked_too(course: Course) -> None:
    (course.root / "book/index.md").write_text("# Hello\n\n```{note}\nThis is easy.\n```\n")
    assert [finding.rule for finding in hygiene(course)] == ["words"]


def test_a_broken_file_is_a_finding(course: Course) -> None:
    course.lessons[0].write_text('{"cells": [', encoding="utf-8")
    assert [finding.rule for finding in hygiene(course)] == ["readable"]


def test_the_command_prints_place_rule_and_count(course, monkeypatch, capsys) -> None:
    monkeypatch.chdir(course.root)
    assert main(["hygiene"]) == 0
    assert capsys.readouterr().out == "0 findings.\n"
    notebook = notebooks.read(course.lessons[0])
    notebook.cells[3].execution_count = 9
    notebooks.write(course.lessons[0], notebook)
    assert main(["hygiene", "notebooks"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "notebooks/01-pixels.ipynb:cell 4: executed: execution count is 9, wanted 2",
        "1 findings.",
    ]
    assert main(["hygiene", "nowhere.ipynb"]) == 1
    assert "nowhere.ipynb" in capsys.readouterr().err
