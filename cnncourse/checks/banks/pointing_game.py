"""``pointing_game`` of lesson 12, and the mistakes that people make in it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _pointed(heat, masks):
    rows = np.arange(len(heat)), np.asarray(heat).reshape(len(heat), -1).argmax(axis=1)
    return np.asarray(masks).reshape(len(masks), -1)[rows]


def _shares(masks):
    return np.asarray(masks).mean(axis=(1, 2))


def _chances(shares):
    """The chance of 0, 1, 2, … hits, when image by image one pixel is drawn."""
    chances = np.ones(1)
    for share in shares:
        chances = np.append(chances * (1 - share), 0) + np.append(0, chances * share)
    return chances


def _pointing_game(heat, masks):
    hits, shares = int(_pointed(heat, masks).sum()), _shares(masks)
    return hits, shares.sum(), _chances(shares)[hits:].sum()


def _pointing_cases() -> Iterator[tuple]:
    yield (
        np.array([[[5.0, 1]], [[2, 8]]]),
        np.array([[[True, False]], [[False, True]]]),
    )
    yield (
        np.array([[[1.0, -9, 3, 0]], [[7, 2, 1, 5]]]),
        np.array([[[False, True, True, True]], [[False, False, False, True]]]),
    )
    yield np.array([[[3.0], [9], [-1]]]), np.array([[[False], [True], [False]]])
    rng = np.random.default_rng(71)
    for count, height, width, kind in [(6, 4, 4, float), (9, 3, 5, np.float32), (5, 5, 2, float)]:
        heat = rng.permutation(count * height * width).reshape(count, height, width)
        masks = np.zeros((count, height, width), bool)
        for image in range(count):
            size = 1 + image % (height * width - 2)
            masks[image].flat[rng.choice(height * width, size, replace=False)] = True
        yield (heat / 7 - 5).astype(kind), masks


BANK = Bank(
    "pointing_game",
    "12",
    _pointing_game,
    _pointing_cases,
    Values(("hits", "expected", "p_value")),
    axes={"heat": "nhw", "masks": "nhw"},
)
BANK.help(
    idea=(
        "A hit says little where the object fills the picture: a pixel drawn at random hits it "
        "with a chance that is the share of the mask, another one in each image."
    ),
    section="A second test: hide what the picture marks",
    step=(
        "For the last answer go image by image and keep a list: the chance of no hit so far, of "
        "one, of two. Each image splits every entry into one part that stays and one that moves "
        "up."
    ),
)


@BANK.mistake(
    "The pixel with the largest *absolute* number seems to point. A large negative number speaks "
    "against the class."
)
def absolute_heat(heat, masks):
    return _pointing_game(np.abs(heat), masks)


@BANK.mistake("The coldest pixel seems to point. Wanted is the one with the largest number.")
def coldest_pixel(heat, masks):
    return _pointing_game(-heat, masks)


@BANK.mistake(
    "A single pixel seems to point for the whole batch, the hottest of all images. Each image has "
    "one of its own."
)
def hottest_of_all(heat, masks):
    hits = int(masks.flat[np.argmax(heat)])
    return hits, _shares(masks).sum(), _chances(_shares(masks))[hits:].sum()


@BANK.mistake("Misses seem to be counted: the hottest pixel outside of the mask.")
def misses(heat, masks):
    hits = len(heat) - int(_pointed(heat, masks).sum())
    return hits, _shares(masks).sum(), _chances(_shares(masks))[hits:].sum()


@BANK.mistake("The first answer seems to be a share. Wanted is the number of hits.")
def share_of_hits(heat, masks):
    hits, expected, p_value = _pointing_game(heat, masks)
    return hits / len(heat), expected, p_value


@BANK.mistake(
    "The second answer seems to be the chance in one image, on average. Wanted is the number of "
    "hits to be expected in all of them."
)
def expected_in_one_image(heat, masks):
    hits, expected, p_value = _pointing_game(heat, masks)
    return hits, expected / len(heat), p_value


@BANK.mistake("Half of the images seem to be expected as hits. A mask is hit as often as it is "
              "large.")  # fmt: skip
def expected_half(heat, masks):
    hits, _, p_value = _pointing_game(heat, masks)
    return hits, len(heat) / 2, p_value


@BANK.mistake(
    "The p-value seems to be the chance of *more* hits than there were. At least as many includes "
    "just as many."
)
def more_hits(heat, masks):
    hits, expected, _ = _pointing_game(heat, masks)
    return hits, expected, _chances(_shares(masks))[hits + 1 :].sum()


@BANK.mistake(
    "The p-value seems to be the chance of exactly so many hits. More would have been as "
    "remarkable: add them up."
)
def exactly_so_many(heat, masks):
    hits, expected, _ = _pointing_game(heat, masks)
    return hits, expected, _chances(_shares(masks))[hits]


@BANK.mistake(
    "The p-value seems to be the chance of at most so many hits. The question is how often chance "
    "does as *well*."
)
def at_most_so_many(heat, masks):
    hits, expected, _ = _pointing_game(heat, masks)
    return hits, expected, _chances(_shares(masks))[: hits + 1].sum()


@BANK.mistake(
    "The p-value seems to come from a binomial with the mean share. Masks differ in size, and so "
    "does the coin of each image."
)
def one_coin_for_all(heat, masks):
    hits, expected, _ = _pointing_game(heat, masks)
    share, count = expected / len(heat), len(heat)
    chances = [
        math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(hits, count + 1)
    ]
    return hits, expected, sum(chances)


@BANK.mistake(
    "The p-value seems to be the product of the chances of the images that were hit. Those that "
    "were missed, and the other ways to as many hits, belong to it."
)
def product_of_the_hits(heat, masks):
    hits, expected, _ = _pointing_game(heat, masks)
    return hits, expected, np.prod(_shares(masks)[_pointed(heat, masks)])
