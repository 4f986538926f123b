# SPDX-License-Identifier: MIT
"""Doing one task: a command in a new container among new neighbours, or a push."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

from kit_core.errors import KitError, WorkError
from kit_pipeline.engine import containers
from kit_pipeline.engine.containers import Spec
from kit_pipeline.engine.labels import harmless
from kit_pipeline.engine.listener import Listener
from kit_pipeline.engine.logins import Logins
from kit_pipeline.engine.networks import Networks
from kit_pipeline.files.service import Service
from kit_pipeline.planning.plan import Task
from kit_pipeline.running import neighbours
from kit_pipeline.running.environment import link_variables
from kit_pipeline.running.logins import logins
from kit_pipeline.running.printing import Voice
from kit_pipeline.running.provide import Provider
from kit_pipeline.running.pushing import push
from kit_pipeline.running.result import TaskResult
from kit_pipeline.running.specs import Scene, Specs
from kit_pipeline.running.terminal import Terminal
from kit_pipeline.running.world import World

__all__ = ["Workshop", "World"]


class Workshop:
    """Does tasks. May be used from several threads."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._networks = Networks(world.client, world.run, world.stop)
        self._provider = Provider(
            world.client,
            world.folder,
            project=world.project,
            values=world.values,
            vault=world.vault,
            logins=self._logins_of,
            say=lambda name: world.printer.voice(name, file=f"image-{harmless(name)}").line,
            machine=world.machine,
            pull=world.pull,
        )
        self._specs = Specs(world, self._provider.image)

    def load(self, service: Service) -> str:
        """The service's image, built or pulled. Raises `KitError`."""
        return self._provider.image(service)

    def perform(self, task: Task) -> TaskResult:
        """Do it, and say what became of it; nothing of it is left in the engine but images, and an empty network."""
        clock = _Clock()
        voice = self._world.printer.voice(
            task.name,
            file=f"{task.number.replace('/', '-')}-{harmless(task.name)}",
            task=True,
            aloud=self._world.aloud,
        )
        try:
            service = self._world.service(task.service)
            if task.step.push is not None:
                image = self._provider.image(service)
                found = self._logins(task.encrypted_dockercfg_path, task.dockercfg_service)
                push(self._world, task, image, found, voice)
                code = 0
            else:
                code = self._command(task, service, voice, clock)
        except KitError as error:
            voice.note(str(error))
            return self._result(task, clock, error=error)
        except Exception as error:  # noqa: BLE001 - a fault of ours in one step must not pass for a step that went well
            fault = WorkError(f"{task.name} failed", why=f"{type(error).__name__}: {error}", hint="That is our fault.")
            return self._result(task, clock, error=fault)
        finally:
            voice.close()
        return self._result(task, clock, exit_code=code)

    def _result(
        self, task: Task, clock: "_Clock", *, exit_code: int | None = None, error: KitError | None = None
    ) -> TaskResult:
        stopped = self._world.stop.is_set()
        return TaskResult(
            number=task.number,
            name=task.name,
            state="stopped" if stopped else "failed" if error or exit_code else "passed",
            exit_code=exit_code,
            error=error,
            seconds=clock.since(),
            preparing=clock.preparing,
        )

    def _logins(self, path: str | None, maker: str | None) -> Logins | None:
        if path is None and maker is None:
            path, maker = self._world.dockercfg_path, self._world.dockercfg_service
        return logins(self._world, self._specs, path, maker)

    def _logins_of(self, service: Service) -> Logins | None:
        """Those for a service's image; what makes the logins of all cannot have needed them for its own."""
        path, maker = service.encrypted_dockercfg_path, service.dockercfg_service
        if service.name == self._world.dockercfg_service and not (path or maker or self._world.dockercfg_path):
            return None
        return self._logins(path, maker)

    # A command

    def _command(self, task: Task, service: Service, voice: Voice, clock: "_Clock") -> int:
        around = {other.name: other for other in neighbours.order(service, self._world.services)}
        for needed in (*around.values(), service):
            voice.doing = f"getting the image of {needed.name}"
            self._provider.image(needed)
        voice.doing = "making its network"
        with self._networks.one(task.number) as network:
            beside = _Beside(self._world, self._specs, Scene(task, service, around, network), voice)
            try:
                for other in around.values():
                    voice.doing = f"waiting until {other.name} is well"
                    beside.start(other)
                spec = self._specs.of(service, beside.scene, beside.links(service))
                return self._main(task, spec, voice, clock, beside)
            finally:
                beside.end()

    def _main(self, task: Task, spec: Spec, voice: Voice, clock: "_Clock", beside: "_Beside") -> int:
        client, terminal = self._world.client, self._world.terminal
        container = containers.create(client, self._world.run, terminal.prepared(spec) if terminal else spec)
        try:
            clock.prepared()
            voice.doing = ""
            code = self._lend(terminal, container, spec) if terminal else self._hear(container, spec, voice)
            if code and not self._world.stop.is_set():
                voice.note(f"exit code {code}")
                self._explain(container, code, voice)
                beside.explain(voice)
                if self._world.on_failure is not None:
                    self._world.on_failure(task, container, spec)
            return code
        finally:
            containers.remove(client, container)

    def _hear(self, container: str, spec: Spec, voice: Voice) -> int:
        client = self._world.client
        containers.start(client, container, spec.what)
        listener = Listener(client, container, voice.feed)
        code = containers.wait(client, container)
        listener.finish()
        return code

    def _lend(self, terminal: Terminal, container: str, spec: Spec) -> int:
        client = self._world.client
        with terminal.at(client, container) as stream:
            containers.start(client, container, spec.what)
            if not terminal.talk(client, container, stream):
                containers.end(client, container)
        return containers.wait(client, container)

    def _explain(self, container: str, code: int, voice: Voice) -> None:
        with suppress(KitError):
            state = containers.inspected(self._world.client, container)["State"]
            if state.get("OOMKilled"):
                voice.line(f"exit code {code}: it ran out of memory")
            elif state.get("Error"):
                voice.line(f"exit code {code}: {state['Error']}")


