# SPDX-License-Identifier: MIT
"""Kubeconfigs that lie encrypted in the repository: decrypted in memory, so that a clone and the AES key can deploy."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from kit_core.credentials import credentials_in
from kit_core.envfile import decrypt, is_encrypted
from kit_core.files import as_text, read_bytes
from kit_core.keys import DecryptError, Key, read_key
from kit_core.secrets import Secret

_WHAT: Final = "The kubeconfig"
_TAG: Final = re.compile(r"\A(?:[!&]\S*\s+)+")
"""What YAML allows before a value."""


class Unlocker:
    """Reads files that may be encrypted. The key is looked for when the first of them is: plain ones need none.

    `given` is the setting, `folders` are where `codeship.aes` may lie; `secret_found` is told of the key.
    """

    def __init__(
        self, given: Secret | None, folders: Iterable[Path], secret_found: Callable[[str], None] = lambda _text: None
    ) -> None:
        self._given = given
        self._folders = tuple(folders)
        self._secret_found = secret_found
        self._key: Key | None = None

    def read(self, path: Path) -> str:
        """The plaintext of the file. Raises `InputError`; `DecryptError` without the key, and for damaged files."""
        raw = read_bytes(path, what=_WHAT)
        if is_encrypted(raw):
            raw = decrypt(raw, self._the_key(path), name=str(path))
            self._hide(raw.decode())
        return as_text(raw, path, what=_WHAT)

    def _the_key(self, path: Path) -> Key:
        """The key. Where there is none, the error names the file that wants it."""
        if self._key is None:
            try:
                self._key = read_key(self._given, folders=self._folders, learn_secret=self._secret_found)
            except DecryptError as error:
                raise DecryptError(
                    error.what, where=str(path), why=error.why, hint=error.hint, file=str(path)
                ) from None
        return self._key

    def _hide(self, text: str) -> None:
        """What looks like a secret is one before the text is understood: errors of parsers quote it."""
        for begin, end in credentials_in(text):
            self._secret_found(_TAG.sub("", text[begin:end]).strip("\"'"))


def key_folders(configs: str, manifests_dir: Path, cwd: Path) -> list[Path]:
    """Where the key's file is looked for: the current folder, where the glob `configs` begins, beside the manifests."""
    parts = Path(configs).parts
    wild = next((index for index, part in enumerate(parts) if any(sign in part for sign in "*?[{")), len(parts) - 1)
    begin = cwd.joinpath(*parts[:wild])
    return [cwd, begin, (cwd / manifests_dir).parent]
