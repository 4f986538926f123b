# SPDX-License-Identifier: MIT
"""Backups in a real S3 server: what a deploy leaves there, what it never does, and that it never fails for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from testbed import s3
from testbed.bed import Testbed
from testbed.cluster import Cluster
from testbed.s3 import S3Server
from tests.cluster.desk import Desk, config_map, documents, service

CANARY = "canary-of-a-password"


@pytest.fixture(scope="module")
def server(bed: Testbed) -> Iterator[S3Server]:
    with s3.running(bed.id) as running:
        yield running


@pytest.fixture
def bucket(server: S3Server) -> str:
    return server.make_bucket()


@pytest.fixture
def kept(shop: Desk, server: S3Server, bucket: str) -> Desk:
    """The desk, with backups."""
    shop.env |= {
        "BACKUP_ENABLED": "true",
        "AWS_BUCKET": bucket,
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "CI_COMMIT_ID": "4f2a91c",
    }
    return shop


def secret(name: str) -> str:
    return json.dumps(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"password": CANARY}}
    )


def in_namespace(manifest: str, namespace: str) -> str:
    body = json.loads(manifest)
    return json.dumps({**body, "metadata": {**body["metadata"], "namespace": namespace}})


def test_each_applied_manifest_is_kept_and_secrets_are_not(
    kept: Desk, server: S3Server, bucket: str, cluster: Cluster, make_namespace: Callable[[Cluster], str]
) -> None:
    other = make_namespace(cluster)
    kept.write("manifests/shop/web.yaml", documents(service("web"), config_map("settings", HELLO="1e3")))
    kept.write("manifests/shop/other.yaml", documents(in_namespace(config_map("settings", HELLO="other"), other)))
    kept.write("manifests/shop/secret.yaml", secret("payment"))
    dry = kept.deploy(DRY_RUN="true")
    assert dry.code == 0, dry.log
    assert server.objects(bucket) == {}
    run = kept.deploy()
    assert run.code == 0, run.log
    found = server.objects(bucket)
    assert set(found) == {
        "shop/ConfigMap/settings.yaml",
        f"shop/ConfigMap/{other}/settings.yaml",
        "shop/Service/web.yaml",
    }
    settings = yaml.safe_load(found["shop/ConfigMap/settings.yaml"])
    assert settings["data"] == {"HELLO": "1e3"}
    assert settings["metadata"]["labels"]["strategy"] == "rolling-update"
    assert settings["metadata"]["annotations"]["kit-deployer/commit"] == '"4f2a91c"'
    assert yaml.safe_load(found[f"shop/ConfigMap/{other}/settings.yaml"])["data"] == {"HELLO": "other"}
    assert CANARY not in str(found) + run.log
    assert "backups: 3 manifests written" in run.log
    assert "backups: left out for the secrets in them: shop: Secret" in run.log
    assert any("left out for the secrets" in text for text in run.report["warnings"])
    # What did not change is not sent, and is there already.
    kept.write("manifests/shop/web.yaml", documents(service("web"), config_map("settings", HELLO="two")))
    kept.write("manifests/shop/secret.yaml", secret("another"))
    assert kept.deploy(SAVE_FORMAT="json", KIT_BACKUP_SECRETS="true").code == 0
    added = {name: text for name, text in server.objects(bucket).items() if name not in found}
    assert sorted(added) == ["shop/ConfigMap/settings.json", "shop/Secret/another.json"]
    assert json.loads(added["shop/ConfigMap/settings.json"])["data"] == {"HELLO": "two"}


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({"AWS_BUCKET": "kit-never-made"}, "NoSuchBucket: the bucket does not exist"),
        ({"AWS_SECRET_ACCESS_KEY": CANARY}, "SignatureDoesNotMatch: AWS_SECRET_ACCESS_KEY does not belong to"),
        ({"AWS_ACCESS_KEY_ID": "AKIANOBODY"}, "No user exists with the provided access key ID"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "http://127.0.0.1:9: the connection was refused"),
        ({"KIT_AWS_ENDPOINT_URL": "tls"}, "its certificate or its TLS is not accepted"),
    ],
)
def test_a_backup_that_fails_is_told_and_fails_no_deploy(
    kept: Desk, server: S3Server, bucket: str, env: dict[str, str], why: str
) -> None:
    kept.write("manifests/shop/all.yaml", documents(*(config_map(f"c{number}") for number in range(6))))
    run = kept.deploy(**{name: server.tls_url if value == "tls" else value for name, value in env.items()})
    assert run.code == 0, run.log
    assert run.report["result"] == "deployed"
    told = [text for text in run.report["warnings"] if "backups" in text]
    assert len(told) == 1
    assert told[0].startswith("backups: 6 of 6 manifests are not in s3://")
    assert why in told[0]
    assert told[0] in run.log
    assert CANARY not in run.log
    assert server.objects(bucket) == {}


def test_a_server_with_a_certificate_of_the_company(kept: Desk, server: S3Server, bucket: str, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(server.certificate_authority)
    kept.write("manifests/shop/all.yaml", config_map("settings"))
    run = kept.deploy(AWS_ENDPOINT_URL=server.tls_url, KIT_CA_CERT=str(authority))
    assert run.code == 0, run.log
    assert list(server.objects(bucket)) == ["shop/ConfigMap/settings.yaml"]
