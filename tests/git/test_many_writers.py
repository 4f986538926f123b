# SPDX-License-Identifier: MIT
"""Many writers at once, on a server that is well, that dies, and over connections that break: nothing is lost, nothing
is doubled.
"""

from __future__ import annotations

import random
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from kit_image_deployer import Outcome, update_image
from testbed.bed import Testbed
from testbed.container import Container
from testbed.docker import docker
from testbed.git import GitRepository, GitServer
from tests.git.deployments import FILE, FILES, Deployments
from tests.git.relay import Exchange, Relay

READY = "[ $(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/) = 401 ]"


@pytest.fixture
def own_server(bed: Testbed) -> Iterator[GitServer]:
    """A git server that a test may kill; a folder of it, /srv/small, holds one megabyte."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]  # a port that Docker chooses would be another one after a restart
    container, password = Container(bed.id, f"git-{secrets.token_hex(3)}"), secrets.token_urlsafe(12)
    options = ["--env", f"GIT_PASSWORD={password}", "--publish", f"127.0.0.1:{port}:80"]
    container.start(
        bed.image, ["kit-git"], options=[*options, "--tmpfs", "/srv/small:size=1m", *container.volume("/srv/git")]
    )
    try:
        container.await_true(READY, what="answer of the git server", limit=30)
        yield GitServer(container, port, 0, password, "")
    finally:
        docker("rm", "--force", "--volumes", container.name)


def write(repository: GitRepository, service: str, image: str, *, url: str | None = None, build: int = 0) -> Outcome:
    return update_image(
        url or repository.url_outside,
        username=repository.username,
        password=repository.password,
        repository=service,
        branch="master",
        image=image,
        build_number=str(build) if build else None,
        build_source="jenkins shop/cart" if build else None,
        commit=True,
        retries=1000,
        deadline=240,
    )


def at_once(writers: Mapping[str, Callable[[], Outcome]]) -> dict[str, Outcome]:
    with ThreadPoolExecutor(len(writers)) as pool:
        running = {name: pool.submit(write) for name, write in writers.items()}
        return {name: future.result() for name, future in running.items()}


def services(count: int) -> dict[str, str]:
    return {f"shop/service{number}": f"registry.example.com/shop/service{number}:2" for number in range(count)}


def check(
    deployments: Deployments, before: list[str], outcomes: Mapping[str, Outcome], wrote: Mapping[str, str]
) -> None:
    """Each landed exactly once, on a line of history, and the tree holds each one's word and what was there before."""
    assert {outcome.result for outcome in outcomes.values()} == {"updated"}
    landed = [outcome.commit for outcome in outcomes.values()]
    commits = deployments.commits()
    assert sorted(commits) == sorted([*before, *map(str, landed)])
    assert len(set(commits)) == len(commits)
    for service, image in wrote.items():
        assert deployments.repository.read(f"images/{service}/master.yaml") == f"image: {image}\n"
    assert deployments.repository.read(FILE) == FILES[FILE]
    deployments.check_history()


def test_fifty_writers_of_different_services_all_land(deployments: Deployments) -> None:
    before, images = deployments.commits(), services(50)
    writers = {item: partial(write, deployments.repository, item, image) for item, image in images.items()}
    check(deployments, before, at_once(writers), images)


def test_fifty_builds_of_one_service_land_or_are_superseded(deployments: Deployments) -> None:
    before = deployments.commits()
    images = {number: f"registry.example.com/shop/cart:{number}" for number in range(1, 51)}
    one = partial(write, deployments.repository, "shop/cart")
    writers = {str(number): partial(one, image, build=number) for number, image in images.items()}
    outcomes = at_once(writers)
    assert {outcome.result for outcome in outcomes.values()} <= {"updated", "superseded"}
    landed = {outcome.commit: int(name) for name, outcome in outcomes.items() if outcome.result == "updated"}
    commits = deployments.commits()
    assert sorted(commits) == sorted([*before, *map(str, landed)])
    # The newest is there, and no older one ever came after a newer one.
    order = [landed[commit] for commit in reversed(commits) if commit not in before]
    assert order == sorted(order)
    assert order[-1] == 50
    assert f"image: {images[50]}  # written by its pipeline" in deployments.repository.read(FILE)
    deployments.check_history()


