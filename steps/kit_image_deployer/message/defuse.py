# SPDX-License-Identifier: MIT
"""A service's message was written for the service's repository. Repeated in the deployments repository, some of its
words would act: a CI would skip the deploy, a forge close an issue or call a person. Here they become mere words.
"""

import re
from typing import Final

_CLOSES: Final = (
    r"(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?|complet(?:e[sd]?|ing))"
)
_KEY: Final = r"[A-Za-z][A-Za-z0-9_]*-\d+"
_AND: Final = r"[ \t]*,?[ \t]*(?:and[ \t]+)?"
_DRAFT: Final = r"\A[\s*]*(?:\[\s*(?:draft|wip)\s*\]|\(\s*(?:draft|wip)\s*\)|(?:draft|wip)\s*:)\s*"

# Each rule with where its words are written down. Their order does not matter: they are repeated until none applies.
_RULES: Final = (
    # [skip ci], [ci skip], [no ci], [skip actions], [skip travis], [ci_skip], [skip-cd] …: docs.github.com "Skipping
    # workflow runs", docs.gitlab.com/ci/pipelines "Skip a pipeline", circleci.com/docs/skip-build, Travis "Customizing
    # the build", Azure "Skipping CI for individual pushes", Bitbucket, Drone, Woodpecker, Semaphore, AppVeyor, Amplify.
    (re.compile(r"\[([^\[\]\n]*(?<![a-z])(?:skip|no)(?![a-z])[^\[\]\n]*)\]", re.IGNORECASE), r"(\1)"),
    (re.compile(r"\*{2,}\s*(NO_CI)\s*\*{2,}", re.IGNORECASE), r"(\1)"),  # Azure Pipelines
    (re.compile(r"--(skip-ci|ci-skip)", re.IGNORECASE), r"(\1)"),  # CodeShip
    # Trailers of GitHub's: docs.github.com "About status checks", "Skipping and requesting checks".
    (re.compile(r"^([ \t]*)((?:skip|request)-checks)[ \t]*:[ \t]*", re.IGNORECASE | re.MULTILINE), r"\1(\2) "),
    # Closes #12, owner/repo#12, AB#12, ABC-1 #close: docs.github.com "Linking a pull request to an issue",
    # docs.gitlab.com "Managing issues", Bitbucket, Azure Boards, Jira's smart commits. The number means something else
    # here. GH-12 and GitLab's !12 and &12 are the same in other letters.
    (re.compile(r"#(?=\w)"), "# "),
    (re.compile(r"([!&])(?=\d)"), r"\1 "),
    (re.compile(r"\bGH-(?=\d)", re.IGNORECASE), "GH "),
    (re.compile(r"\bhttps?://(?=\S*/(?:issues?|pull|merge_requests|work_items|epics)/\w)", re.IGNORECASE), ""),
    # Closes ABC-1, DEF-2 and GHI-3: GitLab's closing pattern with Jira, Linear's magic words.
    (re.compile(rf"\b({_CLOSES}:?\s+(?:issues?\s+)?)({_KEY}(?:{_AND}{_KEY})*)", re.IGNORECASE),
     lambda found: found[1] + found[2].replace("-", " ")),
    # @someone and @team/name, but not me@example.com
    (re.compile(r"(?<![A-Za-z0-9_])@(?=\w)"), "@ "),
    # GitLab obeys /merge and its like at the beginning of a line: docs.gitlab.com "Quick actions". So does Prow.
    (re.compile(r"^([ \t]*)/(?=[a-z_])", re.IGNORECASE | re.MULTILINE), r"\1- /"),
    # GitLab takes a merge request with such a commit for a draft, and git puts a fixup! somewhere else.
    (re.compile(_DRAFT, re.IGNORECASE), "In draft, "),
    (re.compile(r"^([ \t]*(?:fixup|squash|amend))!", re.IGNORECASE | re.MULTILINE), r"\1:"),
)  # fmt: skip
# What survives so many rounds is nested by intent; then the signs go that all of it is made of.
_ROUNDS: Final = 4
_SIGNS: Final = str.maketrans(dict.fromkeys("[]*#!&@/-:", " "))

# C0 and C1, what else breaks a line, and what turns the direction of the text around.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LONGEST: Final = 10_000
_LONGEST_LINE: Final = 500
_SPACE: Final = re.compile(r"\s+")


def defused(text: str) -> str:
    """`text` with the words that act in a repository (`[skip ci]`, `Closes #12`, `@mention`) made mere words."""
    text = _CONTROL.sub("", utf8(text).replace("\r\n", "\n").replace("\r", "\n"))[:_LONGEST]
    for _ in range(_ROUNDS):
        before = text
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement, text)
        if text == before:
            break
    else:
        text = text.translate(_SIGNS)
    return "\n".join(line.rstrip() for line in text.split("\n"))


def utf8(text: str) -> str:
    """`text` with what was no UTF-8 in a variable (Python keeps such bytes as half surrogates) as a mark."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def one_line(value: str) -> str:
    """`value` as one short line, whatever it held."""
    return _SPACE.sub(" ", _CONTROL.sub("", utf8(value))).strip()[:_LONGEST_LINE]
