# SPDX-License-Identifier: MIT
"""What looks ill for a while and gets well does not fail, with the limits that everybody has.

Somebody mends each case as soon as it shows that it is ill, so that nothing here is well from the beginning.
"""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest

from kit_deployer import Options
from kit_deployer.health.limits import Limits
from kit_deployer.health.model import Policy
from kit_deployer.options import Waiting
from testbed.cluster import Cluster
from testbed.errors import TestbedError
from tests.cluster.manifests import definition
from tests.cluster.recoveries import RECOVERIES, VOLUME, Recovery
from tests.cluster.ward import GHOST, Ward

GROUP = "recoveries.kit.example.com"
SEEN = "pods,replicasets,persistentvolumeclaims,services,gadgets.recoveries.kit.example.com"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"
DOWN = '{"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "Said", "message": "for a moment"}]}}'


class Helper:
    """Looks at all namespaces again and again, and helps each case once when it is ill; `helped` are those."""

    def __init__(self, ward: Ward) -> None:
        self._ward = ward
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.helped: list[str] = []
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        waiting = [case for case in RECOVERIES if case.ill]
        try:
            while waiting and not self._over.wait(0.5):
                found = self._ward.cluster.get(SEEN, "--all-namespaces")["items"]
                for case in list(waiting):
                    place = self._ward.namespaces[case.name]
                    if case.ill and case.ill([body for body in found if body["metadata"]["namespace"] == place]):
                        self._help(case, place)
                        waiting.remove(case)
        except (OSError, TestbedError, ValueError) as error:  # told in the test's thread
            self.error = error

    def _help(self, case: Recovery, place: str) -> None:
        cluster = self._ward.cluster
        for command in case.help:
            cluster.kubectl(f"--namespace={place}", *(self._ward.fitted(case.name, word) for word in command))
        if case.special == "push":
            copy_tag(self._ward.image, f"-{place}")
        elif case.special == "volume":
            self._ward.lasting(self._ward.fitted(case.name, VOLUME))
        elif case.special == "node":
            # Its kubelet says otherwise within ten seconds; until then it counts as down.
            cluster.kubectl("patch", "node", cluster.name, "--subresource=status", "--patch", DOWN)
        self.helped.append(case.name)


def copy_tag(image: str, suffix: str) -> None:
    """Give an image of the testbed's registry one more tag."""
    host, _, rest = image.partition("/")
    repository, _, tag = rest.rpartition(":")
    url = f"http://{host}/v2/{repository}/manifests/{tag}"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": MANIFEST}), timeout=30) as answer:
        body, kind = answer.read(), answer.headers["Content-Type"]
    put = urllib.request.Request(url + suffix, data=body, method="PUT", headers={"Content-Type": kind})
    with urllib.request.urlopen(put, timeout=30):
        pass


def _await_prior(cluster: Cluster, ward: Ward) -> None:
    """What must have been there, and well, before the deploy."""
    for name in ("partition", "on-delete"):
        place = f"--namespace={ward.namespaces[name]}"
        cluster.kubectl("rollout", "status", "statefulset/db", place, "--timeout=60s", timeout=70)
    place = f"--namespace={ward.namespaces['surge-zero']}"
    cluster.kubectl("rollout", "status", "deployment/web", place, "--timeout=60s", timeout=70)
    for name in ("old-pods-crash", "prefix-of-another"):
        _await(cluster, ward.namespaces[name], lambda pods: any(_restarts(pod) for pod in pods))


def _restarts(pod: Any) -> int:
    return sum(status["restartCount"] for status in pod["status"].get("containerStatuses") or [])


def _await(cluster: Cluster, place: str, so: Callable[[list[Any]], bool], limit: float = 60) -> None:
    end = time.monotonic() + limit
    while not so(cluster.get("pods", f"--namespace={place}")["items"]):
        assert time.monotonic() < end, f"nothing in {place} got so far"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def run(
    cluster: Cluster, image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[dict[str, Any], Helper]]:
    """What `report.json` says of every case, and who was helped."""
    ward = Ward(cluster, tmp_path_factory.mktemp("recoveries"), image)
    try:
        ward.lasting(GHOST)
        ward.lasting(definition("gadgets", "Gadget", GROUP))
        cluster.kubectl("wait", "--for=condition=Established", f"crd/gadgets.{GROUP}")
        ward.admit(
            {case.name: case.manifests for case in RECOVERIES},
            {case.name: case.prior for case in RECOVERIES if case.prior},
        )
        not_ready = '--patch={"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "Baking"}]}}'
        place = f"--namespace={ward.namespaces['custom-late']}"
        cluster.kubectl("patch", "gadgets/one", place, "--subresource=status", "--type=merge", not_ready)
        _await_prior(cluster, ward)
        waiting = Waiting(enabled=True, policy=Policy(timeout=150), limits=Limits(unprobed=8))
        with Helper(ward) as helper:
            found = ward.run(Options(dry_run=False, waiting=waiting, max_parallel=len(RECOVERIES)))
        yield found, helper
    finally:
        cluster.kubectl("label", "nodes", "--all", "late-", check=False)
        ward.close()


@pytest.mark.parametrize("case", RECOVERIES, ids=lambda case: case.name)
def test_what_gets_well_does_not_fail(case: Recovery, run: tuple[dict[str, Any], Helper]) -> None:
    found, helper = run
    assert helper.error is None
    assert [failure["message"] for failure in found[case.name]["failures"]] == []
    health = [item["health"]["state"] for item in found[case.name]["objects"] if item["health"]]
    assert health
    assert set(health) == {"ready"}
    assert case.ill is None or case.name in helper.helped, "it was well from the beginning"
