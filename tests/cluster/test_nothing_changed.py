# SPDX-License-Identifier: MIT
"""What a run leaves alone, proved from the API server's audit log: nothing changed, nothing sent; webhooks make no
drift; frozen objects and clusters; and `status`, which only ever reads.
"""

from __future__ import annotations

import base64
import io
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kit_core.entry import main
from kit_deployer.cli import STEP
from testbed.cluster import Cluster
from testbed.docker import docker
from tests.cluster.desk import QUICK, Desk, autoscaler, config_map, deployment, documents, job, service
from tests.cluster.watched import READ, Account, account

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {password: canary-hunter2}"


@pytest.fixture
def tester(cluster: Cluster, namespace: str) -> Iterator[Account]:
    """May do everything, and is watched."""
    yield from account(cluster, namespace, "tester", "cluster-admin")


@pytest.fixture
def watched(shop: Desk, tester: Account) -> Desk:
    """The desk, deploying as somebody whom the audit log tells apart."""
    shop.target("shop", tester.kubeconfig())
    return shop


def verbs(events: list[Any]) -> dict[str, int]:
    """How often the account did what, requests that only read left out."""
    found: dict[str, int] = {}
    for event in events:
        if event["verb"] not in READ:
            what = f"{event['verb']} {event['objectRef']['resource']}"
            found[what] = found.get(what, 0) + 1
    return found


def test_nothing_changed_nothing_sent(
    watched: Desk, tester: Account, cluster: Cluster, namespace: str, image: str
) -> None:
    """Not even a dry run: one LIST a kind and namespace decides, whatever the server made of what was written."""
    many = [config_map(f"c{number}", a="1") for number in range(12)]
    watched.write(
        "manifests/shop/all.yaml",
        documents(
            deployment("web", image, container="resources: {requests: {cpu: 1000m, memory: 0.5Gi}, limits: {cpu: 2}}"),
            service("web"), autoscaler("web"), SECRET, job("migrate", image), *many,
        ),
    )  # fmt: skip
    assert watched.deploy(CI_COMMIT_ID="4f2a91c").code == 0
    watched.deploy(CI_COMMIT_ID="4f2a91c")
    seen = len(tester.requests())
    again = watched.deploy(CI_COMMIT_ID="4f2a91c")
    assert set(again.did("shop").values()) == {"unchanged"}, again.log
    events = tester.requests()[seen:]
    assert verbs(events) == {}
    lists = [event["requestURI"] for event in events if event["verb"] == "list"]
    assert all("limit=500" in address for address in lists)
    plain = [address for address in lists if "/configmaps?limit=500" in address and "labelSelector" not in address]
    assert len(plain) == 1, "however many objects"

    # Another commit with the same manifests is remembered, and that is all.
    seen = len(tester.requests())
    assert set(watched.deploy(CI_COMMIT_ID="other").did("shop").values()) == {"unchanged"}
    assert verbs(tester.requests()[seen:]) == {"patch configmaps": 1}

    # Many leftovers cost no request each.
    watched.write("manifests/shop/all.yaml", documents(deployment("web", image), service("web"), autoscaler("web")))
    watched.deploy(AVAILABLE_ENABLED="false")
    seen = len(tester.requests())
    left = watched.deploy(AVAILABLE_ENABLED="false")
    assert len(left.cluster("shop")["leftovers"]) == 14
    assert verbs(tester.requests()[seen:]) == {}
    assert len(tester.requests()) - seen < 20


