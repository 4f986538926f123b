# SPDX-License-Identifier: MIT
import base64
import copy
import json
import pickle
import threading
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.secrets import Masker, Secret, bare_urls, in_urls

CANARY = 'p@ss/w"ör d+1'


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(CANARY)
    assert CANARY not in f"{secret} {secret!r} {[secret]} { ({'a': secret}) }"
    assert secret.reveal() == CANARY
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_secrets_compare_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert not Secret("")


@pytest.mark.parametrize(
    "form",
    [
        CANARY,
        urllib.parse.quote(CANARY, safe=""),
        urllib.parse.quote_plus(CANARY),
        base64.b64encode(CANARY.encode()).decode(),
        json.dumps(CANARY),
        repr(CANARY),
    ],
)
def test_every_form_that_libraries_print_is_masked(form: str) -> None:
    masker = Masker()
    masker.add(Secret(CANARY))
    masked = masker.mask(f"cannot open https://user:{form}@git.example/x")
    inner = form.strip("\"'")
    assert masked == f"cannot open https://user:{form.replace(inner, '***')}@git.example/x"


def test_each_line_of_a_key_is_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\nAgEAAoIBAQC7\n-----END KEY-----\n"
    masker = Masker()
    masker.add(key)
    assert "MIIEvQIBADANBgkqhkiG" not in masker.mask("bad line: MIIEvQIBADANBgkqhkiG")


def test_a_secret_within_another_leaves_no_tail() -> None:
    masker = Masker()
    masker.add("token")
    masker.add("token-and-more")
    assert masker.mask("token-and-more") == "***"


@given(st.text(min_size=4), st.text(), st.text())
def test_no_text_keeps_a_secret(secret: str, before: str, after: str) -> None:
    masker = Masker()
    masker.add(secret)
    assert secret == "***" or secret not in masker.mask(before + secret + after).replace("***", "")


def test_text_without_secrets_stays() -> None:
    masker = Masker()
    masker.add("abc")
    assert copy.copy(masker.mask("abc")) == "abc", "three letters are no secret worth shredding a log for"


@given(st.binary(max_size=7), st.text(st.characters(codec="ascii"), min_size=12), st.binary(max_size=7))
def test_a_secret_within_base64_is_masked_wherever_it_begins(before: bytes, secret: str, after: bytes) -> None:
    masker = Masker()
    masker.add(secret)
    start, end = (8 * len(before) + 5) // 6, 8 * (len(before) + len(secret)) // 6
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(before + secret.encode() + after).decode()
        assert encoded[start:end] not in masker.mask(f"authorization: Basic {encoded}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://u:p%40ss@git.example/x and http://proxy:s3cr3t@proxy:3128", {"p%40ss", "p@ss", "s3cr3t"}),
        ("https://ghp_0123456789@github.com/o/r", {"ghp_0123456789"}),
        ("https://user@git.example/x", set()),
        ("ssh://git@git.example/x https://git.example/a:b@c", set()),
    ],
)
def test_passwords_in_urls_are_found(text: str, expected: set[str]) -> None:
    assert set(in_urls(text)) == expected


def test_secrets_may_be_learnt_while_others_are_masked() -> None:
    masker, wrong = Masker(), []

    def learn(number: int) -> None:
        for index in range(50):
            secret = f"secret-{number}-{index}-canary"
            masker.add(secret)
            if "canary" in masker.mask(secret):
                wrong.append(secret)

    threads = [threading.Thread(target=learn, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not wrong


def test_urls_are_bared_of_their_credentials() -> None:
    text = "jenkins https://me:p%40ss@ci.example.com/job/a@b http://token@h/x and a@b.example"
    assert bare_urls(text) == "jenkins https://ci.example.com/job/a@b http://h/x and a@b.example"


@pytest.mark.parametrize("others", [0, 300], ids=["few secrets", "many secrets"])
def test_secrets_that_overlap_leave_nothing_of_each_other(others: int) -> None:
    masker = Masker()
    for number in range(others):
        masker.add(f"{number:04}-unrelated-{number}")
    for secret in ("first-half", "half-and-more", "half"):
        masker.add(secret)
    assert masker.mask("say first-half-and-more, half, first-half") == "say ***, ***, ***"
    assert masker.mask("nothing of it") == "nothing of it"
