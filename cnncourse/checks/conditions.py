"""Under which condition an answer is right, and which part of it is.

Properties of an input follow from the form of its arguments: its types, the lengths of its axes,
the values that it holds. "Right exactly when …" is said only after the property alone has been
changed in an input that came out wrong, and the answer has become right by that. What the wrong
answers have in common with the wanted ones stands in ``relations``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnncourse.checks.form import close
from cnncourse.checks.relations import Case, Finding, Setting, Tried, axes_in_words, fix, in_words

# How many inputs are changed to confirm a condition, and how many conditions are tried.
_CONFIRMED = 6
_CANDIDATES = 12

# What hardly any right input has is right by itself: that explains little. A share of them.
_TELLING = 1 / 3

# Right inputs that there must be before two properties together are said to make them right.
_EXAMPLES = 3

Probe = Callable[[Case], bool | None]
"""Whether the learner's answer to an input is right; None where nobody can say."""


@dataclass(frozen=True)
class Property:
    """Something that an input has or lacks.

    Attributes:
        has: says of an input that it has the property.
        lacks: says the opposite.
        of: whether an input has it.
        gain: gives an input that lacks it the property, and changes nothing else; None if that
            cannot be done.
        lose: takes it away from one that has it.
        control: changes an input in the same way as ``gain`` without giving it the property.
    """

    has: str
    lacks: str
    of: Callable[[Case], bool | np.bool_]
    gain: Callable[[Case], Case | None] | None = None
    lose: Callable[[Case], Case | None] | None = None
    control: Callable[[Case], Case | None] | None = None


def find(setting: Setting, tried: Sequence[Tried], probe: Probe) -> Finding | None:
    """A confirmed condition, or None."""
    right = [one.right for one in tried]
    if not any(right) or all(right):
        return None
    known = [(one, [_has(one, t.case) for t in tried]) for one in properties(setting)]
    exact = [one for one, held in known if held == right]
    one_sided = sorted(
        (
            (sum(good and not has for good, has in zip(right, held, strict=True)), number, one)
            for number, (one, held) in enumerate(known)
            if sum(held) >= _TELLING * sum(right)
            and any(held)
            and all(good for good, has in zip(right, held, strict=True) if has)
            and held != right
        ),
        key=lambda entry: entry[:2],
    )
    for one in exact[:_CANDIDATES]:
        if _gained(one, tried, probe) and not _kept(one, tried, probe):
            return Finding(
                "condition",
                f"Right exactly when {one.has}; confirmed by changing that alone in the input "
                "below, which came out right then.",
            )
    for _, _, one in one_sided[:_CANDIDATES]:
        if _gained(one, tried, probe):
            return Finding(
                "condition",
                f"Wrong only when {one.lacks}; confirmed by changing that alone in the input "
                "below, which came out right then.",
            )
    return _both(known, right, tried, probe)


def _both(
    known: Sequence[tuple[Property, list[bool]]],
    right: list[bool],
    tried: Sequence[Tried],
    probe: Probe,
) -> Finding | None:
    """Two properties that are needed together: one alone does not make a wrong input right."""
    found: list[tuple[int, int, Property, Property]] = []
    for (one, held), (other, held2) in itertools.combinations(known, 2):
        both = [a and b for a, b in zip(held, held2, strict=True)]
        if (
            one.gain
            and other.gain
            and sum(both) >= max(_EXAMPLES, _TELLING * sum(right))
            and all(good for good, has in zip(right, both, strict=True) if has)
        ):
            missed = sum(right) - sum(both)
            found.append((missed, len(found), one, other))
    for missed, _, one, other in sorted(found, key=lambda entry: entry[:2])[:_CANDIDATES]:
        together = Property("", "", _all_of(one.of, other.of), _in_turn(one, other))
        wrong = [t for t in tried if not t.right]
        if not (
            _gained(together, tried, probe)
            and _falls_short(one, wrong, probe)
            and _falls_short(other, wrong, probe)
        ):
            continue
        told = (
            f"Wrong only when {one.lacks} or {other.lacks}"
            if missed
            else f"Right exactly when {one.has} and {other.has}"
        )
        return Finding(
            "condition",
            f"{told}; confirmed by changing that alone in the input below, which came out right "
            "then.",
        )
    return None


