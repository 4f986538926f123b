# SPDX-License-Identifier: MIT
"""`watch`: a render at every save, and what it changed.

Times and sizes are looked at twice a second, rather than asking the system to tell (inotify, through watchfiles): that
sees saves on every mount, also a folder of the machine that a Docker desktop shares with its virtual one and network
file systems, where no event arrives; and the image needs nothing more.
"""

import os
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from kit_core.entry import Context
from kit_core.errors import KitError
from kit_deploymentizer.deploymentizer import Deploymentizer
from kit_deploymentizer.diff.difference import Shown, Side, compare
from kit_deploymentizer.diff.telling import as_text
from kit_deploymentizer.inputs.layout import read_kit
from kit_deploymentizer.plan import Plan
from kit_deploymentizer.settings import DeploymentizerSettings
from kit_deploymentizer.sources.listed import folders_of
from kit_deploymentizer.telling import counted, tell

Snapshot = Mapping[str, tuple[int, int, int]]
"""By file: when it was touched, its size, and which one it is."""

_LOOK_SECONDS: Final = 0.5
_SETTLE_SECONDS: Final = 0.15
"""An editor may write a file in several steps, and `git checkout` many files: begin once nothing moved for so long."""
_SHARE: Final = 4
"""How many times longer to rest than looking took, where a mount is slow."""


class Watch:
    """Renders with `settings` whenever a file changes that the repository is read from."""

    def __init__(
        self,
        settings: DeploymentizerSettings,
        context: Context,
        *,
        look: float = _LOOK_SECONDS,
        settle: float = _SETTLE_SECONDS,
    ) -> None:
        self._settings, self._context = settings, context
        self._look, self._settle = look, settle
        self._paths: tuple[Path, ...] = (context.cwd / settings.conf,)
        self._before: Side | None = None

    def run(self) -> None:
        """Go on until the context's `stop` is set. What goes wrong is told, and mended by the next save."""
        stop = self._context.stop
        while not stop.is_set():
            self._paths = self._inputs()
            seen = snapshot(self._paths)  # before rendering: what is saved meanwhile is rendered next
            self._round()
            wait_for_change(self._paths, seen, stop, look=self._look, settle=self._settle)

    def _inputs(self) -> tuple[Path, ...]:
        """What kit.yaml says the repository is read from; while it cannot be read, what it said before."""
        try:
            kit, paths = read_kit(self._settings.conf, self._settings.workdir, self._context.cwd)
            return (*paths.inputs, *folders_of(kit, paths.root))
        except KitError:
            return self._paths

    def _round(self) -> None:
        context, console = self._context, self._context.console
        step = Deploymentizer(
            self._settings,
            env=context.env,
            cwd=context.cwd,
            learn_secret=context.masker.add,
            strict="validate" in context.given and self._settings.validate == "error",
            waiting=console.waiting,
        )
        try:
            plan = step.plan(again=False)
            for problem in plan.problems:
                tell(problem, console, step.repository.paths.root, context.cwd)
            if plan.errors:
                told = f"{counted(len(plan.errors), 'error')}; the output stays as it was. Waiting for the next save."
                console.info(told)
                return
            now = _side(plan, self._before or {})
            report = step.run(plan)
            if self._before is None:
                files = sum(len(cluster.outputs) for cluster in plan.clusters)
                what = f"{counted(len(plan.clusters), 'cluster')} with {counted(files, 'file')}"
                console.success(f"Watching {what}; Ctrl-C ends it.")
            else:
                difference = compare(self._before, now)
                if difference:
                    console.out(as_text(difference, "the save before"))
                console.info(
                    f"Rendered: {counted(len(report.written), 'file')} written, {len(report.removed)} removed."
                )
            self._before = now
        except KitError as error:
            console.error(error)
            console.info("The output stays as it was. Waiting for the next save.")


def _side(plan: Plan, before: Side) -> Side:
    """What is rendered. What is kept is taken from the render before, rather than read again."""
    return {
        cluster.name: {
            output.path: (output.kept and before.get(cluster.name, {}).get(output.path))
            or Shown(output.read(), output.pointers, cluster.placeholders)
            for output in cluster.outputs
        }
        for cluster in plan.clusters
    }


def snapshot(paths: Iterable[Path]) -> Snapshot:
    """The state of all files at and below `paths`, as far as it can be seen."""
    found: dict[str, tuple[int, int, int]] = {}
    for path in paths:
        _look_at(str(path), found)
        for folder, _, files in os.walk(path):
            for name in files:
                _look_at(f"{folder}/{name}", found)
    return found


def _look_at(path: str, found: dict[str, tuple[int, int, int]]) -> None:
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path for each file of a fleet costs more than looking at it
    except (OSError, ValueError):
        return
    if not os.path.isdir(path):  # noqa: PTH112
        found[path] = (status.st_mtime_ns, status.st_size, status.st_ino)


def wait_for_change(
    paths: Iterable[Path], seen: Snapshot, stop: threading.Event, *, look: float, settle: float
) -> None:
    """Return once the files differ from `seen` and have come to rest, or `stop` is set. Times are in seconds."""
    paths = tuple(paths)
    while not stop.is_set():
        begun = time.monotonic()
        now = snapshot(paths)
        took = time.monotonic() - begun
        if now != seen:
            while not stop.wait(settle) and now != (now := snapshot(paths)):
                pass
            return
        stop.wait(max(look, _SHARE * took))
