"""A study ends with the bits of undisturbed runs, whoever is killed on the way."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from cnncourse import cli, files, study, training

PLAN = """
seeds = [0, 1]

[common]
train_count = 64
validation_count = 40
batch_size = 32
epochs = 3
dropout_share = 0.0

[[group]]
networks = ["simpler_CNN"]
variants = ["half_width"]
"""


@pytest.fixture
def plan_file(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    return path


def weights(folder):
    return training.load_run(folder)[1].get_weights()


def test_a_plan_crosses_networks_variants_recipes_and_seeds(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(
        "seeds = [3, 4]\n[common]\nepochs = 2\n"
        '[[group]]\nnetworks = ["simple_CNN", "simpler_CNN"]\n'
        'recipes = [{}, { weight_decay = 0.5, augmentation = ["flip", "erase"] }]\n'
    )
    runs = study.read_plan(path).runs()
    assert list(runs)[:4] == [
        "simple_CNN_seed_3",
        "simple_CNN_weight_decay_0.5_augmentation_flip_erase_seed_3",
        "simpler_CNN_seed_3",
        "simpler_CNN_weight_decay_0.5_augmentation_flip_erase_seed_3",
    ]
    assert len(runs) == 8
    changed = runs["simpler_CNN_weight_decay_0.5_augmentation_flip_erase_seed_4"]
    assert changed == training.Recipe(
        "simpler_CNN", epochs=2, weight_decay=0.5, augmentation=("flip", "erase"), seed=4
    )


@pytest.mark.parametrize("name", ["ablation", "recipes"])
def test_the_shipped_plans_are_plans(name):
    plan = study.read_plan(study.shipped_plan(name))
    assert len(plan.seeds) == 3
    assert {c.recipe.network for c in plan.conditions} == {"simple_CNN", "simpler_CNN"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("seeds = [0, 1]", "seeds = []"), "wanted one or more"),
        (("seeds = [0, 1]", "seeds = [0, 0]"), "each once"),
        (("seeds = [0, 1]", 'seeds = ["a"]'), "seed='a'"),
        (("epochs = 3", "epochs = 0"), "epochs=0"),
        (("epochs = 3", "epoch = 3"), "'epoch'.*epochs"),
        (('"half_width"', '"third_width"'), "third_width.*half_width"),
        (('"simpler_CNN"', '"resnet"'), "resnet"),
        (("[common]", "[common"), "plan.toml is not the plan"),
        (("[[group]]", "[[groups]]"), "groups"),
        ((PLAN, ""), "empty"),
    ],
)
def test_what_is_no_plan_is_said_in_one_sentence(plan_file, change, words):
    plan_file.write_text(PLAN.replace(*change))
    with pytest.raises(files.Damaged, match=words) as failure:
        study.read_plan(plan_file)
    assert "\n" not in str(failure.value)


def start(plan_file, folder):
    """The command in a process of its own, so that whatever it starts can be killed."""
    command = [sys.executable, "-m", "cnncourse.cli", "study", str(plan_file)]
    return subprocess.Popen(
        [*command, "--folder", str(folder), "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def runs_under_way(process):
    """The processes that train for a study."""
    children = psutil.Process(process.pid).children(recursive=True)
    with contextlib.suppress(psutil.NoSuchProcess):
        return [child for child in children if "train" in child.cmdline()]
    return []


@pytest.mark.slow
def test_killed_workers_change_no_bit(plan_file, tmp_path):
    """Two workers die at drawn moments; every run ends as if nothing had been."""
    plan, folder = study.read_plan(plan_file), tmp_path / "study"
    draw = random.Random(0)
    killed = []
    pause = draw.uniform(0, 6)
    with start(plan_file, folder) as process:
        while process.poll() is None:
            if len(killed) < 2 and (runs := runs_under_way(process)):
                time.sleep(pause)
                run = draw.choice(runs)
                with contextlib.suppress(psutil.NoSuchProcess):
                    run.parent().send_signal(signal.SIGKILL)
                    killed.append(run)
                pause = draw.uniform(0, 6)
            time.sleep(0.2)
        said = process.stdout.read()
    assert process.returncode == 0, said
    assert killed, "somebody was killed"
    assert not any(run.is_running() and run.status() != "zombie" for run in killed)
    for name, recipe in plan.runs().items():
        straight = training.train(recipe, tmp_path / "straight" / name)
        for one, other in zip(straight.get_weights(), weights(folder / name), strict=True):
            np.testing.assert_array_equal(one, other, err_msg=name)

    rows = study.table(plan, study.accuracies(plan, folder))
    assert [(row.name, list(row.accuracies)) for row in rows] == [
        ("simpler_CNN_half_width", [0, 1])
    ]
    # Nothing is missing, so a second study starts no worker.
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    study.study(plan, folder, on_progress=lambda progress: pytest.fail("nothing to do"))
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_run_ends_with_the_program_that_started_it(tmp_path):
    options = ["simpler_CNN", "--data", "small", "--end-with-input", "--folder"]
    with subprocess.Popen(
        [sys.executable, "-m", "cnncourse.cli", "train", *options, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline(), "it is under way"
        process.stdin.close()
        assert process.wait(60) == 1


def test_a_folder_is_trained_into_by_one_process(tmp_path, monkeypatch):
    import filelock

    monkeypatch.setattr(
        training, "FileLock", lambda path, timeout: filelock.FileLock(path, timeout=0.1)
    )
    with (
        filelock.FileLock(tmp_path / training.LOCK),
        pytest.raises(OSError, match="Another process trains into"),
    ):
        training.train(training.Recipe("simpler_CNN"), tmp_path)


def test_a_failed_run_is_named(plan_file, tmp_path):
    """Its folder belongs to another recipe; what the other one has done is kept."""
    plan, folder = study.read_plan(plan_file), tmp_path / "study"
    (name, recipe), (other, _) = plan.runs().items()
    (folder / name).mkdir(parents=True)
    (folder / name / training.RECIPE).write_text(json.dumps(asdict(replace(recipe, epochs=9))))
    with start(plan_file, folder) as process:
        said = process.stdout.read()
    assert process.returncode == 1
    assert f"{name}: " in said
    assert "another recipe" in said
    assert "Traceback" not in said
    assert study.epochs_done(folder / other) == recipe.epochs


def test_half_the_width_of_an_interval_is_that_of_the_table():
    """Student's quantile for two degrees of freedom is 4.303, for one 12.706."""
    assert study.half_width([0.0, 1.0]) == pytest.approx(12.706 / 2, rel=1e-4)
    assert study.half_width([1.0, 2.0, 3.0]) == pytest.approx(4.3027 / np.sqrt(3), rel=1e-4)
    assert study.half_width([1.0]) is None


