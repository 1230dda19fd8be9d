"""What can be tested of training by several processes where there is no JAX."""

from __future__ import annotations

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
