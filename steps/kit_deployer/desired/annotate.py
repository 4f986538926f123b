# SPDX-License-Identifier: MIT
"""What a deploy writes on objects: labels, selectors, names, annotations. The same as the original kit wrote, so that
clusters that were deployed by it carry on.

Pure. `declare` gives every manifest its labels and name, `stamp` adds the annotations to the body that is sent.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kit_core.errors import InputError
from kit_deployer import objects
from kit_deployer.desired.beside import Pods, beside, following
from kit_deployer.inputs.manifests import wrong_manifest
from kit_deployer.objects import Json, Key, Manifest, annotations_of, at, copied, labels_of, with_data

ID: Final = "id"
STRATEGY: Final = "strategy"
NAME: Final = "name"
RESOURCE: Final = "resource"
APP_NAME: Final = "app.kubernetes.io/name"

UNSPECIFIED: Final = "unspecified"
FAST_ROLLBACK: Final = "fast-rollback"
LARGEST_CONFIGURATION: Final = 200 * 1024
"""Bytes above which the configuration is left out: all annotations together may have 256 KiB."""

_COMPACT: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_LONGEST_NAME: Final = 63
_SUFFIX: Final = 10


@dataclass(frozen=True, kw_only=True)
class Writing:
    """What one run writes. `now` is the run's time in ISO form; `raw` leaves manifests as they are."""

    strategy: str = "rolling-update"
    deploy_id: str | None = None
    resource: str | None = None
    commit: str | None = None
    uuid: str | None = None
    raw: bool = False
    now: str = ""

    @property
    def beside(self) -> bool:
        """Whether Deployments live beside those of other deploys."""
        return self.strategy == FAST_ROLLBACK and not self.raw

    @property
    def version(self) -> dict[str, str]:
        """The labels that tell the pods of this strategy apart, with fast-rollback those of this deploy."""
        if self.strategy != FAST_ROLLBACK:
            return {STRATEGY: self.strategy}
        return {STRATEGY: self.strategy, ID: self.deploy_id or UNSPECIFIED}


@dataclass(frozen=True)
class Declared:
    """An object as the run wants it: its key, its body with labels, selectors and name, and the manifest behind it.

    `serves` says that it is a Service in front of pods of a Deployment that kit deploys, `follows` that it scales or
    protects one version of such a Deployment.
    """

    key: Key
    body: Json
    manifest: Manifest
    serves: bool = False
    follows: bool = False

    @property
    def original_name(self) -> str:
        """The name as the manifest has it."""
        return self.manifest.name


def declare(
    resolved: Sequence[tuple[Key, Manifest]], writing: Writing, *, live_deployments: Iterable[Json] = ()
) -> list[Declared]:
    """The objects that a run with this `writing` wants, from manifests and their keys.

    `live_deployments` are the cluster's; those that carry our labels also make a Service theirs. Raises `InputError`
    with file and line where a manifest uses a reserved label or lacks what a Deployment needs.
    """
    if writing.raw:
        return [Declared(key, _placed(key, manifest), manifest) for key, manifest in resolved]
    declared = [_labelled(key, manifest, writing) for key, manifest in resolved]
    templates = [
        (item.key.namespace, labels_of(item.body["spec"]["template"])) for item in declared if _is_deployment(item.key)
    ]
    templates += [
        (at(live, "metadata", "namespace") or "", labels_of(at(live, "spec", "template") or {}))
        for live in live_deployments
        if STRATEGY in labels_of(live) and NAME in labels_of(live)
    ]
    deployments = [
        Pods(item.key.namespace, item.original_name, item.key.name, labels_of(item.body["spec"]["template"]))
        for item in declared
        if _is_deployment(item.key)
    ]
    declared = [_served(item, templates, writing) if item.key.kind == "Service" else item for item in declared]
    return [_follower(item, deployments, writing) for item in declared] if writing.beside else declared


def _labelled(key: Key, manifest: Manifest, writing: Writing) -> Declared:
    body = _placed(key, manifest)
    labels = body["metadata"].setdefault("labels", {}) or {}
    body["metadata"]["labels"] = labels
    for reserved in (ID, STRATEGY):
        if reserved in labels:
            raise wrong_manifest(
                manifest.where("metadata", "labels", reserved),
                f"{manifest}: the label {reserved} is reserved for the deployer; remove it"
                " (RAW=true deploys manifests as they are)",
            )
    labels[ID] = writing.deploy_id or UNSPECIFIED
    labels[STRATEGY] = writing.strategy
    if writing.resource:
        labels.setdefault(RESOURCE, writing.resource)
        labels.setdefault(APP_NAME, writing.resource)
    if _is_deployment(key):
        _label_pods(body, manifest, writing)
        if writing.beside:
            key = replace(key, name=_name_beside(manifest, writing))
            body["metadata"]["name"] = key.name
    if key.group_kind == objects.GroupKind("batch", "Job"):
        name = job_name(manifest.body)
        body["metadata"]["name"] = name
        key = replace(key, name=name)
    return Declared(key, body, manifest)


def _placed(key: Key, manifest: Manifest) -> Json:
    """A copy of the manifest's body that names its namespace, and nothing that only a server may set."""
    body: Json = copied(manifest.body)
    body.pop("status", None)
    if key.group_kind == objects.GroupKind("", "Secret"):
        # The server folds stringData into data and forgets who owned it, so that a removed key would stay.
        body = with_data(body)
    if key.namespace:
        body["metadata"]["namespace"] = key.namespace
    else:
        body["metadata"].pop("namespace", None)
    for field in ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"):
        body["metadata"].pop(field, None)
    return body


def _is_deployment(key: Key) -> bool:
    return key.kind == "Deployment" and key.group == "apps"


