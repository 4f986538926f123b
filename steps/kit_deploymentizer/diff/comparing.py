# SPDX-License-Identifier: MIT
"""The two sides of a difference: this repository's render, and an earlier output or the render of a git reference."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from kit_core.errors import InputError
from kit_core.files import refused
from kit_deploymentizer.deploymentizer import Deploymentizer
from kit_deploymentizer.diff.difference import Difference, Shown, Side, compare
from kit_deploymentizer.diff.gittree import holds, is_in_clone, write_tree
from kit_deploymentizer.inputs.layout import Paths
from kit_deploymentizer.outcome import RenderError
from kit_deploymentizer.output.folders import manifests_in
from kit_deploymentizer.output.index import HIDDEN, read_index
from kit_deploymentizer.plan import ClusterPlan
from kit_deploymentizer.problems import Problem
from kit_deploymentizer.settings import DeploymentizerSettings

HEAD: Final = "HEAD"


class Comparison:
    """Compares what `settings` render with what they were. No secret is needed: both sides are rendered without.

    `against` is a git reference (`gittree`), else a folder that holds an earlier output (a path from `cwd`). What
    begins with `.` or `/`, or ends with `/`, is a folder. Without it, it is the checked out commit, or the output in
    place where there is no clone.
    """

    def __init__(
        self, settings: DeploymentizerSettings, env: Mapping[str, str], cwd: Path, against: str | None
    ) -> None:
        self._settings, self._env, self._cwd = replace(settings, placeholders=True), env, cwd
        self._now = Deploymentizer(self._settings, env=env, cwd=cwd)
        self._against = against
        self.notes: list[Problem] = []
        """What is wrong with the render of the former state, where that was rendered."""

    @property
    def paths(self) -> Paths:
        """Where this repository keeps everything. Raises `InputError`."""
        return self._now.repository.paths

    @property
    def told(self) -> str:
        """What it is compared with, in words."""
        folder = self._folder()
        return str(self._against or folder) if folder else self._against or HEAD

    def difference(self) -> tuple[Difference, tuple[Problem, ...]]:
        """What changes, and the problems of this render. Raises `RenderError` where it has errors, `InputError` where
        there is nothing to compare with."""
        if self._settings.shard:
            raise InputError(
                "diff looks at a whole fleet",
                why=f"KIT_SHARD is {self._settings.shard}, and the same change is told once for all clusters",
                hint="Unset KIT_SHARD; CLUSTER_TYPE limits it.",
            )
        plan = self._now.plan()
        if plan.errors:
            raise RenderError(plan.errors)
        folder = self._folder()
        before = self._written(folder, plan.clusters) if folder else self._rendered()
        return compare(before, side_of(plan.clusters)), plan.problems

    @cached_property
    def is_ambiguous(self) -> bool:
        """Whether a folder goes by the reference's name. The reference is taken: what the clone holds was fetched by
        whoever runs this, and a folder of any name may come with the change that is looked at."""
        name = self._against or ""
        if not name or name.startswith((".", "/")) or name.endswith("/") or not _is_folder(self._cwd / name):
            return False
        return is_in_clone(self.paths.root) and holds(self.paths.root, name)

    def _folder(self) -> Path | None:
        """The folder to compare with, None where it is a git reference."""
        if self._against is not None:
            folder = self._cwd / self._against
            return folder if _is_folder(folder) and not self.is_ambiguous else None
        if is_in_clone(self.paths.root):
            return None
        output = self.paths.output
        if not output.is_dir():
            raise InputError(
                "there is nothing to compare with",
                where=str(output),
                why="the repository is no git clone, and there is no earlier output",
                hint="Name a folder that holds one: --against FOLDER.",
            )
        return output

    def _rendered(self) -> Side:
        paths, settings = self.paths, self._settings
        top = Path(os.path.commonpath([paths.root, paths.kit.parent]))
        with tempfile.TemporaryDirectory(prefix="kit-diff-") as name:
            folder = Path(name).resolve()
            write_tree(top, self._against or HEAD, folder, without=paths.output)
            conf = folder / paths.kit.relative_to(top)
            if not conf.exists():
                return {}  # the repository is new
            workdir = folder / paths.root.relative_to(top)
            workdir.mkdir(parents=True, exist_ok=True)
            former = replace(settings, conf=conf, workdir=workdir, openapi=None)  # what it was is not judged
            plan = Deploymentizer(former, env=self._env, cwd=workdir).plan()
            self.notes += plan.errors
            return side_of(plan.clusters)

    def _written(self, folder: Path, plans: Iterable[ClusterPlan]) -> Side:
        """What an earlier run wrote, as far as this run is about it."""
        settings, wanted = self._settings, {plan.name for plan in plans}
        boundary = self._now.repository.reader.boundary
        if self._against is not None:
            boundary = boundary.given(folder)  # else kit.yaml names it
        boundary.check(folder, hint="Name the folder itself: --against FOLDER.")
        try:
            names = [path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
        except OSError as error:
            raise refused(error, folder, "An earlier output cannot be read", kind=InputError) from None
        if settings.cluster_name or settings.cluster_type:
            names = [name for name in names if name in wanted]
        side: dict[str, dict[str, Shown]] = {}
        for name in sorted(names):
            boundary.check(folder / HIDDEN / f"{name}.json")
            index = _index(folder / HIDDEN / f"{name}.json")
            files, secrets = index.get("files", {}), index.get("secrets", {})
            found = manifests_in(folder / name)
            if settings.resource is not None:
                found = [path for path in found if files.get(path, {}).get("resource") == settings.resource]
            for path in found:
                boundary.check(folder / name / path)
            blind = index.get("placeholders") is True
            side[name] = {path: _read(folder / name / path, secrets.get(path), blind) for path in found}
        return side


def side_of(plans: Iterable[ClusterPlan]) -> Side:
    """A render as one side."""
    return {
        plan.name: {output.path: Shown(output.content, output.pointers, plan.placeholders) for output in plan.outputs}
        for plan in plans
    }


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # no name that a file can have
        return False


def _index(path: Path) -> Mapping[str, Any]:
    try:
        return read_index(path.read_bytes()) or {}
    except OSError:
        return {}


def _read(path: Path, pointers: Any, blind: bool) -> Shown:
    try:
        return Shown(path.read_bytes(), tuple(pointers or ()), blind)
    except OSError as error:
        raise refused(error, path, "An earlier output cannot be read", kind=InputError) from None
