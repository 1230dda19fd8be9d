"""One place knows what a layer of Keras is: its table, its refusals, and that nobody else asks."""

import ast
import functools
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import zoo
from browsers import EXPLORER
from closeness import assert_close
from keras import layers

import cnncourse
from cnncourse import anatomy, export, interpret, keras_layers, operations
from cnncourse.checks import architecture

PACKAGE = Path(cnncourse.__file__).parent
tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="functions of TensorFlow"
)


def chain(*body, shape=(9, 8, 2)):
    return zoo.drawn(keras.Sequential([keras.Input(shape), *body]))


def as_numpy(values):
    return keras.ops.convert_to_numpy(values)


# --- Readings ----------------------------------------------------------------------------------


def test_a_reading_says_what_the_layer_computes():
    layer = layers.Conv2D(
        4, (3, 2), dilation_rate=2, groups=2, padding="same", activation="elu", name="seen"
    )
    layer.build((None, 8, 8, 2))
    reading = keras_layers.read(layer)
    operation = reading.operation
    assert (reading.name, reading.type, reading.kind) == ("seen", "Conv2D", "conv2d")
    assert (operation.window, operation.strides) == ((3, 2), (1, 1))
    assert (operation.dilation_rate, operation.groups, operation.padding) == ((2, 2), 2, "same")
    assert reading.activation == operations.Elu(alpha=1.0)
    np.testing.assert_array_equal(operation.array("kernel"), layer.kernel.numpy())
    with pytest.raises(AttributeError):
        reading.name = "other"
    with pytest.raises(AttributeError):
        operation.groups = 1


RELU = operations.Relu()
FUNCTIONS = [
    (None, None),
    ("linear", None),
    ("relu", RELU),
    (keras.activations.relu, RELU),
    (keras.ops.relu, RELU),
    (layers.ReLU(), RELU),
    (layers.ReLU(6.0), operations.Relu(max_value=6.0)),
    ("relu6", operations.Relu(max_value=6.0)),
    (
        functools.partial(keras.activations.relu, negative_slope=0.1),
        operations.Relu(negative_slope=0.1),
    ),
    (layers.LeakyReLU(negative_slope=0.05), operations.LeakyRelu(negative_slope=0.05)),
    (keras.activations.leaky_relu, operations.LeakyRelu(negative_slope=0.2)),
    (layers.ELU(alpha=0.5), operations.Elu(alpha=0.5)),
    ("gelu", operations.Gelu(approximate=False)),
    (keras.ops.gelu, operations.Gelu(approximate=True)),
    ("sigmoid", operations.Sigmoid()),
    ("tanh", operations.Tanh()),
    ("softmax", operations.Softmax()),
    (layers.Softmax(), operations.Softmax()),
    (layers.Activation("tanh"), operations.Tanh()),
]


@pytest.mark.parametrize(("given", "wanted"), FUNCTIONS, ids=range(len(FUNCTIONS)))
def test_an_activation_is_the_function_that_it_is(given, wanted):
    """A layer or a partial as activation was taken for linear, and gradients were wrong."""
    layer = layers.Conv2D(3, 2, activation=given)
    layer.build((None, 5, 5, 2))
    assert keras_layers.read(layer).activation == wanted
    if wanted is None:
        return
    # The function that was read has the slope of the one that the layer applies.
    before = np.random.default_rng(0).normal(0, 2, (40, 6))
    step = 1e-6
    if isinstance(given, layers.Layer):
        given = type(given).from_config(given.get_config() | {"dtype": "float64"})
    layer = layers.Activation(given, dtype="float64")
    rise = np.zeros_like(before)
    for place in range(6):
        moved = before.copy()
        moved[:, place] += step
        lower = before.copy()
        lower[:, place] -= step
        rise[:, place] = (as_numpy(layer(moved)) - as_numpy(layer(lower)))[:, 2] / (2 * step)
    grad = np.zeros_like(before)
    grad[:, 2] = 1
    slope = wanted.gradient(grad, before, as_numpy(layer(before)))
    np.testing.assert_allclose(slope, rise, atol=1e-7)


@tensorflow_only
def test_functions_of_tensorflow_are_known_too():
    import tensorflow as tf

    for given, wanted in (
        (tf.nn.softmax, operations.Softmax()),
        (tf.nn.relu6, operations.Relu(max_value=6.0)),
        (functools.partial(tf.nn.leaky_relu, alpha=0.3), operations.LeakyRelu(negative_slope=0.3)),
        (tf.identity, None),
    ):
        assert keras_layers.read(layers.Dense(2, activation=given)).activation == wanted


class Mine(layers.Conv2D):
    """Somebody's own convolution: what its call does nobody knows."""


