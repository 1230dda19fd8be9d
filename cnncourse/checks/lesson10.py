"""Exercises of lesson 10: a split, a schedule, and images flipped at random.

Each wrong implementation is a mistake that people make, with the hint that answers it. A split
and a flip are drawn at random, so that these two are judged by what many draws have in common.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import numpy as np

from cnncourse.checks.draws import Caller, Draws, Findings, Seeded
from cnncourse.checks.engine import Exercise
from cnncourse.checks.forms import show


def _split_indices(count, validation_fraction, seed):
    order = np.random.default_rng(seed).permutation(count)
    held_out = round(count * validation_fraction)
    return order[held_out:], order[:held_out]


def _split_cases() -> Iterator[tuple]:
    yield 4, 0.1, 3  # nothing is held out
    yield 6, 0.5, 0
    yield 7, 0.5, 1  # 3.5 becomes 4
    yield 9, 0.5, 2  # 4.5 becomes 4
    yield 10, 0.3, 5
    yield 11, 0.4, 4
    yield 13, 0.6, 7
    yield 40, 0.2, 9
    yield 100, 0.29, 11  # 28.999999999999996
    yield 600, 0.15, 2


def _inspect_split(call: Caller, count, fraction, seed) -> Findings:
    draws = 48 if count < 50 else 16
    splits = [call(count, fraction, seed + draw) for draw in range(draws)]
    again = [call(count, fraction, seed + draw) for draw in range(16)]
    train, validation = splits[0]
    example = f"With seed {seed}: {show('train', train)}, {show('validation', validation)}"
    found = _unlike_indices(splits, count) or _wrong_parts(splits, count, fraction)
    if found:
        return Findings(found, example)
    found = _order_of_split(splits, count)
    if not all(_same_split(one, other) for one, other in zip(again, splits, strict=False)):
        found["not repeated"] = f"Seed {seed} gave two different splits."
    if call.touched:
        found["global"] = "NumPy's or Python's global random state changed during the call."
    return Findings(found, example)


def _same_split(one, other) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _unlike_indices(splits, count) -> dict[str, str]:
    """What keeps the parts from being lists of places."""
    parts = [part for split in splits for part in split]
    if any(part.dtype == bool for part in parts):
        return {"masks": "The parts hold True and False."}
    for part in parts:
        if part.ndim != 1:
            return {"rank": f"A part has the shape {part.shape}; wanted is one axis."}
    for part in parts:
        if part.size and (part.min() < 0 or part.max() >= count):
            return {
                "outside": f"A part holds {part.min():g} to {part.max():g}; the places of "
                f"{count} images are 0 to {count - 1}."
            }
    for part in parts:
        if len(np.unique(part)) < len(part):
            return {"repeats": show("A part with repeats", part)}
    return {}


def _wrong_parts(splits, count, fraction) -> dict[str, str]:
    """Lengths that are not the wanted ones, and indices in both parts."""
    lengths = {(len(train), len(validation)) for train, validation in splits}
    held_out = round(count * fraction)
    wanted = (count - held_out, held_out)
    if len(lengths) > 1:
        several = " and then ".join(map(str, sorted(lengths)[:2]))
        return {"lengths vary": f"The lengths change with the seed: {several}; wanted is {wanted}."}
    found = {}
    if lengths != {wanted}:
        (given,) = lengths
        found[f"lengths {given}"] = f"The lengths (train, validation) are {given}, wanted {wanted}."
    shared = [np.intersect1d(*split) for split in splits]
    if any(common.size for common in shared):
        found["overlap"] = show("In both parts", max(shared, key=len))
    return found


def _order_of_split(splits, count) -> dict[str, str]:
    """What is not shuffled, of splits that are otherwise right."""
    found = {}
    for number, name in enumerate(("train", "validation")):
        parts = [split[number] for split in splits]
        if len(parts[0]) > 1 and all((np.diff(part) > 0).all() for part in parts):
            found[f"{name} ascending"] = f"`{name}` is in ascending order for every seed."
    steps = np.concatenate([np.diff(np.concatenate(split)) for split in splits])
    if count >= 10 and (np.isin(steps % count, (1, count - 1))).mean() > 0.7:
        found["neighbours"] = "Most indices still stand beside their old neighbour."
    if all(_same_split(split, splits[0]) for split in splits):
        found["seed ignored"] = f"All of {len(splits)} seeds gave the same split."
    elif 0 < len(splits[0][1]) < count:
        members = {np.sort(validation).tobytes() for _, validation in splits}
        if len(members) == 1:
            found["same members"] = f"All of {len(splits)} seeds hold out the same images."
    return found


SPLIT_INDICES = Exercise(
    "split_indices",
    _split_indices,
    _split_cases,
    Draws(_inspect_split, ("train", "validation"), "integers"),
)


def _shuffled(count, seed):
    return np.random.default_rng(seed).permutation(count)


@SPLIT_INDICES.misconception(
    "Nothing seems to be shuffled: the parts are cut as the images lie. Where images are sorted by "
    "class, the validation part would then hold classes that training has never seen."
)
def not_shuffled(count, validation_fraction, seed):
    held_out = round(count * validation_fraction)
    return np.arange(held_out, count), np.arange(held_out)


@SPLIT_INDICES.misconception(
    "The validation part is drawn, but the training part stands in ascending order: what is left "
    "over came back sorted. Both parts are wanted in random order."
)
def training_part_sorted(count, validation_fraction, seed):
    train, validation = _split_indices(count, validation_fraction, seed)
    return np.sort(train), validation


@SPLIT_INDICES.misconception(
    "The right number of images is drawn, but both parts come back in ascending order. Wanted is "
    "random order in both."
)
def both_parts_sorted(count, validation_fraction, seed):
    train, validation = _split_indices(count, validation_fraction, seed)
    return np.sort(train), np.sort(validation)


def _with_length(count, held_out, seed):
    order = _shuffled(count, seed)
    return order[held_out:], order[:held_out]


@SPLIT_INDICES.misconception(
    "The number of held-out images seems to be cut off to a whole number. Wanted is the nearest "
    "one; a product of fractions may also lie a hair below the number that you mean."
)
def length_cut_off(count, validation_fraction, seed):
    return _with_length(count, int(count * validation_fraction), seed)


@SPLIT_INDICES.misconception(
    "The number of held-out images seems to be rounded up always. Wanted is the nearest whole "
    "number."
)
def length_rounded_up(count, validation_fraction, seed):
    return _with_length(count, math.ceil(count * validation_fraction), seed)


@SPLIT_INDICES.misconception(
    "A half seems to be rounded up always. Wanted is what Python's own rounding does, which takes "
    "the even neighbour of a half."
)
def half_rounded_up(count, validation_fraction, seed):
    return _with_length(count, math.floor(count * validation_fraction + 0.5), seed)


@SPLIT_INDICES.misconception(
    "The first array is as long as the validation part should be, and the second as the training "
    "part. Are they swapped, or was the fraction taken for training?"
)
def parts_swapped(count, validation_fraction, seed):
    return _split_indices(count, validation_fraction, seed)[::-1]


@SPLIT_INDICES.misconception(
    "Some index occurs twice in one part: the draw seems to put each image back before the next "
    "one is taken. Each image may be drawn once."
)
def drawn_with_repeats(count, validation_fraction, seed):
    held_out = round(count * validation_fraction)
    validation = np.random.default_rng(seed).choice(count, held_out)
    return np.setdiff1d(np.arange(count), validation), validation


@SPLIT_INDICES.misconception(
    "The training part seems to hold all images, the held-out ones too: a leak. A network that has "
    "seen the validation images is judged on what it may know by heart."
)
def validation_left_in_training(count, validation_fraction, seed):
    order = _shuffled(count, seed)
    return order, order[: round(count * validation_fraction)]


@SPLIT_INDICES.misconception(
    "The two parts share images: it looks as if the images were shuffled once for each part. Both "
    "parts must come from one and the same shuffle."
)
def shuffled_once_for_each_part(count, validation_fraction, seed):
    rng = np.random.default_rng(seed)
    held_out = round(count * validation_fraction)
    return rng.permutation(count)[held_out:], rng.permutation(count)[:held_out]


@SPLIT_INDICES.misconception(
    "The split is right, but the seed was set globally: whoever draws random numbers after this "
    "call gets other ones than before. Make a generator of your own from the seed, and draw with "
    "that."
)
def global_seed(count, validation_fraction, seed):
    np.random.seed(seed)
    order = np.random.permutation(count)
    held_out = round(count * validation_fraction)
    return order[held_out:], order[:held_out]


@SPLIT_INDICES.misconception(
    "The draw comes from the global random state, and the seed seems to be unused: the same seed "
    "gives two different splits, so no result can be repeated."
)
def global_draw_without_seed(count, validation_fraction, seed):
    order = list(range(count))
    random.shuffle(order)
    held_out = round(count * validation_fraction)
    return order[held_out:], order[:held_out]


@SPLIT_INDICES.misconception(
    "The same seed gives two different splits. There is a generator, but does it know the seed?"
)
def generator_without_seed(count, validation_fraction, seed):
    return _with_length(count, round(count * validation_fraction), None)


@SPLIT_INDICES.misconception(
    "Every seed gives the same split: a fixed number seems to stand where the seed should."
)
def fixed_seed(count, validation_fraction, seed):
    return _with_length(count, round(count * validation_fraction), 42)


@SPLIT_INDICES.misconception(
    "The number of held-out images changes from seed to seed: it seems that a coin is thrown for "
    "each image. Wanted is the same number every time."
)
def coin_for_each_image(count, validation_fraction, seed):
    rng = np.random.default_rng(seed)
    held_out = rng.random(count) < validation_fraction
    return rng.permutation(np.flatnonzero(~held_out)), rng.permutation(np.flatnonzero(held_out))


@SPLIT_INDICES.misconception(
    "Where no image is to be held out, all of them are. A slice that counts from the end means "
    "something else when the number is 0: `[-0:]` is everything."
)
def slice_from_the_end(count, validation_fraction, seed):
    order = _shuffled(count, seed)
    held_out = round(count * validation_fraction)
    return order[:-held_out], order[-held_out:]


@SPLIT_INDICES.misconception(
    "Each part is shuffled in itself, but the same images are held out for every seed: the cut "
    "seems to come before the shuffle."
)
def cut_before_the_shuffle(count, validation_fraction, seed):
    rng = np.random.default_rng(seed)
    held_out = round(count * validation_fraction)
    return rng.permutation(np.arange(held_out, count)), rng.permutation(held_out)


@SPLIT_INDICES.misconception("The indices seem to count from 1. The first image has the index 0.")
def counted_from_1(count, validation_fraction, seed):
    return tuple(part + 1 for part in _split_indices(count, validation_fraction, seed))


@SPLIT_INDICES.misconception(
    "The parts are masks of True and False. Wanted are the indices themselves, in random order, "
    "which a mask cannot hold."
)
def masks(count, validation_fraction, seed):
    _, validation = _split_indices(count, validation_fraction, seed)
    held_out = np.isin(np.arange(count), validation)
    return ~held_out, held_out


@SPLIT_INDICES.misconception(
    "One image is in neither part. Where one slice ends, the next one starts."
)
def one_image_lost(count, validation_fraction, seed):
    order = _shuffled(count, seed)
    held_out = round(count * validation_fraction)
    return order[held_out + 1 :], order[:held_out]


@SPLIT_INDICES.misconception(
    "The images seem to be moved along by a random step and not shuffled: neighbours are still "
    "neighbours. Of images that are sorted by class, whole classes would be held out."
)
def rolled_and_not_shuffled(count, validation_fraction, seed):
    order = np.roll(np.arange(count), np.random.default_rng(seed).integers(count))
    held_out = round(count * validation_fraction)
    return order[held_out:], order[:held_out]


def _cosine_schedule(step, total_steps, peak):
    return peak * (1 + math.cos(math.pi * min(step / total_steps, 1))) / 2


def _schedule_cases() -> Iterator[tuple]:
    for step in (0, 1, 2, 3, 4, 5, 8):
        yield step, 3, 0.5
    yield from ((0, 1, 2.0), (1, 1, 2.0), (2, 1, 2.0))
    for step in (0, 13, 50, 75, 99, 100, 101, 150, 350):
        yield step, 100, 0.002
    yield 25_000, 25_800, 0.002


COSINE_SCHEDULE = Exercise("cosine_schedule", _cosine_schedule, _schedule_cases)

for _name, _hint, _answer in (
    (
        "not_halved",
        "The rate starts at twice the peak. At the first step the cosine is 1 already, and 1 is "
        "added.",
        lambda step, total, peak: 2 * _cosine_schedule(step, total, peak),
    ),
    (
        "rises_again",
        "Past the last step the rate rises again: a cosine goes on for ever. Wanted is 0 from "
        "there on.",
        lambda step, total, peak: peak * (1 + math.cos(math.pi * step / total)) / 2,
    ),
    (
        "starts_anew",
        "At the last step the rate leaps back to the peak and falls again. Such restarts are a "
        "schedule of their own; wanted is 0 from the last step on.",
        lambda step, total, peak: _cosine_schedule(step % total, total, peak),
    ),
    (
        "peak_after_the_end",
        "Past the last step the peak comes back. Wanted is 0 there: the training is over.",
        lambda step, total, peak: _cosine_schedule(step, total, peak) if step <= total else peak,
    ),
    (
        "degrees",
        "The angle seems to be in degrees: 180 where half a turn is meant. `cos` takes radians.",
        lambda step, total, peak: (
            peak * (1 + math.cos(180 * step / total)) / 2 if step <= total else 0.0
        ),
    ),
    (
        "whole_turn",
        "The rate is back at the peak at the last step: the angle seems to run through a whole "
        "turn. Half a turn takes the cosine from 1 to -1.",
        lambda step, total, peak: (
            peak * (1 + math.cos(2 * math.pi * step / total)) / 2 if step <= total else 0.0
        ),
    ),
    (
        "quarter_turn",
        "It starts at the peak and ends at 0, but stays too high on the way: a quarter of a "
        "cosine seems to be taken, which falls fastest at the end. Wanted is half of one, lifted "
        "and halved, which comes to rest at the end.",
        lambda step, total, peak: peak * math.cos(math.pi / 2 * min(step / total, 1)),
    ),
    (
        "not_lifted",
        "Half of the rates are below 0: with a negative rate every step makes the loss larger. The "
        "cosine runs from 1 to -1 and has to be lifted first.",
        lambda step, total, peak: peak * math.cos(math.pi * step / total) if step <= total else 0.0,
    ),
    (
        "rising",
        "The rate rises from 0 to the peak. Wanted is the other way round.",
        lambda step, total, peak: (
            peak - _cosine_schedule(step, total, peak) if step <= total else 0.0
        ),
    ),
    (
        "straight_line",
        "The rate falls along a straight line. Wanted is half a cosine: slow at first, then fast, "
        "and slow again.",
        lambda step, total, peak: peak * max(1 - step / total, 0.0),
    ),
    (
        "one_step_ahead",
        "Every rate is the one of the next step. The first step has the number 0, and there the "
        "rate is the peak.",
        lambda step, total, peak: _cosine_schedule(step + 1, total, peak),
    ),
    (
        "one_step_too_few",
        "The rate reaches 0 one step early: it seems to be spread over one step less. Step and "
        "total steps are divided as they are.",
        lambda step, total, peak: (
            _cosine_schedule(step, total - 1, peak) if total > 1 else (peak if step == 0 else 0.0)
        ),
    ),
    (
        "division_without_fraction",
        "The rate stays at the peak up to the last step: the share of the way seems to be cut off "
        "to a whole number. Was it divided with `//`?",
        lambda step, total, peak: _cosine_schedule(step // total, 1, peak),
    ),
    (
        "peak_forgotten",
        "The rate starts at 1 whatever the peak is.",
        lambda step, total, peak: _cosine_schedule(step, total, 1.0),
    ),
):
    COSINE_SCHEDULE.misconception(_hint, name=_name)(_answer)


def _where(flip, images, changed):
    """The images, with the changed one wherever the coin says so."""
    return np.where(flip[:, None, None, None], changed, images)


def _mirrored(images):
    return images[:, :, ::-1]


def _augment(images, rng):
    return _where(rng.random(len(images)) < 0.5, images, _mirrored(images))


def _flip_cases() -> Iterator[tuple]:
    rng = np.random.default_rng(10)
    yield np.array([[1, 2], [3, 4]], np.float32).reshape(1, 2, 2, 1), Seeded(0)
    yield np.arange(12, dtype=np.uint8).reshape(2, 2, 3, 1), Seeded(1)
    yield rng.permutation(48).reshape(4, 2, 3, 2).astype(np.float32), Seeded(2)
    yield rng.permutation(240).reshape(5, 4, 4, 3).astype(np.uint8), Seeded(3)
    yield rng.permutation(3200).reshape(200, 4, 4, 1).astype(np.float32), Seeded(4)


def _inspect_flips(call: Caller, images, seeded: Seeded) -> Findings:
    kept = images.copy()
    draws = 64 if len(images) < 50 else 40
    answers = []
    for draw in range(draws):
        answers.extend(call(images, seeded.generator(draw)))
        if not np.array_equal(images, kept):
            return Findings()  # an argument that was changed is complained of elsewhere
    example = show("One answer", answers[0])
    found = _unlike_images(answers, images)
    if found:
        return Findings(found, example)
    flipped = np.array([_is(answer, _mirrored(images)) for answer in answers])  # (draws, batch)
    again = [call(images, seeded.generator(draw))[0] for draw in range(min(draws, 40))]
    found = _source_of_draws(call.touched, answers, again) or _coins(flipped)
    wrong_type = {str(answer.dtype) for answer in answers} - {str(images.dtype)}
    if wrong_type:
        found["dtype"] = f"The answer is {min(wrong_type)}, the images are {images.dtype}."
    return Findings(found, example)


def _is(answer, wanted):
    """For each image whether the answer to it is the wanted one."""
    return (answer == wanted).all(axis=(1, 2, 3))


def _unlike_images(answers, images) -> dict[str, str]:
    """Answers that are neither the image nor its mirror image, in its place."""
    shapes = {answer.shape for answer in answers}
    if len(shapes) > 1:
        return {"shapes vary": "The shape of the answer changes from draw to draw."}
    (shape,) = shapes
    if shape != images.shape:
        return {f"shape {shape}": f"The answer has the shape {shape}, wanted is {images.shape}."}
    changes = {
        "upside down": images[:, ::-1],
        "turned by half": images[:, ::-1, ::-1],
        "channels reversed": images[..., ::-1],
        "both sides and channels": images[:, :, ::-1, ::-1],
    }
    if images.shape[1] == images.shape[2]:
        changes["transposed"] = images.swapaxes(1, 2)
        changes["quarter turn"] = np.rot90(images, axes=(1, 2))
    names: set[str] = set()
    for answer in answers:
        left = ~(_is(answer, images) | _is(answer, _mirrored(images)))
        for name, changed in changes.items():
            hit = left & _is(answer, changed)
            names.update([name] if hit.any() else [])
            left &= ~hit
        names.update(_name_of_rest(answer[place], place, images) for place in np.flatnonzero(left))
    return {name: f"Among the answers are images that are {name}." for name in sorted(names)}


def _name_of_rest(image, place, images) -> str:
    if (images == image).all(axis=(1, 2, 3)).any():
        return "in another place"
    if (_mirrored(images) == image).all(axis=(1, 2, 3)).any():
        return "in another place"
    mirrored_rows = (images[place, :, ::-1] == image).all(axis=(1, 2))
    kept_rows = (images[place] == image).all(axis=(1, 2))
    whole = (mirrored_rows | kept_rows).all()
    return "flipped row by row" if whole else "changed in another way"


def _source_of_draws(touched, answers, again) -> dict[str, str]:
    if touched:
        return {"global": "NumPy's or Python's global random state changed during the call."}
    if not all(np.array_equal(one, other) for one, other in zip(again, answers, strict=False)):
        return {"not repeated": "Two generators with the same seed gave different answers."}
    return {}


def _coins(flipped) -> dict[str, str]:
    """What is wrong with the coins, (draws, batch), of which True means flipped."""
    draws, batch = flipped.shape
    told = f"In {draws} draws {int(flipped.sum())} of {flipped.size} images came back flipped."
    if (flipped == flipped[0]).all():
        if batch < 30:
            return {"always the same": f"All {draws} draws gave the same answer."}
        kind = {0: "never flipped", batch: "all flipped"}.get(int(flipped[0].sum()), "same draw")
        return {kind: told}
    if batch > 1 and (flipped == flipped[:, :1]).all():
        return {"together": "In each draw all images are flipped, or none."}
    if (~flipped).all(axis=0).any() or flipped.all(axis=0).any():
        return {"some places fixed": "Some places of the batch come out alike in every draw."}
    if batch > 1 and len(set(flipped.sum(axis=1))) == 1:
        return {"same number": f"Each draw flips {int(flipped[0].sum())} of {batch} images."}
    if flipped.size < 2000:
        return {}
    share = flipped.mean()
    if abs(share - 0.5) > 0.07:
        return {"seldom" if share < 0.5 else "often": told}
    if abs((flipped[:, 1:] == flipped[:, :-1]).mean() - 0.5) > 0.1:
        return {"neighbours": "Whether an image is flipped depends on its neighbour."}
    return {}


AUGMENT = Exercise("augment", _augment, _flip_cases, Draws(_inspect_flips))


@AUGMENT.misconception(
    "Some images stand on their heads: the rows seem to be reversed. Left and right are two ends "
    "of another axis; the first axis is the batch."
)
def upside_down(images, rng):
    return _where(rng.random(len(images)) < 0.5, images, images[:, ::-1])


@AUGMENT.misconception(
    "Some images are turned by half a turn: rows and columns are both reversed. Left to right is "
    "one axis alone."
)
def turned_by_half(images, rng):
    return _where(rng.random(len(images)) < 0.5, images, images[:, ::-1, ::-1])


@AUGMENT.misconception(
    "The channels are reversed, and the pixels stay where they are: with colours, red and blue "
    "would change places. The last axis holds the channels, not the columns."
)
def channels_reversed(images, rng):
    return _where(rng.random(len(images)) < 0.5, images, images[..., ::-1])


@AUGMENT.misconception(
    "In each call all images are flipped, or none: one coin seems to be thrown for the whole "
    "batch. Each image has a coin of its own."
)
def one_coin_for_the_batch(images, rng):
    return _mirrored(images).copy() if rng.random() < 0.5 else images.copy()


@AUGMENT.misconception("Every image is flipped, always. Wanted is one time in two, by chance.")
def every_image_flipped(images, rng):
    return _mirrored(images).copy()


@AUGMENT.misconception(
    "No image is ever flipped. If you draw whole numbers: does the range that you give hold the "
    "number that you wait for? Its upper end does not belong to it."
)
def no_image_flipped(images, rng):
    return _where(rng.integers(0, 1, len(images)) == 1, images, _mirrored(images))


@AUGMENT.misconception(
    "Every draw flips the same number of images. With a coin for each image the number changes "
    "from draw to draw, and half of them is only the mean."
)
def exactly_half(images, rng):
    flip = np.zeros(len(images), bool)
    flip[rng.permutation(len(images))[: (len(images) + 1) // 2]] = True
    return _where(flip, images, _mirrored(images))


@AUGMENT.misconception(
    "The draw comes from a global random state and not from `rng`: it cannot be repeated from the "
    "generator that was handed in."
)
def drawn_globally(images, rng):
    return _where(np.random.random(len(images)) < 0.5, images, _mirrored(images))


@AUGMENT.misconception(
    "Two generators with the same seed give different answers: something else than `rng` seems to "
    "draw. Is a new generator made inside?"
)
def new_generator_without_seed(images, rng):
    return _augment(images, np.random.default_rng())


@AUGMENT.misconception(
    "Every generator gives the same flips, so that each epoch shows the same pictures: a generator "
    "with a fixed seed seems to be made inside. Draw with `rng`."
)
def generator_with_a_fixed_seed(images, rng):
    return _augment(images, np.random.default_rng(0))


@AUGMENT.misconception(
    "The pixels are right, but their type has changed: whole numbers came back as floats, or "
    "float32 as float64. Multiplying by shares and adding does that; choosing does not."
)
def type_changed(images, rng):
    share = (rng.random(len(images)) < 0.5).astype(float)[:, None, None, None]
    return share * _mirrored(images) + (1 - share) * images


@AUGMENT.misconception(
    "Images of whole numbers (uint8) came back as float32. What enters an augmentation and what "
    "leaves it have one type; turning pixels into floats is another step."
)
def always_float32(images, rng):
    return _augment(images, rng).astype(np.float32)


@AUGMENT.misconception(
    "The batch came back twice as long: flipped images were added to the others. Wanted is one "
    "answer for each image, in its place."
)
def flipped_images_added(images, rng):
    return np.concatenate([images, _mirrored(images)])


@AUGMENT.misconception(
    "The number of images changes from draw to draw. Those that are not flipped have to stay."
)
def only_the_flipped_ones(images, rng):
    return _mirrored(images)[rng.random(len(images)) < 0.5]


@AUGMENT.misconception(
    "The images have changed places in the batch, and their labels do not know of it. Order is "
    "kept."
)
def order_shuffled(images, rng):
    return _augment(rng.permutation(images), rng)


@AUGMENT.misconception(
    "Far fewer than half of the images are flipped. Which share of the numbers that you draw lies "
    "beyond your threshold, and are they spread evenly from 0 to 1?"
)
def too_seldom(images, rng):
    return _where(rng.normal(size=len(images)) > 0.5, images, _mirrored(images))


@AUGMENT.misconception(
    "Far more than half of the images are flipped. Which share of the numbers that you draw lies "
    "beyond your threshold?"
)
def too_often(images, rng):
    return _where(rng.normal(size=len(images)) < 0.5, images, _mirrored(images))


@AUGMENT.misconception(
    "Some rows of an image are flipped and others are not: the picture falls apart. One coin "
    "decides about a whole image."
)
def row_by_row(images, rng):
    flip = rng.random(images.shape[:2]) < 0.5
    return np.where(flip[:, :, None, None], _mirrored(images), images)


@AUGMENT.misconception(
    "Rows and columns have changed places. Flipping keeps every pixel in its row."
)
def transposed(images, rng):
    if images.shape[1] != images.shape[2]:
        return images.swapaxes(1, 2).copy()
    return _where(rng.random(len(images)) < 0.5, images, images.swapaxes(1, 2))


@AUGMENT.misconception(
    "One place of the batch comes out alike in every draw: a loop seems to leave it out. The first "
    "image has a coin as well as the last."
)
def first_image_left_out(images, rng):
    flip = rng.random(len(images)) < 0.5
    flip[0] = False
    return _where(flip, images, _mirrored(images))


EXERCISES = (SPLIT_INDICES, COSINE_SCHEDULE, AUGMENT)
