"""Damaged files and odd labels: a sentence or the right numbers, never a traceback.

``FUZZ=2000`` in the environment draws that many; the usual run draws few.
"""

import io
import json
import os
import zipfile
from dataclasses import asdict

import keras
import numpy as np
import pytest
import zoo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from keras import layers

from cnncourse import anatomy, datasets, export, models, training

COUNT = int(os.environ.get("FUZZ", "40"))
many = settings(
    max_examples=COUNT,
    deadline=None,
    database=None,
    derandomize="FUZZ" not in os.environ,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """(model, the bytes of its file)."""
    model = zoo.drawn(
        keras.Sequential(
            [
                keras.Input((6, 5, 1)),
                layers.Conv2D(2, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.Flatten(),
                layers.Dense(3, activation="softmax"),
            ]
        )
    )
    path = zoo.save(model, tmp_path_factory.mktemp("saved") / "model.keras")
    return model, path.read_bytes()


@st.composite
def damage(draw, content):
    """The content with something lost, turned, doubled or put in."""
    place = draw(st.integers(0, len(content) - 1))
    length = draw(st.integers(1, 200))
    kind = draw(st.sampled_from(["bit", "cut", "lose", "zeros", "noise", "double", "front"]))
    before, after = content[:place], content[place + length :]
    if kind == "bit":
        turned = content[place] ^ (1 << draw(st.integers(0, 7)))
        return before + bytes([turned]) + content[place + 1 :]
    if kind == "cut":
        return before
    if kind == "front":
        return content[place:]
    if kind == "lose":
        return before + after
    if kind == "double":
        return before + content[place : place + length] * 2 + after
    filling = b"\0" * length if kind == "zeros" else draw(st.binary(min_size=1, max_size=length))
    return before + filling + after


def one_sentence(error, *names):
    text = str(error)
    assert text.strip()
    assert "\n" not in text.strip()
    assert all(name in text for name in names)


@many
@given(data=st.data())
def test_a_damaged_file_of_keras_is_refused_or_right(saved, tmp_path_factory, data):
    model, content = saved
    path = tmp_path_factory.mktemp("damaged") / "model.keras"
    path.write_bytes(data.draw(damage(content)))
    try:
        read = models.load_file(path)
    except (OSError, ValueError) as error:
        one_sentence(error, "model.keras")
        return
    # The damage hit what does not count, such as a date.
    images = zoo.images((6, 5, 1))
    answers = (keras.ops.convert_to_numpy(each(images, training=False)) for each in (read, model))
    np.testing.assert_array_equal(*answers)


values = st.none() | st.booleans() | st.integers(-3, 300) | st.floats() | st.text(max_size=5)
values |= st.lists(st.integers(-2, 9), max_size=4) | st.just({}) | st.just("Conv2D")


def places_of(thing, path=()):
    """Every place in nested settings."""
    items = thing.items() if isinstance(thing, dict) else enumerate(thing)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places_of(value, (*path, key))


@many
@given(data=st.data())
def test_odd_settings_in_a_file_are_refused_or_computed(saved, tmp_path_factory, data):
    _, content = saved
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    *way, last = data.draw(st.sampled_from(list(places_of(config))))
    inner = config
    for key in way:
        inner = inner[key]
    if data.draw(st.booleans()) and isinstance(inner, dict):
        del inner[last]
    else:
        inner[last] = data.draw(values)
    parts["config.json"] = json.dumps(config).encode()
    folder = tmp_path_factory.mktemp("odd")
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    try:
        read = models.load_file(folder / "model.keras")
        table = anatomy.layer_table(read)
        path = export.export_explorer(read, folder / "out", input_range=(0, 1))
    except (OSError, ValueError) as error:
        one_sentence(error)
        assert not (folder / "out").exists()
        return
    shape = read(zoo.images(tuple(read.input_shape[1:])), training=False).shape[1:]
    assert table[-1].output_shape == tuple(shape)
    assert json.loads(path.read_text())["layers"][-1]["output_shape"] == list(shape)


odd_arrays = arrays.arrays(
    st.sampled_from(["int8", "int64", "uint8", "float32", "bool", "U2"]),
    arrays.array_shapes(min_dims=0, max_dims=3, max_side=4),
)


@many
@given(labels=odd_arrays | st.lists(st.integers(-2, 5) | st.floats() | st.none()) | values)
def test_labels_are_whole_numbers_of_classes_or_refused(labels):
    try:
        found = datasets.as_labels(labels, 3, 4)
    except ValueError as error:
        one_sentence(error, "wanted for each of them one whole number from 0 to 3")
        return
    given_ = np.asarray(labels)
    assert found.shape == (3,)
    assert given_.size == 3
    np.testing.assert_array_equal(found, given_.ravel())
    assert set(found.tolist()) <= {0, 1, 2, 3}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """(recipe, trainer, its state, the bytes of recipe.json and of checkpoint.npz)."""
    recipe = training.Recipe("simpler_CNN", variant="half_width", epochs=2)
    network = training._network(recipe)
    trainer = training._compiled(network, recipe, steps_per_epoch=1)
    folder = tmp_path_factory.mktemp("run")
    rows = [{"epoch": 1, "loss": 0.5, "accuracy": 0.25, "val_loss": 0.5, "val_accuracy": 0.25}]
    training._save(folder / "checkpoint.npz", trainer, rows, [], finished=False)
    state = [np.asarray(variable) for variable in training._state(trainer)]
    content = json.dumps(asdict(recipe), indent=2).encode()
    return recipe, trainer, state, rows, content, (folder / "checkpoint.npz").read_bytes()


@many
@given(data=st.data())
def test_a_damaged_recipe_is_refused_or_a_recipe(kept, tmp_path_factory, data):
    *_, content, _ = kept
    path = tmp_path_factory.mktemp("damaged") / "recipe.json"
    path.write_bytes(data.draw(damage(content)))
    try:
        read = training.read_recipe(path)
    except (OSError, ValueError) as error:
        one_sentence(error, "recipe.json")
        return
    assert training.Recipe(**asdict(read)) == read


@many
@given(data=st.data())
def test_odd_values_in_a_recipe_are_refused_or_taken_as_they_are(kept, tmp_path_factory, data):
    recipe = asdict(kept[0])
    recipe[data.draw(st.sampled_from([*recipe, "speed"]))] = data.draw(values)
    path = tmp_path_factory.mktemp("odd") / "recipe.json"
    path.write_text(json.dumps(recipe))
    try:
        read = training.read_recipe(path)
    except (OSError, ValueError) as error:
        one_sentence(error, "recipe.json")
        return
    assert asdict(read) | {"augmentation": None} == recipe | {"augmentation": None}


@many
@given(data=st.data())
def test_a_damaged_checkpoint_is_refused_or_right(kept, tmp_path_factory, data):
    _, trainer, state, rows, _, content = kept
    path = tmp_path_factory.mktemp("damaged") / "checkpoint.npz"
    path.write_bytes(data.draw(damage(content)))
    try:
        read, mean = training._restore(path, trainer)
    except (OSError, ValueError) as error:
        one_sentence(error, "checkpoint.npz")
    else:  # the damage hit what does not count, such as a date
        assert (read, mean) == (rows, [])
    # Whatever was refused has changed nothing.
    for variable, value in zip(training._state(trainer), state, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), value)
