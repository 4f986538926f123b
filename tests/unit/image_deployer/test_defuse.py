# SPDX-License-Identifier: MIT
"""What a service's message says never acts in the deployments repository, however it is put together."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_image_deployer.message.defuse import defused

_CLOSING = r"\b(?i:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|implement(?:s|ed|ing)?)"

# The words that act, as those who obey them document them.
ACTING = {
    "GitHub Actions, Skipping workflow runs": r"(?i)\[(skip ci|ci skip|no ci|skip actions|actions skip)\]",
    "GitHub, Skipping and requesting checks": r"(?im)^\s*(skip|request)-checks:\s*true",
    "GitHub, Linking a pull request to an issue": rf"{_CLOSING}:?\s+([\w.-]+/[\w.-]+)?#\d|\b(?i:GH)-\d",
    "GitHub, the same with the issue's address": rf"{_CLOSING}:?\s+https?://\S+/issues/\d",
    "GitHub, Mentioning people and teams": r"(?<![A-Za-z0-9_])@[A-Za-z0-9]",
    "GitLab, Skip a pipeline": r"(?i)\[(ci[ _-]skip|skip[ _-]ci)\]",
    "GitLab, Default closing pattern": rf"{_CLOSING}:?\s+(issues?\s+)?([\w./-]*[#!]\d|[A-Z][A-Z0-9_]+-\d)",
    "GitLab, Quick actions": r"(?im)^\s*/[a-z_]+\b",
    "GitLab, Draft merge requests": r"(?im)\A\s*(\[draft\]|\(draft\)|draft:)|^(fixup|squash)! ",
    "Bitbucket, Resolve issues automatically": rf"{_CLOSING}\s+((bug|issue|ticket)\s+)?#\d",
    "Bitbucket Pipelines": r"(?i)\[(skip ci|ci skip)\]",
    "Azure Pipelines, Skipping CI": r"(?i)\[(skip ci|ci skip|skip azurepipelines|azurepipelines skip|skip azpipelines|azpipelines skip|skip azp|azp skip)\]|\*\*\*NO_CI\*\*\*|^skip-checks:\s*true",  # noqa: E501
    "Azure Boards": r"\bAB#\d",
    "CircleCI, Skip builds": r"(?i)\[(ci skip|skip ci)\]",
    "Travis CI, Skipping a build": r"(?i)\[(ci|travis|travis ci|travis-ci|travisci) skip\]|\[skip (ci|travis|travis ci|travis-ci|travisci)\]",  # noqa: E501
    "CodeShip, Skipping builds": r"--skip-ci|--ci-skip|\[(skip ci|ci skip)\]",
    "Drone, Woodpecker, Semaphore": r"(?i)\[(skip ci|ci skip)\]",
    "AppVeyor, Netlify, Cloudflare, Amplify": r"(?i)\[(skip appveyor|skip netlify|netlify skip|CF-Pages-Skip|CI-Skip|skip-cd)\]",  # noqa: E501
    "Jira, Smart Commits": r"[A-Z][A-Z0-9]+-\d+\s+#(close|resolve|time|comment)",
    "Linear, magic words": r"(?i)\b(close|closes|closed|fix|fixes|fixed|resolves?|completes?)\s+[A-Z]{2,}-\d",
}  # fmt: skip

FRAGMENTS = [
    "[", "]", "skip", "ci", "no", " ", " ", "-", "_", "\n", "\n\n", "actions", "travis", "***NO_CI***", "--skip-ci",
    "***", "skip-checks: true", "Closes", "fixes:", "Resolved", "#", "12", "#12", "GH-7", "!8", "ABC-1", ", ", " and ",
    "AB#3",
    "shop/cart", "https://", "https://git.example.com/shop/cart/issues/3", "@", "@ada", "/merge", "/", "draft:",
    "[Draft]", "(draft)", "fixup! ", "squash!", "é", "\x00", "\r", "\u202e", "\u2028", "&", "#64;", "a", "*", "(", ")",
    "azp",
    "issue ",
]  # fmt: skip


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join))
def test_nothing_that_acts_is_left(text: str) -> None:
    plain = defused(text)
    for where, words in ACTING.items():
        assert not re.search(words, plain), (where, plain)
    assert defused(plain) == plain


@given(st.text(max_size=200))
def test_any_text_is_taken_and_stays_text(text: str) -> None:
    plain = defused(text)
    plain.encode("utf-8")
    assert defused(plain) == plain
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u202e]", plain)


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        ("[ci_skip]", "(ci_skip)"),
        ("[[skip ci]]", "((skip ci))"),
        ("Fixes ABC-1, DEF-2 and GHI-3 for A-4", "Fixes ABC 1, DEF 2 and GHI 3 for A-4"),
        ("shop/cart!7", "shop/cart! 7"),
        (".@ada", ".@ ada"),
        ("/Merge", "- /Merge"),
        ("Draft: Add it", "In draft, Add it"),
        ("fixup! Add it", "fixup: Add it"),
        ("request-checks: true", "(request-checks) true"),
    ],
)
def test_what_each_becomes(words: str, plain: str) -> None:
    assert defused(words) == plain


@pytest.mark.parametrize(
    "words",
    ["Add CART-12 to the basket", "see https://example.com/docs/12", "me@example.com", "C#", "50 % & more", "a/b/c",
     "Drafting rules", "[api] a note", "10:30", "* a\n* b", "ff-only", "Fix the build"],
)  # fmt: skip
def test_what_does_not_act_stays(words: str) -> None:
    assert defused(words) == words


def test_nesting_costs_little() -> None:
    assert "skip" in defused("[" * 5_000 + "skip ci" + "]" * 5_000)
