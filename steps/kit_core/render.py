# SPDX-License-Identifier: MIT
"""Events as lines: for people, in the dialects of CI services, and as JSON.

Whatever text arrives here may hold words that are not ours (a server's message, a container's log, a commit's
message). `harmless` takes from it what a terminal or a CI service would obey; our own commands are added afterwards.
"""

import itertools
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol

from kit_core.ci import Dialect

Level = Literal["debug", "info", "success", "warning", "error", "foreign", "group", "endgroup", "result"]

_ESCAPE_SEQUENCE: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_COMMAND_ANYWHERE: Final = re.compile(r"#(?=#\w*\[)")  # Azure's, GitHub's older form, TeamCity's
_COMMAND_FIRST: Final = re.compile(r"^(\s*):(?=:)")  # GitHub's, at the beginning of a line

_COLOURS: Final = {
    "success": "32",
    "warning": "33",
    "error": "31",
    "debug": "2",
    "foreign": "2",
    "group": "1",
}
_WORDS: Final = {"warning": "warning: ", "error": "error: ", "debug": "debug: "}


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing to tell: `fields` are further facts for machines, and go into the JSON log as they are."""

    level: Level
    text: str
    cluster: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


class Renderer(Protocol):
    """From an event to the lines that are written, without final newlines."""

    def lines(self, event: Event) -> Iterable[str]:
        """The event's lines; none where this form has nothing to show for it."""
        ...


def plain(text: str) -> str:
    """`text` without escape sequences, and with control characters written out, all but tabs and line ends."""
    return _written_out(_ESCAPE_SEQUENCE.sub("", text))


def harmless(text: str) -> str:
    """`text` on one line, without escape sequences, control characters and what a CI service takes for a command."""
    text = _ESCAPE_SEQUENCE.sub("", text).replace("\t", "    ").replace("\r", " ").replace("\n", " ")
    text = _written_out(text)
    return _COMMAND_FIRST.sub(r"\1: ", _COMMAND_ANYWHERE.sub("# ", text))


def _written_out(text: str) -> str:
    return _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def commandless(text: str) -> str:
    """`text` of several lines for standard output, without what a CI service takes for a command there: a manifest or a
    setting of anybody's pull request may hold one. Everything else of it stays."""
    return "\n".join(_COMMAND_FIRST.sub(r"\1: ", _COMMAND_ANYWHERE.sub("# ", line)) for line in text.split("\n"))


class TextRenderer:
    """One line an event, prefixed by its cluster; groups, errors and warnings marked as the CI service likes."""

    def __init__(self, *, dialect: Dialect = "plain", colour: bool = False) -> None:
        self._dialect = dialect
        self._colour = colour
        self._groups: list[str] = []
        # GitLab wants a name for each section that the job's log has not had: other steps write to it as well.
        self._names = (f"kit_{os.urandom(4).hex()}_{count}" for count in itertools.count(1))

    def lines(self, event: Event) -> Iterable[str]:
        """The event in this dialect."""
        if event.level == "group":
            return self._open(event.text)
        if event.level == "endgroup":
            return self._close()
        if event.level == "result":
            facts = {"result": event.text, **event.fields}
            return [self._painted("success", " ".join(f"{key}={_fact(value)}" for key, value in facts.items()))]
        prefix = f"[{harmless(event.cluster)}] " if event.cluster else ""
        if event.level == "foreign":
            return [prefix + self._painted("foreign", f"  | {harmless(line)}") for line in event.text.splitlines()]
        body = [harmless(line) for line in event.text.splitlines() or [""]]
        word = _WORDS.get(event.level, "")
        shown = [prefix + self._painted(event.level, word + body[0])]
        shown += [prefix + self._painted(event.level, f"  {line}") for line in body[1:]]
        return self._mark(event, prefix + "\n".join(body)) or shown

    def _painted(self, level: str, text: str) -> str:
        colour = _COLOURS.get(level)
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colour and colour else text

    def _mark(self, event: Event, text: str) -> list[str]:
        """A warning or an error as the CI service's own command, which shows it in the log and beside the code."""
        if event.level not in {"warning", "error"}:
            return []
        if self._dialect == "github":
            places = {"file": event.file, "line": event.line, "col": event.column}
            shown = ",".join(f"{key}={_property(str(value))}" for key, value in places.items() if value is not None)
            return [f"::{event.level}{' ' + shown if shown else ''}::{_data(text)}"]
        if self._dialect == "azure":
            places = {"sourcepath": event.file, "linenumber": event.line, "columnnumber": event.column}
            shown = "".join(f"{key}={_azure(str(value))};" for key, value in places.items() if value is not None)
            return [f"##vso[task.logissue type={event.level};{shown}]{_azure(text)}"]
        return []

    def _open(self, title: str) -> list[str]:
        title = harmless(title)
        name = next(self._names)
        self._groups.append(name)
        if self._dialect == "github":
            return [f"::group::{_data(title)}"]
        if self._dialect == "azure":
            return [f"##[group]{title}"]
        if self._dialect == "gitlab":
            now = int(datetime.now(UTC).timestamp())
            return [f"\x1b[0Ksection_start:{now}:{name}[collapsed=false]\r\x1b[0K{title}"]
        return [self._painted("group", f"== {title}")]

    def _close(self) -> list[str]:
        name = self._groups.pop() if self._groups else ""
        if self._dialect == "github":
            return ["::endgroup::"]
        if self._dialect == "azure":
            return ["##[endgroup]"]
        if self._dialect == "gitlab":
            return [f"\x1b[0Ksection_end:{int(datetime.now(UTC).timestamp())}:{name}\r\x1b[0K"]
        return []


class JsonRenderer:
    """One JSON object an event: `time`, `level`, `message`, then `cluster`, `file`, `line`, `column` and the facts."""

    def lines(self, event: Event) -> Iterable[str]:
        """The event as one line; the end of a group says nothing."""
        if event.level == "endgroup":
            return []
        entry: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": event.level,
            "message": event.text,
        }
        if event.level == "result":
            entry["message"] = f"result={event.text}"
            entry["result"] = event.text
        places = {"cluster": event.cluster, "file": event.file, "line": event.line, "column": event.column}
        entry.update({key: value for key, value in places.items() if value is not None})
        entry.update({key: value for key, value in event.fields.items() if key not in entry})
        return [json.dumps(entry, ensure_ascii=False, default=str)]


def _fact(value: Any) -> str:
    text = harmless(str(value))
    return json.dumps(text, ensure_ascii=False) if not text or any(c in text for c in ' "=') else text


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _azure(text: str) -> str:
    escaped = text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace(";", "%3B").replace("]", "%5D")
