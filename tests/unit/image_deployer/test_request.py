# SPDX-License-Identifier: MIT
"""What is asked for: one image, several, a promotion; and where builds are numbered."""

from collections.abc import Mapping

import pytest

from kit_core.errors import InputError
from kit_core.settings import load_settings
from kit_image_deployer.change import Change, Promotion
from kit_image_deployer.request import read_change
from kit_image_deployer.settings import ImageDeployerSettings
from kit_image_deployer.source import build_number, build_source

URL = {"KIT_GIT_URL": "https://git.example.com/deployments.git"}
DIGEST = "@sha256:" + "a" * 64


def change(env: Mapping[str, str], promotion: Promotion | None = None) -> Change:
    loaded = load_settings(ImageDeployerSettings, {**URL, **env})
    return read_change(loaded.settings, env, loaded.given, promotion)[0]


def updates(**env: str) -> list[tuple[str, str, str]]:
    return [(item.repository, item.branch, item.image) for item in change(env).updates]


def test_entries_with_and_without_a_branch() -> None:
    images = (
        f"shop/cart=r.example.com:5000/shop/cart:1{DIGEST}, shop/web@feature/a=b@c=r/web:2\nshop/x@refs/heads/m=r/x"
    )
    assert updates(KIT_IMAGES=images, CI_BRANCH="master") == [
        ("shop/cart", "master", f"r.example.com:5000/shop/cart:1{DIGEST}"),
        ("shop/web", "feature/a=b@c", "r/web:2"),
        ("shop/x", "m", "r/x"),
    ]
    assert updates(KIT_IMAGES='["shop/cart@m = r/cart:1"]') == [("shop/cart", "m", "r/cart:1")]


def test_the_image_of_docker_repo_is_one_of_them() -> None:
    own = {"DOCKER_REPO": "shop/own", "CI_BRANCH": "master", "CI_COMMIT_ID": "abc", "DOCKER_REGISTRY": "r.example.com"}
    assert updates(KIT_IMAGES="shop/web=r/web:2", **own) == [
        ("shop/own", "master", "r.example.com/shop/own:master-abc"),
        ("shop/web", "master", "r/web:2"),
    ]
    assert updates(KIT_IMAGES="none", IMAGE="r/own:1", **own) == [("shop/own", "master", "r/own:1")]


def test_one_file_gets_one_image() -> None:
    same = "shop/web@a/b=r/web:2,shop/web/a@b=r/web:2,shop/web@a/b=r/web:2"
    assert len(updates(KIT_IMAGES=same)) == 1
    for other in ("shop/web@a/b=r/web:3", "shop/web/a@b=r/web:3"):
        with pytest.raises(InputError) as refused:
            updates(KIT_IMAGES=f"shop/web@a/b=r/web:2,{other}")
        assert "two images are to be written into the one file shop/web/a/b.yaml" in str(refused.value)
        assert "r/web:2 and r/web:3" in str(refused.value)
    with pytest.raises(InputError, match="two images"):
        updates(KIT_IMAGES="shop/web=r/web:3", DOCKER_REPO="shop/web", CI_BRANCH="master", IMAGE="r/web:2")


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ("shop/web", "KIT_IMAGES has the entry 'shop/web'"),
        ("=r/web:2", "KIT_IMAGES has the entry"),
        ("shop/web=", "KIT_IMAGES has the entry"),
        ("shop/web@=r/web:2", "KIT_IMAGES has the entry"),
        ("@m=r/web:2", "KIT_IMAGES has the entry"),
        ("shop/web@m=No:Image:x", "KIT_IMAGES: shop/web@m='No:Image:x' is no image reference"),
        ("../web@m=r/web:2", "KIT_IMAGES='../web' cannot be part of a path"),
        ("/web@m=r/web:2", "it is an absolute path"),
        ("shop/web@../x=r/web:2", "KIT_IMAGES, branch of shop/web='../x' cannot be part of a path"),
        ("shop\\web@m=r/web:2", "it has a backslash"),
        ("shop/.git@m=r/web:2", "git keeps `.git` to itself"),
    ],
)
def test_entries_that_are_none(images: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        updates(KIT_IMAGES=images)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"KIT_IMAGES": "shop/web=r/web:2"}, "CI_BRANCH"),
        ({"KIT_IMAGES": "shop/web@m=r/web:2", "IMAGE": "r/x:1", "CI_BRANCH": "m"}, "DOCKER_REPO"),
        ({"KIT_IMAGES": "shop/web@m=r/web:2", "DOCKER_REPO": "shop/x", "CI_BRANCH": "m"}, "IMAGE, or DOCKER_REGISTRY"),
        ({}, "DOCKER_REPO (which image's file to write); CI_BRANCH"),
        ({"KIT_GIT_URL": "", "DOCKER_REPO": "a", "CI_BRANCH": "m", "IMAGE": "r/x:1"}, "KIT_GIT_URL, or GITHUB_USER"),
    ],
)
def test_what_is_missing_is_named(env: dict[str, str], words: str) -> None:
    with pytest.raises(InputError) as refused:
        change(env)
    assert words in str(refused.value)


