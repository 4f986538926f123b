# SPDX-License-Identifier: MIT
"""Whatever goes wrong on a real node or control plane, a person reads what, where and why, soon.

The limits are shorter here than in the table of the documentation; their length is tested apart, with a clock of the
test's own.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from kit_deployer import Options
from kit_deployer.health.limits import Limits
from kit_deployer.health.model import Policy
from kit_deployer.options import Waiting
from kit_deployer.server.sending import Backoff
from testbed.cluster import Cluster
from tests.cluster.ailments import AILMENTS, GADGETS, GROUP, Ailment
from tests.cluster.ward import GHOST, Ward

LIMITS = Limits(
    container_config=3, failed_create=3, unschedulable=3, failed_mount=8, image_other=6, crash_restarts=2, deletion=4,
    unprobed=10,
)  # fmt: skip
DEAD_REGISTRY = """
mkdir -p /run/kit/registries/dead.example.com
echo '[host."http://127.0.0.1:9"]' > /run/kit/registries/dead.example.com/hosts.toml
"""
"""The node asks nobody else for images of this registry."""
GHOST_IS_READY = json.dumps(
    {
        "status": {
            "allocatable": {"cpu": "4", "memory": "4Gi", "pods": "50"},
            "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "2099-01-01T00:00:00Z"}],
        }
    }
)
"""A node that nobody speaks for is given up after 50 s; the cases that need it are over by then."""


def _meddle(ward: Ward) -> None:
    """Delete the Deployments whose cases are that somebody deletes them."""
    for name in ("deleted", "held"):
        place = f"--namespace={ward.namespaces[name]}"
        ward.cluster.kubectl("wait", "--for=create", "deployment/web", place, "--timeout=60s", timeout=70)
        ward.cluster.kubectl("delete", "deployment/web", place, "--wait=false")


@pytest.fixture(scope="module")
def run(cluster: Cluster, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What `report.json` says of every ailment, after one run of all."""
    ward = Ward(cluster, tmp_path_factory.mktemp("failures"), image)
    try:
        cluster.container.execute("sh", "-c", DEAD_REGISTRY)
        ward.lasting(GHOST)
        ward.lasting(GADGETS)
        cluster.kubectl("wait", "--for=condition=Established", f"crd/gadgets.{GROUP}")
        ward.admit(
            {case.name: case.manifests for case in AILMENTS}, {case.name: case.prior for case in AILMENTS if case.prior}
        )
        for case in AILMENTS:
            for command in case.commands:
                cluster.kubectl(*(ward.fitted(case.name, word) for word in command))
        cluster.kubectl("patch", "node", "ghost", "--subresource=status", "--type=merge", "--patch", GHOST_IS_READY)
        meddler = threading.Thread(target=_meddle, args=(ward,))
        meddler.start()
        policy = Policy(grace=1, ignored=frozenset({"Unhealthy"}), timeout=100)
        waiting = Waiting(enabled=True, policy=policy, limits=LIMITS)
        backoff = Backoff(tries=1, first=0.1)
        yield ward.run(Options(dry_run=False, waiting=waiting, backoff=backoff, max_parallel=len(AILMENTS)))
        meddler.join()
    finally:
        held, terminating = (ward.namespaces.get(name, "none") for name in ("held", "terminating"))
        for what in (("deployment/web", f"--namespace={held}"), ("namespace", terminating)):
            cluster.kubectl("patch", *what, "--type=merge", '--patch={"metadata":{"finalizers":null}}', check=False)
        cluster.kubectl("delete", "crd", f"{ward.namespaces.get('names-taken')}.{GROUP}", "--wait=false", check=False)
        ward.close()


@pytest.mark.parametrize("case", AILMENTS, ids=lambda case: case.name)
def test_what_is_said_of(case: Ailment, run: dict[str, Any]) -> None:
    (failure,) = run[case.name]["failures"]
    assert (failure.get("reason") or "") == case.reason
    message = failure["message"]
    assert message.startswith(f"{case.name}: "), "the cluster"
    kind, _, name = case.object.partition("/")
    if "NAMESPACE" not in name:
        assert kind in message
        assert f"{name} " in message or f"{name}-" in message
    for text in case.says:
        assert text in message
    assert failure["exit_code"] == case.code
    assert (failure.get("pod") or "").startswith(case.pod)
    assert bool(failure.get("pod")) >= bool(case.pod)
    if case.container:
        assert failure["container"] == case.container
    if case.event:
        assert any(case.event in event for event in failure["events"]), failure["events"]
    if case.logs:
        assert case.logs in failure["logs"]