def _all_of(*conditions: Callable[[Case], bool | np.bool_]) -> Callable[[Case], bool]:
    return lambda case: all(condition(case) for condition in conditions)


def _in_turn(*wanted: Property) -> Callable[[Case], Case | None]:
    """Gives a case, one after the other, those of some properties that it lacks."""

    def changed(case: Case) -> Case | None:
        given: Case | None = case
        for one in wanted:
            if given is not None and not _has(one, given):
                given = None if one.gain is None else one.gain(given)
        return given

    return changed


def _falls_short(one: Property, wrong: Sequence[Tried], probe: Probe) -> bool:
    """Whether some wrong input stays wrong although it gains a property."""
    for trial in wrong[:_CONFIRMED]:
        changed = None if one.gain is None else _changed(one.gain, trial.case)
        if changed is not None and probe(changed) is False:
            return True
    return False


def _has(one: Property, case: Case) -> bool:
    try:
        return bool(one.of(case))
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError):
        return False


def _gained(one: Property, tried: Sequence[Tried], probe: Probe) -> bool:
    """Whether wrong inputs come out right with the property: all that can be changed."""
    if one.gain is None:
        return False
    confirmed = 0
    for trial in tried:
        if trial.right or confirmed == _CONFIRMED:
            continue
        changed = _changed(one.gain, trial.case)
        verdict = None if changed is None or not _has(one, changed) else probe(changed)
        if verdict is None and not confirmed:
            return False  # the input that is shown is the one that must be confirmed
        if verdict is False or (verdict and _right_without(one, trial.case, probe)):
            return False
        confirmed += verdict is not None
    return confirmed > 0


def _right_without(one: Property, case: Case, probe: Probe) -> bool:
    """Whether a like change that does not give the property makes an input right as well."""
    changed = None if one.control is None else _changed(one.control, case)
    return changed is not None and not _has(one, changed) and bool(probe(changed))


def _kept(one: Property, tried: Sequence[Tried], probe: Probe) -> bool:
    """Whether a right input stays right when it loses the property."""
    if one.lose is None:
        return False
    for trial in [t for t in tried if t.right][-2:]:
        changed = _changed(one.lose, trial.case)
        if changed is not None and not _has(one, changed) and probe(changed):
            return True
    return False


def _changed(change: Callable[[Case], Case | None], case: Case) -> Case | None:
    try:
        return change(case)
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError):
        return None


def first_with(setting: Setting, tried: Sequence[Tried], probe: Probe) -> str:
    """What the first wrong input has that no right one before it had; empty if nothing.

    Said only of what makes the input come out right when it is changed alone, and of nothing that
    another wrong input lacks: that one is wrong for another cause, which may be at work here, too.
    """
    place = next(number for number, one in enumerate(tried) if not one.right)
    before = [one.case for one in tried[:place]]
    case = tried[place].case
    wrong = [one.case for one in tried if not one.right]
    if not before or probe(case):
        return ""
    for one in properties(setting):
        held, has = [_has(one, earlier) for earlier in before], _has(one, case)
        if has in held or any(_has(one, other) != has for other in wrong):
            continue
        change = one.lose if has else one.gain
        changed = None if change is None else _changed(change, case)
        if changed is None or _has(one, changed) == has or not probe(changed):
            continue
        if has or not _right_without(one, case, probe):
            return one.has if has else one.lacks
    return ""


# --- Properties --------------------------------------------------------------------------------


def properties(setting: Setting) -> list[Property]:
    """What the inputs of an exercise can have, by the form of its arguments."""
    found: list[Property] = []
    found += _of_types(setting)
    found += _of_choices(setting)
    found += _of_lengths(setting)
    found += _of_values(setting)
    found += _of_pairs(setting)
    return found


def _with(place: int, change: Callable[[Any], Any]) -> Callable[[Case], Case]:
    return lambda case: (*case[:place], change(case[place]), *case[place + 1 :])


def _column(setting: Setting, place: int) -> list[Any]:
    return [case[place] for case in setting.inputs]


