# SPDX-License-Identifier: MIT
"""A real API server on a bad day, behind a proxy that makes one: what a deploy survives, and what it says meanwhile."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import pytest

from testbed.cluster import Cluster
from testbed.faulty import Fault, FaultyServer
from tests.cluster.desk import QUICK, Desk, config_map, deployment, documents, job, service

ROOT = Path(__file__).parents[2]
GONE = {
    "kind": "Status",
    "apiVersion": "v1",
    "status": "Failure",
    "reason": "Expired",
    "code": 410,
    "message": "too old",
}


def behind(desk: Desk, server: FaultyServer, name: str, namespace: str) -> None:
    desk.target(name, server.kubeconfig(name, namespace))


def values(cluster: Cluster, namespace: str) -> dict[str, dict[str, str]]:
    found = cluster.get("configmaps", "--namespace", namespace, "--selector=strategy")["items"]
    return {item["metadata"]["name"]: item["data"] for item in found}


def test_429_is_obeyed_by_all_connections_of_that_cluster_and_no_other(
    desk: Desk, cluster: Cluster, make_namespace: Callable[[Cluster], str]
) -> None:
    """Whoever keeps asking an overloaded server keeps it overloaded."""
    busy, calm = make_namespace(cluster), make_namespace(cluster)
    overload = Fault("PATCH .*settings-", status=429, headers={"Retry-After": "2"}, times=3)
    with FaultyServer(cluster, overload) as server, FaultyServer(cluster) as other:
        behind(desk, server, "busy", busy)
        behind(desk, other, "calm", calm)
        for name in ("busy", "calm"):
            desk.write(
                f"manifests/{name}/all.json", "\n".join(config_map(f"settings-{number}", a="1") for number in range(60))
            )
        run = desk.deploy(BACKOFF_FAIL_AFTER="5")
    assert run.code == 0, run.log
    assert "answered HTTP 429; trying again in 2 s" in run.log
    assert len(values(cluster, busy)) == 60
    told = max(one.at for one in server.seen if one.fault is overload)
    after = [one.at - told for one in server.seen if one.at > told + 0.5]
    assert len(after) > 20, "nobody held back"
    assert min(after) > 1.5, "some connection did not wait"
    assert run.cluster("calm")["seconds"] < 2 < run.cluster("busy")["seconds"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("PATCH .*settings", status=503, times=2), id="503"),
        pytest.param(Fault("PATCH .*settings", status=504), id="504"),
        pytest.param(
            Fault("GET .*configmaps", status=500, body=b'{"message": "etcdserver: leader changed"}'), id="500"
        ),
        pytest.param(Fault("PATCH .*settings", "reset", times=2), id="reset"),
        pytest.param(Fault("GET /apis$", "cut"), id="truncated"),
        pytest.param(Fault("PATCH .*settings", "lose"), id="answer lost"),
        pytest.param(Fault("GET .*kube-system", "hang"), id="hanging"),
    ],
)
def test_a_fault_that_passes_costs_a_moment_and_no_more(
    desk: Desk, cluster: Cluster, namespace: str, fault: Fault
) -> None:
    with FaultyServer(cluster, fault) as server:
        behind(desk, server, "shop", namespace)
        desk.write("manifests/shop/a.json", config_map("settings", a="1"))
        run = desk.deploy(BACKOFF_FAIL_AFTER="3", KIT_REQUEST_TIMEOUT="1")
    assert fault.met.is_set(), "the fault met nobody"
    assert run.code == 0, run.log
    assert run.did("shop") == {"ConfigMap/settings": "created"}
    assert values(cluster, namespace) == {"settings": {"a": "1"}}


def test_watches_that_end_break_or_are_too_old_miss_nothing(
    desk: Desk, cluster: Cluster, namespace: str, image: str
) -> None:
    expired = json.dumps({"type": "ERROR", "object": GONE}).encode() + b"\n"
    faults = [
        Fault("deployments.*watch=true", status=200, body=expired),
        Fault("pods.*watch=true", status=410, body=json.dumps(GONE).encode()),
        Fault("replicasets.*watch=true", "cut", times=2),
        Fault("events.*watch=true", "reset"),
        Fault("deployments.*watch=true", status=200, times=2),
    ]
    with FaultyServer(cluster, *faults) as server:
        behind(desk, server, "shop", namespace)
        slow = "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}"
        desk.write("manifests/shop/web.yaml", deployment("web", image, container=slow, SLOW_START="3"))
        run = desk.deploy()
    assert all(fault.met.is_set() for fault in faults)
    assert run.code == 0, run.log
    assert run.cluster("shop")["objects"][0]["health"]["state"] == "ready"


@pytest.fixture
def black_hole() -> Iterator[str]:
    """An address that takes no connections and refuses none: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        for one in waiting:
            one.close()


