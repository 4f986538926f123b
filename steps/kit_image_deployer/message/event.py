# SPDX-License-Identifier: MIT
"""What GitHub Actions tells of the event that started a build, beside its variables: the commit's message.

The file that GITHUB_EVENT_PATH names holds the event as its webhook would send it (docs.github.com, "Webhook events and
payloads"). It is a convenience: where it is missing, huge or not as expected, there is no message, and nothing else.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

VARIABLE: Final = "GITHUB_EVENT_PATH"
_LARGEST: Final = 8 << 20
_PLACES: Final = (
    ("head_commit", "message"),  # push
    ("workflow_run", "head_commit", "message"),
    ("merge_group", "head_commit", "message"),
    ("pull_request", "title"),
)


def event_message(env: Mapping[str, str]) -> str | None:
    """The message of the commit that is built, as the event's file has it."""
    if env.get("GITHUB_ACTIONS", "").lower() != "true" or not env.get(VARIABLE):
        return None
    try:
        with Path(env[VARIABLE]).open("rb") as file:
            content = file.read(_LARGEST + 1)
        return message_of(json.loads(content)) if len(content) <= _LARGEST else None
    except (OSError, ValueError, RecursionError):
        return None


def message_of(event: Any) -> str | None:
    """The message in an event."""
    for place in _PLACES:
        found = event
        for name in place:
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, str) and found.strip():
            return found
    return None
