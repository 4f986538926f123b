# SPDX-License-Identifier: MIT
"""Lines of containers on terminals, in CI logs, as JSON and in files; and what is said while there are none."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import pytest

from kit_core.ci import NONE
from kit_core.console import Console
from kit_core.errors import InputError
from kit_core.secrets import Masker
from kit_pipeline.running.printing import Printer, painted
from kit_pipeline.running.telling import waiting_for


def console(out: io.StringIO, masker: Masker, *, log_format: str = "text") -> Console:
    return Console(stderr=out, stdout=io.StringIO(), env={}, provider=NONE, masker=masker, log_format=log_format)


def said(text: str, *, colour: bool = False) -> str:
    out = io.StringIO()
    printer = Printer(out, mask=lambda line: line, colour=colour)
    printer.voice("x").feed(False, text.encode())
    return out.getvalue()


def test_lines_of_several_steps_stand_below_each_other_in_colours_of_their_own() -> None:
    out = io.StringIO()
    printer = Printer(out, mask=lambda line: line, colour=True)
    printer.expect(["lint", "long name", "unit"])
    for name in ("lint", "long name", "unit", "lint"):
        printer.line(name, "text")
    lines = out.getvalue().splitlines()
    assert [line.split("\x1b[0m | ")[0].partition("m")[2] for line in lines] == [
        "lint     ", "long name", "unit     ", "lint     ",
    ]  # fmt: skip
    colours = [line.partition("m")[0] for line in lines]
    assert len(set(colours)) == 3
    assert colours[0] == colours[3]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::set-output name=a::b\n", "x | : :set-output name=a::b\n"),
        ("##[error]x\n", "x | # #[error]x\n"),
        ("\x1b[31mred\x1b[0m\n", "x | red\n"),
        ("\x1b[2J\x1b[H\x1b]0;title\x07text\n", "x | text\n"),
        ("10%\r20%\r30%\r\n", "x | 30%\n"),
        ("a\x00b\x08c\n", "x | a\\x00b\\x08c\n"),
        ("\n", "x | \n"),
    ],
)
def test_what_is_not_ours_becomes_no_command_and_moves_no_cursor(text: str, shown: str) -> None:
    assert said(text) == shown


def test_on_a_terminal_colours_of_tools_stay_and_end_with_their_line() -> None:
    assert painted("\x1b[1;31mred\x1b[2J\x1b[5A text") == "\x1b[1;31mred text\x1b[0m"
    assert painted("plain") == "plain"


def test_a_line_without_end_is_cut_and_no_secret_with_it() -> None:
    out = io.StringIO()
    masker = Masker()
    masker.add("correct-horse-battery")
    voice = Printer(out, mask=masker.mask, colour=False).voice("x")
    noise = b"correct-horse-battery " * 20_000
    for start in range(0, len(noise), 1000):
        voice.feed(False, noise[start : start + 1000])
    assert out.getvalue().count("\n") >= 1
    voice.close()
    assert "horse" not in out.getvalue()
    assert out.getvalue().replace("\nx | ", "").count("***") == 20_000


def test_what_is_for_a_pipe_stays_whole_and_stands_in_the_file_too(tmp_path: Path) -> None:
    """A report of one long line, say; the error stream is no part of it."""
    log, out = io.StringIO(), list[str]()
    voice = Printer(log, mask=lambda text: text, colour=False, folder=tmp_path).voice("x", file="1-x", aloud=out.append)
    for _ in range(200):
        voice.feed(False, b"0123456789" * 100)
    voice.feed(True, b"a warning\n")
    voice.feed(False, b"\n  second\t\r\nlast")
    voice.line("what kit says itself")
    voice.close()
    assert out == ["0123456789" * 20_000, "  second\t\r", "last"]
    assert log.getvalue() == "x | a warning\nx | what kit says itself\n"
    kept = (tmp_path / "1-x.log").read_text()
    assert all(text in kept for text in ("0123456789" * 20_000, "a warning", "last"))


def test_secrets_are_hidden_everywhere_also_in_base64_and_behind_escapes(tmp_path: Path) -> None:
    out = io.StringIO()
    masker = Masker()
    masker.add("correct-horse-battery")
    printer = Printer(console(out, masker), mask=masker.mask, colour=False, folder=tmp_path)
    voice = printer.voice("x", file="1-x")
    encoded = base64.b64encode(b"correct-horse-battery").decode()
    voice.feed(False, f"correct-horse-battery {encoded} correct-\x1b[0mhorse-battery\n".encode())
    voice.note("correct-horse-battery")
    voice.close()
    kept = (tmp_path / "1-x.log").read_text()
    for text in (out.getvalue(), kept):
        assert "horse" not in text
        assert encoded not in text
    assert kept == "*** *** ***\n***\n"


def test_as_json_each_line_has_its_step_and_stream() -> None:
    out = io.StringIO()
    printer = Printer(console(out, Masker(), log_format="json"), mask=lambda line: line, colour=False)
    voice = printer.voice("unit")
    voice.feed(False, b"::error::one\n")
    voice.feed(True, b'"two"\n')
    entries = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(entry["step"], entry["stream"], entry["message"]) for entry in entries] == [
        ("unit", "stdout", ": :error::one"),
        ("unit", "stderr", '"two"'),
    ]


def test_a_service_beside_a_step_speaks_in_the_steps_file_too(tmp_path: Path) -> None:
    out = io.StringIO()
    printer = Printer(out, mask=lambda line: line, colour=False, folder=tmp_path)
    printer.expect(["a", "b"], ["b"])
    for name in ("a", "b"):
        voice = printer.voice(name, file=f"1-{name}")
        voice.beside("db").line("ready")
        voice.close()
    assert out.getvalue() == "db | ready\nb/db | ready\n"
    assert (tmp_path / "1-a.log").read_text() == "db | ready\n"


def test_files_of_an_earlier_run_go_and_others_stay(tmp_path: Path) -> None:
    for name in ("1-old.log", "2.1@web-x.log", "image-app.log", "2.on_fail.1-tell.log", "mine.log", "1-notes.txt"):
        (tmp_path / name).write_text("old")
    Printer(io.StringIO(), mask=str, colour=False, folder=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1-notes.txt", "mine.log"]


def test_a_folder_that_cannot_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="The folder of the logs cannot be used"):
        Printer(io.StringIO(), mask=str, colour=False, folder=tmp_path / "file" / "logs")


def test_a_silent_step_is_told_of_within_half_a_minute_and_others_are_not() -> None:
    printer = Printer(io.StringIO(), mask=str, colour=False)
    quiet, loud = printer.voice("quiet", task=True), printer.voice("loud", task=True)
    quiet.doing = "getting the image of app"
    told: dict[int, float] = {}
    began = quiet.began
    assert waiting_for(printer, told, began + 20) is None
    loud.last = began + 20
    assert waiting_for(printer, told, began + 26) == "waiting for quiet (26 s, getting the image of app)"
    assert waiting_for(printer, told, began + 40) is None
    assert waiting_for(printer, told, began + 52) == "waiting for quiet (52 s, getting the image of app), loud (52 s)"
    quiet.close()
    loud.close()
    assert waiting_for(printer, told, began + 500) is None
    assert told == {}
