"""Windows on a line, for both exercises that count along one axis."""

from __future__ import annotations

from collections.abc import Iterator


def line_cases() -> Iterator[tuple[int, int, int]]:
    for size in (1, 2, 3, 4, 5, 7, 8, 28):
        for kernel_size in (1, 2, 3, 4, 5, 7):
            for stride in (1, 2, 3, 5):
                yield size, kernel_size, stride
