"""Help on request: the idea, the place in the lesson, the next step; one more each time.

What is said of an answer that was handed in stands in ``engine``. What is given here stands with
each exercise in ``banks``, and is the same whatever the learner wrote.
"""

from __future__ import annotations

from importlib.metadata import metadata

from cnncourse.checks.engine import Exercise

LESSONS = {
    "01": "01-images-as-arrays",
    "02": "02-convolution",
    "03": "03-feature-maps",
    "04": "04-batch-normalization",
    "05": "05-pooling",
    "06": "06-backpropagation",
    "07": "07-keras",
    "08": "08-simple-cnn",
    "09": "09-simpler-cnn",
    "10": "10-training",
    "11": "11-evaluation",
    "12": "12-interpretation",
    "13": "13-clinic",
    "14": "14-ablation",
    "15": "15-deployment",
}
"""The file of each lesson, without its ending."""

_given: dict[str, int] = {}


def offer(name: str) -> str:
    """Says behind a check that failed that there is help."""
    return f"More help: hint({name!r}), after `from cnncourse.checks import hint`."


def next_hint(exercise: Exercise) -> str:
    """One more hint than the last time; when all are given, all of them again."""
    if exercise.help is None:
        return f"{exercise.name}: there is no more help than its text."
    steps = (
        f"The idea: {exercise.help.idea}",
        _place(exercise),
        f"The next step: {exercise.help.step}",
    )
    given = min(_given.get(exercise.name, 0) + 1, len(steps))
    _given[exercise.name] = given
    more = "" if given == len(steps) else f"\n\nMore: hint({exercise.name!r}) once more."
    numbered = (f"{number}. {step}" for number, step in enumerate(steps[:given], start=1))
    return "\n\n".join(numbered) + more


def _place(exercise: Exercise) -> str:
    """Where the lesson explains it: beside the exercise, in Colab, and in the book."""
    file, section = LESSONS[exercise.lesson], exercise.help.section if exercise.help else ""
    repository = _repository()
    colab = repository.replace("https://github.com/", "https://colab.research.google.com/github/")
    return (
        f"In the lesson: {file}.ipynb, the section that begins with {section!r}.\n"
        f"   Here: ../{file}.ipynb\n"
        f"   In the book: ../{file}.html\n"
        f"   In Colab: {colab}/blob/main/notebooks/{file}.ipynb"
    )


def _repository() -> str:
    """The published address, which the package's own metadata holds."""
    for entry in metadata("cnncourse").get_all("Project-URL") or []:
        label, _, address = entry.partition(", ")
        if label == "Repository":
            return address
    return ""
