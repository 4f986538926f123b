# SPDX-License-Identifier: MIT
"""What stands in the place of a value that a run with KIT_PLACEHOLDERS does not read: `external:NAME`. Pure.

What lies in the repository, encrypted or not, has a third part, `encrypted:db.password:1a2b3c4d`, that changes with it:
so a difference is seen without the value. A placeholder is plain text in YAML, JSON and HTML alike, so that whatever a
template does with it stays valid.
"""

import hashlib
import re
from typing import Final

_DIGITS: Final = 8
_ODD: Final = re.compile(r"[^A-Za-z0-9._/-]+")


def placeholder(origin: str, name: str, there: str | None = None) -> str:
    """`origin` is who would give the value (`external`, `encrypted`, a source's name), `name` what it is called.

    `there` is what the repository holds in its place: a ciphertext, or a value that is no secret to its readers.
    """
    named = f"{_ODD.sub('_', origin)}:{_ODD.sub('_', name)}"
    if there is None:
        return named
    return f"{named}:{hashlib.sha256(there.encode('utf-8', 'replace')).hexdigest()[:_DIGITS]}"
