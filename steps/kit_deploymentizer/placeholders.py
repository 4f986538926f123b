# SPDX-License-Identifier: MIT
"""What stands in the place of a value that a run with KIT_PLACEHOLDERS does not read: `external:NAME`. Pure.

A placeholder is plain text in YAML, JSON and HTML alike, so that whatever a template does with it stays valid.
"""

import re
from typing import Final

_ODD: Final = re.compile(r"[^A-Za-z0-9._/-]+")


def placeholder(origin: str, name: str) -> str:
    """`origin` is who would give the value (`external`, `encrypted`, a source's name), `name` what it is called."""
    return f"{_ODD.sub('_', origin)}:{_ODD.sub('_', name)}"
