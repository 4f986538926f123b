# SPDX-License-Identifier: MIT
"""What of a repository nobody uses, or could be written once. Nothing here is wrong: what is, a render tells.

Each check would rather say nothing than something untrue: a file that a source of values might ask for, or a setting
that a template might reach in a way that cannot be read off it, is no finding.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kit_core.errors import KitError
from kit_core.files import read_text
from kit_deploymentizer.inputs.layout import bounds, read_kit
from kit_deploymentizer.inputs.reading import Reader, YamlFile, is_there, listed
from kit_deploymentizer.inputs.repository import Cluster, Repository
from kit_deploymentizer.lint.finding import Finding, Places
from kit_deploymentizer.lint.named import Named, may_be_set, named_in
from kit_deploymentizer.lint.repeats import Repeat, repeats
from kit_deploymentizer.rendering.javascript import text_of, truthy
from kit_deploymentizer.rendering.mustache import Mustache
from kit_deploymentizer.rendering.mustache_scan import MustacheError
from kit_deploymentizer.rendering.remarks import Unset
from kit_deploymentizer.rendering.templates import service_templates
from kit_deploymentizer.rendering.view import Sight

KINDS: Final[Mapping[str, str]] = {
    "cluster-without-type": "a cluster.yaml without metadata.type; a render refuses it",
    "unused-image": "image files that no resource of any cluster takes",
    "unused-type": "a type's file that no cluster takes",
    "unread-setting": "a setting that no template reads",
    "unset-value": "a value that a Mustache template prints and that nothing sets, in no cluster",
    "equal-override": "a value of the base that every override repeats",
    "same-override": "a value of the base that every cluster overrides with one and the same",
    "disabled-everywhere": "a resource that is disabled in every cluster",
}
"""What is looked for, in this order."""

_OWN: Final = frozenset({"kind", "metadata", "apiVersion"})
_TEMPLATES: Final = (".mustache", ".j2", ".jinja2")


def clusters_without_type(conf: Path, workdir: Path | None, cwd: Path, secrets: Collection[Path] = ()) -> list[Finding]:
    """Of clusters whose definition can be read. `secrets`: see `bounds`.

    Raises `InputError` where kit.yaml or one of them cannot.
    """
    kit, paths = read_kit(conf, workdir, cwd, secrets=secrets)
    reader, places, found = Reader(paths.root, boundary=bounds(kit, paths, secrets)), Places(), []
    what = "A cluster's definition"
    folders = listed(paths.clusters, what=what) if is_there(paths.clusters, what=what) else []
    for path in (folder / "cluster.yaml" for folder in folders):
        if path.parent.is_dir() and is_there(path, what=what):
            file = reader.yaml(path, what=what)
            metadata = file.value.get("metadata") if isinstance(file.value, dict) else None
            if isinstance(metadata, dict) and metadata.get("type") is None:
                name = text_of(metadata.get("name"))
                text = f"cluster {name} has no type: set metadata.type to one of the types"
                found.append(places.finding("cluster-without-type", text, [(file, ("metadata",))]))
    return found


class Linter:
    """Looks through a whole repository: all its clusters, as they are without any secret (`Sight.placeholders`)."""

    def __init__(self, repository: Repository, sight: Sight) -> None:
        self._repository = repository
        self._sight = sight
        self._places = Places()
        self._clusters = repository.clusters
        self._parsed: dict[str, Mustache | None] = {}

    def findings(self) -> tuple[Finding, ...]:
        """Everything, in the order of `KINDS`, then of files and lines."""
        if not self._clusters:
            return ()
        found = [
            *self._unused_images(),
            *self._unused_types(),
            *self._unread_settings(),
            *self._unset_values(),
            *self._repeats(),
            *self._disabled_everywhere(),
        ]
        order = list(KINDS)
        disabled = {(one.file, one.line) for one in found if one.kind == "disabled-everywhere"}
        found = [one for one in found if one.kind != "equal-override" or (one.file, one.line) not in disabled]
        return tuple(sorted(found, key=lambda one: (order.index(one.kind), one.file, one.line, one.text)))

    def _unused_images(self) -> Iterator[Finding]:
        """By image tag: a tag that no resource names, or files of branches that no cluster takes."""
        folder = self._repository.paths.images
        taken = {(tag, branch) for cluster in self._clusters for tag, branch in _images_of(cluster)}
        tags = {tag for tag, _ in taken}
        files = {f"{tag}/{branch}.yaml" for tag, branch in taken}
        nobody: dict[str, list[str]] = {}
        branches: dict[str, list[str]] = {}
        for path in sorted(folder.rglob("*.yaml")) if folder.is_dir() else ():
            name = path.relative_to(folder).as_posix()
            tag = max((tag for tag in tags if name.startswith(f"{tag}/")), key=len, default=None)
            if tag is None:
                nobody.setdefault(path.parent.relative_to(folder).as_posix(), []).append(name)
            elif name not in files and self._sight.source is None:  # a source may name another branch
                branches.setdefault(tag, []).append(name)
        for tag, names in nobody.items():
            yield self._image(names, f"no resource has the image_tag {tag}")
        for tag, names in branches.items():
            told = ", ".join(name.removeprefix(f"{tag}/").removesuffix(".yaml") for name in names)
            yield self._image(names, f"no cluster takes {tag} of {told}")

    def _image(self, names: Sequence[str], text: str) -> Finding:
        file = self._repository.reader.shown(self._repository.paths.images / names[0])
        return Finding("unused-image", text, file, 1)

    def _unused_types(self) -> Iterator[Finding]:
        folder, used = self._repository.paths.types, {cluster.type for cluster in self._clusters}
        for path in listed(folder, what="The folder of types") if folder.is_dir() else ():
            if path.name.endswith("-var.yaml"):
                file = self._repository.reader.yaml(path, what="A type's settings")
                name = text_of(file.value["metadata"]["type"])
                if name not in used:
                    text = f"no cluster is of type {name}"
                    yield self._places.finding("unused-type", text, [(file, ("metadata", "type"))])

    def _unread_settings(self) -> Iterator[Finding]:
        named = named_in(self._template_texts())
        if named.everything:
            return
        files: dict[str, YamlFile] = {}
        for cluster in self._clusters:
            # The base first: where a setting is explained.
            files |= {file.shown: file for file in reversed(cluster.settings_layers.files)}
        values = [(file, file.value) for file in files.values() if isinstance(file.value, dict)]
        values = [(file, {key: item for key, item in value.items() if key not in _OWN}) for file, value in values]
        for path in _unread(named, [value for _, value in values]):
            places = [(file, path) for file, _ in values if file.has(*path)]
            if not any(_has_anchor(file, self._places.of(file, *path).line) for file, _ in places):
                yield self._places.finding("unread-setting", f"no template reads the setting {'.'.join(path)}", places)

    def _template_texts(self) -> Iterator[tuple[str, str]]:
        """Every template: those of the resources folder, used or not, and what resources name beside it."""
        folder = self._repository.paths.resources
        paths = {path for path in folder.rglob("*") if path.is_file()} if folder.is_dir() else set()
        named = {text_of(resource["file"]) for _, resource in self._resources() if truthy(resource.get("file"))}
        paths |= {folder / file for file in named}
        for path in sorted(paths):
            if path.name.endswith(_TEMPLATES) and path.is_file():
                self._repository.reader.boundary.check(path)
                yield path.name, read_text(path, what="A template")

    def _resources(self) -> Iterator[tuple[Cluster, Mapping[str, Any]]]:
        for cluster in self._clusters:
            yield from ((cluster, one) for one in cluster.resources.values() if isinstance(one, dict))

    def _unset_values(self) -> Iterator[Finding]:
        """What templates printed as nothing, unless the name is set in another view of the same template.

        Which names nothing sets is asked first, and a template is done when there are none left: few have to be
        rendered with every view.
        """
        folder, shown = self._repository.paths.resources, self._repository.reader.shown
        if self._sight.source is not None:  # it may set anything
            return
        unset: dict[str, frozenset[str]] = {}
        for file, template, values in self._views(lambda file: file not in unset or bool(unset[file])):
            names = unset.get(file, template.names)
            unset[file] = frozenset(name for name in names if not may_be_set(name, values))
        missing: dict[str, set[tuple[int, str]]] = {}
        for file, template, values in self._views(lambda file: bool(unset.get(file))):
            printed = [one for one in template.render(values)[1] if isinstance(one, Unset)]
            missing.setdefault(file, set()).update((one.line, one.name) for one in printed if one.name in unset[file])
        for file, places in missing.items():
            for line, name in places:
                yield Finding("unset-value", f"nothing sets {name}, in no cluster", shown(folder / file), line)

    def _views(self, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Mustache, Mapping[str, Any]]]:
        """Every Mustache template with every view that it is rendered with, as long as it is wanted."""
        folder = self._repository.paths.resources
        services = service_templates(folder)
        for cluster in self._clusters:
            for name, resource in cluster.resources.items():
                if cluster.disabled or not isinstance(resource, dict) or resource.get("disable") is True:
                    continue
                files = [file for file in _files_of(resource, services) if wanted(file)]
                templates = [(file, template) for file in files if (template := self._template(file))]
                values = self._view(cluster, name, resource) if templates else None
                if values is not None:
                    yield from ((file, template, values) for file, template in templates)

    def _template(self, file: str) -> Mustache | None:
        if file not in self._parsed:
            path = self._repository.paths.resources / file
            self._repository.reader.boundary.check(path)
            self._parsed[file] = _mustache(path)
        return self._parsed[file]

    def _view(self, cluster: Cluster, name: str, resource: Mapping[str, Any]) -> Mapping[str, Any] | None:
        try:
            return self._sight.view(cluster, name, resource).values
        except KitError:  # a render tells
            return None

    def _repeats(self) -> Iterator[Finding]:
        settings = repeats([cluster.settings_layers for cluster in self._clusters], skip=_OWN)
        resources = repeats([cluster.layers for cluster in self._clusters], below=("resources",))
        for what, one in (*(("setting", one) for one in settings), *(("resource value", one) for one in resources)):
            yield self._repeat(what, one)

    def _repeat(self, what: str, one: Repeat) -> Finding:
        places = [(leaf.file, leaf.keys) for leaf in (one.base, *one.overrides)]
        if one.equal:
            text = f"{what} {one.name} is overridden with the value that it has here"
            return self._places.finding("equal-override", text, places)
        text = f"{what} {one.name} is overridden in every cluster with the same value, which could stand here"
        return self._places.finding("same-override", text, places)

    def _disabled_everywhere(self) -> Iterator[Finding]:
        rendered = [cluster for cluster in self._clusters if not cluster.disabled]
        for name in sorted({name for cluster in rendered for name in cluster.resources}):
            those = [cluster for cluster in rendered if name in cluster.resources]
            flags = [cluster.resources[name] for cluster in those]
            if all(isinstance(flag, dict) and flag.get("disable") is True for flag in flags):
                keys = ("resources", name, "disable")
                setters = {file.shown: file for cluster in those for file in cluster.layers.files if file.has(*keys)}
                places = [(file, keys) for _, file in sorted(setters.items())]
                text = f"resource {name} is disabled in every cluster that has it"
                yield self._places.finding("disabled-everywhere", text, places)


def _images_of(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """Tag and branch of all that its resources name, disabled ones too: they may come back."""
    for resource in cluster.resources.values():
        if not isinstance(resource, dict):
            continue
        containers = resource.get("containers")
        several = containers.values() if truthy(containers) and isinstance(containers, dict) else [resource]
        for container in several:
            if isinstance(container, dict) and truthy(container.get("image_tag")):
                branch = container.get("branch") or resource.get("branch") or cluster.branch
                yield text_of(container["image_tag"]), text_of(branch)


def _files_of(resource: Mapping[str, Any], services: Sequence[str]) -> Iterator[str]:
    if truthy(resource.get("file")):
        yield text_of(resource["file"])
    if truthy(resource.get("svc")):
        yield from services[:1]


def _mustache(path: Path) -> Mustache | None:
    """The template, None where it is none of Mustache's or cannot be parsed."""
    try:
        return Mustache(read_text(path, what="A template")) if path.name.endswith(".mustache") else None
    except (KitError, MustacheError):
        return None


