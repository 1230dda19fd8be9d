"""Gradients of drawn architectures against TensorFlow's tape, in double precision."""

import keras
import numpy as np
import pytest
import zoo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import layers

from cnncourse import interpret

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="compares with TensorFlow"
)

ACTIVATIONS = (
    "linear",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "gelu",
    "sigmoid",
    "tanh",
    "softmax",
)
ACTIVATION_LAYERS = (
    lambda: layers.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2),
    lambda: layers.LeakyReLU(negative_slope=0.3),
    lambda: layers.ELU(alpha=0.7),
    lambda: layers.Activation(keras.ops.gelu),
    lambda: layers.Softmax(),
)
ENDS = ("softmax inside", "softmax behind", "scores", "sigmoid inside", "sigmoid behind")


def windows(draw, shape, *, dilated=False):
    """Window, strides, padding and dilation that fit on a map."""
    rate = draw(st.integers(1, 2)) if dilated else 1
    side = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    stride = 1 if rate > 1 else draw(st.integers(1, 2))
    fits = all((k - 1) * rate < size for k, size in zip(side, shape, strict=False))
    padding = draw(st.sampled_from(["valid", "same"])) if fits else "same"
    return side, stride, padding, rate


def bodies(draw, x):
    """One more layer, or a residual block, on a map."""
    shape = x.shape[1:]
    kind = draw(
        st.sampled_from(
            [
                *("convolution", "convolution", "grouped", "depthwise", "separable", "pool"),
                *("normalization", "activation", "padding", "dropout", "rescaling", "residual"),
                *("dense", "residual"),
            ]
        )
    )
    activation = draw(st.sampled_from(ACTIVATIONS))
    if kind == "residual":
        inner = layers.Conv2D(shape[2], 3, padding="same", activation=activation)(x)
        return layers.Add()([inner, x])
    if kind in ("convolution", "grouped", "separable"):
        side, stride, padding, rate = windows(draw, shape, dilated=True)
        options = {"strides": stride, "padding": padding, "dilation_rate": rate}
        options |= {"activation": activation, "use_bias": draw(st.booleans())}
        if kind == "separable":
            return layers.SeparableConv2D(2, side, depth_multiplier=2, **options)(x)
        groups = shape[2] if kind == "grouped" else 1
        return layers.Conv2D(2 * groups, side, groups=groups, **options)(x)
    if kind == "depthwise":
        side, stride, padding, rate = windows(draw, shape, dilated=True)
        options = {"strides": stride, "padding": padding, "dilation_rate": rate}
        multiplier = draw(st.integers(1, 2))
        return layers.DepthwiseConv2D(side, depth_multiplier=multiplier, **options)(x)
    if kind == "pool":
        side, stride, padding, _ = windows(draw, shape)
        pool = draw(st.sampled_from([layers.AveragePooling2D, layers.MaxPooling2D]))
        return pool(side, strides=stride, padding=padding)(x)
    if kind == "normalization":
        options = {"center": draw(st.booleans()), "scale": draw(st.booleans())}
        return layers.BatchNormalization(epsilon=draw(st.sampled_from([1e-3, 0.1])), **options)(x)
    if kind == "activation":
        return draw(st.sampled_from(ACTIVATION_LAYERS))()(x)
    if kind == "padding":
        sides = draw(st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 2))
        return layers.ZeroPadding2D(sides)(x)
    if kind == "rescaling":
        return layers.Rescaling(0.7, offset=0.1)(x)
    if kind == "dense":
        return layers.Dense(3, activation=activation)(x)
    return layers.Dropout(0.5)(x)


def networks(draw):
    """(model, the same model up to its scores): a chain or a graph with sums."""
    shape = (draw(st.integers(5, 9)), draw(st.integers(5, 9)), draw(st.sampled_from([1, 3])))
    image = x = keras.Input(shape, dtype="float64")
    for _ in range(draw(st.integers(1, 5))):
        x = bodies(draw, x)
    head = (layers.Flatten, layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D)
    x = draw(st.sampled_from(head))()(x)
    if draw(st.booleans()):
        x = layers.Dense(5, activation=draw(st.sampled_from(ACTIVATIONS)))(x)
    end = draw(st.sampled_from(ENDS))
    outputs = 1 if end.startswith("sigmoid") else 3
    scores = layers.Dense(outputs)
    row = scores(x)
    probabilities = row
    if end.endswith("behind"):
        probabilities = layers.Activation(end.split()[0])(row)
    elif end.endswith("inside"):
        last = layers.Dense(outputs, activation=end.split()[0])
        probabilities = last(x)
    both = keras.Model(image, [row, probabilities])
    zoo.drawn(both, seed=draw(st.integers(0, 1000)))
    if end.endswith("inside"):
        last.set_weights(scores.get_weights())
    return keras.Model(image, probabilities), keras.Model(image, row)


@pytest.fixture(autouse=True)
def double_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_dtype_policy(policy)


# A softmax over one channel is drawn too, of which Keras warns.
@pytest.mark.filterwarnings("ignore:You are using a softmax")
@settings(
    max_examples=100,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.data(), st.integers(0, 1000))
def test_a_hundred_networks_have_the_gradients_of_the_tape(data, seed):
    model, scores_of = networks(data.draw)
    rng = np.random.default_rng(seed)
    images = rng.normal(0.3, 1, (2, *model.input_shape[1:]))
    outputs = model.output_shape[1]
    labels = rng.integers(0, max(outputs, 2), 2)
    pixels = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        scores = scores_of(pixels, training=False)
        if outputs == 1:
            chosen = scores[:, 0] * tf.constant(2.0 * labels - 1)
        else:
            chosen = tf.gather(scores, labels, axis=1, batch_dims=1)
        total = tf.reduce_sum(chosen)
    wanted = tape.gradient(total, pixels).numpy()
    np.testing.assert_array_equal(interpret.class_scores(model, images), scores.numpy())
    got = interpret.score_gradient(model, images, labels)[1]
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-6 * np.abs(wanted).max())
