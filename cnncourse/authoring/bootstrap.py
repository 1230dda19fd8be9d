"""The first code cell of every notebook: the one text, and the address that stands in it.

In Colab it installs the course when it is missing; elsewhere it only quiets TensorFlow's
start-up log and fixes the seed. Checking that notebooks carry it belongs to ``hygiene``.
"""

from __future__ import annotations

from cnncourse.authoring.notebooks import Repository

_TEXT = """\
# Set-up. In Colab this installs the course; what Colab ships keeps its version.
import importlib.util
import os
import re
import sys
from subprocess import check_output, run

if "google.colab" in sys.modules and importlib.util.find_spec("cnncourse") is None:
    published = "cnncourse @ git+{url}@{branch}"
    source = os.environ.get("CNNCOURSE_SOURCE", published)
    pip = [sys.executable, "-m", "pip"]
    held = re.findall(rb"(?m)^[\\w.-]+==[\\d.]+$", check_output([*pip, "list", "--format=freeze"]))
    run([*pip, "install", "-qc/dev/stdin", source], input=b"\\n".join(held), check=True)

from cnncourse.startup import start_keras

start_keras()
import keras

keras.utils.set_random_seed(0)"""


def cell_text(repository: Repository) -> str:
    """The first code cell for a course that is published at ``repository``.

    What is installed is held by a constraint: where Colab's versions and ours do not go together,
    pip says so and changes nothing. Versions that are not plain numbers are not held, because pip
    reads no constraint that breaks its rules, and Colab's system packages may carry such.

    The environment variable ``CNNCOURSE_SOURCE`` names another source for pip, such as a wheel.

    >>> text = cell_text(Repository("https://github.com/owner/course", "main"))
    >>> "git+https://github.com/owner/course@main" in text
    True
    >>> len(text.splitlines()) <= 20
    True
    """
    return _TEXT.format(url=repository.url, branch=repository.branch)
