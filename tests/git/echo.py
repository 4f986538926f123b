# SPDX-License-Identifier: MIT
"""An HTTP server that gives away whatever it is told: it repeats the credentials of a request in every part of its
answer, as they came, decoded and encoded anew.
"""

from __future__ import annotations

import base64
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.serving import Handler, serving


@dataclass
class Echo:
    """The server. `status` is what it answers; 0 leaves the request without an answer until `close`."""

    port: int = 0
    status: int = 401
    asked: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def echo() -> Iterator[Echo]:
    """A running server on a free port of this machine."""
    state = Echo()

    class Answer(Handler):
        def answer(self) -> None:
            state.asked.set()
            if state.status == 0:
                state.over.wait(30)
                return
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told = " ".join(_forms(self.headers.get("Authorization", "") or self.headers.get("PRIVATE-TOKEN", "")))
            told += " ".join(_forms(self.headers.get("Proxy-Authorization", "")))
            body = f"ERR {told}\n".encode()
            if state.status == 200:
                body = b"001e# service=git-upload-pack\n0000" + f"{len(body) + 4:04x}".encode() + body
            # A registry asks for credentials first.
            challenges = self.path.startswith("/v2/") and self.headers.get("Authorization") is None
            self.send_response(401 if challenges else state.status, f"no {told}"[:2000])
            if self.headers.get("Authorization") is None:
                self.send_header("WWW-Authenticate", 'Basic realm="here"')
            if state.status // 100 == 3:
                self.send_header(
                    "Location", f"http://{urllib.parse.quote(told)}@127.0.0.2:1/{urllib.parse.quote(told)}"
                )
            kind = "application/x-git-upload-pack-advertisement" if state.status == 200 else "text/plain"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_HEAD = do_PUT = do_PATCH = do_CONNECT = answer  # noqa: N815 - http.server's names

    with serving(Answer) as state.port:
        try:
            yield state
        finally:
            state.over.set()


def _forms(header: str) -> Iterator[str]:
    kind, _, value = header.partition(" ")
    told = value or kind
    yield header
    if kind == "Basic":
        told = base64.b64decode(value).decode()
    yield told
    yield urllib.parse.quote(told)
    yield base64.b64encode(told.encode()).decode()
