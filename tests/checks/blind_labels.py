"""What the blind answers really are, where a label of theirs turned out wrong.

The answers themselves stay as they were written; only the specification may overrule a label.
"""

from __future__ import annotations

from typing import Any

MISLABELLED = {
    "simpler_cnn_sequential": (
        "Called right when it was written, but the last batch normalization of the "
        "specification, behind the second convolution with 256 filters, is missing."
    ),
    "max_pool2d_infinite_padding": (
        "Called wrong when it was written, but NumPy casts minus infinity to 0 for uint8, with a "
        "warning, and there a 0 never wins."
    ),
}
"""Name of the function, and why its label is wrong."""


def is_right(answer: Any) -> bool:
    """Whether the specification calls a blind answer right."""
    return answer.right != (answer.function.__name__ in MISLABELLED)
