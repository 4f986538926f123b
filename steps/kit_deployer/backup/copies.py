# SPDX-License-Identifier: MIT
"""What a copy of an applied manifest is: its name in the bucket, its text, and whether it may be kept at all."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from kit_core.yamlwords import kubernetes_words
from kit_deployer.objects import Key, at_pointer, group_of

Format = Literal["yaml", "json"]

TYPES: Final[Mapping[Format, str]] = {"yaml": "application/yaml", "json": "application/json"}


@dataclass(frozen=True)
class Copy:
    """One object of the bucket. `of` is the object of the cluster, for people."""

    name: str
    text: str
    type: str
    of: str


def copy_of(body: Mapping[str, Any], key: Key, *, cluster: str, namespace: str, form: Format) -> Copy:
    """The copy of a body as it was sent. `namespace` is the one that the cluster's kubeconfig names."""
    text = as_json(body) if form == "json" else as_yaml(body)
    return Copy(name_of(key, cluster=cluster, namespace=namespace, form=form), text, TYPES[form], f"{cluster}: {key}")


def name_of(key: Key, *, cluster: str, namespace: str, form: Format) -> str:
    """`<cluster>/<kind>/<name>.<format>`, so far as that names one object.

    A folder may deploy the same kind and name into several namespaces: those of another namespace than the
    kubeconfig's get its name as a folder (`<kind>/<namespace>/<name>`), which no name can hold. Kinds that are not
    Kubernetes' own get their group (`Service.serving.knative.dev`), since two of them may have one name.
    """
    kind = key.kind if _kubernetes(key.group) else str(key.group_kind)
    within = f"{key.namespace}/" if key.namespace and key.namespace != namespace else ""
    return f"{cluster}/{kind}/{within}{key.name}.{form}"


def holds_secrets(body: Mapping[str, Any], secrets: Iterable[str]) -> bool:
    """Whether it is a Secret, or one of `secrets` (JSON pointers of values from secret sources) is within it.

    With values blacked out it would be no copy: whoever put it back would set the passwords to asterisks.
    """
    if body.get("kind") == "Secret" and not group_of(body):
        return True
    return any(at_pointer(body, pointer) is not None for pointer in secrets)


def as_json(body: Mapping[str, Any]) -> str:
    """The body as JSON that people can read."""
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def as_yaml(body: Mapping[str, Any]) -> str:
    """The body as YAML that Kubernetes' tools read as the same body: PyYAML leaves `1e3`, a number to them, bare."""
    import yaml

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        """Quotes texts by Kubernetes' rules; those of several lines are blocks."""

    def text_of(dumper: Any, text: str) -> Any:
        style = "|" if "\n" in text else "'" if kubernetes_words(text) is not text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, text_of)
    dumped: str = yaml.dump(body, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=2**31 - 1)
    return dumped


def _kubernetes(group: str) -> bool:
    return "." not in group or group.endswith(".k8s.io")
