"""What an unforeseen wrong answer has in common with the wanted one.

Two kinds of relation are tried, both in general and for no exercise in particular: the answer is
some function of the wanted answer (its half, its transpose, its whole part), or it is what the
right function gives for other arguments (one ignored, two exchanged). A relation counts when it
holds on every input on which the answer is wrong. Under which condition an answer is wrong stands
in ``conditions``.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, TypeVarTuple

import numpy as np

from cnncourse.checks.form import alike, close, number

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")
_Fixed = TypeVarTuple("_Fixed")

Case = tuple[Any, ...]

AXES = {
    "b": "images",
    "n": "images",
    "m": "images",
    "h": "rows",
    "w": "columns",
    "p": "rows",
    "q": "columns",
    "y": "rows of the kernel",
    "x": "columns of the kernel",
    "c": "channels",
    "f": "filters",
    "k": "classes",
    "s": "statements",
    "e": "entries",
    "l": "entries",
}
"""What the letters stand for with which a bank names the axes of an array.

One that counts images says so only where :func:`in_words` finds that images lie along it.
"""

# Letters that count images, and those of the axes by which an array holds images or their scores.
_COUNTING = "bnm"
_OF_AN_IMAGE = "hwk"

# Wrong inputs that there must be before one of them may be an exception.
_MANY = 4

# Lengths that there must be before it is no chance that something else is always as long.
_LENGTHS = 3

# Hundreds of relations are tried: one that fits says something only if it might well not have
# fitted. So many bits of wrong numbers must agree with it, and more where a factor was fitted.
_ENOUGH = 16.0
_ENOUGH_WITH_A_FACTOR = 32.0
_BITS_OF_A_FRACTION = 12.0

# How often a bound that somebody wrote into the code must show, and how large it is at least.
_BOUNDED = 2
_ROUND = 10


@dataclass(frozen=True)
class Tried:
    """One input, the answer to it, and the wanted one; each answer is a list of arrays."""

    case: Case
    mine: list[np.ndarray]
    wanted: list[np.ndarray]
    right: bool


@dataclass(frozen=True)
class Finding:
    """Something that has been found to hold.

    Attributes:
        kind: ``"relation"``, ``"condition"`` or ``"part"``.
        text: says it in a sentence.
        everywhere: whether it accounts for the right answers, too, so that no condition is open.
    """

    kind: str
    text: str
    everywhere: bool = False


@dataclass(frozen=True)
class _Relation:
    """``holds`` takes an answer, the wanted one and the arguments.

    A relation of a part of the numbers alone has ``explained``: those that it explains, and what
    was wanted in their places.
    """

    text: str
    holds: Callable[[np.ndarray, np.ndarray, Case], bool]
    explained: Callable[[np.ndarray, np.ndarray, Case], tuple[np.ndarray, np.ndarray]] | None = None


@dataclass(frozen=True)
class Setting:
    """What relations need to know of an exercise."""

    reference: Callable[[Case], list[np.ndarray] | None]
    arguments: tuple[str, ...]
    labels: tuple[str, ...]
    axes: Mapping[str, str]
    inputs: tuple[Case, ...]
    part: int | None = None
    """The part of the answer that is asked for alone; None for all of it."""


def in_words(setting: Setting, letter: str) -> str:
    """What stands along the axes with a letter: images only if an array holds them that way."""
    if letter in _COUNTING and not any(
        letter in letters and set(letters) & set(_OF_AN_IMAGE) for letters in setting.axes.values()
    ):
        return "entries"
    return AXES[letter]


def axes_in_words(setting: Setting, name: str, rank: int) -> list[str]:
    """What stands along each axis of an array, by the axes that are declared for that one."""
    letters = setting.axes.get(name, "")
    if len(letters) == rank:
        return [in_words(setting, letter) for letter in letters]
    return [f"entries along axis {axis}" for axis in range(rank)]


def fix(function: Callable[[_Given, *_Fixed], _Made], *fixed: *_Fixed) -> Callable[[_Given], _Made]:
    """A function of its first argument alone: the others, a loop's variables, stay as they are."""
    return lambda given: function(given, *fixed)


_OfAPair = TypeVar("_OfAPair")


def _fix_last(
    function: Callable[[np.ndarray, np.ndarray, Case, *_Fixed], _OfAPair], *fixed: *_Fixed
) -> Callable[[np.ndarray, np.ndarray, Case], _OfAPair]:
    """A function of an answer, the wanted one and the arguments alone; see :func:`fix`."""
    return lambda mine, wanted, case: function(mine, wanted, case, *fixed)


class Seen:
    """What the reference answers to inputs with a changed argument, each asked only once.

    Searches in the same answers, and in parts of them, share it; their inputs stay alive for as
    long. Many changes come to the same: along an axis of length 1 nothing can be exchanged.
    """

    def __init__(self) -> None:
        self._by_change: dict[tuple[str, int], list[np.ndarray] | None] = {}
        # With what was asked, so that it stays alive and no other object gets its identity.
        self._by_content: dict[Hashable, tuple[Case, list[np.ndarray] | None]] = {}

    def inputs(self) -> set[int]:
        """The identities of the inputs that have been changed before."""
        return {place for _, place in self._by_change}

    def answer(
        self, setting: Setting, text: str, change: Callable[[Case], Case], case: Case
    ) -> list[np.ndarray] | None:
        """What the reference answers to a changed input; None if it refuses, or nothing fits."""
        key = text, id(case)
        if key not in self._by_change:
            try:
                changed = change(case)
                content = _content(changed)
                if content not in self._by_content:
                    self._by_content[content] = changed, setting.reference(changed)
                self._by_change[key] = self._by_content[content][1]
            except Exception:  # noqa: BLE001 - whatever the change or the reference does
                self._by_change[key] = None
        return self._by_change[key]


