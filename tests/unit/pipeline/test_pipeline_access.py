# SPDX-License-Identifier: MIT
"""Why an engine cannot be used is said in words that lead on."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit_core.errors import InputError, KitError
from kit_core.mounts import Needed
from kit_pipeline.engine.access import certificates_of, needed, refusal, socket_of
from kit_pipeline.engine.connect import connect
from kit_pipeline.engine.failures import EngineError


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (None, "/var/run/docker.sock"),
        ("", "/var/run/docker.sock"),
        ("unix:///run/user/1000/docker.sock", "/run/user/1000/docker.sock"),
        ("tcp://engine:2376", None),
        ("ssh://ada@engine", None),
    ],
)
def test_the_engine_is_where_docker_itself_would_look(host: str | None, expected: str | None) -> None:
    assert socket_of({} if host is None else {"DOCKER_HOST": host}) == expected


def test_certificates_are_asked_for_where_the_engine_is_on_a_network() -> None:
    env = {"DOCKER_HOST": "tcp://engine:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs/client"}
    assert needed(env) == [Needed(f"/certs/client/{name}.pem", os.R_OK) for name in ("ca", "cert", "key")]
    assert certificates_of({"DOCKER_HOST": "tcp://engine:2375"}) is None
    assert certificates_of({"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"}) is None


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        yield path


def told(path: Path) -> KitError:
    with pytest.raises(EngineError) as raised:
        connect({"DOCKER_HOST": f"unix://{path}"})
    return raised.value


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    error = told(tmp_path / "docker.sock")
    assert "No such file" in str(error)
    assert "-v /var/run/docker.sock:/var/run/docker.sock" in str(error.hint)


def test_a_folder_in_the_sockets_place_is_what_docker_makes_of_a_wrong_mount(tmp_path: Path) -> None:
    assert "folder" in str(told(tmp_path))


def test_a_file_in_the_sockets_place(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "no socket" in str(told(tmp_path / "file"))


def test_a_socket_where_nobody_listens_is_not_called_forbidden(listening: Path) -> None:
    assert refusal({"DOCKER_HOST": f"unix://{listening}"}, ()) is None
    assert "Connection refused" in str(told(listening))


def test_a_missing_certificate_is_a_wrong_setting(tmp_path: Path) -> None:
    env = {"DOCKER_HOST": "tcp://127.0.0.1:1", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    with pytest.raises(InputError) as raised:
        connect(env)
    assert str(tmp_path / "ca.pem") in str(raised.value)
    assert "DOCKER_CERT_PATH" in str(raised.value.hint)


def test_an_engine_over_ssh_is_reached_by_forwarding_its_socket() -> None:
    with pytest.raises(InputError) as raised:
        connect({"DOCKER_HOST": "ssh://ada@engine.example"})
    assert "ssh -nNT -L" in str(raised.value.hint)


def test_why_nobody_answers_is_said_without_the_libraries_words() -> None:
    with pytest.raises(EngineError) as raised:
        connect({"DOCKER_HOST": "tcp://127.0.0.1:1"})
    assert raised.value.why == "Connection refused"
    assert "mount the socket" not in str(raised.value.hint)
