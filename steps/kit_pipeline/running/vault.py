# SPDX-License-Identifier: MIT
"""What lies encrypted in the repository, decrypted in memory when it is needed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kit_core.dotenv import parse_env
from kit_core.errors import InputError
from kit_core.files import as_text, read_bytes
from kit_core.keys import Key


@dataclass(frozen=True)
class Vault:
    """`key` gives the key, and is asked when the first secret is; `learn_secret` is told what must not be printed."""

    key: Callable[[], Key]
    learn_secret: Callable[[str], None]

    def variables(self, path: Path, *, plain: bool = False) -> dict[str, str]:
        """The variables of an encrypted env file; with `plain` of one that may be encrypted. Raises `InputError`."""
        values = parse_env(self.text(path, plain=plain), name=path.name)
        for value in values.values():
            if value:
                self.learn_secret(value)
        return values

    def line(self, encrypted: str, *, name: str) -> dict[str, str]:
        """The variables of an item of `encrypted_environment` or `encrypted_args`: `KEY=value` lines, encrypted."""
        from kit_core.envfile import decrypt, decrypt_value, is_encrypted_value

        if is_encrypted_value(encrypted):
            plain = decrypt_value(encrypted, self.key(), name=name)
        else:
            plain = decrypt(encrypted.encode(), self.key(), name=name).decode()
        values = parse_env(plain, name=name)
        for value in values.values():
            if value:
                self.learn_secret(value)
        return values

    def text(self, path: Path, *, plain: bool = False) -> str:
        """An encrypted file's text. Raises `InputError`."""
        from kit_core.envfile import decrypt, is_encrypted

        data = read_bytes(path, what="The encrypted file")
        if not is_encrypted(data):
            if plain:
                return as_text(data, path, what="The file of secrets")
            raise InputError(
                f"{path} is not encrypted",
                why="its name stands where an encrypted file is wanted",
                hint="`kit-pipeline encrypt IN OUT` encrypts it; what is no secret belongs into `env_file`.",
            )
        return decrypt(data, self.key(), name=str(path)).decode()
