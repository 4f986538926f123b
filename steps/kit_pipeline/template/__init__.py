# SPDX-License-Identifier: MIT
"""Go's text templates, as far as CodeShip's files use them (https://pkg.go.dev/text/template). Pure.

`scan` cuts a text into tokens, `parse` makes nodes of them, `evaluate` fills in values with the `functions` that Go has
built in, of which `printing` is `printf`. No library does this in Python without a Go program beside it.

>>> fill("{{.Branch}}-{{printf "%.8s" .CommitID}}", {"Branch": "master", "CommitID": "4f2a91c0d1e2"}, name="image_tag")
'master-4f2a91c0'
"""

from collections.abc import Mapping

from kit_pipeline.template.error import TemplateError
from kit_pipeline.template.evaluate import Value, evaluate
from kit_pipeline.template.parse import fields, parse

__all__ = ["TemplateError", "Value", "fields_of", "fill"]


def fill(text: str, values: Mapping[str, Value], *, name: str) -> str:
    """`text` with its actions carried out on `values`; `name` stands in errors. Raises `TemplateError`."""
    if "{{" not in text:
        return text
    return evaluate(parse(text, name), values, name)


def fields_of(text: str, *, name: str) -> frozenset[str]:
    """The values that `text` asks for, whichever way its conditions go. Raises `TemplateError` where it is none."""
    return fields(parse(text, name)) if "{{" in text else frozenset()
