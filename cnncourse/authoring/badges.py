"""The published address, wherever it stands: Colab links, the first cell, install lines.

It is stated once, under ``repository`` in ``_config.yml``; here it is carried to the rest. The
badge is a text link, because a picture would be asked of another host.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from pathlib import Path

from cnncourse.authoring import bootstrap, notebooks
from cnncourse.authoring.notebooks import AuthoringError, Course, Finding, Notebook, Repository

OTHER_FILES = ("CITATION.cff", "CONTRIBUTING.md", "pyproject.toml")
"""Files besides pages and notebooks in which the address may stand."""

_BADGE = re.compile(r"\[Open in Colab\]\([^)]*\)")
# Only links into a folder "notebooks": a lesson may cite somebody else's Colab page.
_COLAB = re.compile(
    r"(https://colab\.research\.google\.com/github/)[\w.-]+/[\w.-]+/blob/[\w.-]+/(?=notebooks/)"
)
_INSTALL = re.compile(r"(git\+)https://github\.com/[\w.-]+/[\w-]+(?:\.git)?(?:@[\w.-]+)?")
_CLONE = re.compile(r"(git clone )https://github\.com/[\w.-]+/[\w-]+")
_PAGES = re.compile(r"https://[\w-]+\.github\.io/[\w.-]+/(?=book/|notebooks/)")
_STATED = re.compile(
    r"((?:^repository-code:|^(?:Homepage|Repository|Source|Issues|Documentation)\s*=)\s*[\"']?)"
    r"https://github\.com/[\w.-]+/[\w-]+",
    re.MULTILINE,
)


def badge(repository: Repository, name: str) -> str:
    """The link that opens a notebook in Colab.

    >>> badge(Repository("https://github.com/owner/course", "main"), "notebooks/01-a.ipynb")
    '[Open in Colab](https://colab.research.google.com/github/owner/course/blob/main/notebooks/01-a.ipynb)'
    """
    return (
        "[Open in Colab](https://colab.research.google.com/github/"
        f"{repository.name}/blob/{repository.branch}/{name})"
    )


def with_addresses(text: str, repository: Repository) -> str:
    """A page or a configuration file with the one address in place of any other."""
    text = _COLAB.sub(rf"\g<1>{repository.name}/blob/{repository.branch}/", text)
    text = _INSTALL.sub(rf"\g<1>{repository.url}@{repository.branch}", text)
    text = _PAGES.sub(lambda _: repository.pages, text)
    text = _CLONE.sub(rf"\g<1>{repository.url}", text)
    return _STATED.sub(rf"\g<1>{repository.url}", text)


def with_badge(notebook: Notebook, repository: Repository, name: str) -> None:
    """Set the Colab link of the first cell, and the first code cell, of a notebook.

    A missing link goes below the title, a missing first code cell below the first cell.

    Raises:
        AuthoringError: the notebook does not begin with a Markdown cell.
    """
    from nbformat.v4 import new_code_cell

    untouched = copy.deepcopy(notebook)
    notebooks.normalise_cells(untouched)
    as_run = [
        cell
        for cell, same in zip(notebook.cells, untouched.cells, strict=True)
        if cell.id == same.id
    ]
    if not notebook.cells or notebook.cells[0].cell_type != "markdown":
        raise AuthoringError(f"{name}: cell 1: is no Markdown cell with the title.")
    head, link = notebook.cells[0], badge(repository, name)
    if _BADGE.search(head.source):
        head.source = _BADGE.sub(lambda _: link, head.source)
    else:
        title, _, rest = head.source.partition("\n")
        head.source = "\n\n".join(part for part in (title, link, rest.strip("\n")) if part)
    wanted = bootstrap.cell_text(repository)
    first = next((cell for cell in notebook.cells if cell.cell_type == "code"), None)
    if first is not None and first.source.startswith(wanted.split(".")[0]):
        first.source = wanted
    else:
        notebook.cells.insert(1, new_code_cell(wanted))
    for cell in notebook.cells[1:]:
        if cell.cell_type == "markdown":
            cell.source = with_addresses(cell.source, repository)
    # A cell that its author edited since the run keeps its old id, by which hygiene knows it.
    moved = copy.deepcopy(notebook)
    notebooks.normalise_cells(moved)
    for cell, normal in zip(notebook.cells, moved.cells, strict=True):
        if any(cell is kept for kept in as_run):
            cell.id = normal.id


def badges(course: Course, paths: Sequence[Path] = (), *, check: bool = False) -> list[Finding]:
    """Carry the address everywhere, or with ``check`` find where another one stands.

    Exercises are only ever compared: the command ``exercises`` derives them from the solutions.

    Returns:
        The findings; when writing, those that cannot be mended here.
    """
    repository = course.repository
    findings: list[Finding] = []
    everything = [*course.lessons, *course.solutions, *(course.exercises if check else [])]
    for path in list(paths) or everything:
        name = course.name(path)
        try:
            notebook = notebooks.read(path)
            before = [(cell.cell_type, cell.source) for cell in notebook.cells]
            with_badge(notebook, repository, name)
        except AuthoringError as error:
            findings.append(Finding(name, 0, "address", str(error)))
            continue
        after = [(cell.cell_type, cell.source) for cell in notebook.cells]
        if before == after:
            continue
        if check:
            position = next(
                (
                    n
                    for n, pair in enumerate(zip(before, after, strict=False), 1)
                    if len(set(pair)) > 1
                ),
                len(before),
            )
            mend = "exercises" if notebooks.kind(path) == "exercise" else "badges"
            findings.append(
                Finding(name, position, "address", f"not as _config.yml; run the command {mend}")
            )
        else:
            notebooks.write(path, notebook)
    for path in [] if paths else [*course.pages, *(course.root / name for name in OTHER_FILES)]:
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        wanted = with_addresses(text, repository)
        if text != wanted and check:
            message = "not as _config.yml; run the command badges"
            findings.append(Finding(course.name(path), 0, "address", message))
        elif text != wanted:
            notebooks.write_text(path, wanted)
        findings += _dead_links(course, path, wanted)
    return findings


def _dead_links(course: Course, path: Path, text: str) -> list[Finding]:
    return [
        Finding(course.name(path), 0, "address", f"Colab would find no {name}")
        for _, name in re.findall(_COLAB.pattern + r"([^)\s\"']+)", text)
        if not (course.root / name).is_file()
    ]
