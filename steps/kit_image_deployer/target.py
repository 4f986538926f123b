# SPDX-License-Identifier: MIT
"""Which file of the deployments repository holds the image, and under which key."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from kit_core.errors import InputError
from kit_image_deployer.change import ImageUpdate, Promotion

KIT_FILE: Final = "kit.yaml"
_NO_BRANCH: Final = re.compile(r"[\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]|\.\.|@\{|//|^[/-]|/$|\.lock$|\.$")
_NAMES: Final = ("DOCKER_REPO", "CI_BRANCH")
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


def image_file(rule: ImagesRule, repository: str, branch: str, *, settings: tuple[str, str] = _NAMES) -> str:
    """`<images.path>/<DOCKER_REPO>/<CI_BRANCH>.yaml`; slashes in repository or branch make folders.

    Raises `InputError` for names that would lead out of the images' folder or that git refuses in a path.
    """
    parts = list(rule.folder)
    for setting, value in zip(settings, (repository, branch), strict=True):
        own = value.split("/")
        _check_parts(own, setting, value, None)
        parts += own
    return "/".join(parts) + ".yaml"


def check_names(repository: str, branch: str, *, settings: tuple[str, str] = _NAMES) -> None:
    """Raise `InputError` where one of the two cannot be part of a path, before anything is fetched. `settings` are what
    they came from.
    """
    image_file(ImagesRule((), ""), repository, branch, settings=settings)


def check_promotion(promotion: Promotion) -> None:
    """Raise `InputError` where these cannot be names, before anything is fetched."""
    if promotion.from_branch == promotion.to_branch:
        raise InputError(
            f"{promotion.from_branch} cannot be promoted to itself",
            hint="Name two branches, such as: promote staging production.",
        )
    for branch, name in ((promotion.from_branch, "FROM_BRANCH"), (promotion.to_branch, "TO_BRANCH")):
        for repository in promotion.repositories or ("any",):
            check_names(repository, branch, settings=("REPO", name))


def distinct(updates: Iterable[ImageUpdate]) -> tuple[ImageUpdate, ...]:
    """The updates without repetitions. Raises `InputError` where two want different images in one file."""
    found: dict[str, ImageUpdate] = {}
    for update in updates:
        path = image_file(ImagesRule((), ""), update.repository, update.branch)
        other = found.setdefault(path, update)
        if other.image != update.image:
            raise InputError(
                f"two images are to be written into the one file {path}",
                why=f"{other.image} and {update.image}",
                hint="Keep one of them; nothing was changed.",
            )
    return tuple(found.values())


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
