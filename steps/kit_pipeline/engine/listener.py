# SPDX-License-Identifier: MIT
"""Hearing what a container prints."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.failures import told

_STILL: Final = 0.2
_ERROR_STREAM: Final = 2

Hear = Callable[[bool, bytes], None]
"""Gets what a container prints: whether to its error stream, and the bytes."""


class Listener:
    """Hears a container from its start to its end, in a thread of its own.

    The engine sometimes keeps the connection open after the end (20.10 does). So its end is not waited for: when the
    container has ended and nothing comes any more, the rest is read from its log, which is whole then.
    """

    def __init__(self, client: Client, container: str, hear: Hear) -> None:
        self._client, self._container, self._hear = client, container, hear
        self._lock = threading.Lock()
        self._got = {False: 0, True: 0}
        self._closed = False
        self._thread = threading.Thread(target=self._listen, name=f"listen to {container[:12]}", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Once the container has ended: hear the rest of it, and no more. Raises `EngineError`."""
        had = -1
        while self._thread.is_alive() and sum(self._got.values()) != had:
            had = sum(self._got.values())
            self._thread.join(_STILL)
        with self._lock:
            self._closed = True
        if self._broken or self._thread.is_alive():
            self._rest()

    def _rest(self) -> None:
        seen = {False: 0, True: 0}
        with told("What the container printed last was not read"):
            for error, data in frames(self._client, self._container, follow=False):
                new = data[max(0, self._got[error] - seen[error]) :]
                seen[error] += len(data)
                if new:
                    self._hear(error, new)

    _broken = False

    def _listen(self) -> None:
        try:
            for error, data in frames(self._client, self._container):
                self._take(error, data)
        except Exception:  # noqa: BLE001 - the connection may end in any way; what is missing is read at the end
            self._broken = True

    def _take(self, error: bool, data: bytes) -> None:
        with self._lock:
            if self._closed:
                return
            self._got[error] += len(data)
            self._hear(error, data)


def frames(client: Client, container: str, *, follow: bool = True) -> Iterator[tuple[bool, bytes]]:
    """The container's log from its beginning, and as it grows: whether of the error stream, and the bytes.

    The frames are those of https://docs.docker.com/reference/api/engine/#tag/Container/operation/ContainerAttach; the
    client's own `logs` does not tell the streams apart, and its `attach` may miss what came before it.
    """
    address = f"{client.base_url}/v{client.api_version}/containers/{container}/logs"
    options = {"stdout": 1, "stderr": 1, "follow": int(follow)}
    with client.get(address, params=options, stream=True, timeout=None) as answer:
        answer.raise_for_status()
        while head := _exactly(answer.raw, 8):
            yield head[0] == _ERROR_STREAM, _exactly(answer.raw, int.from_bytes(head[4:8], "big"))


def _exactly(stream: Any, size: int) -> bytes:
    data: bytes = stream.read(size)
    while 0 < len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            return b""
        data += more
    return data
