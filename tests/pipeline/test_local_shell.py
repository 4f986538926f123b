# SPDX-License-Identifier: MIT
"""`--shell-on-failure`: a person's terminal in what a failed step left."""

from __future__ import annotations

import signal

import pytest

from testbed.docker import docker
from tests.pipeline.project import Project
from tests.pipeline.terminal import Process, left_by

SERVICES = """
app:
  image: debian:trixie-slim
  depends_on: [db]
  environment: {GREETING: hello}
  working_dir: /srv
  volumes: [/data, ./shared:/shared]
db:
  image: debian:trixie-slim
  command: sh -c 'echo ready; exec sleep 1000'
"""
FAILS = """
- name: failing
  service: app
  command: sh -c 'echo in-image > kept; echo in-volume > /data/kept; exit 3'
  on_fail: [{service: app, command: "sh -c 'echo told; exit 1'"}]
- {name: after, service: app, command: echo never}
"""


def test_the_shell_has_all_that_the_step_had(project: Project) -> None:
    """Files of its image and its volumes, variables, folder, and the services that run beside it."""
    project.pipeline(SERVICES, FAILS)
    with Process(project.folder, ["steps", "--shell-on-failure"], tty=True) as kit:
        at = kit.until(r"bash in what it left")
        at = kit.until(r"# ", after=at)
        kit.type("echo $(cat kept) $(cat /data/kept) $GREETING $PWD $(ls -d /shared)\r")
        at = kit.until(r"in-image in-volume hello /srv /shared", after=at)
        kit.type("getent hosts db && echo found\r")
        at = kit.until(r"db\s+found", after=at)
        kit.type("stty size\r")
        at = kit.until(r"30 100", after=at)
        kit.resize(40, 120)
        # Typed until the size has come: nothing tells when.
        for _ in range(50):
            kit.type("stty size\r")
            at = kit.until(r"\d+ \d+\r\n", after=at)
            if "40 120" in kit.said:
                break
        assert "40 120" in kit.said
        kit.type("sh -c 'echo go''ing; exec sleep 600'\r")
        at = kit.until(r"going", after=at)
        kit.type("\x03")  # Ctrl-C ends the program in the shell, and nothing else
        at = kit.until(r"# ", after=at)
        kit.type("echo still-$((40 + 2))\r")
        at = kit.until(r"still-42", after=at)
        kit.type("exit\r")
        assert kit.ended() == 1, kit.said
        after = kit.said[at:]
        assert left_by(kit.pid) == [], "what the failed step left was an image for as long as its shell was open"
    assert "told" in after, "what follows a failure follows the shell"
    assert after.count("bash in what it left") == 0, "a failure in on_fail is only told"
    assert "result=failed" in after
    assert "never" not in after


def test_a_shell_that_is_no_bash_and_none_at_all(project: Project) -> None:
    remove = "RUN rm /bin/bash /usr/bin/bash; cp /bin/sleep /program"
    project.write({"Dockerfile": f"FROM debian:trixie-slim\n{remove}\n", "bare/Dockerfile": _bare(remove)})
    project.pipeline(
        "sh: {build: .}\nnone: {build: ./bare}\n",
        "- {type: parallel, steps: [{name: one, service: sh, command: /program x}]}",
    )
    with Process(project.folder, ["steps", "--shell-on-failure"], tty=True) as kit:
        at = kit.until(r"sh in what it left")
        kit.until(r"# ", after=at)
        kit.type("exit\r")
        assert kit.ended() == 1, kit.said
    project.pipeline("none: {build: ./bare}\n", "- {name: two, service: none, command: /program x}")
    with Process(project.folder, ["steps", "--shell-on-failure"], tty=True) as kit:
        assert kit.ended() == 1, kit.said
        assert "no shell was opened: there is no shell in the image of" in kit.said


def shells() -> int:
    return docker("ps", "--quiet", "--filter", "name=kit-pipeline-.*-shell-").stdout.count("\n")


def _bare(remove: str) -> str:
    """An image with one program and what that is linked with, and no shell."""
    return (
        f"FROM debian:trixie-slim AS all\n{remove}\nRUN mkdir -p /out && cp /program /out/ "
        "&& ldd /program | grep -o '/[^ ]*' | xargs -I{} cp --parents {} /out/\n"
        "FROM scratch\nCOPY --from=all /out/ /\n"
    )


def test_side_by_side_there_is_one_shell_and_the_others_keep_quiet(project: Project) -> None:
    noise = "for i in $(seq 100); do echo noise; sleep 0.1; done"
    project.pipeline(
        "app: {image: debian:trixie-slim}\n",
        f"""
- type: parallel
  steps:
    - {{name: one, service: app, command: sh -c 'sleep 1; exit 3'}}
    - {{name: two, service: app, command: sh -c 'sleep 1; exit 4'}}
    - {{name: chatty, service: app, command: "sh -c '{noise}'"}}
""",
    )
    with Process(project.folder, ["steps", "--shell-on-failure"], tty=True) as kit:
        at = kit.until(r"bash in what it left")
        at = kit.until(r"# ", after=at)
        kit.type("sleep 3; echo over-$((1 + 1))\r")
        end = kit.until(r"over-2", after=at)
        assert "noise" not in kit.said[at:end]
        assert shells() == 1, "there is one shell at a time"
        kit.type("exit\r")
        at = kit.until(r"bash in what it left", after=end)
        at = kit.until(r"# ", after=at)
        kit.type("exit\r")
        assert kit.ended() == 1
        assert "noise" in kit.said[end:], "what was said meanwhile is not lost"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_shell_and_gives_the_terminal_back(project: Project, number: int) -> None:
    project.pipeline(SERVICES, FAILS)
    with Process(project.folder, ["steps", "--shell-on-failure"], tty=True) as kit:
        modes = kit.modes()
        at = kit.until(r"bash in what it left")
        kit.until(r"# ", after=at)
        assert kit.modes() != modes
        kit.signal(number)
        assert kit.ended(limit=20) == 128 + number, kit.said
        assert kit.modes() == modes
        assert "failing" in kit.said[at:]
        assert left_by(kit.pid) == []


def test_without_a_terminal_it_says_why_there_is_no_shell(project: Project) -> None:
    project.pipeline("app: {image: debian:trixie-slim}\n", "- {service: app, command: sh -c 'exit 3'}")
    with Process(project.folder, ["steps", "--shell-on-failure"]) as kit:
        assert kit.ended() == 1
        assert "--shell-on-failure opens no shell: standard input is no terminal" in kit.said
