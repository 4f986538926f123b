# SPDX-License-Identifier: MIT
"""A step's `main`: arguments, signals, settings, and from every error to its exit code."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn, TextIO

from kit_core.ci import detect, in_ci
from kit_core.console import Console
from kit_core.declare import declared
from kit_core.errors import Interrupted, KitError
from kit_core.secrets import Masker, Secret, in_urls
from kit_core.settings import load_settings, secret_texts
from kit_core.step import Argument, Command, Context, Step

__all__ = ["Argument", "Command", "Context", "Step", "main", "run"]

_HELP: Final = frozenset({"--help", "-h"})
_VERSION: Final = frozenset({"--version"})
_WORDS: Final = {"help": "--help", "version": "--version"}
"""What people also say to a program that does nothing without a command."""
_NOTICED_SECONDS: Final = 0.5
"""How soon a handler that can run has run."""


def run(step: Step) -> NoReturn:
    """The process: run the step on the real arguments, environment and streams, and end with its exit code."""
    # A stream that was closed before we began (`2>&-`) is None.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - open to the end
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    code = main(step)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # The reader has gone; nothing is left to tell it, and the interpreter must not complain either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if code in {128 + signal.SIGINT, 128 + signal.SIGTERM}:
        os._exit(code)  # threads may still wait for an answer that nobody wants any more
    sys.exit(code)


def main(
    step: Step,
    argv: Sequence[str] | None = None,
    env: Mapping[str, str] | None = None,
    *,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    cwd: Path | None = None,
) -> int:
    """Run the step as in a process and return its exit code; streams, environment and arguments may be handed in.

    Signals are handled while it runs, where this is the main thread.
    """
    process = _Process(
        step,
        list(sys.argv[1:] if argv is None else argv),
        dict(os.environ if env is None else env),
        stdout or sys.stdout,
        stderr or sys.stderr,
        cwd or _working_folder(),
    )
    try:
        with _signals(process.stop):
            try:
                return process.exit_code()
            except Interrupted as interruption:  # wherever it arrived, also in the midst of telling an error
                return process.interrupted(interruption)
    except Interrupted as interruption:  # in the last moment; what there was to tell is told
        return interruption.exit_code


class _Stop(threading.Event):
    """An event that may be set by a signal's handler while the thread that it interrupts holds the event's own lock."""

    def __init__(self) -> None:
        super().__init__()
        self._cond = threading.Condition(threading.RLock())


class _Process:
    """One run: its console is made twice, as the environment alone suggests, then as the settings say."""

    def __init__(
        self,
        step: Step,
        argv: Sequence[str],
        env: Mapping[str, str],
        out: TextIO,
        err: TextIO,
        cwd: Path,
    ) -> None:
        self._step, self._argv, self._env, self._cwd = step, argv, env, cwd
        self._out, self._err = out, err
        self._masker = Masker()
        self.stop = _Stop()
        for text in (*secret_texts(step.settings, env), *_url_passwords(env)):
            self._masker.add(text)
        self._guess({})

    def _console_with(self, log_format: str) -> Console:
        return Console(
            stderr=self._err,
            stdout=self._out,
            env=self._env,
            provider=detect(self._env),
            masker=self._masker,
            log_format=log_format,
            interactive=self._err.isatty() and not in_ci(self._env) and self._env.get("TERM") != "dumb",
            debug=self._debug,
            cwd=self._cwd,
        )

    def _guess(self, options: Mapping[str, str | None]) -> None:
        """Take on how to log, as far as it can be told before the settings are known to be right."""
        debug = options.get("debug") or self._env.get("KIT_DEBUG") or self._env.get("DEBUG") or ""
        log_format = options.get("log_format") or self._env.get("KIT_LOG_FORMAT") or ""
        self._debug = debug.strip().lower() in {"true", "1", "yes", "on"}
        self._console = self._console_with(log_format.strip().lower())

    def _work(self) -> int:
        from kit_core.cli import help_text, ours, parse

        argv = ours(self._step, self._argv)
        if argv and argv[0] in _WORDS and not (self._step.bare or self._step.command(argv[0])):
            argv = [*argv[1:], _WORDS[argv[0]]]
        if not _HELP.isdisjoint(argv) or not (self._argv or self._step.bare):
            self._console.out(help_text(self._step, argv))
            return 0
        if not _VERSION.isdisjoint(argv):
            from kit_core.version import version_line

            self._console.out(version_line(self._step.name))
            return 0
        parsed = parse(self._step, self._argv)
        self._guess(parsed.options)
        loaded = load_settings(self._step.settings, self._env, parsed.options)
        settings: Any = loaded.settings
        for item in declared(self._step.settings):
            value = getattr(settings, item.field)
            if isinstance(value, Secret):
                self._masker.add(value)
            elif isinstance(value, str | tuple):
                for password in in_urls(" ".join((value,) if isinstance(value, str) else value)):
                    self._masker.add(password)
        self._debug = settings.debug
        self._console = self._console_with(settings.log_format)
        for warning in loaded.warnings:
            self._console.warning(warning)
        context = Context(
            env=self._env,
            console=self._console,
            stdout=self._out,
            stop=self.stop,
            masker=self._masker,
            cwd=self._cwd,
            debug=self._debug,
            given=loaded.given,
        )
        from kit_core.libraries import told_by

        with told_by(self._console):
            return parsed.command.run(settings, context, parsed.arguments) or 0

    def exit_code(self) -> int:
        """What the command returns, or the exit code of what it raises, told to the person first."""
        try:
            return self._work()
        except KitError as error:
            return self._failed(error)
        except Exception as error:  # noqa: BLE001 - the last line of defence; a bug must end as a sentence as well
            return self._failed(
                KitError(
                    f"{self._step.name} failed in a way it does not know",
                    why=f"{type(error).__name__}: {error}",
                    hint="This is a fault of kit; run it again with DEBUG=true and report what it prints.",
                )
            )

    def interrupted(self, interruption: Interrupted) -> int:
        """Its exit code, told to the person first."""
        name = signal.Signals(interruption.signal_number).name
        self._console.error(f"interrupted by {name}; what was not done yet is left for the next run", signal=name)
        self._console.result("interrupted", signal=name)
        return interruption.exit_code

    def _failed(self, error: KitError) -> int:
        if self._debug:
            self._console.foreign(traceback.format_exc())
        self._console.error(error)
        if not self._console.concluded:
            self._console.result("failed", exit_code=error.exit_code)
        return error.exit_code


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """SIGINT and SIGTERM set `stop` and raise `Interrupted` here, once; a second one ends the process at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, _frame: Any) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()
        raise Interrupted(number)

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with _noticed(stop):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _noticed(stop: threading.Event) -> Iterator[None]:
    """A signal that arrives in the moment before a system call begins does not end that call, and its handler would
    wait as long as the call does: send it again until the handler has run.
    """
    blocked = threading.get_ident()
    heard, told = os.pipe()
    os.set_blocking(told, False)

    def again() -> None:
        while number := os.read(heard, 1):
            if number[0] in {signal.SIGINT, signal.SIGTERM} and not stop.wait(_NOTICED_SECONDS):
                signal.pthread_kill(blocked, number[0])

    thread = threading.Thread(target=again, daemon=True, name="kit-signals")
    thread.start()
    former = signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(former)
        os.close(told)
        thread.join()
        os.close(heard)


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return Path("/")


def _url_passwords(env: Mapping[str, str]) -> Iterator[str]:
    """The passwords of proxies: libraries name the proxy that they cannot reach."""
    for name, value in env.items():
        if name.lower().endswith("_proxy"):
            yield from in_urls(value)
