# SPDX-License-Identifier: MIT
"""Several clusters in one run; servers that are dead, slow or refuse; runs that are killed; ways to log in."""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml

from testbed.cluster import Cluster
from tests.cluster.desk import QUICK, Desk, config_map, deployment, documents, service

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "steps/kit_deployer/report/schema.json"


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_dead_server_delays_nobody_and_is_named(
    shop: Desk, cluster: Cluster, namespace: str, closed_port: int
) -> None:
    shop.write("manifests/shop/a.json", config_map("settings", a="1"))
    dead = cluster.kubeconfig("dead", "default", inside=False).replace(
        cluster.server_outside, f"https://127.0.0.1:{closed_port}"
    )
    shop.target("dead", dead)
    shop.write("manifests/dead/a.json", config_map("settings", a="1"))
    run = shop.deploy(BACKOFF_FAIL_AFTER="2", BACKOFF_INITIAL_DELAY="1000")
    assert run.code == 1
    assert run.did("shop") == {"ConfigMap/settings": "created"}
    assert run.cluster("shop")["seconds"] < run.cluster("dead")["seconds"]
    assert run.cluster("dead")["seconds"] >= 2.5
    (failure,) = run.cluster("dead")["failures"]
    assert "connection refused (tried 3 times)" in failure["message"]
    assert f"https://127.0.0.1:{closed_port}" in failure["message"]
    assert "Check the address in the kubeconfig" in failure["message"]
    lines = run.log.splitlines()
    rows = [line.split()[0] for line in lines[lines.index("summary") + 2 : lines.index("summary") + 4]]
    assert rows == ["dead", "shop"], "failures come first"


def test_a_server_that_never_answers_is_a_time_limit(shop: Desk, cluster: Cluster) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = f"https://127.0.0.1:{listener.getsockname()[1]}"
        shop.target(
            "slow", cluster.kubeconfig("slow", "default", inside=False).replace(cluster.server_outside, address)
        )
        shop.write("manifests/slow/a.json", config_map("settings", a="1"))
        run = shop.deploy(KIT_REQUEST_TIMEOUT="1", BACKOFF_FAIL_AFTER="0")
    assert run.code == 70
    assert "took longer than KIT_REQUEST_TIMEOUT allows" in run.cluster("slow")["failures"][0]["message"]


def test_two_namespaces_of_one_cluster_are_two_targets(
    desk: Desk, cluster: Cluster, make_namespace: Callable[[Cluster], str]
) -> None:
    places = {}
    for name in ("blue", "green"):
        places[name] = make_namespace(cluster)
        desk.target(name, cluster.kubeconfig(name, places[name], inside=False))
        desk.write(f"manifests/{name}/a.json", config_map("settings", colour=name))
    assert desk.deploy().code == 0
    for name, namespace in places.items():
        assert cluster.get("configmap", "settings", "--namespace", namespace)["data"] == {"colour": name}


def test_reports_follow_their_schema_also_when_the_run_fails(
    shop: Desk, cluster: Cluster, closed_port: int, image: str
) -> None:
    shop.write("manifests/shop/all.yaml", documents(deployment("web", image, CRASH="no database"), service("web")))
    shop.target(
        "dead",
        cluster.kubeconfig("dead", inside=False).replace(cluster.server_outside, f"https://127.0.0.1:{closed_port}"),
    )
    shop.write("manifests/dead/a.json", config_map("settings"))
    run = shop.deploy(AVAILABLE_TIMEOUT="4", DIFF="true")
    assert run.code == 1
    jsonschema.validate(run.report, json.loads(SCHEMA.read_text()))
    suites = ET.parse(shop.root / "reports/junit.xml").getroot()
    assert [suite.get("name") for suite in suites] == ["dead", "shop"]
    assert suites.get("failures") == "2"
    cases = {case.get("name"): case for case in suites.iter("testcase")}
    assert cases["cluster"].find("failure") is not None
    web = next(case for name, case in cases.items() if name and name.startswith("Deployment"))
    assert web.find("failure") is not None
    assert str(web.get("file")).endswith("all.yaml")
    assert sorted(path.name for path in (shop.root / "reports").iterdir()) == ["junit.xml", "report.json"]


