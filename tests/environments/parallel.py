"""Two processes give the weights of one: the second half of ``make test-backends``.

On JAX, one process and two train the same small networks on the same global batches. Their weights
must agree to rounding, and every mistake that :mod:`cnncourse.parallel` knows must be seen.
"""

from __future__ import annotations

import os
import platform
from importlib import metadata

import numpy as np
from surroundings import ROOT, THIS_PYTHON, end_with, installed, make

from cnncourse import parallel, results, tolerances

PROCESSES = 2
MOMENT = "batch_normalization/moving_mean"
KERNEL = "conv2d/kernel"

Trained = dict[str, parallel.Weights]


def amiss(one: Trained, several: list[Trained]) -> list[str]:
    """A sentence for each thing that should be so and is not."""
    found = []
    for dtype in parallel.TYPES:
        gaps = parallel.gaps(one, several[0], dtype)
        for case, by_step in gaps.items():
            # Keras on JAX normalizes batches in float32, whatever the type of the network is.
            counted = "float32" if case.endswith("batch_norm") else dtype
            right = one[f"{counted} plain {parallel.STEPS}"]
            tolerance = parallel.tolerance(right, right)
            mistake = case in ("same_part", "alone", "alone_batch_norm")
            for step, gap in by_step.items():
                if (gap > tolerance) != mistake:
                    said = "is not seen" if mistake else "differs"
                    found.append(
                        f"{dtype}, {case}, step {step}: {said}: {gap:.2g}, {tolerance:.2g}"
                    )
    # After one step the moving mean of the first layer holds the mean of one batch alone.
    first = one["float32 batch_norm 1"][MOMENT]
    places = parallel.BATCH * (parallel.SHAPE[0] // 2) ** 2
    for case in ("batch_norm", "alone_batch_norm"):
        whole = tolerances.close(several[0][f"float32 {case} 1"][MOMENT], first, terms=places + 9)
        if whole != (case == "batch_norm"):
            found.append(f"{case}: moments of the whole batch: {whole}")
    for key, weights in several[0].items():
        apart = [parallel.largest_difference(weights, other[key]) for other in several[1:]]
        if any(apart) != ("alone" in key):
            found.append(f"{key}: the processes hold weights that differ by {max(apart):.2g}")
    return found


def share_of_float32(weights: np.ndarray) -> float:
    """How many of these numbers are numbers of float32."""
    return float(np.mean(weights == weights.astype(np.float32)))


def measured(one: Trained, several: Trained) -> dict[str, dict[str, float | int | str]]:
    """What is recorded."""
    values = {
        "processes": results.count(PROCESSES),
        "batch": results.count(parallel.BATCH),
        "steps": results.count(parallel.STEPS),
        "terms": results.count(parallel.terms()),
    }

    def number(value: float, unit: str = "1") -> dict[str, float | str]:
        return {"value": float(f"{value:.2g}"), "unit": unit}

    for dtype in parallel.TYPES:
        right = one[f"{dtype} plain {parallel.STEPS}"]
        values[f"{dtype}_tolerance"] = number(parallel.tolerance(right, right))
        for case, by_step in parallel.gaps(one, several, dtype).items():
            for step, gap in by_step.items():
                values[f"{dtype}_{case}_step_{step}"] = number(gap)
    first = one["float32 batch_norm 1"][MOMENT]
    for case in ("batch_norm", "alone_batch_norm"):
        gap = np.abs(several[f"float32 {case} 1"][MOMENT] - first).max()
        values[f"first_mean_{case}"] = number(gap)
    last = one[f"float64 batch_norm {parallel.STEPS}"]
    values["moments_in_float32"] = number(share_of_float32(last[MOMENT]), "fraction")
    values["kernel_in_float32"] = number(share_of_float32(last[KERNEL]), "fraction")
    return values


def main() -> int:
    same = [f"{name}=={metadata.version(name)}" for name in ("keras", "numpy")]
    python = make(ROOT / ".venv-jax", THIS_PYTHON, [*same, "jax"])
    (one,) = parallel.trained(1, python=python)
    several = parallel.trained(PROCESSES, python=python)
    held = installed(python)
    versions = {"python": THIS_PYTHON} | {name: held[name] for name in ("keras", "numpy", "jax")}
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    results.record(
        "parallel",
        measured(one, several[0]),
        command="make test-backends",
        seed=parallel.SEED,
        origin={"versions": versions, "machine": machine},
    )
    found = amiss(one, several)
    waits = {who: not parallel.saves(who, python=python) for who in parallel.SAVING}
    if waits != {"together": False, "alone": True}:
        found.append(f"Saving waits for ever: {waits}, wanted only for the one that saves alone.")
    print("\n".join(found) or f"{PROCESSES} processes give the weights of one.")
    return 1 if found else 0


if __name__ == "__main__":
    end_with(main)
