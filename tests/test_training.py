"""A run does what its recipe says, and an interruption changes nothing."""

import io
import json
import subprocess
import sys
from dataclasses import asdict, replace

import keras
import numpy as np
import pytest

from cnncourse import datasets, models, results, training

RECIPE = training.Recipe(
    "simpler_CNN",
    epochs=3,
    batch_size=32,
    augmentation=("flip", "shift"),
    dropout_share=0.67,
    validation_count=40,
)

# The same run in a process of its own, on the first 200 real images, so that it can be killed.
SCRIPT = """
import sys
from pathlib import Path
from cnncourse.startup import start_keras
start_keras()
from cnncourse import datasets, training
load = datasets.load_fashion_mnist
def first_images(size):
    (images, labels), test = load(size)
    return (images[:136], labels[:136]), test
datasets.load_fashion_mnist = first_images
folder = Path(sys.argv[1])
recipe = training.read_recipe(folder / training.RECIPE)
training.train(recipe, folder, on_epoch=lambda row: print(row["epoch"], flush=True))
"""


@pytest.fixture
def few_images(monkeypatch):
    load = datasets.load_fashion_mnist

    def first_images(size):
        (images, labels), test = load(size)
        return (images[:136], labels[:136]), test

    monkeypatch.setattr(datasets, "load_fashion_mnist", first_images)


