# SPDX-License-Identifier: MIT
"""docs/troubleshooting.md explains every message of the failure matrix, in the words of the message."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kit_deployer.health.explain import HINTS
from kit_deployer.health.limits import Limits
from tests.cluster.ailments import AILMENTS, Ailment

PAGE = (Path(__file__).parents[3] / "docs/troubleshooting.md").read_text()
TEXT = " ".join(PAGE.split())


def section(reason: str) -> str:
    """The text under the heading that names the reason; the last one is for reasons of controllers."""
    found = re.search(rf"^### `{reason}`$\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    return " ".join((found[1] if found else "").split())


@pytest.mark.parametrize("reason", sorted(HINTS))
def test_every_reason_has_a_section_that_ends_as_the_message_does(reason: str) -> None:
    assert section(reason).endswith(f"> {HINTS[reason]}")


@pytest.mark.parametrize("case", AILMENTS, ids=lambda case: case.name)
def test_every_failure_of_the_matrix_is_explained(case: Ailment) -> None:
    if case.reason in HINTS or f"`{case.reason}`" in TEXT:
        return
    if not case.reason:
        assert any(text in TEXT for text in ("denied request", "failed calling webhook", "being terminated"))
        return
    assert "condition `Stalled`" in TEXT, "the reason is the controller's"
    assert case.name == "stalled"


@pytest.mark.parametrize(
    "text",
    [
        "no such file or directory", "because of its liveness probe", "exceeded quota", "denied request",
        "failed calling webhook", "serviceaccount", "Insufficient cpu", "didn't match Pod's node affinity/selector",
        "untolerated taint", "unbound immediate PersistentVolumeClaims", "its node has not begun to start it",
        "its load balancer has no address yet", "not bound yet", "it is not Ready", "does not hold yet",
        "of the previous version blocks the update", "was refused by the server", "is being terminated",
        "connection refused", "not found",
    ],
)  # fmt: skip
def test_what_the_matrix_finds_in_messages_is_on_the_page(text: str) -> None:
    assert text in TEXT
    assert any(text in said for case in AILMENTS for said in case.says), "no failure says so any more"


def test_the_limits_are_those_of_the_code() -> None:
    limits = Limits()
    for seconds, words in (
        (limits.image_other, "after 5 minutes"),
        (limits.container_config, "after 30 seconds"),
        (limits.failed_create, "after 60 seconds without a new pod"),
        (limits.unschedulable, "after 5 minutes without an autoscaler"),
        (limits.failed_mount, "after 2 minutes"),
        (limits.deletion, "`Terminating` | after 2 minutes"),
    ):
        number = int(re.findall(r"\d+", words)[0])
        assert words in TEXT
        assert seconds == number * (60 if "minutes" in words else 1)
    assert (limits.crash_restarts, limits.image_missing_pulls, limits.at_once) == (3, 2, 0)
