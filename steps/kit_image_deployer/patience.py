# SPDX-License-Identifier: MIT
"""When to try again, how long to wait before, and when to give up."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kit_core.errors import BusyError, KitError, TimeLimitError, WorkError
from kit_image_deployer.faults import Fault, OutcomeUnknown, Race

_SOON: Final = 0.1
_BASE: Final = 0.5
_CAP: Final = 30.0
# A lost race says that the server is well and another writer done; with many writers, long waits would only leave
# the branch idle.
_RACE_CAP: Final = 8.0


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to go on: `retries` after faults, `deadline` seconds in all. `increment`: waits of that many seconds,
    then twice, three times as many, in place of the random ones.
    """

    retries: int = 10
    increment: float | None = None
    deadline: float = 300.0


class Waiting:
    """Counts what went wrong and waits. `clock` and `pause` work in seconds, `tell` is told.

    `draw(a, b)` gives a random number between the two.
    """

    def __init__(
        self,
        patience: Patience,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], object],
        tell: Callable[[str], object] = lambda _text: None,
        draw: Callable[[float, float], float],
    ) -> None:
        self._patience = patience
        self._clock = clock
        self._pause = pause
        self._tell = tell
        self._draw = draw
        self._begun = self._attempt_begun = clock()
        self.faults = 0
        self.races = 0
        self.state = ""
        """What the last attempt met, for whoever asks what is awaited."""

    def remaining(self) -> float:
        """Seconds until the deadline; zero afterwards."""
        return max(0.0, self._begun + self._patience.deadline - self._clock())

    def after_race(self, race: Race, where: str) -> None:
        """Wait for the next attempt after a lost race. Raises `BusyError` at the deadline, which alone limits these."""
        self.races += 1
        left = self.remaining()
        if left <= 0:
            raise self._too_late(race.why, where, unknown=False)
        self._next(f"someone else pushed first ({race.why})", min(self._race_wait(), left))

    def after_fault(self, fault: Fault, where: str) -> None:
        """Wait for the next attempt after a fault. Raises `WorkError` after the last retry, `TimeLimitError` (or
        `BusyError`, where it was mostly others who were in the way) at the deadline.
        """
        self.faults += 1
        left = self.remaining()
        asked = fault.retry_after or 0.0
        unknown = isinstance(fault, OutcomeUnknown)
        if left <= 0 or asked > left:
            raise self._too_late(fault.why, where, unknown=unknown)
        if self.faults > self._patience.retries:
            times = f"{self.faults} failed attempt{'s' if self.faults > 1 else ''}"
            raise WorkError(f"gave up after {times}", where=where, why=fault.why, hint=_hint(unknown=unknown))
        self._next(fault.why, min(max(asked, self._wait(self.faults)), left))

    def _too_late(self, why: str, where: str, *, unknown: bool) -> KitError:
        limit = f"{self._patience.deadline:g} s"
        if self.races > self.faults:
            what = f"lost the race for the branch {self.races} times in {limit}"
            hint = (
                "Others push all the time: run it again, or raise KIT_DEADLINE; running it again never commits twice."
            )
            return BusyError(what, where=where, why=why, hint=hint)
        what = f"the time limit of {limit} (KIT_DEADLINE) ran out"
        return TimeLimitError(what, where=where, why=why, hint=_hint(unknown=unknown))

    def _next(self, why: str, seconds: float) -> None:
        self.state = f"{why}; attempt {self.races + self.faults + 1} follows in {seconds:.1f} s"
        self._tell(self.state)
        self._pause(seconds)
        self._attempt_begun = self._clock()

    def _race_wait(self) -> float:
        """Random, and doubling from the time that an attempt takes: where it takes long, many others are at it. Fifty
        writers then keep a server busy with two or three of them, and two writers hardly wait.
        """
        if self._patience.increment is not None:
            return self.races * self._patience.increment
        taken = max(_SOON, self._clock() - self._attempt_begun)
        return self._draw(0.0, min(_RACE_CAP, taken * 2.0 ** min(self.races - 1, 30)))

    def _wait(self, count: int) -> float:
        """The first soon, then exponential with full jitter; or what RETRY_INCREMENT asks for."""
        if self._patience.increment is not None:
            return count * self._patience.increment
        if count == 1:
            return self._draw(0.0, _SOON)
        return self._draw(0.0, min(_CAP, _BASE * 2.0 ** min(count - 2, 30)))


def _hint(*, unknown: bool) -> str:
    if unknown:
        return "The last push may have arrived. Run it again: it looks first, and never commits twice."
    return "Is the server up, and can it be reached from here? Run it again; doing so never commits twice."
