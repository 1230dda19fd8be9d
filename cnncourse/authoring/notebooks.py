"""The notebooks of the course as files: where they lie, how they are read, how they are written.

Every other module of this room goes through here, so that there is one reader and one writer.
What a notebook must look like is decided in :mod:`cnncourse.authoring.hygiene`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cnncourse import files

LESSONS = "notebooks"
SOLUTIONS = "notebooks/solutions"
EXERCISES = "notebooks/exercises"
EXPLORER = "book/_static/explorer"

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    # No version: a newer Python must not change a notebook that nobody edited.
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}
"""The metadata of every notebook."""

CELL_METADATA = ("jupyter", "mystnb", "tags")
"""What is kept of a cell's metadata; the rest is left behind by tools."""

TOOL_TAGS = {"papermill-error-cell-tag", "injected-parameters"}

Notebook = Any
"""A ``nbformat.NotebookNode``; nbformat is imported late because its start is slow."""


class AuthoringError(Exception):
    """Something that the author can mend; the message says where it is and what to do."""


@dataclass(frozen=True, order=True)
class Finding:
    """One thing amiss: the file, the cell (1 is the first; 0 stands for the file) and the rule."""

    path: str
    cell: int
    rule: str
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:cell {self.cell}" if self.cell else self.path
        return f"{place}: {self.rule}: {self.message}"


@dataclass(frozen=True)
class Repository:
    """The published address of the course, as ``_config.yml`` states it under ``repository``."""

    url: str
    branch: str

    @property
    def name(self) -> str:
        """``owner/name``, which Colab wants."""
        return "/".join(self.url.split("/")[-2:])

    @property
    def pages(self) -> str:
        """Where GitHub shows the built book."""
        owner, name = self.url.split("/")[-2:]
        return f"https://{owner}.github.io/{name}/"


