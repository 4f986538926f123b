# SPDX-License-Identifier: MIT
"""What a step prints, how it ends, and what the engine says where it cannot begin: all reaches the person."""

from __future__ import annotations

import json

from testbed.docker import docker
from tests.pipeline.project import Project
from tests.pipeline.shelf import Shelf

BASE = "debian:trixie-slim"


def _steps(**commands: list[str]) -> str:
    return "".join(
        f"- {{name: {name}, service: app, command: {json.dumps(command)}}}\n" for name, command in commands.items()
    )


def test_a_hundred_thousand_lines_arrive_whole_and_in_order(project: Project) -> None:
    write = "$| = 1; for (1..50000) { print STDOUT qq(out $_\\n); print STDERR qq(err $_\\n) }"
    project.pipeline(f"app: {{image: '{BASE}'}}", _steps(much=["perl", "-e", write]))
    said = project.green().said("much")
    assert len(said) == 100_000
    for stream in ("out", "err"):
        assert [line for line in said if line.startswith(stream)] == [f"{stream} {n}" for n in range(1, 50_001)]


def test_whatever_bytes_are_printed_arrive_readable(project: Project) -> None:
    odd = {
        "broken": ["printf", r"caf\303\251 \377\376 end\n"],
        "unended": ["printf", "no newline"],
        "windows": ["printf", r"one\r\ntwo\r\n"],
        "long": ["perl", "-e", "print 'x' x 100000, '|end'"],
        "terminal": ["sh", "-c", "test -t 0 || test -t 1 || test -t 2 || echo no terminal; cat; echo input has ended"],
        "silent": ["true"],
        "command": ["printf", r"::error::not ours\n##vso[task]x\n"],
    }
    project.pipeline(f"app: {{image: '{BASE}'}}", _steps(**odd))
    done = project.green()
    assert done.said("broken")[0].startswith("café ")
    assert done.said("broken")[0].endswith(" end")
    assert done.said("unended") == ["no newline"]
    assert done.said("windows") == ["one", "two"]
    assert "".join(done.said("long")) == "x" * 100_000 + "|end"
    assert done.said("terminal") == ["no terminal", "input has ended"]
    assert done.said("silent") == []
    assert not [line for line in done.log.splitlines() if line.startswith(("::", "##"))], "no CI service obeys a step"


def test_a_step_ends_with_its_program_whatever_that_has_started(project: Project) -> None:
    leave = "sleep 600 & (setsid sleep 600 >/dev/null 2>&1 &); echo the program is done"
    project.pipeline(
        f"app: {{image: '{BASE}', restart: always}}",
        _steps(daemons=["sh", "-c", leave], signal=["sh", "-c", "sh -c 'kill -9 $$'; exit $?"]),
    )
    done = project.steps()
    assert done.said("daemons") == ["the program is done"]
    assert "exit code 137" in done.log
    assert done.code == 1


def test_a_step_that_uses_too_much_memory_is_told_so(project: Project) -> None:
    project.pipeline(
        f"app: {{image: '{BASE}', mem_limit: 32m}}", _steps(greedy=["perl", "-e", "my $x = 'x' x 200_000_000; print 1"])
    )
    done = project.steps()
    assert done.code == 1
    assert "exit code 137: it ran out of memory" in "\n".join(done.said("greedy"))


def test_what_cannot_begin_is_told_in_the_engines_own_words(project: Project) -> None:
    project.pipeline(
        f"""
        app: {{image: '{BASE}'}}
        gone: {{image: "localhost:1/nobody/nothing:7"}}
        mount: {{image: '{BASE}', volumes: ["./file:/etc"]}}
        folder: {{image: '{BASE}', working_dir: relative}}
        """.replace("\n        ", "\n"),
        """
        - type: parallel
          steps:
            - {name: program, service: app, command: no-such-program --now}
            - {name: image, service: gone, command: 'true'}
            - {name: file on folder, service: mount, command: 'true'}
            - {name: relative, service: folder, command: 'true'}
        """.replace("\n        ", "\n"),
    )
    project.write({"file": "no folder"})
    done = project.steps()
    assert done.code == 1
    assert 'exec: "no-such-program": executable file not found in $PATH' in done.log
    assert "localhost:1/nobody/nothing:7 was not pulled: " in done.log
    assert "connection refused" in done.log
    assert "not a directory" in done.log
    assert "the working directory 'relative' is invalid" in done.log
    assert "sha256:" not in done.log, "services are called what people call them"


