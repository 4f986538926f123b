# SPDX-License-Identifier: MIT
"""KIT_OPENAPI: manifests against a cluster's own description of its API, here a small one written for it."""

import json
import sys
from typing import Any

import pytest

from kit_deploymentizer.checks.check import read_rendered
from kit_deploymentizer.checks.openapi import OpenApi
from tests.unit.deploymentizer.workshop import Workshop

PREFIX = "#/definitions/"
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
STRING = {"type": "string"}
KIND = {"apiVersion": STRING, "kind": STRING, "metadata": {"$ref": PREFIX + META}}
SCHEMAS: dict[str, Any] = {
    META: {"type": "object", "properties": {
        "name": STRING, "namespace": STRING, "labels": {"type": "object", "additionalProperties": STRING},
    }},
    QUANTITY: {"description": "A fixed-point number.", "type": "string"},
    "api.Port": {"type": "string", "format": "int-or-string"},
    "api.Container": {"type": "object", "required": ["name", "image"], "properties": {
        "name": STRING, "image": STRING, "args": {"type": "array", "items": STRING}, "tty": {"type": "boolean"},
        "limits": {"type": "object", "additionalProperties": {"$ref": PREFIX + QUANTITY}},
        "port": {"$ref": PREFIX + "api.Port"},
    }},
    "api.Props": {"type": "object", "properties": {
        "not": {"$ref": PREFIX + "api.Props"}, "title": STRING,
        "more": {"type": "object", "additionalProperties": {"$ref": PREFIX + "api.Props"}},
        "all": {"type": "array", "items": {"$ref": PREFIX + "api.Props"}},
    }},
    "api.App": {
        "type": "object",
        "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "App"}],
        "properties": {**KIND, "spec": {"type": "object", "properties": {
            "replicas": {"type": "integer", "format": "int32"}, "share": {"type": "number"},
            "containers": {"type": "array", "items": {"$ref": PREFIX + "api.Container"}},
            "size": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, STRING]},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"known": STRING}},
            "object": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": STRING}},
            "raw": {"type": "object"}, "any": {"description": "JSON"}, "lost": {"$ref": PREFIX + "api.Gone"},
            "props": {"$ref": PREFIX + "api.Props"},
            "mode": {"type": "string", "enum": ["Fast", "Slow"]},
            "policy": {"type": "object", "required": ["kind", "level"], "properties": {
                "kind": STRING, "level": {"type": "integer", "default": 1}}},
        }}},
    },
}  # fmt: skip
V2 = json.dumps({"swagger": "2.0", "definitions": SCHEMAS})
HEAD = "apiVersion: example.com/v1\nkind: App\nmetadata: {name: app}\n"
OUTSIDE = "apiVersion: other.io/v1\nkind: Thing\nmetadata: {name: '{{{name}}}'}\n"


def v3() -> str:
    """The same as an API server's v3 says it: references in `allOf`, choices as `oneOf`."""
    own = {
        **SCHEMAS,
        QUANTITY: {"oneOf": [STRING, {"type": "number"}]},
        "api.Port": {"format": "int-or-string", "oneOf": [{"type": "integer"}, STRING]},
    }
    return json.dumps({"openapi": "3.0.0", "components": {"schemas": _referring(own)}})


