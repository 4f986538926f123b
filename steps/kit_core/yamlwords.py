# SPDX-License-Identifier: MIT
"""What a plain (unquoted) scalar means: the same word is a boolean to one reader and a string to another."""

import re
from collections.abc import Callable
from typing import Any, Final

Words = Callable[[str], Any]
"""From the text of a plain scalar to its value."""

Keys = Callable[[Any], str]
"""From a key that is no string (a number, a boolean, null) to its text."""

_GO_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **{sign + word: float("inf") for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **{"-" + word: float("-inf") for word in (".inf", ".Inf", ".INF")},
}
_GO_INT: Final = re.compile(
    r"^[-+]?(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO]?(?P<o>[0-7]+)|(?P<d>0|[1-9][0-9]*))$"
)
_GO_FLOAT: Final = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")
_BASES: Final = {"x": 16, "b": 2, "o": 8, "d": 10}
_UINT64: Final = 2**64


def kubernetes_keys(key: Any) -> str:
    """As Kubernetes' own tools write keys into JSON: `0644` becomes `"420"`, `1.0` becomes `"1"`."""
    if key is None:
        return "null"
    if isinstance(key, bool):
        return str(key).lower()
    return repr(key).removesuffix(".0") if isinstance(key, float) else str(key)


def kubernetes_words(text: str) -> Any:
    """As Kubernetes' own tools read it (sigs.k8s.io/yaml over go-yaml 2): YAML 1.1 booleans, `0644` is octal.

    Dates stay strings (go-yaml decodes a timestamp into an untyped value as its text); sexagesimal numbers are none.
    """
    if text in _GO_WORDS:
        return _GO_WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    plain = text.replace("_", "") if text[0] != "." else text
    found = _GO_INT.match(plain)
    if found and found.lastgroup:
        number = int(found[found.lastgroup], _BASES[found.lastgroup])
        if number < _UINT64:
            return -number if plain.startswith("-") else number
    return float(plain) if _GO_FLOAT.match(plain) else text
