# SPDX-License-Identifier: MIT
"""The program: from settings to a change, and from its outcome to the log."""

import gc
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from kit_core.entry import Command, Context, Step, run
from kit_core.errors import InputError
from kit_image_deployer.address import Address, address_of
from kit_image_deployer.settings import ImageDeployerSettings

if TYPE_CHECKING:
    from kit_image_deployer.change import Change, Outcome

SUMMARY: Final = (
    "Writes an image reference into a YAML file of the deployments repository and pushes the commit: on the branch's"
    " current head, changing nothing but that value, and again on the new head where someone else was faster."
)


def update_command(settings: ImageDeployerSettings, context: Context, _arguments: Mapping[str, Any]) -> None:
    """Bring the deployments repository to name the new image."""
    from kit_image_deployer.api import deploy
    from kit_image_deployer.patience import Patience
    from kit_image_deployer.update import How

    change, address = read_change(settings, context.env, context.given)
    console = context.console
    if address.password is not None and _in_the_clear(address.url):
        console.warning("the password goes over http:// unencrypted; use the https:// address if there is one")
    patience = Patience(retries=settings.retries, increment=settings.retry_increment, deadline=settings.deadline)
    for item in change.updates:
        console.info(f"{item.image} -> {address.url}, {item.repository} {item.branch}")
    outcome = deploy(
        change,
        address,
        How(commit=settings.commit, tell=console.info),
        patience=patience,
        ca_cert=settings.ca_cert,
        env=context.env,
        waiting=console.waiting,
    )
    _report(outcome, context)


def read_change(
    settings: ImageDeployerSettings, env: Mapping[str, str], given: Mapping[str, str]
) -> "tuple[Change, Address]":
    """What is asked for, and where. Raises `InputError` before anything is touched.

    `given` tells which variable each setting came from.
    """
    from kit_image_deployer.change import Change, ImageUpdate
    from kit_image_deployer.image import check_reference, composed_reference
    from kit_image_deployer.source import author, branch_name, check_pull_request, origin
    from kit_image_deployer.target import check_branch, check_names

    if settings.commit:
        check_pull_request(env, allowed=settings.allow_pull_request)
    branch = branch_name(settings.ci_branch, given.get("ci_branch", "CI_BRANCH"), env) if settings.ci_branch else None
    address = address_of(
        git_url=settings.git_url,
        username=settings.git_username,
        password=settings.git_password,
        github_url=settings.github_url,
        github_user=settings.github_user,
        github_repo=settings.github_repo,
        github_token=settings.github_auth_token,
    )
    _check_complete(settings, branch, address)
    assert branch is not None
    assert address is not None
    assert settings.docker_repo is not None
    check_names(settings.docker_repo, branch)
    if settings.image is not None:
        image = settings.image.strip()
        check_reference(image, setting="IMAGE")
    else:
        assert settings.docker_registry is not None
        assert settings.ci_commit_id is not None
        image = composed_reference(settings.docker_registry, settings.docker_repo, branch, settings.ci_commit_id)
    email_given = given.get("ci_committer_email", "").removeprefix("KIT_") == "CI_COMMITTER_EMAIL"
    git_branch = settings.git_branch.removeprefix("refs/heads/") if settings.git_branch else None
    if git_branch is not None:
        check_branch(git_branch)
    change = Change(
        updates=(ImageUpdate(repository=settings.docker_repo, branch=branch, image=image),),
        git_branch=git_branch,
        author=author(settings.ci_committer_name, settings.ci_committer_email, env, email_given=email_given),
        time=int(time.time()),
        said=settings.ci_commit_message,
        origin=origin(env, settings.ci_commit_id),
    )
    return change, address


def _check_complete(settings: ImageDeployerSettings, branch: str | None, address: Address | None) -> None:
    missing = []
    if not settings.docker_repo:
        missing.append("DOCKER_REPO (which image's file to write)")
    if branch is None:
        missing.append("CI_BRANCH (which branch's file to write)")
    if settings.image is None:
        parts = {"DOCKER_REGISTRY": settings.docker_registry, "CI_COMMIT_ID": settings.ci_commit_id}
        absent = " and ".join(name for name, value in parts.items() if not value)
        if absent:
            missing.append(f"IMAGE, or {absent} to make the reference of")
    if address is None:
        missing.append("KIT_GIT_URL, or GITHUB_USER and GITHUB_REPO (the deployments repository)")
    if missing:
        raise InputError(
            "settings are missing", why="; ".join(missing), hint="Set them as variables or options; see --help."
        )


def _in_the_clear(url: str) -> bool:
    """Whether a password would cross a network that is not this machine's own or a container's."""
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    return url.startswith("http://") and "." in host and not host.startswith("127.")


def _report(outcome: "Outcome", context: Context) -> None:
    from kit_image_deployer.defuse import one_line

    console = context.console
    if outcome.result == "dry-run":
        with console.group(f"{outcome.path} would change"):
            console.foreign(outcome.diff)
        with console.group("with the commit message"):
            console.foreign(outcome.message)
        console.info("dry run: nothing was pushed; set COMMIT=true to push it")
    elif outcome.result == "unchanged":
        console.info(f"{outcome.path} already names {outcome.image}")
    else:
        console.success(f"pushed {outcome.commit} to {outcome.branch}")
    facts = {"image": outcome.image, "file": outcome.path, "branch": outcome.branch, "commit": outcome.commit}
    if outcome.result != "unchanged":
        facts["previous"] = one_line(outcome.previous) if outcome.previous else None
    console.result(outcome.result, **{name: value for name, value in facts.items() if value is not None})


STEP: Final = Step(
    name="kit-image-deployer",
    package="kit_image_deployer",
    summary=SUMMARY,
    settings=ImageDeployerSettings,
    commands=(
        Command(name="update", help="Write the image of one repository and branch, and push it.", run=update_command),
    ),
    examples=(
        "COMMIT=true GITHUB_USER=acme GITHUB_REPO=deployments GITHUB_AUTH_TOKEN=… DOCKER_REGISTRY=registry.acme.com \\",
        "  DOCKER_REPO=shop/cart CI_BRANCH=master CI_COMMIT_ID=70c30b1 kit-image-deployer",
        "KIT_GIT_URL=https://git.acme.com/deployments.git IMAGE=registry.acme.com/shop/cart:7 \\",
        "  DOCKER_REPO=shop/cart CI_BRANCH=master kit-image-deployer     (shows what would change)",
    ),
)


def main() -> NoReturn:
    """The process."""
    # What so short a process makes it keeps: looking for garbage while modules load takes a tenth of its start.
    gc.set_threshold(50_000)
    run(STEP)
