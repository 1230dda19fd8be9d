"""The ``cnncourse`` command: look at the machine, fetch data, train, evaluate.

It parses, reports and sets exit codes; the work is done by the rooms below.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnncourse.startup import start_keras

# Nothing heavy is imported up here: `cnncourse --help` answers at once, and a command says
# what is wrong with its arguments before it loads TensorFlow.
if TYPE_CHECKING:
    from cnncourse.training import LogRow, Recipe

OK, NOTE, AMISS = "ok", "note", "amiss"


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
        _cores(),
        _memory(),
        _gpu(),
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


def train(options: argparse.Namespace) -> int:
    """Train a network by its documented recipe, with the changes that were asked for."""
    folder = Path(options.folder or Path("runs") / options.network)
    _need_writable(folder)
    start_keras()
    from cnncourse import training

    if options.network not in training.RECIPES:
        raise ValueError(
            f"There is no network {options.network!r}; choose one of {', '.join(training.RECIPES)}."
        )
    wishes = ((field.name, getattr(options, field.name, None)) for field in fields(training.Recipe))
    changes = {name: wish for name, wish in wishes if wish is not None}
    if changes.get("data") == "small":
        changes["validation_count"] = 1000
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


def evaluate(options: argparse.Namespace) -> int:
    """Accuracy of a run, or of a shipped network, on one part of the data."""
    start_keras()
    from cnncourse import datasets, models, training

    if options.what in models.NETWORKS:
        network, data_size, count = models.load_pretrained(options.what), "small", 1000
    elif Path(options.what).is_dir():
        recipe, network, _ = training.load_run(options.what)
        data_size, count = recipe.data, recipe.validation_count
    else:
        raise ValueError(
            f"{options.what!r} is neither a network ({', '.join(models.NETWORKS)}) nor the folder "
            "of a run."
        )
    data_size = options.data or data_size
    train_part, test_part = datasets.load_fashion_mnist(data_size)
    if options.part == "test":
        images, labels = test_part
    else:
        _, (images, labels) = datasets.split_validation(*train_part, count=count)
    correct, total = training.accuracy(network, datasets.as_inputs(images), labels)
    print(f"{correct} of {total} right: {correct / total:.2%} ({options.part} part, {data_size})")
    return 0


def export(options: argparse.Namespace) -> int:
    """Write a model in the form that another program reads."""
    _need_writable(Path(options.folder))
    start_keras()
    import keras

    from cnncourse import datasets, models, training
    from cnncourse.export import export_explorer

    classes = datasets.FASHION_MNIST_CLASSES
    if options.model in models.NETWORKS:
        network = models.load_pretrained(options.model)
    elif Path(options.model).is_dir():
        _, network, _ = training.load_run(options.model)
    elif Path(options.model).is_file() and options.model.endswith(".keras"):
        network, classes = keras.models.load_model(options.model), None
    else:
        raise ValueError(
            f"{options.model!r} is neither a network ({', '.join(models.NETWORKS)}) nor the folder "
            "of a run nor a file that ends in .keras."
        )
    manifest = export_explorer(network, options.folder, classes=options.classes or classes)
    size = sum(path.stat().st_size for path in manifest.parent.iterdir())
    print(f"{manifest.parent}: {network.name}, {size:,} bytes. Open the folder in the explorer.")
    return 0


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

    command = add(train)
    command.add_argument("network", help="simple_CNN or simpler_CNN")
    command.add_argument("--data", choices=("small", "full"), help="the part of Fashion-MNIST")
    command.add_argument("--epochs", type=int, help="passes over the training images")
    command.add_argument("--batch-size", type=int, help="images per step")
    command.add_argument("--learning-rate", type=float, help="of the first step")
    command.add_argument(
        "--augmentation", nargs="*", help="random changes to the images: flip, shift, or none"
    )
    command.add_argument(
        "--dropout-share", type=float, help="share of the epochs in which dropout is active"
    )
    command.add_argument("--seed", type=int, help="of everything random")
    command.add_argument("--folder", help="where checkpoints and log go (runs/NETWORK)")

    command = add(evaluate)
    command.add_argument("what", help="a network, for its shipped weights, or the folder of a run")
    command.add_argument("--data", choices=("small", "full"), help="the part of Fashion-MNIST")
    command.add_argument(
        "--part",
        choices=("validation", "test"),
        default="validation",
        help="the test part is for the last look, never for choosing (default: validation)",
    )

    command = add(export)
    command.add_argument("model", help="a network, the folder of a run, or a file of Keras")
    command.add_argument(
        "--to",
        nargs=2,
        metavar=("FORM", "FOLDER"),
        action=_Form,
        required=True,
        help="the form, so far explorer, and the folder that is made or written into",
    )
    command.add_argument("--classes", nargs="+", help="a name for each output, in order")
    return parser


class _Form(argparse.Action):
    """Reads ``--to explorer FOLDER``."""

    def __call__(self, parser: argparse.ArgumentParser, options: Any, values: Any, *_: Any) -> None:
        form, options.folder = values
        if form != "explorer":
            parser.error(f"argument --to: there is no form {form!r}; choose explorer")


def _describe(row: LogRow, recipe: Recipe) -> str:
    return (
        f"epoch {row['epoch']:>3.0f}/{recipe.epochs}  "
        f"loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}  "
        f"val_loss {row['val_loss']:.4f}  val_accuracy {row['val_accuracy']:.4f}"
    )


def _need_writable(folder: Path) -> None:
    """Say before any work starts that a folder cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OSError(
            f"Cannot write into {folder} ({error.strerror}). Choose another folder, or change "
            "its owner or permissions."
        ) from error


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


def _gpu() -> Finding:
    """Whether the backend sees a GPU; asked in words that every backend understands."""
    try:
        start_keras()
        import keras

        devices = keras.distribution.list_devices("gpu")
    except Exception as error:  # noqa: BLE001 - a broken backend is a finding, not a crash
        return Finding("GPU", AMISS, f"Keras does not start: {error}", "Install the packages anew.")
    if devices:
        return Finding("GPU", OK, ", ".join(devices))
    return Finding("GPU", OK, "none, and none is needed")


def _cache() -> Finding:
    from cnncourse import datasets

    folder = datasets.cache_folder()
    try:
        _need_writable(folder)
    except OSError as error:
        advice = "Set CNNCOURSE_CACHE to a folder that you can write into."
        return Finding("cache", AMISS, str(error), advice)
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
