"""Inspects a split of images into two parts: finds by many draws what is wrong with it."""

from __future__ import annotations

import numpy as np

from cnncourse.checks.draws import Caller, Findings
from cnncourse.checks.form import show


def inspect_split(call: Caller, count, fraction, seed) -> Findings:
    """What is wrong with a split of images into two parts, by many draws."""
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
