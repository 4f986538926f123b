# SPDX-License-Identifier: MIT
"""From tokens to nodes."""

import contextlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from kit_pipeline.template.error import TemplateError
from kit_pipeline.template.scan import Token, scan


@dataclass(frozen=True)
class Text:
    """What stands outside of actions."""

    text: str


@dataclass(frozen=True)
class Literal:
    """A constant: text, a number, a truth value, or None for `nil`."""

    value: str | int | float | bool | None


@dataclass(frozen=True)
class Fields:
    """`.A.B`: keys, from the dot, or from what `of` is."""

    names: tuple[str, ...]
    of: "Operand | None" = None


@dataclass(frozen=True)
class Variable:
    """`$name`; `$` alone is what the template was given."""

    name: str


@dataclass(frozen=True)
class Function:
    """The name of a function, where its value is meant."""

    name: str


@dataclass(frozen=True)
class Pipeline:
    """Commands, each of which gets the last one's value as its last argument; perhaps kept in a variable."""

    commands: tuple[tuple["Operand", ...], ...]
    variable: str | None = None
    declares: bool = False


@dataclass(frozen=True)
class Action:
    """A pipeline whose value is printed."""

    pipeline: Pipeline


@dataclass(frozen=True)
class Branch:
    """`if` or `with`: the nodes for yes and for no."""

    word: str
    pipeline: Pipeline
    yes: tuple["Node", ...]
    no: tuple["Node", ...]


Operand: TypeAlias = Literal | Fields | Variable | Function | Pipeline
Node: TypeAlias = Text | Action | Branch

_CONSTANTS: Final = {"true": True, "false": False, "nil": None}
_NOT_HERE: Final = frozenset({"range", "define", "block", "template", "break", "continue"})


def parse(text: str, name: str) -> tuple[Node, ...]:
    """The nodes of a template; `name` stands in errors. Raises `TemplateError`."""
    parser = _Parser(scan(text, name), name)
    nodes, word = parser.nodes()
    if word:
        raise parser.error(f"`{{{{{word}}}}}` ends nothing")
    return nodes


def fields(nodes: Sequence[Node]) -> frozenset[str]:
    """Every value that the nodes ask for."""
    return frozenset(found for node in nodes for found in _fields(node))


def _fields(part: Node | Operand) -> Iterator[str]:
    if isinstance(part, Fields):
        if part.of is None:
            yield from part.names[:1]
        else:
            yield from part.names[:1] if part.of == Variable("$") else _fields(part.of)
    elif isinstance(part, Pipeline):
        for command in part.commands:
            for operand in command:
                yield from _fields(operand)
    elif isinstance(part, Action):
        yield from _fields(part.pipeline)
    elif isinstance(part, Branch):
        yield from _fields(part.pipeline)
        for node in (*part.yes, *part.no):
            yield from _fields(node)


