"""Drawn cases of windows on images, shared by the tests of the reference layers."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from cnncourse.ops import Padding

Pair = tuple[int, int]


@dataclass(frozen=True)
class Case:
    """A batch of images, a window, and how it moves over them."""

    images: tuple[int, int, int]
    channels_in: int
    channels_out: int
    window: Pair
    strides: Pair
    padding: Padding
    dtype: str
    seed: int

    def arrays(self, *names: str) -> list[np.ndarray]:
        """Random values in the shape of each named array."""
        shapes = {
            "inputs": (*self.images, self.channels_in),
            "kernel": (*self.window, self.channels_in, self.channels_out),
            "bias": (self.channels_out,),
        }
        rng = np.random.default_rng(self.seed)
        return [rng.normal(size=shapes[name]).astype(self.dtype) for name in names]

    def for_keras(self, inputs: np.ndarray, fill: float = 0) -> tuple[np.ndarray, str]:
        """The inputs and the padding in words that Keras knows, explicit padding laid on."""
        if isinstance(self.padding, str):
            return inputs, self.padding
        widths = ((0, 0), *self.padding, (0, 0))
        return np.pad(inputs, widths, constant_values=fill), "valid"


@st.composite
def _cases(draw, padding_below_window: bool, dtypes: tuple[str, ...]) -> Case:
    window = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    edges = [st.integers(0, length - 1 if padding_below_window else 3) for length in window]
    padding = draw(
        st.one_of(
            st.just("same"),
            st.just("valid"),
            st.tuples(*(st.tuples(edge, edge) for edge in edges)),
        )
    )
    if padding == "same":
        smallest = (1, 1)
    else:
        laid_on = [(0, 0), (0, 0)] if padding == "valid" else padding
        smallest = [
            max(1, length - sum(edge)) for length, edge in zip(window, laid_on, strict=True)
        ]
    height, width = (draw(st.integers(low, low + 9)) for low in smallest)
    stride = draw(st.integers(1, 8))
    return Case(
        images=(draw(st.integers(1, 3)), height, width),
        channels_in=draw(st.integers(1, 5)),
        channels_out=draw(st.integers(1, 5)),
        window=window,
        strides=draw(st.sampled_from([(stride, stride), (stride, 1), (1, stride)])),
        padding=padding,
        dtype=draw(st.sampled_from(dtypes)),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


def convolution_cases(*dtypes: str) -> st.SearchStrategy[Case]:
    """Even and odd kernels, strides above the kernel, every padding, one channel and many."""
    return _cases(False, dtypes or ("float32", "float64"))


def pool_cases(*dtypes: str) -> st.SearchStrategy[Case]:
    """The same with explicit padding smaller than the window, as a pool wants it."""
    return _cases(True, dtypes or ("float32", "float64"))
