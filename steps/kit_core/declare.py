# SPDX-License-Identifier: MIT
"""Declaring a setting once: what a step's settings class says about each of its fields.

A settings class is a frozen, keyword-only dataclass whose fields are made with `setting()`. The field's name gives
the variable and the option, its annotation the type. Everything else (options, `--help`, the README's table, the
reading of the environment) comes from `declared()`.
"""

import dataclasses
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from kit_core.secrets import Secret

_KEY: Final = "kit_core.setting"
PREFIX: Final = "KIT_"
FILE: Final = "_FILE"
BASE64: Final = "_BASE64"


@dataclass(frozen=True, kw_only=True)
class _Details:
    """What `setting()` was told, kept in the dataclass field's metadata."""

    help: str
    group: str
    original: bool
    variable: str | None
    aliases: tuple[str, ...]
    native: tuple[str, ...]
    unit: str | None
    minimum: float | None
    maximum: float | None
    default_text: str | None
    ignored: bool
    option: str | None
    short: str | None
    repeated: bool


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One declared setting, everything derived.

    `kind` is the type of the value with `| None` taken off; `choices` the words of a `Literal`, also of one beside
    `bool`: a boolean that knows further answers. `variables` are
    the names it is read from, strongest first; `native` the CI services' own variables, asked last. `ignored`
    settings are accepted for the sake of those who still pass them and have no effect. `repeated` ones are lists whose
    option is given once for each item, which may then hold any letter; `short` is a second, short option.
    """

    field: str
    kind: Any
    default: Any
    help: str
    group: str
    variables: tuple[str, ...]
    native: tuple[str, ...]
    choices: tuple[str, ...]
    unit: str | None
    minimum: float | None
    maximum: float | None
    default_text: str
    ignored: bool
    named: str | None = None
    short: str | None = None
    repeated: bool = False

    @property
    def variable(self) -> str:
        """The name people write: the original's bare name, or ours with its prefix."""
        return self.variables[1] if len(self.variables) > 1 else self.variables[0]

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every variable that gives it a value: each of `variables`, base64-encoded, and a secret's in a file."""
        suffixes = ("", BASE64, FILE) if self.secret else ("", BASE64)
        return tuple(name + suffix for name in self.variables for suffix in suffixes)

    @property
    def flag(self) -> bool:
        """Whether it is either true or false, so that its option needs no value."""
        return self.kind is bool and not self.choices

    @property
    def secret(self) -> bool:
        """Whether its value must never be seen."""
        return self.kind is Secret

    @property
    def option(self) -> str:
        """The command line's name for it. A secret has only one that names a file: processes can be listed."""
        name = self.named or "--" + self.field.replace("_", "-")
        return f"{name}-file" if self.secret else name

    @property
    def negation(self) -> str:
        """A flag's option that says no."""
        return f"--no-{self.option[2:]}"


def setting(
    default: Any,
    *,
    help: str,  # noqa: A002 - the word that command lines use
    group: str,
    original: bool = False,
    variable: str | None = None,
    aliases: tuple[str, ...] = (),
    native: tuple[str, ...] = (),
    unit: str | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    default_text: str | None = None,
    ignored: bool = False,
    option: str | None = None,
    short: str | None = None,
    repeated: bool = False,
) -> Any:
    """Declare a field of a settings class.

    `original` settings are those of the suite that kit replaces: read from their bare name and from `KIT_<NAME>`,
    which wins; all others from `KIT_<NAME>` only, because a bare name may already mean something else in a CI.
    `aliases` are further names of an original setting, `native` a CI service's own variables in the order in which
    they are asked. `unit` ("s", "ms"), `minimum` and `maximum` belong to numbers. `default_text` says in words what
    happens when it is not set, where the default's value does not. `option` is the option's name where the field's will
    not do, `short` a short one (`-e`); with `repeated` a list's option is given once for each item.
    """
    details = _Details(
        help=help,
        group=group,
        original=original,
        variable=variable,
        aliases=aliases,
        native=native,
        unit=unit,
        minimum=minimum,
        maximum=maximum,
        default_text=default_text,
        ignored=ignored,
        option=option,
        short=short,
        repeated=repeated,
    )
    return field(default=default, metadata={_KEY: details})


LOG_GROUP: Final = "Output and connections"


@dataclass(frozen=True, kw_only=True)
class CommonSettings:
    """The settings that every step has; a step's class inherits them."""

    debug: bool = setting(
        False, original=True, group=LOG_GROUP, help="Log details, and a traceback where something fails."
    )
    log_format: Literal["text", "json"] = setting(
        "text", group=LOG_GROUP, help="`text` for people, `json` for one JSON object a line with stable keys."
    )
    ca_cert: Path | None = setting(
        None,
        group=LOG_GROUP,
        help="File of PEM certificates trusted beside the system's, for every connection of this step.",
    )


def declared(cls: type[Any]) -> Iterator[Setting]:
    """The settings of a settings class: its own first, as they are written, then those of classes that it is made of,
    then those all steps have.
    """
    hints = typing.get_type_hints(cls)
    common = {item.name for item in dataclasses.fields(CommonSettings)}
    fields = dataclasses.fields(cls)
    own = cls.__annotations__
    for item in sorted(fields, key=lambda item: 2 if item.name in common else item.name not in own):
        details = item.metadata.get(_KEY)
        if not isinstance(details, _Details):
            raise TypeError(f"{cls.__name__}.{item.name} is not made with setting()")
        kind, words = _without_words(_without_none(hints[item.name]))
        yield Setting(
            field=item.name,
            kind=kind,
            default=item.default,
            help=details.help,
            group=details.group,
            variables=_variables(item.name, details),
            native=details.native,
            choices=words,
            unit=details.unit,
            minimum=details.minimum,
            maximum=details.maximum,
            default_text=details.default_text if details.default_text is not None else _shown(item.default, details),
            ignored=details.ignored,
            named=details.option,
            short=details.short,
            repeated=details.repeated,
        )


def _variables(name: str, details: _Details) -> tuple[str, ...]:
    bare = details.variable or name.upper()
    if not details.original:
        return (PREFIX + bare,)
    return tuple(variable for base in (bare, *details.aliases) for variable in (PREFIX + base, base))


def _without_none(hint: Any) -> Any:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
        if len(kinds) == 1:
            return kinds[0]
    return hint


def _without_words(hint: Any) -> tuple[Any, tuple[str, ...]]:
    """The type of a value, and the words that it may be, alone or beside true and false."""
    if typing.get_origin(hint) is Literal:
        return hint, typing.get_args(hint)
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        kind, *others = typing.get_args(hint)
        if kind is not bool or len(others) != 1 or typing.get_origin(others[0]) is not Literal:
            raise TypeError(f"a setting has one type, not {hint}")
        return bool, typing.get_args(others[0])
    return hint, ()


def _shown(default: Any, details: _Details) -> str:
    if default is None or default == ():
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(default)
    return f"{default} {details.unit}" if details.unit else str(default)
