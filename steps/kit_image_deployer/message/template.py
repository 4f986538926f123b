# SPDX-License-Identifier: MIT
"""KIT_COMMIT_MESSAGE_TEMPLATE: a commit message in the team's own words, as a small Jinja2 template.

A message needs little of the language, and what is left out could run for ever or fill the memory: no calls, no
arithmetic, no variables of its own, no loop but one over the files. There is no clock and no environment to be read;
what a template may use is in `VARIABLES`. Jinja2's sandbox alone does not bound time and size.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.sandbox import SandboxedEnvironment

from kit_core.errors import InputError
from kit_core.names import nearest
from kit_image_deployer.message.commit import Render

SETTING: Final = "KIT_COMMIT_MESSAGE_TEMPLATE"
VARIABLES: Final[Mapping[str, str]] = {
    "image": "the new image (of the first file, where there are several)",
    "previous": "the image that it takes the place of; empty where there was none",
    "path": "the file",
    "repository": "the image's repository, as in the file's name",
    "branch": "the service's branch, as in the file's name",
    "files": "every file that changes, each with image, previous, path, repository and branch",
    "message": "the message of the service's commit, made harmless; empty where it is not known",
    "source_commit": "the service's commit",
    "build": "the CI's name and the build's number",
    "build_url": "the build's page",
    "author": "who the commit is by",
}
"""What a template may use. What is not known is empty text, so that `{% if build_url %}` works."""

_LONGEST: Final = 10_000
_FILTERS: Final = (
    "capitalize", "default", "d", "first", "last", "length", "count", "list", "lower", "map", "reject",
    "rejectattr", "select", "selectattr", "sort", "title", "trim", "truncate", "unique", "upper",
)  # fmt: skip
_REFUSED: Final[Mapping[type[nodes.Node], str]] = {
    nodes.Call: "calls",
    nodes.Macro: "macros",
    nodes.CallBlock: "call blocks",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
    nodes.Block: "blocks",
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
    nodes.With: "with",
    nodes.FilterBlock: "filter blocks",
    **dict.fromkeys((nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow), "arithmetic"),
}
_UNDEFINED_NAME: Final = re.compile(r"'([^']+)' is undefined")
_UNDEFINED_KEY: Final = re.compile(r"has no (?:attribute|element) '?([^']+?)'?$")
_NO_FILTER: Final = re.compile(r"No filter named '([^']+)'")
_OF_A_FILE: Final = ("image", "previous", "path", "repository", "branch")


def message_template(text: str) -> Render:
    """The function that makes the message of the values of `VARIABLES`.

    Raises `InputError` with the template's line where it cannot be parsed or uses what is left out; the function
    does so where it names what is not there.
    """
    environment = SandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False, cache_size=0, finalize=_text
    )
    environment.filters = {name: JINJA_FILTERS[name] for name in _FILTERS} | {"join": _join, "replace": _replace}
    environment.globals.clear()
    if len(text) > _LONGEST:
        raise InputError(f"{SETTING} is longer than {_LONGEST} characters", hint="A commit message needs less.")
    try:
        _check(environment.parse(text))
        template = environment.from_string(text)
    except TemplateSyntaxError as error:
        why = (error.message or "it is no template").rstrip(".")
        raise _wrong(text, error.lineno, why, _meant_filter(error.message)) from None
    except RecursionError:
        raise _wrong(text, None, "it is nested too deeply", None) from None

    def render(values: Mapping[str, Any]) -> str:
        made: list[str] = []
        size = 0
        try:
            for part in template.generate({name: values.get(name) or "" for name in VARIABLES}):
                made.append(part)
                size += len(part)
                if size > _LONGEST:
                    raise ValueError(f"the message would be longer than {_LONGEST} characters")
        except Exception as error:  # noqa: BLE001 - an expression may raise anything
            raise _failure(text, error) from None
        message = "".join(made).strip()
        if not message:
            raise _wrong(text, None, "the message would be empty", None)
        return message

    return render


def _check(template: nodes.Template) -> None:
    for kind, word in _REFUSED.items():
        for found in template.find_all(kind):
            raise TemplateSyntaxError(f"a commit message's template has no {word}", found.lineno)
    for loop in template.find_all(nodes.For):
        over: nodes.Node | None = loop.iter
        while isinstance(over, nodes.Filter):
            over = over.node
        inner = next((node for part in (*loop.body, *loop.else_) for node in _loops(part)), None)
        if inner is not None or loop.recursive or not (isinstance(over, nodes.Name) and over.name == "files"):
            lineno = inner.lineno if inner else loop.lineno
            raise TemplateSyntaxError("a commit message's template loops over `files` only, and not twice", lineno)


def _loops(node: nodes.Node) -> list[nodes.For]:
    return [node] if isinstance(node, nodes.For) else list(node.find_all(nodes.For))


def _text(value: Any) -> str:
    """What `{{ value }}` prints."""
    if isinstance(value, Undefined):
        str(value)  # raises its error
    if not isinstance(value, str | int):
        raise ValueError("it is no text; name one value of it, or use join")
    return str(value)


def _join(values: Iterable[Any], separator: str = "") -> str:
    parts = [_text(value) for value in values]
    if sum(map(len, parts)) + len(parts) * len(separator) > _LONGEST:
        raise ValueError(f"joining would make more than {_LONGEST} characters")
    return separator.join(parts)


def _replace(value: Any, old: str, new: str) -> str:
    text = _text(value)
    if len(text) + text.count(_text(old)) * len(_text(new)) > _LONGEST:
        raise ValueError(f"replacing would make more than {_LONGEST} characters")
    return text.replace(old, new)


def _failure(text: str, error: Exception) -> InputError:
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    why = str(error) if isinstance(error, TemplateError | ValueError) else f"{type(error).__name__}: {error}"
    meant = None
    if isinstance(error, UndefinedError):
        if found := _UNDEFINED_NAME.search(why):
            meant = nearest(found[1], VARIABLES)
            why = why if meant else f"{why}; defined are {', '.join(VARIABLES)}"
        elif found := _UNDEFINED_KEY.search(why):
            meant = nearest(found[1], _OF_A_FILE)
            if not meant and why.startswith("'dict object'"):  # a file is the only one there is
                why = f"a file has no `{found[1]}`; it has {', '.join(_OF_A_FILE)}"
    return _wrong(text, line, why, meant)


def _meant_filter(message: str | None) -> str | None:
    found = _NO_FILTER.search(message or "")
    return nearest(found[1], (*_FILTERS, "join", "replace")) if found else None


def _wrong(text: str, line: int | None, why: str, meant: str | None) -> InputError:
    lines = text.splitlines()
    shown = lines[line - 1].strip()[:200] if line and 0 < line <= len(lines) else ""
    return InputError(
        "the commit message cannot be made",
        where=f"{SETTING}:{line}" if line else SETTING,
        why=f"{why} in `{shown}`" if shown else why,
        hint=f"Is `{meant}` meant?" if meant else "Correct the template; nothing was changed.",
    )
