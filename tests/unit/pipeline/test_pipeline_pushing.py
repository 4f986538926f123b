# SPDX-License-Identifier: MIT
"""Pushes that meet each other, and a registry that has a bad moment."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from kit_pipeline.engine.failures import EngineError
from kit_pipeline.running import pushing
from kit_pipeline.running.world import Turns

BUSY = EngineError("x was not pushed", why="received unexpected HTTP status: 500 Internal Server Error")
REFUSED = EngineError("x was not pushed", why="denied: requested access to the resource is denied")


class Voice:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.doing = ""

    def line(self, text: str) -> None:
        self.lines.append(text)


class Registry:
    """Stands where the engine's push is: answers in order, and notes how many were in it at once."""

    def __init__(self, *answers: EngineError | None, patience: float = 0.0) -> None:
        self._answers: Iterator[EngineError | None] = iter(answers)
        self._lock = threading.Lock()
        self.calls, self.inside, self.most = 0, 0, 0
        self.both, self._patience = threading.Event(), patience

    def __call__(self, *_: Any, **__: Any) -> str:
        with self._lock:
            self.calls += 1
            self.inside += 1
            self.most = max(self.most, self.inside)
            if self.inside > 1:
                self.both.set()
        try:
            if answer := next(self._answers, None):
                raise answer
            self.both.wait(self._patience)
            return "sha256:1"
        finally:
            with self._lock:
                self.inside -= 1


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


def push(monkeypatch: pytest.MonkeyPatch, registry: Registry, world: Any, name: str = "r/app") -> Voice:
    monkeypatch.setattr(pushing, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("kit_pipeline.running.pushing.images.push", registry)
    monkeypatch.setattr(pushing, "target", lambda task, values: (name, "1"))
    voice = Voice()
    task: Any = SimpleNamespace(step=SimpleNamespace(push=SimpleNamespace(registry=None)))
    heard: Any = voice
    pushing.push(world, task, "image", None, heard)
    return voice


def world_of(stop: threading.Event) -> Any:
    return SimpleNamespace(client=None, values=None, undo={}, turns=Turns(), stop=stop)


def test_a_registry_that_fails_for_a_moment_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, stop: threading.Event
) -> None:
    registry = Registry(BUSY, BUSY)
    voice = push(monkeypatch, registry, world_of(stop))
    assert registry.calls == 3
    assert voice.lines[0] == "received unexpected HTTP status: 500 Internal Server Error; it is tried again"
    assert voice.lines[-1] == "pushed r/app:1 as sha256:1"


def test_one_that_goes_on_failing_is_told_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch, stop: threading.Event
) -> None:
    registry = Registry(BUSY, BUSY, BUSY, BUSY)
    with pytest.raises(EngineError, match="500 Internal Server Error"):
        push(monkeypatch, registry, world_of(stop))
    assert registry.calls == 3


@pytest.mark.parametrize(("answer", "stopped"), [(REFUSED, False), (BUSY, True)])
def test_a_refusal_is_not_repeated_and_nothing_is_once_the_run_was_stopped(
    monkeypatch: pytest.MonkeyPatch, stop: threading.Event, answer: EngineError, *, stopped: bool
) -> None:
    if stopped:
        stop.set()
    registry = Registry(answer)
    with pytest.raises(EngineError):
        push(monkeypatch, registry, world_of(stop))
    assert registry.calls == 1


@pytest.mark.parametrize(("names", "most"), [(("r/app", "r/app"), 1), (("r/app", "r/other"), 2)])
def test_pushes_to_one_repository_go_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch, stop: threading.Event, names: tuple[str, str], most: int
) -> None:
    """Those to different ones go side by side."""
    # Long enough to be met by the other, where it may come; else long enough to be seen, were it to come.
    registry, world = Registry(patience=0.2 if most == 1 else 10), world_of(stop)
    monkeypatch.setattr("kit_pipeline.running.pushing.images.push", registry)
    monkeypatch.setattr(pushing, "target", lambda task, values: (task.name, "1"))
    voice: Any = Voice()

    def one(name: str) -> None:
        task: Any = SimpleNamespace(name=name, step=SimpleNamespace(push=SimpleNamespace(registry=None)))
        pushing.push(world, task, "image", None, voice)

    threads = [threading.Thread(target=one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (registry.calls, registry.most) == (2, most)
