# SPDX-License-Identifier: MIT
"""Values from a program in the image or in a mount: it reads the question as JSON and prints the answer as JSON."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from kit_core.errors import InputError, TimeLimitError, WorkError
from kit_deploymentizer.sources import Fetched, Target, World
from kit_deploymentizer.sources.answers import read_json, values_of
from kit_deploymentizer.sources.once import Once
from kit_deploymentizer.sources.places import filled, question

_SECONDS: Final = 30.0
_LARGEST: Final = 10 * 2**20
_SAID: Final = 500
"""Characters of what the program said on standard error that are told; its last ones."""
_GIVEN_UP: Final = 3
"""So many runs in a row that were too slow, and it is not run again."""
_LINGER_SECONDS: Final = 1.0


@dataclass
class ExecProgram:
    """Runs once per distinct question, from any thread. The program gets the run's environment without kit's secrets.

    `close` ends what still runs.
    """

    command: tuple[str, ...]
    seconds: float
    values: str | None
    folder: Path
    env: Mapping[str, str] = field(repr=False)
    _answers: Once[tuple[tuple[str, ...], bytes], Fetched] = field(default_factory=Once, repr=False, compare=False)
    _running: set[subprocess.Popen[bytes]] = field(default_factory=set, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    _too_slow: int = 0
    _closed: bool = False

    @classmethod
    def from_options(cls, options: Mapping[str, Any], world: World) -> "ExecProgram":
        """From the entry in kit.yaml."""
        command = tuple(options["command"])
        program = command[0].removeprefix("./")
        if "/" in command[0]:
            program = str(world.folder / program)
        seconds, values = options.get("timeout", _SECONDS), options.get("values")
        return cls((program, *command[1:]), seconds, values, world.folder, world.program_env)

    def fetch(self, container: Mapping[str, Any], target: Target) -> Fetched:
        """What the program prints. Raises `WorkError`; `InputError` where it cannot be started."""
        command = tuple(filled(argument, container, target) for argument in self.command)
        asked = question(container, target)
        return self._answers.get((command, asked), lambda: self._ask(command, asked))

    def close(self) -> None:
        """End every program that still runs; none is started any more."""
        with self._lock:
            self._closed = True
            for program in self._running:
                _kill(program)

    def _ask(self, command: tuple[str, ...], asked: bytes) -> Fetched:
        if self._too_slow >= _GIVEN_UP:
            raise TimeLimitError("the program was not run", why=f"{_GIVEN_UP} runs before this one were too slow")
        program = self._started(command)
        try:
            done = _Talk(program, asked).done(self.seconds)
        finally:
            with self._lock:
                self._running.discard(program)
        self._too_slow = self._too_slow + 1 if done.late else 0
        said = f"; it said: {done.said}" if done.said else ""
        name = Path(command[0]).name
        if done.late:
            raise TimeLimitError(f"{name} did not end within {self.seconds:g} s", why=done.said or None,
                                 hint="Give its source a longer `timeout`, or make it quicker.")  # fmt: skip
        if done.too_much:
            raise WorkError(f"{name} printed more than {_LARGEST // 2**20} MB")
        if done.code:
            ended = f"exit code {done.code}" if done.code > 0 else f"signal {-done.code}"
            raise WorkError(f"{name} failed", why=f"{ended}{said}", hint="Run it by hand with the same question.")
        what = f"what {name} printed"
        return Fetched(values_of(read_json(done.out, what=what), self.values, what=what, kind=WorkError))

    def _started(self, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise WorkError("the program was not run", why="this run is ending")
            try:
                program = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    cwd=self.folder,
                    env=dict(self.env),
                    start_new_session=True,  # so that what it starts itself can be ended with it
                )
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                raise InputError(f"{command[0]} cannot be started", why=reason,
                                 hint="`command` names a program on PATH, or its path; it must be executable"
                                 " here.") from None  # fmt: skip
            self._running.add(program)
            return program


@dataclass
class _Done:
    code: int
    out: bytes
    said: str
    late: bool
    too_much: bool


class _Talk:
    """One run of a program: gives it the question, takes what it prints, and keeps it to its limits."""

    def __init__(self, program: subprocess.Popen[bytes], asked: bytes) -> None:
        self._program = program
        self._out, self._err = bytearray(), bytearray()
        self._too_much = False
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stderr is not None
        self._threads = [
            threading.Thread(target=work, args=arguments, daemon=True)
            for work, arguments in (
                (_give, (program.stdin, asked)),
                (self._take, (program.stdout,)),
                (self._listen, (program.stderr,)),
            )
        ]

    def done(self, seconds: float) -> _Done:
        for thread in self._threads:
            thread.start()
        late = False
        try:
            code = self._program.wait(seconds)
        except subprocess.TimeoutExpired:
            late = True
            _kill(self._program)
            code = self._program.wait()
        end = time.monotonic() + _LINGER_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            _kill_group(self._program.pid)  # something that it left running holds the pipes, and so its group
        said = bytes(self._err).decode("utf-8", "replace").strip()[-_SAID:]
        return _Done(code, bytes(self._out), " ".join(said.split()), late, self._too_much)

    def _take(self, pipe: IO[bytes]) -> None:
        while piece := os.read(pipe.fileno(), 2**16):
            self._out += piece
            if len(self._out) > _LARGEST:
                self._too_much = True
                _kill(self._program)
                break
        pipe.close()

    def _listen(self, pipe: IO[bytes]) -> None:
        while piece := os.read(pipe.fileno(), 2**16):
            self._err += piece
            del self._err[: -4 * _SAID]
        pipe.close()


def _give(pipe: IO[bytes], asked: bytes) -> None:
    with contextlib.suppress(OSError):  # it need not read what it does not want to know
        pipe.write(asked)
        pipe.flush()
    with contextlib.suppress(OSError):
        pipe.close()


def _kill(program: subprocess.Popen[bytes]) -> None:
    """End the program and all that it started, while it is there: its number may be another's afterwards."""
    if program.returncode is None:
        _kill_group(program.pid)


def _kill_group(number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(number, signal.SIGKILL)
