# SPDX-License-Identifier: MIT
"""Hearing what a container prints."""

import heapq
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.failures import told

_STILL: Final = 0.2
_ERROR_STREAM: Final = 2
_BOTH: Final = (False, True)

Hear = Callable[[bool, bytes], None]
"""Gets what a container prints: whether to its error stream, and the bytes."""


@dataclass(frozen=True, order=True)
class Frame:
    """A piece of a container's log: a line, or a part of a long one. Parts of one line have one `stamp`."""

    stamp: bytes
    error: bool
    data: bytes


class Listener:
    """Hears a container from its start to its end, in a thread of its own.

    While it follows the log the engine may keep the connection open after the end, or close it before the last words
    (20.10 does both). So when the container has ended and nothing comes any more, what is missing is read from the log,
    which is whole then: whatever is later than the last that was heard, of each stream by itself.
    """

    def __init__(self, client: Client, container: str, hear: Hear) -> None:
        self._client, self._container, self._hear = client, container, hear
        self._lock = threading.Lock()
        self._heard = 0
        self._last = dict.fromkeys(_BOTH, (b"", 0))
        self._closed = False
        self._thread = threading.Thread(target=self._listen, name=f"listen to {container[:12]}", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Once the container has ended: hear the rest of it, and no more. Raises `EngineError`."""
        had = -1
        while self._thread.is_alive() and self._heard != had:
            had = self._heard
            self._thread.join(_STILL)
        with self._lock:
            self._closed = True
        with told("What the container printed last was not read"):
            for frame in heapq.merge(*(self._rest(error) for error in _BOTH), key=lambda frame: frame.stamp):
                self._hear(frame.error, frame.data)

    def _rest(self, error: bool) -> Iterator[Frame]:
        last, count = self._last[error]
        for frame in frames(self._client, self._container, streams=(error,), follow=False, since=last):
            if frame.stamp > last:
                yield frame
            elif frame.stamp == last:
                count -= 1
                if count < 0:
                    yield frame

    def _listen(self) -> None:
        try:
            for frame in frames(self._client, self._container):
                self._take(frame)
        except Exception:  # noqa: BLE001, S110 - the connection may end in any way; what is missing is read at the end
            pass

    def _take(self, frame: Frame) -> None:
        with self._lock:
            if self._closed:
                return
            last, count = self._last[frame.error]
            self._last[frame.error] = (frame.stamp, count + 1 if frame.stamp == last else 1)
            self._heard += 1
            self._hear(frame.error, frame.data)


def frames(
    client: Client, container: str, *, streams: tuple[bool, ...] = _BOTH, follow: bool = True, since: bytes = b""
) -> Iterator[Frame]:
    """The container's log from its beginning, or from a stamp on (with what has this stamp); `follow` as it grows.

    The frames are those of https://docs.docker.com/reference/api/engine/#tag/Container/operation/ContainerAttach; the
    client's own `logs` does not tell the streams apart, and its `attach` may miss what came before it.
    """
    address = f"{client.base_url}/v{client.api_version}/containers/{container}/logs"
    options = {
        "stdout": int(False in streams), "stderr": int(True in streams), "follow": int(follow), "timestamps": 1,
        "since": _unix(since),
    }  # fmt: skip
    with client.get(address, params=options, stream=True, timeout=None) as answer:
        answer.raise_for_status()
        while head := _exactly(answer.raw, 8):
            stamp, _, data = _exactly(answer.raw, int.from_bytes(head[4:8], "big")).partition(b" ")
            yield Frame(stamp, head[0] == _ERROR_STREAM, data)


def _unix(stamp: bytes) -> str:
    """`2026-01-02T03:04:05.123456789Z` as the engine takes it: seconds since 1970, nine digits behind the point."""
    if not stamp:
        return "0"
    text = stamp.decode("ascii").rstrip("Z")
    seconds = int(datetime.fromisoformat(text[:19]).replace(tzinfo=UTC).timestamp())
    return f"{seconds}.{text[20:]:0<9}" if text[20:].isdigit() else str(seconds)


def _exactly(stream: Any, size: int) -> bytes:
    data: bytes = stream.read(size)
    while 0 < len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            return b""
        data += more
    return data