@dataclass
class _Neighbour:
    """A service that runs beside a step. `links` told it of others; `known` is what the engine says of it."""

    service: Service
    container: str
    voice: Voice
    links: Mapping[str, str]
    listener: Listener | None = None
    known: Mapping[str, Any] = field(default_factory=dict)


class _Beside:
    """The services beside one step, from the first that is started to the end of all."""

    def __init__(self, world: World, specs: Specs, scene: Scene, voice: Voice) -> None:
        self._world, self._specs, self.scene, self._voice = world, specs, scene, voice
        self._all: dict[str, _Neighbour] = {}

    def start(self, service: Service) -> None:
        """Start a service, and wait until it is well. Raises `KitError`."""
        client = self._world.client
        links = self.links(service)
        container = containers.create(client, self._world.run, self._specs.of(service, self.scene, links))
        voice = self._voice.beside(service.name)
        neighbour = self._all[service.name] = _Neighbour(service, container, voice, links)
        containers.start(client, container, service.name)
        neighbour.listener = Listener(client, container, neighbour.voice.feed)
        neighbour.known = neighbours.until_well(
            client,
            container,
            service.name,
            stop=self._world.stop,
            limit=self._world.health_limit,
            say=neighbour.voice.line,
        )

    def links(self, service: Service) -> dict[str, str]:
        """The variables that tell a service of those that it has links to."""
        found: dict[str, str] = {}
        for link in service.links:
            if neighbour := self._all.get(link.service):
                networks = neighbour.known["NetworkSettings"]["Networks"].values()
                address = next((network["IPAddress"] for network in networks), "")
                config = neighbour.known["Config"]
                lines = [line for line in config.get("Env") or () if line.partition("=")[0] not in neighbour.links]
                found |= link_variables(link.alias, service.name, address, {**config, "Env": lines})
        return found

    def explain(self, voice: Voice) -> None:
        """Say which of them had ended before the step did: that is often why it failed."""
        for name, neighbour in self._all.items():
            with suppress(KitError):
                state = containers.inspected(self._world.client, neighbour.container)["State"]
                if state["Status"] == "exited" and state["ExitCode"]:
                    memory = ", it ran out of memory" if state.get("OOMKilled") else ""
                    voice.line(f"{name} had ended with exit code {state['ExitCode']}{memory}")

    def end(self) -> None:
        """End and remove all, side by side: the engine takes its time for each."""
        if not self._all:
            return
        with ThreadPoolExecutor(len(self._all)) as pool:
            list(pool.map(self._end, self._all.values()))

    def _end(self, neighbour: _Neighbour) -> None:
        with ExitStack() as last:
            last.callback(containers.remove, self._world.client, neighbour.container)
            last.callback(neighbour.voice.close)
            containers.end(self._world.client, neighbour.container)
            if neighbour.listener is not None:
                with suppress(KitError):
                    neighbour.listener.finish()


class _Clock:
    """When the preparing ended and the program began."""

    def __init__(self) -> None:
        self._began, self.preparing = time.monotonic(), 0.0

    def since(self) -> float:
        """Seconds from the beginning."""
        return time.monotonic() - self._began

    def prepared(self) -> None:
        """Now its program begins."""
        self.preparing = self.since()
