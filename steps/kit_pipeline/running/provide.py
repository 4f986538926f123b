# SPDX-License-Identifier: MIT
"""The image of a service: built or pulled once a run, when a step first needs it, since earlier steps may make what it
is built from.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from kit_core.errors import InputError, KitError
from kit_pipeline.engine import building, images
from kit_pipeline.engine.building import Recipe
from kit_pipeline.engine.connect import Client
from kit_pipeline.engine.labels import OURS, harmless
from kit_pipeline.engine.logins import Logins
from kit_pipeline.engine.progress import Say
from kit_pipeline.files.service import Build, Service
from kit_pipeline.planning.values import RunValues
from kit_pipeline.running.vault import Vault
from kit_pipeline.template import fill


class Provider:
    """Has the images of a run. May be asked from several threads; each service's is made once."""

    def __init__(
        self,
        client: Client,
        folder: Path,
        *,
        project: str,
        values: RunValues,
        vault: Vault,
        logins: Callable[[Service], Logins | None],
        say: Callable[[str], Say],
        machine: Mapping[str, str],
        pull: bool = False,
    ) -> None:
        self._project = project
        self._client, self._folder, self._values, self._vault = client, folder, values, vault
        self._machine, self._pull = machine, pull
        self._logins, self._say = logins, say
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._made: dict[str, str | KitError] = {}

    def image(self, service: Service) -> str:
        """The image's name or id. Raises `KitError`, the same one for whoever asks again."""
        with self._guard:
            lock = self._locks.setdefault(service.name, threading.Lock())
        with lock:
            if service.name not in self._made:
                try:
                    self._made[service.name] = self._make(service)
                except KitError as error:
                    self._made[service.name] = error
            made = self._made[service.name]
            if isinstance(made, KitError):
                raise made
            return made

    def _make(self, service: Service) -> str:
        say = self._say(service.name)
        if service.build is not None:
            recipe = Recipe(
                what=service.name,
                context=self._folder / service.build.context,
                dockerfile=service.build.dockerfile,
                args=self._args(service, service.build),
            )
            return building.build(
                self._client,
                recipe,
                tag=self.private_name(service),
                logins=self._logins(service),
                say=say,
                pull=self._pull,
            )
        if service.image is None:
            raise InputError(f"Service {service.name} has neither `build` nor `image`", where=str(service.place))
        if self._pull or not images.here(self._client, service.image):
            images.pull(self._client, service.image, logins=self._logins(service), say=say)
        return service.image

    def private_name(self, service: Service) -> str:
        """What a built image is called in this engine, so that it hides nobody else's image, nor another service's."""
        exact = hashlib.sha256(service.name.encode()).hexdigest()[:8]
        return f"{OURS}/{self._project}/{harmless(service.name)}-{exact}"

    def _args(self, service: Service, build: Build) -> Mapping[str, str]:
        """One without a value has the machine's, as Docker has it."""
        args = {
            key: value if value is not None else self._machine[key]
            for key, value in build.args
            if value is not None or key in self._machine
        }
        for number, line in enumerate(build.encrypted_args, 1):
            args.update(self._vault.line(line, name=f"{service.name}, encrypted_args {number}"))
        for file in build.encrypted_args_files:
            args.update(self._vault.variables(self._folder / file))
        known = self._values.for_templates(service=service.name, image=build.image or "")
        return {
            key: fill(value, known, name=f"{service.place.name}: {service.name}, argument {key}")
            for key, value in args.items()
        }
