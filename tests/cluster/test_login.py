# SPDX-License-Identifier: MIT
"""The ways to a cluster and to log in there: certificates, tokens, plugins, proxies; and what an account may not do."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kit_core.envfile import Form, Key, encrypt
from testbed.cluster import Cluster
from tests.cluster.desk import Desk, config_map, documents

ROOT = Path(__file__).parents[2]


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


def credential(token: str, version: str = "v1", **status: str) -> str:
    return json.dumps(
        {
            "apiVersion": f"client.authentication.k8s.io/{version}",
            "kind": "ExecCredential",
            "status": {**({"token": token} if token else {}), **status},
        }
    )


def answering(desk: Desk, *answers: str, check: str = "") -> dict[str, Any]:
    """A user whose plugin gives these answers one after another, and the last one from then on.

    `check` is a line of shell that the plugin runs first.
    """
    shutil.rmtree(desk.root / "configs/shop/answers", ignore_errors=True)
    for number, answer in enumerate(answers, 1):
        desk.write(f"configs/shop/answers/{number}", answer)
    script = f"""#!/bin/sh
set -e
{check}
echo >> asked
number=$(wc -l < asked)
if [ ! -e answers/$number ]; then number={len(answers)}; fi
cat answers/$number
"""
    desk.write("configs/shop/bin/login", script).chmod(0o755)
    (desk.root / "configs/shop/asked").unlink(missing_ok=True)
    version = json.loads(answers[0])["apiVersion"]
    return {"exec": {"apiVersion": version, "command": "bin/login", "interactiveMode": "IfAvailable"}}


def asked(desk: Desk) -> int:
    return len((desk.root / "configs/shop/asked").read_text().splitlines())


@pytest.fixture
def account(desk: Desk, cluster: Cluster, namespace: str) -> tuple[Desk, str, str]:
    """A desk with one manifest, a service account's token, and the kubeconfig to put a user into."""
    desk.target("shop", "")
    desk.write("manifests/shop/a.json", config_map("settings"))
    return desk, token_of(cluster, namespace), cluster.kubeconfig("shop", namespace, inside=False)


def test_a_plugin_gets_its_arguments_and_variables_and_speaks_the_older_version(
    account: tuple[Desk, str, str],
) -> None:
    desk, token, base = account
    check = """test "$1" = --cluster; test "$2" = "with blanks"; test "$FROM_CONFIG" = 7; test "$FROM_US" = yes
case "$KUBERNETES_EXEC_INFO" in *v1beta1*'"interactive": false'*certificate-authority-data*) ;; *) exit 9;; esac"""
    user = answering(desk, credential(token, "v1beta1"), check=check)
    user["exec"] |= {"args": ["--cluster", "with blanks"], "env": [{"name": "FROM_CONFIG", "value": 7}],
                     "provideClusterInfo": True}  # fmt: skip
    desk.write("configs/shop/kubeconfig", with_user(base, user))
    run = desk.deploy(FROM_US="yes")
    assert run.code == 0, run.log
    assert asked(desk) == 1, "a token without an end is asked for once"


def test_a_plugin_is_asked_again_when_its_token_runs_out_or_is_refused(account: tuple[Desk, str, str]) -> None:
    desk, token, base = account
    past = "2020-01-01T00:00:00Z"
    user = answering(desk, credential(token, expirationTimestamp=past), credential(token))
    desk.write("configs/shop/kubeconfig", with_user(base, user))
    run = desk.deploy()
    assert run.code == 0, run.log
    assert asked(desk) == 2, "the first one had run out before it was used"

    user = answering(desk, credential("not-a-token-of-this-cluster"), credential(token))
    run = desk.deploy()
    assert run.code == 0, run.log
    assert asked(desk) == 2
    assert "not-a-token-of-this-cluster" not in run.log

    answering(desk, credential("not-a-token-of-this-cluster"))
    run = desk.deploy()
    assert run.code == 1
    assert "The credentials in the kubeconfig are not accepted: renew them" in run.log
    assert asked(desk) == 2, "asked once more, and not for ever"


def test_a_plugins_certificate_is_renewed_when_the_server_refuses_it(account: tuple[Desk, str, str]) -> None:
    """A certificate that ran out is answered with 401, on connections that were made with it."""
    desk, _, base = account
    admin = yaml.safe_load(base)["users"][0]["user"]
    good = {"clientCertificateData": base64.b64decode(admin["client-certificate-data"]).decode(),
            "clientKeyData": base64.b64decode(admin["client-key-data"]).decode()}  # fmt: skip
    certificate, key = self_signed()
    bad = {"clientCertificateData": certificate, "clientKeyData": key}
    user = answering(desk, credential("", **bad), credential("", **good))
    desk.write("configs/shop/kubeconfig", with_user(base, user))
    run = desk.deploy()
    assert run.code == 0, run.log
    assert asked(desk) == 2
    assert key.splitlines()[1] not in run.log


