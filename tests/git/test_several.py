# SPDX-License-Identifier: MIT
"""Several images in one commit."""

from __future__ import annotations

import json

from kit_image_deployer import ImageUpdate, update_images
from tests.git.deployments import FILE, FILES, NEW, OLD, Deployments
from tests.git.relay import Exchange, Relay, push_of

WEB = "images/shop/web/master.yaml"
WEB_IMAGE = "registry.example.com/shop/web:master-2"
STAGING = "images/shop/deep/er/release/1.yaml"
STAGING_IMAGE = "registry.example.com/shop/deep:1@sha256:" + "a" * 64
IMAGES = f"shop/web={WEB_IMAGE}\nshop/deep/er@release/1={STAGING_IMAGE}"


def test_all_of_them_land_in_one_commit(deployments: Deployments) -> None:
    before = deployments.commits()
    run = deployments.run(KIT_IMAGES=IMAGES, CI_COMMIT_MESSAGE="Bigger baskets")
    assert run.code == 0, run.log
    git = deployments.repository.git
    commits = deployments.commits()
    assert commits[1:] == before
    changed = git("diff-tree", "-r", "--name-status", before[0], commits[0]).splitlines()
    assert sorted(changed) == sorted([f"M\t{FILE}", f"M\t{WEB}", f"A\t{STAGING}"])
    assert deployments.repository.read(FILE) == f"# the cart\nimage: {NEW}  # written by its pipeline\n"
    assert deployments.repository.read(WEB) == f"image: {WEB_IMAGE}\n"
    assert deployments.repository.read(STAGING) == f"image: {STAGING_IMAGE}\n"
    assert git("log", "-1", "--format=%s") == "Bigger baskets"
    body = git("log", "-1", "--format=%b")
    for path, image in ((FILE, NEW), (WEB, WEB_IMAGE), (STAGING, STAGING_IMAGE)):
        assert f"- {path}: {image}" in body
    assert git("log", "-1", "--format=%(trailers:only)").strip().splitlines() == [
        f"Kit-Image: {NEW}",
        f"Kit-Previous-Image: {OLD}",
        f"Kit-Image: {WEB_IMAGE}",
        "Kit-Previous-Image: registry.example.com/shop/web:master-1",
        f"Kit-Image: {STAGING_IMAGE}",
    ]
    assert run.last == (
        f"result=updated image={NEW},{WEB_IMAGE},{STAGING_IMAGE} file={FILE},{WEB},{STAGING} branch=master"
        f" commit={commits[0]} updated=3"
    )
    deployments.check_history()


def test_files_that_hold_theirs_are_left_out(deployments: Deployments) -> None:
    deployments.run(DOCKER_REPO="shop/web", IMAGE=WEB_IMAGE)
    before = deployments.commits()
    run = deployments.run(KIT_IMAGES=IMAGES)
    assert f"{WEB} already names {WEB_IMAGE}" in run.log
    assert run.last.endswith(" unchanged=1 updated=2")
    after = deployments.commits()
    assert WEB not in deployments.repository.git("diff-tree", "-r", "--name-only", before[0], after[0])
    assert WEB_IMAGE not in deployments.repository.git("log", "-1", "--format=%B")
    again = deployments.run(KIT_IMAGES=IMAGES)
    assert again.last.startswith("result=unchanged ")
    assert again.last.endswith(" unchanged=3")
    assert deployments.commits() == after


def test_a_dry_run_shows_every_file(deployments: Deployments) -> None:
    before = deployments.commits()
    run = deployments.run(KIT_IMAGES=IMAGES, COMMIT="false", DOCKER_REPO="", IMAGE="")
    for line in (f"--- a/{WEB}", f"+++ b/{WEB}", "--- /dev/null", f"+++ b/{STAGING}", f"+image: {STAGING_IMAGE}",
                 "2 files would change", "Deploy 2 images"):  # fmt: skip
        assert line in run.log
    assert FILE not in run.log
    assert run.last.startswith("result=dry-run ")
    assert deployments.commits() == before


