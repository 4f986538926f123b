# SPDX-License-Identifier: MIT
"""What the engine says while it builds, pulls and pushes: a stream of JSON objects."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kit_pipeline.engine.failures import EngineError

Say = Callable[[str], None]
"""Gets a line of the engine's output."""


def follow(events: Iterable[Mapping[str, Any]], what: str, say: Say, *, quiet: bool = False) -> str | None:
    """Hand on what the engine says, `quiet` without its progress; the digest of what was pushed.

    Raises `EngineError`: `what` failed, because of what it says went wrong.
    """
    digest = error = None
    open_line = ""
    for event in events:  # to its end, also after an error: then the connection is free again
        error = error or event.get("error")
        if "stream" in event:
            # Pieces of text, not lines: one may end in the middle of a line.
            *lines, open_line = (open_line + str(event["stream"])).split("\n")
        else:
            lines = [] if quiet else str(event.get("status") or "").splitlines()
        for line in lines:
            if line.strip():
                say(line.rstrip("\r"))
        aux = event.get("aux")
        if isinstance(aux, Mapping):  # a newer engine also sends other things here
            digest = aux.get("Digest") or digest
    if open_line.strip():
        say(open_line)
    if error:
        raise EngineError(what, why=str(error).strip())
    return digest
