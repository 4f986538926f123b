# SPDX-License-Identifier: MIT
"""What people ask of a local runner: secrets from a file, a log for each step, times, approval, lines for programs."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest

from tests.pipeline.project import Project

SECRET = "canary-9d2f-token"
SERVICES = "app: {image: debian:trixie-slim, environment: [COLOUR=red]}\n"


@pytest.mark.parametrize("encrypted", [False, True])
def test_secrets_of_a_file_reach_the_steps_and_no_output(project: Project, encrypted: bool) -> None:
    project.pipeline(
        SERVICES,
        """
        - name: show
          service: app
          command: 'sh -c "echo $TOKEN; printf %s $TOKEN | base64; printf %s $TOKEN | wc -c >&2; echo $COLOUR"'
        """,
    )
    if encrypted:
        project.encrypted("secrets.env", f"TOKEN={SECRET}\nCOLOUR=green\n")
    else:
        project.write({"secrets.env": f"TOKEN={SECRET}\nCOLOUR=green\n"})
    done = project.green("--secrets-file", "secrets.env", "--log-dir", "logs", "-e", "COLOUR=blue", DEBUG="true")
    assert sorted(done.said("show")) == ["***", "***", str(len(SECRET)), "blue"], done.log
    kept = "".join(path.read_text() for path in (project.folder / "logs").iterdir())
    for text in (done.log, done.out, kept):
        assert SECRET not in text
        assert base64.b64encode(SECRET.encode()).decode() not in text
    assert "\nblue\n" in kept


def test_variables_of_the_command_line(project: Project) -> None:
    project.pipeline(SERVICES, "- {name: show, service: app, command: 'sh -c \"echo $COLOUR $HERE-$THERE\"'}")
    done = project.green("-e", "COLOUR=a b=c", "-e", "HERE", "--env", "THERE", HERE="machine")
    assert done.said("show") == ["a b=c machine-"]


def test_each_step_has_a_log_of_its_own_run_for_run(project: Project) -> None:
    project.pipeline(
        SERVICES
        + "db: {image: debian:trixie-slim, command: echo ready}\nfull: {image: debian:trixie-slim, links: [db]}\n",
        """
        - {name: Unit Tests, service: app, command: echo one}
        - type: parallel
          steps:
            - {name: a, service: full, command: 'sh -c "echo two; exit 7"'}
            - {name: b, service: app, command: no-such-program}
        """,
    )
    (project.folder / "logs").mkdir()
    (project.folder / "logs/9-gone.log").write_text("of an earlier run")
    done = project.steps("--log-dir", "logs")
    assert done.code == 1
    logs = {path.name: path.read_text() for path in (project.folder / "logs").iterdir()}
    assert sorted(logs) == ["1-unit-tests.log", "2.1-a.log", "2.2-b.log"]
    assert logs["1-unit-tests.log"] == "one\n"
    assert "two\n" in logs["2.1-a.log"]
    assert "db | ready\n" in logs["2.1-a.log"]
    assert logs["2.1-a.log"].endswith("exit code 7\n")
    assert "no-such-program" in logs["2.2-b.log"], "the engine's own words are kept, too"


def test_what_failed_is_told_with_its_time_and_what_follows_the_innermost_first(project: Project) -> None:
    project.pipeline(
        SERVICES,
        """
        - name: outer
          type: parallel
          service: app
          on_fail: [{name: last, command: echo outer told}]
          steps:
            - {name: bad, command: 'sh -c "exit 9"', on_fail: [{name: first, command: 'sh -c "echo bad told; exit 4"'}]}
            - {name: good, command: 'sh -c "sleep 2; echo still ended"'}
        - {name: never, service: app, command: echo never}
        """,
    )
    done = project.steps()
    assert done.code == 1, "what on_fail does changes nothing"
    assert done.said("good") == ["still ended"]
    assert done.said("first") == ["bad told"]
    assert done.said("last") == ["outer told"]
    assert done.log.index("still ended") < done.log.index("outer told")
    assert "error: 1.1 bad: failed with exit code 9" in done.log
    assert "warning: 1.1.on_fail.1 first: failed: exit code 4" in done.log
    table = done.log[done.log.index("steps:\n") :]
    for number, name, state in (("1.1", "bad", "failed"), ("1.2", "good", "passed"), ("2", "never", "left out")):
        assert re.search(rf"^ +{re.escape(number)} +{name} +{state}", table, re.MULTILINE), table
    assert done.log.splitlines()[-1] == "result=failed passed=1 failed=1 skipped=1"


def test_a_manual_group_runs_with_approval_alone(project: Project) -> None:
    project.pipeline(
        SERVICES,
        """
        - {name: before, service: app, command: 'sh -c "echo ${CI_BUILD_APPROVED-unset}"'}
        - name: go
          type: manual
          service: app
          steps: [{name: live, command: 'sh -c "echo $CI_BUILD_APPROVED"'}]
        """,
    )
    done = project.green()
    assert (done.said("before"), done.said("live")) == (["unset"], [])
    assert "2.1 live: left out: it waits for approval, and --approve was not given" in done.log
    done = project.green("--approve", "--from", "go")
    assert (done.said("before"), done.said("live")) == ([], ["true"])


def test_nothing_to_do_has_a_word_of_its_own(project: Project) -> None:
    project.pipeline(SERVICES, "- {name: up, service: app, local: false, command: echo up}")
    done = project.green()
    assert "result=nothing" in done.log
    assert done.said("up") == []
    assert project.green("--no-local").said("up") == ["up"]
    assert project.green("--only", "up").said("up") == ["up"]
    assert project.green(CI="true").said("up") == ["up"]


def test_the_log_as_json_is_nothing_but_objects(project: Project) -> None:
    project.pipeline(SERVICES, "- {name: x, service: app, command: 'sh -c \"echo one; echo two >&2; exit 3\"'}")
    done = project.steps(KIT_LOG_FORMAT="json")
    entries = [json.loads(line) for line in done.log.splitlines()]
    lines = {entry["message"]: entry["stream"] for entry in entries if entry.get("stream")}
    assert lines == {"one": "stdout", "two": "stderr"}
    ended = next(entry for entry in entries if entry["level"] == "error")
    assert (ended["step"], ended["number"], ended["state"]) == ("x", "1", "failed")
    assert ended["seconds"] >= ended["preparing"] >= 0
    assert entries[-1]["result"] == "failed"


def test_on_github_steps_fold_and_the_page_has_a_table(project: Project, tmp_path: Path) -> None:
    project.pipeline(
        SERVICES, "- {name: 'a|b', service: app, command: echo ::error::x}\n- {service: app, command: 'false'}"
    )
    page = tmp_path / "page.md"
    done = project.steps(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(page))
    assert "::group::1 a|b: `echo ::error::x` in app" in done.log
    assert "::endgroup::" in done.log
    assert not re.search(r"^::error::x", done.log, re.MULTILINE), "a tool's output is no command"
    assert re.search(r"^::error file=codeship-steps.yml,line=2::2 app: failed with exit code 1", done.log, re.MULTILINE)
    assert "| ✅ | 1 a\\|b | passed |" in page.read_text()
    assert "| ❌ | 2 app | failed |" in page.read_text()


def test_a_plan_touches_nothing(project: Project) -> None:
    project.pipeline("app: {build: ./not-there}\n", "- {name: x, service: app, command: echo}")
    done = project.green("--plan", DOCKER_HOST="unix:///nobody/is/here.sock")
    assert done.out.splitlines()[0] == "1  x: `echo` in app"
    found = json.loads(project.green("--plan", KIT_LOG_FORMAT="json", DOCKER_HOST="unix:///nobody").out)
    assert found["steps"][0]["command"] == ["echo"]
    assert set(found) == {"steps", "services"}
