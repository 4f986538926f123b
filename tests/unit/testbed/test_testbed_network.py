# SPDX-License-Identifier: MIT
"""A machine on which Docker's own address ranges are all taken still gets a testbed."""

import subprocess

import pytest

from testbed import network
from testbed.errors import TestbedError

NONE_LEFT = (
    "Error response from daemon: could not find an available, non-overlapping IPv4 address pool among the defaults"
)
TAKEN = "Error response from daemon: Pool overlaps with other one on this address space"


def engine(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """An engine that answers with these errors, then with success; the ranges that it was asked for."""
    asked: list[str] = []
    left = list(answers)

    def docker(*arguments: str, check: bool) -> subprocess.CompletedProcess[str]:
        asked.append(arguments[arguments.index("--subnet") + 1] if "--subnet" in arguments else "default")
        error = left.pop(0) if left else ""
        return subprocess.CompletedProcess(arguments, 1 if error else 0, "", error)

    monkeypatch.setattr(network, "docker", docker)
    return asked


def test_the_engine_chooses_as_long_as_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = engine(monkeypatch)
    network.create("abc", "detached")
    assert asked == ["default"]


def test_then_a_range_of_our_own_is_tried_and_another_if_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = engine(monkeypatch, NONE_LEFT, TAKEN)
    network.create("abc", "detached")
    assert asked[0] == "default"
    assert len(asked) == 3
    assert all(one.startswith("10.2") and one.endswith(".0/24") for one in asked[1:])
    assert not any(one.startswith("10.244.") for one in asked)


def test_any_other_error_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = engine(monkeypatch, "Error response from daemon: permission denied")
    with pytest.raises(TestbedError, match="permission denied"):
        network.create("abc", "detached")
    assert asked == ["default"]
