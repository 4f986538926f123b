# SPDX-License-Identifier: MIT
"""What looks like a credential: by its name, by what stands in front of it in a longer text, or by its own look. Pure.

Every pattern takes linear time: a text may be a certificate bundle of a megabyte on one line.
"""

import re
from collections.abc import Iterator
from typing import Final

_CREDENTIAL: Final = re.compile(
    r"pass(?:word|wd|phrase)?(?:s|[_-]?[0-9]+)?$|[_-]pwd$|secret|token|credential|auth(?:orization)?$"
    r"|(?:api|private|access|encryption|signing|master|account|shared)[_-]?key",
    re.IGNORECASE,
)
_PASSWORD: Final = re.compile(r"pass(?:word|wd|phrase)$", re.IGNORECASE)
_NO_VALUE: Final = (
    *("Name", "Names", "Ref", "Refs", "_NAME", "_FILE", "_PATH", "_REF"),
    *("-name", "-file", "-path", "-ref", "File", "Path"),
)
"""Endings of names that say where a credential lies, not what it is."""

_NAME: Final = r"(?<![A-Za-z0-9_.-])(?P<name>[A-Za-z0-9_.-]++)"
_SIGN: Final = r"\\?[\"']?\s{0,99}[:=]\s{0,99}"
_QUOTED: Final = r"\\\"[^\"\\\n]*+(?:\\(?!\")[^\"\\\n]*+)*+\\\"|\"(?:[^\"\\\n]|\\.)++\"|'[^'\n]++'"
_BEARER: Final = r"(?:bearer|basic|token)[ ]++[^\s,;\"'\\]++"
_LINE: Final = re.compile(
    rf"^[ \t]*+(?:- |export )?[\"']?{_NAME}[\"']?[ \t]*+[:=][ \t]*+(?P<value>{_QUOTED}|[^\s\"'{{\[|>][^\n]*+)$",
    re.MULTILINE,
)
"""A line in a text of several: everything behind the sign, since a value may hold blanks."""
_ASSIGNED: Final = re.compile(rf"{_NAME}{_SIGN}")
_OPTION: Final = re.compile(r"(?<![A-Za-z0-9_.-])--(?P<name>[A-Za-z0-9_.-]++)[ \t]++(?=[^\s-])")
_VALUE: Final = re.compile(rf"{_QUOTED}|{_BEARER}|[^\s,;&]++", re.IGNORECASE)
_ELSEWHERE: Final = ("$", "{{", '"$', "'$")
"""Beginnings of what is filled in from elsewhere."""
_LOOKS: Final = (
    re.compile(r"://[^\s/:@]{0,200}:(?P<value>[^\s/]{1,2000})@"),  # to the last @: a password may hold one
    re.compile(r"(?:(?<=http://)|(?<=https://))(?P<value>[^\s/:@]{12,}+)(?=@)", re.IGNORECASE),
    re.compile(r"\bBearer[ ]++(?P<value>[A-Za-z0-9._~+/-]{16,}+=*+)", re.IGNORECASE),
    re.compile(r"(?P<value>-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:(?!-----END).)*+(?:-----END [A-Z ]{1,40}+-----)?)",
               re.DOTALL),
)  # fmt: skip


def is_credential(name: str) -> bool:
    """Whether a value of this name is probably a credential: `DB_PASSWORD`, `apiKey`, but not `secretName`."""
    return bool(_CREDENTIAL.search(name)) and not name.endswith(_NO_VALUE)


def is_password(name: str) -> bool:
    """Whether even a number of this name is one: a password's, while a `token_limit` is none."""
    return bool(_PASSWORD.search(name))


def credentials_in(text: str) -> Iterator[tuple[int, int]]:
    """Credentials within a longer text: `password=…` in the lines of a configuration file, `--token …` in a command,
    `user:…@` in an address, the private key of a certificate."""
    for found in _LINE.finditer(text) if "\n" in text else ():
        if is_credential(found["name"]) and not found["value"].startswith(_ELSEWHERE):
            yield found.span("value")
    for pattern in (_ASSIGNED, _OPTION):
        position = 0
        while named := pattern.search(text, position):
            position = named.end()
            value = _VALUE.match(text, position) if is_credential(named["name"]) else None
            if value and not value[0].startswith(_ELSEWHERE):
                yield value.span()
                position = value.end()
    for pattern in _LOOKS:
        for found in pattern.finditer(text):
            yield found.span("value")
