# SPDX-License-Identifier: MIT
"""Which image a container runs (rule 6). Pure: how an image file is read is handed in."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from kit_core.errors import InputError
from kit_deploymentizer.rendering.javascript import text_of

_BUILD: Final = re.compile(r":.+-([0-9a-f]+)$", re.IGNORECASE)
_SHORTEST_COMMIT: Final = 7


@dataclass(frozen=True)
class Image:
    """An image reference and the file that says it."""

    reference: str
    file: str


@dataclass(frozen=True)
class Images:
    """The images folder. `read` gives a file's name as shown and its content (None: there is no such file); `branches`
    lists what an image tag has, files that end in `.yml` with their ending."""

    read: Callable[[str], tuple[str, Any] | None]
    branches: Callable[[str], Iterable[str]]
    property: str = "image"

    def find(self, image_tag: str, branch: str) -> Image:
        """The image of `images/<image_tag>/<branch>.yaml`. Raises `InputError` naming both."""
        found = self.read(f"{image_tag}/{branch}.yaml") if _inside(image_tag) and _inside(branch) else None
        if found is None:
            others = sorted(self.branches(image_tag)) if _inside(image_tag) else []
            raise InputError(
                f"image_tag {image_tag} has no image of branch {branch}",
                why=f"there is no file {image_tag}/{branch}.yaml in the images folder",
                hint=_hint(image_tag, branch, others),
            )
        file, content = found
        reference = content.get(self.property) if isinstance(content, dict) else None
        if reference is None:
            raise InputError(
                f"image_tag {image_tag} has no image of branch {branch}",
                why=f"{file} has no property {self.property}",
                hint=f"Write `{self.property}: REGISTRY/REPOSITORY:TAG` into it.",
                file=file,
            )
        return Image(text_of(reference), file)


def _inside(name: str) -> bool:
    return bool(name) and ".." not in name.split("/") and not name.startswith("/") and "\0" not in name


def _hint(image_tag: str, branch: str, branches: list[str]) -> str:
    if f"{branch}.yml" in branches:
        return f"There is {image_tag}/{branch}.yml: rename it, only .yaml is read."
    if branches:
        return f"It has {', '.join(branches)}: set `branch` to one of these, or build that branch once."
    return f"Build {image_tag} once (kit-image-deployer writes the file), or correct `image_tag`."


def check_commit(images: Iterable[str], commit: str, resource: str) -> None:
    """With a commit to be deployed: one of the resource's images that name their commit must name this one.

    Images that end otherwise than in `-<hex>` say nothing, and none at all is fine. A tag may hold a short commit of
    seven digits or more. Raises `InputError`.
    """
    built = [found[1].lower() for image in images if (found := _BUILD.search(image))]
    wanted = commit.lower()
    if built and not any(_same(one, wanted) for one in built):
        raise InputError(
            f"resource {resource} is not built from commit {commit}",
            why=f"its images name {', '.join(sorted(set(built)))}",
            hint="Let kit-image-deployer commit that build's image first, or correct KIT_COMMIT_ID.",
        )


def _same(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return one == other or (len(shorter) >= _SHORTEST_COMMIT and longer.startswith(shorter))
