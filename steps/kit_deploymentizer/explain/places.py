# SPDX-License-Identifier: MIT
"""Where each value comes from that a resource's template sees: the file and line that set it, and those it overrode.

The view itself is made as for a render. A second one is put together beside it from traced values, step by step as
`view` does it, and each value of the first is looked up in the second.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from kit_core.credentials import credentials_in, is_credential
from kit_core.errors import InputError
from kit_core.files import read_text
from kit_core.nested_credentials import is_below_credentials
from kit_core.secrets import MASK
from kit_core.yamlio import Document, Position, load_document
from kit_deploymentizer.explain.origins import (
    Given,
    Keys,
    Origin,
    Place,
    Traced,
    as_list,
    as_map,
    count_of,
    merge_env_traced,
    merge_traced,
    traced,
)
from kit_deploymentizer.inputs.reading import Layers, YamlFile
from kit_deploymentizer.inputs.repository import Cluster, Repository
from kit_deploymentizer.inputs.words import original_words
from kit_deploymentizer.rendering.javascript import text_of, truthy
from kit_deploymentizer.rendering.view import Sight, View
from kit_deploymentizer.sources import EnvironmentSource, Fetched, Target

Dates = Callable[[dt.datetime], str]
_KIT: Final = Given("kit")
_MOST: Final = 200_000
"""Values of a view that are explained; a few aliases of aliases make more than there are atoms."""
_LONGEST: Final = 1_000_000
"""Characters of a value that is shown."""


@dataclass(frozen=True)
class Setter:
    """Something that set a value: the value (a date as the resource's template prints it), and its place, or in words
    what it was that stands in no file."""

    value: Any
    place: Position | None
    by: str | None

    @property
    def told(self) -> str:
        """Where, as people read it."""
        return f"{self.place.name}:{self.place.line}" if self.place else self.by or ""


@dataclass(frozen=True)
class Explained:
    """One value of a view: where it is (keys and indices), what set it, and what that overrode, the nearest first."""

    path: Keys
    setter: Setter
    overrode: tuple[Setter, ...] = ()

    @property
    def name(self) -> str:
        """The path as a template writes it."""
        return ".".join(map(str, self.path))


class Explainer:
    """Explains views of one repository. Each file is read once more, for its positions."""

    def __init__(self, repository: Repository, sight: Sight, warn: Callable[[str], None] = lambda _text: None) -> None:
        self._repository = repository
        self._sight = sight
        self._warn = warn
        self._documents: dict[Path, Document] = {}

    def explain(self, cluster: Cluster, name: str) -> tuple[Explained, ...]:
        """Every value that the resource's template sees. Raises `KitError` where the view cannot be made."""
        remembering = Remembering(self._sight.source) if self._sight.source else None
        sight = replace(self._sight, source=remembering)
        resource = cluster.resources[name]
        real = sight.view(cluster, name, resource)
        for warning in dict.fromkeys(real.warnings):
            self._warn(warning)
        if count_of(real.values) > _MOST:
            raise InputError(
                f"the template sees more than {_MOST} values", why="aliases stand for aliases, or a list is very long"
            )
        file = resource.get("file")
        dates = dt.datetime.isoformat if text_of(file).endswith((".j2", ".jinja2")) else text_of
        known = dict(trace_view(self._repository, sight, cluster, name, remembering.fetched if remembering else [])
                     .leaves())  # fmt: skip
        values = dict(leaves(real.values))
        return tuple(
            self._explained(
                path, value, known.get(path) or Traced(None, _KIT), _is_credential(path, values), real, dates
            )
            for path, value in values.items()
        )

    def _explained(self, path: Keys, value: Any, leaf: Traced, hidden: bool, real: View, dates: Dates) -> Explained:
        hidden = hidden or leaf.secret
        if isinstance(value, str):
            hidden = hidden or any(len(secret.text) > 1 and secret.text in value for secret in real.secrets)
        overrode = tuple(self._setter(one.origin, one.value, hidden or one.secret, dates) for one in leaf.overrode)
        return Explained(path, self._setter(leaf.origin, value, hidden, dates), overrode)

    def _setter(self, origin: Origin, value: Any, hidden: bool, dates: Dates) -> Setter:
        shown = MASK if hidden and value is not None else _without_credentials(value)
        shown = dates(shown) if isinstance(shown, dt.datetime) else shown
        if isinstance(origin, Given):
            return Setter(shown, None, origin.by)
        return Setter(shown, self._document(origin.file).key_position(*origin.keys), None)

    def _document(self, file: YamlFile) -> Document:
        if file.path not in self._documents:
            text = read_text(file.path, what=file.shown)
            self._documents[file.path] = load_document(text, name=file.shown, words=original_words, keys=text_of)
        return self._documents[file.path]


def _is_credential(path: Keys, values: Mapping[Keys, Any]) -> bool:
    """Whether the value's name says so: its key, of the `value` of an entry the `name` beside it, one around it."""
    name = values.get((*path[:-1], "name")) if path[-1:] == ("value",) else path[-1] if path else ""
    return (isinstance(name, str) and is_credential(name)) or is_below_credentials(path)


def _without_credentials(value: Any) -> Any:
    """A text without the passwords within it: of an address, of the lines of a configuration file. Of a very long one
    only the length, since a part of it might end within one."""
    if not isinstance(value, str):
        return value
    if len(value) > _LONGEST:
        return f"({len(value)} characters)"
    parts, position = [], 0
    for start, end in sorted(credentials_in(value), key=lambda span: (span[0], -span[1])):
        if start >= position:
            parts += [value[position:start], MASK]
        position = max(position, end)
    return "".join([*parts, value[position:]])


def leaves(value: Any, path: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Every value that is no map or list with something in it."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


class Remembering:
    """A source whose answers are kept, so that it is asked once for two views."""

    def __init__(self, source: EnvironmentSource) -> None:
        self._source = source
        self.fetched: list[Fetched] = []

    def fetch(self, container: Mapping[str, Any], target: Target) -> Fetched:
        """See `EnvironmentSource`."""
        self.fetched.append(self._source.fetch(container, target))
        return self.fetched[-1]


def trace_view(repository: Repository, sight: Sight, cluster: Cluster, name: str, fetched: list[Fetched]) -> Traced:
    """What `Sight.view` makes, traced. `fetched` are the source's answers for each container, in order."""
    resource = _layered(cluster.layers, "resources", name)
    here = resource.origin
    settings = _layered(cluster.settings_layers)
    values = dict(settings.items) if isinstance(settings.items, Mapping) else {}

    def put(key: str, value: Traced) -> None:
        values[key] = value.over(values.get(key))

    branch = _truthy(resource.get("branch")) or _layered(cluster.layers, "metadata", "branch")
    put("branch", replace(branch, value=branch.value or ""))
    put("name", Traced(name, here))
    if sight.deployment.deploy_id:
        given = values.get("deployment")
        parts = dict(given.items) if given and isinstance(given.items, Mapping) else {}
        for key, setting, value in (
            ("id", "DEPLOY_ID", sight.deployment.deploy_id),
            ("fastRollback", "FAST_ROLLBACK", sight.deployment.fast_rollback),
        ):
            parts[key] = Traced(value, Given(setting)).over(parts.get(key))
        values["deployment"] = as_map(parts, given.origin if given else _KIT)
    maker = _Tracer(repository, sight, name, here, text_of(values["branch"].value), iter(fetched))
    containers = resource.get("containers")
    several = containers.items if containers and truthy(containers.value) else None
    for key, container in several.items() if isinstance(several, Mapping) else [(name, resource)]:
        put(key, maker.entry(container))
    svc = _truthy(resource.get("svc"))
    if svc:
        put("svc", svc)
    return as_map(values, settings.origin)


def _layered(layers: Layers, *keys: str) -> Traced:
    """What the files together say at `keys`, merged as `repository` does it: the strongest first, each next one below
    what there is."""
    above: Traced | None = None
    for file in layers.files:
        if file.has(*keys):
            value = file.value
            for key in keys:
                value = value[key]
            below = traced(value, Place(file, keys))
            above = merge_traced(below, above, keys[-1] if keys else "") if above else below
    return above or Traced(None, _KIT)


def _truthy(node: Traced | None) -> Traced | None:
    return node if node is not None and truthy(node.value) else None


class _Tracer:
    """Makes the traced container entries of one resource (rules 5, 6 and 8)."""

    def __init__(
        self, repository: Repository, sight: Sight, name: str, here: Origin, branch: str, fetched: Iterator[Fetched]
    ) -> None:
        self._repository, self._sight = repository, sight
        self._name, self._here, self._branch = name, here, branch
        self._fetched = fetched

    def entry(self, container: Traced) -> Traced:
        items = dict(container.items) if isinstance(container.items, Mapping) else {}
        if not items.get("name") or not items["name"].value:
            items["name"] = Traced(self._name, self._here).over(items.get("name"))
        items["resourceName"] = Traced(self._name, self._here).over(items.get("resourceName"))
        commit = self._sight.deployment.commit_id
        by = "KIT_COMMIT_ID" if commit else "KIT_COMMIT_ID, which is not set"
        items["gitRef"] = Traced(commit, Given(by)).over(items.get("gitRef"))
        entry = as_map(items, container.origin)
        if self._sight.source is not None:
            entry = merge_traced(entry, self._from_source(next(self._fetched)))
        own = container.get("env")
        if own is not None and isinstance(own.items, list):
            there = entry.get("env")
            below = there.items if there is not None and isinstance(there.items, list) else []
            env = as_list(merge_env_traced(below, [self._external(item) for item in own.items]), own.origin)
            entry = as_map({**_items(entry), "env": env}, entry.origin)
        return self._with_image(entry)

    def _from_source(self, fetched: Fetched) -> Traced:
        given = Traced({}, _KIT, (), {})
        for part in fetched.parts or (fetched,):
            given = merge_traced(given, self._part(part))
        return given

    def _part(self, part: Fetched) -> Traced:
        name = part.by or "source"
        given = traced(part.values, Given(f"{name} ({part.file})" if part.file else name))
        env = given.get("env")
        if env is None or not isinstance(env.items, list):
            return given
        entries = [_with(item, "value", lambda value: replace(value, secret=True)) for item in env.items]
        return as_map({**_items(given), "env": as_list(entries, env.origin)}, given.origin)

    def _external(self, item: Traced) -> Traced:
        flag = item.get("external")
        if flag is None or not truthy(flag.value):
            return item
        variable = text_of(item.value.get("name"))
        value = Traced(MASK, Given(f"the environment variable {variable}"), secret=True)
        return as_map({**_items(item), "value": value.over(item.get("value"))}, item.origin)

    def _with_image(self, entry: Traced) -> Traced:
        tag = _truthy(entry.get("image_tag"))
        if _truthy(entry.get("image")) or tag is None:
            return entry
        own = _truthy(entry.get("branch"))
        name = f"{text_of(tag.value)}/{text_of(own.value) if own else self._branch}.yaml"
        paths = self._repository.paths
        file = self._repository.reader.yaml(paths.images / name, what="An image file")
        image = Traced(file.value[paths.image_property], Place(file, (paths.image_property,)))
        return as_map({**_items(entry), "image": image.over(entry.get("image"))}, entry.origin)


def _items(node: Traced) -> dict[str, Traced]:
    return dict(node.items) if isinstance(node.items, Mapping) else {}


def _with(node: Traced, key: str, change: Any) -> Traced:
    child = node.get(key)
    return as_map({**_items(node), key: change(child)}, node.origin) if child is not None else node
