# SPDX-License-Identifier: MIT
"""A new service or cluster in a repository that is there; kit.yaml says where everything goes."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from kit_core.errors import InputError
from kit_core.files import read_text
from kit_core.names import nearest
from kit_deploymentizer.inputs.layout import BASE_CLUSTER
from kit_deploymentizer.inputs.reading import YamlFile, is_there, listed
from kit_deploymentizer.inputs.repository import Repository
from kit_deploymentizer.rendering.javascript import text_of, truthy
from kit_deploymentizer.rendering.templates import output_name, service_templates
from kit_deploymentizer.scaffold import texts
from kit_deploymentizer.scaffold.insert import with_resource
from kit_deploymentizer.scaffold.writing import Work, refuse_what_is_there

_LABEL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_PART: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE: Final = re.compile(
    rf"(?:(?:localhost|[A-Za-z0-9.-]+\.[A-Za-z0-9.-]+|[A-Za-z0-9.-]+(?=:[0-9]))(?::[0-9]+)?/)?(?P<path>{_PART}(?:/{_PART})*)"
    r"(?::\w[\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})",
    re.ASCII,
)
_BRANCH: Final = "main"


def new_service(repository: Repository, name: str, image: str | None) -> Work:
    """A Deployment and a Service `name`, in every cluster. Raises `InputError` for a name that cannot be one or is
    taken, and for what is no image."""
    _check_name(name, "service", letter_first=True)
    reference = image or f"registry.example.com/{name}:none"
    found = _IMAGE.fullmatch(reference)
    if found is None:
        raise InputError(f"{image} is no image with a tag", hint="Write --image REGISTRY/PATH:TAG.")
    paths, tag = repository.paths, found["path"]
    _refuse_taken(repository, name)
    made = {paths.resources / name / f"{name}-deployment.yaml.j2": texts.deployment(name)}
    refuse_what_is_there(made)
    if not service_templates(paths.resources):
        made[paths.resources / "base-svc.yaml.j2"] = texts.SERVICE_TEMPLATE
    images = [paths.images / tag / f"{branch}.yaml" for branch in _branches(repository)]
    new = [path for path in images if not is_there(path, what="An image file")]
    made |= dict.fromkeys(new, texts.image(paths.image_property, reference))
    base = paths.base / BASE_CLUSTER
    entry = texts.resource(name, tag)
    changed = with_resource(read_text(base, what="The base of all clusters"), entry)
    if changed is None:
        raise InputError(
            f"{repository.reader.shown(base)} cannot be added to line by line",
            why="its `resources` are not written one below the other",
            hint=f"Nothing was written. Put this below `resources` by hand:\n{entry}",
        )
    notes = [f"look at it: kit-deploymentizer explain CLUSTER {name}"]
    shown = ", ".join(map(repository.reader.shown, new))
    if new and not image:
        notes.insert(0, f"write its image into {shown}, or let the service's pipeline do it (kit-image-deployer)")
    if image and not new:
        notes.insert(0, f"--image was not needed: {', '.join(map(repository.reader.shown, images))} is there already")
    return Work(made, {base: changed}, tuple(notes))


def new_cluster(repository: Repository, name: str, kind: str | None) -> Work:
    """A cluster folder `name` of type `kind` (the only one there is, where none is said). Raises `InputError` for a
    name that cannot be one or is taken."""
    _check_name(name, "cluster")
    if name in repository.names:
        raise InputError(f"there is already a cluster {name}", hint="Choose another name. Nothing was written.")
    types = {text_of(file.value["metadata"]["type"]): file for file in _types(repository)}
    kind = kind or (next(iter(types)) if len(types) == 1 else None)
    if kind is None:
        told = f"there are {', '.join(sorted(types))}" if types else "there is none yet"
        raise InputError(f"cluster {name} needs a type", why=told, hint="Say which: --type TYPE.")
    paths = repository.paths
    made, notes = {}, ["render it: kit-deploymentizer", "kit-deployer needs a kubeconfig for it: see its README"]
    if kind not in types:
        _check_name(kind, "type")
        meant = nearest(kind, sorted(types))
        if meant:
            raise InputError(f"there is no type {kind}", hint=f"Is {meant} meant? Nothing was written.")
        made[paths.types / f"{kind}-var.yaml"] = texts.settings_of_type(kind)
        notes.insert(0, f"type {kind} is new: its settings go into its file")
    base = repository.reader.yaml(paths.base / BASE_CLUSTER, what="The base of all clusters").value
    metadata = base.get("metadata")
    branch = None if isinstance(metadata, dict) and truthy(metadata.get("branch")) else _branches(repository)[0]
    return Work({**made, paths.clusters / name / "cluster.yaml": texts.cluster(name, kind, branch)}, notes=tuple(notes))


def _check_name(name: str, what: str, *, letter_first: bool = False) -> None:
    """A DNS label (RFC 1123), since it becomes the name of objects; a Service's begins with a letter (RFC 1035)."""
    if not _LABEL.fullmatch(name) or (letter_first and not name[0].isalpha()):
        begin = "it begins with a letter" if letter_first else "it begins with a letter or a digit"
        raise InputError(
            f"{name!r} cannot be the name of a {what}",
            why=f"a name has at most 63 characters, small letters, digits and `-`; {begin}, and ends with no `-`",
            hint="Choose another name. Nothing was written.",
        )


def _refuse_taken(repository: Repository, name: str) -> None:
    """Neither the resource's name nor the names of its files may be another's. Raises `InputError`."""
    files = {f"{name}.yaml", f"{name}-deployment.yaml"}
    for owner, resource in _resources(repository):
        if owner == name:
            raise InputError(f"there is already a resource {name}", hint="Choose another name. Nothing was written.")
        taken = files & set(_outputs(resource))
        if taken:
            raise InputError(
                f"resource {owner} writes {taken.pop()} already", hint="Choose another name. Nothing was written."
            )


def _resources(repository: Repository) -> Iterator[tuple[str, Any]]:
    base = repository.reader.yaml(repository.paths.base / BASE_CLUSTER, what="The base of all clusters").value
    for resources in (base.get("resources"), *(cluster.resources for cluster in repository.clusters)):
        yield from resources.items() if isinstance(resources, Mapping) else ()


def _outputs(resource: Any) -> Iterator[str]:
    if not isinstance(resource, dict):
        return
    svc = resource.get("svc")
    if isinstance(svc, dict):
        yield f"{text_of(svc.get('name'))}.yaml"
    if truthy(resource.get("file")):
        try:
            yield output_name(text_of(resource["file"]))
        except InputError:  # a render tells
            return


def _types(repository: Repository) -> Iterator[YamlFile]:
    folder: Path = repository.paths.types
    for path in listed(folder, what="The folder of types") if folder.is_dir() else ():
        if path.name.endswith("-var.yaml"):
            yield repository.reader.yaml(path, what="A type's settings")


def _branches(repository: Repository) -> list[str]:
    """The branches whose images clusters take, the one that most of them take first."""
    count = Counter(cluster.branch for cluster in repository.clusters if _is_plain(cluster.branch))
    base = repository.reader.yaml(repository.paths.base / BASE_CLUSTER, what="The base of all clusters").value
    metadata = base.get("metadata")
    own = text_of(metadata.get("branch")) if isinstance(metadata, dict) and truthy(metadata.get("branch")) else ""
    return [branch for branch, _ in count.most_common()] or [own if _is_plain(own) else _BRANCH]


def _is_plain(branch: str) -> bool:
    return bool(branch) and branch.isprintable() and not {"", ".", ".."} & set(branch.split("/"))
