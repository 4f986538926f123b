# SPDX-License-Identifier: MIT
"""`encrypt IN OUT`."""

from collections.abc import Mapping
from typing import Any

from kit_core.entry import Context
from kit_core.envfile import Form, encrypt
from kit_core.files import read_bytes
from kit_core.keys import Key
from kit_pipeline.commands.keyring import key_files, key_of, stdout_of
from kit_pipeline.sealing.keys import guard_key
from kit_pipeline.sealing.place import for_cipher, is_stream, put, read, write_stream
from kit_pipeline.sealing.sealed import check_plain, form_for, replaces_other_key
from kit_pipeline.settings import PipelineSettings


def encrypt_command(settings: PipelineSettings, context: Context, arguments: Mapping[str, Any]) -> int:
    """Encrypt IN to OUT, which may be the same file. A file that is replaced keeps its form and mode.

    Raises `InputError`, also where IN is encrypted already; `WorkError`.
    """
    source, target = arguments["IN"], arguments["OUT"]
    key = key_of(settings, context)
    streaming = is_stream(target, context.cwd)
    place = None if streaming else for_cipher(context.cwd / target)
    if place is not None:
        guard_key(place, key_files(settings, context))
    plain = read(source, context.cwd, what="The file to encrypt")
    former = read_bytes(place, what="The file that is replaced") if place is not None and place.exists() else None
    form = form_for(former, settings.format)
    for warning in check_plain(plain, key, name=source, form=form):
        context.console.warning(warning)
    data = encrypt(plain, key, form=form)
    if place is None:
        write_stream(target, context.cwd, data, stdout_of(context))
    else:
        if former is not None:
            _tell_former(former, target, form if settings.format is None else None, key, context)
        put(place, data)
        context.console.success(f"{source} is encrypted in {target}, in the form {form}, with {key.origin}")
    context.console.result("encrypted", form=form)
    return 0


def _tell_former(former: bytes, target: str, kept: Form | None, key: Key, context: Context) -> None:
    if replaces_other_key(former, key):
        context.console.warning(f"{target} was under another key than {key.origin}, or damaged; it is replaced")
    elif kept == "jet 1":
        context.console.info(f"{target} stays in the form jet 1; --format kit:v1 would notice a wrong key and damage")
