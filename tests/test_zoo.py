"""The zoo: each network's table, fields, folding, gradients and export, against Keras.

In double precision with drawn weights and moments, on pictures that are no squares.
"""

import json

import keras
import numpy as np
import pytest
import zoo
from closeness import assert_close
from keras import layers

from cnncourse import anatomy, export, interpret, keras_layers, operations, runtimes

CASES = [(name, shape) for name in zoo.ZOO for shape in zoo.SHAPES]


def build(name, shape):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        return zoo.drawn(zoo.ZOO[name](shape))
    finally:
        keras.config.set_dtype_policy(policy)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1][2]}")
def case(request):
    """A network and pictures for it, from 0 to 255 where it rescales them."""
    name, shape = request.param
    model = build(name, shape)
    images = zoo.images(shape)
    rescaled = isinstance(model.layers[0], layers.Rescaling)
    return model, np.float32(255) * images if rescaled else images


def as_numpy(values):
    return keras.ops.convert_to_numpy(values)


def answers(model, images):
    return as_numpy(model(images, training=False))


def maps_of(model):
    return [step for step in keras_layers.steps(model) if len(step.output_shape) == 3]


def test_the_table_adds_up_to_what_keras_counts(case):
    model, images = case
    table = anatomy.layer_table(model)
    assert table.trainable == sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    state = [w for w in model.non_trainable_weights if "seed" not in w.name]
    assert table.non_trainable >= sum(int(np.prod(w.shape)) for w in state)
    values = {0: images.astype(np.float64)}
    for number, (step, row) in enumerate(zip(keras_layers.steps(model), table, strict=True), 1):
        _, values[number] = step.run([values[source] for source in step.inputs])
        assert row.output_shape == tuple(values[number].shape[1:])
    np.testing.assert_array_equal(as_numpy(values[number]), answers(model, images))


def test_the_formula_of_the_field_agrees_with_the_gradient(case):
    model, _ = case
    fields = anatomy.receptive_field(model)
    globally = False
    maps = maps_of(model)
    for place, step in enumerate(maps):
        globally = globally or isinstance(step.reading.operation, operations.GlobalPooling)
        if globally:
            with pytest.raises(ValueError, match="sees the whole image"):
                anatomy.measured_receptive_field(model, step.name)
        elif place % 5 == 2 or step is maps[-1]:
            measured = anatomy.measured_receptive_field(model, step.name)
            assert measured == fields[step.name], step.name


def test_folding_changes_no_answer(case):
    model, images = case
    folded = anatomy.fold_batch_normalization(model)
    before = len(keras_layers.steps(model))
    normalizations = sum(
        isinstance(step.reading.operation, operations.Normalization)
        for step in keras_layers.steps(model)
    )
    left = len(keras_layers.steps(folded))
    assert left < before or not normalizations
    assert_close(answers(folded, images), answers(model, images), terms=5000, size=10)


def scores_by_keras(model):
    """The model up to its scores, made from Keras's own parts."""
    last = model.layers[-1]
    if isinstance(last, layers.Softmax) or type(last) is layers.Activation:
        return keras.Model(model.inputs, last.input)
    config = last.get_config() | {"activation": None, "name": "scores"}
    scores = type(last).from_config(config)
    outputs = scores(last.input)
    scores.set_weights(last.get_weights())
    return keras.Model(model.inputs, outputs)


def gradient_by_tape(model, images, labels, name=None):
    """(outputs of a layer, gradient of each label's score there), by TensorFlow's tape."""
    import tensorflow as tf

    scores = scores_by_keras(model)
    pixels = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        seen = [pixels]
        if name is not None:
            # The very tensor that the layers behind it take.
            layer, usual = model.get_layer(name), model.get_layer(name).call
            layer.__dict__["call"] = lambda *inputs, **options: (
                seen.append(usual(*inputs, **options)) or seen[-1]
            )
        try:
            outputs = scores(pixels, training=False)
        finally:
            if name is not None:
                del layer.__dict__["call"]
        if outputs.shape[1] == 1:
            chosen = outputs[:, 0] * tf.cast(2 * labels - 1, outputs.dtype)
        else:
            chosen = tf.gather(outputs, labels, axis=1, batch_dims=1)
        total = tf.reduce_sum(chosen)
    return as_numpy(seen[-1]), as_numpy(tape.gradient(total, seen[-1]))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="compares with TensorFlow")
