# SPDX-License-Identifier: MIT
"""Counts the bytes that go to a server and come back, by standing between: TCP as it is, headers and all."""

from __future__ import annotations

import socket
import threading
from typing import Self
from urllib.parse import urlsplit, urlunsplit


class Counter:
    """Passes connections on to the server of `url`; `url` of its own leads through it."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._lock = threading.Lock()
        self.sent = 0
        self.received = 0
        self.connections = 0

    @property
    def url(self) -> str:
        """The repository's address by way of this counter."""
        host, port = self._listening.getsockname()
        return urlunsplit(self._parts._replace(netloc=f"{host}:{port}"))

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            assert self._parts.hostname is not None
            server = socket.create_connection((self._parts.hostname, self._parts.port or 80))
            with self._lock:
                self.connections += 1
            for source, sink, name in ((client, server, "sent"), (server, client, "received")):
                threading.Thread(target=self._pass_on, args=(source, sink, name), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, name: str) -> None:
        try:
            while data := source.recv(65_536):
                with self._lock:
                    setattr(self, name, getattr(self, name) + len(data))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
