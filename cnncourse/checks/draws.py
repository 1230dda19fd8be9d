"""How answers are judged that are drawn at random: by what many draws have in common.

An exercise brings an inspection, which calls the function as often as it needs and returns what
it found. Answers that are the same for everybody are read in ``form``.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cnncourse.checks import guards
from cnncourse.checks.form import Difference, Reading, Values, call


@dataclass(frozen=True)
class Findings:
    """What an inspection found.

    Attributes:
        named: each finding by a name that does not depend on the numbers drawn; empty when all
            is as wanted. Two answers are alike when these names are.
        example: one answer, shown.
        remark: what is wrong with the answer's type although its values are right.
    """

    named: dict[str, str] = field(default_factory=dict)
    example: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Seeded:
    """Stands for a fresh NumPy generator, so that an input can be shown, copied and compared."""

    seed: int

    def generator(self, draw: int) -> np.random.Generator:
        """The generator of the given draw; the first one is that of the seed itself."""
        return np.random.default_rng(self.seed + draw)

    def __repr__(self) -> str:
        return f"np.random.default_rng({self.seed})"


@dataclass(frozen=True)
class Draws:
    """Answers of which only the properties are fixed.

    Attributes:
        inspect: takes a caller and the arguments of the exercise; the caller is called like the
            learner's function and gives the arrays that it returned.
        labels: one for each answer; several come as a tuple or a list.
        kind_of_values: the ``kind`` of :class:`~cnncourse.checks.form.Values`.
    """

    inspect: Callable[..., Findings]
    labels: tuple[str, ...] = ("answer",)
    kind_of_values: str = "numbers"
    repeatable = False
    time_limit = guards.TIME_LIMIT

    def prepare(self) -> None:
        """Draws need nothing before the clock starts."""

    def read(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Reading:
        """Let the inspection call the function; Python's and NumPy's global draws stay as found."""
        caller = Caller(function, Values(self.labels, self.kind_of_values), arguments)
        python, numpy = random.getstate(), np.random.get_state()
        try:
            found = self.inspect(caller, *arguments)
        except _Unusable as unusable:
            return unusable.reading
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
        return Reading(found, remark=found.remark or caller.remark)

    def agree(self, mine: Reading, wanted: Reading) -> bool:
        """Whether the same things were found."""
        if mine.parts is None or wanted.parts is None:
            return False
        return mine.parts.named.keys() == wanted.parts.named.keys()

    def numbers(self, reading: Reading) -> list[np.ndarray] | None:
        """None: what the inspection found says all."""
        return None

    def explain(self, mine: Reading, wanted: Reading, most: int) -> Difference:
        """What was found, and one answer."""
        found = [*mine.parts.named.values(), mine.parts.example]
        return Difference("\n".join(one for one in found if one))


class Caller:
    """A function that is called many times, and watched meanwhile.

    Attributes:
        touched: whether a call drew from, or set, a global random state.
        remark: of the first answer that had one.
    """

    def __init__(self, function: Callable[..., Any], form: Values, arguments: Sequence[Any]):
        self._function = function
        self._form = form
        self._arguments = arguments
        self._calls = 0
        self.touched = False
        self.remark = ""

    def __call__(self, *arguments: Any) -> list[np.ndarray]:
        """The arrays of one answer. The global states differ from call to call."""
        self._calls += 1
        random.seed(self._calls)
        np.random.seed(self._calls)
        answer = call(self._function, arguments)
        # What comes next tells whether anything was drawn or set; NumPy takes long to copy a state.
        drawn = random.random(), np.random.random_sample()
        self.touched = self.touched or drawn != _first_draws(self._calls)
        reading = self._form.understand(answer, self._arguments)
        if reading.complaint:
            raise _Unusable(reading)
        self.remark = self.remark or reading.remark
        return reading.parts


class _Unusable(Exception):
    """Ends an inspection with an answer that cannot be inspected."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self.reading = reading


@functools.cache
def _first_draws(seed: int) -> tuple[float, float]:
    """What Python's and NumPy's global states give first after this seed."""
    return random.Random(seed).random(), float(np.random.RandomState(seed).random_sample())
