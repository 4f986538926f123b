# SPDX-License-Identifier: MIT
"""kit.yaml's list `sources`, and what can be told of it without opening any: read, checked, placed. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kit_core.errors import KitError
from kit_core.names import nearest
from kit_deploymentizer.inputs.layout import read_plugin
from kit_deploymentizer.inputs.reading import YamlFile, placed, wrong
from kit_deploymentizer.sources import SENDS_METADATA, source_name
from kit_deploymentizer.sources.options import KINDS, fault, options_of
from kit_deploymentizer.sources.places import check_places

IN_REPOSITORY: Final = frozenset({"files", "file-config"})
"""Those that read the repository and ask nobody."""


@dataclass(frozen=True)
class Listed:
    """An entry of `sources`, as it stands there. `index` is its place in the list."""

    kind: str
    name: str
    options: Mapping[str, Any]
    index: int

    @property
    def resources(self) -> tuple[str, ...]:
        """The patterns of the resources that it is asked about."""
        return tuple(self.options.get("resources", ()))


def read_sources(kit: YamlFile) -> tuple[Listed, ...]:
    """The entries of `sources`. Raises `InputError` with file and line for what is wrong with them."""
    entries = kit.value.get("sources")
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise wrong("sources must be a list", kit, "sources", hint="Write `sources: [{kind: files, path: …}]`.")
    found: list[Listed] = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str) or not entry["kind"]:
            raise wrong("a source must be a map with a kind", kit, "sources", index,
                        why=None, hint=f"There are {', '.join(KINDS)}, and those of installed packages.")  # fmt: skip
        _check(kit, index, entry)
        one = Listed(entry["kind"], entry["name"] if "name" in entry else entry["kind"], entry, index)
        twin = next((other for other in found if other.name == one.name), None)
        if twin is not None:
            raise wrong(f"two sources are called {one.name}", kit, "sources", index,
                        hint="Give one of them a `name` of its own.")  # fmt: skip
        found.append(one)
    return tuple(found)


def _check(kit: YamlFile, index: int, entry: Mapping[str, Any]) -> None:
    known = options_of(entry["kind"])
    for key, value in entry.items():
        if key not in known:
            meant = nearest(key, sorted(known))
            raise wrong(f"unknown key {key} in a source of kind {entry['kind']}", kit, "sources", index, key,
                        hint=f"{meant} is probably meant." if meant else f"It takes {', '.join(known)}.")  # fmt: skip
        expected = fault(known[key], value)
        if expected:
            raise wrong(f"{key} of a source must be {expected}", kit, "sources", index, key)
        for text in value if key == "command" else [value] if key in {"path", "url"} else ():
            try:
                check_places(text, free=key == "command")
            except KitError as error:
                raise placed(error, kit.position("sources", index, key)) from None
    for key, option in known.items():
        if option.required and key not in entry:
            raise wrong(f"a source of kind {entry['kind']} needs {key}", kit, "sources", index, hint=option.help)


def folders_of(kit: YamlFile, root: Path) -> Iterator[Path]:
    """The folders and files of the repository that sources read, as far as their paths are the same for all."""
    plugin = read_plugin(kit)
    path = plugin.options.get("configPath") if plugin else None
    if isinstance(path, str) and path:
        yield root / path
    for one in read_sources(kit):
        if one.kind == "files":
            whole, brace, _ = one.options["path"].partition("{")
            fixed = whole.rpartition("/")[0] if brace else whole
            if fixed.strip("./"):  # else it is the whole repository, in which the output may lie
                yield root / fixed


def sends_metadata(kit: YamlFile) -> bool:
    """Whether somebody else is told all of a cluster's metadata, so that any key in it may have its reader."""
    plugin = read_plugin(kit)
    others = any(one.kind not in IN_REPOSITORY for one in read_sources(kit))
    return others or (plugin is not None and source_name(plugin.path) in SENDS_METADATA)
