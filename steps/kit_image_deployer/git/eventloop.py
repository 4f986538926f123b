# SPDX-License-Identifier: MIT
"""Asynchronous work for a caller who waits: what asyncssh does goes on beside a program that is none of asyncio's."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

GOODBYE_SECONDS: Final = 2.0
"""What ending something politely may take."""
_T = TypeVar("_T")


class Loop:
    """An event loop in a thread of its own: whoever calls waits, at most so long."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ssh", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _T], seconds: float) -> _T:
        """The outcome of `work`. Raises `TimeoutError` when the time is up; then it is cancelled."""
        if self._loop.is_closed():
            work.close()
            raise TimeoutError
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except BaseException:
            future.cancel()
            raise

    def start(self, work: Coroutine[Any, Any, _T]) -> Callable[[float], _T]:
        """Let it go on; what is returned waits for its end."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result

    def close(self) -> None:
        """End it, with all that is still going on."""

        async def cancel() -> None:
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        with suppress(TimeoutError):
            self.run(cancel(), GOODBYE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(GOODBYE_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()
