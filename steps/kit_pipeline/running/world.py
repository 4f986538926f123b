# SPDX-License-Identifier: MIT
"""What all tasks of a run have in common."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kit_core.errors import InputError
from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.containers import Spec
from kit_pipeline.engine.labels import Run
from kit_pipeline.engine.paths import Paths
from kit_pipeline.files.service import Service
from kit_pipeline.planning.plan import Task
from kit_pipeline.planning.values import RunValues
from kit_pipeline.running.printing import Printer
from kit_pipeline.running.terminal import Terminal
from kit_pipeline.running.vault import Vault


class Turns:
    """A lock for each name, for what must not be done twice at once."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def of(self, name: str) -> threading.Lock:
        """That of a name, always the same one."""
        with self._guard:
            return self._locks.setdefault(name, threading.Lock())


@dataclass(frozen=True, kw_only=True)
class World:
    """`folder` is the one that paths in the services file begin at, `project` what its images are kept apart by.

    `given` are variables of the command line, `machine` our own ones. `health_limit` is in seconds. `on_failure` is
    told of a failed step and its container, before that goes. `dockercfg_path` and `dockercfg_service` are for what
    names no logins of its own; with `pull` images are pulled that are there already. A `terminal` is lent to a task's
    program; else `aloud`, where there is one, gets the lines of its output. `undo` holds what is to be done where the
    run ends early.
    """

    client: Client
    run: Run
    services: Mapping[str, Service]
    folder: Path
    project: str
    values: RunValues
    vault: Vault
    paths: Paths
    printer: Printer
    given: Mapping[str, str]
    machine: Mapping[str, str]
    stop: threading.Event
    health_limit: float = 3600.0
    dockercfg_path: str | None = None
    dockercfg_service: str | None = None
    pull: bool = False
    on_failure: Callable[[Task, str, Spec], None] | None = None
    terminal: Terminal | None = None
    aloud: Callable[[str], None] | None = None
    undo: dict[str, Callable[[], None]] = field(default_factory=dict)
    turns: Turns = field(default_factory=Turns)

    def service(self, name: str) -> Service:
        """The service of that name. Raises `InputError`."""
        if name not in self.services:
            raise InputError(f"There is no service {name}", hint="`kit-pipeline validate` says more.")
        return self.services[name]
