"""Running notebooks: the same bytes twice, nothing of the machine left, the old file whole."""

from __future__ import annotations

import base64
import copy
import os
import struct
import zlib
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cnncourse.authoring import execute, notebooks
from cnncourse.authoring.__main__ import main
from cnncourse.authoring.notebooks import AuthoringError, Course

SOURCES = [
    "print('one')\nprint('two')",
    "import os, sys\nprint('10 %\\r100 %')\nsorted(os.listdir()), os.environ.get('MPLBACKEND')",
    "import time\nprint(time.perf_counter_ns())",
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    return Course(tmp_path)


def save(course: Course, name: str, *sources: str) -> Path:
    cells = [new_markdown_cell("# Title"), *map(new_code_cell, sources)]
    path = course.root / "notebooks" / name
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_a_run_is_stored_in_one_form_and_a_second_changes_no_byte(
    home: Course, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    path = save(home, "01-a.ipynb", *SOURCES)
    notebook = notebooks.read(path)
    notebook.cells[3].metadata["tags"] = [execute.VOLATILE]
    notebook.cells[3].metadata["collapsed"] = False
    notebooks.write(path, notebook)
    (path.parent / "neighbour.txt").touch()

    assert main(["execute", "notebooks/01-a.ipynb"]) == 0
    assert "notebooks/01-a.ipynb: rewritten after" in capsys.readouterr().out
    first = path.read_bytes()
    stored = notebooks.read(path)
    assert stored.metadata == notebooks.METADATA
    assert [cell.metadata for cell in stored.cells] == [{}, {}, {}, {"tags": [execute.VOLATILE]}]
    code = stored.cells[1:]
    assert [cell.execution_count for cell in code] == [1, 2, 3]
    assert [output.text for output in code[0].outputs] == ["one\ntwo\n"]
    assert code[1].outputs[0].text == "100 %\n"
    folder, backend = eval(code[1].outputs[1].data["text/plain"])
    assert folder == []
    assert backend != "agg"

    assert main(["execute"]) == 0
    assert "notebooks/01-a.ipynb: unchanged after" in capsys.readouterr().out
    assert path.read_bytes() == first
    assert os.environ["MPLBACKEND"] == "agg"


def test_a_failing_notebook_is_named_first_and_stays_whole(
    home: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = save(home, "01-a.ipynb", "x = 1", "raise ValueError('a\\nb')", "x")
    loud = save(home, "02-b.ipynb", "import sys\nprint('hush', file=sys.stderr)")
    before = [failing.read_bytes(), loud.read_bytes()]

    assert main(["execute"]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "notebooks/01-a.ipynb: cell 3: ValueError: a"
    assert "\x1b" not in "".join(lines)
    assert any("raise ValueError" in line for line in lines[1:])
    assert "notebooks/02-b.ipynb: cell 2: wrote to stderr: hush" in lines
    assert lines[-1] == "0 of 2 notebooks ran clean."
    assert [failing.read_bytes(), loud.read_bytes()] == before


def faked(notebook: nbformat.NotebookNode, printed: str) -> nbformat.NotebookNode:
    """As if the kernel had printed that in each code cell."""
    for count, cell in enumerate(notebook.cells[1:], start=1):
        cell.execution_count, cell.outputs = count, [new_output("stream", text=printed)]
    return notebook


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A stand-in for the kernel; each run prints the next of the texts put in here."""
    texts: list[str] = []
    monkeypatch.setattr(execute, "run", lambda old, *_: faked(copy.deepcopy(old), texts.pop(0)))
    return texts


def test_volatile_outputs_stay_until_their_code_changes(home: Course, kernel: list[str]) -> None:
    path = save(home, "01-a.ipynb", "x = 1", "print(x)")
    notebook = notebooks.read(path)
    notebook.cells[2].metadata["tags"] = [execute.VOLATILE]
    notebooks.write(path, notebook)

    def run(printed: str, **options: bool) -> list[str]:
        kernel.append(printed)
        execute.execute_one(path, path.name, "", **options)
        return [cell.outputs[0].text for cell in notebooks.read(path).cells[1:]]

    assert run("a") == ["a", "a"]
    assert run("b") == ["b", "a"]
    assert run("c", fresh=True) == ["c", "c"]
    notebook = notebooks.read(path)
    notebook.cells[1].source = "x = 2"
    notebooks.write(path, notebook)
    assert run("d") == ["d", "d"]
    notebook = notebooks.read(path)
    del notebook.cells[1]
    notebooks.write(path, notebook)
    assert run("e") == ["e"]


@pytest.mark.parametrize("stage", ["fsync", "replace"])
def test_an_interrupted_write_leaves_the_old_file(
    home: Course, kernel: list[str], monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    path = save(home, "01-a.ipynb", "x = 1")
    before = path.read_bytes()
    kernel.append("new")

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, stage, interrupted)
    with pytest.raises(KeyboardInterrupt):
        execute.execute_one(path, path.name, "")
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_an_unreadable_notebook_is_refused(home: Course, capsys) -> None:
    path = home.root / "notebooks" / "01-a.ipynb"
    path.write_text("{", encoding="utf-8")
    assert main(["execute"]) == 1
    assert "01-a.ipynb: this is no readable notebook" in capsys.readouterr().out
    assert main(["execute", "nowhere.ipynb"]) == 1
    assert capsys.readouterr().err == "nowhere.ipynb: there is no such notebook.\n"


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(*extra: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixel = chunk(b"IDAT", zlib.compress(b"\x00\xff"))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + pixel + chunk(b"IEND", b"")


def test_pictures_lose_date_and_program_and_nothing_else() -> None:
    resolution = chunk(b"pHYs", struct.pack(">IIB", 100, 100, 1))
    drawn = png(chunk(b"tEXt", b"Software\x00Matplotlib"), resolution, chunk(b"tIME", b"1234567"))
    svg = "<svg><metadata>\n<dc:date>today</dc:date></metadata> <path/></svg>"
    outputs = [
        new_output("display_data", {"image/png": base64.encodebytes(drawn).decode()}),
        new_output("display_data", {"image/svg+xml": svg}),
    ]
    notebook = new_notebook(cells=[new_code_cell("draw()", outputs=outputs)])

    execute.normalise(notebook)

    first, second = notebook.cells[0].outputs
    assert base64.b64decode(first.data["image/png"]) == png(resolution)
    assert second.data["image/svg+xml"] == "<svg><path/></svg>"

    outputs[0].data["image/png"] = base64.b64encode(b"no picture").decode()
    with pytest.raises(AuthoringError, match="is none"):
        execute.normalise(new_notebook(cells=[new_code_cell("draw()", outputs=outputs)]))


def test_only_neighbouring_streams_of_one_name_are_merged() -> None:
    outputs = [
        new_output("stream", text="a\n"),
        new_output("stream", text="b\n"),
        new_output("display_data", {"text/plain": "between"}),
        new_output("stream", text="c\n"),
    ]
    notebook = new_notebook(cells=[new_code_cell("x", outputs=outputs)])
    execute.normalise(notebook)
    assert [output.get("text") for output in notebook.cells[0].outputs] == ["a\nb\n", None, "c\n"]


def test_ids_follow_from_content() -> None:
    def ids(*sources: str) -> list[str]:
        notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
        notebooks.normalise_cells(notebook)
        notebooks.text_of(notebook)
        return [cell.id for cell in notebook.cells]

    assert ids("a", "b") == ids("a  \n", "b")
    assert ids("new", "a", "b")[1:] == ids("a", "b")
    assert len(set(ids("a", "a", "a"))) == 3
    assert ids("a", "a")[0] == ids("a")[0]


def test_the_course_is_found_from_within(home: Course, tmp_path_factory) -> None:
    assert Course.find(home.root / "notebooks").root == home.root
    with pytest.raises(AuthoringError, match="repository of the course"):
        Course.find(tmp_path_factory.mktemp("elsewhere"))
