"""Install what is published, the wheel and the source distribution, into empty environments:
``make packages``.

In each of them the command ``cnncourse doctor`` and the first lesson have to work from a folder
that knows nothing of this project.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

from surroundings import ROOT, THIS_PYTHON, build, end_with, kernel, make, run_all

LIMIT = 15_000_000
LESSON = ROOT / "notebooks" / "01-images-as-arrays.ipynb"


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
    amiss = 0
    with tempfile.TemporaryDirectory(prefix="cnncourse-") as outer:
        for path in build(Path(outer), "sdist", "wheel"):
            size = path.stat().st_size
            missing = wanted - package_files(path)
            print(f"{path.name}: {size:,} bytes, {len(wanted) - len(missing)} files of the package")
            for name in sorted(missing):
                print(f"{path.name}: lacks {name}")
            if size >= LIMIT:
                print(f"{path.name}: wanted less than {LIMIT:,} bytes")
            amiss += bool(missing) + (size >= LIMIT)

            folder = ROOT / ".venv-packages"
            shutil.rmtree(folder, ignore_errors=True)
            python = make(folder, THIS_PYTHON, [str(path), "ipykernel"])
            elsewhere = Path(outer, "elsewhere")
            elsewhere.mkdir(exist_ok=True)
            doctor = subprocess.run(
                [python.with_name("cnncourse"), "doctor"],
                cwd=elsewhere,
                capture_output=True,
                text=True,
            )
            print(f"{path.name}: cnncourse doctor ends with {doctor.returncode}")
            if doctor.returncode:
                print(doctor.stdout + doctor.stderr)
            with kernel(python, {}) as name:
                amiss += bool(doctor.returncode) + run_all([LESSON], name)
    print("Both work." if not amiss else f"{amiss} findings.")
    return 1 if amiss else 0


if __name__ == "__main__":
    end_with(main)
