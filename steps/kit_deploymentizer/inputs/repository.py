# SPDX-License-Identifier: MIT
"""A deployments repository as typed inputs: the base, the types, the clusters, each with file and line."""

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kit_deploymentizer.inputs.layout import BASE_CLUSTER, BASE_SETTINGS, Paths, Plugin, bounds, read_kit, read_plugin
from kit_deploymentizer.inputs.limits import Shard
from kit_deploymentizer.inputs.reading import Layers, Reader, Unlock, YamlFile, is_there, listed, wrong
from kit_deploymentizer.inputs.secret_values import SecretValue
from kit_deploymentizer.output.remembered import Remembered
from kit_deploymentizer.rendering.images import Images
from kit_deploymentizer.rendering.javascript import text_of
from kit_deploymentizer.rendering.merge import merge
from kit_deploymentizer.sources.listed import folders_of, read_sources

CLUSTER_KIND: Final = "ClusterNamespace"
SETTINGS_KIND: Final = "ResourceConfig"
_LONGEST: Final = 240
"""Bytes of a name; most file systems end at 255, and an ending follows."""
SETTINGS_FILE: Final = "configuration-var.yaml"


@dataclass(frozen=True)
class Cluster:
    """One cluster folder, everything merged: one namespace of one cluster.

    `settings` is what every template of it sees; `inputs` the files that made it, as shown. `layers` are its
    definition's files (for resources and metadata), the strongest first; `settings_layers` those of its settings.
    """

    name: str
    type: str
    branch: str
    metadata: Mapping[str, Any]
    resources: Mapping[str, Any]
    settings: Mapping[str, Any]
    layers: Layers
    settings_layers: Layers
    inputs: tuple[str, ...]
    secrets: tuple[SecretValue, ...] = ()
    """What of those files was encrypted."""

    @property
    def disabled(self) -> bool:
        """Whether nothing is rendered for it."""
        return self.metadata.get("disable") is True

    @property
    def allow_failure(self) -> bool:
        """Whether a resource that fails is left out with a warning."""
        return self.metadata.get("allowFailure") is True


@dataclass(frozen=True)
class Repository:
    """All that was read. `clusters` are those wanted, in the order of their names; `names` those of all clusters."""

    kit: YamlFile
    paths: Paths
    plugin: Plugin | None
    clusters: tuple[Cluster, ...]
    names: frozenset[str]
    images: Images
    reader: Reader

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The files and folders that it is read from."""
        return (*self.paths.inputs, *folders_of(self.kit, self.paths.root))


Wanted = Callable[[str, str], bool]
"""Of a cluster's name and type: whether this run is about it."""


def read_repository(
    conf: Path,
    workdir: Path | None,
    cwd: Path,
    wanted: Wanted = lambda _name, _type: True,
    unlock: Unlock | None = None,
    shard: Shard | None = None,
    secrets: Collection[Path] | None = None,
    remembered: Callable[[Path], Remembered] | None = None,
) -> Repository:
    """Read the repository that the kit.yaml at `conf` describes, and of its clusters those that are wanted, of these
    one shard's.

    `unlock` decrypts what is encrypted in its files; without it that stays as it is. `secrets`: see `bounds`.
    `remembered` finds what an earlier run parsed, by the output's folder.
    Raises `InputError` for what is missing or wrong.
    """
    kit, paths = read_kit(conf, workdir, cwd, secrets=secrets)
    read_sources(kit)  # what is wrong with them is told before anything is read
    known = remembered(paths.output) if remembered else None
    reader = Reader(paths.root, unlock, bounds(kit, paths, secrets), known)
    base_cluster = _kinded(reader, paths.base / BASE_CLUSTER, CLUSTER_KIND, "The base of all clusters")
    base_settings = _kinded(reader, paths.base / BASE_SETTINGS, SETTINGS_KIND, "The base of all settings")
    types = dict(_types(reader, paths.types))
    base = _Base(reader.shown(kit.path), base_cluster, base_settings, types)
    outlines = [
        _outline(reader, folder / "cluster.yaml")
        for folder in _folders(paths.clusters, "The folder of clusters", kit)
        if is_there(folder / "cluster.yaml", what="A cluster's definition")
    ]
    _refuse_twins(outlines)
    chosen: Sequence[_Outline] = [outline for outline in outlines if wanted(outline.name, outline.type)]
    chosen = shard.of(chosen, lambda outline: outline.name) if shard else chosen
    clusters = [_cluster(base, reader, outline) for outline in chosen]
    return Repository(
        kit=kit,
        paths=paths,
        plugin=read_plugin(kit),
        clusters=tuple(sorted(clusters, key=lambda cluster: cluster.name)),
        names=frozenset(outline.name for outline in outlines),
        images=_images(reader, paths),
        reader=reader,
    )