def test_the_guard_looks_at_each_file(deployments: Deployments) -> None:
    build = {"KIT_BUILD_SOURCE": "jenkins shop", "KIT_LOG_FORMAT": "json"}
    deployments.run(KIT_BUILD_NUMBER="8", **build)
    older = deployments.run(KIT_BUILD_NUMBER="7", IMAGE="registry.example.com/shop/cart:7", KIT_IMAGES=IMAGES, **build)
    lines = [json.loads(line) for line in older.log.splitlines()]
    assert lines[-1]["result"] == "updated"
    assert (lines[-1]["superseded"], lines[-1]["updated"]) == ("1", "2")
    assert {line["file"]: line["result"] for line in lines[:-1] if "result" in line} == {FILE: "superseded"}
    assert NEW in deployments.repository.read(FILE)
    assert deployments.repository.read(WEB) == f'image: {WEB_IMAGE}\nbuild: "7"\nsource: "jenkins shop"\n'
    assert "shop/cart:7" not in deployments.repository.git("log", "-1", "--format=%B")
    none = deployments.run(
        KIT_BUILD_NUMBER="6", IMAGE="registry.example.com/shop/cart:6", KIT_IMAGES=IMAGES,
        KIT_BUILD_SOURCE="jenkins shop",
    )  # fmt: skip
    assert none.last.startswith("result=superseded ")
    assert none.last.endswith(" superseded=1 unchanged=2")


def test_a_lost_race_and_a_lost_answer(deployments: Deployments) -> None:
    theirs: list[str] = []

    def meddle(exchange: Exchange) -> bool:
        if push_of(exchange, 1):
            theirs.append(deployments.repository.commit({WEB: "# theirs\nimage: theirs:7\n"}))
        if push_of(exchange, 2):
            exchange.forward()
            theirs.append(deployments.repository.commit({FILE: "image: newer:9\n"}))
            exchange.cut()
            return True
        return False

    before = deployments.commits()
    with Relay(deployments.repository.url_outside, meddle=meddle) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url, KIT_IMAGES=IMAGES)
    assert run.code == 0, run.log
    commits = deployments.commits()
    assert len(commits) == len(before) + 3
    assert run.last.split("commit=")[1].split()[0] == commits[1]
    assert (commits[0], commits[2]) == (theirs[1], theirs[0])
    assert deployments.repository.read(WEB) == f"# theirs\nimage: {WEB_IMAGE}\n"
    assert deployments.repository.read(FILE) == "image: newer:9\n"
    deployments.check_history()


def test_one_broken_file_and_nothing_is_changed(deployments: Deployments) -> None:
    deployments.repository.commit({WEB: "image: [a, list]\n"})
    before = deployments.commits()
    run = deployments.run(KIT_IMAGES=IMAGES)
    assert run.code == 2
    assert WEB in run.log
    assert deployments.commits() == before


def test_a_file_cannot_be_a_folder_as_well(deployments: Deployments) -> None:
    before = deployments.commits()
    run = deployments.run(KIT_IMAGES=f"a@b={NEW},a/b.yaml@c={NEW}")
    assert run.code == 2
    assert "images/a/b.yaml should be a folder" in run.log
    assert deployments.commits() == before


def test_many_at_once_cost_few_requests(deployments: Deployments) -> None:
    services = [f"team{number % 3}/service{number}" for number in range(60)]
    repository = deployments.repository
    with Relay(repository.url_outside) as relay:
        outcome = update_images(
            relay.url,
            [ImageUpdate(repository=name, branch="master", image=f"r.example.com/{name}:1") for name in services],
            username=repository.username,
            password=repository.password,
            commit=True,
        )
        asked = len(relay.requests)
        assert [item.result for item in outcome.files] == ["updated"] * 60
        update_images(
            relay.url,
            [ImageUpdate(repository=name, branch="master", image=f"r.example.com/{name}:2") for name in services],
            username=repository.username,
            password=repository.password,
            commit=True,
        )
        assert len(relay.requests) - asked < 15
    for name in services:
        assert repository.read(f"images/{name}/master.yaml") == f"image: r.example.com/{name}:2\n"
    assert repository.read(FILE) == FILES[FILE]
    deployments.check_history()
