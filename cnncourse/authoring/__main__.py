"""The maintainers' commands: ``python -m cnncourse.authoring COMMAND``.

Only arguments are read here; each command lives in the module of its name, and is imported when
it is asked for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cnncourse.authoring.notebooks import EXPLORER, AuthoringError, Course, Finding
from cnncourse.startup import start_keras

Command = Callable[[argparse.Namespace, Course], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    chosen = _parser().parse_args(arguments)
    command: Command = chosen.run_command
    try:
        return command(chosen, Course.find())
    except (AuthoringError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cnncourse.authoring", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, run: Command, purpose: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=purpose, description=purpose)
        command.set_defaults(run_command=run)
        return command

    def paths(command: argparse.ArgumentParser, purpose: str) -> None:
        command.add_argument("paths", nargs="*", type=Path, help=purpose)

    def check(command: argparse._ActionsContainer) -> None:
        command.add_argument("--check", action="store_true", help="compare, write nothing")

    command = add("execute", _execute, "run notebooks and store their outputs")
    paths(command, "default: lessons and solutions")
    command.add_argument(
        "--fresh", action="store_true", help="replace outputs that differ from run to run, too"
    )

    command = add("exercises", _exercises, "derive the exercises from the solutions")
    paths(command, "solutions; default: all")
    mode = command.add_mutually_exclusive_group()
    check(mode)
    mode.add_argument(
        "--run", action="store_true", help="run them unsolved: only check cells may fail"
    )

    command = add("hygiene", _hygiene, "what notebooks and pages must look like")
    paths(command, "default: the whole course")
    command.add_argument("--rules", action="store_true", help="list the rules and stop")

    command = add("claims", _claims, "compare numbers in prose with the results")
    paths(command, "default: pages and notebooks")
    command.add_argument("--write", action="store_true", help="set drifted numbers, then compare")

    command = add("badges", _badges, "carry the published address everywhere")
    paths(command, "notebooks; default: everything")
    check(command)

    paths(
        add(
            "sentences",
            _sentences,
            "list what lessons state about measurements, with what holds it",
        ),
        "lessons; default: all",
    )
    add("terms", _terms, "words that are used before the lesson that defines them")

    check(add("contents", _contents, "the landing page's table of lessons"))
    check(add("tables", _tables, "the tables of measured numbers"))

    command = add("times", _times, "measure how long lessons run, and state it")
    paths(command, "lessons; default: all")
    add("measure", _measure, "record the counts that follow from code and data")
    add("calibrate", _calibrate, "choose each shipped network's temperature")
    add("landmarks", _landmarks, "count the networks of the wider map")
    command = add("ablation", _ablation, "record what taking out each part does, from its study")
    command.add_argument(
        "--folder", type=Path, default=Path("runs/ablation"), help="of the study (runs/ablation)"
    )
    add("remedies", _remedies, "measure optimizers and remedies over seeds")
    command = add("challenges", _challenges, "measure the known designs of the challenges")
    command.add_argument(
        "--peers", action="store_true", help="the networks of the course in place of the designs"
    )
    command.add_argument("--seeds", type=int, default=3, help="runs of each design; default: 3")
    add("deploy", _deploy, "measure both networks in every runtime")
    add("saturate", _saturate, "count what int8 gets right where sums have 16 bits")
    add("data", _data, "cut the embedded sample and photos from their sources")
    add("pictures", _pictures, "draw the picture of the landing page")
    add("explorer", _explorer, "export networks and images to the explorer page")

    for name, run, purpose in (
        ("ship", _ship, "carry finished runs through weights, pages, results and notebooks"),
        ("spread", _runs, "record how far runs of several seeds differ"),
        ("compare", _runs, "record how runs of both networks do on the same test images"),
        ("recipes", _runs, "record the validation accuracy of runs of different recipes"),
    ):
        command = add(name, run, purpose)
        command.add_argument(
            "runs", type=Path, nargs="+", help="folders that cnncourse train wrote"
        )
    return parser


def _execute(chosen: argparse.Namespace, course: Course) -> int:
    from cnncourse.authoring.execute import execute

    default = [*course.lessons, *course.solutions]
    return execute(course, course.chosen(chosen.paths, default), fresh=chosen.fresh)


def _exercises(chosen: argparse.Namespace, course: Course) -> int:
    from cnncourse.authoring.exercises import exercises
    from cnncourse.authoring.runner import run_all

    if chosen.run:
        return min(1, run_all(course, course.chosen(chosen.paths, course.exercises)))
    paths = course.chosen(chosen.paths, course.solutions)
    return exercises(course, paths, check=chosen.check)


def _hygiene(chosen: argparse.Namespace, course: Course) -> int:
    from cnncourse.authoring.hygiene import RULES, hygiene

    if chosen.rules:
        for rule in RULES:
            print(f"{rule.name:<18}{rule.demand} ({', '.join(rule.kinds)})")
        return 0
    return _report(hygiene(course, _files(chosen.paths)))


def _claims(chosen: argparse.Namespace, course: Course) -> int:
    from cnncourse.authoring.claims import claims, renew

    if chosen.write:
        print(f"{renew(course, _files(chosen.paths))} files rewritten.")
    return _report(claims(course, _files(chosen.paths)))


def _badges(chosen: argparse.Namespace, course: Course) -> int:
    from cnncourse.authoring.badges import badges

    return _report(badges(course, course.chosen(chosen.paths, ()), check=chosen.check))


def _sentences(chosen: argparse.Namespace, course: Course) -> int:
    from cnncourse.authoring.sentences import listing

    for line in listing(course, course.chosen(chosen.paths, course.lessons)):
        print(line)
    return 0


def _terms(chosen: argparse.Namespace, course: Course) -> int:
    from cnncourse.authoring.sentences import early_terms

    return _report(early_terms(course))


def _contents(chosen: argparse.Namespace, course: Course) -> int:
    from cnncourse.authoring.contents import contents

    return _report(contents(course, check=chosen.check))


def _tables(chosen: argparse.Namespace, course: Course) -> int:
    start_keras()
    from cnncourse.authoring.tables import tables

    return _report(tables(course, check=chosen.check))


def _times(chosen: argparse.Namespace, course: Course) -> int:
    from cnncourse.authoring.times import times

    for line in times(course, course.chosen(chosen.paths, course.lessons)):
        print(line)
    return 0


def _measure(chosen: argparse.Namespace, course: Course) -> int:
    start_keras()
    from cnncourse.authoring.measure import measure

    for path in measure():
        print(course.name(path))
    return 0


def _calibrate(chosen: argparse.Namespace, course: Course) -> int:
    start_keras()
    from cnncourse.authoring.calibration import calibrate

    print(calibrate())
    return 0


def _ablation(chosen: argparse.Namespace, course: Course) -> int:
    start_keras()
    from cnncourse.authoring.ablation import ablation

    print(ablation(chosen.folder))
    return 0


def _remedies(chosen: argparse.Namespace, course: Course) -> int:
    start_keras()
    from cnncourse.authoring.remedies import remedies

    print(remedies())
    return 0


def _challenges(chosen: argparse.Namespace, course: Course) -> int:
    start_keras()
    from cnncourse.authoring.challenges import challenges, peers

    if chosen.peers:
        print(peers())
    else:
        print(challenges(chosen.seeds, report=lambda line: print(line, flush=True)))
    return 0


def _deploy(chosen: argparse.Namespace, course: Course) -> int:
    start_keras()
    from cnncourse.authoring.deployment import deploy

    print(course.name(deploy(course)))
    return 0


def _saturate(chosen: argparse.Namespace, course: Course) -> int:
    start_keras()
    from cnncourse.authoring.deployment import saturate

    print(course.name(saturate(course)))
    return 0


def _landmarks(chosen: argparse.Namespace, course: Course) -> int:
    start_keras()
    from cnncourse.authoring.landmarks import landmarks

    print(landmarks())
    return 0


def _data(chosen: argparse.Namespace, course: Course) -> int:
    from cnncourse.authoring import data

    data.sample()
    data.photos()
    return 0


def _pictures(chosen: argparse.Namespace, course: Course) -> int:
    start_keras()
    from cnncourse.authoring.pictures import pictures

    pictures(course)
    return 0


def _explorer(chosen: argparse.Namespace, course: Course) -> int:
    start_keras()
    from cnncourse.authoring.familiarity import export_familiarity, measure_familiarity
    from cnncourse.export import export_course

    export_course(course.root / EXPLORER)
    export_familiarity(course.root / EXPLORER)
    print(course.name(measure_familiarity()))
    return 0


def _ship(chosen: argparse.Namespace, course: Course) -> int:
    start_keras()
    from cnncourse.authoring.ship import ship

    return ship(course, chosen.runs)


def _runs(chosen: argparse.Namespace, course: Course) -> int:
    start_keras()
    from cnncourse.authoring import runs

    record = {"spread": runs.spread, "compare": runs.compare, "recipes": runs.recipes}
    print(record[chosen.command]([runs.finished(folder) for folder in chosen.runs]))
    return 0


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