def _referring(value: Any) -> Any:
    if isinstance(value, list):
        return [_referring(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return {"allOf": [{"$ref": value["$ref"].replace(PREFIX, "#/components/schemas/")}], "default": {}}
    return {key: _referring(item) for key, item in value.items()}


def both(text: str) -> list[tuple[int, str]]:
    """What is found in the text, the same by v2 and by v3."""
    found = []
    for schemas in (SCHEMAS, json.loads(v3())["components"]["schemas"]):
        findings = read_rendered(text, OpenApi([schemas])).findings
        lacking = [finding for finding in findings if not finding.asked]
        assert all(finding.text.endswith("which Kubernetes requires") for finding in lacking), findings
        found.append([(finding.line, finding.text) for finding in findings if finding.asked])
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize(
    "spec",
    [
        "{replicas: 2, share: 1, size: 1, containers: [{name: a, port: 80}, {port: http}]}",
        "{replicas: 1e3, share: 0.5, size: 10%}",
        "{containers: [{limits: {cpu: 1, memory: 1Gi, disk: 0.5}}]}",
        "{replicas: null, containers: [null, {name: null, args: [null], limits: }]}",
        "{free: {known: a, other: {deep: [1]}}}",
        "{object: {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: x}}",
        "{mode: Slow, containers: [], policy: {kind: a}}",
        "{mode: '', policy: null}",
        "{raw: {a: 1}, any: [1, {b: c}], lost: {what: ever}}",
        "{props: {not: {not: {title: a}}, more: {x: {title: a}}, all: [{all: [{title: b}]}]}}",
    ],
)
def test_what_the_api_takes_passes(spec: str) -> None:
    assert both(f"{HEAD}spec: {spec}\n") == []


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("containers: [{imge: a}]", "unknown field spec.containers[0].imge of App app (is image meant?)"),
        ("mode: fast", "spec.mode of App app is none of Fast, Slow (is Fast meant?)"),
        ("mode: 1", ("spec.mode of App app is read as an integer, and Kubernetes takes a string here (quote it)")),
        ("nowhere: 1", "unknown field spec.nowhere of App app"),
        ("replicas: '2'", ("spec.replicas of App app is read as a string, and Kubernetes takes an integer here"
         " (without quotes?)")),
        ("replicas: 1.5", "spec.replicas of App app is read as a number, and Kubernetes takes an integer here"),
        ("replicas: true", "spec.replicas of App app is read as a boolean, and Kubernetes takes an integer here"),
        ("containers: {name: a}", "spec.containers of App app is read as a map, and Kubernetes takes a list here"),
        ("containers: [{args: [1]}]", ("spec.containers[0].args[0] of App app is read as an integer, and Kubernetes"
         " takes a string here (quote it)")),
        ("containers: [{port: 1.5}]", ("spec.containers[0].port of App app is read as a number, and Kubernetes takes"
         " an integer or a string here")),
        ("containers: [{limits: {a/b.c: true}}]", ('spec.containers[0].limits["a/b.c"] of App app is read as a boolean,'
         " and Kubernetes takes a number or a string here")),
        ("free: {known: 1}", ("spec.free.known of App app is read as an integer, and Kubernetes takes a string here"
         " (quote it)")),
        ("object: {spce: x}", "unknown field spec.object.spce of App app (is spec meant?)"),
        ("object: {metadata: {nam: x}}", "unknown field spec.object.metadata.nam of App app (is name meant?)"),
        ("props: {all: [{more: {x: {tilte: a}}}]}", ("unknown field spec.props.all[0].more.x.tilte of App app"
         " (is title meant?)")),
    ],
)  # fmt: skip
def test_what_the_api_does_not_take_is_named(spec: str, text: str) -> None:
    assert both(f"{HEAD}spec:\n  {spec}\n") == [(5, text)]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("containers: [{name: a}]", [(5, "spec.containers[0] of App app has no image")]),
        ("containers:\n  - image: a\n  - {}", [(6, "spec.containers[0] of App app has no name"),
         (7, "spec.containers[1] of App app has no image"), (7, "spec.containers[1] of App app has no name")]),
        ("policy: {level: null}", [(5, "spec.policy of App app has no kind")]),
        ("policy: {kind: a}", []),
    ],
)  # fmt: skip
def test_what_the_api_requires_is_told(spec: str, told: list[tuple[int, str]]) -> None:
    for schemas in (SCHEMAS, json.loads(v3())["components"]["schemas"]):
        findings = read_rendered(f"{HEAD}spec:\n  {spec}\n", OpenApi([schemas])).findings
        assert [(one.line, one.text) for one in findings] == [
            (line, f"{text}, which Kubernetes requires") for line, text in told
        ]
        assert not any(one.grave or one.asked for one in findings)


