"""Measure the built pages in a real browser and record it: part of ``make bench``.

Each page is visited for the first time over a slow line, slow 4G as Lighthouse defines it (1.6
Mbit/s, 150 ms for each request), from a server that compresses as the published one does: the
first paint, the load event and all bytes of the visit. Then Lighthouse looks at it as it looks at
a phone's page. Lighthouse is installed with npm from the lock beside this file; where there is no
npm its scores are left out, and it says so.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from browsers import BUILT, Quiet, chromium, find_chromium, served

from cnncourse import results

TOPIC = "bench.pages"
RUNS = 5
PAGES = {
    "landing": "book/index",
    "lesson_02": "notebooks/02-convolution",
    "exercise_02": "notebooks/exercises/02-convolution",
    "explorer": "book/explorer",
    "glossary": "book/glossary",
}
CATEGORIES = {
    "performance": "performance",
    "accessibility": "accessibility",
    "best-practices": "best_practices",
    "seo": "seo",
}
COMPRESSED = {".html", ".css", ".js", ".json", ".svg", ".txt"}
"""What GitHub Pages, too, sends compressed."""
SLOW_4G = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1638.4 * 1024 / 8,
    "uploadThroughput": 675 * 1024 / 8,
}
TIMES = """() => {
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    const all = performance.getEntriesByType('resource');
    const page = performance.getEntriesByType('navigation')[0];
    return {
        first_paint: paint.startTime,
        loaded: page.loadEventEnd,
        bytes: [page, ...all].reduce((sum, {transferSize}) => sum + transferSize, 0),
    };
}"""


class Compressing(Quiet):
    """The built book, compressed on the way, without a line for each request."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.suffix not in COMPRESSED or not path.is_file():
            super().do_GET()
            return
        content = compressed(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(content)


@functools.cache
def compressed(path: Path) -> bytes:
    """A file as it travels."""
    return gzip.compress(path.read_bytes(), mtime=0)


def first_visit(browser, address: str) -> dict[str, float]:
    """Times in ms and bytes of one page, for a reader who comes for the first time."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW_4G)
    page.goto(address, wait_until="load", timeout=120_000)
    page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
    measured = page.evaluate(TIMES)
    context.close()
    return measured


def lighthouse() -> Path | None:
    """The installed command of Lighthouse; None where there is no npm."""
    if not shutil.which("npm"):
        return None
    folder = Path(sys.prefix) / "lighthouse"
    here = Path(__file__).parent
    lock = here / "package-lock.json"
    installed = folder / lock.name
    command = folder / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not command.is_file() or installed.read_bytes() != lock.read_bytes():
        folder.mkdir(exist_ok=True)
        for name in ("package.json", lock.name):
            shutil.copy(here / name, folder)
        quiet = ("--silent", "--no-audit", "--no-fund")
        subprocess.run(["npm", "ci", *quiet], cwd=folder, check=True)
    return command


def scores(command: Path, address: str) -> dict[str, float]:
    """What Lighthouse gives a page in each category, from 0 to 1 (it shows hundredths)."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        subprocess.run(
            [
                *("node", command, address, "--quiet", "--output=json", f"--output-path={report}"),
                f"--only-categories={','.join(CATEGORIES)}",
                "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
                "--no-enable-error-reporting",
            ],
            env=os.environ | {"CHROME_PATH": str(find_chromium())},
            check=True,
        )
        found = json.loads(report.read_text(encoding="utf-8"))
    for name in CATEGORIES:
        for audit in found["categories"][name]["auditRefs"]:
            score = found["audits"][audit["id"]]["score"]
            if name != "performance" and audit["weight"] and score is not None and score < 1:
                title = found["audits"][audit["id"]]["title"]
                sys.stdout.write(f"  {address}: {name}: {title}\n")
    return {key: found["categories"][name]["score"] for name, key in CATEGORIES.items()}


def summary(measured: dict[str, list[float]]) -> dict[str, dict[str, float | str]]:
    """The median of each number, and how far the others lie from it."""
    values = {}
    for key, numbers in measured.items():
        middle = statistics.median(numbers)
        ending = key.rpartition("_")[2]
        unit = {"bytes": "bytes", "paint": "ms", "loaded": "ms"}.get(ending, "fraction")
        places = 2 if unit == "fraction" else None
        values[key] = {
            "value": round(middle, places),
            "unit": unit,
            "tolerance": round(max(abs(number - middle) for number in numbers), places),
        }
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", default=list(PAGES), help=f"of {', '.join(PAGES)}")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"visits (default: {RUNS})")
    parser.add_argument("--look", action="store_true", help="print alone, record nothing")
    options = parser.parse_args()
    if not BUILT.is_dir():
        sys.exit("There is no built book; run `make book` first.")
    command = lighthouse()
    if command is None:
        sys.stdout.write("No npm found: Lighthouse did NOT look at the pages.\n")
    measured: dict[str, list[float]] = {}
    with served(functools.partial(Compressing, directory=str(BUILT))) as address:
        for _ in range(options.runs):
            for key in options.pages:
                page = f"{address}/{PAGES[key]}.html"
                with chromium() as browser:
                    found = first_visit(browser, page)
                found |= scores(command, page) if command else {}
                for name, value in found.items():
                    measured.setdefault(f"{key}_{name}", []).append(value)
    values = summary(measured)
    if not options.look:
        results.record(TOPIC, values, command="make bench")
    for key, entry in values.items():
        sys.stdout.write(f"{key}: {entry['value']:,} ± {entry['tolerance']:,} ({entry['unit']})\n")


if __name__ == "__main__":
    main()
