# SPDX-License-Identifier: MIT
"""The original's settings that have no effect: those whose feature comes later, and those with nothing left to do."""

from dataclasses import dataclass
from typing import Final

from kit_core.declare import CommonSettings, setting
from kit_core.secrets import Secret

LATER: Final = "Not there yet: accepted, told so, without effect"
DONE: Final = "Nothing left to do"


@dataclass(frozen=True, kw_only=True)
class CompatibleSettings(CommonSettings):
    """See the module."""

    # Wanted by people who come from the original; what they do comes later. The command tells whoever sets one.
    github_auth_token: Secret | None = setting(
        None, original=True, group=LATER, help="Token for comparing commits on GitHub."
    )
    github_user: str | None = setting(None, original=True, group=LATER, help="Owner of the repository on GitHub.")
    github_repo: str | None = setting(None, original=True, group=LATER, help="Name of the repository on GitHub.")

    # The original's, with nothing left to do.
    api_version: str | None = setting(
        None, original=True, group=DONE, ignored=True, help="Manifests say their API version themselves."
    )
    available_polling_interval: float = setting(
        10, original=True, unit="s", group=DONE, ignored=True, help="Clusters are watched, not polled."
    )
    available_all: bool = setting(True, original=True, group=DONE, ignored=True, help="Always so.")
    available_required: bool = setting(
        False, original=True, group=DONE, ignored=True, help="Implied by AVAILABLE_ENABLED."
    )
    available_keep_alive: bool = setting(
        True, original=True, group=DONE, ignored=True, help="In a CI the log always says what is awaited."
    )
    available_keep_alive_interval: float = setting(
        30, original=True, unit="s", group=DONE, ignored=True, help="Never more than 30 seconds of silence."
    )
    github_enabled: bool = setting(
        True, original=True, group=LATER, ignored=True, help="Commits are not compared on GitHub yet."
    )
    github_auth_type: str = setting(
        "token", original=True, group=LATER, ignored=True, help="Commits are not compared on GitHub yet."
    )


NOT_YET: Final = frozenset(
    {
        "github_auth_token",
        "github_user",
        "github_repo",
    }
)
"""Settings whose feature comes later: whoever gives one is told that it has no effect yet."""

ABANDONED: Final = ("ELROY_", "WATCHER_")
"""Variables of services that only the original's makers had."""
