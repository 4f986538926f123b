# SPDX-License-Identifier: MIT
"""Settings that are secret, or encoded: in files, in base64, never quoted."""

import base64
import os
from pathlib import Path

import pytest

from kit_core.settings import secret_texts
from tests.unit.core.every_type import Shop, encoded, load, problem


@pytest.mark.parametrize(
    ("content", "expected"),
    [("hunter2\n", "hunter2"), ("hunter2", "hunter2"), ("a\nb\n", "a\nb\n"), ("windows\r\n", "windows")],
)
def test_a_secret_may_lie_in_a_file(tmp_path: Path, content: str, expected: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(content.encode())
    assert load({"KIT_GIT_PASSWORD_FILE": str(file)}).git_password.reveal() == expected
    assert load({}, git_password=str(file)).git_password.reveal() == expected


def test_a_secret_from_a_pipe_is_still_there_when_the_settings_are_read() -> None:
    reading, writing = os.pipe()  # what a shell makes of KIT_GIT_PASSWORD_FILE=<(pass show git)
    os.write(writing, b"hunter2hunter2\n")
    os.close(writing)
    try:
        env = {"KIT_GIT_PASSWORD_FILE": f"/dev/fd/{reading}"}
        assert list(secret_texts(Shop, env)) == []
        assert load(env).git_password.reveal() == "hunter2hunter2"
    finally:
        os.close(reading)


def test_two_spellings_of_one_variable_are_an_error(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("x")
    message = problem({"KIT_GIT_PASSWORD": "hunter2hunter2", "KIT_GIT_PASSWORD_FILE": str(file)})
    assert "KIT_GIT_PASSWORD and KIT_GIT_PASSWORD_FILE are both set" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("make", ["missing", "empty", "binary", "folder"])
def test_a_secret_file_that_cannot_serve_is_named(tmp_path: Path, make: str) -> None:
    path = tmp_path / make
    if make == "empty":
        path.write_text("\n")
    elif make == "binary":
        path.write_bytes(b"\xff\xfe")
    elif make == "folder":
        path.mkdir()
    assert f"KIT_GIT_PASSWORD_FILE={path}" in problem({"KIT_GIT_PASSWORD_FILE": str(path)})


@pytest.mark.parametrize("text", ["not base64!", "aGVs*bG8=", "zü", base64.b64encode(b"\xff").decode()])
def test_base64_that_is_none_is_an_error(text: str) -> None:
    assert "BRANCH_BASE64: expected base64" in problem({"BRANCH_BASE64": text})


def test_base64_of_one_line_is_taken_without_the_newline_that_echo_adds() -> None:
    assert load({"KIT_GIT_PASSWORD_BASE64": encoded("pässword\n")}).git_password.reveal() == "pässword"
    key = "-----BEGIN KEY-----\n" + "x" * 100 + "\n-----END KEY-----\n"
    assert load({"KIT_GIT_PASSWORD_BASE64": base64.encodebytes(key.encode()).decode()}).git_password.reveal() == key
    assert load({"KIT_RETRIES_BASE64": encoded("7\n")}).retries == 7


CANARY = "s3cr3t-canary-" + "x" * 80


@pytest.mark.parametrize("name", ["KIT_GIT_PASSWORD", "KIT_GIT_PASSWORD_BASE64"])
@pytest.mark.parametrize(
    "place", ["COMMIT", "KIT_RETRIES", "KIT_STRATEGY", "KIT_IMAGES", "KIT_GIT_URLL", "KIT_UNKNOWN"]
)
def test_a_secret_that_also_stands_elsewhere_is_quoted_by_no_error(name: str, place: str) -> None:
    value = base64.b64encode(CANARY.encode()).decode() if name.endswith("64") else CANARY
    message = problem({name: value, place: f"[{value}", "KIT_DEADLINE": CANARY})
    assert "KIT_DEADLINE='***'" in message
    assert CANARY[:14] not in message
    assert value[:14] not in message


def test_a_secret_in_place_of_its_file_s_path_is_not_shown() -> None:
    for message in (problem({"KIT_GIT_PASSWORD_FILE": CANARY}), problem({"KIT_GIT_PASSWORD_FILE": f"a\n{CANARY}"})):
        assert "KIT_GIT_PASSWORD_FILE: it must be the path of a file" in message
        assert CANARY[:14] not in message


def test_only_a_secret_may_lie_in_a_file() -> None:
    assert "KIT_BRANCH_FILE is no setting; KIT_BRANCH is probably meant" in problem({"KIT_BRANCH_FILE": "/x"})
