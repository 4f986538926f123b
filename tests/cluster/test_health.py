# SPDX-License-Identifier: MIT
"""Health as the program tells it: time limits, logs, what annotations ask for. (Causes have a matrix of their own.)"""

from __future__ import annotations

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, deployment, documents, job
from tests.cluster.manifests import PROBED


def test_at_the_timeout_what_never_fails_early_is_named_too(shop: Desk, image: str) -> None:
    """Each with its own cause and its own time; logs only as many lines as wanted."""
    nowhere = deployment("nowhere", image, pod="nodeSelector: {disk: none}")
    never = deployment("web", image, container=PROBED, NOT_READY="true")
    shop.write("manifests/shop/all.yaml", documents(never, nowhere))
    outcome = shop.deploy(AVAILABLE_TIMEOUT="12", AVAILABLE_HEALTH_CHECK_GRACE_PERIOD="0", KIT_LOG_LINES="1")
    assert outcome.code == 70
    found = {failure["object"]["name"]: failure for failure in outcome.cluster("shop")["failures"]}
    assert "was not healthy after 12 s" in found["web"]["message"]
    assert "Readiness probe failed" in found["web"]["message"]
    assert found["web"]["logs"].strip() == "workload 1: listening on :8080"
    assert found["nowhere"]["reason"] == "FailedScheduling"
    assert "node affinity/selector" in found["nowhere"]["message"]


def test_the_runs_time_ends_every_wait_and_says_what_was_awaited(shop: Desk, image: str) -> None:
    shop.write("manifests/shop/web.yaml", deployment("web", image, container=PROBED, NOT_READY="true"))
    outcome = shop.deploy(KIT_RUN_TIMEOUT="8", KIT_LOG_LINES="0")
    assert outcome.code == 70
    (failure,) = outcome.cluster("shop")["failures"]
    assert "0 of 1 pods available; the run's time is over (KIT_RUN_TIMEOUT)" in failure["message"]
    assert not failure["logs"]
    assert "last log lines" not in outcome.log


def test_a_job_may_take_the_time_that_its_annotation_gives_it(shop: Desk, image: str) -> None:
    annotations = "{kit-deployer/timeout: 1m}"
    shop.write("manifests/shop/job.yaml", job("slow", image, annotations=annotations, RUN_FOR="8"))
    outcome = shop.deploy(AVAILABLE_TIMEOUT="2")
    assert outcome.code == 0, outcome.log


def test_annotations_that_cannot_be_read_keep_everything_from_being_touched(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    wrong = deployment("web", image).replace(
        "metadata: {name: web, labels: {name: web}}\n",
        "metadata:\n  name: web\n  labels: {name: web}\n  annotations: {kit-deployer/timeout: 5 minutes}\n",
        1,
    )
    text = documents(deployment("other", image), wrong)
    shop.write("manifests/shop/all.yaml", text)
    outcome = shop.deploy()
    assert outcome.code == 2
    assert "'5 minutes' is no time" in outcome.log
    line = next(number for number, found in enumerate(text.splitlines(), 1) if "5 minutes" in found)
    assert f"all.yaml:{line}:" in outcome.log
    assert cluster.get("deployments", "--namespace", namespace)["items"] == []
