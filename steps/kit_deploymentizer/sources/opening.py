# SPDX-License-Identifier: MIT
"""From kit.yaml's `plugin` and `sources` to the sources of a run."""

from collections.abc import Iterator, Mapping
from typing import Any

from kit_core.errors import KitError
from kit_deploymentizer.inputs.layout import read_plugin
from kit_deploymentizer.inputs.reading import YamlFile, placed
from kit_deploymentizer.sources import SENDS_METADATA, EnvironmentSource, Maker, World, open_source, source_name
from kit_deploymentizer.sources.listed import IN_REPOSITORY, Listed, read_sources
from kit_deploymentizer.sources.options import KINDS
from kit_deploymentizer.sources.together import Named, Together


def open_sources(kit: YamlFile, world: World) -> Together | None:
    """All that kit.yaml names, None where it names none. Raises `InputError` with file and line."""
    named = [*_plugin(kit, world), *(_open(kit, one, world) for one in read_sources(kit))]
    return Together(named, placeholders=world.placeholders) if named else None


def _plugin(kit: YamlFile, world: World) -> Iterator[Named]:
    plugin = read_plugin(kit)
    if plugin is None:
        return
    name = source_name(plugin.path)
    asks = name in SENDS_METADATA
    try:
        source = None if asks and world.placeholders else open_source(plugin.path, plugin.options, world)
    except KitError as error:
        raise placed(error, kit.position("plugin")) from None
    yield Named(name, source, slow=asks)


def _open(kit: YamlFile, one: Listed, world: World) -> Named:
    slow = one.kind not in IN_REPOSITORY

    def position(*keys: str | int) -> Any:
        return kit.position("sources", one.index, *keys)

    try:
        if slow and world.placeholders:
            if one.kind not in KINDS:
                from kit_deploymentizer.sources.entry_points import check_kind

                check_kind(one.kind)
            return Named(one.name, None, one.resources)
        options = world.unlocker.unlocked(one.options, position)[0] if world.unlocker else one.options
        return Named(one.name, _maker(one.kind)(options, world), one.resources, slow)
    except KitError as error:
        raise placed(error, position()) from None


def _maker(kind: str) -> Maker:
    if kind == "files":
        from kit_deploymentizer.sources.env_files import EnvFiles

        return EnvFiles.from_options
    if kind == "http":
        from kit_deploymentizer.sources.http_json import HttpJson

        return HttpJson.from_options
    if kind == "exec":
        from kit_deploymentizer.sources.exec_program import ExecProgram

        return ExecProgram.from_options

    def from_package(options: Mapping[str, Any], world: World) -> EnvironmentSource:
        from kit_deploymentizer.sources.entry_points import open_entry_point

        return open_entry_point(kind, options, world)

    return from_package
