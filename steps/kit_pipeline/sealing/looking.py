# SPDX-License-Identifier: MIT
"""What is to be said of a text before it is encrypted: it may be wrong, and is kept all the same. Pure.

No remark quotes the text.
"""

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

from kit_core.dotenv import parse_env
from kit_core.envfile import Form
from kit_core.errors import InputError
from kit_core.yamlio import YamlError, load_documents

_YAML: Final = frozenset({".yml", ".yaml", ".json"})
_ENV: Final = re.compile(r"(?:^|[._-])env(?:$|[._-])|^environment", re.IGNORECASE)


def remarks(new: bytes, former: bytes, *, name: str, form: Form) -> Iterator[str]:
    """What looks wrong with `new`, which replaces `former` in the file that is called `name` when it is decrypted.

    An env file is what is called one, or was one before.
    """
    try:
        text = new.decode()
    except UnicodeDecodeError:
        more = "; in jet 1 nothing tells it from noise: decrypt it with --binary" if form == "jet 1" else ""
        yield f"{name} is not UTF-8 text{more}"
        return
    path = PurePath(name)
    if path.suffix.lower() in _YAML:
        try:
            load_documents(text.removeprefix("\ufeff"), name=name)
        except YamlError as error:
            yield f"{error.where}: this is no YAML"  # the parser's own words may quote it
    elif _ENV.search(path.name) or _is_env(former):
        try:
            parse_env(text, name=name)
        except YamlError as error:
            yield f"{error.where}: this is no env file, and no YAML"
        except InputError as error:
            yield str(error)


def _is_env(plain: bytes) -> bool:
    try:
        return bool(parse_env(plain.decode(), name=""))
    except (UnicodeDecodeError, InputError):
        return False
