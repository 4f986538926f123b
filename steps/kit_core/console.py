# SPDX-License-Identifier: MIT
"""Everything a person sees: the log on standard error, live progress on a terminal, heartbeats in CI.

Machine output goes to standard output, and only what was asked for. Every text passes the masker on its way out. All
methods may be called from any thread.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from kit_core.ci import Provider
from kit_core.errors import KitError, WorkError
from kit_core.live import Wait, frame, terminal_size
from kit_core.render import Event, JsonRenderer, Level, Renderer, TextRenderer, harmless
from kit_core.secrets import Masker

HEARTBEAT_SECONDS: Final = 25.0
"""CI services end jobs that say nothing; half a minute without a word is the most that is promised."""

_FRAME_SECONDS: Final = 0.25
_PATIENCE_SECONDS: Final = 0.5
_SUMMARY: Final = "GITHUB_STEP_SUMMARY"
_AT_ONCE: Final = frozenset({"warning", "error", "result"})
"""What a process may end after."""


class Console:
    """Writes events. `interactive` means that a person watches a terminal: colour, and a live status block."""

    def __init__(
        self,
        *,
        stderr: TextIO,
        stdout: TextIO,
        env: Mapping[str, str],
        provider: Provider,
        masker: Masker,
        log_format: str = "text",
        interactive: bool = False,
        debug: bool = False,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        cwd: Path | None = None,
    ) -> None:
        self._stderr = stderr
        self._stdout = stdout
        self._env = env
        self._provider = provider
        self._masker = masker
        self._debug = debug
        self._heartbeat_seconds = heartbeat_seconds
        self._cwd = cwd
        self._json = log_format == "json"
        self._live = interactive and not self._json
        self.colour = self._live and not env.get("NO_COLOR")
        self._renderer: Renderer = (
            JsonRenderer() if self._json else TextRenderer(dialect=provider.dialect, colour=self.colour)
        )
        self._lock = threading.RLock()
        self._pending: deque[str] = deque()
        self._writer = threading.RLock()
        self._hushed = False
        self._waits: list[Wait] = []
        self.concluded = False
        """Whether the run's result has been told."""
        self._drawn = 0

    def detail(self, text: str, *, cluster: str | None = None, **fields: Any) -> None:
        """Something for those who look for a fault; shown with DEBUG only."""
        if self._debug:
            self._tell("debug", text, cluster=cluster, fields=fields)

    def info(self, text: str, *, cluster: str | None = None, **fields: Any) -> None:
        """Something that happens."""
        self._tell("info", text, cluster=cluster, fields=fields)

    def success(self, text: str, *, cluster: str | None = None, **fields: Any) -> None:
        """Something that was to be reached and is."""
        self._tell("success", text, cluster=cluster, fields=fields)

    def warning(
        self, text: str, *, cluster: str | None = None, file: str | None = None, line: int | None = None,
        column: int | None = None, **fields: Any,
    ) -> None:  # fmt: skip
        """Something to look at that did not stop the run; `file` and what follows mark the place in the CI's view."""
        self._tell("warning", text, cluster=cluster, file=file, line=line, column=column, fields=fields)

    def error(self, error: KitError | str, *, cluster: str | None = None, **fields: Any) -> None:
        """Something that failed."""
        if isinstance(error, KitError):
            facts = {"exit_code": error.exit_code, **fields}
            self._tell("error", str(error), cluster=cluster, file=error.file, line=error.line,
                       column=error.column, fields=facts)  # fmt: skip
        else:
            self._tell("error", error, cluster=cluster, fields=fields)

    def foreign(self, text: str, *, cluster: str | None = None, **fields: Any) -> None:
        """Words that are not ours (a container's log, a server's message), indented and made harmless."""
        if text.strip():
            self._tell("foreign", text.rstrip(), cluster=cluster, fields=fields)

    def line(self, shown: str, text: str, **fields: Any) -> None:
        """A line that its caller has made harmless, written at once; the JSON log has `text` and the facts."""
        if self._json:
            self._tell("foreign", text, fields=fields)
            return
        with self._lock:
            self._erase()
            self._add_lines([shown])
        self._write(wait=True)

    @contextlib.contextmanager
    def hushed(self) -> Iterator[None]:
        """While something else has the terminal for itself, nothing is written; it is afterwards."""
        with self._writer:
            self._hushed = True
        try:
            yield
        finally:
            self._hushed = False
            self._write(wait=True)

    @contextlib.contextmanager
    def group(self, title: str) -> Iterator[None]:
        """A part of the log with a heading, folded by CI services that can."""
        self._tell("group", title)
        try:
            yield
        finally:
            self._tell("endgroup", "")

    def result(self, word: str, **fields: Any) -> None:
        """The run's last line: `result=WORD` and facts, also as the CI's step outputs where it has them."""
        self.concluded = True
        self._tell("result", word, fields=fields)
        outputs = {"result": word, **fields}
        lines = "".join(f"{key}={harmless(self._masker.mask(str(value)))}\n" for key, value in outputs.items())
        self._append("GITHUB_OUTPUT", lines)
        if self._provider.dialect == "azure" and not self._json:
            with self._lock:
                for key, value in outputs.items():
                    shown = harmless(self._masker.mask(str(value)))
                    self._add_lines([f"##vso[task.setvariable variable={key};isOutput=true]{shown}"])
            self._write(wait=True)

    def summary(self, markdown: Callable[[], str]) -> None:
        """Markdown for the CI's page of the job; it is made only where there is one."""
        if self._env.get(_SUMMARY):
            self._append(_SUMMARY, self._masker.mask(markdown().rstrip("\n")) + "\n")

    def out(self, text: str) -> None:
        """Machine output (a report, a diff) on standard output, with a final newline.

        A reader that has seen enough (`| head`) is no failure. Raises `WorkError` where it cannot be written.
        """
        with self._lock:
            self._erase()
            self._write(wait=True)
            try:
                self._stdout.write(self._masker.mask(text if text.endswith("\n") else f"{text}\n"))
                self._stdout.flush()
            except (BrokenPipeError, ValueError):  # ValueError: it is closed
                pass
            except OSError as error:
                raise WorkError("The output cannot be written", where="standard output", why=error.strerror) from None

    @contextlib.contextmanager
    def waiting(self, describe: Callable[[], str], *, cluster: str | None = None) -> Iterator[None]:
        """While the body runs, show `describe()`: live on a terminal, else a heartbeat at least every 30 s.

        `describe` is called from another thread and says what is still awaited and why, a line each. Several may wait
        at the same time, from threads of their own.
        """
        wait = Wait(describe=describe, cluster=cluster, begun=time.monotonic())
        beat = self._frames if self._live else self._beats
        thread = threading.Thread(target=beat, args=(wait,), daemon=True, name="kit-waiting")
        with self._lock:
            self._waits.append(wait)
        try:
            thread.start()
            yield
        finally:
            wait.done.set()
            with self._lock:
                self._waits.remove(wait)
                self._erase()
            self._write()
            if thread.ident is not None:
                thread.join(_PATIENCE_SECONDS)  # no longer: a description that hangs must not hold up the run

    def _beats(self, wait: Wait) -> None:
        due = wait.begun + self._heartbeat_seconds
        while not wait.done.wait(max(0.0, due - time.monotonic())):
            due = time.monotonic() + self._heartbeat_seconds
            text = wait.told()
            if not wait.done.is_set():
                self.info(text, cluster=wait.cluster)

    def _frames(self, wait: Wait) -> None:
        while not wait.done.wait(_FRAME_SECONDS):
            with self._lock:
                waits = list(self._waits)
            if not waits or waits[0] is not wait:
                continue  # whoever waits longest draws for all
            now = time.monotonic()
            told = [(each.cluster, now - each.begun, self._masker.mask(each.told())) for each in waits]
            columns, rows = terminal_size(self._stderr)
            shown = frame(told, columns=columns, rows=rows)
            with self._lock:
                if not wait.done.is_set():
                    self._erase()
                    self._add_lines([f"\x1b[2m{line}\x1b[0m" for line in shown])
                    self._drawn = len(shown)
            self._write()

    def _erase(self) -> None:
        if self._drawn:
            self._pending.append(f"\x1b[{self._drawn}A\r\x1b[J")
            self._drawn = 0

    def _tell(
        self,
        level: Level,
        text: str,
        *,
        cluster: str | None = None,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        # Masked before it is drawn, as escaping changes what a secret looks like; and after it (`_write_lines`), as
        # taking escape sequences away may put a secret together.
        mask = self._masker.mask
        event = Event(
            level=level,
            text=mask(text),
            cluster=mask(cluster) if cluster else None,
            file=mask(self._place(file)) if file else None,
            line=line,
            column=column,
            fields={key: self._masked(value) for key, value in (fields or {}).items()},
        )
        with self._lock:
            self._erase()
            self._add_lines(self._renderer.lines(event))
        self._write(wait=level in _AT_ONCE)

    def _place(self, file: str) -> str:
        marks = self._provider.checkout and not self._json
        return self._provider.in_checkout(file, self._env, self._cwd or Path.cwd()) if marks else file

    def _masked(self, value: Any) -> Any:
        """A fact with its texts masked, of types that JSON has."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {self._masker.mask(str(key)): self._masked(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._masked(item) for item in value]
        return self._masker.mask(str(value))

    def _add_lines(self, lines: Iterable[str]) -> None:
        text = "".join(f"{line}\n" for line in lines)
        if text:
            self._pending.append(text if self._json else self._masker.mask(text))

    def _write(self, *, wait: bool = False) -> None:
        """Write what was added, in its order. Of several threads one writes for all, so that twenty that send requests
        do not queue for the log; with `wait` it is written when this returns.
        """
        while self._pending:
            if not self._writer.acquire(blocking=wait):
                return  # who writes now looks again when it has finished
            try:
                if self._hushed:
                    return
                text = "".join(self._pending.popleft() for _ in range(len(self._pending)))
                # A log that nobody reads any more (a closed pipe, a full disk) must not end the deploy it tells of.
                with contextlib.suppress(OSError, ValueError):
                    self._stderr.write(text)
                    self._stderr.flush()
            finally:
                self._writer.release()

    def _append(self, variable: str, text: str) -> None:
        path = self._env.get(variable)
        if not path or self._provider.dialect != "github":
            return
        # In a container the runner's file is often not mounted; the last line of the log says the same.
        with (
            contextlib.suppress(OSError, ValueError),
            Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file,
        ):
            file.write(text)