def test_an_image_of_a_registry_is_pulled_once_and_with_the_login_that_is_given(shop: Project, shelf: Shelf) -> None:
    shop.pipeline(
        f"""
        app: {{build: {{dockerfile: Dockerfile}}}}
        with: &with {{image: '{shelf.host}/acme/tool:1', encrypted_dockercfg_path: login.enc}}
        on: {{build: {{dockerfile: On}}, encrypted_dockercfg_path: login.enc}}
        without: {{image: '{shelf.host}/acme/tool:1'}}
        missing: {{image: '{shelf.host}/acme/tool:2', encrypted_dockercfg_path: login.enc}}
        """.replace("\n        ", "\n"),
        f"""
        - {{name: push, type: push, service: app, image_name: '{shelf.host}/acme/tool', image_tag: 1,
           registry: '{shelf.host}', encrypted_dockercfg_path: login.enc}}
        - {{name: refused, service: without, command: cat /tool}}
        - {{name: pulled, service: with, command: cat /tool}}
        - {{name: built, service: on, command: cat /tool}}
        - {{name: missing, service: missing, command: cat /tool}}
        """.replace("\n        ", "\n"),
    )
    shop.write({"Dockerfile": f"FROM {BASE}\nRUN echo a tool > /tool\n", "On": f"FROM {shelf.host}/acme/tool:1\n"})
    shop.encrypted("login.enc", shelf.login())
    image = f"{shelf.host}/acme/tool:1"
    try:
        pushed = shop.steps("--push", "--only", "push")
        assert pushed.code == 0, pushed.log
        assert docker("image", "inspect", image, check=False).returncode != 0, "its name was for the push alone"
        for name, words in {"refused": "acme/tool:1 was not pulled", "missing": "not found"}.items():
            done = shop.steps("--only", name)
            assert done.code == 1, done.log
            assert words in done.log, done.log
        built = shop.green("--only", "built")
        assert built.said("built") == ["a tool"], "a build may begin with a private image"
        docker("image", "rm", "--force", image)
        assert f"pulling {image}" in shop.green("--only", "pulled").log
        assert "pulling" not in shop.green("--only", "pulled").log
        assert shop.kit("load", "with").code == 0
    finally:
        docker("image", "rm", "--force", image, check=False)


def test_logins_of_the_command_line_are_for_what_names_none_and_images_are_pulled_anew_where_asked(
    shop: Project, shelf: Shelf
) -> None:
    image = f"{shelf.host}/acme/plain:1"
    shop.pipeline(
        f"""
        app: {{build: .}}
        plain: {{image: '{image}'}}
        maker: {{build: maker, volumes: ['.:/here']}}
        on: {{build: {{dockerfile: On}}}}
        """.replace("\n        ", "\n"),
        f"- {{type: push, service: app, image_name: {shelf.host}/acme/plain, image_tag: 1, registry: '{shelf.host}'}}",
    )
    maker = f'FROM {BASE}\nENTRYPOINT ["cp", "/here/login.json"]\n'
    shop.write(
        {"Dockerfile": f"FROM {BASE}\nRUN echo one > /tool\n", "On": f"FROM {image}\n", "maker/Dockerfile": maker}
    )
    shop.write({"login.json": shelf.login()})
    shop.encrypted("login.enc", shelf.login())
    logins = ("--encrypted-dockercfg-path", "login.enc")
    try:
        assert shop.steps("--push").code == 1, "nobody is logged in"
        shop.green("--push", *logins)
        assert shop.kit("load", "plain").code == 1
        assert shop.kit("load", "plain", *logins).code == 0
        shop.write({"Dockerfile": f"FROM {BASE}\nRUN echo two > /tool\n"})
        shop.green("--push", *logins)
        assert shop.kit("run", "plain", "cat", "/tool").out == "one\n", "it is there already"
        assert shop.kit("run", *logins, "--pull-if-present", "plain", "cat", "/tool").out == "two\n"
        docker("image", "rm", "--force", image)
        assert shop.kit("run", "--dockercfg-service", "maker", "on", "cat", "/tool").out == "two\n"
    finally:
        docker("image", "rm", "--force", image, check=False)
