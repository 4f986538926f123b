# SPDX-License-Identifier: MIT
"""Sources of variables, and a resource that prints what they gave."""

from kit_core.keys import Key
from tests.unit.deploymentizer.workshop import KIT, Result, Workshop

KEY = Key(bytes(range(32)))
OTHER = Key(bytes(range(1, 33)))
TEMPLATE = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: app}\nstringData:\n"
    "{{#app.env}}\n  {{{name}}}: '{{{value}}}'\n{{/app.env}}\n"
)
FILES = "sources: [{kind: files, path: 'env/{cluster}/{service}%s'%s}]\n"


def seen(result: Result, cluster: str = "east") -> dict[str, str]:
    """The variables that the template of one cluster saw."""
    lines = result.files[f"{cluster}/app.yaml"].split("stringData:\n")[1].splitlines()
    return {name.strip(): value.strip(" '") for name, _, value in (line.partition(":") for line in lines)}


def sources(printing: Workshop, text: str) -> None:
    printing.write({"kit.yaml": KIT + text})
