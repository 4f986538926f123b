# SPDX-License-Identifier: MIT
"""CONFIG_CHECKSUM: a changed ConfigMap or Secret changes the pod templates that take values from it."""

import itertools
from typing import Any

import pytest
import yaml

from kit_deploymentizer.checks.checksum import ANNOTATION, Checksums, annotate
from kit_deploymentizer.checks.manifest import Reference
from tests.unit.deploymentizer.workshop import CONFIG_MAP, Workshop

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "1"}}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "data": {"a": "MQ=="}}
USES = "envFrom: [{configMapRef: {name: settings}}]"
HEAD = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n"


def annotated(text: str, *config: dict[str, Any]) -> str:
    objects = [value for value in yaml.safe_load_all(text) if value]
    return annotate(text, objects, Checksums([*(config or (CONFIG,)), *objects]))


def checksum(text: str, path: tuple[str, ...] = ("spec", "template")) -> str:
    value = yaml.safe_load(text)
    for key in (*path, "metadata", "annotations"):
        value = value[key]
    found: str = value[ANNOTATION]
    return found


@pytest.mark.parametrize(
    "template",
    [
        "  template:\n    metadata:\n      labels:\n        name: web\n    spec:\n      containers:\n      - {USES}\n",
        "  template:\n    metadata:\n      annotations:\n        a: b\n    spec:\n      containers:\n      - {USES}\n",
        "  template:\n    spec:\n      containers:\n      - {USES}\n",
        "  template: {spec: {containers: [{USES}]}}\n",
        "  template: {metadata: {}, spec: {initContainers: [{USES}]}}\n",
        "  template: {metadata: {annotations: {a: b}}, spec: {containers: [{USES}]}}\n",
        "  template:\n    metadata:\n      annotations:\n      labels: {x: y}\n    spec:\n      containers: [{USES}]\n",
        "  template:\n    metadata: # none yet\n    spec:\n      containers:\n      - {USES}\n",
        "   template:\n         metadata:\n            labels: {ü: y} # ünï\n         spec: {containers: [{USES}]}\n",
    ],
)
def test_the_annotation_is_inserted_where_it_belongs_and_nothing_else_changes(template: str) -> None:
    text = HEAD + template.replace("USES", USES)
    result = annotated(text)
    before, after = yaml.safe_load(text), yaml.safe_load(result)
    assert len(checksum(result)) == 64
    metadata = after["spec"]["template"]["metadata"]
    del metadata["annotations"][ANNOTATION]
    pod = before["spec"]["template"]
    assert {key: value for key, value in metadata.items() if value} == {
        key: value for key, value in (pod.get("metadata") or {}).items() if value
    }
    assert {**after["spec"]["template"], "metadata": 0} == {**pod, "metadata": 0}
    # Every byte of the template is still there, in order.
    rest = iter(result)
    assert all(character in rest for character in text)


@pytest.mark.parametrize(
    "uses",
    [
        "envFrom: [{secretRef: {name: key}}]",
        "env: [{name: A, valueFrom: {secretKeyRef: {name: key, key: a}}}]",
    ],
)
def test_secrets_count_as_well(uses: str) -> None:
    text = f"{HEAD}  template: {{spec: {{containers: [{{{uses}}}]}}}}\n"
    first, second = annotated(text, SECRET), annotated(text, {**SECRET, "data": {"a": "Mg=="}})
    assert checksum(first) != checksum(second)


@pytest.mark.parametrize(
    "volume",
    [
        "{configMap: {name: settings}}",
        "{secret: {secretName: key}}",
        "{projected: {sources: [{configMap: {name: settings}}]}}",
        "{projected: {sources: [{secret: {name: key}}]}}",
    ],
)
def test_volumes_count_as_well(volume: str) -> None:
    text = f"{HEAD}  template: {{spec: {{volumes: [{volume}], containers: []}}}}\n"
    assert checksum(annotated(text, CONFIG, SECRET))


def test_every_kind_of_workload_is_annotated_and_each_document_on_its_own() -> None:
    cron = (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\nspec:\n  jobTemplate:\n    spec:\n      template:\n"
        f"        spec:\n          containers:\n          - {{{USES}}}\n"
    )
    daemon = HEAD.replace("Deployment", "DaemonSet") + f"  template: {{spec: {{containers: [{{{USES}}}]}}}}\n"
    documents = annotated(f"# first\n{cron}---\n---\n{daemon}").split("---\n")
    assert checksum(documents[0], ("spec", "jobTemplate", "spec", "template")) == checksum(documents[2])


