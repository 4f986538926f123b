# SPDX-License-Identifier: MIT
"""Private keys as they come out of a CI's variable: found in their text, with the line breaks that they should have."""

import re
from typing import Final

_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_HEADER: Final = re.compile(r"(?:Proc-Type|DEK-Info): ?\S+")


def mended(text: str) -> str:
    """The private key in `text` as programs write it, or all of the text where there is none. CRLF, `\\n` written out,
    blanks in the place of line breaks, indentation and a missing last line break are what variables and web forms
    make of them; openssl puts a curve's parameters before a key.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\\n", "\n").strip()
    found = next((block for block in _BLOCK.finditer(text) if "PRIVATE KEY" in block[1]), None)
    if found is None:
        return text + "\n"
    body = "\n".join(line.strip() for line in found[2].strip().split("\n"))
    if "\n" not in body and " " in body:
        headers = _HEADER.findall(body)
        data = _HEADER.sub("", body).split()
        body = "\n".join([*headers, "", *data] if headers else data)
    return f"-----BEGIN {found[1]}-----\n{body}\n-----END {found[1]}-----\n"
