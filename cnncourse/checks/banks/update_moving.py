"""``update_moving`` of lesson 04, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnncourse.checks.engine import Bank


def _update_moving(moving, batch_value, momentum):
    return momentum * moving + (1 - momentum) * batch_value


def _update_moving_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(8)
    yield 2.0, 4.0, 0.75
    yield 0.0, 10.0, 0.99
    yield np.array([2, 0]), np.array([4, 10]), 0.75
    yield -3.0, 5.0, 0.0
    yield -3.0, 5.0, 1.0
    for channels, momentum in [(1, 0.9), (2, 0.25), (5, 0.99)]:
        yield rng.normal(size=channels), rng.normal(3, 1, channels), momentum
    both = rng.normal(size=(2, 4)).astype(np.float32)
    yield both[0], both[1], 0.9
    yield np.array([1.0, -2.0]), np.array([0.0, 3.0]), 0.9


BANK = Bank(
    "update_moving",
    "04",
    _update_moving,
    _update_moving_cases,
    axes={"moving": "c", "batch_value": "c", "answer": "c"},
)
BANK.help(
    idea=("A weighted mean of old and new, in which the old one weighs as much as the momentum."),
    section="Training and inference",
    step=(
        "The two weights sum to 1. Which of the two values keeps the momentum, and what is left "
        "for the other?"
    ),
)


@BANK.mistake(
    "Momentum seems to be the share of the new value. PyTorch counts it so; in Keras it is the "
    "share of the old value that stays."
)
def momentum_reversed(moving, batch_value, momentum):
    return _update_moving(batch_value, moving, momentum)


@BANK.mistake(
    "The whole new value seems to be added to a share of the old one. Both shares together make 1, "
    "else the average grows without end."
)
def new_value_added_whole(moving, batch_value, momentum):
    return momentum * moving + batch_value


@BANK.mistake(
    "A share of the new value seems to be added to the whole old one. Both shares together make 1."
)
def old_value_kept_whole(moving, batch_value, momentum):
    return moving + (1 - momentum) * batch_value


@BANK.mistake("Old and new value seem to count half each, whatever the momentum.")
def plain_mean(moving, batch_value, momentum):
    return (moving + batch_value) / 2


@BANK.mistake(
    "The new value seems to replace the old one. A single batch is a poor sample: wanted is a mix "
    "of both."
)
def new_value_alone(moving, batch_value, momentum):
    return batch_value


@BANK.mistake("The old value came back unchanged. A share of the new one has to come in.")
def old_value_alone(moving, batch_value, momentum):
    return moving


@BANK.mistake("The new value seems to be taken off where it was to be added.")
def new_value_subtracted(moving, batch_value, momentum):
    return momentum * moving - (1 - momentum) * batch_value


@BANK.mistake(
    "The average seems to move away from the new value: old minus new is the wrong direction for "
    "the step."
)
def step_in_the_wrong_direction(moving, batch_value, momentum):
    return moving - (1 - momentum) * (batch_value - moving)


@BANK.mistake("Both shares seem to be the momentum. They have to make 1 together.")
def both_shares_the_momentum(moving, batch_value, momentum):
    return momentum * (moving + batch_value)


@BANK.mistake(
    "The answer seems to take the type of the old value: whole numbers lose their fraction. The "
    "answer need not be whole where the arguments are."
)
def in_the_type_of_the_old_value(moving, batch_value, momentum):
    answer = np.empty_like(moving)
    answer[...] = _update_moving(moving, batch_value, momentum)
    return answer
