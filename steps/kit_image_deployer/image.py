# SPDX-License-Identifier: MIT
"""Image references: what is one, and how it is written in YAML so that every reader takes it for a string."""

import re
from typing import Final

from kit_core.errors import InputError

# The grammar of https://github.com/distribution/reference, which registries and container runtimes share.
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?"
_TAG: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST: Final = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE: Final = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*)(?::{_TAG})?(?:@(?P<digest>{_DIGEST}))?", re.ASCII
)
_LONGEST_NAME: Final = 255
# Of the algorithms that registries know, a digest has its exact length, in small letters.
_KNOWN_DIGEST: Final = re.compile(r"(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})")
_ALGORITHMS: Final = ("sha256:", "sha384:", "sha512:")
_LONGEST_SHOWN: Final = 300
_IMAGE_ID: Final = re.compile(r"[0-9a-f]{64}")
_TAG_ONLY: Final = re.compile(_TAG, re.ASCII)

# Words that YAML 1.1 (go-yaml, PyYAML, older js-yaml) or 1.2 take for a boolean or null when they stand unquoted.
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
# What cannot stand in double quotes as it is: YAML forbids some of it, and takes some for the end of a line.
_ESCAPED: Final = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]')
_PLAIN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/@+-]|:(?=[A-Za-z0-9._/@+-]))*", re.ASCII)


def check_reference(image: str, *, setting: str) -> None:
    """Raise `InputError`, naming `setting`, unless `image` is a reference that a registry could hold."""
    found = _REFERENCE.fullmatch(image)
    if not found:
        raise InputError(
            f"{setting}={_short(image)} is no image reference",
            why="it has a scheme, as a page's address; leave that out" if "://" in image else None,
            hint="It looks like registry.example.com/team/app:tag; names are lower case, a tag has at most 128 "
            "letters, digits, dots, dashes and underscores.",
        )
    why = None
    if len(found["name"]) > _LONGEST_NAME:
        why = f"its name has more than {_LONGEST_NAME} characters"
    elif _IMAGE_ID.fullmatch(found["name"]):
        why = "a name of 64 hexadecimal digits is taken for the id of an image"
    elif found["digest"] and found["digest"].startswith(_ALGORITHMS) and not _KNOWN_DIGEST.fullmatch(found["digest"]):
        why = "its digest has the wrong length or capital letters"
    if why:
        hint = "Write the reference as the registry shows it, such as registry.example.com/team/app:tag."
        raise InputError(f"{setting}={_short(image)} is no image reference", why=why, hint=hint)


def is_reference(text: str) -> bool:
    """Whether `text` has the form of a reference, and of no unusual length."""
    return len(text) <= _LONGEST_SHOWN and _REFERENCE.fullmatch(text) is not None


def _short(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")


def composed_reference(registry: str, repository: str, branch: str, commit: str) -> str:
    """`<registry>/<repository>:<branch>-<commit>`, the reference under which the pipeline pushed the image.

    Raises `InputError` where a branch's name cannot stand in a tag (`feature/x`): what the pipeline made of it then,
    only the pipeline knows, so `IMAGE` has to say it.
    """
    tag = f"{branch}-{commit}"
    if not _TAG_ONLY.fullmatch(tag):
        raise InputError(
            f"the branch {branch!r} with the commit {commit!r} cannot stand in an image's tag",
            why="a tag has at most 128 letters, digits, dots, dashes and underscores",
            hint="Set IMAGE to the whole reference that was pushed.",
        )
    image = f"{registry.rstrip('/')}/{repository}:{tag}"
    check_reference(image, setting="DOCKER_REGISTRY/DOCKER_REPO:CI_BRANCH-CI_COMMIT_ID")
    return image


def is_plain(text: str) -> bool:
    """Whether every YAML reader, 1.1 or 1.2, takes `text` for this very string when it stands unquoted.

    Stricter than it must be: what begins with a digit needs a slash (no number, time or date has one).
    """
    if not _PLAIN.fullmatch(text) or text.lower() in _WORDS:
        return False
    return text[0].isalpha() or "/" in text


def quoted(text: str) -> str:
    """`text` in double quotes, on one line."""
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    char = found.group()
    return f"\\{char}" if char in '\\"' else f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"


def in_style(text: str, style: str | None) -> str:
    """`text` in the quotes of the scalar it replaces (`'`, `"` or None for none); block scalars lose their block."""
    if style == "'" and not _ESCAPED.search(text.replace('"', "").replace("\\", "")):
        return "'" + text.replace("'", "''") + "'"
    if style == '"':
        return quoted(text)
    return text if is_plain(text) else quoted(text)
