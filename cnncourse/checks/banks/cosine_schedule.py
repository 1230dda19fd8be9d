"""``cosine_schedule`` of lesson 10, and the mistakes that people make in it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from cnncourse.checks.engine import Bank


def _cosine_schedule(step, total_steps, peak):
    return peak * (1 + math.cos(math.pi * min(step / total_steps, 1))) / 2


def _schedule_cases() -> Iterator[tuple]:
    for step in (0, 1, 2, 3, 4, 5, 8):
        yield step, 3, 0.5
    yield from ((0, 1, 2.0), (1, 1, 2.0), (2, 1, 2.0))
    for step in (0, 13, 50, 75, 99, 100, 101, 150, 350):
        yield step, 100, 0.002
    yield 25_000, 25_800, 0.002


BANK = Bank("cosine_schedule", "10", _cosine_schedule, _schedule_cases)
BANK.help(
    idea=(
        "Half a turn takes the cosine from 1 to -1. Lifted by 1 and halved, that goes from 1 to 0."
    ),
    section="A schedule: wide steps first, small ones last",
    step=(
        "Which share of the way is done at this step? It must not grow beyond 1. Half a turn "
        "(π) times this share is the angle."
    ),
)


@BANK.mistake(
    "The rate starts at twice the peak. At the first step the cosine is 1 already, and 1 is added."
)
def not_halved(step, total, peak):
    return 2 * _cosine_schedule(step, total, peak)


@BANK.mistake(
    "Past the last step the rate rises again: a cosine goes on for ever. Wanted is 0 from there on."
)
def rises_again(step, total, peak):
    return peak * (1 + math.cos(math.pi * step / total)) / 2


@BANK.mistake(
    "At the last step the rate leaps back to the peak and falls again. Such restarts are a "
    "schedule of their own; wanted is 0 from the last step on."
)
def starts_anew(step, total, peak):
    return _cosine_schedule(step % total, total, peak)


@BANK.mistake("Past the last step the peak comes back. Wanted is 0 there: the training is over.")
def peak_after_the_end(step, total, peak):
    return _cosine_schedule(step, total, peak) if step <= total else peak


@BANK.mistake(
    "The angle seems to be in degrees: 180 where half a turn is meant. `cos` takes radians."
)
def degrees(step, total, peak):
    return peak * (1 + math.cos(180 * step / total)) / 2 if step <= total else 0.0


@BANK.mistake(
    "The rate is back at the peak at the last step: the angle seems to run through a whole "
    "turn. Half a turn takes the cosine from 1 to -1."
)
def whole_turn(step, total, peak):
    return peak * (1 + math.cos(2 * math.pi * step / total)) / 2 if step <= total else 0.0


@BANK.mistake(
    "It starts at the peak and ends at 0, but stays too high on the way: a quarter of a "
    "cosine seems to be taken, which falls fastest at the end. Wanted is half of one, lifted "
    "and halved, which comes to rest at the end."
)
def quarter_turn(step, total, peak):
    return peak * math.cos(math.pi / 2 * min(step / total, 1))


@BANK.mistake(
    "Half of the rates are below 0: with a negative rate every step makes the loss larger. The "
    "cosine runs from 1 to -1 and has to be lifted first."
)
def not_lifted(step, total, peak):
    return peak * math.cos(math.pi * step / total) if step <= total else 0.0


@BANK.mistake("The rate rises from 0 to the peak. Wanted is the other way round.")
def rising(step, total, peak):
    return peak - _cosine_schedule(step, total, peak) if step <= total else 0.0


@BANK.mistake(
    "The rate falls along a straight line. Wanted is half a cosine: slow at first, then fast, "
    "and slow again."
)
def straight_line(step, total, peak):
    return peak * max(1 - step / total, 0.0)


@BANK.mistake(
    "Every rate is the one of the next step. The first step has the number 0, and there the "
    "rate is the peak."
)
def one_step_ahead(step, total, peak):
    return _cosine_schedule(step + 1, total, peak)


@BANK.mistake(
    "The rate reaches 0 one step early: it seems to be spread over one step less. Step and "
    "total steps are divided as they are."
)
def one_step_too_few(step, total, peak):
    return _cosine_schedule(step, total - 1, peak) if total > 1 else (peak if step == 0 else 0.0)


@BANK.mistake(
    "The rate stays at the peak up to the last step: the share of the way seems to be cut off "
    "to a whole number. Was it divided with `//`?"
)
def division_without_fraction(step, total, peak):
    return _cosine_schedule(step // total, 1, peak)


@BANK.mistake("The rate starts at 1 whatever the peak is.")
def peak_forgotten(step, total, peak):
    return _cosine_schedule(step, total, 1.0)
