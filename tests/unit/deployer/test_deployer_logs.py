# SPDX-License-Identifier: MIT
"""The log of a container to blame, which may be gone in the moment in which it is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from kit_core.errors import WorkError
from kit_deployer.health.model import Cause, Finding
from kit_deployer.rollout import waiting
from kit_deployer.rollout.waiting import read_log
from kit_deployer.server.failures import ApiError

GONE = "unable to retrieve container logs for containerd://3bb6fd00e2a1"
NEVER = ApiError(
    "x", where="s", details={}, status=400, reason="BadRequest", message="previous terminated container not found"
)
FORBIDDEN = ApiError("x", where="s", details={}, status=403, reason="Forbidden", message="no")
POD = {"metadata": {"name": "web-1", "namespace": "shop"}}


class Server:
    """Answers for the last run's log and for the present one's, in order; its last answer again and again."""

    def __init__(self, previous: list[Any], current: list[Any]) -> None:
        self.answers, self.asked = {True: previous, False: current}, list[bool]()

    def logs(self, _resource: object, _pod: object, _container: str, *, previous: bool, lines: int) -> str:
        del lines
        self.asked.append(previous)
        answers = self.answers[previous]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return str(answer)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_LOG_PAUSES", (0.0, 0.0, 0.0))


def read(server: Any, logs: Any = "previous") -> tuple[str, str]:
    return read_log(server, Finding(Cause("Crash", "it ended", 0.0, container="main", logs=logs), POD), 20)


@pytest.mark.parametrize("gone", [GONE, NEVER])
def test_a_log_that_is_gone_while_the_container_starts_again_is_asked_for_again(gone: Any) -> None:
    assert read(Server([gone, "no disk\n"], [""])) == ("no disk\n", "")


def test_the_kubelet_s_own_words_are_no_log_of_the_container() -> None:
    server = Server([GONE], [GONE])
    assert read(server) == ("", "")
    assert len(server.asked) == 6, "three times both"


def test_the_present_run_s_log_serves_where_the_last_one_s_is_gone() -> None:
    server = Server([GONE], ["no disk\n"])
    assert read(server) == ("no disk\n", "")
    assert server.asked == [True, False]


def test_a_container_that_printed_nothing_is_not_asked_again() -> None:
    server = Server([NEVER], [""])
    assert read(server, "current") == ("", "")
    assert server.asked == [False, True]


def test_why_there_is_none_is_told() -> None:
    assert read(Server([FORBIDDEN], [FORBIDDEN])) == ("", "the account may not read logs")
    text, note = read(Server([WorkError("x", why="connection reset")], [""]))
    assert (text, note) == ("", "the log of pod web-1 cannot be read: connection reset")
