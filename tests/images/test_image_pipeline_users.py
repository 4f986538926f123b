# SPDX-License-Identifier: MIT
"""Who kit-pipeline's image becomes beside an engine's socket, and what it says where it may not use the engine."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from testbed.docker import docker
from tests.images.engines import guarded_engine, papers
from tests.images.pipelines import OWNER, SOCKET, Repository
from tests.images.running import Image

LISTEN = "import socket, time; s = socket.socket(socket.AF_UNIX); s.bind('/folder/engine.sock'); s.listen()"


@pytest.fixture
def repository(pipeline: Image) -> Iterator[Repository]:
    """Of one step, which says hello."""
    small = f"kit-test-{uuid4().hex[:8]}:1"
    docker("tag", pipeline.reference, small)
    made = Repository(pipeline, pipeline.owned(OWNER, name="repository"), small)
    made.write({"app": {}}, [{"name": "greet", "service": "app", "command": ["-c", "echo hello"]}])
    yield made
    docker("rmi", small, check=False)


@pytest.mark.parametrize(
    ("owner", "mode", "work", "expected"),
    [
        ("0:777", "660", OWNER, f"{OWNER}: {OWNER} 777"),
        ("0:0", "660", OWNER, f"{OWNER}: {OWNER} 0"),
        ("2000:777", "600", OWNER, "2000: 777"),
        ("2000:777", "660", 0, "0: 0 777"),
        ("0:777", "666", OWNER, f"{OWNER}: {OWNER}"),
    ],
    ids=["the socket's group", "root's group", "the owner alone", "root without its rights", "everybody"],
)
def test_whoever_root_becomes_may_use_the_socket(
    pipeline: Image, owner: str, mode: str, work: int, expected: str
) -> None:
    folder = pipeline.owned(work)
    script = f'python3 -c "{LISTEN}"; chown {owner} /folder/engine.sock; chmod {mode} /folder/engine.sock'
    pipeline.as_root(script)
    options = ("-v", f"{pipeline.folder / 'engine.sock'}:/var/run/docker.sock", "-v", f"{folder}:/repo", "-w", "/repo")
    done = pipeline.run("sh", "-c", "echo $(id -u): $(id -G); grep CapEff /proc/self/status", options=options)
    who, capabilities = done.out.splitlines()
    assert who == expected, done.text
    assert int(capabilities.split()[1], 16) == 0


def test_a_user_whom_the_socket_does_not_let_in_is_told_what_to_do(repository: Repository) -> None:
    mine = ("--user", "12345:12345", *SOCKET, *repository.at("/repo"))
    refused = repository.run("steps", options=mine)
    assert refused.code == 1, refused.text
    sentence = refused.err.splitlines()[0]
    group, mode = repository.image.shell("stat -c '%g 0%a' /var/run/docker.sock", *SOCKET).split()
    for part in ("/var/run/docker.sock", "uid 0", f"gid {group}", mode, "uid 12345", "--group-add"):
        assert part in sentence
    let_in = ("--group-add", group, "--read-only", "--tmpfs", "/tmp")
    done = repository.run("steps", options=(*mine, *let_in))
    assert done.code == 0, done.text
    assert "hello" in done.err


def test_without_a_socket_it_says_how_to_mount_one(repository: Repository) -> None:
    done = repository.run("steps", options=repository.at("/repo"))
    assert done.code == 1, done.text
    assert "-v /var/run/docker.sock:/var/run/docker.sock" in done.err.splitlines()[0]


def test_an_engine_behind_certificates_is_used_and_an_unknown_one_is_not(repository: Repository) -> None:
    image = repository.image
    ours, others = image.owned(OWNER, name="ours"), image.owned(OWNER, name="others")
    for folder in (ours, others):
        for name, text in papers().items():
            image.write(folder, name, text, uid=0, mode=0o600)  # as dockerd makes them
    reached = guarded_engine(image, str(ours))
    at = ("-v", f"{repository.folder}:/repo", "-w", "/repo", *reached)
    done = repository.run("steps", options=(*at, "-v", f"{ours}:/certs:ro"))
    assert done.code == 0, done.text
    assert "hello" in done.err
    wrong = repository.run("steps", options=(*at, "-v", f"{others}:/certs:ro"))
    assert wrong.code == 1, wrong.text
    assert "certificate verify failed" in wrong.err
    missing = repository.run("steps", options=at)
    assert missing.code == 2, missing.text
    assert "/certs/ca.pem" in missing.err
