# SPDX-License-Identifier: MIT
"""`decrypt IN [OUT]`."""

from collections.abc import Mapping
from typing import Any

from kit_core.entry import Context
from kit_pipeline.commands.keyring import key_files, key_of, stdout_of
from kit_pipeline.sealing.git import would_take
from kit_pipeline.sealing.keys import guard_key
from kit_pipeline.sealing.place import SECRET, STREAM, for_plain, is_stream, put, read, write_stream
from kit_pipeline.sealing.sealed import opened
from kit_pipeline.settings import PipelineSettings


def decrypt_command(settings: PipelineSettings, context: Context, arguments: Mapping[str, Any]) -> int:
    """Decrypt IN to OUT, mode 600 even where it was there before, or to standard output.

    Raises `InputError`, `DecryptError`, `WorkError`.
    """
    source, target = arguments["IN"], arguments["OUT"] or STREAM
    key = key_of(settings, context)
    streaming = is_stream(target, context.cwd)
    place = None if streaming else for_plain(context.cwd / target)
    if place is not None:
        guard_key(place, key_files(settings, context))
    data = read(source, context.cwd, what="The file to decrypt")
    found = opened(data, key, name=source, binary=settings.binary)
    if place is None:
        write_stream(target, context.cwd, found.plain, stdout_of(context))
    else:
        put(place, found.plain, mode=SECRET)
        context.console.success(f"{source} is decrypted in {target}, mode 600")
        if would_take(place):
            context.console.warning(f"git does not ignore {target}: `git add .` would take the plaintext along")
    context.console.result("decrypted", form=found.form)
    return 0
