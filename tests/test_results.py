"""A measured number keeps its provenance, and a bad one never gets in."""

import json
import math

import pytest

from cnncourse import results


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    return tmp_path


def test_what_is_recorded_is_loaded(folder):
    values = {"accuracy": {"value": 0.5, "unit": "fraction", "tolerance": 0.01}}
    results.record("net.data", values, command="cnncourse evaluate net", seed=3)
    number = results.value("net.data.accuracy")
    assert (number.value, number.unit, number.tolerance) == (0.5, "fraction", 0.01)
    assert number.provenance["command"] == "cnncourse evaluate net"
    assert number.provenance["seed"] == 3
    assert {"python", "keras", "numpy"} <= set(number.provenance["versions"])
    assert "cores" in number.provenance["machine"]
    assert results.topics() == ["net.data"]


def test_the_tolerance_is_zero_where_none_is_given(folder):
    results.record("a", {"n": {"value": 7, "unit": "count"}}, command="c")
    assert results.value("a.n").tolerance == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf, "0.5", None])
def test_what_is_no_number_is_refused(folder, bad):
    with pytest.raises(ValueError, match="finite number"):
        results.record("a", {"n": {"value": bad, "unit": "count"}}, command="c")
    assert results.topics() == []


def test_an_unknown_unit_names_the_known_ones(folder):
    with pytest.raises(ValueError, match=r"'percent'.*fraction"):
        results.record("a", {"n": {"value": 1, "unit": "percent"}}, command="c")


def test_a_key_with_a_dot_is_refused(folder):
    with pytest.raises(ValueError, match=r"'a\.b'.*underscore"):
        results.record("a", {"a.b": {"value": 1, "unit": "count"}}, command="c")


def test_unknown_names_list_the_known_ones(folder):
    results.record("a", {"n": {"value": 7, "unit": "count"}}, command="c")
    with pytest.raises(KeyError, match="there are a"):
        results.value("b.n")
    with pytest.raises(KeyError, match="they hold n"):
        results.value("a.m")


def test_an_interrupted_write_leaves_the_old_file_whole(folder, monkeypatch):
    results.record("a", {"n": {"value": 7, "unit": "count"}}, command="c")
    before = (folder / "a.json").read_bytes()

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        results.record("a", {"n": {"value": 8, "unit": "count"}}, command="c")
    assert (folder / "a.json").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["a.json"]


@pytest.mark.parametrize("topic", results.topics())
def test_every_shipped_result_is_complete(topic):
    content = results.load(topic)
    assert set(content) == {"provenance", "values"}
    assert content["provenance"]["command"]
    assert content["provenance"]["versions"]["python"]
    for key, row in content["values"].items():
        assert "." not in key
        assert row["unit"] in results.UNITS
        assert math.isfinite(row["value"])
        assert row["tolerance"] >= 0
    json.dumps(content, allow_nan=False)
