"""How the checks judge answers that they were not tuned on: ``python tests/checks/score.py``.

With ``--record`` the counts go into ``cnncourse/results/checks.json``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import blind_answers
from blind_labels import MISLABELLED, is_right

from cnncourse import results
from cnncourse.checks import EXERCISES, diagnose


def measure() -> dict[str, int | float]:
    """Judge every blind answer.

    Returns:
        How many there are, how many were judged wrongly, how many wrong ones were named, how many
        labels the specification overruled, and the longest time of one check in seconds.
    """
    counts = dict.fromkeys(
        ("right_answers", "wrong_answers", "false_rejects", "false_accepts", "named"), 0
    )
    slowest = 0.0
    for answer in blind_answers.ANSWERS:
        start = time.perf_counter()
        diagnosis = diagnose(answer.exercise, answer.function)
        slowest = max(slowest, time.perf_counter() - start)
        right = is_right(answer)
        counts["right_answers" if right else "wrong_answers"] += 1
        counts["false_rejects"] += right and not diagnosis.passed
        counts["false_accepts"] += diagnosis.passed and not right
        counts["named"] += diagnosis.misconception is not None and not right
        if diagnosis.passed != right or (not right and not diagnosis.misconception):
            verdict = "accepted" if diagnosis.passed else "rejected"
            sys.stdout.write(f"{answer.function.__name__}: {verdict}\n{diagnosis.message}\n\n")
    return counts | {"mislabelled": len(MISLABELLED), "slowest_check": slowest}


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
        values["slowest_check"] = {
            "value": round(score["slowest_check"], 3),
            "unit": "s",
            "tolerance": round(score["slowest_check"], 3),
        }
        values["exercises"] = {"value": len(EXERCISES), "unit": "count"}
        values["misconceptions"] = {
            "value": sum(len(exercise.misconceptions) for exercise in EXERCISES.values()),
            "unit": "count",
        }
        results.record("checks", values, command="python tests/checks/score.py --record")


if __name__ == "__main__":
    main()
