# SPDX-License-Identifier: MIT
"""Writing a plan: everything beside its place first, then renamed into it, the index last.

All that is kit's own lies in a hidden folder of the output, so that the output may be a mount point and no tool takes
it for manifests. A run that is cut off leaves an index that says `"complete": false`; the next run puts it right.
Runs on one output write one after the other. What the repository is read from is never written to or removed,
whatever kit.yaml says and wherever links lead.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kit_core.errors import InputError
from kit_core.files import refused
from kit_deploymentizer.lock import alone
from kit_deploymentizer.plan import ClusterPlan, Output
from kit_deploymentizer.repository import is_file_name

HIDDEN: Final = ".kit"
_STAGING: Final = "staging"
_PATIENCE_SECONDS: Final = 60.0
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
    """Writes below one output folder. `inputs` are the files and folders that the repository is read from.

    Every method raises `WorkError` naming path, owner and uid where the system refuses. `patience` is how many seconds
    to wait for another run that is writing there.
    """

    def __init__(self, output: Path, inputs: Iterable[Path], *, patience: float = _PATIENCE_SECONDS) -> None:
        self._output = output
        self._hidden = output / HIDDEN
        self._staging = self._hidden / _STAGING
        self._inputs = tuple(inputs)
        self._patience = patience
        self.result = Written()

    def write(self, plans: Iterable[ClusterPlan], *, commit: str | None, limits: Limits, clean: bool) -> Written:
        """Bring the output to the plans. `clean` removes what earlier runs left; a limited run only its own part.

        Raises `InputError` where that would touch what is not the output's, `BusyError` where another run does not end.
        """
        plans = tuple(plans)
        try:
            self._refuse_elsewhere(plans)
            with alone(self._hidden, self._patience), _empty(self._staging):
                self._write_staged(plans, commit, limits, clean)
        except OSError as error:
            path = Path(error.filename) if isinstance(error.filename, str) else self._output
            raise refused(error, path, "The output cannot be written") from None
        return self.result

    def _write_staged(self, plans: tuple[ClusterPlan, ...], commit: str | None, limits: Limits, clean: bool) -> None:
        before = {plan.name: self._read_index(plan.name) for plan in plans}
        staged = [(plan, self._stage(plan)) for plan in plans]
        for plan, names in staged:
            stale = self._stale(plan, before[plan.name], limits) if clean else []
            if names or stale:
                self._mark_begun(plan.name, before[plan.name])
            self._move(plan, names)
            self._remove(plan.name, stale)
        if clean and not limits.clusters and limits.resource is None:
            self._remove_gone({plan.name for plan in plans})
        for plan in plans:
            self._write_index(plan, before[plan.name], commit, limits, clean)

    def _refuse_elsewhere(self, plans: tuple[ClusterPlan, ...]) -> None:
        """No cluster's folder may hold, or lie in, what the repository is read from, nor be a link to somewhere:
        cleaning it would eat the sources, or what is nobody's business here."""
        folders = {plan.name: self._output / plan.name for plan in plans}
        for name, folder in folders.items():
            source = self._source_at(folder)
            if source is not None:
                raise InputError(
                    f"cluster {name} would be written into the sources",
                    where=str(folder),
                    why=f"kit.yaml reads from {source}",
                    hint="Set output.path in kit.yaml to a folder of its own, such as ./generated.",
                )
        for folder in (self._hidden, *folders.values()):
            if folder.is_symlink():
                raise InputError(
                    "A folder of the output leads elsewhere",
                    where=str(folder),
                    why=f"it is a link to {folder.readlink()}",
                    hint="Replace the link by a folder; the output as a whole may be a link or a mount.",
                )

    def _source_at(self, folder: Path) -> Path | None:
        """What of the repository's sources lies in `folder` or around it, links followed."""
        real = folder.resolve()
        for path in self._inputs:
            source = path.resolve()
            if real == source or real in source.parents or source in real.parents:
                return path
        return None

    def _stage(self, plan: ClusterPlan) -> list[str]:
        """Write what differs from what is there beside it; the names of those files."""
        folder, beside = self._output / plan.name, self._staging / plan.name
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
        self._dump(cluster, {**index, "complete": False, "limited_to": None, "left_out": []})

    def _move(self, plan: ClusterPlan, names: Iterable[str]) -> None:
        for name in names:
            (self._staging / plan.name / name).replace(self._output / plan.name / name)

    def _stale(self, plan: ClusterPlan, before: Index | None, limits: Limits) -> list[str]:
        """What an earlier run left in the cluster's folder; of one resource, what the index says was its."""
        kept = {output.path for output in plan.outputs}
        if limits.resource is not None:
            files: Mapping[str, Any] = (before or {}).get("files", {})
            own = [name for name, facts in files.items() if facts.get("resource") == limits.resource]
            return [name for name in own if name not in kept and is_file_name(name)]
        return [name for name in manifests_in(self._output / plan.name) if name not in kept]

    def _remove(self, cluster: str, names: Iterable[str]) -> None:
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                (self._output / cluster / name).unlink()
                self.result.removed.append(f"{cluster}/{name}")

    def _remove_gone(self, present: set[str]) -> None:
        """Manifests of folders whose cluster is gone.

        A folder without an index is taken for a cluster's if it looks as the original left them (manifests, no folder
        in it), unless sources lie in the output.
        """
        gone = {path.stem for path in self._hidden.glob("*.json")}
        if self._source_at(self._output) is None:
            gone |= {path.name for path in self._output.iterdir() if path.is_dir() and _is_flat(path)}
        for name in sorted(gone - present):
            folder = self._output / name
            if not is_file_name(name) or folder.is_symlink() or self._source_at(folder) is not None:
                continue
            if folder.is_dir():
                self._remove(name, manifests_in(folder))
                _remove_empty(folder)
            (self._hidden / f"{name}.json").unlink(missing_ok=True)

    def _read_index(self, cluster: str) -> Index | None:
        """What an earlier run says; None where there is none, or where it is not as we write it."""
        try:
            index = json.loads((self._hidden / f"{cluster}.json").read_bytes())
        except (FileNotFoundError, ValueError, RecursionError):
            return None
        if not isinstance(index, dict) or index.get("version") != _VERSION:
            return None
        files, secrets = index.get("files"), index.get("secrets")
        if not isinstance(files, dict) or not isinstance(secrets, dict):
            return None
        return index if all(isinstance(facts, dict) for facts in files.values()) else None

    def _write_index(
        self, plan: ClusterPlan, before: Index | None, commit: str | None, limits: Limits, clean: bool
    ) -> None:
        """Say what is in the cluster's folder now. A run about one resource keeps what is said of the others."""
        files = {output.path: _facts(output) for output in plan.outputs}
        secrets = {output.path: list(output.pointers) for output in plan.outputs if output.pointers}
        complete, placeholders = not plan.left_out, plan.placeholders
        if limits.resource is not None:
            old = before or {}
            others = {name: facts for name, facts in old.get("files", {}).items()
                      if facts.get("resource") != limits.resource and name not in files}  # fmt: skip
            files |= others
            secrets |= {name: pointers for name, pointers in old.get("secrets", {}).items() if name in others}
            # Everything is there only if it was before: this run looked at one resource.
            complete = complete and bool(old.get("complete"))
            placeholders = placeholders or (bool(others) and bool(old.get("placeholders")))
        self._dump(plan.name, {
            "version": _VERSION,
            "cluster": plan.name,
            "commit": commit,
            "complete": complete,
            "placeholders": placeholders,
            "limited_to": limits.resource,
            "left_out": sorted(plan.left_out),
            "clean": clean,
            "files": dict(sorted(files.items())),
            "secrets": dict(sorted(secrets.items())),
        })  # fmt: skip

    def _dump(self, cluster: str, index: Index) -> None:
        name = f"{cluster}.json"
        content = (json.dumps(index, indent=1, ensure_ascii=False) + "\n").encode()
        if _content(self._hidden / name) != content:
            staged = self._staging / ".index"  # no cluster's name begins with a dot
            staged.write_bytes(content)
            staged.replace(self._hidden / name)


@contextlib.contextmanager
def _empty(folder: Path) -> Iterator[None]:
    """An empty folder for what is not in its place yet, gone at the end; one that a killed run left is made empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _facts(output: Output) -> Mapping[str, Any]:
    digest = hashlib.sha256(output.content).hexdigest()
    return {"sha256": digest, "resource": output.resource, "inputs": list(output.inputs)}


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return None


def manifests_in(folder: Path) -> list[str]:
    """The manifests below `folder`, hidden folders left out, sorted."""
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(parent).relative_to(folder)
        found += [(below / name).as_posix() for name in files if Path(name).suffix in _MANIFESTS]
    return sorted(found)


def _is_flat(folder: Path) -> bool:
    """Whether `folder` holds manifests and no folder, as the original left a cluster's."""
    entries = list(folder.iterdir())
    return any(path.suffix in _MANIFESTS for path in entries) and not any(path.is_dir() for path in entries)


def _remove_empty(folder: Path) -> None:
    for parent, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            Path(parent).rmdir()
