"""The launch button of each page leads where the link inside its notebook leads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browsers import BUILT

from cnncourse.authoring.badges import badge
from cnncourse.authoring.notebooks import Course

COURSE = Course.find()
BUTTON = re.compile(r'<a href="(https://colab\.research[^"]*)"[^>]*class="[^"]*dropdown-item"')


@pytest.mark.parametrize(
    "path",
    [*COURSE.lessons, *COURSE.exercises, *COURSE.solutions],
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_the_launch_button_opens_the_notebook_in_colab(path: Path) -> None:
    name = COURSE.name(path)
    page = BUILT.joinpath(name).with_suffix(".html").read_text(encoding="utf-8")
    (address,) = BUTTON.findall(page)
    assert badge(COURSE.repository, name).endswith(f"({address})")
