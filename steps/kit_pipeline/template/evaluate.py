# SPDX-License-Identifier: MIT
"""From nodes and values to text."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from kit_core.names import nearest
from kit_pipeline.template.error import TemplateError
from kit_pipeline.template.functions import FUNCTIONS, NAMES, UNTIL, WrongArgument, call, truth
from kit_pipeline.template.parse import (
    Action,
    Branch,
    Function,
    Literal,
    Node,
    Operand,
    Pipeline,
    Text,
    Variable,
)
from kit_pipeline.template.printing import shown

Value: TypeAlias = str | int | bool


def evaluate(nodes: Sequence[Node], values: Mapping[str, Value], name: str) -> str:
    """The text. Raises `TemplateError` for a value or function that there is not, and for arguments that do not fit."""
    return _Run(values, name).text(nodes, values)


class _Run:
    def __init__(self, values: Mapping[str, Value], name: str) -> None:
        self._name = name
        # The innermost declaration of a variable is the last one; a block takes its own away at its end.
        self._variables: list[tuple[str, Any]] = [("$", values)]

    def text(self, nodes: Sequence[Node], dot: Any) -> str:
        outer = len(self._variables)
        out = "".join(self._node(node, dot) for node in nodes)
        del self._variables[outer:]
        return out

    def _node(self, node: Node, dot: Any) -> str:
        if isinstance(node, Text):
            return node.text
        if isinstance(node, Action):
            value = self._pipeline(node.pipeline, dot)
            return "" if node.pipeline.variable else self._shown(value)
        assert isinstance(node, Branch)
        outer = len(self._variables)
        value = self._pipeline(node.pipeline, dot)
        inner = value if node.word == "with" else dot
        out = self.text(node.yes, inner) if truth(value) else self.text(node.no, dot)
        del self._variables[outer:]
        return out

    def _pipeline(self, pipeline: Pipeline, dot: Any) -> Any:
        value: tuple[Any, ...] = ()
        for command in pipeline.commands:
            value = (self._command(command, dot, value),)
        if pipeline.variable and pipeline.declares:
            self._variables.append((pipeline.variable, value[0]))
        elif pipeline.variable:
            self._variables[self._where(pipeline.variable)] = (pipeline.variable, value[0])
        return value[0]

    def _where(self, variable: str) -> int:
        for index in range(len(self._variables) - 1, -1, -1):
            if self._variables[index][0] == variable:
                return index
        raise self._wrong(f"there is no variable {variable}")

    def _command(self, command: Sequence[Operand], dot: Any, piped: tuple[Any, ...]) -> Any:
        first = command[0]
        if not isinstance(first, Function):
            return self._operand(first, dot)
        if first.name in UNTIL:
            return self._until(first.name, command[1:], dot, piped)
        if first.name not in FUNCTIONS:
            likely = nearest(first.name, NAMES)
            hint = f"Did you mean {likely}?" if likely else f"There are {', '.join(NAMES)}."
            raise self._wrong(f"there is no function {first.name}", hint)
        arguments = [self._operand(operand, dot) for operand in command[1:]]
        try:
            return call(first.name, [*arguments, *piped])
        except WrongArgument as error:
            raise self._wrong(f"{first.name}: {error}") from None

    def _until(self, word: str, operands: Sequence[Operand], dot: Any, piped: tuple[Any, ...]) -> Any:
        """`and` and `or`: the first value that decides, else the last one."""
        if not operands and not piped:
            raise self._wrong(f"{word}: it takes 1 or more values and was given 0")
        value = None
        for operand in operands:
            value = self._operand(operand, dot)
            if truth(value) is UNTIL[word]:
                return value
        return piped[0] if piped else value

    def _operand(self, operand: Operand, dot: Any) -> Any:
        if isinstance(operand, Literal):
            return operand.value
        if isinstance(operand, Variable):
            return self._variables[self._where(operand.name)][1]
        if isinstance(operand, Pipeline):
            return self._pipeline(operand, dot)
        if isinstance(operand, Function):
            return self._command((operand,), dot, ())
        value = dot if operand.of is None else self._operand(operand.of, dot)
        for name in operand.names:
            value = self._field(value, name)
        return value

    def _field(self, value: Any, name: str) -> Any:
        if not isinstance(value, Mapping):
            raise self._wrong(f"{shown(value)!r} has no value .{name}")
        if name not in value:
            likely = nearest(name, value)
            hint = f"Did you mean .{likely}?" if likely else f"There are {', '.join(f'.{known}' for known in value)}."
            raise self._wrong(f"there is no value .{name}", hint)
        return value[name]

    def _shown(self, value: Any) -> str:
        if isinstance(value, Mapping):
            raise self._wrong("`{{.}}` prints nothing here", "Name a value, such as `{{.Branch}}`.")
        return "<no value>" if value is None else shown(value)

    def _wrong(self, why: str, hint: str | None = None) -> TemplateError:
        return TemplateError("The template cannot be filled in", where=self._name, why=why, hint=hint)
