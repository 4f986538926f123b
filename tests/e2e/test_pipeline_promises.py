# SPDX-License-Identifier: MIT
"""Promises 2 and 9 by kit-pipeline: CodeShip's files without CodeShip, and a deploy by hand with nothing but Docker, a
clone and the key.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.process import Result, run
from demo.shop import Place
from kit_core.envfile import encrypt
from kit_core.keys import Key
from testbed.docker import docker
from tests.e2e.gate import Gate
from tests.e2e.shop import OPERATOR, Shop
from tests.e2e.terminal import Terminal, block

SOCKET = os.environ.get("DOCKER_HOST", "").removeprefix("unix://") or "/var/run/docker.sock"
VERSION = "0.1"
"""What the examples and the guide pin."""


@pytest.fixture
def gate() -> Iterator[Gate]:
    with Gate() as opened:
        yield opened


def test_promise_2_codeships_files_build_push_and_deploy_a_merged_change(shop: Shop, images: str, gate: Gate) -> None:
    """Both repositories' files as they stand in examples/, run by kit-pipeline's image on the engine it is in."""
    build = shop.change("Good afternoon")
    service = shop.stage.work / "ci-storefront"
    shop.stage.desk.git("", "clone", "--quiet", "storefront", service.name)
    key = _new_key(service)
    remote = shop.stage.remote
    port = gate.port(shop.stage.bed.git.http_port)
    login = f"KIT_GIT_USERNAME={remote.username}\nKIT_GIT_PASSWORD={remote.password}\n"
    _seal(service / "deploy.env.encrypted", login, key)
    _seal(service / "dockercfg.encrypted", _logins(images), key)
    _fit(
        service / "codeship-services.yml",
        {
            r"https://git\.example\.com/.*": f"http://{gate.host}:{port}/{remote.url.split('/', 3)[3]}",
            r"    args:\n": f"    args:\n      BUILDER: {shop.stage.builder.builder}\n",
        },
    )

    built = _pipeline(images, service, "--push")

    assert remote.password not in built.output
    recorded = shop.pull()
    assert build.tag in (shop.stage.work / "deployments/images/shop/storefront/master.yaml").read_text("utf-8")
    assert (recorded.author, recorded.email) == (build.author, build.email)

    deployments = shop.stage.work / "ci-deployments"
    shop.stage.clone(deployments.name)
    key = _new_key(deployments)
    payment_key = shop.stage.pipeline.secrets["PAYMENT_KEY"]
    _seal(deployments / "secrets.env.encrypted", f"PAYMENT_KEY={payment_key}\nCODESHIP_AES_KEY={key.text}\n", key)
    for file in _write_kubeconfigs(shop, deployments, gate):
        _seal(file.with_suffix(""), file.read_text("utf-8"), key)
        file.unlink()

    shop.shipped_otherwise()
    shipped = _pipeline(images, deployments)

    assert all(secret not in shipped.output for secret in (payment_key, key.text))
    for place in shop.places:
        page = shop.page(place, version=build.tag)
        assert (page["version"], page["greeting"]) == (build.tag, "Good afternoon"), place.folder
        assert shop.commit_on(place, "deployment", "storefront") == recorded.commit, place.folder
    assert (deployments / "reports/report.html").stat().st_uid == deployments.stat().st_uid


def test_promise_9_docker_a_clone_and_the_key_deploy(shop: Shop, images: str, gate: Gate) -> None:
    """docs/by-hand.md from its first command to its last, with git server, registry and CI switched off."""
    shop.shipped_otherwise()
    night, key = _prepared_by_day(shop, images, gate)
    desk = shop.stage.desk
    git = f"docker exec -w {night} {desk.container} git -c user.name=Grace -c user.email=grace@shop.example"
    terminal = Terminal(night, images, git)
    everywhere, change = shop.places, block("Five commands")
    with _switched_off(shop):
        _set(night, "closed")
        first = desk.commit(night.name, "Close for the night", OPERATOR)
        done = terminal.type(change)
        assert _hours(shop, everywhere, "closed") == {"closed"}, done.output
        assert "Loaded image" in done.output
        assert all(secret not in done.output for secret in (key, shop.stage.pipeline.secrets["PAYMENT_KEY"]))
        assert shop.commit_on(everywhere[0], "deployment", "storefront") == first.commit
        told = terminal.type(block("Before you press enter")).output
        assert told.count(first.commit) == told.count("healthy (") == len(everywhere), told

        _set(night, "by appointment")
        second = desk.commit(night.name, "Open by appointment", OPERATOR)
        terminal.type(change.splitlines()[-3])  # renders
        done = terminal.type(block("One cluster only, or one service"))
        assert _hours(shop, everywhere[:1], "by appointment") == {"by appointment"}, done.output
        assert _hours(shop, everywhere[1:], "closed") == {"closed"}, done.output

        done = terminal.type(block("Roll back"))
        assert _hours(shop, everywhere, "closed") == {"closed"}, done.output
        undone = desk.head(night.name)
        assert undone.commit not in {first.commit, second.commit}

        done = terminal.type(block("The whole pipeline at once"))
        assert re.search(r"changed=0\b", done.output), done.output
        assert _hours(shop, everywhere, "closed") == {"closed"}
    terminal.type(block("Back to normal"))
    assert not (night / "generated").exists()
    assert not (night / "codeship.aes").exists()


def _prepared_by_day(shop: Shop, images: str, gate: Gate) -> tuple[Path, str]:
    """What the guide wants done by day, done; the clone for the night with what lies beside it, and the key."""
    day, night = shop.stage.work / "day", shop.stage.work / "night"
    shop.stage.clone(day.name)
    _write_kubeconfigs(shop, day, gate)
    (day / "secrets.env").write_text(f"PAYMENT_KEY={shop.stage.pipeline.secrets['PAYMENT_KEY']}\n", "utf-8")
    Terminal(day, images, "false").type(block("Before the night"))
    desk = shop.stage.desk
    desk.git(day.name, "add", "clusters", "secrets.env.encrypted")
    desk.git(day.name, "commit", "--quiet", "-m", "Be ready for the night", author=OPERATOR)
    desk.git(day.name, "push", "--quiet", "origin", "master")
    shop.stage.clone(night.name)
    for name in ("codeship.aes", "kit-images.tar"):
        shutil.move(day / name, night / name)
    shutil.rmtree(day)
    names = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{images}/kit-*").stdout.split()
    docker("image", "rm", "--no-prune", *names)
    assert not list(night.glob("clusters/*/kubeconfig.yaml")), "a kubeconfig went to git in plain text"
    return night, (night / "codeship.aes").read_text("utf-8").strip()


@contextmanager
def _switched_off(shop: Shop) -> Iterator[None]:
    """Whoever asks git server or registry now gets no answer."""
    parts = [part.container.name for part in (shop.stage.bed.git, shop.stage.bed.registry)]
    docker("pause", *parts)
    try:
        yield
    finally:
        docker("unpause", *parts)


def _set(clone: Path, hours: str) -> None:
    """Give every storefront another environment variable."""
    file = clone / "base-cluster.yaml"
    text = file.read_text("utf-8")
    entry = r'( +- \{name: SHOP_REVIEWS, value: "on"\})(\n +- \{name: SHOP_HOURS.*)?'
    changed, count = re.subn(entry, rf"\1\n      - {{name: SHOP_HOURS, value: {hours}}}", text)
    assert count == 1
    file.write_text(changed, "utf-8")


def _hours(shop: Shop, places: tuple[Place, ...], wanted: str) -> set[str]:
    return {shop.settings(place, HOURS=wanted).get("HOURS", "") for place in places}


def _pipeline(images: str, folder: Path, *options: str) -> Result:
    """`kit-pipeline steps` for master in a clone, by its image; it has to pass."""
    command = ["docker", "run", "--rm", "-v", f"{SOCKET}:/var/run/docker.sock", "-v", f"{folder}:{folder}"]
    command += ["-w", str(folder), f"{images}/kit-pipeline:{VERSION}", "steps", "--tag", "master", *options]
    return run(command, check=True)


def _write_kubeconfigs(shop: Shop, clone: Path, gate: Gate) -> list[Path]:
    """Kubeconfigs of the account that deploys, as the guide wants them, by addresses that any container reaches."""
    files = []
    ports = {cluster.name: gate.port(cluster.port) for cluster in shop.stage.bed.clusters}
    for place in shop.places:
        text = (shop.stage.work / "kubeconfigs" / place.folder / "kubeconfig.yaml").read_text("utf-8")
        server = (
            f"server: https://{gate.host}:{ports[shop.stage.cluster(place).name]}\n      tls-server-name: localhost"
        )
        file = clone / "clusters" / place.folder / "kubeconfig.yaml"
        file.write_text(re.sub(r"server: .*", server, text), "utf-8")
        files.append(file)
    return files


def _new_key(folder: Path) -> Key:
    key = Key(os.urandom(32))
    (folder / "codeship.aes").write_text(key.text, "utf-8")
    return key


def _seal(file: Path, text: str, key: Key) -> None:
    file.write_bytes(encrypt(text.encode(), key))


def _fit(file: Path, changes: dict[str, str]) -> None:
    """Put in what stands for the internet here, each once."""
    text = file.read_text("utf-8")
    for old, new in changes.items():
        text, count = re.subn(old, new, text)
        assert count == 1, f"{old} stands {count} times in {file.name}"
    file.write_text(text, "utf-8")


def _logins(registry: str) -> str:
    return json.dumps({"auths": {registry: {"auth": b64encode(b"kit:no password").decode()}}})
