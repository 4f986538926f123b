# SPDX-License-Identifier: MIT
"""The containers of a step as they are to be made: what a service says, and what the step adds."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kit_core.errors import InputError
from kit_pipeline.engine import containers
from kit_pipeline.engine.containers import Spec
from kit_pipeline.files.service import Service
from kit_pipeline.planning.plan import Task
from kit_pipeline.running import mounts, neighbours
from kit_pipeline.running.environment import environment
from kit_pipeline.running.world import World


@dataclass(frozen=True)
class Scene:
    """A task, the service that does it, those around it, and the network in which they meet."""

    task: Task
    runner: Service
    around: Mapping[str, Service]
    network: str


class Specs:
    """Says how containers are made; `image` has a service's image. May be used from several threads."""

    def __init__(self, world: World, image: Callable[[Service], str]) -> None:
        self._world, self._image = world, image
        self._holders: dict[str, str] = {}
        self._lock = threading.RLock()

    def of(self, service: Service, scene: Scene, links: Mapping[str, str]) -> Spec:
        """The container of a service in a scene; `links` are variables about others. Raises `KitError`."""
        world, task = self._world, scene.task
        main = service is scene.runner
        variables = self._environment(service, {**links, **world.values.for_containers(approved=task.approved)})
        binds, volumes = mounts.binds(service, world.folder, world.paths), mounts.own_volumes(service)
        files: Mapping[str, bytes] = {}
        if service.add_docker:
            access = mounts.engine_access(world.machine, world.paths)
            binds, volumes, files = [*binds, *access.binds], [*volumes, *access.volumes], access.files
            variables |= access.variables
        options = dict(service.passed_on)
        if main:
            # What is started again whenever it ends would never be done.
            options.pop("restart", None)
        return Spec(
            what=service.name,
            image=self._image(service),
            name=world.run.called(task.number, service.name),
            command=(task.step.command or service.command) if main else service.command,
            entrypoint=service.entrypoint,
            environment=variables,
            binds=binds,
            volumes=volumes,
            volumes_from=[self._held(text, (service.name,)) for text in service.volumes_from],
            network=scene.network,
            aliases=neighbours.aliases(service.name, scene.around, scene.runner),
            options=options,
            files=files,
        )

    def login_maker(self, service: Service, folder: str, path: str) -> Spec:
        """The container that writes logins to `path`, in a `folder` of its own."""
        world = self._world
        return Spec(
            what=service.name,
            image=self._image(service),
            name=world.run.called("login", service.name),
            command=(path,),
            entrypoint=service.entrypoint,
            environment=self._environment(service, world.values.for_containers()),
            binds=mounts.binds(service, world.folder, world.paths),
            volumes=(folder, *mounts.own_volumes(service)),
            options={key: value for key, value in service.passed_on.items() if key != "restart"},
        )

    def _environment(self, service: Service, ci: Mapping[str, str]) -> dict[str, str]:
        world = self._world
        return environment(
            service, folder=world.folder, vault=world.vault, ci=ci, given=world.given, machine=world.machine
        )

    def _held(self, text: str, path: Sequence[str]) -> str:
        """What the engine takes as `volumes_from`: `service`, or `service:ro`."""
        name, _, mode = text.partition(":")
        holder = self._holder(name, path)
        return f"{holder}:{mode}" if mode else holder

    def _holder(self, name: str, path: Sequence[str]) -> str:
        """The container whose volumes others use: made once a run, never started, gone with the run."""
        if name in path:
            raise InputError(f"`volumes_from` goes in a circle: {' → '.join((*path, name))}")
        with self._lock:
            if name not in self._holders:
                world, service = self._world, self._world.service(name)
                spec = Spec(
                    what=name,
                    image=self._image(service),
                    name=world.run.called("volumes", name),
                    binds=mounts.binds(service, world.folder, world.paths),
                    volumes=mounts.own_volumes(service),
                    volumes_from=[self._held(text, (*path, name)) for text in service.volumes_from],
                )
                self._holders[name] = containers.create(world.client, world.run, spec)
            return self._holders[name]
