# SPDX-License-Identifier: MIT
"""Which workloads read which ConfigMaps and Secrets, and so run on with old values when those change. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kit_deployer.objects import Json, Key, at, containers, listed, pod_template


def referenced(body: Json, namespace: str) -> frozenset[Key]:
    """The ConfigMaps and Secrets that a workload's pods read their values from."""
    template = pod_template(body)
    if template is None:
        return frozenset()
    return frozenset(Key("", kind, namespace, name) for kind, name in _names(template) if isinstance(name, str))


def _names(template: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for _, _, container in containers(template):
        for source in listed(container, "envFrom"):
            yield "ConfigMap", at(source, "configMapRef", "name")
            yield "Secret", at(source, "secretRef", "name")
        for variable in listed(container, "env"):
            yield "ConfigMap", at(variable, "valueFrom", "configMapKeyRef", "name")
            yield "Secret", at(variable, "valueFrom", "secretKeyRef", "name")
    for volume in listed(template, "spec", "volumes"):
        yield "ConfigMap", at(volume, "configMap", "name")
        yield "Secret", at(volume, "secret", "secretName")
        for source in listed(volume, "projected", "sources"):
            yield "ConfigMap", at(source, "configMap", "name")
            yield "Secret", at(source, "secret", "name")


def still_old(changed: Iterable[Key], running: Iterable[tuple[Key, Json]]) -> list[tuple[Key, Key]]:
    """(workload, configuration) pairs: the configuration changed and the workload will not restart by itself.

    `running` are the workloads whose pods stay as they are.
    """
    values = set(changed)
    return [
        (workload, configuration)
        for workload, body in running
        for configuration in sorted(referenced(body, workload.namespace) & values)
    ]