def test_the_checksum_depends_on_content_alone() -> None:
    text = f"{HEAD}  template: {{spec: {{containers: [{{{USES}}}]}}}}\n"
    labelled = {**CONFIG, "metadata": {"name": "settings", "labels": {"new": "label"}}}
    assert checksum(annotated(text, CONFIG)) == checksum(annotated(text, labelled))
    contents: list[dict[str, Any]] = [
        {"data": {"a": "1"}},
        {"data": {"a": "2"}},
        {"binaryData": {"a": "1"}},
        {"immutable": True},
    ]
    sums = [checksum(annotated(text, {**CONFIG, "data": {}, **content})) for content in contents]
    assert all(one != other for one, other in itertools.combinations(sums, 2))


def test_the_checksum_does_not_depend_on_the_order_of_references(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [Reference("ConfigMap", "settings"), Reference("Secret", "key")]
    workload = yaml.safe_load(HEAD + "  template: {spec: {}}\n")
    sums = []
    for order in (both, both[::-1]):
        monkeypatch.setattr("kit_deploymentizer.checks.checksum.references", lambda _spec, order=order: order)
        sums.append(Checksums([CONFIG, SECRET]).of(workload))
    assert sums[0] is not None
    assert sums[0] == sums[1]


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "  template: {spec: {containers: [{envFrom: [{configMapRef: {name: elsewhere}}]}]}}\n",
        HEAD.replace("web", "web\n  namespace: other") + "  template: {spec: {containers: [{USES}]}}\n",
        HEAD + "  template: {spec: {containers: [{name: a}]}}\n",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {}\n",
        HEAD + "  template: {metadata: {annotations: {MARK: mine}}, spec: {containers: [{USES}]}}\n",
    ],
)
def test_what_takes_nothing_of_this_folder_or_is_annotated_already_stays_as_it_is(text: str) -> None:
    text = text.replace("USES", USES).replace("MARK", ANNOTATION)
    assert annotated(text) == text


def test_a_run_with_it_changes_what_uses_the_value_and_nothing_else(workshop: Workshop) -> None:
    workshop.template(CONFIG_MAP + "data: {a: '{{{value}}}'}\n")
    for name, reference in (("web", "app"), ("idle", "other")):
        workshop.template(
            f"{HEAD.replace('web', name)}  template:\n    spec:\n      containers:\n"
            f"      - {{name: c, envFrom: [{{configMapRef: {{name: {reference}}}}}]}}\n",
            name=f"{name}/{name}.mustache",
        )
    workshop.resources("".join(f"{name}: {{file: ./{name}/{name}.mustache}}\n" for name in ("app", "web", "idle")))
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nvalue: one\n"})
    before = workshop.run(KIT_CONFIG_CHECKSUM="true").files
    workshop.write({"base-var.yaml": "kind: ResourceConfig\nvalue: two\n"})
    result = workshop.run(KIT_CONFIG_CHECKSUM="true")
    changed = {name for name in before if before[name] != result.files[name]}
    assert changed == {"east/app.yaml", "east/web.yaml", "west/app.yaml", "west/web.yaml"}
    assert "old value" not in result.log


@pytest.mark.parametrize(
    "template",
    [
        "&t {spec: {containers: [{envFrom: [{secretRef: {name: s}}]}]}}",
        "\n    <<: {metadata: {labels: {a: b}}}\n    spec: {containers: [{envFrom: [{secretRef: {name: s}}]}]}",
        "{metadata: &m {labels: {a: b}}, spec: {containers: [{envFrom: [{secretRef: {name: s}}]}]}}",
        "{metadata: {annotations: [a]}, spec: {containers: [{envFrom: [{secretRef: {name: s}}]}]}}",
    ],
)
def test_a_template_that_no_line_fits_into_fails_the_run(workshop: Workshop, template: str) -> None:
    workshop.app(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n---\napiVersion: apps/v1\nkind: Deployment\n"
        f"metadata: {{name: d}}\nspec:\n  template: {template}\n"
    )
    result = workshop.run(KIT_CONFIG_CHECKSUM="true")
    assert result.code == 1
    assert "error: [east, west] app.yaml: KIT_CONFIG_CHECKSUM finds no place for its annotation" in result.log
    assert result.files == {}
