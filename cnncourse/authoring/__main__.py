"""The maintainers' commands: ``python -m cnncourse.authoring COMMAND``.

Only arguments are read here; each command lives in the module of its name.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cnncourse.authoring.notebooks import AuthoringError, Course, Finding
from cnncourse.startup import start_keras


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

    command = commands.add_parser("hygiene", help="what notebooks and pages must look like")
    command.add_argument("paths", nargs="*", type=Path, help="default: the whole course")
    command.add_argument("--rules", action="store_true", help="list the rules and stop")

    command = commands.add_parser("claims", help="compare numbers in prose with the results")
    command.add_argument("paths", nargs="*", type=Path, help="default: pages and notebooks")
    command.add_argument("--write", action="store_true", help="set drifted numbers, then compare")

    command = commands.add_parser("badges", help="carry the published address everywhere")
    command.add_argument("paths", nargs="*", type=Path, help="notebooks; default: everything")
    command.add_argument("--check", action="store_true", help="compare, write nothing")

    command = commands.add_parser("contents", help="the landing page's table of lessons")
    command.add_argument("--check", action="store_true", help="compare, write nothing")

    command = commands.add_parser("times", help="measure how long lessons run, and state it")
    command.add_argument("paths", nargs="*", type=Path, help="lessons; default: all")

    commands.add_parser("measure", help="record the counts that follow from code and data")

    commands.add_parser("data", help="cut the embedded sample and photos from their sources")
    commands.add_parser("pictures", help="draw the picture of the landing page")
    commands.add_parser("explorer", help="export networks and images to the explorer page")
    command = commands.add_parser("ship", help="ship the weights of a finished documented run")
    command.add_argument("run", type=Path, help="the folder that cnncourse train wrote")
    for name, purpose in {
        "spread": "record how far runs of several seeds differ",
        "compare": "record how runs of both networks do on the same test images",
        "recipes": "record the validation accuracy of runs of different recipes",
    }.items():
        command = commands.add_parser(name, help=purpose)
        command.add_argument("runs", type=Path, nargs="+", help="their folders")

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
    if chosen.command == "exercises":
        from cnncourse.authoring.exercises import exercises, run_unsolved

        if chosen.run:
            return run_unsolved(course, course.chosen(chosen.paths, course.exercises))
        paths = course.chosen(chosen.paths, course.solutions)
        return exercises(course, paths, check=chosen.check)
    if chosen.command == "hygiene":
        from cnncourse.authoring.hygiene import RULES, hygiene

        if chosen.rules:
            for rule in RULES:
                print(f"{rule.name:<18}{rule.demand} ({', '.join(rule.kinds)})")
            return 0
        return _report(hygiene(course, _files(chosen.paths)))
    if chosen.command == "claims":
        from cnncourse.authoring.claims import claims, renew

        if chosen.write:
            print(f"{renew(course, _files(chosen.paths))} files rewritten.")
        return _report(claims(course, _files(chosen.paths)))
    if chosen.command == "contents":
        from cnncourse.authoring.contents import contents

        return _report(contents(course, check=chosen.check))
    if chosen.command == "times":
        from cnncourse.authoring.times import times

        for line in times(course, course.chosen(chosen.paths, course.lessons)):
            print(line)
        return 0
    if chosen.command == "measure":
        start_keras()
        from cnncourse.authoring.measure import measure

        for path in measure():
            print(course.name(path))
        return 0
    if chosen.command == "explorer":
        start_keras()
        from cnncourse.export import export_course

        export_course(course.root / "book" / "_static" / "explorer")
        return 0
    if chosen.command in ("spread", "compare", "recipes"):
        start_keras()
        from cnncourse.authoring import runs

        print(getattr(runs, chosen.command)(chosen.runs))
        return 0
    if chosen.command in ("data", "pictures", "ship"):
        start_keras()
        from cnncourse.authoring import pictures, ship

        if chosen.command == "data":
            ship.sample()
            ship.photos()
        elif chosen.command == "pictures":
            pictures.pictures(course)
        else:
            print(ship.ship(chosen.run))
        return 0
    from cnncourse.authoring.badges import badges

    return _report(badges(course, course.chosen(chosen.paths, ()), check=chosen.check))


def _files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(inner for kind in ("*.ipynb", "*.md") for inner in path.glob(kind))
        elif path.is_file() and path.suffix in (".ipynb", ".md"):
            found.append(path)
        else:
            raise AuthoringError(f"{path}: there is no such notebook or page.")
    return found


def _report(findings: Sequence[Finding]) -> int:
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings.")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
