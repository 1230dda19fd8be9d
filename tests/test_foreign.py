"""Other people's models, files and habits: taken as meant, or refused in one sentence."""

import json
import os
import re
import shutil
import zipfile

import keras
import numpy as np
import pytest
import zoo
from keras import layers

from cnncourse import anatomy, cli, datasets, export, interpret, models, training


def small(end="softmax", shape=(8, 8, 1)):
    return zoo.drawn(
        keras.Sequential(
            [
                keras.Input(shape),
                layers.Conv2D(2, 3, activation="relu"),
                layers.Flatten(),
                layers.Dense(3, activation=end),
            ],
            name="small",
        )
    )


def own_loss(wanted, given):
    return keras.ops.mean(keras.ops.square(wanted - given))


class OwnLayer(layers.Layer):
    """Nobody but its author has it."""

    def call(self, inputs):
        return inputs


def run(capsys, *arguments):
    status = cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out, err


def refused(capsys, folder, *arguments):
    """The sentence of a refused export, which leaves nothing behind."""
    status, _, err = run(capsys, "export", *arguments, "--to", "explorer", folder)
    assert status == 1
    assert not folder.exists()
    assert len(err.strip().splitlines()) == 1
    return err


# --- Files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".keras", ".KERAS", ".h5", ".H5", ".hdf5", ".Hdf5"])
def test_files_of_keras_are_read_whatever_their_ending_looks_like(ending, tmp_path, capsys):
    model = small()
    usual = ".keras" if ending.lower() == ".keras" else ".h5"
    zoo.save(model, tmp_path / f"model{usual}").rename(tmp_path / f"mine{ending}")
    read = models.load_file(tmp_path / f"mine{ending}")
    for mine, theirs in zip(read.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    folder = tmp_path / "out"
    arguments = ["export", tmp_path / f"mine{ending}", "--to", "explorer", folder]
    status, out, _ = run(capsys, *arguments, "--range", "0", "1")
    assert status == 0
    assert f"{sum(path.stat().st_size for path in folder.iterdir()):,} bytes" in out


def test_what_a_model_was_compiled_with_is_not_needed(tmp_path, capsys):
    model = small()
    model.compile(loss=own_loss, optimizer="adam", metrics=[own_loss])
    zoo.save(model, tmp_path / "model.keras")
    arguments = [tmp_path / "model.keras", "--to", "explorer", tmp_path / "out"]
    assert run(capsys, "export", *arguments)[0] == 0


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="functions of TensorFlow")
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_functions_of_tensorflow_in_a_file_are_known(ending, tmp_path):
    import tensorflow as tf

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(2, 3, activation=tf.nn.relu),
            layers.Conv2D(2, 3, activation=tf.nn.leaky_relu),
            layers.Flatten(),
            layers.Dense(3, activation=tf.nn.softmax),
        ]
    )
    zoo.drawn(model)
    read = models.load_file(zoo.save(model, tmp_path / f"model{ending}"))
    images = zoo.images((8, 8, 1))
    np.testing.assert_allclose(
        interpret.saliency(read, images, [0, 1, 2]),
        interpret.saliency(model, images, [0, 1, 2]),
        rtol=1e-5,
    )
    export.export_explorer(read, tmp_path / "out", input_range=(0, 1))


def without(path, name):
    """An archive without one of its parts."""
    with zipfile.ZipFile(path) as archive:
        parts = {each: archive.read(each) for each in archive.namelist() if each != name}
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in parts.items():
            archive.writestr(each, content)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(b""), "no file of Keras .0 bytes."),
        (lambda path: path.write_bytes(POINTER), rf"no file of Keras .{len(POINTER)} bytes."),
        (lambda path: path.write_bytes(path.read_bytes()[:2000]), "not a zip file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-30]), "zip|part"),
        (lambda path: without(path, "config.json"), "no file of Keras"),
        (lambda path: without(path, "model.weights.h5"), "cannot be read as a model"),
        (lambda path: path.unlink(), "is neither a network"),
    ],
)
def test_a_file_that_cannot_be_read_gets_one_sentence(spoil, said, tmp_path, capsys):
    path = tmp_path / "model.keras"
    zoo.save(small(), path)
    spoil(path)
    err = refused(capsys, tmp_path / "out", path)
    assert re.search(said, err), err
    assert "model.keras" in err


