# SPDX-License-Identifier: MIT
"""Webhooks: the original's payload and Slack's message, over real HTTP, and never a reason to fail."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from kit_core.ci import NONE
from kit_core.console import Console
from kit_core.errors import InputError
from kit_core.http import Limits
from kit_core.secrets import Masker, Secret
from kit_deployer.listeners import webhooks as telling
from kit_deployer.listeners.original import news_of
from kit_deployer.listeners.slack import slack
from kit_deployer.listeners.webhooks import Addresses, Teller
from kit_deployer.objects import Key
from kit_deployer.result import ClusterResult, Failure, ObjectResult, RunResult
from tests.unit.deployer.desk import Desk
from tests.unit.deployer.fleets import deployment, hostile, large, shop
from tests.unit.deployer.receiver import Receiver, receiver

CANARY = "canary-T0KEN-of-a-webhook"


class Log:
    def __init__(self) -> None:
        self.masker = Masker()
        self.stream = io.StringIO()
        self.console = Console(stderr=self.stream, stdout=io.StringIO(), env={}, provider=NONE, masker=self.masker)

    @property
    def text(self) -> str:
        return self.stream.getvalue()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "_PAUSE_SECONDS", 0.01)


def teller(log: Log, *urls: str, env: Mapping[str, str] | None = None, **facts: Any) -> Teller:
    return Teller(
        Addresses(webhooks=urls, **facts), console=log.console, masker=log.masker, env=env or {}, ca_cert=None
    )


def item(name: str, did: Any = "changed", **facts: Any) -> ObjectResult:
    return ObjectResult(key=deployment(name, "shop"), did=did, told_as=name, **facts)


def cluster(name: str, *items: ObjectResult, **facts: Any) -> ClusterResult:
    return ClusterResult(name=name, server=f"https://{name}", namespace="shop", objects=items, **facts)


def run(*clusters: ClusterResult, **facts: Any) -> RunResult:
    return RunResult(clusters=clusters, dry_run=False, started="2026-11-23T12:00:00+00:00", seconds=4.0, **facts)


WEST, EAST = cluster("west", item("web", health="ready")), cluster("east", item("web", health="ready"))
BAD = cluster(
    "east", item("web", health="failed"),
    failures=(Failure(message="east: Deployment shop/web failed: ErrImagePull", object=WEST.objects[0].key),),
)  # fmt: skip


def test_the_payload_is_the_originals_key_for_key(log: Log, server: Receiver) -> None:
    tell = teller(log, f"{server.url}/hooks", uuid="u-1", revert=True)
    tell.begin(["east", "west"])
    tell.began("web")
    tell.began("web")
    tell.cluster_over(EAST)
    tell.cluster_over(WEST)
    tell.over(run(EAST, WEST))
    started, completed = server.told("/hooks/web")
    none = {"total": 2, "completed": 0, "found": ["east", "west"], "remaining": ["east", "west"], "successful": [],
            "failed": []}  # fmt: skip
    assert started == {
        "uuid": "u-1", "name": "kubernetes-deploy", "provider": "CodeShip/Kubernetes",
        "build": {
            "phase": "STARTED", "status": "IN_PROGRESS", "progress": {"percent": 0, "clusters": none}, "scm": {},
            "parameters": {"REVERT": "true"}, "artifacts": {},
        },
    }  # fmt: skip
    assert (completed["build"]["phase"], completed["build"]["status"]) == ("COMPLETED", "SUCCESS")
    assert completed["build"]["progress"]["percent"] == 1
    assert completed["build"]["progress"]["clusters"]["successful"] == ["east", "west"]
    assert server.headers[0]["Content-Type"] == "application/json"
    assert log.text == ""


def test_one_cluster_that_fails_fails_the_resource_everywhere(log: Log, server: Receiver) -> None:
    tell = teller(log, server.url)
    tell.begin(["east", "west"])
    tell.began("web")
    tell.over(run(BAD, WEST))
    completed = server.told("/web")[-1]
    assert completed["uuid"] is None
    assert completed["build"]["status"] == "FAILURE"
    assert completed["build"]["reason"] == "east: Deployment shop/web failed: ErrImagePull"
    assert completed["build"]["progress"]["clusters"]["failed"] == ["east"]
    assert completed["build"]["parameters"] == {"REVERT": "false"}


def test_what_did_not_come_to_its_turn_has_failed_and_what_was_there_is_no_news() -> None:
    stopped = cluster("east", item("web", "not done"), finished=False)
    news = {
        each.name: each for each in news_of(run(stopped, WEST, cluster("x", item("same", "unchanged", health="ready"))))
    }
    assert list(news) == ["web"]
    assert news["web"].status == "FAILURE"
    assert news["web"].reason == "east: Deployment shop/web was not done"
    again = cluster("east", item("old", "unchanged", health="failed", health_why="CrashLoopBackOff"))
    assert [(each.name, each.status) for each in news_of(run(again))] == [("old", "FAILURE")]


def test_every_address_is_told_and_names_are_quoted(log: Log, server: Receiver) -> None:
    with receiver() as second:
        tell = teller(log, server.url, f"{second.url}/")
        tell.began("a b/c")
        tell.over(run())
        assert [path for path, _ in server.got] == ["/a%20b%2Fc", "/a%20b%2Fc"]
        assert server.got == second.got


@pytest.mark.parametrize("first", [503, 429, 0])
def test_what_may_pass_is_tried_once_more(log: Log, server: Receiver, first: int) -> None:
    server.answers = [first]
    tell = teller(log, server.url)
    tell.began("web")
    tell.over(run(WEST))
    assert [body["build"]["phase"] for body in server.told("/web")] == ["STARTED", "STARTED", "COMPLETED"]
    assert log.text == ""


def test_a_refusal_is_a_warning_and_not_tried_again(log: Log, server: Receiver) -> None:
    server.answers, server.words = [404], f"no such hook: /secret-path/{CANARY}/web"
    tell = teller(log, f"{server.url}/secret-path/{CANARY}")
    tell.began("web")
    tell.over(run(WEST))
    assert len(server.got) == 2
    assert f"warning: the webhook at {server.url} was not told of web (started): it answered 404" in log.text.lower()
    assert "no such hook" in log.text
    assert CANARY not in log.text


def test_a_redirect_is_not_followed(log: Log, server: Receiver) -> None:
    server.answers = [302]
    tell = teller(log, server.url)
    tell.began("web")
    tell.over(run(WEST))
    assert [path for path, _ in server.got] == ["/web", "/web"]
    assert "it answered 302" in log.text


def test_an_address_that_is_dead_is_left_alone_after_three_failures(log: Log, server: Receiver) -> None:
    server.answers = [500] * 100
    tell = teller(log, server.url)
    for number in range(20):
        tell.began(f"web-{number}")
    tell.over(run())
    assert len(server.got) == 6
    assert log.text.count("was not told of") == 4
    assert "as it failed 3 times before" in log.text


def test_nobody_waits_long_for_a_server_that_hangs(log: Log, server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "END_SECONDS", 0.1)
    server.holds = True
    tell = teller(log, server.url)
    tell.began("web")
    tell.over(run(WEST))
    assert "the webhooks take too long" in log.text


def test_a_refused_connection_and_a_server_that_is_too_slow(
    log: Log, server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "LIMITS", Limits(read=0.05))
    server.holds = True
    tell = teller(log, server.url, "http://127.0.0.1:9/x")
    tell.began("web")
    tell.over(run())
    assert f"{server.url} was not told of web (started): it did not answer in time" in log.text
    assert "http://127.0.0.1:9 was not told of web (started): the connection was refused" in log.text


def test_a_proxy_is_used_where_the_environment_says_so(log: Log, server: Receiver) -> None:
    proxy = server.url.replace("http://", "http://me:pass-word@")
    tell = teller(log, "http://hooks.example.com/deploys", env={"HTTP_PROXY": proxy})
    tell.began("web")
    tell.over(run())
    assert server.got[0][0] == "http://hooks.example.com/deploys/web"
    assert server.headers[0]["Proxy-Authorization"].startswith("Basic ")


def test_a_login_in_the_address_is_sent_and_never_shown(log: Log, server: Receiver) -> None:
    tell = teller(log, server.url.replace("http://", f"http://me:{CANARY}@"))
    server.answers = [400]
    tell.began("web")
    tell.over(run())
    assert server.headers[0]["Authorization"].startswith("Basic ")
    assert CANARY not in log.text


def test_secrets_in_reasons_are_masked(log: Log, server: Receiver) -> None:
    log.masker.add(CANARY)
    failure = replace(BAD.failures[0], message=f"east: refused with {CANARY}", logs=CANARY)
    tell = teller(log, server.url, slack=Secret(f"{server.url}/slack"))
    tell.over(run(replace(BAD, failures=(failure,))))
    assert CANARY not in json.dumps(server.got)
    assert len(server.got) == 2
    assert server.told("/web")[0]["build"]["reason"] == "east: refused with ***"


@pytest.mark.parametrize("url", ["hooks.example.com", "ftp://x/y", "https://", "http://x:port/", "https://[x"])
def test_an_address_that_is_none_is_refused_before_anything_is_touched(log: Log, url: str) -> None:
    with pytest.raises(InputError, match="AVAILABLE_WEBHOOK holds something that is no http or https address"):
        teller(log, url)


def test_slack_gets_the_failure_first_then_numbers(log: Log, server: Receiver) -> None:
    tell = teller(log, slack=Secret(f"{server.url}/services/T0/B0/x"), job_url="https://ci.example.com/runs/7")
    tell.over(shop("production-us", "staging-eu"))
    ((path, body),) = server.got
    assert path == "/services/T0/B0/x"
    blocks = body["blocks"]
    assert blocks[0]["text"]["text"] == ":red_circle: deploy failed on 2 of 5 clusters"
    assert "CrashLoopBackOff: it ended 3 times" in blocks[1]["text"]["text"]
    assert "fatal: no payment provider after 3 attempts" in blocks[1]["text"]["text"]
    assert "the same on 2 clusters: production-us, staging-eu" in blocks[1]["text"]["text"]
    assert blocks[-1]["elements"][0]["text"].endswith("commit 4f2a91c0b7d2 · <https://ci.example.com/runs/7|log>")
    assert body["text"] == "kit-deployer: deploy failed on 2 of 5 clusters"


def test_slack_is_not_told_of_nothing(log: Log, server: Receiver) -> None:
    tell = teller(log, slack=Secret(server.url))
    tell.over(run(cluster("east", item("web", "unchanged"))))
    assert server.got == []


@pytest.mark.parametrize(
    "result", [hostile(), large(30, 40, same=False), run(error=Failure(message="<!channel> " * 900))]
)
def test_slacks_limits_and_markup(result: RunResult) -> None:
    message = slack(result)
    texts = [block["text"]["text"] for block in message["blocks"][1:-1]]
    assert len(message["blocks"]) <= 50
    assert len(message["blocks"][0]["text"]["text"]) <= 150
    assert all(0 < len(text) <= 3000 for text in texts)
    assert sum(map(len, texts)) < 12_000
    assert all(text.count("```") in {0, 2} for text in texts)
    assert not any("<" in text or ">" in text for text in (*texts, message["text"]))


def test_the_command_tells_of_a_run_that_never_began(desk: Desk, server: Receiver) -> None:
    url = f"{server.url}/services/{CANARY}"
    code, log = desk.run(DRY_RUN="false", KIT_SLACK_WEBHOOK=url, CONFIGS=str(desk.root / "nothing/*"))
    assert code == 2
    assert "No kubeconfig was found" in server.got[0][1]["blocks"][1]["text"]["text"]
    assert CANARY not in log


def test_a_dry_run_tells_nobody(desk: Desk, server: Receiver) -> None:
    desk.run(KIT_SLACK_WEBHOOK=server.url, AVAILABLE_WEBHOOK=server.url, CONFIGS=str(desk.root / "nothing/*"))
    assert server.got == []


def test_names_that_mean_one_resource_are_one() -> None:
    other = replace(item("web"), key=Key("", "Service", "shop", "web"))
    assert [each.name for each in news_of(run(cluster("east", item("web", health="ready"), other)))] == ["web"]
