# SPDX-License-Identifier: MIT
"""An HTTP proxy in front of a real API server that has bad days: wrong status codes, resets, cut and hanging answers.

It runs in the process of the test, speaks plain HTTP in front, and is the cluster's administrator behind. toxiproxy
knows bytes only; this knows requests, so that a fault can be said of one of them.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import re
import socket
import ssl
import struct
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Self

from testbed.cluster import Cluster
from testbed.kubeconfig import Credentials

How = Literal["answer", "reset", "cut", "hang", "lose"]
_NOT_FORWARDED = frozenset({"host", "connection", "accept-encoding", "authorization"})
_NOT_RETURNED = frozenset({"transfer-encoding", "content-length", "connection"})


@dataclass
class Fault:
    """What happens to the next `times` requests whose `METHOD path?query` has `pattern` (a regular expression) in it.

    `answer`: `status`, `headers` and `body` instead of the server's; `reset`: the connection is reset at once; `cut`:
    the server's answer breaks off in the middle; `hang`: nothing ever comes; `lose`: the server does what it is asked,
    and its answer never arrives. `met` is set when the first of them has come.
    """

    pattern: str
    how: How = "answer"
    times: int = 1
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    met: threading.Event = field(default_factory=threading.Event, compare=False)


@dataclass(frozen=True)
class Seen:
    """A request: when it came (of `time.monotonic`), what it was, and the fault that it met."""

    at: float
    request: str
    fault: Fault | None


class FaultyServer:
    """A context: stands in front of `cluster` until it is left. `delay` (seconds) is added to every answer."""

    def __init__(self, cluster: Cluster, *faults: Fault, delay: float = 0.0) -> None:
        self._cluster = cluster
        self._faults = list(faults)
        self._delay = delay
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.context = _context(cluster.credentials)
        self.seen: list[Seen] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.faulty = self

    @property
    def url(self) -> str:
        """Its address on this machine."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def upstream(self) -> int:
        """The real server's port on this machine."""
        return self._cluster.port

    def kubeconfig(self, name: str, namespace: str) -> str:
        """A kubeconfig (text) that leads here."""
        text = self._cluster.kubeconfig(name, namespace, inside=False)
        return text.replace(self._cluster.server_outside, self.url)

    def add(self, fault: Fault) -> Fault:
        """Another fault from now on; returns it."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def take(self, request: str) -> Fault | None:
        """Note a request; the fault that it meets."""
        with self._lock:
            fault = next((one for one in self._faults if one.times and re.search(one.pattern, request)), None)
            if fault is not None:
                fault.times -= 1
            self.seen.append(Seen(time.monotonic(), request, fault))
        if fault is not None:
            fault.met.set()
        return fault

    def wait(self, seconds: float | None = None) -> None:
        """Wait so long (None: the usual delay), or until it is all over."""
        self._over.wait(self._delay if seconds is None else seconds)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    faulty: FaultyServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asked has gone: that is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    _upstream: http.client.HTTPSConnection | None = None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Tests look at `seen`."""

    def finish(self) -> None:
        """The client has gone, and so does the connection that was its own."""
        if self._upstream is not None:
            self._upstream.close()
        with contextlib.suppress(OSError):
            super().finish()

    def _pass(self) -> None:
        faulty = self.server.faulty
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = faulty.take(f"{self.command} {self.path}")
        faulty.wait()
        if fault is None:
            self._forward(body)
        elif fault.how == "answer":
            self._answer(fault.status, fault.headers, fault.body)
        elif fault.how == "reset":
            self._reset()
        elif fault.how == "cut":
            self._forward(body, cut=True)
        else:
            if fault.how == "lose":
                self._ask(body).read()
            faulty.wait(600)
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _pass  # noqa: N815 - the base class looks for these names

    def _ask(self, body: bytes) -> http.client.HTTPResponse:
        if self._upstream is None:
            faulty = self.server.faulty
            self._upstream = http.client.HTTPSConnection("127.0.0.1", faulty.upstream, context=faulty.context)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_FORWARDED}
        self._upstream.request(self.command, self.path, body or None, headers)
        return self._upstream.getresponse()

    def _forward(self, body: bytes, *, cut: bool = False) -> None:
        answer = self._ask(body)
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _NOT_RETURNED}
        if "watch=true" not in self.path:
            self._answer(answer.status, headers, answer.read(), cut=cut)
            return
        self.send_response(answer.status)
        for name, value in {**headers, "Transfer-Encoding": "chunked"}.items():
            self.send_header(name, value)
        self.end_headers()
        while piece := answer.read1(65536):
            if cut:
                self._reset()
                return
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        # Without this the base class says goodbye properly first.
        self.connection.close()


def _context(credentials: Credentials) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=base64.b64decode(credentials.authority).decode())
    with tempfile.TemporaryDirectory(prefix="kit-faulty-") as name:
        for ending, content in {"crt": credentials.certificate, "key": credentials.key}.items():
            (Path(name) / ending).write_bytes(base64.b64decode(content))
        context.load_cert_chain(Path(name) / "crt", Path(name) / "key")
    return context
