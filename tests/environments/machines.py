"""Tests and notebooks as they would run on other machines: ``make test-machines``.

Each variant changes one thing about this machine: its arithmetic, its load, the folder and the
home of the checkout, its language. It prints one line for each variant and test that failed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from surroundings import COURSE, ROOT, Amiss, end_with

# What builds the pages or drives a browser is the same on every machine.
NOT_HERE = ("book", "bench", "environments", "explorer", "faults")
PARTS = {
    "unit": ["tests", *(f"--ignore=tests/{name}" for name in NOT_HERE)],
    "lessons": ["--nbval", "--nbval-cell-timeout", "600", *map(str, COURSE.lessons)],
    "solutions": ["--nbval-lax", "--nbval-cell-timeout", "600", *map(str, COURSE.solutions)],
}
REPORTED = ("FAILED ", "ERROR ")


@dataclass(frozen=True)
class Variant:
    """One thing that is otherwise than here.

    Attributes:
        about: what it is.
        environment: variables that are set; None takes one away.
        busy: programs that keep the processor busy meanwhile.
        umask: of the process.
        folder: name of the folder that holds the checkout, which is copied there.
        home: ``"none"`` (no such variable), ``"fixed"`` (it cannot be written into) or ``""``.
    """

    about: str
    environment: Mapping[str, str | None] = field(default_factory=dict)
    busy: int = 0
    umask: int | None = None
    folder: str = ""
    home: str = ""


def threads(count: int) -> dict[str, str]:
    """Variables for as many threads in TensorFlow and in NumPy's linear algebra."""
    names = (
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
        *("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
    )
    return dict.fromkeys(names, str(count))


def numpy_features() -> str:
    """What NumPy uses of this processor beyond what it needs."""
    from numpy._core import _multiarray_umath as numpy  # type: ignore[attr-defined]

    return " ".join(name for name in numpy.__cpu_dispatch__ if numpy.__cpu_features__[name])


VARIANTS = {
    "onednn-off": Variant("no oneDNN", {"TF_ENABLE_ONEDNN_OPTS": "0"}),
    "sse41": Variant("vector units of 128 bits", {"ONEDNN_MAX_CPU_ISA": "SSE41"}),
    "avx2": Variant("vector units of 256 bits", {"ONEDNN_MAX_CPU_ISA": "AVX2"}),
    "numpy-plain": Variant(
        "NumPy without the processor's features", {"NPY_DISABLE_CPU_FEATURES": numpy_features()}
    ),
    "one-thread": Variant("one thread", threads(1)),
    "eight-threads": Variant("eight threads", threads(8)),
    "busy": Variant("other programs on every core", busy=2 * (os.cpu_count() or 1)),
    "folder": Variant("blanks and an umlaut in the path", folder="my course für alle"),
    "turkish": Variant(
        "Turkish, with a decimal comma, half a day away",
        {"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati"},
    ),
    "no-home": Variant("no HOME", home="none"),
    "fixed-home": Variant("a HOME that cannot be written into", home="fixed"),
    "hash-seed": Variant("sets and dicts in another order", {"PYTHONHASHSEED": "random"}),
    "umask": Variant("files that nobody else may read", umask=0o077),
}


def run(name: str, arguments: list[str], log: Path) -> list[str]:
    """The tests of one variant that failed, a line each."""
    variant = VARIANTS[name]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        root = copy_of_the_course(temporary / variant.folder) if variant.folder else ROOT
        environment |= {"PYTHONPATH": str(root)}
        changed = dict(variant.environment)
        if variant.home:
            changed["HOME"] = None if variant.home == "none" else read_only_folder(temporary)
        if language := changed.get("LC_ALL"):
            changed["LOCPATH"] = str(compiled_locale(language, temporary))
        for key, value in changed.items():
            environment.pop(key, None)
            if value is not None:
                environment[key] = value
        stack.enter_context(busy(variant.busy))
        arguments = [argument.replace(str(ROOT), str(root)) for argument in arguments]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as file:
            done = subprocess.run(
                [
                    *(
                        sys.executable,
                        "-m",
                        "pytest",
                        "-q",
                        "-rfE",
                        "-n",
                        "2",
                        "--dist",
                        "loadfile",
                    ),
                    *("-p", "no:cacheprovider", *arguments),
                ],
                cwd=root,
                env=environment,
                umask=-1 if variant.umask is None else variant.umask,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
    if not done.returncode:
        return []
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    failed = [line for line in lines if line.startswith(REPORTED)]
    return failed or [f"pytest ended with {done.returncode}; see {log}"]


def copy_of_the_course(folder: Path) -> Path:
    """The files that git knows, or would, as they are now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if ROOT.joinpath(name).is_file():
            folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    # Tests ask git which files there are.
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def read_only_folder(temporary: Path) -> str:
    """A folder into which not even an administrator writes."""
    if Path("/proc/self").exists():
        return "/proc"
    folder = temporary / "home"
    folder.mkdir(mode=0o555)
    return str(folder)


def compiled_locale(name: str, temporary: Path) -> Path:
    """A folder with a locale, which few machines have in every language.

    Raises:
        Amiss: there are no sources of locales here.
    """
    folder = temporary / "locales"
    folder.mkdir()
    language, _, encoding = name.partition(".")
    command = ["localedef", "-i", language, "-f", encoding, str(folder / name)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Amiss(
            f"Nothing was tested in {name}, because `{' '.join(command[:5])}` fails. Debian and "
            "Ubuntu have what it needs in their package locales."
        ) from error
    return folder


@contextmanager
def busy(count: int) -> Iterator[None]:
    """That many programs which do nothing but work."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variants", nargs="*", help=f"default: all: {', '.join(VARIANTS)}")
    parser.add_argument("--part", choices=PARTS, action="append", help="default: all")
    parser.add_argument("--only", nargs="+", help="these tests instead of the parts")
    options = parser.parse_args()
    unknown = set(options.variants) - set(VARIANTS)
    if unknown:
        raise Amiss(
            f"There is no variant {', '.join(sorted(unknown))}; there are {', '.join(VARIANTS)}."
        )
    parts = {part: PARTS[part] for part in options.part or PARTS}
    if options.only:
        parts = {"tests": options.only}
    findings = 0
    for name in options.variants or VARIANTS:
        for part, arguments in parts.items():
            start = time.monotonic()
            log = ROOT / "_build" / "machines" / f"{name}-{part}.log"
            try:
                failed = run(name, list(arguments), log)
            except Amiss as amiss:
                failed = [str(amiss)]
            for line in failed:
                print(f"{name}: {line}", flush=True)
            findings += len(failed)
            state = f"{len(failed)} failed" if failed else "passed"
            about = VARIANTS[name].about
            print(
                f"== {name} ({about}), {part}: {state} in {time.monotonic() - start:.0f} s",
                flush=True,
            )
    print("All is as it should be." if not findings else f"{findings} findings.")
    return 1 if findings else 0


if __name__ == "__main__":
    end_with(main)
