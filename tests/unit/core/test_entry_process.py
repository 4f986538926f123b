# SPDX-License-Identifier: MIT
"""A step as a process: signals, closed streams, what its start loads."""

import os
import select
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

PROGRAM = textwrap.dedent(
    """
    import sys, threading
    from dataclasses import dataclass
    from kit_core.entry import Command, Step, run
    from kit_core.secrets import Secret
    from kit_core.settings import CommonSettings, setting

    def work(settings, context, arguments):
        if "stubborn" in context.env.get("MODE", ""):
            thread = threading.Thread(target=threading.Event().wait)  # never ends, and is no daemon
            thread.start()
        try:
            print("ready", flush=True)
            threading.Event().wait()
        finally:
            print("cleaned up, stop is", context.stop.is_set(), flush=True)

    @dataclass(frozen=True, kw_only=True)
    class Settings(CommonSettings):
        token: Secret | None = setting(None, group="g", help="h")

    run(Step(name="kit-shop", package="x", summary="s", settings=Settings, examples=("x" * 200_000,),
             commands=(Command(name="run", help="h", run=work),)))
    """
)


def program(*argv: str, stdout: Any = subprocess.PIPE, **env: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "steps"), **env}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *argv], stdout=stdout, stderr=subprocess.PIPE, text=True, env=environment
    )


@pytest.mark.parametrize("argv", [["--help"], ["--version"]])
def test_a_reader_that_has_seen_enough_is_no_failure(argv: list[str]) -> None:
    process = program(*argv)
    assert process.stdout
    process.stdout.close()
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")


def test_help_that_cannot_be_written_is_a_failure() -> None:
    with Path("/dev/full").open("w") as full:
        process = program("--help", stdout=full)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "standard output: The output cannot be written: No space left on device" in err
    assert "Traceback" not in err


def test_streams_that_were_never_open_are_no_failure() -> None:
    for closed, code in ((">&- 2>&-", 0), ("2>&-", 0)):
        command = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(PROGRAM)} --version {closed}"
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "steps")}
        assert subprocess.run(["/bin/sh", "-c", command], env=environment, timeout=30, check=False).returncode == code


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_the_settings_are_read_ends_it_in_order(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    pipe = tmp_path / "token"
    os.mkfifo(pipe)
    process, writer = program(KIT_TOKEN_FILE=str(pipe)), -1
    try:
        end = time.monotonic() + 30
        while writer < 0:  # until it has opened the file for reading
            assert time.monotonic() < end
            try:
                writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                time.sleep(0.01)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
        os.close(writer)
    assert process.returncode == code
    assert err.splitlines()[-1] == f"result=interrupted signal={number.name}"
    assert "Traceback" not in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_help_is_printed_ends_it_in_order(number: signal.Signals, code: int) -> None:
    process = program("--help")  # more than the pipe holds, and nobody reads
    assert process.stdout
    try:
        assert select.select([process.stdout], [], [], 30)[0]
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == code
    assert "Traceback" not in err


def test_help_loads_nothing_that_is_slow() -> None:
    code = PROGRAM.replace("run(", "__import__('kit_core.entry').entry.main(argv=['--help'], step=")
    code += "\nprint(*sys.modules, file=sys.stderr)"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "steps")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "Usage:" in done.stdout
    assert not {"typer", "click", "yaml", "ssl", "asyncio", "urllib.request", "logging"} & set(done.stderr.split())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("mode", ["plain", "stubborn"])
def test_a_signal_ends_the_process_at_once_and_in_order(number: signal.Signals, code: int, mode: str) -> None:
    process = program(MODE=mode)
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == code
    assert out == "cleaned up, stop is True\n"
    assert f"interrupted by {number.name}" in err
    assert "Traceback" not in err
