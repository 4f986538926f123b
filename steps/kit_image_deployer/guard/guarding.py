# SPDX-License-Identifier: MIT
"""The guard against older builds, made of settings, the CI's variables and the service's repository."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from kit_core.errors import InputError
from kit_image_deployer.change import Change
from kit_image_deployer.guard.policy import Build, Guard, check_number, check_source, fit_commit
from kit_image_deployer.source import build_number, build_source


def guarded_by(change: Change, guard: Guard | None) -> Change:
    """The change with its guard, which may know of what commit the image was built where no setting says so."""
    if guard is None or change.origin is None or change.origin.source_commit:
        return replace(change, guard=guard)
    return replace(change, guard=guard, origin=replace(change.origin, source_commit=guard.build.commit))


@contextmanager
def guarding(
    *,
    number: str | None,
    source: str | None,
    folder: Path | None,
    commit: str | None,
    allow_downgrade: bool,
    env: Mapping[str, str],
) -> Iterator[Guard | None]:
    """The guard, or None where neither a build's `number` nor the service's `folder` asks for one.

    `commit` is what the image was built from; without it, what is checked out in `folder`. With `folder`, the CI's own
    number serves where none is given. Raises `InputError` for settings that cannot be used. The folder's repository
    is open as long as the context is.
    """
    if number is None and folder is None:
        yield None
        return
    if number is not None:
        number = check_number(number, setting="KIT_BUILD_NUMBER")
    source = check_source(source, setting="KIT_BUILD_SOURCE") if source else build_source(env)
    if number is not None and source is None:
        raise InputError(
            "KIT_BUILD_SOURCE is missing",
            why="no CI service that is known here says whose builds KIT_BUILD_NUMBER counts, and numbers of different"
            " sources must not be compared",
            hint="Name the CI, the repository and the pipeline in it, such as: jenkins shop/cart.",
        )
    if number is None and source is not None:
        number = build_number(env)
    build = Build(commit=fit_commit(commit), number=number, source=source)
    if folder is None:
        yield Guard(build=build, allow_downgrade=allow_downgrade)
        return
    from kit_image_deployer.guard.ancestry import SourceRepository

    repository = SourceRepository(folder)
    try:
        known = repository.resolve(build.commit) if build.commit else None if commit else repository.head()
        build = Build(commit=known or build.commit, number=number, source=source)
        yield Guard(build=build, relate=repository.order, allow_downgrade=allow_downgrade)
    finally:
        repository.close()
