"""Install what is published, the wheel and the source distribution, into empty environments:
``make packages``.

In each of them the command ``cnncourse doctor`` and the first lesson have to work from a folder
that knows nothing of this project.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from surroundings import ROOT, UV, Amiss, kernel, make, run_all

LIMIT = 15_000_000
LESSON = ROOT / "notebooks" / "01-images-as-arrays.ipynb"


def build(folder: Path) -> list[Path]:
    """The wheel and the source distribution."""
    done = subprocess.run(
        [UV, "build", "--quiet", "--sdist", "--wheel", "--out-dir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Amiss(f"uv build failed:\n{done.stderr.strip()}")
    return sorted([*folder.glob("*.whl"), *folder.glob("*.tar.gz")])


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
    version = ".".join(map(str, sys.version_info[:2]))
    amiss = 0
    with tempfile.TemporaryDirectory(prefix="cnncourse-") as outer:
        for path in build(Path(outer)):
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
            python = make(folder, version, [str(path), "ipykernel"])
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
    try:
        sys.exit(main())
    except Amiss as amiss:
        sys.exit(str(amiss))