def start(desk: Desk, **env: str) -> subprocess.Popen[str]:
    settings = {**desk.settings, **QUICK, "PYTHONPATH": str(ROOT / "steps"), **env}
    return subprocess.Popen(
        [sys.executable, "-m", "kit_deployer"], env=settings, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stderr is not None
    log = ""
    for line in process.stderr:
        log += line
        if text in line:
            return log
    raise AssertionError(f"{text!r} never came:\n{log}")


def test_sigterm_says_what_was_and_was_not_done_and_the_next_run_goes_on(
    shop: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    never = "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}"
    shop.write("manifests/shop/all.yaml", service("web"))
    assert shop.deploy().code == 0
    changed = service("web").replace("port: 80,", "port: 8000,")
    shop.write("manifests/shop/all.yaml", documents(deployment("web", image, container=never, SLOW_START="6"), changed))
    process = start(shop)
    log = read_until(process, "created Deployment")
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=20)
    assert time.monotonic() - begun < 10
    assert process.returncode == 143, log + rest
    assert f"not done: Service {namespace}/web" in rest
    assert "result=interrupted" in rest
    assert json.loads((shop.root / "reports/report.json").read_text())["result"] == "interrupted"
    assert cluster.get("service", "web", "--namespace", namespace)["spec"]["ports"][0]["port"] == 80
    again = shop.deploy()
    assert again.code == 0, again.log
    assert again.did("shop") == {"Deployment/web": "unchanged", "Service/web": "changed"}
    assert cluster.get("service", "web", "--namespace", namespace)["spec"]["ports"][0]["port"] == 8000


def test_killed_in_the_middle_and_run_again_reaches_the_same_end(shop: Desk, cluster: Cluster, namespace: str) -> None:
    names = [f"settings-{number}" for number in range(600)]
    shop.write("manifests/shop/most.json", "\n".join(config_map(name, a="1") for name in names[1:]))
    shop.write("manifests/shop/first.json", config_map(names[0], a="1"))
    process = start(shop)
    read_until(process, f"created ConfigMap {namespace}/settings-0")
    process.kill()
    process.communicate(timeout=20)
    some = len(cluster.get("configmaps", "--namespace", namespace, "--selector=strategy")["items"])
    assert some < len(names), "killed too late to prove anything"
    shop.remove("manifests/shop/first.json")
    run = shop.deploy()
    assert run.code == 0, run.log
    found = cluster.get("configmaps", "--namespace", namespace, "--selector=strategy")["items"]
    assert {item["metadata"]["name"] for item in found} == set(names)
    left = [key["name"] for key in run.cluster("shop")["leftovers"]]
    assert left == ["settings-0"], "known although the run that made it never ended"
    assert set(shop.deploy().did("shop").values()) == {"unchanged"}


def token_of(cluster: Cluster, namespace: str) -> str:
    """A service account's token with rights to the namespace, as a CI would have."""
    cluster.kubectl("--namespace", namespace, "create", "serviceaccount", "deployer")
    cluster.kubectl(
        "--namespace", namespace, "create", "rolebinding", "deployer", "--clusterrole=admin",
        f"--serviceaccount={namespace}:deployer",
    )  # fmt: skip
    return cluster.kubectl("--namespace", namespace, "create", "token", "deployer").stdout.strip()


def with_user(kubeconfig: str, user: dict[str, Any]) -> str:
    config = yaml.safe_load(kubeconfig)
    config["users"][0]["user"] = user
    return yaml.safe_dump(config)


def test_tokens_token_files_and_plugins_log_in(
    desk: Desk, cluster: Cluster, make_namespace: Callable[[Cluster], str]
) -> None:
    namespace = make_namespace(cluster)
    token = token_of(cluster, namespace)
    base = cluster.kubeconfig("shop", namespace, inside=False)
    desk.write("plugins/give-token", f"#!/bin/sh\necho '{credential(token)}'\n").chmod(0o755)
    desk.write("configs/shop/the-token", token + "\n")
    desk.write("manifests/shop/a.json", config_map("settings"))
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "give-token", "interactiveMode": "Never"}
    users: list[dict[str, Any]] = [{"token": token}, {"tokenFile": "the-token"}, {"exec": plugin}]
    for number, user in enumerate(users):
        desk.write("configs/shop/kubeconfig", with_user(base, user))
        desk.write("manifests/shop/a.json", config_map("settings", turn=str(number)))
        run = desk.deploy(PATH=f"{desk.root}/plugins:{os.environ['PATH']}")
        assert run.code == 0, run.log
        assert "the account may not read namespace kube-system" in run.log
        assert token not in run.log
    assert cluster.get("configmap", "settings", "--namespace", namespace)["data"] == {"turn": "2"}


