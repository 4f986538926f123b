# SPDX-License-Identifier: MIT
"""Everything a person sees: the log on standard error, live progress on a terminal, heartbeats in CI.

Machine output goes to standard output, and only what was asked for. Every text passes the masker on its way out. All
methods may be called from any thread.
"""

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from kit_core.ci import Provider
from kit_core.errors import KitError
from kit_core.render import Event, JsonRenderer, Level, Renderer, TextRenderer, harmless
from kit_core.secrets import Masker

HEARTBEAT_SECONDS: Final = 25.0
"""CI services end jobs that say nothing; half a minute without a word is the most that is promised."""

_FRAME_SECONDS: Final = 0.25


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
    ) -> None:
        self._stderr = stderr
        self._stdout = stdout
        self._env = env
        self._provider = provider
        self._masker = masker
        self._debug = debug
        self._heartbeat_seconds = heartbeat_seconds
        self._live = interactive and log_format == "text"
        colour = self._live and not env.get("NO_COLOR")
        self._renderer: Renderer = (
            JsonRenderer() if log_format == "json" else TextRenderer(dialect=provider.dialect, colour=colour)
        )
        self._lock = threading.RLock()
        self._block: list[str] = []

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
        self,
        text: str,
        *,
        cluster: str | None = None,
        file: str | None = None,
        line: int | None = None,
        **fields: Any,
    ) -> None:
        """Something to look at that did not stop the run; `file` and `line` mark the place in the CI's view."""
        self._tell("warning", text, cluster=cluster, file=file, line=line, fields=fields)

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
        self._tell("result", word, fields=fields)
        outputs = {"result": word, **fields}
        lines = "".join(f"{key}={harmless(self._masker.mask(str(value)))}\n" for key, value in outputs.items())
        self._append("GITHUB_OUTPUT", lines)
        if self._provider.dialect == "azure":
            with self._lock:
                for key, value in outputs.items():
                    shown = harmless(self._masker.mask(str(value)))
                    self._write_lines([f"##vso[task.setvariable variable={key};isOutput=true]{shown}"])

    def summary(self, markdown: str) -> None:
        """Markdown for the CI's page of the job, where it has one."""
        self._append("GITHUB_STEP_SUMMARY", self._masker.mask(markdown.rstrip("\n")) + "\n")

    def out(self, text: str) -> None:
        """Machine output (a report, a diff) on standard output, with a final newline."""
        with self._lock:
            self._stdout.write(self._masker.mask(text if text.endswith("\n") else f"{text}\n"))
            self._stdout.flush()

    @contextlib.contextmanager
    def waiting(self, describe: Callable[[], str], *, cluster: str | None = None) -> Iterator[None]:
        """While the body runs, show `describe()`: live on a terminal, else a heartbeat at least every 30 s.

        `describe` is called from another thread and says what is still awaited and why, a line each.
        """
        done = threading.Event()
        beat = self._frames if self._live else self._beats
        thread = threading.Thread(target=beat, args=(describe, cluster, done), daemon=True, name="kit-waiting")
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _beats(self, describe: Callable[[], str], cluster: str | None, done: threading.Event) -> None:
        while not done.wait(self._heartbeat_seconds):
            text = describe()
            if text:
                self.info(text, cluster=cluster)

    def _frames(self, describe: Callable[[], str], cluster: str | None, done: threading.Event) -> None:
        begun = time.monotonic()
        while not done.wait(_FRAME_SECONDS):
            columns, rows = shutil.get_terminal_size()
            head = f"[{cluster}] " if cluster else ""
            shown = [head + harmless(line) for line in self._masker.mask(describe()).splitlines()]
            shown = shown[: max(1, rows - 2)]
            if shown:
                shown[0] += f" ({time.monotonic() - begun:.0f} s)"
            with self._lock:
                self._erase()
                self._block = [line[: columns - 1] for line in shown]
                self._write_lines([f"\x1b[2m{line}\x1b[0m" for line in self._block])
        with self._lock:
            self._erase()

    def _erase(self) -> None:
        if self._block:
            self._write(f"\x1b[{len(self._block)}A\x1b[J")
            self._block = []

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
        event = Event(level=level, text=text, cluster=cluster, file=file, line=line, column=column,
                      fields=fields or {})  # fmt: skip
        with self._lock:
            self._erase()
            self._write_lines(self._renderer.lines(event))

    def _write_lines(self, lines: Any) -> None:
        text = "".join(f"{line}\n" for line in lines)
        if text:
            self._write(self._masker.mask(text))

    def _write(self, text: str) -> None:
        # A log that nobody reads any more (a closed pipe, a full disk) must not end the deploy it tells of.
        with contextlib.suppress(OSError, ValueError):
            self._stderr.write(text)
            self._stderr.flush()

    def _append(self, variable: str, text: str) -> None:
        path = self._env.get(variable)
        if not path or self._provider.dialect != "github":
            return
        # In a container the runner's file is often not mounted; the last line of the log says the same.
        with contextlib.suppress(OSError), Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
