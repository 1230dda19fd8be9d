"""The ``cnncourse`` command: look at machine and progress, fetch data, train, evaluate.

It parses, reports and sets exit codes; the work is done by the rooms below.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnncourse import files
from cnncourse.startup import start_keras

# Nothing heavy is imported up here: `cnncourse --help` answers at once, and a command says
# what is wrong with its arguments before it loads TensorFlow.
if TYPE_CHECKING:
    import keras

    from cnncourse.training import LogRow, Recipe

FORMS = ("explorer", "onnx", "litert")
"""What a model is exported to."""

OK, NOTE, AMISS = "ok", "note", "amiss"
SYSTEM = Path("/")
"""Where Linux's own files are looked for."""


@dataclass(frozen=True)
class Finding:
    """One line of ``cnncourse doctor``: what was looked at, how it stands, what to do."""

    what: str
    state: str
    seen: str
    advice: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: what stands behind ``cnncourse`` on the command line.

    Returns:
        The exit status: 0 if all went well, 1 if not, 2 for arguments that make no sense,
        130 after an interrupt.
    """
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except (OSError, ValueError) as error:
        print(f"cnncourse {options.command}: {error}", file=sys.stderr)
        return 1
    except ImportError as error:
        print(
            f"cnncourse {options.command}: a package does not load ({error}). `cnncourse doctor` "
            "says what to do.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(f"\ncnncourse {options.command}: interrupted.", file=sys.stderr)
        return 130


def doctor(options: argparse.Namespace) -> int:
    """Report on the machine, and what to do about each thing amiss."""
    findings = examine()
    for finding in findings:
        print(f"{finding.state:<6}{finding.what:<14}{finding.seen}")
        if finding.advice:
            print(f"{'':<20}→ {finding.advice}")
    amiss = sum(finding.state == AMISS for finding in findings)
    print("Nothing is amiss." if not amiss else f"{amiss} amiss: follow the arrows.")
    return 1 if amiss else 0


def examine() -> list[Finding]:
    """All findings of ``cnncourse doctor``, in the order they are printed."""
    return [
        _python(),
        *_packages(),
        _installations(),
        _cores(),
        _memory(),
        *_keras_settings(),
        _gpu(),
        _precision(),
        _cache(),
        _sample(),
        _full_data(),
    ]


def data(options: argparse.Namespace) -> int:
    """Fetch all of Fashion-MNIST, or find it, and verify each file."""
    from cnncourse import datasets

    (train_images, _), (test_images, _) = datasets.load_fashion_mnist("full")
    print(
        f"All of Fashion-MNIST is here and sound: {len(train_images):,} training and "
        f"{len(test_images):,} test images, every file checked by its SHA-256."
    )
    return 0


def progress(options: argparse.Namespace) -> int:
    """Show which exercises were passed on this machine, or delete what is kept of it."""
    from cnncourse.checks import EXERCISES
    from cnncourse.checks import progress as kept

    place = kept.folder()
    if place is None:
        print("Nothing is kept: CNNCOURSE_PROGRESS is set and empty.")
        return 0
    if options.delete:
        print(f"Deleted from {place}: {kept.forget(EXERCISES)} of {len(EXERCISES)} exercises.")
        return 0
    days = kept.passed(EXERCISES)
    for name, exercise in EXERCISES.items():
        state = f"passed {days[name]}".rstrip() if name in days else "not yet"
        print(f"{exercise.lesson}  {name:<28}{state}")
    print(
        f"{len(days)} of {len(EXERCISES)} passed. This is kept in {place}, and never leaves "
        "this machine; `cnncourse progress --delete` deletes it."
    )
    return 0


def train(options: argparse.Namespace) -> int:
    """Train a network by its documented recipe, with the changes that were asked for."""
    folder = Path(options.folder or Path("runs") / options.network)
    files.make_folder(folder)
    if options.end_with_input:
        threading.Thread(target=_end_with_input, daemon=True).start()
    start_keras()
    from cnncourse import training

    if options.network not in training.RECIPES:
        raise ValueError(
            f"There is no network {options.network!r}; choose one of {', '.join(training.RECIPES)}."
        )
    wishes = ((field.name, getattr(options, field.name, None)) for field in fields(training.Recipe))
    changes = {name: wish for name, wish in wishes if wish is not None}
    if changes.get("data") == "small":
        changes.setdefault("validation_count", 1000)
    recipe = replace(training.RECIPES[options.network], **changes)
    print(f"{recipe}\nEach epoch is kept in {folder}; an interrupted run goes on from there.")
    training.train(
        recipe,
        folder,
        on_epoch=lambda row: print(_describe(row, recipe), flush=True),
        callbacks=(training.ProgressBar(),),
    )
    print(f"Done. Next: cnncourse evaluate {folder}")
    return 0


def study(options: argparse.Namespace) -> int:
    """Do all runs of a plan, on this machine or on many, and print the table of what they reach."""
    path = Path(options.plan)
    start_keras()
    from cnncourse import study as room

    path = path if path.exists() else room.shipped_plan(options.plan) or path
    plan = room.read_plan(path)
    folder = Path(options.folder or Path("runs") / path.stem)
    runs = plan.runs()
    done = sum(room.epochs_done(folder / name) == recipe.epochs for name, recipe in runs.items())
    print(f"{path}: {len(runs)} runs, {done} of them have ended in {folder}.")
    if options.dry_run:
        hours = sum(room.forecast(plan, folder).values()) / 3600
        print(f"The others would take {hours:.1f} h one after the other, measured on this machine.")
        return 0
    with _progress_of(sum(recipe.epochs for recipe in runs.values())) as show:
        room.study(
            plan,
            folder,
            scheduler=options.scheduler,
            workers=options.workers,
            on_progress=lambda epochs: show(epochs, {name: runs[name].epochs for name in epochs}),
        )
    print(room.describe(room.table(plan, room.accuracies(plan, folder))))
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Accuracy of a run, or of a shipped network, on one part of the data."""
    start_keras()
    from cnncourse import training

    network, _, data_size, count = _trained(options)
    inputs, labels = _part_of(data_size, options.part, count)
    correct, total = training.count_correct(network, inputs, labels)
    print(f"{correct} of {total} right: {correct / total:.2%} ({options.part} part, {data_size})")
    return 0


