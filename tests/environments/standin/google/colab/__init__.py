"""Stands in for Colab's own package: notebooks ask whether it has been imported, no more."""
