"""The look that all figures share, where it meets the notebook."""

from __future__ import annotations

import subprocess
import sys

import pytest

IN_IPYTHON = """
from IPython.core.interactiveshell import InteractiveShell
from matplotlib_inline.config import InlineBackend

settings = InlineBackend.instance(parent=InteractiveShell.instance())
settings.figure_formats = {formats}
from cnncourse.plots import style

print(*settings.figure_formats)
"""


@pytest.mark.parametrize(("chosen", "used"), [({"png"}, "retina"), ({"svg"}, "svg")])
def test_a_notebook_stores_two_pixels_for_one_unless_told_otherwise(chosen, used) -> None:
    code = IN_IPYTHON.format(formats=chosen)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == [used]
