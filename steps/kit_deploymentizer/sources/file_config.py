# SPDX-License-Identifier: MIT
"""Values from JSON files: `<configPath>/<container name>/<cluster>-env.json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit_core.errors import InputError
from kit_core.files import read_text
from kit_core.yamlio import Position
from kit_deploymentizer.inputs.boundary import EVERYWHERE, Boundary
from kit_deploymentizer.inputs.secret_values import SecretValue
from kit_deploymentizer.rendering.javascript import text_of
from kit_deploymentizer.sources import Fetched, Target, World
from kit_deploymentizer.sources.answers import is_too_deep

if TYPE_CHECKING:
    from kit_deploymentizer.inputs.encrypted import Unlocker


@dataclass(frozen=True)
class FileConfig:
    """Reads a file per container and cluster; a missing one is an error, as in the original."""

    folder: Path
    shown: str
    unlocker: "Unlocker | None" = field(default=None, repr=False)
    boundary: Boundary = field(default=EVERYWHERE, repr=False)

    @classmethod
    def from_options(cls, options: Mapping[str, Any], world: World) -> "FileConfig":
        """From kit.yaml's `plugin.options`. Raises `InputError` without `configPath`."""
        path = options.get("configPath")
        if not isinstance(path, str) or not path:
            raise InputError(
                "plugin file-config has no folder to read",
                why="its option configPath is not set",
                hint="Set plugin.options.configPath in kit.yaml to the folder of <container name>/<cluster>-env.json.",
            )
        return cls(world.folder / path, path.removeprefix("./").rstrip("/"), world.unlocker, world.boundary)

    def fetch(self, container: Mapping[str, Any], target: Target) -> Fetched:
        """The file's keys. Raises `InputError` when it is missing or holds no JSON object."""
        name = f"{text_of(container['name'])}/{target.name}-env.json"
        file = f"{self.shown}/{name}"
        self.boundary.check(self.folder / name)
        text = read_text(
            self.folder / name,
            what="A container's environment file",
            hint='Plugin file-config wants one for every container and cluster; `{"env": []}` is enough.',
        )
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(
                "malformed JSON",
                where=f"{file}:{error.lineno}:{error.colno}",
                why=error.msg,
                file=file,
                line=error.lineno,
                column=error.colno,
            ) from None
        except RecursionError:
            values = []
        if not isinstance(values, dict) or is_too_deep(values):
            raise InputError("An environment file must hold a JSON object", where=file, hint='Write {"env": [...]}.')
        locked: tuple[SecretValue, ...] = ()
        if self.unlocker is not None:
            values, locked = self.unlocker.unlocked(values, lambda *_keys: Position(file, 1, 1))
        return Fetched(values, file=file, hidden=bool(locked))