def _kinded(reader: Reader, path: Path, kind: str, what: str) -> YamlFile:
    hint, other = "kit.yaml's paths begin at WORKDIR (default: the current directory).", path.with_suffix(".yml")
    if is_there(other, what=what):
        hint = f"There is {other.name}: rename it, only {path.name} is read."
    file = reader.yaml(path, what=what, hint=hint)
    return _of_kind(file, kind)


def _of_kind(file: YamlFile, *kinds: str) -> YamlFile:
    found = file.value.get("kind") if isinstance(file.value, dict) else None
    if found not in kinds:
        raise wrong(
            f"{file.shown} must be of kind {' or '.join(kinds)}",
            file,
            "kind",
            why=f"it says {text_of(found)}" if found is not None else "it does not say its kind",
            hint=f"Write `kind: {kinds[0]}` at its top.",
        )
    return file


def _types(reader: Reader, folder: Path) -> Iterable[tuple[str, YamlFile]]:
    what = "The folder of types"
    if not is_there(folder, what=what):
        return
    for path in listed(folder, what=what):
        if not path.name.endswith("-var.yaml"):
            continue
        file = _of_kind(reader.yaml(path, what="A type's settings"), SETTINGS_KIND, CLUSTER_KIND)
        name = _metadata(file).get("type")
        if name is None:
            raise wrong(
                "a type's file must say which type it is", file, "metadata", hint="Write `metadata: {type: …}`."
            )
        yield text_of(name), file


def _metadata(file: YamlFile) -> Mapping[str, Any]:
    metadata = file.value.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _folders(folder: Path, what: str, kit: YamlFile) -> list[Path]:
    if not is_there(folder, what=what):
        raise wrong(f"{what} is missing", kit, "cluster", why=f"there is no folder {folder}",
                    hint="Correct cluster.path, or WORKDIR, where relative paths begin.")  # fmt: skip
    return listed(folder, what=what, folders=True)


@dataclass(frozen=True)
class _Base:
    kit: str
    cluster: YamlFile
    settings: YamlFile
    types: Mapping[str, YamlFile]


@dataclass(frozen=True)
class _Outline:
    """A cluster folder before anything is merged."""

    file: YamlFile
    name: str
    type: str


def _outline(reader: Reader, path: Path) -> _Outline:
    file = _of_kind(reader.yaml(path, what="A cluster's definition"), CLUSTER_KIND)
    name = _file_name(file, "metadata", "name")
    type_name = _metadata(file).get("type")
    if type_name is None:
        raise wrong(f"cluster {name} has no type", file, "metadata", why="metadata.type is not set",
                    hint="Set it to the type whose settings (type/<type>-var.yaml) this cluster takes.")  # fmt: skip
    return _Outline(file, name, text_of(type_name))


