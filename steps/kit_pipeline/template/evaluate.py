# SPDX-License-Identifier: MIT
"""From nodes and values to text."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from kit_core.names import nearest
from kit_pipeline.template.error import TemplateError
from kit_pipeline.template.functions import FUNCTIONS, WrongArgument, call, truth
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
        self._variables: dict[str, Any] = {"$": values}

    def text(self, nodes: Sequence[Node], dot: Any) -> str:
        outer = dict(self._variables)
        out = "".join(self._node(node, dot) for node in nodes)
        # A variable ends with the block that declares it; what was only assigned stays.
        self._variables = {name: self._variables[name] for name in outer}
        return out

    def _node(self, node: Node, dot: Any) -> str:
        if isinstance(node, Text):
            return node.text
        if isinstance(node, Action):
            value = self._pipeline(node.pipeline, dot)
            return "" if node.pipeline.variable else self._shown(value)
        assert isinstance(node, Branch)
        outer = dict(self._variables)
        value = self._pipeline(node.pipeline, dot)
        inner = value if node.word == "with" else dot
        out = self.text(node.yes, inner) if truth(value) else self.text(node.no, dot)
        self._variables = {name: self._variables[name] for name in outer}
        return out

    def _pipeline(self, pipeline: Pipeline, dot: Any) -> Any:
        value: tuple[Any, ...] = ()
        for command in pipeline.commands:
            value = (self._command(command, dot, value),)
        if pipeline.variable:
            if not pipeline.declares and pipeline.variable not in self._variables:
                raise self._wrong(f"there is no variable {pipeline.variable}")
            self._variables[pipeline.variable] = value[0]
        return value[0]

    def _command(self, command: Sequence[Operand], dot: Any, piped: tuple[Any, ...]) -> Any:
        first = command[0]
        if not isinstance(first, Function):
            return self._operand(first, dot)
        if first.name not in FUNCTIONS:
            likely = nearest(first.name, FUNCTIONS)
            hint = f"Did you mean {likely}?" if likely else f"There are {', '.join(sorted(FUNCTIONS))}."
            raise self._wrong(f"there is no function {first.name}", hint)
        arguments = [self._operand(operand, dot) for operand in command[1:]]
        try:
            return call(first.name, [*arguments, *piped])
        except WrongArgument as error:
            raise self._wrong(f"{first.name}: {error}") from None

    def _operand(self, operand: Operand, dot: Any) -> Any:
        if isinstance(operand, Literal):
            return operand.value
        if isinstance(operand, Variable):
            if operand.name not in self._variables:
                raise self._wrong(f"there is no variable {operand.name}")
            return self._variables[operand.name]
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
        return shown(value)

    def _wrong(self, why: str, hint: str | None = None) -> TemplateError:
        return TemplateError("The template cannot be filled in", where=self._name, why=why, hint=hint)
