# SPDX-License-Identifier: MIT
"""Writing a plan: everything beside its place first, then renamed into it, the index last.

All that is kit's own lies in a hidden folder of the output, so that the output may be a mount point and no tool takes
it for manifests. A run that is cut off leaves an index that says `"complete": false`; the next run puts it right.
Runs on one output write one after the other. What the repository is read from is never written to or removed,
whatever kit.yaml says and wherever links lead.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from kit_core.files import refused
from kit_deploymentizer.inputs.repository import is_file_name
from kit_deploymentizer.output import remembered
from kit_deploymentizer.output.folders import (
    content_of,
    emptied,
    held,
    is_flat,
    manifests_in,
    names_in,
    put,
    remove_empty,
    write_new,
)
from kit_deploymentizer.output.guard import Guard
from kit_deploymentizer.output.index import HIDDEN, Index, head_of, index_text, read_index
from kit_deploymentizer.output.lock import alone
from kit_deploymentizer.output.noting import add_others, begun, body_of, changed_in
from kit_deploymentizer.output.scope import Limits, Written
from kit_deploymentizer.output.stamps import (
    FILE,
    Note,
    Notes,
    Stamp,
    mark_of,
    name_of,
    notes_text,
    read_notes,
    snapshot,
    stamp_of,
)
from kit_deploymentizer.plan import ClusterPlan

_STAGING: Final = "staging"
_PATIENCE_SECONDS: Final = 60.0


class Writer:
    """Writes below one output folder. `inputs` are the files and folders that the repository is read from.

    Every method raises `WorkError` naming path, owner and uid where the system refuses. `patience` is how many seconds
    to wait for another run that is writing there.
    """

    def __init__(self, output: Path, inputs: Iterable[Path], *, patience: float = _PATIENCE_SECONDS) -> None:
        self._output = output
        self._hidden = output / HIDDEN
        self._staging = self._hidden / _STAGING
        self._guard = Guard(inputs)
        self._patience = patience
        self._stamps: dict[str, dict[str, Stamp]] = {}
        self._marks: dict[str, str] = {}
        self._former = Notes()
        self._notes: dict[str, Note] = {}
        self._digests: dict[str, Mapping[str, str]] = {}
        self._names: dict[int, str] = {}
        self._new: set[str] = set()
        self.result = Written()

    def write(
        self,
        plans: Iterable[ClusterPlan],
        *,
        commit: str | None,
        limits: Limits,
        clean: bool,
        parsed: bytes | None = None,
    ) -> Written:
        """Bring the output to the plans. `clean` removes what earlier runs left; a limited run only its own part.
        `parsed` is kept for the next run (`remembered`).

        Raises `InputError` where that would touch what is not the output's, `BusyError` where another run does not end.
        """
        plans = tuple(plans)
        try:
            self._guard.refuse_elsewhere(self._hidden, ((plan.name, self._output / plan.name) for plan in plans))
            with alone(self._hidden, self._patience), emptied(self._staging):
                self._write_staged(plans, commit, limits, clean)
                if parsed is not None:
                    put(
                        f"{self._staging}/.{remembered.FILE}",
                        f"{self._hidden}/{remembered.FILE}",
                        parsed,
                        remembered.MODE,
                    )
        except OSError as error:
            path = Path(error.filename) if isinstance(error.filename, str) else self._output
            raise refused(error, path, "The output cannot be written") from None
        return self.result

    def _write_staged(self, plans: tuple[ClusterPlan, ...], commit: str | None, limits: Limits, clean: bool) -> None:
        everything = not limits.clusters and limits.resource is None
        self._former = Notes() if everything and clean else read_notes(self._hidden)
        staged = [(plan, self._stage(plan, limits)) for plan in plans]
        complete: dict[str, bool] = {}
        for plan, names in staged:
            before = self._index(plan.name) if limits.resource is not None else None
            complete[plan.name] = bool(before and before.get("complete"))
            stale = self._stale(plan, before, limits) if clean else []
            if names or stale:
                self._mark_begun(plan.name)
            self._move(plan, names)
            self._remove(plan.name, stale)
            if plan.name not in self._marks:
                stamps = self._stamps.pop(plan.name)
                for name in stale:
                    stamps.pop(name, None)
                self._marks[plan.name] = mark_of(stamps)
        if clean and (everything or limits.gone):
            self._remove_gone({plan.name for plan in plans}, limits.gone or (lambda _name: True))
        for plan in plans:
            self._write_index(plan, complete[plan.name], commit, limits, clean)
            self._note(plan, limits)
        notes = {**self._former.clusters, **self._notes}
        self._put(FILE, notes_text(notes, {**self._former.digests, **self._digests}))

    def _stage(self, plan: ClusterPlan, limits: Limits) -> list[str]:
        """Write what differs from what is there beside it; the names of those files."""
        folder, beside = f"{self._output}/{plan.name}", f"{self._staging}/{plan.name}"
        if plan.rest:
            self._leave(plan)
        elif os.path.lexists(folder) or not plan.outputs:
            os.makedirs(folder, exist_ok=True)
        else:
            self._new.add(plan.name)
        there = plan.rest.stamps if plan.rest else names_in(folder) if any(not one.kept for one in plan.outputs) else ()
        stamps = self._stamps.setdefault(plan.name, self._others(plan.name) if limits.resource else {})
        names: list[str] = []
        changed: set[str] = set()
        for output in plan.outputs:
            path, stamp = output.path, output.kept.stamp if output.kept else None
            if stamp is None and path in there:
                stamp = held(f"{folder}/{path}", output.content)
                if stamp is None:
                    changed.add(path)
            if stamp is not None:
                stamps[path] = stamp
                self.result.unchanged.append(f"{plan.name}/{path}")
                continue
            if not names:
                os.mkdir(beside)
            stamps[path] = write_new(f"{beside}/{path}", output.content)
            names.append(path)
            self.result.written.append(f"{plan.name}/{path}")
        self.result.changed[plan.name] = frozenset(changed)
        if plan.name in self._new:  # nothing is there that could be touched: no stamp changes any more
            self._marks[plan.name] = mark_of(self._stamps.pop(plan.name))
        return names

    def _leave(self, plan: ClusterPlan) -> None:
        """Note what stays as it is."""
        if plan.rest:
            again = {output.path for output in plan.outputs}
            self.result.unchanged += [f"{plan.name}/{name}" for name in plan.rest.names if name not in again]
            self._stamps[plan.name] = dict(plan.rest.stamps)
            if not again:
                self._marks[plan.name] = plan.rest.mark

    def _others(self, cluster: str) -> dict[str, Stamp]:
        """The files of a folder that were noted and have not been touched since, for a run about some of them."""
        note, seen = self._former.clusters.get(cluster), snapshot(f"{self._output}/{cluster}")
        return dict(seen.files) if note and seen.is_as(note, self._former.time) else {}

    def _mark_begun(self, cluster: str) -> None:
        raw = content_of(self._place(cluster))
        self._put(f"{cluster}.json", begun(cluster, raw), raw)

    def _move(self, plan: ClusterPlan, names: Iterable[str]) -> None:
        folder, beside = f"{self._output}/{plan.name}", f"{self._staging}/{plan.name}"
        if plan.name in self._new:  # nothing is there that could stay: one step instead of one a file
            os.rename(beside, folder)
            return
        for name in names:
            place = f"{folder}/{name}"
            os.replace(f"{beside}/{name}", place)
            self._stamps[plan.name][name] = stamp_of(os.stat(place))

    def _stale(self, plan: ClusterPlan, before: Index | None, limits: Limits) -> list[str]:
        """What an earlier run left in the cluster's folder; of one resource, what the index says was its."""
        kept = {output.path for output in plan.outputs}
        if plan.rest:
            return []
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

    def _remove_gone(self, present: set[str], ours: Callable[[str], bool]) -> None:
        """Manifests of folders whose cluster is gone, as far as they are ours to remove.

        A folder without an index is taken for a cluster's if it looks as the original left them (manifests, no folder
        in it), unless sources lie in the output.
        """
        gone = {path.stem for path in self._hidden.glob("*.json")}
        if self._guard.source_at(self._output) is None:
            others = [path for path in self._output.iterdir() if path.name not in present]
            gone |= {path.name for path in others if path.is_dir() and is_flat(path)}
        for name in sorted(filter(ours, gone - present)):
            folder = self._output / name
            if not is_file_name(name) or folder.is_symlink() or self._guard.source_at(folder) is not None:
                continue
            if folder.is_dir():
                self._remove(name, manifests_in(folder))
                remove_empty(folder)
            (self._hidden / f"{name}.json").unlink(missing_ok=True)

    def _index(self, cluster: str) -> Index | None:
        """What an earlier run says; None where there is none, or where it is not as we write it."""
        raw = content_of(self._place(cluster))
        return read_index(raw) if raw is not None else None

    def _place(self, cluster: str) -> str:
        """Of its index."""
        return f"{self._hidden}/{cluster}.json"

    def _write_index(
        self, plan: ClusterPlan, was_complete: bool, commit: str | None, limits: Limits, clean: bool
    ) -> None:
        """Say what is in the cluster's folder now. A run about one resource keeps what is said of the others."""
        if (plan.same or plan.rest) and limits.resource is None:
            raw = content_of(self._place(plan.name))
            head = self._head(plan, commit, limits, clean)
            text = changed_in(raw, plan, head) if raw is not None else None
            if text is not None:
                self._put(f"{plan.name}.json", text, raw)
                return
        plan = plan.written_out()
        there = content_of(self._place(plan.name)) if any(output.kept for output in plan.outputs) else None
        body = body_of(plan, there)
        complete, placeholders = not plan.left_out, plan.placeholders
        if limits.resource is not None:
            old = self._index(plan.name) or {}
            others = add_others(body, limits.resource, old)
            # Everything is there only if it was before: this run looked at one resource.
            complete = complete and was_complete
            placeholders = placeholders or (others and bool(old.get("placeholders")))
        head = self._head(plan, commit, limits, clean, complete=complete, placeholders=placeholders)
        self._put(f"{plan.name}.json", index_text(head, body))

    def _note(self, plan: ClusterPlan, limits: Limits) -> None:
        """Note what the next run need not look at closely."""
        note = Note(self._marks[plan.name])
        if plan.key is not None and limits.resource is None:
            name = self._names.get(id(plan.digests)) or name_of(plan.digests)
            self._names[id(plan.digests)] = name
            self._digests[name] = plan.digests
            note = Note(note.mark, plan.key, name, stamp_of(os.lstat(self._place(plan.name))))
        self._notes[plan.name] = note

    def _head(
        self,
        plan: ClusterPlan,
        commit: str | None,
        limits: Limits,
        clean: bool,
        *,
        complete: bool = True,
        placeholders: bool | None = None,
    ) -> Index:
        return head_of(
            plan.name,
            commit=commit,
            complete=complete,
            placeholders=plan.placeholders if placeholders is None else placeholders,
            limited_to=limits.resource,
            left_out=plan.left_out,
            clean=clean,
            inputs=plan.inputs,
        )

    def _put(self, name: str, content: bytes, before: bytes | None = None) -> None:
        """A file of our own, whole or not at all; `before` is what it holds, where that is known."""
        place = f"{self._hidden}/{name}"
        if (content_of(place) if before is None else before) != content:
            put(f"{self._staging}/.index", place, content)  # no cluster's name begins with a dot
