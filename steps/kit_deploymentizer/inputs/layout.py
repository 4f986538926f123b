# SPDX-License-Identifier: MIT
"""kit.yaml: where a deployments repository keeps everything."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kit_core.errors import InputError
from kit_deploymentizer.inputs.boundary import EVERYWHERE, Boundary
from kit_deploymentizer.inputs.reading import Reader, YamlFile, is_there, wrong
from kit_deploymentizer.inputs.schema import FOLDERS
from kit_deploymentizer.rendering.javascript import text_of

BASE_CLUSTER: Final = "base-cluster.yaml"
BASE_SETTINGS: Final = "base-var.yaml"


@dataclass(frozen=True)
class Paths:
    """Where kit.yaml says everything is. `root` is the folder that its relative paths begin at."""

    root: Path
    base: Path
    images: Path
    types: Path
    clusters: Path
    resources: Path
    output: Path
    kit: Path
    image_property: str = "image"

    @property
    def inputs(self) -> tuple[Path, ...]:
        """What is read: folders, and of the base, which usually holds all of them and the output, its files."""
        folders = (self.images, self.types, self.clusters, self.resources)
        return (*folders, self.kit, self.base / BASE_CLUSTER, self.base / BASE_SETTINGS)


@dataclass(frozen=True)
class Plugin:
    """The environment source that kit.yaml names."""

    path: str
    options: Mapping[str, Any]


def read_kit(
    conf: Path, workdir: Path | None, cwd: Path, *, secrets: Collection[Path] | None = None
) -> tuple[YamlFile, Paths]:
    """The kit.yaml at `conf`, and its paths made absolute. Raises `InputError` for what is missing or wrong, and
    where it is confined (`secrets`: see `bounds`) for a link that leads elsewhere."""
    path = normal(cwd / conf)
    if not is_there(path, what="kit.yaml"):
        raise InputError(
            "kit.yaml is missing",
            where=str(path),
            why="CONF names the file that says where a deployments repository keeps everything, and it is not there",
            hint=_renamed(path) or _MOUNT,
        )
    given = [path.parent] if workdir is None else [path.parent, cwd / workdir]
    boundary = EVERYWHERE if secrets is None else Boundary.around(given, secrets)
    kit = Reader(cwd, boundary=boundary).yaml(path, what="kit.yaml")
    if not isinstance(kit.value, dict):
        raise wrong("kit.yaml must be a map", kit, hint=f"It names the paths {', '.join(FOLDERS)}.")
    named = {part: _path_of(kit, part) for part in FOLDERS}
    root = _root(path, workdir, cwd, named["base"])
    image_property = kit.value["images"].get("property") or "image"
    folders = {part: normal(root / text) for part, text in named.items()}
    paths = Paths(
        root=root,
        base=folders["base"],
        images=folders["images"],
        types=folders["type"],
        clusters=folders["cluster"],
        resources=folders["resources"],
        output=folders["output"],
        kit=path,
        image_property=text_of(image_property),
    )
    return kit, paths


def bounds(kit: YamlFile, paths: Paths, secrets: Collection[Path] | None) -> Boundary:
    """Around kit.yaml's folder and the one that its paths begin at, without the files of `secrets`; None for those, and
    everything may be read. Raises `InputError` where one of the paths leads out."""
    if secrets is None:
        return EVERYWHERE
    boundary = Boundary.around([paths.kit.parent, paths.root], secrets)
    for part in FOLDERS:
        if part != "output":
            place = kit.position(part, "path")
            boundary.check(normal(paths.root / _path_of(kit, part)), where=f"{place.name}:{place.line}")
    return boundary


_MOUNT: Final = 'Mount the repository (docker run -v "$PWD:/manifests" …) or set CONF to the path of its kit.yaml.'


def _renamed(path: Path) -> str | None:
    other = path.with_suffix(".yml")
    return f"{other.name} is there: set CONF to it, or rename it." if other != path and other.is_file() else None


def _path_of(kit: YamlFile, part: str) -> str:
    section = kit.value.get(part)
    path = section.get("path") if isinstance(section, dict) else None
    if not isinstance(path, str) or not path or "\0" in path:
        raise wrong(
            f"kit.yaml does not say where {part} is",
            kit,
            part,
            why=f"{part}.path is not set" if path is None or path == "" else f"{part}.path is no path",
            hint=f"Write `{part}: {{path: ./…}}`.",
        )
    return path


def _root(conf: Path, workdir: Path | None, cwd: Path, base: str) -> Path:
    """The folder that relative paths begin at: WORKDIR, else the current one, else that of kit.yaml if the base is
    there and not here."""
    if workdir is not None:
        return normal(cwd / workdir)
    what = "The base of all clusters"
    if not is_there(cwd / base / BASE_CLUSTER, what=what) and is_there(conf.parent / base / BASE_CLUSTER, what=what):
        return conf.parent
    return normal(cwd)


def normal(path: Path) -> Path:
    """`path` without `.` and `..`; links keep the names that people know them by."""
    return Path(os.path.normpath(path))


def read_plugin(kit: YamlFile) -> Plugin | None:
    """The environment source that kit.yaml names, None where it names none. Raises `InputError`."""
    plugin = kit.value.get("plugin")
    if plugin is None:
        return None
    if not isinstance(plugin, dict) or not isinstance(plugin.get("path"), str):
        raise wrong("plugin has no path", kit, "plugin", hint="Write `plugin: {path: …/file-config, options: {…}}`.")
    options = plugin.get("options")
    if options is not None and not isinstance(options, dict):
        raise wrong("plugin.options must be a map", kit, "plugin", "options")
    return Plugin(plugin["path"], options or {})
