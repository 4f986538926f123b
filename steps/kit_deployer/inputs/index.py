# SPDX-License-Identifier: MIT
"""The render's index: what kit-deploymentizer says about the manifests it wrote.

`<manifests>/.kit/<cluster>.json` is written last, so a render that was cut off says so. Manifests written by hand have
no index, and need none.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit_core.errors import InputError
from kit_deployer.objects import Json

FOLDER = ".kit"


@dataclass(frozen=True)
class Index:
    """`commit` is what the render was made from; `secrets` the JSON pointers below each file that hold secrets.

    `left_out` are the resources that did not render where the cluster allows that. `partial` says that the folder need
    not hold everything: what is missing must not be taken for removed.
    """

    commit: str | None = None
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    partial: bool = False


def read_index(manifests_dir: Path, cluster: str, *, resource: str | None = None) -> Index | None:
    """The index of one cluster's render, or None where there is none.

    `resource` is the run's RESOURCE: a render that was limited to one resource serves a deploy of that resource only.
    Raises `InputError` when it cannot be read, or says that the render was cut off, is limited to something else, or
    was made with placeholders.
    """
    path = manifests_dir / FOLDER / f"{cluster}.json"
    try:
        parsed: Any = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _refused(path, cluster, f"its index cannot be read ({error})") from error
    content: Json = parsed if isinstance(parsed, dict) else {}
    if content.get("version") != 1:
        raise _refused(path, cluster, "its index is of a version that this deployer does not know")
    left_out = tuple(content.get("left_out") or ())
    partial = content.get("complete") is not True
    if partial:
        limited_to = content.get("limited_to")
        if limited_to and limited_to != resource:
            raise _refused(
                path, cluster, f"only the resource {limited_to} was rendered (set RESOURCE={limited_to} here too)"
            )
        if not limited_to and not left_out:
            raise _refused(path, cluster, "the render was not completed")
    if content.get("placeholders"):
        raise _refused(path, cluster, "it was rendered with placeholders in place of secrets, for checking only")
    secrets = {file: tuple(pointers) for file, pointers in (content.get("secrets") or {}).items()}
    return Index(commit=content.get("commit"), secrets=secrets, left_out=left_out, partial=partial)


def _refused(path: Path, cluster: str, why: str) -> InputError:
    return InputError(
        "The rendered manifests cannot be deployed",
        where=cluster,
        why=why,
        hint=f"Render them again with kit-deploymentizer ({path}). Nothing was touched.",
        file=str(path),
    )
