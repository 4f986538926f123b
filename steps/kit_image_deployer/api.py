# SPDX-License-Identifier: MIT
"""The library's entry points, and the one function through which the program goes as well."""

import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypedDict, Unpack

from kit_core.errors import InputError
from kit_core.secrets import Secret
from kit_image_deployer.address import Address, address_of, open_remote
from kit_image_deployer.change import Change, ImageUpdate, Outcome
from kit_image_deployer.image import check_reference
from kit_image_deployer.message import Origin
from kit_image_deployer.patience import Patience, Waiting
from kit_image_deployer.source import author as author_line
from kit_image_deployer.target import check_branch, check_names
from kit_image_deployer.update import How, update

Heartbeat = Callable[[Callable[[], str]], AbstractContextManager[None]]


class Options(TypedDict, total=False):
    """What every function of the library takes besides what is to be written.

    `commit`: push; without it nothing is pushed, and the outcome holds diff and message. `git_branch`: the branch to
    commit to (default: the repository's own). `username`, `password`: for http(s). `author`, `email` and `message` go
    into the commit, `source_commit` into its trailers. `retries` after faults, `deadline` in seconds for all attempts
    (10 and 300). `ca_cert`: a file of PEM certificates trusted besides the system's. `env` holds proxies (HTTPS_PROXY
    and so on).
    """

    commit: bool
    git_branch: str | None
    username: str | None
    password: str | None
    author: str | None
    email: str | None
    message: str | None
    source_commit: str | None
    retries: int
    deadline: float
    ca_cert: Path | None
    env: Mapping[str, str] | None


def update_image(git_url: str, *, repository: str, branch: str, image: str, **options: Unpack[Options]) -> Outcome:
    """Write `image` for `repository` and `branch` into the deployments repository at `git_url`, and push it.

    `git_url` is http(s), a path or file://; for `options` see `Options`.

    Returns an `Outcome`: `result` is "updated" (then `commit` is its id), "unchanged" or "dry-run". Raises
    `kit_core.errors.InputError` for wrong arguments or files, `WorkError` for what the server refused,
    `TimeLimitError` and `BusyError` at the deadline. Running it again is always safe.
    """
    return update_images(git_url, [ImageUpdate(repository=repository, branch=branch, image=image)], **options)


def update_images(git_url: str, updates: Iterable[ImageUpdate], **options: Unpack[Options]) -> Outcome:
    """Like `update_image`, for several images in one commit. Files that hold their image already are left out of it;
    `Outcome.files` tells what came of each.
    """
    wanted = tuple(updates)
    if not wanted:
        raise InputError("there is no image to write", hint="Give one `ImageUpdate` at least.")
    for item in wanted:
        check_names(item.repository, item.branch)
        check_reference(item.image, setting="image")
    return _run(git_url, wanted, options)


def _run(git_url: str, updates: tuple[ImageUpdate, ...], options: Options) -> Outcome:
    git_branch = options.get("git_branch")
    if git_branch is not None:
        check_branch(git_branch)
    password = options.get("password")
    address = address_of(
        git_url=git_url, username=options.get("username"), password=Secret(password) if password else None
    )
    assert address is not None
    change = Change(
        updates=updates,
        git_branch=git_branch,
        author=author_line(options.get("author"), options.get("email"), {}, email_given=True),
        time=int(time.time()),
        said=options.get("message"),
        origin=Origin(source_commit=options.get("source_commit")),
    )
    return deploy(
        change,
        address,
        How(commit=options.get("commit", False)),
        patience=Patience(retries=options.get("retries", 10), deadline=options.get("deadline", 300.0)),
        ca_cert=options.get("ca_cert"),
        env=options.get("env") or {},
    )


def deploy(
    change: Change,
    address: Address,
    how: How,
    *,
    patience: Patience,
    ca_cert: Path | None,
    env: Mapping[str, str],
    waiting: Heartbeat = lambda _describe: nullcontext(),
) -> Outcome:
    """Open the repository and update it. `waiting` shows, while it lasts, what is awaited."""
    attempts = Waiting(
        patience, clock=time.monotonic, pause=time.sleep, draw=random.SystemRandom().uniform, tell=how.tell
    )
    remote = open_remote(address, ca_cert=ca_cert, env=env, remaining=attempts.remaining)
    try:
        remote.begin(change.git_branch, pushing=how.commit)
        with waiting(lambda: attempts.state or f"waiting for {remote.where}"):
            return update(remote, change, how, waiting=attempts)
    finally:
        remote.close()
