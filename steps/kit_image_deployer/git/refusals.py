# SPDX-License-Identifier: MIT
"""What ends a run: a branch that is not there, what the server refused, a repository of another kind."""

import re
from collections.abc import Collection, Sequence
from typing import Final

from kit_core.errors import InputError, WorkError

_LONGEST_WHY: Final = 2000
_LONGEST_OPTION: Final = 65_000  # a line of the protocol holds no more
# How servers say that the branch moved, or that another push holds its lock: git itself, and forges built on it.
RACE: Final = re.compile(
    r"fetch first|non-fast-forward|stale info|cannot lock ref|failed to (update|lock) ref|unable to lock"
    r"|incorrect old value|is at [0-9a-f]+ but expected|reference already exists|lock file|already locked",
    re.IGNORECASE,
)
HOOK: Final = re.compile(
    r"hook|protected|den(y|ied)|declined|violat|forbid|not allowed|permission|prohibited|read-only", re.IGNORECASE
)


def ref_of(kind: bytes, branch: str) -> bytes:
    """The ref of that kind (`heads/`, `tags/`) and name."""
    return b"refs/" + kind + branch.encode()


def no_branch(where: str, branch: str | None, refs: Collection[bytes], target: bytes | None) -> InputError:
    """The error for a branch that is not there."""
    if not refs:
        return InputError(
            "the repository is empty",
            where=where,
            hint="Push a first commit with a kit.yaml to it; nothing was changed.",
        )
    if branch is None:
        named = f"HEAD names {target.decode()}, which does not exist" if target else "HEAD names no branch"
        return InputError("the repository has no default branch", where=where, why=named, hint="Set KIT_GIT_BRANCH.")
    if ref_of(b"tags/", branch) in refs:
        hint = "kit-image-deployer writes to branches: set KIT_GIT_BRANCH to one."
        return InputError(f"{branch} is a tag in the repository, not a branch", where=where, hint=hint)
    return InputError(
        f"the repository has no branch {branch}",
        where=where,
        hint="Check KIT_GIT_BRANCH, or push the branch first; nothing was changed.",
    )


def refusal(where: str, what: str, reason: str, words: str) -> WorkError:
    """The error for what a server refused, in its own words."""
    said = "; ".join(line.strip() for line in words.splitlines() if line.strip())
    why = f"{reason} ({said})" if said and said != reason else reason
    why = why if len(why) <= _LONGEST_WHY else f"{why[:_LONGEST_WHY]} …"
    return WorkError(what, where=where, why=why, hint="Nothing was changed. The rule is the server's: ask its owner.")


def check_object_format(used: str, where: str) -> None:
    """Raise `WorkError` for a repository whose objects are named by anything but SHA-1."""
    if used != "sha1":
        raise WorkError(
            f"the repository names its objects by {used}",
            where=where,
            hint="kit-image-deployer writes to SHA-1 repositories only; nothing was changed.",
        )


def check_push_options(options: Sequence[str], where: str, *, taken: bool) -> None:
    """Raise `InputError` for words that fit in no line, `WorkError` where the server takes none."""
    for option in options:
        if not option or any(character in option for character in "\n\0") or len(option.encode()) > _LONGEST_OPTION:
            raise InputError(
                "a push option is empty, too long, or has a line break or a NUL in it",
                hint="Give each of KIT_PUSH_OPTIONS as `git push --push-option` takes it: one line.",
            )
    if options and not taken:
        raise WorkError(
            "the server takes no push options",
            where=where,
            hint="Leave out KIT_PUSH_OPTIONS, or have receive.advertisePushOptions set there; nothing was changed.",
        )
