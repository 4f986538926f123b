# SPDX-License-Identifier: MIT
"""`generate [OUT]`."""

from collections.abc import Mapping
from typing import Any

from kit_core.entry import Context
from kit_core.keys import KEY_FILE
from kit_pipeline.commands.keyring import stdout_of
from kit_pipeline.sealing.git import would_take
from kit_pipeline.sealing.keys import new_key, write_key
from kit_pipeline.sealing.place import is_stream, write_stream
from kit_pipeline.settings import PipelineSettings


def generate_command(settings: PipelineSettings, context: Context, arguments: Mapping[str, Any]) -> int:
    """Make a new key, in a file that was not there before, mode 600. Raises `InputError`, `WorkError`."""
    name = arguments["OUT"] or str(settings.dir / KEY_FILE)
    text = new_key()
    context.masker.add(text.strip())
    if is_stream(name, context.cwd):
        write_stream(name, context.cwd, text.encode(), stdout_of(context))
    else:
        place = context.cwd / name
        write_key(place, text)
        context.console.success(f"{name} holds a new key, mode 600; keep a copy where it is not lost with this machine")
        if would_take(place):
            context.console.warning(f"git does not ignore {name}: add it to .gitignore")
    context.console.result("generated")
    return 0