def doubled(x):
    return 2 * x


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (layers.Conv2D(2, 3, data_format="channels_first", name="seen"), "data_format"),
        (layers.Flatten(data_format="channels_first", name="seen"), "data_format"),
        (layers.MaxPooling2D(data_format="channels_first", name="seen"), "data_format"),
        (layers.Softmax(axis=1, name="seen"), "axis=1"),
        (layers.Reshape((2, 2), name="seen"), r"target_shape=\(2, 2\)"),
        (layers.Dense(2, activation=layers.PReLU(), name="seen"), "activation='PReLU'"),
        (layers.Dense(2, activation="silu", name="seen"), "activation='silu'.*known is linear"),
        (layers.Dense(2, activation=doubled, name="seen"), "activation='doubled'"),
        (
            layers.Dense(2, activation=functools.partial(keras.activations.softmax, axis=1)),
            "softmax with axis=1",
        ),
        (layers.UpSampling2D(name="seen"), "of type UpSampling2D; known are .*Conv2D"),
        (layers.RandomCrop(2, 2, name="seen"), "RandomCrop"),
        (layers.CenterCrop(2, 2, name="seen"), "CenterCrop"),
        (Mine(2, 3, name="seen"), "of type Mine"),
    ],
)
def test_what_changes_the_arithmetic_is_refused_by_name(layer, said):
    with pytest.raises(keras_layers.UnknownLayer, match=said) as caught:
        keras_layers.read(layer)
    assert layer.name in str(caught.value)


def test_an_argument_that_is_not_taken_into_account_is_refused(monkeypatch):
    """As a younger Keras might have one."""
    layer = layers.Dense(2, name="seen")
    monkeypatch.setattr(
        layers.Dense, "__init__", lambda self, units, activation=None, twice=False: None
    )
    assert keras_layers.read(layer).kind == "dense"
    monkeypatch.setattr(layer, "twice", True, raising=False)
    with pytest.raises(keras_layers.UnknownLayer, match=r"seen .* with twice=True"):
        keras_layers.read(layer)


ASLEEP = [each for each, kind in keras_layers.KINDS.items() if kind.computed is None]
WITH_ARGUMENTS = {
    "GaussianNoise": (0.5,),
    "ActivityRegularization": (0.1,),
    "RandomBrightness": (0.5,),
    "RandomContrast": (0.5,),
    "RandomHue": (0.5,),
    "RandomPosterization": (4,),
    "RandomRotation": (0.2,),
    "RandomSaturation": (0.5,),
    "RandomSharpness": (0.5,),
    "RandomTranslation": (0.2, 0.2),
    "RandomZoom": (0.2,),
    "RandomColorDegeneration": (0.5,),
}


@pytest.mark.parametrize("kind", ASLEEP, ids=lambda kind: kind.__name__)
def test_what_is_said_to_sleep_at_inference_passes_everything_on(kind):
    layer = kind(*WITH_ARGUMENTS.get(kind.__name__, ()))
    images = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_array_equal(as_numpy(layer(images, training=False)), images)


def test_rescaling_and_normalization_have_their_meaning():
    rng = np.random.default_rng(3)
    images = rng.uniform(0, 255, (4, 9, 8, 2))
    adapted = layers.Normalization()
    adapted.adapt(images)
    for layer in (
        layers.Rescaling(1 / 127.5, offset=-1),
        layers.Rescaling([0.1, 0.2], offset=[1, -1]),
        layers.Normalization(mean=[3.0, 4.0], variance=[2.0, 0.0]),
        layers.Normalization(mean=2.0, variance=4.0, axis=None),
        layers.Normalization(mean=[3.0, 4.0], variance=[2.0, 9.0], invert=True),
        adapted,
    ):
        wanted = as_numpy(layer(images))
        operation = keras_layers.read(layer).operation
        got = images * np.array(operation.scale) + np.array(operation.offset)
        # Normalization divides by at least a small number, which makes variance 0 large.
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())


def test_a_normalization_of_another_axis_stays_and_is_refused():
    """It was folded and interpreted as if it were of the channels, with wrong numbers."""
    model = chain(
        layers.Conv2D(8, 3, padding="same"),
        layers.BatchNormalization(axis=1, name="rows"),
        layers.ReLU(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3),
        layers.Softmax(),
        shape=(8, 8, 3),
    )
    images = zoo.images((8, 8, 3))
    folded = anatomy.fold_batch_normalization(model)
    assert "rows" in [layer.name for layer in folded.layers]
    np.testing.assert_array_equal(as_numpy(folded(images)), as_numpy(model(images)))
    assert anatomy.useless_biases(model) == {}
    with pytest.raises(keras_layers.UnknownLayer, match=r"rows.*axis=1"):
        interpret.saliency(model, images, [0, 1, 2])
    with pytest.raises(ValueError, match=r"rows.*axis 1"):
        export.export_explorer(model, "never-made")
    assert not Path("never-made").exists()
    # Counted from the front, the channels are axis 3.
    named = chain(layers.Conv2D(4, 3), layers.BatchNormalization(axis=3))
    assert sum(anatomy.useless_biases(named).values()) == 4


