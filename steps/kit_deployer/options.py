# SPDX-License-Identifier: MIT
"""What a run is told, as values: each part of the deployer takes the one it needs, never all settings."""

from dataclasses import dataclass, field
from typing import Literal

from kit_deployer.desired.annotate import Writing
from kit_deployer.health.limits import Limits
from kit_deployer.health.model import Policy
from kit_deployer.selectors import Selector
from kit_deployer.server.sending import Backoff

DryRun = bool | Literal["read"]
"""False deploys; True has the servers check what would be sent, `read` asks them for nothing but what is there."""

Drift = Literal["warn", "correct", "ignore"]
Conflicts = Literal["force", "fail"]


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Whether health is part of success, and when waiting ends. Times in seconds."""

    enabled: bool = False
    policy: Policy = field(default_factory=Policy)
    limits: Limits = field(default_factory=Limits)
    log_lines: int = 25
    dependency_timeout: float = 600.0
    dependency_wait: float = 3.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """One run. `selector` picks the manifests that are deployed; None picks all of them.

    `freeze` names clusters that are left alone, `allow_failure` those whose failure does not make the run fail. Times
    are in seconds.
    """

    writing: Writing = field(default_factory=Writing)
    dry_run: DryRun = True
    diff: bool = False
    force: bool = False
    create_only: bool = False
    adopt: bool = False
    drift: Drift = "warn"
    conflicts: Conflicts = "force"
    freeze: tuple[str, ...] = ()
    selector: Selector | None = None
    waiting: Waiting = field(default_factory=Waiting)
    backoff: Backoff = field(default_factory=Backoff)
    request_timeout: float = 30.0
    run_timeout: float = 3600.0
    max_parallel: int = 20
    requests_per_second: float = 1000.0
    allow_failure: tuple[str, ...] = ()
