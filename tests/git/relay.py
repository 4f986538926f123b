# SPDX-License-Identifier: MIT
"""A relay before the real git server: counts what passes, and breaks what a test wants broken."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

import urllib3


@dataclass
class Exchange:
    """One request, for a test to decide on: the `number` counts requests for the same service and method."""

    method: str
    service: str
    number: int
    handler: BaseHTTPRequestHandler
    body: bytes
    forward: Callable[[], urllib3.BaseHTTPResponse]

    def answer(self, status: int, *, body: bytes = b"", **headers: str) -> None:
        """Answer instead of the server."""
        self.handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def cut(self) -> None:
        """End the connection without an answer."""
        self.handler.close_connection = True

    def reset(self) -> None:
        """End it as a crashed machine does: whatever is on its way is lost."""
        linger = struct.pack("ii", 1, 0)
        self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.handler.close_connection = True
        self.handler.connection.close()

    def half_close(self) -> None:
        """Say that nothing more comes, and go on listening until the client has had enough."""
        self.handler.connection.shutdown(socket.SHUT_WR)
        while self.handler.connection.recv(65_536):
            pass
        self.handler.close_connection = True


@dataclass
class Relay:
    """`meddle(exchange)` returns True where it dealt with a request itself. `without` are headers not passed on."""

    target: str
    meddle: Callable[[Exchange], bool] = lambda _exchange: False
    without: frozenset[str] = frozenset()
    port: int = 0
    requests: list[tuple[str, str]] = field(default_factory=list)
    received: int = 0
    sent: int = 0
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}{urlsplit(self.target).path}"

    def count(self, method: str, service: str) -> int:
        return self.requests.count((method, service))

    def __enter__(self) -> Self:
        relay = self
        lock = threading.Lock()
        pool = urllib3.PoolManager(maxsize=32)
        parts = urlsplit(self.target)
        base = f"{parts.scheme}://{parts.netloc}"

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_arguments: Any) -> None:
                pass

            def relay(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                service = "git-receive-pack" if "git-receive-pack" in self.path else "git-upload-pack"
                with lock:
                    relay.requests.append((self.command, service))
                    number = relay.count(self.command, service)
                    relay.sent += len(body)
                url = self.path if "://" in self.path else base + self.path  # as a proxy is asked
                headers = {k: v for k, v in self.headers.items() if k.lower() not in relay.without}

                def forward() -> urllib3.BaseHTTPResponse:
                    return pool.request(self.command, url, body=body or None, headers=headers, retries=False)

                exchange = Exchange(self.command, service, number, self, body, forward)
                if relay.meddle(exchange):
                    return
                response = forward()
                with lock:
                    relay.received += len(response.data)
                kept = {"content-type", "www-authenticate", "docker-content-digest"}
                passed = {k: v for k, v in response.headers.items() if k.lower() in kept}
                exchange.answer(response.status, body=response.data, **passed)

            do_GET = relay  # noqa: N815
            do_HEAD = relay  # noqa: N815
            do_POST = relay  # noqa: N815

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_arguments: Any) -> None:
                pass  # clients that are killed leave broken pipes

        self._server = Server(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()


def push_of(exchange: Exchange, number: int) -> bool:
    return (exchange.method, exchange.service, exchange.number) == ("POST", "git-receive-pack", number)


def pushing(exchange: Exchange) -> bool:
    return exchange.method == "POST" and exchange.service == "git-receive-pack"


@contextlib.contextmanager
def dead_port() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        yield held.getsockname()[1]
