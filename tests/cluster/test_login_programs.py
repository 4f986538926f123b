# SPDX-License-Identifier: MIT
"""Programs that a kubeconfig names to log in: what they get, when they are asked again, what hangs."""

from __future__ import annotations

import base64
import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from testbed.cluster import Cluster
from tests.cluster.desk import Desk, config_map
from tests.cluster.logins import credential, token_of, with_user


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
