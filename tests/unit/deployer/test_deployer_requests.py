# SPDX-License-Identifier: MIT
"""How requests are sent again, kinds found, selectors read (tests/cluster has the real server)."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from kit_core.errors import WorkError
from kit_deployer import parallel
from kit_deployer.health.model import Cause, Finding
from kit_deployer.inputs.targets import expand_braces, matching_files
from kit_deployer.objects import GroupKind
from kit_deployer.rollout.waiting import read_log
from kit_deployer.selectors import from_label_selector, parse_selector
from kit_deployer.server.cluster import Cluster
from kit_deployer.server.discovery import Kinds, Resource, aggregated_resources, listed_resources
from kit_deployer.server.failures import ApiError, Stopped
from kit_deployer.server.sending import Backoff, Pace

PODS = Resource("", "v1", "Pod", "pods", namespaced=True)


class Answer:
    def __init__(self, status: int, body: Any = None, **headers: str) -> None:
        self.status = status
        self.headers = headers
        self.data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()


class Line:
    """What a `Connection` is to a `Cluster`, its answers written down beforehand."""

    server = "https://x"

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.sent: list[str] = []
        self.credentials = self
        self.renewed = 0

    def send(self, method: str, path: str, **_options: Any) -> tuple[Answer, str]:
        self.sent.append(f"{method} {path}")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer, "old"

    def renew(self, refused: str) -> bool:
        assert refused == "old"
        self.renewed += 1
        return self.renewed == 1


class Waits(threading.Event):
    """A stop event that never waits and remembers for how long it should have."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(round(timeout or 0, 1))
        return self.is_set()


def cluster(line: Line, stop: threading.Event | None = None, **backoff: Any) -> Cluster:
    options: Any = {"tries": 3, "first": 1.0, "longest": 3.0, **backoff}
    given: Any = line
    return Cluster("east", given, backoff=Backoff(**options), stop=stop or Waits(), clock=float)


def test_backoff_doubles_up_to_its_longest() -> None:
    assert [Backoff(10, 1, 30).delay(number) for number in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_overload_is_tried_again(status: int) -> None:
    waits = Waits()
    line = Line(Answer(status), Answer(status), Answer(200, {"ok": True}))
    assert cluster(line, waits).get(PODS, "shop", "a") == {"ok": True}
    assert len(line.sent) == 3
    first, second = waits.seconds
    assert 0.9 <= first <= 1.1
    assert 1.8 <= second <= 2.2


def test_an_inner_error_is_tried_again_a_few_times_and_a_broken_webhook_is_named_at_once() -> None:
    leader = Answer(500, {"message": "etcdserver: leader changed"})
    assert cluster(Line(leader, Answer(200, {"ok": True}))).get(PODS, "shop", "a") == {"ok": True}
    line = Line(*[leader] * 9)
    with pytest.raises(ApiError, match="leader changed"):
        cluster(line, tries=8).get(PODS, "shop", "a")
    assert len(line.sent) == 4
    # The second is the server's word for a manifest with a text where a number belongs.
    for message in ("failed calling webhook: no endpoints", "failed to create typed patch object (shop/a)"):
        line = Line(Answer(500, {"message": message}))
        with pytest.raises(ApiError, match=re.escape(message)):
            cluster(line).get(PODS, "shop", "a")
        assert len(line.sent) == 1


def test_a_server_gets_so_many_requests_a_second_and_no_more() -> None:
    times = [0.0]
    pace = Pace(100, lambda: times[0])
    for moment in (0.0, 100.0):  # at the beginning and after a rest some may go at once
        times[0] = moment
        waits = [round(pace.wait(), 3) for _ in range(14)]
        assert waits == [*[0.0] * 10, 0.01, 0.02, 0.03, 0.04]
    assert Pace(0, lambda: 0.0).wait() == 0


@pytest.mark.parametrize("status", [400, 403, 409, 422])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    line = Line(Answer(status, {"message": "no, because", "reason": "Why"}))
    with pytest.raises(ApiError, match=r"east: Reading Pod a was refused: .*no, because") as caught:
        cluster(line).get(PODS, "shop", "a")
    assert (caught.value.status, caught.value.reason) == (status, "Why")
    assert len(line.sent) == 1


def test_tries_come_to_an_end() -> None:
    line = Line(*[Answer(503, {"message": "overloaded"})] * 9)
    with pytest.raises(ApiError, match="HTTP 503, overloaded"):
        cluster(line).get(PODS, "shop", "a")
    assert len(line.sent) == 4


def test_a_log_that_cannot_be_had_is_a_note_and_soon() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "shop"}}
    finding = Finding(Cause("CrashLoopBackOff", "ended", 0.0, container="main", logs="previous"), pod)
    line = Line(*[ConnectionRefusedError(111, "Connection refused")] * 9)
    assert read_log(cluster(line), finding, 25) == (
        "", "the log of pod a cannot be read: https://x: connection refused (tried 2 times)"
    )  # fmt: skip
    assert len(line.sent) == 2


