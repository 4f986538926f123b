# SPDX-License-Identifier: MIT
"""Logging in to a cluster by certificates and tokens, encrypted or in files; and what an account may not do."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from kit_core.envfile import Form, Key, encrypt
from testbed.cluster import Cluster
from tests.cluster.desk import Desk, config_map, documents
from tests.cluster.logins import credential, token_of, with_user


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