def test_differences_are_paired_by_the_seed():
    plan = study.Plan(
        (
            study.Condition("plain", training.Recipe("simpler_CNN", epochs=1)),
            study.Condition("other", training.Recipe("simpler_CNN", epochs=1, weight_decay=0.1)),
        ),
        (0, 1, 2),
    )
    plain_runs, other_runs = [0.8, 0.9, 0.7], [0.81, 0.91, 0.71]
    reached = {f"plain_seed_{seed}": value for seed, value in enumerate(plain_runs)}
    reached |= {f"other_seed_{seed}": value for seed, value in enumerate(other_runs)}
    plain, other = study.table(plan, reached)
    assert (plain.difference, plain.difference_interval) == (0, None)
    assert other.difference == pytest.approx(0.01)
    assert other.difference_interval == pytest.approx(0, abs=1e-12), "every seed gains the same"
    assert other.interval > 0.2, "while the seeds lie far apart"
    text = study.describe([plain, other])
    assert "+1.00 ± 0.00" in text


def test_the_command_says_what_a_plan_will_take_and_what_it_gave(plan_file, tmp_path, capsys):
    folder = tmp_path / "study"
    plan_file.write_text(PLAN.replace("epochs = 3", "epochs = 1").replace("[0, 1]", "[0]"))
    arguments = ["study", str(plan_file), "--folder", str(folder)]
    assert cli.main([*arguments, "--dry-run"]) == 0
    assert "1 runs, 0 of them have ended" in (said := capsys.readouterr().out)
    assert " h one after the other" in said
    assert not Path(folder).exists()
    assert cli.main(arguments) == 0
    assert "simpler_CNN" in capsys.readouterr().out
    assert cli.main([*arguments, "--dry-run"]) == 0
    assert "1 of them have ended" in capsys.readouterr().out


def test_a_plan_that_is_not_there_is_said(capsys):
    assert cli.main(["study", "no_such_plan"]) == 1
    assert "no_such_plan" in capsys.readouterr().err


def test_without_dask_it_says_how_to_get_it(plan_file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match="pip install"):
        study.study(study.read_plan(plan_file), tmp_path / "study")


def test_a_scheduler_that_is_not_there_is_said(plan_file, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    client = distributed.Client
    monkeypatch.setattr(distributed, "Client", lambda where, timeout: client(where, timeout=0.5))
    port = 1 if os.name != "nt" else 9
    with pytest.raises(OSError, match="127"):
        study.study(
            study.read_plan(plan_file), tmp_path / "study", scheduler=f"tcp://127.0.0.1:{port}"
        )
