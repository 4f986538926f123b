# SPDX-License-Identifier: MIT
"""What the demo prints can be believed: commands are what runs, and foreign text stays text."""

from __future__ import annotations

import io
import shlex

from demo.narrator import Narrator


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def printed(*command: str) -> str:
    stream = io.StringIO()
    Narrator(stream, {}).command(command)
    return stream.getvalue()


def test_a_printed_command_is_the_command() -> None:
    command = [
        "docker",
        "run",
        "--rm",
        "-v",
        "/a folder:/b",
        "-e",
        "MESSAGE=it's; $HOME",
        *["-e", "NAME"] * 40,
        "image",
    ]

    text = printed(*command)

    assert shlex.split(text.replace("\\\n", " "))[1:] == command
    assert max(map(len, text.splitlines())) <= 100
    assert not any(line.rstrip(" \\").endswith(" -e") for line in text.splitlines())


def test_the_folder_it_is_typed_in_is_left_to_the_shell() -> None:
    assert '-v "$PWD/clone/generated":/manifests:ro' in printed(
        "docker", "run", "-v", "$PWD/clone/generated:/manifests:ro"
    )


def test_output_cannot_steer_the_terminal() -> None:
    stream = Terminal()
    Narrator(stream, {"NO_COLOR": "1"}).output("\x1b[2Jgone\r\x07")
    assert "\x1b" not in stream.getvalue()
    assert "gone" in stream.getvalue()


def test_colours_are_for_terminals_that_want_them() -> None:
    def coloured(stream: io.StringIO, env: dict[str, str]) -> bool:
        Narrator(stream, env).check("it works")
        return "\x1b[" in stream.getvalue()

    assert coloured(Terminal(), {})
    assert not coloured(Terminal(), {"NO_COLOR": "1"})
    assert not coloured(Terminal(), {"CI": "true"})
    assert not coloured(io.StringIO(), {})
