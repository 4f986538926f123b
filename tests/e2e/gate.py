# SPDX-License-Identifier: MIT
"""A way from any container to the testbed's parts: their ports, once more at the address that the host has in the
engine's networks.

kit-pipeline gives every step a network of its own, so the testbed's names mean nothing there, as nothing of a company's
network would be inside a step's.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import ExitStack
from typing import Self

from testbed.docker import docker

_PIECE = 65_536


class Gate:
    """Opens ports of this machine to containers, until it is closed."""

    def __init__(self) -> None:
        found = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
        self.host = found.stdout.strip()
        self._open = ExitStack()

    def port(self, target: int) -> int:
        """The port at `host` that leads to the port `target` of 127.0.0.1."""
        server = _Server((self.host, 0), _handler(target))
        self._open.callback(server.server_close)
        self._open.callback(server.shutdown)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return int(server.server_address[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._open.close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


def _handler(target: int) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", target)) as there:
                back = threading.Thread(target=_pass_on, args=(there, self.request), daemon=True)
                back.start()
                _pass_on(self.request, there)
                back.join()

    return Handler


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    """What comes goes on, to the end of it, or of either."""
    try:
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return  # a client that is killed leaves half a connection