def test_required_fields_warn_and_the_rest_are_errors(workshop: Workshop) -> None:
    """A webhook may add what is missing; nothing makes an unknown field a known one."""
    workshop.app(HEAD.replace("app}", "'{{{name}}}'}") + "spec: {policy: {}}\n")
    workshop.write({"api.json": V2})
    result = workshop.run(KIT_OPENAPI="api.json")
    assert result.code == 0, result.log
    assert "warning: [east, west] " in result.log or "[east] warning: " in result.log
    assert "east/app.yaml:4: spec.policy of App app has no kind" in result.log


def test_keys_that_are_no_words_are_unknown_fields() -> None:
    texts = [text for _, text in both(f"{HEAD}spec:\n  1.5: a\n  22: b\n  true: c\n")]
    assert texts[0] == 'unknown field spec["1.5"] of App app'
    assert len(texts) == 3


@pytest.mark.parametrize(
    "schema",
    [5, [], None, {"properties": 5}, {"properties": {"a": 1}}, {"enum": 5}, {"enum": [{}, 1]}, {"required": 7},
     {"type": {}}, {"required": [{}]}, {"$ref": 5}, {"allOf": 5}, {"allOf": [1]}, {"type": [[]]}, {"items": 5},
     {"oneOf": [1]}, {"additionalProperties": 5}, {"x-kubernetes-group-version-kind": 5}, {"$ref": "x/loop"},
     {"x-kubernetes-group-version-kind": [{"group": {}, "kind": []}, 5]}],
)  # fmt: skip
def test_a_schema_of_no_known_form_takes_anything(schema: Any) -> None:
    loop = {"loop": {"allOf": [{"$ref": "x/pool"}]}, "pool": {"allOf": [{"$ref": "x/loop"}]}}
    app = {**SCHEMAS["api.App"], "properties": {**KIND, "spec": schema}}
    api = OpenApi([{**SCHEMAS, **loop, "api.App": app, "other": schema}])
    for value in ("{a: {b: [c]}}", "[a]", "a"):
        assert read_rendered(f"{HEAD}spec: {value}\n", api).findings == ()


def test_many_fields_that_are_nearly_known_take_no_time() -> None:
    """Looking for the nearest of thousands of names, thousands of times, takes hours."""
    fields = {f"field{n:05}": STRING for n in range(5000)}
    app = {**SCHEMAS["api.App"], "properties": {**KIND, "spec": {"type": "object", "properties": fields}}}
    spec = {f"feild{n:05}": "a" for n in range(5000)}
    value = {"apiVersion": "example.com/v1", "kind": "App", "metadata": {"name": "a"}, "spec": spec}
    assert len(OpenApi([{**SCHEMAS, "api.App": app}]).findings(value)) == 100


@pytest.mark.parametrize(("levels", "code"), [(190, 0), (600, 2), (100_000, 2)])
def test_a_document_that_is_nested_too_deeply_is_told(workshop: Workshop, levels: int, code: int) -> None:
    workshop.app(HEAD.replace("app}", "'{{{name}}}'}"))
    deep = '{"items":' * levels + "{}" + "}" * levels
    kind = '[{"group": "example.com", "version": "v1", "kind": "App"}]'
    app = f'{{"x-kubernetes-group-version-kind": {kind}, "additionalProperties": {deep}}}'
    workshop.write({"api.json": f'{{"definitions": {{"a": {app}}}}}'})
    result = workshop.run(KIT_OPENAPI="api.json")
    assert result.code == code, result.log
    assert "fault of kit" not in result.log


def test_each_object_of_a_list_has_its_own_lines() -> None:
    item = "\n".join("    " + line for line in (HEAD + "spec:\n  replica: 1").splitlines()).replace("    ", "  - ", 1)
    text = f"apiVersion: v1\nkind: List\nitems:\n{item}\n---\n{HEAD}spec: {{replica: 1}}\n"
    assert [line for line, _ in both(text)] == [8, 13]


def test_what_another_check_says_too_is_told_once() -> None:
    text = HEAD.replace("name: app", "name: app, labels: {a: 1}")
    assert [found.text.partition(" is ")[0] for found in read_rendered(text, OpenApi([SCHEMAS])).findings] == [
        "metadata.labels.a of App app"
    ]


