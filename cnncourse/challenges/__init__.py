"""Three challenges with a judge: a small network, a robust one, and a hidden mark.

What a challenge asks and what an answer is told stands in ``form``; the judge's questions before
it trains in ``judge``, what it does in a process of its own in ``worker``. The judge is a mirror
for honest people and no lock: who wants to deceive it can, and deceives nobody else.
"""

from __future__ import annotations

import difflib

from cnncourse.challenges.form import Challenge, ScoreCard
from cnncourse.challenges.mark import HiddenMark

__all__ = ["CHALLENGES", "Challenge", "HiddenMark", "ScoreCard", "challenge"]

CHALLENGES: dict[str, Challenge | HiddenMark] = {
    "small": Challenge(
        "small",
        "Build and train the most accurate network that is this small.",
        counted="clean",
    ),
    "robust": Challenge(
        "robust",
        "Build and train the network that loses least when images are shifted and noisy.",
        counted="shifted and noisy",
        conditions=("clean", "shifted", "noisy", "shifted and noisy"),
    ),
    "explain": HiddenMark(),
}
"""Every challenge by its name."""


def challenge(name: str) -> Challenge | HiddenMark:
    """A challenge by its name; print it to read the task.

    Args:
        name: ``"small"``, ``"robust"`` or ``"explain"``.

    Returns:
        The task, with ``judge`` (and ``rehearse``, or ``images``).

    Raises:
        ValueError: there is no such challenge.

    >>> challenge("small").parameters, challenge("small").macs
    (50000, 2000000)
    """
    if name not in CHALLENGES:
        near = difflib.get_close_matches(str(name), CHALLENGES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"There is no challenge {name!r}.{hint} The challenges are {', '.join(CHALLENGES)}."
        )
    return CHALLENGES[name]
