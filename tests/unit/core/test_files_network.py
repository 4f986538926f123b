# SPDX-License-Identifier: MIT
import errno
import os
from pathlib import Path

import pytest

from kit_core.errors import InputError, WorkError
from kit_core.files import read_text, refused, write_atomically
from kit_core.network import proxy_for, tls_context


def test_an_input_file_keeps_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("\ufeffa: ü\r\n".encode())
    assert read_text(path, what="The file") == "\ufeffa: ü\r\n"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_bytes(b"ok\xff"), "byte 3"),
    ],
)
def test_an_input_file_that_cannot_be_read_is_exit_2(tmp_path: Path, make: object, words: str) -> None:
    path = tmp_path / "kit.yaml"
    make(path)  # type: ignore[operator]
    with pytest.raises(InputError) as raised:
        read_text(path, what="kit.yaml", hint="CONF names it.")
    assert words in str(raised.value)
    assert str(path) in str(raised.value)
    assert "CONF names it." in str(raised.value)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "report.json"
    write_atomically(path, "old", what="The report")
    assert path.read_text() == "old"
    assert path.stat().st_mode & 0o777 == 0o644

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fchmod", full)
    with pytest.raises(WorkError, match="No space left on device") as raised:
        write_atomically(path, "new", what="The report")
    assert "Free some space" in str(raised.value)
    assert path.read_text() == "old"
    assert [item.name for item in path.parent.iterdir()] == ["report.json"], "no half-written file stays behind"


def test_a_refused_write_names_path_owner_and_our_uid(tmp_path: Path) -> None:
    path = tmp_path / "out" / "x"
    message = str(refused(PermissionError(errno.EACCES, "Permission denied"), path, "The report cannot be written"))
    assert str(path) in message
    assert f"{tmp_path} belongs to uid {tmp_path.stat().st_uid}" in message
    assert f"runs as uid {os.geteuid()}" in message
    assert "--user" in message


def test_a_read_only_mount_is_told_as_one(tmp_path: Path) -> None:
    message = str(refused(OSError(errno.EROFS, "Read-only file system"), tmp_path / "x", "It cannot be written"))
    assert "without `:ro`" in message


@pytest.mark.parametrize(
    ("url", "env", "expected"),
    [
        ("https://git.example/x", {}, None),
        ("https://git.example/x", {"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ("https://git.example/x", {"https_proxy": "proxy:3128"}, "http://proxy:3128"),
        ("http://git.example/x", {"HTTPS_PROXY": "http://proxy:3128"}, None),
        ("http://git.example/x", {"HTTP_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ("http://git.example/x", {"HTTP_PROXY": "http://proxy:3128", "REQUEST_METHOD": "GET"}, None),
        ("https://git.example/x", {"ALL_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ("https://git.example/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example"}, None),
        ("https://git.example:8443/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "git.example"}, None),
        ("https://git.example/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, None),
        ("https://git.example/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "a, *.example"}, None),
        ("https://git.example/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".example b"}, None),
        ("https://example/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".example"}, None),
        ("https://git.example/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "it.example"}, "http://proxy:3128"),
        ("https://git.example:8443/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "git.example:443"}, "http://proxy:3128"),
        ("https://git.example/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "git.example:443"}, None),
        ("https://10.1.2.3:6443/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "10.0.0.0/8"}, None),
        ("https://10.1.2.3:6443/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "10.1.2.3:6443"}, None),
        ("https://10.1.2.3:6443/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "10.1.2.3"}, None),
        ("https://11.1.2.3/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "10.0.0.0/8"}, "http://proxy:3128"),
        ("https://[fd00::1]:6443/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "fd00::/8"}, None),
        ("https://git.example/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ",,"}, "http://proxy:3128"),
        ("https://git.example/x", {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "other.example"}, "http://proxy:3128"),
    ],
)  # fmt: skip
def test_proxies_hold_but_for_their_exceptions(url: str, env: dict[str, str], expected: str | None) -> None:
    assert proxy_for(url, env) == expected


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_wrong_certificate_file_is_exit_2(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match="KIT_CA_CERT") as raised:
        tls_context(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(("name", "text"), [("a\0b", "x"), ("a", "\ud800")])
def test_what_no_file_can_hold_or_be_called_is_an_error(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(WorkError, match="The report cannot be written"):
        write_atomically(tmp_path / name, text, what="The report")
    assert list(tmp_path.iterdir()) == []
