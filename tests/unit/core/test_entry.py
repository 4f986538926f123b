# SPDX-License-Identifier: MIT
"""A step from its arguments to its exit code: errors as sentences, settings, commands, help."""

import io
import json
import re
import signal
import threading
from typing import Any

import pytest

from kit_core.entry import Command, Context, Step, main
from kit_core.errors import BusyError, InputError, Interrupted, TimeLimitError, WorkError, worst_exit_code
from tests.unit.core.shop import CANARY, Run, ShopSettings, nothing, raises


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WorkError("It failed"), 1),
        (InputError("It is wrong"), 2),
        (TimeLimitError("It took too long"), 70),
        (BusyError("It is busy"), 75),
        (Interrupted(signal.SIGTERM), 143),
        (Interrupted(signal.SIGINT), 130),
        (RuntimeError("oops"), 1),
    ],
)
def test_every_error_has_its_exit_code_and_is_a_sentence(error: BaseException, code: int) -> None:
    run = Run(raises(error))
    assert run.code == code
    assert run.err.startswith("error: ")
    assert "Traceback" not in run.err
    assert run.out == ""


def test_a_traceback_is_there_for_those_who_ask() -> None:
    run = Run(raises(WorkError("It failed")), env={"DEBUG": "true"})
    assert "Traceback" in run.err
    assert run.code == 1


def test_a_bug_is_told_as_one_with_the_way_to_report_it() -> None:
    run = Run(raises(ZeroDivisionError("division by zero")))
    assert "ZeroDivisionError: division by zero" in run.err
    assert "DEBUG=true" in run.err


def test_the_sentence_says_where_what_why_and_what_next() -> None:
    error = WorkError("the push was refused", where="main", why="protected branch", hint="Ask its owner.")
    assert str(error) == "main: the push was refused: protected branch. Ask its owner."


def test_the_last_line_of_a_failed_run_says_so_once() -> None:
    def told(_settings: Any, context: Context, _arguments: Any) -> int:
        context.console.result("failed", clusters=2)
        raise WorkError("It failed")

    assert Run(raises(BusyError("It is busy"))).err.splitlines()[-1] == "result=failed exit_code=75"
    assert Run(nothing, env={"DRY_RUN": "x"}).err.splitlines()[-1] == "result=failed exit_code=2"
    assert Run(told).err.count("result=") == 1


def test_an_interrupted_run_says_so_in_its_last_line() -> None:
    assert Run(raises(Interrupted(signal.SIGTERM))).err.splitlines()[-1] == "result=interrupted signal=SIGTERM"


def test_settings_come_from_options_and_environment() -> None:
    seen: list[Any] = []

    def work(settings: Any, _context: Context, _arguments: Any) -> None:
        seen.append(settings)

    assert Run(work, "--no-dry-run", env={"KIT_NAME": "x"}).code == 0
    assert (seen[0].dry_run, seen[0].name) == (False, "x")


def test_a_command_gets_its_arguments() -> None:
    seen: list[Any] = []

    def work(_settings: Any, _context: Context, arguments: Any) -> int:
        seen.append(dict(arguments))
        return 3

    assert Run(work, "show", "a", "b", "c", "--name", "n").code == 3
    assert seen == [{"ITEM": "a", "MORE": ("b", "c")}]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--naem", "x"], "--naem"),
        (["show"], "ITEM is missing"),
        (["extra"], "extra"),
        (["--name"], "--name"),
    ],
)
def test_a_wrong_command_line_is_exit_2(argv: list[str], words: str) -> None:
    run = Run(nothing, *argv)
    assert run.code == 2
    assert words in run.err
    assert "--help" in run.err


def test_no_option_takes_a_secret_itself() -> None:
    assert Run(nothing, "--token", CANARY).code == 2
    assert "--token-file" in Run(nothing, "--help").out


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["run", "--help"], ["--name", "x", "--help"]])
def test_help_lists_every_setting_with_variable_default_and_meaning(argv: list[str]) -> None:
    run = Run(nothing, *argv)
    assert run.code == 0
    for words in (
        "Usage: kit-shop",
        "KIT_DRY_RUN, DRY_RUN  [default: true]",
        "Only show what would happen.",
        "--dry-run, --no-dry-run",
        "KIT_TOKEN",
        "KIT_LOG_FORMAT",
        "What to do:",
        "kit-shop --no-dry-run",
        "Exit codes:",
    ):
        assert words in run.out
    assert run.err == ""
    assert max(map(len, run.out.splitlines())) <= 120


