# SPDX-License-Identifier: MIT
"""The objects that are applied: ConfigMaps, a file each, as kit-deploymentizer writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_TEXT = "x" * 100


def name_of(number: int) -> str:
    """An object's name."""
    return f"settings-{number:04}"


def body(number: int, version: int) -> dict[str, Any]:
    """One object; another `version` is a change of each."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name_of(number), "labels": {"app": "bench"}},
        "data": {"number": str(number), "version": str(version), "text": _TEXT},
    }


def write(folder: Path, count: int, version: int) -> Path:
    """Write them as YAML into `folder`, which is made; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        found = body(number, version)
        data = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in found["data"].items())
        (folder / f"{name_of(number)}.yaml").write_text(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n"
            f"  name: {name_of(number)}\n  labels:\n    app: bench\ndata:\n{data}"
        )
    return folder
