# SPDX-License-Identifier: MIT
"""The kubeconfigs that tests and demo write into `/kubeconfigs`."""

import yaml

from testbed.kubeconfig import Credentials, kubeconfig

CREDENTIALS = Credentials("QQ==", "Qg==", "Qw==")


def test_plain_one_is_what_kubectl_reads() -> None:
    config = yaml.safe_load(kubeconfig("cluster-a", "https://cluster-a:6443", CREDENTIALS))
    assert "metadata" not in config
    assert config["current-context"] == "cluster-a"
    assert config["contexts"][0]["context"] == {"cluster": "cluster-a", "user": "admin"}
    assert config["clusters"][0]["cluster"]["server"] == "https://cluster-a:6443"
    assert config["users"][0]["user"] == {"client-certificate-data": "Qg==", "client-key-data": "Qw=="}


def test_name_labels_and_namespace_are_written_where_the_deployer_reads_them() -> None:
    text = kubeconfig("c", "https://c", CREDENTIALS, name="shop-eu", namespace="eu", labels={"ring": "1"})
    config = yaml.safe_load(text)
    assert config["metadata"] == {"name": "shop-eu", "labels": {"ring": "1"}}
    assert config["contexts"][0]["context"]["namespace"] == "eu"
