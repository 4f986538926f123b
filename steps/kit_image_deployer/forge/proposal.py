# SPDX-License-Identifier: MIT
"""What a pull request is made of: its branch, its title, its description; and whose the branch's commits are. Pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from kit_image_deployer.forge import Proposal
from kit_image_deployer.message.commit import SEAL, Written, deploying
from kit_image_deployer.message.defuse import defused, one_line

PREFIX: Final = "kit"
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_]+")
_LONGEST_NAME: Final = 60
_DIGITS: Final = 10
_FEW: Final = 100
_FENCE: Final = re.compile("`{3,}")


def proposal_branch(target: str, paths: Iterable[str]) -> str:
    """The branch on which changes of these files to `target` are proposed: always the same one for the same files.

    It has three parts whatever the names are, since git cannot have both `a/b` and `a/b/c`; what cannot stand in a ref
    is a dash, and what is lost by that is in the digits at the end.
    """
    files = sorted(set(paths))
    named = files[0].removesuffix(".yaml") if len(files) == 1 else f"{len(files)}-files"
    digits = hashlib.sha256("\0".join([target, *files]).encode()).hexdigest()[:_DIGITS]
    return f"{PREFIX}/{_part(target)}/{_part(named)}-{digits}"


def _part(name: str) -> str:
    return _UNFIT.sub("-", name)[-_LONGEST_NAME:].strip("-") or "x"


def proposal(branch: str, target: str, files: Sequence[Written], message: str) -> Proposal:
    """Title and description for the request: the files with their old and new images, and the commit's message.

    The message stands in a block of code, where no forge obeys a word of it.
    """
    lines = [f"- `{_code(item.path)}`: {_old(item)} → `{_code(item.image)}`" for item in files[:_FEW]]
    if len(files) > _FEW:
        lines.append(f"- and {len(files) - _FEW} more")
    fence = "`" * max([3, *(len(run) + 1 for run in _FENCE.findall(message))])
    body = "\n".join(
        [
            *lines, "", fence, message.strip(), fence, "",
            "kit-image-deployer keeps this request up to date while it is open. What others add to its branch stays.",
        ]
    )  # fmt: skip
    return Proposal(branch=branch, target=target, title=one_line(defused(deploying(files))), body=body)


def _old(item: Written) -> str:
    return f"`{_code(item.previous)}`" if item.previous else "nothing yet"


def _code(text: str) -> str:
    return one_line(defused(text)).replace("`", "'")


def is_ours(commit: bytes) -> bool:
    """Whether a commit is one of this step's and still holds what it made: it ends in the step's trailers, names its
    own tree there, and who committed it is who wrote it.

    Whoever amends, rebases or picks it changes its tree, or becomes its committer.
    """
    head, _, message = commit.partition(b"\n\n")
    people = dict(line.split(b" ", 1) for line in head.split(b"\n") if line.startswith((b"author ", b"committer ")))
    trailers = message.rstrip().rpartition(b"\n\n")[2].split(b"\n")
    seal = head.partition(b"\n")[0].replace(b"tree", SEAL.encode() + b":")
    ours = trailers[0].startswith(b"Kit-Image: ") and trailers[-1] == seal
    return ours and people.get(b"author") == people.get(b"committer")


def holds(commits: Mapping[bytes, bytes], head: bytes, base: bytes) -> bool:
    """Whether `base` is in the history of `head`, whose commits that `base` has not are `commits`."""
    return head == base or any(base in _parents(content) for content in commits.values())


def _parents(commit: bytes) -> list[bytes]:
    head = commit.partition(b"\n\n")[0]
    return [line.removeprefix(b"parent ") for line in head.split(b"\n") if line.startswith(b"parent ")]
