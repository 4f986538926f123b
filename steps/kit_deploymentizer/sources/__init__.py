# SPDX-License-Identifier: MIT
"""Environment sources: where a container's values come from that the repository's settings do not hold.

One small module each behind one protocol; `open_source` finds the one that kit.yaml names. A new one is a new module
and a line in `_SOURCES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from kit_core.errors import InputError
from kit_core.names import nearest
from kit_core.secrets import Secret


@dataclass(frozen=True)
class Target:
    """The cluster that a container is to run in."""

    name: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Fetched:
    """What a source knows of a container: keys laid over its own, warnings, and the file that was read, if any."""

    values: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    file: str | None = None


class EnvironmentSource(Protocol):
    """Answers for one container at a time."""

    def fetch(self, container: Mapping[str, Any], target: Target) -> Fetched:
        """What this source says of `container` (which has a `name`) in `target`. Raises `KitError`."""


@dataclass(frozen=True)
class World:
    """What a source may use of the outside."""

    env: Mapping[str, str]
    folder: Path
    """Relative paths of options begin here."""
    env_api_url: str | None = None
    env_api_token: Secret | None = None
    ca_cert: Path | None = None


Maker = Callable[[Mapping[str, Any], World], EnvironmentSource]


def _file_config(options: Mapping[str, Any], world: World) -> EnvironmentSource:
    from kit_deploymentizer.sources.file_config import FileConfig

    return FileConfig.from_options(options, world)


def _env_api(options: Mapping[str, Any], world: World) -> EnvironmentSource:
    from kit_deploymentizer.sources.env_api import EnvApi

    return EnvApi.from_options(options, world)


_SOURCES: Final[Mapping[str, Maker]] = {"file-config": _file_config, "env-api-client-v3": _env_api}
SENDS_METADATA: Final = frozenset({"env-api-client-v3"})


def source_name(path: str) -> str:
    """The last part of a plugin's path is its name; the original loaded a module from there."""
    return path.rstrip("/").rsplit("/", 1)[-1].removesuffix(".js")


def open_source(path: str, options: Mapping[str, Any], world: World) -> EnvironmentSource:
    """The source that kit.yaml's `plugin.path` names. Raises `InputError` for an unknown one or wrong options."""
    name = source_name(path)
    maker = _SOURCES.get(name)
    if maker is None:
        meant = nearest(name, sorted(_SOURCES))
        raise InputError(
            f"plugin {path} is not known",
            why=f"kit has {' and '.join(sorted(_SOURCES))}, named by the path's last part",
            hint=f"Write {meant} if that is meant." if meant else "Correct plugin.path, or leave plugin out.",
        )
    return maker(options, world)