def self_signed() -> tuple[str, str]:
    """A certificate that no cluster knows, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return certificate.public_bytes(pem).decode(), key.private_bytes(pem, form, plain).decode()


def test_a_plugin_that_hangs_delays_nobody_and_is_a_time_limit(
    account: tuple[Desk, str, str], cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kit_deployer.server.plugins.PLUGIN_SECONDS", 3.0)
    desk, token, base = account
    desk.write("configs/shop/kubeconfig", with_user(base, {"token": token}))
    other = cluster.kubeconfig("slow", "default", inside=False)
    desk.write("configs/slow/bin/login", "#!/bin/sh\nsleep 300\n").chmod(0o755)
    config = {"apiVersion": "client.authentication.k8s.io/v1", "command": "bin/login"}
    desk.target("slow", with_user(other, {"exec": config}))
    desk.write("manifests/slow/a.json", config_map("settings"))
    run = desk.deploy()
    assert run.code == 70, run.log
    assert run.did("shop") == {"ConfigMap/settings": "created"}
    assert "configs/slow/bin/login was still running after 3 s" in run.log


@pytest.mark.parametrize("form", ["kit:v1", "jet 1"])
def test_an_encrypted_kubeconfig_with_certificates_beside_it(
    shop: Desk, cluster: Cluster, namespace: str, form: Form
) -> None:
    """Nothing of it is seen, neither in the log nor in a file that the run leaves or makes on its way."""
    key = Key(os.urandom(32))
    config = yaml.safe_load(cluster.kubeconfig("shop", namespace, inside=False))
    holder, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    shop.write("configs/shop/pki/ca.pem", base64.b64decode(holder.pop("certificate-authority-data")).decode())
    holder["certificate-authority"] = "pki/ca.pem"
    inside = user["client-key-data"]
    shop.write("manifests/shop/a.json", config_map("settings", leaked=inside[:4000]))
    file = shop.root / "configs/shop/kubeconfig"
    file.write_bytes(encrypt(yaml.safe_dump(config).encode(), key, form=form))
    temporary = shop.root / "tmp"
    temporary.mkdir(mode=0o500)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(temporary / "not-there"))
        run = shop.deploy(CODESHIP_AES_KEY=key.text, DEBUG="true", DIFF="true")
    assert run.code == 0, run.log
    line = base64.b64decode(inside).decode().splitlines()[1]
    for text in (run.log, *(path.read_text() for path in (shop.root / "reports").iterdir())):
        assert inside not in text
        assert line not in text
        assert key.text not in text
    refused = shop.deploy(CODESHIP_AES_KEY=Key(bytes(32)).text)
    assert refused.code == 2
    assert "wrong key" in refused.log


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


def test_manifests_as_kubernetes_own_tools_read_them(shop: Desk, cluster: Cluster, namespace: str) -> None:
    """Several documents in YAML and JSON, lists, words of YAML 1.1; hidden folders and other files are left out."""
    two = "---\n# a comment\n" + documents(config_map("one", file="yaml"), "", config_map("two", file="yaml"))
    shop.write("manifests/shop/deep/er/several.yml", two)
    shop.write("manifests/shop/several.json", config_map("three", file="json") + "\n" + config_map("four", file="json"))
    listed = {"apiVersion": "v1", "kind": "List", "items": [json.loads(config_map("five", file="list"))]}
    shop.write("manifests/shop/list.yaml", json.dumps(listed))
    shop.write("manifests/shop/.hidden/six.yaml", config_map("six"))
    shop.write("manifests/shop/.six.yaml", config_map("six"))
    shop.write("manifests/shop/README.md", "no manifest")
    words = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: words, labels: {name: words}}
spec:
  replicas: 0
  paused: off
  template:
    metadata: {labels: {name: words}}
    spec:
      hostNetwork: no
      enableServiceLinks: yes
      volumes: [{name: v, configMap: {name: one, defaultMode: 0644, optional: on}}]
      containers: [{name: main, image: none}]
"""
    shop.write("manifests/shop/words.yaml", words)
    run = shop.deploy()
    assert run.code == 0, run.log
    names = {item["metadata"]["name"] for item in cluster.get("configmaps", "--namespace", namespace)["items"]}
    assert {"one", "two", "three", "four", "five"} <= names
    assert "six" not in names
    spec = cluster.get("deployment", "words", "--namespace", namespace)["spec"]
    pod = spec["template"]["spec"]
    assert (spec.get("paused"), pod.get("hostNetwork"), pod["enableServiceLinks"]) == (None, None, True)
    assert pod["volumes"][0]["configMap"] == {"name": "one", "defaultMode": 420, "optional": True}


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
            hand_on(self.request, server)


class Socks(socketserver.StreamRequestHandler):
    """A SOCKS5 proxy without a password, as `ssh -D` opens one."""

    asked: ClassVar[list[str]] = []

    def handle(self) -> None:
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        kind = self.rfile.read(4)[3]
        host = self.rfile.read(self.rfile.read(1)[0]).decode() if kind == 3 else socket.inet_ntoa(self.rfile.read(4))
        port = int.from_bytes(self.rfile.read(2))
        self.asked.append(f"{host}:{port}")
        with socket.create_connection((host, port)) as server:
            self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
            hand_on(self.connection, server)


def hand_on(one: socket.socket, other: socket.socket) -> None:
    while True:
        for ready in select.select([one, other], [], [])[0]:
            data = ready.recv(65536)
            if not data:
                return
            (other if ready is one else one).sendall(data)


@pytest.fixture
def proxy() -> Iterator[str]:
    yield from serving(Tunnel)


@pytest.fixture
def socks() -> Iterator[str]:
    yield from serving(Socks)


def serving(handler: type[Tunnel | Socks]) -> Iterator[str]:
    handler.asked.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
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


def test_through_a_bastion(shop: Desk, cluster: Cluster, namespace: str, socks: str) -> None:
    """`ssh -D` opens such a proxy, which also looks names up where it is."""
    config = yaml.safe_load(cluster.kubeconfig("shop", namespace, inside=False))
    entry = config["clusters"][0]["cluster"]
    entry |= {"proxy-url": f"socks5://{socks}", "server": f"https://localhost:{cluster.port}"}
    shop.write("configs/shop/kubeconfig", yaml.safe_dump(config))
    shop.write("manifests/shop/a.json", config_map("settings"))
    run = shop.deploy()
    assert run.code == 0, run.log
    assert set(Socks.asked) == {f"localhost:{cluster.port}"}
