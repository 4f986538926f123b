# SPDX-License-Identifier: MIT
"""`docker stop` ends a container at once, whatever it is waiting for."""

from __future__ import annotations

import json
import time
from datetime import datetime

import pytest

from testbed.docker import docker
from tests.images.jobs import endless_job
from tests.images.running import Image

LIMIT = 2.0
"""Seconds from the signal to the end of the container."""


def stopped(container: str, signal: str = "TERM") -> tuple[int, float]:
    """Send the signal; the exit code, and the seconds until the container was over."""
    before = time.time()
    docker("kill", "--signal", signal, container)
    docker("wait", container, timeout=30)
    state = json.loads(docker("inspect", "--format", "{{json .State}}", container).stdout)
    end = datetime.fromisoformat(state["FinishedAt"]).timestamp()
    return int(state["ExitCode"]), end - before


@pytest.mark.parametrize(("signal", "code"), [("TERM", 143), ("INT", 130)])
def test_a_step_that_waits_ends_at_once_and_says_so(image: Image, signal: str, code: int) -> None:
    job = endless_job(image)
    container = image.start(*job.arguments, options=job.options)
    job.wait_until_under_way(container)
    ended, seconds = stopped(container, signal)
    log = docker("logs", container)
    assert ended == code, log.stderr
    assert seconds < LIMIT
    assert "result=interrupted" in log.stderr.splitlines()[-1], log.stderr
    assert "Traceback" not in log.stderr


@pytest.mark.parametrize("command", [("sleep", "600"), ("tail", "-f", "/dev/null"), ("sh", "-c", "sleep 600; true")])
def test_a_foreign_program_ends_at_once(deployer: Image, command: tuple[str, ...]) -> None:
    container = deployer.start(*command)
    ended, seconds = stopped(container)
    assert ended == 143
    assert seconds < LIMIT


def test_the_signal_reaches_a_user_that_root_became(deployer: Image) -> None:
    work = deployer.owned(4321)
    container = deployer.start("sleep", "600", options=("-v", f"{work}:/manifests"))
    ended, seconds = stopped(container)
    assert ended == 143
    assert seconds < LIMIT


def test_no_child_is_left_undead(deployer: Image) -> None:
    """Process 1 takes in children whose parents ended."""
    script = "(sh -c 'sleep 0.1 & exit') ; sleep 0.5; ps -o stat,comm | grep -c '^Z' || true"
    assert deployer.run("sh", "-c", script).out == "0\n"
