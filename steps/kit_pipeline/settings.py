# SPDX-License-Identifier: MIT
"""The settings of kit-pipeline. Options have the names that jet gave them, where it had them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from kit_core.secrets import Secret
from kit_core.settings import CommonSettings, setting

FILES: Final = "Files"
CHECKING: Final = "Checking"
CHOICE: Final = "Which steps run"
VARIABLES: Final = "What containers are told"
BUILD: Final = "What the run says of itself"
RUNNING: Final = "Running"
KEYS: Final = "Encryption"

BRANCH_VARIABLES: Final = (
    "GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME",
    "BITBUCKET_TAG", "BITBUCKET_BRANCH", "CHANGE_BRANCH", "TAG_NAME", "BRANCH_NAME", "GIT_BRANCH", "CIRCLE_TAG",
    "CIRCLE_BRANCH", "TRAVIS_PULL_REQUEST_BRANCH", "TRAVIS_TAG", "TRAVIS_BRANCH", "DRONE_TAG", "DRONE_SOURCE_BRANCH",
    "DRONE_BRANCH", "SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCHNAME",
)  # fmt: skip
"""Where CI services keep the branch or tag that is built; they check out a commit, so git does not say it."""
BUILD_VARIABLES: Final = (
    "GITHUB_RUN_ID", "CI_PIPELINE_ID", "BITBUCKET_BUILD_NUMBER", "CIRCLE_BUILD_NUM", "TRAVIS_BUILD_ID",
    "BUILD_BUILDID", "DRONE_BUILD_NUMBER", "BUILD_NUMBER", "CI_PIPELINE_NUMBER",
)  # fmt: skip
REQUEST_VARIABLES: Final = (
    "CI_MERGE_REQUEST_IID", "BITBUCKET_PR_ID", "CIRCLE_PR_NUMBER", "CHANGE_ID", "DRONE_PULL_REQUEST",
    "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "CI_COMMIT_PULL_REQUEST",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PipelineSettings(CommonSettings):
    """Everything that can be set."""

    dir: Path = setting(
        Path(), group=FILES, help="Folder of the repository, where both files are.", default_text="the current one"
    )
    services_path: Path | None = setting(
        None,
        group=FILES,
        help="The services file, from that folder. Paths in it are relative to where it lies.",
        default_text="codeship-services.yml, else .json, else docker-compose.yml",
    )
    steps_path: Path | None = setting(
        None, group=FILES, help="The steps file, from that folder.", default_text="codeship-steps.yml, else .json"
    )
    strict: bool = setting(False, group=CHECKING, help="`validate`: warnings are errors.")

    tag: str | None = setting(
        None,
        group=CHOICE,
        help="Run as the build of this branch or tag: steps whose `tag` fits run as well. Without it those that have a"
        " `tag` are left out.",
    )
    push: bool = setting(False, group=CHOICE, help="Do the push steps too.")
    approve: bool = setting(
        False, group=CHOICE, help="Run what is in manual groups; it finds `CI_BUILD_APPROVED` in its environment."
    )
    only: tuple[str, ...] = setting(
        (), group=CHOICE, repeated=True, unit="STEP",
        help="Run this step alone, named by its name or by its number (`2.1`); a group with all that is in it.",
    )  # fmt: skip
    start: str | None = setting(None, group=CHOICE, option="--from", help="Begin at this step.")
    skip: tuple[str, ...] = setting((), group=CHOICE, repeated=True, unit="STEP", help="Leave this step out.")
    local: bool | None = setting(
        None,
        group=CHOICE,
        help="Whether this is a run on a person's machine, where steps with `local: false` are left out.",
        default_text="true, unless a CI service is recognised",
    )
    plan: bool = setting(False, group=CHOICE, help="Show what would be done, step by step, and do nothing.")

    env: tuple[str, ...] = setting(
        (), group=VARIABLES, repeated=True, short="-e", unit="KEY=VALUE",
        help="A variable for every container, stronger than those of the files; `KEY` alone takes it from here.",
    )  # fmt: skip
    secrets_file: Path | None = setting(
        None,
        group=VARIABLES,
        help="File of KEY=value lines, plain or encrypted, for every container; the values are hidden in all output.",
    )

    ci_branch: str | None = setting(
        None, original=True, group=BUILD, native=BRANCH_VARIABLES, help="The branch or tag that is built.",
        default_text="--tag, else git's branch",
    )  # fmt: skip
    ci_commit_id: str | None = setting(
        None, original=True, group=BUILD, help="The commit that is built.", default_text="git's"
    )
    ci_commit_message: str | None = setting(
        None, original=True, group=BUILD, help="The commit's message.", default_text="git's"
    )
    ci_commit_description: str | None = setting(
        None,
        original=True,
        group=BUILD,
        help="The commit as `git describe --abbrev=1 --tags --always` has it.",
        default_text="git's",
    )
    ci_committer_name: str | None = setting(
        None, original=True, group=BUILD, help="Who committed it.", default_text="git's"
    )
    ci_committer_email: str | None = setting(
        None, original=True, group=BUILD, help="Their address.", default_text="git's"
    )
    ci_committer_username: str | None = setting(
        None, original=True, group=BUILD, help="Their name where the code lies."
    )
    ci_project_id: str | None = setting(None, original=True, group=BUILD, help="The project's id.")
    ci_build_id: str | None = setting(
        None, original=True, group=BUILD, native=BUILD_VARIABLES, help="The build's id.", default_text="the run's name"
    )
    ci_repo_name: str | None = setting(
        None, original=True, group=BUILD, help="The repository, as owner/name.", default_text="what git's origin says"
    )
    ci_pr_number: str | None = setting(
        None, original=True, group=BUILD, native=REQUEST_VARIABLES, help="The pull request's number."
    )
    ci_pull_request: str | None = setting(None, original=True, group=BUILD, help="The pull request's address.")
    ci_timestamp: int | None = setting(
        None, original=True, group=BUILD, minimum=0, help="When the build began, in seconds since 1970.",
        default_text="now",
    )  # fmt: skip

    shell_on_failure: bool = setting(
        False, group=RUNNING, help="Open a shell in what a failed step left, with its variables, volumes and services."
    )
    log_dir: Path | None = setting(
        None, group=RUNNING, help="Folder that gets a file of its own for what each step prints."
    )
    health_timeout: float = setting(
        3600.0,
        group=RUNNING,
        unit="s",
        minimum=1,
        help="How long a service may take until its HEALTHCHECK says that it is well.",
    )

    encrypted_dockercfg_path: Path | None = setting(
        None, group=RUNNING, help="Encrypted file of registry logins, for steps and services that name none."
    )
    dockercfg_service: str | None = setting(
        None, group=RUNNING, help="Service that makes the registry logins, for steps and services that name none."
    )
    pull_if_present: bool = setting(
        False, group=RUNNING, help="Pull images that the engine has already, too: what a tag means may have changed."
    )

    key_path: Path | None = setting(
        None,
        group=KEYS,
        help="File of the AES key.",
        default_text="CODESHIP_AES_KEY, else codeship.aes in the folder of the repository",
    )
    codeship_aes_key: Secret | None = setting(
        None, original=True, group=KEYS, help="The AES key itself, base64 of 32 bytes."
    )
    binary: bool = setting(
        False,
        group=KEYS,
        help="`decrypt`, `edit`: what jet 1 wrote need not be text. Nothing tells a wrong key then.",
    )
    new_key_path: Path | None = setting(None, group=KEYS, help="`rekey`: file of the key that takes over.")
    format: Literal["kit:v1", "jet1"] | None = setting(
        None,
        group=KEYS,
        help="Form of what is encrypted: `kit:v1` notices a wrong key and any damage; `jet1` can be read by jet, too.",
        default_text="kit:v1 for new files; a file that is there keeps its own",
    )
