"""A run does what its recipe says, and an interruption changes nothing."""

import io
import json
import shutil
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

SHORT = replace(RECIPE, epochs=1)

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


@pytest.fixture(scope="module")
def few_images():
    load = datasets.load_fashion_mnist

    def first_images(size):
        (images, labels), test = load(size)
        return (images[:136], labels[:136]), test

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "load_fashion_mnist", first_images)
        yield


@pytest.fixture(scope="module")
def ended(few_images, tmp_path_factory):
    """The folder of a run of one epoch, and its network."""
    folder = tmp_path_factory.mktemp("ended")
    return folder, training.train(SHORT, folder)


@pytest.fixture
def folder(ended, tmp_path):
    """A copy of that folder, to be changed."""
    return shutil.copytree(ended[0], tmp_path / "run")


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


def test_a_run_of_another_recipe_is_refused(folder):
    with pytest.raises(ValueError, match="another recipe"):
        training.train(RECIPE, folder)


def test_another_seed_gives_other_weights(ended, tmp_path):
    assert not same_weights(ended[1], training.train(replace(SHORT, seed=1), tmp_path))


def test_training_learns(few_images, tmp_path):
    """Overfits 160 images without augmentation: the loss falls below that of guessing."""
    rows = []
    recipe = replace(RECIPE, augmentation=(), epochs=12, dropout_share=0)
    training.train(recipe, tmp_path, on_epoch=rows.append)
    assert rows[-1]["loss"] < rows[0]["loss"] / 2
    assert rows[-1]["loss"] < np.log(10) / 2


def test_load_run_gives_what_was_trained(ended):
    folder, network = ended
    recipe, loaded, rows = training.load_run(folder)
    assert recipe == SHORT
    assert same_weights(network, loaded)
    assert set(rows[0]) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}


def test_load_run_says_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"recipe\.json"):
        training.load_run(tmp_path)


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
        ({"augmentation": "mirror"}, "'mirror'.*flip, shift"),
        ({"seed": -1}, "seed=-1"),
        ({"epochs": True}, "epochs=True"),
        ({"train_count": -1}, "train_count=-1"),
        ({"optimizer": "rprop"}, "'rprop'.*adam, sgd"),
        ({"weight_decay": -0.1}, r"weight_decay=-0\.1"),
        ({"label_smoothing": 1}, "label_smoothing=1.*less than 1"),
        ({"average": 0.9}, r"average=0\.9"),
        ({"variant": "without_colour"}, "'without_colour'.*without_batch_norm"),
        ({"variant": "max_pooling"}, "simpler_CNN has no part"),
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


def test_correct_answers_are_counted():
    class Fixed:
        output_shape = (None, 3)

        def predict(self, inputs, batch_size, verbose):
            return np.eye(3)[inputs]

    assert training.count_correct(Fixed(), np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2])) == (3, 4)


def test_every_network_has_its_documented_recipe():
    assert list(training.RECIPES) == list(models.NETWORKS)
    for name, recipe in training.RECIPES.items():
        assert (recipe.network, recipe.data) == (name, "full")


def test_a_list_of_augmentations_is_the_same_recipe():
    listed = training.Recipe("simpler_CNN", augmentation=["flip"])
    assert listed == training.Recipe("simpler_CNN", augmentation=("flip",))


def test_one_augmentation_may_stand_alone_and_none_is_none():
    assert training.Recipe("simpler_CNN", augmentation="flip").augmentation == ("flip",)
    assert training.Recipe("simpler_CNN", augmentation=("none",)).augmentation == ()


def test_numbers_of_numpy_make_the_same_recipe():
    given = training.Recipe("simpler_CNN", epochs=np.int64(3), learning_rate=np.float32(0.5))
    assert given == training.Recipe("simpler_CNN", epochs=3, learning_rate=0.5)
    json.dumps(asdict(given))


def test_whatever_a_recipe_names_is_resumed_with_the_same_bits(few_images, tmp_path):
    recipe = training.Recipe(
        "simpler_CNN",
        variant="residual",
        epochs=4,
        batch_size=32,
        train_count=64,
        augmentation=("erase",),
        optimizer="sgd",
        weight_decay=0.01,
        label_smoothing=0.1,
        average=3,
        validation_count=40,
    )
    straight = training.train(recipe, tmp_path / "straight")
    for stop in (StopInTheMiddle(2, 1), StopInTheMiddle(3, 1)):
        with pytest.raises(KeyboardInterrupt):
            training.train(recipe, tmp_path / "stopped", callbacks=(stop,))
    assert same_weights(straight, training.train(recipe, tmp_path / "stopped"))
    _, loaded, rows = training.load_run(tmp_path / "stopped")
    assert same_weights(straight, loaded)
    # The last row is what the averaged network reaches, with moments of its own.
    (images, labels), _ = datasets.load_fashion_mnist("small")
    _, (images, labels) = datasets.split_validation(images, labels, count=40)
    hits, total = training.count_correct(loaded, datasets.as_inputs(images), labels)
    assert rows[-1]["val_accuracy"] == pytest.approx(hits / total)


