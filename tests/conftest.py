"""What tests share: Keras started without its log lines, figures without a screen, a browser."""

import os

import matplotlib
from browsers import browser

from cnncourse.startup import start_keras

matplotlib.use("agg")
os.environ["CNNCOURSE_PROGRESS"] = ""  # what tests pass is nobody's progress
start_keras()

__all__ = ["browser"]
