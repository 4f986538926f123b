# SPDX-License-Identifier: MIT
"""What may pass by itself. Everything else that goes wrong is a `KitError` and ends the run at once."""


class Fault(Exception):
    """Nobody said no, but there was no answer, or one that may be another next time (a connection, 429, 5xx).

    `retry_after` is the pause in seconds that the server asked for.
    """

    def __init__(self, why: str, *, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.retry_after = retry_after


class NoAnswer(Fault):
    """No connection came about, or it ended before an answer began."""


class OutcomeUnknown(Fault):
    """The push was sent and its answer never came: the commit may or may not be there."""


class Race(Exception):
    """Someone else was faster: the branch is no longer where the edit was made, or its lock is held."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
