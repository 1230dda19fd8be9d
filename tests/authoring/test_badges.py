"""The published address: one place states it, and everything else follows."""

from __future__ import annotations

import pytest

from cnncourse.authoring import bootstrap, notebooks
from cnncourse.authoring.__main__ import main
from cnncourse.authoring.badges import badges, with_addresses
from cnncourse.authoring.hygiene import hygiene
from cnncourse.authoring.notebooks import AuthoringError, Course, Repository

NEW = Repository("https://github.com/school/cnn", "live")


def move(course: Course) -> Course:
    config = f"repository:\n  url: {NEW.url}\n  branch: {NEW.branch}\n"
    (course.root / "_config.yml").write_text(config, encoding="utf-8")
    return Course(course.root)


def test_one_command_moves_the_course(course: Course, monkeypatch, capsys) -> None:
    monkeypatch.chdir(course.root)
    assert main(["badges", "--check"]) == 0
    moved = move(course)
    assert main(["badges", "--check"]) == 1
    found = {line.split(":")[0] for line in capsys.readouterr().out.splitlines()[1:-1]}
    files = {moved.name(path) for path in (*course.lessons, *course.solutions, *course.exercises)}
    assert found == files | {"README.md"}

    assert main(["badges"]) == 0
    assert main(["exercises"]) == 0
    assert main(["badges", "--check"]) == 0
    assert hygiene(moved) == []
    everything = "".join(path.read_text() for path in course.root.rglob("*.*") if path.is_file())
    assert "owner/course" not in everything
    assert "https://github.com/school/cnn@live" in everything


def test_a_missing_link_and_first_cell_are_put_in(course: Course) -> None:
    path = course.lessons[0]
    notebook = notebooks.read(path)
    notebook.cells[0].source = "# Pixels\n\nWhat is a pixel?"
    del notebook.cells[1]
    notebooks.write(path, notebook)
    assert [finding.cell for finding in badges(course, [path], check=True)] == [1]
    assert badges(course, [path]) == []
    mended = notebooks.read(path)
    assert mended.cells[0].source == (
        "# Pixels\n\n[Open in Colab](https://colab.research.google.com/github/owner/course/"
        "blob/main/notebooks/01-pixels.ipynb)\n\nWhat is a pixel?"
    )
    assert mended.cells[1].source == bootstrap.cell_text(course.repository)
    assert badges(course, [path], check=True) == []


def test_an_edit_since_the_run_stays_visible(course: Course) -> None:
    path = course.lessons[0]
    notebook = notebooks.read(path)
    notebook.cells[3].source = "print(2)"
    notebooks.write(path, notebook)
    assert badges(move(course), [path]) == []
    assert {finding.rule for finding in hygiene(move(course), [path])} == {"normal-form"}


def test_a_link_to_another_notebook_is_found(course: Course) -> None:
    path = course.lessons[0]
    notebook = notebooks.read(path)
    notebook.cells[0].source = notebook.cells[0].source.replace("01-pixels", "02-other")
    notebooks.write(path, notebook)
    assert len(badges(course, [path], check=True)) == 1


def test_a_page_that_links_to_a_missing_notebook(course: Course) -> None:
    link = "https://colab.research.google.com/github/owner/course/blob/main/notebooks/09-x.ipynb"
    (course.root / "book/index.md").write_text(f"# Hello\n\n[Colab]({link})\n")
    (finding,) = badges(course, check=True)
    assert str(finding) == "book/index.md: address: Colab would find no notebooks/09-x.ipynb"


def test_only_the_addresses_of_the_course_change() -> None:
    text = (
        "pip install git+https://github.com/a/b@v1\n"
        "git clone https://github.com/a/b\n"
        'repository-code: "https://github.com/a/b"\n'
        'Repository = "https://github.com/a/b"\n'
        "see https://github.com/keras-team/keras and\n"
        "https://colab.research.google.com/github/keras-team/keras-io/blob/master/examples/x.ipynb"
    )
    assert with_addresses(text, NEW) == text.replace("a/b@v1", "a/b@live").replace(
        "https://github.com/a/b", NEW.url
    )


@pytest.mark.parametrize("url", ["", "https://example.org/owner/course", "github.com/owner"])
def test_an_address_that_colab_cannot_open_is_refused(course: Course, url: str) -> None:
    (course.root / "_config.yml").write_text(f"repository:\n  url: '{url}'\n", encoding="utf-8")
    with pytest.raises(AuthoringError, match="Colab opens"):
        badges(Course(course.root), check=True)


def test_a_notebook_without_a_head_is_a_finding(course: Course) -> None:
    path = course.lessons[0]
    notebook = notebooks.read(path)
    del notebook.cells[0]
    notebooks.write(path, notebook)
    (finding,) = badges(course, [path])
    assert "cell 1: is no Markdown cell" in finding.message


def test_links_into_the_published_book_follow_the_address() -> None:
    text = "see https://owner.github.io/course/book/explorer.html#widget-pooling"
    assert with_addresses(text, NEW) == (
        "see https://school.github.io/cnn/book/explorer.html#widget-pooling"
    )
    elsewhere = "https://owner.github.io/other/index.html"
    assert with_addresses(elsewhere, NEW) == elsewhere
