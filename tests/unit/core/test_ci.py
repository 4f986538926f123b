# SPDX-License-Identifier: MIT
import pytest

from kit_core.ci import detect, in_ci

PULL = "https://github.com/o/r/pull/7"

# What each service documents as set in every build, and in a pull request's.
BUILDS = {
    "github": ({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push"}, {"GITHUB_EVENT_NAME": "pull_request"}),
    "gitlab": ({"CI": "true", "GITLAB_CI": "true"}, {"CI_MERGE_REQUEST_IID": "7"}),
    "bitbucket": ({"CI": "true", "BITBUCKET_BUILD_NUMBER": "7"}, {"BITBUCKET_PR_ID": "3"}),
    "circleci": ({"CI": "true", "CIRCLECI": "true"}, {"CIRCLE_PULL_REQUEST": PULL}),
    "travis": ({"CI": "true", "TRAVIS": "true", "TRAVIS_PULL_REQUEST": "false"}, {"TRAVIS_PULL_REQUEST": "7"}),
    "azure": ({"TF_BUILD": "True"}, {"SYSTEM_PULLREQUEST_PULLREQUESTID": "7"}),
    "woodpecker": ({"CI": "woodpecker"}, {"CI_COMMIT_PULL_REQUEST": "7"}),
    "drone": ({"CI": "true", "DRONE": "true"}, {"DRONE_PULL_REQUEST": "7"}),
    "jenkins": ({"JENKINS_URL": "https://jenkins.example/"}, {"CHANGE_ID": "7"}),
    "codeship": ({"CI_NAME": "codeship", "CI_PULL_REQUEST": "false", "CI_PR_NUMBER": ""}, {"CI_PR_NUMBER": "7"}),
}  # fmt: skip


@pytest.mark.parametrize("name", BUILDS)
def test_each_service_is_known_by_what_it_sets(name: str) -> None:
    env, _ = BUILDS[name]
    assert detect(env).name == name
    assert in_ci(env)


@pytest.mark.parametrize("name", BUILDS)
def test_a_pull_request_s_build_is_told_from_a_branch_s(name: str) -> None:
    env, more = BUILDS[name]
    assert not detect(env).is_pull_request(env)
    assert detect(env).is_pull_request({**env, **more})


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("github", {"GITHUB_EVENT_NAME": "pull_request_target"}),
        ("github", {"GITHUB_EVENT_NAME": "merge_group"}),
        ("gitlab", {"CI_EXTERNAL_PULL_REQUEST_IID": "7"}),
        ("jenkins", {"ghprbPullId": "7"}),
        ("jenkins", {"gitlabMergeRequestIid": "7"}),
        ("circleci", {"CIRCLE_PR_NUMBER": "7"}),
        ("codeship", {"CI_PULL_REQUEST": PULL}),
    ],
)
def test_pull_requests_that_come_in_other_ways(name: str, more: dict[str, str]) -> None:
    env, _ = BUILDS[name]
    assert detect(env).is_pull_request({**env, **more})


@pytest.mark.parametrize("no", ["", "0", "false", "False"])
def test_what_stands_for_no_pull_request(no: str) -> None:
    env = {"CI_NAME": "codeship", "CI_PR_NUMBER": no, "CI_PULL_REQUEST": no}
    assert not detect(env).is_pull_request(env)


@pytest.mark.parametrize(
    ("env", "expected"), [({}, False), ({"CI": "false"}, False), ({"CI": "1"}, True), ({"CI": "true"}, True)]
)
def test_any_other_ci_says_ci(env: dict[str, str], expected: bool) -> None:
    assert detect(env).name == "none"
    assert in_ci(env) is expected
