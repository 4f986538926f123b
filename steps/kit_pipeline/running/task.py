# SPDX-License-Identifier: MIT
"""Doing one task: a command in a new container among new neighbours, or a push."""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kit_core.errors import InputError, KitError
from kit_pipeline.engine import containers, images, networks
from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.containers import Spec
from kit_pipeline.engine.labels import Run, harmless
from kit_pipeline.engine.logins import Logins, read_logins
from kit_pipeline.engine.paths import Paths
from kit_pipeline.files.service import Service
from kit_pipeline.planning.plan import Task
from kit_pipeline.planning.values import RunValues
from kit_pipeline.running import mounts, neighbours
from kit_pipeline.running.environment import environment, link_variables
from kit_pipeline.running.printing import Printer, Voice
from kit_pipeline.running.provide import Provider
from kit_pipeline.running.result import TaskResult
from kit_pipeline.running.vault import Vault
from kit_pipeline.template import fill

_LOGIN_FOLDER: Final = "/kit-pipeline-login"


@dataclass(frozen=True, kw_only=True)
class World:
    """What all tasks of a run have in common. `given` are variables of the command line, `machine` our own ones."""

    client: Client
    run: Run
    services: Mapping[str, Service]
    folder: Path
    values: RunValues
    vault: Vault
    paths: Paths
    printer: Printer
    given: Mapping[str, str]
    machine: Mapping[str, str]
    stop: threading.Event
    health_limit: float = 3600.0
    on_failure: Callable[[str, Spec], None] | None = None


