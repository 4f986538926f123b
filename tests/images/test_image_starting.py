# SPDX-License-Identifier: MIT
"""The ways in which people and CI services start a container, each of which has to work with every image."""

from __future__ import annotations

import pytest

from testbed.docker import docker
from tests.images.running import Image, eventually

# What GitLab's runner starts in a job's container to find a shell, before it hands the job's script to its standard
# input.
GITLAB_SHELL = """if [ -x /usr/local/bin/bash ]; then
	exec /usr/local/bin/bash
elif [ -x /usr/bin/bash ]; then
	exec /usr/bin/bash
elif [ -x /bin/bash ]; then
	exec /bin/bash
elif [ -x /usr/local/bin/sh ]; then
	exec /usr/local/bin/sh
elif [ -x /usr/bin/sh ]; then
	exec /usr/bin/sh
elif [ -x /bin/sh ]; then
	exec /bin/sh
elif [ -x /busybox/sh ]; then
	exec /busybox/sh
else
	echo shell not found
	exit 1
fi
"""


def test_a_shell_command_has_its_variables_filled_in(image: Image) -> None:
    done = image.run("/bin/sh", "-c", f'{image.name} --version && echo "tag $TAG"', options=("-e", "TAG=v7"))
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{image.name} ")
    assert done.out.endswith("tag v7\n")


def test_options_are_for_the_step(image: Image) -> None:
    done = image.run("--version")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{image.name} ")
    assert image.run(image.name, "--version") == done, "the program may be named itself"


def test_nothing_said_runs_the_step(image: Image) -> None:
    done = image.run()
    if image.name == "kit-pipeline":  # which does many things, none of them unasked
        assert done == image.run("--help")
        return
    assert done.code == 2
    assert "error" in done.err
    assert "Traceback" not in done.err


def test_a_foreign_program_keeps_its_exit_code_and_arguments(image: Image) -> None:
    done = image.run("sh", "-c", 'printf "%s\n" "$@"; exit 42', "x", "a b", "", "*")
    assert done.code == 42
    assert done.out == "a b\n\n*\n"


def test_an_unknown_word_is_told_with_what_there_is(image: Image) -> None:
    done = image.run("depoly")
    assert done.code == 127
    assert done.err.count("\n") == 1
    assert "'depoly'" in done.err
    assert f"{image.name} --help" in done.err


@pytest.mark.parametrize("options", [("tail", "-f", "/dev/null"), ("--entrypoint", "tail")])
def test_a_job_container_stays_and_takes_commands(image: Image, options: tuple[str, ...]) -> None:
    """GitHub's container jobs: `tail -f /dev/null`, as command or in place of the entrypoint, then `docker exec`."""
    arguments, options = (("-f", "/dev/null"), options) if options[0] == "--entrypoint" else (options, ())
    container = image.start(*arguments, options=options)
    done = docker("exec", container, "sh", "-e", "-c", f"{image.name} --version; ls /usr/bin/env; cat /etc/os-release")
    assert done.stdout.startswith(f"{image.name} ")
    assert "trixie" in done.stdout


def test_a_jenkins_agent_keeps_cat_running(image: Image) -> None:
    container = image.start("cat", options=("-t", "-u", "1000:1000", "-w", "/workspace", "-e", "HOME=/workspace"))
    eventually(lambda: "cat" in docker("top", container, "-eo", "pid,comm").stdout.split(), "cat to run")
    assert docker("exec", container, "sh", "-c", "id -u; pwd").stdout == "1000\n/workspace\n"


@pytest.mark.parametrize("entrypoint", [(), ("--entrypoint", "")])
def test_a_gitlab_script_comes_over_standard_input(image: Image, entrypoint: tuple[str, ...]) -> None:
    script = f"set -eo pipefail\n{image.name} --version\nexport A=b\necho $A\n: | false\necho not reached\n"
    done = image.run("sh", "-c", GITLAB_SHELL, options=entrypoint, stdin=script)
    assert done.code == 1
    assert done.out.splitlines()[1:] == ["b"]


def test_a_script_of_a_mount_runs(deployer: Image) -> None:
    """As GitHub's Docker actions and Drone's plugins start an image: a workspace, a working directory, arguments."""
    work = deployer.owned(1001)
    deployer.write(work, "job.sh", '#!/bin/sh\nset -e\necho "$1" > made\nstat -c %u made\n', uid=1001, mode=0o755)
    options = ("-v", f"{work}:/github/workspace", "-w", "/github/workspace", "-e", "HOME=/github/home")
    assert deployer.run("./job.sh", "x", options=options).out == "1001\n"


def test_a_second_init_and_a_terminal_are_no_trouble(deployer: Image) -> None:
    done = deployer.run("--version", options=("--init",))
    assert (done.code, done.err) == (0, "")
    assert deployer.run("sh", "-c", "tty && exit 5", options=("-t",)).code == 5


COMMANDS = (
    "sh cat tail ls cp mv rm mkdir sleep env echo printf grep sed awk find xargs tar gzip date id ps test true wget"
    " nc stat chmod head sort wc tr cut sha256sum base64"
)


def test_the_usual_commands_are_there(image: Image) -> None:
    image.shell(f"for name in {COMMANDS}; do command -v $name >/dev/null || {{ echo $name; exit 9; }}; done")
    script = "echo a | sed s/a/b/; tar -c -C /etc passwd | tar -t; wget --help 2>&1 | grep -c Usage"
    assert image.shell(script) == "b\npasswd\n1\n"
