# SPDX-License-Identifier: MIT
"""What leaves a step beside its result: no secret, no library's chatter, no thread's failure untold."""

import base64
import json
import logging
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from kit_core.entry import Context
from tests.unit.core.shop import CANARY, Run, nothing, raises


def test_a_secret_in_a_library_s_exception_is_masked() -> None:
    run = Run(raises(RuntimeError(f"cannot reach https://u:{CANARY}@x")), env={"KIT_TOKEN": CANARY, "DEBUG": "1"})
    assert CANARY not in run.out + run.err
    assert "***" in run.err


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
