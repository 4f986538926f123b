# SPDX-License-Identifier: MIT
"""Go's text templates, as far as CodeShip's files use them (https://pkg.go.dev/text/template). Pure.

`scan` cuts a text into tokens, `parse` makes nodes of them, `evaluate` fills in values with the `functions` that Go has
built in, of which `printing` is `printf`. No library does this in Python without a Go program beside it.

>>> fill("{{.Branch}}-{{printf "%.8s" .CommitID}}", {"Branch": "master", "CommitID": "4f2a91c0d1e2"}, name="image_tag")
'master-4f2a91c0'
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from kit_pipeline.template.error import TemplateError
from kit_pipeline.template.evaluate import Value, evaluate
from kit_pipeline.template.parse import fields, parse

__all__ = ["TemplateError", "Value", "fields_of", "fill"]


def fill(text: str, values: Mapping[str, Value], *, name: str) -> str:
    """`text` with its actions carried out on `values`; `name` (a file and line) stands in errors.

    Raises `TemplateError`, also for a value that is not in `values`: Go would print `<no value>`, which no image's tag
    is meant to be.
    """
    if "{{" not in text:
        return text
    with _not_too_deep(name):
        return evaluate(parse(text, name), values, name)


def fields_of(text: str, *, name: str) -> frozenset[str]:
    """The values that `text` asks for, whichever way its conditions go. Raises `TemplateError` where it is none."""
    if "{{" not in text:
        return frozenset()
    with _not_too_deep(name):
        return fields(parse(text, name))


@contextmanager
def _not_too_deep(name: str) -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise TemplateError("The template is wrong", where=name, why="it is nested too deeply") from None