def credential(token: str) -> str:
    return json.dumps(
        {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token}}
    )


def test_certificates_in_files_beside_the_kubeconfig_and_an_unchecked_server(
    shop: Desk, cluster: Cluster, namespace: str
) -> None:
    config = yaml.safe_load(cluster.kubeconfig("shop", namespace, inside=False))
    holder, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    for entry, name, file in (
        (holder, "certificate-authority", "ca.pem"),
        (user, "client-certificate", "client.pem"),
        (user, "client-key", "client.key"),
    ):
        data = entry.pop(f"{name}-data")
        shop.write(f"configs/shop/pki/{file}", base64.b64decode(data).decode())
        entry[name] = f"pki/{file}"
    shop.write("configs/shop/kubeconfig", yaml.safe_dump(config))
    shop.write("manifests/shop/a.json", config_map("settings"))
    assert shop.deploy().code == 0

    del holder["certificate-authority"]
    shop.write("configs/shop/kubeconfig", yaml.safe_dump(config))
    untrusted = shop.deploy()
    assert untrusted.code == 1
    assert "its certificate is not trusted" in untrusted.log
    assert "KIT_CA_CERT" in untrusted.log
    assert shop.deploy(KIT_CA_CERT=str(shop.root / "configs/shop/pki/ca.pem")).code == 0

    holder["insecure-skip-tls-verify"] = True
    shop.write("configs/shop/kubeconfig", yaml.safe_dump(config))
    unchecked = shop.deploy()
    assert unchecked.code == 0, unchecked.log
    assert "insecure-skip-tls-verify: the server's certificate is not checked" in unchecked.log


def test_an_account_without_rights_is_told_which(
    desk: Desk, cluster: Cluster, make_namespace: Callable[[Cluster], str]
) -> None:
    namespace, other = make_namespace(cluster), make_namespace(cluster)
    token = token_of(cluster, namespace)
    base = cluster.kubeconfig("shop", other, inside=False)
    desk.target("shop", with_user(base, {"token": token}))
    desk.write("manifests/shop/a.json", config_map("settings"))
    run = desk.deploy()
    assert run.code == 1
    assert "configmaps is forbidden" in run.log
    assert "RBAC" in run.log


class Tunnel(socketserver.BaseRequestHandler):
    """An HTTP proxy as companies have them, for one CONNECT."""

    asked: ClassVar[list[str]] = []

    def handle(self) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += self.request.recv(4096)
        self.asked.append(request.decode())
        _, address, _ = request.decode().split(" ", 2)
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port))) as server:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            both = [self.request, server]
            while True:
                for ready in select.select(both, [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    (server if ready is self.request else self.request).sendall(data)


@pytest.fixture
def proxy() -> Iterator[str]:
    Tunnel.asked.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_through_the_kubeconfigs_proxy_or_the_environments(
    shop: Desk, cluster: Cluster, namespace: str, proxy: str
) -> None:
    shop.write("manifests/shop/a.json", config_map("settings"))
    assert shop.deploy(HTTPS_PROXY=f"http://{proxy}", NO_PROXY="127.0.0.1").code == 0
    assert Tunnel.asked == []
    assert shop.deploy(HTTPS_PROXY=f"http://{proxy}").code == 0
    assert Tunnel.asked
    Tunnel.asked.clear()
    config = yaml.safe_load(cluster.kubeconfig("shop", namespace, inside=False))
    config["clusters"][0]["cluster"]["proxy-url"] = f"http://me:hunter2-canary@{proxy}"
    shop.write("configs/shop/kubeconfig", yaml.safe_dump(config))
    run = shop.deploy(DEBUG="true")
    assert run.code == 0, run.log
    basic = base64.b64encode(b"me:hunter2-canary").decode()
    assert all(f"Basic {basic}" in request for request in Tunnel.asked)
    assert "hunter2-canary" not in run.log
