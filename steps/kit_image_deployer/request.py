# SPDX-License-Identifier: MIT
"""From the settings to what is wanted, and where: everything is checked here before anything is touched."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from kit_core.errors import InputError
from kit_core.secrets import Masker
from kit_core.settings import without_secrets
from kit_image_deployer.change import Change, ImageUpdate, Promotion
from kit_image_deployer.git.address import Address, address_of
from kit_image_deployer.git.hostkeys import given_lines
from kit_image_deployer.image import check_reference, composed_reference
from kit_image_deployer.message.commit import Render
from kit_image_deployer.message.event import event_message
from kit_image_deployer.settings import ImageDeployerSettings
from kit_image_deployer.source import author, branch_name, built_tag, check_pull_request, origin
from kit_image_deployer.target import check_branch, check_names, check_promotion, distinct

if TYPE_CHECKING:
    from kit_image_deployer.forge.choose import Forge
    from kit_image_deployer.registry.verify import ImageCheck
    from kit_image_deployer.signing import Signer

_IMAGES: Final = "KIT_IMAGES"
# As `Loaded.given` has it: options, and variables that no CI sets by itself.
_ON_PURPOSE: Final = ("--", "KIT_")


def read_change(
    settings: ImageDeployerSettings,
    env: Mapping[str, str],
    given: Mapping[str, str],
    promotion: Promotion | None = None,
) -> tuple[Change, Address]:
    """What is asked for, and where. Raises `InputError` before anything is touched.

    `given` tells which variable each setting came from. A `promotion` takes the place of the images in the settings,
    and of what the CI says of the commit that it builds, which is not the images'.
    """
    if settings.commit:
        check_pull_request(env, allowed=settings.allow_pull_request)
    address = address_of(
        git_url=settings.git_url,
        username=settings.git_username,
        password=settings.git_password,
        github_url=settings.github_url,
        github_user=settings.github_user,
        github_repo=settings.github_repo,
        github_token=settings.github_auth_token,
        ssh_key=settings.git_ssh_key,
        ssh_passphrase=settings.git_ssh_key_passphrase,
        known_hosts=given_lines(settings.git_ssh_known_hosts, settings.git_ssh_known_hosts_file),
    )
    missing = [] if address else ["KIT_GIT_URL, or GITHUB_USER and GITHUB_REPO (the deployments repository)"]
    updates = () if promotion else _updates(settings, _branch(settings, env, given), missing)
    if missing or address is None:
        hint = "Set them as variables or options; see --help."
        if (tag := built_tag(env)) and not settings.ci_branch and not promotion:
            hint = f"This is the build of the tag {tag}: CI_BRANCH is the branch whose file the image goes into. {hint}"
        raise InputError("settings are missing", why="; ".join(missing), hint=hint)
    if promotion:
        check_promotion(promotion)
    said, commit = settings.ci_commit_message or event_message(env), settings.ci_commit_id
    if promotion:
        said, commit = (
            settings.ci_commit_message if given.get("ci_commit_message", "").startswith(_ON_PURPOSE) else None,
            None,
        )
    email_given = given.get("ci_committer_email", "").removeprefix("KIT_") == "CI_COMMITTER_EMAIL"
    git_branch = settings.git_branch.removeprefix("refs/heads/") if settings.git_branch else None
    if git_branch is not None:
        check_branch(git_branch)
    change = Change(
        updates=updates,
        promotion=promotion,
        git_branch=git_branch,
        author=author(settings.ci_committer_name, settings.ci_committer_email, env, email_given=email_given),
        time=int(time.time()),
        said=said,
        render=_template(settings),
        origin=origin(env, commit, number=settings.build_number, source=settings.build_source),
    )
    return change, address


def read_forge(settings: ImageDeployerSettings, address: Address) -> "Forge | None":
    """The forge that a pull request is to be opened on; None where none is wanted. Raises `InputError`."""
    if not settings.pull_request:
        return None
    from kit_image_deployer.forge.choose import forge_of

    return forge_of(
        address,
        kind=settings.forge,
        url=settings.forge_url,
        token=settings.forge_token,
        github_url=settings.github_url,
        github_token=settings.github_auth_token,
    )


def _template(settings: ImageDeployerSettings) -> Render | None:
    if settings.commit_message_template is None:
        return None
    from kit_image_deployer.message.template import message_template

    return message_template(settings.commit_message_template)


def read_signer(settings: ImageDeployerSettings) -> "Signer | None":
    """What signs the commit, if anything does. Raises `InputError` where the key cannot be used."""
    if settings.signing_key is None:
        return None
    from kit_image_deployer.signing import signer_of

    return signer_of(settings.signing_key, settings.signing_key_passphrase)


def read_check(
    settings: ImageDeployerSettings, change: Change, env: Mapping[str, str], masker: Masker
) -> "ImageCheck | None":
    """How images are looked up in their registries, if they are: a promotion's were when they were recorded."""
    if not (settings.verify_image or settings.pin_digest):
        return None
    from kit_image_deployer.registry.verify import image_check

    return image_check(
        [item.image for item in change.updates],
        verify=settings.verify_image,
        pin=settings.pin_digest,
        docker_config=settings.docker_config,
        insecure=settings.insecure_registries,
        ca_cert=settings.ca_cert,
        env=without_secrets(ImageDeployerSettings, env),  # a credential helper has them, too
        secret_found=masker.add,
    )


