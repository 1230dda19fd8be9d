"""The look that all figures share: the style sheet, the colours by name, the colour maps.

The colours are those of M. Okabe and K. Ito, *Color Universal Design* (2008), which readers
with any kind of colour vision can tell apart. Figures keep a light ground of their own, so that
they read the same on a light and on a dark page.
"""

from __future__ import annotations

import sys
from importlib import resources

from matplotlib import pyplot as plt
from matplotlib_inline.config import InlineBackend

INK = "#1d2b33"
GREY = "#8fa3b0"
BLUE = "#0072b2"
SKY = "#56b4e9"
GREEN = "#009e73"
ORANGE = "#e69f00"
VERMILION = "#d55e00"
PURPLE = "#cc79a7"

SEQUENTIAL = "cividis"
"""Colour map for values from 0 upwards."""

DIVERGING = "PuOr_r"
"""Colour map for values on both sides of 0: orange above, purple below."""

plt.style.use(str(resources.files(__package__).joinpath("cnncourse.mplstyle")))


def sharpen_notebooks() -> None:
    """Let notebooks store two pixels for each that they show, unless their user chose a format."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        settings = InlineBackend.instance(parent=shell)
        if settings.figure_formats == {"png"}:
            settings.figure_formats = {"retina"}


sharpen_notebooks()
