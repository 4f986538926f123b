# SPDX-License-Identifier: MIT
"""What a services file says, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kit_core.yamlio import Position


@dataclass(frozen=True, kw_only=True)
class Build:
    """How a service's image is built. `context` is relative to the folder of the services file, `dockerfile` to it.

    The values of `args` are Go templates; `encrypted_args` and `encrypted_args_files` override them in that order.
    """

    image: str | None = None
    context: str = "."
    dockerfile: str | None = None
    args: tuple[tuple[str, str | None], ...] = ()
    encrypted_args: tuple[str, ...] = ()
    encrypted_args_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Volume:
    """A folder of the host in the container, or one of the container's own (`host` is None) that lives for one step."""

    container: str
    host: str | None = None
    mode: str | None = None


@dataclass(frozen=True)
class Link:
    """Another service, under the name by which it is known."""

    service: str
    alias: str


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service. Of the environment, `environment` is overridden by the files, these by the encrypted ones."""

    name: str
    place: Position
    build: Build | None = None
    image: str | None = None
    environment: tuple[tuple[str, str | None], ...] = ()
    env_files: tuple[str, ...] = ()
    encrypted_env_files: tuple[str, ...] = ()
    encrypted_environment: tuple[str, ...] = ()
    encrypted_dockercfg_path: str | None = None
    dockercfg_service: str | None = None
    volumes: tuple[Volume, ...] = ()
    volumes_from: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    add_docker: bool = False
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    passed_on: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    @property
    def needs(self) -> tuple[str, ...]:
        """The services that run beside it, each once, in the order in which they are named."""
        return tuple(dict.fromkeys((*self.depends_on, *(link.service for link in self.links))))

    @property
    def holders(self) -> tuple[str, ...]:
        """The services of `volumes_from`, without the `:ro` that may follow their names."""
        return tuple(text.partition(":")[0] for text in self.volumes_from)