def card(options: argparse.Namespace) -> int:
    """Write a page of facts about a run, or a shipped network: its model card."""
    start_keras()
    from cnncourse import datasets, models
    from cnncourse.cards import card as page

    network, recipe, data_size, count = _trained(options)
    text = page(
        network,
        recipe,
        *_part_of(data_size, options.part, count),
        part=f"{options.part} part ({data_size})",
        classes=datasets.FASHION_MNIST_CLASSES,
        shipped=options.what in models.NETWORKS,
    )
    if options.to is None:
        print(text, end="")
        return 0
    files.write_whole(Path(options.to), text.encode())
    print(f"{options.to}: the model card of {network.name}.")
    return 0


def _trained(options: argparse.Namespace) -> tuple[keras.Model, Recipe, str, int]:
    """The network, its recipe, and the data to look at: size, and how much is validation."""
    from cnncourse import models, training

    if options.what in models.NETWORKS:
        network: keras.Model = models.load_pretrained(options.what)
        return network, training.RECIPES[options.what], options.data or "small", 1000
    if Path(options.what).is_dir():
        recipe, network, _ = training.load_run(options.what)
        return network, recipe, options.data or recipe.data, recipe.validation_count
    raise ValueError(
        f"{options.what!r} is neither a network ({', '.join(models.NETWORKS)}) nor the folder "
        "of a run."
    )


def _part_of(data_size: str, part: str, count: int) -> tuple[Any, Any]:
    """Inputs and labels of the validation or test part."""
    from cnncourse import datasets

    train_part, (images, labels) = datasets.load_fashion_mnist(data_size)
    if part == "validation":
        _, (images, labels) = datasets.split_validation(*train_part, count=count)
    return datasets.as_inputs(images), labels