def _content(value: Any) -> Hashable:
    """Equal only for what no function can tell apart."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, tuple | list):
        return type(value), *map(_content, value)
    if isinstance(value, bool | int | float | str | np.generic):
        return type(value), repr(value)
    return id(value)


def find(setting: Setting, tried: Sequence[Tried], seen: Seen | None = None) -> Finding | None:
    """A relation that holds on every input on which the answer is wrong, the plainest first.

    Args:
        setting: the exercise.
        tried: the inputs on which there is an answer.
        seen: takes up what was computed, for a second search in the same answers.
    """
    return _find(setting, tried, 0, Seen() if seen is None else seen)


def find_but_for_one(
    setting: Setting, tried: Sequence[Tried], seen: Seen | None = None
) -> Finding | None:
    """A relation that holds on every wrong input but one: a type that wraps around may hide it."""
    wrong = sum(not one.right for one in tried)
    if wrong < _MANY:
        return None
    finding = _find(setting, tried, 1, Seen() if seen is None else seen)
    if finding is None:
        return None
    told = f"On all but one of the {wrong} inputs that come out wrong this holds. "
    return Finding(finding.kind, told + finding.text)


def _find(setting: Setting, tried: Sequence[Tried], spare: int, seen: Seen) -> Finding | None:
    """The first relation that fails on no more than ``spare`` wrong inputs."""
    wrong = [one for one in tried if not one.right]
    with np.errstate(all="ignore"):
        return (
            _other_order(setting, wrong)
            or _bounded(setting, tried)
            or _of_the_answers(setting, tried, spare, fitted=False)
            or _of_the_arguments(setting, tried, spare, seen)
            or _of_the_answers(setting, tried, spare, fitted=True)
            or _of_the_shapes(setting, wrong)
        )


def _all_but(spare: int, verdicts: Iterable[bool]) -> bool:
    """Whether no more than ``spare`` are False; asks for no more than it needs."""
    for verdict in verdicts:
        spare -= not verdict
        if spare < 0:
            return False
    return True


def _evidence(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """How many bits the wrong numbers of some answers hold: a class says less than a fraction."""
    bits, wrong = 0.0, []
    for mine, wanted in pairs:
        apart = ~close(mine, wanted) if mine.shape == wanted.shape else np.ones(mine.shape, bool)
        bits += (~apart).sum()  # that a number is right here and wrong there says something, too
        wrong.append(mine[apart].astype(float))
    values = np.concatenate([np.zeros(0), *wrong])
    values = values[np.isfinite(values)]
    whole = values == np.rint(values)
    spread = np.ptp(values) if values.size else 0.0
    bits += (~whole).sum() * _BITS_OF_A_FRACTION
    bits += whole.sum() * min(np.log2(2 + spread), _BITS_OF_A_FRACTION)
    return float(bits)


def is_evidence(wrong: Sequence[Tried]) -> bool:
    """Whether the wrong answers hold enough for one of many relations not to fit by chance."""
    pairs = [pair for one in wrong for pair in zip(one.mine, one.wanted, strict=False)]
    return _evidence(pairs) >= _ENOUGH


# --- The answer as a function of the wanted one ------------------------------------------------


def _other_order(setting: Setting, wrong: Sequence[Tried]) -> Finding | None:
    places = range(len(setting.labels))
    if not is_evidence(wrong):
        return None
    for order in itertools.permutations(places):
        if order == tuple(places):
            continue
        if all(
            len(one.mine) == len(order)
            and all(alike(one.mine[i], one.wanted[j]) for i, j in enumerate(order))
            for one in wrong
        ):
            mine = ", ".join(f"`{setting.labels[j]}`" for j in order)
            wanted = ", ".join(f"`{label}`" for label in setting.labels)
            return Finding(
                "relation",
                f"The answers come in another order: yours are what {mine} should be, in this "
                f"order; wanted are {wanted}.",
                everywhere=True,
            )
    return None


def _bounded(setting: Setting, tried: Sequence[Tried]) -> Finding | None:
    """A round number that is written into the code, where a bound of the input should stand.

    It shows in few answers, and says much all the same: it occurs in no input.
    """
    if len(setting.labels) != 1 or any(one.mine[0].shape != one.wanted[0].shape for one in tried):
        return None
    mine = np.concatenate([one.mine[0].astype(float).ravel() for one in tried])
    wanted = np.concatenate([one.wanted[0].astype(float).ravel() for one in tried])
    apart = np.concatenate([~close(one.mine[0], one.wanted[0]).ravel() for one in tried])
    bound = mine[apart][0] if apart.any() else 0.0
    if (
        apart.sum() < _BOUNDED
        or not (mine[apart] == bound).all()
        or not np.isfinite(bound)
        or bound != np.rint(bound)
        or abs(bound) < _ROUND
        or any(np.any(np.asarray(value) == bound) for one in tried for value in one.case)
    ):
        return None
    for told, beyond in (("below", wanted < bound), ("above", wanted > bound)):
        if (beyond == apart).all():
            return Finding(
                "relation",
                f"What should be {told} {number(bound)} comes out as {number(bound)}, a number "
                "that stands in no input.",
                everywhere=True,
            )
    return None


def _of_the_shapes(setting: Setting, wrong: Sequence[Tried]) -> Finding | None:
    """An axis that is always as long as something that the inputs say, where it should not be."""
    for place, label in enumerate(setting.labels):
        shapes = [(one.mine[place].shape, one.wanted[place].shape, one.case) for one in wrong]
        if len({len(shape) for pair in shapes for shape in pair[:2]}) != 1:
            continue
        for axis in range(len(shapes[0][0])):
            mine = [(own[axis], case) for own, _, case in shapes]
            wanted = [(right[axis], case) for _, right, case in shapes]
            lengths = [length for length, _ in mine]
            if len(set(lengths)) < _LENGTHS or lengths == [length for length, _ in wanted]:
                continue
            told, should = _length_in_words(setting, mine), _length_in_words(setting, wanted)
            if told == should:  # of two arrays
                nameless = replace(setting, axes={})
                told, should = (_length_in_words(nameless, one) for one in (mine, wanted))
            if told and should:
                subject = f"`{label}`" if len(setting.labels) > 1 else "your answer"
                return Finding(
                    "relation",
                    f"Along axis {axis} {subject} is as long as {told}; wanted is {should}.",
                )
    return None


def _length_in_words(setting: Setting, lengths: Sequence[tuple[int, Case]]) -> str:
    """What the inputs say that has these lengths, each with its input; empty if nothing."""
    for text, value in _quantities(setting, lengths[0][1]):
        with contextlib.suppress(AttributeError, IndexError, TypeError):
            if all(value(case) == length for length, case in lengths):
                return text
    return ""


def _of_the_answers(
    setting: Setting, tried: Sequence[Tried], spare: int, *, fitted: bool
) -> Finding | None:
    """A relation for each part that is wrong anywhere, or for as many as have one."""
    sentences, unexplained, right, everywhere = [], [], [], True
    for place, label in enumerate(setting.labels):
        pairs = [(one.mine[place], one.wanted[place], one.case) for one in tried]
        wrong = [pair for pair in pairs if not alike(pair[0], pair[1])]
        if not wrong:
            right.append(label)
            continue
        relation = _relation(wrong, setting, label, spare, fitted)
        if relation is None:
            unexplained.append(label)
            continue
        holds = all(_holds(relation, pair) for pair in pairs)
        everywhere = everywhere and holds
        subject = f"`{label}`: " if len(setting.labels) > 1 else ""
        where = "" if holds else "On the inputs on which it is wrong: "
        sentences.append(f"{subject}{where}{_small(relation.text) if where else relation.text}")
    if not sentences or (unexplained and not fitted):
        return None
    for labels, said in ((unexplained, "wrong, too"), (right, "right")):
        sentences += verdict_on(labels, said)
    return Finding("relation", "\n".join(sentences), everywhere and not unexplained)


def verdict_on(labels: Sequence[str], said: str) -> list[str]:
    """A sentence on parts of an answer, if there are any."""
    return [f"{_listed(labels)} {'is' if len(labels) == 1 else 'are'} {said}."] if labels else []


def of_part(setting: Setting, number: int) -> Setting:
    """The same exercise, asked for one part of its answer alone."""
    return replace(setting, labels=setting.labels[number : number + 1], part=number)


def _listed(labels: Sequence[str]) -> str:
    named = [f"`{label}`" for label in labels]
    return named[0] if len(named) == 1 else ", ".join(named[:-1]) + f" and {named[-1]}"


_Pairs = Sequence[tuple[np.ndarray, np.ndarray, Case]]


def _relation(
    pairs: _Pairs, setting: Setting, label: str, spare: int, fitted: bool
) -> _Relation | None:
    """The first relation that holds for all pairs of an answer and the wanted one."""
    # The largest answer tells most relations apart, and fits their factors best.
    pairs = sorted(pairs, key=lambda pair: -max(pair[0].size, pair[1].size))
    evidence = _evidence([(a, b) for a, b, _ in pairs])
    if evidence < (_ENOUGH_WITH_A_FACTOR if fitted else _ENOUGH):
        return None
    makers = [_fitted] if fitted else [_plain, _laid_out, _reduced, _moved, _cut_elsewhere]
    for maker in makers:
        for mine, wanted, case in pairs[: 1 + spare if fitted else 1]:
            for relation in maker(mine, wanted, case, setting, label):
                if _all_but(spare, (_holds(relation, pair) for pair in pairs)) and (
                    relation.explained is None or _explains(relation.explained, pairs)
                ):
                    return relation
    return None


def _explains(
    explained: Callable[[np.ndarray, np.ndarray, Case], tuple[np.ndarray, np.ndarray]],
    pairs: _Pairs,
) -> bool:
    """Whether the numbers that a relation explains are enough, and more than a few of the inputs'.

    An answer may be so small that nothing of it is left to be explained.
    """
    parts = [explained(*pair) for pair in pairs]
    filled = sum(mine.size > 0 for mine, _ in parts)
    return filled > len(parts) / 2 and _evidence(parts) >= _ENOUGH


def _holds(relation: _Relation, pair: tuple[np.ndarray, np.ndarray, Case]) -> bool:
    try:
        return relation.holds(*pair)
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError):
        return False  # another input has other axes


def _equals(change: Callable[[np.ndarray], Any]) -> Callable[[np.ndarray, np.ndarray, Case], bool]:
    """Whether an answer is the wanted one, changed."""

    def holds(mine: np.ndarray, wanted: np.ndarray, _: Case) -> bool:
        return alike(mine, np.asarray(change(wanted)))

    return holds


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.trunc(np.nan_to_num(values)) % 256.0


_PLAIN: tuple[tuple[str, Callable[[np.ndarray], Any]], ...] = (
    ("Each number has the other sign.", lambda w: -w),
    ("Each number has lost its sign.", np.abs),
    ("What should be negative comes out as 0.", lambda w: np.maximum(w, 0)),
    ("What should be positive comes out as 0.", lambda w: np.minimum(w, 0)),
    ("Each number is the wanted one without its fraction.", np.trunc),
    ("Each number is the wanted one rounded down.", np.floor),
    ("Each number is the wanted one rounded to a whole one.", np.rint),
    ("Each number is the wanted one rounded up.", np.ceil),
    ("Each number is cut to the range from 0 to 255.", lambda w: np.clip(w, 0, 255)),
    (
        "Each number is cut to the range from 0 to 255, without its fraction.",
        lambda w: np.trunc(np.clip(w, 0, 255)),
    ),
    (
        "Each number is the wanted one as uint8 holds it: without a fraction, and beyond 255 or "
        "below 0 it wraps around.",
        _bytes,
    ),
    ("What should be above 1 comes out as 1.", lambda w: np.minimum(w, 1)),
    ("Each number is cut to the range from 0 to 1.", lambda w: np.clip(w, 0, 1)),
    ("Each number is the wanted one squared.", np.square),
    ("Each number is the root of the wanted one.", np.sqrt),
    ("Each number is 1 divided by the wanted one.", lambda w: 1 / w),
    ("Each number is 1 divided by the root of the wanted one.", lambda w: 1 / np.sqrt(w)),
    ("Each number is 1 less the wanted one.", lambda w: 1 - w),
    ("Each number is the exponential of the wanted one.", np.exp),
    ("Each number is the exponential of minus the wanted one.", lambda w: np.exp(-w)),
    ("Each number is the logarithm of the wanted one.", np.log),
    ("Each number is minus the logarithm of the wanted one.", lambda w: -np.log(w)),
    ("Only the sign of each number is left.", np.sign),
    ("Each number is 1 where the wanted one is above 0, and else 0.", lambda w: (w > 0) * 1),
    ("All numbers are the mean of the wanted ones.", lambda w: np.full(w.shape, w.mean())),
    ("Each number is the wanted one divided by the largest of them.", lambda w: w / w.max()),
    (
        "Each number is the wanted one divided by the largest of them, without its sign.",
        lambda w: w / np.abs(w).max(),
    ),
    ("Each number is the wanted one divided by the sum of all.", lambda w: w / w.sum()),
    (
        "Each number is the wanted one divided by the root of the sum of all squares.",
        lambda w: w / np.sqrt((w**2).sum()),
    ),
    ("Each number is the wanted one less the mean of all.", lambda w: w - w.mean()),
    ("Each number is the wanted one less the smallest of all.", lambda w: w - w.min()),
    (
        "Each number is the wanted one, squeezed between 0 and 1.",
        lambda w: (w - w.min()) / (w.max() - w.min()),
    ),
    ("The right numbers, but each with all those before it added.", lambda w: np.cumsum(w, axis=0)),
    ("The right numbers, but sorted, the smallest first.", lambda w: np.sort(w, axis=0)),
    (
        "A softmax of the wanted numbers came out.",
        lambda w: (
            np.exp(w - w.max(-1, keepdims=True))
            / np.exp(w - w.max(-1, keepdims=True)).sum(-1, keepdims=True)
        ),
    ),
)


def _plain(
    mine: np.ndarray, wanted: np.ndarray, case: Case, setting: Setting, label: str
) -> Iterator[_Relation]:
    """Changes of each number that need no factor."""
    if mine.shape != wanted.shape:
        return
    for text, change in _PLAIN:
        yield _Relation(text, _equals(change))


def _laid_out(
    mine: np.ndarray, wanted: np.ndarray, case: Case, setting: Setting, label: str
) -> Iterator[_Relation]:
    """The right numbers in other places: axes exchanged, added, lost; entries moved or missing."""
    rank = wanted.ndim
    names = axes_in_words(setting, label, rank)
    if mine.ndim == rank:
        for order in itertools.permutations(range(rank)):
            if order != tuple(range(rank)):
                moved = [axis for axis in range(rank) if order[axis] != axis]
                if len(moved) == 2:
                    text = f"{names[moved[0]].capitalize()} and {names[moved[1]]} are exchanged."
                else:
                    text = f"The axes are ({', '.join(names[axis] for axis in order)})."
                yield _Relation(
                    f"The right numbers, but {_small(text)}",
                    _equals(fix(lambda w, order: w.transpose(order), order)),
                )
        for axes in _subsets(range(rank)):
            told = " and the ".join(names[axis] for axis in axes)
            yield _Relation(
                f"The right numbers, but the {told} come in reverse order.",
                _equals(fix(lambda w, axes: np.flip(w, axes), axes)),
            )
            for step, ends in ((1, "the last comes first"), (-1, "the first comes last")):
                yield _Relation(
                    f"The right numbers, but the {told} are moved by one place: {ends}.",
                    _equals(
                        fix(lambda w, axes, step: np.roll(w, [step] * len(axes), axes), axes, step)
                    ),
                )
            for front, back, what in (
                (1, 0, "the first of the {} is missing"),
                (0, 1, "the last of the {} is missing"),
                (1, 1, "the first and the last of the {} are missing"),
            ):
                yield _Relation(
                    f"The right numbers, but {what.format(told)}.", _equals(_cut(axes, front, back))
                )
                added = what.replace("is missing", "is one too many").replace(
                    "are missing", "are too many"
                )
                yield _Relation(
                    f"The right numbers are there, but {added.format(told)}.",
                    _contains(_cut(axes, front, back)),
                )
            yield _Relation(
                f"Only the first of the {told} came out.",
                _equals(
                    fix(
                        lambda w, axes: w[
                            tuple(slice(0, 1) if a in axes else slice(None) for a in range(w.ndim))
                        ],
                        axes,
                    )
                ),
            )
            yield _Relation(
                f"Only every second of the {told} came out.",
                _equals(
                    fix(
                        lambda w, axes: w[
                            tuple(slice(None, None, 2 if a in axes else 1) for a in range(w.ndim))
                        ],
                        axes,
                    )
                ),
            )
    if mine.shape != wanted.shape and mine.size == wanted.size:
        for axis in range(rank + 1):
            yield _Relation(
                f"The right numbers, with an axis of length 1 too many (axis {axis}).",
                _equals(fix(lambda w, axis: np.expand_dims(w, axis), axis)),
            )
        yield _Relation("The right numbers, but all in one row.", _equals(np.ravel))
        yield _Relation(
            "The right numbers, but the axes of length 1 are lost.", _equals(np.squeeze)
        )
        yield _Relation(
            "The right numbers in the right order, but cut into another shape.",
            lambda m, w, _: m.size == w.size and alike(m.ravel(), w.ravel()),
        )
        yield _Relation(
            "The right numbers, but column by column in one row.",
            _equals(lambda w: w.ravel(order="F")),
        )
    if mine.size == wanted.size > 1:
        yield _Relation(
            "The right numbers, but not in their places.",
            lambda m, w, _: (
                m.size == w.size
                and w.size > 2
                and np.ptp(w) > 0
                and alike(np.sort(m, axis=None), np.sort(w, axis=None))
            ),
        )


def _small(text: str) -> str:
    return text[0].lower() + text[1:]


def _subsets(axes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for count in range(1, len(axes) + 1):
        yield from itertools.combinations(axes, count)


def _cut(axes: tuple[int, ...], front: int, back: int) -> Callable[[np.ndarray], np.ndarray]:
    def cut(values: np.ndarray) -> np.ndarray:
        return values[
            tuple(
                slice(front, values.shape[axis] - back) if axis in axes else slice(None)
                for axis in range(values.ndim)
            )
        ]

    return cut


def _contains(
    cut: Callable[[np.ndarray], np.ndarray],
) -> Callable[[np.ndarray, np.ndarray, Case], bool]:
    return lambda mine, wanted, _: mine.ndim == wanted.ndim and alike(cut(mine), wanted)


# Beside which axis of a kernel an axis of an answer lies.
_BESIDE = {"h": "y", "p": "y", "w": "x", "q": "x"}

_Distance = Callable[[Case], int]


def _distances(setting: Setting, letter: str) -> Iterator[tuple[str, _Distance]]:
    """How far the places along an axis may be off: by one, or by half of a kernel."""
    yield "one place", lambda case: 1
    for place, name in enumerate(setting.arguments):
        letters = setting.axes.get(name, "")
        beside = letters.find(_BESIDE.get(letter, " "))
        if beside >= 0:
            for less, rounded in ((0, "rounded down"), (1, "less than half, where it is even")):
                yield (
                    f"half of the {AXES[letters[beside]]} ({rounded})",
                    fix(
                        lambda case, place, axis, less: (case[place].shape[axis] - less) // 2,
                        place,
                        beside,
                        less,
                    ),
                )


def _moved(
    mine: np.ndarray, wanted: np.ndarray, case: Case, setting: Setting, label: str
) -> Iterator[_Relation]:
    """The right numbers too early or too late; what comes in at the edge is none of them."""
    letters = setting.axes.get(label, "")
    if mine.shape != wanted.shape or len(letters) != wanted.ndim:
        return
    named = axes_in_words(setting, label, wanted.ndim)
    choices = [
        [(axis, told, far) for told, far in _distances(setting, letters[axis])]
        for axis in range(wanted.ndim)
        if letters[axis] in _BESIDE
    ]
    single = [(choice,) for choices_of_one in choices for choice in choices_of_one]
    for steps in (*single, *(itertools.product(*choices) if len(choices) > 1 else ())):
        told = " and ".join(f"the {named[axis]} by {told}" for axis, told, _ in steps)
        for way, which in ((1, "late"), (-1, "early")):
            yield _Relation(
                f"The right numbers, but they come too {which}: {told}; at the edge come others.",
                _fix_last(_is_moved, steps, way),
                _fix_last(_where_moved, steps, way),
            )


_Steps = tuple[tuple[int, str, _Distance], ...]


def _overlap(
    shape: tuple[int, ...], case: Case, steps: _Steps, way: int
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where the moved numbers stand, and where they should stand."""
    mine, wanted = [slice(None)] * len(shape), [slice(None)] * len(shape)
    for axis, _, far in steps:
        step = min(far(case), shape[axis])
        behind, before = slice(step, None), slice(0, shape[axis] - step)
        mine[axis], wanted[axis] = (behind, before) if way > 0 else (before, behind)
    return tuple(mine), tuple(wanted)


