"""What is measured of a runtime is its own, and answers are counted image by image."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnncourse import models, runtimes
from cnncourse.authoring import deployment
from cnncourse.authoring.notebooks import Course
from cnncourse.export import export_explorer


def test_counts_of_answers() -> None:
    keras = np.eye(3)[[0, 1, 2, 0]]
    other = np.eye(3)[[0, 2, 1, 1]]
    found = deployment._counts(other, keras, np.array([0, 2, 2, 2]))
    assert {key: entry["value"] for key, entry in found.items()} == {
        "hits": 2,
        "changed": 3,
        "lost": 1,
        "gained": 1,
        "largest": 1.0,
    }


def test_one_process_measures_without_keras(tmp_path) -> None:
    """A runtime's start-up and memory would be Keras's, were it loaded."""
    path = tmp_path / "network.onnx"
    runtimes.write(models.load_pretrained("simpler_CNN"), path)
    np.save(tmp_path / "images.npy", np.zeros((deployment.BATCH, 28, 28, 1), np.float32))
    script = (
        "import sys\nfrom cnncourse.authoring import deployment\n"
        "deployment._on_cores(1)\n"
        f"found = deployment._once('onnx', {str(path)!r}, {str(tmp_path)!r}, 'answers')\n"
        "assert found['memory'] < 400e6\n"
        "print(sorted(found), {'keras', 'tensorflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "['alone', 'batch', 'memory', 'onnx', 'startup'] set()\n", done.stderr
    two = deployment._child(["onnx", str(path), str(tmp_path), "two"], cores=2)
    wanted = "batch_two" if len(os.sched_getaffinity(0)) > 1 else "batch"
    assert wanted in two
    assert np.load(tmp_path / "answers.npy").shape == (deployment.BATCH, 10)


@pytest.mark.skipif(not shutil.which("node"), reason="there is no Node")
def test_the_page_s_engine_answers_in_node(tmp_path) -> None:
    model = models.load_pretrained("simpler_CNN")
    images = runtimes.sample(model)[:3]
    (tmp_path / "pixels.bin").write_bytes(images.tobytes())
    export_explorer(model, tmp_path / "simpler_CNN", input_range=(0, 1))
    found = deployment._node(Course.find(Path(__file__).parent), tmp_path, "simpler_CNN")
    assert found.keys() == {"startup", "memory", "alone"}
    agrees = runtimes.compare(model, lambda _: np.load(tmp_path / "node.npy"), images)
    assert agrees.largest <= agrees.tolerance
