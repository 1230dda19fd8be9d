"""``count_parameters`` of lesson 07, and the mistakes that people make in it."""

from __future__ import annotations

from collections.abc import Iterator

from cnncourse.checks.engine import Bank
from cnncourse.checks.form import Values


def _count_parameters(channels_in, filters, kernel_size, batch_norm):
    trainable = kernel_size**2 * channels_in * filters + filters
    return (trainable + 2 * filters, 2 * filters) if batch_norm else (trainable, 0)


def _count_cases() -> Iterator[tuple]:
    for batch_norm in (False, True):
        yield 1, 2, 3, batch_norm
        yield 3, 1, 1, batch_norm
        yield 3, 8, 5, batch_norm
        yield 16, 32, 7, batch_norm
        yield 256, 10, 3, batch_norm
        yield 2, 3, 2, batch_norm


BANK = Bank(
    "count_parameters",
    "07",
    _count_parameters,
    _count_cases,
    Values(("trainable", "non_trainable"), kind="whole"),
)
BANK.help(
    idea=(
        "A filter has one weight for each number that it reads, and one bias. Batch "
        "normalization keeps four numbers for each of its channels, and two of them are not "
        "trained."
    ),
    section="A network is a list of layers",
    step=(
        "How many numbers does one filter read: side times side times what? Then count filters. "
        "The normalization stands behind the convolution, so how many channels does it see?"
    ),
)


@BANK.mistake("The biases seem to be missing: each filter has one number of its own that is added.")
def no_bias(channels_in, filters, kernel_size, batch_norm):
    trainable, frozen = _count_parameters(channels_in, filters, kernel_size, batch_norm)
    return trainable - filters, frozen


@BANK.mistake(
    "Each filter seems to have as many biases as there are channels. It has one, because the "
    "channels are added up before."
)
def bias_for_each_channel(channels_in, filters, kernel_size, batch_norm):
    trainable, frozen = _count_parameters(channels_in, filters, kernel_size, batch_norm)
    return trainable + (channels_in - 1) * filters, frozen


@BANK.mistake(
    "A filter seems to read a single channel. Its kernel is as deep as the input: it has weights "
    "for every channel."
)
def one_channel_deep(channels_in, filters, kernel_size, batch_norm):
    return _count_parameters(1, filters, kernel_size, batch_norm)


@BANK.mistake("The kernel seems to be a line. `kernel_size` is the side of a square.")
def kernel_as_a_line(channels_in, filters, kernel_size, batch_norm):
    _, frozen = _count_parameters(channels_in, filters, kernel_size, batch_norm)
    return kernel_size * channels_in * filters + filters + frozen, frozen


@BANK.mistake(
    "`batch_norm` seems to have no effect. The layer behind brings numbers of its own, and not all "
    "of them are trained."
)
def normalization_left_out(channels_in, filters, kernel_size, batch_norm):
    return _count_parameters(channels_in, filters, kernel_size, False)


@BANK.mistake(
    "All four numbers that batch normalization keeps for a channel seem to count as trained. Two "
    "of them are not learnt by gradient descent: they are averages that it keeps."
)
def moving_moments_trained(channels_in, filters, kernel_size, batch_norm):
    trainable, frozen = _count_parameters(channels_in, filters, kernel_size, batch_norm)
    return trainable + frozen, 0


@BANK.mistake("Scale and offset of batch normalization seem to be missing among the trained ones.")
def scale_and_offset_missing(channels_in, filters, kernel_size, batch_norm):
    trainable, frozen = _count_parameters(channels_in, filters, kernel_size, batch_norm)
    return trainable - frozen, frozen


@BANK.mistake(
    "Nothing seems to count as not trained. Batch normalization keeps a mean and a variance for "
    "each channel; they belong to the layer and are stored with it."
)
def moving_moments_forgotten(channels_in, filters, kernel_size, batch_norm):
    return _count_parameters(channels_in, filters, kernel_size, batch_norm)[0], 0


@BANK.mistake(
    "Batch normalization seems to be counted on the channels that the convolution reads. It stands "
    "behind it and sees one map for each filter."
)
def normalization_of_the_inputs(channels_in, filters, kernel_size, batch_norm):
    trainable, _ = _count_parameters(channels_in, filters, kernel_size, False)
    return (trainable + 2 * channels_in, 2 * channels_in) if batch_norm else (trainable, 0)


@BANK.mistake(
    "The bias seems to vanish as soon as batch normalization follows. It is useless there, as "
    "lesson 04 shows, and it is still a parameter: here it counts in both cases."
)
def no_bias_before_normalization(channels_in, filters, kernel_size, batch_norm):
    trainable, frozen = _count_parameters(channels_in, filters, kernel_size, batch_norm)
    return trainable - filters * bool(batch_norm), frozen


@BANK.mistake("The two numbers come in the wrong order. Wanted are the trained ones first.")
def swapped(channels_in, filters, kernel_size, batch_norm):
    return _count_parameters(channels_in, filters, kernel_size, batch_norm)[::-1]


@BANK.mistake(
    "The first number seems to be the total, with the moving moments in it. Those are not trained: "
    "they belong to the second number alone."
)
def total_first(channels_in, filters, kernel_size, batch_norm):
    trainable, frozen = _count_parameters(channels_in, filters, kernel_size, batch_norm)
    return trainable + frozen, frozen
