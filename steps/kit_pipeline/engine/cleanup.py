# SPDX-License-Identifier: MIT
"""Taking away what runs have left: this one at its end, or others that were killed.

Everything of a run carries its labels. From its beginning to its end there is also a volume of its name, so that a
run is known to go on while it has nothing else in the engine, and keeps the images that it has built.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from kit_pipeline.engine.alive import lives, this_process
from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.failures import EngineError, told
from kit_pipeline.engine.labels import OURS, PROCESS, PROJECT, RUN, Run

__all__ = ["Swept", "lives", "mark", "sweep", "sweep_all", "sweep_dead", "this_process"]

_AT_ONCE: Final = 8

Labels = Mapping[str, str]
Chosen = Callable[[Labels], bool]


@dataclass(frozen=True)
class Swept:
    """How many things of each kind were removed; `kept` are those of runs that may go on."""

    containers: int = 0
    networks: int = 0
    volumes: int = 0
    images: int = 0
    kept: int = 0

    def __str__(self) -> str:
        """In words."""
        counted = {"container": self.containers, "network": self.networks, "volume": self.volumes, "image": self.images}
        parts = [f"{number} {what}{'s' if number > 1 else ''}" for what, number in counted.items() if number]
        return ", ".join(parts) or "nothing"


def mark(client: Client, run: Run, project: str) -> None:
    """Show that a run goes on, of a project (see `labels.project_of`). `sweep` takes it away. Raises `EngineError`."""
    with told("The run's mark was not made"):
        client.create_volume(run.called("run"), labels={**run.labels, PROJECT: project})


def sweep(client: Client, run: Run) -> Swept:
    """Remove everything of one run but the images that it built, which are the next one's cache."""
    return _Broom(client, f"{RUN}={run.name}", lambda _: True).all()


def sweep_dead(client: Client) -> Swept:
    """Remove everything of runs whose process has ended, but the images that they built."""
    return _Broom(client, RUN, _dead(client)).all()


def sweep_all(client: Client, alive: Callable[[str], bool] | None = None) -> Swept:
    """The same, and the images that runs have built; those of pipelines that are running now are kept.

    `alive` says whether a process still is.
    """
    dead = _dead(client) if alive is None else lambda labels: not alive(labels.get(PROCESS, ""))
    swept = _Broom(client, RUN, dead).all()
    with told("The runs that go on cannot be listed"):
        marks = client.volumes(filters={"label": RUN}).get("Volumes") or []
    running = {(volume.get("Labels") or {}).get(PROJECT, "") for volume in marks}
    with told("The images cannot be listed"):
        built = [image for image in client.images(filters={"label": OURS}) if RUN not in (image.get("Labels") or {})]
    spare = [image for image in built if not _used(image, running)]
    removed = _removed(spare, lambda image: client.remove_image(image["Id"], force=True))
    return Swept(
        swept.containers, swept.networks, swept.volumes, swept.images + removed,
        swept.kept + len(built) - len(spare),
    )  # fmt: skip


def _used(image: Mapping[str, Any], projects: set[str]) -> bool:
    """Whether a run that goes on may need it; one whose name another build has taken may be anybody's."""
    tags = [tag for tag in image.get("RepoTags") or [] if not tag.startswith("<none>")]
    if not tags:
        return bool(projects)
    return any(tag.startswith(f"{OURS}/{project}/") for tag in tags for project in projects)


def _dead(client: Client) -> Chosen:
    known: dict[str, bool] = {}

    def runs(container: str) -> bool:
        try:
            with told("no"):
                return bool(client.inspect_container(container)["State"]["Running"])
        except EngineError as error:
            return not error.missing

    def dead(labels: Labels) -> bool:
        process = labels.get(PROCESS, "")
        if process not in known:
            known[process] = lives(process, runs=runs)
        return not known[process]

    return dead


@dataclass(frozen=True)
class _Broom:
    """Removes what has a label, as far as it is `chosen` by its labels; in the order in which the engine lets it go."""

    client: Client
    label: str
    chosen: Chosen

    def all(self) -> Swept:
        client = self.client
        with told("What is left of earlier runs cannot be listed"):
            containers = client.containers(all=True, filters={"label": self.label})
            networks = client.networks(filters={"label": self.label})
            volumes = client.volumes(filters={"label": self.label}).get("Volumes") or []
            images = client.images(filters={"label": self.label})
        found = (containers, networks, volumes, images)
        chosen = [[thing for thing in things if self.chosen(thing.get("Labels") or {})] for things in found]
        return Swept(
            _removed(
                chosen[0], lambda thing: client.remove_container(thing["Id"], v=True, force=True), at_once=_AT_ONCE
            ),
            _removed(chosen[1], lambda thing: client.remove_network(thing["Id"])),
            _removed(chosen[2], lambda thing: client.remove_volume(thing["Name"], force=True)),
            _removed(chosen[3], lambda thing: client.remove_image(thing["Id"], force=True)),
            sum(map(len, found)) - sum(map(len, chosen)),
        )


def _removed(things: Iterable[Any], remove: Callable[[Any], object], *, at_once: int = 1) -> int:
    """How many could be. Containers go side by side: the engine takes its time for each, and a CI service kills us."""

    def one(thing: Any) -> bool:
        with contextlib.suppress(EngineError), told("no"):
            remove(thing)
            return True
        return False

    with ThreadPoolExecutor(at_once) as pool:
        return sum(pool.map(one, things))
