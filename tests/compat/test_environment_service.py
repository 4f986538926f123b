# SPDX-License-Identifier: MIT
"""The plugin env-api-client-v3, spoken to over real HTTP: a third party's service, so a stand-in answers."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.compat.service import CUT, Service
from tests.unit.deploymentizer.workshop import KIT, Result, Workshop

TEMPLATE = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: app}\nstringData:\n"
    "{{#app.env}}\n  {{{name}}}: '{{{value}}}'\n{{/app.env}}\n"
)
RESOURCE = "  annotations: {kit-deploymentizer/env-api-service: my-service}\n  env: [{name: OWN, value: mine}]\n"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A repository of one cluster whose only container is annotated for the service."""
    workshop = Workshop(tmp_path)
    (tmp_path / "clusters/west/cluster.yaml").unlink()
    workshop.cluster("east", metadata="type: test, environment: staging, owner: true")
    workshop.app(TEMPLATE, RESOURCE)
    return workshop


def run(workshop: Workshop, url: str, **env: str) -> Result:
    workshop.write(
        {"kit.yaml": KIT + f"plugin: {{path: /src/plugin/env-api-client-v3, options: {{apiUrl: '{url}'}}}}\n"}
    )
    return workshop.run(**{"ENVAPI_ACCESS_TOKEN": "t0ken-canary", **env})


def test_values_are_asked_for_with_the_clusters_metadata_and_merge_by_name(
    workshop: Workshop, service: Service
) -> None:
    service.answers = [(200, {"status": "success", "values": {"A": "one", "B": 2, "OWN": "theirs"}})]
    result = run(workshop, service.url)
    assert result.code == 0, result.log
    assert result.files["east/app.yaml"].endswith("stringData:\n  OWN: 'mine'\n  A: 'one'\n  B: '2'\n")
    ((path, headers, body),) = service.asked
    assert (path, headers["X-Auth-Token"]) == ("/v3/vars", "t0ken-canary")
    assert body == {
        "service": "my-service",
        "environment": "staging",
        "cluster": "east",
        "metadata": {"name": "east", "type": "test", "branch": "master", "environment": "staging", "owner": "true"},
    }
    assert workshop.index("east")["secrets"] == {"app.yaml": ["/stringData/A", "/stringData/B"]}
    assert "canary" not in result.log


def test_the_address_of_the_environment_wins(workshop: Workshop, service: Service) -> None:
    service.answers = [(200, {"values": {}})]
    assert run(workshop, "http://127.0.0.1:1", ENVAPI_URL=service.url + "/").code == 0
    assert len(service.asked) == 1


def test_a_container_without_the_annotation_is_not_asked_for(workshop: Workshop, service: Service) -> None:
    service.answers = [(500, {})]
    workshop.app(TEMPLATE, "  env: [{name: OWN, value: mine}]\n")
    assert run(workshop, service.url).code == 0
    assert service.asked == []


def test_a_partial_answer_warns(workshop: Workshop, service: Service) -> None:
    service.answers = [(206, {"status": "success", "message": "two are missing", "values": {"A": "one"}})]
    result = run(workshop, service.url)
    assert result.code == 0
    assert "gave only a part of the values of my-service: two are missing" in result.log
    assert "A: 'one'" in result.files["east/app.yaml"]


@pytest.mark.parametrize(
    ("code", "answer", "why"),
    [
        (404, {"status": "error", "message": "no such file"}, "answered 404: no such file"),
        (500, {"status": "error", "message": "bad", "errors": ["one", "two"]}, "answered 500: bad; one; two"),
        (200, {"status": "error", "message": "in disguise"}, "answered 200: in disguise"),
        (502, b"<html>", "answered 502: no reason given"),
        (200, b"<html>Please log in</html>", "answered 200: it holds no values, so this may not be the service"),
        (200, {"values": None}, "answered 200: it holds no values"),
        (302, {}, "answered 302: no reason given"),
    ],
)
def test_a_refusal_is_told_in_the_services_words_and_not_asked_again(
    workshop: Workshop, service: Service, code: int, answer: Any, why: str
) -> None:
    service.answers = [(code, answer)]
    result = run(workshop, service.url)
    assert result.code == 1
    assert "The environment service did not give the values of my-service" in result.log
    assert why in result.log
    assert len(service.asked) == 1
    assert result.files == {}


def test_a_service_that_is_busy_is_asked_again(workshop: Workshop, service: Service) -> None:
    service.answers = [(429, {}), (200, {"values": {"A": "one"}})]
    assert run(workshop, service.url).code == 0
    assert len(service.asked) == 2


def test_an_answer_that_is_cut_off_is_asked_for_again(workshop: Workshop, service: Service) -> None:
    service.answers = [(200, CUT), (200, {"values": {"A": "one"}})]
    assert run(workshop, service.url).code == 0
    assert len(service.asked) == 2


def test_a_service_that_stays_busy_is_told_as_it_answers(workshop: Workshop, service: Service) -> None:
    service.answers, service.late = [(429, {"message": "too many of you"})], 0
    result = run(workshop, service.url)
    assert result.code == 1
    assert "answered 429: too many of you" in result.log
    assert len(service.asked) == 3


