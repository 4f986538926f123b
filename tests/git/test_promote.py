# SPDX-License-Identifier: MIT
"""`promote`: the images of one environment for another, in one commit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kit_image_deployer import promote_images
from testbed.git import GitRepository
from tests.git.deployments import KIT, Deployments, Run
from tests.git.relay import Exchange, Relay, push_of

COMMIT = "c" * 40
CART, WEB, DEEP = ("images/shop/cart", "images/shop/web", "images/shop/deep/er")
FILES = {
    "kit.yaml": KIT,
    f"{CART}/staging.yaml": f"# cart\nimage: r/shop/cart:2\nmore: 5\ncommit: {COMMIT}\nbuild: '8'\nsource: ci cart\n",
    f"{CART}/production.yaml": "# bought here\r\nimage: 'r/shop/cart:1'\r\nreplicas: 2\r\n",
    f"{WEB}/staging.yaml": "image: r/shop/web:2\n",
    f"{WEB}/production.yaml": f"image: r/shop/web:1\ncommit: {COMMIT}\nmore: true\n",
    f"{DEEP}/staging.yaml": "image: r/shop/deep:2\n",
    "images/shop/blog/production.yaml": "image: r/shop/blog:1\n",
    "images/shop/same/staging.yaml": "image: r/shop/same:1\n",
    "images/shop/same/production.yaml": "image: r/shop/same:1\n",
    "clusters/europe/staging.yaml": "image: none\n",
}


@pytest.fixture
def environments(git_repository: Callable[..., GitRepository]) -> Deployments:
    return Deployments(git_repository("environments", files=FILES))


def promote(environments: Deployments, *arguments: str, **others: str) -> Run:
    unset = dict.fromkeys(("DOCKER_REPO", "CI_BRANCH", "IMAGE"), "")
    return environments.run("promote", *arguments, **unset, **others)


def test_all_that_have_one(environments: Deployments) -> None:
    before = environments.commits()
    run = promote(environments, "staging", "production", CI_COMMIT_ID="d" * 40)
    assert run.code == 0, run.log
    git, read = environments.repository.git, environments.repository.read
    after = environments.commits()
    assert after[1:] == before
    assert git("diff-tree", "-r", "--name-only", before[0], after[0]).splitlines() == [
        f"{CART}/production.yaml", f"{DEEP}/production.yaml", f"{WEB}/production.yaml",
    ]  # fmt: skip
    # What is recorded of an image goes with it; what else the files say stays theirs.
    assert read(f"{CART}/production.yaml") == (
        f'# bought here\r\nimage: \'r/shop/cart:2\'\r\ncommit: {COMMIT}\r\nbuild: "8"\r\nsource: "ci cart"\r\n'
        "replicas: 2\r\n"
    )
    assert read(f"{WEB}/production.yaml") == "image: r/shop/web:2\nmore: true\n"
    assert read(f"{DEEP}/production.yaml") == "image: r/shop/deep:2\n"
    assert read("images/shop/blog/production.yaml") == FILES["images/shop/blog/production.yaml"]
    message = git("log", "-1", "--format=%B")
    assert message.startswith("Promote staging to production\n\n")
    assert f"- {CART}/production.yaml: r/shop/cart:2\n" in message
    assert "Kit-Image: r/shop/cart:2\nKit-Previous-Image: r/shop/cart:1\n" in message
    assert "d" * 40 not in message  # the commit that this pipeline builds is not the images'
    assert run.last.endswith(" unchanged=1 updated=3")
    assert promote(environments, "staging", "production").last.startswith("result=unchanged ")
    assert environments.commits() == after
    environments.check_history()


def test_some(environments: Deployments) -> None:
    run = promote(environments, "staging", "release/1", "shop/deep/er", "shop/deep/er")
    path = f"{DEEP}/release/1.yaml"
    assert run.last.startswith(f"result=updated image=r/shop/deep:2 file={path} branch=master commit=")
    assert environments.repository.read(path) == "image: r/shop/deep:2\n"
    back = promote(environments, "release/1", "production")
    assert back.last.startswith("result=updated ")
    assert environments.repository.read(f"{DEEP}/production.yaml") == "image: r/shop/deep:2\n"


def test_a_dry_run(environments: Deployments) -> None:
    before = environments.commits()
    run = promote(environments, "staging", "production", COMMIT="false")
    for line in ("3 files would change", f"+++ b/{DEEP}/production.yaml", "Promote staging to production"):
        assert line in run.log
    assert run.last.startswith("result=dry-run ")
    assert environments.commits() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["staging", "production", "shop/crat"], "did you mean shop/cart for shop/crat?"),
        (["staging", "production", "shop/blog", "shop/web"], "shop/blog has no file for the branch staging"),
        (["stagin", "production"], "did you mean staging?"),
        (["nowhere", "production"], "branches that have files: production, staging"),
        (["staging", "staging"], "staging cannot be promoted to itself"),
        (["staging", "../x"], "TO_BRANCH='../x' cannot be part of a path"),
        (["staging", "production", "/etc"], "REPO='/etc' cannot be part of a path"),
        (["staging"], "TO_BRANCH is missing"),
    ],
)
def test_what_cannot_be_promoted(environments: Deployments, arguments: list[str], words: str) -> None:
    before = environments.commits()
    run = promote(environments, *arguments)
    assert run.code == 2
    assert words in run.log
    assert environments.commits() == before


@pytest.mark.parametrize("text", ["", "image:\n", "tag: x\n", "image: {a: b}\n", "image: No Image\n"])
def test_a_file_without_an_image_stops_it(environments: Deployments, text: str) -> None:
    before = environments.repository.commit({f"{WEB}/staging.yaml": text})
    run = promote(environments, "staging", "production")
    assert run.code == 2
    assert f"{WEB}/staging.yaml" in run.log
    assert environments.commits()[0] == before
    assert promote(environments, "staging", "production", "shop/cart").code == 0


def test_what_is_promoted_is_read_anew_after_a_lost_race(environments: Deployments) -> None:
    def deploy(exchange: Exchange) -> bool:
        if push_of(exchange, 1):
            environments.repository.commit({f"{WEB}/staging.yaml": "image: r/shop/web:3\n"})
        return False

    with Relay(environments.repository.url_outside, meddle=deploy) as relay:
        run = promote(environments, "staging", "production", KIT_GIT_URL=relay.url)
    assert run.code == 0, run.log
    assert environments.repository.read(f"{WEB}/production.yaml").startswith("image: r/shop/web:3\n")


def test_a_pull_requests_build_promotes_nothing(environments: Deployments) -> None:
    run = promote(environments, "staging", "production", GITLAB_CI="true", CI_MERGE_REQUEST_IID="7")
    assert run.code == 2
    assert "refused in a pull request's build" in run.log


def test_the_guard_has_no_say(environments: Deployments) -> None:
    """A promotion is wanted by a person: the number of its own build says nothing of the images."""
    run = promote(
        environments, "staging", "production", "shop/web", KIT_BUILD_NUMBER="x.y", KIT_SOURCE_DIR="/nonexistent"
    )
    assert run.last.startswith("result=updated ")


def test_only_the_images_folder_is_read(git_repository: Callable[..., GitRepository]) -> None:
    many = {f"images/team{n % 20}/service{n}/{env}.yaml": f"image: r/service{n}:{env}\n"
            for n in range(200) for env in ("staging", "production")}  # fmt: skip
    rest = {f"clusters/c{n % 50}/file{n}.yaml": f"number: {n}\n" * 50 for n in range(2000)}
    large = Deployments(git_repository("large", files={"kit.yaml": KIT, **many, **rest}))
    with Relay(large.repository.url_outside) as relay:
        outcome = promote_images(
            relay.url,
            "staging",
            "production",
            username=large.repository.username,
            password=large.repository.password,
            message="Release 7",
            commit=True,
        )
        assert len(relay.requests) < 15
        assert relay.received < 120_000  # the folders of 200 services, and two small files of each
    assert len(outcome.files) == 200
    assert outcome.message.startswith("Release 7\n\n- images/team0/service0/production.yaml: r/service0:staging\n")
    assert large.repository.read("images/team7/service7/production.yaml") == "image: r/service7:staging\n"
    large.check_history()
