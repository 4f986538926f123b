# SPDX-License-Identifier: MIT
"""The command line of a step, made from its declared settings: parsing (by typer) and the help text."""

import inspect
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from kit_core.declare import Setting, declared
from kit_core.errors import InputError
from kit_core.names import nearest
from kit_core.step import Argument, Command, Step

_WIDTH: Final = 100
_ARGUMENT: Final = "argument_"
_CODES: Final = (
    "0 done, nothing to do, or superseded; 1 the work failed; 2 settings or input files are wrong, nothing was"
    " touched; 3 a difference, where asked with --exit-code; 70 a time limit ran out; 75 someone else is in the way,"
    " trying again may help; 130, 143 interrupted"
)


@dataclass(frozen=True)
class Parsed:
    """What the command line asks for: a command, options as text by field name, arguments by name."""

    command: Command
    options: Mapping[str, str | None]
    arguments: Mapping[str, Any]


def split_command(step: Step, argv: Sequence[str]) -> tuple[Command | None, list[str]]:
    """The command that `argv` names first (else the step's default, if it has one), and what is left."""
    command = step.command(argv[0]) if argv else None
    if command:
        return command, list(argv[1:])
    return (step.commands[0] if step.bare else None), list(argv)


def ours(step: Step, argv: Sequence[str]) -> list[str]:
    """What of `argv` is for us to read: what follows `--`, or the first argument of a verbatim command, is not."""
    command, rest = split_command(step, argv)
    named = len(argv) - len(rest)
    if command is not None and command.verbatim:
        flags = {"--help", "-h", "--version"}
        flags |= {name for item in declared(step.settings) if item.flag for name in (item.option, item.negation)}
        index = 0
        while index < len(rest) and rest[index].startswith("-") and rest[index] not in {"-", "--"}:
            word = rest[index]
            whole = "=" in word or word in flags or (len(word) > 2 and not word.startswith("--"))  # -eK=V
            index += 1 if whole else 2
        rest = rest[:index]
    return [*argv[:named], *(rest[: rest.index("--")] if "--" in rest else rest)]


def parse(step: Step, argv: Sequence[str]) -> Parsed:
    """Read the command line. Raises `InputError` in the parser's words."""
    command, rest = split_command(step, argv)
    if command is None:
        raise _no_command(step, argv[0])
    if not rest and not any(item.required for item in command.arguments):
        # As pipelines start a step: all settings are variables, and the parser need not be loaded.
        nothing: dict[str, Any] = {item.name: () if item.many else None for item in command.arguments}
        return Parsed(command, {item.field: None for item in declared(step.settings)}, nothing)
    import typer

    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    words = {"allow_interspersed_args": not command.verbatim}
    app.command(name=command.name, add_help_option=False, context_settings=words)(_collector(step, command))
    try:
        values = typer.main.get_command(app).main(
            args=_plain(step, command, rest), prog_name=step.name, standalone_mode=False
        )
    except typer.TyperException as error:
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        raise InputError(
            "The command line is wrong",
            why=message,
            hint=f"Run `{step.name} --help`; a command's name comes first.",
        ) from None
    options = {item.field: _as_text(values.get(item.field)) for item in declared(step.settings)}
    arguments = {item.name: _argument(item, values[_ARGUMENT + item.name]) for item in command.arguments}
    return Parsed(command, options, arguments)


def _plain(step: Step, command: Command, argv: Sequence[str]) -> list[str]:
    """`--push=true`, `--push=false` and `-e=KEY=VALUE`, as other parsers take them, in the words of ours."""
    read = len(ours(step, [command.name, *argv])) - 1
    items = list(declared(step.settings))
    flags = {item.option: item for item in items if item.flag}
    words = []
    for word in argv[:read]:
        name, equals, value = word.partition("=")
        if equals and name in flags and value.lower() in {"true", "false"}:
            words.append(name if value.lower() == "true" else flags[name].negation)
        elif equals and any(name == item.short for item in items):
            words += [name, value]
        else:
            words.append(word)
    return [*words, *argv[read:]]


def _collector(step: Step, command: Command) -> Any:
    """A function whose signature is the command line, for typer to read; it returns what it was called with."""
    import typer

    parameters = []
    for item in filter(command.takes, declared(step.settings)):
        hint: Any = bool | None if item.flag else list[str] | None if item.repeated else str | None
        names = [f"{item.option}/{item.negation}" if item.flag else item.option, *([item.short] if item.short else [])]
        parameters.append(_parameter(item.field, Annotated[hint, typer.Option(*names)]))
    for argument in command.arguments:
        hint = list[str] | None if argument.many else str | None
        parameters.append(_parameter(_ARGUMENT + argument.name, Annotated[hint, typer.Argument(metavar=argument.name)]))

    def collect(**values: Any) -> dict[str, Any]:
        return values

    collect.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    collect.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return collect