def _of_types(setting: Setting) -> Iterator[Property]:
    for place, name in enumerate(setting.arguments):
        arrays = [one for one in _column(setting, place) if isinstance(one, np.ndarray)]
        kinds = {one.dtype.kind for one in arrays}
        if "f" in kinds and kinds & set("iu"):
            yield Property(
                f"`{name}` holds floats",
                f"`{name}` holds whole numbers (uint8, say)",
                fix(lambda case, place: np.asarray(case[place]).dtype.kind == "f", place),
                _with(place, lambda a: a * 1.0),
            )
        if {one.dtype.itemsize for one in arrays if one.dtype.kind == "f"} >= {4, 8}:
            yield Property(
                f"`{name}` is no float32",
                f"`{name}` is float32",
                fix(lambda case, place: case[place].dtype != np.float32, place),
                _with(place, lambda a: a.astype(float)),
            )
        for rank in sorted({one.ndim for one in arrays})[:-1]:
            yield Property(
                f"`{name}` has no more than {rank} axes" if rank else f"`{name}` is a number",
                f"`{name}` has more than {rank} axes" if rank else f"`{name}` is an array",
                fix(lambda case, place, rank: np.ndim(case[place]) <= rank, place, rank),
            )


def _of_choices(setting: Setting) -> Iterator[Property]:
    """Truth values, texts, and numbers that occur again and again."""
    for place, name in enumerate(setting.arguments):
        values = _column(setting, place)
        if all(isinstance(value, bool | str) for value in values):
            for value in sorted(set(values), key=str):
                others = [other for other in values if other != value]
                if others:
                    yield Property(
                        f"`{name}` is {value!r}",
                        f"`{name}` is {others[0]!r}",
                        fix(lambda case, place, value: case[place] == value, place, value),
                        _with(place, fix(lambda _, value: value, value)),
                        _with(place, fix(lambda _, other: other, others[0])),
                    )
        elif all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
            for value in (0, 1, 2):
                others = [other for other in values if other != value]
                if value in values and others:
                    yield Property(
                        f"`{name}` is {value}",
                        f"`{name}` is not {value}",
                        fix(lambda case, place, value: case[place] == value, place, value),
                        _with(place, fix(lambda a, value: type(a)(value), value)),
                        _with(place, fix(lambda _, other: other, others[-1])),
                    )
            if all(isinstance(value, int) for value in values):
                yield from _parity(f"`{name}` is", fix(lambda case, p: case[p], place), place)
        elif all(isinstance(value, list) for value in values):
            yield from _of_lists(name, place, values)
        elif all(isinstance(v, tuple) and len(v) == 2 for v in values):
            yield Property(
                f"both numbers of `{name}` are equal",
                f"the numbers of `{name}` differ",
                fix(lambda case, place: case[place][0] == case[place][1], place),
                _with(place, lambda a: (a[0], a[0])),
            )


def _parity(subject: str, value: Callable[[Case], int], place: int) -> Iterator[Property]:
    for rest, has, lacks in ((1, "odd", "even"), (0, "even", "odd")):
        yield Property(
            f"{subject} {has}",
            f"{subject} {lacks}",
            fix(lambda case, rest: value(case) % 2 == rest, rest),
            _with(place, lambda a: a + 1),
            control=_with(place, lambda a: a + 2),
        )


_ORDINALS = ("first", "second", "third", "fourth")


