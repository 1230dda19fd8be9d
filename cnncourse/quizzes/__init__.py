"""The quiz of each lesson: the questions are the JSON files beside this one.

Showing them belongs here, writing them to the lesson's author. A question is plain HTML, each
option a disclosure that opens its reason: keyboard, touch and screen reader work by themselves,
in Jupyter, in Colab, and in the built page, where no kernel runs. No script is needed but to
compare a number that is typed.
"""

from __future__ import annotations

import hashlib
import html
import json
import random
import re
from dataclasses import dataclass
from importlib import resources
from typing import Any


def load(lesson: str) -> list[dict[str, Any]]:
    """The questions of one lesson.

    A question is a dictionary with ``question``, ``type`` and ``answers``. Of type
    ``"multiple_choice"``, an answer has ``answer``, ``correct`` and ``feedback``. Of type
    ``"numeric"``, an answer has ``value`` (or ``range``, both ends included) in place of
    ``answer``, and the last, ``{"type": "default", "feedback": …}``, takes every other number.

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


@dataclass(frozen=True)
class Quiz:
    """Questions that a notebook shows as HTML.

    Attributes:
        lesson: number of the lesson, in two digits.
        questions: as :func:`load` gives them.
    """

    lesson: str
    questions: list[dict[str, Any]]

    def __repr__(self) -> str:
        return f"Quiz of lesson {self.lesson}: {len(self.questions)} questions"

    def _repr_html_(self) -> str:
        folder = resources.files(__name__)
        style = folder.joinpath("quiz.css").read_text(encoding="utf-8")
        # Seeded, so that the same cell gives the same output every time.
        rng = random.Random(f"quiz {self.lesson}")
        questions = [_question(question, rng) for question in self.questions]
        name = f"quiz-{self.lesson}"
        parts = [f'<div class="cnn-quiz" id="{name}">', f"<style>\n{style}</style>", *questions]
        if any(question["type"] == "numeric" for question in self.questions):
            script = folder.joinpath("numeric.js").read_text(encoding="utf-8")
            parts.append(f"<script>\n{script.replace('QUIZ', name)}</script>")
        return "\n".join([*parts, "</div>"])


def show(lesson: str) -> Quiz:
    """The quiz of a lesson; as the last line of a cell it shows itself.

    Args:
        lesson: its number in two digits, such as ``"01"``.

    Raises:
        ValueError: there is no quiz of that lesson; the message lists those there are.

    >>> show("01")
    Quiz of lesson 01: 6 questions
    """
    return Quiz(lesson, load(lesson))


def _question(question: dict[str, Any], rng: random.Random) -> str:
    # A name that stays when questions are added before it, for pages that remember answers.
    name = hashlib.sha256(question["question"].encode()).hexdigest()[:8]
    body = _number(question) if question["type"] == "numeric" else _options(question, rng)
    return (
        f'<fieldset data-question="{name}"><legend>{_inline(question["question"])}</legend>\n'
        f"{body}\n</fieldset>"
    )


def _options(question: dict[str, Any], rng: random.Random) -> str:
    answers = rng.sample(question["answers"], len(question["answers"]))
    options = (
        f'<details class="{"right" if answer["correct"] else "wrong"}">'
        f"<summary>{_inline(answer['answer'])}</summary>{_reaction(answer)}</details>"
        for answer in answers
    )
    # A live region: what opens inside it is read out.
    return '<div class="options" aria-live="polite">\n' + "\n".join(options) + "\n</div>"


def _number(question: dict[str, Any]) -> str:
    reactions = []
    for answer in question["answers"]:
        ends = answer.get("range", [answer["value"]] * 2 if "value" in answer else ["", ""])
        kind = "right" if answer.get("correct") else "wrong"
        reactions.append(
            f'<template class="{kind}" data-from="{ends[0]}" data-to="{ends[1]}">'
            f"{_reaction(answer)}</template>"
        )
    return (
        '<form><label>Your number <input type="text" inputmode="decimal" autocomplete="off">'
        '</label> <button type="submit">Check</button></form>\n'
        '<div class="reaction" aria-live="polite"></div>\n' + "\n".join(reactions)
    )


def _reaction(answer: dict[str, Any]) -> str:
    mark = "<b>✓</b>" if answer.get("correct") else "<b>✗ Not this one.</b>"
    return f"<p>{mark} {_inline(answer['feedback'])}</p>"


def _inline(text: str) -> str:
    """Escaped text, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
