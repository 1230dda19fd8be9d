"""How answers are read, compared and shown: arrays and whole numbers.

Which exercise wants which form stands with the exercise; Keras models have a file of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cnncourse.checks import guards

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
    """

    parts: Any = None
    complaint: str = ""
    remark: str = ""


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

    def as_candidate(self, wrong: Callable[..., Any]) -> Callable[..., Any]:
        """A wrong implementation as a learner would hand it in: here it is that already."""
        return wrong

    def ask(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        """The answer of a function: here one call gives it."""
        return function(*arguments)

    def read(self, answer: Any, arguments: Sequence[Any]) -> Reading:
        """Make arrays of an answer, or say why that does not work."""
        answers = [answer]
        if len(self.labels) > 1:
            if not isinstance(answer, tuple | list):
                return Reading(
                    complaint=f"It returned {describe(answer)}; wanted are {len(self.labels)} "
                    f"answers as a tuple: ({', '.join(self.labels)})."
                )
            if len(answer) != len(self.labels):
                return Reading(
                    complaint=f"It returned {_counted(len(answer), 'answer')}; wanted are "
                    f"{len(self.labels)}: ({', '.join(self.labels)})."
                )
            answers = list(answer)
        parts, remarks = [], []
        for label, one in zip(self.labels, answers, strict=True):
            array, complaint = _as_array(one)
            if array is None:
                return Reading(complaint=self._subject(label) + complaint)
            remark = self._remark(one, array)
            if remark:
                remarks.append(self._subject(label) + remark)
            if self.canonical is not None:
                array = self.canonical(array, *arguments)
            parts.append(array)
        return Reading(parts, remark=remarks[0] if remarks else "")

    def agree(self, mine: Reading, wanted: Reading) -> bool:
        """Whether two answers are the same within the tolerance of the first one's dtype."""
        if mine.parts is None or wanted.parts is None or len(mine.parts) != len(wanted.parts):
            return False
        return all(_alike(a, b) for a, b in zip(mine.parts, wanted.parts, strict=True))

    def explain(self, mine: Reading, wanted: Reading) -> str:
        """Both answers, and the first index at which they differ."""
        lines = []
        for label, a, b in zip(self.labels, mine.parts, wanted.parts, strict=True):
            if _alike(a, b):
                continue
            lines.append(show(f"Your {label}", a))
            lines.append(show(f"Wanted {label}", b))
            if a.shape != b.shape:
                lines.append(
                    f"The shapes differ: yours is {_shape(a)}, wanted is {_shape(b)}."
                    + ("" if a.size else " Yours is empty.")
                )
                break
            index = tuple(int(i) for i in np.argwhere(~_close(a, b))[0])
            place = f"at index {index if len(index) > 1 else index[0]}: " if index else "here: "
            lines.append(
                f"The first difference is {place}yours is {_number(a[index])}, "
                f"wanted is {_number(b[index])}."
            )
            if np.isnan(a[index]):
                lines.append("NaN (not a number) comes from 0 / 0, inf - inf or a negative root.")
            break
        return "\n".join(lines)

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
        if self.kind == "integers" and array.size and array.dtype.kind not in "iu":
            return f"of dtype {array.dtype}; wanted are integers, because they are counted."
        if self.kind == "float32" and array.dtype != np.float32:
            return (
                f"of dtype {array.dtype}; wanted is float32, which is what a network computes in."
            )
        if array.dtype == np.float16:
            return "of dtype float16, which keeps only three digits; wanted is float32 or float64."
        return ""


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
    if kind == "generator":
        return "a generator: the function holds `yield` where `return` was wanted"
    if kind == "coroutine":
        thing.close()
        return "a coroutine: the function was defined with `async def` where `def` was wanted"
    if kind in {"function", "method", "builtin_function_or_method"}:
        return "a function: is a call missing its parentheses?"
    return f"an object of type {kind}"


def show(label: str, value: Any) -> str:
    """A value with its label, whole when it is small."""
    if not isinstance(value, np.ndarray):
        return f"{label} = {_cut(repr(value))}"
    if value.ndim == 0:
        return f"{label} = {_number(value[()])}"
    integer = f" ({value.dtype})" if value.dtype.kind in "iu" else ""
    if value.size > _SHOWN:
        return f"{label}{integer}: an array of shape {value.shape}"
    if value.ndim == 4 and value.shape[0] == value.shape[3] == 1:
        label, value = f"{label}[0, :, :, 0]", value[0, :, :, 0]
    if value.size == 0:
        return f"{label} = an empty array of shape {value.shape}"
    text = np.array2string(
        value, precision=4, suppress_small=True, separator=", ", prefix=f"{label}{integer} = "
    )
    return f"{label}{integer} = {text}"


def _as_array(answer: Any) -> tuple[np.ndarray | None, str]:
    if answer is None or isinstance(answer, str | bytes | dict | set | frozenset | type):
        return None, f"{describe(answer)}; wanted are numbers."
    try:
        if not isinstance(answer, np.ndarray) and len(answer) > _TOO_MANY:
            return None, f"{len(answer)} entries long, far more than wanted."
    except Exception:  # noqa: BLE001 - no length, or one that the learner's object refuses
        pass
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


def _alike(mine: np.ndarray, wanted: np.ndarray) -> bool:
    if mine.shape != wanted.shape:
        return False
    return mine.size > _TOO_MANY or bool(_close(mine, wanted).all())


def _close(mine: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    coarse = mine.dtype.kind == "f" and mine.dtype.itemsize <= 4
    tolerance = 1e-4 if coarse else 1e-5
    a, b = mine.astype(float), wanted.astype(float)
    finite = np.abs(b[np.isfinite(b)])
    scale = max(float(finite.max()) if finite.size else 0.0, 0.01)
    return np.isclose(a, b, rtol=tolerance, atol=tolerance * scale, equal_nan=True)


def _number(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float | np.floating) else str(value)


def _shape(array: np.ndarray) -> str:
    return str(array.shape) if array.ndim else "() (one number)"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _cut(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[:limit] + "…"
