"""A variant changes the part that it names, and nothing else."""

import random

import keras
import numpy as np
import pytest
from keras import layers

from cnncourse import models, variants

SHAPE = (28, 28, 1)
PAIRS = [
    (name, network) for name, variant in variants.VARIANTS.items() for network in variant.networks
]


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def count(model, kind):
    return sum(isinstance(layer, kind) for layer in model.layers)


@pytest.mark.parametrize("network", models.NETWORKS)
def test_without_a_variant_it_is_the_network(network):
    plain, built = models.build(network, SHAPE, 10), variants.build(network, SHAPE, 10)
    assert [w.shape for w in plain.get_weights()] == [w.shape for w in built.get_weights()]
    assert kinds(plain) == kinds(built)


@pytest.mark.parametrize(("variant", "network"), PAIRS)
def test_every_variant_gives_probabilities_and_learns_with_all_its_weights(variant, network):
    model = variants.build(network, SHAPE, 10, variant)
    rng = np.random.default_rng(0)
    probabilities = model(rng.random((3, *SHAPE), dtype=np.float32))
    np.testing.assert_allclose(keras.ops.sum(probabilities, axis=1), 1, rtol=1e-5)
    plain = models.build(network, SHAPE, 10)
    settings = [
        [(type(layer), layer.get_config() | {"name": ""}) for layer in m.layers]
        for m in (plain, model)
    ]
    alike = settings[0] == settings[1]
    assert alike == (variant == "other_weights"), "something is changed, but for chance alone"


@pytest.mark.parametrize(("variant", "network"), PAIRS)
def test_what_is_left_alone_begins_as_in_the_unchanged_network(variant, network):
    def begin(name):
        keras.utils.set_random_seed(3)
        model = variants.build(network, SHAPE, 10, name)
        kernels = [weight for weight in model.get_weights() if weight.ndim > 1]
        return kernels, random.random()

    (plain, next_one), (changed, next_other) = begin(""), begin(variant)
    assert next_one == next_other, "augmentation, made behind the network, draws the same"
    kept = sum(any(np.array_equal(one, other) for other in changed) for one in plain)
    assert kept == {
        "other_weights": 0,
        "half_width": 0,
        "double_width": 0,
        "stride": len(plain) - 4,
        "pooling": len(plain) - 6,
        "flatten": len(plain) - 1,
        "two_small_kernels": len(plain) - 4,
        "only_used_taps": len(plain) - 2,
        "separable": {"simple_CNN": 2, "simpler_CNN": 5}[network],
    }.get(variant, len(plain))


def test_parameters_move_as_the_change_says():
    sizes = {
        (v, n): variants.build(n, SHAPE, 10, v).count_params()
        for v, n in [*PAIRS, *(("", n) for n in models.NETWORKS)]
    }
    for variant, network in PAIRS:
        if variant in ("other_weights", "dropout_25", "dropout_50", "relu_inside"):
            assert sizes[variant, network] == sizes["", network]
    assert sizes["max_pooling", "simple_CNN"] == sizes["stride", "simple_CNN"]
    assert sizes["pooling", "simpler_CNN"] == sizes["", "simpler_CNN"]
    for network in models.NETWORKS:
        assert sizes["half_width", network] < sizes["", network] / 3
        assert sizes["double_width", network] > sizes["", network] * 3
        assert sizes["separable", network] < sizes["", network] / 3
        norms = sum(
            4 * layer.gamma.shape[0]
            for layer in models.build(network, SHAPE, 10).layers
            if isinstance(layer, layers.BatchNormalization)
        )
        assert sizes["without_batch_norm", network] == sizes["", network] - norms
    # 128 of 256 × 5 and 256 of 10 × 8 taps of the last two strided kernels meet padding alone.
    assert sizes["", "simpler_CNN"] - sizes["only_used_taps", "simpler_CNN"] == (
        256 * 128 * 5 + 256 * 10 * 8
    )


def test_the_taps_that_are_left_out_never_touched_an_image():
    """The unchanged network with its used taps cut out answers bit for bit as it did, nearly."""
    whole = models.load_pretrained("simpler_CNN")
    trimmed = variants.build("simpler_CNN", SHAPE, 10, "only_used_taps")
    weights = []
    for weight, wanted in zip(whole.get_weights(), trimmed.get_weights(), strict=True):
        if weight.shape != wanted.shape:
            weight = weight[:2, :2] if wanted.shape[0] == 2 else weight[1:2, 1:2]
        weights.append(weight)
    trimmed.set_weights(weights)
    images = np.random.default_rng(0).random((8, *SHAPE), dtype=np.float32)
    one, other = (
        keras.Model(model.inputs[0], model.layers[-2].output)(images) for model in (whole, trimmed)
    )
    scale = float(keras.ops.max(keras.ops.abs(one)))
    np.testing.assert_allclose(one, other, atol=1e-5 * scale)


def test_a_residual_pair_adds_what_came_in():
    inner = [layers.Conv2D(2, 1, kernel_initializer="zeros")]
    block = keras.Sequential([keras.Input((4, 4, 2)), variants.Shortcut(inner, [], "add")])
    inputs = np.random.default_rng(0).random((1, 4, 4, 2), dtype=np.float32)
    np.testing.assert_array_equal(block(inputs), inputs)


# Keras reads its variables in the way of an older NumPy when it saves.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("variant", ["residual", "squeeze_excite"])
def test_a_variant_can_be_saved(variant, tmp_path):
    model = variants.build("simpler_CNN", SHAPE, 10, variant)
    model.save(tmp_path / "model.keras")
    inputs = np.random.default_rng(0).random((2, *SHAPE), dtype=np.float32)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    answers = [keras.ops.convert_to_numpy(network(inputs)) for network in (loaded, model)]
    np.testing.assert_array_equal(*answers)


def test_the_gate_of_squeeze_and_excitation_starts_between_0_and_1():
    model = variants.build("simple_CNN", SHAPE, 10, "squeeze_excite")
    gates = [layer for layer in model.layers if isinstance(layer, variants.Shortcut)]
    assert len(gates) == 4
    maps = np.ones((1, 7, 7, gates[0].inner[-1].units), np.float32)
    weighted = np.asarray(gates[0](maps))
    assert ((weighted > 0) & (weighted < 1)).all()


@pytest.mark.parametrize("network", models.NETWORKS)
def test_what_is_added_keeps_the_shapes_of_the_maps(network):
    def maps(variant):
        built = variants.build(network, SHAPE, 10, variant).layers
        return [
            layer.output.shape
            for layer in built
            if isinstance(layer, layers.ReLU | layers.Activation)
        ]

    assert maps("squeeze_excite") == maps("residual") == maps("")


@pytest.mark.parametrize(
    ("network", "variant", "words"),
    [
        ("simple_CNN", "smaller", "'smaller'.*without_batch_norm"),
        ("simpler_CNN", "max_pooling", "simpler_CNN has no part"),
        ("resnet", "", "'resnet'.*simple_CNN"),
    ],
)
def test_what_is_unknown_is_named(network, variant, words):
    with pytest.raises(ValueError, match=words):
        variants.build(network, SHAPE, 10, variant)
