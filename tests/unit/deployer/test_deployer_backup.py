# SPDX-License-Identifier: MIT
"""Backups: names, forms and secrets of the copies; what was kept is told, and a bucket that fails costs nothing."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kit_core.ci import NONE
from kit_core.console import Console
from kit_core.errors import InputError, Interrupted
from kit_core.secrets import Masker, Secret
from kit_core.settings import load_settings
from kit_core.step import Context
from kit_core.yamlio import load_document
from kit_deployer.backup import keeper as keeping
from kit_deployer.backup.bucket import Bucket, Where
from kit_deployer.backup.copies import as_json, as_yaml, holds_secrets, name_of
from kit_deployer.backup.credentials import Keys
from kit_deployer.backup.keeper import Keeper
from kit_deployer.listeners.chosen import listener_of, over
from kit_deployer.listeners.listener import Applied, Nobody, Several
from kit_deployer.objects import Key
from kit_deployer.result import RunResult
from kit_deployer.settings import DeployerSettings
from tests.unit.deployer.desk import Desk, refused
from tests.unit.deployer.storage import KEYS, at, refusal, service

OVER = RunResult(clusters=(), dry_run=False, started="2026-11-23T12:00:00+00:00", seconds=1.0)


def name(group: str, kind: str, namespace: str, own: str) -> str:
    return name_of(Key(group, kind, namespace, own), cluster="east", namespace="shop", form="yaml")


def test_names_are_those_of_the_original_and_no_two_objects_share_one() -> None:
    assert name("apps", "Deployment", "shop", "web") == "east/Deployment/web.yaml"
    assert name("", "Namespace", "", "shop") == "east/Namespace/shop.yaml"
    found = [
        name("", "Service", "shop", "web"),
        name("", "Service", "other", "web"),
        name("", "Service", "shop", "other.web"),
        name("serving.knative.dev", "Service", "shop", "web"),
        name("networking.k8s.io", "Ingress", "shop", "web"),
    ]
    assert len(set(found)) == len(found)
    assert found[1] == "east/Service/other/web.yaml"
    assert found[3] == "east/Service.serving.knative.dev/web.yaml"
    assert found[4] == "east/Ingress/web.yaml"


def test_a_copy_says_what_was_sent_to_whoever_reads_it() -> None:
    body = {"kind": "ConfigMap", "data": {"a": "yes", "b": "0644", "c": "1:30", "d": "x\ny: ü\n", "e": "~", "f": "1e3"}}
    assert load_document(as_yaml(body), name="copy").value == body
    assert json.loads(as_json(body)) == body


def test_what_holds_secrets() -> None:
    assert holds_secrets({"apiVersion": "v1", "kind": "Secret"}, ())
    assert not holds_secrets({"apiVersion": "example.com/v1", "kind": "Secret"}, ())
    body = {"kind": "Deployment", "spec": {"env": [{"value": "x"}]}}
    assert holds_secrets(body, ["/spec/env/0/value"])
    assert not holds_secrets(body, ["/spec/env/1/value"])


class Log:
    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.console = Console(stderr=self.stream, stdout=io.StringIO(), env={}, provider=NONE, masker=Masker())

    @property
    def text(self) -> str:
        return self.stream.getvalue()


def applied(number: int, kind: str = "ConfigMap") -> Applied:
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": f"c{number}"}}
    return Applied(cluster="east", namespace="shop", key=Key("", kind, "shop", f"c{number}"), body=body)


def keeper(log: Log, where: Where, **facts: Any) -> Keeper:
    bucket = Bucket(where, env={}, ca_cert=None, secret_found=lambda _: None)
    return Keeper(bucket, **{"form": "yaml", "secrets": False, "encrypted": True, "console": log.console, **facts})


def test_what_was_kept_and_what_was_left_out_is_told() -> None:
    log = Log()
    with service() as server:
        kept = keeper(log, at(server))
        for number in range(5):
            Several([kept]).applied(applied(number))
        kept.applied(applied(7, "Secret"))
        told = kept.over(OVER)
    assert sorted(server.paths("PUT")) == [f"/backups/east/ConfigMap/c{number}.yaml" for number in range(5)]
    assert "backups: 5 manifests written to s3://backups" in log.text
    assert (
        "backups: left out for the secrets in them: east: Secret shop/c7 (KIT_BACKUP_SECRETS=true keeps them)" in told
    )
    assert any("does not say that it encrypts" in text for text in told)
    with service() as server:
        server.gives["x-amz-server-side-encryption"] = "AES256"
        kept = keeper(log, at(server), secrets=True)
        kept.applied(applied(7, "Secret"))
        assert kept.over(OVER) == []
    assert server.paths("PUT") == ["/backups/east/Secret/c7.yaml"]


def test_a_bucket_that_is_not_there_is_asked_few_times_and_what_is_missing_is_counted() -> None:
    log = Log()
    with service(lambda *_: (404, refusal("NoSuchBucket"))) as server:
        kept = keeper(log, at(server))
        for number in range(200):
            kept.applied(applied(number))
        told = kept.over(OVER)
    assert len(server.asked) <= 2 * keeping.WRITERS
    assert len(told) == 1
    assert told[0].startswith("backups: 200 of 200 manifests are not in s3://backups (east: ConfigMap shop/c")
    assert "NoSuchBucket: the bucket does not exist" in told[0]
    assert log.text.count("warning") <= 3
    assert "no more are tried" in log.text


def test_a_bucket_that_hangs_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "END_SECONDS", 0.1)
    go_on = threading.Event()

    def hang(*_: object) -> tuple[int, str]:
        go_on.wait(20)
        return 200, ""

    log = Log()
    with service(hang) as server:
        try:
            kept = keeper(log, at(server))
            for number in range(9):
                kept.applied(applied(number))
            told = kept.over(OVER)
        finally:
            go_on.set()
    assert told == ["backups: 9 of 9 manifests are not in s3://backups: the bucket takes too long"]


def test_nothing_applied_asks_nobody() -> None:
    log = Log()
    kept = keeper(log, Where(bucket="kit", endpoint="http://127.0.0.1:1", keys=KEYS))
    assert kept.over(OVER) == []
    assert log.text == ""


@pytest.mark.parametrize(
    ("where", "why"),
    [
        (Where(bucket="No_Bucket"), "AWS_BUCKET='No_Bucket' is no name of a bucket"),
        (Where(bucket="kit", keys=Keys(access_key="A")), "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY"),
        (Where(bucket="kit", keys=Keys(secret_key=Secret("s"))), "AWS_SECRET_ACCESS_KEY is set without"),
        (Where(bucket="kit", endpoint="s3.example.com"), "AWS_ENDPOINT_URL is no http or https address"),
        (Where(bucket="kit", endpoint="https://u:p@host"), "AWS_ENDPOINT_URL is no http or https address"),
    ],
)
def test_what_can_never_work_is_refused_first(where: Where, why: str) -> None:
    with pytest.raises(InputError, match=why):
        Bucket(where, env={}, ca_cert=None, secret_found=lambda _: None)


def test_settings_that_cannot_work_end_the_run_before_anything_is_touched(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    refused(desk, "AWS_BUCKET is not set", BACKUP_ENABLED="true")
    refused(desk, "without AWS_SECRET_ACCESS_KEY", BACKUP_ENABLED="true", AWS_BUCKET="kit", AWS_ACCESS_KEY_ID="a")
    refused(desk, "SAVE_FORMAT", BACKUP_ENABLED="true", AWS_BUCKET="kit", SAVE_FORMAT="toml")


def test_a_signal_while_backups_are_waited_for_leaves_the_reports() -> None:
    """The deploy is done by then: what became of it must not be lost."""

    class Waits(Nobody):
        def over(self, result: RunResult) -> Sequence[str]:
            raise Interrupted(15)

    ended = over(OVER, Waits())
    assert (ended.word, ended.exit_code) == ("interrupted", 143)


@pytest.mark.parametrize(("prefix", "token"), [("", "ambient"), ("KIT_", None)])
def test_keys_of_kits_own_are_not_mixed_with_those_of_a_kubeconfigs_program(prefix: str, token: str | None) -> None:
    """A program that logs in to a cluster has AWS' variables, and the bucket may be another account's."""
    with service() as server:
        env = {
            "BACKUP_ENABLED": "true",
            "DRY_RUN": "false",
            "AWS_BUCKET": "kit",
            "AWS_REGION": "x-y",
            "AWS_ENDPOINT_URL": server.url,
            "AWS_SESSION_TOKEN": "ambient",
            f"{prefix}AWS_ACCESS_KEY_ID": "AKIAKIT",
            f"{prefix}AWS_SECRET_ACCESS_KEY": "hunter2-secret",
        }
        log = Log()
        loaded = load_settings(DeployerSettings, env)
        context = Context(
            env=env, console=log.console, stdout=io.StringIO(), stop=threading.Event(), masker=Masker(),
            cwd=Path(), debug=False, given=loaded.given,
        )  # fmt: skip
        listener = listener_of(loaded.settings, context)
        listener.applied(applied(1))
        listener.over(OVER)
        assert server.asked[0][2].get("x-amz-security-token") == token
