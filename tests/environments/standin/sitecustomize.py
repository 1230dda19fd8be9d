"""Python reads this at its start: it puts the stand-in where Colab has the real one.

It also closes the network to everything but an installation: a notebook that fetches data
would work in Colab today and break tomorrow.
"""

import os
import socket
import sys

import google.colab  # noqa: F401 - a kernel in Colab has imported it before the first cell

if "pip" not in sys.orig_argv and os.environ.get("CNNCOURSE_NETWORK") != "open":
    _connect, _connect_ex = socket.socket.connect, socket.socket.connect_ex

    def _local(address: object) -> bool:
        return not isinstance(address, tuple) or address[0] in ("127.0.0.1", "::1", "localhost")

    def connect(self: socket.socket, address: object) -> None:
        if not _local(address):
            raise OSError(f"the network is closed here; something wanted {address!r}")
        _connect(self, address)

    def connect_ex(self: socket.socket, address: object) -> int:
        if not _local(address):
            raise OSError(f"the network is closed here; something wanted {address!r}")
        return _connect_ex(self, address)

    socket.socket.connect, socket.socket.connect_ex = connect, connect_ex
