# SPDX-License-Identifier: MIT
"""The testbed itself: several side by side, and nothing left behind however one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from testbed import cluster as clusters
from testbed import leftovers
from testbed.bed import Testbed
from testbed.cluster import Cluster
from testbed.container import LABEL, Container
from testbed.docker import docker
from testbed.errors import TestbedError

ROOT = Path(__file__).parents[2]


def remains(bed: str) -> list[str]:
    """Everything on the engine, and in the temporary folder, that belongs to a testbed."""
    wanted = f"label={LABEL}={bed}"
    found: list[str] = []
    for command in (("ps", "--all"), ("volume", "ls"), ("network", "ls")):
        found += docker(*command, "--quiet", "--filter", wanted).stdout.split()
    return found + ([str(leftovers.folder(bed))] if leftovers.folder(bed).exists() else [])


def wait_until_gone(bed: str, limit: float = 30) -> list[str]:
    end = time.monotonic() + limit
    while (left := remains(bed)) and time.monotonic() < end:
        time.sleep(0.2)
    return left


class Started:
    """`python -m testbed up` as a process of its own, or a script that starts a testbed."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            text=True,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # A suite that a shell runs in the background is deaf to Ctrl-C, and so would be what it starts.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread starts programs
        )
        self.bed = ""

    def read_until(self, text: str) -> str:
        """What it says up to a line that holds the text; its id is read on the way."""
        said = ""
        for line in self.process.stderr or ():
            said += line
            if line.startswith("testbed ") and line.split()[2:3] == ["starting"]:
                self.bed = line.split()[1].rstrip(":")
            if text in line:
                return said
        raise AssertionError(f"{text!r} was never said:\n{said}")

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


@pytest.fixture
def start() -> Iterator[type[Started]]:
    made: list[Started] = []

    class Remembered(Started):
        def __init__(self, *command: str) -> None:
            super().__init__(*command)
            made.append(self)

    yield Remembered
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()
        if one.bed:
            leftovers.remove(one.bed)


def test_two_run_side_by_side_and_ctrl_c_leaves_nothing_of_one(start: type[Started], bed: Testbed) -> None:
    up = start("-m", "testbed", "up")
    said = up.read_until("Ctrl-C removes it")
    second = Testbed.attach(up.bed)
    assert second.cluster.server_outside in said
    uids = [{node["metadata"]["uid"] for node in one.cluster.get("nodes")["items"]} for one in (bed, second)]
    assert uids[0].isdisjoint(uids[1])
    assert up.end(signal.SIGINT) == 130
    assert remains(up.bed) == []
    assert bed.cluster.kubectl("get", "--raw", "/readyz").stdout == "ok"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_start_that_is_interrupted_removes_what_it_started(start: type[Started], number: signal.Signals) -> None:
    up = start("-m", "testbed", "up")
    up.read_until("starting a registry")
    assert up.end(number) == 130
    assert remains(up.bed) == []


def test_what_a_killed_process_left_is_removed_by_the_next_start_and_nothing_else_is(
    start: type[Started], bed: Testbed
) -> None:
    up = start("-c", "from testbed.cli import main; main(['up', '--clusters', '1'])")
    up.read_until("starting a registry")
    deadline = time.monotonic() + 30
    while len(remains(up.bed)) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(up.process.pid, signal.SIGKILL)
    up.process.wait()
    assert remains(up.bed)
    assert up.bed in leftovers.remove_leftovers(lambda _: None)
    assert wait_until_gone(up.bed) == []
    assert bed.id in [found.bed for found in leftovers.find()]


def test_part_that_does_not_start_leaves_its_log_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    beds: list[str] = []

    def broken(bed: str, image: str, name: str, **_: object) -> Cluster:
        beds.append(bed)
        container = Container(bed, name)
        container.start(image, ["sh", "-c", "echo no luck today; exit 3"])
        container.await_true("false", what="ready cluster", limit=20)
        raise AssertionError("unreachable")

    monkeypatch.setattr(clusters, "start", broken)
    with pytest.raises(TestbedError) as caught:
        Testbed.start(1, progress=lambda _: None, logs=tmp_path / "logs")
    assert "cluster-a: no ready cluster because its container ended" in str(caught.value)
    assert "no luck today" in str(caught.value)
    assert str(tmp_path / "logs") in str(caught.value)
    assert "no luck today" in (tmp_path / "logs/cluster-a.log").read_text()
    assert remains(beds[0]) == []


def test_command_that_never_ends_is_removed_at_its_time_limit(bed: Testbed) -> None:
    with pytest.raises(TestbedError, match="did not end within 1 s"):
        bed.run(bed.image, "sleep", "60", timeout=1)
    assert (
        docker("ps", "--quiet", "--filter", f"label={LABEL}={bed.id}", "--filter", f"name=kit-{bed.id}-run-").stdout
        == ""
    )


def test_attaching_to_nothing_says_so() -> None:
    with pytest.raises(TestbedError, match="there is no testbed nonsense"):
        Testbed.attach("nonsense")