# --- Folding -----------------------------------------------------------------------------------

LINEAR = {
    "convolution": lambda **options: layers.Conv2D(4, 3, **options),
    "grouped": lambda **options: layers.Conv2D(4, 3, groups=2, **options),
    "dilated": lambda **options: layers.Conv2D(4, 2, dilation_rate=3, **options),
    "depthwise": lambda **options: layers.DepthwiseConv2D(3, depth_multiplier=2, **options),
    "separable": lambda **options: layers.SeparableConv2D(4, 3, depth_multiplier=2, **options),
    "dense": lambda **options: layers.Dense(4, **options),
}


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("kind", LINEAR)
def test_normalizations_fold_into_their_neighbours(kind, after, use_bias):
    options = {"use_bias": use_bias, "dtype": "float64"}
    body = [LINEAR[kind](**options), layers.BatchNormalization(dtype="float64")]
    if not after:
        body = [body[1], LINEAR[kind](activation="tanh", **options)]
    model = chain(*body, layers.ReLU(dtype="float64"))
    folded = anatomy.fold_batch_normalization(model)
    assert len(folded.layers) == 2
    images = np.random.default_rng(0).normal(size=(3, 9, 8, 2))
    assert_close(as_numpy(folded(images)), as_numpy(model(images)), terms=100, size=10)


@pytest.mark.parametrize(
    "body",
    [
        # Padding would have to be normalized too.
        [layers.BatchNormalization, lambda: layers.Conv2D(4, 3, padding="same")],
        [layers.BatchNormalization, layers.ReLU, lambda: layers.Conv2D(4, 3)],
        [lambda: layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization],
    ],
)
def test_a_normalization_stays_where_folding_would_not_be_exact(body):
    model = chain(*(make() for make in body), layers.ReLU())
    folded = anatomy.fold_batch_normalization(model)
    assert len(folded.layers) == len(model.layers)


def test_a_normalization_stays_where_others_use_the_same_sums():
    image = keras.Input((6, 6, 2))
    sums = layers.Conv2D(3, 3)(image)
    both = layers.Add()([sums, layers.BatchNormalization(name="norm")(sums)])
    model = zoo.drawn(keras.Model(image, both))
    folded = anatomy.fold_batch_normalization(model)
    assert "norm" in [layer.name for layer in folded.layers]
    pixels = zoo.images((6, 6, 2))
    assert_close(folded(pixels), model(pixels), terms=40, size=10)


# --- Models ------------------------------------------------------------------------------------


def test_shapes_are_those_of_this_model_where_layers_are_used_again():
    """The manifest held the shapes of the model that the layers came from."""
    first = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(2, 3), layers.Flatten()])
    again = keras.Sequential([keras.Input((48, 40, 1)), first.layers[0], layers.MaxPooling2D()])
    assert [row.output_shape for row in anatomy.layer_table(again)] == [(46, 38, 2), (23, 19, 2)]


def functional(build, shape=(8, 8, 2)):
    image = keras.Input(shape)
    return keras.Model(image, build(image))


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x]])
def test_one_input_and_one_output_may_be_lists_of_one(wrap):
    image = keras.Input((8, 7, 1))
    output = layers.Dense(3)(layers.Flatten()(layers.Conv2D(2, 3)(image)))
    model = zoo.drawn(keras.Model(wrap(image), wrap(output)))
    images = zoo.images((8, 7, 1))
    scores = np.asarray(model.predict(images, verbose=0)).reshape(3, 3)
    np.testing.assert_allclose(interpret.class_scores(model, images), scores, rtol=1e-6)
    assert anatomy.layer_table(model)[-1].output_shape == (3,)


def test_reading_a_model_does_not_count_in_the_names_of_keras():
    keras.backend.clear_session()
    anatomy.layer_table(functional(layers.ReLU()))
    keras_layers._functional.cache_clear()
    anatomy.layer_table(functional(layers.ReLU()))
    assert functional(layers.ReLU()).name == "functional_2"


def shared(image):
    layer = layers.Conv2D(2, 3, padding="same", name="shared")
    return layer(layer(image))


