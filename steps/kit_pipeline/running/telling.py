# SPDX-License-Identifier: MIT
"""How a run is told: each step's beginning and end, what is waited for in between, and a table of all at the end."""

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from kit_core.console import Console
from kit_core.errors import KitError, WorkError
from kit_core.render import harmless
from kit_pipeline.files.service import Service
from kit_pipeline.planning import showing
from kit_pipeline.planning.plan import Group, Member, Task
from kit_pipeline.planning.showing import needed, what
from kit_pipeline.planning.values import RunValues
from kit_pipeline.running.printing import Printer
from kit_pipeline.running.result import TaskResult
from kit_pipeline.running.run import Audience

_SILENT_SECONDS: Final = 25.0
"""CI services end jobs that say nothing; half a minute without a word of a step is the most that is promised."""
_LOOK_SECONDS: Final = 1.0
_NOT_STARTED: Final = {126: "it cannot be executed", 127: "there is no such program"}
_WIDEST: Final = 120
_MARKS: Final = {"passed": "✅", "failed": "❌", "skipped": "➖", "stopped": "⏹️"}


class Telling(Audience):
    """Tells a console how a run of `plan` goes."""

    def __init__(
        self, console: Console, printer: Printer, plan: Group, services: Mapping[str, Service], values: RunValues
    ) -> None:
        self._console, self._printer, self._plan = console, printer, plan
        self._services, self._values = services, values
        self._results: dict[str, TaskResult] = {}
        self._begun: set[str] = set()
        self._folded: set[str] = set()
        crowded = frozenset(_crowded(plan, beside=False))
        printer.expect(_speakers(plan, services, crowded), crowded)

    def part(self, member: Member) -> AbstractContextManager[None]:
        """A part of the log with a heading, which CI services fold."""
        self._folded.add(member.number)
        return self._console.group(self._heading(member))

    def begin(self, task: Task) -> None:
        """A line that a step begins, where no heading says it."""
        self._begun.add(task.number)
        if task.number not in self._folded:
            self._console.info(f"{self._heading(task)} …", step=task.name, number=task.number)

    def end(self, task: Task, result: TaskResult) -> None:
        """A line that a step has ended, and how."""
        self._results[task.number] = result
        name = f"{result.number} {result.name}"
        facts: dict[str, Any] = {"step": result.name, "number": result.number, "state": result.state}
        timed = {**facts, "seconds": round(result.seconds, 1), "preparing": round(result.preparing, 1)}
        took = f"{result.seconds:.1f} s" + (
            f", {result.preparing:.1f} s of these preparing" * (result.preparing >= 0.1)
        )
        if result.state == "passed":
            self._console.success(f"{name}: passed ({took})", **timed)
        elif result.state == "skipped":
            self._console.info(f"{name}: left out: {result.reason}", **facts, reason=result.reason)
        elif result.state == "stopped":
            self._console.warning(f"{name}: stopped after {took}", **timed)
        elif result.after_failure:
            self._console.warning(f"{name}: failed: {why(result)} ({took}); it follows a failure, and changes nothing",
                                  file=task.step.place.name, line=task.step.place.line, **timed)  # fmt: skip
        else:
            self._console.error(_failure(task, result, took), **timed)

    @contextmanager
    def running(self) -> Iterator[None]:
        """While a run goes on, say every half minute what it waits for; at its end, whatever that is, how all went."""
        over = threading.Event()
        thread = threading.Thread(target=self._watch, args=(over,), name="kit-pipeline-waiting", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            self.conclude()

    def conclude(self) -> None:
        """The table of all steps, in the log and on the CI's page of the job."""
        rows = self.rows()
        if len(rows) > 1:
            widths = [max(len(row[column]) for row in rows) for column in range(4)]
            lines = [
                "  ".join(f"{cell:{'>' if column == 3 else '<'}{width}}" for column, (cell, width) in
                          enumerate(zip(row, widths, strict=False))) + f"  {row[4]}"
                for row in rows
            ]  # fmt: skip
            self._console.info("\n".join(["steps:", *(line.rstrip() for line in lines)]), steps=self._facts())
        self._console.summary(self.markdown)

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """Number, name, state, seconds and remark of each step, in the order of the plan."""
        return [
            (
                result.number,
                harmless(result.name),
                "left out" if result.state == "skipped" else result.state,
                f"{result.seconds:.1f} s" if result.seconds else "",
                _remark(result),
            )
            for result in self._in_order()
        ]

    def markdown(self) -> str:
        """The same for a page."""
        lines = ["| | step | state | seconds | of these preparing | |", "|---|---|---|---:|---:|---|"]
        for result in self._in_order():
            cells = (
                _MARKS[result.state], f"{result.number} {result.name}", result.state, f"{result.seconds:.1f}",
                f"{result.preparing:.1f}", _remark(result, seconds=False),
            )  # fmt: skip
            lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
        return "\n".join(["### kit-pipeline", "", *lines])

    def _in_order(self) -> list[TaskResult]:
        """The result of each task; one that has none was stopped, or was never begun."""
        found = []
        for task in _every(self._plan):
            if task.number in self._results:
                found.append(self._results[task.number])
            elif task.number in self._begun:
                found.append(TaskResult(number=task.number, name=task.name, state="stopped", reason="interrupted"))
            elif not task.after_failure:
                reason = task.skipped or "the run ended before"
                found.append(TaskResult(number=task.number, name=task.name, state="skipped", reason=reason))
        return found

    def _facts(self) -> list[dict[str, Any]]:
        return [
            {"number": result.number, "step": result.name, "state": result.state, "seconds": round(result.seconds, 1),
             "preparing": round(result.preparing, 1), "exit_code": result.exit_code, "reason": _remark(result)}
            for result in self._in_order()
        ]  # fmt: skip

    def _heading(self, member: Member) -> str:
        if isinstance(member, Group):
            return f"{member.number} {member.name}: side by side"
        return f"{member.number} {member.name}: {what(member, self._services, self._values)}"

    def _watch(self, over: threading.Event) -> None:
        told: dict[int, float] = {}
        while not over.wait(_LOOK_SECONDS):
            if text := waiting_for(self._printer, told, time.monotonic()):
                self._console.info(text)


def waiting_for(printer: Printer, told: dict[int, float], now: float) -> str | None:
    """What to say of steps that have been silent for long, None where there is none. `told` keeps when it was said."""
    silent = [
        voice
        for key, voice in list(printer.voices.items())
        if now - max(voice.last, told.get(key, 0.0)) >= _SILENT_SECONDS
    ]
    told.update({id(voice): now for voice in silent})
    for key in told.keys() - printer.voices.keys():
        del told[key]
    parts = [
        f"{voice.prefix} ({now - voice.began:.0f} s{', ' + voice.doing if voice.doing else ''})" for voice in silent
    ]
    return f"waiting for {', '.join(parts)}" if parts else None


def why(result: TaskResult) -> str:
    """Why a step failed, in a few words."""
    if result.error is not None:
        return str(result.error)
    code = result.exit_code or 0
    if code in _NOT_STARTED:
        return f"exit code {code}, as shells say that {_NOT_STARTED[code]}"
    if 128 < code < 128 + signal.NSIG and code - 128 in set(signal.Signals):
        return f"exit code {code}, ended by {signal.Signals(code - 128).name}"
    return f"exit code {code}"


def _failure(task: Task, result: TaskResult, took: str) -> KitError:
    name, place = f"{result.number} {result.name}", task.step.place
    if (error := result.error) is None:
        return WorkError(f"{name}: failed with {why(result)} ({took})", file=place.name, line=place.line)
    return WorkError(f"{name}: failed", why=str(error), file=error.file or place.name, line=error.line or place.line)


def _remark(result: TaskResult, *, seconds: bool = True) -> str:
    prepared = f"{result.preparing:.1f} s of these preparing" if seconds and result.preparing >= 0.1 else ""
    failed = ""
    if result.state == "failed":
        failed = _short(result.error) if result.error is not None else why(result)
    return harmless("; ".join(part for part in (result.reason, failed, prepared) if part))


def _short(error: KitError) -> str:
    text = f"{error.what}: {error.why}" if error.why else error.what
    first = text.splitlines()[0]
    return first if first == text and len(first) <= _WIDEST else f"{first[:_WIDEST]}…"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")


def _every(group: Group) -> Iterator[Task]:
    """Every task in order, what follows failures behind what it follows."""
    for member in group.members:
        if isinstance(member, Group):
            yield from _every(member)
        else:
            yield member
            yield from member.on_fail
    yield from group.on_fail


def _crowded(group: Group, *, beside: bool) -> Iterator[str]:
    """The steps that have others beside them."""
    inside = beside or (group.order == "parallel" and len(group.members) > 1)
    for member in group.members:
        if isinstance(member, Group):
            yield from _crowded(member, beside=inside)
        elif inside:
            yield member.name


def _speakers(plan: Group, services: Mapping[str, Service], crowded: frozenset[str]) -> Iterator[str]:
    for task in _every(plan):
        if not task.skipped and not task.after_failure:
            yield task.name
            if task.service in services and task.name in crowded:
                yield from (f"{task.name}/{other}" for other in showing.beside(services[task.service], services))
    yield from needed(plan, services)