def _parameter(name: str, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _as_text(value: Any) -> str | None:
    if isinstance(value, list | tuple):
        return json.dumps(value) if value else None
    return str(value).lower() if isinstance(value, bool) else value


def _no_command(step: Step, word: str) -> InputError:
    names = [command.name for command in step.commands]
    likely = nearest(word, names)
    return InputError(
        "The command line is wrong",
        why=f"`{word}` is no command",
        hint=f"Did you mean `{likely}`?"
        if likely
        else f"There are {', '.join(names)}; `{step.name} --help` tells more.",
    )


def _argument(item: Argument, value: Any) -> Any:
    if item.required and not value:
        raise InputError(
            "The command line is wrong", why=f"{item.name} is missing ({item.help})", hint="Run with --help."
        )
    return tuple(value or ()) if item.many else value


def help_text(step: Step, argv: Sequence[str] = ()) -> str:
    """What `--help` prints: usage, every setting with its variables, default and meaning, grouped, exit codes."""
    command, _ = split_command(step, argv)
    whole = command is None or (step.bare and command is step.commands[0])
    parts = [_usage(step, command), _wrapped(step.summary if command is None or whole else command.help)]
    if whole:
        rows = [(item.name, item.help) for item in step.commands]
        title = "Commands (the first runs when none is named)" if step.bare else "Commands (COMMAND --help tells more)"
        parts.append(f"{title}:\n" + "\n".join(_rows(rows)))
    if command is not None and command.arguments:
        parts.append("Arguments:\n" + "\n".join(_rows([(item.name, item.help) for item in command.arguments])))
    groups: dict[str, list[Setting]] = {}
    for item in declared(step.settings):
        if command is not None and not command.takes(item):
            continue
        groups.setdefault("Accepted for compatibility, without effect" if item.ignored else item.group, []).append(item)
    parts += [f"{title}:\n" + "\n".join(map(_setting, items)) for title, items in groups.items()]
    parts.append(
        _wrapped(
            "Every setting may be given as an option or as a variable; options win, then KIT_<NAME>, then the bare name"
            " where there is one, then the CI's own variable. Any variable also as <NAME>_BASE64, a secret also as"
            " <NAME>_FILE. Proxies: HTTPS_PROXY, HTTP_PROXY, NO_PROXY."
        )
    )
    if step.examples:
        parts.append("Examples:\n" + "\n".join(f"  {example}" for example in step.examples))
    parts.append(_wrapped(f"Exit codes: {_CODES}."))
    return "\n\n".join(parts)


def _usage(step: Step, command: Command | None) -> str:
    if command is None:
        return f"Usage: {step.name} COMMAND [OPTIONS]"
    name = [] if step.bare and command is step.commands[0] else [command.name]
    arguments = [*map(_placeholder, command.arguments)]
    words = ["[OPTIONS]", *arguments] if command.verbatim else [*arguments, "[OPTIONS]"]
    return " ".join(["Usage:", step.name, *name, *words])


def _placeholder(item: Argument) -> str:
    name = f"{item.name}..." if item.many else item.name
    return name if item.required else f"[{name}]"


def _rows(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(name) for name, _ in rows) + 2
    return [
        textwrap.fill(text, _WIDTH, initial_indent=f"  {name:<{width}}", subsequent_indent=" " * (width + 2))
        for name, text in rows
    ]


def _setting(item: Setting) -> str:
    short = f"{item.short}, " if item.short else ""
    option = f"{item.option}, {item.negation}" if item.flag else f"{short}{item.option} {placeholder(item)}"
    option += " (may be given several times)" if item.repeated else ""
    variables = ", ".join(item.variables)
    shown = f"  {option}\n      {variables}" + (f"  [default: {item.default_text}]" if item.default_text else "")
    text = item.help + (f" Else from {', '.join(item.native)}." if item.native else "")
    return shown + "\n" + textwrap.fill(text, _WIDTH, initial_indent=" " * 10, subsequent_indent=" " * 10)


def placeholder(item: Setting) -> str:
    """What stands for the value in help and documentation."""
    if item.secret:
        return "FILE"
    if item.choices:
        return "|".join([*(("true", "false") if item.kind is bool else ()), *item.choices])
    words = {bool: "true|false", int: "N", float: "N"}
    name = words.get(item.kind) if isinstance(item.kind, type) else None
    if item.repeated:
        return item.unit or "TEXT"
    if name is None:
        name = "A,B,…" if "tuple" in str(item.kind) else "PATH" if "Path" in str(item.kind) else "TEXT"
    return f"{name} ({item.unit})" if item.unit else name


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH)
