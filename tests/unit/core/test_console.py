# SPDX-License-Identifier: MIT
import io
import threading
from pathlib import Path
from typing import Any

import pytest

from kit_core.ci import detect
from kit_core.console import Console
from kit_core.errors import WorkError
from kit_core.secrets import Masker


def console(env: dict[str, str] | None = None, **options: Any) -> tuple[Console, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    env = env or {}
    masker = Masker()
    masker.add("hunter2-canary")
    return Console(stderr=err, stdout=out, env=env, provider=detect(env), masker=masker, **options), out, err


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_channel_prints_a_secret(log_format: str, tmp_path: Path) -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(tmp_path / "o"), "GITHUB_STEP_SUMMARY": str(tmp_path / "s")}
    shown, out, err = console(env, log_format=log_format, debug=True)
    secret = "hunter2-canary"
    shown.info(secret, cluster=secret, fact=secret)
    shown.detail(secret)
    shown.success(secret)
    shown.warning(secret, file=secret)
    shown.error(WorkError(secret, where=secret, why=secret, hint=secret))
    shown.foreign(f"a {secret}\nb")
    shown.out(secret)
    shown.summary(secret)
    shown.result("failed", why=secret)
    with shown.group(secret):
        pass
    written = out.getvalue() + err.getvalue() + (tmp_path / "o").read_text() + (tmp_path / "s").read_text()
    assert secret not in written
    assert written.count("***") >= 10


def test_the_log_is_on_stderr_and_stdout_is_for_machines() -> None:
    shown, out, err = console()
    shown.info("hello")
    assert (out.getvalue(), err.getvalue()) == ("", "hello\n")
    shown.out("{}")
    assert out.getvalue() == "{}\n"


def test_details_are_for_debugging() -> None:
    shown, _, err = console()
    shown.detail("why")
    assert err.getvalue() == ""
    shown, _, err = console(debug=True)
    shown.detail("why")
    assert err.getvalue() == "debug: why\n"


def test_github_gets_the_result_as_a_step_output(tmp_path: Path) -> None:
    file = tmp_path / "output"
    shown, _, _ = console({"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(file)})
    shown.result("updated", commit="abc", note="a\nname=injected")
    assert file.read_text() == "result=updated\ncommit=abc\nnote=a name=injected\n"


def test_a_ci_file_that_is_not_mounted_is_no_failure() -> None:
    shown, _, err = console({"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": "/nowhere/at/all"})
    shown.result("updated")
    assert err.getvalue() == "result=updated\n"


def test_a_reader_that_has_gone_does_not_end_the_run() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    env: dict[str, str] = {}
    shown = Console(stderr=Closed(), stdout=io.StringIO(), env=env, provider=detect(env), masker=Masker())
    shown.info("nobody listens")


def test_waiting_tells_what_is_awaited_until_it_is_over() -> None:
    shown, _, err = console(heartbeat_seconds=0.01)
    told = threading.Event()

    def describe() -> str:
        told.set()
        return "waiting for web: 1 of 2 pods are ready"

    with shown.waiting(describe, cluster="eu"):
        assert told.wait(5)
    length = len(err.getvalue())
    assert "[eu] waiting for web: 1 of 2 pods are ready\n" in err.getvalue()
    assert not [thread for thread in threading.enumerate() if thread.name == "kit-waiting"]
    assert len(err.getvalue()) == length


def test_on_a_terminal_the_status_is_drawn_over_and_taken_away() -> None:
    shown, _, err = console(interactive=True)
    told = threading.Event()

    def describe() -> str:
        told.set()
        return "web: 1 of 2"

    with shown.waiting(describe):
        assert told.wait(5)
        shown.info("an event")
    written = err.getvalue()
    assert written.endswith(("\x1b[J", "an event\n"))
    assert "an event\n" in written


def test_nothing_moves_the_cursor_in_ci() -> None:
    shown, _, err = console({"CI": "true"}, heartbeat_seconds=0.01)
    told = threading.Event()

    def describe() -> str:
        told.set()
        return "waiting"

    with shown.waiting(describe):
        assert told.wait(5)
    assert "\x1b" not in err.getvalue()
