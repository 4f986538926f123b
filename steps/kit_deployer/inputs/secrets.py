# SPDX-License-Identifier: MIT
"""The secret values that manifests hold, so that no output shows them: not a log line of a container that prints its
password, not a server's refusal that quotes it. Pure.
"""

import base64
import binascii
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from kit_core.credentials import credentials_in
from kit_deployer.inputs.reading import Inputs
from kit_deployer.objects import SECRET, Manifest, at_pointer

_SHORTEST: Final = 8
"""Characters below which a value is left alone: `admin` or `8080` in a Secret must not shred every text."""

_DENSE: Final = re.compile(r"[A-Za-z0-9+/=_.-]{32,}")
"""A line of a key, or a token."""


def secret_values(inputs: Iterable[Inputs]) -> Iterator[str]:
    """The values of Secrets and from secret sources in all folders, each once; without those that are also names."""
    inputs = list(inputs)
    seen = set(_names(inputs))
    for one in inputs:
        for manifest in one.manifests:
            for value in _values(manifest, one.secrets_of(manifest)):
                for part in _parts(value):
                    if len(part) >= _SHORTEST and part not in seen:
                        seen.add(part)
                        yield part


def _values(manifest: Manifest, pointers: Collection[str]) -> Iterator[str]:
    body = manifest.body
    for pointer in pointers:
        value = at_pointer(body, pointer)
        if isinstance(value, str):
            yield value
    if manifest.group_kind != SECRET:
        return
    yield from _texts(body.get("stringData"))
    for value in _texts(body.get("data")):
        yield value
        try:
            yield base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue


def _parts(value: str) -> Iterator[str]:
    """The value; of a whole file only what is secret in it: its other lines may stand anywhere."""
    text = value.strip()
    if "\n" not in text:
        yield text
        return
    for start, end in credentials_in(text):
        yield from text[start:end].split()
    yield from (line for line in map(str.strip, text.splitlines()) if _DENSE.fullmatch(line))


def _texts(data: Any) -> Iterator[str]:
    return (value for value in (data.values() if isinstance(data, dict) else ()) if isinstance(value, str))


def _names(inputs: Iterable[Inputs]) -> Iterator[str]:
    """What every report is full of: nobody could read it without."""
    for one in inputs:
        yield from (one.target.name, one.target.namespace, one.target.server, one.commit or "")
        for manifest in (*one.manifests, *one.namespaces):
            yield from (manifest.name, str(manifest.body.get("kind")))
            yield str(manifest.body["metadata"].get("namespace"))
