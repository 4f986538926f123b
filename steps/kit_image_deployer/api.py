# SPDX-License-Identifier: MIT
"""The library's entry point, and the one function through which the program goes as well."""

import random
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from kit_core.secrets import Secret
from kit_image_deployer.address import Address, address_of, open_remote
from kit_image_deployer.image import check_reference
from kit_image_deployer.message import Origin
from kit_image_deployer.patience import Patience, Waiting
from kit_image_deployer.source import author as author_line
from kit_image_deployer.target import check_branch, check_names
from kit_image_deployer.update import Change, Outcome, Tell, update

Heartbeat = Callable[[Callable[[], str]], AbstractContextManager[None]]


def update_image(
    git_url: str,
    *,
    repository: str,
    branch: str,
    image: str,
    commit: bool = False,
    git_branch: str | None = None,
    username: str | None = None,
    password: str | None = None,
    author: str | None = None,
    email: str | None = None,
    message: str | None = None,
    source_commit: str | None = None,
    retries: int = 10,
    deadline: float = 300.0,
    ca_cert: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Outcome:
    """Write `image` for `repository` and `branch` into the deployments repository at `git_url`, and push it.

    `git_url` is http(s), a path or file://; `git_branch` the branch to commit to (default: the repository's own).
    With `commit=False` nothing is pushed, and the outcome holds the diff and the message. `author`, `email` and
    `message` go into the commit, `source_commit` into its trailers. `deadline` is in seconds. `env` holds proxies
    (HTTPS_PROXY and so on).

    Returns an `Outcome`: `result` is "updated" (then `commit` is its id), "unchanged" or "dry-run". Raises
    `kit_core.errors.InputError` for wrong arguments or files, `WorkError` for what the server refused,
    `TimeLimitError` and `BusyError` at the deadline. Running it again is always safe.
    """
    check_names(repository, branch)
    if git_branch is not None:
        check_branch(git_branch)
    check_reference(image, setting="image")
    address = address_of(git_url=git_url, username=username, password=Secret(password) if password else None)
    assert address is not None
    change = Change(
        repository=repository,
        branch=branch,
        image=image,
        git_branch=git_branch,
        author=author_line(author, email, {}, email_given=True),
        time=int(time.time()),
        said=message,
        origin=Origin(source_commit=source_commit),
    )
    patience = Patience(retries=retries, deadline=deadline)
    return deploy(change, address, commit=commit, patience=patience, ca_cert=ca_cert, env=env or {})


def deploy(
    change: Change,
    address: Address,
    *,
    commit: bool,
    patience: Patience,
    ca_cert: Path | None,
    env: Mapping[str, str],
    tell: Tell = lambda _text: None,
    waiting: Heartbeat = lambda _describe: nullcontext(),
) -> Outcome:
    """Open the repository and update it. `waiting` shows, while it lasts, what is awaited."""
    attempts = Waiting(patience, clock=time.monotonic, pause=time.sleep, draw=random.SystemRandom().uniform, tell=tell)
    remote = open_remote(address, ca_cert=ca_cert, env=env, remaining=attempts.remaining)
    try:
        with waiting(lambda: attempts.state or f"waiting for {remote.where}"):
            return update(remote, change, commit=commit, waiting=attempts, tell=tell)
    finally:
        remote.close()
