# SPDX-License-Identifier: MIT
"""The settings of kit-image-deployer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from kit_core.declare import CommonSettings, setting
from kit_core.secrets import Secret
from kit_image_deployer.source import (
    BRANCH_VARIABLES,
    COMMIT_VARIABLES,
    EMAIL_VARIABLES,
    MESSAGE_VARIABLES,
    NAME_VARIABLES,
)

_WHAT: Final = "What to write"
_WHERE: Final = "The deployments repository"
_BUILD: Final = "The service's build"
_REQUEST: Final = "Pull requests"
_GUARD: Final = "No older build over a newer one"
_REGISTRY: Final = "The image's registry"
_SIGNATURE: Final = "Signature of the commit"
_TRYING: Final = "Trying again"


@dataclass(frozen=True, kw_only=True)
class ImageDeployerSettings(CommonSettings):
    """See each setting's help."""

    commit: bool = setting(
        False, original=True, group=_WHAT, help="Push the commit; otherwise only show what would change."
    )
    image: str | None = setting(
        None,
        original=True,
        group=_WHAT,
        help="The image reference to write, as it was pushed.",
        default_text="<DOCKER_REGISTRY>/<DOCKER_REPO>:<CI_BRANCH>-<CI_COMMIT_ID>",
    )
    images: tuple[str, ...] = setting(
        (),
        group=_WHAT,
        help="Further images, written in the same commit: entries `repo/path=image`, or `repo/path@branch=image` for"
        " another branch than CI_BRANCH. With them, IMAGE and DOCKER_REPO may be left out.",
    )
    docker_registry: str | None = setting(
        None, original=True, group=_WHAT, help="Host of the registry, for a reference made of its parts."
    )
    docker_repo: str | None = setting(
        None,
        original=True,
        group=_WHAT,
        help="Required, or KIT_IMAGES: repository of the image in its registry; the file that is written is"
        " `<images.path>/<DOCKER_REPO>/<CI_BRANCH>.yaml`, the folder being named in the repository's kit.yaml.",
    )
    allow_pull_request: bool = setting(
        False, group=_WHAT, help="Let COMMIT=true work in a pull request's build, which is refused otherwise."
    )
    git_url: str | None = setting(
        None,
        group=_WHERE,
        help="Address of the repository: https, http, ssh (`ssh://git@host/path`, `git@host:path`), git, or the folder"
        " of a bare one (whose hooks do not run). Required, or GITHUB_USER and GITHUB_REPO.",
    )
    git_branch: str | None = setting(
        None, group=_WHERE, help="Branch to commit to.", default_text="the repository's default branch"
    )
    git_username: str | None = setting(
        None,
        group=_WHERE,
        help="User for the repository's server; most take any beside a token, Bitbucket wants x-token-auth.",
        default_text="x-access-token, where there is a password",
    )
    git_password: Secret | None = setting(None, group=_WHERE, help="Password or token that may push to the repository.")
    git_ssh_key: Secret | None = setting(
        None,
        group=_WHERE,
        help="Private key for an ssh address, in OpenSSH's form or PEM; no ~/.ssh and no agent is asked.",
    )
    git_ssh_key_passphrase: Secret | None = setting(None, group=_WHERE, help="The key's passphrase, where it has one.")
    git_ssh_known_hosts: str | None = setting(
        None,
        group=_WHERE,
        help="The ssh server's keys, as lines of a known_hosts file; those of GitHub, GitLab.com and Bitbucket Cloud"
        " are known. A server that is not known is refused.",
    )
    git_ssh_known_hosts_file: Path | None = setting(
        None, group=_WHERE, help="A known_hosts file, read beside the lines above."
    )
    push_options: tuple[str, ...] = setting(
        (),
        group=_WHERE,
        help="Words for the server's hooks, as `git push --push-option` takes them (such as `ci.skip`). A server that"
        " takes none is an error.",
    )
    github_user: str | None = setting(
        None,
        original=True,
        group=_WHERE,
        help="Owner of the repository on GitHub: a short way to write KIT_GIT_URL, which wins where both are set.",
    )
    github_repo: str | None = setting(
        None, original=True, group=_WHERE, help="Name of the repository on GitHub, or owner/name."
    )
    github_auth_token: Secret | None = setting(
        None,
        original=True,
        group=_WHERE,
        help="Token for GitHub that may write the repository's contents; an App's can, a workflow's own token cannot"
        " write another repository.",
    )
    github_url: str = setting(
        "https://github.com", group=_WHERE, help="Address of a GitHub Enterprise server, for the GitHub settings."
    )
    ci_branch: str | None = setting(
        None,
        original=True,
        group=_BUILD,
        native=BRANCH_VARIABLES,
        help="Required, unless every entry of KIT_IMAGES names its own: branch of the service; a slash in it makes a"
        " folder.",
    )
    ci_commit_id: str | None = setting(
        None,
        original=True,
        group=_BUILD,
        native=COMMIT_VARIABLES,
        help="Commit of the service that the image was built from.",
    )
    ci_commit_message: str | None = setting(
        None,
        original=True,
        aliases=("CI_COMMITTER_MESSAGE",),
        group=_BUILD,
        native=MESSAGE_VARIABLES,
        help="Message for the commit; words in it that would act (`[skip ci]`, `Closes #12`, `@name`) are made plain."
        " On GitHub Actions, else that of the event (`GITHUB_EVENT_PATH`).",
        default_text="Deploy <image>",
    )
    commit_message_template: str | None = setting(
        None,
        group=_BUILD,
        help="Jinja2 template for the commit's message, in place of all but its trailers; it may use `image`,"
        " `previous`, `path`, `repository`, `branch`, `files`, `message`, `source_commit`, `build`, `build_url` and"
        " `author`.",
    )
    ci_committer_name: str | None = setting(
        None,
        original=True,
        group=_BUILD,
        native=NAME_VARIABLES,
        help="Who the commit is by.",
        default_text="the address's first part, or kit-image-deployer",
    )
    ci_committer_email: str | None = setting(
        None,
        original=True,
        group=_BUILD,
        native=EMAIL_VARIABLES,
        help="The address of who the commit is by.",
        default_text="kit-image-deployer@localhost; with GITHUB_ACTOR, that user's no-reply address",
    )
    build_number: str | None = setting(
        None,
        group=_GUARD,
        help="Number of this build. A file that records a higher one of the same source is left as it is"
        " (`result=superseded`).",
        default_text="with KIT_SOURCE_DIR: the CI's own",
    )
    build_source: str | None = setting(
        None,
        group=_GUARD,
        help="Whose builds the number counts: only numbers of the same source are compared.",
        default_text="the CI, the repository and the pipeline",
    )
    source_dir: Path | None = setting(
        None,
        group=_GUARD,
        help="Folder of the service's repository, as checked out by the CI. A file that records a descendant of this"
        " build's commit is left as it is, whatever the numbers; where the history does not tell (a shallow clone),"
        " they do.",
    )
    allow_downgrade: bool = setting(
        False, group=_GUARD, help="Write the image even where a newer build's is there: for a wanted step back."
    )
    pull_request: bool = setting(
        False,
        group=_REQUEST,
        help="Push to a branch of this step's own and open a pull request (merge request) instead of pushing to the"
        " branch. One that is open for the same files is brought up to date.",
    )
    forge: Literal["github", "gitlab"] | None = setting(
        None, group=_REQUEST, help="Kind of the forge.", default_text="as the host's name tells"
    )
    forge_url: str | None = setting(
        None,
        group=_REQUEST,
        help="Address of the forge's web pages, or of its API.",
        default_text="https:// and the host of the repository",
    )
    forge_token: Secret | None = setting(
        None,
        group=_REQUEST,
        help="Token for the forge's API; without it, the repository's password or token serves, on the same host only.",
    )
    verify_image: bool = setting(
        False,
        group=_REGISTRY,
        help="Look first whether the image is in its registry (also in a dry run); one that is missing is an error"
        " before anything is written.",
    )
    pin_digest: bool = setting(
        False,
        group=_REGISTRY,
        help="Write `name:tag@sha256:…`, the digest being the registry's; the image is looked up as well.",
    )
    docker_config: Path | None = setting(
        None,
        group=_REGISTRY,
        help="Docker's config.json with the registry's credentials, or its folder. Credential helpers that it names"
        " have to be on the PATH.",
        default_text="the one in DOCKER_CONFIG, or in ~/.docker",
    )
    insecure_registries: tuple[str, ...] = setting(
        (),
        group=_REGISTRY,
        help="Registries (host or host:port) that may be asked by plain http, as localhost is; certificates are"
        " checked all the same.",
    )
    signing_key: Secret | None = setting(
        None,
        group=_SIGNATURE,
        help="Private key that signs the commit: an ssh key (ed25519, ecdsa, rsa), or an armored OpenPGP key. Forges"
        " call it verified where the key and CI_COMMITTER_EMAIL belong to the same account.",
    )
    signing_key_passphrase: Secret | None = setting(
        None, group=_SIGNATURE, help="The signing key's passphrase, where it has one."
    )
    retries: int = setting(
        10,
        original=True,
        minimum=0,
        group=_TRYING,
        help="Further attempts after faults (connections, 429, 5xx); a lost race for the branch is no fault.",
    )
    retry_increment: float | None = setting(
        None,
        original=True,
        unit="s",
        minimum=0,
        group=_TRYING,
        help="Wait this long before the second attempt, twice as long before the third, and so on.",
        default_text="soon, then random and doubling from 0.5 s up to 30 s",
    )
    deadline: float = setting(
        300,
        unit="s",
        minimum=1,
        group=_TRYING,
        help="Time for all attempts together; races lost until then end with exit code 75, faults with 70.",
    )
