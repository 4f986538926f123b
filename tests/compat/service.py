# SPDX-License-Identifier: MIT
"""A stand-in for a third party's service, spoken to over real HTTP."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CUT = b"cut"
"""An answer that announces more than comes."""


class Service:
    """Answers in turn what it was given, and the last for ever; keeps what it was asked.

    An answer is a status and a JSON value or bytes; `answer_with` decides by the request instead. `slow` are seconds
    that pass before an answer begins, `drip` those between its bytes; `late` the seconds of a Retry-After.
    """

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.answer_with: Callable[[str, Any], tuple[int, Any]] | None = None
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.slow = self.drip = 0.0
        self.late: int | None = None
        self.together: threading.Barrier | None = None
        """Where so many requests must have arrived before any is answered."""
        self.lock = threading.Lock()
        self.ended = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service.serve(self, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def do_GET(self) -> None:
                service.serve(self, None)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def serve(self, request: BaseHTTPRequestHandler, body: Any) -> None:
        """Answer one request."""
        with self.lock:
            self.asked.append((request.path, dict(request.headers), body))
            if self.answer_with is not None:
                code, answer = self.answer_with(request.path, body)
            else:
                code, answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if self.together is not None:
            self.together.wait(10)
        if self.slow:
            self.ended.wait(self.slow)
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        try:
            request.send_response(code)
            if code == 302:
                request.send_header("Location", f"{self.url}/elsewhere")
            if self.late is not None:
                request.send_header("Retry-After", str(self.late))
            request.send_header("Content-Length", str(len(raw) + (9 if raw == CUT else 0)))
            request.end_headers()
            for index in range(len(raw)) if self.drip else ():
                request.wfile.write(raw[index : index + 1])
                request.wfile.flush()
                if self.ended.wait(self.drip):
                    return
            if not self.drip:
                request.wfile.write(raw)
        except OSError:
            pass  # whoever asked has given up

    @contextmanager
    def running(self) -> Iterator["Service"]:
        """While it answers."""
        thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self.ended.set()
            self.server.shutdown()
            self.server.server_close()
            thread.join()
