# SPDX-License-Identifier: MIT
"""`encrypt`: a file, or a value from standard input, in the form that a deployments repository keeps."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kit_core.envfile import encrypt as encrypt_file
from kit_core.envfile import encrypt_value, is_encrypted
from kit_core.errors import InputError
from kit_core.files import refused
from kit_core.keys import read_key
from kit_core.step import Context
from kit_deploymentizer.inputs.encrypted import key_folders
from kit_deploymentizer.settings import DeploymentizerSettings


def encrypt(settings: DeploymentizerSettings, context: Context, arguments: Mapping[str, Any]) -> int:
    """Print FILE encrypted, or the value on standard input; a single line's end is not part of a value.

    Nothing else is written anywhere. Raises `InputError` for what cannot be read, is empty or is encrypted already.
    """
    folders = key_folders(settings, context.cwd)
    key = read_key(settings.codeship_aes_key, folders=folders, learn_secret=context.masker.add)
    name = arguments["FILE"]
    if name:
        # In an image the current folder is /, and the repository is mounted elsewhere.
        path = next((folder / name for folder in folders if (folder / name).is_file()), context.cwd / name)
        text = encrypt_file(_content(path, name), key).decode()
    else:
        text = encrypt_value(_value(), key)
    context.console.out(text)
    context.console.result("encrypted", what=name or "value")
    return 0


def _content(path: Path, name: str) -> bytes:
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise refused(error, path, "The file to encrypt cannot be read", kind=InputError) from None
    if not content.strip() or is_encrypted(content):
        why = "it is encrypted already" if content.strip() else "it is empty"
        raise InputError("The file cannot be encrypted", where=name, why=why, hint="Name the file with the plain text.")
    return content


def _value() -> str:
    try:
        value = sys.stdin.buffer.read().decode("utf-8") if sys.stdin else ""
    except UnicodeDecodeError:
        raise InputError("The value is not UTF-8 text", hint="Encode it, for example with base64.") from None
    line = value.removesuffix("\n").removesuffix("\r")
    value = value if "\n" in line else line
    if not value:
        raise InputError(
            "There is no value to encrypt",
            why="standard input is empty",
            hint="Pipe it in (docker run -i …), or name a FILE.",
        )
    return value