def export(options: argparse.Namespace) -> int:
    """Write a model in the form that another program reads, and check what was written."""
    target = Path(options.target)
    # Refused before TensorFlow is loaded.
    if options.form != "explorer":
        from cnncourse import runtimes

        if target.suffix != runtimes.ENDINGS[options.form]:
            raise ValueError(
                f"Got {target} for {options.form}; wanted a file that ends in "
                f"{runtimes.ENDINGS[options.form]}."
            )
        runtimes.require(options.form)
    elif options.int8:
        raise ValueError("--int8 is for onnx and litert; the explorer computes in float32.")
    folder = target if options.form == "explorer" else target.parent
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    files.make_folder(folder)
    try:
        start_keras()
        return _export_explorer(options) if options.form == "explorer" else _export_file(options)
    except BaseException:
        for each in made:  # nothing half-written stays, and no folder without a network
            with contextlib.suppress(OSError):
                each.rmdir()
        raise


def _export_file(options: argparse.Namespace) -> int:
    from cnncourse import runtimes

    network, _, input_range, reason = _exported(options)
    _note_range(reason)
    target = Path(options.target)
    images = runtimes.sample(network, input_range)
    found = runtimes.write(network, target, int8=options.int8, images=images)
    kind = "int8" if options.int8 else "float32"
    print(f"{target}: {network.name} in {kind}, {target.stat().st_size:,} bytes; {found}.")
    return 0


def _export_explorer(options: argparse.Namespace) -> int:
    from cnncourse import runtimes
    from cnncourse.export import MANIFEST, WEIGHTS

    network, classes, input_range, reason = _exported(options)
    target = Path(options.target)
    found = runtimes.write_explorer(
        network,
        target,
        runtimes.sample(network, input_range),
        classes=options.classes or classes,
        input_range=input_range,
    )
    size = sum((target / name).stat().st_size for name in (MANIFEST, WEIGHTS))
    _note_range(reason)
    low, high = input_range
    print(
        f"{target}: {network.name}, pixels from {low:g} to {high:g}, {size:,} bytes; {found}. "
        "Open the folder in the explorer."
    )
    return 0


def _note_range(reason: str) -> None:
    if reason:
        print(f"cnncourse export: {reason} Say it with --range LOW HIGH.", file=sys.stderr)


def _exported(
    options: argparse.Namespace,
) -> tuple[keras.Model, Sequence[str] | None, tuple[float, float], str]:
    """The model, its classes, its pixels' range, and why this is guessed not to be 0 to 1."""
    from cnncourse import datasets, models, training
    from cnncourse.export import expected_range

    classes: Sequence[str] | None = datasets.FASHION_MNIST_CLASSES
    input_range: tuple[float, float] = (0.0, 1.0)  # what the course's networks are fed
    reason = ""
    path = Path(options.model)
    if options.model in models.NETWORKS:
        network: keras.Model = models.load_pretrained(options.model)
    elif path.is_dir() and not (path / "saved_model.pb").exists():
        _, network, _ = training.load_run(options.model)
    elif path.exists():
        network, classes = models.load_file(path), None
        if options.range is None:
            input_range, reason = expected_range(network)
    else:
        raise ValueError(
            f"{options.model!r} is neither a network ({', '.join(models.NETWORKS)}) nor the folder "
            "of a run nor a file of Keras (.keras, .h5)."
        )
    return network, classes, tuple(options.range or input_range), reason


