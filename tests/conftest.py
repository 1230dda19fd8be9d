"""What all tests share: Keras started without its log lines, figures without a screen."""

import matplotlib

from cnncourse.startup import start_keras

matplotlib.use("agg")
start_keras()