def _branch(settings: ImageDeployerSettings, env: Mapping[str, str], given: Mapping[str, str]) -> str | None:
    if not settings.ci_branch:
        return None
    return branch_name(settings.ci_branch, given.get("ci_branch", "CI_BRANCH"), env)


def _updates(settings: ImageDeployerSettings, branch: str | None, missing: list[str]) -> tuple[ImageUpdate, ...]:
    """The image of DOCKER_REPO, and those of KIT_IMAGES. What is `missing` for them is added to that list."""
    entries = [_entry(text) for text in settings.images]
    own = bool(settings.docker_repo or settings.image or not entries)
    if own and not settings.docker_repo:
        missing.append("DOCKER_REPO (which image's file to write)")
    if branch is None and (own or not all(named for _, named, _ in entries)):
        missing.append("CI_BRANCH (which branch's file to write)")
    if own and settings.image is None:
        parts = {"DOCKER_REGISTRY": settings.docker_registry, "CI_COMMIT_ID": settings.ci_commit_id}
        absent = " and ".join(name for name, value in parts.items() if not value)
        if absent:
            missing.append(f"IMAGE, or {absent} to make the reference of")
    if missing:
        return ()
    found = [_own(settings, branch or "")] if own else []
    for repository, named, image in entries:
        check_names(repository, named or branch or "", settings=(_IMAGES, f"{_IMAGES}, branch of {repository}"))
        found.append(ImageUpdate(repository=repository, branch=named or branch or "", image=image))
    return distinct(found)


def _own(settings: ImageDeployerSettings, branch: str) -> ImageUpdate:
    repository = settings.docker_repo or ""
    check_names(repository, branch)
    if settings.image is not None:
        image = settings.image.strip()
        check_reference(image, setting="IMAGE")
    else:
        image = composed_reference(settings.docker_registry or "", repository, branch, settings.ci_commit_id or "")
    return ImageUpdate(repository=repository, branch=branch, image=image)


def _entry(text: str) -> tuple[str, str | None, str]:
    """Repository, branch (None: CI_BRANCH) and image of an entry `repo/path[@branch]=image`."""
    file, _, image = text.rpartition("=")  # a branch's name may hold one, an image cannot
    repository, at, branch = (part.strip() for part in file.partition("@"))
    branch = branch.removeprefix("refs/heads/")
    if not repository or not image.strip() or (at and not branch):
        raise InputError(
            f"{_IMAGES} has the entry {text!r}, which names no repository and image",
            hint="It should look like shop/cart=registry.example.com/shop/cart:7, or shop/cart@staging=… for another"
            " branch than CI_BRANCH.",
        )
    check_reference(image.strip(), setting=f"{_IMAGES}: {file.strip()}")
    return repository, branch or None, image.strip()