def certificate(folder: Path, address: str) -> tuple[Path, str]:
    """A key and a self-signed certificate for an address, in one file; and the certificate as webhooks name it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "webhook.pem"
    file.write_bytes(private + pem)
    return file, base64.b64encode(pem).decode()


@contextmanager
def webhook(cluster: Cluster, namespace: str, folder: Path) -> Iterator[None]:
    """A mutating webhook as companies have them: it rewrites what was declared, and adds to it."""
    network = next(iter(json.loads(docker("inspect", cluster.container.name).stdout)[0]["NetworkSettings"]["Networks"]))
    address = json.loads(docker("network", "inspect", network).stdout)[0]["IPAM"]["Config"][0]["Gateway"]
    file, authority = certificate(folder, address)

    class Mutator(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            patch = [
                {"op": "add", "path": "/data/colour", "value": "mutated"},
                {"op": "add", "path": "/data/added", "value": "by the webhook"},
            ]
            response = {
                "uid": review["request"]["uid"],
                "allowed": True,
                "patchType": "JSONPatch",
                "patch": base64.b64encode(json.dumps(patch).encode()).decode(),
            }
            text = json.dumps(
                {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((address, 0), Mutator)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    name = f"mutator-{namespace}"
    hook = {
        "name": "mutator.example.com",
        "clientConfig": {"url": f"https://{address}:{server.server_address[1]}/", "caBundle": authority},
        "rules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
        ],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "objectSelector": {"matchLabels": {"mutated": "yes"}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "failurePolicy": "Fail",
    }
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration"}
    cluster.apply(json.dumps({**kind, "metadata": {"name": name}, "webhooks": [hook]}))
    try:
        yield
    finally:
        cluster.kubectl("delete", "mutatingwebhookconfiguration", name)
        server.shutdown()
        server.server_close()


def mutated(**data: str) -> str:
    return config_map("painted", **data).replace('"name"', '"labels": {"mutated": "yes"}, "name"')


def test_what_a_webhook_makes_of_it_is_no_drift(
    watched: Desk, tester: Account, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    watched.write("manifests/shop/a.json", mutated(colour="red", size="1"))
    with webhook(cluster, namespace, tmp_path):
        # The server looks for new webhooks once a second.
        for _ in range(50):
            assert watched.deploy(FORCE="true").code == 0
            if cluster.get("configmap", "painted", "--namespace", namespace)["data"]["colour"] == "mutated":
                break
        live = cluster.get("configmap", "painted", "--namespace", namespace)["data"]
        assert live == {"colour": "mutated", "size": "1", "added": "by the webhook"}
        seen = len(tester.requests())
        for drift in ("warn", "correct"):
            run = watched.deploy(KIT_DRIFT=drift)
            assert run.did("shop") == {"ConfigMap/painted": "unchanged"}, run.log
            assert "differs" not in run.log
        assert verbs(tester.requests()[seen:]) == {}
        patch = '{"data": {"size": "by hand"}}'
        cluster.kubectl("--namespace", namespace, "patch", "configmap", "painted", "--patch", patch)
        drifted = watched.deploy()
        assert drifted.did("shop") == {"ConfigMap/painted": "drifted"}
        assert "differs from what was applied: data.size" in drifted.log
        assert watched.deploy(KIT_DRIFT="ignore").did("shop") == {"ConfigMap/painted": "unchanged"}
        assert watched.deploy(KIT_DRIFT="correct").did("shop") == {"ConfigMap/painted": "changed"}
        assert cluster.get("configmap", "painted", "--namespace", namespace)["data"] == live
        assert watched.deploy().did("shop") == {"ConfigMap/painted": "unchanged"}


def test_frozen_objects_and_clusters_are_left_out_and_named(
    watched: Desk, tester: Account, cluster: Cluster, namespace: str
) -> None:
    watched.write("manifests/shop/all.yaml", documents(config_map("cold", a="1"), config_map("live", a="1")))
    assert watched.deploy().code == 0
    # Somebody froze it on the cluster itself.
    cluster.kubectl("--namespace", namespace, "annotate", "configmap", "live", "kit-deployer/freeze=incident 7")
    frozen = config_map("cold", a="2").replace('"name"', '"annotations": {"kit-deployer/freeze": "audit"}, "name"')
    watched.write("manifests/shop/all.yaml", documents(frozen, config_map("live", a="2")))
    run = watched.deploy(FORCE="true")
    assert run.code == 0
    assert f"ConfigMap {namespace}/cold is left out of this run (frozen: audit)" in run.log
    assert f"ConfigMap {namespace}/live is left out of this run (frozen: incident 7)" in run.log
    assert [cluster.get("configmap", name, "--namespace", namespace)["data"]["a"] for name in ("cold", "live")] == [
        "1",
        "1",
    ]

    seen = len(tester.requests())
    run = watched.deploy(KIT_FREEZE="shop,nowhere")
    assert run.code == 0
    assert "frozen (KIT_FREEZE): left out of this run" in run.log
    assert "KIT_FREEZE names nowhere" in run.log
    assert len(tester.requests()) == seen, "not one request"
    cluster.kubectl("--namespace", namespace, "annotate", "configmap", "live", "kit-deployer/freeze-")
    assert watched.deploy().did("shop")["ConfigMap/live"] == "changed"


def status(desk: Desk, *arguments: str, **env: str) -> tuple[int, str]:
    out = io.StringIO()
    code = main(STEP, ["status", *arguments], {**desk.settings, **QUICK, **env}, stdout=out, stderr=io.StringIO())
    return code, out.getvalue()


def test_status_tells_how_clusters_are_and_only_reads(shop: Desk, cluster: Cluster, namespace: str, image: str) -> None:
    shop.write(
        "manifests/shop/all.yaml",
        documents(deployment("web", image), config_map("settings", a="1"), config_map("left", a="1")),
    )
    assert shop.deploy(CI_COMMIT_ID="4f2a91c").code == 0
    shop.write("manifests/shop/all.yaml", documents(deployment("web", image), config_map("settings", a="1")))
    for reader in account(cluster, namespace, "reader", "view"):
        shop.target("shop", reader.kubeconfig())
        code, text = status(shop, "--exit-code")
        assert code == 0, text
        assert "commit     4f2a91c, deployed 20" in text
        assert "health     healthy (2 objects in the folder)" in text
        assert f"leftover   ConfigMap {namespace}/left" in text

        patch = '{"data": {"a": "by hand"}}'
        cluster.kubectl("--namespace", namespace, "patch", "configmap", "settings", "--patch", patch)
        bad = '{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"no-such-image.invalid/x:1"}]}}}}'
        cluster.kubectl("--namespace", namespace, "patch", "deployment", "web", f"--patch={bad}")
        cluster.container.await_true(
            f"kubectl --kubeconfig=/run/kit/conf/admin.yaml -n {namespace} get pods"
            " -o jsonpath='{.items[*].status.containerStatuses[*].state.waiting.reason}' | grep -q Err",
            what="a pod that cannot pull its image",
            limit=30,
        )
        shop.write("manifests/shop/new.json", config_map("new"))
        assert status(shop)[0] == 0
        code, text = status(shop, "--exit-code")
        assert code == 3, text
        assert f"drifted    ConfigMap {namespace}/settings: data.a" in text
        assert f"undeployed ConfigMap {namespace}/new: is not there" in text
        code, text = status(shop, "--format", "json")
        (found,) = json.loads(text)["clusters"]
        assert (code, found["health"], found["commit"]) == (0, "unhealthy", "4f2a91c")
        (lost,) = found["unhealthy"]
        assert lost["name"] == "web"
        assert "no-such-image.invalid/x:1" in lost["why"]
        assert {item["name"] for item in found["drifted"]} == {"settings", "web"}
        assert verbs(reader.requests()) == {}

    shop.target("shop", cluster.kubeconfig("shop", namespace, inside=False).replace("127.0.0.1:", "127.0.0.1:1"))
    code, text = status(shop, "--exit-code", BACKOFF_FAIL_AFTER="0")
    assert code in {1, 2}, text
