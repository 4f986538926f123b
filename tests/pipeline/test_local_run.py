# SPDX-License-Identifier: MIT
"""`run`: one service's program, on a person's terminal or in a pipe."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.pipeline.project import Project
from tests.pipeline.terminal import Process, environment, left_by

SERVICES = """
app:
  image: debian:trixie-slim
  depends_on: [db]
  environment: {GREETING: hello}
db:
  image: debian:trixie-slim
  command: sh -c 'echo ready; exec sleep 1000'
"""


def test_on_a_terminal_the_program_has_it(project: Project) -> None:
    """What is typed, the size, Ctrl-C, and the exit code of what was run."""
    project.write({"codeship-services.yml": SERVICES})
    with Process(project.folder, ["run", "app", "bash", "--norc"], tty=True) as kit:
        at = kit.until(r"# ")
        kit.type("test -t 0 && test -t 1 && echo $GREETING $TERM; getent hosts db\r")
        at = kit.until(r"hello xterm\r\n.*\bdb\b", after=at)
        # Typed until the size has come: nothing tells when.
        for _ in range(50):
            kit.type("stty size\r")
            at = kit.until(r"\d+ \d+\r\n", after=at)
            if "30 100" in kit.said:
                break
        assert "30 100" in kit.said
        kit.type("sh -c 'echo go''ing; exec sleep 600'\r")
        at = kit.until(r"going", after=at)
        kit.type("\x03")
        at = kit.until(r"# ", after=at)
        kit.type("exit 7\r")
        assert kit.ended() == 1, kit.said
        assert "result=failed exit_code=7" in kit.said[at:]
        assert left_by(kit.pid) == []


def test_a_signal_ends_the_program_and_gives_the_terminal_back(project: Project) -> None:
    project.write({"codeship-services.yml": SERVICES})
    with Process(project.folder, ["run", "app", "sh", "-c", "echo go''ing; exec sleep 600"], tty=True) as kit:
        before = kit.modes()
        kit.until(r"going")
        kit.signal(signal.SIGTERM)
        assert kit.ended() == 128 + signal.SIGTERM, kit.said
        assert kit.modes() == before
        assert left_by(kit.pid) == []


def test_a_terminal_that_is_closed_ends_the_program(project: Project) -> None:
    """Nobody would see it go on."""
    project.write({"codeship-services.yml": SERVICES})
    with Process(project.folder, ["run", "app", "sh", "-c", "echo go''ing; trap '' HUP; sleep 600"], tty=True) as kit:
        kit.until(r"going")
        kit.close()
        assert kit.gone() != 0
        assert left_by(kit.pid) == []


@pytest.mark.parametrize(("code", "word"), [(0, "passed"), (3, "failed")])
def test_in_a_pipe_its_output_is_ours_and_what_else_is_said_is_not(project: Project, code: int, word: str) -> None:
    project.write({"codeship-services.yml": SERVICES, "secrets.env": "TOKEN=hunter-2-hunter\n"})
    script = "test -t 0 || echo no terminal; cat; printf '  %s {}\\t\\n::x' $TOKEN; echo to the error stream >&2"
    script = f"{script}; exit {code}"
    command = [sys.executable, "-m", "kit_pipeline", "run", "--secrets-file", "secrets.env", "app", "sh", "-c", script]
    done = subprocess.run(
        command, cwd=project.folder, env=environment(), input="typed", capture_output=True, text=True, timeout=90,
        check=False,
    )  # fmt: skip
    assert done.returncode == (1 if code else 0), done.stderr
    assert done.stdout == "no terminal\n  *** {}\t\n::x\n"
    assert "app | to the error stream" in done.stderr
    assert f"result={word} exit_code={code}" in done.stderr
    assert "no terminal" not in done.stderr
    assert "ready" in done.stderr, "what is beside it is told in the log"
