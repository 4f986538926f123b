# SPDX-License-Identifier: MIT
"""kit-pipeline's image runs pipelines on the engine whose socket it is given, wherever the repository is mounted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from testbed.docker import docker
from tests.images.pipelines import OWNER, SOCKET, Repository, left
from tests.images.running import Image

STEP = {"name": "copy", "service": "app", "command": ["-c", "cat /data/* && cp /data/greeting /out/copied"]}
APP = {"volumes": ["./data:/data", "./out:/out"]}


@pytest.fixture
def repository(pipeline: Image) -> Iterator[Repository]:
    """Of one step, which copies a file from one of its folders to another, which is not there yet."""
    small = f"kit-test-{uuid4().hex[:8]}:1"
    docker("tag", pipeline.reference, small)
    made = Repository(pipeline, pipeline.owned(OWNER, name="repository"), small)
    made.write({"app": APP}, [STEP])
    pipeline.write(made.folder, "data/greeting", "good morning\n", uid=OWNER)
    yield made
    docker("rmi", small, check=False)


@pytest.mark.parametrize(
    "options",
    [(), ("--network", "host", "--hostname", "any"), ("--cgroupns", "private", "--hostname", "any")],
    ids=["plain", "the machine's network", "nothing names it"],
)
def test_steps_run_wherever_the_repository_is_mounted(repository: Repository, options: tuple[str, ...]) -> None:
    where = "/somewhere/else" if options else repository.folder
    done = repository.run("steps", options=(*SOCKET, *repository.at(where), *options))
    assert done.code == 0, done.text
    assert "copy | good morning" in done.err
    assert "result=passed" in done.err
    assert (repository.folder / "out/copied").read_text() == "good morning\n"
    assert (repository.folder / "out").stat().st_uid == OWNER, "what kit-pipeline itself makes"


def test_mounts_inside_of_mounts_and_volumes_are_found(repository: Repository, pipeline: Image) -> None:
    other, volume = pipeline.owned(OWNER, name="other"), f"kit-test-{uuid4().hex[:8]}"
    pipeline.write(other, "greeting", "from beside\n", uid=OWNER)
    repository.write({"app": {"volumes": ["./data:/data", "./deep/out:/out"]}}, [STEP])
    options = (*repository.at("/repo"), "-v", f"{other}:/repo/data", "-v", f"{volume}:/repo/deep")
    try:
        pipeline.shell(f"chown {OWNER}:{OWNER} /volume", "-v", f"{volume}:/volume")
        done = repository.run("steps", options=(*SOCKET, *options))
        assert done.code == 0, done.text
        assert pipeline.shell("cat /volume/out/copied", "-v", f"{volume}:/volume") == "from beside\n"
    finally:
        docker("volume", "rm", volume, check=False)


def test_a_folder_that_only_its_own_container_has_is_named(repository: Repository) -> None:
    done = repository.run("steps", options=(*SOCKET, *repository.at("/repo"), "--tmpfs", "/repo/out:mode=1777"))
    assert done.code in {1, 2}
    assert "/repo/out" in done.err
    assert "no folder of the machine" in done.err
    assert not (repository.folder / "out/copied").exists()


def test_a_service_gets_the_engine_wherever_its_socket_is_mounted(repository: Repository) -> None:
    step = {"service": "app", "command": ["-c", "test -S /var/run/docker.sock && echo $DOCKER_HOST is here"]}
    repository.write({"app": {"add_docker": True}}, [step])
    options = ("-v", "/var/run/docker.sock:/run/engine.sock", "-e", "DOCKER_HOST=unix:///run/engine.sock")
    done = repository.run("steps", options=(*options, *repository.at("/repo")))
    assert done.code == 0, done.text
    assert "is here" in done.err


SLOW = {"name": "slow", "service": "app", "command": ["-c", "trap '' TERM; echo begun; sleep 600"]}


@pytest.mark.parametrize(("signal", "code"), [("TERM", 143), ("INT", 130)])
def test_a_stopped_container_leaves_none_of_its_own(repository: Repository, signal: str, code: int) -> None:
    repository.write({"app": {"links": ["db"]}, "db": {"command": ["-c", "sleep 600"]}}, [SLOW])
    container = repository.start("steps", options=(*SOCKET, *repository.at("/repo")))
    docker("kill", "--signal", signal, container)
    assert docker("wait", container, timeout=60).stdout.strip() == str(code)
    assert left(container) == []
    log = docker("logs", container).stderr
    assert "result=interrupted" in log.splitlines()[-1]
    assert "Traceback" not in log


def test_what_a_killed_container_has_left_is_cleaned_up_by_another(repository: Repository) -> None:
    repository.write({"app": {}}, [SLOW])
    container = repository.start("steps", options=(*SOCKET, *repository.at("/repo")))
    docker("kill", container)
    done = repository.run("cleanup", options=SOCKET)
    assert done.code == 0, done.text
    assert "result=clean" in done.err
    assert left(container) == []


def test_git_says_what_is_built_whoever_owns_the_clone(repository: Repository, pipeline: Image) -> None:
    repository.write({"app": {}}, [{"service": "app", "command": ["-c", "echo of $CI_BRANCH: $CI_COMMIT_MESSAGE"]}])
    script = (
        "from dulwich.repo import Repo; r = Repo.init('/repo', default_branch=b'trunk');"
        "r.get_worktree().commit(message=b'Bake bread', committer=b'Ada <a@b>', author=b'Ada <a@b>')"
    )
    made = pipeline.run("-c", script, options=("--entrypoint", "/usr/bin/python3", *repository.at("/repo")))
    assert made.code == 0, made.text
    pipeline.as_root("chown -R 999:999 /folder/repository/.git")
    done = repository.run("steps", options=(*SOCKET, *repository.at("/repo")))
    assert "of trunk: Bake bread" in done.err, done.text
    pipeline.as_root("chmod 700 /folder/repository/.git")
    refused = repository.run("steps", options=(*SOCKET, *repository.at("/repo")))
    assert "Traceback" not in refused.text
    assert refused.code == 2, refused.text
    assert "ermission" in refused.err


def test_files_are_encrypted_as_the_folders_owner_without_an_engine(repository: Repository, pipeline: Image) -> None:
    at = repository.at("/repo")
    pipeline.write(repository.folder, "plain.env", "TOKEN=canary-5d1f\n", uid=OWNER)
    for arguments in (["generate"], ["encrypt", "plain.env", "sealed"], ["decrypt", "sealed", "again.env"]):
        done = pipeline.run(*arguments, options=at)
        assert done.code == 0, done.text
        assert "canary" not in done.text
    again = repository.folder / "again.env"
    assert again.read_text() == "TOKEN=canary-5d1f\n"
    assert "canary" not in (repository.folder / "sealed").read_text()
    for path in (again, repository.folder / "codeship.aes"):
        assert (path.stat().st_mode & 0o777, path.stat().st_uid) == (0o600, OWNER)


def test_the_log_can_be_read_by_programs(repository: Repository) -> None:
    done = repository.run("steps", options=(*SOCKET, *repository.at("/repo"), "-e", "KIT_LOG_FORMAT=json"))
    last = json.loads(done.err.splitlines()[-1])
    assert (done.code, last["level"], last["passed"]) == (0, "result", 1), done.text


def test_a_service_has_the_terminal_of_the_image_or_its_output_alone_is_ours(repository: Repository) -> None:
    options = (*SOCKET, *repository.at("/repo"))
    piped = repository.run("run", "app", "-c", "tty; exit 5", options=options)
    assert (piped.code, piped.out) == (1, "not a tty\n"), piped.text
    done = repository.run("run", "app", "-c", "tty; exit 5", options=(*options, "-t"))
    first, *_, last = done.out.splitlines()
    assert (done.code, first) == (1, "/dev/pts/0"), done.text
    assert "result=failed exit_code=5" in last, "and nothing is behind it"
