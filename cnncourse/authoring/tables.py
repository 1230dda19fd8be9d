"""The tables of results and challenges, made from the records: no number in them is typed.

Each number carries the mark of its claim, so that ``claims`` compares it a second time. What
stands around a table is prose, and its author's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from cnncourse import results, study, variants
from cnncourse.authoring.generated import markdown_table, set_pieces
from cnncourse.authoring.notebooks import Course, Finding

PAGE, CHALLENGES = "book/results.md", "book/challenges.md"
NETWORKS = ("simple_CNN", "simpler_CNN")

_CONVOLUTION = re.compile(
    r"(?P<side>\d+)x\d+x(?P<before>\d+)_to_(?P<after>\d+)_kernel(?P<kernel>\d+)"
    r"_stride(?P<stride>\d+)_forward_loop_over_ops"
)
_RECIPE = re.compile(r"simple_CNN_(?:(?P<names>\w+?)_)?dropout_(?P<share>\d+)_validation_accuracy")


def shown(measured: results.Measurement) -> str:
    """A measured number as the tables print it, with its unit.

    >>> shown(results.Measurement(0.92875, "fraction", 0, {}))
    '92.88 %'
    >>> shown(results.Measurement(0.00000213, "1", 0, {}))
    '0.0000021'
    """
    value, unit = measured.value, measured.unit
    if unit == "fraction":
        return f"{100 * value:.2f} %"
    if unit in ("count", "bytes"):
        return f"{value:,}"
    if unit == "1":
        # Four decimals, or two digits of a number that has none there.
        leading = -math.floor(math.log10(abs(value))) if value else 0
        return f"{value:.{max(4, leading + 1)}f}"
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"
    return f"{text} {unit}" if unit in ("s", "ms") else text


def claimed(name: str) -> str:
    """A recorded number with the mark of its claim; what two percentages differ by is in points."""
    text = shown(results.value(name))
    if name.endswith(("_deviation", "_difference", "_half_interval")):
        text = text.replace(" %", " points")
    return f"{text}<!-- claim: {name} -->"


def _for_both(rows: dict[str, str]) -> str:
    """A row for each label; its pattern names a number, with ``{}`` for the network."""
    return markdown_table(
        ["what", *(f"`{network}`" for network in NETWORKS)],
        (
            [label, *(claimed(pattern.format(network)) for network in NETWORKS)]
            for label, pattern in rows.items()
        ),
    )


def networks() -> str:
    """What both networks are made of and what they reach."""
    return _for_both(
        {
            "parameters": "architecture.{}_parameters",
            "multiply-accumulates for one image": "architecture.{}_macs",
            "convolutions": "architecture.{}_convolutions",
            "receptive field of one place of the last map, in pixels": (
                "architecture.{}_receptive_field"
            ),
            "validation accuracy (5,000 images)": "{}.fashion_mnist.validation_accuracy",
            "test accuracy (10,000 images, which chose nothing)": "{}.fashion_mnist.test_accuracy",
            "test accuracy on the shipped sample (2,000 images)": (
                "{}.fashion_mnist.sample_accuracy"
            ),
        }
    )


def seeds() -> str:
    """Mean and deviation over the seeds of either network."""
    return markdown_table(
        ["what", *(f"`{network}`" for network in NETWORKS)],
        (
            [
                f"{part} accuracy",
                *(
                    f"{claimed(f'{network}.seeds.{part}_mean')} ± "
                    f"{claimed(f'{network}.seeds.{part}_deviation')}"
                    for network in NETWORKS
                ),
            ]
            for part in ("validation", "test")
        ),
    )


def comparison() -> str:
    """Seed by seed what only one of both networks gets right."""
    keys = results.load("comparison")["values"]
    numbers = sorted(int(key.split("_")[1]) for key in keys if key.endswith("_p_value"))
    return markdown_table(
        ["seed", *(f"only `{network}` right" for network in NETWORKS), "p-value"],
        (
            [
                f"{seed}",
                *(claimed(f"comparison.seed_{seed}_only_{network}") for network in NETWORKS),
                claimed(f"comparison.seed_{seed}_p_value"),
            ]
            for seed in numbers
        ),
    )


def recipes() -> str:
    """The validation accuracy of runs of different recipes."""
    found = [match for key in results.load("recipes")["values"] if (match := _RECIPE.match(key))]
    rows = []
    for match in sorted(found, key=lambda match: (-int(match["share"]), match["names"] or "")):
        names, share = match["names"] or "none", int(match["share"])
        dropout = {100: "on", 0: "off"}.get(share, f"on in the first {share} %<!-- definition -->")
        numbers = [f"recipes.{match[0].replace('simple_CNN', network)}" for network in NETWORKS]
        rows.append([names.replace("_", " and "), dropout, *map(claimed, numbers)])
    return markdown_table(
        ["augmentation", "dropout", *(f"`{network}`" for network in NETWORKS)], rows
    )


def speeds() -> str:
    """Each convolution three ways, as ratios."""
    ratios = {
        "loop / ours, forward": "forward_loop_over_ops",
        "ours / Keras, forward": "forward_ops_over_keras",
        "loop / ours, backward": "backward_loop_over_ops",
        "ours / Keras, backward": "backward_ops_over_keras",
    }
    rows = []
    for key in results.load("bench.ops")["values"]:
        if match := _CONVOLUTION.match(key):
            side, kernel, stride = match["side"], match["kernel"], match["stride"]
            label = f"{side}×{side}, {match['before']} → {match['after']} channels"
            label += f", {kernel}×{kernel}" + (f", stride {stride}" if stride != "1" else "")
            shape = key.removesuffix("_forward_loop_over_ops")
            rows.append(
                [label, *(claimed(f"bench.ops.{shape}_{ratio}") for ratio in ratios.values())]
            )
    return markdown_table(["convolution (batch of 32)", *ratios], rows)


def answers() -> str:
    """How long an answer takes, and how much a network weighs."""
    return _for_both(
        {
            "one image alone, 1 core": "bench.networks.{}_alone_1_cores",
            "one image alone, 2 cores": "bench.networks.{}_alone_2_cores",
            "one image in a batch of 100, 1 core": "bench.networks.{}_in_batch_1_cores",
            "one image in a batch of 100, 2 cores": "bench.networks.{}_in_batch_2_cores",
            "weights as shipped, in bytes": "{}.fashion_mnist.file_bytes",
        }
    )


def explorer() -> str:
    """How soon the explorer answers."""
    return _for_both(
        {
            "from the first click to the first answer, loading included": (
                "bench.explorer.{}_first_answer"
            ),
            "a further image": "bench.explorer.{}_new_image",
        }
    )


def ablation() -> str:
    """What each change does to the networks that the ablation was recorded for."""
    found = results.load("ablation")["values"]
    path = study.shipped_plan("ablation")
    assert path is not None
    rows = []
    for condition in study.read_plan(path).conditions:
        name, recipe = condition.name, condition.recipe
        if f"{name}_mean" not in found:
            continue
        change = variants.VARIANTS[recipe.variant].says if recipe.variant else "as it is"
        difference = "the others are compared with it"
        if f"{name}_difference" in found:
            points, half = (
                f"ablation.{name}_difference",
                f"ablation.{name}_difference_half_interval",
            )
            difference = f"{claimed(points)} ± {claimed(half)}"
        rows.append(
            [
                f"`{recipe.network}`",
                change + (", with dropout" if recipe.dropout_share and not recipe.variant else ""),
                claimed(f"ablation.{name}_mean"),
                difference,
                claimed(f"ablation.{name}_macs"),
                claimed(f"ablation.{name}_time_ratio"),
            ]
        )
    columns = ["network", "change", "validation accuracy", "difference", "MACs", "time of a step"]
    return markdown_table(columns, rows)


def known_designs() -> str:
    """What known designs reach in the challenges."""
    starts = [
        key.removesuffix("_mean")
        for key in results.load("challenges")["values"]
        if key.endswith("_mean")
    ]
    columns = ("parameters", "macs", "cpu_seconds")
    return markdown_table(
        ["challenge and design", "accuracy that counts", "parameters", "MACs", "training"],
        (
            [
                start.replace("_", ", "),
                f"{claimed(f'challenges.{start}_mean')} ± "
                f"{claimed(f'challenges.{start}_deviation')}",
                *(claimed(f"challenges.{start}_{column}") for column in columns),
            ]
            for start in starts
        ),
    )


def peers() -> str:
    """The networks of the course on the images of the challenges."""
    conditions = ("clean", "shifted", "noisy", "shifted_and_noisy")
    return _for_both(
        {
            condition.replace("_", " "): f"challenges_peers.{{}}_{condition}_accuracy"
            for condition in conditions
        }
    )


TABLES: dict[str, dict[str, Callable[[], str]]] = {
    PAGE: {
        "networks": networks,
        "seeds": seeds,
        "comparison": comparison,
        "recipes": recipes,
        "ablation": ablation,
        "speeds": speeds,
        "answers": answers,
        "explorer": explorer,
    },
    CHALLENGES: {"challenges": known_designs, "challenge_peers": peers},
}
"""What makes each table, by its page and the name in its marks."""


def tables(course: Course, *, check: bool = False) -> list[Finding]:
    """Write the tables of all pages; with ``check`` compare and write nothing.

    Raises:
        AuthoringError: the page lacks the marks of a table.
        KeyError: a record that a table needs is missing.
    """
    findings = []
    for page, makers in TABLES.items():
        pieces = {name: make() for name, make in makers.items()}
        findings += set_pieces(course, page, pieces, command="tables", check=check)
    return findings
