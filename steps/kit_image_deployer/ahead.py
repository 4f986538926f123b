# SPDX-License-Identifier: MIT
"""Work that begins before its result is asked for, in a thread of its own."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class Ahead(Generic[T]):
    """Begins `work` at once. A pool of threads would do as well, but loading it takes longer than it saves here."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._result: T | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name="kit-ahead")
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            self._error = error

    def result(self, within: float | None = None) -> T:
        """What the work returned, or raised; waits for its end. Raises `TimeoutError` where that is not `within` so
        many seconds; the work then goes on for itself.
        """
        self._thread.join(within)
        if self._thread.is_alive():
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return cast("T", self._result)