def _unread(named: Named, values: Iterable[Any]) -> Iterator[tuple[str, ...]]:
    """Paths of what no template mentions, whole maps where nothing in them is.

    Below a key that only Mustache templates mention, a key that none mentions is never printed; where a Jinja2 template
    mentions the key, it may hand the whole map on. A map of whose keys none is mentioned may be asked for as such.
    """
    maps = [value for value in values if isinstance(value, dict)]
    keys = list(dict.fromkeys(key for value in maps for key in value))
    for key in keys:
        if not named.by_mustache(key) and not named.by_jinja(key):
            yield (key,)
        elif not named.by_jinja(key):
            below = [value[key] for value in maps if key in value]
            if all(isinstance(value, dict) for value in below):
                inner = list(dict.fromkeys(name for value in below for name in value))
                if any(map(named.by_mustache, inner)):
                    yield from ((key, *path) for path in _unread(named, below))


def _has_anchor(file: YamlFile, line: int) -> bool:
    """Whether the entry at this line holds an anchor, so that something else may take it by its alias."""
    lines = read_text(file.path, what=file.shown).splitlines()[line - 1 :]
    indent = len(lines[0]) - len(lines[0].lstrip())
    block = [lines[0]]
    for text in lines[1:]:
        if text.strip() and len(text) - len(text.lstrip()) <= indent and not text.lstrip().startswith("-"):
            break
        block.append(text)
    return "&" in "\n".join(block)
