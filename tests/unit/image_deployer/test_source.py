# SPDX-License-Identifier: MIT
"""What the step takes from each CI's own variables (as each documents them) and from the settings."""

from collections.abc import Mapping

import pytest

from kit_core.errors import InputError
from kit_core.settings import load_settings
from kit_image_deployer.change import Change
from kit_image_deployer.request import read_change
from kit_image_deployer.settings import ImageDeployerSettings

BASE = {
    "DOCKER_REGISTRY": "registry.example.com",
    "DOCKER_REPO": "shop/cart",
    "KIT_GIT_URL": "https://git.example.com/deployments.git",
}
SHA = "70c30b1b3a1fce1e6826700c31830f47521292ad"


def change(env: Mapping[str, str]) -> Change:
    loaded = load_settings(ImageDeployerSettings, {**BASE, **env})
    return read_change(loaded.settings, env, loaded.given)[0]


CODESHIP = {
    "CI": "true", "CI_NAME": "codeship", "CI_BRANCH": "master", "CI_COMMIT_ID": SHA, "CI_COMMIT_MESSAGE": "Add it",
    "CI_COMMITTER_NAME": "Ada", "CI_COMMITTER_EMAIL": "ada@example.com", "CI_BUILD_ID": "b-1",
    "CI_PULL_REQUEST": "false",
}  # fmt: skip
GITHUB = {
    "GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/master", "GITHUB_REF_NAME": "master", "GITHUB_SHA": SHA,
    "GITHUB_ACTOR": "ada", "GITHUB_EVENT_NAME": "push", "GITHUB_RUN_NUMBER": "7", "GITHUB_RUN_ID": "123",
    "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "shop/cart", "GITHUB_HEAD_REF": "",
}  # fmt: skip
GITLAB = {
    "GITLAB_CI": "true", "CI_COMMIT_BRANCH": "master", "CI_COMMIT_REF_NAME": "master", "CI_COMMIT_SHA": SHA,
    "CI_COMMIT_MESSAGE": "Add it", "CI_COMMIT_AUTHOR": "Ada L. <ada@example.com>", "GITLAB_USER_NAME": "Grace",
    "GITLAB_USER_EMAIL": "grace@example.com", "CI_PIPELINE_IID": "7", "CI_PIPELINE_URL": "https://gitlab.com/p/7",
}  # fmt: skip
BITBUCKET = {
    "BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_BRANCH": "master", "BITBUCKET_COMMIT": SHA,
    "BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.org/shop/cart",
}  # fmt: skip
JENKINS = {
    "JENKINS_URL": "https://jenkins", "GIT_BRANCH": "origin/master", "GIT_COMMIT": SHA, "BUILD_NUMBER": "7",
    "BUILD_URL": "https://jenkins/7", "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
}  # fmt: skip
CIRCLECI = {
    "CIRCLECI": "true", "CIRCLE_BRANCH": "master", "CIRCLE_SHA1": SHA, "CIRCLE_USERNAME": "ada",
    "CIRCLE_BUILD_NUM": "7", "CIRCLE_BUILD_URL": "https://circleci.com/7",
}  # fmt: skip
TRAVIS = {
    "TRAVIS": "true", "TRAVIS_BRANCH": "master", "TRAVIS_COMMIT": SHA, "TRAVIS_COMMIT_MESSAGE": "Add it",
    "TRAVIS_BUILD_NUMBER": "7", "TRAVIS_BUILD_WEB_URL": "https://travis-ci.com/7", "TRAVIS_PULL_REQUEST": "false",
}  # fmt: skip
DRONE = {
    "DRONE": "true", "DRONE_BRANCH": "master", "DRONE_SOURCE_BRANCH": "master", "DRONE_COMMIT_SHA": SHA,
    "DRONE_COMMIT_MESSAGE": "Add it", "DRONE_COMMIT_AUTHOR": "ada", "DRONE_COMMIT_AUTHOR_NAME": "Ada",
    "DRONE_COMMIT_AUTHOR_EMAIL": "ada@example.com", "DRONE_BUILD_NUMBER": "7", "DRONE_BUILD_LINK": "https://drone/7",
}  # fmt: skip
WOODPECKER = {
    "CI": "woodpecker", "CI_COMMIT_BRANCH": "master", "CI_COMMIT_SHA": SHA, "CI_COMMIT_MESSAGE": "Add it",
    "CI_COMMIT_AUTHOR": "ada", "CI_COMMIT_AUTHOR_EMAIL": "ada@example.com", "CI_PIPELINE_NUMBER": "7",
    "CI_PIPELINE_URL": "https://woodpecker/7",
}  # fmt: skip
AZURE = {
    "TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/master", "BUILD_SOURCEBRANCHNAME": "master",
    "BUILD_SOURCEVERSION": SHA, "BUILD_SOURCEVERSIONMESSAGE": "Add it", "BUILD_REQUESTEDFOR": "Ada",
    "BUILD_REQUESTEDFOREMAIL": "ada@example.com", "BUILD_BUILDID": "7",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/shop/", "SYSTEM_TEAMPROJECT": "cart",
}  # fmt: skip

