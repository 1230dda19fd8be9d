"""Keras without the start-up chatter of its backend.

Only what must happen before Keras is first imported belongs here; it imports nothing of the
package, and nothing outside the standard library but Keras itself.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Hold back what is written to standard error, C++ libraries included.

    TensorFlow writes a few lines there whenever it is imported, before it reads
    ``TF_CPP_MIN_LOG_LEVEL``. When an exception leaves the block, everything that was held
    back is written after all, so that no error loses its explanation.

    >>> with quietly():
    ...     _ = os.write(2, b"chatter")
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            sys.stderr.write(held.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def start_keras() -> None:
    """Import Keras and its backend, with none of the lines that TensorFlow logs on the way."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quietly():
        import keras  # noqa: F401
