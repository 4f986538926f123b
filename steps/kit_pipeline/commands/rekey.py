# SPDX-License-Identifier: MIT
"""`rekey FILE...`."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kit_core.entry import Context
from kit_core.errors import InputError
from kit_core.keys import Key, read_key
from kit_pipeline.commands.keyring import key_files, key_of
from kit_pipeline.sealing.rekeying import Change, Plan, carry_out, plan
from kit_pipeline.sealing.sealed import FORMS
from kit_pipeline.sealing.search import candidates
from kit_pipeline.sealing.turning import Keys
from kit_pipeline.settings import PipelineSettings

_AFTER: Final = (
    "git's history still opens with the old key: whoever has it, and a clone, reads what was there. Where the key was"
    " lost to somebody, replace the secrets themselves too."
)


def rekey_command(settings: PipelineSettings, context: Context, arguments: Mapping[str, Any]) -> int:
    """Bring files from the key to the new one, all or none. Raises `InputError`, `DecryptError`, `WorkError`."""
    console = context.console
    keys = _keys(settings, context)
    planned = plan(candidates(arguments["FILE"], context.cwd, key_files(settings, context)), keys)
    if planned.problems:
        for problem in planned.problems:
            console.error(problem)
        raise InputError(
            "Nothing was written",
            why=f"{_files(len(planned.problems))} cannot be brought to the new key",
            hint="Mend them, or name the others only.",
        )
    _tell(planned.changes, context)
    done = list[Change]()

    def tell(change: Change) -> None:
        done.append(change)
        console.success(_said(change))

    try:
        carry_out(planned.changes, tell)
    except BaseException:
        if done:
            console.warning(f"{_files(len(done))} of {_due(planned)} have the new key; run it again for the others")
        raise
    facts = {
        "files": len(done),
        "already": sum(change.turned.already > 0 and change.turned.data is None for change in planned.changes),
        "left": sum(len(change.turned.strangers) for change in planned.changes),
    }
    if done:
        console.info(f"Put {settings.new_key_path} in the place of the old key now, here and in the CI. {_AFTER}")
    console.result("rekeyed" if done else "unchanged", **facts)
    return 0


def _keys(settings: PipelineSettings, context: Context) -> Keys:
    old = key_of(settings, context)
    if settings.new_key_path is None:
        raise InputError(
            "There is no new key",
            why="--new-key-path is not given",
            hint="`kit-pipeline generate new.aes` makes one.",
        )
    new: Key = read_key(path=context.cwd / settings.new_key_path, learn_secret=context.masker.add)
    if new.raw == old.raw:
        raise InputError(
            "The new key is the old one",
            why=f"{old.origin} and {settings.new_key_path} hold the same",
            hint="--key-path names the old key's file.",
        )
    return Keys(old, new, FORMS[settings.format] if settings.format else None)


def _tell(changes: Iterable[Change], context: Context) -> None:
    """Say what stays as it is."""
    for change in changes:
        name = change.candidate.name
        if change.turned.already and change.turned.data is None:
            context.console.info(f"{name} is under the new key already")
        for stranger in change.turned.strangers:
            place = f"{name}:{stranger.line}" if stranger.line else name
            why = stranger.refusal.why
            context.console.warning(f"{place} is left as it is: {why}", file=name)


def _said(change: Change) -> str:
    turned = change.turned
    count = ("1 value" if turned.turned == 1 else f"{turned.turned} values") + " in " if turned.within else ""
    return f"{count}{change.candidate.name}: under the new key now, in the form {' and '.join(turned.forms)}"


def _due(planned: Plan) -> int:
    return sum(change.turned.data is not None for change in planned.changes)


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
