# SPDX-License-Identifier: MIT
"""From a run's beginning to its end in the engine: whatever ends it, nothing of it is left there."""

import contextlib
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from kit_core.errors import KitError, WorkError
from kit_pipeline.engine.cleanup import mark, sweep, sweep_dead
from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.labels import Run

T = TypeVar("T")

_WAIT_SECONDS: Final = 0.2
_END_SECONDS: Final = 5.0
"""How long what was begun may take to notice that its containers are gone; `docker stop` gives ten in all."""


def session(
    work: Callable[[], T],
    *,
    client: Client,
    run: Run,
    project: str,
    stop: threading.Event,
    undo: dict[str, Callable[[], None]],
) -> T:
    """Do `work` and remove all that it has left in the engine; before, what runs have left that were killed.

    What `work` raises is raised, and `WorkError` where `stop` was set and it did not end by itself. It is done in
    another thread, so that a signal is heard whatever it waits for: then its containers are removed, which ends the
    waiting. `undo` is what it began and somebody has to end.
    """
    results: list[T] = []
    raised: list[BaseException] = []

    def begin() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
            raised.append(error)

    sweep_dead(client)
    thread = threading.Thread(target=begin, name="kit-pipeline-run", daemon=True)
    try:
        mark(client, run, project)
        thread.start()
        while thread.is_alive() and not stop.is_set():
            thread.join(_WAIT_SECONDS)
    except BaseException:
        stop.set()
        raise
    finally:
        if stop.is_set():
            _end(thread, client, run, undo)
        sweep(client, run)
    if raised:
        raise raised[0]
    if not results:
        raise WorkError("The run was stopped")
    return results[0]


def _end(thread: threading.Thread, client: Client, run: Run, undo: dict[str, Callable[[], None]]) -> None:
    """What waits for a container ends with it. A build ends when the engine sees that we have gone."""
    with contextlib.suppress(KitError):
        sweep(client, run)
    if thread.ident is not None:
        thread.join(_END_SECONDS)
    for action in list(undo.values()):
        action()
