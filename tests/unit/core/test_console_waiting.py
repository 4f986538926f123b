# SPDX-License-Identifier: MIT
"""The console while a run waits: heartbeats in a CI, a picture of what is awaited on a terminal."""

import io
import re
import threading
from typing import Any

import pytest

from kit_core.ci import detect
from kit_core.console import HEARTBEAT_SECONDS, Console
from kit_core.secrets import Masker
from tests.unit.core.streams import console, wait_until


def test_waiting_tells_what_is_awaited_until_it_is_over() -> None:
    shown, _, err = console(heartbeat_seconds=0.01)
    told = threading.Event()

    def describe() -> str:
        told.set()
        return "waiting for web: 1 of 2 pods are ready"

    with shown.waiting(describe, cluster="eu"):
        assert told.wait(20)
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
        assert told.wait(20)
        shown.info("an event")
    written = err.getvalue()
    assert written.endswith(("\x1b[J", "an event\n"))
    assert "an event\n" in written


class Screen(io.StringIO):
    """A terminal of 80 columns: what a person sees after all that was written."""

    def seen(self) -> list[str]:
        lines = [""]
        for part in re.findall(r"\x1b\[(?:\d*)A|\x1b\[J|\x1b\[\d*m|\r|\n|[^\x1b\r\n]+", self.getvalue()):
            if part.endswith("A") and part.startswith("\x1b"):
                del lines[len(lines) - int(part[2:-1] or 1) - 1 :]
                lines.append("")
            elif part == "\n":
                lines.append("")
            elif part[0] not in "\x1b\r":
                lines[-1] += part
        return lines[:-1]


def test_a_terminal_shows_the_events_and_below_them_all_that_is_awaited() -> None:
    screen = Screen()
    shown = Console(
        stderr=screen, stdout=io.StringIO(), env={}, provider=detect({}), masker=Masker(), interactive=True
    )  # fmt: skip

    def seen() -> list[str]:
        with shown._lock:  # not between two frames
            return [re.sub(r" \(\d s\)$", " (N s)", line) for line in screen.seen()]

    events, web = ["an event"], ["[eu] web: 1 of 2 (N s)", "[eu] web: pulling"]
    with shown.waiting(lambda: "web: 1 of 2\nweb: pulling", cluster="eu"):
        with shown.waiting(lambda: "api: 0 of 1", cluster="us"):
            shown.info("an event")
            wait_until(lambda: seen() == [*events, *web, "[us] api: 0 of 1 (N s)"])
            shown.info("another event")
            events.append("another event")
            wait_until(lambda: seen() == [*events, *web, "[us] api: 0 of 1 (N s)"])
            with shown._lock:
                shown.out("report")
                assert seen() == events, "machine output is not written into the block"
        wait_until(lambda: seen() == [*events, *web])
    assert seen() == events


@pytest.mark.parametrize(("describe", "words"), [(lambda: 1 / 0, "ZeroDivisionError"), (lambda: "", "still waiting")])
@pytest.mark.parametrize("interactive", [True, False])
def test_whoever_cannot_say_what_is_awaited_does_not_silence_the_run(
    describe: Any, words: str, interactive: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, _, err = console(heartbeat_seconds=0.01, interactive=interactive)
    with shown.waiting(describe):
        wait_until(lambda: err.getvalue().count("still waiting") >= 2)
    assert words in err.getvalue()
    assert capsys.readouterr().err == "", "no traceback of a thread"


def test_a_description_that_hangs_does_not_hold_up_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kit_core.console._PATIENCE_SECONDS", 0.01)
    shown, _, err = console(heartbeat_seconds=0.01)
    asked, hung = threading.Event(), threading.Event()

    def describe() -> str:
        asked.set()
        hung.wait(20)
        return "too late"

    with shown.waiting(describe):
        assert asked.wait(20)
    shown.info("it goes on")
    hung.set()
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "kit-waiting"])
    assert err.getvalue() == "it goes on\n"


def test_the_first_heartbeat_comes_within_half_a_minute() -> None:
    assert HEARTBEAT_SECONDS < 30


def test_nothing_moves_the_cursor_in_ci() -> None:
    shown, _, err = console({"CI": "true"}, heartbeat_seconds=0.01)
    told = threading.Event()

    def describe() -> str:
        told.set()
        return "waiting"

    with shown.waiting(describe):
        assert told.wait(20)
    assert "\x1b" not in err.getvalue()
