# SPDX-License-Identifier: MIT
"""`edit FILE`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kit_core.entry import Context
from kit_core.envfile import encrypt
from kit_core.errors import WorkError
from kit_core.files import read_bytes
from kit_core.settings import without_secrets
from kit_pipeline.commands.keyring import key_files, key_of
from kit_pipeline.sealing.editing import edited, editor_command
from kit_pipeline.sealing.keys import guard_key
from kit_pipeline.sealing.looking import remarks
from kit_pipeline.sealing.place import Seen, changed, check_writable, for_cipher, put
from kit_pipeline.sealing.ramfolder import folder_in_memory, memory_candidates
from kit_pipeline.sealing.sealed import form_for, opened, plain_name
from kit_pipeline.settings import PipelineSettings


def edit_command(settings: PipelineSettings, context: Context, arguments: Mapping[str, Any]) -> int:
    """Let a person change what FILE holds; a FILE that is not there is made. Nothing changed, nothing written.

    Raises `InputError`, `DecryptError`, `WorkError`.
    """
    name, console = arguments["FILE"], context.console
    key = key_of(settings, context)
    place = for_cipher(context.cwd / name)
    guard_key(place, key_files(settings, context))
    command = editor_command(context.env)
    check_writable(place)
    seen = Seen.of(place)
    former = read_bytes(place, what="The encrypted file") if place.exists() else None
    plain = opened(former, key, name=name, binary=settings.binary).plain if former is not None else b""
    env = without_secrets(PipelineSettings, context.env)
    with folder_in_memory(memory_candidates(context.env)) as folder:
        new = edited(plain, name=plain_name(place.name), folder=folder, command=command, env=env)
    if new == plain:
        console.info(f"{name} stays as it is. An editor that returns at once needs its option to wait: `code --wait`.")
        console.result("unchanged")
        return 0
    form = form_for(former, settings.format)
    for remark in remarks(new, plain, name=plain_name(name), form=form):
        console.warning(remark)
    _write(place, encrypt(new, key, form=form), seen)
    console.success(f"{name} is encrypted, in the form {form}, with {key.origin}")
    console.result("created" if former is None else "changed", form=form)
    return 0


def _write(place: Path, data: bytes, seen: Seen) -> None:
    """Put it in its place, or, where that has been changed by somebody else, beside it: no work is lost."""
    if Seen.of(place) == seen:
        put(place, data, seen=seen)
        return
    beside = place.with_name(f"{place.name}.edited")
    put(beside, data)
    error: WorkError = changed(place)
    error.hint = f"What you made of it is in {beside}, encrypted: bring both together."
    raise error
