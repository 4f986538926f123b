# SPDX-License-Identifier: MIT
"""Doing many things at once in threads that never keep the process alive."""

import queue
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def each(work: Callable[[T], R], items: Iterable[T], *, workers: int, name: str) -> list[R]:
    """`work` on every item, at most `workers` at a time; the results in the order of the items.

    The first exception is raised when all that had begun has ended; what had not is not begun.
    """
    todo: queue.SimpleQueue[tuple[int, T]] = queue.SimpleQueue()
    count = 0
    for count, item in enumerate(items, start=1):
        todo.put((count - 1, item))
    results: dict[int, R] = {}
    errors: list[BaseException] = []

    def drain() -> None:
        while not errors:
            try:
                index, item = todo.get_nowait()
            except queue.Empty:
                return
            try:
                results[index] = work(item)
            except BaseException as error:  # noqa: BLE001 - handed to the caller's thread below
                errors.append(error)

    threads = [
        threading.Thread(target=drain, name=f"{name}-{number}", daemon=True) for number in range(min(workers, count))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [results[index] for index in range(count)]