def _cluster(base: _Base, reader: Reader, outline: _Outline) -> Cluster:
    """Merge in the original's order: the type below the cluster, then the base below both."""
    own, type_file = outline.file, base.types.get(outline.type)
    if type_file is None:
        raise wrong(
            f"cluster {outline.name} is of unknown type {outline.type}",
            own, "metadata", "type",
            why=f"there are {', '.join(sorted(base.types))}" if base.types else "there is no type file",
            hint="Set metadata.type to one of the types, or add type/<type>-var.yaml.",
        )  # fmt: skip
    settings_file = reader.yaml_if_there(own.path.with_name(SETTINGS_FILE), what="A cluster's settings")
    if settings_file is not None and settings_file.value is not None:
        _of_kind(settings_file, SETTINGS_KIND)
    definition, layers = own.value, [own]
    settings_layers = [settings_file] if settings_file is not None and settings_file.value else []
    settings = settings_layers[0].value if settings_layers else {"kind": SETTINGS_KIND}
    if type_file.value["kind"] == CLUSTER_KIND:
        definition = merge(type_file.value, definition)
        layers.append(type_file)
    else:
        settings = merge(type_file.value, settings)
        settings_layers.append(type_file)
    definition = merge(base.cluster.value, definition)
    layers.append(base.cluster)
    settings_layers.append(base.settings)
    metadata = definition["metadata"]
    files = [base.cluster, base.settings, type_file, own, settings_file]
    return Cluster(
        name=outline.name,
        type=outline.type,
        branch=text_of(metadata["branch"]) if metadata.get("branch") is not None else "",
        metadata=metadata,
        resources=_resources(definition, own),
        settings=merge(base.settings.value, settings),
        layers=Layers(tuple(layers)),
        settings_layers=Layers(tuple(settings_layers)),
        inputs=(base.kit, *(file.shown for file in files if file is not None)),
        secrets=tuple(dict.fromkeys(secret for file in files if file is not None for secret in file.secrets)),
    )


def _resources(definition: Mapping[str, Any], own: YamlFile) -> Mapping[str, Any]:
    resources = definition.get("resources")
    if resources is None:
        return {}
    if not isinstance(resources, dict):
        raise wrong("resources must be a map", own, "resources", hint="Write `resources: {NAME: {file: …}}`.")
    return resources


def _file_name(file: YamlFile, *keys: str) -> str:
    """A name that becomes a folder's or a file's."""
    value: Any = file.value
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    name = text_of(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if not is_file_name(name):
        raise wrong(
            f"{'.'.join(keys)} must be a name",
            file,
            *keys,
            why=f"it is {text_of(value)!r}" if value is not None else "it is not set",
            hint="It becomes a folder's name: letters, digits, `-`, `_` and `.`, not beginning with a dot.",
        )
    return name


def is_file_name(name: str) -> bool:
    """Whether `name` can be a file's or a folder's name that leads nowhere else and is not hidden."""
    short = len(name.encode("utf-8", "replace")) <= _LONGEST
    return short and name[:1] not in {"", "."} and name.isprintable() and not set(name) & set("/\\")


def _refuse_twins(outlines: list[_Outline]) -> None:
    seen: dict[str, _Outline] = {}
    for outline in outlines:
        twin = seen.setdefault(outline.name, outline)
        if twin is not outline:
            raise wrong(
                f"two clusters are named {outline.name}",
                outline.file, "metadata", "name",
                why=f"{twin.file.shown} has the same name, and their manifests would be mixed",
                hint="Give one of them another metadata.name.",
            )  # fmt: skip


def _images(reader: Reader, paths: Paths) -> Images:
    def read(name: str) -> tuple[str, Any] | None:
        file = reader.yaml_if_there(paths.images / name, what="An image file")
        return (file.shown, file.value) if file is not None else None

    def branches(image_tag: str) -> list[str]:
        folder = paths.images / image_tag
        reader.boundary.check(folder)
        files = (path.relative_to(folder) for path in (*folder.rglob("*.yaml"), *folder.rglob("*.yml")))
        return [(path.with_suffix("") if path.suffix == ".yaml" else path).as_posix() for path in files]

    return Images(functools.cache(read), branches, paths.image_property)