def broken(workshop: Workshop) -> None:
    workshop.app(HEAD.replace("app}", "'{{{name}}}'}") + "spec:\n  containers:\n  - imge: {{{name}}}\n")
    workshop.write({"api.json": V2})


def test_an_unknown_field_is_an_error_with_its_place(workshop: Workshop) -> None:
    broken(workshop)
    assert workshop.run().code == 0
    result = workshop.run(KIT_OPENAPI="api.json")
    assert result.code == 1
    told = (
        "[east] error: east/app.yaml:6: unknown field spec.containers[0].imge of App app (is image meant?): the line is"
        " `- imge: app`. Correct resources/app/app.mustache or the values it prints (resource app)."
    )
    assert told in result.log
    warned = workshop.run(KIT_OPENAPI="api.json", KIT_VALIDATE="warn")
    assert warned.code == 0, warned.log
    assert "warning: east/app.yaml:6: unknown field" in warned.log
    assert "unknown field" not in workshop.run(KIT_OPENAPI="api.json", KIT_VALIDATE="off").log


def test_kinds_that_the_document_does_not_know_pass_with_one_note(workshop: Workshop) -> None:
    workshop.template(OUTSIDE)
    workshop.template(OUTSIDE, name="app/other.mustache")
    workshop.resources("app:\n  file: ./app/app.mustache\nother:\n  file: ./app/other.mustache\n")
    workshop.write({"api.json": V2})
    result = workshop.run(KIT_OPENAPI="api.json")
    assert result.code == 0
    assert result.log.count("does not know other.io/v1 Thing") == 1
    told = (
        "[east, west] the OpenAPI document does not know other.io/v1 Thing: what is of this kind is not checked by it"
    )
    assert told in result.log


def test_a_folder_of_documents(workshop: Workshop) -> None:
    broken(workshop)
    empty = json.dumps({"openapi": "3.0.0", "paths": {}})
    workshop.write({"api/apps.json": v3(), "api/version.json": empty})
    result = workshop.run(KIT_OPENAPI="api")
    assert result.code == 1
    assert "is image meant?" in result.log


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "api.json: the OpenAPI document is missing"),
        ({"api.json": "{"}, "api.json: this is no OpenAPI document of Kubernetes: it is no JSON ("),
        ({"api.json": "[1]"}, "api.json: this is no OpenAPI document of Kubernetes: it is no map"),
        ({"api.json": '{"paths": {"api/v1": {}}}'}, "it has neither `definitions` (v2) nor `components.schemas` (v3)"),
        ({"api.json/README": ""}, "api.json: no OpenAPI document is there: the folder holds no *.json"),
        ({"api.json/a.json": V2, "api.json/b.json": "null"}, "b.json: this is no OpenAPI document of Kubernetes"),
    ],
)
def test_what_is_no_document_is_told(workshop: Workshop, files: dict[str, str], told: str) -> None:
    workshop.write(files)
    result = workshop.run(KIT_OPENAPI="api.json")
    assert result.code == 2
    assert told in result.log
    assert "kubectl get --raw /openapi/v2" in result.log


def test_another_document_judges_what_an_earlier_run_made(workshop: Workshop) -> None:
    broken(workshop)
    loose = json.loads(V2)
    loose["definitions"]["api.Container"]["properties"]["imge"] = STRING
    workshop.write({"api.json": json.dumps(loose)})
    assert workshop.run(KIT_OPENAPI="api.json").code == 0
    workshop.write({"api.json": V2})
    assert workshop.run(KIT_OPENAPI="api.json").code == 1


def test_it_is_not_loaded_where_it_is_off(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kit_deploymentizer.checks.openapi", None)
    monkeypatch.setitem(sys.modules, "kit_deploymentizer.inputs.openapi", None)
    broken(workshop)
    assert workshop.run().code == 0
    assert workshop.run(KIT_OPENAPI="missing.json", KIT_VALIDATE="off").code == 0
