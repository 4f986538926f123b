# SPDX-License-Identifier: MIT
"""The library's entry points, and the one function through which the program goes as well."""

import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, Unpack

from kit_core.errors import InputError
from kit_core.secrets import Secret
from kit_image_deployer.address import Address, address_of, open_remote
from kit_image_deployer.change import Change, ImageUpdate, Outcome, Promotion
from kit_image_deployer.guarding import guarding
from kit_image_deployer.image import check_reference
from kit_image_deployer.patience import Patience, Waiting
from kit_image_deployer.source import author as author_line
from kit_image_deployer.source import origin
from kit_image_deployer.target import check_branch, check_names, check_promotion, distinct
from kit_image_deployer.update import How, update

Heartbeat = Callable[[Callable[[], str]], AbstractContextManager[None]]


class Options(TypedDict, total=False):
    """What every function of the library takes besides what is to be written.

    `commit`: push; without it nothing is pushed, and the outcome holds diff and message. `git_branch`: the branch to
    commit to (default: the repository's own). `username`, `password`: for http(s). `ssh_key`, `ssh_passphrase`: a
    private key (its text) for ssh; `known_hosts`: the server's keys, as lines of a known_hosts file. `author`, `email`
    and `message` go into the commit, `source_commit` into its trailers. `build_number` with `build_source`, or
    `source_dir` (the service's repository), keep an older build from replacing a newer one's image unless
    `allow_downgrade`; they say nothing about a promotion. `retries` after faults, `deadline` in seconds
    for all attempts (10 and 300). `ca_cert`: a file of PEM certificates trusted besides the system's. `env` holds
    proxies (HTTPS_PROXY and so on).
    """

    commit: bool
    git_branch: str | None
    username: str | None
    password: str | None
    ssh_key: str | None
    ssh_passphrase: str | None
    known_hosts: str | None
    author: str | None
    email: str | None
    message: str | None
    source_commit: str | None
    build_number: str | None
    build_source: str | None
    source_dir: Path | None
    allow_downgrade: bool
    retries: int
    deadline: float
    ca_cert: Path | None
    env: Mapping[str, str] | None


def update_image(git_url: str, *, repository: str, branch: str, image: str, **options: Unpack[Options]) -> Outcome:
    """Write `image` for `repository` and `branch` into the deployments repository at `git_url`, and push it.

    `git_url` is http(s), ssh, git, a path or file://; for `options` see `Options`.

    Returns an `Outcome`: `result` is "updated" (then `commit` is its id), "unchanged", "superseded" or "dry-run".
    Raises `kit_core.errors.InputError` for wrong arguments or files, `WorkError` for what the server refused,
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
        check_names(item.repository, item.branch, settings=("repository", "branch"))
        check_reference(item.image, setting="image")
    return _run(git_url, distinct(wanted), None, options)


def promote_images(
    git_url: str, from_branch: str, to_branch: str, repositories: Iterable[str] = (), **options: Unpack[Options]
) -> Outcome:
    """Copy the images that are recorded for `from_branch` to `to_branch`, in one commit: those of `repositories`, or of
    all that have one. Files that are not there yet are made. Returns and raises like `update_images`.
    """
    promotion = Promotion(from_branch=from_branch, to_branch=to_branch, repositories=tuple(repositories))
    check_promotion(promotion)
    return _run(git_url, (), promotion, options)


def _run(git_url: str, updates: tuple[ImageUpdate, ...], promotion: Promotion | None, options: Options) -> Outcome:
    git_branch = options.get("git_branch")
    if git_branch is not None:
        check_branch(git_branch)
    address = address_of(
        git_url=git_url,
        username=options.get("username"),
        password=_secret(options.get("password")),
        ssh_key=_secret(options.get("ssh_key")),
        ssh_passphrase=_secret(options.get("ssh_passphrase")),
        known_hosts=options.get("known_hosts"),
    )
    assert address is not None
    commit = options.get("source_commit")
    change = Change(
        updates=updates,
        promotion=promotion,
        git_branch=git_branch,
        author=author_line(options.get("author"), options.get("email"), {}, email_given=True),
        time=int(time.time()),
        said=options.get("message"),
        origin=origin({}, commit, number=options.get("build_number"), source=options.get("build_source")),
    )
    guarded = guarding(
        number=options.get("build_number"),
        source=options.get("build_source"),
        folder=options.get("source_dir"),
        commit=commit,
        allow_downgrade=options.get("allow_downgrade", False),
        env={},
    )
    with nullcontext() if promotion else guarded as guard:
        return deploy(
            replace(change, guard=guard),
            address,
            How(commit=options.get("commit", False)),
            patience=Patience(retries=options.get("retries", 10), deadline=options.get("deadline", 300.0)),
            ca_cert=options.get("ca_cert"),
            env=options.get("env") or {},
        )


def _secret(value: str | None) -> Secret | None:
    return Secret(value) if value else None


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
