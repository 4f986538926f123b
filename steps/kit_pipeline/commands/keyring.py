# SPDX-License-Identifier: MIT
"""The keys that the commands for encrypted files work with."""

from pathlib import Path
from typing import BinaryIO

from kit_core.entry import Context
from kit_core.keys import KEY_FILE, Key
from kit_pipeline.sealing.keys import find_key
from kit_pipeline.settings import PipelineSettings


def key_of(settings: PipelineSettings, context: Context) -> Key:
    """The key that was given, else the repository's. Raises `DecryptError`."""
    path = context.cwd / settings.key_path if settings.key_path else None
    return find_key(settings.codeship_aes_key, path, _folders(settings, context), context.masker.add)


def key_files(settings: PipelineSettings, context: Context) -> tuple[Path, ...]:
    """Where keys lie, whether or not they are used: files that nothing else is written to."""
    given = [context.cwd / path for path in (settings.key_path, settings.new_key_path) if path]
    return (*given, *(folder / KEY_FILE for folder in _folders(settings, context)))


def stdout_of(context: Context) -> BinaryIO:
    """Standard output for bytes: what is decrypted goes there as it is."""
    return context.stdout.buffer


def _folders(settings: PipelineSettings, context: Context) -> list[Path]:
    return list(dict.fromkeys([context.cwd / settings.dir, context.cwd]))
