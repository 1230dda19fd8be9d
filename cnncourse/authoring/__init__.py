"""Tools for those who write the course: run notebooks, derive exercises, check what is claimed.

Nothing in the package imports this room, and nothing here teaches. The commands are listed by
``python -m cnncourse.authoring --help``.
"""