@pytest.mark.parametrize("way", ["slow", "drip"])
def test_a_service_that_is_too_slow_is_not_waited_for(workshop: Workshop, service: Service, way: str) -> None:
    service.answers = [(200, {"values": {"A": "x" * 100_000}})]
    setattr(service, way, 0.05 if way == "drip" else 60)
    workshop.write({
        "kit.yaml": KIT + f"plugin: {{path: x/env-api-client-v3, options: {{apiUrl: '{service.url}', timeout: 300}}}}\n"
    })  # fmt: skip
    result = workshop.run(ENVAPI_ACCESS_TOKEN="t0ken-canary")
    assert result.code == 1
    assert f"{service.url}/v3/vars: timed out" in result.log
    assert len(service.asked) == 3


def test_what_differs_is_asked_side_by_side_and_what_is_the_same_once(workshop: Workshop, service: Service) -> None:
    service.together = threading.Barrier(4)  # one after the other, none would be answered
    service.answer_with = lambda _path, body: (200, {"values": {"A": f"{body['service']}@{body['cluster']}"}})
    workshop.cluster("south")
    annotated = "annotations: {kit-deploymentizer/env-api-service: %s}"
    workshop.resources(
        f"app: {{file: ./app/app.mustache, {annotated % 'one'}}}\n"
        f"twin: {{svc: {{name: twin}}, {annotated % 'one'}}}\n"
        f"other: {{svc: {{name: other}}, {annotated % 'two'}}}"
    )
    result = run(workshop, service.url)
    assert result.code == 0, result.log
    asked = sorted((body["cluster"], body["service"]) for _, _, body in service.asked)
    assert asked == [("east", "one"), ("east", "two"), ("south", "one"), ("south", "two")]
    assert "A: 'one@south'" in result.files["south/app.yaml"]


def test_a_service_that_never_answers_is_not_asked_for_every_container(workshop: Workshop, service: Service) -> None:
    service.answers = [(200, CUT)]
    names = [f"r{number}" for number in range(40)]
    annotated = "annotations: {kit-deploymentizer/env-api-service: %s}"
    workshop.resources("\n".join(f"{name}: {{svc: {{name: {name}}}, {annotated % name}}}" for name in names))
    result = run(workshop, service.url)
    assert result.code == 1
    assert "questions before this one had no answer either" in result.log
    assert len(service.asked) < 60


def test_where_failure_is_allowed_the_others_are_rendered(workshop: Workshop, service: Service) -> None:
    service.answer_with = lambda _path, body: (
        (500, {"message": "bad"}) if body["service"] == "bad" else (200, {"values": {"A": "one"}})
    )
    workshop.cluster("east", metadata="type: test, allowFailure: true")
    annotated = "annotations: {kit-deploymentizer/env-api-service: %s}"
    workshop.resources(
        f"app: {{file: ./app/app.mustache, {annotated % 'good'}}}\nbad: {{svc: {{name: bad}}, {annotated % 'bad'}}}"
    )
    result = run(workshop, service.url)
    assert result.code == 0, result.log
    assert workshop.index("east")["left_out"] == ["bad"]
    assert "A: 'one'" in result.files["east/app.yaml"]


def test_a_token_that_no_header_takes_is_not_shown(workshop: Workshop, service: Service) -> None:
    result = run(workshop, service.url, ENVAPI_ACCESS_TOKEN="t0ken\nsecond-l1ne")
    assert result.code == 2
    assert "ENVAPI_ACCESS_TOKEN holds characters that no HTTP header may have" in result.log
    assert "t0ken" not in result.log
    assert "l1ne" not in result.log


def test_metadata_that_json_does_not_know_is_sent_as_text(workshop: Workshop, service: Service) -> None:
    service.answers = [(200, {"values": {}})]
    workshop.cluster("east", metadata="type: test, environment: 2016-01-01")
    assert run(workshop, service.url).code == 0
    assert service.asked[0][2]["environment"] == "Fri Jan 01 2016 00:00:00 GMT+0000 (UTC)"


def test_a_service_that_is_not_there_names_its_address(workshop: Workshop, service: Service) -> None:
    service.server.server_close()
    result = run(workshop, service.url)
    assert result.code == 1
    assert f"{service.url}/v3/vars" in result.log
    assert "Check ENVAPI_URL and the network" in result.log


@pytest.mark.parametrize(
    ("env", "url", "why"),
    [
        ({"ENVAPI_ACCESS_TOKEN": ""}, "http://127.0.0.1:1", "ENVAPI_ACCESS_TOKEN is not set"),
        (
            {},
            "https://user:passw0rd@x",
            "neither ENVAPI_URL nor plugin.options.apiUrl in kit.yaml is an http(s) address",
        ),
        ({}, "http://x:port", "neither ENVAPI_URL nor plugin.options.apiUrl in kit.yaml is an http(s) address"),
        ({}, "ftp://x", "neither ENVAPI_URL nor plugin.options.apiUrl in kit.yaml is an http(s) address"),
    ],
)
def test_what_is_missing_is_named(workshop: Workshop, env: dict[str, str], url: str, why: str) -> None:
    result = run(workshop, url, **env)
    assert result.code == 2
    assert f"kit.yaml:8: plugin env-api-client-v3 has no {'token' if env else 'address'}: {why}" in result.log
    assert "passw0rd" not in result.log
