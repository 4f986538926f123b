# SPDX-License-Identifier: MIT
"""What looks like a credential: by its name, by where it stands in an object, by what stands in front of it in a longer
text, or by its own look. Pure.

Every pattern takes linear time: a text may be a certificate bundle of a megabyte on one line. A group is repeated
within `(?>…)`, never by `(…)*+`, by which Python before 3.11.5 matches too much (CPython issues 100061 and 106052).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from kit_core.nested_credentials import in_arguments, in_commands, in_json, in_lines, is_below_credentials

_CREDENTIAL: Final = re.compile(
    r"pass(?:word|wd|phrase)?(?:s|[_-]?[0-9]+)?$|[_-]pwd$|secret|token|credential|auth(?:orization)?$"
    r"|(?:api|private|access|encryption|signing|master|account|shared)[_-]?key",
    re.IGNORECASE,
)
_NO_CREDENTIAL: Final = re.compile(r"[0-9]{1,5}|true|false|null|~", re.IGNORECASE)
_PASSWORD: Final = re.compile(r"pass(?:word|wd|phrase)$", re.IGNORECASE)
_DATA: Final = frozenset({"data", "stringData"})
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_NO_VALUE: Final = (
    *("Name", "Names", "Ref", "Refs", "_NAME", "_FILE", "_PATH", "_REF"),
    *("-name", "-file", "-path", "-ref", "File", "Path"),
)
"""Endings of names that say where a credential lies, not what it is."""

_NAME: Final = r"(?<![A-Za-z0-9_.-])(?P<name>[A-Za-z0-9_.-]++)"
_SIGN: Final = r"\\?[\"']?\s{0,99}[:=]\s{0,99}"
_QUOTED: Final = r"\\\"[^\"\\\n]*+(?>(?:\\(?!\")[^\"\\\n]*+)*)\\\"|\"(?>(?:[^\"\\\n]|\\.)+)\"|'[^'\n]++'"
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
    re.compile(r"://[^\s/:@]{0,200}:(?P<value>(?![0-9]{0,5}/|\$)[^\s/@]{0,200}/[^\s@\"']{0,2000}+)@"),  # or a slash
    re.compile(r"(?:(?<=http://)|(?<=https://))(?P<value>[^\s/:@]{12,}+)(?=@)", re.IGNORECASE),
    re.compile(r"\bBearer[ ]++(?P<value>[A-Za-z0-9._~+/-]{16,}+=*+)", re.IGNORECASE),
    re.compile(r"(?P<value>-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?>(?:(?!-----END).)*)"
               r"(?:-----END [A-Z ]{1,40}+-----)?)", re.DOTALL),
)  # fmt: skip


def is_credential(name: str) -> bool:
    """Whether a value of this name is probably a credential: `DB_PASSWORD`, `apiKey`, but not `secretName`."""
    return bool(_CREDENTIAL.search(name)) and not name.endswith(_NO_VALUE)


def is_password(name: str) -> bool:
    """Whether even a number of this name is one: a password's, while a `token_limit` is none."""
    return bool(_PASSWORD.search(name))


def _is_named(name: str, value: str) -> bool:
    """Whether a value within a text is one by this name; `max_tokens: 5` is none."""
    return is_credential(name) and (not _NO_CREDENTIAL.fullmatch(value.strip()) or is_password(name))


def credentials_in(text: str) -> Iterator[tuple[int, int]]:
    """Credentials within a longer text: `password=…` in the lines of a configuration file, `--token …` in a command,
    `user:…@` in an address, the private key of a certificate."""
    for found in _LINE.finditer(text) if "\n" in text else ():
        if _is_named(found["name"], found["value"]) and not found["value"].startswith(_ELSEWHERE):
            yield found.span("value")
    for pattern in (_ASSIGNED, _OPTION):
        position = 0
        while named := pattern.search(text, position):
            position = named.end()
            value = _VALUE.match(text, position) if is_credential(named["name"]) else None
            if value and not value[0].startswith(_ELSEWHERE) and _is_named(named["name"], value[0]):
                yield value.span()
                position = value.end()
    if "\n" in text:
        yield from in_lines(text, is_credential)
    yield from in_json(text, is_credential)
    yield from in_commands(text)
    for pattern in _LOOKS:
        for found in pattern.finditer(text):
            yield found.span("value")


def is_hidden(body: Mapping[str, Any], path: Sequence[str | int], value: Any) -> bool:
    """Whether the plain `value` at `path` of a Kubernetes object is a secret as a whole: a Secret's, one whose name
    looks like a credential's, or what follows an option such as `--password` in a list."""
    if not path:
        return False
    if _is_of_secret(body, path):
        return True
    name = _name(body, path)
    if isinstance(value, str):
        return is_credential(name) or _is_behind_option(body, path) or is_below_credentials(path)
    return isinstance(value, int | float) and not isinstance(value, bool) and is_password(name)


def argument(body: Mapping[str, Any], path: Sequence[str | int]) -> tuple[int, int] | None:
    """Which part of the value at `path`, an item of a command or of its arguments, is a password."""
    step = path[-1] if path else None
    own = value_at(body, path[:-1]) if isinstance(step, int) else None
    if not isinstance(own, list) or not isinstance(step, int):
        return None
    around = value_at(body, path[:-2])
    others = [around.get(key) for key in ("command", "args")] if isinstance(around, dict) else []
    return in_arguments([one for one in (own, *others) if isinstance(one, list)], own, step)


def _is_of_secret(body: Mapping[str, Any], path: Sequence[str | int]) -> bool:
    """Whether this is a value of a Secret, at whatever depth: of a list, or of a template for one."""
    for depth, step in enumerate(path):
        if step in _DATA:
            owner = value_at(body, path[:depth])
            kind = owner.get("kind") if isinstance(owner, dict) else None
            if kind == "Secret" or (kind is None and body.get("kind") == "SecretList"):
                return True
    return body.get("kind") == "Secret" and path[-1] == _LAST_APPLIED


def _name(body: Mapping[str, Any], path: Sequence[str | int]) -> str:
    """What a value goes by: its key, the `name` beside a `value`, the key of the list or map that it is in."""
    name: Any = path[-1]
    if isinstance(name, int) and len(path) > 1:  # an item of a list goes by what the list goes by
        path = path[:-1]
        name = path[-1]
    if name == "value":
        beside = value_at(body, path[:-1])
        name = beside.get("name") if isinstance(beside, dict) else None
        name = path[-2] if name is None and len(path) > 1 else name
    return name if isinstance(name, str) else ""


def _is_behind_option(body: Mapping[str, Any], path: Sequence[str | int]) -> bool:
    """Whether the item of the list before it is an option such as `--password`."""
    step = path[-1]
    before = value_at(body, (*path[:-1], step - 1)) if isinstance(step, int) and step > 0 else None
    own = value_at(body, path)
    option = isinstance(before, str) and before.startswith("-") and is_credential(before)
    return option and isinstance(own, str) and not own.startswith("-")


def value_at(body: Any, path: Sequence[str | int]) -> Any:
    """What stands at a path of keys and indexes; None where there is nothing."""
    value: Any = body
    for step in path:
        if isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        elif isinstance(value, dict):
            value = value.get(str(step))
        else:
            return None
    return value
