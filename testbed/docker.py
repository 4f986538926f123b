# SPDX-License-Identifier: MIT
"""The Docker engine: found where one answers, installed and started on a bare Debian machine.

The command line client is all that is used of it, so whatever the client is set up for (`DOCKER_HOST`, contexts)
holds here too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from testbed.errors import TestbedError
from testbed.lock import one_at_a_time

Progress = Callable[[str], None]

_START_LIMIT = 60
"""Seconds for a started engine to answer; three are usual, more after a kill with many images."""


def docker(
    *arguments: str,
    check: bool = True,
    stdin: str | bytes | None = None,
    timeout: float | None = 120,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one `docker` command and return what it printed.

    `timeout` is in seconds. Raises TestbedError with the command's own words when it fails and `check` is set, and when
    the time is over. Ctrl-C does not reach the command, so that a clean-up runs to its end.
    """
    command = ["docker", *arguments]
    given = stdin.encode() if isinstance(stdin, str) else stdin
    try:
        raw = subprocess.run(
            command,
            stdin=subprocess.DEVNULL if given is None else None,
            input=given,
            capture_output=True,
            timeout=timeout,
            check=False,
            start_new_session=True,
            env=None if env is None else dict(env),
        )
    except FileNotFoundError as error:
        raise TestbedError("the command `docker` is not on the PATH; install Docker, or put it there") from error
    except subprocess.TimeoutExpired as error:
        said = (error.stderr or b"").decode(errors="replace")
        raise TestbedError(f"`{_shown(command)}` did not end within {timeout:.0f} s{_tail(said)}") from error
    done = subprocess.CompletedProcess(
        command, raw.returncode, raw.stdout.decode(errors="replace"), raw.stderr.decode(errors="replace")
    )
    if check and done.returncode:
        raise TestbedError(
            f"`{_shown(command)}` failed with exit code {done.returncode}{_tail(done.stderr or done.stdout)}"
        )
    return done


def answers() -> bool:
    """Whether a Docker engine answers."""
    try:
        return docker("version", "--format", "{{.Server.Version}}", check=False, timeout=20).returncode == 0
    except TestbedError:
        return False


def ensure_engine(progress: Progress = print, env: Mapping[str, str] = os.environ) -> str:
    """Make sure that a Docker engine answers, and return its version.

    One that answers is used as it is. On Debian (or a relative of it) as root it is installed from the distribution's
    packages
    and started, and stays up after this process. Anywhere else: TestbedError says what to do.
    """
    if answers():
        return _version()
    _refuse_where_not_ours(env)
    with one_at_a_time("kit-docker-engine", progress):
        if answers():
            return _version()
        if not (shutil.which("dockerd") and shutil.which("docker")):
            progress("docker: no engine here: installing docker.io from the distribution's packages")
            _install()
        progress("docker: starting the engine")
        _start()
    progress(f"docker: engine {_version()} answers")
    return _version()


def _version() -> str:
    return docker("version", "--format", "{{.Server.Version}}").stdout.strip()


def _refuse_where_not_ours(env: Mapping[str, str]) -> None:
    if env.get("DOCKER_HOST"):
        raise TestbedError(
            f"no Docker engine answers at DOCKER_HOST={env['DOCKER_HOST']}; start it, or unset DOCKER_HOST to use "
            "a local one"
        )
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise TestbedError(
            "no Docker engine answers; start Docker (and make sure that your user may use its socket), "
            "or run this as root on Debian, where it is installed and started for you"
        )


def _install() -> None:
    _apt_get("update")
    # Newer Debian releases have the command line client in a package of its own, which docker.io only recommends.
    client = ["docker-cli"] if _apt_knows("docker-cli") else []
    _apt_get("install", "-y", "--no-install-recommends", "docker.io", *client, "iptables")


def _apt_get(*arguments: str) -> None:
    command = ["apt-get", "-qq", *arguments]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace")
        raise TestbedError(
            f"installing Docker: `{_shown(command)}` failed with exit code {done.returncode}{_tail(said)}"
        )


def _apt_knows(package: str) -> bool:
    done = subprocess.run(["apt-cache", "show", "--no-all-versions", package], capture_output=True, check=False)
    return done.returncode == 0 and bool(done.stdout)


def _start() -> None:
    if Path("/run/systemd/system").is_dir():
        subprocess.run(["systemctl", "start", "docker"], check=False, capture_output=True)
        _await_answer(None, Path("/dev/null"))
        return
    remove_stale_pid_files()
    log = Path("/var/log/kit-dockerd.log")
    # Through a shell that ends at once: the engine is nobody's child, and stays when this process goes.
    started = subprocess.run(
        ["sh", "-c", 'dockerd </dev/null >>"$0" 2>&1 & echo $!', str(log)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd="/",
        check=True,
    )
    _await_answer(int(started.stdout), log)


def _await_answer(pid: int | None, log: Path) -> None:
    end = time.monotonic() + _START_LIMIT
    while not answers():
        if pid is not None and not _lives(pid):
            raise TestbedError(f"dockerd ended at once; {log} says{_tail_of(log)}")
        if time.monotonic() > end:
            raise TestbedError(
                f"dockerd was started and does not answer after {_START_LIMIT} s; {log} says{_tail_of(log)}"
            )
        time.sleep(0.2)


def _lives(pid: int, proc: Path = Path("/proc")) -> bool:
    try:
        return (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def remove_stale_pid_files(run: Path = Path("/var/run"), proc: Path = Path("/proc")) -> list[Path]:
    """Remove what a killed engine left in `run` and return it.

    dockerd takes any process that has the number in its pid file for itself and does not start. After a kill that
    number may
    belong to something else, so the process's name (in `proc`) is looked at. A containerd that outlived its dockerd
    stays:
    the new one takes it over.
    """
    removed = []
    for path, name in (
        (run / "docker.pid", "dockerd"),
        (run / "docker" / "containerd" / "containerd.pid", "containerd"),
    ):
        try:
            pid = path.read_text().strip()
        except FileNotFoundError:
            continue
        try:
            alive = (proc / pid / "comm").read_text().strip() == name if pid.isdigit() else False
        except OSError:
            alive = False
        if not alive:
            path.unlink(missing_ok=True)
            removed.append(path)
    return removed


def _shown(command: Sequence[str], limit: int = 160) -> str:
    text = " ".join(command)
    return text if len(text) <= limit else text[:limit] + " …"


def _tail(text: str, lines: int = 12) -> str:
    last = text.strip().splitlines()[-lines:]
    return ":\n" + "\n".join("  " + line for line in last) if last else ""


def _tail_of(path: Path) -> str:
    try:
        return _tail(path.read_text(errors="replace"))
    except OSError:
        return " nothing"
