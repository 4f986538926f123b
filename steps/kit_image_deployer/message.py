# SPDX-License-Identifier: MIT
"""The commit message: what the service's commit said, made harmless here, and the trailers of the audit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# A service's message was written for the service's repository. Repeated in this one, some of its words would act:
# the CI would skip the deploy, a forge close an issue or tell a person. Each rule makes one kind of them mere text.
_RULES: Final = (
    # [skip ci], [ci skip], [no ci], [skip actions], [skip travis] … of all CI services.
    (re.compile(r"\[([^\[\]\n]*\b(?:skip|no)\b[^\[\]\n]*)\]", re.IGNORECASE), r"(\1)"),
    (re.compile(r"\*{2,}\s*(NO_CI)\s*\*{2,}", re.IGNORECASE), r"(\1)"),  # Azure Pipelines
    (re.compile(r"--(skip-ci|ci-skip)\b", re.IGNORECASE), r"(\1)"),  # CodeShip
    (re.compile(r"^(\s*)(skip-checks)\s*:\s*", re.IGNORECASE | re.MULTILINE), r"\1(\2) "),  # a trailer of GitHub's
    # Closes #12, GH-12, owner/repo#12, !7, and Jira's #close: the number means something else here.
    (re.compile(r"#(?=\w)"), "# "),
    (re.compile(r"(?<![\w/])!(?=\d)"), "! "),
    (re.compile(r"\bGH-(?=\d)", re.IGNORECASE), "GH "),
    (re.compile(r"\bhttps?://(?=\S+/(?:issues|pull|merge_requests|work_items)/\d)", re.IGNORECASE), ""),
    # @someone and @team/name, but not me@example.com
    (re.compile(r"(?<![\w.+-])@(?=\w)"), "@ "),
    # GitLab obeys /tag and its like at the beginning of a line.
    (re.compile(r"^(\s*)/(?=[a-z_]+\b)", re.MULTILINE), r"\1- /"),
)
# C0 and C1, what else breaks a line, and what turns the direction of the text around.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LONGEST: Final = 10_000
_LONGEST_TRAILER: Final = 500
_SPACE: Final = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a change comes from, as far as it is known: for the trailers of the commit."""

    source_commit: str | None = None
    build: str | None = None
    build_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Written:
    """A file that the commit changes: its path, the new image, and the one it had."""

    path: str
    image: str
    previous: str | None


def commit_message(
    files: Sequence[Written], *, doing: str | None = None, said: str | None = None, origin: Origin | None = None
) -> str:
    """The whole message, ending in a newline: what the service's commit `said` (else what is done), then trailers.

    `doing` is a subject for what is done, where there is one better than "Deploy". Several files are listed in the
    message; each has a trailer `Kit-Image`, with its `Kit-Previous-Image` below it.
    """
    several = len(files) > 1
    subject = doing or (f"Deploy {len(files)} images" if several else f"Deploy {files[0].image}")
    parts = [defused(said or "").strip() or subject]
    if several:
        parts.append("\n".join(f"- {item.path}: {item.image}" for item in files))
    elif parts == [subject]:
        parts.append(f"In {files[0].path}.")
    trailers = [
        trailer for item in files for trailer in (("Kit-Image", item.image), ("Kit-Previous-Image", item.previous))
    ]
    origin = origin or Origin()
    trailers += [
        ("Kit-Source-Commit", origin.source_commit),
        ("Kit-Build", origin.build),
        ("Kit-Build-Url", origin.build_url),
    ]
    parts.append("\n".join(f"{name}: {one_line(value)}" for name, value in trailers if value and one_line(value)))
    return "\n\n".join(parts) + "\n"


def defused(text: str) -> str:
    """`text` with the words that act in a repository (`[skip ci]`, `Closes #12`, `@mention`) made mere words."""
    text = _CONTROL.sub("", utf8(text).replace("\r\n", "\n").replace("\r", "\n"))[:_LONGEST]
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return "\n".join(line.rstrip() for line in text.split("\n"))


def utf8(text: str) -> str:
    """`text` with what was no UTF-8 in a variable (Python keeps such bytes as half surrogates) as a mark."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def one_line(value: str) -> str:
    """`value` as one short line, whatever it held."""
    return _SPACE.sub(" ", _CONTROL.sub("", utf8(value))).strip()[:_LONGEST_TRAILER]
