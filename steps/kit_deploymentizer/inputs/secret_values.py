# SPDX-License-Identifier: MIT
"""Values that come from outside the repository, or lie encrypted in it: they are shown nowhere. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from kit_core.secrets import MASK


@dataclass(frozen=True)
class SecretValue:
    """A secret value: what it was asked for as, and what a template saw."""

    name: str
    text: str


def without(secrets: Iterable[SecretValue], text: str) -> str:
    """`text` with every secret value in it hidden; for what is shown of a rendered file."""
    for secret in sorted(secrets, key=lambda secret: -len(secret.text)):
        text = text.replace(secret.text, MASK) if len(secret.text) > 1 else text
    return text
