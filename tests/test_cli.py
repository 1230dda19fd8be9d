"""The command says what is amiss and what to do, and sets its exit status."""

import sys
from pathlib import Path

import pytest

from cnncourse import cli, datasets, models, training


def run(capsys, *arguments):
    status = cli.main(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def test_doctor_finds_nothing_amiss_here(capsys):
    status, out, _ = run(capsys, "doctor")
    assert status == 0
    for what in ("Python", "keras", "tensorflow", "cores", "memory", "GPU", "cache", "sample"):
        assert what in out
    assert "Nothing is amiss" in out


def test_doctor_says_what_to_do(capsys, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CNNCOURSE_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(datasets, "SYSTEM_FOLDER", tmp_path)
    monkeypatch.setattr(cli.metadata, "requires", lambda name: ["keras>=99", "no-such-package"])
    monkeypatch.setattr(cli.os, "cpu_count", lambda: 1)
    status, out, _ = run(capsys, "doctor")
    assert status == 1
    assert 'pip install "keras>=99"' in out
    assert 'pip install "no-such-package"' in out
    assert "Set CNNCOURSE_CACHE" in out
    assert "Run: cnncourse data" in out
    assert "3 amiss" in out


def test_doctor_outlives_a_broken_backend(capsys, monkeypatch):
    def broken():
        raise ImportError("no backend here")

    monkeypatch.setattr(cli, "start_keras", broken)
    status, out, _ = run(capsys, "doctor")
    assert status == 1
    assert "no backend here" in out


def test_data_reports_what_it_verified(capsys, monkeypatch):
    monkeypatch.setattr(
        datasets, "load_fashion_mnist", lambda size: (([0] * 60000, 0), ([0] * 10000, 0))
    )
    status, out, _ = run(capsys, "data")
    assert status == 0
    assert "60,000" in out


def test_data_without_any_source_is_an_error_with_ways_out(capsys, monkeypatch):
    def missing(size):
        raise datasets.DataNotFound("Three ways to get it")

    monkeypatch.setattr(datasets, "load_fashion_mnist", missing)
    status, _, err = run(capsys, "data")
    assert status == 1
    assert "Three ways" in err


def test_train_then_evaluate(capsys, monkeypatch, tmp_path):
    load = datasets.load_fashion_mnist
    monkeypatch.setattr(
        datasets,
        "load_fashion_mnist",
        lambda size: (tuple(part[:1100] for part in load(size)[0]), load(size)[1]),
    )
    folder = str(tmp_path / "run")
    wishes = ["--data", "small", "--epochs", "1", "--seed", "3", "--augmentation"]
    wishes += ["--dropout-share", "0.5"]
    status, out, _ = run(capsys, "train", "simpler_CNN", *wishes, "--folder", folder)
    assert status == 0
    assert "epoch   1/1" in out
    recipe, _, _ = training.load_run(folder)
    assert (recipe.epochs, recipe.seed, recipe.augmentation) == (1, 3, ())
    assert (recipe.dropout_share, recipe.batch_size) == (0.5, 64)

    status, out, _ = run(capsys, "evaluate", folder)
    assert status == 0
    assert "of 1000 right" in out
    assert "validation part" in out
    status, out, _ = run(capsys, "evaluate", folder, "--part", "test")
    assert status == 0
    assert "of 2000 right" in out


def test_evaluate_a_shipped_network(capsys):
    status, out, _ = run(capsys, "evaluate", "simpler_CNN", "--part", "test")
    assert status == 0
    assert "of 2000 right" in out


def test_unknown_network_names_the_known_ones(capsys, tmp_path):
    folder = str(tmp_path / "run")
    for arguments in (["train", "resnet", "--folder", folder], ["evaluate", "resnet"]):
        status, _, err = run(capsys, *arguments)
        assert status == 1
        assert all(name in err for name in models.NETWORKS)


def test_unwritable_folder_is_said_before_anything_is_loaded(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "start_keras", lambda: pytest.fail("work started"))
    (tmp_path / "file").write_text("no folder")
    folder = str(tmp_path / "file" / "run")
    status, _, err = run(capsys, "train", "simple_CNN", "--folder", folder)
    assert status == 1
    assert "Cannot write into" in err
    assert "Choose another folder" in err


def test_interrupt_is_no_traceback(capsys, monkeypatch):
    def interrupted(size):
        raise KeyboardInterrupt

    monkeypatch.setattr(datasets, "load_fashion_mnist", interrupted)
    status, _, err = run(capsys, "data")
    assert status == 130
    assert "interrupted" in err


@pytest.mark.parametrize("arguments", [[], ["fly"], ["train"], ["train", "x", "--epochs", "many"]])
def test_arguments_without_sense_exit_with_2(arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2


def test_the_command_is_installed():
    assert Path(sys.executable).with_name("cnncourse").exists() or sys.platform == "win32"


def test_export_writes_what_the_explorer_reads(tmp_path, capsys):
    assert cli.main(["export", "simpler_CNN", "--to", "explorer", str(tmp_path / "mine")]) == 0
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {"manifest.json", "weights.bin"}
    assert "simpler_CNN" in capsys.readouterr().out


def test_export_of_something_else_names_what_there_is(tmp_path, capsys):
    assert cli.main(["export", "other", "--to", "explorer", str(tmp_path / "mine")]) == 1
    assert "simple_CNN, simpler_CNN" in capsys.readouterr().err


def test_export_to_an_unknown_form_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["export", "simple_CNN", "--to", "paper", str(tmp_path)])
    assert "explorer" in capsys.readouterr().err


def test_export_for_another_runtime_says_how_it_compares(tmp_path, capsys):
    target = tmp_path / "new" / "mine.tflite"
    assert cli.main(["export", "simpler_CNN", "--to", "litert", str(target)]) == 0
    said = capsys.readouterr()
    assert f"{target.stat().st_size:,} bytes; largest difference from Keras" in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("form", "name", "more", "reason"),
    [
        ("onnx", "mine.h5", [], "ends in .onnx"),
        ("litert", "mine.onnx", [], "ends in .tflite"),
        ("explorer", "mine", ["--int8"], "float32"),
    ],
)
def test_an_export_without_sense_is_refused_and_writes_nothing(
    tmp_path, capsys, form, name, more, reason
):
    arguments = ["export", "simpler_CNN", "--to", form, str(tmp_path / "new" / name), *more]
    assert cli.main(arguments) == 1
    assert reason in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_unsupported_layer_is_refused_by_name(tmp_path, capsys):
    import keras

    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.UpSampling2D(name="larger")])
    model.save(tmp_path / "model.keras")
    arguments = ["export", str(tmp_path / "model.keras"), "--to", "explorer", str(tmp_path / "out")]
    assert cli.main(arguments) == 1
    assert "larger" in capsys.readouterr().err
