# SPDX-License-Identifier: MIT
"""Several clusters in one run; servers that are dead, slow or refuse; runs that are killed."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from testbed.cluster import Cluster
from tests.cluster.desk import QUICK, Desk, config_map, deployment, documents, service

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schemas/report.schema.json"


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
    names = ["junit.xml", "report.html", "report.json", "report.md"]
    assert sorted(path.name for path in (shop.root / "reports").iterdir()) == names
    html, markdown = ((shop.root / "reports" / name).read_text() for name in names[1::2])
    assert all("no database" in text and "CrashLoopBackOff" in text for text in (html, markdown))


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