def _label_pods(body: Json, manifest: Manifest, writing: Writing) -> None:
    """Pod template and selector of a Deployment: `strategy` and `name`, as the original wrote them."""
    body["spec"] = spec = body.get("spec") or {}
    spec["template"] = pod = spec.get("template") or {}
    pod["metadata"] = template = pod.get("metadata") or {}
    template["labels"] = pods = template.get("labels") or {}
    spec["selector"] = selector = spec.get("selector") or {}
    version = writing.version
    for reserved in version:
        if reserved in pods:
            raise wrong_manifest(
                manifest.where("spec", "template", "metadata", "labels", reserved),
                f"{manifest}: the pod label {reserved} is reserved for the deployer; remove it",
            )
    pods.update(version)
    matched = dict(selector.get("matchLabels") or {})
    if not matched and not selector.get("matchExpressions"):
        # The manifest's own labels: a selector cannot be changed, and the next run may have another RESOURCE.
        matched = dict(pods)
    if writing.resource:
        pods.setdefault(APP_NAME, writing.resource)
    name = matched.get(NAME) or pods.get(NAME)
    _check_name(body, manifest, name, pods.get(NAME))
    matched.update(version)
    matched[NAME] = pods[NAME] = str(name)
    selector["matchLabels"] = matched


def _check_name(body: Json, manifest: Manifest, selected: str | None, pods: str | None) -> None:
    own = labels_of(body).get(NAME)
    if own is not None and own == selected and pods in {None, own}:
        return
    if own is None:
        why = "has no label `name`"
    elif selected is None:
        why = f"has no label `name` on its pod template (spec.template.metadata.labels): give it name: {own}"
    else:
        other = pods if pods not in {None, own} else selected
        why = f"has label name={own} on itself and name={other} on its pods or selector; they must be the same"
    raise wrong_manifest(
        manifest.where("metadata"),
        f"{manifest} {why}. A Deployment carries the label `name` on itself and on its pod template;"
        " RAW=true deploys manifests as they are",
    )


def _served(item: Declared, templates: Sequence[tuple[str, Mapping[str, str]]], writing: Writing) -> Declared:
    """A Service in front of a Deployment's pods selects by strategy as well; every other one stays as written."""
    selector = at(item.body, "spec", "selector")
    if not selector or not isinstance(selector, dict) or at(item.body, "spec", "type") == "ExternalName":
        return item
    version = writing.version
    wanted = {name: value for name, value in selector.items() if name not in version}
    if not wanted or not any(
        namespace == item.key.namespace and wanted.items() <= pods.items() for namespace, pods in templates
    ):
        return item
    for reserved in version:
        if reserved in selector:
            raise wrong_manifest(
                item.manifest.where("spec", "selector", reserved),
                f"{item.manifest}: {reserved} in the selector is reserved for the deployer; remove it",
            )
    body = {**item.body, "spec": {**item.body["spec"], "selector": {**selector, **version}}}
    return replace(item, body=body, serves=True)


def _follower(item: Declared, deployments: Sequence[Pods], writing: Writing) -> Declared:
    body = following(item.key.group_kind, item.key.namespace, item.body, deployments, writing.version)
    return item if body is None else replace(item, body=body, follows=True)


def _name_beside(manifest: Manifest, writing: Writing) -> str:
    try:
        return beside(manifest.name, writing.deploy_id or UNSPECIFIED)
    except ValueError as error:
        raise wrong_manifest(
            manifest.where("metadata", "name"),
            f"{manifest}: with fast-rollback its name is followed by DEPLOY_ID: {error}",
        ) from None


def job_name(body: Mapping[str, Any]) -> str:
    """A Job's name with a suffix made from its content, within 63 characters: other content is another Job."""
    content = copied(dict(body))
    annotations = annotations_of(content)
    for name in [name for name in annotations if name.startswith("kit-deployer/") or name == objects.UUID]:
        del annotations[name]
    if not annotations:
        content["metadata"].pop("annotations", None)
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    head = str(body["metadata"]["name"])[: _LONGEST_NAME - _SUFFIX - 1].rstrip("-.")
    return f"{head}-{digest[:_SUFFIX]}"


def configuration(manifest: Manifest) -> str:
    """The manifest as written, as JSON. The original wrote the same text, so its hash means the same to both."""
    return _COMPACT.encode(manifest.body)


def configuration_sha1(text: str) -> str:
    """The hash that stands beside the configuration (or instead of one that is too large)."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def stamp(declared: Declared, writing: Writing) -> Json:
    """The body that is sent: the declared one with the deploy's annotations."""
    annotations = dict(annotations_of(declared.body))
    if writing.uuid:
        annotations[objects.UUID] = writing.uuid
    if not writing.raw:
        annotations[objects.ORIGINAL_NAME] = declared.original_name
        if declared.key.group_kind != objects.GroupKind("", "Secret"):
            text = configuration(declared.manifest)
            if len(text.encode()) <= LARGEST_CONFIGURATION:
                annotations[objects.LAST_APPLIED] = text
            annotations[objects.LAST_APPLIED_SHA1] = configuration_sha1(text)
        annotations[objects.COMMIT] = json.dumps(writing.commit)
        annotations[objects.LAST_UPDATED] = writing.now
    metadata = {**declared.body["metadata"]}
    if annotations:
        metadata["annotations"] = annotations
    return {**declared.body, "metadata": metadata}


def check_label_value(setting: str, value: str | None) -> None:
    """Raise `InputError` where a setting that becomes a label's value cannot be one."""
    import re

    if value and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", value):
        raise InputError(
            "The settings are wrong",
            why=f"{setting}={value!r} becomes the value of a label, which has at most 63 characters, letters, digits,"
            " `-`, `_` and `.`, beginning and ending with a letter or digit",
            hint="Nothing was touched.",
        )
