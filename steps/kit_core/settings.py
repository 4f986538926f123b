# SPDX-License-Identifier: MIT
"""From environment variables and options to a step's typed settings.

Order of precedence: option, `KIT_<NAME>`, the bare name (settings of the original only), a CI service's own variable,
the default. Any variable may be given as `<NAME>_BASE64`, a secret also as `<NAME>_FILE`; two of these at once are an
error, since nobody could tell which was meant. An empty variable counts as unset.
"""

import base64
import binascii
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from kit_core.convert import Unfit, convert
from kit_core.declare import BASE64, FILE, CommonSettings, Setting, declared, setting
from kit_core.errors import InputError
from kit_core.files import reason_of
from kit_core.names import unknown_variables
from kit_core.secrets import Masker

__all__ = ["CommonSettings", "Loaded", "load_settings", "secret_texts", "setting", "without_secrets"]

S = TypeVar("S")


@dataclass(frozen=True)
class Loaded(Generic[S]):
    """What was read: the settings, which of them were given (field -> the name they came from), and warnings."""

    settings: S
    given: Mapping[str, str]
    warnings: tuple[str, ...]


def load_settings(cls: type[S], env: Mapping[str, str], options: Mapping[str, str | None] | None = None) -> Loaded[S]:
    """Read the settings declared in `cls` from `options` (by field name, as text) and `env`.

    Raises `InputError` naming every wrong variable at once: a person who mends one should not meet the next.
    """
    settings = list(declared(cls))
    masker = Masker()
    for text in secret_texts(cls, env):
        masker.add(text)
    values: dict[str, Any] = {}
    given: dict[str, str] = {}
    problems: list[str] = []
    # Secrets first: what a file holds is known only then, and may stand in another setting by mistake.
    for item in sorted(settings, key=lambda item: not item.secret):
        try:
            found = _find(item, env, (options or {}).get(item.field))
            if found is not None:
                name, text = found
                if item.secret:
                    masker.add(text)
                given[item.field] = name
                values[item.field] = _converted(item, name, text, masker)
        except Unfit as error:
            problems.append(str(error))
    known = [name for item in settings for name in item.spellings]
    warnings = []
    for stranger, meant in unknown_variables(env, known):
        if meant:
            problems.append(f"{stranger} is no setting; {meant} is probably meant")
        else:
            warnings.append(f"{stranger} is no setting of this step and is ignored (--help lists them)")
    if problems:
        raise InputError(
            "The settings are wrong",
            why="; ".join(problems),
            hint="Run with --help to see every setting; nothing was touched.",
        )
    warnings += [
        f"{given[item.field]} is accepted for compatibility and has no effect"
        for item in settings
        if item.ignored and item.field in given
    ]
    return Loaded(cls(**values), given, tuple(warnings))


def secret_texts(cls: type[Any], env: Mapping[str, str]) -> Iterator[str]:
    """Every text in `env` that is a secret of `cls`, whether or not the settings can be loaded, to be masked first.

    What stands where it does not belong (a password in another setting) is quoted by no error then.
    """
    for item in declared(cls):
        if item.secret:
            for name in (*item.spellings, *item.native):
                text = env.get(name, "")
                if text and not name.endswith(FILE):
                    yield text
                if text and name.endswith(BASE64):
                    with contextlib.suppress(Unfit):
                        yield _decoded(name, text)


def without_secrets(cls: type[Any], env: Mapping[str, str]) -> dict[str, str]:
    """`env` as other programs may have it: without the variables that give secrets to the settings `cls`."""
    own = {name for item in declared(cls) if item.secret for name in (*item.spellings, *item.native)}
    return {name: value for name, value in env.items() if name not in own}


def secret_files(cls: type[Any], env: Mapping[str, str]) -> tuple[Path, ...]:
    """The files that hold secrets of the settings `cls`, as `env` names them."""
    named = {name for item in declared(cls) if item.secret for name in item.spellings if name.endswith(FILE)}
    return tuple(Path(env[name]) for name in sorted(named) if env.get(name))


def _converted(item: Setting, name: str, text: str, masker: Masker) -> Any:
    try:
        return convert(item, text)
    except Unfit as error:
        shown = name if item.secret else f"{name}={_short(masker.mask(text))}"
        raise Unfit(f"{shown}: {error}") from None


def _find(item: Setting, env: Mapping[str, str], option: str | None) -> tuple[str, str] | None:
    """The name and the text of the strongest source that holds something."""
    if option:
        return item.option, _read_secret(item.option, option) if item.secret else option
    for variable in item.variables:
        found = _from_variable(item, variable, env)
        if found is not None:
            return found
    return next(((name, env[name]) for name in item.native if env.get(name)), None)


def _from_variable(item: Setting, variable: str, env: Mapping[str, str]) -> tuple[str, str] | None:
    spellings = [variable, variable + BASE64]
    if item.secret:
        spellings.insert(1, variable + FILE)
    filled = [name for name in spellings if env.get(name)]
    if len(filled) > 1:
        raise Unfit(f"{' and '.join(filled)} are both set; keep one")
    if not filled:
        return None
    name = filled[0]
    if name == variable:
        return name, env[name]
    if name.endswith(FILE):
        return name, _read_secret(name, env[name])
    text = _decoded(name, env[name])
    return (name, text) if text else None


def _decoded(name: str, text: str) -> str:
    try:
        decoded = base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):  # ValueError: not ASCII, or not UTF-8 inside
        raise Unfit(f"{name}: expected base64 of UTF-8 text") from None
    return _one_line(decoded)


def _read_secret(name: str, path: str) -> str:
    try:
        text = _one_line(Path(path).read_bytes().decode("utf-8"))
    except UnicodeDecodeError:
        raise Unfit(f"{name}={path}: the file is not UTF-8 text") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if not path.startswith(("/", ".")):  # then the secret itself may stand there by mistake
            raise Unfit(f"{name}: it must be the path of a file, and none can be read there ({reason})") from None
        raise Unfit(f"{name}={path}: the file cannot be read ({reason_of(error, Path(path))})") from None
    if not text:
        raise Unfit(f"{name}={path}: the file is empty")
    return text


def _one_line(text: str) -> str:
    """`text` without the final newline that an editor or `echo` put behind a single line."""
    stripped = text.rstrip("\r\n")
    return text if "\n" in stripped else stripped


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
