# SPDX-License-Identifier: MIT
"""Canaries in every credential that the step takes: whatever goes wrong, and however talkative the other side is, they
are seen in no output, no exception, no process list, and no file.
"""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import traceback
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from kit_core.declare import Setting, declared
from kit_core.entry import main
from kit_core.errors import KitError
from kit_image_deployer import update_image
from kit_image_deployer.cli import STEP
from testbed.ssh import SshServer
from tests.git.deployments import Deployments
from tests.git.echo import Echo, echo

CORE = "Kanarienvogel7f3a9d"
CANARY = f"p@{CORE}/%+ü"
SECRETS = [item for item in declared(STEP.settings) if item.secret]
NOWHERE = "http://127.0.0.1:1/deployments.git"


def forms(text: str) -> set[str]:
    """The text as it is, and what of its base64 and hex does not depend on what stands before it."""
    raw = text.encode()
    encoded = {base64.b64encode(b"x" * before + raw).decode()[4:-4] for before in range(3)}
    return {text, raw.hex(), text[::-1], *encoded, *(part.replace("+", "-").replace("/", "_") for part in encoded)}


def check(seen: str, *canaries: str) -> None:
    for canary in canaries or (CORE,):
        given_away = [form for form in forms(canary) if form in seen]
        assert not given_away, seen


@pytest.fixture(scope="module")
def server() -> Iterator[Echo]:
    with echo() as running:
        yield running


def settings(**others: str) -> dict[str, str]:
    """A run that would commit, with nothing to wait for."""
    return {
        "KIT_GIT_URL": NOWHERE,
        "DOCKER_REPO": "shop/cart",
        "CI_BRANCH": "master",
        "IMAGE": "registry.example.com/shop/cart:1",
        "COMMIT": "true",
        "RETRIES": "1",
        "RETRY_INCREMENT": "0",
        "DEBUG": "true",
        **others,
    }


def said(env: Mapping[str, str], *arguments: str) -> str:
    stream = io.StringIO()
    assert main(STEP, arguments, env, stdout=stream, stderr=stream) != 0
    return stream.getvalue()