@dataclass(frozen=True)
class Course:
    """The files of a course that lies in the folder ``root``."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Course:
        """The course around the folder ``start`` (the current one if left out).

        Raises:
            AuthoringError: no folder from there upwards holds ``pyproject.toml`` and ``notebooks``.
        """
        start = (start or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if (folder / "pyproject.toml").is_file() and (folder / LESSONS).is_dir():
                return cls(folder)
        raise AuthoringError(
            f"No folder from {start} upwards holds pyproject.toml and {LESSONS}/; "
            "run this inside the repository of the course."
        )

    def name(self, path: Path) -> str:
        """The path as it is printed: from the root, with forward slashes."""
        path = Path(path).resolve()
        root = self.root.resolve()
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)

    def _notebooks(self, folder: str) -> list[Path]:
        return sorted((self.root / folder).glob("*.ipynb"))

    @property
    def lessons(self) -> list[Path]:
        return self._notebooks(LESSONS)

    @property
    def solutions(self) -> list[Path]:
        return self._notebooks(SOLUTIONS)

    @property
    def exercises(self) -> list[Path]:
        return self._notebooks(EXERCISES)

    @property
    def notebooks(self) -> list[Path]:
        """Lessons, exercises and solutions."""
        return [*self.lessons, *self.exercises, *self.solutions]

    @property
    def pages(self) -> list[Path]:
        """The Markdown pages whose numbers are claims: the book and the README."""
        return [
            *sorted((self.root / "book").rglob("*.md")),
            *(path for path in [self.root / "README.md"] if path.is_file()),
        ]

    def _yaml(self, name: str) -> dict[str, Any]:
        import yaml

        path = self.root / name
        if not path.is_file():
            raise AuthoringError(f"{name}: there is no such file in {self.root}.")
        try:
            return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except yaml.YAMLError as error:
            raise AuthoringError(f"{name}: this is no YAML: {error}") from error

    @cached_property
    def repository(self) -> Repository:
        """The one published address.

        Raises:
            AuthoringError: ``_config.yml`` holds none, or one that Colab cannot open.
        """
        entry = self._yaml("_config.yml").get("repository") or {}
        url = str(entry.get("url", "")).rstrip("/").removesuffix(".git")
        if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", url):
            raise AuthoringError(
                f"_config.yml: repository: url is {url!r}; wanted https://github.com/OWNER/NAME, "
                "because Colab opens notebooks from there."
            )
        return Repository(url, str(entry.get("branch") or "main"))

    @cached_property
    def contents(self) -> list[str]:
        """The documents in ``_toc.yml``, in order, without a file ending."""

        def walk(node: Any) -> Iterator[str]:
            if isinstance(node, dict):
                for key in ("root", "file"):
                    if key in node:
                        yield re.sub(r"\.(ipynb|md)$", "", str(node[key]))
                for value in node.values():
                    yield from walk(value)
            elif isinstance(node, list):
                for value in node:
                    yield from walk(value)

        return list(walk(self._yaml("_toc.yml")))

    def chosen(self, paths: Sequence[Path | str], default: Iterable[Path]) -> list[Path]:
        """``paths`` as existing notebooks, folders opened; ``default`` if there are none.

        Raises:
            AuthoringError: a path is not there or is no notebook.
        """
        if not paths:
            return list(default)
        found: list[Path] = []
        for path in map(Path, paths):
            if path.is_dir():
                found += sorted(path.glob("*.ipynb"))
            elif path.is_file() and path.suffix == ".ipynb":
                found.append(path)
            else:
                raise AuthoringError(f"{path}: there is no such notebook.")
        return found


def read(path: Path) -> Notebook:
    """A notebook from its file.

    Raises:
        AuthoringError: the file is no notebook of format 4.5 or newer that can be read.
    """
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook, relax_add_props=False)
    except (ValueError, AttributeError, nbformat.ValidationError) as error:
        reason = str(error).strip().splitlines()[0]
        raise AuthoringError(f"{path}: this is no readable notebook: {reason}") from error
    return notebook


def text_of(notebook: Notebook) -> str:
    """The file's text: sorted keys, one space of indentation, a newline at the end.

    Raises:
        AuthoringError: the notebook breaks the format.
    """
    import nbformat

    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise AuthoringError(f"The notebook breaks the format: {error}") from error
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def write(path: Path, notebook: Notebook) -> bool:
    """Write a notebook whole or not at all; True if the file changed."""
    return write_text(path, text_of(notebook))


def write_text(path: Path, text: str) -> bool:
    """Write a file whole or not at all; True if it changed.

    A file that already holds these bytes is not touched.
    """
    data = text.encode("utf-8")
    if path.is_file() and path.read_bytes() == data:
        return False
    files.write_whole(path, data)
    return True


def kind(path: Path) -> str:
    """Of which kind a notebook is, by its folder: ``"lesson"``, ``"solution"``, ``"exercise"``."""
    folders = {Path(SOLUTIONS).name: "solution", Path(EXERCISES).name: "exercise"}
    return folders.get(path.resolve().parent.name, "lesson")


def tags(cell: Notebook) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


def normalise_cells(notebook: Notebook) -> None:
    """Give the cells ids that follow from their content, and drop what tools left in them.

    The id is the hash of type and source; a repeated cell gets a number behind it. So an id
    changes only where the author changed the cell.
    """
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = _node(METADATA)
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        cell.source = "\n".join(line.rstrip() for line in cell.source.splitlines()).strip("\n")
        kept = {key: cell.metadata[key] for key in CELL_METADATA if cell.metadata.get(key)}
        if "tags" in kept:
            kept["tags"] = [tag for tag in kept["tags"] if tag not in TOOL_TAGS]
            if not kept["tags"]:
                del kept["tags"]
        cell.metadata = _node(kept)
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def _node(value: Any) -> Notebook:
    from nbformat.notebooknode import from_dict

    return from_dict(value)
