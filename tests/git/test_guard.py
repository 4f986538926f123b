# SPDX-License-Identifier: MIT
"""No older build over a newer one: by the service's history, by the numbers of one source, and in races."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kit_image_deployer import update_image
from testbed.git import GitRepository
from tests.archives import unpack
from tests.git.deployments import FILE, NEW, OLD, Deployments, Run
from tests.git.relay import Exchange, Relay, push_of

SOURCE = "jenkins shop/cart"
WAIT_FOR_ANOTHER = """#!/bin/sh
# The push of build 7 waits, after its objects came, until another push has moved the branch.
read -r old new ref
git log -1 --format=%B "$new" | grep -q "^Kit-Build: jenkins shop/cart 7$" || exit 0
touch waiting
for _ in $(seq 600); do
  [ "$(git rev-parse "$ref")" = "$old" ] || exit 0
  sleep 0.05
done
exit 1
"""


def image(tag: object) -> str:
    return f"registry.example.com/shop/cart:{tag}"


def build(deployments: Deployments, number: int, **others: str) -> Run:
    """A run as build NUMBER of the pipeline."""
    settings = {"KIT_BUILD_NUMBER": str(number), "KIT_BUILD_SOURCE": SOURCE, "IMAGE": image(number), **others}
    return deployments.run(**settings)


@pytest.fixture
def service(git_repository: Callable[..., GitRepository]) -> GitRepository:
    return git_repository("service", files={"main.c": "int main;\n"})


@pytest.fixture
def cloned(service: GitRepository, tmp_path: Path) -> Callable[..., str]:
    """Clones the service's repository as a CI does, with git; returns the folder."""

    def clone(name: str, *options: str) -> str:
        script = (
            f"set -e; rm -rf /tmp/{service.name}-clone; "
            f"git clone -q {' '.join(options)} file://{service.path} /tmp/{service.name}-clone; "
            f"tar -C /tmp/{service.name}-clone -c . | base64; rm -rf /tmp/{service.name}-clone"
        )
        packed = base64.b64decode(service.container.execute("sh", "-c", script).stdout)
        unpack(io.BytesIO(packed), tmp_path / name)
        return str(tmp_path / name)

    return clone


def test_an_older_build_leaves_a_newer_one(deployments: Deployments) -> None:
    assert build(deployments, 10, CI_COMMIT_ID="abc1234").code == 0
    before = deployments.commits()
    assert deployments.repository.read(FILE) == (
        f'# the cart\nimage: {image(10)}  # written by its pipeline\ncommit: abc1234\nbuild: "10"\nsource: "{SOURCE}"\n'
    )
    late = build(deployments, 9)
    assert late.code == 0
    assert f"{FILE} keeps {image(10)}: it holds build 10 of {SOURCE}, and ours is 9" in late.log
    assert late.last == f"result=superseded image={image(9)} file={FILE} branch=master previous={image(10)}"
    assert build(deployments, 9, COMMIT="false").last.startswith("result=superseded ")
    assert deployments.commits() == before
    assert build(deployments, 11).last.startswith("result=updated ")
    assert "commit:" not in deployments.repository.read(FILE)  # it was that of build 10
    assert "\nKit-Build: jenkins shop/cart 11" in deployments.repository.git("log", "-1", "--format=%B")
    deployments.check_history()


def test_a_wanted_step_back(deployments: Deployments) -> None:
    build(deployments, 10)
    back = build(deployments, 9, KIT_ALLOW_DOWNGRADE="true")
    assert back.last.startswith(f"result=updated image={image(9)} ")
    assert "a step back, as KIT_ALLOW_DOWNGRADE wants it" in back.log
    assert 'build: "9"' in deployments.repository.read(FILE)


def test_the_same_image_by_another_build_is_nothing_to_do(deployments: Deployments) -> None:
    build(deployments, 10)
    before = deployments.commits()
    for number in (9, 10, 11):
        assert build(deployments, number, IMAGE=image(10)).last.startswith("result=unchanged ")
    assert deployments.commits() == before


