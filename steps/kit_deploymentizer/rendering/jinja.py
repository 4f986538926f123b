# SPDX-License-Identifier: MIT
"""Jinja2 templates: strict about undefined names, sandboxed, with includes and macros from the resources folder."""

import base64
import copy
import datetime as dt
import hashlib
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from jinja2 import (
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    Undefined,
    nodes,
)
from jinja2.exceptions import UndefinedError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from kit_core.errors import InputError, WorkError
from kit_core.names import nearest
from kit_deploymentizer.inputs.boundary import EVERYWHERE, Boundary
from kit_deploymentizer.output.digests import Digests
from kit_deploymentizer.rendering import jinja_bounds
from kit_deploymentizer.rendering.javascript import number_text
from kit_deploymentizer.rendering.jinja_bounds import LONGEST, STEPS, Bounds, BoundsError
from kit_deploymentizer.rendering.jinja_loader import Loader
from kit_deploymentizer.rendering.jinja_remarks import PrintedStrings
from kit_deploymentizer.rendering.remarks import read_otherwise
from kit_deploymentizer.rendering.template import Rendering, Template

_UNDEFINED_NAME: Final = re.compile(r"'([^']+)' is undefined")
_UNDEFINED_KEY: Final = re.compile(r"has no (?:attribute|element) '?([^']+)'?$")
WHOLE_VIEW: Final = "view"
_NAMES: Final = 10_000
"""Names among which the nearest is looked for; a few aliases of aliases make millions."""


class JinjaEngine:
    """One environment for all templates of a repository, so that includes and macros are parsed once."""

    def __init__(
        self, folder: Path, shown: Callable[[Path], str], digests: Digests, boundary: Boundary = EVERYWHERE
    ) -> None:
        self._folder = folder
        self._shown = shown
        self._printed = PrintedStrings()
        self._bounds = Bounds()
        self._environment = _Environment(
            self._bounds,
            loader=Loader(folder, lambda path, content: digests.learn(shown(path), content), boundary),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
            auto_reload=False,
            cache_size=-1,
            finalize=self._finalized,
        )
        self._environment.filters = self._bounds.filters({**self._environment.filters, **FILTERS})

    def parse(self, name: str, shown: str, text: str) -> Template:
        """See `Engine`. The view's names are the template's variables; `view` is the whole of it (`view["a-b"]`)."""
        if len(text) > LONGEST:
            raise InputError(f"The template has more than {LONGEST} characters", where=shown, file=shown)
        try:
            parsed = self._environment.get_template(_normal(name))
        except TemplateSyntaxError as error:
            place = self._shown(Path(error.filename)) if error.filename else shown
            raise InputError(
                "The template cannot be parsed",
                where=f"{place}:{error.lineno}",
                why=error.message,
                hint=f"The line is: {_line(error.source or text, error.lineno)}",
                file=place,
                line=error.lineno,
            ) from None
        except RecursionError:
            raise InputError("The template cannot be parsed", where=shown, why=_TOO_DEEP, file=shown) from None
        except TemplateNotFound:
            raise InputError(
                f"{name} is not below the resources folder",
                why="Jinja2 templates are read from there only, so that includes cannot reach other files",
                hint="Move the template into kit.yaml's resources folder.",
                file=shown,
            ) from None

        endless: list[WorkError] = []  # as it was for one cluster; each of a thousand would take as long

        def render(view: Mapping[str, Any]) -> Rendering:
            if endless:
                raise copy.copy(endless[0])  # who catches it adds to it
            self._environment.taken.clear()
            self._printed.remarks.clear()
            self._bounds.begin()
            try:
                text = parsed.render({**view, WHOLE_VIEW: view})
                if len(text) > LONGEST:
                    raise BoundsError(f"it prints more than {LONGEST} characters")
                inputs = tuple(self._shown(self._folder / name) for name in self._taken())
                return Rendering(text, tuple(self._printed.remarks), inputs)
            except InputError:  # an include that may not be read
                raise
            except Exception as error:  # noqa: BLE001 - an expression may raise anything
                failure = self._failure(error, view, shown)
                if isinstance(error, BoundsError):
                    endless.append(copy.copy(failure))
                raise failure from None

        return Template(shown, render)

    def _finalized(self, value: Any) -> str:
        """See `_text`; called from the compiled template for everything that it prints."""
        if value.__class__ is str:
            read_as = read_otherwise(value)
            if read_as is not None:
                self._printed.printed(sys._getframe(1), read_as)  # noqa: SLF001 - the only way to the template's line
            text = value
        else:
            text = str(value) if value.__class__ is int else _text(value)
        self._bounds.size += len(text)  # not a call: this is done for every value of a fleet
        if self._bounds.size > LONGEST:
            self._bounds.printed(0)
        return text

    def _taken(self) -> list[str]:
        return [name for name in map(_normal, self._environment.taken) if ".." not in name.split("/")]

    def _failure(self, error: Exception, view: Mapping[str, Any], shown: str) -> WorkError:
        """The error with the place in the template, the expression's line, and the nearest defined name."""
        place, line, source = shown, None, ""
        trace = error.__traceback__
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if "__jinja_template__" in trace.tb_frame.f_globals or file.endswith((".j2", ".jinja2")):
                place, line = self._shown(Path(file)), trace.tb_lineno
                source = _line(Path(file).read_text("utf-8"), line)
            trace = trace.tb_next
        why = (
            str(error)
            if isinstance(error, TemplateError | ValueError | OverflowError)
            else f"{type(error).__name__}: {error}"
        )
        if isinstance(error, RecursionError):
            why = "it includes or calls itself without an end, or is nested too deeply"
        if isinstance(error, MemoryError):
            why = "it needs more memory than there is"
        meant = _meant(error, view)
        return WorkError(
            "The template did not render",
            where=f"{place}:{line}" if line else place,
            why=f"{why} in `{source}`" if source else why,
            hint=f"{meant} is defined: is it meant?" if meant else _LESS if isinstance(error, BoundsError) else _HINT,
            file=place,
            line=line,
        )