ADA = "Ada <ada@example.com>"
NOBODY = "kit-image-deployer <kit-image-deployer@localhost>"


@pytest.mark.parametrize(
    ("env", "author", "said", "build", "url"),
    [
        (CODESHIP, ADA, "Add it", "codeship b-1", None),
        (GITHUB, "ada <ada@users.noreply.github.com>", None, "github 7",
         "https://github.com/shop/cart/actions/runs/123"),
        (GITLAB, "Ada L <ada@example.com>", "Add it", "gitlab 7", "https://gitlab.com/p/7"),
        (BITBUCKET, NOBODY, None, "bitbucket 7", "https://bitbucket.org/shop/cart/pipelines/results/7"),
        (JENKINS, ADA, None, "jenkins 7", "https://jenkins/7"),
        (CIRCLECI, "ada <kit-image-deployer@localhost>", None, "circleci 7", "https://circleci.com/7"),
        (TRAVIS, NOBODY, "Add it", "travis 7", "https://travis-ci.com/7"),
        (DRONE, ADA, "Add it", "drone 7", "https://drone/7"),
        (WOODPECKER, "ada <ada@example.com>", "Add it", "woodpecker 7", "https://woodpecker/7"),
        (AZURE, ADA, "Add it", "azure 7", "https://dev.azure.com/shop/cart/_build/results?buildId=7"),
    ],
)  # fmt: skip
def test_a_branchs_build(env: dict[str, str], author: str, said: str | None, build: str, url: str | None) -> None:
    seen = change(env)
    assert seen.updates[0].branch == "master"
    assert seen.updates[0].image == f"registry.example.com/shop/cart:master-{SHA}"
    assert (seen.author, seen.said) == (author, said)
    assert seen.origin is not None
    assert (seen.origin.build, seen.origin.build_url, seen.origin.source_commit) == (build, url, SHA)


@pytest.mark.parametrize(
    "env",
    [
        {**GITHUB, "GITHUB_REF": "refs/tags/v1", "GITHUB_REF_NAME": "v1"},
        {**TRAVIS, "TRAVIS_BRANCH": "v1", "TRAVIS_TAG": "v1"},
        {**JENKINS, "GIT_BRANCH": "v1", "BRANCH_NAME": "v1", "TAG_NAME": "v1"},
        {**DRONE, "DRONE_BRANCH": "v1", "DRONE_SOURCE_BRANCH": "v1", "DRONE_TAG": "v1"},
        {**AZURE, "BUILD_SOURCEBRANCH": "refs/tags/v1"},
        {**WOODPECKER, "CI_COMMIT_BRANCH": "v1", "CI_COMMIT_TAG": "v1"},
        # The branch that is named beside the tag is not what was built.
        {**WOODPECKER, "CI_COMMIT_BRANCH": "main", "CI_COMMIT_TAG": "v1"},
        {**DRONE, "DRONE_BRANCH": "main", "DRONE_SOURCE_BRANCH": "", "DRONE_TAG": "v1"},
        # These name no branch beside it.
        {**GITLAB, "CI_COMMIT_BRANCH": "", "CI_COMMIT_REF_NAME": "v1", "CI_COMMIT_TAG": "v1"},
        {**BITBUCKET, "BITBUCKET_BRANCH": "", "BITBUCKET_TAG": "v1"},
        {**CIRCLECI, "CIRCLE_BRANCH": "", "CIRCLE_TAG": "v1"},
    ],
)
def test_a_tags_build_has_no_branch(env: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"build of the tag v1.*CI_BRANCH"):
        change(env)
    assert change({**env, "CI_BRANCH": "master"}).updates[0].branch == "master"


@pytest.mark.parametrize(
    "env",
    [
        {**GITLAB, "CI_COMMIT_BRANCH": "", "CI_COMMIT_TAG": "v1"},
        {**BITBUCKET, "BITBUCKET_BRANCH": "", "BITBUCKET_TAG": "v1"},
        {**CIRCLECI, "CIRCLE_BRANCH": "", "CIRCLE_TAG": "v1"},
    ],
)
def test_a_ci_that_tells_no_branch(env: dict[str, str]) -> None:
    with pytest.raises(InputError, match="CI_BRANCH"):
        change(env)


