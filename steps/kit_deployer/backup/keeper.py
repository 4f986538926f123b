# SPDX-License-Identifier: MIT
"""Hands copies on to the bucket, beside the deploy: a bucket that is slow or gone costs it nothing but a warning.

A few threads write. An answer that is the same for every object (no such bucket, wrong keys), or three failures in a
row, end it: what is left is counted and told. At the end of a run there is a limit to the waiting.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from kit_core.console import Console
from kit_deployer.backup.bucket import Bucket, Unsaved
from kit_deployer.backup.copies import Copy, Format, copy_of, holds_secrets
from kit_deployer.listeners.listener import Applied, Nobody
from kit_deployer.result import RunResult

END_SECONDS: Final = 60.0
INTERRUPTED_SECONDS: Final = 2.0
WRITERS: Final = 4
_STRIKES: Final = 3
_NAMED: Final = 5


class Keeper(Nobody):
    """A `Listener` that keeps what is applied. `over` ends it."""

    def __init__(
        self,
        bucket: Bucket,
        *,
        form: Format,
        secrets: bool,
        encrypted: bool,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`secrets` keeps Secrets too; `encrypted` wants to hear from the server that it encrypts."""
        self._bucket = bucket
        self._form: Format = form
        self._secrets = secrets
        self._encrypted = encrypted
        self._console = console
        self._clock = clock
        self._lock = threading.Lock()
        self._queue: queue.Queue[Copy | None] = queue.Queue()
        self._asked = self._saved = self._plain = self._strikes = 0
        self._withheld: list[str] = []
        self._why: dict[str, str] = {}
        self._given_up = threading.Event()
        self._writers: list[threading.Thread] = []

    def applied(self, applied: Applied) -> None:
        """Keep the manifest, or remember that it was left out."""
        key, body = applied.key, applied.body
        if not self._secrets and holds_secrets(body, applied.secrets):
            with self._lock:
                self._withheld.append(f"{applied.cluster}: {key}")
            return
        copy = copy_of(body, key, cluster=applied.cluster, namespace=applied.namespace, form=self._form)
        with self._lock:
            self._asked += 1
            if not self._writers:
                self._start()
        self._queue.put(copy)

    def over(self, result: RunResult) -> Sequence[str]:
        """Wait until everything is written, for so long as may be waited; what people should know of it."""
        for _ in self._writers:
            self._queue.put(None)
        end = self._clock() + (INTERRUPTED_SECONDS if result.interrupted else END_SECONDS)
        for writer in self._writers:
            writer.join(max(0.0, end - self._clock()))
        late = any(writer.is_alive() for writer in self._writers)
        self._given_up.set()
        with self._lock:
            told = [*self._failures(late), *self._remarks()]
            saved = self._saved
        for text in told:
            self._console.warning(text)
        if saved:
            self._console.info(f"backups: {saved} manifest{'s' if saved != 1 else ''} written to {self._bucket.shown}")
        return told

    def _failures(self, late: bool) -> list[str]:
        missing = self._asked - self._saved
        if not missing:
            return []
        causes = list(dict.fromkeys(self._why.values()))
        if late:
            causes.append("the bucket takes too long")
        named = ", ".join(list(self._why)[:_NAMED])
        of = f" ({named}{' and more' if missing > min(len(self._why), _NAMED) else ''})" if named else ""
        lost = f"{missing} of {self._asked} manifests are not in {self._bucket.shown}"
        return [f"backups: {lost}{of}: {'; '.join(causes[:3])}"]

    def _remarks(self) -> list[str]:
        told = []
        if self._withheld:
            names = ", ".join(self._withheld[:_NAMED])
            more = f" and {len(self._withheld) - _NAMED} more" if len(self._withheld) > _NAMED else ""
            how = "KIT_BACKUP_SECRETS=true keeps them"
            told.append(f"backups: left out for the secrets in them: {names}{more} ({how})")
        if self._encrypted and self._plain:
            told.append(
                f"backups: {self._bucket.shown} does not say that it encrypts what it was asked to encrypt"
                " (some services do not say so; KIT_BACKUP_ENCRYPTION=none stops asking)"
            )
        return told

    def _start(self) -> None:
        for number in range(WRITERS):
            writer = threading.Thread(target=self._write_all, name=f"kit-backup-{number}", daemon=True)
            self._writers.append(writer)
            writer.start()

    def _write_all(self) -> None:
        while (copy := self._queue.get()) is not None:
            if not self._given_up.is_set():
                self._write(copy)

    def _write(self, copy: Copy) -> None:
        try:
            encrypted = self._bucket.put(copy)
        except Unsaved as error:
            self._failed(copy, str(error), hopeless=error.hopeless)
        except Exception as error:  # noqa: BLE001 - a fault of ours here must not be silent, nor end the others
            self._failed(copy, f"{type(error).__name__}: {error}. This is a fault of kit", hopeless=False)
        else:
            with self._lock:
                self._saved += 1
                self._plain += not encrypted
                self._strikes = 0
            self._console.detail(f"wrote {self._bucket.shown}/{copy.name}")

    def _failed(self, copy: Copy, why: str, *, hopeless: bool) -> None:
        with self._lock:
            first = not self._why
            self._why[copy.of] = why
            self._strikes += 1
            ended = hopeless or self._strikes >= _STRIKES
            already = self._given_up.is_set()
            if ended:
                self._given_up.set()
        if first or (ended and not already):
            rest = "; no more are tried" if ended else ""
            self._console.warning(f"backups: {copy.of} was not written to {self._bucket.shown}: {why}{rest}")
