# SPDX-License-Identifier: MIT
"""From a run's beginning to its end in the engine: whatever ends it, nothing of it is left there."""

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from kit_pipeline.engine.cleanup import sweep
from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.labels import Run

T = TypeVar("T")

_WAIT_SECONDS: Final = 0.2
_END_SECONDS: Final = 5.0
"""How long what was begun may take to notice that its containers are gone; `docker stop` gives ten in all."""


def session(work: Callable[[], T], *, client: Client, run: Run, stop: threading.Event) -> T:
    """Do `work` and remove all that it has left in the engine. What it raises is raised.

    It is done in another thread, so that a signal is heard whatever it waits for: then its containers are removed,
    which ends the waiting.
    """
    results: list[T] = []
    raised: list[BaseException] = []

    def begin() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
            raised.append(error)

    thread = threading.Thread(target=begin, name="kit-pipeline-run", daemon=True)
    try:
        thread.start()
        while thread.is_alive():
            thread.join(_WAIT_SECONDS)
    except BaseException:
        stop.set()
        sweep(client, run)
        thread.join(_END_SECONDS)
        raise
    finally:
        sweep(client, run)
    if raised:
        raise raised[0]
    return results[0]
