# SPDX-License-Identifier: MIT
"""A shell in what a failed step has left: its files, variables, volumes and the services that still run beside it."""

import contextlib
import os
import select
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TextIO

from kit_core.console import Console
from kit_core.errors import KitError
from kit_pipeline.engine import containers
from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.containers import Spec
from kit_pipeline.engine.failures import EngineError, told
from kit_pipeline.engine.labels import Run
from kit_pipeline.planning.plan import Task

_SHELLS: Final = ("bash", "sh", "/bin/sh", "/busybox/sh")
_LOOK_SECONDS: Final = 0.25
_REST_SECONDS: Final = 0.5
_CHUNK: Final = 65_536


class FailureShell:
    """Opens shells for failed steps, one at a time, on the terminal of `given` and `shown`.

    `stop` ends the one that is open, and lets no other begin.
    """

    def __init__(
        self, client: Client, run: Run, console: Console, given: TextIO, shown: TextIO, *, stop: threading.Event
    ) -> None:
        self._client, self._run, self._console, self._stop = client, run, console, stop
        self._given, self._shown = given, shown
        self._lock = threading.Lock()
        self._before: list[Any] | None = None

    def why_not(self) -> str | None:
        """Why there can be none, where it cannot."""
        for stream, what in ((self._given, "standard input"), (self._shown, "standard output")):
            if not _is_terminal(stream):
                return f"{what} is no terminal"
        return None

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

    def restore(self) -> None:
        """Give the terminal back as it was. May be called from any thread, also where no shell is open."""
        import termios

        before, self._before = self._before, None
        if before is not None:
            with contextlib.suppress(OSError, ValueError, termios.error):
                termios.tcsetattr(self._given.fileno(), termios.TCSADRAIN, before)

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
            environment={"TERM": os.environ.get("TERM", "xterm"), **spec.environment},
            # The failed container's own, with what is in them now.
            binds=[],
            volumes=[],
            volumes_from=[container],
            options={key: value for key, value in spec.options.items() if key != "restart"},
            files={},
            terminal=True,
        )
        mine = containers.create(self._client, self._run, opened)
        try:
            with told("The shell cannot be reached"):
                stream = self._client.attach_socket(mine, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
            with contextlib.closing(stream):
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
                with self._console.hushed(), self._raw():
                    self._talk(mine, getattr(stream, "_sock", stream))
                return True
        finally:
            containers.remove(self._client, mine)

    @contextlib.contextmanager
    def _raw(self) -> Iterator[None]:
        """Every key goes to the shell as it is, Ctrl-C too."""
        import termios
        import tty

        self._before = termios.tcgetattr(self._given.fileno())
        try:
            tty.setraw(self._given.fileno())
            yield
        finally:
            self.restore()

    def _talk(self, container: str, stream: Any) -> None:
        """Carry what is typed to the shell and what it prints to the terminal, until it ends."""
        keys, screen = self._given.fileno(), self._shown.fileno()
        ended = _ended(self._client, container)
        size: os.terminal_size | None = None
        over: float | None = None
        sources = [keys, stream]
        while not self._stop.is_set():
            size = self._fit(container, size)
            ready, _, _ = select.select(sources, [], [], _LOOK_SECONDS)
            if stream in ready:
                data = stream.recv(_CHUNK)
                if not data:
                    return
                _write(screen, data)
            if keys in ready:
                data = os.read(keys, _CHUNK)
                if data:
                    with contextlib.suppress(OSError):  # the shell has ended in this moment
                        stream.sendall(data)
                else:  # the terminal was closed
                    return
            # The engine may keep the connection open after the end.
            if ended.is_set() and not ready:
                over = over or time.monotonic()
                if time.monotonic() - over > _REST_SECONDS:
                    return

    def _fit(self, container: str, before: os.terminal_size | None) -> os.terminal_size | None:
        """Tell the shell of the terminal's size, where that has changed."""
        try:
            size = os.get_terminal_size(self._shown.fileno())
        except OSError:
            return before
        if size != before and size.lines and size.columns:
            with contextlib.suppress(EngineError), told("no"):
                self._client.resize(container, height=size.lines, width=size.columns)
        return size


def _ended(client: Client, container: str) -> threading.Event:
    ended = threading.Event()

    def wait() -> None:
        with contextlib.suppress(KitError):
            containers.wait(client, container)
        ended.set()

    threading.Thread(target=wait, name="wait for the shell", daemon=True).start()
    return ended


def _write(screen: int, data: bytes) -> None:
    while data:
        data = data[os.write(screen, data) :]


def _no_program(error: EngineError) -> bool:
    text = (error.why or "").lower()
    signs: Sequence[str] = ("executable file not found", "no such file or directory", "not found in")
    return any(sign in text for sign in signs)


def _is_terminal(stream: TextIO) -> bool:
    try:
        return os.isatty(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