def test_moving_to_another_ci_never_holds_up_a_deploy(deployments: Deployments) -> None:
    github = {
        "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "shop/cart",
        "GITHUB_WORKFLOW_REF": "shop/cart/.github/workflows/build.yml@refs/heads/master",
    }  # fmt: skip
    gitlab = {"GITLAB_CI": "true", "CI_PROJECT_URL": "https://gitlab.com/shop/cart"}
    jenkins = {"JENKINS_URL": "https://ci.example.com/", "JOB_NAME": "cart/master"}
    for number, env in ((900, github), (3, gitlab), (2, jenkins), (1, {**github, "GITHUB_REPOSITORY": "shop/basket"})):
        run = build(deployments, number, KIT_BUILD_SOURCE="", **env)
        assert run.last.startswith(f"result=updated image={image(number)} "), run.log
    assert 'source: "github github.com/shop/basket ' in deployments.repository.read(FILE)


def test_the_history_of_the_service_decides(
    deployments: Deployments, service: GitRepository, cloned: Callable[..., str]
) -> None:
    commits = [service.commit({"main.c": f"int v = {number};\n"}) for number in range(3)]
    folder = cloned("whole")

    def run(number: int, **others: str) -> Run:
        return deployments.run(
            KIT_SOURCE_DIR=folder, CI_COMMIT_ID=commits[number], IMAGE=image(commits[number]), **others
        )

    assert run(2).last.startswith("result=updated ")
    assert f"\ncommit: {commits[2]}\n" in deployments.repository.read(FILE).replace('"', "")
    older = run(0)
    assert older.last.startswith("result=superseded ")
    assert f"it holds commit {commits[2][:12]}, which follows ours, {commits[0][:12]}" in older.log
    # It wins over numbers, in both directions.
    numbers = {"KIT_BUILD_SOURCE": SOURCE}
    assert run(1, KIT_BUILD_NUMBER="99", **numbers).last.startswith("result=superseded ")
    assert run(1, KIT_BUILD_NUMBER="99", KIT_ALLOW_DOWNGRADE="true", **numbers).last.startswith("result=updated ")
    assert run(2, KIT_BUILD_NUMBER="5", **numbers).last.startswith("result=updated ")


def test_a_shallow_clone_leaves_it_to_the_numbers(
    deployments: Deployments, service: GitRepository, cloned: Callable[..., str]
) -> None:
    first = service.head()
    shallow = cloned("old", "--depth", "1")
    newer = service.commit({"main.c": "int v = 1;\n"})
    whole = cloned("whole")
    assert build(deployments, 8, KIT_SOURCE_DIR=whole).code == 0  # the commit is the one that is checked out
    assert newer in deployments.repository.read(FILE)
    late = {"KIT_SOURCE_DIR": shallow, "CI_COMMIT_ID": first}
    assert build(deployments, 7, **late).last.startswith("result=superseded ")
    unknown = deployments.run(IMAGE=image("old"), **late)
    assert unknown.last.startswith("result=updated ")
    assert f"commits {newer[:12]} (there) and {first[:12]} (ours) is newer is not known" in unknown.log
    assert deployments.repository.read(FILE).replace('"', "").endswith(f"\ncommit: {first}\n")


def test_settings_that_cannot_be_compared_are_refused(deployments: Deployments, tmp_path: Path) -> None:
    before = deployments.commits()
    for settings, words in (
        ({"KIT_BUILD_NUMBER": "1.2", "KIT_BUILD_SOURCE": SOURCE}, "KIT_BUILD_NUMBER='1.2' is no build's number"),
        ({"KIT_BUILD_NUMBER": "7"}, "KIT_BUILD_SOURCE is missing"),
        ({"KIT_SOURCE_DIR": str(tmp_path)}, "there is no git repository in it"),
    ):
        run = deployments.run(**settings)
        assert run.code == 2
        assert words in run.log
    assert deployments.commits() == before


def test_a_record_goes_with_the_image_that_it_spoke_of(deployments: Deployments) -> None:
    text = "# the cart\r\nbuild: '8' # of the old image\r\nimage: x:8\r\nsource: jenkins shop/cart\r\nmore: [1,  2]\r\n"
    deployments.repository.commit({FILE: text})
    assert deployments.run().code == 0  # without the guard
    assert deployments.repository.read(FILE) == f"# the cart\r\nimage: {NEW}\r\nmore: [1,  2]\r\n"
    assert build(deployments, 7).last.startswith("result=updated ")


def test_what_is_no_part_of_a_record_stays_beside_one(deployments: Deployments) -> None:
    text = f"image: x:8\ncommit: {'a' * 40}\nsource: docs/cart.md\nbuild: nightly\n"
    deployments.repository.commit({FILE: text})
    assert deployments.run().code == 0
    assert deployments.repository.read(FILE) == f"image: {NEW}\nsource: docs/cart.md\nbuild: nightly\n"


