# SPDX-License-Identifier: MIT
"""Encrypted kubeconfigs: read with the key, refused without; and what any kubeconfig holds that nobody may see."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from kit_core.envfile import Form, Key, encrypt
from kit_deployer.inputs.kubeconfig import secrets_of
from kit_deployer.inputs.unlocking import key_folders
from tests.unit.deployer.desk import KUBECONFIG, Desk, refused

KEY = Key(bytes(range(32)))
OTHER = Key(bytes(32))


def lock(desk: Desk, form: Form = "kit:v1") -> None:
    file = desk.root / "configs/shop/kubeconfig"
    file.write_bytes(encrypt(file.read_bytes(), KEY, form=form))


@pytest.mark.parametrize("form", ["kit:v1", "jet 1"])
def test_a_kubeconfig_is_decrypted_with_the_key_from_a_setting_or_a_file(desk: Desk, form: Form) -> None:
    lock(desk, form)
    key = desk.write("secrets/key", KEY.text + "\n")
    for env in (
        {"CODESHIP_AES_KEY": KEY.text},
        {"CODESHIP_AES_KEY_FILE": str(key)},
        {"CODESHIP_AES_KEY_BASE64": base64.b64encode(KEY.text.encode()).decode()},
    ):
        code, log = desk.run(**env, DEBUG="true")
        assert code == 1, log
        assert "[shop] reading the cluster" in log
        assert KEY.text not in log
    key.rename(desk.root / "codeship.aes")
    assert "[shop] reading the cluster" in desk.run()[1], "the key lies beside the manifests"


def test_no_key_the_wrong_key_and_damage_end_with_2_and_say_what_next(desk: Desk) -> None:
    lock(desk)
    refused(desk, f"{desk.root}/configs/shop/kubeconfig: There is no key")
    refused(desk, "There is no key", "CODESHIP_AES_KEY is not set", f"{desk.root}/codeship.aes", "Set CODESHIP_AES_KEY")
    refused(desk, "configs/shop/kubeconfig", "wrong key", "CODESHIP_AES_KEY", CODESHIP_AES_KEY=OTHER.text)
    refused(desk, "holds no key", "base64 of 32 bytes", CODESHIP_AES_KEY="hunter2-canary")
    file = desk.root / "configs/shop/kubeconfig"
    file.write_bytes(file.read_bytes()[:-20])
    refused(desk, "configs/shop/kubeconfig", CODESHIP_AES_KEY=KEY.text)


def test_a_wrong_key_is_noticed_in_the_form_that_has_no_check(desk: Desk) -> None:
    lock(desk, "jet 1")
    refused(desk, "configs/shop/kubeconfig", "wrong key", CODESHIP_AES_KEY=OTHER.text)


def test_forms_that_only_their_maker_reads(desk: Desk) -> None:
    desk.write("configs/shop/kubeconfig", "codeship:v2\nAAAAAAAAAAAAAAAAAAAAAA==\n")
    refused(desk, "it is in the form codeship:v2", "`jet`", CODESHIP_AES_KEY=KEY.text, PATH=os.devnull)


def test_plain_kubeconfigs_need_no_key(desk: Desk) -> None:
    assert desk.run()[0] == 1


def test_files_beside_an_encrypted_kubeconfig(desk: Desk) -> None:
    desk.kubeconfig("shop", users=[{"name": "me", "user": {"tokenFile": "the-token"}}])
    lock(desk)
    refused(
        desk, f"tokenFile names {desk.root}/configs/shop/the-token, which does not exist", CODESHIP_AES_KEY=KEY.text
    )
    desk.write("configs/shop/the-token", "hunter2")
    assert "[shop] reading the cluster" in desk.run(CODESHIP_AES_KEY=KEY.text)[1]


@pytest.mark.parametrize(
    ("user", "cluster"),
    [
        ({"token": "canary-1"}, {}),
        ({"username": "me", "password": "canary-1"}, {}),
        ({"client-key-data": base64.b64encode(b"canary-1").decode()}, {}),
        ({"exec": {"command": "c", "env": [{"name": "LOGIN_PASSWORD", "value": "canary-1"}]}}, {}),
        ({"exec": {"command": "c", "args": ["--client-secret", "canary-1"]}}, {}),
        ({"exec": {"command": "c", "args": ["login", "--token=canary-1"]}}, {}),
        ({"auth-provider": {"name": "oidc", "config": {"client-secret": "canary-1"}}}, {}),
        ({}, {"proxy-url": "http://me:canary-1@proxy:3128"}),
    ],
)
def test_everything_secret_in_a_kubeconfig_is_known_also_of_other_users(user: Any, cluster: Any) -> None:
    config = {
        **KUBECONFIG,
        "users": [{"name": "else", "user": user}],
        "clusters": [{"name": "else", "cluster": {"server": "https://x", **cluster}}],
    }
    assert "canary-1" in set(secrets_of(config))


def test_what_is_no_secret_stays_readable() -> None:
    """A region or a cluster's name, masked, would make every log unreadable."""
    user = {"exec": {"command": "aws", "args": ["eks", "get-token", "--cluster-name", "shop", "--region", "eu-west-1"],
                     "env": [{"name": "AWS_PROFILE", "value": "shop"}]}}  # fmt: skip
    assert list(secrets_of({**KUBECONFIG, "users": [{"name": "me", "user": user}]})) == []
    assert list(secrets_of({"users": [7, {"user": ["x"]}], "clusters": {"a": "b"}})) == []


