"""How the checks judge answers that they were not tuned on: ``python tests/checks/score.py``.

With ``--record`` the counts go into ``cnncourse/results/checks.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import blind_answers
import blind_fifth
import blind_fifth_sealed
import blind_fourth
import blind_fourth_sealed
import blind_sealed
import blind_second
import blind_third
import blind_third_sealed
from blind_labels import MISLABELLED, is_right

from cnncourse import results
from cnncourse.checks import EXERCISES, Diagnosis
from cnncourse.checks.architecture import Architecture
from cnncourse.checks.engine import Exercise, judge

LATER = {
    "second": blind_second.ANSWERS,
    "sealed": blind_sealed.ANSWERS,
    "third": blind_third.ANSWERS,
    "third_sealed": blind_third_sealed.ANSWERS,
    "fourth": blind_fourth.ANSWERS,
    "fourth_sealed": blind_fourth_sealed.ANSWERS,
    "fifth": blind_fifth.ANSWERS,
    "fifth_sealed": blind_fifth_sealed.ANSWERS,
}
"""The later collections: of each its open half, and the one that was opened for the record."""


def measure() -> dict[str, int | float]:
    """Judge every blind answer.

    Returns:
        Of the first collection: how many there are, how many were judged wrongly, how many wrong
        ones were named, how many labels the specification overruled. Of the halves of the later
        ones: the same, and on what the hint rests. And the longest time that one check computed,
        in seconds, of networks and of anything else.
    """
    counts = dict.fromkeys(
        ("right_answers", "wrong_answers", "false_rejects", "false_accepts", "named"), 0
    )
    slowest: dict[bool, tuple[float, str]] = {False: (0.0, ""), True: (0.0, "")}

    def judged(exercise: Exercise, function: Callable) -> Diagnosis:
        diagnosis, seconds = _timed(exercise, function)
        built = isinstance(exercise.form, Architecture)
        slowest[built] = max(slowest[built], (seconds, f"{exercise.name}: {function.__name__}"))
        return diagnosis

    for exercise in EXERCISES.values():
        if not judged(exercise, exercise.reference).passed:
            raise ValueError(f"The reference of {exercise.name} was rejected.")
    for answer in blind_answers.ANSWERS:
        diagnosis = judged(EXERCISES[answer.exercise], answer.function)
        right = is_right(answer)
        counts["right_answers" if right else "wrong_answers"] += 1
        counts["false_rejects"] += right and not diagnosis.passed
        counts["false_accepts"] += diagnosis.passed and not right
        counts["named"] += diagnosis.misconception is not None and not right
    for half, answers in LATER.items():
        kinds = ("right", "wrong", "false_rejects", "false_accepts", *KINDS)
        found = dict.fromkeys(kinds, 0)
        for answer in answers:
            diagnosis = judged(EXERCISES[answer.exercise], answer.function)
            right = is_right(answer)
            found["right" if right else "wrong"] += 1
            found["false_rejects"] += right and not diagnosis.passed
            found["false_accepts"] += diagnosis.passed and not right
            if not right and not diagnosis.passed:
                found[diagnosis.kind] += 1
        counts |= {f"{half}_{kind}": count for kind, count in found.items()}
    for _, text in slowest.values():
        sys.stderr.write(f"slowest: {text}\n")
    return counts | {
        "mislabelled": len(MISLABELLED),
        "slowest_check": slowest[False][0],
        "slowest_network_check": slowest[True][0],
    }


KINDS = ("mistake", "relation", "condition", "part", "complaint", "unknown")
"""On what a hint may rest; see ``Diagnosis.kind``."""


def _timed(exercise: Exercise, function: Callable) -> tuple[Diagnosis, float]:
    """The verdict and what it computed, as the first check of an exercise does in a new kernel."""
    fresh = dataclasses.replace(exercise)  # without the answers that an exercise keeps
    start = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        diagnosis = judge(fresh, function)
    return diagnosis, time.process_time() - start


def main() -> None:
    """Print the score, and record it when asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the results file")
    arguments = parser.parse_args()
    import keras  # noqa: F401 - so that its start is in nobody's time

    score = measure()
    sys.stdout.write("\n".join(f"{key}: {value}" for key, value in score.items()) + "\n")
    if arguments.record:
        values = {key: {"value": value, "unit": "count"} for key, value in score.items()}
        for key in ("slowest_check", "slowest_network_check"):
            seconds = round(score[key], 3)
            values[key] = {"value": seconds, "unit": "s", "tolerance": seconds}
        results.record("checks", values, command="python tests/checks/score.py --record")


if __name__ == "__main__":
    main()