_LESS: Final = "Look for a loop, a macro or an operator that makes more than was meant."
_TOO_DEEP: Final = "it is nested too deeply"
_HINT: Final = (
    "Set the value in base-var.yaml, a type's or a cluster's settings, or give it a default: `{{ x | default('…') }}`."
)


class _Environment(SandboxedEnvironment):
    """Reads `a.items` as the key `items` of a map that has one, before the method of Python's dictionaries. `taken` are
    the templates that others asked for, whether they are there or not."""

    intercepted_binops = jinja_bounds.OPERATORS

    def __init__(self, bounds: Bounds, **options: Any) -> None:
        super().__init__(**options)
        self._bounds = bounds
        self.taken: dict[str, None] = {}

    def _generate(self, source: nodes.Template, *args: Any, **options: Any) -> str:
        return super()._generate(jinja_bounds.bounded(source), *args, **options)

    def call(self, context: Context, obj: Any, *args: Any, **options: Any) -> Any:
        """See `jinja2.sandbox.SandboxedEnvironment.call`."""
        self._bounds.step()
        jinja_bounds.check_call(obj, args)
        return super().call(context, obj, *args, **options)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """See `jinja2.sandbox.SandboxedEnvironment.call_binop`."""
        self._bounds.step()
        jinja_bounds.check_operator(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def join_path(self, template: str, parent: str) -> str:
        """See `jinja2.Environment.join_path`: called for every template that another one names."""
        self.taken[template] = None
        self._bounds.step()
        return super().join_path(template, parent)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """See `jinja2.Environment.getattr`."""
        if isinstance(obj, dict):
            return obj[attribute] if attribute in obj else super().getattr(obj, attribute)
        return super().getattr(obj, attribute)


def _normal(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in {"", "."})


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _meant(error: Exception, view: Mapping[str, Any]) -> str | None:
    if not isinstance(error, UndefinedError):
        return None
    found = _UNDEFINED_NAME.search(str(error))
    if found:
        return nearest(found[1], sorted(view))
    found = _UNDEFINED_KEY.search(str(error))
    return nearest(found[1], sorted(set(itertools.islice(_keys(view), _NAMES)))) if found else None


def _keys(value: Any) -> Iterator[str]:
    """Every key of the maps in `value`."""
    if isinstance(value, Mapping):
        yield from (key for key in value if isinstance(key, str))
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _keys(item)


def _plain(value: Any, count: Iterator[int] | None = None) -> Any:
    """`value` without what YAML and JSON libraries do not know; an undefined one raises its error. Raises `BoundsError`
    for more items than a template may take steps: a few aliases of aliases make millions."""
    if isinstance(value, Undefined):
        str(value)
    if isinstance(value, Mapping | list | tuple):
        count = count or itertools.count()
        if next(count) + len(value) > STEPS:
            raise BoundsError(f"a value has more than {STEPS} items")
        if isinstance(value, Mapping):
            return {key: _plain(item, count) for key, item in value.items()}
        return [_plain(item, count) for item in value]
    return value.isoformat() if isinstance(value, dt.datetime) else value


def _text(value: Any) -> str:
    """What `{{ value }}` prints: YAML's words for true, false and null, JSON (which is YAML) for maps and lists."""
    plain = _plain(value)
    if isinstance(plain, str):
        return plain
    if plain is None or isinstance(plain, bool | dict | list):
        return json.dumps(plain, ensure_ascii=False)
    return number_text(plain) if isinstance(plain, float) else str(plain)


def _to_yaml(value: Any, indent: int = 0) -> str:
    """Block style, keys in their order, without a final newline; `indent` columns before all lines but the first."""
    text = yaml.safe_dump(_plain(value), sort_keys=False, allow_unicode=True, width=2**31, default_flow_style=False)
    text = text.removesuffix("\n...\n").removesuffix("\n")
    return text.replace("\n", "\n" + " " * indent)


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, indent=indent)


def _indent(value: Any, width: int = 2, first: bool = False) -> str:
    """`width` columns before every line that is not empty; before the first one too where asked."""
    lines = [line and " " * width + line for line in _text(value).split("\n")]
    return "\n".join(lines) if first else "\n".join(lines).removeprefix(" " * width)


FILTERS: Final[Mapping[str, Callable[..., str]]] = {
    "to_yaml": _to_yaml,
    "to_json": _to_json,
    "b64encode": lambda value: base64.b64encode(_text(value).encode()).decode(),
    "sha256": lambda value: hashlib.sha256(_text(value).encode()).hexdigest(),
    "indent": _indent,
    "quote": lambda value: json.dumps(_text(value), ensure_ascii=False),
}
