# SPDX-License-Identifier: MIT
"""The source `http`, spoken to over real HTTP."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from kit_core.envfile import encrypt_value
from kit_core.keys import Key
from tests.compat.service import CUT, Service
from tests.unit.deploymentizer.workshop import KIT, Result, Workshop

KEY = Key(bytes(range(32)))
TEMPLATE = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: app}\nstringData:\n"
    "{{#app.env}}\n  {{{name}}}: '{{{value}}}'\n{{/app.env}}\n"
)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A repository of one cluster and one container."""
    workshop = Workshop(tmp_path)
    (tmp_path / "clusters/west/cluster.yaml").unlink()
    workshop.cluster("east", metadata="type: test, branch: master, region: eu")
    workshop.app(TEMPLATE, "  env: [{name: OWN, value: mine}]\n")
    return workshop


def run(
    workshop: Workshop, service: Service, path: str = "/{cluster}/{service}", options: str = "", **env: str
) -> Result:
    workshop.write({
        "kit.yaml": KIT + f"sources: [{{kind: http, name: config, url: '{service.url}{path}', timeout: 5{options}}}]\n"
    })  # fmt: skip
    return workshop.run(**env)


def test_a_service_is_asked_for_each_container(workshop: Workshop, service: Service) -> None:
    service.answers = [(200, {"env": {"A": "canary-one", "B": 2}})]
    result = run(workshop, service, "/v1/{type}/{cluster}?service={service}&of={resource}")
    assert result.code == 0, result.log
    assert result.files["east/app.yaml"].endswith("  OWN: 'mine'\n  A: 'canary-one'\n  B: '2'\n")
    assert [(path, body) for path, _, body in service.asked] == [("/v1/test/east?service=app&of=app", None)]
    assert workshop.index("east")["secrets"] == {"app.yaml": ["/stringData/A", "/stringData/B"]}
    assert "canary" not in result.log


def test_a_post_carries_the_question(workshop: Workshop, service: Service) -> None:
    service.answers = [(200, {})]
    assert run(workshop, service, "/", ", method: POST").code == 0
    ((_, headers, body),) = service.asked
    assert headers["Content-Type"] == "application/json"
    assert body["metadata"] == {"name": "east", "type": "test", "branch": "master", "region": "eu"}
    assert (body["version"], body["cluster"], body["type"], body["resource"], body["service"]) == (
        1, "east", "test", "app", "app",
    )  # fmt: skip


def test_headers_hold_variables_and_encrypted_values(workshop: Workshop, service: Service) -> None:
    service.answers = [(200, {})]
    locked = encrypt_value("canary-locked", KEY)
    options = f", headers: {{X-Plain: text, X-Token: {{env: TOKEN}}, X-Locked: '{locked}'}}"
    result = run(workshop, service, options=options, TOKEN="canary-token", CODESHIP_AES_KEY=KEY.text, DEBUG="true")
    assert result.code == 0, result.log
    ((_, headers, _),) = service.asked
    assert (headers["X-Plain"], headers["X-Token"], headers["X-Locked"]) == ("text", "canary-token", "canary-locked")
    assert "canary" not in result.log


def test_a_secret_that_the_service_throws_back_is_masked(workshop: Workshop, service: Service) -> None:
    service.answers = [(403, {"message": "canary-token is no good"})]
    result = run(workshop, service, options=", headers: {X-Token: {env: TOKEN}}", TOKEN="canary-token")
    assert result.code == 1
    assert "answered 403 (source config, container app): *** is no good" in result.log


def test_names_are_quoted_in_the_address(workshop: Workshop, service: Service) -> None:
    service.answers = [(200, {})]
    workshop.resources("app: {file: ./app/app.mustache, name: 'a b&c=%'}")
    assert run(workshop, service, "/{service}").code == 0
    assert service.asked[0][0] == "/a%20b%26c%3D%25"


def test_values_may_lie_deeper(workshop: Workshop, service: Service) -> None:
    service.answers = [(200, {"data": {"data": {"A": "one"}}})]
    result = run(workshop, service, options=", values: /data/data")
    assert "A: 'one'" in result.files["east/app.yaml"]


