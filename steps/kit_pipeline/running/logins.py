# SPDX-License-Identifier: MIT
"""Logins to registries: in an encrypted file, or made by a container."""

from typing import Final

from kit_core.errors import InputError, WorkError
from kit_pipeline.engine import containers
from kit_pipeline.engine.listener import Listener
from kit_pipeline.engine.logins import Logins, read_logins
from kit_pipeline.files.service import Service
from kit_pipeline.running.neighbours import tail
from kit_pipeline.running.specs import Specs
from kit_pipeline.running.world import World

_FOLDER: Final = "/kit-pipeline-login"


def logins(world: World, specs: Specs, path: str | None, maker: str | None) -> Logins | None:
    """Those of the encrypted file at `path`, else of the service `maker`, else none. Raises `KitError`."""
    if path:
        text = world.vault.text(world.folder / path)
        return read_logins(text, name=path, learn_secret=world.vault.learn_secret)
    return _made(world, specs, world.service(maker)) if maker else None


def _made(world: World, specs: Specs, service: Service) -> Logins:
    """A container writes the logins to the path that it is given as its command."""
    where = f"{_FOLDER}/config.json"
    container = containers.create(world.client, world.run, specs.login_maker(service, _FOLDER, where))
    try:
        said = bytearray()
        containers.start(world.client, container, service.name)
        listener = Listener(world.client, container, lambda _, data: said.extend(data))
        code = containers.wait(world.client, container)
        listener.finish()
        words = tail(said.decode("utf-8", "replace")) or "it said nothing"
        if code:
            raise WorkError(f"{service.name} made no registry login", why=f"exit code {code}: {words}")
        text = containers.file_in(world.client, container, where)
        if text is None:
            raise InputError(
                f"{service.name} made no registry login",
                why="it did not write the file that its command names",
                hint="A `dockercfg_service` writes the login to the path that is its one argument.",
            )
    finally:
        containers.remove(world.client, container)
    shown = f"what {service.name} wrote"
    return read_logins(text.decode("utf-8", "replace"), name=shown, learn_secret=world.vault.learn_secret)
