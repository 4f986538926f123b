# SPDX-License-Identifier: MIT
"""Whatever ends a run, in whichever phase: nothing of it is left in the engine, and what was done is told."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from kit_pipeline.engine.cleanup import sweep_dead
from kit_pipeline.engine.connect import connect
from testbed.docker import docker
from tests.pipeline.project import Project
from tests.pipeline.terminal import LIMIT, Process, left_by

NOBODY = "silent.registry"
"""Stands for a registry that takes connections and never answers."""
SERVICES = f"""
app: {{image: debian:trixie-slim}}
sick: {{build: ./sick}}
needs-sick: {{image: debian:trixie-slim, depends_on: [sick]}}
slow: {{build: ./slow}}
built: {{build: ./built}}
far: {{image: "{NOBODY}/far:1"}}
"""
FILES = {
    "built/Dockerfile": "FROM debian:trixie-slim\nRUN touch /of-endings\n",
    "sick/Dockerfile": "FROM debian:trixie-slim\nHEALTHCHECK --interval=1s --retries=1000 CMD false\nCMD sleep 1000\n",
    "slow/Dockerfile": "FROM debian:trixie-slim\nRUN echo building; sleep 300\n",
}
GO = "command: sh -c 'echo going; sleep 300'"
PHASES = {
    "running": (f"- {{name: x, service: app, {GO}}}", r"x +\| going"),
    "side by side": (
        "- type: parallel\n  steps:\n" + "".join(f"    - {{name: x{n}, service: app, {GO}}}\n" for n in (1, 2, 3)),
        r"x1 +\| going",
    ),
    "building": ("- {name: x, service: slow, command: echo}", r"building"),
    "pulling": ("- {name: x, service: far, command: echo}", r"pulling"),
    "health": ("- {name: x, service: needs-sick, command: echo}", r"waiting until sick is healthy"),
    "pushing": (
        f'- {{name: x, service: built, type: push, image_name: "{NOBODY}/app", image_tag: endings}}',
        r"push built to",
    ),
    "on_fail": (
        f"- {{name: x, service: app, command: 'false', on_fail: [{{service: app, {GO}}}]}}", r"on_fail 1 +\| going",
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def what_was_killed_is_swept() -> Iterator[None]:
    """A test that fails leaves what it is about."""
    yield
    sweep_dead(connect(os.environ))


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def running() -> set[str]:
    return set(docker("ps", "--quiet", "--no-trunc").stdout.split())


def pushed_tags(registry: str) -> list[str]:
    return docker("image", "ls", "--format", "{{.Tag}}", f"{registry}/app").stdout.split()


@pytest.fixture
def nobody() -> Iterator[str]:
    """The address of a registry that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("phase", "number"),
    [(phase, signal.SIGTERM) for phase in PHASES] + [("running", signal.SIGINT), ("side by side", signal.SIGINT)],
)
def test_a_signal_leaves_nothing(project: Project, nobody: str, phase: str, number: int) -> None:
    steps, sign = PHASES[phase]
    steps = steps.rstrip() + "\n- {name: never, service: app, command: echo}\n"
    project.write(FILES).pipeline(SERVICES.replace(NOBODY, nobody), steps.replace(NOBODY, nobody))
    before = running()
    with Process(project.folder, ["steps", "--push"]) as kit:
        kit.until(sign)
        if phase == "pushing":
            until(lambda: pushed_tags(nobody) == ["endings"], "the push does not begin")
        kit.signal(number)
        assert kit.ended(limit=30) == 128 + number, kit.said
        assert f"interrupted by {signal.Signals(number).name}" in kit.said
        assert "result=interrupted" in kit.said
        assert "never" in kit.said, "what was not done is told"
        assert "stopped" in kit.said, "and so is what was begun"
        assert left_by(kit.pid) == []
    until(lambda: running() <= before, "a container goes on, perhaps that of a build")
    assert pushed_tags(nobody) == [], "a push's name is for the push alone"


def test_what_a_killed_run_left_is_swept_and_what_a_living_one_has_is_kept(project: Project) -> None:
    """Two runs at once; one is killed. What it built goes as well, once nobody uses it."""
    project.write({"Dockerfile": "FROM debian:trixie-slim\nRUN touch /built\n", **FILES}).pipeline(
        "db: {image: debian:trixie-slim, command: sleep 1000}\napp: {build: ., depends_on: [db], volumes: [/data]}\n",
        f"- {{name: x, service: app, {GO}}}",
    )
    with Process(project.folder, ["steps"]) as dead, Process(project.folder, ["steps"]) as living:
        dead.until(r"x +\| going")
        living.until(r"x +\| going")
        dead.kill()
        left, has = left_by(dead.pid), left_by(living.pid)
        assert sorted(line.split()[0] for line in left) == ["container", "container", "network", "volume"]
        done = project.kit("cleanup")
        assert done.code == 0, done.log
        assert left_by(dead.pid) == []
        assert left_by(living.pid) == has
        assert "kept" in done.log
        assert project.images(), "the run that goes on may still need them"
        living.kill()
        # A run begins with sweeping.
        project.pipeline("app: {image: debian:trixie-slim}\n", "- {name: y, service: app, command: echo}")
        project.green()
        assert left_by(living.pid) == []
        assert project.images(), "a run keeps what is the next one's cache"


def test_cleanup_removes_what_was_built(project: Project) -> None:
    project.write({"Dockerfile": "FROM debian:trixie-slim\nRUN touch /of-cleanup\n"}).pipeline(
        "app: {build: .}\n", "- {name: x, service: app, command: echo}"
    )
    project.green()
    assert project.images()
    done = project.kit("cleanup")
    assert done.code == 0, done.log
    assert "result=clean" in done.log
    assert not project.images()
