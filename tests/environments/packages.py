"""Install what is published, the wheel and the source distribution, into empty environments:
``make packages``.

In each of them every module has to import with the declared dependencies alone, and the command
``cnncourse doctor`` and the first lesson have to work, from a folder that knows nothing of this
project.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

from surroundings import COURSE, ROOT, THIS_PYTHON, build, end_with, kernel, make

from cnncourse.authoring.runner import run_all

LIMIT = 15_000_000
LESSON = ROOT / "notebooks" / "01-images-as-arrays.ipynb"


# Each module of the installed package is imported; a line for each that can't be.
IMPORT_ALL = """
import importlib, pkgutil, sys
import cnncourse
from cnncourse.startup import start_keras
start_keras()
modules = [one.name for one in pkgutil.walk_packages(cnncourse.__path__, "cnncourse.")]
failed = 0
for name in modules:
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed += 1
        print(f"{name}: {error}")
print(f"{len(modules) - failed} of {len(modules)} modules import")
sys.exit(bool(failed) or not modules)
"""


def package_files(path: Path) -> set[str]:
    """The files of the package ``cnncourse`` in an archive, as the wheel names them."""
    if path.suffix == ".whl":
        names = zipfile.ZipFile(path).namelist()
    else:
        with tarfile.open(path) as archive:
            names = [name.partition("/")[2] for name in archive.getnames()]
    return {name for name in names if name.startswith("cnncourse/") and Path(name).suffix}


def main() -> int:
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.joinpath("cnncourse").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix
    }
    maintainers = {name for name in wanted if name.startswith("cnncourse/authoring/")}
    amiss = 0
    with tempfile.TemporaryDirectory(prefix="cnncourse-") as outer:
        for path in build(Path(outer), "sdist", "wheel"):
            size = path.stat().st_size
            held = package_files(path)
            due = wanted - maintainers if path.suffix == ".whl" else wanted
            print(f"{path.name}: {size:,} bytes, {len(held)} files of the package")
            for name in sorted(due - held):
                print(f"{path.name}: lacks {name}")
            for name in sorted(held - due):
                print(f"{path.name}: holds {name}")
            if size >= LIMIT:
                print(f"{path.name}: wanted less than {LIMIT:,} bytes")
            amiss += (held != due) + (size >= LIMIT)

            folder = ROOT / ".venv-packages"
            shutil.rmtree(folder, ignore_errors=True)
            python = make(folder, THIS_PYTHON, [str(path)])
            elsewhere = Path(outer, "elsewhere")
            elsewhere.mkdir(exist_ok=True)
            for what, command in {
                "imports": [str(python), "-c", IMPORT_ALL],
                "doctor": [str(python.with_name("cnncourse")), "doctor"],
            }.items():
                done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True)
                last = (done.stdout.strip().splitlines() or ["nothing was said"])[-1]
                print(f"{path.name}: {what}: {last}")
                if done.returncode:
                    print(done.stdout + done.stderr)
                    amiss += 1
            make(folder, THIS_PYTHON, [str(path), "ipykernel"])
            with kernel(python, {}) as name:
                amiss += run_all(COURSE, [LESSON], kernel=name)
    print("Both work." if not amiss else f"{amiss} findings.")
    return 1 if amiss else 0


if __name__ == "__main__":
    end_with(main)