@pytest.mark.parametrize(
    "env",
    [
        {**GITHUB, "GITHUB_HEAD_REF": "basket", "GITHUB_REF": "refs/pull/7/merge", "GITHUB_EVENT_NAME": "pull_request"},
        {**GITLAB, "CI_COMMIT_BRANCH": "", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "basket",
         "CI_MERGE_REQUEST_IID": "7"},
        {**BITBUCKET, "BITBUCKET_BRANCH": "basket", "BITBUCKET_PR_ID": "7"},
        {**JENKINS, "CHANGE_ID": "7", "CHANGE_BRANCH": "basket", "BRANCH_NAME": "PR-7", "GIT_BRANCH": "PR-7"},
        {**CIRCLECI, "CIRCLE_BRANCH": "basket", "CIRCLE_PULL_REQUEST": "https://github.com/shop/cart/pull/7"},
        {**TRAVIS, "TRAVIS_PULL_REQUEST": "7", "TRAVIS_PULL_REQUEST_BRANCH": "basket"},
        {**DRONE, "DRONE_PULL_REQUEST": "7", "DRONE_SOURCE_BRANCH": "basket"},
        {**WOODPECKER, "CI_COMMIT_PULL_REQUEST": "7", "CI_COMMIT_SOURCE_BRANCH": "basket"},
        {**AZURE, "SYSTEM_PULLREQUEST_PULLREQUESTID": "7", "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/basket",
         "BUILD_SOURCEBRANCH": "refs/pull/7/merge"},
        {**CODESHIP, "CI_BRANCH": "basket", "CI_PR_NUMBER": "7"},
        {**GITHUB, "GITHUB_EVENT_NAME": "merge_group", "CI_BRANCH": "basket",
         "GITHUB_REF": "refs/heads/gh-readonly-queue/master/pr-7-70c30b1"},
    ],
)  # fmt: skip
def test_a_pull_requests_build(env: dict[str, str]) -> None:
    assert change(env).updates[0].branch == "basket"
    with pytest.raises(InputError, match="refused in a pull request's build"):
        change({**env, "COMMIT": "true"})
    assert change({**env, "COMMIT": "true", "KIT_ALLOW_PULL_REQUEST": "true"}).updates[0].branch == "basket"


@pytest.mark.parametrize(
    "env",
    [
        {"GITHUB_HEAD_REF": "basket", "GITHUB_REF": "refs/pull/7/merge", "GITHUB_SHA": SHA},
        {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "basket", "CI_COMMIT_SHA": SHA},
        {"CI_COMMIT_SOURCE_BRANCH": "basket", "CI_COMMIT_BRANCH": "master", "CI_COMMIT_SHA": SHA},
        {"CHANGE_BRANCH": "basket", "BRANCH_NAME": "PR-7", "GIT_COMMIT": SHA},
        {"TRAVIS_PULL_REQUEST_BRANCH": "basket", "TRAVIS_BRANCH": "master", "TRAVIS_COMMIT": SHA},
        {"SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/basket", "BUILD_SOURCEVERSION": SHA},
    ],
)
def test_a_pull_requests_build_without_the_variable_that_names_the_ci(env: dict[str, str]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(env))} says that this build belongs to a pull request"):
        change({**env, "COMMIT": "true"})
    assert change({**env, "COMMIT": "true", "KIT_ALLOW_PULL_REQUEST": "true"}).updates[0].branch == "basket"
    assert change({**env, next(iter(env)): "", "CI_BRANCH": "basket", "COMMIT": "true"}).updates[0].branch == "basket"


@pytest.mark.parametrize("branch", ["origin/detached", "detached", "HEAD", "origin/HEAD"])
def test_a_detached_head_has_no_branch(branch: str) -> None:
    with pytest.raises(InputError, match="names no branch"):
        change({**JENKINS, "GIT_BRANCH": branch})


@pytest.mark.parametrize(
    ("env", "branch"),
    [
        ({**JENKINS, "GIT_BRANCH": "origin/feature/basket"}, "feature/basket"),
        ({**JENKINS, "GIT_BRANCH": "refs/remotes/origin/basket"}, "basket"),
        ({**JENKINS, "GIT_BRANCH": "refs/heads/basket"}, "basket"),
        ({**JENKINS, "GIT_BRANCH": "origin/origin/basket"}, "origin/basket"),
        ({**JENKINS, "GIT_BRANCH": "origin/detached", "BRANCH_NAME": "basket"}, "basket"),
        ({**GITHUB, "GITHUB_REF": "refs/heads/feature/basket", "GITHUB_REF_NAME": "feature/basket"}, "feature/basket"),
        ({**AZURE, "BUILD_SOURCEBRANCH": "refs/heads/feature/basket", "BUILD_SOURCEBRANCHNAME": "basket"},
         "feature/basket"),
        ({**GITLAB, "CI_COMMIT_BRANCH": "feature/basket", "CI_COMMIT_REF_SLUG": "feature-basket"}, "feature/basket"),
        ({**CIRCLECI, "CIRCLE_BRANCH": "feature/basket"}, "feature/basket"),
    ],
)  # fmt: skip
def test_prefixes_and_slashes(env: dict[str, str], branch: str) -> None:
    assert change({**env, "IMAGE": "registry.example.com/shop/cart:1"}).updates[0].branch == branch


