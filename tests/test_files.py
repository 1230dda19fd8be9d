"""A file is written whole or not at all; what cannot be read or written is said in a sentence."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnncourse import files

ADVICE = "Move it away to start anew."


def test_what_is_written_is_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    files.write_whole(path, b"old")
    files.write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interruption_leaves_the_old_file_whole(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "file"
    files.write_whole(path, b"old and whole")

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.write_whole(path, b"new")
    assert path.read_bytes() == b"old and whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_kill_leaves_the_old_file_and_the_next_writing_tidies_up(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_whole(path, b"old and whole")
    kill = (
        "import os, pathlib, sys; from cnncourse import files; "
        f"os.replace = lambda *_: os.kill(os.getpid(), {int(signal.SIGKILL)}); "
        "files.write_whole(pathlib.Path(sys.argv[1]), b'new')"
    )
    done = subprocess.run([sys.executable, "-c", kill, str(path)])
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old and whole"
    assert len(list(tmp_path.iterdir())) == 2
    files.write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_the_half_of_another_living_writer_and_of_another_file_stay(tmp_path: Path) -> None:
    others = {
        tmp_path / f".file.{os.getppid()}.part",
        tmp_path / ".file.gz.999999999.part",
        tmp_path / ".file.part",
    }
    for other in others:
        other.write_bytes(b"half")
    files.write_whole(tmp_path / "file", b"whole")
    assert set(tmp_path.iterdir()) == others | {tmp_path / "file"}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, r"No space left on device.*unchanged.*Make room"),
        (errno.EROFS, r"Read-only file system.*Choose another folder"),
        (errno.EACCES, r"Permission denied.*owner or permissions"),
    ],
)
def test_a_disk_that_refuses_is_said_in_a_sentence(tmp_path, monkeypatch, number, words) -> None:
    path = tmp_path / "file"
    files.write_whole(path, b"old")

    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match=f"^Cannot write {re.escape(str(path))} .*{words}"):
        files.write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for name, words in {
        "nowhere/a": "Make its folder first",
        "file/a": "move that file away",
        "folder": "A folder of that name",
    }.items():
        with pytest.raises(OSError, match=f"^Cannot write .*{words}"):
            files.write_whole(tmp_path / name, b"new")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


def test_a_folder_is_made_or_refused_before_work_starts(tmp_path: Path) -> None:
    files.make_folder(tmp_path / "a" / "b")
    files.make_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a").rglob("*")) == [tmp_path / "a" / "b"]
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"^Cannot write into .*file.b \(.*\)\. Choose another"):
        files.make_folder(tmp_path / "file" / "b")
    with pytest.raises(OSError, match=r"Set CNNCOURSE_CACHE\.$"):
        files.make_folder(tmp_path / "file" / "b", advice="Set CNNCOURSE_CACHE.")


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    with (
        files.reading(path, "the checkpoint of a run", ADVICE),
        path.open("rb") as file,  # np.load would leave a damaged one open
        np.load(file) as arrays,
    ):
        return dict(arrays)


def load_json(path: Path) -> object:
    with files.reading(path, "the recipe of a run", ADVICE):
        return json.loads(path.read_text(encoding="utf-8"))


def saved_arrays(path: Path) -> bytes:
    np.savez(path, weights=np.arange(1000))
    return path.read_bytes()


@pytest.mark.parametrize("load", [load_arrays, load_json])
def test_a_sound_file_is_read(tmp_path: Path, load) -> None:
    path = tmp_path / "a.npz"
    content = saved_arrays(path) if load is load_arrays else b'{"a": 1}'
    path.write_bytes(content)
    assert load(path)


@pytest.mark.parametrize("load", [load_arrays, load_json])
def test_what_is_missing_a_folder_or_empty_is_called_so(tmp_path: Path, load) -> None:
    path = tmp_path / "a.npz"
    name = re.escape(str(path))
    with pytest.raises(FileNotFoundError, match=rf"^There is no {name}, the .* run\. Move it away"):
        load(path)
    path.touch()
    with pytest.raises(files.Damaged, match=rf"^{name} is not the .*: it is empty\. Move it away"):
        load(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(files.Damaged, match=r"it is a folder\. Move it away"):
        load(path)


@pytest.mark.parametrize("spoil", ["cut", "text", "flipped"])
def test_damaged_arrays_are_one_sentence(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "a.npz"
    content = bytearray(saved_arrays(path))
    if spoil == "flipped":
        content[len(content) // 2] ^= 1
    path.write_bytes({"cut": content[:-100], "text": b"hello"}.get(spoil, content))
    with pytest.raises(files.Damaged) as refusal:
        load_arrays(path)
    assert str(refusal.value).startswith(f"{path} is not the checkpoint of a run that can be read")
    assert str(refusal.value).endswith(ADVICE)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", [b'{"a":', b"\xff\xfe\x00", b"hello"])
def test_damaged_json_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(files.Damaged, match=r"not the recipe of a run that can be read: .*\. Move"):
        load_json(path)


def test_a_file_that_may_not_be_read_keeps_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("{}")
    with (
        pytest.raises(OSError, match=r"^Cannot read .*Permission denied\)\. Move it away"),
        files.reading(path, "a page", ADVICE),
    ):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
