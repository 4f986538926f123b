# SPDX-License-Identifier: MIT
"""A long way to a part: toxiproxy between, which lets what comes back arrive later. Who needs it starts it."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from testbed.container import Container
from testbed.docker import docker
from testbed.errors import TestbedError
from testbed.images import TOXIPROXY, ensure_image

_API, _PASSAGE = 8474, 8475
_SECONDS = 30.0


@contextmanager
def delayed(bed: str, upstream: str, *, milliseconds: int) -> Iterator[int]:
    """A port of 127.0.0.1 that leads to `upstream` (`cluster-a:6443`) with that round trip on top of the real one.

    The delay is on what comes back, so that it is there once a round trip. Its image is built first, where it is not
    here. Raises TestbedError where it does not start.
    """
    container = Container(bed, f"latency-{os.getpid()}")
    image = ensure_image(TOXIPROXY, lambda _: None)
    try:
        container.start(image, ["-host", "0.0.0.0"], ports=[_API, _PASSAGE])
        api = f"http://127.0.0.1:{container.port(_API)}"
        _await(api)
        _post(f"{api}/proxies", {"name": "way", "listen": f"0.0.0.0:{_PASSAGE}", "upstream": upstream})
        slow = {"type": "latency", "stream": "downstream", "attributes": {"latency": milliseconds}}
        _post(f"{api}/proxies/way/toxics", slow)
        yield container.port(_PASSAGE)
    finally:
        docker("rm", "--force", "--volumes", container.name, check=False)


def _await(api: str) -> None:
    end = time.monotonic() + _SECONDS
    while True:
        try:
            with _opener().open(f"{api}/version", timeout=5):
                return
        except OSError as error:
            if time.monotonic() > end:
                raise TestbedError(f"toxiproxy does not answer after {_SECONDS:.0f} s: {error}") from error
            time.sleep(0.1)


def _post(url: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with _opener().open(request, timeout=30):
        pass


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