def test_help_needs_no_valid_settings_and_hides_values() -> None:
    run = Run(nothing, "--help", env={"DRY_RUN": "maybe", "KIT_TOKEN": CANARY})
    assert run.code == 0
    assert CANARY not in run.out


def test_the_help_of_a_command_tells_its_arguments() -> None:
    out = Run(nothing, "show", "--help").out
    assert "kit-shop show ITEM [MORE...]" in out
    assert "Show one." in out


def test_version_names_program_version_and_commit() -> None:
    run = Run(nothing, "--version")
    assert re.fullmatch(r"kit-shop \d+\.\d+\.\d+ \(commit .+\)\n", run.out)
    assert run.code == 0


def test_json_log_lines_are_objects_also_for_errors() -> None:
    run = Run(raises(WorkError("It failed", file="a.yaml", line=3)), env={"KIT_LOG_FORMAT": "json"})
    entries = [json.loads(line) for line in run.err.splitlines()]
    assert (entries[0]["level"], entries[0]["file"], entries[0]["line"], entries[0]["exit_code"]) == (
        "error", "a.yaml", 3, 1,
    )  # fmt: skip
    assert (entries[1]["result"], entries[1]["exit_code"]) == ("failed", 1)


def test_warnings_about_settings_are_told() -> None:
    run = Run(nothing, env={"ELROY": "x", "KIT_FLUX_CAPACITOR": "1"})
    assert "warning: ELROY is accepted for compatibility and has no effect" in run.err
    assert "KIT_FLUX_CAPACITOR" in run.err
    assert run.code == 0


@pytest.mark.parametrize(
    ("codes", "worst"), [([], 0), ([0, 70, 1], 1), ([70, 75], 70), ([75, 0], 75), ([0, 0], 0), ([1, 143], 143)]
)
def test_where_clusters_end_differently_1_is_before_70_before_75(codes: list[int], worst: int) -> None:
    assert worst_exit_code(codes) == worst


def test_a_signal_that_arrives_while_an_error_is_told_is_one_too() -> None:
    class Interrupting(io.StringIO):
        arrived = False

        def write(self, text: str) -> int:
            if not self.arrived:
                self.arrived = True
                raise Interrupted(signal.SIGTERM)
            return super().write(text)

    err = Interrupting()
    step = Step(name="kit-shop", package="kit_shop", summary="s", settings=ShopSettings,
                commands=(Command(name="run", help="h", run=raises(WorkError("It failed"))),))  # fmt: skip
    assert main(step, [], {}, stdout=io.StringIO(), stderr=err) == 143
    assert err.getvalue().endswith("result=interrupted signal=SIGTERM\n")


def test_stop_can_be_set_by_a_handler_whatever_the_thread_was_doing_to_it() -> None:
    done = threading.Event()

    def work(_settings: Any, context: Context, _arguments: Any) -> None:
        def interrupted_in_wait() -> None:
            with context.stop._cond:  # type: ignore[attr-defined]
                context.stop.set()
            done.set()

        threading.Thread(target=interrupted_in_wait, daemon=True).start()
        assert done.wait(20)

    assert Run(work).code == 0


@pytest.mark.parametrize(
    ("tty", "env", "watched"),
    [
        (True, {"TERM": "xterm"}, True),
        (True, {}, True),
        (True, {"TERM": "dumb"}, False),
        (True, {"CI": "true"}, False),
        (True, {"GITLAB_CI": "true"}, False),
        (True, {"KIT_LOG_FORMAT": "json"}, False),
        (False, {"TERM": "xterm"}, False),
    ],
)
def test_only_a_terminal_outside_ci_gets_colour(tty: bool, env: dict[str, str], watched: bool) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return tty

    def work(_settings: Any, context: Context, _arguments: Any) -> None:
        context.console.success("done")

    step = Step(name="kit-shop", package="kit_shop", summary="s", settings=ShopSettings,
                commands=(Command(name="run", help="h", run=work),))  # fmt: skip
    err = Terminal()
    assert main(step, [], env, stdout=io.StringIO(), stderr=err) == 0
    assert ("\x1b[" in err.getvalue()) is watched