class Workshop:
    """Does tasks. May be used from several threads."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._holders: dict[str, str] = {}
        self._lock = threading.RLock()
        self._provider = Provider(
            world.client,
            world.folder,
            values=world.values,
            vault=world.vault,
            logins=lambda service: self._logins(service.encrypted_dockercfg_path, service.dockercfg_service),
            say=lambda name: world.printer.voice(name).line,
        )

    def load(self, service: Service) -> str:
        """The service's image, built or pulled. Raises `KitError`."""
        return self._provider.image(service)

    def perform(self, task: Task) -> TaskResult:
        """Do it, and say what became of it; nothing of it is left in the engine but images."""
        clock = _Clock()
        voice = self._world.printer.voice(task.name, file=f"{task.number.replace('/', '-')}-{harmless(task.name)}")
        try:
            service = self._service(task.service)
            if task.step.push is not None:
                self._push(task, service, voice)
                code = 0
            else:
                code = self._command(task, service, voice, clock)
        except KitError as error:
            return self._result(task, clock, error=error)
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

    def _service(self, name: str) -> Service:
        if name not in self._world.services:
            raise InputError(f"There is no service {name}", hint="`kit-pipeline validate` says more.")
        return self._world.services[name]

    # A push

    def _push(self, task: Task, service: Service, voice: Voice) -> None:
        push = task.step.push
        assert push is not None
        image = self._provider.image(service)
        known = self._world.values.for_templates(step=task.name, service=service.name, image=push.image)
        name = f"{task.step.place}: {task.name}, image_tag"
        tag = images.proper_tag(fill(push.tag, known, name=name))
        if not tag:
            raise InputError(
                f"The tag of {task.name} is empty", where=str(task.step.place), why=f"that is what {push.tag} gives"
            )
        logins = self._logins(task.encrypted_dockercfg_path, task.dockercfg_service)
        repository = fill(push.image, known, name=f"{task.step.place}: {task.name}, image_name")
        digest = images.push(self._world.client, image, repository, tag, logins=logins, say=voice.line)
        voice.line(f"pushed {repository}:{tag}" + (f" as {digest}" if digest else ""))

    # A command

    def _command(self, task: Task, service: Service, voice: Voice, clock: "_Clock") -> int:
        around = {other.name: other for other in neighbours.order(service, self._world.services)}
        for needed in (*around.values(), service):
            self._provider.image(needed)
        with ExitStack() as made:
            network = networks.create_network(self._world.client, self._world.run, task.number)
            made.callback(networks.remove_network, self._world.client, network)
            links: dict[str, str] = {}
            for other in around.values():
                links |= self._neighbour(other, around, service, network, task, made)
            spec = self._spec(service, around, service, network, task, links)
            return self._main(spec, voice, clock)

    def _neighbour(
        self, other: Service, around: Mapping[str, Service], runner: Service, network: str, task: Task, made: ExitStack
    ) -> dict[str, str]:
        """Start a service beside the step; the variables that tell of it."""
        client = self._world.client
        spec = self._spec(other, around, runner, network, task, {})
        container = containers.create(client, self._world.run, spec)
        made.callback(containers.remove, client, container)
        containers.start(client, container, other.name)
        voice = self._world.printer.voice(other.name)
        listener = containers.Listener(client, container, voice.feed)
        made.callback(voice.close)
        made.callback(listener.finish)
        made.callback(containers.end, client, container)
        neighbours.until_well(
            client, container, other.name, stop=self._world.stop, limit=self._world.health_limit, say=voice.line
        )
        inspected = containers.inspected(client, container)
        address = next((net["IPAddress"] for net in inspected["NetworkSettings"]["Networks"].values()), "")
        links: dict[str, str] = {}
        for alias in neighbours.aliases(other.name, around, runner):
            links |= link_variables(alias, runner.name, address, inspected["Config"])
        return links

    def _main(self, spec: Spec, voice: Voice, clock: "_Clock") -> int:
        client = self._world.client
        container = containers.create(client, self._world.run, spec)
        try:
            clock.prepared()
            containers.start(client, container, spec.image)
            listener = containers.Listener(client, container, voice.feed)
            code = containers.wait(client, container)
            listener.finish()
            if code:
                self._explain(container, code, voice)
                if self._world.on_failure is not None and not self._world.stop.is_set():
                    self._world.on_failure(container, spec)
            return code
        finally:
            containers.remove(client, container)

    def _explain(self, container: str, code: int, voice: Voice) -> None:
        with contextlib.suppress(KitError):
            state = containers.state(self._world.client, container)
            if state.get("OOMKilled"):
                voice.line(f"exit code {code}: it ran out of memory")
            elif state.get("Error"):
                voice.line(f"exit code {code}: {state['Error']}")

    def _spec(
        self,
        service: Service,
        around: Mapping[str, Service],
        runner: Service,
        network: str,
        task: Task,
        links: Mapping[str, str],
    ) -> Spec:
        world = self._world
        ci = {**links, **world.values.for_containers(approved=task.approved)}
        variables = environment(
            service, folder=world.folder, vault=world.vault, ci=ci, given=world.given, machine=world.machine
        )
        binds = mounts.binds(service, world.folder, world.paths)
        if service.add_docker:
            more, access = mounts.engine_access(world.machine)
            binds, variables = [*binds, *more], {**variables, **access}
        main = service is runner
        return Spec(
            image=self._provider.image(service),
            name=world.run.called(task.number, service.name),
            command=(task.step.command or service.command) if main else service.command,
            entrypoint=service.entrypoint,
            environment=variables,
            binds=binds,
            volumes=mounts.own_volumes(service),
            volumes_from=[self._holder(name) for name in service.volumes_from],
            network=network,
            aliases=neighbours.aliases(service.name, around, runner),
            options=service.passed_on,
        )

    def _holder(self, name: str) -> str:
        """The container whose volumes others use: made once a run, never started, gone with the run."""
        with self._lock:
            if name not in self._holders:
                service = self._service(name)
                spec = Spec(
                    image=self._provider.image(service),
                    name=self._world.run.called("volumes", name),
                    binds=mounts.binds(service, self._world.folder, self._world.paths),
                    volumes=mounts.own_volumes(service),
                )
                self._holders[name] = containers.create(self._world.client, self._world.run, spec)
            return self._holders[name]

    # Logins

    def _logins(self, path: str | None, maker: str | None) -> Logins | None:
        if path:
            text = self._world.vault.text(self._world.folder / path)
            return read_logins(text, name=path, learn_secret=self._world.vault.learn_secret)
        return self._made_logins(self._service(maker)) if maker else None

    def _made_logins(self, service: Service) -> Logins:
        """A container writes the logins to the path that it is given as its command."""
        world = self._world
        where = f"{_LOGIN_FOLDER}/config.json"
        variables = environment(
            service, folder=world.folder, vault=world.vault, ci=world.values.for_containers(), given=world.given,
            machine=world.machine,
        )  # fmt: skip
        spec = Spec(
            image=self._provider.image(service),
            name=world.run.called("login", service.name, str(threading.get_ident())),
            command=(where,),
            entrypoint=service.entrypoint,
            environment=variables,
            volumes=(_LOGIN_FOLDER,),
            options=service.passed_on,
        )
        container = containers.create(world.client, world.run, spec)
        try:
            containers.start(world.client, container, service.name)
            code = containers.wait(world.client, container)
            if code:
                raise InputError(f"{service.name} made no registry login", why=f"exit code {code}")
            text = containers.file_in(world.client, container, where).decode("utf-8", "replace")
        finally:
            containers.remove(world.client, container)
        return read_logins(text, name=f"what {service.name} wrote", learn_secret=world.vault.learn_secret)


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
