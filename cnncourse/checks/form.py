"""How answers are read, compared and shown: what every form offers, and arrays and numbers.

Which exercise wants which form stands with the exercise. Keras models and answers that are drawn
at random have files of their own, ``architecture`` and ``draws``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from cnncourse.checks import guards
from cnncourse.tolerances import rounding

# A larger answer is wrong by its shape alone, and is not copied.
_TOO_MANY = 1_000_000
_SHOWN = 80


@dataclass(frozen=True)
class Reading:
    """An answer as the check understands it.

    Attributes:
        parts: the arrays, or a description of the layers; None if it cannot be read.
        complaint: why it cannot be read.
        remark: what is wrong with its type although its values can be compared.
        shown: the arrays as they were returned, where ``parts`` holds equally good ones.
    """

    parts: Any = None
    complaint: str = ""
    remark: str = ""
    shown: Any = None


class NoAnswer(Exception):
    """Raised by a form whose function returned None or a placeholder; holds what it returned."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer


def call(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """What a function returns.

    Raises:
        NoAnswer: it returned None, ``...`` or NotImplemented.
    """
    answer = function(*arguments)
    if answer is None or answer is Ellipsis or answer is NotImplemented:
        raise NoAnswer(answer)
    return answer


class Form(Protocol):
    """What the engine asks of a kind of answer.

    Attributes:
        repeatable: whether the same input gets the same answer every time.
        time_limit: seconds that the learner's code may take in all.
    """

    repeatable: bool
    time_limit: float

    def prepare(self) -> None:
        """Whatever must not count as the learner's time, such as the start of Keras."""

    def read(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Reading:
        """Call a function and understand its answer, or say why that does not work.

        Raises:
            NoAnswer: it returned nothing.
            BaseException: whatever the function raises.
        """

    def agree(self, mine: Reading, wanted: Reading) -> bool:
        """Whether two answers are equally good."""

    def numbers(self, reading: Reading) -> list[np.ndarray] | None:
        """The arrays of an answer; None where answers are no arrays, and ``explain`` says all."""

    def explain(self, mine: Reading, wanted: Reading, most: int) -> Difference:
        """How an answer differs from the wanted one, with ``most`` lines for each array."""


@dataclass(frozen=True)
class Difference:
    """How an answer differs from the wanted one.

    Attributes:
        text: the two, and the first place at which they differ.
        index: that place, where both have the same shape.
        shape: the shape of the two there.
    """

    text: str
    index: tuple[int, ...] = ()
    shape: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Values:
    """Answers made of numbers.

    Attributes:
        labels: one for each answer; several come as a tuple or a list.
        kind: ``"numbers"``, ``"whole"`` (Python or NumPy integers), ``"integers"`` (an array of
            whole numbers) or ``"float32"``.
        canonical: brings answers that are equally good into one form; takes the array and the
            arguments of the exercise.
    """

    labels: tuple[str, ...] = ("answer",)
    kind: str = "numbers"
    canonical: Callable[..., np.ndarray] | None = field(default=None)
    repeatable = True
    time_limit = guards.TIME_LIMIT

    def prepare(self) -> None:
        """Numbers need nothing before the clock starts."""

    def read(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Reading:
        """Call a function and make arrays of its answer, or say why that does not work."""
        return self.understand(call(function, arguments), arguments)

    def understand(self, answer: Any, arguments: Sequence[Any]) -> Reading:
        """Make arrays of an answer, or say why that does not work."""
        answers = [answer]
        if len(self.labels) > 1:
            if isinstance(answer, np.ndarray) and answer.ndim:
                answer = list(answer)
            if not isinstance(answer, tuple | list):
                return Reading(
                    complaint=f"It returned {describe(answer)}; wanted are {len(self.labels)} "
                    f"answers as a tuple: ({', '.join(self.labels)})."
                )
            if len(answer) != len(self.labels):
                return Reading(
                    complaint=f"It returned {counted(len(answer), 'answer')}; wanted are "
                    f"{len(self.labels)}: ({', '.join(self.labels)})."
                )
            answers = list(answer)
        parts, shown, remarks = [], [], []
        for label, one in zip(self.labels, answers, strict=True):
            array, complaint = _as_array(one)
            if array is None:
                return Reading(complaint=self._subject(label) + complaint)
            remark = self._remark(one, array)
            if remark:
                remarks.append(self._subject(label) + remark)
            shown.append(array)
            parts.append(array if self.canonical is None else self.canonical(array, *arguments))
        return Reading(parts, remark=remarks[0] if remarks else "", shown=shown)

    def agree(self, mine: Reading, wanted: Reading) -> bool:
        """Whether two answers are the same within the tolerance of the first one's dtype."""
        if mine.parts is None or wanted.parts is None or len(mine.parts) != len(wanted.parts):
            return False
        return all(alike(a, b) for a, b in zip(mine.parts, wanted.parts, strict=True))

    def numbers(self, reading: Reading) -> list[np.ndarray] | None:
        """The arrays of an answer."""
        return reading.parts

    def explain(self, mine: Reading, wanted: Reading, most: int) -> Difference:
        """Both answers, and the first index at which they differ; shapes first."""
        pairs = zip(mine.parts, wanted.parts, strict=True)
        place = next(place for place, pair in enumerate(pairs) if not alike(*pair))
        label = self.labels[place]
        a, b = mine.shown[place], wanted.shown[place]
        if a.shape != b.shape:
            empty = "" if a.size else " Yours is empty."
            lines = [f"The shapes differ: yours is {_shape(a)}, wanted is {_shape(b)}.{empty}"]
            shown = [show(f"Your {label}", a, most=most), show(f"Wanted {label}", b, most=most)]
            return Difference("\n".join(lines + shown))
        apart = ~close(mine.parts[place], wanted.parts[place])
        index = tuple(int(i) for i in np.argwhere(apart)[0])
        where = f"at index {index if len(index) > 1 else index[0]}: " if index else "here: "
        one, other = _numbers_apart(a[index], b[index])
        lines = [
            show(f"Your {label}", a, most=most, around=index),
            show(f"Wanted {label}", b, most=most, around=index),
            f"The first difference is {where}yours is {one}, wanted is {other}.",
        ]
        if np.isnan(a[index]):
            lines.append("NaN (not a number) comes from 0 / 0, inf - inf or a negative root.")
        return Difference("\n".join(lines), index, a.shape)

    def _subject(self, label: str) -> str:
        return "It returned " if len(self.labels) == 1 else f"Its answer `{label}` is "

    def _remark(self, answer: Any, array: np.ndarray) -> str:
        if array.dtype == bool:
            return "True or False; wanted are numbers."
        if self.kind == "whole" and not isinstance(answer, int | np.integer):
            return (
                f"{describe(answer)}; wanted is a whole number, an int. "
                "Division with / gives a float even when nothing is left over."
            )
        said = ""
        if self.kind == "integers" and array.size and array.dtype.kind not in "iu":
            said = "; wanted are integers, because they are counted."
        elif self.kind == "float32" and array.dtype != np.float32:
            said = "; wanted is float32, which is what a network computes in."
        elif array.dtype == np.float16:
            said = ", which keeps only three digits; wanted is float32 or float64."
        if not said:
            return ""
        kind = f"an array of dtype {array.dtype}" if array.ndim else f"{describe(array[()])}"
        return kind + said


def describe(thing: Any) -> str:
    """What an object is, in a few words that hold no address and no long text."""
    if thing is None or thing is Ellipsis:
        return repr(thing)
    kind = type(thing).__name__
    if isinstance(thing, bool | int | float | np.number | np.bool_):
        return f"{_cut(str(thing))} ({kind})"
    if isinstance(thing, str):
        return f"the text {_cut(repr(thing))}"
    if isinstance(thing, np.ndarray):
        return f"an array of shape {thing.shape}"
    if isinstance(thing, type):
        return f"the class {thing.__name__}"
    if isinstance(thing, tuple | list):
        return f"a {kind} of {counted(len(thing), 'entry', 'entries')}"
    if kind == "generator" and thing.gi_code.co_name == "<genexpr>":
        return (
            "a generator expression, which gives its items one by one and only when asked: "
            "write [… for …] with square brackets"
        )
    if kind == "generator":
        return "a generator: the function holds `yield` where `return` was wanted"
    if kind == "coroutine":
        thing.close()
        return "a coroutine: the function was defined with `async def` where `def` was wanted"
    if kind in {"function", "method", "builtin_function_or_method"}:
        return "a function: is a call missing its parentheses?"
    return f"an object of type {kind}"


def show(label: str, value: Any, *, most: int = 12, around: tuple[int, ...] = ()) -> str:
    """A value with its label: whole when it is small, else what lies around a place.

    Args:
        label: what to call it.
        value: anything; only arrays are cut.
        most: lines that it may fill.
        around: index of the place; the first entry if it says nothing.
    """
    if not isinstance(value, np.ndarray):
        return f"{label} = {_cut(' '.join(repr(value).split()))}"
    if value.ndim == 0:
        return f"{label} = {number(value[()])}"
    kind = f" ({value.dtype})" if value.dtype.kind in "iu" else ""
    if value.size == 0:
        return f"{label} = an empty array of shape {value.shape}"
    if value.ndim == 4 and value.shape[0] == value.shape[3] == 1:
        label, value = f"{label}[0, :, :, 0]", value[0, :, :, 0]
        around = around[1:3]
    if value.size <= _SHOWN:
        text = f"{label}{kind} = " + _array_text(value, f"{label}{kind} = ")
        if text.count("\n") < most:
            return text
    if most < 3:
        return f"{label}{kind}: an array of shape {value.shape}"
    window = _window(value.shape, around if len(around) == value.ndim else (0,) * value.ndim)
    said = ", ".join(
        f"{one.start}:{one.stop}" if isinstance(one, slice) else str(one) for one in window
    )
    head = f"{label}[{said}]{kind} = "
    return f"{head}{_array_text(value[window], head)}, of an array of shape {value.shape}"


def _window(shape: tuple[int, ...], around: tuple[int, ...]) -> tuple[int | slice, ...]:
    """Three rows and five columns around a place; of four axes, the two in the middle."""
    rank = len(shape)
    rows, columns = {1: (-1, 0), 4: (1, 2)}.get(rank, (rank - 2, rank - 1))
    window: list[int | slice] = list(around)
    for axis, reach in ((rows, 1), (columns, 2 if rank > 1 else 4)):
        if axis >= 0:
            first = max(min(around[axis] - reach, shape[axis] - 2 * reach - 1), 0)
            window[axis] = slice(first, min(first + 2 * reach + 1, shape[axis]))
    return tuple(window)


def _array_text(value: np.ndarray, prefix: str) -> str:
    if value.dtype.kind == "f":
        value = value + 0.0  # no minus before a zero
    return np.array2string(value, precision=4, suppress_small=True, separator=", ", prefix=prefix)


def _as_array(answer: Any) -> tuple[np.ndarray | None, str]:
    if answer is None or isinstance(answer, str | bytes | dict | set | frozenset | type):
        return None, f"{describe(answer)}; wanted are numbers."
    try:
        if not isinstance(answer, np.ndarray) and len(answer) > _TOO_MANY:
            return None, f"{len(answer)} entries long, far more than wanted."
    except Exception:  # noqa: BLE001 - no length, or one that the learner's object refuses
        pass
    if isinstance(answer, tuple) and _ragged(answer):
        shapes = " and ".join(str(np.shape(one)) for one in answer[:4])
        return (
            None,
            f"a tuple of {len(answer)} answers of the shapes {shapes}; wanted is one array.",
        )
    try:
        array = np.asarray(answer)
    except ValueError as error:
        if "inhomogeneous" in str(error):
            return None, "a list whose rows have different lengths, which is no array."
        return None, f"{describe(answer)}, which np.asarray cannot read: {_cut(str(error))}"
    except Exception as error:  # noqa: BLE001 - whatever the learner's object does
        return None, f"{describe(answer)}, which np.asarray cannot read: {_cut(str(error))}"
    if array.dtype.kind not in "biuf":
        if array.dtype == object and array.ndim == 0:
            return None, f"{describe(answer)}; wanted are numbers."
        return None, f"an array of dtype {array.dtype}; wanted are numbers."
    if array.size > _TOO_MANY:
        return np.broadcast_to(np.array(np.nan), array.shape), ""
    # A plain copy: a later call may write into the same memory.
    return np.array(array, subok=False), ""


def _ragged(answers: tuple[Any, ...]) -> bool:
    return any(isinstance(one, np.ndarray) and one.ndim for one in answers) and (
        len({np.shape(one) for one in answers if not isinstance(one, list | dict)}) > 1
    )


# Also an answer in float64 may have passed through float32 once, in Keras for example; in one of
# float32 each of many terms is rounded.
_FINE = rounding(np.float32(1), terms=100)
_COARSE = rounding(np.float32(1), terms=10_000)


def alike(mine: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether two arrays are the same within the tolerance of the first one's dtype."""
    if mine.shape != wanted.shape:
        return False
    return mine.size > _TOO_MANY or bool(close(mine, wanted).all())


def close(mine: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """For each number whether it is near enough."""
    coarse = mine.dtype.kind == "f" and mine.dtype.itemsize <= 4
    tolerance = _COARSE if coarse else _FINE
    a, b = mine.astype(float, copy=False), wanted.astype(float, copy=False)
    # As np.isclose with equal_nan, in a third of its time: hundreds of relations are tried. Nearly
    # all wanted numbers are finite, and then nothing but the distance is to be asked.
    finite = np.isfinite(b)
    plain = bool(finite.all())
    size = np.abs(b if plain else np.where(finite, b, 0.0))
    scale = max(float(size.max(initial=0.0)), 0.01)
    with np.errstate(invalid="ignore", over="ignore"):
        near: np.ndarray = np.abs(a - b) <= tolerance * (scale + size)
    if plain:
        return near
    result: np.ndarray = (finite & near) | (a == b) | (np.isnan(a) & np.isnan(b))
    return result


def number(value: Any) -> str:
    """A number in a few digits."""
    return f"{value:.5g}" if isinstance(value, float | np.floating) else str(value)


def _numbers_apart(mine: Any, wanted: Any) -> tuple[str, str]:
    """Both numbers, in as many digits as it takes to tell them apart."""
    one, other = number(mine), number(wanted)
    return (one, other) if one != other else (f"{mine:.9g}", f"{wanted:.9g}")


def _shape(array: np.ndarray) -> str:
    return str(array.shape) if array.ndim else "() (one number)"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number with its noun."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def _cut(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[:limit] + "…"
