"""What was passed is kept, shown and deleted; and never in the way of a check."""

from __future__ import annotations

import re

import pytest

from cnncourse import checks, cli
from cnncourse.checks import progress


def relu(inputs):
    return inputs * (inputs > 0)


@pytest.fixture
def place(tmp_path, monkeypatch):
    folder = tmp_path / "deep" / "inside"
    monkeypatch.setenv("CNNCOURSE_PROGRESS", str(folder))
    return folder


def shown(capsys, *arguments: str) -> str:
    capsys.readouterr()
    assert cli.main(["progress", *arguments]) == 0
    return capsys.readouterr().out


def test_a_passed_exercise_is_kept_shown_and_deleted(place, capsys) -> None:
    everything = len(checks.EXERCISES)
    assert f"0 of {everything} passed" in shown(capsys)
    with pytest.raises(checks.NotYet):
        checks.check("relu", lambda inputs: inputs)
    assert not place.exists()
    checks.check("relu", relu)
    (place / "relu").write_text("2025-02-03\n", encoding="ascii")
    checks.check("relu", relu)  # the first day stays
    said = shown(capsys)
    assert re.search(r"relu +passed 2025-02-03\n", said)
    assert said.count("not yet") == everything - 1
    assert f"1 of {everything} passed. This is kept in {place}" in said
    assert f"1 of {everything}" in shown(capsys, "--delete")
    assert not place.exists()
    assert f"0 of {everything} passed" in shown(capsys)


def test_another_file_in_the_folder_stays(place, capsys) -> None:
    checks.check("relu", relu)
    (place / "diary.txt").write_text("mine", encoding="ascii")
    shown(capsys, "--delete")
    assert [path.name for path in place.iterdir()] == ["diary.txt"]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"tomorrow", b"2025-02-03" * 1000])
def test_a_damaged_file_is_a_pass_on_an_unknown_day(place, capsys, content: bytes) -> None:
    place.mkdir(parents=True)
    (place / "relu").write_bytes(content)
    assert re.search(r"relu +passed\n", shown(capsys))


def test_where_nothing_can_be_written_the_check_passes_all_the_same(
    tmp_path, monkeypatch, capsys
) -> None:
    file = tmp_path / "file"
    file.touch()  # a folder below a file can be made by nobody, not even by root
    monkeypatch.setenv("CNNCOURSE_PROGRESS", str(file / "passed"))
    checks.check("relu", relu)
    assert "Well done" in capsys.readouterr().out
    assert "0 of" in shown(capsys)


def test_a_home_that_cannot_be_found_is_no_obstacle(monkeypatch, capsys) -> None:
    monkeypatch.setenv("CNNCOURSE_PROGRESS", "~nobody-of-this-name/passed")
    checks.check("relu", relu)
    assert "Well done" in capsys.readouterr().out


def test_set_to_nothing_it_keeps_nothing(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("CNNCOURSE_PROGRESS", "")
    monkeypatch.setenv("CNNCOURSE_CACHE", str(tmp_path))
    checks.check("relu", relu)
    assert "Nothing is kept" in shown(capsys)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.delenv("CNNCOURSE_PROGRESS")
    assert progress.folder() == tmp_path / "passed"


def test_what_cannot_be_read_is_said_in_a_sentence(place, capsys) -> None:
    (place / "relu").mkdir(parents=True)
    assert cli.main(["progress"]) == 1
    said = capsys.readouterr().err
    assert str(place / "relu") in said
    assert "CNNCOURSE_PROGRESS" in said
