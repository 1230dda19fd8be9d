"""Run ``bench_ops.py`` several times and record its ratios: what ``make bench`` calls.

A ratio compares the fastest rounds of two contenders in one run, because whatever else the
machine does can only slow a round down. The recorded ratio is the median over the runs, its
tolerance the largest distance of a run from it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cnncourse import results

# NumPy and TensorFlow read from the environment how many threads they may use.
THREADS = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "2"
)
TOPIC = "bench.ops"


def ratios(report: dict) -> dict[str, float]:
    """From pytest-benchmark's report: how many times the loop, and how many times Keras's time."""
    fastest = {}
    batch = report["benchmarks"][0]["extra_info"]["batch"]
    for entry in report["benchmarks"]:
        info = entry["extra_info"]
        key = info["convolution"], info["direction"], info["contender"]
        fastest[key] = entry["stats"]["min"]
    found = {}
    for convolution, direction, contender in fastest:
        if contender != "ops":
            continue
        times = {name: fastest[convolution, direction, name] for name in ("ops", "keras", "loop")}
        name = f"{convolution}_{direction}"
        found[f"{name}_loop_over_ops"] = batch * times["loop"] / times["ops"]
        found[f"{name}_ops_over_keras"] = times["ops"] / times["keras"]
    return found


def summary(runs: list[dict[str, float]]) -> dict[str, dict]:
    """Each ratio over the runs, and the least and the greatest of all convolutions."""
    for run in runs:
        for direction in ("forward", "backward"):
            slower = [run[key] for key in run if key.endswith(f"{direction}_ops_over_keras")]
            faster = [run[key] for key in run if key.endswith(f"{direction}_loop_over_ops")]
            run[f"greatest_{direction}_ops_over_keras"] = max(slower)
            run[f"median_{direction}_ops_over_keras"] = statistics.median(slower)
            run[f"least_{direction}_loop_over_ops"] = min(faster)
            run[f"median_{direction}_loop_over_ops"] = statistics.median(faster)
    values = {}
    for key in runs[0]:
        measured = [run[key] for run in runs]
        middle = statistics.median(measured)
        tolerance = max(abs(ratio - middle) for ratio in measured)
        values[key] = {
            "value": float(f"{middle:.3g}"),
            "unit": "ratio",
            "tolerance": float(f"{tolerance:.2g}"),
        }
    return values


def run_once() -> dict:
    """One run of the benchmark in a process of its own, both libraries on two threads."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench.json")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "tests/bench/bench_ops.py",
            "--benchmark-only",
            "-q",
        ]
        subprocess.run(
            [*command, "--benchmark-only", f"--benchmark-json={path}"],
            check=True,
            env=os.environ | THREADS,
            cwd=Path(__file__).parents[2],
            stdout=subprocess.DEVNULL,
        )
        return json.loads(path.read_text(encoding="utf-8"))


def lines(values: dict[str, dict]) -> Iterable[str]:
    """The recorded ratios as a table."""
    width = max(map(len, values))
    for key, entry in values.items():
        yield f"{key:{width}}  {entry['value']:8.3g} ± {entry['tolerance']:.2g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often to repeat")
    arguments = parser.parse_args()
    values = summary([ratios(run_once()) for _ in range(arguments.runs)])
    results.record(TOPIC, values, command="make bench", seed=0)
    sys.stdout.write("\n".join(lines(values)) + "\n")


if __name__ == "__main__":
    main()
