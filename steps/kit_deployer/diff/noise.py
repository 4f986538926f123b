# SPDX-License-Identifier: MIT
"""An object without what nobody wrote: what servers keep for themselves, what deploys note down, and defaults. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from kit_deployer import objects
from kit_deployer.diff.items import keyed, naming
from kit_deployer.objects import Json

_KEPT_BY_SERVERS: Final = frozenset(
    {"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"}
)
_NOTES: Final = objects.WRITTEN_ANNOTATIONS | {
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
}
_JOB_LABELS: Final = frozenset(
    {"controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"}
)
"""What the server writes into each Job anew: its own uid and name."""

_ROLLING: Final = {"type": "RollingUpdate"}
_DEFAULTS: Final[Mapping[str, tuple[Any, ...]]] = {
    # of pods
    "terminationMessagePath": ("/dev/termination-log",), "terminationMessagePolicy": ("File",),
    "imagePullPolicy": ("Always", "IfNotPresent"), "dnsPolicy": ("ClusterFirst",), "restartPolicy": ("Always",),
    "schedulerName": ("default-scheduler",), "securityContext": ({},), "resources": ({},),
    "terminationGracePeriodSeconds": (30,), "protocol": ("TCP",), "successThreshold": (1,), "failureThreshold": (3,),
    "periodSeconds": (10,), "timeoutSeconds": (1,), "scheme": ("HTTP",), "defaultMode": (420,),
    "creationTimestamp": (None,),
    # of workloads
    "replicas": (1,), "progressDeadlineSeconds": (600,), "revisionHistoryLimit": (10,),
    "podManagementPolicy": ("OrderedReady",),
    "persistentVolumeClaimRetentionPolicy": ({"whenDeleted": "Retain", "whenScaled": "Retain"},),
    "strategy": ({**_ROLLING, "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},),
    "updateStrategy": (
        {**_ROLLING, "rollingUpdate": {"partition": 0}},
        {**_ROLLING, "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
    ),
    "completionMode": ("NonIndexed",), "completions": (1,), "parallelism": (1,), "backoffLimit": (6,),
    "suspend": (False,), "manualSelector": (False,), "podReplacementPolicy": ("TerminatingOrFailed",),
    "concurrencyPolicy": ("Allow",), "successfulJobsHistoryLimit": (3,), "failedJobsHistoryLimit": (1,),
    # of Services and claims
    "sessionAffinity": ("None",), "internalTrafficPolicy": ("Cluster",), "externalTrafficPolicy": ("Cluster",),
    "ipFamilyPolicy": ("SingleStack",), "ipFamilies": (["IPv4"], ["IPv6"]), "type": ("ClusterIP", ""),
    "allocateLoadBalancerNodePorts": (True,), "volumeMode": ("Filesystem",), "immutable": (False,),
    # of webhooks and definitions
    "matchPolicy": ("Equivalent",), "namespaceSelector": ({},), "objectSelector": ({},),
    "reinvocationPolicy": ("Never",), "conversion": ({"strategy": "None"},), "finalizers": (["kubernetes"],),
}  # fmt: skip
"""What servers fill in where a manifest says nothing."""

_CHOSEN: Final = frozenset(
    {"clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort", "kubernetes.io/metadata.name"}
)
"""What servers choose by themselves; a dry run's choice says nothing about the real one."""


def clean(body: Json | None) -> Json | None:
    """An object without what the server and the deployer write down for themselves."""
    if body is None:
        return None
    metadata = {name: value for name, value in body["metadata"].items() if name not in _KEPT_BY_SERVERS}
    annotations = {
        name: value for name, value in (metadata.pop("annotations", None) or {}).items() if name not in _NOTES
    }
    if annotations:
        metadata["annotations"] = annotations
    rest = {name: value for name, value in body.items() if name not in {"status", "metadata"}}
    cleaned = {"apiVersion": rest.pop("apiVersion", None), "kind": rest.pop("kind", None), "metadata": metadata, **rest}
    if cleaned["kind"] == "Job":
        return {name: _without_uid(value) for name, value in cleaned.items()}
    return cleaned


def without_defaults(body: Any, other: Any, declared: Any) -> Any:
    """`body` without the defaults that the `other` state lacks and the manifest (`declared`) does not say.

    Both states of an object that changes have the same defaults; one that is new, or a new part of it, has them only
    because the server filled them in. What a webhook adds is no default and stays.
    """
    if isinstance(body, dict):
        return _map_without(body, other if isinstance(other, dict) else {}, declared)
    if isinstance(body, list):
        others = other if isinstance(other, list) else []
        says = declared if isinstance(declared, list) else []
        name = naming(body, others, says)
        there, said = keyed(others, name), keyed(says, name)
        return [without_defaults(item, there.get(key), said.get(key)) for key, item in keyed(body, name).items()]
    return body


def _map_without(body: Json, other: Json, declared: Any) -> Json:
    says = declared if isinstance(declared, dict) else {}
    kept = {}
    for name, value in body.items():
        known = name in other or name in says
        if not known and (name in _CHOSEN or _is_default(name, value, body)):
            continue
        rest = without_defaults(value, other.get(name), says.get(name))
        if rest or known or not value:  # what held nothing but defaults is one
            kept[name] = rest
    return kept


def _is_default(name: str, value: Any, beside: Json) -> bool:
    if name == "targetPort":
        return bool(value == beside.get("port"))
    if name == "serviceAccount":
        return bool(value == beside.get("serviceAccountName"))
    if name == "apiVersion":
        return "fieldPath" in beside
    # As far as types go: to Python, true is 1.
    return any(value == default and type(value) is type(default) for default in _DEFAULTS.get(name, ()))


def _without_uid(body: Any) -> Any:
    if isinstance(body, dict):
        kept = {name: _without_uid(value) for name, value in body.items() if name not in _JOB_LABELS}
        return {name: value for name, value in kept.items() if value != {} or body[name] == {}}
    return [_without_uid(item) for item in body] if isinstance(body, list) else body
