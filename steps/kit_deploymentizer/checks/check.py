# SPDX-License-Identifier: MIT
"""Is what came out something that a cluster can take? Pure: from text to objects and findings with their lines."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kit_core.yamlio import Document, YamlError, load_documents
from kit_deploymentizer.checks.manifest import Identity, identity, missing
from kit_deploymentizer.checks.refusals import refusals
from kit_deploymentizer.inputs.secret_values import SecretValue
from kit_deploymentizer.rendering.javascript import text_of
from kit_deploymentizer.rendering.mustache import escape

if TYPE_CHECKING:
    from kit_deploymentizer.checks.openapi import OpenApi

_TELLING: Final = 6
"""A secret of fewer characters is looked for only where its variable stands: `7` is in every manifest."""


@dataclass(frozen=True)
class Finding:
    """Something wrong at a line of a rendered file; `grave` if no cluster would take it, `asked` if it was looked for
    only because somebody wants to know (KIT_OPENAPI)."""

    line: int
    text: str
    grave: bool
    asked: bool = False


@dataclass(frozen=True)
class Rendered:
    """A rendered file, read: its objects as plain values, and what is wrong with it. `unknown` are the kinds that the
    OpenAPI document does not know."""

    objects: tuple[Mapping[str, Any], ...]
    identities: tuple[tuple[Identity, int], ...]
    findings: tuple[Finding, ...]
    unknown: tuple[str, ...] = ()


def read_rendered(text: str, api: "OpenApi | None" = None) -> Rendered:
    """Read a file as Kubernetes' own tools would. A file without any document is fine; it says nothing.

    With `api`, each object is also held against its kind there.
    """
    try:
        documents = load_documents(text, name="")
    except YamlError as error:
        return Rendered((), (), (Finding(error.line or 1, f"malformed YAML: {error.why}", True),))
    objects, identities, findings = [], [], []
    unknown: dict[str, None] = {}
    for document in documents:
        findings += [Finding(place.line, "a key stands twice in one map; the last one counts", False)
                     for place in document.duplicates]  # fmt: skip
        for value, path in _items(document):
            line = document.position(*path).line if path else document.start.line
            lack = missing(value)
            if lack:
                findings.append(Finding(line, f"this is no Kubernetes object: {lack[1]}", True))
                continue
            objects.append(value)
            identities.append((identity(value), line))
            wrong = api.findings(value) if api else []
            findings += [Finding(document.key_position(*path, *below).line, text, False, asked=True)
                         for below, text in wrong]  # fmt: skip
            findings += [Finding(document.key_position(*path, *below).line, text, False)
                         for below, text in (api.lacks(value) if api else ())]  # fmt: skip
            told = {below for below, _ in wrong}
            findings += [Finding(document.key_position(*path, *below).line, text, False)
                         for below, text in refusals(value) if below not in told]  # fmt: skip
            if api and not api.knows(value):
                unknown[f"{value['apiVersion']} {value['kind']}"] = None
    return Rendered(tuple(objects), tuple(identities), tuple(findings), tuple(unknown))


def _items(document: Document) -> Iterator[tuple[Any, tuple[str | int, ...]]]:
    """The document's object, or those of a List, with their paths in the document."""
    value = document.value
    items = value.get("items") if isinstance(value, dict) and value.get("kind") == "List" else None
    if isinstance(items, list):
        yield from ((item, ("items", index)) for index, item in enumerate(items))
    else:
        yield value, ()


def secret_pointers(objects: Iterable[Mapping[str, Any]], secrets: Iterable[SecretValue]) -> list[str]:
    """JSON pointers of the scalars that hold a secret value, as it is or encoded (`_forms`); sorted."""
    wanted = tuple(secrets)
    texts = {secret.text for secret in wanted if len(secret.text) >= _TELLING}
    forms = {form for text in texts for form in _forms(text)}
    short = {(secret.name, secret.text) for secret in wanted if len(secret.text) < _TELLING}
    found: set[str] = set()
    for value in objects:
        _search(value, "", None, forms, short, found)
    return sorted(found)


def _forms(text: str) -> Iterator[str]:
    """How a secret may stand in a manifest: as it is, or as templates write it for HTML, JSON and `data` of Secrets."""
    plain = text.strip() or text  # a block scalar has its own last line end
    yield from (plain, escape(plain), json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1])
    for whole in (text, plain, plain + "\n"):
        yield base64.b64encode(whole.encode("utf-8", "replace")).decode()


def _search(value: Any, pointer: str, name: Any, forms: set[str], short: set[tuple[str, str]], found: set[str]) -> None:
    """`name` is the variable's that the value belongs to: its own key, or the `name` beside it."""
    if isinstance(value, dict):
        beside = value.get("name")
        for key, item in value.items():
            owner = beside if key == "value" else key
            _search(item, f"{pointer}/{_escaped(key)}", owner, forms, short, found)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _search(item, f"{pointer}/{index}", name, forms, short, found)
    elif value is not None:
        text = text_of(value)
        if (name, text) in short or any(form in text for form in forms):
            found.add(pointer)


def _escaped(key: Any) -> str:
    """RFC 6901."""
    return str(key).replace("~", "~0").replace("/", "~1")
