"""The quiz of each lesson: the questions are the JSON files beside this one.

Showing them belongs here, writing them to the lesson's author; jupyterquiz draws them and
answers, in Jupyter, in Colab, and in the built page, where no kernel runs.
"""

from __future__ import annotations

import json
import random
from importlib import resources
from typing import Any

# The widget takes the colours of the page; each has a fallback for Jupyter and Colab.
_COLORS = {
    "--jq-multiple-choice-bg": "var(--pst-color-surface, #eef2f5)",
    "--jq-mc-button-bg": "var(--pst-color-background, #ffffff)",
    "--jq-mc-button-border": "var(--pst-color-border, #8fa3b0)",
    "--jq-mc-button-inset-shadow": "transparent",
    "--jq-many-choice-bg": "var(--pst-color-surface, #eef2f5)",
    "--jq-numeric-bg": "var(--pst-color-surface, #eef2f5)",
    "--jq-numeric-input-bg": "var(--pst-color-background, #ffffff)",
    "--jq-numeric-input-label": "var(--pst-color-text-base, #1d2b33)",
    "--jq-numeric-input-shadow": "transparent",
    "--jq-incorrect-color": "#a33b00",
    "--jq-correct-color": "#00604a",
    "--jq-text-color": "var(--pst-color-text-base, #1d2b33)",
}


def load(lesson: str) -> list[dict[str, Any]]:
    """The questions of one lesson, in jupyterquiz's form.

    Args:
        lesson: its number in two digits, such as ``"01"``.

    Returns:
        A list of questions.

    Raises:
        ValueError: there is no quiz of that lesson; the message lists those there are.

    >>> load("01")[0]["type"]
    'multiple_choice'
    """
    folder = resources.files(__name__)
    path = folder.joinpath(f"{lesson}.json")
    if not path.is_file():
        known = sorted(p.name[:-5] for p in folder.iterdir() if p.name.endswith(".json"))
        raise ValueError(f"There is no quiz {lesson!r}; there are {', '.join(known)}.")
    return json.loads(path.read_text(encoding="utf-8"))


def show(lesson: str) -> None:
    """Show the quiz of a lesson below the cell.

    jupyterquiz draws the ids of its elements from Python's random numbers; they are drawn
    from the lesson's own seed, so that the same cell gives the same output every time, and
    the state of the random numbers is left as it was.

    Args:
        lesson: its number in two digits, such as ``"01"``.
    """
    import jupyterquiz

    state = random.getstate()
    random.seed(f"quiz {lesson}")
    try:
        jupyterquiz.display_quiz(load(lesson), colors=_COLORS, max_width=700)
    finally:
        random.setstate(state)