def _of_lists(name: str, place: int, values: Sequence[list[Any]]) -> Iterator[Property]:
    filled = min((value for value in values if value), key=len, default=None)
    yield Property(
        f"`{name}` is not empty",
        f"`{name}` is empty",
        lambda case: len(case[place]) > 0,
        _with(place, lambda a: a or filled) if filled else None,
    )
    yield Property(
        f"`{name}` holds a single entry",
        f"`{name}` holds several entries",
        lambda case: len(case[place]) == 1,
        _with(place, lambda a: a[:1] if a else None),
    )
    entries = [entry for value in values for entry in value]
    if all(isinstance(entry, np.ndarray) for entry in entries):
        yield Property(
            f"no array stands in `{name}` twice",
            f"an array stands in `{name}` twice",
            lambda case: len(set(map(id, case[place]))) == len(case[place]),
            _with(place, lambda a: [entry.copy() for entry in a]),
        )
    if all(isinstance(entry, tuple) for entry in entries):
        for number in range(min(len(entry) for entry in entries)):
            which = _ORDINALS[number]
            yield Property(
                f"the {which} number of each entry of `{name}` is 1",
                f"the {which} number of some entry of `{name}` is not 1",
                fix(lambda case, k: all(entry[k] == 1 for entry in case[place]), number),
                _with(place, fix(lambda a, k: [(*e[:k], 1, *e[k + 1 :]) for e in a], number)),
            )
            yield Property(
                f"the {which} number of each entry of `{name}` is odd",
                f"the {which} number of some entry of `{name}` is even",
                fix(lambda case, k: all(entry[k] % 2 for entry in case[place]), number),
                _with(
                    place, fix(lambda a, k: [(*e[:k], e[k] | 1, *e[k + 1 :]) for e in a], number)
                ),
            )


def lengths(setting: Setting) -> dict[str, tuple[int, int]]:
    """For each letter that names an axis: the argument and the axis where its length is found."""
    found: dict[str, tuple[int, int]] = {}
    for place, name in enumerate(setting.arguments):
        for axis, letter in enumerate(setting.axes.get(name, "")):
            found.setdefault(letter, (place, axis))
    return found


def shortened(setting: Setting, case: Case, letter: str, length: int) -> Case:
    """The case with an axis cut to a length, in every argument that has it."""
    return taken(setting, case, letter, range(length))


def taken(setting: Setting, case: Case, letter: str, kept: Sequence[int]) -> Case:
    """The case with some places along an axis alone, in every argument that has it."""
    given = list(case)
    for place, name in enumerate(setting.arguments):
        letters = setting.axes.get(name, "")
        if letter in letters and isinstance(given[place], np.ndarray):
            axis = letters.index(letter)
            if axis < given[place].ndim:
                given[place] = np.take(given[place], kept, axis=axis)
    return tuple(given)


_ONE = {"classes": "class", "entries": "entry"}


