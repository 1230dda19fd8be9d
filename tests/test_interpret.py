"""Interpretation against finite differences, loops, networks known by heart, SciPy and Keras."""

import keras
import numpy as np
import pytest
from closeness import assert_close, terms_of
from keras import layers
from scipy import stats

from cnncourse import datasets, interpret, models
from cnncourse.tolerances import close, rounding

NAMES = list(models.NETWORKS)


def clothes(count):
    _, (images, labels) = datasets.load_fashion_mnist()
    return datasets.as_inputs(images[:count]), labels[:count].astype(int)


def as_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def drawn(model, seed=0):
    """Weights that are not their start values, so that no factor of 1 hides a mistake."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        values = rng.normal(0, 0.4, weight.shape)
        if weight.name in {"gamma", "moving_variance"}:
            values = rng.uniform(0.5, 2, weight.shape)
        weight.assign(values)
    return model


def small_network(pool, head, *, dtype="float64"):
    """One of every kind of layer, in double precision, so that differences can be tiny."""
    options = {"dtype": dtype}
    return drawn(
        keras.Sequential(
            [
                keras.Input((9, 8, 2), dtype=dtype),
                layers.Conv2D(3, 3, strides=2, padding="same", **options),
                layers.BatchNormalization(**options),
                layers.Activation("relu", **options),
                pool(2, padding="same", **options),
                layers.Dropout(0.5, **options),
                layers.Conv2D(4, (2, 1), activation="relu", name="maps", **options),
                layers.BatchNormalization(center=False, scale=False, **options),
                layers.ReLU(**options),
                *(layer(**options) for layer in head),
                layers.Dense(3, **options),
                layers.Softmax(**options),
            ]
        )
    )


SMALL = [
    (layers.AveragePooling2D, [layers.Flatten]),
    (layers.MaxPooling2D, [layers.GlobalAveragePooling2D]),
    (layers.MaxPooling2D, [layers.GlobalMaxPooling2D]),
]


@pytest.fixture(params=SMALL, ids=lambda param: f"{param[0].__name__}-{param[1][0].__name__}")
def small(request):
    return small_network(*request.param)


@pytest.fixture(scope="module", params=NAMES)
def trained(request):
    return models.load_pretrained(request.param)


def small_images(count=2):
    return np.random.default_rng(5).normal(0.5, 1, (count, 9, 8, 2))


def line():
    """A network whose score of class 1 is Σ weight · pixel - 7, with the weights 0, 1, 2, …"""
    model = keras.Sequential(
        [keras.Input((3, 3, 1)), layers.Flatten(), layers.Dense(2), layers.Softmax()]
    )
    weights = np.stack([np.zeros(9), np.arange(9)], axis=1)
    model.layers[1].set_weights([weights, np.array([0, -7])])
    return model


# --- Scores and gradients ----------------------------------------------------------------------


def test_the_softmax_of_the_scores_is_the_answer(trained):
    images, _ = clothes(300)
    scores = interpret.class_scores(trained, images)
    assert scores.shape == (300, 10)
    assert np.ptp(scores) > 5
    probabilities = as_numpy(trained(images, training=False))
    size = np.abs(scores).max()
    assert_close(keras.ops.softmax(scores), probabilities, terms=terms_of(trained), size=size)
    for wrong in (scores * 1.01, scores + np.eye(1, 10)):
        assert not close(
            keras.ops.softmax(wrong), probabilities, terms=terms_of(trained), size=size
        )


def test_gradients_agree_with_finite_differences(small):
    images, labels, step = small_images(), np.array([2, 0]), 1e-6
    outputs, gradients = interpret.score_gradient(small, images, labels)
    np.testing.assert_array_equal(outputs, images)
    assert gradients.dtype == np.float64
    measured = np.empty_like(images)
    for index in np.ndindex(images.shape[1:]):
        moved = {}
        for sign in (-1, 1):
            others = images.copy()
            others[(slice(None), *index)] += sign * step
            moved[sign] = interpret.class_scores(small, others)[np.arange(2), labels]
        measured[(slice(None), *index)] = (moved[1] - moved[-1]) / (2 * step)
    assert np.abs(measured).max() > 1e-2
    # Rounding is divided by the step; what a difference cuts off is smaller, step² / 6.
    tolerance = rounding(outputs, terms=terms_of(small)) / step
    np.testing.assert_allclose(gradients, measured, rtol=0, atol=tolerance)
    assert np.abs(gradients).max() > 1000 * tolerance


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="compares with TensorFlow")
def test_gradients_at_every_layer_agree_with_tensorflow(trained):
    import tensorflow as tf

    images, labels = clothes(3)
    for place in range(0, len(trained.layers) - 1, 4):
        layer = trained.layers[place]
        front = keras.Model(trained.inputs[0], layer.output)
        with tf.GradientTape() as tape:
            maps = values = front(images, training=False)
            tape.watch(maps)
            for following in trained.layers[place + 1 : -1]:
                values = following(values, training=False)
            score = tf.reduce_sum(tf.gather(values, labels, axis=1, batch_dims=1))
        wanted = as_numpy(tape.gradient(score, maps))
        outputs, gradients = interpret.score_gradient(trained, images, labels, layer.name)
        assert_close(outputs, maps, terms=terms_of(trained))
        assert_close(gradients, wanted, terms=terms_of(trained, backwards=True))
        assert not close(gradients * 1.01, wanted, terms=terms_of(trained, backwards=True))


def test_a_layer_may_be_given_as_itself_or_by_name(trained):
    images, labels = clothes(2)
    layer = trained.layers[4]
    by_name = interpret.score_gradient(trained, images, labels, layer.name)
    for one, other in zip(
        by_name, interpret.score_gradient(trained, images, labels, layer), strict=True
    ):
        np.testing.assert_array_equal(one, other)


# --- Saliency ----------------------------------------------------------------------------------


def test_saliency_of_a_linear_network_is_the_size_of_its_weights():
    model = line()
    weights = np.stack([np.zeros(9), [3, -4, 0, 1, 2, -1, 0, 0, 5]], axis=1)
    model.layers[1].set_weights([weights, np.zeros(2)])
    images = np.random.default_rng(0).normal(size=(2, 3, 3, 1))
    answer = interpret.saliency(model, images, [1, 0])
    assert_close(answer[0], [[3, 4, 0], [1, 2, 1], [0, 0, 5]], terms=9)
    np.testing.assert_array_equal(answer[1], 0)


def test_saliency_takes_the_largest_channel_without_sign(small):
    images = small_images()
    _, gradients = interpret.score_gradient(small, images, [1, 1])
    answer = interpret.saliency(small, images, [1, 1])
    assert answer.shape == (2, 9, 8)
    np.testing.assert_array_equal(
        answer, np.maximum(abs(gradients[..., 0]), abs(gradients[..., 1]))
    )


def test_an_image_does_not_care_for_its_neighbours(trained):
    images, labels = clothes(3)
    together = interpret.saliency(trained, images, labels)
    alone = interpret.saliency(trained, images[1:2], labels[1:2])
    assert_close(together[1], alone[0], terms=terms_of(trained, backwards=True))


# --- Occlusion ---------------------------------------------------------------------------------


def test_occlusion_of_a_linear_network_is_what_the_patch_adds():
    images = np.random.default_rng(1).normal(size=(2, 3, 3, 1)).astype(np.float32)
    answer = interpret.occlusion(line(), images, [1, 1], 1, fill=0.5)
    weights = np.arange(9).reshape(3, 3)
    size = np.abs(images).max() * weights.sum()
    assert_close(answer, weights * (images[..., 0] - 0.5), terms=9, size=size)
    assert not close(answer, 1.01 * weights * (images[..., 0] - 0.5), terms=9, size=size)


@pytest.mark.parametrize(("patch_size", "fill"), [(2, 0.0), (3, -0.25), (8, 1.0)])
def test_occlusion_agrees_with_a_loop(small, patch_size, fill):
    images, labels = small_images(), [2, 1]
    before = images.copy()
    answer = interpret.occlusion(small, images, labels, patch_size, fill=fill)
    assert answer.shape == (2, 9 // patch_size, 8 // patch_size)
    for number, row, column in np.ndindex(answer.shape):
        hidden = images[number].copy()
        for i in range(patch_size):
            for j in range(patch_size):
                hidden[row * patch_size + i, column * patch_size + j, :] = fill
        whole, covered = interpret.class_scores(small, np.stack([images[number], hidden]))
        fall = whole[labels[number]] - covered[labels[number]]
        size = max(abs(whole).max(), abs(covered).max())
        assert close(answer[number, row, column], fall, terms=terms_of(small), size=size)
        if abs(fall) > 1e-6 * size:
            wrong = 1.01 * fall
            assert not close(answer[number, row, column], wrong, terms=terms_of(small), size=size)
    assert np.ptp(answer) > 1e-6 * size
    np.testing.assert_array_equal(images, before)


def test_hiding_black_behind_black_changes_nothing(trained):
    images, labels = clothes(4)
    answer = interpret.occlusion(trained, images, labels, 4)
    blocks = images.reshape(4, 7, 4, 7, 4).max(axis=(2, 4))
    assert (blocks == 0).any()
    size = np.abs(interpret.class_scores(trained, images)).max()
    tolerance = rounding(answer, terms=terms_of(trained), size=size)
    np.testing.assert_allclose(answer[blocks == 0], 0, rtol=0, atol=tolerance)
    assert np.abs(answer).max() > 10 * tolerance


# --- Grad-CAM ----------------------------------------------------------------------------------


def test_grad_cam_of_a_network_known_by_heart():
    # Two maps, each once the image and once its negative, averaged and weighted 2 and 3.
    model = keras.Sequential(
        [
            keras.Input((2, 2, 1)),
            layers.Conv2D(2, 1, use_bias=False),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, use_bias=False),
            layers.Softmax(),
        ]
    )
    model.set_weights([np.array([[[[1.0, -1.0]]]]), np.array([[2.0, 0.0], [3.0, 0.0]])])
    image = np.array([[1.0, -2.0], [4.0, 0.0]])[None, :, :, None]
    answer = interpret.grad_cam(model, image, [0], model.layers[0])
    # Weights 2/4 and 3/4, so (2 - 3) / 4 of each pixel, and nothing below 0.
    assert_close(answer[0], [[0, 0.5], [0, 0]], terms=8, size=3)
    np.testing.assert_array_equal(interpret.grad_cam(model, image, [1], model.layers[0]), 0)


def test_grad_cam_agrees_with_loops(small):
    images, labels = small_images(), [0, 2]
    maps, gradients = interpret.score_gradient(small, images, labels, "maps")
    answer = interpret.grad_cam(small, images, labels, "maps")
    assert answer.shape == maps.shape[:3]
    for number, row, column in np.ndindex(answer.shape):
        total = sum(
            maps[number, row, column, channel] * gradients[number, :, :, channel].mean()
            for channel in range(maps.shape[3])
        )
        size = np.abs(maps[number]).max() * np.abs(gradients[number]).max()
        assert close(answer[number, row, column], max(total, 0), terms=100, size=size)


def test_on_the_last_maps_grad_cam_is_the_class_activation_map():
    """Zhou et al. (2016): with a global average behind it, a class's map adds up to its score."""
    network = models.load_pretrained("simple_CNN")
    images, labels = clothes(50)
    last = network.layers[-3]
    maps, _ = interpret.score_gradient(network, images, labels, last)
    class_maps = maps[np.arange(50), :, :, labels]
    places = maps.shape[1] * maps.shape[2]
    assert places == 4
    scores = interpret.class_scores(network, images)[np.arange(50), labels]
    terms = terms_of(network)
    assert_close(class_maps.sum(axis=(1, 2)) / places, scores, terms=terms)
    cams = interpret.grad_cam(network, images, labels, last)
    assert_close(cams, np.maximum(class_maps, 0) / places, terms=terms)
    assert not close(cams * 1.01, np.maximum(class_maps, 0) / places, terms=terms)


