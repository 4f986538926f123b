# SPDX-License-Identifier: MIT
"""What will not pass by itself: one sentence, the exit code, nothing changed, and no second attempt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from testbed.git import GitRepository
from tests.git.deployments import FILE, FILES, NEW, Deployments
from tests.git.relay import Exchange, Relay

WITHOUT_KIT = {path: text for path, text in FILES.items() if path != "kit.yaml"}


@pytest.mark.parametrize(
    ("files", "settings", "words"),
    [
        (WITHOUT_KIT, {}, ["kit.yaml is missing", "images: {path: images, property: image}"]),
        ({**FILES, "kit.yaml": "images:\n  path: 'x\n"}, {}, ["kit.yaml:2:9: malformed YAML"]),
        ({**FILES, "kit.yaml": "images:\n  path: images\n"}, {}, ["kit.yaml has no text at `images.property`"]),
        ({**FILES, "kit.yaml": "images: {path: ../x, property: a}"}, {}, ["images.path of kit.yaml='../x'"]),
        ({**FILES, "kit.yaml": "- images\n"}, {}, ["kit.yaml is no mapping"]),
        ({**FILES, FILE: "image: 'x\n"}, {}, [f"{FILE}:2:1: malformed YAML"]),
        ({**FILES, FILE: "a: &a x\nimage: *a\n"}, {}, [f"{FILE}:2: the value of `image` is an alias"]),
        ({"kit.yaml": FILES["kit.yaml"], "images": "x\n"}, {}, ["images should be a folder and is a file"]),
        (FILES, {"KIT_GIT_BRANCH": "nowhere"}, ["the repository has no branch nowhere", "KIT_GIT_BRANCH"]),
        (FILES, {"DOCKER_REPO": "clusters/../../x"}, ["DOCKER_REPO='clusters/../../x' cannot be part of a path"]),
        (FILES, {"DOCKER_REPO": "shop/cart/master.yaml"}, [f"{FILE} should be a folder and is a file"]),
    ],
)
def test_a_repository_or_settings_that_are_wrong(
    git_repository: Callable[..., GitRepository], files: dict[str, str], settings: dict[str, str], words: list[str]
) -> None:
    wrong = Deployments(git_repository("wrong", files=files))
    before = wrong.commits()
    run = wrong.run(**settings)
    assert run.code == 2, run.log
    for word in words:
        assert word in run.log
    assert wrong.commits() == before


def test_a_submodule_in_the_way(deployments: Deployments) -> None:
    repository = deployments.repository
    repository.container.execute(
        "sh", "-c",
        f"cd {repository.path} && export GIT_INDEX_FILE=/tmp/submodule.index && git read-tree master"
        f" && git rm -r -q --cached images && git update-index --add --cacheinfo 160000,{'1' * 40},images"
        " && git update-ref refs/heads/master $(git -c user.name=a -c user.email=a@b commit-tree"
        " -p master -m submodule $(git write-tree))",
    )  # fmt: skip
    run = deployments.run()
    assert run.code == 2
    assert "images should be a folder and is a submodule" in run.log


def test_an_empty_repository(git_repository: Callable[..., GitRepository]) -> None:
    empty = Deployments(git_repository("empty"))
    for branch in ("", "master"):
        run = empty.run(KIT_GIT_BRANCH=branch)
        assert run.code == 2
        assert "the repository is empty" in run.log
        assert "kit.yaml" in run.log


def test_a_tag_is_no_branch(deployments: Deployments) -> None:
    deployments.repository.git("tag", "v1")
    run = deployments.run(KIT_GIT_BRANCH="v1")
    assert run.code == 2
    assert "v1 is a tag in the repository, not a branch" in run.log


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"KIT_GIT_PASSWORD": "canary-wrong-password"}, ["refused the credentials: 401", "KIT_GIT_PASSWORD"]),
        ({"KIT_GIT_PASSWORD": "canary-not-utf-8-\udce4"}, ["refused the credentials: 401", "KIT_GIT_PASSWORD"]),
        ({"KIT_GIT_PASSWORD": "", "KIT_GIT_USERNAME": ""}, ["asks for credentials", "Set KIT_GIT_USERNAME"]),
    ],
)
def test_wrong_credentials_fail_at_once(deployments: Deployments, settings: dict[str, str], words: list[str]) -> None:
    with Relay(deployments.repository.url_outside) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url, DEBUG="true", **settings)
    assert run.code == 1
    for word in words:
        assert word in run.log
    assert len(relay.requests) == 1
    assert "canary" not in run.log


def test_githubs_token_is_asked_for_where_github_is_named(deployments: Deployments) -> None:
    root, _, name = deployments.repository.url_outside.removesuffix(".git").rpartition("/")
    github = {"KIT_GIT_URL": "", "KIT_GITHUB_URL": root, "GITHUB_USER": "acme", "GITHUB_REPO": name}
    run = deployments.run(KIT_GIT_PASSWORD="", KIT_GIT_USERNAME="", **github)
    assert run.code == 1
    assert "asks for credentials: 401" in run.log
    assert "Set GITHUB_AUTH_TOKEN (or GITHUB_AUTH_TOKEN_FILE)." in run.log


def test_a_repository_that_is_not_there(deployments: Deployments) -> None:
    url = deployments.repository.url_outside.replace(".git", "-gone.git")
    run = deployments.run(KIT_GIT_URL=url)
    assert run.code == 1
    assert "there is no such repository: 404" in run.log
    assert url in run.log


@pytest.mark.parametrize("hook", ["pre-receive", "update"])
def test_a_hooks_refusal_is_told_in_its_own_words(deployments: Deployments, hook: str) -> None:
    deployments.repository.hook(
        hook, "#!/bin/sh\necho 'master is frozen until Monday'\necho '::error::ask Grace' >&2\nexit 1\n"
    )
    before = deployments.commits()
    with Relay(deployments.repository.url_outside) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    assert run.code == 1
    assert "the server refused the push to master" in run.log
    assert "master is frozen until Monday" in run.log
    assert "ask Grace" in run.log
    assert not any(line.startswith("::error::ask") for line in run.log.splitlines())
    assert relay.count("POST", "git-receive-pack") == 1
    assert deployments.commits() == before


def test_a_pack_that_is_too_large_for_the_server(deployments: Deployments) -> None:
    deployments.repository.git("config", "receive.maxInputSize", "100")
    before = deployments.commits()
    with Relay(deployments.repository.url_outside) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    assert run.code == 1
    assert "the server could not take the commit in" in run.log
    assert "pack exceeds maximum allowed size" in run.log
    assert relay.count("POST", "git-receive-pack") == 1
    assert deployments.commits() == before


def test_a_request_that_is_too_large_for_the_server(deployments: Deployments) -> None:
    def refuse(exchange: Exchange) -> bool:
        if exchange.method == "POST" and exchange.service == "git-receive-pack":
            exchange.answer(413, body=b"at most 1 MB\n", Content_Type="text/plain")
            return True
        return False

    with Relay(deployments.repository.url_outside, meddle=refuse) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    assert run.code == 1
    assert "the git server refused the request: 413" in run.log
    assert "at most 1 MB" in run.log
    assert relay.count("POST", "git-receive-pack") == 1


def test_a_token_that_may_read_only(deployments: Deployments) -> None:
    deployments.repository.git("config", "http.receivepack", "false")
    before = deployments.commits()
    assert deployments.run(COMMIT="false").code == 0
    run = deployments.run()
    assert run.code == 1
    assert "these credentials may not push to the repository: 403" in run.log
    assert "KIT_GIT_PASSWORD" in run.log
    assert deployments.commits() == before


def test_an_address_that_is_no_git_server(deployments: Deployments) -> None:
    def page(exchange: Exchange) -> bool:
        exchange.answer(200, body=b"<html>", Content_Type="text/html")
        return True

    with Relay(deployments.repository.url_outside, meddle=page) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    assert run.code == 1
    assert "does not speak git's smart http protocol there: it answered with text/html" in run.log


def test_a_sha256_repository_is_refused(deployments: Deployments) -> None:
    repository = deployments.repository
    repository.container.execute("rm", "-rf", repository.path)
    repository.container.execute("git", "init", "-q", "--bare", "--object-format=sha256", repository.path)
    run = deployments.run()
    assert run.code == 1
    assert "names its objects by sha256" in run.log


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_HEAD_REF": "x"}, "GitHub Actions"),
        ({"CI_NAME": "codeship", "CI_PR_NUMBER": "7"}, "CodeShip"),
    ],
)
def test_a_pull_requests_build_may_not_commit(deployments: Deployments, env: dict[str, str], words: str) -> None:
    before = deployments.commits()
    run = deployments.run(**env)
    assert run.code == 2
    assert f"{words} says that this build belongs to a pull request" in run.log
    assert deployments.commits() == before
    assert deployments.run(COMMIT="false", **env).code == 0
    assert deployments.run(KIT_ALLOW_PULL_REQUEST="true", **env).code == 0
    assert NEW in deployments.repository.read(FILE)