def _is_moved(mine: np.ndarray, wanted: np.ndarray, case: Case, steps: _Steps, way: int) -> bool:
    if mine.shape != wanted.shape:
        return False
    there, origin = _overlap(mine.shape, case, steps, way)
    return alike(mine[there], wanted[origin])


def _where_moved(
    mine: np.ndarray, wanted: np.ndarray, case: Case, steps: _Steps, way: int
) -> tuple[np.ndarray, np.ndarray]:
    there, _ = _overlap(mine.shape, case, steps, way)
    return mine[there], wanted[there]


# Which part of a longer axis a shorter one is: where it begins, by how much it is shorter.
_PARTS: tuple[tuple[str, str, Callable[[int], int]], ...] = (
    ("the first", "behind them", lambda rest: 0),
    ("the last", "before them", lambda rest: rest),
    ("the middle", "on both sides", lambda rest: rest // 2),
)


def _cut_elsewhere(
    mine: np.ndarray, wanted: np.ndarray, case: Case, setting: Setting, label: str
) -> Iterator[_Relation]:
    """A part of the wanted answer, or the wanted answer as a part of a larger one."""
    if mine.ndim != wanted.ndim:
        return
    named = axes_in_words(setting, label, wanted.ndim)
    apart = [axis for axis in range(mine.ndim) if mine.shape[axis] != wanted.shape[axis]]
    for parts in itertools.product(_PARTS, repeat=len(apart)):
        begins = {axis: part[2] for axis, part in zip(apart, parts, strict=True)}
        told = [(named[axis], *part[:2]) for axis, part in zip(apart, parts, strict=True)]
        missing = " and ".join(f"{which} of the {several}" for several, which, _ in told)
        more = " and ".join(f"{several} {where}" for several, _, where in told)
        for shorter, text in (
            (True, f"The right numbers, but only a part of them: {missing}."),
            (False, f"The right numbers are there, and more: {more}."),
        ):
            yield _Relation(
                text, _fix_last(_is_part, begins, shorter), _fix_last(_part, begins, shorter)
            )


_Begins = Mapping[int, Callable[[int], int]]


def _blocks(
    mine: np.ndarray, wanted: np.ndarray, begins: _Begins, shorter: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The shorter answer, and the block of the longer one that it should be."""
    part, whole = (mine, wanted) if shorter else (wanted, mine)
    block = tuple(
        slice(begin, begin + side)
        for axis, side in enumerate(part.shape)
        for begin in [begins[axis](whole.shape[axis] - side) if axis in begins else 0]
    )
    return part, whole[block]


def _is_part(mine: np.ndarray, wanted: np.ndarray, _: Case, begins: _Begins, shorter: bool) -> bool:
    part, whole = (mine, wanted) if shorter else (wanted, mine)
    if part.ndim != whole.ndim or part.shape == whole.shape:
        return False
    if any(
        side > long if axis in begins else side != long
        for axis, (side, long) in enumerate(zip(part.shape, whole.shape, strict=True))
    ):
        return False
    one, other = _blocks(mine, wanted, begins, shorter)
    return alike(one, other) if shorter else alike(other, one)


def _part(
    mine: np.ndarray, wanted: np.ndarray, _: Case, begins: _Begins, shorter: bool
) -> tuple[np.ndarray, np.ndarray]:
    one, other = _blocks(mine, wanted, begins, shorter)
    own = one if shorter else other
    return own, np.full(own.shape, np.nan)  # all of it tells something: the shapes differ


_REDUCTIONS: tuple[tuple[str, Callable[..., np.ndarray]], ...] = (
    ("averaged", np.mean),
    ("added up", np.sum),
    ("reduced to the largest", np.max),
    ("reduced to the smallest", np.min),
)


def _reduced(
    mine: np.ndarray, wanted: np.ndarray, case: Case, setting: Setting, label: str
) -> Iterator[_Relation]:
    """An axis gone, or all places along it alike."""
    rank = wanted.ndim
    named = axes_in_words(setting, label, rank)
    for axes in _subsets(range(rank)):
        told = " and the ".join(named[axis] for axis in axes)
        for done, reduce in _REDUCTIONS:
            for keep in (False, True):
                yield _Relation(
                    f"The wanted answer, but with the {told} {done}.",
                    _equals(
                        fix(
                            lambda w, axes, reduce, keep: reduce(w, axis=axes, keepdims=keep),
                            axes,
                            reduce,
                            keep,
                        )
                    ),
                )
            yield _Relation(
                f"The wanted answer, but with the {told} {done}, and each gets the same number.",
                _equals(
                    fix(
                        lambda w, axes, reduce: np.broadcast_to(
                            reduce(w, axis=axes, keepdims=True), w.shape
                        ),
                        axes,
                        reduce,
                    )
                ),
            )
        for end, name in ((0, "first"), (-1, "last")):
            yield _Relation(
                f"The wanted answer, but with the {name} of the {told} in place of all of them.",
                _equals(
                    fix(
                        lambda w, axes, end: np.broadcast_to(
                            w[tuple([end] if a in axes else slice(None) for a in range(w.ndim))],
                            w.shape,
                        ),
                        axes,
                        end,
                    )
                ),
            )
            if len(axes) == 1:
                yield _Relation(
                    f"Only the {name} of the {told} came out, and their axis is gone.",
                    _equals(fix(lambda w, axes, end: np.take(w, end, axis=axes[0]), axes, end)),
                )


_Joining = Callable[[np.ndarray, float], np.ndarray]


def _with_a_quantity(
    change: _Joining, value: Callable[[Case], float]
) -> Callable[[np.ndarray, np.ndarray, Case], bool]:
    """Whether an answer is the wanted one, changed by a quantity of its own input."""
    return lambda mine, wanted, case: alike(mine, np.asarray(change(wanted, value(case))))


def _fitted(
    mine: np.ndarray, wanted: np.ndarray, case: Case, setting: Setting, label: str
) -> Iterator[_Relation]:
    """One factor, one summand, or one bound for all numbers."""
    if mine.shape != wanted.shape or not mine.size:
        return
    m, w = mine.astype(float), wanted.astype(float)
    place = np.unravel_index(np.argmax(np.where(np.isfinite(w), np.abs(w), -1)), w.shape)
    factor, summand = m[place] / w[place], m[place] - w[place]
    if np.isfinite(factor) and factor not in (0, 1):
        yield _Relation(_times(factor), _equals(lambda w: factor * w))
    if np.isfinite(summand) and summand:
        more = "more" if summand > 0 else "less"
        yield _Relation(
            f"Each number is {number(abs(summand))} {more} than wanted.",
            _equals(lambda w: w + summand),
        )
    for text, value in _quantities(setting, case):
        amount = value(case)
        if not np.isfinite(amount):
            continue
        changes: tuple[tuple[str, _Joining], ...] = (
            (f"Each number is the wanted one times {text}.", lambda w, q: w * q),
            (f"Each number is the wanted one divided by {text}.", lambda w, q: w / q),
            (f"Each number is the wanted one plus {text}.", lambda w, q: w + q),
            (f"Each number is the wanted one less {text}.", lambda w, q: w - q),
            (f"Each number is {text} less the wanted one.", lambda w, q: q - w),
            (
                f"Each number is the wanted one times the square of {text}.",
                lambda w, q: w * q * q,
            ),
            (
                f"Each number is the wanted one divided by the square of {text}.",
                lambda w, q: w / q / q,
            ),
            (
                f"Each number is the wanted one times the root of {text}.",
                lambda w, q: w * np.sqrt(q),
            ),
            (
                f"Each number is the wanted one divided by the root of {text}.",
                lambda w, q: w / np.sqrt(q),
            ),
        )
        for told, change in changes:
            if alike(mine, np.asarray(change(wanted, amount))):
                yield _Relation(told, _with_a_quantity(change, value))
    top, bottom = m.max(), m.min()
    if (m == top).sum() > 1 and w.max() > top:
        yield _Relation(
            f"What should be above {number(top)} comes out as {number(top)}.",
            _equals(lambda w: np.minimum(w, top)),
        )
    if (m == bottom).sum() > 1 and w.min() < bottom:
        yield _Relation(
            f"What should be below {number(bottom)} comes out as {number(bottom)}.",
            _equals(lambda w: np.maximum(w, bottom)),
        )
    yield _Relation(
        "The right numbers times one factor, which changes from input to input.", _same_direction
    )


def _same_direction(mine: np.ndarray, wanted: np.ndarray, _: Case) -> bool:
    if mine.shape != wanted.shape or mine.size < 3:
        return False
    m, w = mine.astype(float).ravel(), wanted.astype(float).ravel()
    if not (np.isfinite(m).all() and np.isfinite(w).all()) or np.ptp(w) == 0:
        return False
    factor = (m @ w) / (w @ w)
    return bool(factor) and alike(mine, (factor * w).reshape(wanted.shape))


def _times(factor: float) -> str:
    minus = "minus " if factor < 0 else ""
    for told, size in (("times", abs(factor)), ("divided by", 1 / abs(factor))):
        whole = round(size)
        if 2 <= whole <= 1024 and np.isclose(size, whole, rtol=1e-5):
            return f"Each number is the wanted one {told} {minus}{whole}."
    return f"Each number is the wanted one times {number(factor)}."


def _quantities(setting: Setting, case: Case) -> Iterator[tuple[str, Callable[[Case], float]]]:
    """Single numbers that an input holds or has: arguments, lengths of axes, their products."""
    for place, (name, value) in enumerate(zip(setting.arguments, case, strict=True)):
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield f"`{name}`", fix(lambda case, place: float(case[place]), place)
            if isinstance(value, int):
                yield f"`{name} - 1`", fix(lambda case, place: float(case[place]) - 1, place)
                yield f"`{name} + 1`", fix(lambda case, place: float(case[place]) + 1, place)
            else:
                yield f"`1 - {name}`", fix(lambda case, place: 1 - float(case[place]), place)
        elif isinstance(value, np.ndarray) and value.ndim:
            letters = setting.axes.get(name, "")
            for axis in range(value.ndim):
                told = (
                    f"the number of {in_words(setting, letters[axis])}"
                    if len(letters) == value.ndim
                    else f"`{name}.shape[{axis}]`"
                )
                yield (
                    told,
                    fix(lambda case, place, axis: float(case[place].shape[axis]), place, axis),
                )
            if value.ndim > 1:
                yield (
                    f"`{name}.size`",
                    fix(lambda case, place: float(case[place].size), place),
                )
                axes = range(value.ndim if value.ndim > 2 else 0)
                for one, other in itertools.combinations(axes, 2):
                    yield (
                        f"`{name}.shape[{one}] * {name}.shape[{other}]`",
                        fix(
                            lambda case, place, one, other: float(
                                case[place].shape[one] * case[place].shape[other]
                            ),
                            place,
                            one,
                            other,
                        ),
                    )
                yield (
                    f"`{name}[..., 0].size`",
                    fix(lambda case, place: float(case[place][..., 0].size), place),
                )


# --- The right function with other arguments ---------------------------------------------------

_Change = tuple[str, Callable[[Case], Case]]


def _of_the_arguments(
    setting: Setting, tried: Sequence[Tried], spare: int, seen: Seen
) -> Finding | None:
    """An argument ignored, fixed, changed or exchanged for another one."""
    wrong = [one for one in tried if not one.right]
    if not is_evidence(wrong):
        return None
    # Inputs first for which the reference has answered already; of the others the largest, which
    # tells most changes apart.
    asked = seen.inputs()
    telling = sorted(
        wrong,
        key=lambda one: (id(one.case) not in asked, -max(part.size for part in one.wanted)),
    )
    others = [one for one in tried if one.right]
    holding: list[tuple[str, Callable[[Case], Case]]] = []

    for text, change in _changes(setting, telling):
        if not _all_but(spare, (_answers_as(setting, text, change, one, seen) for one in telling)):
            continue
        # One that holds where the answer is right, too, needs no condition.
        if all(_answers_as(setting, text, change, one, seen) for one in others):
            return Finding("relation", f"It answers as the right function would {text}.", True)
        holding.append((text, change))
    if holding:
        return Finding(
            "relation",
            "On the inputs on which it is wrong, it answers as the right function would "
            f"{holding[0][0]}.",
        )
    return None


def _answers_as(
    setting: Setting, text: str, change: Callable[[Case], Case], one: Tried, seen: Seen
) -> bool:
    made = seen.answer(setting, text, change, one.case)
    if made is not None and setting.part is not None:
        made = made[setting.part : setting.part + 1]
    return (
        made is not None
        and len(made) == len(one.mine)
        and all(alike(a, b) for a, b in zip(one.mine, made, strict=True))
    )


def _with(place: int, change: Callable[[Any], Any]) -> Callable[[Case], Case]:
    return lambda case: (*case[:place], change(case[place]), *case[place + 1 :])


def _changes(setting: Setting, wrong: Sequence[Tried]) -> Iterator[_Change]:
    case = wrong[0].case
    single: list[_Change] = []
    for place, name in enumerate(setting.arguments):
        for text, change in _of_one(setting, place, name, case[place]):
            single.append((text, _with(place, change)))
    yield from single
    for one, other in itertools.combinations(range(len(case)), 2):
        if type(case[one]) is type(case[other]) and not isinstance(case[one], str | bool):
            names = f"`{setting.arguments[one]}` and `{setting.arguments[other]}`"
            yield f"if {names} were exchanged", _exchange(one, other)
            for target, source in ((one, other), (other, one)):
                yield (
                    f"if `{setting.arguments[source]}` stood in the place of "
                    f"`{setting.arguments[target]}` as well",
                    fix(
                        lambda case, target, source: (
                            *case[:target],
                            case[source],
                            *case[target + 1 :],
                        ),
                        target,
                        source,
                    ),
                )
    constant = [
        (place, text, change)
        for place, name in enumerate(setting.arguments)
        for text, change in _constants(setting, place, name, case[place])
    ]
    for (one, text, change), (other, text2, change2) in itertools.combinations(constant, 2):
        if one < other:
            yield (
                f"{text}, and {text2.removeprefix('if ')}",
                _one_after_the_other(_with(one, change), _with(other, change2)),
            )


def _one_after_the_other(
    first: Callable[[Case], Case], second: Callable[[Case], Case]
) -> Callable[[Case], Case]:
    return lambda case: second(first(case))


def _exchange(one: int, other: int) -> Callable[[Case], Case]:
    def exchanged(case: Case) -> Case:
        given = list(case)
        given[one], given[other] = given[other], given[one]
        return tuple(given)

    return exchanged


def _constants(
    setting: Setting, place: int, name: str, value: Any
) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """A constant in the place of an argument, whatever it is."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "b":
            yield f"if `{name}` were True everywhere", np.ones_like
        else:
            for constant in (0, 1):
                yield (
                    f"if `{name}` were {constant} everywhere",
                    fix(lambda a, constant: np.full_like(a, constant), constant),
                )
        return
    if isinstance(value, bool | str | int | float):
        met = {case[place] for case in setting.inputs if isinstance(case[place], type(value))}
        common = sorted(met, key=str)[:8]
        if not isinstance(value, bool | str):
            common = [0, 1, 2, *(one for one in common if one not in (0, 1, 2))]
        for constant in common:
            yield (
                f"if `{name}` were always {constant!r}",
                fix(lambda _, constant: constant, constant),
            )


def _of_one(
    setting: Setting, place: int, name: str, value: Any
) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Changes of one argument."""
    yield from _constants(setting, place, name, value)
    if isinstance(value, bool):
        yield f"if True and False of `{name}` were exchanged", lambda b: not b
    elif isinstance(value, int | float):
        yield from _of_a_number(name, value)
    elif isinstance(value, np.ndarray):
        yield from _of_an_array(name, value, axes_in_words(setting, name, value.ndim))
    elif isinstance(value, list | tuple):
        yield from _of_a_list(name, value)


def _of_a_number(name: str, value: float) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    yield f"if `{name}` were 1 larger", lambda a: a + 1
    yield f"if `{name}` were 1 smaller", lambda a: a - 1
    yield f"if `{name}` were twice as large", lambda a: 2 * a
    yield f"if `{name}` were half as large", lambda a: a / 2
    yield f"if `{name}` were half as large, rounded down", lambda a: a // 2
    yield f"if `{name}` were squared", lambda a: a * a
    yield f"if the root of `{name}` were taken", lambda a: a**0.5
    yield f"if `{name}` had the other sign", lambda a: -a
    yield f"if `{name}` were cut to a whole number", lambda a: int(a)
    yield f"if `{name}` were rounded to a whole number", lambda a: round(a)
    if isinstance(value, float):  # of a count there is no rest
        yield f"if `1 - {name}` stood in the place of `{name}`", lambda a: 1 - a
        yield f"if `1 / {name}` stood in the place of `{name}`", lambda a: 1 / a


def _of_an_array(
    name: str, value: np.ndarray, named: Sequence[str]
) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    rank = value.ndim
    if value.dtype.kind == "b":
        yield f"if True and False of `{name}` were exchanged", np.logical_not
    for axes in _subsets(range(rank)):
        told = " and the ".join(named[axis] for axis in axes)
        yield (
            f"if the {told} of `{name}` came in reverse order",
            fix(lambda a, axes: np.flip(a, axes), axes),
        )
        if value.dtype.kind != "b":
            yield (
                f"if the {told} of `{name}` were averaged",
                fix(
                    lambda a, axes: np.broadcast_to(
                        a.mean(axis=axes, keepdims=True), a.shape
                    ).copy(),
                    axes,
                ),
            )
        for end, which in ((0, "first"), (-1, "last")):
            yield (
                f"if the {which} of the {told} of `{name}` stood for all of them",
                fix(
                    lambda a, axes, end: np.broadcast_to(
                        a[tuple([end] if axis in axes else slice(None) for axis in range(a.ndim))],
                        a.shape,
                    ).copy(),
                    axes,
                    end,
                ),
            )
        for front, back, which in ((1, 0, "first"), (0, 1, "last")):
            yield f"without the {which} of the {told} of `{name}`", _cut(axes, front, back)
        yield (
            f"with only the first of the {told} of `{name}`",
            fix(
                lambda a, axes: a[
                    tuple(slice(0, 1) if axis in axes else slice(None) for axis in range(a.ndim))
                ],
                axes,
            ),
        )
    for order in itertools.permutations(range(rank)):
        if order == tuple(range(rank)):
            continue
        moved = [axis for axis in range(rank) if order[axis] != axis]
        text = (
            f"if the {named[moved[0]]} and the {named[moved[1]]} of `{name}` were exchanged"
            if len(moved) == 2
            else f"if the axes of `{name}` stood in the order {order}"
        )
        yield text, fix(lambda a, order: a.transpose(order), order)
        yield (
            f"if `{name}` were laid out anew: its axes in the order {order}, in the old shape",
            fix(lambda a, order: a.transpose(order).reshape(a.shape), order),
        )
        yield (
            f"if `{name}` were laid out anew: reshaped as if its axes stood in the order {order}",
            fix(
                lambda a, order: a.reshape([a.shape[axis] for axis in order]).transpose(
                    np.argsort(order)
                ),
                order,
            ),
        )
    if value.dtype.kind == "b":
        return
    yield f"if `{name}` had the other sign", np.negative
    yield f"if `{name}` had no signs", np.abs
    yield f"if what is negative in `{name}` were 0", lambda a: np.maximum(a, 0)
    yield f"if `{name}` were cut to whole numbers", lambda a: np.trunc(a.astype(float))
    yield f"if `{name}` were rounded to whole numbers", lambda a: np.rint(a.astype(float))
    yield f"if `{name}` were twice as large", lambda a: a * 2.0
    yield f"if `{name}` were half as large", lambda a: a / 2.0
    yield f"if `{name}` were squared", lambda a: a.astype(float) ** 2
    yield f"if the root of `{name}` were taken", lambda a: np.sqrt(a.astype(float))
    yield f"if `{name}` were divided by 255", lambda a: a / 255
    yield f"if `1 / {name}` stood in the place of `{name}`", lambda a: 1 / a
    yield f"if `{name}` were 1 larger", lambda a: a + 1
    yield f"if `{name}` were 1 smaller", lambda a: a - 1
    if rank:
        yield f"if `{name}` were sorted", lambda a: np.sort(a, axis=0)
        yield f"if each entry of `{name}` counted once", lambda a: np.unique(a, axis=0)
    if rank > 1:
        yield (
            f"if `{name}` had its mean taken off",
            lambda a: a - a.mean(),
        )


def _of_a_list(name: str, value: Any) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    kind = type(value)
    yield f"if `{name}` came in reverse order", lambda a: a[::-1]
    yield f"without the first of `{name}`", lambda a: a[1:]
    yield f"without the last of `{name}`", lambda a: a[:-1]
    yield f"with only the first of `{name}`", lambda a: a[:1]
    yield f"with only the last of `{name}`", lambda a: a[-1:]
    for one, other in itertools.combinations(range(len(value)), 2):
        if len(value) <= 4:
            swap = _exchange(one, other)
            yield (
                f"if `{name}[{one}]` and `{name}[{other}]` were exchanged",
                fix(lambda a, swap: kind(swap(tuple(a))), swap),
            )
    if all(isinstance(entry, tuple) for entry in value):
        width = min((len(entry) for entry in value), default=0)
        yield (
            f"if the numbers of each pair in `{name}` were exchanged",
            lambda a: kind(entry[::-1] for entry in a),
        )
        for place in range(width):
            for constant in (0, 1, 2):
                yield (
                    f"if the number {place} of each entry of `{name}` were always {constant}",
                    fix(
                        lambda a, place, constant: kind(
                            (*entry[:place], constant, *entry[place + 1 :]) for entry in a
                        ),
                        place,
                        constant,
                    ),
                )
            for step, told in ((1, "larger"), (-1, "smaller")):
                yield (
                    f"if the number {place} of each entry of `{name}` were 1 {told}",
                    fix(
                        lambda a, place, step: kind(
                            (*entry[:place], entry[place] + step, *entry[place + 1 :])
                            for entry in a
                        ),
                        place,
                        step,
                    ),
                )
