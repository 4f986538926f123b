# SPDX-License-Identifier: MIT
"""The JSON Schemas say what the step's own validation says, on the example and on every recorded repository."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from kit_core.yamlio import load_document
from kit_deploymentizer.inputs import schemas
from kit_deploymentizer.inputs.schema import Stranger, flags_that_are_none, strangers_in_cluster, strangers_in_kit
from kit_deploymentizer.inputs.words import original_words
from kit_deploymentizer.rendering.javascript import text_of
from kit_pipeline.files import schemas as pipelines
from tests.archives import unpack

ROOT = Path(__file__).parents[2]
VALIDATORS = {name.removesuffix(".schema.json"): Draft7Validator(schema) for name, schema in schemas.schemas().items()}
HEAD = "kind: ClusterNamespace\nmetadata: {name: a, type: b}\n"
KIT = "".join(f"{part}: {{path: ./{part}}}\n" for part in ("base", "images", "type", "cluster", "resources", "output"))


def read(text: str) -> Any:
    """As the step reads it; an editor sees a date as text."""
    value = load_document(text, name="x", words=original_words, keys=text_of).value
    return json.loads(json.dumps(value, default=str))


def faults(name: str, value: Any) -> list[str]:
    return [f"{'.'.join(map(str, error.path))}: {error.message}" for error in VALIDATORS[name].iter_errors(value)]


def complaints(name: str, value: Any) -> list[Stranger | tuple[str, ...]]:
    """What the step says of the file alone."""
    if name == "kit":
        return list(strangers_in_kit(value))
    resources = (value.get("resources") or {}).items()
    multiple = {key: bool(resource and resource.get("containers")) for key, resource in resources}
    strangers = strangers_in_cluster(value, free_metadata=name != "cluster", multiple=multiple)
    return [*strangers, *flags_that_are_none(value)]


def test_the_published_files_are_made_from_the_code() -> None:
    """`make docs` writes them. That of report.json is kit-deployer's, and no file that people write."""
    there = {path.name: path.read_text("utf-8") for path in (ROOT / schemas.FOLDER).iterdir()}
    del there["report.schema.json"]
    assert there == {**schemas.texts(), **pipelines.texts()}


@pytest.mark.parametrize("name", sorted(VALIDATORS))
def test_each_is_a_schema(name: str) -> None:
    Draft7Validator.check_schema(VALIDATORS[name].schema)


def kind_of(path: Path, value: Any) -> str | None:
    """Which schema is about the file."""
    if path.name == "kit.yaml":
        return "kit"
    if "images" in path.parts:
        return "image"
    if not isinstance(value, dict):
        return None
    if path.name == "cluster.yaml":
        return "cluster"
    if value.get("kind") == "ClusterNamespace":
        return "base-cluster"
    return "var" if path.name.endswith("-var.yaml") else None


def test_the_example_and_every_recorded_repository_fit(tmp_path: Path) -> None:
    unpack(Path(__file__).parent / "kit-fleets.tar.xz", tmp_path)
    seen: dict[str, int] = {}
    folders = [ROOT / "examples" / "deployments-repo", *sorted(tmp_path.iterdir())]
    for path in sorted(path for folder in folders for path in folder.rglob("*.yaml")):
        if {"resources", "expected", "generated"} & set(path.parts):
            continue
        value = read(path.read_text("utf-8"))
        kind = kind_of(path, value)
        if kind is None:
            continue
        seen[kind] = seen.get(kind, 0) + 1
        said = complaints(kind, value) if kind in {"kit", "cluster", "base-cluster"} else []
        assert bool(faults(kind, value)) == bool(said), (path, faults(kind, value), said)
    assert min(seen[kind] for kind in ("kit", "cluster", "base-cluster", "var", "image")) > 50


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("kit", KIT + "clean: true\n"),
        ("kit", KIT.replace("{path: ./images}", "{path: ./images, proprety: image}")),
        ("kit", KIT.replace("{path: ./type}", "{path: ./type, property: image}")),
        ("kit", KIT + "plugin: {path: x/file-config, optoins: {}}\n"),
        ("cluster", HEAD + "resource: {}\n"),
        ("cluster", HEAD.replace("type: b", "type: b, brunch: c")),
        ("cluster", HEAD.replace("type: b", "type: b, disable: yes")),
        ("cluster", HEAD + "resources: {app: {disable: 1}}\n"),
        ("cluster", HEAD + "resources: {app: {size: 1, containers: {con: {}}}}\n"),
        ("base-cluster", "kind: ClusterNamespace\nclusters: {}\n"),
    ],
)
def test_what_the_step_complains_of_the_schema_does_too(name: str, text: str) -> None:
    assert complaints(name, read(text))
    assert faults(name, read(text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("kit", "base: {path: .}\n"),
        ("kit", KIT.replace("path: ./type", "path: ''")),
        ("kit", KIT + "plugin: {options: {}}\n"),
        ("kit", KIT + "sources: [{kind: files}]\n"),
        ("kit", KIT + "sources: [{kind: http, url: x, metod: GET}]\n"),
        ("kit", KIT + "sources: {}\n"),
        ("cluster", "kind: ResourceConfig\nmetadata: {name: a, type: b}\n"),
        ("cluster", "kind: ClusterNamespace\nmetadata: {name: a}\n"),
        ("cluster", HEAD + "resources: []\n"),
        ("var", "a: 1\n"),
        ("image", "imgae: a\n"),
    ],
)
def test_what_stops_a_run_the_schema_tells_beforehand(name: str, text: str) -> None:
    assert faults(name, read(text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("kit", KIT + "version: '2'\nplugin: null\nsources: null\n"),
        (
            "kit",
            KIT + "sources:\n- {kind: files, path: 'a/{cluster}.env', optional: true}\n- {kind: own, options: {}}\n",
        ),
        ("kit", KIT + "plugin: {path: x/file-config, options: {configPath: y}}\n"),
        ("cluster", HEAD + "resources: {app: null, web: {disable: true, size: 7}, two: {containers: {a: {any: 1}}}}\n"),
        ("cluster-env-api", HEAD.replace("type: b", "type: b, owner: me")),
        ("base-cluster", "kind: ClusterNamespace\n"),
        ("var", "kind: ResourceConfig\nmetadata: {type: 3, more: x}\nanything: [goes]\n"),
        ("image", "image: a:1\ncommit: b\nbuild: 3\nsource: c\nother: d\n"),
    ],
)
def test_what_the_step_takes_fits(name: str, text: str) -> None:
    assert faults(name, read(text)) == []
