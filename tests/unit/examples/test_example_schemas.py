# SPDX-License-Identifier: MIT
"""The examples' files are what their readers accept: GitHub's and GitLab's published schemas, a shell, ShellCheck."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from demo.shop import EXAMPLES

WORKFLOWS = sorted(EXAMPLES.glob("*/.github/workflows/*.yml"))
GITLAB = sorted(EXAMPLES.glob("*/.gitlab-ci.yml"))
SCRIPTS = sorted(EXAMPLES.glob("*/*.sh"))
# As check-jsonschema brings them along: nothing is fetched.
OF_GITHUB = ("--builtin-schema", "vendor.github-workflows")
OF_GITLAB = ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")


def problems(schema: tuple[str, ...], *files: Path) -> str:
    """What a schema says against files; nothing where they keep to it."""
    command = [sys.executable, "-m", "check_jsonschema", *schema, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def test_there_is_a_file_for_each_ci() -> None:
    assert len(WORKFLOWS) == 3
    assert len(GITLAB) == len(SCRIPTS) == len(list(EXAMPLES.glob("*/Jenkinsfile"))) == 2


def test_githubs_schema_accepts_the_workflows() -> None:
    assert problems(OF_GITHUB, *WORKFLOWS) == ""


def test_gitlabs_schema_accepts_the_pipelines() -> None:
    assert problems(OF_GITLAB, *GITLAB) == ""


@pytest.mark.parametrize(
    ("schema", "file", "old", "new"),
    [
        (OF_GITHUB, WORKFLOWS[0], "runs-on:", "runs_on:"),
        (OF_GITHUB, WORKFLOWS[0], "contents: read", "contents: look"),
        (OF_GITLAB, GITLAB[0], "  script:", "  scripts:"),
        (OF_GITLAB, GITLAB[0], "\ndeploy:", "\nimage:"),
    ],
)
def test_a_mistake_is_noticed(tmp_path: Path, schema: tuple[str, ...], file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    copy = tmp_path / file.name
    copy.write_text(text.replace(old, new, 1), "utf-8")
    assert problems(schema, copy)


def test_the_scripts_are_posix_shell_that_shellcheck_has_nothing_against() -> None:
    checker = Path(sys.executable).with_name("shellcheck")
    command = [str(checker), "--shell=sh", "--enable=all", "--exclude=SC2250", *map(str, SCRIPTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert all(path.stat().st_mode & 0o111 == 0o111 for path in SCRIPTS)
