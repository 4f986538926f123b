# SPDX-License-Identifier: MIT
"""The command line of a program with several commands: options given many times, words that are not ours, help."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kit_core.entry import Argument, Command, Context, Step, main
from kit_core.settings import CommonSettings, setting


@dataclass(frozen=True, kw_only=True)
class ToolSettings(CommonSettings):
    push: bool = setting(False, group="Steps", help="Push.")
    tag: str | None = setting(None, group="Steps", help="A tag.")
    env: tuple[str, ...] = setting(
        (), group="Variables", repeated=True, short="-e", unit="KEY=VALUE", help="A variable."
    )
    start: str | None = setting(None, group="Steps", option="--from", help="Where to begin.")


SEEN: list[tuple[str, ToolSettings, Mapping[str, Any]]] = []


def seen(name: str) -> Any:
    def run(settings: ToolSettings, _context: Context, arguments: Mapping[str, Any]) -> None:
        SEEN.append((name, settings, arguments))

    return run


TOOL = Step(
    name="tool",
    package="tool",
    summary="A tool.",
    settings=ToolSettings,
    bare=False,
    commands=(
        Command(name="steps", help="Run the steps.", run=seen("steps"), groups=frozenset({"Steps", "Variables"})),
        Command(
            name="run",
            help="Run a service.",
            run=seen("run"),
            arguments=(
                Argument(name="SERVICE", help="Which."),
                Argument(name="COMMAND", help="What.", required=False, many=True),
            ),
            groups=frozenset({"Variables"}),
            verbatim=True,
        ),
    ),
)


def call(*argv: str, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    SEEN.clear()
    out, err = io.StringIO(), io.StringIO()
    code = main(TOOL, argv, dict(env or {}), stdout=out, stderr=err, cwd=Path("/"))
    return code, out.getvalue(), err.getvalue()


def test_an_option_given_many_times_holds_any_letter() -> None:
    assert call("steps", "-e", "A=1,2", "--env", "B=[x]", "-eC=x y", "--from", "2.1")[0] == 0
    [(_, settings, _)] = SEEN
    assert settings.env == ("A=1,2", "B=[x]", "C=x y")
    assert settings.start == "2.1"


def test_the_variable_of_such_an_option_is_a_list() -> None:
    assert call("steps", env={"KIT_ENV": '["A=1,2", "B=3"]'})[0] == 0
    assert SEEN[0][1].env == ("A=1,2", "B=3")


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (("run", "app", "ls", "-la", "--help"), ("ls", "-la", "--help")),
        (("run", "-e", "A=1", "app", "--version"), ("--version",)),
        (("run", "-eA=1", "app", "-e", "B=2"), ("-e", "B=2")),
        (("run", "--env=A=1", "app", "sh", "-c", "echo -- $X"), ("sh", "-c", "echo -- $X")),
        (("run", "--no-debug", "--env", "A=1", "app", "-h"), ("-h",)),
        (("run", "--env", "A=1", "--", "app", "--help"), ("--help",)),
    ],
)
def test_a_command_that_is_run_keeps_its_own_options(argv: tuple[str, ...], command: tuple[str, ...]) -> None:
    code, _, err = call(*argv)
    assert (code, err) == (0, "")
    [(name, settings, arguments)] = SEEN
    assert (name, arguments["SERVICE"], arguments["COMMAND"]) == ("run", "app", command)
    assert settings.env in {(), ("A=1",)}


@pytest.mark.parametrize("argv", [("run", "--help"), ("run", "-e", "A=1", "--help"), ("run", "-h", "app")])
def test_help_before_the_first_word_is_ours(argv: tuple[str, ...]) -> None:
    code, out, _ = call(*argv)
    assert code == 0
    assert not SEEN
    assert "Usage: tool run [OPTIONS] SERVICE [COMMAND...]" in out
    assert "-e, --env KEY=VALUE (may be given several times)" in out
    assert "--tag" not in out  # which is no setting of this command


def test_without_a_command_the_help_of_all_is_shown() -> None:
    code, out, _ = call()
    assert code == 0
    assert "Usage: tool COMMAND [OPTIONS]" in out
    assert "--tag" in out
    assert not SEEN


def test_an_option_of_another_command_is_refused() -> None:
    code, _, err = call("run", "--tag", "x", "app")
    assert code == 2
    assert "--tag" in err
    assert not SEEN


def test_a_mistyped_command_is_told_the_nearest() -> None:
    code, _, err = call("step", "--push")
    assert code == 2
    assert "`step` is no command" in err
    assert "`steps`" in err


def test_an_option_where_a_command_is_wanted_is_refused() -> None:
    code, _, err = call("--push")
    assert code == 2
    assert "steps, run" in err


def test_options_are_also_taken_as_other_tools_take_them() -> None:
    assert call("steps", "--push=true", "-e=A=1", "--env=B=2", "--tag=x")[0] == 0
    [(_, settings, _)] = SEEN
    assert (settings.push, settings.env, settings.tag) == (True, ("A=1", "B=2"), "x")
    assert call("steps", "--push=false", env={"KIT_PUSH": "true"})[0] == 0
    assert SEEN[0][1].push is False


def test_what_a_command_is_told_is_not_touched() -> None:
    assert call("run", "-e=A=1", "app", "-e=B=2", "--debug=true")[0] == 0
    assert SEEN[0][2]["COMMAND"] == ("-e=B=2", "--debug=true")


def test_help_and_version_are_also_words() -> None:
    assert "Usage: tool run" in call("help", "run")[1]
    assert "Usage: tool COMMAND" in call("help")[1]
    assert call("version")[1].startswith("tool ")
