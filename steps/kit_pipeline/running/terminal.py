# SPDX-License-Identifier: MIT
"""A person's terminal, lent to a program in a container."""

import contextlib
import os
import select
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, TextIO

from kit_core.console import Console
from kit_core.errors import KitError
from kit_pipeline.engine import containers
from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.containers import Spec
from kit_pipeline.engine.failures import EngineError, told

_LOOK_SECONDS: Final = 0.25
_REST_SECONDS: Final = 0.5
_CHUNK: Final = 65_536


class Terminal:
    """The terminal of `given` and `shown`. `stop` takes it back from whoever has it.

    While a program has it, what the console has to say waits.
    """

    def __init__(self, console: Console, given: TextIO, shown: TextIO, *, stop: threading.Event) -> None:
        self._console, self._given, self._shown, self._stop = console, given, shown, stop
        self._before: list[Any] | None = None

    def why_not(self) -> str | None:
        """Why there can be none, where it cannot."""
        for stream, what in ((self._given, "standard input"), (self._shown, "standard output")):
            if not _is_terminal(stream):
                return f"{what} is no terminal"
        return None

    def prepared(self, spec: Spec) -> Spec:
        """The same container, with a terminal."""
        return replace(spec, terminal=True, environment={"TERM": os.environ.get("TERM", "xterm"), **spec.environment})

    @contextlib.contextmanager
    def at(self, client: Client, container: str) -> Iterator[Any]:
        """The container's side of it, to be had before the container starts. Raises `EngineError`."""
        with told("The container's terminal cannot be reached"):
            stream = client.attach_socket(container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
        # Closed by the answer that it is a part of, which would else find it closed, and complain at the very end.
        with contextlib.closing(getattr(stream, "_response", stream)):
            yield getattr(stream, "_sock", stream)

    def talk(self, client: Client, container: str, stream: Any) -> bool:
        """Lend it to a container that has started, until its program ends.

        False where it was taken back before: the run was stopped, or the terminal was closed.
        """
        with self._console.hushed(), self._raw():
            return self._carry(client, container, stream)

    def restore(self) -> None:
        """Give the terminal back as it was. May be called from any thread, also where no shell is open."""
        import termios

        before, self._before = self._before, None
        if before is not None:
            with contextlib.suppress(OSError, ValueError, termios.error):
                termios.tcsetattr(self._given.fileno(), termios.TCSADRAIN, before)

    @contextlib.contextmanager
    def _raw(self) -> Iterator[None]:
        """Every key goes to the program as it is, Ctrl-C too."""
        import termios
        import tty

        self._before = termios.tcgetattr(self._given.fileno())
        try:
            tty.setraw(self._given.fileno())
            yield
        finally:
            self.restore()

    def _carry(self, client: Client, container: str, stream: Any) -> bool:
        """Carry what is typed to the program and what it prints to the terminal, until it ends."""
        keys, screen = self._given.fileno(), self._shown.fileno()
        ended = _ended(client, container)
        size: os.terminal_size | None = None
        over: float | None = None
        sources = [keys, stream]
        while not self._stop.is_set():
            size = self._fit(client, container, size)
            ready, _, _ = select.select(sources, [], [], _LOOK_SECONDS)
            if stream in ready:
                data = stream.recv(_CHUNK)
                if not data:
                    return True
                _write(screen, data)
            if keys in ready:
                data = _typed(keys)
                if data:
                    with contextlib.suppress(OSError):  # it has ended in this moment
                        stream.sendall(data)
                else:  # the terminal was closed
                    return False
            # The engine may keep the connection open after the end.
            if ended.is_set() and not ready:
                over = over or time.monotonic()
                if time.monotonic() - over > _REST_SECONDS:
                    return True
        return False

    def _fit(self, client: Client, container: str, before: os.terminal_size | None) -> os.terminal_size | None:
        """Tell the program of the terminal's size, where that has changed."""
        try:
            size = os.get_terminal_size(self._shown.fileno())
        except OSError:
            return before
        if size != before and size.lines and size.columns:
            with contextlib.suppress(EngineError), told("no"):
                client.resize(container, height=size.lines, width=size.columns)
        return size


def _ended(client: Client, container: str) -> threading.Event:
    ended = threading.Event()

    def wait() -> None:
        with contextlib.suppress(KitError):
            containers.wait(client, container)
        ended.set()

    threading.Thread(target=wait, name="wait for the program", daemon=True).start()
    return ended


def _typed(keys: int) -> bytes:
    """What was typed; nothing where the terminal was closed, which Linux may tell as an error."""
    try:
        return os.read(keys, _CHUNK)
    except OSError:
        return b""


def _write(screen: int, data: bytes) -> None:
    while data:
        data = data[os.write(screen, data) :]


def _is_terminal(stream: TextIO) -> bool:
    try:
        return os.isatty(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
