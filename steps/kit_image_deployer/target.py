# SPDX-License-Identifier: MIT
"""Which file of the deployments repository holds the image, and under which key."""

import re
from dataclasses import dataclass
from typing import Any, Final

from kit_core.errors import InputError

KIT_FILE: Final = "kit.yaml"
_NO_BRANCH: Final = re.compile(r"[\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]|\.\.|@\{|//|^[/-]|/$|\.lock$|\.$")
_FORBIDDEN: Final = frozenset({"", ".", ".."})


@dataclass(frozen=True)
class ImagesRule:
    """What kit.yaml says about images: the folder (its parts, from the repository's root) and the property."""

    folder: tuple[str, ...]
    key: str


def images_rule(settings: object, *, name: str = KIT_FILE) -> ImagesRule:
    """Read `images.path` and `images.property` from the parsed kit.yaml. Raises `InputError` naming file and key.

    As in the original, the path is taken from the repository's root whether or not it begins with `/` or `./`.
    """
    hint = f"It should hold `images:` with `path: images` and `property: image`; correct {name} and run again."
    if not isinstance(settings, dict):
        raise InputError(f"{name} is no mapping", hint=hint, file=name)
    images: Any = settings.get("images")
    if not isinstance(images, dict):
        raise InputError(f"{name} has no mapping `images`", hint=hint, file=name)
    for key in ("path", "property"):
        if not isinstance(images.get(key), str) or not images[key].strip():
            raise InputError(f"{name} has no text at `images.{key}`", hint=hint, file=name)
    parts = [part for part in images["path"].strip().split("/") if part not in {"", "."}]
    _check_parts(parts, f"images.path of {name}", images["path"], name)
    return ImagesRule(folder=tuple(parts), key=images["property"].strip())


def image_file(rule: ImagesRule, repository: str, branch: str) -> str:
    """`<images.path>/<DOCKER_REPO>/<CI_BRANCH>.yaml`; slashes in repository or branch make folders.

    Raises `InputError` for names that would lead out of the images' folder or that git refuses in a path.
    """
    parts = list(rule.folder)
    for setting, value in (("DOCKER_REPO", repository), ("CI_BRANCH", branch)):
        own = value.split("/")
        _check_parts(own, setting, value, None)
        parts += own
    return "/".join(parts) + ".yaml"


def check_names(repository: str, branch: str) -> None:
    """Raise `InputError` where one of the two cannot be part of a path, before anything is fetched."""
    image_file(ImagesRule((), ""), repository, branch)


def check_branch(name: str) -> None:
    """Raise `InputError` where `name` can be no branch (git-check-ref-format(1))."""
    if not name or _NO_BRANCH.search(name):
        raise InputError(f"KIT_GIT_BRANCH={name!r} can be no branch's name", hint="Give it as `git branch` lists it.")


def _check_parts(parts: list[str], setting: str, value: str, file: str | None) -> None:
    reason = None
    if any(part in _FORBIDDEN for part in parts):
        reason = "it has an empty part, `.` or `..`" if not value.startswith("/") else "it is an absolute path"
    elif any(ord(char) < 32 or ord(char) == 127 or char == "\\" for char in value):
        reason = "it has a backslash or a control character"
    elif any("\ud800" <= char <= "\udfff" for char in value):
        reason = "it is not UTF-8"
    elif any(part.lower() in {".git", "git~1"} for part in parts):
        reason = "git keeps `.git` to itself"
    if reason:
        raise InputError(
            f"{setting}={value!r} cannot be part of a path in the deployments repository",
            why=reason,
            hint="Give a relative name such as team/app.",
            file=file,
        )
