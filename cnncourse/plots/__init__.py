"""Every figure of the course, a module for each topic.

A figure takes data, and the ``Axes`` to draw on if wanted, and returns the ``Axes``; it never
calls ``show``, and it computes nothing that a reader would want to compute. Importing a module
of this package puts the course's style in force.
"""
