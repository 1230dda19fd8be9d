"""Measure what both networks cost to ask, on one core and on two: part of ``make bench``.

The time for one image, asked for alone and in a batch, and the size of the shipped weights.
The kernels of an operating system move a process between cores, so each setting runs in a
process of its own that is tied to its cores.
"""

import json
import os
import statistics
import subprocess
import sys
import time

from cnncourse import results
from cnncourse.startup import start_keras

TOPIC = "bench.networks"
BATCHES = {"alone": 1, "in_batch": 100}
RUNS = 3


def median_time(predict, inputs, rounds: int) -> float:
    """Milliseconds for one image of the batch, the median over the rounds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        predict(inputs)
        times.append(1000 * (time.perf_counter() - started) / len(inputs))
    return statistics.median(times)


def measure() -> dict[str, float]:
    """Both networks in this process, in turns so that both meet the same machine."""
    start_keras()
    from cnncourse import datasets, models

    _, (images, _) = datasets.load_fashion_mnist()
    networks = {name: models.load_pretrained(name) for name in models.NETWORKS}
    found: dict[str, list[float]] = {}
    for turn in range(5):
        for name, network in networks.items():
            for way, count in BATCHES.items():
                inputs = datasets.as_inputs(images[:count])
                time_taken = median_time(network.predict_on_batch, inputs, max(5, 60 // count))
                if turn:  # the first turn compiles
                    found.setdefault(f"{name}_{way}", []).append(time_taken)
    return {key: min(times) for key, times in found.items()}


def measure_on(cores: int) -> dict[str, float]:
    """The same in a process that is tied to so many cores."""
    free = sorted(os.sched_getaffinity(0))[:cores]
    threads = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), str(cores))
    done = subprocess.run(
        [sys.executable, __file__, "--once"],
        env=os.environ | threads,
        preexec_fn=lambda: os.sched_setaffinity(0, free),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def main() -> None:
    measured: dict[str, list[float]] = {}
    for _ in range(RUNS):
        for cores in (1, 2):
            times = measure_on(cores)
            for key, value in times.items():
                measured.setdefault(f"{key}_{cores}_cores", []).append(value)
            for way in BATCHES:
                ratio = times[f"simple_CNN_{way}"] / times[f"simpler_CNN_{way}"]
                measured.setdefault(f"simple_over_simpler_{way}_{cores}_cores", []).append(ratio)
    values = {}
    for key, numbers in measured.items():
        middle = statistics.median(numbers)
        values[key] = {
            "value": float(f"{middle:.3g}"),
            "unit": "ratio" if "_over_" in key else "ms",
            "tolerance": float(f"{max(abs(number - middle) for number in numbers):.2g}"),
        }
    results.record(TOPIC, values, command="make bench")
    for key, entry in values.items():
        sys.stdout.write(f"{key}: {entry['value']:,} {entry['unit']}\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--once"]:
        sys.stdout.write(json.dumps(measure()))
    else:
        start_keras()
        main()
