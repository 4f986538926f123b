# SPDX-License-Identifier: MIT
"""The examples' pipelines in plain shell, run as they stand: with a shell, git and docker, on the real parts."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from demo.process import Result
from demo.stage import ADA
from kit_core.envfile import encrypt
from kit_core.keys import Key
from testbed.docker import docker
from tests.e2e.shop import OPERATOR, Shop

Run = Callable[..., Result]
MESSAGE = 'Greet "everybody" for $0; it\'s `free`\n\nSecond paragraph, with * and \\ and é'
PLACES = "/usr/local/bin:/usr/bin:/bin"


@pytest.fixture
def pipeline(shop: Shop, tmp_path: Path, images: str) -> Iterator[Run]:
    """Runs `pipeline.sh` of a clone with nothing in its environment but what is given; docker finds the testbed."""
    desk = shop.stage.desk
    git = tmp_path / "git"
    git.write_text(f'#!/bin/sh\nexec docker exec -w "$PWD" {desk.container} git "$@"\n', "utf-8")
    git.chmod(0o755)
    engine = {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}
    options = " ".join(["--network", shop.stage.bed.network, *shop.stage.pipeline.options])

    def start(folder: str, env: Mapping[str, str] | None = None) -> Result:
        script = shop.stage.work / folder / "pipeline.sh"
        assert images in script.read_text("utf-8")
        given = {"PATH": f"{tmp_path}:{PLACES}", "HOME": os.environ.get("HOME", "/"), "DOCKER_RUN_OPTIONS": options}
        # Nothing of this machine's environment, such as another CI's variables.
        done = subprocess.run(
            ["sh", str(script)],
            env={**engine, **given, **(env or {})},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        return Result(command=("sh", str(script)), code=done.returncode, output=done.stdout, seconds=0)

    yield start
    if (shop.stage.work / "by shell").exists():
        commits = desk.git("by shell", "log", "--all", "--format=%H").output.split()
        docker("image", "rm", "--no-prune", *(f"storefront:{commit}" for commit in commits), check=False)


def test_a_branch_of_the_deployments_repository_shows_what_it_changes(shop: Shop, pipeline: Run) -> None:
    """No secret is given, and no cluster could be asked: there is no kubeconfig."""
    shop.stage.clone("look by shell")
    file = shop.stage.work / "look by shell/base-var.yaml"
    file.write_text(file.read_text("utf-8").replace("EUR", "SEK"), "utf-8")
    shop.stage.desk.git("look by shell", "checkout", "--quiet", "-b", "kronor")
    shop.stage.desk.commit("look by shell", "Sell in kronor", OPERATOR)

    looked = pipeline("look by shell")

    assert looked.code == 0, looked.output
    assert [line for line in looked.output.splitlines() if line.startswith("== ")] == [
        "== render with placeholders",
        "== check",
        "== diff",
    ]
    assert looked.line(r"^-.*SHOP_CURRENCY: \"?EUR")
    assert looked.line(r"^\+.*SHOP_CURRENCY: \"?SEK")

    file.write_text(file.read_text("utf-8") + "unread: yes\n", "utf-8")
    refused = pipeline("look by shell")

    assert refused.code == 3, refused.output
    assert refused.line(r"no template reads the setting unread")
    assert not refused.line("== diff")


def test_a_change_goes_from_a_services_commit_to_all_clusters(shop: Shop, pipeline: Run) -> None:
    desk, remote = shop.stage.desk, shop.stage.remote
    desk.git("", "clone", "--quiet", "storefront", "by shell")
    fit(shop, "by shell")
    before = shop.pull()

    desk.git("by shell", "checkout", "--quiet", "-b", "feature/it's-odd")
    desk.commit("by shell", "Try something", ADA)
    tried = pipeline("by shell")

    assert tried.code == 0, tried.output
    assert "check passed" in tried.output
    assert shop.pull() == before, "a branch deploys nothing"

    desk.git("by shell", "checkout", "--quiet", "master")
    fit(shop, "by shell")
    build = desk.commit("by shell", MESSAGE, ADA)
    logins = {"KIT_GIT_USERNAME": remote.username, "KIT_GIT_PASSWORD": remote.password}
    built = pipeline("by shell", logins)

    assert built.code == 0, built.output
    assert remote.password not in built.output
    commit = shop.pull()
    assert commit.commit != before.commit
    assert (commit.author, commit.email) == (ADA.name, ADA.email)
    assert commit.message.startswith(MESSAGE)
    assert f"Kit-Source-Commit: {build.commit}" in commit.message.splitlines()

    shop.stage.clone("deploy by shell")
    key = write_kubeconfigs(shop, "deploy by shell")
    secrets = {**shop.stage.pipeline.secrets, "CODESHIP_AES_KEY": key.text}
    shop.shipped_otherwise()
    deployed = pipeline("deploy by shell", secrets)

    assert deployed.code == 0, deployed.output
    assert not [secret for secret in secrets.values() if secret in deployed.output]
    for place in shop.places:
        assert shop.page(place, version=build.tag)["version"] == build.tag, place.folder
        assert shop.commit_on(place, "deployment", "storefront") == commit.commit, place.folder
    assert (shop.stage.work / "deploy by shell/reports/report.html").stat().st_uid == os.getuid()


def fit(shop: Shop, folder: str) -> None:
    """Put the testbed's git server and Go in place of the internet's."""
    work = shop.stage.work / folder
    for name, old, new in (
        ("pipeline.sh", r"https://git\.example\.com/\S+", shop.stage.remote.url),
        ("Dockerfile", r"^ARG BUILDER=.*$", f"ARG BUILDER={shop.stage.builder.builder}"),
    ):
        text, count = re.subn(old, new, (work / name).read_text("utf-8"), flags=re.MULTILINE)
        assert count == 1
        (work / name).write_text(text, "utf-8")


def write_kubeconfigs(shop: Shop, folder: str) -> Key:
    """Encrypted kubeconfigs in a clone, as a team keeps them; their key."""
    key = Key(os.urandom(32))
    for place in shop.places:
        plain = (shop.stage.work / "kubeconfigs" / place.folder / "kubeconfig.yaml").read_bytes()
        (shop.stage.work / folder / "clusters" / place.folder / "kubeconfig").write_bytes(encrypt(plain, key))
    return key
