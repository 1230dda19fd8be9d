"""Assertions over ``cnncourse.tolerances``, with a message that shows where arrays differ."""

import keras
import numpy as np

from cnncourse import tolerances


def assert_close(ours, theirs, *, terms=1, size=None, at=""):
    """Equal shape, and values that differ by no more than rounding explains."""
    ours, theirs = keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs)
    assert ours.shape == theirs.shape
    tolerance = tolerances.rounding(ours, theirs, terms=terms, size=size)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance, err_msg=at)
    assert tolerances.close(ours, theirs, terms=terms, size=size)


def in_double_precision(model: keras.Sequential) -> keras.Sequential:
    """The same layers and weights computed in float64, where rounding hides no mistake."""
    settings = model.get_config()
    settings["dtype"] = "float64"
    for layer in settings["layers"]:
        layer["config"]["dtype"] = "float64"
    double = keras.Sequential.from_config(settings)
    double.set_weights(model.get_weights())
    return double


def terms_of(model: keras.Sequential, *, backwards: bool = False) -> int:
    """How many terms stand behind one number of a model's output: those of its layers, summed.

    Going backwards, a layer adds up over its outputs what it adds up over its inputs forwards.
    """
    total = 0
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            channels = kernel.shape[-2:]
            total += int(np.prod(kernel.shape)) // channels[0 if backwards else 1] + 1
        elif hasattr(layer, "pool_size"):
            total += int(np.prod(layer.pool_size))
        elif "Global" in type(layer).__name__:
            total += int(np.prod(layer.input.shape[1:-1]))
        elif isinstance(layer, keras.layers.BatchNormalization):
            total += 4
        elif isinstance(layer, keras.layers.Softmax):
            total += layer.input.shape[-1]
    return total