@pytest.mark.parametrize(
    "env", [{**GITHUB, "GITHUB_REF": "refs/pull/7/merge"}, {**AZURE, "BUILD_SOURCEBRANCH": "refs/pull/7/merge"}]
)
def test_a_ref_that_is_no_branch(env: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"refs/pull/7/merge names no branch.*Set CI_BRANCH"):
        change(env)


def test_what_is_set_wins_over_what_the_ci_says() -> None:
    env = {
        **GITLAB, "CI_BRANCH": "origin/release", "KIT_CI_COMMIT_ID": "0123abc", "IMAGE": "r.example.com/x:1",
        "KIT_CI_COMMITTER_EMAIL": "team@example.com", "CI_COMMITTER_MESSAGE": "As the README had it",
        "CI_COMMIT_MESSAGE": "",
    }  # fmt: skip
    seen = change(env)
    wanted = seen.updates[0]
    assert (wanted.branch, wanted.image, seen.said) == ("origin/release", "r.example.com/x:1", "As the README had it")
    assert seen.author == "Ada L <team@example.com>"


def test_bytes_that_are_no_text_become_marks() -> None:
    names = {"CI_COMMITTER_NAME": "J\udcf6rg", "CI_COMMITTER_EMAIL": "j@example.com"}
    assert change({**CODESHIP, **names}).author == "J\ufffdrg <j@example.com>"


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"CI_BRANCH": "feature/basket", "CI_COMMIT_ID": SHA}, ["'feature/basket'", "Set IMAGE"]),
        ({"CI_BRANCH": "x" * 100, "CI_COMMIT_ID": SHA}, ["cannot stand in an image's tag", "Set IMAGE"]),
        ({"CI_BRANCH": "master", "IMAGE": "Not an image"}, ["IMAGE='Not an image' is no image reference"]),
        ({"CI_BRANCH": "master", "IMAGE": "https://r.example.com/cart:1"}, ["it has a scheme"]),
        ({"CI_BRANCH": "master", "CI_COMMIT_ID": SHA, "DOCKER_REGISTRY": "reg.example.com", "DOCKER_REPO": "web:1"},
         ["DOCKER_REGISTRY/DOCKER_REPO:CI_BRANCH-CI_COMMIT_ID='reg.example.com/web:1:master-"]),
        ({"CI_BRANCH": "master", "CI_COMMIT_ID": "", "DOCKER_REGISTRY": ""},
         ["IMAGE, or DOCKER_REGISTRY and CI_COMMIT_ID"]),
        ({"CI_BRANCH": "", "DOCKER_REPO": "", "KIT_GIT_URL": "", "IMAGE": "a"},
         ["DOCKER_REPO", "CI_BRANCH", "KIT_GIT_URL, or GITHUB_USER and GITHUB_REPO"]),
        ({"CI_BRANCH": "../x", "IMAGE": "a"}, ["CI_BRANCH='../x'", "`..`"]),
        ({"CI_BRANCH": "master", "DOCKER_REPO": "/etc", "IMAGE": "a"}, ["DOCKER_REPO='/etc'", "absolute path"]),
        ({"CI_BRANCH": "a\\b", "IMAGE": "a"}, ["CI_BRANCH", "backslash"]),
        ({"CI_BRANCH": "a\0b", "IMAGE": "a"}, ["CI_BRANCH", "control character"]),
        ({"CI_BRANCH": "master", "DOCKER_REPO": "x/.git", "IMAGE": "a"}, ["DOCKER_REPO", "`.git`"]),
        ({"CI_BRANCH": "J\udcf6rg", "IMAGE": "a"}, ["CI_BRANCH", "not UTF-8"]),
        ({"CI_BRANCH": "master", "IMAGE": "a", "KIT_GIT_BRANCH": "no branch"}, ["KIT_GIT_BRANCH='no branch'"]),
        ({"CI_BRANCH": "master", "IMAGE": "a", "KIT_GIT_URL": "https://host:port/x"}, ["KIT_GIT_URL is no address"]),
        ({"CI_BRANCH": "a//b", "IMAGE": "a"}, ["CI_BRANCH='a//b'", "empty part"]),
    ],
)  # fmt: skip
def test_settings_that_are_missing_or_wrong(env: dict[str, str], words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        change(env)
    for word in words:
        assert word in str(caught.value)
    assert caught.value.exit_code == 2
