# SPDX-License-Identifier: MIT
"""Which kinds a cluster knows, and where each is found. Pure: answers of the API server in, resources out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from kit_deployer.objects import GroupKind, Json, at, group_kind

AGGREGATED: Final = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)
"""What to accept from `/api` and `/apis` so that each answers with everything at once, where it can."""


@dataclass(frozen=True)
class Resource:
    """A kind in one version, and its place in the API."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def group_kind(self) -> GroupKind:
        """Kind and group, without the version."""
        return group_kind(self.group, self.kind)

    @property
    def api_version(self) -> str:
        """As manifests write it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The path of the collection, of one object, or of something below it."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        place = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        parts = [root + place, self.plural, quote(name, safe=""), subresource]
        return "/".join(part for part in parts if part)


class Kinds:
    """The kinds of one cluster, and those that definitions of the run will add."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._known: dict[tuple[str, str], Resource] = {}
        self._preferred: dict[GroupKind, Resource] = {}
        for resource in resources:
            self._known.setdefault((resource.api_version, resource.kind), resource)
            self._preferred.setdefault(resource.group_kind, resource)

    def find(self, api_version: str, kind: str) -> Resource | None:
        """The resource of a manifest's `apiVersion` and `kind`."""
        return self._known.get((api_version, kind))

    def preferred(self, kind: GroupKind) -> Resource | None:
        """A kind in the version that the server prefers."""
        return self._preferred.get(kind)

    def versions(self, kind: GroupKind) -> list[str]:
        """The versions in which the cluster knows a kind."""
        return [version for version, name in self._known if name == kind.kind and _group(version) == kind.group]

    def with_definitions(self, definitions: Iterable[Json]) -> "Kinds":
        """These kinds and those that CustomResourceDefinitions (manifests) define."""
        return Kinds([*self._known.values(), *(found for body in definitions for found in _defined(body))])


def aggregated_resources(answer: Json) -> Iterator[Resource]:
    """The resources in an `APIGroupDiscoveryList`. Versions whose server does not answer are left out."""
    for group in answer.get("items") or []:
        name = at(group, "metadata", "name") or ""
        for version in group.get("versions") or []:
            for found in version.get("resources") or []:
                kind = at(found, "responseKind", "kind")
                if kind:
                    namespaced = found.get("scope") == "Namespaced"
                    yield Resource(name, version["version"], kind, found["resource"], namespaced)


def listed_resources(answer: Json, api_version: str) -> Iterator[Resource]:
    """The resources in an `APIResourceList` of one group and version."""
    group, _, version = api_version.rpartition("/")
    for found in answer.get("resources") or []:
        if "/" not in found["name"]:
            yield Resource(group, version, found["kind"], found["name"], bool(found["namespaced"]))


def is_aggregated(answer: Mapping[str, object]) -> bool:
    """Whether the server answered with everything at once."""
    return answer.get("kind") == "APIGroupDiscoveryList"


def _defined(definition: Json) -> Iterator[Resource]:
    spec = definition.get("spec") or {}
    names = spec.get("names") or {}
    for version in spec.get("versions") or []:
        if (
            version.get("served", True)
            and version.get("name")
            and spec.get("group")
            and names.get("kind")
            and names.get("plural")
        ):
            namespaced = spec.get("scope") != "Cluster"
            yield Resource(spec["group"], version["name"], names["kind"], names["plural"], namespaced)


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]