def test_keys_of_ones_own_stay(deployments: Deployments) -> None:
    text = "image: x:8\nsource: {url: https://git.example.com/cart}\ncommit: the first\nbuild: [1]\n"
    deployments.repository.commit({FILE: text})
    assert deployments.run().code == 0
    assert deployments.repository.read(FILE) == text.replace("x:8", NEW)
    refused = build(deployments, 7)
    assert refused.code == 2
    assert f"{FILE}:4" in refused.log or f"{FILE}:2" in refused.log
    assert deployments.repository.read(FILE) == text.replace("x:8", NEW)


def test_a_newer_build_that_lands_first_is_not_overwritten(deployments: Deployments) -> None:
    def newer_lands(exchange: Exchange) -> bool:
        if push_of(exchange, 1):
            assert build(deployments, 8).last.startswith("result=updated ")
        return False

    with Relay(deployments.repository.url_outside, meddle=newer_lands) as relay:
        run = build(deployments, 7, KIT_GIT_URL=relay.url)
    assert run.code == 0
    assert "someone else pushed first" in run.log
    assert run.last.startswith("result=superseded ")
    assert image(8) in deployments.repository.read(FILE)
    assert len(deployments.commits()) == 2


def test_an_older_build_that_waits_in_a_hook_loses(deployments: Deployments) -> None:
    deployments.repository.hook("pre-receive", WAIT_FOR_ANOTHER)
    waiting = (
        f"for _ in $(seq 600); do [ -e {deployments.repository.path}/waiting ] && exit 0; sleep 0.05; done; exit 1"
    )
    with ThreadPoolExecutor(1) as pool:
        older = pool.submit(build, deployments, 7)
        deployments.repository.container.execute("sh", "-c", waiting)
        newer = build(deployments, 8)
        assert newer.last.startswith("result=updated "), newer.log
        assert older.result().last.startswith("result=superseded "), older.result().log
    assert image(8) in deployments.repository.read(FILE)
    assert len(deployments.commits()) == 2
    deployments.check_history()


def test_builds_in_any_order_end_with_the_newest(deployments: Deployments) -> None:
    numbers = [3, 9, 1, 12, 5, 10]
    with ThreadPoolExecutor(len(numbers)) as pool:
        runs = list(pool.map(lambda number: build(deployments, number), numbers))
    assert {run.code for run in runs} == {0}
    assert image(12) in deployments.repository.read(FILE)
    landed = [run for run in runs if "result=updated" in run.last]
    assert len(deployments.commits()) == 1 + len(landed)
    history = deployments.repository.git("log", "--reverse", "--format=%(trailers:key=Kit-Build,valueonly,separator=)")
    order = [int(line.rpartition(" ")[2]) for line in history.splitlines() if line]
    assert order == sorted(order)
    deployments.check_history()


def test_our_push_arrived_before_a_newer_build(deployments: Deployments) -> None:
    """Its answer is lost, and then the newer build lands: ours was done, and is not superseded."""

    def lose_the_answer(exchange: Exchange) -> bool:
        if not push_of(exchange, 1):
            return False
        exchange.forward()
        assert build(deployments, 8).last.startswith("result=updated ")
        exchange.cut()
        return True

    with Relay(deployments.repository.url_outside, meddle=lose_the_answer) as relay:
        run = build(deployments, 7, KIT_GIT_URL=relay.url)
    assert run.last.startswith(f"result=updated image={image(7)} ")
    assert image(8) in deployments.repository.read(FILE)
    assert len(deployments.commits()) == 3


def test_the_guard_in_the_library(deployments: Deployments, service: GitRepository, cloned: Callable[..., str]) -> None:
    repository = deployments.repository
    first = service.head()
    newer = service.commit({"main.c": "int v = 1;\n"})
    folder = Path(cloned("whole"))
    outcomes = [
        update_image(
            repository.url_outside,
            username=repository.username,
            password=repository.password,
            repository="shop/cart",
            branch="master",
            image=image(commit),
            source_commit=commit,
            source_dir=folder,
            commit=True,
        )
        for commit in (newer, first)
    ]
    assert [outcome.result for outcome in outcomes] == ["updated", "superseded"]
    assert outcomes[1].previous == image(newer)
    assert newer[:12] in outcomes[1].files[0].why
    assert OLD not in repository.read(FILE)