# What of a recipe can be asked for at the command line: its type, and in words.
_RECIPE_OPTIONS: dict[str, tuple[type, str]] = {
    "variant": (str, "one part of the network changed, see lesson 14"),
    "data": (str, "the part of Fashion-MNIST: small or full"),
    "train_count": (int, "how many training images are used (0: all)"),
    "validation_count": (int, "how many images are cut off for validation"),
    "epochs": (int, "passes over the training images"),
    "batch_size": (int, "images per step"),
    "learning_rate": (float, "of the first step"),
    "optimizer": (str, "adam, or sgd with Nesterov momentum"),
    "weight_decay": (float, "of the kernels, apart from the gradient"),
    "label_smoothing": (float, "share of a label that is spread over all classes"),
    "augmentation": (str, "random changes to the images: flip, shift, erase, or none"),
    "dropout_share": (float, "share of the epochs in which dropout is active"),
    "average": (int, "over how many last epochs the weights are averaged"),
    "seed": (int, "of everything random"),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cnncourse", description="The helper of the course on convolutional networks."
    )
    parser.add_argument(
        "--version", action="version", version=f"cnncourse {metadata.version('cnncourse')}"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(function: Any) -> argparse.ArgumentParser:
        command = commands.add_parser(
            function.__name__, help=function.__doc__, description=function.__doc__
        )
        command.set_defaults(run=function)
        return command

    add(doctor)
    add(data)

    command = add(progress)
    command.add_argument("--delete", action="store_true", help="delete what is kept")

    command = add(train)
    command.add_argument("network", help="simple_CNN or simpler_CNN")
    for name, (kind, explained) in _RECIPE_OPTIONS.items():
        several: dict[str, Any] = {"nargs": "*"} if name == "augmentation" else {}
        command.add_argument(f"--{name.replace('_', '-')}", type=kind, help=explained, **several)
    command.add_argument(
        "--end-with-input",
        action="store_true",
        help="end when standard input is closed, as it is when the program that started this dies",
    )
    command.add_argument("--folder", help="where checkpoints and log go (runs/NETWORK)")

    command = add(study)
    command.add_argument("plan", help="a TOML file, or a plan of the course: ablation, recipes")
    command.add_argument("--folder", help="where the runs are kept (runs/PLAN)")
    command.add_argument("--scheduler", help="a running dask scheduler, tcp://host:port")
    command.add_argument(
        "--workers", type=int, default=1, help="runs at a time on this machine (default: 1)"
    )
    command.add_argument(
        "--dry-run", action="store_true", help="say how long it will take, and run nothing"
    )

    # A card is written when all is chosen.
    for function, part in ((evaluate, "validation"), (card, "test")):
        command = add(function)
        command.add_argument(
            "what", help="a network, for its shipped weights, or the folder of a run"
        )
        command.add_argument("--data", choices=("small", "full"), help="the part of Fashion-MNIST")
        command.add_argument(
            "--part",
            choices=("validation", "test"),
            default=part,
            help=f"the test part is for the last look, never for choosing (default: {part})",
        )
    command.add_argument("--to", metavar="FILE", help="where the page goes (default: shown)")

    command = add(export)
    command.add_argument("model", help="a network, the folder of a run, or a file of Keras")
    command.add_argument(
        "--to",
        nargs=2,
        metavar=("FORM", "PATH"),
        action=_Form,
        required=True,
        help="explorer and a folder, onnx and a file .onnx, litert and a file .tflite",
    )
    command.add_argument(
        "--int8", action="store_true", help="weights and maps in 8 bits (onnx, litert)"
    )
    command.add_argument("--classes", nargs="+", help="a name for each output, in order")
    command.add_argument(
        "--range",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="what a black and a white pixel are to the network, such as 0 255 (found out if left "
        "out, else 0 1)",
    )
    return parser


class _Form(argparse.Action):
    """Reads ``--to FORM PATH``."""

    def __call__(self, parser: argparse.ArgumentParser, options: Any, values: Any, *_: Any) -> None:
        options.form, options.target = values
        if options.form not in FORMS:
            parser.error(
                f"argument --to: there is no form {options.form!r}; choose {', '.join(FORMS)}"
            )


@contextlib.contextmanager
def _progress_of(total: int) -> Iterator[Callable[[dict[str, int], dict[str, int]], None]]:
    """One bar over all epochs, and beside it how far each run under way has come."""
    from tqdm import tqdm

    with tqdm(total=total, unit="epoch", disable=not sys.stderr.isatty()) as bar:

        def show(done: dict[str, int], epochs: dict[str, int]) -> None:
            ended = total - sum(epochs.values())
            bar.n = ended + sum(done.values())
            under_way = (
                f"{name} {n}/{epochs[name]}" for name, n in done.items() if 0 < n < epochs[name]
            )
            bar.set_postfix_str(", ".join(under_way))

        yield show


def _end_with_input() -> None:
    """End this process once nobody holds the other end of its standard input."""
    # Not through sys.stdin: its lock, held by this thread, would break the end of Python.
    while os.read(0, 1):
        pass
    os._exit(1)


def _describe(row: LogRow, recipe: Recipe) -> str:
    return (
        f"epoch {row['epoch']:>3.0f}/{recipe.epochs}  "
        f"loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}  "
        f"val_loss {row['val_loss']:.4f}  val_accuracy {row['val_accuracy']:.4f}"
    )


def _python() -> Finding:
    from packaging.specifiers import SpecifierSet

    wanted = metadata.metadata("cnncourse")["Requires-Python"]
    seen = platform.python_version()
    if SpecifierSet(wanted).contains(seen):
        return Finding("Python", OK, seen)
    return Finding("Python", AMISS, seen, f"Install a Python of {wanted}.")


def _packages() -> list[Finding]:
    from packaging.requirements import Requirement

    findings = []
    for line in metadata.requires("cnncourse") or []:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            seen = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            seen = "missing"
        if seen != "missing" and requirement.specifier.contains(seen, prereleases=True):
            findings.append(Finding(requirement.name, OK, seen))
        else:
            advice = f'Run: python -m pip install "{requirement.name}{requirement.specifier}"'
            findings.append(Finding(requirement.name, AMISS, seen, advice))
    return findings


def _cores() -> Finding:
    cores = os.cpu_count() or 1
    if cores >= 2:
        return Finding("cores", OK, str(cores))
    return Finding("cores", NOTE, str(cores), "One core is enough; the lessons take longer.")


def _memory() -> Finding:
    import psutil

    free = psutil.virtual_memory().available / 2**30
    seen = f"{free:.1f} GiB free of {psutil.virtual_memory().total / 2**30:.1f} GiB"
    if free >= 2:
        return Finding("memory", OK, seen)
    return Finding("memory", NOTE, seen, "Close other programs: the lessons want about 2 GiB.")


def _installations() -> Finding:
    """Whether a package that counts is there twice: then it is chance which one is loaded."""
    from packaging.requirements import Requirement

    wanted = {Requirement(line).name.lower() for line in metadata.requires("cnncourse") or []}
    places: dict[str, dict[Path, str]] = {}
    for found in metadata.distributions():
        name = (found.metadata["Name"] or "").lower()
        if name in wanted | {"cnncourse"}:
            folder = Path(str(found.locate_file(""))).resolve()
            places.setdefault(name, {})[folder] = found.version
    for name, versions in sorted(places.items()):
        # A folder that holds the course's own code beside an installed link to it is one.
        if len(versions) > 1 and name != "cnncourse":
            seen = ", ".join(f"{version} in {folder}" for folder, version in versions.items())
            advice = (
                f"Run `python -m pip uninstall {name}` until it says that none is left, then "
                f"`python -m pip install {name}`."
            )
            return Finding("installations", AMISS, f"{name} is there twice: {seen}", advice)
    command = shutil.which("cnncourse")
    if command and Path(command).parent.resolve() != Path(sys.executable).parent.resolve():
        advice = f"Both work; to use this one, write {sys.executable} -m cnncourse.cli."
        seen = f"the command on the path, {command}, belongs to another Python"
        return Finding("installations", NOTE, seen, advice)
    return Finding("installations", OK, "each package once")


def _keras_settings() -> list[Finding]:
    """What Keras is told to be by its file and by the environment, before it is loaded."""
    path = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
    settings: dict[str, Any] = {}
    if path.is_file():
        try:
            settings = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            advice = "Keras takes its usual settings then. Remove the file."
            return [Finding("keras.json", NOTE, f"{path} cannot be read", advice)]
    findings = [_backend(path, settings)]
    for name, usual in (("image_data_format", "channels_last"), ("floatx", "float32")):
        value = settings.get(name, usual)
        if value != usual:
            seen = f"{name} is {value!r} in {path}"
            advice = f'The course needs "{name}": "{usual}": change it there, or remove the file.'
            findings.append(Finding("keras.json", AMISS, seen, advice))
    return findings


def _backend(path: Path, settings: dict[str, Any]) -> Finding:
    variable = os.environ.get("KERAS_BACKEND")
    name = variable or settings.get("backend", "tensorflow")
    where = "the variable KERAS_BACKEND" if variable else str(path)
    cure = (
        "Unset the variable, or set it to tensorflow."
        if variable
        else f'Write "backend": "tensorflow" in {path}, or remove the file.'
    )
    if name == "tensorflow":
        return Finding("backend", OK, "tensorflow")
    if name not in ("jax", "torch", "openvino"):
        return Finding("backend", AMISS, f"{where} names {name!r}, which Keras 3 has not", cure)
    if find_spec(name) is None:
        return Finding("backend", AMISS, f"{where} names {name}, which is not installed", cure)
    advice = f"The lessons are written on tensorflow; both networks run here too. {cure}"
    return Finding("backend", NOTE, f"{name}, named by {where}", advice)


def _gpu() -> Finding:
    """Whether the backend sees a GPU; asked in words that every backend understands."""
    try:
        start_keras()
        import keras

        devices = keras.distribution.list_devices("gpu")
    except Exception as error:  # noqa: BLE001 - a broken backend is a finding, not a crash
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        advice = "Mend what is amiss above; if nothing is, install the packages anew."
        return Finding("GPU", AMISS, f"Keras does not start: {reason}", advice)
    if devices:
        return Finding("GPU", OK, ", ".join(devices))
    if _has_nvidia_card():
        advice = "None is needed. To use it, install NVIDIA's driver and tensorflow[and-cuda]."
        loaded = (SYSTEM / "proc/driver/nvidia/version").exists()
        state = "TensorFlow without its CUDA libraries" if loaded else "no driver of NVIDIA"
        return Finding("GPU", NOTE, f"a card of NVIDIA that Keras does not see: {state}", advice)
    return Finding("GPU", OK, "none, and none is needed")


def _has_nvidia_card() -> bool:
    """Whether Linux lists a display or compute card with NVIDIA's number; False elsewhere."""
    for vendor in (SYSTEM / "sys/bus/pci/devices").glob("*/vendor"):
        with contextlib.suppress(OSError):
            kind = vendor.with_name("class").read_text(encoding="ascii")
            if vendor.read_text(encoding="ascii").strip() == "0x10de" and kind.startswith("0x03"):
                return True
    return False


def _precision() -> Finding:
    """Whether new layers compute in float32, as every number of the course does."""
    try:
        import keras

        name = keras.config.dtype_policy().name
    except Exception:  # noqa: BLE001 - that Keras does not start is said under GPU
        return Finding("precision", NOTE, "unknown while Keras does not start")
    if name == "float32":
        return Finding("precision", OK, name)
    advice = 'Call keras.config.set_dtype_policy("float32"), or start the notebook anew.'
    return Finding("precision", AMISS, f"new layers compute in {name}", advice)


def _cache() -> Finding:
    from cnncourse import datasets

    folder = datasets.cache_folder()
    try:
        files.make_folder(folder, advice="")
    except OSError as error:
        return Finding("cache", AMISS, str(error).strip(), datasets.CACHE_ADVICE)
    return Finding("cache", OK, str(folder))


def _sample() -> Finding:
    from cnncourse import datasets

    try:
        (train_images, _), (test_images, _) = datasets.load_fashion_mnist("small")
    except Exception as error:  # noqa: BLE001 - whatever a damaged file raises
        return Finding("sample", AMISS, str(error), "Install the package cnncourse anew.")
    return Finding("sample", OK, f"{len(train_images):,} + {len(test_images):,} images")


def _full_data() -> Finding:
    from cnncourse import datasets

    missing = [name for name in datasets.SHA256 if datasets.find_full(name) is None]
    if not missing:
        return Finding("full data", OK, "all of Fashion-MNIST is here")
    advice = "Only for the full training runs. Run: cnncourse data"
    return Finding("full data", NOTE, f"{len(missing)} of 4 files missing", advice)


if __name__ == "__main__":
    sys.exit(main())
