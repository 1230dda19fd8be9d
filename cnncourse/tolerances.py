"""How far two right computations of the same numbers may lie apart, and why.

Every comparison of floats in the package, the lessons and the tests takes its tolerance from
here. What differs for other reasons than rounding (trainings, times) does not belong here: that
has its tolerance beside its record in ``results``.

Each addition and each product rounds once, by at most half of the type's epsilon times what it
has got so far. Roundings go up as often as down, so that those of n operations add up like a
random walk, to the square root of n. Hence the one formula::

    tolerance = 8 · epsilon · √terms · size

with the epsilon of the coarser of both types, the number of terms that one answer adds up, and
the size of the values. Another processor, another library or another number of threads adds in
another order and fuses other products; it stays within. No measured difference went into it.

The 8: with u = epsilon / 2, a sum of n products is off by more than λ √n u Σ|x_i y_i| with a
probability of at most 2n exp(-λ² / 2). Two ways to compute are twice that apart: with λ = 8
that is epsilon times 8 √n, failing less than once in a billion answers of 10,000 terms each.

Source: Higham and Mary, A new approach to probabilistic rounding error analysis, SIAM Journal on
Scientific Computing 41(5), 2019, theorem 3.1; the bound that always holds, with n instead of
λ √n, is γ_n in Higham, Accuracy and stability of numerical algorithms, 2nd ed. (2002), section 3.1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

LAMBDA = 8
"""How many standard deviations of a random walk are allowed."""


def rounding(*values: Any, terms: int = 1, size: float | None = None) -> float:
    """The largest difference that rounding explains.

    Args:
        values: the arrays that are compared. The coarsest of their types counts; integers count
            as float64.
        terms: how many terms one answer adds up, at most: for a convolution
            kernel_height · kernel_width · channels_in, for several layers in a row the sum.
        size: how large the values are that are added up. Where it is left out it is the largest
            of ``values``; give it where large terms cancel each other in small answers.

    Returns:
        The absolute tolerance.

    >>> float(f"{rounding(np.float32([3, -4]), terms=25):.2g}")
    1.9e-05
    >>> rounding(np.float64([3, -4]), terms=25) == 8 * 2.0**-52 * 5 * 4
    True
    """
    arrays = [np.asarray(value) for value in values]
    if size is None:
        size = max((float(np.abs(array).max(initial=0)) for array in arrays), default=1.0)
    epsilon = max(
        (np.finfo(array.dtype).eps for array in arrays if array.dtype.kind == "f"),
        default=np.finfo(np.float64).eps,
    )
    return LAMBDA * float(epsilon) * math.sqrt(terms) * float(size)


def close(ours: Any, theirs: Any, *, terms: int = 1, size: float | None = None) -> bool:
    """Whether two arrays have the same shape and differ by no more than rounding explains.

    Args:
        ours, theirs: arrays, or what ``np.asarray`` takes.
        terms, size: as in :func:`rounding`.

    Returns:
        The verdict; False where a NaN stands in one of them.

    >>> patch, kernel = np.float32([0.1, 0.2, 0.3]), np.float32([3, 2, 1])
    >>> close(patch @ kernel, 0.1 * 3 + 0.2 * 2 + 0.3 * 1, terms=3)
    True
    >>> close(patch @ kernel, 0.1 * 3 + 0.2 * 2 + 0.3 * 1.01, terms=3)
    False
    """
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape:
        return False
    tolerance = rounding(ours, theirs, terms=terms, size=size)
    return bool(np.all(np.abs(ours - theirs.astype(float)) <= tolerance))
