# SPDX-License-Identifier: MIT
"""`encrypt`: what it prints is what a render reads."""

import io
from pathlib import Path

import pytest

from kit_core.entry import main
from kit_core.envfile import decrypt, decrypt_value
from kit_core.keys import Key
from kit_deploymentizer.cli import STEP

KEY = Key(bytes(range(32)))


def run(folder: Path, *arguments: str, given: bytes = b"", **env: str) -> tuple[int, str, str]:
    """Exit code, standard output and log."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
        code = main(STEP, ["encrypt", *arguments], env, stdout=out, stderr=err, cwd=folder)
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("given", "value"),
    [(b"canary", "canary"), (b"canary\n", "canary"), (b"canary\r\n", "canary"), (b" a \n", " a "),
     ("zwei ümlaut".encode(), "zwei ümlaut"), (b"one\ntwo\n", "one\ntwo\n")],
)  # fmt: skip
def test_a_value_becomes_one_line(tmp_path: Path, given: bytes, value: str) -> None:
    code, out, log = run(tmp_path, given=given, CODESHIP_AES_KEY=KEY.text)
    assert code == 0, log
    assert out.startswith("kit:v1:")
    assert out.count("\n") == 1
    assert decrypt_value(out, KEY, name="") == value
    assert "canary" not in log


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_file_becomes_a_file(tmp_path: Path, elsewhere: bool) -> None:
    (tmp_path / "web.env").write_text("TOKEN=canary\n")
    (tmp_path / "codeship.aes").write_text(KEY.text + "\n")
    if elsewhere:  # as in a container: the repository is found by CONF
        code, out, log = run(Path("/"), "web.env", CONF=str(tmp_path / "kit.yaml"))
    else:
        code, out, log = run(tmp_path, "web.env")
    assert code == 0, log
    assert decrypt(out.encode(), KEY, name="") == b"TOKEN=canary\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["codeship.aes", "web.env"]
    assert "canary" not in log


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"kit:v1\nAAAA\n", "The file cannot be encrypted: it is encrypted already"),
        (b"\n", "The file cannot be encrypted: it is empty"),
        (None, "No such file or directory"),
    ],
)
def test_a_file_that_should_not_be_encrypted(tmp_path: Path, content: bytes | None, why: str) -> None:
    if content is not None:
        (tmp_path / "web.env").write_bytes(content)
    code, out, log = run(tmp_path, "web.env", CODESHIP_AES_KEY=KEY.text)
    assert (code, out) == (2, "")
    assert why in log


@pytest.mark.parametrize(("given", "why"), [(b"", "standard input is empty"), (b"\xff\xfe", "The value is not UTF-8")])
def test_a_value_that_is_none(tmp_path: Path, given: bytes, why: str) -> None:
    code, out, log = run(tmp_path, given=given, CODESHIP_AES_KEY=KEY.text)
    assert (code, out) == (2, "")
    assert why in log


def test_without_a_key_nothing_is_printed(tmp_path: Path) -> None:
    code, out, log = run(tmp_path, given=b"canary")
    assert (code, out) == (2, "")
    assert "There is no key" in log