def test_a_token_is_hidden_in_every_output_of_the_run(desk: Desk) -> None:
    """A manifest that holds the same text, an annotation that quotes it: nothing shows it."""
    lock(desk)
    desk.write("manifests/shop/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hunter2-canary}\n")
    desk.write("manifests/shop/c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hunter2-canary}\n")
    log = refused(desk, "ConfigMap shop/*** is described twice", CODESHIP_AES_KEY=KEY.text,
                  KIT_REPORT_DIR=str(desk.root / "reports"))  # fmt: skip
    assert "hunter2" not in log
    for file in (desk.root / "reports").iterdir():
        assert "hunter2-canary" not in file.read_text()


@pytest.mark.parametrize("text", ["token: !!int hunter2-canary", "token: hunter2-canary\n  b: c: d", "{token: *x"])
def test_an_encrypted_file_that_cannot_be_parsed_is_not_quoted(desk: Desk, text: str) -> None:
    file = desk.root / "configs/shop/kubeconfig"
    file.write_bytes(encrypt(f"kind: Config\n{text}\n".encode(), KEY))
    assert "hunter2" not in refused(desk, f"{file}:", "malformed YAML", CODESHIP_AES_KEY=KEY.text)


def test_where_the_key_is_looked_for(tmp_path: Path) -> None:
    found = key_folders("/configs/**/kubeconfig{,.yaml}", Path("/manifests"), tmp_path)
    assert found == [tmp_path, Path("/configs"), Path("/")]
    found = key_folders("clusters/*/kubeconfig", Path("out/generated"), tmp_path)
    assert found == [tmp_path, tmp_path / "clusters", tmp_path / "out"]
    assert key_folders("one/kubeconfig", Path("m"), tmp_path)[1] == tmp_path / "one"


def test_allowed_failures_are_told_and_do_not_fail_the_run(desk: Desk) -> None:
    """The cluster of this desk is dead."""
    reports = desk.root / "reports"
    for env, noted in (({"KIT_ALLOW_FAILURE": "shop"}, {}), ({}, {"kit-deployer/allow-failure": "true"})):
        desk.kubeconfig("shop", metadata={"name": "shop", "annotations": noted})
        code, log = desk.run(**env, KIT_REPORT_DIR=str(reports))
        assert code == 0, log
        assert "The API server cannot be reached" in log
        assert "[shop] warning: it failed, and may" in log
        found = json.loads((reports / "report.json").read_text())
        assert (found["exit_code"], found["result"]) == (0, "unchanged")
        assert [(one["may_fail"], one["exit_code"]) for one in found["clusters"]] == [(True, 1)]
    desk.kubeconfig("shop", metadata={"name": "shop", "annotations": {"kit-deployer/allow-failure": "false"}})
    assert desk.run()[0] == 1
    code, log = desk.run(KIT_ALLOW_FAILURE="shopp")
    assert code == 1
    assert "KIT_ALLOW_FAILURE names shopp, and this run deploys to no such cluster" in log


def test_an_allowed_failure_does_not_allow_those_of_others(desk: Desk) -> None:
    cluster = {"server": "https://127.0.0.1:2"}
    desk.kubeconfig("west", metadata={"name": "west"}, clusters=[{"name": "east", "cluster": cluster}])
    desk.write("manifests/west/a.yaml", "")
    assert desk.run(KIT_ALLOW_FAILURE="west")[0] == 1
    assert desk.run(KIT_ALLOW_FAILURE="west,shop")[0] == 0
    refused(desk, "malformed YAML", KIT_ALLOW_FAILURE="west,shop", MANIFESTS_DIR=broken(desk))


def broken(desk: Desk) -> str:
    """Wrong input is nobody's failure: it is found before any cluster is touched."""
    desk.write("broken/shop/a.yaml", "a: b: c\n")
    return str(desk.root / "broken")
