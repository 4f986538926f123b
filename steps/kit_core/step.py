# SPDX-License-Identifier: MIT
"""What a step says of itself: its settings, its commands, and what a command gets to work with."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from kit_core.console import Console
from kit_core.declare import LOG_GROUP, Setting
from kit_core.secrets import Masker


@dataclass(frozen=True, kw_only=True)
class Context:
    """The world as a command sees it: handed in, so that a test hands in its own.

    `stop` is set by the first SIGTERM or SIGINT, for threads that must not begin new work; the main thread gets
    `Interrupted` raised. `given` tells which settings were set, by field, and by which name.
    """

    env: Mapping[str, str]
    console: Console
    stdout: TextIO
    stop: threading.Event
    masker: Masker
    cwd: Path
    debug: bool
    given: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Argument:
    """A positional argument of a command; `many` takes all that are left."""

    name: str
    help: str
    required: bool = True
    many: bool = False


Run = Callable[[Any, Context, Mapping[str, Any]], int | None]
"""Settings, context, arguments by name (a string, or a tuple where `many`) -> exit code, None for 0."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One thing that a step does. `run` loads what is heavy itself, so that `--help` stays quick.

    It takes the settings of `groups` and those that all have; of all groups where that is None. `verbatim`: what
    follows its first argument belongs to it, also where it looks like an option of ours.
    """

    name: str
    help: str
    run: Run
    arguments: Sequence[Argument] = ()
    groups: frozenset[str] | None = None
    verbatim: bool = False

    def takes(self, item: Setting) -> bool:
        """Whether a setting means anything to this command."""
        return self.groups is None or item.group in self.groups or item.group == LOG_GROUP


@dataclass(frozen=True, kw_only=True)
class Step:
    """One program. The first command runs when none is named; without `bare` the help is shown then."""

    name: str
    package: str
    summary: str
    settings: type[Any]
    commands: tuple[Command, ...]
    examples: tuple[str, ...] = ()
    bare: bool = True

    def command(self, name: str) -> Command | None:
        """The command of this name."""
        return next((command for command in self.commands if command.name == name), None)
