"""``widest_network`` of lesson 08, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _parameters(
    filters,
    channels_in,
    kernel_sizes,
    num_classes,
    *,
    bias=1,
    normalization=4,
    growth=2,
    area=lambda side: side * side,
    head=3,
):
    total, channels = 0, channels_in
    for side in kernel_sizes:
        total += (area(side) * channels + bias + normalization) * filters
        channels, filters = filters, growth * filters
    return total + (area(head) * channels + bias) * num_classes


def _widest(budget, count, *about, **changes):
    """The largest number of filters for which ``count`` stays within the budget."""
    filters = 0
    while count(filters + 1, *about, **changes) <= budget:
        filters += 1
    return filters


def _widest_network(budget, channels_in, kernel_sizes, num_classes):
    if not kernel_sizes or num_classes < 1:
        raise ValueError("A network without blocks or classes costs the same at every width.")
    return _widest(budget, _parameters, channels_in, kernel_sizes, num_classes)


def _widest_cases() -> Iterator[tuple]:
    for filters, channels_in, kernel_sizes, num_classes in [
        (1, 1, [1], 1),
        (2, 1, [1], 2),
        (3, 2, [3], 3),
        (2, 1, [3, 3], 2),
        (5, 3, [5, 3], 10),
        (16, 1, [7, 5, 3], 10),
        (9, 4, [3, 1, 3, 1], 7),
    ]:
        fits = _parameters(filters, channels_in, kernel_sizes, num_classes)
        for budget in (fits, fits - 1, fits + 7):
            yield budget, channels_in, kernel_sizes, num_classes
    yield 1, 1, [3], 10
    yield 195, 1, [1], 10
    yield 50_000, 1, [7, 5, 3], 10
    yield 31_260, 1, [3], 10  # hundreds of filters


BANK = Bank("widest_network", "08", _widest_network, _widest_cases, Values(kind="whole"))
BANK.help(
    idea=(
        "Each block reads what the one before it gives, and most of its weights are the product "
        "of both widths: the cost grows with the square of the width."
    ),
    section="Where the cost sits",
    step=(
        "Write the count of one width first, block by block, and carry along how many channels "
        "come in. Then raise the width while the count stays within the budget."
    ),
)


@BANK.mistake("A network that uses the whole budget seems to be refused. It is within it.")
def whole_budget_refused(budget, channels_in, kernel_sizes, num_classes):
    return _widest(budget - 1, _parameters, channels_in, kernel_sizes, num_classes)


@BANK.mistake(
    "This is the first width that is too much: one step back, and the network fits.",
)
def first_that_is_too_much(budget, channels_in, kernel_sizes, num_classes):
    return _widest_network(budget, channels_in, kernel_sizes, num_classes) + 1


@BANK.mistake("The biases seem not to count: each filter has one, in the last convolution, too.")
def biases_left_out(budget, channels_in, kernel_sizes, num_classes):
    return _widest(budget, _parameters, channels_in, kernel_sizes, num_classes, bias=0)


@BANK.mistake(
    "The normalizations seem not to count. Each keeps four numbers for each of its channels."
)
def normalizations_left_out(budget, channels_in, kernel_sizes, num_classes):
    return _widest(budget, _parameters, channels_in, kernel_sizes, num_classes, normalization=0)


@BANK.mistake(
    "Of the normalizations only the trained numbers seem to count. The moving moments are "
    "parameters, too, though no gradient moves them."
)
def trained_numbers_alone(budget, channels_in, kernel_sizes, num_classes):
    return _widest(budget, _parameters, channels_in, kernel_sizes, num_classes, normalization=2)


@BANK.mistake("All blocks seem to be equally wide. Each has twice the filters of the one before.")
def no_doubling(budget, channels_in, kernel_sizes, num_classes):
    return _widest(budget, _parameters, channels_in, kernel_sizes, num_classes, growth=1)


@BANK.mistake("The last convolution, with one filter for each class, seems not to count.")
def head_left_out(budget, channels_in, kernel_sizes, num_classes):
    return _widest(budget, _parameters, channels_in, kernel_sizes, 0)


@BANK.mistake("The last convolution seems to be counted with kernels of 1×1; they are 3×3.")
def head_of_one_by_one(budget, channels_in, kernel_sizes, num_classes):
    return _widest(budget, _parameters, channels_in, kernel_sizes, num_classes, head=1)


@BANK.mistake("The kernels seem to be lines. A size is the side of a square.")
def kernels_as_lines(budget, channels_in, kernel_sizes, num_classes):
    return _widest(
        budget, _parameters, channels_in, kernel_sizes, num_classes, area=lambda side: side
    )


@BANK.mistake(
    "Every convolution seems to read a single channel. A filter is as deep as what it reads, and "
    "that is where the cost of a wide network lies."
)
def one_channel_deep(budget, channels_in, kernel_sizes, num_classes):
    def count(filters):
        total = sum(
            (side * side + 5) * filters * 2**block for block, side in enumerate(kernel_sizes)
        )
        return total + 10 * num_classes

    return _widest(budget, count)


@BANK.mistake(
    "Every block seems to read the image. Only the first one does; the others read the maps of the "
    "block before."
)
def every_block_reads_the_image(budget, channels_in, kernel_sizes, num_classes):
    def count(filters):
        widths = [filters * 2**block for block in range(len(kernel_sizes))]
        blocks = sum(
            (side * side * channels_in + 5) * width
            for side, width in zip(kernel_sizes, widths, strict=True)
        )
        return blocks + (9 * widths[-1] + 1) * num_classes

    return _widest(budget, count)


@BANK.mistake("The image seems to have one channel, whatever `channels_in` says.")
def channels_in_ignored(budget, channels_in, kernel_sizes, num_classes):
    return _widest(budget, _parameters, 1, kernel_sizes, num_classes)
