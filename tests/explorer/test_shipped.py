"""What the page loads is what the shipped weights give: no export was forgotten."""

from __future__ import annotations

from browsers import EXPLORER

from cnncourse.export import export_course


def test_the_exported_files_are_those_of_the_shipped_networks(tmp_path):
    export_course(tmp_path)
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(written) == 6
    for path in written:
        assert (EXPLORER / path).read_bytes() == (tmp_path / path).read_bytes(), (
            f"{path} differs: run `python -m cnncourse.authoring explorer`"
        )


def test_the_page_and_each_network_are_small():
    files = [path for path in EXPLORER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 200_000
    for network in (EXPLORER / "networks").iterdir():
        assert sum(path.stat().st_size for path in network.iterdir()) <= 1_400_000