class StopInTheMiddle(keras.callbacks.Callback):
    """Fails like a pulled plug in the middle of an epoch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.epoch, self.batch, self.now = epoch, batch, None

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.now, batch) == (self.epoch, self.batch):
            raise KeyboardInterrupt


def same_weights(one, other):
    return all(
        np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True)
    )


def test_resumed_run_ends_with_the_same_bits(few_images, tmp_path):
    """Stopped in the first epoch, and again in the last, after dropout was turned off."""
    straight = training.train(RECIPE, tmp_path / "straight")
    for stop in (StopInTheMiddle(0, 1), StopInTheMiddle(2, 1)):
        with pytest.raises(KeyboardInterrupt):
            training.train(RECIPE, tmp_path / "stopped", callbacks=(stop,))
    rows = []
    resumed = training.train(RECIPE, tmp_path / "stopped", on_epoch=rows.append)
    assert same_weights(straight, resumed)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    logs = [(tmp_path / name / training.LOG).read_text() for name in ("straight", "stopped")]
    assert logs[0] == logs[1]
    rates = [layer.rate for layer in resumed.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.25] * 4, "the network comes back with its dropout"


def test_killed_process_loses_at_most_one_epoch_and_no_bit(few_images, tmp_path):
    recipe = replace(RECIPE, augmentation=(), dropout_share=1, epochs=8)
    run = tmp_path / "run"
    run.mkdir()
    (run / training.RECIPE).write_text(json.dumps(asdict(recipe)))
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(run)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "1\n", "the first epoch is reported"
    process.kill()
    process.communicate()
    assert 1 <= len(training.load_run(run)[2]) < recipe.epochs
    resumed = training.train(recipe, run)
    assert same_weights(resumed, training.train(recipe, tmp_path / "straight"))


def test_a_run_of_another_recipe_is_refused(few_images, tmp_path):
    training.train(replace(RECIPE, epochs=1), tmp_path)
    with pytest.raises(ValueError, match="another recipe"):
        training.train(RECIPE, tmp_path)


def test_another_seed_gives_other_weights(few_images, tmp_path):
    recipe = replace(RECIPE, epochs=1)
    one = training.train(recipe, tmp_path / "one")
    other = training.train(replace(recipe, seed=1), tmp_path / "other")
    assert not same_weights(one, other)


def test_training_learns(few_images, tmp_path):
    """Overfits 160 images without augmentation: the loss falls below that of guessing."""
    rows = []
    recipe = replace(RECIPE, augmentation=(), epochs=12, dropout_share=0)
    training.train(recipe, tmp_path, on_epoch=rows.append)
    assert rows[-1]["loss"] < rows[0]["loss"] / 2
    assert rows[-1]["loss"] < np.log(10) / 2


def test_load_run_gives_what_was_trained(few_images, tmp_path):
    network = training.train(replace(RECIPE, epochs=1), tmp_path)
    recipe, loaded, rows = training.load_run(tmp_path)
    assert recipe == replace(RECIPE, epochs=1)
    assert same_weights(network, loaded)
    assert set(rows[0]) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}


def test_load_run_says_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"recipe\.json"):
        training.load_run(tmp_path)


def test_interrupted_checkpoint_leaves_the_old_one_whole(tmp_path, monkeypatch):
    path = tmp_path / "file"
    training.write_whole(path, b"old and whole")

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        training.write_whole(path, b"new")
    assert path.read_bytes() == b"old and whole"
    assert list(tmp_path.iterdir()) == [path]


def test_unwritable_folder_is_said_before_work_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "load_fashion_mnist", lambda size: pytest.fail("work started"))
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="file"):
        training.train(RECIPE, tmp_path / "file" / "run")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"network": "resnet"}, "'resnet'.*simple_CNN, simpler_CNN"),
        ({"data": "tiny"}, "'tiny'.*small, full"),
        ({"epochs": 0}, "epochs=0"),
        ({"batch_size": 2.5}, r"batch_size=2\.5"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"dropout_share": 40}, "dropout_share=40.*0 to 1"),
        ({"augmentation": ("mirror",)}, "'mirror'.*flip, shift"),
    ],
)
def test_recipe_refuses_nonsense_by_name(change, words):
    with pytest.raises(ValueError, match=words):
        replace(RECIPE, **change)


def test_recipe_survives_its_file(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text('{"network": "simple_CNN", "augmentation": ["flip"], "speed": 9}')
    with pytest.raises(ValueError, match="speed"):
        training.read_recipe(path)


@pytest.mark.parametrize("name", models.NETWORKS)
def test_the_shipped_log_is_that_of_the_documented_run(name):
    rows = training.shipped_log(name)
    assert [row["epoch"] for row in rows] == list(range(1, training.RECIPES[name].epochs + 1))
    recorded = results.value(f"{name}.fashion_mnist.validation_accuracy")
    assert abs(rows[-1]["val_accuracy"] - recorded.value) <= recorded.tolerance


def test_there_is_no_shipped_log_of_another_network():
    with pytest.raises(ValueError, match=r"'resnet'.*simple_CNN"):
        training.shipped_log("resnet")


class _Terminal(io.StringIO):
    def isatty(self):
        return True


_Notebook = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})


@pytest.mark.parametrize(
    ("stream", "shown"), [(_Terminal(), True), (_Notebook(), True), (io.StringIO(), False)]
)
def test_progress_is_shown_where_somebody_watches(monkeypatch, stream, shown):
    monkeypatch.setattr("sys.stderr", stream)
    bar = training.ProgressBar()
    bar.set_params({"steps": 2})
    bar.on_epoch_begin(4)
    bar.on_train_batch_end(0)
    bar.on_epoch_end(4)
    assert ("epoch 5" in stream.getvalue()) == shown


def test_accuracy_counts_hits():
    class Fixed:
        def predict(self, inputs, batch_size, verbose):
            return np.eye(3)[inputs]

    assert training.accuracy(Fixed(), np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2])) == (3, 4)


def test_every_network_has_its_documented_recipe():
    assert list(training.RECIPES) == list(models.NETWORKS)
    for name, recipe in training.RECIPES.items():
        assert (recipe.network, recipe.data) == (name, "full")


def test_a_list_of_augmentations_is_the_same_recipe():
    listed = training.Recipe("simpler_CNN", augmentation=["flip"])
    assert listed == training.Recipe("simpler_CNN", augmentation=("flip",))
