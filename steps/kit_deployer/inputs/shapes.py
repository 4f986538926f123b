# SPDX-License-Identifier: MIT
"""Where a manifest must hold a mapping, a list or text for the deployer (and the server) to make sense of it. Pure.

Only what the deployer itself looks into is here; the rest is the server's to check. What is left out or null is fine.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from kit_deployer.inputs.manifests import shown
from kit_deployer.objects import GroupKind, Json, group_of

Path: TypeAlias = tuple[str | int, ...]
Finding: TypeAlias = tuple[Path, str]

_TEXT: Final = "text"
_TEXTS: Final = "texts"
_PLAIN: Final = "plain"
# A mapping says what is in a mapping, a list what its items are; words are text, a mapping of text, anything plain.
_CONTAINER: Final[Json] = {
    "env": [{"valueFrom": {"configMapKeyRef": {}, "secretKeyRef": {}}}],
    "envFrom": [{"configMapRef": {}, "secretRef": {}}],
    "ports": [{"containerPort": _PLAIN, "protocol": _PLAIN}],
}
_PODS: Final[Json] = {
    "metadata": {"labels": {}, "annotations": {}},
    "spec": {
        "containers": [_CONTAINER],
        "initContainers": [_CONTAINER],
        "volumes": [{"configMap": {}, "secret": {}, "projected": {"sources": [{}]}}],
    },
}
_SELECTOR: Final[Json] = {"matchLabels": _TEXTS, "matchExpressions": [{}]}
_WORKLOAD: Final[Json] = {"spec": {"selector": _SELECTOR, "template": _PODS}}
_SHAPES: Final[Mapping[GroupKind, Json]] = {
    **{GroupKind("apps", kind): _WORKLOAD for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")},
    GroupKind("batch", "Job"): _WORKLOAD,
    GroupKind("batch", "CronJob"): {"spec": {"jobTemplate": {"spec": {"template": _PODS}}}},
    GroupKind("", "Pod"): {"spec": _PODS["spec"]},
    GroupKind("", "Service"): {"spec": {"selector": _TEXTS, "ports": [{"port": _PLAIN, "protocol": _PLAIN}]}},
    GroupKind("", "Secret"): {"data": _TEXTS, "stringData": _TEXTS},
    GroupKind("", "ConfigMap"): {"data": _TEXTS, "binaryData": _TEXTS},
    GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"): {
        "spec": {
            "group": _TEXT,
            "names": {"kind": _TEXT, "plural": _TEXT},
            "versions": [{"name": _TEXT}],
        }
    },
}
_ALL: Final[Json] = {"metadata": {"namespace": _TEXT}}


_TEXT_OF_USER: Final = (
    "token", "tokenFile", "username", "password",
    "client-certificate", "client-certificate-data", "client-key", "client-key-data",
)  # fmt: skip
_TEXT_OF_CLUSTER: Final = (
    "server", "certificate-authority", "certificate-authority-data", "proxy-url", "tls-server-name",
)  # fmt: skip
KUBECONFIG: Final[Json] = {
    "metadata": {"name": _TEXT, "annotations": _TEXTS},
    "context": {"namespace": _TEXT},
    "cluster": {**dict.fromkeys(_TEXT_OF_CLUSTER, _TEXT), "extensions": [{}]},
    "user": {
        **dict.fromkeys(_TEXT_OF_USER, _TEXT),
        "exec": {
            **dict.fromkeys(("apiVersion", "command", "interactiveMode", "installHint"), _TEXT),
            "args": [_TEXT],
            "env": [{"name": _TEXT, "value": _PLAIN}],
        },
    },
}
"""What is read of a kubeconfig: its metadata, and the context, cluster and user that it names."""


def misshapen(body: Json) -> Iterator[Finding]:
    """Every finding as (path below the object, what is wrong); never a value, which may be a secret."""
    yield from walk(body, _ALL, ())
    yield from walk(body, _SHAPES.get(GroupKind(group_of(body), body["kind"]), {}), ())


def walk(value: Any, shape: Any, path: Path) -> Iterator[Finding]:
    """What is wrong with a value of the given shape; `path` is where it stands."""
    wanted, fits = _wanted(value, shape)
    if value is None:
        return
    if not fits:
        where = ".".join(map(str, path))
        quote = "; quote it" if wanted == "text" else ""
        yield path, f"{where} is {shown(value, secret=True)}, not {wanted}{quote}"
    elif isinstance(shape, list):
        for index, item in enumerate(value):
            if item is None:
                yield (*path, index), f"{'.'.join(map(str, path))}.{index} is nothing"
            yield from walk(item, shape[0], (*path, index))
    elif shape == _TEXTS:
        for name, text in value.items():
            yield from walk(text, _TEXT, (*path, name))
    elif isinstance(shape, dict):
        for name, below in shape.items():
            yield from walk(value.get(name), below, (*path, name))


def _wanted(value: Any, shape: Any) -> tuple[str, bool]:
    """What the shape wants, in words, and whether the value is that."""
    if isinstance(shape, list):
        return "a list", isinstance(value, list)
    if shape == _TEXT:
        return "text", isinstance(value, str)
    if shape == _PLAIN:
        return "a single value", not isinstance(value, (dict, list))
    return "a mapping", isinstance(value, dict)
