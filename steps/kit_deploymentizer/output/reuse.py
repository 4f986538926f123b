# SPDX-License-Identifier: MIT
"""Which files of an earlier run are as good as new: their resource is made from the same, and they are untouched.

A resource is made from the files that its outputs name as inputs, from the settings, and from this version of kit. What
took values from outside the repository is made anew each time, and so is what had anything told about it.
"""

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import kit_core
from kit_core.version import VERSION, source_commit
from kit_deploymentizer.inputs.repository import Cluster
from kit_deploymentizer.output.digests import Digests
from kit_deploymentizer.output.file import Kept, Output
from kit_deploymentizer.output.index import HIDDEN, Index, entries_naming, entry_in, read_index
from kit_deploymentizer.output.rest import Former, Rest
from kit_deploymentizer.output.stamps import Note, Notes, Snapshot, Stamp, read_notes, snapshot, stamp_of
from kit_deploymentizer.settings import DeploymentizerSettings

_PACKAGE: Final = Path(__file__).parents[1]
_CORE: Final = Path(kit_core.__file__).parent
_NO_SAY: Final = frozenset(
    {"conf", "workdir", "resource", "cluster_type", "cluster_name", "shard", "save", "clean", "incremental", "format",
     "against", "exit_code", "debug", "log_format", "ca_cert", "elroy_url", "elroy_secret", "elroy_only"}
)  # fmt: skip
"""Settings that change nothing of what a resource is rendered to."""


class Keys:
    """Words for what something is made from. `settings` are those of the run that have a say."""

    def __init__(self, digests: Digests, settings: Iterable[object]) -> None:
        self._digests = digests
        self._base = repr((made_by(), *settings))
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


@lru_cache(maxsize=1)
def made_by() -> str:
    """This version of kit and of Python, which may read and render otherwise than another."""
    return repr((VERSION, source_commit() or _sources(), sys.version))


def _sources() -> list[tuple[str, int, int]]:
    """Where kit does not come from an image: its own code, which may be at work."""
    files = sorted(path for folder in (_PACKAGE, _CORE) for path in folder.rglob("*.py"))
    return [(str(path), (status := path.stat()).st_size, status.st_mtime_ns) for path in files]


class Earlier:
    """What the output in place holds (`plan.Reuse`). `whole`: a cluster is kept whole or not at all."""

    def __init__(self, output: Path, keys: Keys, *, whole: bool, look: bool = True, brief: bool = False) -> None:
        self._output = output
        self._keys = keys
        self._whole = whole
        self._look = look
        self._brief = brief and look
        self._notes = read_notes(output / HIDDEN) if look else Notes()
        self._seen: dict[str, Snapshot] = {}
        self._digests: dict[str, tuple[dict[str, str], frozenset[str]]] = {}
        self._said: dict[str, tuple[int, Mapping[str, str]]] = {}

    def rest(self, cluster: Cluster) -> Rest | None:
        """See `plan.Reuse`."""
        note = self._notes.clusters.get(cluster.name) if self._brief else None
        if note is None or note.key != self._keys.of_cluster(cluster) or note.digests is None:
            return None
        index = f"{self._output}/{HIDDEN}/{cluster.name}.json"
        seen = self._snapshot(cluster.name)
        if note.digests not in self._notes.digests:
            return None
        if not self._is_noted(index, note) or not seen.is_as(note, self._notes.time):
            return None
        digests, changed = self._now(note.digests)
        if not changed:
            return Rest(tuple(seen.files), note.mark, note.key, digests)
        return None if self._whole or cluster.secrets else self._part(cluster, note, seen, index)

    def _part(self, cluster: Cluster, note: Note, seen: Snapshot, place: str) -> Rest | None:
        """Where files changed: which resources are made from them, as the index names them."""
        digests, changed = self._now(str(note.digests))
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            raw = Path(place).read_bytes()
            named = entries_naming(raw, "files", changed)
            dirty = {facts["resource"] for facts in named.values() if not changed.isdisjoint(facts["inputs"])}
            former = {
                path: Former(facts, tuple(tuple(parts) for parts in entry_in(raw, "objects", path) or ()))
                for path, facts in entries_naming(raw, "files", dirty).items()
                if facts["resource"] in dirty
            }

            def others() -> Mapping[str, tuple[str, tuple[Output, ...]]]:
                there = self._there(cluster, raw, seen)
                found = {name: there.outputs(name) for name in cluster.resources if name not in dirty} if there else {}
                return {name: one for name, one in found.items() if one is not None}

            return Rest(
                names=tuple(seen.files), mark=note.mark, key=str(note.key), digests=digests, changed=changed,
                dirty=frozenset(dirty), former=former, stamps=seen.files, raw=raw, others=others,
            )  # fmt: skip
        return None

    def _is_noted(self, index: str, note: Note) -> bool:
        """Whether the index is the one that was noted."""
        with contextlib.suppress(OSError):
            status = os.lstat(index)
            return stamp_of(status) == note.index and status.st_ctime_ns < self._notes.time
        return False

    def _now(self, name: str) -> tuple[dict[str, str], frozenset[str]]:
        """A noted set of digests as they are now, and the files that changed."""
        if name not in self._digests:
            before = self._notes.digests[name]
            now = self._keys.digests(before)
            self._digests[name] = now, frozenset(file for file, digest in now.items() if digest != before[file])
        return self._digests[name]

    def _snapshot(self, cluster: str) -> Snapshot:
        if cluster not in self._seen:
            self._seen = {cluster: snapshot(f"{self._output}/{cluster}")}  # of one at a time: nobody comes back to it
        return self._seen[cluster]

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
        with contextlib.suppress(OSError):
            raw = (self._output / HIDDEN / f"{cluster.name}.json").read_bytes()
            seen, note = self._snapshot(cluster.name), self._notes.clusters.get(cluster.name)
            trusted = note is not None and seen.is_as(note, self._notes.time)
            return self._there(cluster, raw, seen, trusted=trusted)
        return None

    def _there(self, cluster: Cluster, raw: bytes, seen: Snapshot, *, trusted: bool = True) -> "EarlierCluster | None":
        index = read_index(raw)
        if index is None or not index.get("made"):
            return None
        return EarlierCluster(cluster, index, seen.files, f"{self._output}/{cluster.name}", self._keys, trusted=trusted)


class EarlierCluster:
    """What the output in place holds of one cluster. `now` are its files; `trusted`, that they are as they were."""

    def __init__(
        self, cluster: Cluster, index: Index, now: Mapping[str, Stamp], folder: str, keys: Keys, *, trusted: bool
    ) -> None:
        self._common = cluster.inputs
        self._index = index
        self._folder = folder
        self._key = keys.of_cluster(cluster)
        digests = index.get("digests", {})
        self._known = digests.keys() - keys.changed(digests)
        self._now = now
        self._trusted = trusted
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
            stamp = self._now.get(path)
            if stamp is None or not (self._trusted or self._intact(path, digest)):
                return None
            outputs.append(self._output(resource, path, extra, Kept(f"{self._folder}/{path}", digest, stamp)))
        return made, tuple(outputs)

    def _intact(self, path: str, digest: str) -> bool:
        """Whether the file is what the index says."""
        with contextlib.suppress(OSError):
            return hashlib.sha256(Path(f"{self._folder}/{path}").read_bytes()).hexdigest() == digest
        return False

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
