# SPDX-License-Identifier: MIT
"""Many files from an old key to a new one: all of them, or none.

First everything is read, decrypted and encrypted anew in memory; then every new file is written beside its place; then
each takes its place, which cannot be stopped half way. What is interrupted between two files is finished by the next
run, which finds the first ones under the new key already.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from kit_core.errors import InputError, KitError
from kit_pipeline.sealing.place import Seen, Staged, changed
from kit_pipeline.sealing.search import Candidate, content
from kit_pipeline.sealing.turning import Keys, Turned, turn


@dataclass(frozen=True)
class Change:
    """A file, as it was when it was read, and what becomes of it."""

    candidate: Candidate
    seen: Seen
    turned: Turned


@dataclass(frozen=True)
class Plan:
    """What is going to be done; nothing is, while there are `problems`."""

    changes: tuple[Change, ...]
    problems: tuple[KitError, ...]


def plan(candidates: Iterable[Candidate], keys: Keys) -> Plan:
    """What becomes of each file. What was named must be encrypted, under one of both keys."""
    changes, problems = [], []
    for candidate in candidates:
        try:
            seen = Seen.of(candidate.path)
            turned = turn(content(candidate), keys, name=candidate.name, guessing=not candidate.named)
            if candidate.named:
                _check_named(candidate, turned)
        except KitError as error:
            problems.append(error)
        else:
            changes.append(Change(candidate, seen, turned))
    return Plan(tuple(changes), tuple(problems))


def _check_named(candidate: Candidate, turned: Turned) -> None:
    if turned.strangers:
        raise turned.strangers[0].refusal
    if not turned.turned and not turned.already:
        raise InputError(f"{candidate.name} holds nothing that is encrypted", hint="Name encrypted files, or a folder.")


def carry_out(changes: Sequence[Change], done: Callable[[Change], None]) -> None:
    """Put all new files in their places; `done` is told of each. Raises `WorkError` before the first one where any
    cannot be written, or was changed since it was read.
    """
    with ExitStack() as stack:
        staged = [
            (change, stack.enter_context(Staged(change.candidate.path, change.turned.data)))
            for change in changes
            if change.turned.data is not None
        ]
        for change, _ in staged:
            if Seen.of(change.candidate.path) != change.seen:
                raise changed(change.candidate.path)
        for change, file in staged:
            file.commit()
            done(change)