def test_connections_that_fail_are_tried_again_and_then_named() -> None:
    error = ConnectionRefusedError(111, "Connection refused")
    with pytest.raises(WorkError) as caught:
        cluster(Line(*[error] * 4)).get(PODS, "shop", "a")
    assert str(caught.value) == (
        "east: The API server cannot be reached: https://x: connection refused (tried 4 times). Check the address"
        " in the kubeconfig, that the server runs, and that the network leads there."
    )


@pytest.mark.parametrize(("asked", "waited"), [(60, 60), (86_400, 120)])
def test_what_a_server_asks_for_counts_more_than_the_longest_pause(asked: int, waited: int) -> None:
    waits = Waits()
    cluster(Line(Answer(429, **{"Retry-After": str(asked)}), Answer(200, {})), waits).get(PODS, "shop", "a")
    assert 0.9 * waited <= waits.seconds[0] <= 1.1 * waited


def test_retry_after_holds_back_all_connections() -> None:
    waits = Waits()
    line = Line(Answer(429, **{"Retry-After": "2"}), Answer(200, {}))
    one = cluster(line, waits)
    one.get(PODS, "shop", "a")
    assert 1.8 <= waits.seconds[0] <= 2.2
    assert waits.seconds[1] == 2, "whoever comes next waits its turn as well"


def test_a_stop_ends_waiting_and_begins_nothing() -> None:
    waits = Waits()
    waits.set()
    with pytest.raises(Stopped):
        cluster(Line(), waits).get(PODS, "shop", "a")


def test_a_refused_token_is_renewed_once() -> None:
    line = Line(Answer(401), Answer(200, {"ok": True}))
    assert cluster(line).get(PODS, "shop", "a") == {"ok": True}
    line = Line(Answer(401), Answer(401, {"message": "who are you"}))
    with pytest.raises(ApiError, match=r"who are you.*renew them"):
        cluster(line).get(PODS, "shop", "a")


def test_not_found_and_login_pages() -> None:
    assert cluster(Line(Answer(404, {"reason": "NotFound"}))).get(PODS, "shop", "a") is None
    with pytest.raises(WorkError, match=r"something else than JSON.*login page"):
        cluster(Line(Answer(200, b"<html>"))).get(PODS, "shop", "a")


def test_lists_come_in_pages() -> None:
    line = Line(
        Answer(200, {"items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "next"}}),
        Answer(200, {"items": [{"metadata": {"name": "b"}}], "metadata": {"resourceVersion": "7"}}),
    )
    items, version = cluster(line).list_all(PODS, "shop")
    assert [(item["kind"], item["metadata"]["name"]) for item in items] == [("Pod", "a"), ("Pod", "b")]
    assert version == "7"
    assert line.sent == [
        "GET /api/v1/namespaces/shop/pods?limit=500",
        "GET /api/v1/namespaces/shop/pods?limit=500&continue=next",
    ]


def test_discovery_at_once_and_one_by_one() -> None:
    at_once = {
        "kind": "APIGroupDiscoveryList",
        "items": [{"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [
            {"resource": "deployments", "responseKind": {"kind": "Deployment"}, "scope": "Namespaced"}]}]}],
    }  # fmt: skip
    kinds = Kinds(aggregated_resources(at_once))
    found = kinds.find("apps/v1", "Deployment")
    assert found == Resource("apps", "v1", "Deployment", "deployments", namespaced=True)
    assert found.path("shop", "web", "status") == "/apis/apps/v1/namespaces/shop/deployments/web/status"
    assert kinds.find("apps/v1beta1", "Deployment") is None
    assert kinds.versions(GroupKind("apps", "Deployment")) == ["apps/v1"]
    listed = {"resources": [
        {"name": "nodes", "kind": "Node", "namespaced": False},
        {"name": "nodes/status", "kind": "Node", "namespaced": False},
    ]}  # fmt: skip
    assert list(listed_resources(listed, "v1")) == [Resource("", "v1", "Node", "nodes", namespaced=False)]
    old = Line(
        Answer(200, {"kind": "APIVersions"}), Answer(200, {"kind": "APIGroupList"}), Answer(404), Answer(200, listed)
    )
    assert cluster(old).discover({"broken.example.com/v1"}).find("v1", "Node")


