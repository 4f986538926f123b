# SPDX-License-Identifier: MIT
import base64
import io
import json
import logging
import re
import signal
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kit_core.entry import Argument, Command, Context, Step, main
from kit_core.errors import BusyError, InputError, Interrupted, TimeLimitError, WorkError, worst_exit_code
from kit_core.secrets import Secret
from kit_core.settings import CommonSettings, setting

CANARY = "s3cr3t-canary-value"


@dataclass(frozen=True, kw_only=True)
class ShopSettings(CommonSettings):
    dry_run: bool = setting(True, original=True, group="What to do", help="Only show what would happen.")
    name: str | None = setting(None, group="What to do", help="A name.")
    token: Secret | None = setting(None, group="Access", help="A token.")
    elroy: str | None = setting(None, original=True, ignored=True, group="Old", help="Gone.")


class Run:
    """A step run in this process; `code`, `out` and `err` are what a CI would see."""

    def __init__(self, work: Callable[..., Any], *argv: str, env: dict[str, str] | None = None) -> None:
        step = Step(
            name="kit-shop",
            package="kit_shop",
            summary="Runs a shop.",
            settings=ShopSettings,
            commands=(
                Command(name="run", help="Run it.", run=work),
                Command(
                    name="show",
                    help="Show one.",
                    run=work,
                    arguments=(
                        Argument(name="ITEM", help="which"),
                        Argument(name="MORE", help="others", required=False, many=True),
                    ),
                ),
            ),
            examples=("kit-shop --no-dry-run",),
        )
        out, err = io.StringIO(), io.StringIO()
        self.code = main(step, argv, env or {}, stdout=out, stderr=err)
        self.out, self.err = out.getvalue(), err.getvalue()


def nothing(_settings: Any, _context: Context, _arguments: Any) -> int:
    return 0


def raises(error: BaseException) -> Callable[..., int]:
    def work(*_: Any) -> int:
        raise error

    return work


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


def test_a_secret_in_a_library_s_exception_is_masked() -> None:
    run = Run(raises(RuntimeError(f"cannot reach https://u:{CANARY}@x")), env={"KIT_TOKEN": CANARY, "DEBUG": "1"})
    assert CANARY not in run.out + run.err
    assert "***" in run.err


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


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(
    "where", ["KIT_TOKEN", "KIT_TOKEN_BASE64", "KIT_TOKEN_FILE", "--token-file", "HTTPS_PROXY", "KIT_NAME"]
)
def test_no_secret_leaves_by_any_path(where: str, log_format: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{CANARY}\n")
    values = {
        "KIT_TOKEN": CANARY,
        "KIT_TOKEN_BASE64": base64.b64encode(f"{CANARY}\n".encode()).decode(),
        "KIT_TOKEN_FILE": str(file),
        "HTTPS_PROXY": f"http://user:{CANARY}@proxy:3128",
        "KIT_NAME": f"https://user:{CANARY}@git.example/x.git",
    }
    argv = ["--token-file", str(file)] if where.startswith("--") else []
    env = {"DEBUG": "true", "KIT_LOG_FORMAT": log_format, **({} if argv else {where: values[where]})}

    def work(settings: Any, context: Context, _arguments: Any) -> None:
        context.console.info(f"{settings} {settings.name}", settings=settings)
        context.console.out(f"{dict(context.env)} {CANARY}")
        logging.getLogger("library").warning("cannot reach https://u:%s@x", CANARY)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn(f"https://u:{CANARY}@x is not verified", stacklevel=1)
        raise RuntimeError(f"Authorization: Basic {base64.b64encode(f'user:{CANARY}'.encode()).decode()}")

    run = Run(work, *argv, env=env)
    assert run.code == 1
    assert "is not verified" in run.err
    assert "library: cannot reach" in run.err
    shown = run.out + run.err
    for form in (
        CANARY,
        base64.b64encode(CANARY.encode()).decode()[2:-2],
        base64.b64encode(f"r:{CANARY}".encode())[4:-4].decode(),
    ):
        assert form not in shown
    if log_format == "json":
        assert all(json.loads(line) for line in run.err.splitlines())


def test_libraries_are_heard_only_by_those_who_look_for_a_fault() -> None:
    def work(*_: Any) -> None:
        logging.getLogger("library").warning("connection pool is full")

    assert Run(work).err == ""
    assert "library: connection pool is full" in Run(work, "--debug").err
    assert not [handler for handler in logging.getLogger().handlers if "kit" in type(handler).__module__]


def test_a_thread_that_fails_is_told_as_everything_is(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise RuntimeError(f"cannot reach https://u:{CANARY}@x")

    def work(*_: Any) -> None:
        thread = threading.Thread(target=fail, name="kit-watch")
        thread.start()
        thread.join(10)

    before = threading.excepthook
    run = Run(work, env={"KIT_TOKEN": CANARY})
    assert run.err == (
        "warning: kit-watch ended by a fault of kit: RuntimeError: cannot reach https://u:***@x\n"
    )  # fmt: skip
    assert "Traceback" in Run(work, "--debug").err
    assert capsys.readouterr().err == ""
    assert threading.excepthook is before


def test_wrong_settings_are_told_as_far_as_they_say_how_to_log() -> None:
    for run in (
        Run(nothing, "--log-format", "json", env={"DRY_RUN": "x"}),
        Run(nothing, env={"KIT_LOG_FORMAT": "JSON", "DRY_RUN": "x"}),
    ):
        assert [json.loads(line)["exit_code"] for line in run.err.splitlines()] == [2, 2]
    assert "Traceback" in Run(nothing, env={"KIT_DEBUG": "", "DEBUG": "true", "DRY_RUN": "x"}).err
    assert "Traceback" in Run(nothing, "--debug", env={"DRY_RUN": "x"}).err


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