def test_a_promotion_takes_nothing_from_what_the_ci_builds() -> None:
    promotion = Promotion(from_branch="staging", to_branch="production")
    wanted = change({"CI_COMMIT_MESSAGE": "Add it", "CI_COMMIT_ID": "abc", "KIT_IMAGES": "x", "IMAGE": "r/x:1",
                     "GITLAB_CI": "true", "CI_PIPELINE_IID": "7"}, promotion)  # fmt: skip
    assert (wanted.updates, wanted.promotion, wanted.said) == ((), promotion, None)
    assert wanted.origin is not None
    assert (wanted.origin.source_commit, wanted.origin.build) == (None, "gitlab 7")
    assert change({"KIT_CI_COMMIT_MESSAGE": "Release 7"}, promotion).said == "Release 7"


def test_the_build_in_the_trailers() -> None:
    own = {"DOCKER_REPO": "a", "CI_BRANCH": "m", "IMAGE": "r/a:1"}
    for env, build in (
        ({"KIT_BUILD_NUMBER": "7", "KIT_BUILD_SOURCE": "concourse cart"}, "concourse cart 7"),
        ({"GITLAB_CI": "true", "CI_PIPELINE_IID": "3", "KIT_BUILD_NUMBER": "7"}, "gitlab 7"),
        ({"GITLAB_CI": "true", "CI_PIPELINE_IID": "3"}, "gitlab 3"),
        ({}, None),
    ):
        wanted = change({**own, **env})
        assert wanted.origin is not None
        assert wanted.origin.build == build


# As the services document them.
NUMBERED = [
    ({"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "shop/cart",
      "GITHUB_WORKFLOW_REF": "shop/cart/.github/workflows/build.yml@refs/heads/m", "GITHUB_WORKFLOW": "Build",
      "GITHUB_RUN_NUMBER": "7"}, "github github.com/shop/cart .github/workflows/build.yml"),
    ({"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://ghe.example.com", "GITHUB_REPOSITORY": "shop/cart",
      "GITHUB_WORKFLOW": "Build it", "GITHUB_RUN_NUMBER": "7"}, "github ghe.example.com/shop/cart Build it"),
    ({"GITLAB_CI": "true", "CI_PROJECT_URL": "https://gitlab.com/shop/cart", "CI_PIPELINE_IID": "7"},
     "gitlab gitlab.com/shop/cart"),
    ({"BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.org/shop/cart"},
     "bitbucket bitbucket.org/shop/cart"),
    ({"CIRCLECI": "true", "CIRCLE_REPOSITORY_URL": "git@github.com:shop/cart.git", "CIRCLE_BUILD_NUM": "7"},
     "circleci git@github.com:shop/cart.git"),
    ({"CIRCLECI": "true", "CIRCLE_PROJECT_USERNAME": "shop", "CIRCLE_PROJECT_REPONAME": "cart",
      "CIRCLE_BUILD_NUM": "7"}, "circleci shop/cart"),
    ({"TRAVIS": "true", "TRAVIS_REPO_SLUG": "shop/cart", "TRAVIS_BUILD_NUMBER": "7"}, "travis shop/cart"),
    ({"TF_BUILD": "True", "SYSTEM_COLLECTIONURI": "https://dev.azure.com/shop/", "SYSTEM_TEAMPROJECT": "cart",
      "BUILD_DEFINITIONNAME": "Build", "BUILD_BUILDID": "7"}, "azure dev.azure.com/shop/cart Build"),
    ({"CI": "woodpecker", "CI_REPO_URL": "https://git.example.com/shop/cart", "CI_PIPELINE_NUMBER": "7"},
     "woodpecker git.example.com/shop/cart"),
    ({"DRONE": "true", "DRONE_REPO": "shop/cart", "DRONE_SYSTEM_HOST": "drone.example.com",
      "DRONE_BUILD_NUMBER": "7"}, "drone drone.example.com/shop/cart"),
    ({"JENKINS_URL": "https://me:secret@ci.example.com/", "JOB_NAME": "cart/master", "BUILD_NUMBER": "7"},
     "jenkins ci.example.com/ cart/master"),
    ({"CI_NAME": "codeship", "CI_REPO_NAME": "shop/cart", "CI_BUILD_ID": "0f1e-2d"}, "codeship shop/cart"),
    ({"GITLAB_CI": "true", "CI_PROJECT_URL": "", "CI_PIPELINE_IID": "7"}, None),
    ({"BUILD_NUMBER": "7"}, None),
]  # fmt: skip


@pytest.mark.parametrize(("env", "source"), NUMBERED)
def test_where_each_ci_numbers_its_builds(env: dict[str, str], source: str | None) -> None:
    assert build_source(env) == source
    assert build_number(env) == (None if "CI_BUILD_ID" in env or len(env) == 1 else "7")
