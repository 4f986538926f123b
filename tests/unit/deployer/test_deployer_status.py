# SPDX-License-Identifier: MIT
"""How clusters are, as `status` says it; and what is left out of a run."""

from __future__ import annotations

import pytest

from kit_deployer.health.model import Cause, Finding, Verdict
from kit_deployer.objects import Json, Key
from kit_deployer.status.model import ClusterStatus, FleetStatus, Remark
from kit_deployer.status.telling import document, said, text
from tests.unit.deployer.desk import Desk

WEB = Key("apps", "Deployment", "shop", "web")
EAST = ClusterStatus(
    name="east",
    server="https://east",
    namespace="shop",
    commit="4f2a91c",
    deployed="2026-11-23T12:00:00.000Z",
    objects=2,
    unhealthy=(Remark(WEB, "0 of 2 pods are ready\x1b[31m\n::error::"),),
    leftovers=(Key("", "ConfigMap", "shop", "old"),),
)
WEST = ClusterStatus(
    name="west", server="https://west", namespace="shop", error="west: it does not answer.", exit_code=70
)


def test_the_text_is_for_people_and_holds_no_command_for_a_terminal_or_a_ci() -> None:
    said = text(FleetStatus((EAST, WEST)))
    assert "  commit     4f2a91c, deployed 2026-11-23T12:00:00.000Z\n" in said
    assert "  health     unhealthy (2 objects in the folder)\n" in said
    assert "  unhealthy  Deployment shop/web: 0 of 2 pods are ready ::error::\n" in said
    assert "  leftover   ConfigMap shop/old\n" in said
    assert "  error      west: it does not answer.\n" in said
    assert "\x1b" not in said
    nobody = text(FleetStatus((ClusterStatus(name="new", server="s", namespace="shop"),)))
    assert "commit     unknown: nothing was deployed" in nobody
    moment = "2026-11-23T12:00:00.000Z"
    uncommitted = text(FleetStatus((ClusterStatus(name="new", server="s", namespace="shop", deployed=moment),)))
    assert f"commit     unknown: it was deployed without one, deployed {moment}" in uncommitted


POD: Json = {"metadata": {"name": "web-1"}}
AWAITED = "0 of 2 are ready"


@pytest.mark.parametrize(
    ("why", "finding", "line"),
    [
        (AWAITED, None, AWAITED),
        (
            f"{AWAITED}; ErrImagePull of pod web-1",
            Finding(Cause("ErrImagePull", "not found", 30), POD),
            f"{AWAITED} (pod web-1: ErrImagePull: not found)",
        ),
        (f"{AWAITED}; ErrImagePull of pod web-1", Finding(Cause("ErrImagePull", "", 30), POD),
         f"{AWAITED} (pod web-1: ErrImagePull)"),
        (f"{AWAITED}; Quota", Finding(Cause("Quota", "no room left", 30)), f"{AWAITED} (Quota: no room left)"),
        ("it is Stalled: OutOfGadgets: there are no more", Finding(Cause("OutOfGadgets", "there are no more", 30)),
         "it is Stalled: OutOfGadgets: there are no more"),
    ],
)  # fmt: skip
def test_nothing_is_said_twice_of_one_object(why: str, finding: Finding | None, line: str) -> None:
    assert said(Verdict("waiting", why, (finding,) if finding else ())) == line


def test_the_same_as_json() -> None:
    found = document(FleetStatus((EAST, WEST)))
    assert [cluster["health"] for cluster in found["clusters"]] == ["unhealthy", "unknown"]
    assert found["clusters"][0]["unhealthy"][0]["name"] == "web"
    assert found["clusters"][0]["leftovers"] == [
        {"group": "", "kind": "ConfigMap", "namespace": "shop", "name": "old"}]  # fmt: skip
    assert found["deviates"] is True


def test_what_counts() -> None:
    assert FleetStatus((EAST, WEST)).exit_code == 70
    assert not FleetStatus((WEST,)).deviates, "nobody knows"
    only_left = ClusterStatus(name="a", server="s", namespace="n", leftovers=EAST.leftovers)
    undeployed = ClusterStatus(name="b", server="s", namespace="n", undeployed=(Remark(WEB, "is not there"),))
    assert not FleetStatus((only_left, undeployed)).deviates


def test_a_cluster_that_cannot_be_reached_is_said_and_ends_the_program_so(desk: Desk) -> None:
    code, log = desk.run("status", "--exit-code")
    assert code == 1
    assert "cannot be reached" in log


def test_a_frozen_cluster_is_not_even_connected_to(desk: Desk) -> None:
    code, log = desk.run(DRY_RUN="false", KIT_FREEZE="shop, nowhere")
    assert code == 0, log
    assert "frozen (KIT_FREEZE)" in log
    assert "KIT_FREEZE names nowhere, and this run deploys to no such cluster" in log
