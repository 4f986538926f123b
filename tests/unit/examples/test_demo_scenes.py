# SPDX-License-Identifier: MIT
"""The demo ends well only if it showed what it says: a failure message that leaves something out is not accepted."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any, cast

import pytest

from demo.checks import NotAsPromised
from demo.narrator import Narrator
from demo.process import Result
from demo.scenes import _names_the_cause, _succeeds
from demo.shop import PLACES

MESSAGE = [
    *(f"[{place.folder}] error: Deployment {place.namespace}/storefront failed" for place in PLACES),
    "pod storefront-5bbc88ff9b-cp46q, container storefront: CrashLoopBackOff",
    "| storefront master-1: fatal: WAREHOUSE_URL is not set; this version cannot work without it",
]


def said(*lines: str, code: int = 1) -> Result:
    return Result(command=("docker", "run"), code=code, output="\n".join(lines), seconds=1)


def names_the_cause(*lines: str) -> None:
    _names_the_cause(Narrator(io.StringIO(), {}), cast("Any", SimpleNamespace(places=PLACES)), said(*lines))


def test_a_message_with_clusters_pod_reason_and_log_is_accepted() -> None:
    names_the_cause(*MESSAGE)


@pytest.mark.parametrize("left_out", range(len(MESSAGE)))
def test_a_message_that_leaves_something_out_is_not(left_out: int) -> None:
    with pytest.raises(NotAsPromised):
        names_the_cause(*(line for number, line in enumerate(MESSAGE) if number != left_out))


def test_a_step_that_fails_ends_the_story_with_its_last_words() -> None:
    _succeeds(said("fine", code=0), "the deploy")
    with pytest.raises(NotAsPromised, match=r"the deploy ended with exit code 2(.|\n)*no kubeconfig"):
        _succeeds(said("error: no kubeconfig", code=2), "the deploy")
