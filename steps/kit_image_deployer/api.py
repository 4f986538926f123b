# SPDX-License-Identifier: MIT
"""The library's entry points, and the one function through which the program goes as well."""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

from kit_core.errors import InputError
from kit_core.secrets import Masker, Secret, in_urls
from kit_image_deployer.change import Change, ImageUpdate, Outcome, Promotion
from kit_image_deployer.discreet import discreet
from kit_image_deployer.git.address import Address, address_of, open_remote
from kit_image_deployer.guard.guarding import guarded_by, guarding
from kit_image_deployer.image import check_reference
from kit_image_deployer.message.commit import Render
from kit_image_deployer.patience import Patience, Waiting
from kit_image_deployer.source import author as author_line
from kit_image_deployer.source import origin
from kit_image_deployer.target import check_branch, check_names, check_promotion, distinct
from kit_image_deployer.update import How, update

if TYPE_CHECKING:
    from kit_image_deployer.forge import PullRequests
    from kit_image_deployer.forge.choose import Forge
    from kit_image_deployer.plan import Sign
    from kit_image_deployer.registry.verify import ImageCheck

Heartbeat = Callable[[Callable[[], str]], AbstractContextManager[None]]

_SECRET: Final = ("password", "passphrase", "key", "token")
"""Options whose names end so are shown in no error."""


class Options(TypedDict, total=False):
    """What every function of the library takes besides what is to be written.

    `commit`: push; without it nothing is pushed, and the outcome holds diff and message. `git_branch`: the branch to
    commit to (default: the repository's own). `username`, `password`: for http(s). `ssh_key`, `ssh_passphrase`: a
    private key (its text) for ssh; `known_hosts`: the server's keys, as lines of a known_hosts file. `author`, `email`
    and `message` (or `message_template`) go into the commit, `source_commit` into its trailers.

    `build_number` with `build_source`, or `source_dir` (the service's repository), keep an older build from replacing
    a newer one's image unless `allow_downgrade`; they say nothing about a promotion. `verify_image` looks the images
    up in their registries first, `pin_digest` writes their digests too; `docker_config` (a file or folder) holds the
    credentials, and `insecure_registries` may be asked by plain http. `signing_key` (its text) signs the commit. With
    `pull_request` the change is proposed instead; `forge`, `forge_url` and `forge_token` are what the settings of
    these names are.

    `push_options` are words for the server's hooks. `retries` after faults, `deadline` in seconds for all attempts (10
    and 300). `ca_cert`: a file of PEM certificates trusted besides the system's. `env` holds proxies (HTTPS_PROXY and
    so on).
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
    push_options: Sequence[str]
    retries: int
    deadline: float
    verify_image: bool
    pin_digest: bool
    docker_config: Path | None
    insecure_registries: Sequence[str]
    signing_key: str | None
    signing_key_passphrase: str | None
    message_template: str | None
    pull_request: bool
    forge: str | None
    forge_url: str | None
    forge_token: str | None
    ca_cert: Path | None
    env: Mapping[str, str] | None


def update_image(git_url: str, *, repository: str, branch: str, image: str, **options: Unpack[Options]) -> Outcome:
    """Write `image` for `repository` and `branch` into the deployments repository at `git_url`, and push it.

    `git_url` is http(s), ssh, git, a path or file://; for `options` see `Options`.

    Returns an `Outcome`: `result` is "updated" or "proposed" (then `commit` is its id, and `url` the request's page),
    "unchanged", "superseded" or "dry-run".
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
    texts = (git_url, *(options.get("env") or {}).values())
    given = [value for name, value in options.items() if name.endswith(_SECRET) and isinstance(value, str)]
    with discreet([*given, *in_urls(" ".join(texts))]) as masker:
        return _done(git_url, updates, promotion, options, masker)


def _done(
    git_url: str, updates: tuple[ImageUpdate, ...], promotion: Promotion | None, options: Options, masker: Masker
) -> Outcome:
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
        render=_template(options),
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
            guarded_by(change, guard),
            address,
            How(
                commit=options.get("commit", False),
                sign=_sign(options),
                push_options=tuple(options.get("push_options", ())),
            ),
            patience=Patience(retries=options.get("retries", 10), deadline=options.get("deadline", 300.0)),
            ca_cert=options.get("ca_cert"),
            env=options.get("env") or {},
            images=_check(updates, options, masker),
            forge=_forge(address, options),
        )


def _secret(value: str | None) -> Secret | None:
    return Secret(value) if value else None


def _template(options: Options) -> Render | None:
    text = options.get("message_template")
    if text is None:
        return None
    from kit_image_deployer.message.template import message_template

    return message_template(text)


def _forge(address: Address, options: Options) -> "Forge | None":
    if not options.get("pull_request"):
        return None
    from kit_image_deployer.forge.choose import forge_of

    token = _secret(options.get("forge_token"))
    return forge_of(address, kind=options.get("forge"), url=options.get("forge_url"), token=token)


def _sign(options: Options) -> "Sign | None":
    from kit_image_deployer.signing import signer_of

    key = _secret(options.get("signing_key"))
    return signer_of(key, _secret(options.get("signing_key_passphrase"))).sign if key else None


def _check(updates: Sequence[ImageUpdate], options: Options, masker: Masker) -> "ImageCheck | None":
    from kit_image_deployer.registry.verify import image_check

    return image_check(
        [item.image for item in updates],
        verify=options.get("verify_image", False),
        pin=options.get("pin_digest", False),
        docker_config=options.get("docker_config"),
        insecure=options.get("insecure_registries", ()),
        ca_cert=options.get("ca_cert"),
        env=options.get("env") or {},
        secret_found=masker.add,
    )


def deploy(
    change: Change,
    address: Address,
    how: How,
    *,
    patience: Patience,
    ca_cert: Path | None,
    env: Mapping[str, str],
    images: "ImageCheck | None" = None,
    forge: "Forge | None" = None,
    waiting: Heartbeat = lambda _describe: nullcontext(),
) -> Outcome:
    """Look the images up where `images` is given, then open the repository and update it, or propose the change on a
    `forge`. `waiting` shows, while it lasts, what is awaited.
    """
    attempts = Waiting(
        patience, clock=time.monotonic, pause=time.sleep, draw=random.SystemRandom().uniform, tell=how.tell
    )
    remote = open_remote(address, ca_cert=ca_cert, env=env, remaining=attempts.remaining)
    try:
        with waiting(lambda: attempts.state or f"waiting for {remote.where}"):
            if images is not None:
                change = replace(change, updates=images.applied(change.updates, waiting=attempts, tell=how.tell))
            remote.begin(change.git_branch, pushing=how.commit)
            if forge is None:
                return update(remote, change, how, waiting=attempts)
            with _requests(forge, ca_cert, env, attempts) as requests:
                from kit_image_deployer.forge.propose import propose

                return propose(remote, change, how, waiting=attempts, requests=requests)
    finally:
        remote.close()


def _requests(
    forge: "Forge", ca_cert: Path | None, env: Mapping[str, str], attempts: Waiting
) -> "closing[PullRequests]":
    from kit_core.network import tls_context
    from kit_image_deployer.forge.choose import connect

    tls = tls_context(ca_cert) if forge.api.startswith("https:") else None
    return closing(connect(forge, tls=tls, env=env, remaining=attempts.remaining))
