"""A network in other runtimes: equal numbers, refusals, and a file that is read without Keras."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest

from cnncourse import datasets, models, operations, runtimes


@pytest.fixture(scope="module")
def network():
    return models.load_pretrained("simpler_CNN")


@pytest.mark.parametrize("ending", runtimes.ENDINGS.values())
@pytest.mark.parametrize("int8", [False, True])
def test_a_written_file_answers_as_keras_does(network, tmp_path, ending, int8):
    found = runtimes.write(network, tmp_path / f"mine{ending}", int8=int8)
    assert [path.name for path in tmp_path.iterdir()] == [f"mine{ending}"]
    assert found.images == runtimes.SAMPLE
    # Eight bits show: an int8 file that is float in truth would agree to rounding.
    assert (found.largest > found.tolerance) == int8
    assert found.changed <= (runtimes.CHANGED_AT_MOST * found.images if int8 else 0)
    images = datasets.as_inputs(datasets.load_fashion_mnist()[1][0][:7])
    predict = runtimes.read(tmp_path / f"mine{ending}", threads=2)
    for batch in (images, images[:1], images[:3]):
        agrees = runtimes.compare(network, predict, batch)
        assert agrees.largest < (0.5 if int8 else agrees.tolerance)


@pytest.mark.parametrize(
    "model",
    [
        keras.Sequential(
            [
                keras.Input((9, 12, 3)),
                keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
                keras.layers.MaxPooling2D(),
                keras.layers.Flatten(),
                keras.layers.Dense(1, activation="sigmoid"),
            ],
            name="two_classes",
        )
    ],
    ids=lambda model: model.name,
)
@pytest.mark.parametrize("ending", runtimes.ENDINGS.values())
def test_another_network_on_pieces_of_photos(model, tmp_path, ending):
    found = runtimes.write(model, tmp_path / f"mine{ending}")
    assert 0 <= found.largest <= found.tolerance < 1e-3


@pytest.mark.parametrize(
    "spoil",
    [lambda p: p * 1.01, lambda p: p[:, ::-1], lambda p: p * np.nan],
    ids=["a hundredth more", "classes turned round", "not a number"],
)
def test_a_file_that_answers_otherwise_is_not_kept(network, tmp_path, monkeypatch, spoil):
    true_read = runtimes.read

    def spoiled(path):
        predict = true_read(path)
        return lambda images: spoil(predict(images))

    monkeypatch.setattr(runtimes, "read", spoiled)
    with pytest.raises(runtimes.Differs, match="was not kept"):
        runtimes.write(network, tmp_path / "mine.onnx")
    assert list(tmp_path.iterdir()) == []


def test_files_for_the_explorer_that_answer_otherwise_are_not_kept(network, tmp_path, monkeypatch):
    images = runtimes.sample(network)
    found = runtimes.write_explorer(network, tmp_path, images, input_range=(0, 1))
    assert found.largest <= found.tolerance
    assert found.changed == 0
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert kept.keys() == {"manifest.json", "weights.bin"}

    monkeypatch.setattr(operations.Normalization, "settings", lambda self: {"epsilon": 0.1})
    with pytest.raises(runtimes.Differs, match="was not kept: its numbers differ"):
        runtimes.write_explorer(network, tmp_path, images, input_range=(0, 1))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept


def test_int8_that_was_shown_a_wrong_range_is_not_kept(network, tmp_path):
    images = runtimes.sample(network)
    images[: runtimes.CALIBRATION] /= 255  # divided once too often
    with pytest.raises(runtimes.Differs, match="int8 changed"):
        runtimes.write(network, tmp_path / "mine.onnx", int8=True, images=images)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", runtimes.ENDINGS)
def test_a_missing_package_is_named_with_the_way_to_get_it(network, tmp_path, monkeypatch, form):
    monkeypatch.setattr(runtimes, "find_spec", lambda name: None)
    assert not runtimes.available(form)
    with pytest.raises(ImportError, match=r"cnncourse\[deploy\]"):
        runtimes.write(network, tmp_path / f"mine{runtimes.ENDINGS[form]}")


@pytest.mark.parametrize("name", ["mine.onnx", "mine.tflite"])
def test_a_damaged_file_is_one_sentence(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="Export it again"):
        runtimes.read(tmp_path / name)
    (tmp_path / name).write_bytes(b"no network")
    with pytest.raises(OSError, match="Export it again"):
        runtimes.read(tmp_path / name)


def test_another_ending_is_refused(network, tmp_path):
    with pytest.raises(ValueError, match=r"\.onnx \(onnx\), \.tflite \(litert\)"):
        runtimes.write(network, tmp_path / "mine.h5")


def test_reading_needs_neither_keras_nor_tensorflow():
    script = (
        "import sys, cnncourse.runtimes\n"
        "import onnxruntime, ai_edge_litert.interpreter\n"
        "print({'keras', 'tensorflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