def test_clusters_that_are_slow_or_swallow_everything_delay_nobody(
    desk: Desk, cluster: Cluster, make_namespace: Callable[[Cluster], str], black_hole: str
) -> None:
    with FaultyServer(cluster, delay=0.5) as far:
        behind(desk, far, "far", make_namespace(cluster))
        nowhere = cluster.kubeconfig("nowhere", inside=False).replace(cluster.server_outside, black_hole)
        desk.target("nowhere", nowhere)
        for name in ("one", "two"):
            desk.target(name, cluster.kubeconfig(name, make_namespace(cluster), inside=False))
        for name in ("far", "nowhere", "one", "two"):
            desk.write(f"manifests/{name}/a.json", config_map("settings", a="1"))
        run = desk.deploy(KIT_REQUEST_TIMEOUT="3", BACKOFF_FAIL_AFTER="0")
    assert run.code == 70, "what a dead cluster ends with"
    assert "The API server does not answer" in run.cluster("nowhere")["failures"][0]["message"]
    for name in ("far", "one", "two"):
        assert run.did(name) == {"ConfigMap/settings": "created"}, run.log
    quick = max(run.cluster(name)["seconds"] for name in ("one", "two"))
    assert quick < run.cluster("far")["seconds"]
    assert quick < run.cluster("nowhere")["seconds"]
    finished = [line for line in run.log.splitlines() if "created ConfigMap" in line or "does not answer" in line]
    assert "[one]" in "".join(finished[:2]), finished
    assert "[two]" in "".join(finished[:2]), finished


