# SPDX-License-Identifier: MIT
"""When to try again, how long to wait, when to give up. Time and chance are handed in."""

from collections.abc import Callable

import pytest

from kit_core.errors import BusyError, TimeLimitError, WorkError
from kit_image_deployer.faults import Fault, OutcomeUnknown, Race
from kit_image_deployer.patience import Patience, Waiting


class Clock:
    """A clock that moves by what is waited. `drawn` holds the limits of every random number."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.drawn: list[tuple[float, float]] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def draw(self, low: float, high: float) -> float:
        self.drawn.append((low, high))
        return high

    def waiting(self, patience: Patience) -> Waiting:
        return Waiting(patience, clock=lambda: self.now, pause=self.pause, draw=self.draw)


def endlessly(wait: Callable[[], None]) -> None:
    for _ in range(1000):
        wait()


FAULT = Fault("connection refused")


def test_soon_then_exponential_with_full_jitter_up_to_a_cap() -> None:
    clock = Clock()
    waiting = clock.waiting(Patience(retries=12, deadline=1e6))
    for _ in range(12):
        waiting.after_fault(FAULT, "x")
    assert clock.drawn == [(0, limit) for limit in (0.1, 0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30, 30)]
    assert clock.pauses == [high for _, high in clock.drawn]


def test_retry_increment_makes_waits_grow_linearly() -> None:
    clock = Clock()
    waiting = clock.waiting(Patience(retries=4, increment=3))
    for _ in range(4):
        waiting.after_fault(FAULT, "x")
    assert clock.pauses == [3, 6, 9, 12]


def test_after_the_last_retry_the_work_failed() -> None:
    waiting = Clock().waiting(Patience(retries=2))
    waiting.after_fault(FAULT, "x")
    waiting.after_fault(FAULT, "x")
    with pytest.raises(WorkError, match=r"https://git: gave up after 3 failed attempts: connection refused") as caught:
        waiting.after_fault(FAULT, "https://git")
    assert caught.value.exit_code == 1


def test_an_unknown_outcome_says_that_running_again_is_safe() -> None:
    with pytest.raises(WorkError, match=r"may have arrived.*never commits twice"):
        Clock().waiting(Patience(retries=0)).after_fault(OutcomeUnknown("connection lost"), "x")


def test_lost_races_are_no_faults_and_end_at_the_deadline_only() -> None:
    clock = Clock()
    waiting = clock.waiting(Patience(retries=0, deadline=60))
    with pytest.raises(BusyError, match="lost the race for the branch") as caught:
        endlessly(lambda: waiting.after_race(Race("moved"), "x"))
    assert caught.value.exit_code == 75
    assert clock.now == pytest.approx(60)
    assert waiting.races > 10


def test_waits_after_lost_races_grow_from_the_time_that_an_attempt_takes() -> None:
    clock = Clock()
    waiting = clock.waiting(Patience(deadline=1000))
    for _ in range(6):
        clock.now += 0.5
        waiting.after_race(Race("moved"), "x")
    assert clock.pauses == [0.5, 1, 2, 4, 8, 8]


def test_two_writers_hardly_wait_for_each_other() -> None:
    clock = Clock()
    waiting = clock.waiting(Patience(deadline=1000))
    waiting.after_race(Race("moved"), "x")
    assert clock.pauses == [0.1]


def test_faults_at_the_deadline_end_with_the_time_limit() -> None:
    clock = Clock()
    waiting = clock.waiting(Patience(retries=1000, deadline=60))
    with pytest.raises(TimeLimitError, match="KIT_DEADLINE") as caught:
        endlessly(lambda: waiting.after_fault(FAULT, "x"))
    assert caught.value.exit_code == 70
    assert clock.now == pytest.approx(60)


def test_a_fault_at_the_deadline_after_lost_races_is_others_in_the_way() -> None:
    clock = Clock()
    waiting = clock.waiting(Patience(retries=0, deadline=60))
    waiting.after_race(Race("moved"), "x")
    waiting.after_race(Race("moved"), "x")
    clock.now = 60
    with pytest.raises(BusyError, match="lost the race for the branch 2 times"):
        waiting.after_fault(OutcomeUnknown("the server did not answer in time"), "x")


def test_the_server_may_ask_for_a_longer_pause() -> None:
    clock = Clock()
    waiting = clock.waiting(Patience(deadline=60))
    waiting.after_fault(Fault("busy", retry_after=20), "x")
    assert clock.pauses == [20]
    with pytest.raises(TimeLimitError):
        waiting.after_fault(Fault("busy", retry_after=41), "x")
    assert clock.pauses == [20]
