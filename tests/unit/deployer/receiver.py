# SPDX-License-Identifier: MIT
"""A server on this machine that receives webhooks, and fails as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.serving import Handler, serving


@dataclass
class Receiver:
    """`got` holds path and body of each request; `answers` the next statuses, 200 when there are none left.

    The status 0 closes the connection without an answer; `hold` keeps an answer back until it is set.
    """

    port: int = 0
    got: list[tuple[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    words: str = "ok"
    hold: threading.Event = field(default_factory=threading.Event)
    holds: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def told(self, path: str) -> list[Any]:
        return [body for at, body in self.got if at == path]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A running receiver on a free port."""
    state = Receiver()

    class Answer(Handler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.got.append((self.path, json.loads(body)))
            state.headers.append({name.title(): value for name, value in self.headers.items()})
            if state.holds:
                state.hold.wait(30)
            status = state.answers.pop(0) if state.answers else 200
            if not status:
                self.close_connection = True
                return
            data = state.words.encode()
            # Whoever asked may be gone by now.
            with suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                if status // 100 == 3:
                    self.send_header("Location", f"{state.url}/elsewhere")
                self.end_headers()
                self.wfile.write(data)

    with serving(Answer) as state.port:
        try:
            yield state
        finally:
            state.hold.set()