def test_the_average_is_the_mean_of_the_ends_of_the_last_epochs(few_images, tmp_path):
    plain = replace(RECIPE, augmentation=(), dropout_share=0, epochs=3)
    ends = []

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            ends.append([np.asarray(v).copy() for v in self.model.layers[-1].trainable_variables])

    averaged = training.train(replace(plain, average=2), tmp_path, callbacks=(Keep(),))
    for variable, one, other in zip(averaged.trainable_variables, *ends[-2:], strict=True):
        np.testing.assert_allclose(
            variable, (one.astype(float) + other) / 2, rtol=1e-6, atol=np.finfo(np.float32).eps
        )


def test_decay_shrinks_kernels_alone(few_images, tmp_path):
    """With a rate so small that gradients move nothing, decay alone is left."""
    recipe = replace(
        RECIPE, augmentation=(), dropout_share=0, epochs=1, optimizer="sgd", learning_rate=1e-7
    )
    plain = training.train(recipe, tmp_path / "plain")
    decayed = training.train(replace(recipe, weight_decay=1e6), tmp_path / "decayed")
    for before, after in zip(plain.trainable_variables, decayed.trainable_variables, strict=True):
        ratio = np.linalg.norm(after) / max(np.linalg.norm(before), 1e-12)
        if before.name == "kernel":
            assert ratio < 0.95, before.path
        else:
            np.testing.assert_allclose(after, before, atol=1e-4, err_msg=before.path)


def test_a_finished_run_keeps_its_network_alone(few_images, tmp_path):
    recipe = replace(RECIPE, epochs=2)
    with pytest.raises(KeyboardInterrupt):
        training.train(recipe, tmp_path, callbacks=(StopInTheMiddle(1, 1),))
    going_on = (tmp_path / training.CHECKPOINT).stat().st_size
    training.train(recipe, tmp_path)
    assert (tmp_path / training.CHECKPOINT).stat().st_size < going_on / 2
    assert json.loads((tmp_path / training.PROVENANCE).read_text())["keras"] == keras.__version__


def test_a_finished_run_of_an_earlier_version_still_loads(folder):
    """It kept the optimizer's state to the end."""
    _, network, rows = training.load_run(folder)
    trainer = training._compiled(network, SHORT, steps_per_epoch=1)
    training._save(folder / training.CHECKPOINT, trainer, rows, [], finished=False)
    assert same_weights(network, training.load_run(folder)[1])


@pytest.mark.parametrize("name", [training.CHECKPOINT, training.RECIPE])
@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text", "folder"])
def test_a_damaged_file_of_a_run_is_named_in_one_sentence(folder, name, damage):
    path = folder / name
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    else:
        middle = len(content) // 2
        path.write_bytes(
            {
                "cut": content[:middle],
                "flipped": content[:middle]
                + bytes([content[middle] ^ 128])
                + content[middle + 1 :],
                "empty": b"",
                "text": b"[]",
            }[damage]
        )
    with pytest.raises(OSError, match=name.replace(".", r"\.")) as failure:
        training.load_run(folder)
    assert "\n" not in str(failure.value)
    assert not isinstance(failure.value, FileNotFoundError) or damage == "folder"


def test_more_images_than_there_are_is_said(few_images, tmp_path):
    with pytest.raises(ValueError, match=r"train_count=97.*96 images"):
        training.train(replace(RECIPE, train_count=97), tmp_path)


def own():
    """A network of somebody's own, by the functional API."""
    inputs = keras.Input((28, 28, 1))
    maps = keras.layers.Dropout(0.2)(keras.layers.Conv2D(2, 5, 4)(inputs))
    answers = keras.layers.Dense(10, "softmax")(keras.layers.Flatten()(maps))
    return keras.Model(inputs, answers)


def test_a_network_of_ones_own_is_trained_and_resumed(few_images, tmp_path):
    recipe = replace(RECIPE, network=training.OWN, epochs=2)
    straight = training.train(recipe, tmp_path / "straight", build=own)
    stop = StopInTheMiddle(1, 1)
    with pytest.raises(KeyboardInterrupt):
        training.train(recipe, tmp_path / "stopped", build=own, callbacks=(stop,))
    assert same_weights(straight, training.train(recipe, tmp_path / "stopped", build=own))
    assert straight.get_layer(index=2).rate == 0.2
    with pytest.raises(ValueError, match="'own', which only its owner can build"):
        training.load_run(tmp_path / "straight")


@pytest.mark.parametrize(
    ("network", "build", "words"), [("own", None, "'own' and no"), ("simple_CNN", own, "and a")]
)
def test_a_builder_belongs_to_a_network_of_ones_own(network, build, words, tmp_path):
    recipe = replace(RECIPE, network=network)
    with pytest.raises(ValueError, match=f"{words} function that builds one"):
        training.train(recipe, tmp_path / "run", build=build)
    assert not (tmp_path / "run").exists()
