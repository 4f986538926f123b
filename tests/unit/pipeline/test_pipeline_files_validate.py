# SPDX-License-Identifier: MIT
"""`kit-pipeline validate`: what it prints, what it looks at, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kit_core.envfile import encrypt, encrypt_value
from kit_core.keys import Key
from kit_pipeline.files.templates import VALUES
from kit_pipeline.planning.values import RunValues
from tests.unit.pipeline.sealing_program import Said, kit

KEY = Key(bytes(range(32)), "a key")
STEPS = "- {service: app, command: x}\n"


def validate(folder: Path, services: str | bytes, steps: str | bytes = STEPS, *argv: str, **env: str) -> Said:
    """The program on these two files."""
    for name, text in (("services", services), ("steps", steps)):
        data = text.encode() if isinstance(text, str) else text
        (folder / f"codeship-{name}.yml").write_bytes(data)
    return kit(folder, "validate", *argv, **env)


def lines(said: Said) -> list[str]:
    return said.out.decode().splitlines()


def test_nothing_to_say_is_said_in_one_line(tmp_path: Path) -> None:
    said = validate(tmp_path, "app: {image: a}\n")
    assert (said.code, lines(said), said.err) == (0, [], "result=valid errors=0 warnings=0 notes=0\n")


def test_every_finding_is_a_line_with_its_place_in_the_order_of_the_files(tmp_path: Path) -> None:
    said = validate(
        tmp_path,
        "app:\n  image: a\n  enviroment: {A: b}\n  ports: [80]\n",
        "- service: app\n  command: x\n- service: ap\n  command: y\n- comand: z\n",
    )
    assert said.code == 2
    assert lines(said) == [
        "codeship-services.yml:3:3: warning: service app has no key `enviroment`. Did you mean `environment`?",
        "codeship-services.yml:4:3: note: `ports` of a service has no effect here.",
        "codeship-steps.yml:3:3: error: step ap names the service ap, which there is not. Did you mean `app`?",
        "codeship-steps.yml:5:3: warning: step 3 has no key `comand`. Did you mean `command`?",
        "codeship-steps.yml:5:3: error: step 3 names no service. Add `service: NAME`.",
        "codeship-steps.yml:5:3: note: step 3 has no command. Its container runs what its image or service says.",
    ]
    assert said.err == "result=invalid errors=2 warnings=2 notes=2\n"


def test_warnings_let_it_pass_unless_it_is_strict(tmp_path: Path) -> None:
    assert validate(tmp_path, "app: {image: a, imagge: b}\n").code == 0
    said = validate(tmp_path, "app: {image: a, imagge: b}\n", STEPS, "--strict")
    assert (said.code, said.err) == (2, "result=invalid errors=0 warnings=1 notes=0\n")
    assert validate(tmp_path, "app: {image: a, ports: []}\n", STEPS, "--strict").code == 0


def test_a_file_that_does_not_parse_does_not_hide_the_other(tmp_path: Path) -> None:
    said = validate(tmp_path, "app:\n\timage: a\n", "- {comand: x}\n")
    assert said.code == 2
    assert lines(said)[0].startswith("codeship-services.yml:2:1: error: malformed YAML: ")
    assert lines(said)[0].endswith("Line 2: indent with spaces, not tabs.")
    assert any(line.startswith("codeship-steps.yml:1:3: error: ") for line in lines(said))


def test_marks_in_the_code_for_a_ci_service_that_has_them(tmp_path: Path) -> None:
    said = validate(
        tmp_path, "app: {image: a, imagge: b}\n", "- {service: b, command: x}\n",
        GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(tmp_path),
    )  # fmt: skip
    marks = [line for line in (said.out.decode() + said.err).splitlines() if line.startswith("::")]
    assert marks[0].startswith("::warning file=codeship-services.yml,line=1,col=17::codeship-services.yml:1:17: ")
    assert marks[1].startswith("::error file=codeship-steps.yml,line=1,col=3::codeship-steps.yml:1:3: step b names")


def test_a_log_in_json_has_the_findings_as_events(tmp_path: Path) -> None:
    said = validate(tmp_path, "app: {image: a, imagge: b, tty: 1}\n", STEPS, "--log-format", "json")
    events = [json.loads(line) for line in said.err.splitlines()]
    assert [(event["level"], event.get("line"), event.get("column")) for event in events] == [
        ("warning", 1, 17), ("info", None, None), ("result", None, None),
    ]  # fmt: skip


def test_paths_are_those_from_where_it_was_started(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/docker-compose.yml").write_text("services: {app: {image: '${IMAGE:?which one}', x: y}}\n")
    (tmp_path / "sub/codeship-steps.yml").write_text(STEPS)
    said = kit(tmp_path, "validate", "--dir", "sub")
    first = "sub/docker-compose.yml:1:18: error: the variable IMAGE is wanted: which one. A `$` that is meant is "
    assert lines(said)[0] == f"{first}written `$$`."
    assert kit(tmp_path, "validate", "--dir", "sub", IMAGE="a").code == 0
    (tmp_path / "sub/.env").write_text("IMAGE=a\n")
    assert kit(tmp_path, "validate", "--dir", "sub").code == 0


@pytest.mark.parametrize("argv", [(), ("--steps-path", "no.yml"), ("--dir", "nowhere")])
def test_a_file_or_folder_that_is_not_there_is_told(tmp_path: Path, argv: tuple[str, ...]) -> None:
    (tmp_path / "codeship-services.yml").write_text("app: {image: a}")
    said = kit(tmp_path, "validate", *argv)
    assert said.code == 2
    assert "There is no" in said.err


def test_a_service_that_only_another_branch_wants_is_a_warning_for_this_one(tmp_path: Path) -> None:
    steps = "- {service: gone, command: x, tag: release}\n" + STEPS
    assert validate(tmp_path, "app: {image: a}", steps).code == 2
    said = validate(tmp_path, "app: {image: a}", steps, "--tag", "master")
    assert (said.code, "warning: step gone names the service gone" in said.out.decode()) == (0, True)
    assert validate(tmp_path, "app: {image: a}", steps, "--tag", "release").code == 2


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("tag: (master|main)", "warning: `tag` of step app looks like an expression and matches only itself"),
        ("tag: '^a(?=b)'", "warning: `tag` of step app is no RE2 expression and matches nothing"),
        (r"exclude: ^v\d+$", ""),
        (
            "type: push, image_name: x, image_tag: '{{.Brnch}}'",
            "asks for .Brnch, which there is not. Did you mean .Branch?",
        ),
        ("type: push, image_name: x, image_tag: '{{.branch}}'", "Did you mean .Branch?"),
        (
            "type: push, image_name: x, image_tag: '{{if}}'",
            "1:45: error: the template {{if}} is wrong: there is nothing in it",
        ),
        ("type: push, image_name: '{{.CI}}', image_tag: '{{slice .CommitID 0 7}}'", ""),
    ],
)
def test_expressions_and_templates_are_checked(tmp_path: Path, steps: str, said: str) -> None:
    (tmp_path / "Dockerfile").touch()
    output = validate(
        tmp_path, "app: {build: .}", f"- {{service: app, command: x, {steps}}}".replace(" command: x, type", " type")
    )
    assert said in output.out.decode()
    assert bool(said) == bool(output.out)


def test_templates_of_arguments_have_their_own_line(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").touch()
    said = validate(tmp_path, "app:\n  build:\n    args:\n      A: '{{.A}}'\n      B: 1\n")
    assert lines(said)[0].startswith(
        "codeship-services.yml:4:7: error: the template {{.A}} asks for .A, which there is"
    )
    said = validate(tmp_path, "app:\n  build:\n    args:\n      - B=1\n      - A={{\n")
    assert lines(said)[0].startswith("codeship-services.yml:5:9: error: the template {{ is wrong")


def test_the_values_that_are_known_are_those_that_a_run_has() -> None:
    from datetime import UTC, datetime

    assert set(RunValues(branch="", commit_id="", time=datetime.now(UTC)).for_templates()) == VALUES


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("build: gone", "warning: the folder that app is built from, gone, is not there. Is it in the repository"),
        ("build: file", "error: app is built from file, which is a file. `build` names a folder"),
        ("build: empty", "warning: the Dockerfile of app, empty/Dockerfile, is not there"),
        ("build: {context: empty, dockerfile: file}", "`dockerfile` is relative to the context empty."),
        ("build: {context: ., dockerfile: empty}", "error: the Dockerfile of app, empty, is a folder"),
        ("build: {context: ., dockerfile: file}", ""),
        (
            "build: {context: made/it}, volumes: ['./made:/out']",
            "note: the folder that app is built from, made/it, is not",
        ),
        (
            "build: {context: made/it}, volumes: ['./made:/out:ro']",
            "warning: the folder that app is built from, made/it",
        ),
        ("image: a, env_file: gone.env", "warning: `env_file` of app, gone.env, is not there"),
        ("image: a, env_file: file", "error: `env_file` of app cannot be used: file:1: "),
        ("image: a, env_file: empty", "error: `env_file` of app cannot be used: "),
        ("image: a, env_file: plain.env", ""),
        (
            "image: a, encrypted_env_file: [sealed, plain.env]",
            "names plain.env, which is not encrypted. `kit-pipeline enc",
        ),
        ("image: a, encrypted_env_file: gone", "warning: `encrypted_env_file` of app, gone, is not there"),
        ("image: a, encrypted_dockercfg_path: plain.env", "error: `encrypted_dockercfg_path` of app names plain.env"),
        ("build: {dockerfile: file, encrypted_args_file: plain.env}", "error: `encrypted_args_file` of app names"),
        (
            "build: {dockerfile: file, encrypted_args: A=b}",
            "error: `encrypted_args` of app holds a text that is not enc",
        ),
        ("image: a, encrypted_environment: A=b", "error: `encrypted_environment` of app holds a text that is not"),
        ("image: a, encrypted_environment: VALUE", ""),
        ("image: a, cpu_shares: many", "error: service app: `cpu_shares` is many: a whole number is wanted"),
        ("image: a, expose: [x]", "error: service app: `expose` is x"),
        ('image: a, env_file: "\\0"', "warning: `env_file` of app, "),
    ],
)
def test_the_files_that_are_named_are_looked_at(tmp_path: Path, service: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("FROM scratch\n")
    (tmp_path / "plain.env").write_text("A=b\n")
    (tmp_path / "sealed").write_bytes(encrypt(b"A=b", KEY))
    service = service.replace("VALUE", encrypt_value("A=b", KEY))
    output = validate(tmp_path, f"app: {{{service}}}\nunused: {{build: nowhere, env_file: nowhere}}\n")
    found = lines(output)
    assert len(found) == bool(said), found
    assert not said or said in found[0]


def test_logins_of_steps_are_looked_at_as_well(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("{}")
    steps = "- {type: serial, encrypted_dockercfg_path: plain, steps: [{service: app, command: x}]}"
    said = validate(tmp_path, "app: {image: a}", steps)
    assert "error: `encrypted_dockercfg_path` of step 1 names plain, which is not encrypted" in said.out.decode()


def test_an_expression_that_matches_nothing_is_told_once(tmp_path: Path) -> None:
    said = validate(tmp_path, "app: {image: a}\n", "- {name: s, service: app, command: x, tag: '^(?!x)'}\n")
    (line,) = lines(said)
    assert line.startswith("codeship-steps.yml:1:3: warning: `tag` of step s is no RE2 expression and matches nothing")
    said = kit(tmp_path, "steps", "--plan")
    assert said.err.count("is no RE2 expression") == 1, "where steps run it is told, too"
