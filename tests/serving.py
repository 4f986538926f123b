# SPDX-License-Identifier: MIT
"""An HTTP server on this machine, for as long as a test wants it: what it answers, the test says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """One request. Nothing is printed."""

    def log_message(self, *_: object) -> None:
        """The tests look at what was asked, not at a log."""


@contextmanager
def serving(handler: type[Handler]) -> Iterator[int]:
    """The port of a server that handles requests so; at its end no thread of it is left.

    A handler that waits has to be let go before.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
