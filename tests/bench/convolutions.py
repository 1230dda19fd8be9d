"""The convolutions that the benchmark times: those of both networks at 28×28 pixels."""

from itertools import chain
from typing import NamedTuple

from cnncourse import anatomy, models

BATCH = 32


class Convolution(NamedTuple):
    """A square convolution with ``same`` padding on a square map."""

    side: int
    channels_in: int
    channels_out: int
    kernel_size: int
    stride: int

    def __str__(self) -> str:
        return (
            f"{self.side}x{self.side}x{self.channels_in}_to_{self.channels_out}"
            f"_kernel{self.kernel_size}_stride{self.stride}"
        )


def convolutions_of(network: str) -> list[Convolution]:
    """The convolutions of a network in order."""
    shape = (28, 28, 1)
    found = []
    for row in anatomy.layer_table(models.build(network, shape, 10)):
        if row.type == "Conv2D":
            found.append(
                Convolution(
                    shape[0], shape[2], row.output_shape[2], row.kernel_size[0], row.strides[0]
                )
            )
        shape = row.output_shape
    return found


CONVOLUTIONS = list(dict.fromkeys(chain.from_iterable(map(convolutions_of, models.NETWORKS))))
