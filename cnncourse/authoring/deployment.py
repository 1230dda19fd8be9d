"""What both networks cost and answer in each runtime, and on a processor that adds in 16 bits.

Each way to ask a network runs in a process of its own, tied to its cores, so that start-up and
memory are its own. This module is that process as well, and there it loads no Keras of itself.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from cnncourse import datasets, results
from cnncourse.authoring import browsing
from cnncourse.authoring.notebooks import EXPLORER, AuthoringError, Course

COMMAND = "python -m cnncourse.authoring deploy"
SATURATION = "python -m cnncourse.authoring saturate"

NETWORKS = ("simple_CNN", "simpler_CNN")
BATCH = 100
BLOCKS = 6
ROUNDS = {1: 20, BATCH: 2}
"""How often in a block an image alone and a batch are asked about; the median counts."""

FILES = {
    "onnx": ".onnx",
    "onnx_int8": "-int8.onnx",
    "litert": ".tflite",
    "litert_int8": "-int8.tflite",
}
KERAS = ("predict", "compiled", "folded")
PAGE = ("node", "browser")
MEASURED = {
    "alone": ("ms", 3),
    "batch": ("ms", 3),
    "batch_two": ("ms", 3),  # on two cores
    "startup": ("s", 2),
    "memory": ("bytes", 3),
}
"""What is recorded of a way: its unit, and how many digits mean something."""
WAYS = (*KERAS, *FILES, *PAGE)

EMULATOR = ("qemu-x86_64-static", "-cpu", "Haswell")
"""A processor with AVX2 and without 8-bit dot products (Intel, 2013)."""

EMULATED = 1000
"""How many test images it is asked about: it is a hundred times slower."""

Values = dict[str, dict[str, Any]]
Predict = Callable[[np.ndarray], np.ndarray]

_NODE = """
import { readFileSync, writeFileSync } from "node:fs";
import { readManifest, readWeights, run } from "./network.js";
const [folder, pixels, answers] = process.argv.slice(2);
const manifest = readManifest(readFileSync(`${folder}/manifest.json`, "utf8"));
const file = readFileSync(`${folder}/weights.bin`);
const blob = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
const network = readWeights(manifest, blob);
const raw = readFileSync(pixels);
const all = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
const image = (index) => all.slice(index * 784, (index + 1) * 784);
const first = run(network, image(0)).at(-1).data;
const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
const status = readFileSync("/proc/self/status", "utf8");
const startup = used() / 1000, memory = 1024 * Number(status.match(/VmHWM:\\s+(\\d+)/)[1]);
const out = new Float32Array((all.length / 784) * first.length);
for (let index = 0; index * 784 < all.length; index++) {
  out.set(run(network, image(index)).at(-1).data, index * first.length);
}
const alone = (used() - 1000 * startup) / (out.length / first.length);
writeFileSync(answers, Buffer.from(out.buffer));
console.log(JSON.stringify({ startup, memory, alone }));
"""

_BROWSER = """async ({folder, count}) => {
    const {Engine, fetchNetwork} = await import('/explorer/engine.js');
    const engine = new Engine();
    const {manifest, weights} = await fetchNetwork(new URL(folder, location.href));
    await engine.load('net', manifest, weights);
    const pixels = new Float32Array(await (await fetch('/pixels.bin')).arrayBuffer());
    const answers = [];
    for (let index = 0; index < count; index++) {
        const {outputs} = await engine.run('net', pixels.slice(index * 784, (index + 1) * 784));
        answers.push([...outputs.at(-1).data]);
    }
    engine.worker.terminate();
    return answers;
}"""


def deploy(course: Course) -> Path:
    """Record the topic ``deployment``: each network in each way, on one core and on two."""
    from cnncourse.authoring.weights import shipped_fingerprints

    images, labels = _test_part()
    values: Values = {}
    limit = _child(["limit", "-", "-", "-"])["macs_per_second"]
    values["macs_per_second"] = _measured(limit, "1", 3)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        np.save(folder / "images.npy", images)
        (folder / "pixels.bin").write_bytes(images.tobytes())
        written = _write_all(folder)
        for name in NETWORKS:
            for way, found in _measure_network(course, folder, name).items():
                answers, theirs = (np.load(folder / f"{each}.npy") for each in (way, "predict"))
                keys = _counts(answers, theirs, labels) | found
                keys["bytes"] = {"value": written[name, way], "unit": "bytes"}
                values |= {f"{name}_{way}_{key}": entry for key, entry in keys.items()}
                print(name, way, {key: entry["value"] for key, entry in keys.items()}, flush=True)
    details = {
        "processor": _processor(),
        "node": _version("node"),
        "weights": shipped_fingerprints(),
    }
    return results.record("deployment", values, command=COMMAND, details=details)


def saturate(course: Course) -> Path:
    """Record the topic ``saturation``: int8 on this processor and on an emulated, older one.

    Raises:
        AuthoringError: there is no emulator on this machine.
    """
    from cnncourse.authoring.weights import shipped_fingerprints

    if not shutil.which(EMULATOR[0]):
        raise AuthoringError(f"There is no {EMULATOR[0]}; install Debian's qemu-user-static.")
    images, labels = (part[:EMULATED] for part in _test_part())
    values: Values = {"images": results.count(EMULATED)}
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        np.save(folder / "images.npy", images)
        for name in NETWORKS:
            for kind, reduced in {"8_bits": False, "7_bits": True}.items():
                path = folder / f"{name}-{kind}.onnx"
                _write(name, path, int8=True, reduce_range=reduced)
                right = {}
                for machine, prefix in {"here": (), "emulated": EMULATOR}.items():
                    _child(["answers", str(path), str(folder), "answers"], prefix)
                    right[machine] = np.load(folder / "answers.npy").argmax(axis=1) == labels
                    values[f"{name}_{kind}_{machine}_hits"] = results.count(right[machine].sum())
                here, emulated = right["here"], right["emulated"]
                values[f"{name}_{kind}_lost"] = results.count((here & ~emulated).sum())
                values[f"{name}_{kind}_gained"] = results.count((emulated & ~here).sum())
                print(name, kind, here.sum(), emulated.sum(), flush=True)
    emulator = f"{_version(EMULATOR[0])}: Haswell"
    details = {"processor": _processor(), "emulator": emulator, "weights": shipped_fingerprints()}
    return results.record("saturation", values, command=SATURATION, details=details)


def _test_part() -> tuple[np.ndarray, np.ndarray]:
    _, (images, labels) = datasets.load_fashion_mnist()
    return datasets.as_inputs(images), labels


def _write(name: str, path: Path, **settings: Any) -> None:
    from cnncourse import models, runtimes

    runtimes.write(models.load_pretrained(name), path, **settings)


def _write_all(folder: Path) -> dict[tuple[str, str], int]:
    """Write both networks in every form; how many bytes each takes."""
    from cnncourse import export, models

    sizes: dict[tuple[str, str], int] = {}
    for name in NETWORKS:
        model = models.load_pretrained(name)
        model.save(folder / f"{name}.keras")
        kept = (folder / f"{name}.keras").stat().st_size
        sizes |= {(name, way): kept for way in KERAS}
        for way, ending in FILES.items():
            path = folder / f"{name}{ending}"
            _write(name, path, int8=way.endswith("int8"))
            sizes[name, way] = path.stat().st_size
        manifest = export.export_explorer(model, folder / name, input_range=(0, 1))
        page = sum(path.stat().st_size for path in manifest.parent.iterdir())
        sizes |= {(name, way): page for way in PAGE}
    return sizes


def _measure_network(course: Course, folder: Path, name: str) -> dict[str, Values]:
    """Times, memory and start-up of each way; the answers about all images go into the folder."""
    path = str(folder / f"{name}.keras")
    two = _child(["keras", path, str(folder), "-"], cores=2)
    found = _child(["keras", path, str(folder), "-"])
    ways = {way: found[way] | two[way] for way in KERAS}
    ways["predict"] |= {key: found[key] for key in ("startup", "memory")}
    for way, ending in FILES.items():
        arguments = [way, str(folder / f"{name}{ending}"), str(folder), way]
        ways[way] = _child(arguments, cores=2) | _child(arguments)
    ways["node"] = _node(course, folder, name)
    ways["browser"] = {}
    np.save(folder / "browser.npy", _in_browser(course, folder, name))
    return {
        way: {
            key: _measured(measured[key], unit, digits)
            for key, (unit, digits) in MEASURED.items()
            if key in measured
        }
        for way, measured in ways.items()
    }


def _counts(answers: np.ndarray, theirs: np.ndarray, labels: np.ndarray) -> Values:
    ours, keras = answers.argmax(axis=1), theirs.argmax(axis=1)
    return {
        "hits": results.count((ours == labels).sum()),
        "changed": results.count((ours != keras).sum()),
        "lost": results.count(((keras == labels) & (ours != labels)).sum()),
        "gained": results.count(((keras != labels) & (ours == labels)).sum()),
        "largest": _measured(float(np.abs(answers - theirs).max()), "1", 2),
    }


def _measured(value: float, unit: str, digits: int) -> dict[str, Any]:
    return {"value": float(f"{value:.{digits}g}"), "unit": unit}


# --- in a process of its own --------------------------------------------------------------------


def _child(
    arguments: Sequence[str], prefix: Sequence[str] = (), *, cores: int = 1
) -> dict[str, Any]:
    """What a process of its own measures, with as many threads as cores.

    On one core all times are times of the processor: what others do on the machine is not
    counted. Two cores that work at once save no such time, so there the clock on the wall counts.
    """
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OPENBLAS_NUM_THREADS")
    done = subprocess.run(
        [*prefix, sys.executable, "-m", __name__, *arguments],
        env=os.environ | dict.fromkeys(names, str(cores)),
        preexec_fn=functools.partial(_on_cores, cores),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _on_cores(count: int) -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def _once(way: str, path: str, folder: str, answers: str) -> dict[str, Any]:
    """What one process measures of one way."""
    if way == "limit":
        return {"macs_per_second": _limit()}
    images = np.load(Path(folder) / "images.npy")
    ways = KERAS if way == "keras" else (way,)
    found: dict[str, Any] = {}
    for each in ways:
        predict = _predictor("onnx_int8" if way == "answers" else each, path)
        predict(images[:1])
        # Of the first way; the others find their library loaded.
        found.setdefault("startup", time.process_time())
        found.setdefault("memory", _most_memory())
        name = each if way == "keras" else answers
        np.save(Path(folder) / f"{name}.npy", _asked(predict, images))
        if way == "answers":
            continue
        if len(os.sched_getaffinity(0)) > 1:
            found[each] = {"batch_two": _time(predict, images[:BATCH], time.perf_counter)}
        else:
            found[each] = {
                "alone": _time(predict, images[:1]),
                "batch": _time(predict, images[:BATCH]),
            }
    return found if way == "keras" else found | found.get(way, {})


def _most_memory() -> int:
    """The most bytes that this process held at once, itself: ``getrusage`` counts its parent's."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def _time(
    predict: Predict, images: np.ndarray, clock: Callable[[], float] = time.process_time
) -> float:
    """Milliseconds for one image, in the block that was disturbed least."""
    blocks = []
    for _ in range(BLOCKS):
        times = []
        for _ in range(ROUNDS[len(images)]):
            started = clock()
            predict(images)
            times.append(1000 * (clock() - started) / len(images))
        blocks.append(statistics.median(times))
    return min(blocks)