# --- Doubt -------------------------------------------------------------------------------------


def test_randomizing_leaves_what_is_below_and_redraws_what_is_above(trained):
    before = trained.get_weights()
    middle = trained.layers[len(trained.layers) // 2 - 1]
    lost = interpret.randomized(trained, middle, seed=3)
    assert [layer.name for layer in lost.layers] == [layer.name for layer in trained.layers]
    place = trained.layers.index(middle)
    for number, (old, new) in enumerate(zip(trained.layers, lost.layers, strict=True)):
        for mine, other in zip(old.get_weights(), new.get_weights(), strict=True):
            assert np.array_equal(mine, other) == (number < place)
    for mine, other in zip(before, trained.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_the_same_seed_draws_the_same_weights_for_a_layer(trained):
    top, lower = trained.layers[-3], trained.layers[-8]
    first, second = (interpret.randomized(trained, layer, seed=1) for layer in (top, lower))
    for one, other in zip(first.layers[-3:], second.layers[-3:], strict=True):
        for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, theirs)
    third = interpret.randomized(trained, top, seed=2)
    assert not np.array_equal(first.layers[-3].kernel.numpy(), third.layers[-3].kernel.numpy())


def test_new_weights_are_spread_as_keras_spreads_them():
    network = models.simple_CNN((28, 28, 1), 10)
    lost = interpret.randomized(models.load_pretrained("simple_CNN"), "image_array", seed=0)
    for mine, theirs in zip(lost.weights, network.weights, strict=True):
        if mine.name == "kernel":
            assert np.std(mine.numpy()) == pytest.approx(np.std(theirs.numpy()), rel=0.2)
            limit = np.sqrt(6 / np.prod(mine.shape[:2]) / sum(mine.shape[2:]))
            assert 0.9 * limit < np.abs(mine.numpy()).max() <= limit * 1.000001
        else:
            np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


def test_a_network_that_forgot_answers_by_chance(trained):
    images, labels = clothes(500)
    lost = interpret.randomized(trained, "image_array", seed=0)
    knew = interpret.class_scores(trained, images).argmax(axis=1) == labels
    guessed = interpret.class_scores(lost, images).argmax(axis=1) == labels
    assert knew.mean() > 0.9
    assert guessed.mean() < 0.3


@pytest.mark.parametrize("seed", range(5))
def test_rank_correlation_agrees_with_scipy(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, 6, 7)), rng.integers(0, 4, (2, 6, 7))
    for one, other in [(first[0], first[1]), (first[0], second[0]), (second[0], second[1])]:
        wanted = stats.spearmanr(one.ravel(), other.ravel()).statistic
        # Ours is rounded to 12 digits.
        assert abs(interpret.rank_correlation(one, other) - wanted) <= 0.6e-12


