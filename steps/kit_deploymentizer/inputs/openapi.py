# SPDX-License-Identifier: MIT
"""KIT_OPENAPI: a cluster's own description of its API, read from a file or from a folder of them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kit_core.errors import InputError
from kit_core.files import refused
from kit_deploymentizer.inputs.boundary import EVERYWHERE, Boundary
from kit_deploymentizer.sources.answers import is_too_deep

_DEEPEST: Final = 400
"""Levels of JSON; a definition of a custom resource may have a hundred."""
_HINT: Final = "`kubectl get --raw /openapi/v2 > openapi.json` writes one that has every kind of a cluster."


@dataclass(frozen=True)
class ApiDocument:
    """The schemas of each document by their names, and the digest of all that was read."""

    schemas: tuple[Mapping[str, Any], ...] = field(repr=False)
    digest: str


def read_openapi(path: Path, boundary: Boundary = EVERYWHERE) -> ApiDocument:
    """The document at `path`, or all `*.json` below it.

    A document is what an API server gives as /openapi/v2 or, for each of its groups, below /openapi/v3. Raises
    `InputError` for what is not there, cannot or may not be read, or is something else.
    """
    files = sorted(file for file in path.rglob("*.json") if file.is_file()) if path.is_dir() else [path]
    if not files:
        raise InputError("no OpenAPI document is there", where=str(path), why="the folder holds no *.json", hint=_HINT)
    boundary = boundary.given(path)
    digest = hashlib.blake2b(digest_size=16)
    schemas = []
    for file in files:
        boundary.check(file, where="KIT_OPENAPI")
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            raise InputError(
                "the OpenAPI document is missing", where=str(file), why="KIT_OPENAPI names it", hint=_HINT
            ) from None
        except OSError as error:
            raise refused(error, file, "The OpenAPI document cannot be read", kind=InputError) from None
        digest.update(hashlib.blake2b(content).digest())
        schemas.append(_schemas(content, file))
    return ApiDocument(tuple(schemas), digest.hexdigest())


def _schemas(content: bytes, file: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
        if is_too_deep(document, _DEEPEST):
            raise _no_document(file, "it is nested too deeply")
    except (ValueError, RecursionError) as error:
        why = f"it is no JSON ({error})" if isinstance(error, json.JSONDecodeError) else "it is no JSON"
        raise _no_document(file, why) from None
    if not isinstance(document, dict):
        raise _no_document(file, "it is no map")
    components = document.get("components")
    named = components.get("schemas") if isinstance(components, dict) else document.get("definitions")
    if not isinstance(named, dict):
        # Some groups have paths and no schema: /openapi/v3/version, .well-known.
        if isinstance(document.get("openapi"), str):
            return {}
        raise _no_document(file, "it has neither `definitions` (v2) nor `components.schemas` (v3)")
    return named


def _no_document(file: Path, why: str) -> InputError:
    return InputError("this is no OpenAPI document of Kubernetes", where=str(file), why=why, hint=_HINT)
