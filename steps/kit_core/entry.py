# SPDX-License-Identifier: MIT
"""A step's `main`: arguments, signals, settings, and from every error to its exit code."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn, TextIO

from kit_core.ci import detect, in_ci
from kit_core.console import Console
from kit_core.declare import declared
from kit_core.errors import Interrupted, KitError
from kit_core.secrets import Masker, Secret
from kit_core.settings import load_settings
from kit_core.step import Argument, Command, Context, Step

__all__ = ["Argument", "Command", "Context", "Step", "main", "run"]

_HELP: Final = frozenset({"--help", "-h"})


def run(step: Step) -> NoReturn:
    """The process: run the step on the real arguments, environment and streams, and end with its exit code."""
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
    arguments = list(sys.argv[1:] if argv is None else argv)
    world = dict(os.environ if env is None else env)
    out, err = stdout or sys.stdout, stderr or sys.stderr
    if _asked(arguments, _HELP):
        from kit_core.cli import help_text

        print(help_text(step, arguments), file=out)
        return 0
    if _asked(arguments, {"--version"}):
        from kit_core.version import version_line

        print(version_line(step.name), file=out)
        return 0
    stop = threading.Event()
    with _signals(stop):
        return _outcome(step, arguments, world, out, err, cwd or Path.cwd(), stop)


def _outcome(
    step: Step,
    argv: Sequence[str],
    env: Mapping[str, str],
    out: TextIO,
    err: TextIO,
    cwd: Path,
    stop: threading.Event,
) -> int:
    from kit_core.cli import parse

    masker = Masker()
    debug = env.get("KIT_DEBUG", env.get("DEBUG", "")).strip().lower() in {"true", "1", "yes", "on"}
    log_format = env.get("KIT_LOG_FORMAT", "text").strip().lower()

    def console_with(log_format: str, debug: bool) -> Console:
        return Console(
            stderr=err,
            stdout=out,
            env=env,
            provider=detect(env),
            masker=masker,
            log_format=log_format,
            interactive=err.isatty() and not in_ci(env) and env.get("TERM") != "dumb",
            debug=debug,
        )

    console = console_with(log_format, debug)

    def work() -> int:
        nonlocal console, debug
        parsed = parse(step, argv)
        loaded = load_settings(step.settings, env, parsed.options)
        settings: Any = loaded.settings
        for item in declared(step.settings):
            value = getattr(settings, item.field)
            if isinstance(value, Secret):
                masker.add(value)
        debug = settings.debug
        console = console_with(settings.log_format, debug)
        for warning in loaded.warnings:
            console.warning(warning)
        context = Context(
            env=env,
            console=console,
            stdout=out,
            stop=stop,
            masker=masker,
            cwd=cwd,
            debug=debug,
            given=loaded.given,
        )
        return parsed.command.run(settings, context, parsed.arguments) or 0

    return _exit_code(work, lambda: (console, debug), step.name)


def _exit_code(work: Callable[[], int], voice: Callable[[], tuple[Console, bool]], program: str) -> int:
    """What `work` returns, or the exit code of what it raises, told to the person first."""
    try:
        return work()
    except Interrupted as interruption:
        console, _ = voice()
        name = signal.Signals(interruption.signal_number).name
        console.error(f"interrupted by {name}; what was not done yet is left for the next run", signal=name)
        console.result("interrupted", signal=name)
        return interruption.exit_code
    except KitError as error:
        console, debug = voice()
        if debug:
            console.foreign(traceback.format_exc())
        console.error(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last line of defence; a bug must end as a sentence as well
        console, debug = voice()
        if debug:
            console.foreign(traceback.format_exc())
        console.error(
            KitError(
                f"{program} failed in a way it does not know",
                why=f"{type(error).__name__}: {error}",
                hint="This is a fault of kit; run it again with DEBUG=true and report what it prints.",
            )
        )
        return KitError.exit_code


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
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _asked(argv: Sequence[str], names: frozenset[str] | set[str]) -> bool:
    before = argv[: argv.index("--")] if "--" in argv else argv
    return any(argument in names for argument in before)