def _of_lengths(setting: Setting) -> Iterator[Property]:
    found = lengths(setting)

    def length(case: Case, letter: str) -> int:
        place, axis = found[letter]
        shape = case[place].shape
        return shape[axis] if axis < len(shape) else 1  # an image without channels has one

    def cut_to_a_multiple(case: Case, place: int, less: int) -> Case:
        """With sides that an argument divides, or by so much shorter ones."""
        sides = [length(case, letter) // case[place] * case[place] - less for letter in "hw"]
        return shortened(setting, shortened(setting, case, "h", sides[0]), "w", sides[1])

    for letter in found:
        several = in_words(setting, letter)
        if several == "entries":  # of what must be said
            several = f"entries of `{setting.arguments[found[letter][0]]}`"
        single = re.sub(r"^\w+", lambda word: _ONE.get(word[0], word[0].removesuffix("s")), several)
        yield Property(
            f"there is a single {single}",
            f"there are several {several}",
            fix(lambda case, x: length(case, x) == 1, letter),
            fix(lambda case, x: shortened(setting, case, x, 1), letter),
        )
    for one, other in (("h", "w"), ("y", "x")):
        if one in found and other in found:
            subject = "the image" if one == "h" else "the kernel"
            square, oblong = f"{subject} is square", f"{subject} is not square"
            is_square = fix(lambda case, a, b: length(case, a) == length(case, b), one, other)
            to_square = fix(
                lambda case, a, b: shortened(
                    setting,
                    shortened(setting, case, a, min(length(case, a), length(case, b))),
                    b,
                    min(length(case, a), length(case, b)),
                ),
                one,
                other,
            )
            to_oblong = fix(
                lambda case, b: (
                    shortened(setting, case, b, length(case, b) - 1)
                    if length(case, b) > 1
                    else None
                ),
                other,
            )
            yield Property(square, oblong, is_square, to_square, to_oblong)
            # Also the other way round: what is wrong with square kernels alone comes out right
            # with a single row, too, and the rows would be blamed for it.
            yield Property(
                oblong,
                square,
                fix(lambda case, is_square: not is_square(case), is_square),
                to_oblong,
                to_square,
            )
    numbers = [
        (place, name)
        for place, name in enumerate(setting.arguments)
        if all(type(value) is int for value in _column(setting, place))
    ]
    for letter in found:
        if letter not in "hwyx":
            continue
        for rest, has, lacks in ((1, "odd", "even"), (0, "even", "odd")):
            yield Property(
                f"the number of {in_words(setting, letter)} is {has}",
                f"the number of {in_words(setting, letter)} is {lacks}",
                fix(lambda case, x, rest: length(case, x) % 2 == rest, letter, rest),
                fix(lambda case, x: shortened(setting, case, x, length(case, x) - 1), letter),
                control=fix(
                    lambda case, x: shortened(setting, case, x, length(case, x) - 2), letter
                ),
            )
    if "h" in found and "w" in found:
        for place, name in numbers:
            yield Property(
                f"`{name}` divides the sides of the image",
                f"`{name}` does not divide the sides of the image",
                fix(
                    lambda case, p: (
                        not (length(case, "h") % case[p] or length(case, "w") % case[p])
                    ),
                    place,
                ),
                fix(cut_to_a_multiple, place, 0),
                control=fix(cut_to_a_multiple, place, 1),
            )


def _of_values(setting: Setting) -> Iterator[Property]:
    for place, name in enumerate(setting.arguments):
        arrays = [one for one in _column(setting, place) if isinstance(one, np.ndarray)]
        if not arrays or arrays[0].dtype.kind not in "iufb":
            continue
        if arrays[0].dtype.kind == "b":
            yield Property(
                f"`{name}` is True everywhere",
                f"`{name}` is False somewhere",
                fix(lambda case, p: case[p].all(), place),
                _with(place, np.ones_like),
            )
            continue
        yield from _of_slices(setting, name, place, arrays)
        if all(one.ndim == 1 for one in arrays):
            yield Property(
                f"all entries of `{name}` are equal",
                f"the entries of `{name}` differ",
                fix(lambda case, p: np.all(case[p] == case[p][0]), place),
                _with(place, lambda a: np.full_like(a, a[0])),
            )
        yield Property(
            f"`{name}` holds no 0",
            f"`{name}` holds a 0",
            fix(lambda case, p: np.all(case[p] != 0), place),
            _with(place, lambda a: np.where(a == 0, np.ones_like(a), a)),
        )
        yield Property(
            f"`{name}` holds nothing negative",
            f"`{name}` holds negative numbers",
            fix(lambda case, p: np.all(case[p] >= 0), place),
            _with(place, np.abs),
        )
        yield Property(
            f"`{name}` is not negative everywhere",
            f"`{name}` is negative everywhere",
            fix(lambda case, p: np.any(case[p] >= 0), place),
            _with(place, np.negative),
        )
        yield Property(
            f"`{name}` holds nothing above 1",
            f"`{name}` holds numbers above 1",
            fix(lambda case, p: np.all(case[p] <= 1), place),
            # In its own type: fractions of whole numbers would change two things at once.
            _with(place, lambda a: np.minimum(a, 1) if a.dtype.kind in "iu" else a / a.max()),
        )
        yield Property(
            f"`{name}` holds whole numbers",
            f"`{name}` holds fractions",
            fix(lambda case, p: np.all(case[p] == np.rint(case[p])), place),
            _with(place, np.rint),
        )
        yield Property(
            f"`{name}` holds a fraction",
            f"`{name}` holds whole numbers alone",
            fix(lambda case, p: np.any(case[p] != np.rint(case[p])), place),
        )
        yield Property(
            f"`{name}` holds no NaN",
            f"`{name}` holds a NaN",
            fix(lambda case, p: not np.isnan(case[p]).any(), place),
            _with(place, lambda a: np.nan_to_num(a, nan=float(np.nanmax(a)))),
        )
        if all(one.dtype.kind in "iu" for one in arrays):
            yield Property(
                f"no two entries of `{name}` are equal",
                f"some entries of `{name}` are equal",
                fix(lambda case, p: len(np.unique(case[p])) == case[p].size, place),
            )
            yield Property(
                f"`{name}` ascends",
                f"`{name}` does not ascend",
                fix(lambda case, p: np.all(np.diff(case[p].astype(int)) >= 0), place),
                _with(place, np.sort),
            )
    yield from _of_counts(setting)


def _of_counts(setting: Setting) -> Iterator[Property]:
    """Whether each value of a list of whole numbers, such as labels, occurs equally often."""
    for place, name in enumerate(setting.arguments):
        arrays = [one for one in _column(setting, place) if isinstance(one, np.ndarray)]
        letter = setting.axes.get(name, "")
        if len(letter) != 1 or not arrays or any(one.dtype.kind not in "iu" for one in arrays):
            continue

        def counts(case: Case, place: int) -> np.ndarray:
            return np.unique(case[place], return_counts=True)[1]

        def evened(case: Case, place: int, letter: str) -> Case:
            """As many of each value as of the rarest, the first ones."""
            values, least = case[place], counts(case, place).min()
            kept = [i for i, v in enumerate(values) if (values[:i] == v).sum() < least]
            return taken(setting, case, letter, kept)

        yield Property(
            f"each value in `{name}` occurs equally often",
            f"some values in `{name}` occur more often than others",
            fix(lambda case, p: np.ptp(counts(case, p)) == 0, place),
            fix(evened, place, letter),
        )


def _of_slices(
    setting: Setting, name: str, place: int, arrays: Sequence[np.ndarray]
) -> Iterator[Property]:
    """Whether something of an array (a filter, a channel, an image) is 0 all over."""
    rank = arrays[0].ndim
    if rank < 2 or any(one.ndim != rank for one in arrays):
        return
    for axis, several in enumerate(axes_in_words(setting, name, rank)):
        others = tuple(other for other in range(rank) if other != axis)

        def with_one(values: np.ndarray, axis: int, others: tuple[int, ...]) -> np.ndarray:
            given = np.moveaxis(values.copy(), axis, -1)
            given[(0,) * len(others)] += (values == 0).all(axis=others).astype(values.dtype)
            return np.moveaxis(given, -1, axis)

        yield Property(
            f"none of the {several} of `{name}` is 0 all over",
            f"one of the {several} of `{name}` is 0 all over",
            fix(lambda case, p, others: (case[p] != 0).any(axis=others).all(), place, others),
            _with(place, fix(with_one, axis, others)),
        )


def _of_pairs(setting: Setting) -> Iterator[Property]:
    """How two numbers among the arguments stand to each other."""
    numbers = [
        (place, name)
        for place, name in enumerate(setting.arguments)
        if all(type(value) is int for value in _column(setting, place))
    ]
    for (one, name), (other, name2) in itertools.permutations(numbers, 2):
        # A share makes sense of the larger number: that a size divides a count says nothing.
        larger = sum(np.sign(case[one] - case[other]) for case in setting.inputs)
        if larger > 0:
            yield Property(
                f"`{name2}` divides `{name}`",
                f"`{name2}` does not divide `{name}`",
                fix(lambda case, a, b: case[a] % case[b] == 0 if case[b] else False, one, other),
                fix(
                    lambda case, a, b: (
                        *case[:a],
                        max(case[a] // case[b], 1) * case[b],
                        *case[a + 1 :],
                    ),
                    one,
                    other,
                ),
            )
        yield Property(
            f"`{name}` is at least `{name2}`",
            f"`{name}` is smaller than `{name2}`",
            fix(lambda case, a, b: case[a] >= case[b], one, other),
            fix(lambda case, a, b: (*case[:a], case[b], *case[a + 1 :]), one, other),
        )
        if one < other:
            yield Property(
                f"`{name}` and `{name2}` are equal",
                f"`{name}` and `{name2}` differ",
                fix(lambda case, a, b: case[a] == case[b], one, other),
                fix(lambda case, a, b: (*case[:a], case[b], *case[a + 1 :]), one, other),
            )


# --- Parts of an answer ------------------------------------------------------------------------


def parts(setting: Setting, tried: Sequence[Tried]) -> Finding | None:
    """Which numbers of the answers are right: by their value, their place, their input's value."""
    wrong = [one for one in tried if not one.right]
    sentences = []
    explained = True
    for place, label in enumerate(setting.labels):
        pairs = [(one.mine[place], one.wanted[place], one.case) for one in wrong]
        if all(a.shape == b.shape and close(a, b).all() for a, b, _ in pairs):
            sentences.append((label, "is right"))
            continue
        found = _where_wrong(setting, label, pairs)
        explained = explained and found is not None
        sentences.append((label, f"is wrong exactly {found}" if found else "is wrong"))
    if len(setting.labels) == 1:
        if not explained:
            return None
        return Finding("part", f"The answer {sentences[0][1]}.")
    right = [label for label, said in sentences if said == "is right"]
    if not explained and not right:
        return None
    told = "; ".join(f"`{label}` {said}" for label, said in sentences)
    return Finding("part", f"{told[0].upper() if told[0] != '`' else told[0]}{told[1:]}.")


_ELEMENTS: tuple[tuple[str, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("where the wanted number is negative", lambda w: w < 0),
    ("where the wanted number is positive", lambda w: w > 0),
    ("where the wanted number is 0", lambda w: w == 0),
    ("where the wanted number is not 0", lambda w: w != 0),
    ("where the wanted number is above 1", lambda w: w > 1),
    ("where the wanted number is above 255", lambda w: w > 255),
    ("where the wanted number has a fraction", lambda w: w != np.rint(w)),
)


def _where_wrong(
    setting: Setting, label: str, pairs: Sequence[tuple[np.ndarray, np.ndarray, Case]]
) -> str | None:
    """Where the answers are wrong and nowhere else; None if nothing fits."""
    if any(mine.shape != wanted.shape for mine, wanted, _ in pairs):
        return None
    masks = [~close(mine, wanted) for mine, wanted, _ in pairs]
    bad = sum(int(mask.sum()) for mask in masks)
    good = sum(mask.size for mask in masks) - bad
    if bad < 2 or good < 2 or all(mask.all() or not mask.any() for mask in masks):
        return None
    rank = pairs[0][1].ndim
    for text, chosen in _ELEMENTS:
        if all(
            (mask == chosen(wanted)).all()
            for mask, (_, wanted, _) in zip(masks, pairs, strict=True)
        ):
            return text
    for place, name in enumerate(setting.arguments):
        if not all(
            isinstance(case[place], np.ndarray) and case[place].shape == wanted.shape
            for _, wanted, case in pairs
        ):
            continue
        for text, chosen in (
            ("is negative", lambda a: a < 0),
            ("is positive", lambda a: a > 0),
            ("is 0 (or False)", lambda a: a == 0),
            ("is not 0 (or is True)", lambda a: a != 0),
        ):
            if all(
                (mask == chosen(case[place])).all()
                for mask, (_, _, case) in zip(masks, pairs, strict=True)
            ):
                return f"where `{name}` {text}"
    if any(mask.ndim != rank for mask in masks):
        return None
    named = axes_in_words(setting, label, rank)
    for axis in range(rank):
        for text, places in _PLACES:
            if all(
                (mask == _along(places(mask.shape[axis]), axis, mask.shape)).all() for mask in masks
            ):
                return f"in {text.format(named[axis])}"
    for axes in itertools.combinations(range(rank), 2):
        for text, places in _PLACES:
            if all(
                (
                    mask
                    == np.logical_or(
                        *(_along(places(mask.shape[axis]), axis, mask.shape) for axis in axes)
                    )
                ).all()
                for mask in masks
            ):
                told = " or ".join(text.format(named[axis]) for axis in axes)
                return f"in {told}"
    return None


_PLACES: tuple[tuple[str, Callable[[int], np.ndarray]], ...] = (
    ("the first of the {}", lambda n: np.arange(n) == 0),
    ("the last of the {}", lambda n: np.arange(n) == n - 1),
    ("all but the first of the {}", lambda n: np.arange(n) > 0),
    ("all but the last of the {}", lambda n: np.arange(n) < n - 1),
    ("the first or the last of the {}", lambda n: np.isin(np.arange(n), (0, n - 1))),
    ("every second of the {}", lambda n: np.arange(n) % 2 == 1),
)


def _along(chosen: np.ndarray, axis: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(
        chosen.reshape([-1 if a == axis else 1 for a in range(len(shape))]), shape
    )
