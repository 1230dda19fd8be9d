"""``find_fault`` of lesson 15, and the mistakes that people make in it."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from cnncourse import ops
from cnncourse.checks.banks._programs import Program
from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values

NONE, RANGE, CHANNELS, PADDING, FOLDING = range(5)

_program = functools.partial(
    Program,
    name="the program",
    takes="a batch of color images, (n, height, width, 3)",
    channels=3,
)


@functools.cache
def _layer(seed, filters, size, coarse=False):
    """A convolution with its folded normalization, and the same with each fault.

    A coarse one rounds more than float32 does, and by far less than the text admits.
    """
    rng = np.random.default_rng(seed)
    kernel = size * rng.normal(size=(3, 3, 3, filters))
    factor, bias = rng.uniform(0.3, 0.7, filters), size * rng.normal(size=filters)

    def reference(images):
        return ops.conv2d(images, kernel * factor, bias, padding="same")

    def padded_otherwise(images):
        padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
        return ops.conv2d(padded, kernel * factor, bias)

    def rounded(images):
        maps = reference(images.astype(np.float32)).astype(np.float32)
        step = 6e-5 * np.abs(maps).mean()
        return np.rint(maps / step) * step if coarse else maps

    faults = {
        NONE: rounded,
        RANGE: lambda images: reference(images / 255),
        CHANNELS: lambda images: reference(images[..., ::-1]),
        PADDING: padded_otherwise,
        FOLDING: lambda images: ops.conv2d(images, kernel, padding="same"),
    }
    return (
        _program("<the layer in Keras>", reference),
        {fault: _program("<the layer as it was deployed>", of) for fault, of in faults.items()},
    )


def _cases() -> Iterator[tuple]:
    rng = np.random.default_rng(152)
    # Numbers of any size: what counts as rounding is a share of the largest.
    kinds = [
        (2, 5, 6, np.float64, 1.0),
        (3, 7, 5, np.float32, 1e5),
        (1, 6, 6, np.float64, 1e-4),
    ]
    for seed, (filters, height, width, kind, size) in enumerate(kinds):
        reference, programs = _layer(seed, filters, size)
        for program in programs.values():
            images = rng.random((1 + seed, height, width, 3)).astype(kind)
            images[0, 0, 0] = 0, 1, 0.5
            yield reference, program, images
    reference, programs = _layer(3, 2, 1.0, coarse=True)
    images = rng.random((2, 6, 7, 3))
    images[0, 0, 0] = 0, 1, 0.5
    yield reference, programs[NONE], images


def _same(mine, wanted):
    return np.abs(mine - wanted).max() <= 1e-3 * np.abs(wanted).max()


def _inside(maps):
    return maps[:, 1:-1, 1:-1]


def _find(reference, deployed, images, tests):
    """The first fault whose test passes, and folding where none does."""
    wanted = reference(images)
    for fault, test in tests.items():
        if test(wanted, deployed, images):
            return fault
    return FOLDING


_TESTS = {
    NONE: lambda wanted, deployed, images: _same(deployed(images), wanted),
    RANGE: lambda wanted, deployed, images: _same(deployed(255 * images), wanted),
    CHANNELS: lambda wanted, deployed, images: _same(deployed(images[..., ::-1]), wanted),
    PADDING: lambda wanted, deployed, images: _same(_inside(deployed(images)), _inside(wanted)),
}


def _find_fault(reference, deployed, images):
    return _find(reference, deployed, images, _TESTS)


BANK = Bank("find_fault", "15", _find_fault, _cases, Values(kind="whole"), axes={"images": "bhwc"})
BANK.help(
    idea=(
        "Each fault has its own antidote: change the images so that the two mistakes cancel, and "
        "see whether the answers agree again."
    ),
    section="Right in the notebook, wrong on the phone",
    step=(
        "Compute what Keras gives once. Compare it with `deployed(images)`, "
        "`deployed(255 * images)` and `deployed(images[..., ::-1])`, each with a tolerance; then "
        "only the inside, without the outer pixels. What is left is folding."
    ),
)


def _without(fault):
    tests = {name: test for name, test in _TESTS.items() if name != fault}
    return lambda reference, deployed, images: _find(reference, deployed, images, tests)


BANK.mistake(
    "A program that differs only by rounding seems to be called faulty. Compare with a tolerance: "
    "it computes in float32.",
    name="rounding_is_a_fault",
)(
    lambda reference, deployed, images: _find(
        reference,
        deployed,
        images,
        {
            NONE: lambda wanted, deployed, images: np.array_equal(deployed(images), wanted),
            **{fault: test for fault, test in _TESTS.items() if fault != NONE},
        },
    )
)
BANK.mistake(
    "A wrong range is not found. The program divides by 255 once more: it comes out right where "
    "its images are 255 times larger.",
    name="range_not_found",
)(_without(RANGE))
BANK.mistake(
    "Channels in the wrong order are not found. Turn the last axis of the images round, and "
    "compare.",
    name="channels_not_found",
)(_without(CHANNELS))
BANK.mistake(
    "Another padding is not found. Far from the border no padding is seen: compare the inside "
    "alone.",
    name="padding_not_found",
)(_without(PADDING))
BANK.mistake(
    "Every program seems to be called one without folding, whatever it does.",
    name="always_folding",
)(lambda reference, deployed, images: FOLDING)


def _judged_by(same):
    """With another comparison in the place of a thousandth of the largest output."""
    tests = {
        NONE: lambda wanted, deployed, images: same(deployed(images), wanted),
        RANGE: lambda wanted, deployed, images: same(deployed(255 * images), wanted),
        CHANNELS: lambda wanted, deployed, images: same(deployed(images[..., ::-1]), wanted),
        PADDING: lambda wanted, deployed, images: same(_inside(deployed(images)), _inside(wanted)),
    }
    return lambda reference, deployed, images: _find(reference, deployed, images, tests)


BANK.mistake(
    "The tolerance seems to be a fixed number (0.001, say), whatever the size of the outputs. "
    "Where all of them are smaller, everything agrees. Wanted is a share of the largest output.",
    name="fixed_tolerance",
)(_judged_by(lambda mine, wanted: np.allclose(mine, wanted, atol=1e-3)))
BANK.mistake(
    "The tolerance of `np.allclose` as it comes seems to decide whether anything is wrong. It is "
    "far finer than the rounding that is admitted: a thousandth of the largest output.",
    name="default_tolerance",
)(
    lambda reference, deployed, images: _find(
        reference,
        deployed,
        images,
        {**_TESTS, NONE: lambda wanted, deployed, images: np.allclose(deployed(images), wanted)},
    )
)
