# SPDX-License-Identifier: MIT
"""What one rendering of a Jinja2 template may take, so that a slip in a loop is told in a sentence and not waited for.

Jinja2's sandbox bounds `range` and nothing else. Steps are counted where templates repeat something (loops, calls,
includes, filters over lists), and operators that make much of little are asked for the size before they work. No
template that makes a manifest comes near any of these numbers.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sized
from functools import wraps
from types import BuiltinMethodType, FunctionType
from typing import Any, Final

from jinja2 import nodes, pass_context
from jinja2.visitor import NodeTransformer

STEPS: Final = 300_000
SECONDS: Final = 4.0
"""Of a processor, for templates whose steps are long ones; other work on the machine does not count."""
LONGEST: Final = 10_000_000
"""Characters or items of one value, and of all that is printed."""
_BITS: Final = 10_000
_COUNTED: Final = "kit counted"
_JOINED: Final = "kit joined"
_LOOK: Final = 1000  # steps between two looks at the clock
_WIDE: Final = re.compile(r"[0-9]{7,}|\*")
_WIDENING: Final = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs", "indent", "batch", "slice",
                              "wordwrap", "round"})  # fmt: skip


class BoundsError(ValueError):
    """A template asks for more than it may."""


class Bounds:
    """Counts of one rendering."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Another rendering."""
        self._steps = self._looked = 0
        self.size = 0  # of what is printed
        self._until = time.thread_time() + SECONDS

    def step(self, weight: int = 1) -> None:
        """Something is done that templates can do many times. Raises `BoundsError`."""
        self._steps += weight
        if self._steps - self._looked > _LOOK:
            self._looked = self._steps
            if self._steps > STEPS:
                raise BoundsError(f"it takes more than {STEPS} steps")
            if time.thread_time() > self._until:
                raise BoundsError(f"it takes more than {SECONDS:.0f} s")

    def printed(self, size: int) -> None:
        """So many characters come. Raises `BoundsError`."""
        self.size += size
        if self.size > LONGEST:
            raise BoundsError(f"it prints more than {LONGEST} characters")

    def counted(self, items: Any, text: int) -> Any:
        """`items` to loop over; each time, `text` characters are printed. Keeps its length, for `loop.last`."""
        return _Counted(items, self, text) if isinstance(items, Sized) else self._iterated(iter(items), text)

    def _iterated(self, items: Iterator[Any], text: int) -> Iterator[Any]:
        for item in items:
            self.step()
            self.size += text
            if self.size > LONGEST:
                self.printed(0)
            yield item

    def filters(self, filters: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
        """The same filters within the bounds, and those that `bounded` puts into templates."""
        found = {name: self._bounded(name, function) for name, function in filters.items()}
        return {
            **found,
            _COUNTED: pass_context(lambda _context, items, text: self.counted(items, text)),
            _JOINED: pass_context(lambda _context, parts: _joined("", parts)),
        }

    def _bounded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        at = 1 if hasattr(function, "jinja_pass_arg") else 0

        @wraps(function)
        def bounded(*args: Any, **options: Any) -> Any:
            value = args[at] if len(args) > at else None
            if value.__class__ is str:
                self.step(1 + len(value) // 100)
            elif isinstance(value, Iterator):
                args = (*args[:at], self._iterated(value, 0), *args[at + 1 :])
            else:
                self.step(1 + (len(value) if isinstance(value, list | tuple | dict | range) else 0))
            check_method(name, value, (*args[at + 1 :], *options.values()))
            return function(*args, **options)

        return bounded


class _Counted:
    def __init__(self, items: Any, bounds: Bounds, text: int) -> None:
        self._items, self._bounds, self._text = items, bounds, text

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return self._bounds._iterated(iter(self._items), self._text)  # noqa: SLF001 - of one piece with it


def bounded(template: nodes.Template) -> nodes.Template:
    """The parsed template with its loops counted and its `~` checked."""
    changed: nodes.Template = _Bounded().visit(template)
    changed.set_environment(template.environment)  # type: ignore[arg-type]
    return changed


class _Bounded(NodeTransformer):
    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - the library's names
        text = sum(len(data.data) for part in node.body for data in part.find_all(nodes.TemplateData))
        self.generic_visit(node)
        counted = [nodes.Const(text, lineno=node.lineno)]
        node.iter = nodes.Filter(node.iter, _COUNTED, counted, [], None, None, lineno=node.iter.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802 - the library's names
        self.generic_visit(node)
        return nodes.Filter(nodes.List(node.nodes, lineno=node.lineno), _JOINED, [], [], None, None, lineno=node.lineno)


OPERATORS: Final = frozenset({"+", "*", "**", "%"})


def check_operator(operator: str, left: Any, right: Any) -> None:
    """Raises `BoundsError` where the result would be large beyond use."""
    if operator == "**":
        if isinstance(left, int) and isinstance(right, int) and abs(left) > 1:
            _fits(left.bit_length() * right, _BITS, "bits")
    elif operator == "*":
        if isinstance(left, int) and isinstance(right, int):
            _fits(left.bit_length() + right.bit_length(), _BITS, "bits")
        for many, times in ((left, right), (right, left)):
            if isinstance(many, str | list | tuple) and isinstance(times, int):
                _fits(len(many) * times, LONGEST, "characters or items")
    elif operator == "+":
        if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
            _fits(len(left) + len(right), LONGEST, "characters or items")
    elif isinstance(left, str) and _WIDE.search(left):
        raise BoundsError("the format asks for too wide a text")


def check_call(called: Any, args: tuple[Any, ...]) -> None:
    """Of a method of a text. Raises `BoundsError`."""
    if called.__class__ is FunctionType:
        called = getattr(called, "__wrapped__", called)  # the sandbox's own `format`
    if isinstance(called, BuiltinMethodType) and isinstance(called.__self__, str):
        check_method(called.__name__, called.__self__, args)


def check_method(name: str, value: Any, args: tuple[Any, ...]) -> None:
    """Of a filter or method `name` of a value. Raises `BoundsError`."""
    if name in _WIDENING:
        for number in args:
            if isinstance(number, int):
                _fits(number * (value.count("\n") + 1 if isinstance(value, str) else 1), LONGEST, "characters or items")
        if name == "expandtabs" and args and isinstance(args[0], int):
            _fits(args[0] * value.count("\t"), LONGEST, "characters")
    elif name == "replace":
        texts = [str(value), *(str(one) for one in args[:2])]
        if len(texts) > 2:
            _fits(len(texts[0]) + texts[0].count(texts[1]) * len(texts[2]), LONGEST, "characters")
    elif name == "format" and isinstance(value, str) and _WIDE.search(value):
        raise BoundsError("the format asks for too wide a text")
    elif name == "join" and args:
        many, by = (args[0], value) if isinstance(value, str) and not isinstance(args[0], str) else (value, args[0])
        if isinstance(many, Sized) and isinstance(by, str):
            inside = sum(len(one) for one in many if isinstance(one, str)) if isinstance(many, list | tuple) else 0
            _fits(inside + len(many) * len(by), LONGEST, "characters")


def _joined(by: str, parts: list[Any]) -> str:
    texts = [str(part) for part in parts]
    _fits(sum(map(len, texts)), LONGEST, "characters")
    return by.join(texts)


def _fits(size: int, limit: int, what: str) -> None:
    if size > limit:
        raise BoundsError(f"a value would have more than {limit} {what}")