def test_kinds_that_the_run_defines() -> None:
    definition = {"spec": {"group": "example.com", "scope": "Cluster", "names": {"kind": "Widget", "plural": "widgets"},
                           "versions": [{"name": "v1", "served": True}, {"name": "v0", "served": False}]}}  # fmt: skip
    kinds = Kinds([]).with_definitions([definition])
    found = kinds.find("example.com/v1", "Widget")
    assert found is not None
    assert found.path("ignored", "w") == "/apis/example.com/v1/widgets/w"
    assert kinds.find("example.com/v0", "Widget") is None


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        ("a=b", {"a": "b"}, True),
        ("a==b", {"a": "c"}, False),
        ("a!=b", {}, True),
        ("a != b, c", {"a": "x", "c": ""}, True),
        ("a in (b, c)", {"a": "c"}, True),
        ("a notin (b,c)", {"a": "c"}, False),
        ("a notin (b,c)", {}, True),
        ("!a", {"a": "b"}, False),
        ("! a,b=", {"b": ""}, True),
        ("app.kubernetes.io/name=web,tier in (x)", {"app.kubernetes.io/name": "web", "tier": "x"}, True),
        ("inn", {"inn": "x"}, True),
    ],
)
def test_selectors(selector: str, labels: dict[str, str], matches: bool) -> None:
    assert parse_selector(selector).matches(labels) is matches


@pytest.mark.parametrize("text", ["", "a=b,", ",a", "a in b", "a=b=c", "a in (b", "(a)", "a b"])
def test_what_is_no_selector(text: str) -> None:
    with pytest.raises(ValueError, match=r"label selector"):
        parse_selector(text)


def test_selectors_of_objects() -> None:
    expressions = [
        {"key": "a", "operator": "In", "values": ["b"]},
        {"key": "c", "operator": "DoesNotExist"},
        {"key": "d", "operator": "Exists"},
        {"key": "e", "operator": "NotIn", "values": ["f"]},
    ]
    selector = from_label_selector({"matchLabels": {"x": "y"}, "matchExpressions": expressions})
    assert selector.matches({"x": "y", "a": "b", "d": ""})
    assert not selector.matches({"x": "y", "a": "b"})
    assert not selector.matches({"x": "y", "a": "b", "d": "", "c": ""})


def test_globs(tmp_path: Path) -> None:
    assert sorted(expand_braces("/a/{b,c{d,e}}/f{,.g}")) == [
        "/a/b/f", "/a/b/f.g", "/a/cd/f", "/a/cd/f.g", "/a/ce/f", "/a/ce/f.g"]  # fmt: skip
    assert expand_braces("/{a}/b") == ["/{a}/b"]
    for name in ("kubeconfig", "one/kubeconfig.yaml", "one/two/kubeconfig.yml", "one/other", ".hidden/kubeconfig"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found = matching_files(f"{tmp_path}/**/kubeconfig{{,.yaml,.yml}}")
    assert [str(path.relative_to(tmp_path)) for path in found] == [
        "kubeconfig", "one/kubeconfig.yaml", "one/two/kubeconfig.yml"]  # fmt: skip


def test_side_by_side() -> None:
    assert parallel.each(lambda number: number * 2, range(50), workers=4, name="x") == list(range(0, 100, 2))
    assert parallel.each(lambda number: number, [], workers=4, name="x") == []
    begun: list[int] = []

    def fail(number: int) -> None:
        begun.append(number)
        raise ValueError(str(number))

    with pytest.raises(ValueError, match="0"):
        parallel.each(fail, range(50), workers=1, name="x")
    assert begun == [0]
