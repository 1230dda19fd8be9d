"""The one formula for tolerances: wide enough for every order of adding, too narrow for a fault."""

import math

import numpy as np
import pytest

from cnncourse.tolerances import close, rounding


def added_one_by_one(terms):
    """In the given order, rounded to the terms' type after each step."""
    total = terms.dtype.type(0)
    for term in terms:
        total += term
    return total


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("count", [2, 10, 100, 1000])
@pytest.mark.parametrize("low", [-1, 0])
def test_every_order_of_adding_stays_within(dtype, count, low):
    rng = np.random.default_rng(count)
    for _ in range(50):
        terms = rng.uniform(low, 1, count).astype(dtype)
        size = float(np.abs(terms).sum(dtype="float64"))
        exact = math.fsum(map(float, terms))
        orders = [terms, terms[::-1], np.sort(terms), rng.permutation(terms)]
        sums = [added_one_by_one(order) for order in orders]
        for one in sums:
            assert abs(float(one) - exact) <= rounding(one, terms=count, size=size)
            for other in sums:
                assert close(one, other, terms=count, size=size)


@pytest.mark.parametrize(("kernel_size", "channels"), [(3, 1), (5, 16), (7, 32)])
def test_a_forgotten_bias_and_one_weight_off_by_a_hundredth_lie_outside(kernel_size, channels):
    rng = np.random.default_rng(0)
    terms = kernel_size**2 * channels
    patches = rng.uniform(size=(500, terms)).astype("float32")
    kernel = rng.normal(size=terms).astype("float32") / np.float32(math.sqrt(terms))
    bias = np.float32(0.05)
    right = patches @ kernel + bias
    in_double = patches.astype(float) @ kernel.astype(float) + float(bias)
    assert close(right, in_double, terms=terms + 1)
    assert not close(patches @ kernel, in_double, terms=terms + 1)
    typical = np.argsort(np.abs(kernel))[terms // 2]
    kernel[typical] *= np.float32(1.01)
    assert not close(patches @ kernel + bias, in_double, terms=terms + 1)


def test_the_coarser_type_counts():
    single, double = np.float32(1), np.float64(1)
    assert rounding(double, single) == rounding(single, single) == 8 * 2.0**-23
    assert rounding(double, 1) == 8 * 2.0**-52


def test_another_shape_and_nan_are_never_close():
    assert close([1, 2], np.array([1.0, 2.0]))
    assert not close([1, 2], [[1, 2]])
    assert not close([1, 2], 1)
    assert not close([np.nan], [np.nan])
    assert not close([1, np.nan], [1, 2.0])


def test_no_values_are_close_to_no_values():
    assert close(np.empty((0, 3)), np.empty((0, 3)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_check_tells_a_wrong_answer_from_a_rounded_one(dtype):
    from cnncourse import checks, ops

    def convolve(weight=1.0, bias=0.0):
        def conv2d(inputs, kernel, biases):
            kernel = np.array(kernel, dtype)
            kernel[0, 0, 0, 0] *= weight
            right = ops.conv2d(np.asarray(inputs, dtype), kernel, np.asarray(biases, dtype))
            return right - bias * np.asarray(biases, dtype)

        return conv2d

    assert checks.diagnose("conv2d", convolve()).passed
    assert not checks.diagnose("conv2d", convolve(weight=1.01)).passed
    assert not checks.diagnose("conv2d", convolve(bias=1)).passed
