# SPDX-License-Identifier: MIT
"""Backups: names, forms and secrets of the copies; as whom they are written; what a bucket that fails costs.

What a real S3 server makes of them is in tests/cluster/test_backup.py. Here AWS' other services answer: those that hand
out credentials.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kit_core.ci import NONE
from kit_core.console import Console
from kit_core.errors import InputError, Interrupted
from kit_core.secrets import Masker, Secret
from kit_core.settings import load_settings
from kit_core.step import Context
from kit_core.yamlio import load_document
from kit_deployer.backup import keeper as keeping
from kit_deployer.backup.bucket import Bucket, Unsaved, Where
from kit_deployer.backup.copies import Copy, as_json, as_yaml, holds_secrets, name_of
from kit_deployer.backup.credentials import Keys
from kit_deployer.backup.keeper import Keeper
from kit_deployer.listeners.chosen import listener_of, over
from kit_deployer.listeners.listener import Applied, Nobody, Several
from kit_deployer.objects import Key
from kit_deployer.result import RunResult
from kit_deployer.settings import DeployerSettings
from tests.unit.deployer.desk import Desk, refused

OVER = RunResult(clusters=(), dry_run=False, started="2026-11-23T12:00:00+00:00", seconds=1.0)
COPY = Copy("shop/ConfigMap/a.yaml", "a: 1\n", "application/yaml", "shop: ConfigMap shop/a")
KEYS = Keys(access_key="AKIAKIT", secret_key=Secret("hunter2-secret"))


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


# What answers


@dataclass
class Service:
    """Answers with `answer(method, path, headers, body)`; keeps what it was asked."""

    answer: Callable[[str, str], tuple[int, str]] = lambda _method, _path: (200, "")
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    port: int = 0
    gives: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paths(self, method: str) -> list[str]:
        return [path for way, path, _ in self.asked if way == method]


@contextmanager
def service(answer: Callable[[str, str], tuple[int, str]] | None = None) -> Iterator[Service]:
    state = Service()
    if answer:
        state.answer = answer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
            status, text = state.answer(self.command, self.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            for header, value in state.gives.items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_PUT = do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


def refusal(code: str) -> str:
    return f"<Error><Code>{code}</Code><Message>No.</Message></Error>"


def handed_out(action: str) -> str:
    return (
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><Credentials>'
        "<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey>"
        "<SessionToken>role-session</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        f"</{action}Result></{action}Response>"
    )


DOCUMENT = json.dumps(
    {
        "Code": "Success",
        "AccessKeyId": "ASIAHOST",
        "SecretAccessKey": "host-secret",
        "Token": "host-session",
        "Expiration": "2099-01-01T00:00:00Z",
    }
)


def put(where: Where, env: dict[str, str] | None = None, masker: Masker | None = None, copy: Copy = COPY) -> bool:
    secret_found = (masker or Masker()).add
    return Bucket(where, env=env or {}, ca_cert=None, secret_found=secret_found).put(copy)


def at(server: Service, **facts: Any) -> Where:
    return Where(bucket="backups", endpoint=server.url, region="eu-central-1", **{"keys": KEYS, **facts})


# What is sent


def test_the_server_is_asked_to_encrypt_and_believed_only_if_it_says_so() -> None:
    with service() as server:
        assert put(at(server)) is False
        server.gives["x-amz-server-side-encryption"] = "AES256"
        assert put(at(server)) is True
        put(at(server, encryption="aws:kms"))
        put(at(server, encryption="none"))
    asked = [headers.get("x-amz-server-side-encryption") for _, _, headers in server.asked]
    assert asked == ["AES256", "AES256", "aws:kms", None]
    assert server.paths("PUT") == ["/backups/shop/ConfigMap/a.yaml"] * 4
    assert "AKIAKIT" in server.asked[0][2]["authorization"]
    assert "eu-central-1/s3/aws4_request" in server.asked[0][2]["authorization"]
    assert server.asked[0][2]["content-type"] == "application/yaml"


@pytest.mark.parametrize(
    ("status", "text", "why", "hopeless"),
    [
        (404, refusal("NoSuchBucket"), "NoSuchBucket: the bucket does not exist", True),
        (403, refusal("AccessDenied"), "AccessDenied: these credentials may not write there", True),
        (403, refusal("SignatureDoesNotMatch"), "does not belong to AWS_ACCESS_KEY_ID", True),
        (501, refusal("NotImplemented"), "KIT_BACKUP_ENCRYPTION=none", True),
        (400, refusal("EntityTooLarge"), "EntityTooLarge: No.", False),
        (302, "", "the answer is none that S3 gives", False),
        (418, "<html>I'm a teapot", "the answer is none that S3 gives", False),
    ],
)
def test_refusals_are_told_in_sentences(status: int, text: str, why: str, hopeless: bool) -> None:
    with service(lambda _method, _path: (status, text)) as server, pytest.raises(Unsaved) as error:
        put(at(server))
    assert why in str(error.value)
    assert error.value.hopeless is hopeless
    assert len(server.asked) == 1


def test_what_passes_is_asked_again_and_what_is_gone_is_told() -> None:
    answers = [(503, refusal("SlowDown")), (500, "")]
    with service(lambda _method, _path: answers.pop(0) if answers else (200, "")) as server:
        put(at(server))
        gone = server.url
    assert len(server.paths("PUT")) == 3
    with pytest.raises(Unsaved, match="the connection was refused"):
        put(Where(bucket="backups", endpoint=gone, region="x-y", keys=KEYS))


def test_a_proxy_is_asked_unless_it_is_not_to_be() -> None:
    with service() as proxy:
        env = {"HTTP_PROXY": proxy.url, "NO_PROXY": "elsewhere.example.com"}
        put(Where(bucket="kit", endpoint="http://s3.example.com", region="x-y", keys=KEYS), env)
        assert proxy.paths("PUT") == ["http://s3.example.com/kit/shop/ConfigMap/a.yaml"]
        with service() as server:
            put(at(server), {"HTTP_PROXY": proxy.url, "NO_PROXY": "127.0.0.1"})
            assert len(server.asked) == 1
        assert len(proxy.asked) == 1


# As whom


def test_a_role_by_web_identity(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("canary-identity-token\n")
    masker = Masker()
    with service() as server, service(lambda *_: (200, handed_out("AssumeRoleWithWebIdentity"))) as sts:
        env = {
            "AWS_ROLE_ARN": "arn:aws:iam::1:role/kit",
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
            "AWS_ENDPOINT_URL_STS": sts.url,
        }
        put(at(server, keys=Keys()), env, masker)
        asked = parse_qs(urlsplit(sts.paths("POST")[0]).query)
        assert asked["RoleArn"] == ["arn:aws:iam::1:role/kit"]
        assert asked["WebIdentityToken"] == ["canary-identity-token"]
        assert asked["RoleSessionName"] == ["kit-deployer"]
        sent = server.asked[0][2]
        assert "ASIAROLE" in sent["authorization"]
        assert sent["x-amz-security-token"] == "role-session"
        # One that is refused is no other identity's turn; and the library's words would hold the token.
        sts.answer = lambda *_: (403, "")
        with pytest.raises(Unsaved, match=r"no credentials: the role \(AWS_ROLE_ARN\): .* status code 403") as error:
            put(at(server, keys=Keys()), env, masker)
        assert error.value.hopeless
        assert "canary" not in str(error.value)
        token.unlink()
        with pytest.raises(Unsaved, match=r"the token file .* cannot be read"):
            put(at(server, keys=Keys()), env, masker)
        assert len(server.asked) == 1


def test_a_profile(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(
        "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = canary%secret\n"
    )
    (tmp_path / ".aws/config").write_text(
        "[profile backup]\naws_access_key_id=AKIACONF\naws_secret_access_key=x\n[profile sso]\nsso_session=a\n"
    )
    masker = Masker()
    with service() as server:
        home = {"HOME": str(tmp_path)}
        put(at(server, keys=Keys()), home, masker)
        put(at(server, keys=Keys()), {**home, "AWS_PROFILE": "backup"}, masker)
        with pytest.raises(Unsaved, match=r"the profile sso .* are not read"):
            put(at(server, keys=Keys()), {**home, "AWS_PROFILE": "sso"}, masker)
        (tmp_path / ".aws/credentials").write_text("canary no section\n")
        with pytest.raises(Unsaved, match="cannot be read as a file of AWS profiles") as error:
            put(at(server, keys=Keys()), home, masker)
        assert "canary" not in str(error.value)
    asked = [headers["authorization"] for _, _, headers in server.asked]
    assert ["AKIAFILE" in asked[0], "AKIACONF" in asked[1], len(asked)] == [True, True, 2]
    assert masker.mask("canary%secret") == "***"


def test_a_containers_and_a_machines_credentials_are_asked_for_directly(tmp_path: Path) -> None:
    """No proxy stands between a machine and its own host, whatever the environment says of others."""
    (tmp_path / "token").write_text("pod-token")
    away = {"HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.2"}

    def machine(method: str, path: str) -> tuple[int, str]:
        if path.endswith("/api/token"):
            return (200, "imds-token") if method == "PUT" else (405, "")
        return 200, "kit-role" if path.endswith("/security-credentials/") else DOCUMENT

    with service(lambda *_: (200, DOCUMENT)) as host, service(machine) as imds, service() as server:
        local = {**away, "NO_PROXY": f"127.0.0.1:{server.port}"}
        env = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{host.url}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
        }
        put(at(server, keys=Keys()), {**local, **env})
        assert host.asked[0][2]["authorization"] == "pod-token"
        put(at(server, keys=Keys()), {**local, "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.url})
        assert imds.paths("PUT") == ["/latest/api/token"]
        assert imds.asked[-1][2]["x-aws-ec2-metadata-token"] == "imds-token"
        assert [headers["x-amz-security-token"] for _, _, headers in server.asked] == ["host-session"] * 2
        with pytest.raises(Unsaved, match="nor a role or a profile is set"):
            put(at(server, keys=Keys()), {"AWS_EC2_METADATA_DISABLED": "true"})


# What it costs


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
