# SPDX-License-Identifier: MIT
"""What a promotion means for the repository as it is: the images that one branch's files hold, for another branch."""

from collections.abc import Sequence
from difflib import get_close_matches

from kit_core.errors import InputError
from kit_image_deployer.change import ImageUpdate, Promotion
from kit_image_deployer.edit.values import values_of
from kit_image_deployer.guard.policy import RECORD, recorded
from kit_image_deployer.image import check_reference
from kit_image_deployer.snapshot import File, Snapshot
from kit_image_deployer.target import image_file


def promoted(snapshot: Snapshot, promotion: Promotion) -> tuple[ImageUpdate, ...]:
    """The updates that copy each image, with the record beside it, from one branch's file to the other's.

    Without repositories named, each that has a file for the branch is promoted. Raises `InputError` for a repository
    that has none, and for a file that holds no image.
    """
    branch = promotion.from_branch
    repositories = list(dict.fromkeys(promotion.repositories)) or _having(snapshot, branch)
    if not repositories:
        raise _nothing(snapshot, branch)
    files = snapshot.read([image_file(snapshot.rule, repository, branch) for repository in repositories])
    missing = [name for name, file in zip(repositories, files, strict=True) if file.content is None]
    if missing:
        raise _unknown(missing, branch, _having(snapshot, branch))
    return tuple(
        _update(snapshot, repository, promotion.to_branch, file)
        for repository, file in zip(repositories, files, strict=True)
    )


def _update(snapshot: Snapshot, repository: str, branch: str, file: File) -> ImageUpdate:
    key = snapshot.rule.key
    beside = [name for name in RECORD if name != key]
    values = values_of(file.content or b"", [key, *beside], name=file.path)
    image = values[key]
    if not image:
        raise InputError(
            f"{file.path} holds no image under `{key}`",
            hint="Correct the file in the deployments repository, or name the repositories to promote; nothing was"
            " changed.",
            file=file.path,
        )
    check_reference(image, setting=f"`{key}` of {file.path}: ")
    return ImageUpdate(
        repository=repository, branch=branch, image=image, build=recorded({name: values[name] for name in beside})
    )


def _having(snapshot: Snapshot, branch: str) -> list[str]:
    """The repositories that have a file for the branch."""
    ending = f"/{branch}.yaml"
    return sorted(path.removesuffix(ending) for path in snapshot.image_files() if path.endswith(ending))


def _unknown(missing: Sequence[str], branch: str, known: Sequence[str]) -> InputError:
    near = {name: get_close_matches(name, known, n=1) for name in missing}
    meant = ", ".join(f"{found[0]} for {name}" for name, found in near.items() if found)
    which = f"did you mean {meant}?" if meant else f"those that have one: {_some(known)}"
    return InputError(
        f"{', '.join(missing)} {'have' if len(missing) > 1 else 'has'} no file for the branch {branch}",
        why=which,
        hint="Name repositories as they are under the images' folder; nothing was changed.",
    )


def _nothing(snapshot: Snapshot, branch: str) -> InputError:
    branches = sorted({path.rpartition("/")[2].removesuffix(".yaml") for path in snapshot.image_files()})
    near = get_close_matches(branch, branches, n=1)
    return InputError(
        f"no repository has a file for the branch {branch}",
        why=f"did you mean {near[0]}?" if near else f"branches that have files: {_some(branches)}",
        hint="Nothing was changed.",
    )


def _some(names: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(names[:most]) or "none"
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
