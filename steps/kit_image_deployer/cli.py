# SPDX-License-Identifier: MIT
"""The program: from settings to a change, and from its outcome to the log."""

import gc
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from kit_core.entry import Argument, Command, Context, Step, run
from kit_image_deployer.settings import ImageDeployerSettings

if TYPE_CHECKING:
    from kit_core.console import Console
    from kit_image_deployer.change import Promotion
    from kit_image_deployer.git.address import Address

SUMMARY: Final = (
    "Writes an image reference into a YAML file of the deployments repository and pushes the commit: on the branch's"
    " current head, changing nothing but that value, and again on the new head where someone else was faster."
)


def update_command(settings: ImageDeployerSettings, context: Context, _arguments: Mapping[str, Any]) -> None:
    """Bring the deployments repository to name the new images."""
    _carry_out(settings, context, None)


def promote_command(settings: ImageDeployerSettings, context: Context, arguments: Mapping[str, Any]) -> None:
    """Copy recorded images from one branch to another."""
    from kit_image_deployer.change import Promotion

    from_branch, to_branch = arguments["FROM_BRANCH"], arguments["TO_BRANCH"]
    _carry_out(
        settings,
        context,
        Promotion(from_branch=from_branch, to_branch=to_branch, repositories=arguments["REPO"]),
    )


def _carry_out(settings: ImageDeployerSettings, context: Context, promotion: "Promotion | None") -> None:
    from kit_image_deployer.api import deploy
    from kit_image_deployer.guard.guarding import guarded_by, guarding
    from kit_image_deployer.patience import Patience
    from kit_image_deployer.report import report
    from kit_image_deployer.request import read_change, read_check, read_forge, read_signer
    from kit_image_deployer.update import How

    change, address = read_change(settings, context.env, context.given, promotion)
    forge = read_forge(settings, address)
    signer = read_signer(settings)
    images = read_check(settings, change, context.env, context.masker)
    console = context.console
    _warn(address, console)
    if promotion is not None:
        console.info(f"promote {promotion.from_branch} to {promotion.to_branch} in {address.url}")
    for item in change.updates:
        console.info(f"{item.image} -> {address.url}, {item.repository} {item.branch}")
    guarded = guarding(
        number=settings.build_number if promotion is None else None,
        source=settings.build_source,
        folder=settings.source_dir if promotion is None else None,
        commit=settings.ci_commit_id,
        allow_downgrade=settings.allow_downgrade,
        env=context.env,
    )
    with guarded as guard:
        outcome = deploy(
            guarded_by(change, guard),
            address,
            How(
                commit=settings.commit,
                sign=signer.sign if signer else None,
                push_options=settings.push_options,
                tell=console.info,
            ),
            patience=Patience(retries=settings.retries, increment=settings.retry_increment, deadline=settings.deadline),
            ca_cert=settings.ca_cert,
            env=context.env,
            images=images,
            forge=forge,
            waiting=console.waiting,
        )
    report(outcome, console)


def _warn(address: "Address", console: "Console") -> None:
    if address.password is not None and _in_the_clear(address.url):
        console.warning("the password goes over http:// unencrypted; use the https:// address if there is one")
    if address.place is not None and address.place.scheme == "git":
        console.warning("git:// checks neither us nor the server; use the https:// or ssh:// address if there is one")


def _in_the_clear(url: str) -> bool:
    """Whether a password would cross a network that is not this machine's own or a container's."""
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    return url.startswith("http://") and "." in host and not host.startswith("127.")


STEP: Final = Step(
    name="kit-image-deployer",
    package="kit_image_deployer",
    summary=SUMMARY,
    settings=ImageDeployerSettings,
    commands=(
        Command(
            name="update", help="Write the image of a repository and branch, or several, and push.", run=update_command
        ),
        Command(
            name="promote",
            help="Copy the images that are recorded for one branch to another, in one commit, with the commit and build"
            " that are recorded beside them. Settings that name an image, or the build of one, do not count here.",
            run=promote_command,
            arguments=(
                Argument(name="FROM_BRANCH", help="the branch whose images are copied, such as staging"),
                Argument(name="TO_BRANCH", help="the branch that gets them; its files are made where there are none"),
                Argument(
                    name="REPO",
                    help="repositories of images (shop/cart); else all that have a file for FROM_BRANCH",
                    required=False,
                    many=True,
                ),
            ),
        ),
    ),
    examples=(
        "COMMIT=true GITHUB_USER=acme GITHUB_REPO=deployments GITHUB_AUTH_TOKEN=… DOCKER_REGISTRY=registry.acme.com \\",
        "  DOCKER_REPO=shop/cart CI_BRANCH=master CI_COMMIT_ID=70c30b1 kit-image-deployer",
        "KIT_GIT_URL=https://git.acme.com/deployments.git IMAGE=registry.acme.com/shop/cart:7 \\",
        "  DOCKER_REPO=shop/cart CI_BRANCH=master kit-image-deployer     (shows what would change)",
        "KIT_GIT_URL=https://git.acme.com/deployments.git kit-image-deployer promote staging production shop/cart",
    ),
)


def main() -> NoReturn:
    """The process."""
    # What so short a process makes it keeps: looking for garbage while modules load takes a tenth of its start.
    gc.set_threshold(50_000)
    try:
        run(STEP)
    except SystemExit as end:
        # What was said is flushed, connections are closed; to take the interpreter apart takes another tenth.
        os._exit(end.code if isinstance(end.code, int) else 1)
