"""Inspects a batch of which some images are flipped: finds by many draws what is wrong with it."""

from __future__ import annotations

import numpy as np

from cnncourse.checks.draws import Caller, Findings, Seeded
from cnncourse.checks.form import show


def mirrored(images):
    return images[:, :, ::-1]


def inspect_flips(call: Caller, images, seeded: Seeded) -> Findings:
    """What is wrong with a batch of which some images are flipped, by many draws."""
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
    flipped = np.array([_is(answer, mirrored(images)) for answer in answers])  # (draws, batch)
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
        left = ~(_is(answer, images) | _is(answer, mirrored(images)))
        for name, changed in changes.items():
            hit = left & _is(answer, changed)
            names.update([name] if hit.any() else [])
            left &= ~hit
        names.update(_name_of_rest(answer[place], place, images) for place in np.flatnonzero(left))
    return {name: f"Among the answers are images that are {name}." for name in sorted(names)}


def _name_of_rest(image, place, images) -> str:
    if (images == image).all(axis=(1, 2, 3)).any():
        return "in another place"
    if (mirrored(images) == image).all(axis=(1, 2, 3)).any():
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
