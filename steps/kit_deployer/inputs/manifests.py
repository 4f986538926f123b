# SPDX-License-Identifier: MIT
"""Files to objects: every manifest of a cluster folder, checked for what needs no cluster to be known."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kit_core.errors import InputError
from kit_core.files import read_text
from kit_deployer.objects import Json, Key, Manifest, Place, group_of

SUFFIXES: Final = (".yaml", ".yml", ".json")

Locate = Callable[..., Place]


@dataclass
class Folder:
    """What a folder holds; `warnings` are places that Kubernetes' tools read without complaint and people misread.

    `files` is how many were read: they may hold no object at all.
    """

    manifests: list[Manifest] = field(default_factory=list)
    warnings: list[tuple[Place, str]] = field(default_factory=list)
    files: int = 0


def load_folder(path: Path) -> Folder:
    """Every object of `path/**` (YAML, JSON, several documents, lists), in the order of file names.

    Raises `InputError` with file, line and column for what cannot be read or is no Kubernetes object.
    """
    folder = Folder()
    for file in manifest_files(path):
        _load_file(file, folder)
        folder.files += 1
    return folder


def manifest_files(folder: Path, above: frozenset[Path] = frozenset()) -> list[Path]:
    """The manifest files below `folder`, sorted; hidden files and folders are left out, links are followed.

    `above` are the folders that lead here: a link to one of them would lead round for ever.
    """
    if not folder.is_dir() or folder.resolve() in above:
        return []
    above |= {folder.resolve()}
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            found += manifest_files(path, above)
        elif path.suffix in SUFFIXES:
            found.append(path)
    return found


def _load_file(path: Path, folder: Folder) -> None:
    text = read_text(path, what="The manifest", hint="Nothing was touched.").removeprefix("\ufeff")
    parse_manifests(text, str(path), folder, is_json=path.suffix == ".json")


def parse_manifests(text: str, name: str, folder: Folder, *, is_json: bool = False) -> None:
    """Add the objects of a text to `folder`; `name` is what errors call the text."""
    documents = _json_documents(text, name) if is_json else _yaml_documents(text, name, folder)
    for value, locate in documents:
        folder.manifests += _objects(value, locate, ())


def _yaml_documents(text: str, name: str, folder: Folder) -> Iterator[tuple[Any, Locate]]:
    from kit_core.yamlio import Document, Position, load_documents

    def place(position: Position) -> Place:
        return Place(name, position.line, position.column)

    def locator(document: Document) -> Locate:
        return lambda *path: place(document.position(*path))

    for document in load_documents(text, name=name):
        folder.warnings += [
            (place(duplicate), "this key stands twice in its mapping, and the last one counts")
            for duplicate in document.duplicates
        ]
        yield document.value, locator(document)


def _json_documents(text: str, name: str) -> Iterator[tuple[Any, Locate]]:
    """JSON values one after another, as Kubernetes' tools read them. Lines are known to the document only."""
    decoder = json.JSONDecoder()
    start = _skip_space(text, 0)
    while start < len(text):
        line = text.count("\n", 0, start) + 1
        try:
            value, end = decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            raise InputError(
                "The manifest is not valid JSON",
                where=f"{name}:{error.lineno}:{error.colno}",
                why=error.msg,
                hint="Nothing was touched.",
                file=name,
                line=error.lineno,
                column=error.colno,
            ) from None
        place = Place(name, line)
        if value is not None:
            yield value, lambda *_path, place=place: place
        start = _skip_space(text, end)


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _objects(value: Any, locate: Locate, path: tuple[str | int, ...]) -> Iterator[Manifest]:
    if not isinstance(value, dict):
        raise wrong_manifest(locate(*path), f"expected an object with apiVersion and kind, found {shown(value)}")
    for word in ("apiVersion", "kind"):
        if not isinstance(value.get(word), str) or not value[word]:
            raise wrong_manifest(locate(*path), f"the object has no {word}")
    items = value.get("items")
    if value["kind"].endswith("List") and isinstance(items, list):
        for index, item in enumerate(items):
            yield from _objects(_typed(item, value), locate, (*path, "items", index))
        return
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or not name:
        why = "has no metadata.name"
        if isinstance(metadata, dict) and metadata.get("generateName"):
            why += " (generateName makes a new object each time and cannot be applied)"
        elif name is not None and name != "":
            why = f"has a metadata.name that is {shown(name)}; quote it"
        raise wrong_manifest(locate(*path), f"the {value['kind']} {why}")
    for called in ("name", "namespace"):
        word = value["metadata"].get(called)
        if isinstance(word, str) and (word in {".", ".."} or any(sign in word for sign in "/%")):
            why = f"metadata.{called} of the {value['kind']} is {word!r}; no {called} has `/` or `%`, or is `.` or `..`"
            raise wrong_manifest(locate(*path, "metadata", called), why)
    yield Manifest(value, locate(*path), lambda *below: locate(*path, *below))


def _typed(item: Any, holder: Json) -> Any:
    """An item of a typed list (`ConfigMapList`) need not repeat what its list says."""
    if isinstance(item, dict) and holder["kind"] != "List" and "kind" not in item:
        return {"apiVersion": holder["apiVersion"], "kind": holder["kind"].removesuffix("List"), **item}
    return item


def refuse_duplicates(manifests: Iterable[Manifest], namespace: str) -> None:
    """Raise `InputError` where two manifests describe one object. `namespace` is the default."""
    seen: dict[Key, Manifest] = {}
    for manifest in manifests:
        metadata = manifest.body["metadata"]
        key = Key(group_of(manifest.body), manifest.body["kind"], metadata.get("namespace") or namespace, manifest.name)
        other = seen.setdefault(key, manifest)
        if other is not manifest:
            raise wrong_manifest(manifest.place, f"{key} is described twice; the other one is at {other.place}")


def wrong_manifest(place: Place, why: str) -> InputError:
    """The error for a manifest that cannot be deployed whatever the cluster says."""
    return InputError(
        "The manifest is wrong",
        where=str(place),
        why=why,
        hint="Nothing was touched.",
        file=place.file,
        line=place.line,
        column=place.column,
    )


def shown(value: Any, *, secret: bool = False) -> str:
    """A wrong value in a message. With `secret` only what kind of value it is: it may be a password without quotes."""
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return "a number" if secret else f"the number {value}"
    return {list: "a list", str: "text", type(None): "nothing", dict: "a mapping"}.get(
        type(value), type(value).__name__
    )
