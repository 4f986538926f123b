# SPDX-License-Identifier: MIT
"""What must not be seen of a value whose name looks like a credential's. Pure."""

import re
from typing import Final

_CREDENTIAL: Final = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|credential|api_?key|private_?key|access_?key|auth$", re.IGNORECASE
)
_NO_VALUE: Final = ("Name", "Ref", "_NAME", "_FILE", "_PATH")
"""Endings of names that say where a credential lies, not what it is."""


def is_credential(name: str) -> bool:
    """Whether a value of this name is probably a credential: `DB_PASSWORD`, `apiKey`, but not `secretName`."""
    return bool(_CREDENTIAL.search(name)) and not name.endswith(_NO_VALUE)