def process(folder: Path, env: Mapping[str, str]) -> subprocess.Popen[str]:
    """The step as a process that may write nowhere else than below `folder`."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    work = folder / "work"
    work.mkdir()
    whole = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "HOME": str(folder), "TMPDIR": str(folder), **env}
    return subprocess.Popen(
        [sys.executable, "-m", "kit_image_deployer"], env=whole, cwd=work, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def left_in(folder: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def test_the_list_of_secrets_is_not_empty() -> None:
    assert {"git_password", "github_auth_token", "git_ssh_key", "signing_key"} <= {item.field for item in SECRETS}


@pytest.mark.parametrize("way", ["", "_FILE", "_BASE64"])
@pytest.mark.parametrize("item", SECRETS, ids=lambda item: item.field)
def test_each_secret_in_each_way_that_it_can_be_given(item: Setting, way: str, server: Echo, tmp_path: Path) -> None:
    server.status = 403
    value = CANARY
    if way == "_FILE":
        (tmp_path / "secret").write_text(CANARY + "\n")
        value = str(tmp_path / "secret")
    elif way == "_BASE64":
        value = base64.b64encode(CANARY.encode()).decode()
    for others in (
        {"KIT_GIT_URL": f"{server.url}/x.git", "KIT_LOG_FORMAT": "json"},
        {"KIT_GIT_URL": "", "GITHUB_REPO": "a/b", "KIT_GITHUB_URL": server.url, "KIT_PULL_REQUEST": "true"},
        {"KIT_GIT_URL": "ssh://git@127.0.0.1:1/x.git", "KIT_GIT_SSH_KNOWN_HOSTS": "127.0.0.1 ssh-ed25519 AAAA"},
        {"IMAGE": CANARY, "KIT_DEADLINE": CANARY},
    ):
        check(said(settings(**{item.variables[0] + way: value}, **others)))


@pytest.mark.parametrize("status", [200, 301, 401, 403, 404, 422, 429, 500])
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_server_that_repeats_the_credentials(server: Echo, status: int, log_format: str) -> None:
    server.status = status
    common = settings(KIT_LOG_FORMAT=log_format, KIT_DEADLINE="3")
    quoted = urllib.parse.quote(CANARY, safe="")
    for others in (
        {"KIT_GIT_URL": f"{server.url}/x.git", "KIT_GIT_PASSWORD": CANARY},
        {"KIT_GIT_URL": f"http://someone:{quoted}@127.0.0.1:{server.port}/x.git"},
        {"KIT_GIT_URL": f"http://{quoted}@127.0.0.1:{server.port}/x.git"},
        {
            "KIT_GIT_URL": "http://git.example.com/x.git",
            "HTTP_PROXY": f"http://someone:{quoted}@127.0.0.1:{server.port}",
        },
        {"KIT_GIT_URL": "https://git.example.com/x.git", "https_proxy": f"http://me:{quoted}@127.0.0.1:{server.port}"},
        {
            "KIT_GIT_URL": NOWHERE,
            "KIT_PULL_REQUEST": "true",
            "KIT_FORGE": "gitlab",
            "KIT_FORGE_URL": server.url,
            "KIT_FORGE_TOKEN": CANARY,
        },
    ):
        check(said({**common, **others}))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/x.git?private_token={}", "ssh://git:{}@127.0.0.1:1/x.git", "ftp://me:{}@example.com/x.git",
        "https://me:{}@exa mple.com:port/x", "me:{}@example.com:x.git", "https://{}:x-oauth-basic@127.0.0.1:1/x.git",
    ],
)  # fmt: skip
def test_credentials_in_an_address(url: str) -> None:
    quoted = urllib.parse.quote(CANARY, safe="")
    for setting in ("KIT_GIT_URL", "KIT_GITHUB_URL", "KIT_FORGE_URL"):
        others = {"KIT_GIT_URL": ""} if setting == "KIT_GITHUB_URL" else {}
        env = settings(**{**others, "GITHUB_REPO": "a/b", "KIT_PULL_REQUEST": "true", setting: url.format(quoted)})
        check(said(env))


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_registry_and_a_helper_learn_no_more_than_they_must(server: Echo, status: int, tmp_path: Path) -> None:
    server.status = status
    programs, notes = tmp_path / "programs", tmp_path / "notes"
    programs.mkdir()
    helper = programs / "docker-credential-canary"
    answer = json.dumps({"Username": "someone", "Secret": CANARY})
    helper.write_text(
        f"#!/bin/sh\n{{ tr '\\0' ' ' < /proc/$$/cmdline; env; }} >> {notes}\ncat << 'END'\n{answer}\nEND\n"
    )
    helper.chmod(0o755)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"credHelpers": {f"127.0.0.1:{server.port}": "canary"}}))
    env = settings(
        PATH=f"{programs}:{os.environ['PATH']}",
        KIT_VERIFY_IMAGE="true",
        KIT_DOCKER_CONFIG=str(tmp_path),
        KIT_INSECURE_REGISTRIES=f"127.0.0.1:{server.port}",
        IMAGE=f"127.0.0.1:{server.port}/shop/cart:1",
        KIT_GIT_PASSWORD="another-" + CANARY,
        KIT_DEADLINE="3",
    )
    check(said(env))
    assert "docker-credential-canary" in notes.read_text(), "the helper ran"
    check(notes.read_text())


def test_what_is_seen_of_a_process_and_what_it_leaves(server: Echo, tmp_path: Path) -> None:
    server.status = 0
    server.asked.clear()
    running = process(tmp_path, settings(KIT_GIT_URL=f"{server.url}/x.git", KIT_GIT_PASSWORD=CANARY))
    try:
        assert server.asked.wait(20)
        commands = [path.read_text(errors="replace") for path in Path("/proc").glob("[0-9]*/cmdline") if readable(path)]
        assert any("kit_image_deployer" in command for command in commands)
        check("".join(commands))
    finally:
        running.terminate()
        output, _ = running.communicate(timeout=20)
    assert running.returncode == 143
    check(output + left_in(tmp_path))


def readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:  # it has ended
        return False
    return True


def test_a_run_that_succeeds_shows_and_leaves_nothing(deployments: Deployments, tmp_path: Path) -> None:
    password = deployments.repository.password
    env = deployments.settings(DEBUG="true", GITHUB_AUTH_TOKEN=CANARY, KIT_FORGE_TOKEN=CANARY)
    running = process(tmp_path, env)
    output, _ = running.communicate(timeout=60)
    assert running.returncode == 0, output
    check(output + left_in(tmp_path), CORE, password)
    check(deployments.repository.git("log", "-p", "-1", "--format=raw"), CORE, password)


@pytest.mark.parametrize(
    "ci",
    [
        {"JENKINS_URL": "x", "BUILD_NUMBER": "7", "BUILD_URL": "https://me:{}@jenkins.example.com/job/cart/7/"},
        {
            "BITBUCKET_BUILD_NUMBER": "7",
            "BITBUCKET_REPO_FULL_NAME": "shop/cart",
            "BITBUCKET_GIT_HTTP_ORIGIN": "https://me:{}@bitbucket.example.com/shop/cart",
        },
        {
            "GITLAB_CI": "true",
            "CI_PIPELINE_IID": "7",
            "CI_SERVER_URL": "https://me:{}@gitlab.example.com",
            "CI_PROJECT_PATH": "shop/cart",
            "CI_JOB_URL": "https://me:{}@gitlab.example.com/shop/cart/-/jobs/7",
            "CI_PIPELINE_URL": "https://me:{}@gitlab.example.com/shop/cart/-/pipelines/7",
            "CI_REPOSITORY_URL": "https://gitlab-ci-token:{}@gitlab.example.com/shop/cart.git",
        },
        {"KIT_BUILD_NUMBER": "7", "KIT_BUILD_SOURCE": "jenkins https://me:{}@jenkins.example.com/job/cart"},
    ],
    ids=["jenkins", "bitbucket", "gitlab", "by hand"],
)
def test_no_commit_holds_the_credentials_of_a_ci(deployments: Deployments, tmp_path: Path, ci: dict[str, str]) -> None:
    outputs = tmp_path / "outputs"
    outputs.touch()
    env = {name: value.format(urllib.parse.quote(CANARY, safe="")) for name, value in ci.items()}
    running = process(tmp_path, deployments.settings(**{"GITHUB_OUTPUT": str(outputs), "DEBUG": "1", **env}))
    output, _ = running.communicate(timeout=60)
    assert running.returncode == 0, output
    check(output + left_in(tmp_path))
    check(deployments.repository.git("log", "-p", "-1", "--format=raw"))


def test_a_key_that_an_ssh_server_refuses(deployments: Deployments, ssh_server: SshServer, tmp_path: Path) -> None:
    stranger = ssh_server.make_key("-t", "ed25519")
    lines = [line for line in stranger.private.splitlines()[1:-1] if len(line) > 20]
    running = process(
        tmp_path,
        settings(
            KIT_GIT_URL=ssh_server.url(deployments.repository),
            KIT_GIT_SSH_KEY=stranger.private,
            KIT_GIT_SSH_KNOWN_HOSTS=ssh_server.known_hosts(),
        ),
    )
    output, _ = running.communicate(timeout=60)
    assert running.returncode == 1, output
    check(output + left_in(tmp_path), *lines)


@pytest.mark.parametrize("status", [200, 301, 401, 403, 404, 500])
def test_no_exception_of_the_library_holds_a_secret(server: Echo, status: int) -> None:
    server.status = status
    quoted = urllib.parse.quote(CANARY, safe="")
    for url, password in (
        (f"{server.url}/x.git", CANARY),
        (f"http://me:{quoted}@127.0.0.1:{server.port}/x.git", None),
        (f"ssh://me:{quoted}@127.0.0.1:1/x.git", None),
        (f"https://127.0.0.1:1/x.git?token={quoted}", CANARY),
    ):
        with pytest.raises(KitError) as caught:
            update_image(
                url, repository="a", branch="b", image="c", commit=True, password=password, retries=0,
                deadline=3, ssh_key=CANARY if url.startswith("ssh") else None,
            )  # fmt: skip
        shown = [f"{error!r} {error} {vars(error)}" for error in chain(caught.value)]
        check("\n".join(shown))
        check("".join(traceback.format_exception(caught.value)).replace(quoted, ""))


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
