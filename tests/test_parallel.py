"""What can be tested of training by several processes where there is no JAX."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnncourse import parallel, results


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_all_parts_together_are_each_global_batch_once(processes: int) -> None:
    count = 3 * parallel.BATCH
    parts = [parallel.part(count, process, processes) for process in range(processes)]
    for batch in range(3):
        share = parallel.BATCH // processes
        fed = np.concatenate([part[batch * share : (batch + 1) * share] for part in parts])
        assert fed.tolist() == list(range(batch * parallel.BATCH, (batch + 1) * parallel.BATCH))


def test_the_record_is_of_the_program_as_it_is() -> None:
    assert results.value("parallel.steps").value == parallel.STEPS == parallel.CHECKPOINTS[-1]
    assert results.value("parallel.batch").value == parallel.BATCH
    assert results.value("parallel.terms").value == parallel.terms()


def test_on_another_backend_one_sentence_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["parallel"])
    assert parallel.main() == 1
    assert "KERAS_BACKEND=jax" in capsys.readouterr().out


def judge() -> Any:
    """The module behind ``make test-backends``, which bears the name of the one it judges."""
    path = Path(__file__).with_name("environments") / "parallel.py"
    spec = importlib.util.spec_from_file_location("judge_of_processes", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def trained(cases: tuple[str, ...], apart: float = 0) -> dict[str, parallel.Weights]:
    """Weights as they should come out: mistakes lie 0.01 away, and further by ``apart``."""
    found = {}
    for dtype in parallel.TYPES:
        for case in cases:
            gap = 0.01 if case.startswith(("same", "alone")) else 0
            gap += apart if case.startswith("alone") else 0
            names = ("batch_normalization/moving_mean", "conv2d/kernel")
            weights = {name: np.full(3, 0.1 + gap, dtype) for name in names}
            found |= {f"{dtype} {case} {step}": weights for step in parallel.CHECKPOINTS}
    return found


def test_what_make_test_backends_demands_holds_for_right_weights_alone() -> None:
    amiss = judge().amiss
    one = trained(parallel.ONE)
    several = [trained(parallel.SEVERAL), trained(parallel.SEVERAL, apart=0.01)]
    assert amiss(one, several) == []
    key = "float64 plain 16"
    for fault in ("alone", "same_part"):
        wrong = [weights | {key: weights[f"float64 {fault} 16"]} for weights in several]
        assert any(
            said.startswith("float64, plain, step 16: differs") for said in amiss(one, wrong)
        )
    right = [weights | {"float32 alone 1": weights["float32 plain 1"]} for weights in several]
    assert any("alone, step 1: is not seen" in said for said in amiss(one, right))
    part = {"float32 batch_norm 1": several[0]["float32 alone_batch_norm 1"]}
    half = [weights | part for weights in several]
    assert "batch_norm: moments of the whole batch: False" in amiss(one, half)
