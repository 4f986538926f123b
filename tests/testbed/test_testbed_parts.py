# SPDX-License-Identifier: MIT
"""What other tests rely on: pods that really run and really fail, a registry and a git server as companies run."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from testbed.bed import Testbed
from testbed.cluster import Cluster
from testbed.docker import docker
from testbed.git import GitRepository


def pods(namespace: str, **images_and_settings: dict[str, str]) -> str:
    """Manifests of one pod a name; `image`, `memory` (limit) and variables."""
    items = []
    for name, given in images_and_settings.items():
        settings = dict(given)
        container: dict[str, object] = {"name": "main", "image": settings.pop("image")}
        if memory := settings.pop("memory", None):
            container["resources"] = {"limits": {"memory": memory}}
        container["env"] = [{"name": key, "value": value} for key, value in settings.items()]
        items.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
                "spec": {"containers": [container]},
            }
        )
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def await_state(cluster: Cluster, namespace: str, pod: str, path: str, value: str) -> None:
    path = "{.status.containerStatuses[0]." + path + "}"
    cluster.kubectl(
        "-n", namespace, "wait", f"pod/{pod}", f"--for=jsonpath={path}={value}", "--timeout=60s", timeout=70
    )


def test_pods_run_fail_and_are_killed_as_on_any_node(
    cluster: Cluster, namespace: str, workload_image: Callable[..., str]
) -> None:
    image = workload_image("7")
    elsewhere = image.replace(image.partition("/")[0], "registry.example.com")
    cluster.apply(
        pods(
            namespace,
            web={"image": elsewhere},
            crash={"image": image, "CRASH": "no database to be found"},
            hungry={"image": image, "memory": "32Mi", "EAT_MEMORY": "200"},
            missing={"image": "registry.example.com/shop/none:1"},
        )
    )
    cluster.kubectl("-n", namespace, "expose", "pod", "web", "--port=80", "--target-port=8080")
    assert json.loads(cluster.fetch("web", namespace=namespace))["version"] == "7"
    await_state(cluster, namespace, "hungry", "lastState.terminated.reason", "OOMKilled")
    await_state(cluster, namespace, "crash", "state.waiting.reason", "CrashLoopBackOff")
    assert "no database to be found" in cluster.kubectl("-n", namespace, "logs", "crash").stdout
    missing = cluster.get("-n", namespace, "events", "--field-selector=involvedObject.name=missing")["items"]
    assert any("not found" in event["message"] for event in missing if event["reason"] == "Failed")


def test_kubeconfigs_open_the_cluster_from_the_network_and_from_this_machine(bed: Testbed, tmp_path: Path) -> None:
    for cluster in bed.clusters:
        file = tmp_path / f"{cluster.name}.yaml"
        file.write_text(cluster.kubeconfig_inside)
        seen = bed.run(
            bed.image, "kubectl", "--kubeconfig=/config", "get", "nodes", "-o", "name", volumes=[f"{file}:/config:ro"]
        )
        assert seen.stdout.strip() == f"node/{cluster.name}", seen.stderr
        file.write_text(cluster.kubeconfig_outside)
        nodes = ["kubectl", "--kubeconfig=/config", "get", "nodes", "-o", "name"]
        seen = docker("run", "--rm", "--network=host", f"--volume={file}:/config:ro", bed.image, *nodes)
        assert seen.stdout.strip() == f"node/{cluster.name}", seen.stderr


def git(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_TERMINAL_PROMPT": "0", **(env or {})}
    return subprocess.run(["git", *arguments], capture_output=True, text=True, env=environment, check=False, timeout=60)


def with_password(url: str, repository: GitRepository) -> str:
    return url.replace("://", f"://{repository.username}:{repository.password}@")


def test_git_takes_pushes_with_the_password_and_partial_fetches(
    git_repository: Callable[..., GitRepository], tmp_path: Path
) -> None:
    repository = git_repository(files={"kit.yaml": "a: 1\n", "images/web/master.yaml": "image: web:1\n"})
    first = repository.head()
    clone = tmp_path / "clone"
    fetched = git(
        "clone", "--filter=blob:none", "--no-checkout", with_password(repository.url_outside, repository), str(clone)
    )
    assert fetched.returncode == 0, fetched.stderr
    assert "filtering not recognized" not in fetched.stderr
    somebody = repository.commit({"images/web/master.yaml": "image: web:2\n"}, remove=["kit.yaml"], message="Move on")
    assert repository.git("ls-tree", "-r", "--name-only", somebody) == "images/web/master.yaml"
    assert repository.read("images/web/master.yaml") == "image: web:2\n"
    pushed = git("-C", str(clone), "push", "origin", f"{first}:refs/heads/other")
    assert pushed.returncode == 0, pushed.stderr
    assert repository.head("other") == first


def test_git_refuses_a_wrong_password_and_an_unknown_authority(
    bed: Testbed, git_repository: Callable[..., GitRepository], tmp_path: Path
) -> None:
    repository = git_repository(files={"a": "b"})
    wrong = repository.url_outside.replace("://", "://kit:wrong@")
    assert "Authentication failed" in git("ls-remote", wrong).stderr
    authority = tmp_path / "ca.pem"
    authority.write_text(bed.git.certificate_authority)
    url = with_password(repository.https_outside, repository)
    assert "certificate" in git("ls-remote", url).stderr
    assert repository.head() in git("ls-remote", url, env={"GIT_SSL_CAINFO": str(authority)}).stdout
