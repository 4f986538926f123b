# SPDX-License-Identifier: MIT
"""Which file of the deployments repository holds the image, and under which key."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from unicodedata import category

from kit_core.errors import InputError
from kit_image_deployer.change import ImageUpdate, Promotion

KIT_FILE: Final = "kit.yaml"
_NO_BRANCH: Final = re.compile(r"[\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]|\.\.|@\{|//|^[/-]|/$|\.lock$|\.$")
_NAMES: Final = ("DOCKER_REPO", "CI_BRANCH")
_FORBIDDEN: Final = frozenset({"", ".", ".."})
# Whatever some file system takes for `.git`, and files that git reads by themselves where they are no folders.
_GIT: Final = re.compile(r"(?:\.git|git~[0-9]+)[ .]*(?::|$)|\.git(?:modules|attributes|ignore)$", re.IGNORECASE)
_LONGEST_PART: Final = 250  # `.yaml` comes behind it
_LONGEST_SHOWN: Final = 300
_LONGEST_KEY: Final = 500


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
    key = images["property"].strip()
    if key == "<<" or not _is_visible(key) or len(key) > _LONGEST_KEY:
        why = f"it should be a plain word; `<<`, control characters and more than {_LONGEST_KEY} characters are none"
        raise InputError(f"images.property of {name} cannot be a key", why=why, hint=hint, file=name)
    parts = [part for part in images["path"].strip().split("/") if part not in {"", "."}]
    _check_parts(parts, f"images.path of {name}", images["path"], name)
    return ImagesRule(folder=tuple(parts), key=key)


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
    reason = next((why for part in parts if (why := _unfit(part))), None)
    if value.startswith("/") and file is None:
        reason = "it is an absolute path"
    elif value.startswith("-"):
        reason = "it begins with a dash, as options do"
    if reason:
        shown = value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…"
        raise InputError(
            f"{setting}={shown!r} cannot be part of a path in the deployments repository",
            why=reason,
            hint="Give a relative name such as team/app.",
            file=file,
        )


def _is_visible(text: str) -> bool:
    """Whether no character of it is a control, a line's end or one without width, which some file systems pass over."""
    return not any(category(char) in {"Cc", "Cf", "Zl", "Zp"} for char in text)


def _unfit(part: str) -> str | None:
    """Why git, or a checkout on any system, could not hold a file or folder of this name."""
    if part in _FORBIDDEN:
        return "it has an empty part, `.` or `..`"
    if any("\ud800" <= char <= "\udfff" for char in part):
        return "it is not UTF-8"
    if "\\" in part or not _is_visible(part):
        return "it has a backslash, a control character or one that cannot be seen"
    if part != part.strip() or part.endswith("."):
        return "a part of it begins or ends with a space, or ends with a dot"
    if _GIT.match(part):
        return "git keeps `.git` to itself"
    if len(part.encode()) > _LONGEST_PART:
        return f"a part of it has more than {_LONGEST_PART} bytes, and file systems hold no more"
    return None
