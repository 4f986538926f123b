# SPDX-License-Identifier: MIT
"""Writing a plan: everything beside its place first, then renamed into it, the index last.

All that is kit's own lies in a hidden folder of the output, so that the output may be a mount point and no tool takes
it for manifests. A run that is cut off leaves an index that says `"complete": false`; the next run puts it right.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kit_core.errors import InputError
from kit_core.files import refused, write_atomically
from kit_deploymentizer.plan import ClusterPlan, Output

HIDDEN: Final = ".kit"
_STAGING: Final = "staging-"
_LOCK: Final = "lock"
_VERSION: Final = 1
_MANIFESTS: Final = frozenset({".yaml", ".json"})


@dataclass(frozen=True)
class Limits:
    """What a run is about, where that is not everything."""

    resource: str | None = None
    clusters: bool = False
    """Whether clusters were left out (CLUSTER_NAME, CLUSTER_TYPE)."""


@dataclass
class Written:
    """What writing did, as paths below the output."""

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: dict[str, frozenset[str]] = field(default_factory=dict)
    """By cluster, the files that were there before and hold something else now."""


Index = dict[str, Any]


class Writer:
    """Writes below one output folder. Every method raises `WorkError` naming path, owner and uid where refused."""

    def __init__(self, output: Path, inputs: Iterable[Path]) -> None:
        self._output = output
        self._inputs = tuple(inputs)
        self.result = Written()

    def write(self, plans: Iterable[ClusterPlan], *, commit: str | None, limits: Limits, clean: bool) -> Written:
        """Bring the output to the plans. `clean` removes what earlier runs left; a limited run only its own part."""
        plans = tuple(plans)
        for plan in plans:
            self._refuse_inputs(plan.name)
        try:
            with _staging(self._output / HIDDEN) as staging:
                self._write_staged(plans, staging, commit, limits, clean)
        except OSError as error:
            path = Path(error.filename) if isinstance(error.filename, str) else self._output
            raise refused(error, path, "The output cannot be written") from None
        return self.result

    def _write_staged(
        self, plans: tuple[ClusterPlan, ...], staging: Path, commit: str | None, limits: Limits, clean: bool
    ) -> None:
        before = {plan.name: self._read_index(plan.name) for plan in plans}
        staged = [(plan, self._stage(plan, staging)) for plan in plans]
        for plan, names in staged:
            stale = self._stale(plan, before[plan.name], limits) if clean else []
            if names or stale:
                self._mark_begun(plan.name, before[plan.name])
            self._move(plan, names, staging)
            self._remove(plan.name, stale)
        if clean and not limits.clusters and limits.resource is None:
            self._remove_gone({plan.name for plan in plans})
        for plan in plans:
            self._write_index(plan, before[plan.name], commit, limits, clean)

    def _refuse_inputs(self, cluster: str) -> None:
        """A cluster's folder must not be one that the repository is read from: cleaning it would eat the sources."""
        folder = self._output / cluster
        for path in self._inputs:
            if folder == path or folder in path.parents or path in folder.parents:
                raise InputError(
                    f"cluster {cluster} would be written into the sources",
                    where=str(folder),
                    why=f"kit.yaml reads from {path}",
                    hint="Set output.path in kit.yaml to a folder of its own, such as ./generated.",
                )

    def _stage(self, plan: ClusterPlan, staging: Path) -> list[str]:
        """Write what differs from what is there beside it; the names of those files."""
        folder, beside = self._output / plan.name, staging / plan.name
        folder.mkdir(parents=True, exist_ok=True)
        names: list[str] = []
        changed: set[str] = set()
        for output in plan.outputs:
            shown = f"{plan.name}/{output.path}"
            if (folder / output.path).is_dir():
                raise InputError("A folder stands where a manifest is to be written", where=str(folder / output.path),
                                 hint="Move it away and run again.")  # fmt: skip
            there = _content(folder / output.path)
            if there == output.content:
                self.result.unchanged.append(shown)
                continue
            if there is not None:
                changed.add(output.path)
            if not names:
                beside.mkdir()
            (beside / output.path).write_bytes(output.content)
            names.append(output.path)
            self.result.written.append(shown)
        self.result.changed[plan.name] = frozenset(changed)
        return names

    def _mark_begun(self, cluster: str, before: Index | None) -> None:
        index = before or {"version": _VERSION, "cluster": cluster, "commit": None, "files": {}, "secrets": {}}
        self._dump(cluster, {**index, "complete": False})

    def _move(self, plan: ClusterPlan, names: Iterable[str], staging: Path) -> None:
        for name in names:
            (staging / plan.name / name).replace(self._output / plan.name / name)

    def _stale(self, plan: ClusterPlan, before: Index | None, limits: Limits) -> list[str]:
        """What an earlier run left in the cluster's folder; of one resource, what the index says was its."""
        kept = {output.path for output in plan.outputs}
        if limits.resource is not None:
            files: Mapping[str, Any] = (before or {}).get("files", {})
            return [name for name, facts in files.items()
                    if facts.get("resource") == limits.resource and name not in kept]  # fmt: skip
        return [name for name in _manifests(self._output / plan.name) if name not in kept]

    def _remove(self, cluster: str, names: Iterable[str]) -> None:
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                (self._output / cluster / name).unlink()
                self.result.removed.append(f"{cluster}/{name}")

    def _remove_gone(self, present: set[str]) -> None:
        """Manifests of folders whose cluster is gone. Without an index, only where no source lies in the output."""
        hidden = self._output / HIDDEN
        indexed = {path.stem for path in hidden.glob("*.json")}
        mixed = any(path == self._output or self._output in path.parents for path in self._inputs)
        folders = indexed if mixed else indexed | {path.name for path in self._output.iterdir() if path.is_dir()}
        for name in sorted(folders - present):
            folder = self._output / name
            if name.startswith(".") or folder.is_symlink():
                continue
            if folder.is_dir():
                self._remove(name, _manifests(folder))
                _remove_empty(folder)
            (hidden / f"{name}.json").unlink(missing_ok=True)

    def _read_index(self, cluster: str) -> Index | None:
        try:
            index = json.loads((self._output / HIDDEN / f"{cluster}.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return index if isinstance(index, dict) and index.get("version") == _VERSION else None

    def _write_index(
        self, plan: ClusterPlan, before: Index | None, commit: str | None, limits: Limits, clean: bool
    ) -> None:
        """Say what is in the cluster's folder now. A run about one resource keeps what is said of the others."""
        files = {output.path: _facts(output) for output in plan.outputs}
        secrets = {output.path: list(output.pointers) for output in plan.outputs if output.pointers}
        complete = not plan.left_out
        if limits.resource is not None:
            old = before or {}
            others = {name: facts for name, facts in old.get("files", {}).items()
                      if facts.get("resource") != limits.resource and name not in files}  # fmt: skip
            files |= others
            secrets |= {name: pointers for name, pointers in old.get("secrets", {}).items() if name in others}
            # Everything is there only if it was before: this run looked at one resource.
            complete = complete and bool(old.get("complete"))
        self._dump(plan.name, {
            "version": _VERSION,
            "cluster": plan.name,
            "commit": commit,
            "complete": complete,
            "placeholders": False,
            "limited_to": limits.resource,
            "left_out": sorted(plan.left_out),
            "clean": clean,
            "files": dict(sorted(files.items())),
            "secrets": dict(sorted(secrets.items())),
        })  # fmt: skip

    def _dump(self, cluster: str, index: Index) -> None:
        path = self._output / HIDDEN / f"{cluster}.json"
        text = json.dumps(index, indent=1, ensure_ascii=False) + "\n"
        if _content(path) != text.encode():
            write_atomically(path, text, what="The index of the output")


@contextlib.contextmanager
def _staging(hidden: Path) -> Iterator[Path]:
    """A folder for this run's files, gone at its end, as are those of runs that were killed.

    A lock tells a run that is still at work (each part of a fleet may be rendered by a run of its own) from one that
    ended without tidying up.
    """
    hidden.mkdir(parents=True, exist_ok=True)
    for left in hidden.glob(f"{_STAGING}*"):
        with contextlib.suppress(OSError), (left / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=hidden))
    try:
        with (staging / _LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _facts(output: Output) -> Mapping[str, Any]:
    digest = hashlib.sha256(output.content).hexdigest()
    return {"sha256": digest, "resource": output.resource, "inputs": list(output.inputs)}


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return None


def _manifests(folder: Path) -> list[str]:
    """The manifests below `folder`, hidden folders left out, sorted."""
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(parent).relative_to(folder)
        found += [(below / name).as_posix() for name in files if Path(name).suffix in _MANIFESTS]
    return sorted(found)


def _remove_empty(folder: Path) -> None:
    for parent, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            Path(parent).rmdir()