def test_a_layer_of_somebodys_own_is_named(tmp_path, capsys):
    model = keras.Sequential([keras.Input((8, 8, 1)), OwnLayer(), layers.Flatten()])
    zoo.save(model, tmp_path / "model.keras")
    assert "OwnLayer" in refused(capsys, tmp_path / "out", tmp_path / "model.keras")


def test_code_in_a_file_is_not_run(tmp_path, capsys):
    chain = [keras.Input((8, 8, 1)), layers.Lambda(lambda x: x), layers.Flatten()]
    zoo.save(keras.Sequential(chain), tmp_path / "model.keras")
    assert "not run" in refused(capsys, tmp_path / "out", tmp_path / "model.keras")


def test_a_saved_model_is_told_what_to_do(tmp_path, capsys):
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"\x08\x01")
    err = refused(capsys, tmp_path / "out", folder)
    assert "SavedModel" in err
    assert "model.save('model.h5')" in err


def test_weights_that_are_not_finite_are_refused(tmp_path, capsys):
    model = small()
    model.layers[0].bias.assign([np.nan, 0])
    zoo.save(model, tmp_path / "model.keras")
    assert "finite" in refused(capsys, tmp_path / "out", tmp_path / "model.keras")


def test_folders_above_the_target_go_too(tmp_path, capsys):
    refused(capsys, tmp_path / "a" / "b", "no-such-network")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "kept").mkdir()
    status, _, _ = run(capsys, "export", "nothing", "--to", "explorer", tmp_path / "kept")
    assert status == 1
    assert (tmp_path / "kept").is_dir()


def test_a_file_where_the_folder_should_be(tmp_path, capsys):
    (tmp_path / "out").write_text("mine")
    status, _, err = run(capsys, "export", "simpler_CNN", "--to", "explorer", tmp_path / "out")
    assert status == 1
    assert "out" in err
    assert (tmp_path / "out").read_text() == "mine"


def test_only_the_bytes_of_the_network_are_reported(tmp_path, capsys):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "other.bin").write_bytes(b"0" * 1_000_000)
    status, out, _ = run(capsys, "export", "simpler_CNN", "--to", "explorer", folder)
    assert status == 0
    (folder / "other.bin").unlink()
    assert f"{sum(path.stat().st_size for path in folder.iterdir()):,} bytes" in out


# --- The range of the pixels -------------------------------------------------------------------


def test_the_range_is_taken_from_the_command_line(tmp_path, capsys):
    zoo.save(small(), tmp_path / "model.keras")
    arguments = [tmp_path / "model.keras", "--to", "explorer", tmp_path / "out"]
    status, out, _ = run(capsys, "export", *arguments, "--range", "-1", "1")
    assert status == 0
    assert "pixels from -1 to 1" in out
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["input"]["range"] == [-1, 1]


@pytest.mark.parametrize(
    ("given", "said"),
    [((0, 0), "differ"), ((0, float("inf")), "finite"), ((0, 1, 2), "two numbers"), (7, "two")],
)
def test_a_range_without_two_ends_is_refused(given, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        export.export_explorer(small(), tmp_path / "out", input_range=given)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("first", "large"),
    [
        (layers.Rescaling(1 / 255), True),
        (layers.Rescaling(1 / 127.5, offset=-1), True),
        (layers.Rescaling(2, offset=-1), False),
        (layers.Normalization(mean=[120.0], variance=[3600.0]), True),
        (layers.Normalization(mean=[0.3], variance=[0.1]), False),
    ],
)
def test_a_first_layer_that_makes_numbers_small_is_noticed(first, large, tmp_path, capsys):
    chain = [keras.Input((8, 8, 1)), layers.RandomFlip(), first, layers.Flatten(), layers.Dense(3)]
    zoo.save(keras.Sequential(chain, name="bytes"), tmp_path / "model.keras")
    arguments = [tmp_path / "model.keras", "--to", "explorer", tmp_path / "out"]
    status, out, err = run(capsys, "export", *arguments)
    assert status == 0
    assert ("pixels from 0 to 255" in out) == large
    assert ("seems to expect pixels from 0 to 255" in err and "--range" in err) == large