def test_a_group_whose_server_is_down_hinders_only_those_who_need_it(shop: Desk, cluster: Cluster) -> None:
    name = "v1.broken.kit.example.com"
    broken = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": name},
        "spec": {
            "group": "broken.kit.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100,
            "insecureSkipTLSVerify": True, "service": {"namespace": "default", "name": "nobody"},
        },
    }  # fmt: skip
    cluster.apply(json.dumps(broken))
    try:
        cluster.kubectl("wait", f"apiservice/{name}", "--for=condition=Available=false", "--timeout=20s")
        shop.write("manifests/shop/a.json", config_map("settings", a="1"))
        run = shop.deploy()
        assert run.code == 0, run.log
        needs = {"apiVersion": "broken.kit.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}}
        shop.write("manifests/shop/thing.json", json.dumps(needs))
        run = shop.deploy()
        assert run.code == 1
        assert "Thing in broken.kit.example.com/v1" in run.cluster("shop")["failures"][0]["message"]
    finally:
        cluster.kubectl("delete", "apiservice", name)


def requests_of_kit(cluster: Cluster) -> int:
    pattern = '"stage":"ResponseComplete".*"userAgent":"kit-deployer'
    return int(cluster.container.execute("grep", "-c", pattern, "/var/log/kit/audit.log", check=False).stdout or 0)


def test_where_nothing_changed_requests_do_not_grow_with_the_objects(shop: Desk, cluster: Cluster) -> None:
    """Two for each kind and namespace and twelve more; further pages of a list are not counted."""
    shop.write("manifests/shop/maps.json", "\n".join(config_map(f"settings-{number}", a="1") for number in range(501)))
    names = [f"web-{number}" for number in range(5)]
    shop.write("manifests/shop/services.yaml", documents(*map(service, names)))
    webs = [deployment(name, "none", replicas=0) for name in names]
    shop.write("manifests/shop/webs.yaml", documents(*webs))
    assert shop.deploy().code == 0
    before = requests_of_kit(cluster)
    run = shop.deploy()
    sent = requests_of_kit(cluster) - before
    assert set(run.did("shop").values()) == {"unchanged"}, run.log
    further_pages = 1
    assert sent - further_pages <= 2 * 3 + 12
    assert run.cluster("shop")["requests"] == sent


def start(desk: Desk, **env: str) -> subprocess.Popen[str]:
    settings = {**desk.settings, **QUICK, "PYTHONPATH": str(ROOT / "steps"), **env}
    return subprocess.Popen(
        [sys.executable, "-m", "kit_deployer"], env=settings, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_says_of_each_cluster_what_was_done_and_what_was_not(
    desk: Desk, cluster: Cluster, make_namespace: Callable[[Cluster], str], number: signal.Signals
) -> None:
    """One cluster is done, one hangs in the middle of its second phase, one has had no turn."""
    places = {name: make_namespace(cluster) for name in ("a-done", "b-stuck", "c-waiting")}
    stuck = Fault("PATCH .*services/web", "hang")
    with FaultyServer(cluster, stuck) as server:
        for name, namespace in places.items():
            desk.target(name, cluster.kubeconfig(name, namespace, inside=False))
            desk.write(f"manifests/{name}/a.yaml", documents(config_map("settings", a="1"), service("web")))
        behind(desk, server, "b-stuck", places["b-stuck"])
        process = start(desk, KIT_MAX_PARALLEL="1")
        assert stuck.met.wait(30)
        process.send_signal(number)
        _, log = process.communicate(timeout=20)
    assert process.returncode == 128 + number, log
    stuck_at = places["b-stuck"]
    assert "[b-stuck] " in log
    assert f"done: 1 object; not done: Service {stuck_at}/web" in log
    assert "not begun; nothing was touched on this cluster" in log
    report = json.loads((desk.root / "reports/report.json").read_text())
    assert report["result"] == "interrupted"
    found = {one["name"]: one for one in report["clusters"]}
    assert [found[name]["finished"] for name in places] == [True, False, False]
    assert {item["name"]: item["result"] for item in found["b-stuck"]["objects"]} == {
        "settings": "created", "web": "not done"
    }  # fmt: skip
    assert (desk.root / "reports/junit.xml").exists()
    assert not values(cluster, places["c-waiting"])


POINTS = {
    "inventory": "PATCH .*configmaps/kit-deployer-inventory",
    "first": "PATCH .*configmaps/settings",
    "workload": "PATCH .*deployments/web",
    "job": "PATCH .*jobs/migrate-",
}


@pytest.mark.parametrize("how", ["hang", "lose"])
def test_killed_at_any_point_and_run_again_ends_the_same(
    desk: Desk, cluster: Cluster, make_namespace: Callable[[Cluster], str], image: str, how: Literal["hang", "lose"]
) -> None:
    """The process dies before a request has arrived, or when the server has done what it asked and did not say so."""
    places = {point: make_namespace(cluster) for point in POINTS}
    everything = documents(
        config_map("settings", a="1"), deployment("web", image), service("web"), job("migrate", image)
    )
    faults = {point: Fault(pattern, how) for point, pattern in POINTS.items()}
    with ExitStack() as running:
        processes = {}
        for point, fault in faults.items():
            behind(desk, running.enter_context(FaultyServer(cluster, fault)), point, places[point])
            desk.write(f"manifests/{point}/all.yaml", everything)
            processes[point] = start(desk, CONFIGS=str(desk.root / f"configs/{point}/kubeconfig"))
        for point, process in processes.items():
            assert faults[point].met.wait(60), point
            process.kill()
            process.communicate(timeout=20)
    for point, namespace in places.items():
        desk.target(point, cluster.kubeconfig(point, namespace, inside=False))
    run = desk.deploy()
    assert run.code == 0, run.log
    for point, namespace in places.items():
        assert run.cluster(point)["leftovers"] == []
        kinds = cluster.get("deployments,services,jobs,configmaps", "--namespace", namespace, "--selector=strategy")
        names = sorted(f"{item['kind']}/{item['metadata']['name'][:7]}" for item in kinds["items"])
        assert names == ["ConfigMap/setting", "Deployment/web", "Job/migrate", "Service/web"], point
    again = desk.deploy()
    assert {result for point in POINTS for result in again.did(point).values()} == {"unchanged"}, again.log