def test_gradients_and_grad_cam_agree_with_the_tape(case):
    model, images = case
    labels = np.array([0, 1, 1])
    outputs = np.shape(answers(model, images))[1]
    labels = labels if outputs == 1 else np.array([0, 7, 3])
    _, wanted = gradient_by_tape(model, images, labels)
    _, got = interpret.score_gradient(model, images, labels)
    assert np.abs(wanted).max() > 0
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())
    np.testing.assert_array_equal(
        interpret.saliency(model, images, labels), np.abs(got).max(axis=-1)
    )
    steps = [step for step in maps_of(model) if "/" not in step.name]
    steps = [step for step in steps if isinstance(step.reading.operation, operations.Linear)]
    if not steps:
        return  # all its maps are inside of an inner model
    name = steps[-1].name
    maps, gradients = gradient_by_tape(model, images, labels, name)
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    wanted = np.maximum((maps * weights).sum(axis=-1), 0)
    got = interpret.grad_cam(model, images, labels, name)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6 * max(np.abs(wanted).max(), 1e-9))


def test_the_scores_turn_into_keras_answers(case):
    model, images = case
    scores = interpret.class_scores(model, images)
    last = keras_layers.steps(model)[-1].reading.activation
    if isinstance(last, operations.Softmax):
        scores = as_numpy(keras.ops.softmax(scores))
    elif isinstance(last, operations.Sigmoid):
        scores = as_numpy(keras.ops.sigmoid(scores))
    np.testing.assert_allclose(scores, answers(model, images), rtol=1e-12, atol=1e-12)


def test_the_export_holds_every_weight_and_shape(case, tmp_path):
    model, _ = case
    path = export.export_explorer(model, tmp_path, input_range=(0, 1), precision="float32")
    manifest = json.loads(path.read_text(encoding="utf-8"))
    numbers = np.frombuffer((tmp_path / "weights.bin").read_bytes(), "<f4")
    assert manifest["weights"]["bytes"] == 4 * numbers.size
    counted = sum(int(np.prod(w.shape)) for w in model.weights if "seed" not in w.name)
    assert numbers.size == counted
    assert sorted(numbers) == sorted(
        np.concatenate([w.numpy().ravel() for w in model.weights if "seed" not in w.name]).astype(
            np.float32
        )
    )
    assert {entry["type"] for entry in manifest["layers"]} <= set(export.TYPES)
    names = [entry["name"] for entry in manifest["layers"]]
    assert len(set(names)) == len(names)
    for number, entry in enumerate(manifest["layers"]):
        assert all(0 <= source <= number for source in entry.get("inputs", [number]))
    assert manifest["layers"][-1]["output_shape"] == list(model.output_shape[1:])
    last = manifest["layers"][-1]["type"]
    assert manifest.get("answer", "softmax") == (
        last if last in ("softmax", "sigmoid") else "scores"
    )
    assert len(manifest["classes"]) == max(model.output_shape[-1], 2)


def test_the_exported_files_alone_give_the_answers(case, tmp_path):
    model, images = case
    path = export.export_explorer(model, tmp_path, input_range=(0, 1), precision="float32")
    found = runtimes.compare(model, export.read_explorer(path), as_numpy(images))
    assert found.largest <= found.tolerance


@pytest.mark.parametrize("builder", zoo.REFUSED, ids=lambda builder: builder.__name__)
def test_what_is_not_computed_is_refused_by_name_everywhere(builder, tmp_path):
    model = builder((8, 12, 1))
    images = zoo.images((8, 12, 1))
    for call in (
        lambda: anatomy.layer_table(model),
        lambda: anatomy.fold_batch_normalization(model),
        lambda: interpret.saliency(model, images, [0, 0, 0]),
        lambda: export.export_explorer(model, tmp_path / "out"),
    ):
        with pytest.raises(keras_layers.UnknownLayer, match=zoo.REFUSED[builder]):
            call()
    assert not (tmp_path / "out").exists()
