"""Full and read-only disks, and files of a run that are damaged: one sentence each."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cnncourse import cli, datasets, results, training


@pytest.fixture
def disk(tmp_path):
    """A real file system with little room, and a way to make it read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        mount = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("no mount here")
    if mount.returncode:
        pytest.skip("only an administrator may mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def command(capsys, *arguments):
    status = cli.main(arguments)
    return status, capsys.readouterr().err


def one_sentence(error: str, *parts: str) -> None:
    assert error.count("\n") == 1, error
    assert "Traceback" not in error
    for part in parts:
        assert part in error


def many(count):
    return {f"row_{place}": {"value": place, "unit": "count"} for place in range(count)}


def test_a_full_disk_keeps_the_old_results(disk):
    path = results.record("measured", many(1), command="a test", folder=disk)
    before = path.read_bytes()
    with pytest.raises(OSError, match=r"measured\.json .*No space left.*unchanged.*Make room"):
        results.record("measured", many(2000), command="a test", folder=disk)
    assert path.read_bytes() == before
    assert list(disk.iterdir()) == [path]


def test_a_folder_that_turned_read_only_keeps_the_old_results(disk):
    path = results.record("measured", many(1), command="a test", folder=disk)
    before = path.read_bytes()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(OSError, match=r"measured\.json .*Read-only.*unchanged.*another folder"):
        results.record("measured", many(2), command="a test", folder=disk)
    assert path.read_bytes() == before


def test_export_to_a_full_disk(disk, capsys):
    status, error = command(capsys, "export", "simple_CNN", "--to", "explorer", str(disk / "page"))
    assert status == 1
    one_sentence(error, str(disk), "No space left", "Make room")
    assert [path for path in disk.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("what", ["train", "export"])
def test_a_read_only_folder_is_said_before_work_starts(disk, capsys, what):
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    arguments = {
        "train": ["train", "simple_CNN", "--folder", str(disk / "run")],
        "export": ["export", "simple_CNN", "--to", "explorer", str(disk / "page")],
    }[what]
    status, error = command(capsys, *arguments)
    assert status == 1
    one_sentence(error, str(disk), "Read-only")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a short run."""
    folder = tmp_path_factory.mktemp("finished")
    load = datasets.load_fashion_mnist
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            datasets,
            "load_fashion_mnist",
            lambda size: (tuple(part[:1064] for part in load(size)[0]), load(size)[1]),
        )
        wishes = ["--data", "small", "--epochs", "1", "--folder", str(folder)]
        assert cli.main(["train", "simpler_CNN", *wishes]) == 0
    return folder


def cut_short(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def one_bit_flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(bytes(content))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("Nothing that a program could read.\n")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("what", ["evaluate", "train"])
@pytest.mark.parametrize("name", [training.CHECKPOINT, training.RECIPE])
@pytest.mark.parametrize("spoil", [cut_short, one_bit_flipped, empty, text, folder])
def test_damaged_files_of_a_run(finished, tmp_path, capsys, spoil, name, what):
    if spoil is one_bit_flipped and name == training.RECIPE:
        pytest.skip("one bit can make another sound recipe of one")
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    spoil(run / name)
    left = sorted(path.name for path in run.rglob("*"))
    if what == "evaluate":
        status, error = command(capsys, "evaluate", str(run))
    else:
        wishes = ["--data", "small", "--epochs", "1", "--folder", str(run)]
        status, error = command(capsys, "train", "simpler_CNN", *wishes)
    assert status == 1
    one_sentence(error, str(run / name))
    assert sorted(path.name for path in run.rglob("*")) == left