def test_what_is_the_same_is_asked_once_and_what_differs_side_by_side(workshop: Workshop, service: Service) -> None:
    workshop.cluster("south")
    workshop.cluster("north")
    service.together = threading.Barrier(3)
    service.answer_with = lambda path, _body: (200, {"env": {"A": path}})
    workshop.resources("app: {file: ./app/app.mustache}\nother: {svc: {name: other}}")
    result = run(workshop, service, "/{cluster}")
    assert result.code == 0, result.log
    assert sorted(path for path, _, _ in service.asked) == ["/east", "/north", "/south"]
    assert "A: '/south'" in result.files["south/app.yaml"]


@pytest.mark.parametrize("code", [204, 404])
def test_no_values_where_that_is_fine(workshop: Workshop, service: Service, code: int) -> None:
    service.answers = [(code, b"")]
    result = run(workshop, service, options=", optional: true")
    assert result.code == 0, result.log
    assert "A:" not in result.files["east/app.yaml"]


def test_a_partial_answer_warns(workshop: Workshop, service: Service) -> None:
    service.answers = [(206, {"env": {"A": "one"}, "message": "two are missing"})]
    result = run(workshop, service)
    assert result.code == 0, result.log
    assert "gave only a part of its values: two are missing" in result.log
    assert "A: 'one'" in result.files["east/app.yaml"]


@pytest.mark.parametrize(
    ("code", "answer", "why"),
    [
        (401, {"message": "who are you"}, "answered 401 (source config, container app): who are you"),
        (404, {}, "`optional: true` takes 404 for no values"),
        (500, b"<html>canary", "answered 500 (source config, container app): no reason given"),
        (302, b"", "answered 302"),
        (200, b"<html>canary", "answered is no JSON (line 1, column 1) (source config, container app)"),
        (200, b"", "answered is empty"),
        (200, ["canary"], "answered is no map"),
        (200, {"env": {"A": {"b": "canary"}}}, "says A is a map or a list"),
        (200, {"env": "canary"}, "has an `env` that is neither a list nor a map"),
        (200, b"[" * 100_000, "answered is no JSON"),
        (200, b" " * (10 * 2**20 + 1), "the answer is larger than 10 MB"),
    ],
)
def test_a_refusal_names_source_cluster_and_container(
    workshop: Workshop, service: Service, code: int, answer: Any, why: str
) -> None:
    service.answers = [(code, answer)]
    result = run(workshop, service)
    assert result.code == 1, result.log
    assert why in result.log
    assert f"{service.url}/east/app" in result.log
    assert "[east]" in result.log
    assert "(source config, container app)" in result.log
    assert "canary" not in result.log
    assert result.files == {}
    assert len(service.asked) == 1


def test_faults_of_the_connection_and_429_are_tried_again(workshop: Workshop, service: Service) -> None:
    service.answers, service.late = [(200, CUT), (429, {}), (200, {"env": {"A": "one"}})], 0
    result = run(workshop, service)
    assert result.code == 0, result.log
    assert len(service.asked) == 3


def test_a_proxy_is_used(workshop: Workshop, service: Service) -> None:
    service.answers = [(200, {"env": {"A": "one"}})]
    workshop.write({"kit.yaml": KIT + "sources: [{kind: http, url: 'http://config.invalid/{service}'}]\n"})
    result = workshop.run(HTTP_PROXY=service.url)
    assert result.code == 0, result.log
    assert service.asked[0][0] == "http://config.invalid/app"


def test_with_placeholders_nothing_is_asked(workshop: Workshop, service: Service) -> None:
    service.answers = [(200, {"env": {"A": "one"}})]
    assert run(workshop, service, KIT_PLACEHOLDERS="true").code == 0
    assert service.asked == []
    assert json.dumps(workshop.output()).count("one") == 0


@pytest.mark.parametrize(("code", "answer"), [(403, b""), (200, b"<html>"), (206, {}), (200, {"env": 1}), (404, b"")])
def test_what_stands_behind_a_question_mark_is_not_told(
    workshop: Workshop, service: Service, code: int, answer: Any
) -> None:
    """Some services take their token there."""
    service.answers = [(code, answer)]
    result = run(workshop, service, "/v1/{cluster}?key=canary&of={service}", DEBUG="true")
    assert service.asked[0][0] == "/v1/east?key=canary&of=app"
    assert "canary" not in result.log
    assert "/v1/east?***" in result.log


def test_a_service_that_is_not_there_shows_no_query(workshop: Workshop, service: Service) -> None:
    service.url = "http://127.0.0.1:1"
    result = run(workshop, service, "/v1?key=canary")
    assert result.code == 1
    assert "http://127.0.0.1:1/v1?*** did not answer" in result.log
    assert "canary" not in result.log