def _asked(predict: Predict, images: np.ndarray) -> np.ndarray:
    parts = (images[start : start + BATCH] for start in range(0, len(images), BATCH))
    return np.concatenate([predict(part) for part in parts])


def _predictor(way: str, path: str) -> Predict:
    if way in FILES:
        from cnncourse import runtimes

        return runtimes.read(path, threads=len(os.sched_getaffinity(0)))
    from cnncourse.startup import start_keras

    start_keras()
    from cnncourse import anatomy, models

    model = models.load_file(path)
    if way == "predict":
        return lambda images: model.predict(images, verbose=0)
    if way == "folded":
        model = anatomy.fold_batch_normalization(model)
    return lambda images: np.asarray(model.predict_on_batch(images))


def _limit(side: int = 2048) -> float:
    """Multiply-accumulates in a second, in a large product of float32 matrices."""
    matrix = np.random.default_rng(0).random((side, side), dtype=np.float32)
    times = []
    for _ in range(8):
        started = time.process_time()
        matrix @ matrix
        times.append(time.process_time() - started)
    return float(side**3 / min(times))


# --- the page's own engine ----------------------------------------------------------------------


def _node(course: Course, folder: Path, name: str) -> dict[str, float]:
    place = folder / "engine"
    if not place.exists():
        place.mkdir()
        for path in (course.root / EXPLORER).glob("*.js"):
            shutil.copy(path, place)
        (place / "package.json").write_text('{"type": "module"}', encoding="utf-8")
        (place / "measure.js").write_text(_NODE, encoding="utf-8")
    raw = folder / "answers.bin"
    done = subprocess.run(
        ["node", place / "measure.js", folder / name, folder / "pixels.bin", raw],
        preexec_fn=functools.partial(_on_cores, 1),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    np.save(folder / "node.npy", np.fromfile(raw, np.float32).reshape(-1, 10))
    found: dict[str, float] = json.loads(done.stdout)
    return found


class _Handler(browsing.Quiet):
    """The page's scripts under ``/explorer/``, the rest from the folder."""

    explorer = Path()

    def translate_path(self, path: str) -> str:
        if path.startswith("/explorer/"):
            return str(self.explorer / path.removeprefix("/explorer/"))
        return super().translate_path(path)


def _in_browser(course: Course, folder: Path, name: str) -> np.ndarray:
    from playwright.sync_api import sync_playwright

    path = browsing.find_chromium()
    if path is None:
        raise AuthoringError("There is no Chromium on this machine; install it, or set CHROMIUM.")
    count = len(np.load(folder / "images.npy"))
    handler = type("Handler", (_Handler,), {"explorer": course.root / EXPLORER})
    with (
        browsing.served(functools.partial(handler, directory=str(folder))) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        found = page.evaluate(_BROWSER, {"folder": f"/{name}/", "count": count})
        browser.close()
    return np.array(found, np.float32)


def _processor() -> str:
    """Which of the instructions that matter here this machine has."""
    flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    return ", ".join(
        flag for flag in ("avx2", "avx512f", "avx512_vnni", "amx_int8") if flag in flags
    )


def _version(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_once(*sys.argv[1:5])))
