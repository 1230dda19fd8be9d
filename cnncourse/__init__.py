"""The helper package of the course; import the room you need, such as ``cnncourse.ops``.

Nothing is imported here, so that ``import cnncourse`` loads neither TensorFlow nor Matplotlib.
"""

__version__ = "0.1.0"
