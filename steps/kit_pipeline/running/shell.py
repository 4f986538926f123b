# SPDX-License-Identifier: MIT
"""A shell in what a failed step has left: its files, variables, volumes and the services that still run beside it."""

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kit_core.console import Console
from kit_core.errors import KitError
from kit_pipeline.engine import containers
from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.containers import Spec
from kit_pipeline.engine.failures import EngineError, told
from kit_pipeline.engine.labels import Run
from kit_pipeline.planning.plan import Task
from kit_pipeline.running.terminal import Terminal

_SHELLS: Final = ("bash", "sh", "/bin/sh", "/busybox/sh")


class FailureShell:
    """Opens shells for failed steps, one at a time, on a terminal.

    `stop` ends the one that is open, and lets no other begin.
    """

    def __init__(
        self, client: Client, run: Run, console: Console, terminal: Terminal, *, stop: threading.Event
    ) -> None:
        self._client, self._run, self._console, self._stop = client, run, console, stop
        self._terminal = terminal
        self._lock = threading.Lock()

    def why_not(self) -> str | None:
        """Why there can be none, where it cannot."""
        return self._terminal.why_not()

    def restore(self) -> None:
        """Give the terminal back as it was. May be called from any thread, also where no shell is open."""
        self._terminal.restore()

    def __call__(self, task: Task, container: str, spec: Spec) -> None:
        """Open a shell for a failed step, and return when it has ended. Raises nothing but what ends the run."""
        if self._stop.is_set() or task.after_failure:
            return
        if self.why_not():
            return  # which was said at the beginning
        with self._lock:
            try:
                self._open(task, container, spec)
            except KitError as error:
                self._console.warning(f"{task.number} {task.name}: no shell was opened: {error}")

    def _open(self, task: Task, container: str, spec: Spec) -> None:
        with told("What the step has left was not kept"):
            image = self._client.commit(container)["Id"]
        try:
            for shell in _SHELLS:
                if self._stop.is_set() or self._with(shell, image, task, container, spec):
                    return
        finally:
            with contextlib.suppress(EngineError), told("no"):
                self._client.remove_image(image, force=True)
        raise EngineError(f"there is no shell in the image of {spec.what}", hint=f"Looked for {', '.join(_SHELLS)}.")

    def _with(self, shell: str, image: str, task: Task, container: str, spec: Spec) -> bool:
        """Whether there was such a shell; then it has been used."""
        opened = replace(
            spec,
            image=image,
            name=self._run.called("shell", task.number),
            entrypoint=[shell],
            command=[],
            # The failed container's own, with what is in them now.
            binds=[],
            volumes=[],
            volumes_from=[container],
            options={key: value for key, value in spec.options.items() if key != "restart"},
            files={},
        )
        mine = containers.create(self._client, self._run, self._terminal.prepared(opened))
        try:
            with self._terminal.at(self._client, mine) as stream:
                try:
                    containers.start(self._client, mine, shell)
                except EngineError as error:
                    if _no_program(error):
                        return False
                    raise
                self._console.info(
                    f"{task.number} {task.name} failed; {shell} in what it left, with its variables, volumes and"
                    " services. `exit` ends it, and the run goes on to its end.",
                    step=task.name,
                )
                self._terminal.talk(self._client, mine, stream)
                return True
        finally:
            containers.remove(self._client, mine)


def _no_program(error: EngineError) -> bool:
    text = (error.why or "").lower()
    signs: Sequence[str] = ("executable file not found", "no such file or directory", "not found in")
    return any(sign in text for sign in signs)
