"""Kills commands at random moments and runs them again: ``make test-faults``.

A command that was killed and then repeated must leave, byte for byte, what one leaves that was
never killed, and nothing beside it. The moments are drawn by a recorded seed.
"""

from __future__ import annotations

import argparse
import functools
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cnncourse import datasets, results
from cnncourse.authoring.browsing import Quiet, served

RECORD = """
from pathlib import Path
from cnncourse import results
values = {f"row_{place}": {"value": place, "unit": "count"} for place in range(2000)}
results.record("measured", values, command="a test", folder=Path("."))
"""

# Fetches from a server of our own, as if nothing of the data were on this machine.
DATA = """
import os, sys
from pathlib import Path
os.environ["CNNCOURSE_CACHE"] = "cache"
from cnncourse import cli, datasets
datasets.SYSTEM_FOLDER = Path("nowhere")
datasets.DOWNLOAD_ADDRESS = sys.argv[1] + "/"
sys.exit(cli.main(["data"]))
"""


def whole(path: Path) -> bytes:
    """All of a file."""
    return path.read_bytes()


def weights(path: Path) -> bytes:
    """All arrays of a checkpoint but those of the log, which holds times."""
    with np.load(path) as arrays:
        return b"".join(arrays[name].tobytes() for name in arrays.files if name != "log")


@dataclass(frozen=True)
class Job:
    """A command, run in an empty folder.

    Attributes:
        command: what follows ``python``.
        products: for each file that it leaves how its content is compared; None: not at all.
        before: files that stand in the folder when it starts, with their text.
    """

    command: list[str]
    products: dict[str, Callable[[Path], bytes] | None]
    before: dict[str, str] = field(default_factory=dict)


CLI = ["-m", "cnncourse.cli"]
NOTEBOOK = "notebooks/01-pixels.ipynb"
COURSE = {
    "pyproject.toml": "[project]\n",
    "_config.yml": "repository:\n  url: https://github.com/owner/course\n  branch: main\n",
    "_toc.yml": f"root: {NOTEBOOK.removesuffix('.ipynb')}\n",
    NOTEBOOK: nbformat.writes(
        new_notebook(cells=[new_markdown_cell("# Pixels"), new_code_cell("print(6 * 7)")])
    ),
}
JOBS = {
    "record": Job(["-c", RECORD], {"measured.json": whole}),
    "export": Job(
        [*CLI, "export", "simple_CNN", "--to", "explorer", "page"],
        {"page/manifest.json": whole, "page/weights.bin": whole},
    ),
    "train": Job(
        [*CLI, "train", "simpler_CNN", "--data", "small", "--epochs", "2", "--folder", "run"],
        {
            "run/checkpoint.npz": weights,
            "run/recipe.json": whole,
            "run/provenance.json": whole,
            "run/log.csv": None,
        },
    ),
    "data": Job(
        ["-c", DATA], {f"cache/fashion-mnist/{name}.gz": whole for name in datasets.SHA256}
    ),
    "execute": Job(
        ["-m", "cnncourse.authoring", "execute", NOTEBOOK], dict.fromkeys(COURSE, whole), COURSE
    ),
}


def state(job: Job, folder: Path) -> dict[str, bytes]:
    """What a command left: each file, compared as its job says."""
    left = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file():
            read = job.products.get(name, whole)
            left[name] = read(path) if read else b""
    return left


def stage(job: Job, folder: Path) -> None:
    """Put what a job finds into its folder."""
    for name, text in job.before.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run(job: Job, folder: Path, seconds: float | None = None, *, data: str) -> bool:
    """Run to the end, or kill after some seconds; whether it was killed."""
    process = subprocess.Popen(
        [sys.executable, *job.command, *([data] if DATA in job.command else [])],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True
    if process.returncode:
        raise SystemExit(f"{' '.join(job.command)[:60]} ended with:\n{errors}")
    return False


def try_out(name: str, times: int, seed: int, data: str) -> tuple[int, list[str]]:
    """How often a job was killed in its course, and a line for each kill that left a trace."""
    job, draw, amiss, killed = JOBS[name], random.Random(f"{seed} {name}"), [], 0
    with tempfile.TemporaryDirectory() as folder:
        stage(job, Path(folder))
        start = time.monotonic()
        run(job, Path(folder), data=data)
        length = time.monotonic() - start
        wanted = state(job, Path(folder))
        assert set(wanted) == set(job.products), (sorted(wanted), sorted(job.products))
    for number in range(times):
        seconds = draw.uniform(0, length)
        with tempfile.TemporaryDirectory() as folder:
            stage(job, Path(folder))
            killed += run(job, Path(folder), seconds, data=data)
            run(job, Path(folder), data=data)
            found = state(job, Path(folder))
            other = [one for one in {*found, *wanted} if found.get(one) != wanted.get(one)]
            if other:
                amiss.append(
                    f"{name}, kill {number} after {seconds:.2f} s: {', '.join(sorted(other))}"
                )
    return killed, amiss


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("jobs", nargs="*", help=f"default: {', '.join(JOBS)}")
    parser.add_argument("--times", type=int, default=100, help="kills of each (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    parser.add_argument("--record", action="store_true", help="write the counts to the results")
    options = parser.parse_args()
    if unknown := set(options.jobs) - set(JOBS):
        sys.exit(f"There is no job {', '.join(sorted(unknown))}; there are {', '.join(JOBS)}.")
    values, findings = {}, 0
    jobs = options.jobs or list(JOBS)
    if "data" in jobs and not datasets.SYSTEM_FOLDER.is_dir():
        print("data is NOT tried: there is no copy to serve; apt install dataset-fashion-mnist")
        jobs.remove("data")
    for name in jobs:
        with served(functools.partial(Quiet, directory=str(datasets.SYSTEM_FOLDER))) as data:
            killed, amiss = try_out(name, options.times, options.seed, data)
        for line in amiss:
            print(line)
        print(
            f"== {name}: started {options.times} times, killed {killed} times in its course, "
            f"{len(amiss)} with another end than a run that was never killed",
            flush=True,
        )
        findings += len(amiss)
        values[f"{name}_killed"] = {"value": killed, "unit": "count", "tolerance": options.times}
        values[f"{name}_lost"] = {"value": len(amiss), "unit": "count"}
    if options.record:
        results.record("faults", values, command="make test-faults", seed=options.seed)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