def test_answers_on_the_sample_show_the_range():
    network = models.load_pretrained("simpler_CNN")
    assert export.expected_range(network) == ((0.0, 1.0), "")
    # The same network for pixels from 0 to 255: its first kernel takes the factor.
    first = network.layers[0]
    first.kernel.assign(first.kernel / 255)
    (low, high), reason = export.expected_range(network)
    assert (low, high) == (0, 255)
    assert "of 300" in reason


def test_a_guess_in_code_is_a_warning(tmp_path):
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(3)]
    )
    with pytest.warns(UserWarning, match="Pass input_range"):
        export.export_explorer(model, tmp_path)


# --- What users hold in their hands ------------------------------------------------------------


def test_whole_numbers_of_numpy_are_whole_numbers():
    model = models.simple_CNN(tuple(np.array([28, 28, 1])), np.uint8(10))
    assert model.output_shape == (None, 10)
    assert models.simple_CNN([28, 28, 1], 10).input_shape == (None, 28, 28, 1)
    for shape, classes in (((28, 28, True), 10), ((28, 28, 1), True), ((28, 28, 1), np.True_)):
        with pytest.raises(ValueError, match="whole number"):
            models.simple_CNN(shape, classes)


def test_classes_may_be_numbers(tmp_path):
    path = export.export_explorer(small(), tmp_path, classes=np.array([3, 5, 8]))
    assert json.loads(path.read_text())["classes"] == ["3", "5", "8"]
    with pytest.raises(ValueError, match="wanted a name for each output"):
        export.export_explorer(small(), tmp_path, classes="abc")
    with pytest.raises(ValueError, match="2 class names for 3 outputs"):
        export.export_explorer(small(), tmp_path, classes=["a", "b"])


def test_one_output_tells_two_classes_apart(tmp_path):
    model = zoo.drawn(zoo.cats_and_dogs((20, 20, 1)))
    path = export.export_explorer(model, tmp_path, classes=["cat", "dog"])
    manifest = json.loads(path.read_text())
    assert (manifest["answer"], manifest["classes"]) == ("sigmoid", ["cat", "dog"])
    images = zoo.images((20, 20, 1))
    dog, cat = (interpret.score_gradient(model, images, [label] * 3)[1] for label in (1, 0))
    np.testing.assert_array_equal(dog, -cat)
    with pytest.raises(ValueError, match="from 0 to 1"):
        interpret.saliency(model, images, [2, 0, 0])


@pytest.mark.parametrize("form", [lambda x: x, lambda x: x[:, None], list, np.uint8])
def test_labels_may_be_a_column_or_a_list(form):
    labels = np.array([2, 0, 1])
    np.testing.assert_array_equal(datasets.as_labels(form(labels), 3, 3), labels)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.eye(3, dtype=int), r"\(3, 3\).*argmax"),
        (2, r"shape \(\)"),
        ([1], r"shape \(1,\).* 3 images"),
        ([0.0, 1.0, 2.0], "float64"),
        ([True, False, True], "bool"),
        (["1", "2", "0"], "U1"),
        ([0, 1, 3], "from 0 to 3"),
        ([[0], [1, 2], [3]], "several lengths"),
    ],
)
def test_other_labels_are_refused_with_their_shape(labels, said):
    with pytest.raises(ValueError, match=said):
        datasets.as_labels(labels, 3, 3)


def test_accuracy_counts_each_image_once():
    """Labels as a column gave 1067 of 100 right."""
    network = models.load_pretrained("simpler_CNN")
    _, (images, labels) = datasets.load_fashion_mnist("small")
    inputs, labels = datasets.as_inputs(images[:100]), labels[:100]
    right, total = training.count_correct(network, inputs, labels)
    assert total == 100
    assert 80 <= right <= 100
    assert training.count_correct(network, inputs, labels[:, None]) == (right, 100)
    for wrong in (labels[:1], np.eye(10, dtype=int)[labels], labels.astype(float)):
        with pytest.raises(ValueError, match="100 images"):
            training.count_correct(network, inputs, wrong)


def test_valid_networks_of_some_depth_can_be_measured():
    """It raised an error about a kernel on an axis of length 2."""
    model = keras.Sequential([keras.Input((224, 224, 1))])
    for _ in range(4):
        model.add(layers.Conv2D(2, 3))
        model.add(layers.Conv2D(2, 3))
        model.add(layers.MaxPooling2D(2))
    last = model.layers[-1].name
    assert anatomy.measured_receptive_field(model, last) == 76
    assert anatomy.receptive_field(model)[last] == 76
    with pytest.raises(ValueError, match=r"64×64 pixels.*Take a larger"):
        anatomy.input_gradient(model, last, 64)


