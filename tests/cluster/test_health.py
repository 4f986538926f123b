# SPDX-License-Identifier: MIT
"""What a real kubelet reports becomes the cause that a person reads, soon and without waiting for the timeout.

All failures run side by side, each in a namespace of its own, so that the whole module takes as long as the slowest.
"""

from __future__ import annotations

from typing import Any

import pytest

from kit_deployer import Deployer, Options
from kit_deployer.desired.annotate import Writing
from kit_deployer.health.limits import Limits
from kit_deployer.health.model import Policy
from kit_deployer.options import Waiting
from testbed.cluster import Cluster
from tests.cluster.desk import Desk, deployment

PROBED = "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}"


def failures(image: str) -> dict[str, str]:
    """Cluster folder -> manifests that will fail."""
    return {
        "image-missing": deployment("web", image.replace(":1", ":no-such-tag")),
        "image-name": deployment("web", "UPPER case"),
        "crash": deployment("web", image, CRASH="cannot open the database"),
        "memory": deployment("web", image, container="resources: {limits: {memory: 24Mi}}", EAT_MEMORY="200"),
        "config-key": deployment(
            "web", image, container="envFrom: [{configMapRef: {name: nowhere}}]"
        ),
        "unschedulable": deployment("web", image, pod="nodeSelector: {disk: nowhere}"),
        "quota": "\n---\n".join(
            [
                "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none}\nspec: {hard: {pods: '0'}}",
                deployment("web", image),
            ]
        ),
        "init": deployment(
            "web",
            image,
            pod=f"initContainers: [{{name: prepare, image: '{image}', env: [{{name: EXIT, value: '3'}}]}}]",
        ),
        "job": f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: migrate}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{{name: main, image: '{image}', env: [{{name: EXIT, value: '4'}}]}}]
""",
        "paused": deployment("web", image, spec="paused: true"),
        "stateful": f"""
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db}}
spec:
  serviceName: db
  selector: {{matchLabels: {{app: db}}}}
  template:
    metadata: {{labels: {{app: db}}}}
    spec: {{containers: [{{name: main, image: '{image}', env: [{{name: CRASH, value: no disk}}]}}]}}
""",
        "slow-but-fine": deployment("web", image, container=PROBED, SLOW_START="4"),
    }  # fmt: skip


class Recorded:
    """The result of the one run that all tests of this module look at."""

    def __init__(self, document: Any) -> None:
        self.clusters = {cluster["name"]: cluster for cluster in document["clusters"]}

    def failure(self, name: str) -> Any:
        found = self.clusters[name]["failures"]
        assert len(found) == 1, found
        return found[0]


@pytest.fixture(scope="module")
def run(cluster: Cluster, image: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from kit_deployer.report.document import document

    desk = Desk(tmp_path_factory.mktemp("health"))
    namespaces = []
    for name, manifests in failures(image).items():
        namespaces.append(cluster.create_namespace(name))
        desk.target(name, cluster.kubeconfig(name, namespaces[-1], inside=False))
        desk.write(f"manifests/{name}/all.yaml", manifests)
    # The limits of the table are minutes for some; their length is tested apart, with a clock of the test's own.
    limits = Limits(container_config=3, failed_create=3, unschedulable=3, crash_restarts=2)
    policy = Policy(grace=1, ignored=frozenset({"Unhealthy"}), timeout=90)
    deployer = Deployer(
        configs=desk.settings["CONFIGS"], manifests_dir=desk.root / "manifests", namespaces_dir=desk.root / "no"
    )
    options = Options(writing=Writing(), dry_run=False, waiting=Waiting(enabled=True, policy=policy, limits=limits))
    yield Recorded(document(deployer.run(options)))
    for namespace in namespaces:
        cluster.delete_namespace(namespace)


def test_an_image_that_does_not_exist(run: Recorded) -> None:
    failure = run.failure("image-missing")
    assert failure["reason"] == "ErrImagePull"
    assert "not found" in failure["message"]
    assert "no-such-tag" in failure["message"]
    assert failure["pod"].startswith("web-")
    assert failure["container"] == "main"
    assert failure["exit_code"] == 1, "not a timeout"
    assert any("Failed to pull image" in event for event in failure["events"])


def test_an_invalid_image_name_at_once(run: Recorded) -> None:
    assert run.failure("image-name")["reason"] == "InvalidImageName"
    assert run.failure("image-name")["exit_code"] == 1


def test_a_crash_loop_with_its_last_words(run: Recorded) -> None:
    failure = run.failure("crash")
    assert failure["reason"] == "CrashLoopBackOff"
    assert "cannot open the database" in failure["logs"]
    assert "exit code 1" in failure["message"]


def test_too_much_memory(run: Recorded) -> None:
    assert run.failure("memory")["reason"] == "OOMKilled"


def test_a_missing_config_map(run: Recorded) -> None:
    failure = run.failure("config-key")
    assert failure["reason"] == "CreateContainerConfigError"
    assert "nowhere" in failure["message"]


def test_no_node_fits(run: Recorded) -> None:
    failure = run.failure("unschedulable")
    assert failure["reason"] == "FailedScheduling"
    assert "node" in failure["message"]


def test_the_quota_is_used_up(run: Recorded) -> None:
    failure = run.failure("quota")
    assert failure["reason"] == "FailedCreate"
    assert "exceeded quota: none" in failure["message"]


def test_an_init_container_that_fails(run: Recorded) -> None:
    failure = run.failure("init")
    assert failure["reason"] == "CrashLoopBackOff"
    assert failure["container"] == "prepare"
    assert "exit code 3" in failure["logs"]


def test_a_failed_job(run: Recorded) -> None:
    failure = run.failure("job")
    assert failure["reason"] == "BackoffLimitExceeded"
    assert "exit code 4" in failure["logs"]


def test_a_paused_deployment(run: Recorded) -> None:
    assert run.failure("paused")["reason"] == "Paused"


def test_a_stateful_set_that_crashes(run: Recorded) -> None:
    failure = run.failure("stateful")
    assert failure["reason"] == "CrashLoopBackOff"
    assert failure["pod"] == "db-0"
    assert "no disk" in failure["logs"]


def test_never_ready_is_a_timeout_that_names_the_probe(shop: Desk, image: str) -> None:
    shop.write("manifests/shop/web.yaml", deployment("web", image, container=PROBED, NOT_READY="true"))
    outcome = shop.deploy(AVAILABLE_TIMEOUT="6")
    assert outcome.code == 70
    (failure,) = outcome.cluster("shop")["failures"]
    assert "was not healthy after 6 s" in failure["message"]
    assert "Readiness probe failed" in failure["message"]


def test_slow_but_fine(run: Recorded) -> None:
    cluster = run.clusters["slow-but-fine"]
    assert cluster["failures"] == []
    assert [item["health"]["state"] for item in cluster["objects"]] == ["ready"]
