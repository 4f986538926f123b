# SPDX-License-Identifier: MIT
"""What the service's build says of itself, whatever CI runs it: branch, commit, author, build. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from kit_core.ci import NONE, Provider, detect
from kit_core.errors import InputError
from kit_core.secrets import bare_urls
from kit_image_deployer.message.commit import Origin
from kit_image_deployer.message.defuse import utf8

# The variables that CI services set by themselves, in the order in which they are asked. Those that hold a pull
# request's own branch come before those that hold the branch it wants to go to.
BRANCH_VARIABLES: Final = (
    "GITHUB_HEAD_REF", "GITHUB_REF", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_SOURCE_BRANCH",
    "CI_COMMIT_BRANCH", "BITBUCKET_BRANCH", "CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH", "CIRCLE_BRANCH",
    "TRAVIS_PULL_REQUEST_BRANCH", "TRAVIS_BRANCH", "DRONE_SOURCE_BRANCH", "DRONE_BRANCH",
    "SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCH",
)  # fmt: skip
COMMIT_VARIABLES: Final = (
    "GITHUB_SHA", "CI_COMMIT_SHA", "BITBUCKET_COMMIT", "GIT_COMMIT", "CIRCLE_SHA1", "TRAVIS_COMMIT",
    "DRONE_COMMIT_SHA", "BUILD_SOURCEVERSION",
)  # fmt: skip
MESSAGE_VARIABLES: Final = ("TRAVIS_COMMIT_MESSAGE", "DRONE_COMMIT_MESSAGE", "BUILD_SOURCEVERSIONMESSAGE")
NAME_VARIABLES: Final = (
    "GITHUB_ACTOR", "CI_COMMIT_AUTHOR", "GITLAB_USER_NAME", "CHANGE_AUTHOR_DISPLAY_NAME", "GIT_COMMITTER_NAME",
    "GIT_AUTHOR_NAME", "CIRCLE_USERNAME", "DRONE_COMMIT_AUTHOR_NAME", "DRONE_COMMIT_AUTHOR", "BUILD_REQUESTEDFOR",
)  # fmt: skip
EMAIL_VARIABLES: Final = (
    "CI_COMMIT_AUTHOR_EMAIL", "GITLAB_USER_EMAIL", "CHANGE_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL", "GIT_AUTHOR_EMAIL",
    "DRONE_COMMIT_AUTHOR_EMAIL", "BUILD_REQUESTEDFOREMAIL",
)  # fmt: skip

# Set in a pull request's build only: for containers that the variable which names the CI was not passed into.
_OF_PULL_REQUESTS: Final = (
    "GITHUB_HEAD_REF", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_SOURCE_BRANCH", "CHANGE_BRANCH",
    "TRAVIS_PULL_REQUEST_BRANCH", "SYSTEM_PULLREQUEST_SOURCEBRANCH",
)  # fmt: skip
# Set where a tag is built, and only there: the branch that the variables on the right then name is not what was built.
_TAGS: Final = (
    ("TRAVIS_TAG", "TRAVIS_BRANCH"), ("TAG_NAME", "BRANCH_NAME"), ("DRONE_TAG", "DRONE_BRANCH"),
    ("DRONE_TAG", "DRONE_SOURCE_BRANCH"), ("CI_COMMIT_TAG", "CI_COMMIT_BRANCH"),
    ("BITBUCKET_TAG", "BITBUCKET_BRANCH"), ("CIRCLE_TAG", "CIRCLE_BRANCH"),
)  # fmt: skip
# Where each counts its builds, as each documents it; the first whose variables are all set.
_NUMBERED_IN: Final = {
    "github": ("{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}",),
    "gitlab": ("{CI_PROJECT_URL}", "{CI_SERVER_HOST}/{CI_PROJECT_PATH}"),
    "bitbucket": ("{BITBUCKET_GIT_HTTP_ORIGIN}", "{BITBUCKET_REPO_FULL_NAME}"),
    "circleci": ("{CIRCLE_REPOSITORY_URL}", "{CIRCLE_PROJECT_USERNAME}/{CIRCLE_PROJECT_REPONAME}"),
    "travis": ("{TRAVIS_REPO_SLUG}",),
    "azure": ("{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT} {BUILD_DEFINITIONNAME}",),
    "woodpecker": ("{CI_REPO_URL}", "{CI_REPO}"),
    "drone": ("{DRONE_SYSTEM_HOST}/{DRONE_REPO}", "{DRONE_REPO}"),
    "jenkins": ("{JENKINS_URL} {JOB_NAME}",),
    "codeship": ("{CI_REPO_NAME}", "{CI_PROJECT_ID}"),
}
_CREDENTIALS: Final = re.compile(r"^[a-z+]+://(?:[^@/]*@)?", re.IGNORECASE)
_PERSON: Final = re.compile(r"\s*(.*?)\s*<([^<>]*)>\s*")
_UNFIT: Final = re.compile(r"[<>\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_NOBODY: Final = "kit-image-deployer"


def branch_name(value: str, variable: str, env: Mapping[str, str]) -> str:
    """The branch in `value`, which came from `variable`: full refs and Jenkins' `origin/` are cut to the name.

    Raises `InputError` where the build is that of a tag or of no branch at all.
    """
    if variable == "GIT_BRANCH":
        value = value.removeprefix("refs/remotes/").removeprefix("origin/")
    value = value.strip().removeprefix("refs/heads/")
    if value.startswith("refs/tags/"):
        raise _no_branch(f"{variable} says that this is the build of the tag {value.removeprefix('refs/tags/')}")
    tag = next((name for name, other in _TAGS if variable == other and env.get(name)), None)
    if tag:
        raise _no_branch(f"{tag} says that this is the build of the tag {env[tag]}")
    if value.startswith("refs/") or (variable == "GIT_BRANCH" and value in {"HEAD", "detached"}):
        raise _no_branch(f"{variable}={value} names no branch")
    return value


def built_tag(env: Mapping[str, str]) -> str | None:
    """The tag that is built, where the CI says that it is one."""
    return next((env[name] for name, _ in _TAGS if env.get(name)), None)


def _no_branch(why: str) -> InputError:
    return InputError(
        "the branch is not known",
        why=why,
        hint="Set CI_BRANCH to the branch whose image this is (the file of that name is written).",
    )


def author(name: str | None, email: str | None, env: Mapping[str, str], *, email_given: bool) -> str:
    """`Name <email>` for the commit. A name that brings its address (GitLab's) is taken apart; `email_given` tells
    that the address was set on purpose and wins.
    """
    person = _PERSON.fullmatch(name or "")
    if person:
        name = person.group(1)
        email = email if email_given and email else person.group(2)
    name = _UNFIT.sub(" ", utf8(name or "")).strip(" .,:;\"'")
    email = _UNFIT.sub("", utf8(email or "")).strip()
    if not email and name and name == env.get("GITHUB_ACTOR"):
        email = f"{name}@users.noreply.github.com"
    name = name or email.partition("@")[0] or _NOBODY
    return f"{name} <{email or f'{_NOBODY}@localhost'}>"


def origin(
    env: Mapping[str, str], source_commit: str | None, *, number: str | None = None, source: str | None = None
) -> Origin:
    """What is known of the build, for the commit's trailers. `number` and `source` are what the settings say of it."""
    provider = detect(env)
    number = number or env.get(provider.build_number or "")
    name = bare_urls(source or "") or (provider.name if provider is not NONE else None)
    return Origin(
        source_commit=source_commit,
        build=" ".join(part for part in (name, number) if part) if number else None,
        build_url=_build_url(provider, env),
    )


def _build_url(provider: Provider, env: Mapping[str, str]) -> str | None:
    if provider.build_url:
        return bare_urls(env.get(provider.build_url, "")) or None
    patterns = {
        "github": "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
        "bitbucket": "{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
        "azure": "{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
    }
    try:
        return bare_urls(patterns[provider.name].format_map(env))
    except KeyError:
        return None


def build_number(env: Mapping[str, str]) -> str | None:
    """The number that the CI gave this build, where it is one (some give other ids)."""
    number = env.get(detect(env).build_number or "", "")
    return number if number.isascii() and number.isdigit() else None


def build_source(env: Mapping[str, str]) -> str | None:
    """Where the CI counts builds: its name, the repository and, where each has numbers of its own, the pipeline.

    None where that is not known. Two servers of one kind are two sources: each counts from 1.
    """
    provider = detect(env)
    known = {name: value for name, value in env.items() if value}
    for pattern in _NUMBERED_IN.get(provider.name, ()):
        try:
            place = pattern.format_map(known)
        except KeyError:
            continue
        if provider.name == "github":
            place = f"{place} {_workflow(env)}"
        return " ".join(f"{provider.name} {_CREDENTIALS.sub('', place)}".split())
    return None


def _workflow(env: Mapping[str, str]) -> str:
    """GitHub counts the runs of each workflow; its file is in a reference `owner/repository/FILE@REF`."""
    file = env.get("GITHUB_WORKFLOW_REF", "").partition("@")[0]
    return file.removeprefix(f"{env.get('GITHUB_REPOSITORY')}/") or env.get("GITHUB_WORKFLOW", "")


def check_pull_request(env: Mapping[str, str], *, allowed: bool) -> None:
    """Raise `InputError` in a pull request's build: what nobody merged yet must not be deployed."""
    provider = detect(env)
    named = next((name for name in _OF_PULL_REQUESTS if env.get(name)), None)
    teller = provider.title if provider.is_pull_request(env) else named
    if teller and not allowed:
        raise InputError(
            "COMMIT=true is refused in a pull request's build",
            why=f"{teller} says that this build belongs to a pull request, which nobody merged yet",
            hint="Run this step on the branch only, or set KIT_ALLOW_PULL_REQUEST=true if it is meant.",
        )