# --- The doctor --------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    return tmp_path


def findings():
    return {(found.what, found.state): found for found in cli.examine()}


@pytest.mark.parametrize(
    ("content", "what", "said"),
    [
        ({"image_data_format": "channels_first"}, "keras.json", '"channels_last"'),
        ({"backend": "theano"}, "backend", '"backend": "tensorflow"'),
        ({"floatx": "float16"}, "keras.json", '"float32"'),
    ],
)
def test_an_old_file_of_keras_is_named(home, content, what, said):
    path = home / "keras.json"
    path.write_text(json.dumps(content))
    found = findings()[what, cli.AMISS]
    assert str(path) in found.seen
    assert said in found.advice


def test_a_file_of_keras_that_is_none_is_a_note(home):
    (home / "keras.json").write_text("{")
    assert "cannot be read" in findings()["keras.json", cli.NOTE].seen


def test_a_backend_that_is_not_there_is_named(home, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    found = findings()["backend", cli.AMISS]
    assert "KERAS_BACKEND names jax, which is not installed" in found.seen
    monkeypatch.setattr(cli, "find_spec", lambda name: object())
    assert "jax" in findings()["backend", cli.NOTE].seen


def test_a_backend_that_does_not_load_is_one_sentence(monkeypatch, capsys):
    def broken():
        raise ModuleNotFoundError("No module named 'jax'")

    monkeypatch.setattr(cli, "start_keras", broken)
    status, _, err = run(capsys, "evaluate", "simple_CNN")
    assert status == 1
    assert "cnncourse doctor" in err


def test_a_card_without_a_driver_is_seen(tmp_path, monkeypatch):
    card = tmp_path / "sys" / "bus" / "pci" / "devices" / "0000:01:00.0"
    card.mkdir(parents=True)
    (card / "vendor").write_text("0x10de\n")
    (card / "class").write_text("0x030000\n")
    monkeypatch.setattr(cli, "SYSTEM", tmp_path)
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind: [])
    assert "no driver" in findings()["GPU", cli.NOTE].seen
    driver = tmp_path / "proc" / "driver" / "nvidia"
    driver.mkdir(parents=True)
    (driver / "version").write_text("1")
    assert "CUDA" in findings()["GPU", cli.NOTE].seen
    (card / "vendor").write_text("0x8086\n")
    assert ("GPU", cli.OK) in findings()


def test_mixed_precision_is_seen():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        assert "mixed_float16" in findings()["precision", cli.AMISS].seen
    finally:
        keras.config.set_dtype_policy(policy)


def installed(folder, name, version):
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return cli.metadata.Distribution.at(info)


def test_an_old_numpy_and_a_second_one_are_seen(tmp_path, monkeypatch):
    two = [
        installed(tmp_path / "site", "numpy", "2.1.0"),
        installed(tmp_path / "user", "numpy", "1.26.4"),
    ]
    monkeypatch.setattr(cli.metadata, "distributions", lambda: two)
    found = findings()["installations", cli.AMISS]
    assert "numpy is there twice" in found.seen
    assert "1.26.4" in found.seen
    assert "pip uninstall numpy" in found.advice
    versions = cli.metadata.version
    monkeypatch.setattr(
        cli.metadata, "version", lambda name: "1.26.4" if name == "numpy" else versions(name)
    )
    assert 'pip install "numpy' in findings()["numpy", cli.AMISS].advice


@pytest.mark.skipif(os.name == "nt", reason="a script of Windows is made otherwise")
def test_a_command_of_another_python_is_a_note(tmp_path, monkeypatch):
    other = tmp_path / "bin" / "cnncourse"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(other.parent))
    assert shutil.which("cnncourse") == str(other)
    assert str(other) in findings()["installations", cli.NOTE].seen


def test_channels_first_is_said_before_weights_do_not_fit():
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match=r"channels_first.*cnncourse doctor"):
            models.load_pretrained("simple_CNN")
    finally:
        keras.config.set_image_data_format("channels_last")
