# SPDX-License-Identifier: MIT
"""What a killed engine left behind must not keep the next one from starting, and a living one must not be touched."""

from pathlib import Path

import pytest

from testbed import docker as engine
from testbed.errors import TestbedError


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, Path]:
    run, proc = tmp_path / "run", tmp_path / "proc"
    (run / "docker/containerd").mkdir(parents=True)
    proc.mkdir()
    return run, proc


def process(proc: Path, pid: int, name: str) -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "comm").write_text(f"{name}\n")


def test_pid_file_of_a_dead_engine_is_removed(machine: tuple[Path, Path]) -> None:
    run, proc = machine
    (run / "docker.pid").write_text("4711")
    assert engine.remove_stale_pid_files(run, proc) == [run / "docker.pid"]
    assert not (run / "docker.pid").exists()


def test_number_that_now_belongs_to_another_program_is_stale(machine: tuple[Path, Path]) -> None:
    run, proc = machine
    (run / "docker.pid").write_text("4711\n")
    (run / "docker/containerd/containerd.pid").write_text("4712")
    process(proc, 4711, "sleep")
    process(proc, 4712, "bash")
    assert len(engine.remove_stale_pid_files(run, proc)) == 2


def test_living_engine_and_living_containerd_stay(machine: tuple[Path, Path]) -> None:
    run, proc = machine
    (run / "docker.pid").write_text("4711")
    (run / "docker/containerd/containerd.pid").write_text("4712")
    process(proc, 4711, "dockerd")
    process(proc, 4712, "containerd")
    assert engine.remove_stale_pid_files(run, proc) == []
    assert (run / "docker.pid").exists()


@pytest.mark.parametrize("content", ["", "not a number", "../1"])
def test_unreadable_pid_file_is_stale(machine: tuple[Path, Path], content: str) -> None:
    run, proc = machine
    (run / "docker.pid").write_text(content)
    assert engine.remove_stale_pid_files(run, proc) == [run / "docker.pid"]


def test_engine_that_was_named_and_does_not_answer_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "answers", lambda: False)
    with pytest.raises(TestbedError, match="DOCKER_HOST=tcp://build:2375"):
        engine.ensure_engine(lambda _: None, {"DOCKER_HOST": "tcp://build:2375"})


def test_without_root_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "answers", lambda: False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(TestbedError, match="start Docker"):
        engine.ensure_engine(lambda _: None, {})
