"""Softmax in floats, which several repairs of lesson 13 need."""

from __future__ import annotations

import numpy as np

from cnncourse import ops


def softmax(scores, axis=-1):
    return ops.softmax(np.asarray(scores, float), axis)