class _Parser:
    def __init__(self, tokens: list[Token], name: str) -> None:
        self._tokens, self._name, self._at = tokens, name, 0

    def error(self, why: str, hint: str | None = None) -> TemplateError:
        return TemplateError("The template is wrong", where=self._name, why=why, hint=hint)

    def nodes(self) -> tuple[tuple[Node, ...], str | None]:
        """Nodes up to the end, or to an `else` or `end`, which comes with them."""
        found: list[Node] = []
        while self._at < len(self._tokens):
            token = self._next()
            if token.kind == "text":
                if token.text:
                    found.append(Text(token.text))
                continue
            self._spaces()
            first = self._peek()
            if first.kind == "word" and first.text in {"end", "else"}:
                self._at += 1
                return tuple(found), first.text
            found.append(self._action(first))
        return tuple(found), None

    def _action(self, first: Token) -> Node:
        if first.kind == "word" and first.text in {"if", "with"}:
            self._at += 1
            return self._branch(first.text)
        if first.kind == "word" and first.text in _NOT_HERE:
            raise self.error(f"`{first.text}` is not supported", "The values of these files are single ones.")
        pipeline = self._pipeline(declaring=True)
        self._closed()
        return Action(pipeline)

    def _branch(self, word: str) -> Branch:
        pipeline = self._pipeline(declaring=True)
        self._closed()
        yes, end = self.nodes()
        no: tuple[Node, ...] = ()
        if end == "else":
            self._spaces()
            following = self._peek()
            if following.kind == "word" and following.text == word:
                self._at += 1
                return Branch(word, pipeline, yes, (self._branch(following.text),))
            self._closed()
            no, end = self.nodes()
        if end != "end":
            raise self.error(f"`{{{{{word}}}}}` has no `{{{{end}}}}`" if end is None else "there are two `{{else}}`")
        self._closed()
        return Branch(word, pipeline, yes, no)

    def _pipeline(self, *, declaring: bool = False) -> Pipeline:
        self._spaces()
        variable, declares = self._declared() if declaring else (None, False)
        commands = [self._command()]
        while self._symbol("|"):
            commands.append(self._command())
        for command in commands[1:]:
            if not isinstance(command[0], Function):
                raise self.error("what stands behind `|` is no function")
        return Pipeline(tuple(commands), variable, declares)

    def _declared(self) -> tuple[str | None, bool]:
        start = self._at
        if self._peek().kind == "variable":
            name = self._next().text
            for symbol in (":=", "="):
                if self._symbol(symbol):
                    return name, symbol == ":="
        self._at = start
        return None, False

    def _command(self) -> tuple[Operand, ...]:
        operands: list[Operand] = []
        while True:
            self._spaces()
            token = self._peek()
            if token.kind == "close" or token.text in {"|", ")"}:
                break
            operands.append(self._operand())
            after = self._peek()
            if after.kind not in {"space", "close"} and after.text not in {"|", ")"}:
                raise self.error(f"{after.text!r} stands where a space is wanted")
        if not operands:
            raise self.error("there is nothing in it", "Write a value, such as `{{.Branch}}`.")
        if operands[0] == Literal(None):
            raise self.error("`nil` alone is no value")
        if len(operands) > 1 and not isinstance(operands[0], Function):
            raise self.error("the first of several words is no function")
        return tuple(operands)

    def _operand(self) -> Operand:
        token = self._next()
        operand: Operand
        if token.kind == "string":
            return Literal(token.text)
        if token.kind == "character":
            return Literal(int(token.text))
        if token.kind == "number":
            return Literal(self._number(token.text))
        if token.kind == "word":
            return Literal(_CONSTANTS[token.text]) if token.text in _CONSTANTS else Function(token.text)
        if token.kind == "field":
            return Fields((token.text[1:], *self._chain()) if token.text != "." else self._chain())
        if token.kind == "variable":
            operand = Variable(token.text)
        elif token.text == "(":
            operand = self._pipeline()
            if not self._symbol(")"):
                raise self.error("a parenthesis is not closed")
        else:
            raise self.error(f"{token.text!r} stands where a value is wanted")
        names = self._chain()
        return Fields(names, operand) if names else operand

    def _chain(self) -> tuple[str, ...]:
        names = []
        while self._peek().kind == "field" and self._peek().text != ".":
            names.append(self._next().text[1:])
        return tuple(names)

    def _number(self, text: str) -> int | float:
        """As Go reads constants: `0644` is octal, `_` stands between digits."""
        value: int | float
        try:
            value = int(re.sub(r"^([+-]?0)_?(?=\d)", r"\1o", text), 0)
        except ValueError:
            value = math.inf
            with contextlib.suppress(ValueError):
                value = float("inf" if "_" in text or text.lstrip("+-").isdecimal() else text)
        if not -(2**63) <= value < 2**63 if isinstance(value, int) else math.isinf(value):
            raise self.error(f"{text} is no number, or one that is too large")
        return value

    def _symbol(self, text: str) -> bool:
        start = self._at
        self._spaces()
        if self._peek().kind == "symbol" and self._peek().text == text:
            self._at += 1
            return True
        self._at = start
        return False

    def _spaces(self) -> None:
        while self._peek().kind == "space":
            self._at += 1

    def _closed(self) -> None:
        self._spaces()
        token = self._next()
        if token.kind != "close":
            raise self.error(f"{token.text!r} stands where `}}}}` is wanted")

    def _next(self) -> Token:
        token = self._peek()
        self._at += 1
        return token

    def _peek(self) -> Token:
        if self._at >= len(self._tokens):
            raise self.error("it ends in the middle of an action")
        return self._tokens[self._at]
