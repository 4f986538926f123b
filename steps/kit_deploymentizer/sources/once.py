# SPDX-License-Identifier: MIT
"""Each question is asked once, whichever thread comes first; the others wait for its answer."""

import copy
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from kit_core.errors import KitError

Q = TypeVar("Q", bound=Hashable)
A = TypeVar("A")


class Once(Generic[Q, A]):
    """Remembers answers and failures by their question."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[Q, Future[A]] = {}

    def get(self, question: Q, ask: Callable[[], A]) -> A:
        """The answer to `question`; `ask` gives it the first time. Raises what `ask` raised, each time anew."""
        with self._lock:
            known = self._asked.get(question)
            future = self._asked.setdefault(question, known or Future())
        if known is None:
            try:
                future.set_result(ask())
            except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
                future.set_exception(error)
        try:
            return future.result()
        except KitError as error:
            raise copy.copy(error) from None  # each asker adds its own place to it
