# SPDX-License-Identifier: MIT
"""A relay of bytes before a server, whatever they are: counts them, and cuts its connections when a test says so."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self


class Cutter:
    """Listens on a port of 127.0.0.1 and passes all on to `target`, another one. `to_us` are bytes from the server."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.to_us = 0
        self.connections = 0
        self._limit: int | None = None
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])

    def cut(self) -> None:
        """End every connection there is; new ones are let through."""
        with self._lock:
            gone, self._open = self._open, []
        for connection in gone:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def cut_after(self, size: int) -> None:
        """Cut, once, when that many bytes have come from the server."""
        self._limit = size

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._server.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self.target))
            with self._lock:
                self._open += [here, there]
                self.connections += 1
            threading.Thread(target=pump, args=(here, there), daemon=True).start()
            threading.Thread(target=pump, args=(there, here, self._count), daemon=True).start()

    def _count(self, size: int) -> None:
        self.to_us += size
        if self._limit is not None and self.to_us >= self._limit:
            self._limit = None
            self.cut()


def pump(source: socket.socket, sink: socket.socket, count: Callable[[int], None] = lambda _size: None) -> None:
    """Pass on what comes, until it ends."""
    with suppress(OSError):
        while data := source.recv(65_536):
            count(len(data))
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
