# SPDX-License-Identifier: MIT
"""The services that run beside a step: new ones for each, started in order, awaited where they have a health check."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from kit_core.errors import TimeLimitError, WorkError
from kit_pipeline.engine import containers
from kit_pipeline.engine.connect import Client
from kit_pipeline.files.service import Service

_EVERY: Final = 1.0
_LINES: Final = 20


def order(service: Service, services: Mapping[str, Service]) -> list[Service]:
    """Everything that a service needs, what is needed first first; itself not."""
    found: dict[str, Service] = {}

    def visit(name: str) -> None:
        if name in found or name not in services:
            return
        for other in services[name].needs:
            visit(other)
        found[name] = services[name]

    for name in service.needs:
        visit(name)
    return list(found.values())


def aliases(name: str, around: Mapping[str, Service], runner: Service) -> list[str]:
    """Every name by which a service is known in its step: its own, and those of links to it."""
    linked = [link.alias for service in (runner, *around.values()) for link in service.links if link.service == name]
    return [name, *linked]


def until_well(
    client: Client,
    container: str,
    name: str,
    *,
    stop: threading.Event,
    limit: float,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> Mapping[str, Any]:
    """Wait until a container with a health check is healthy; one without is ready at once. What the engine says of it.

    Raises `WorkError` where it says that it is not well or has ended, `TimeLimitError` after `limit` seconds.
    """
    began = clock()
    told = False
    while True:
        found = containers.inspected(client, container)
        if stop.is_set() or _well(name, found["State"], clock() - began, limit):
            return found
        if not told:
            say(f"waiting until {name} is healthy")
            told = True
        stop.wait(_EVERY)


def _well(name: str, state: Mapping[str, Any], waited: float, limit: float) -> bool:
    health = state.get("Health")
    if not health or health.get("Status") in {None, "none", "healthy"}:
        return True
    last = tail((health.get("Log") or [{}])[-1].get("Output", ""))
    # First this: the engine calls those unhealthy whose checks have ended with them.
    if state.get("Status") in {"exited", "dead"}:
        why = f"exit code {state.get('ExitCode')}" + (", it ran out of memory" if state.get("OOMKilled") else "")
        raise WorkError(f"{name} ended before it was healthy", why=why)
    if health["Status"] == "unhealthy":
        raise WorkError(f"{name} is unhealthy", why=last or "its health check says nothing")
    if waited > limit:
        raise TimeLimitError(f"{name} is still not healthy after {limit:.0f} s", why=last or None)
    return False


def tail(text: str) -> str:
    """The last lines of what something said, as one."""
    return " / ".join(text.strip().splitlines()[-_LINES:])
