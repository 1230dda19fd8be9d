"""The first code cell of every notebook: the one text, and the address that stands in it.

In Colab it installs the course when it is missing; elsewhere it only quiets TensorFlow's
start-up log and fixes the seed. Checking that notebooks carry it belongs to ``hygiene``.
"""

from __future__ import annotations

from cnncourse.authoring.notebooks import Repository

_TEXT = """\
# Set-up. In Colab this installs the course; pip leaves in place what Colab already ships.
import importlib.util
import os
import subprocess
import sys

if "google.colab" in sys.modules and importlib.util.find_spec("cnncourse") is None:
    published = "cnncourse @ git+{url}@{branch}"
    source = os.environ.get("CNNCOURSE_SOURCE", published)
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", source], check=True)

from cnncourse.startup import start_keras

start_keras()
import keras

keras.utils.set_random_seed(0)"""


def cell_text(repository: Repository) -> str:
    """The first code cell for a course that is published at ``repository``.

    The environment variable ``CNNCOURSE_SOURCE`` names another source for pip, such as a wheel.

    >>> text = cell_text(Repository("https://github.com/owner/course", "main"))
    >>> "git+https://github.com/owner/course@main" in text
    True
    >>> len(text.splitlines()) <= 20
    True
    """
    return _TEXT.format(url=repository.url, branch=repository.branch)
