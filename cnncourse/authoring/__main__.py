"""The maintainers' commands: ``python -m cnncourse.authoring COMMAND``.

Only arguments are read here; each command lives in the module of its name.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cnncourse.authoring.notebooks import AuthoringError, Course


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m cnncourse.authoring", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser("execute", help="run notebooks and store their outputs")
    command.add_argument("paths", nargs="*", type=Path, help="default: lessons and solutions")
    command.add_argument(
        "--fresh", action="store_true", help="replace outputs that differ from run to run, too"
    )

    command = commands.add_parser("exercises", help="derive the exercises from the solutions")
    command.add_argument("paths", nargs="*", type=Path, help="solutions; default: all")
    mode = command.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="compare, write nothing")
    mode.add_argument(
        "--run", action="store_true", help="run them unsolved: only check cells may fail"
    )

    chosen = parser.parse_args(arguments)
    try:
        return _run(chosen, Course.find())
    except AuthoringError as error:
        print(error, file=sys.stderr)
        return 1


def _run(chosen: argparse.Namespace, course: Course) -> int:
    if chosen.command == "execute":
        from cnncourse.authoring.execute import execute

        default = [*course.lessons, *course.solutions]
        return execute(course, course.chosen(chosen.paths, default), fresh=chosen.fresh)
    from cnncourse.authoring.exercises import exercises, run_unsolved

    if chosen.run:
        return run_unsolved(course, course.chosen(chosen.paths, course.exercises))
    return exercises(course, course.chosen(chosen.paths, course.solutions), check=chosen.check)


if __name__ == "__main__":
    sys.exit(main())
