# SPDX-License-Identifier: MIT
"""Environment sources: where a container's values come from that the repository's settings do not hold.

One small module each behind one protocol. kit.yaml names them in two ways: `plugin`, as the original had it
(`open_source`: `file_config`, `env_api`), and the list `sources` (`listed` reads it, `options` says what each kind
takes, `opening` opens them; `env_files`, `http_json`, `exec_program`, `entry_points`). `together` asks all of them in
their order, side by side where that takes time, and each question once (`once`); `places` fills in their options,
`answers` makes values of what came back, `web` sends requests. A new kind is a new module and a line in `options` and
`opening`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from kit_core.errors import InputError
from kit_core.names import nearest
from kit_core.secrets import Secret
from kit_deploymentizer.inputs.boundary import EVERYWHERE, Boundary
from kit_deploymentizer.rendering.javascript import text_of

if TYPE_CHECKING:
    from kit_deploymentizer.inputs.encrypted import Unlocker


@dataclass(frozen=True)
class Target:
    """The cluster that a container is to run in."""

    name: str
    metadata: Mapping[str, Any]
    type: str = ""


@dataclass(frozen=True)
class Fetched:
    """What a source knows of a container: keys laid over its own, warnings, and the file that was read, if any.

    `hidden` says that everything in `values` is secret; else only what `env` says is. `by` names the source, and
    `parts` are the answers of which this one is made, where several sources were asked.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    file: str | None = None
    hidden: bool = False
    by: str = ""
    parts: tuple["Fetched", ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The files that were read."""
        own = (self.file,) if self.file else ()
        return (*own, *(file for part in self.parts for file in part.files))

    def secrets(self) -> Iterator[tuple[str, str]]:
        """Name and text of every secret value in it."""
        for part in self.parts:
            yield from part.secrets()
        if self.parts:
            return
        env = self.values.get("env")
        for item in env if isinstance(env, list) else []:
            value = item.get("value") if isinstance(item, dict) else None
            if value is not None and value != "":
                yield text_of(item.get("name")), text_of(value)
        if self.hidden:
            yield from _scalars({key: value for key, value in self.values.items() if key != "env"}, "")


def _scalars(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _scalars(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(item, name)
    elif value is not None and value != "":
        yield name, text_of(value)


class EnvironmentSource(Protocol):
    """Answers for one container at a time, from any thread."""

    def fetch(self, container: Mapping[str, Any], target: Target) -> Fetched:
        """What this source says of `container` (which has a `name`) in `target`. Raises `KitError`."""


@dataclass(frozen=True)
class World:
    """What a source may use of the outside. `learn_secret` is to be told of what no log may show."""

    env: Mapping[str, str]
    folder: Path
    """Relative paths of options begin here."""
    env_api_url: str | None = None
    env_api_token: Secret | None = None
    ca_cert: Path | None = None
    learn_secret: Callable[[str], None] = lambda _value: None
    unlocker: "Unlocker | None" = None
    """Decrypts; None where nothing can be encrypted."""
    program_env: Mapping[str, str] = field(default_factory=dict)
    """What a program may know of `env`: kit's own secrets are nobody else's business."""
    placeholders: bool = False
    """Nothing outside the repository may be asked, and there need be no key."""
    boundary: Boundary = EVERYWHERE
    """What of the disk may be read."""


Maker = Callable[[Mapping[str, Any], World], EnvironmentSource]
"""From a source's options to the source. Raises `InputError` for wrong ones. What an entry point refers to."""


def _file_config(options: Mapping[str, Any], world: World) -> EnvironmentSource:
    from kit_deploymentizer.sources.file_config import FileConfig

    return FileConfig.from_options(options, world)


def _env_api(options: Mapping[str, Any], world: World) -> EnvironmentSource:
    from kit_deploymentizer.sources.env_api import EnvApi

    return EnvApi.from_options(options, world)


_PLUGINS: Final[Mapping[str, Maker]] = {"file-config": _file_config, "env-api-client-v3": _env_api}
SENDS_METADATA: Final = frozenset({"env-api-client-v3"})


def source_name(path: str) -> str:
    """The last part of a plugin's path is its name; the original loaded a module from there."""
    return path.rstrip("/").rsplit("/", 1)[-1].removesuffix(".js")


def open_source(path: str, options: Mapping[str, Any], world: World) -> EnvironmentSource:
    """The source that kit.yaml's `plugin.path` names. Raises `InputError` for an unknown one or wrong options."""
    name = source_name(path)
    maker = _PLUGINS.get(name)
    if maker is None:
        meant = nearest(name, sorted(_PLUGINS))
        raise InputError(
            f"plugin {path} is not known",
            why=f"kit has {' and '.join(sorted(_PLUGINS))}, named by the path's last part",
            hint=f"Write {meant} if that is meant." if meant else "Correct plugin.path, or leave plugin out.",
        )
    return maker(options, world)
