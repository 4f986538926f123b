# SPDX-License-Identifier: MIT
"""The commit message: trailers for the audit, and nothing in it that acts."""

import re

import pytest

from kit_image_deployer.message.commit import Origin, Written, commit_message
from kit_image_deployer.message.defuse import defused


def test_the_services_words_then_the_trailers() -> None:
    message = commit_message(
        [Written(path="images/shop/api/master.yaml", image="r/shop/api:master-2", previous="r/shop/api:master-1")],
        said="Add a basket\n\nFor more than one thing.\n",
        origin=Origin(source_commit="abc", build="github 7", build_url="https://ci.example.com/7"),
    )
    assert message == (
        "Add a basket\n\nFor more than one thing.\n\n"
        "Kit-Image: r/shop/api:master-2\n"
        "Kit-Previous-Image: r/shop/api:master-1\n"
        "Kit-Source-Commit: abc\n"
        "Kit-Build: github 7\n"
        "Kit-Build-Url: https://ci.example.com/7\n"
    )


@pytest.mark.parametrize("said", [None, "", " \n\t\n"])
def test_without_words_the_subject_says_what_is_done(said: str | None) -> None:
    message = commit_message([Written(path="images/a/b.yaml", image="r/a:1", previous=None)], said=said)
    assert message == "Deploy r/a:1\n\nIn images/a/b.yaml.\n\nKit-Image: r/a:1\n"


@pytest.mark.parametrize(
    "words",
    ["[skip ci]", "[ci skip]", "[SKIP CI]", "[no ci]", "[skip actions]", "[actions skip]", "[ci-skip]", "[skip travis]",
     "[skip azurepipelines]", "***NO_CI***", "--skip-ci", "--ci-skip", "skip-checks: true"],
)  # fmt: skip
def test_words_that_skip_builds_are_defused(words: str) -> None:
    text = defused(f"Fix it {words} now\n\n{words}\n")
    skipping = re.compile(r"(?im)\[[^\]]*(skip|no)[^\]]*\]|\*\*\*no_ci|--(skip-ci|ci-skip)|^\s*skip-checks:")
    assert not skipping.search(text)
    assert re.sub(r"\W", "", words).lower() in re.sub(r"\W", "", text).lower()


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        ("Closes #12", "Closes # 12"),
        ("fixes shop/api#12, resolves GH-3", "fixes shop/api# 12, resolves GH 3"),
        ("closes https://github.com/shop/api/issues/12", "closes github.com/shop/api/issues/12"),
        ("Implements !7", "Implements ! 7"),
        ("ABC-1 #close", "ABC-1 # close"),
        ("thanks @someone and @team/lead", "thanks @ someone and @ team/lead"),
        ("/tag v1", "- /tag v1"),
    ],
)
def test_words_that_close_or_call_are_defused(words: str, plain: str) -> None:
    assert defused(words) == plain


@pytest.mark.parametrize(
    "words",
    ["me@example.com", "Co-authored-by: A <a@example.com>", "C# and F#", "wow!", "see https://example.com/docs/1",
     "[api] no change", "a/b", "list[skipped]"],
)  # fmt: skip
def test_harmless_words_stay(words: str) -> None:
    assert defused(words) == words


def test_bytes_that_are_no_text_become_marks() -> None:
    assert defused("h\udce4llo") == "h\ufffdllo"


def test_trailers_hold_one_line_each() -> None:
    origin = Origin(build="7\nKit-Image: forged", build_url="\x1b[31mred")
    message = commit_message([Written(path="p", image="r/a:1", previous=None)], said="x\r\ny\x00", origin=origin)
    assert message == "x\ny\n\nKit-Image: r/a:1\nKit-Build: 7 Kit-Image: forged\nKit-Build-Url: [31mred\n"


def test_names_of_files_and_builds_do_not_act_and_references_stay() -> None:
    image = "registry.example.com/x:1.@sha256:" + "0" * 64
    files = [Written(path=f"images/@ada/{name}.yaml", image=image, previous="@ada") for name in ("#12", "b")]
    message = commit_message(files, said="x", origin=Origin(build="[skip ci] 7"))
    assert "- images/@ ada/# 12.yaml: " in message
    assert f"Kit-Image: {image}\nKit-Previous-Image: @ ada\n" in message
    assert "Kit-Build: (skip ci) 7\n" in message


def test_the_image_that_was_there_stays_as_it_was_called() -> None:
    """So that the trailers of two commits that follow each other name the same."""
    message = commit_message([Written(path="p", image="r/a:GH-13", previous="r/a:fix-GH-12")])
    assert "Kit-Image: r/a:GH-13\nKit-Previous-Image: r/a:fix-GH-12\n" in message


def test_the_branches_of_a_promotion_do_not_act() -> None:
    message = commit_message([Written(path="p", image="r/a:1", previous=None)], doing="Promote fix/#12 to [skip ci]")
    assert message.startswith("Promote fix/# 12 to (skip ci)\n")


def test_what_moves_a_cursor_or_turns_text_around_is_taken_out() -> None:
    said = "a\x9b31m\u202eb\u2028Kit-Image: forged"
    assert defused(said) == "a31mbKit-Image: forged"


def test_a_trailer_stays_short_whatever_the_file_held() -> None:
    message = commit_message([Written(path="p", image="r/a:1", previous="x" * 2_000_000)])
    assert len(message) < 1000