class Subclassed(keras.Model):
    """Its call is code that nobody reads."""

    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lambda: functional(shared), "shared.*used at 2 places"),
        (lambda: functional(lambda x: layers.Dropout(0.5, name="d")(x, training=True)), "d of .*T"),
        (lambda: functional(lambda x: x / 255.0), "true_divide"),
        (
            lambda: functional(lambda x: layers.Add(name="plus")([x, layers.Dense(1)(x)])),
            r"plus.*\(8, 8, 2\) and \(8, 8, 1\)",
        ),
        (Subclassed, "Got a Subclassed"),
        (
            lambda: keras.Sequential([keras.Input((8, 8, 2)), functional(lambda x: [x, x])]),
            "2 outputs|wanted",
        ),
    ],
)
def test_graphs_that_are_not_understood_are_refused(model, said):
    with pytest.raises(ValueError, match=said):
        keras_layers.steps(model())


# --- A new kind is one entry -------------------------------------------------------------------


@keras.saving.register_keras_serializable("tests")
class Brighter(layers.Layer):
    """A layer that Keras has not: every number three times."""

    def call(self, inputs):
        return 3 * inputs

    def compute_output_shape(self, shape):
        return shape


def test_a_new_kind_of_layer_is_one_entry(monkeypatch, tmp_path):
    model = chain(
        layers.Conv2D(4, 3, name="first"),
        Brighter(name="bright"),
        layers.Flatten(),
        layers.Dense(3),
    )
    images = zoo.images((9, 8, 2))
    with pytest.raises(keras_layers.UnknownLayer, match="bright of type Brighter"):
        anatomy.layer_table(model)
    entry = keras_layers.Kind(lambda layer: operations.Scaling(scale=(3.0,), offset=(0.0,)))
    monkeypatch.setitem(keras_layers.KINDS, Brighter, entry)

    assert [row.type for row in anatomy.layer_table(model)][1] == "Brighter"
    assert anatomy.measured_receptive_field(model, "bright") == 3
    assert anatomy.receptive_field(model)["bright"] == 3
    without = keras.Sequential(
        [keras.Input((9, 8, 2)), *(model.layers[place] for place in (0, 2, 3))]
    )
    # The score is linear here, so each gradient is three times as large.
    np.testing.assert_allclose(
        interpret.score_gradient(model, images, [0, 1, 2])[1],
        3 * interpret.score_gradient(without, images, [0, 1, 2])[1],
        rtol=1e-5,
    )
    lost = interpret.randomized(model, "first", seed=0)
    assert [layer.name for layer in lost.layers] == [layer.name for layer in model.layers]
    grey = chain(Brighter(), layers.Flatten(), layers.Dense(3), shape=(4, 4, 1))
    path = export.export_explorer(grey, tmp_path, input_range=(0, 1))
    assert '"type":"rescaling","scale":[3.0]' in path.read_text(encoding="utf-8")


def test_the_page_computes_what_the_exporter_writes():
    source = (EXPLORER / "network.js").read_text(encoding="utf-8")
    (listed,) = re.findall(r"const KNOWN = new Set\(\[([^\]]*)\]\)", source)
    assert set(re.findall(r'"(\w+)"', listed)) == set(export.TYPES)


def test_every_kind_that_a_layer_can_have_is_known_to_the_page():
    shown = set(export.TYPES) | {"separable_conv2d", ""}  # two entries, or none
    for base in (operations.Operation, operations.Activation):
        for kind in _leaves(base):
            assert kind.kind in shown, kind


def _leaves(kind):
    for each in kind.__subclasses__():
        if "kind" in vars(each):
            yield each
        yield from _leaves(each)


# --- Nobody else asks --------------------------------------------------------------------------


HOMES = {"layers", "keras.layers", "known"}


def test_nobody_else_asks_a_layer_what_it_is():
    classes = {each.__name__ for each in keras_layers.KINDS}
    for path in PACKAGE.rglob("*.py"):
        if path.name == "keras_layers.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            asks = (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("isinstance", "issubclass")
            )
            if asks or isinstance(node, ast.Compare):
                parts = node.args[1:] if asks else [node, *node.comparators]
                named = {
                    each.attr
                    for part in parts
                    for each in ast.walk(part)
                    if isinstance(each, ast.Attribute) and ast.unparse(each.value) in HOMES
                }
                assert not named & classes, f"{path.name}:{node.lineno}"


@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        (layers.ReLU(), architecture.activation("relu")),
        (layers.Activation(keras.ops.relu), architecture.activation("relu")),
        (layers.Softmax(), architecture.activation("softmax")),
        (layers.Conv2D(3, 5, padding="same"), architecture.convolution(3, 5)),
    ],
)
def test_a_check_sees_the_same_layer_in_other_words(layer, wanted):
    layer.build((None, 8, 8, 3))
    assert architecture._described(layer) == wanted