def test_twenty_writers_while_the_server_is_killed_twice(own_server: GitServer) -> None:
    container = own_server.container
    deployments = Deployments(own_server.create("killed", files=FILES))
    deployments.repository.hook("post-receive", "#!/bin/sh\necho landed >> /srv/git/landed\n")
    before, images = deployments.commits(), services(20)
    ended = threading.Event()

    def kill_twice() -> int:
        for landed in (3, 9):
            count = f"[ $(cat /srv/git/landed 2>/dev/null | wc -l) -ge {landed} ]"
            container.await_true(count, what=f"push number {landed}", limit=120)
            assert not ended.is_set()
            docker("kill", container.name)
            docker("start", container.name)
            # What a killed push leaves behind is for the server's owner to remove.
            container.execute("find", deployments.repository.path, "-name", "*.lock", "-delete")
            container.await_true(READY, what="answer of the git server", limit=30)
        return 2

    def writing() -> dict[str, Outcome]:
        writers = {item: partial(write, deployments.repository, item, image) for item, image in images.items()}
        try:
            return at_once(writers)
        finally:
            ended.set()

    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(kill_twice)
        outcomes = writing()
        assert killing.result() == 2
    check(deployments, before, outcomes, images)


class Breaking:
    """A relay's `meddle` that ends connections at random: before, during and after a push, and while reading."""

    def __init__(self, repository: GitRepository, seed: int) -> None:
        self._repository = repository
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self.broke: set[str] = set()

    def __call__(self, exchange: Exchange) -> bool:
        pushing = exchange.method == "POST" and exchange.service == "git-receive-pack"
        with self._lock:
            if self._chance.random() > (0.4 if pushing else 0.05):
                return False
            how = self._chance.choice(["before", "during", "after", "half an answer"]) if pushing else "reading"
            self.broke.add(how)
        if how == "during":
            self._send_half(exchange)
        elif how in {"after", "half an answer"}:
            answer = exchange.forward()
            if how == "half an answer":
                kind = answer.headers["Content-Type"]
                exchange.answer(answer.status, body=answer.data[: len(answer.data) // 2], Content_Type=kind)
                return True
        exchange.reset() if len(self.broke) % 2 else exchange.cut()
        return True

    def _send_half(self, exchange: Exchange) -> None:
        """The server gets a part of the pack, and then nothing more."""
        parts = urlsplit(self._repository.url_outside)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        connection.putrequest("POST", exchange.handler.path, skip_accept_encoding=True, skip_host=True)
        for name, value in exchange.handler.headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(exchange.body[: exchange.body.index(b"PACK") + 40])
        connection.close()


def test_twenty_writers_over_connections_that_break(deployments: Deployments) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    before, images = deployments.commits(), services(20)
    breaking = Breaking(deployments.repository, seed)
    with Relay(deployments.repository.url_outside, meddle=breaking) as relay:
        one = partial(write, deployments.repository, url=relay.url)
        writers = {item: partial(one, item, image) for item, image in images.items()}
        outcomes = at_once(writers)
    assert len(breaking.broke) > 2
    check(deployments, before, outcomes, images)


def test_a_full_disk_is_told_in_the_servers_words(own_server: GitServer) -> None:
    execute = own_server.container.execute
    repository = own_server.create("full", files=FILES)
    execute("sh", "-c", f"mv {repository.path} /srv/small/full.git && ln -s /srv/small/full.git {repository.path}")
    execute("sh", "-c", "cat /dev/zero > /srv/small/full 2>/dev/null || true")
    deployments = Deployments(repository)
    before = deployments.commits()
    with Relay(repository.url_outside) as relay:
        run = deployments.run(KIT_GIT_URL=relay.url)
    assert run.code == 1, run.log
    assert "No space left on device" in run.log
    assert relay.count("POST", "git-receive-pack") == 1
    assert deployments.commits() == before
    execute("rm", "/srv/small/full")
    assert deployments.run().code == 0
