# SPDX-License-Identifier: MIT
"""Which files of an earlier run are as good as new: their resource is made from the same, and they are untouched.

A resource is made from the files that its outputs name as inputs, from the settings, and from this version of kit. What
took values from outside the repository is made anew each time, and so is what had anything told about it.
"""

import contextlib
import hashlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from kit_core.version import VERSION, source_commit
from kit_deploymentizer.inputs.repository import Cluster
from kit_deploymentizer.output.digests import Digests
from kit_deploymentizer.output.index import HIDDEN, Index, read_index
from kit_deploymentizer.output.stamps import Stamp, read_stamps, stamps_in
from kit_deploymentizer.plan import Kept, Output
from kit_deploymentizer.settings import DeploymentizerSettings

_PACKAGE: Final = Path(__file__).parents[1]
_NO_SAY: Final = frozenset(
    {"conf", "workdir", "resource", "cluster_type", "cluster_name", "shard", "save", "clean", "incremental", "format",
     "against", "exit_code", "debug", "log_format", "ca_cert", "elroy_url", "elroy_secret", "elroy_only"}
)  # fmt: skip
"""Settings that change nothing of what a resource is rendered to."""


class Keys:
    """Words for what something is made from. `settings` are those of the run that have a say."""

    def __init__(self, digests: Digests, settings: Iterable[object]) -> None:
        self._digests = digests
        self._base = repr((VERSION, source_commit() or _sources(), sys.version, *settings))

        self._clusters: dict[str, str] = {}

    def of_cluster(self, cluster: Cluster) -> str:
        """What all resources of the cluster are made from."""
        if cluster.name not in self._clusters:
            self._clusters[cluster.name] = self._digests.key(self._base, cluster.inputs)
        return self._clusters[cluster.name]

    def digests(self, files: Iterable[str]) -> dict[str, str]:
        """The digests of these files."""
        return {file: self._digests.of(file) for file in files}

    def changed(self, digests: Mapping[str, str]) -> frozenset[str]:
        """Those of the files that had another digest."""
        return self._digests.changed(digests)


def with_a_say(settings: DeploymentizerSettings) -> tuple[object, ...]:
    """The settings that resources are made from: all, but for those that are known to have no say. Secrets only decide
    about what is rendered each time."""
    named = {field.name: getattr(settings, field.name) for field in fields(settings) if field.name not in _NO_SAY}
    resource = settings.resource if settings.commit_id else None  # the commit is one resource's
    return (*named.items(), resource)


def _sources() -> list[tuple[str, int, int]]:
    """Where kit does not come from an image: its own code, which may be at work."""
    files = sorted(path for path in _PACKAGE.rglob("*.py"))
    return [(str(path), (status := path.stat()).st_size, status.st_mtime_ns) for path in files]


class Earlier:
    """What the output in place holds (`plan.Reuse`). `whole`: a cluster is kept whole or not at all."""

    def __init__(self, output: Path, keys: Keys, *, whole: bool, look: bool = True) -> None:
        self._output = output
        self._keys = keys
        self._whole = whole
        self._look = look
        self._stamps = read_stamps(output / HIDDEN) if look else {}
        self._said: dict[str, tuple[int, Mapping[str, str]]] = {}

    def kept(self, cluster: Cluster, wanted: Mapping[str, Any]) -> Mapping[str, tuple[str, tuple[Output, ...]]]:
        """See `plan.Reuse`."""
        there = self._of(cluster) if self._look else None
        if there is None:
            return {}
        self._said[cluster.name] = there.said
        kept = {name: found for name in wanted if (found := there.outputs(name)) is not None}
        silent = {name for name, one in wanted.items() if isinstance(one, dict) and one.get("disable") is True}
        return kept if not self._whole or kept.keys() | silent == wanted.keys() else {}

    def is_all(self, cluster: str, files: int, made: Mapping[str, str]) -> bool:
        """See `plan.Reuse`."""
        return self._said.get(cluster) == (files, made)

    def key(self, cluster: Cluster) -> str:
        """See `plan.Reuse`."""
        return self._keys.of_cluster(cluster)

    def digests(self, files: Iterable[str]) -> Mapping[str, str]:
        """See `plan.Reuse`."""
        return self._keys.digests(files)

    def _of(self, cluster: Cluster) -> "EarlierCluster | None":
        """What is there of one cluster; None where nothing is that can be used."""
        index: Index | None = None
        with contextlib.suppress(OSError):
            index = read_index((self._output / HIDDEN / f"{cluster.name}.json").read_bytes())
        if index is None or not index.get("made"):
            return None
        stamps = self._stamps.get(cluster.name, {})
        return EarlierCluster(cluster, index, stamps, self._output / cluster.name, self._keys)


class EarlierCluster:
    """What the output in place holds of one cluster."""

    def __init__(self, cluster: Cluster, index: Index, stamps: Mapping[str, Stamp], folder: Path, keys: Keys) -> None:
        self._common = cluster.inputs
        self._index = index
        self._folder = str(folder)
        self._key = keys.of_cluster(cluster)
        digests = index.get("digests", {})
        self._known = digests.keys() - keys.changed(digests)
        self._stamps = stamps
        self._now = stamps_in(folder)
        self._untouched = self._now == stamps
        self.said = len(index["files"]), index["made"]
        self._files: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
        for path, facts in index["files"].items():
            self._files.setdefault(str(facts.get("resource")), []).append((path, facts))

    def outputs(self, resource: str) -> tuple[str, tuple[Output, ...]] | None:
        """What the resource is made from and its files, if they are as a render would make them."""
        made, files = self._index["made"].get(resource), self._files.get(resource)
        if made != self._key or not files:
            return None
        outputs = []
        for path, facts in files:
            extra, digest = facts.get("inputs"), facts.get("sha256")
            if not extra or not isinstance(digest, str) or not self._known.issuperset(extra):
                return None
            stamp = self._now.get(path) if self._untouched else self._intact(path, digest)
            if stamp is None:
                return None
            outputs.append(self._output(resource, path, extra, Kept(f"{self._folder}/{path}", digest, stamp)))
        return made, tuple(outputs)

    def _intact(self, path: str, digest: str) -> Stamp | None:
        """When the file was last touched, None where it is not what the index says."""
        stamp = self._now.get(path)
        if stamp is None or self._stamps.get(path) == stamp:
            return stamp
        with contextlib.suppress(OSError):
            content = Path(f"{self._folder}/{path}").read_bytes()
            return stamp if hashlib.sha256(content).hexdigest() == digest else None
        return None

    def _output(self, resource: str, path: str, extra: Sequence[str], kept: Kept) -> Output:
        return Output(
            path=path,
            content=b"",
            resource=resource,
            template=extra[0],
            inputs=(*self._common, *extra),
            pointers=tuple(self._index["secrets"].get(path, ())),
            objects=self._index.get("objects", {}).get(path, ()),
            kept=kept,
        )