def test_ranks_do_not_care_for_a_stretch_and_know_no_order_in_a_constant():
    values = np.random.default_rng(0).normal(size=(5, 5))
    assert interpret.rank_correlation(values, np.exp(values)) == 1
    assert interpret.rank_correlation(values, -values) == -1
    assert np.isnan(interpret.rank_correlation(values, np.zeros((5, 5))))


# --- What is refused ---------------------------------------------------------------------------


def image(*shape):
    return np.zeros(shape)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda model: interpret.saliency(model, image(3, 3, 1), [0]), r"\(3, 3, 1\)"),
        (lambda model: interpret.saliency(model, image(1, 4, 3, 1), [0]), r"\(1, 4, 3, 1\)"),
        (lambda model: interpret.class_scores(model, image(0, 3, 3, 1)), r"\(0, 3, 3, 1\)"),
        (lambda model: interpret.saliency(model, image(2, 3, 3, 1), [0]), "2 images"),
        (lambda model: interpret.saliency(model, image(1, 3, 3, 1), [2]), "from 0 to 1"),
        (lambda model: interpret.saliency(model, image(1, 3, 3, 1), [-1]), "from 0 to 1"),
        (lambda model: interpret.saliency(model, image(1, 3, 3, 1), [1.0]), "whole"),
        (lambda model: interpret.occlusion(model, image(1, 3, 3, 1), [0], 0), "from 1 to 3"),
        (lambda model: interpret.occlusion(model, image(1, 3, 3, 1), [0], 4), "from 1 to 3"),
        (lambda model: interpret.grad_cam(model, image(1, 3, 3, 1), [0], "cat"), "'cat'"),
        (
            lambda model: interpret.grad_cam(model, image(1, 3, 3, 1), [0], model.layers[-1]),
            "before the softmax",
        ),
        (
            lambda model: interpret.grad_cam(model, image(1, 3, 3, 1), [0], model.layers[0]),
            "wanted maps",
        ),
        (lambda model: interpret.randomized(model, "cat", seed=0), "'cat'"),
        (lambda model: interpret.rank_correlation([1, 2], [1, 2, 3]), r"\(2,\) and \(3,\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(call, said):
    with pytest.raises(ValueError, match=said):
        call(line())


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        ([layers.Conv2D(2, 2), layers.Softmax()], r"ends in softmax\w* with the shape \(2, 2, 2\)"),
        (
            [layers.Conv2D(2, 2, activation="silu"), layers.Flatten(), layers.Softmax()],
            "activation='silu'",
        ),
        (
            [layers.Conv2D(2, 2, activation=layers.PReLU()), layers.Flatten(), layers.Softmax()],
            "PReLU",
        ),
        ([layers.Softmax(axis=1), layers.Flatten(), layers.Softmax()], "axis=1"),
        ([layers.BatchNormalization(axis=1), layers.Flatten(), layers.Softmax()], "axis=1"),
        ([layers.Flatten(), layers.RMSNormalization(), layers.Softmax()], "RMSNormalization"),
    ],
)
def test_a_network_that_is_not_understood_is_refused(chain, said):
    model = keras.Sequential([keras.Input((3, 3, 1)), *chain])
    with pytest.raises(ValueError, match=said):
        interpret.saliency(model, np.zeros((1, 3, 3, 1)), [0])
