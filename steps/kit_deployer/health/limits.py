# SPDX-License-Identifier: MIT
"""How long each cause may last before it ends a rollout, in seconds. The grace period is the least of each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The table of the documentation. Counts are how often something must have happened."""

    at_once: float = 0.0
    image_missing_pulls: int = 2
    image_missing_unseen: float = 30.0
    """For accounts that may not read events, and so cannot count pulls."""
    image_other: float = 300.0
    container_config: float = 30.0
    crash_restarts: int = 3
    failed_create: float = 60.0
    unschedulable: float = 300.0
    failed_mount: float = 120.0
    deletion: float = 120.0
    unspoken: float = 3.0
    """How long a custom resource without any condition must have been there: its controller may only not have seen it
    yet."""
    unprobed: float = 3.0
    """How long a container without a readiness probe must have been up: it counts as ready the moment it starts, also
    when it is about to crash."""
