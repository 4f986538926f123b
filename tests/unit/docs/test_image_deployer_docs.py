# SPDX-License-Identifier: MIT
"""What is said of kit-image-deployer holds: recipes parse and name settings that exist, and examples run."""

import re
import shlex
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from dulwich.objects import Commit
from dulwich.refs import Ref
from dulwich.repo import Repo

from kit_core.declare import declared
from kit_image_deployer.change import Result
from kit_image_deployer.cli import STEP
from kit_image_deployer.message.commit import Written, commit_message
from kit_image_deployer.message.template import VARIABLES, message_template
from kit_image_deployer.settings import ImageDeployerSettings
from kit_image_deployer.source import _NUMBERED_IN
from tests.unit.image_deployer.bare import bare_repository

ROOT = Path(__file__).parents[3]
README = (ROOT / "images" / "kit-image-deployer" / "README.md").read_text("utf-8")
CI = (ROOT / "docs" / "ci.md").read_text("utf-8")
TOKENS = (ROOT / "docs" / "tokens.md").read_text("utf-8")
NAMES = {name for item in declared(ImageDeployerSettings) for name in item.spellings}


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def environments(content: Any) -> list[dict[str, Any]]:
    """Every mapping of variables in a recipe."""
    found: list[dict[str, Any]] = []
    if isinstance(content, dict):
        for name, value in content.items():
            found += [value] if name in {"env", "environment", "variables"} else environments(value)
    elif isinstance(content, list):
        found += [item for entry in content for item in environments(entry)]
    return found


def test_recipes_parse_and_set_what_exists() -> None:
    recipes = [yaml.load(block, yaml.BaseLoader) for text in (CI, README) for block in blocks(text, "yaml")]
    made = [env for recipe in recipes for env in environments(recipe)]
    assert len(made) == 4
    for env in made:
        assert set(env) <= NAMES
        assert env["COMMIT"] == "true"
        assert all(isinstance(value, str) for value in env.values())
    # A workflow cannot set variables that GitHub keeps to itself.
    (github,) = [env for recipe in recipes if "jobs" in recipe for env in environments(recipe)]
    assert not any(name.startswith("GITHUB_") for name in github)


def test_the_pipeline_for_jenkins_sets_what_exists() -> None:
    (block,) = blocks(CI, "groovy")
    named = re.findall(r"^\s*([A-Z][A-Z_]+) = ", block, re.MULTILINE) + re.findall(r"Variable: '([A-Z_]+)'", block)
    assert len(named) == 7
    assert set(named) <= NAMES


@pytest.mark.parametrize("text", [README, CI, TOKENS], ids=["README", "ci", "tokens"])
def test_every_setting_that_is_named_exists(text: str) -> None:
    assert {name for name in re.findall(r"\bKIT_[A-Z0-9_]+\b", text) if name not in NAMES} <= {
        "KIT_VALIDATE", "KIT_REPORT_DIR"
    }  # fmt: skip


def test_commands_that_are_shown_can_be_read() -> None:
    commands = [shlex.split(block.replace("\\\n", " ")) for block in blocks(README, "sh")]
    runs = [words for words in commands if words[0] == "docker"]
    assert len(runs) == 2
    for words in runs:
        given = {words[at + 1].partition("=")[0] for at, word in enumerate(words) if word == "-e"}
        assert given <= NAMES
    assert "promote" in runs[1]
    assert {command.name for command in STEP.commands} >= {"update", "promote"}


def test_the_template_that_is_shown_renders() -> None:
    (block,) = [block for block in blocks(README, "sh") if "TEMPLATE" in block]
    name, _, text = shlex.split(block)[0].partition("=")
    assert name in NAMES
    files = [Written(path="p", image="r/web:2", previous="r/web:1", repository="shop/web", branch="master")]
    message = commit_message(files, said="Add it", render=message_template(text))
    assert message.startswith("Deploy shop/web to master\n\n- r/web:2 (was r/web:1)\n\nAdd it\n\nKit-Image: r/web:2\n")
    section = README.split("## What is written")[1].split("\n## ")[0]
    assert {name for name in VARIABLES if not re.search(rf"\b{name}\b", section)} == set()


def test_every_result_has_its_exit_code() -> None:
    section = README.split("## Results and exit codes")[1].split("\n## ")[0]
    assert set(get_args(Result)) | {"failed", "interrupted"} == set(
        re.findall(r"^\| [0-9, ]+ \| `([a-z-]+)` \|", section, re.MULTILINE)
    )
    assert re.findall(r"^\| ([0-9, ]+) \|", section, re.MULTILINE)[5:] == ["1", "2", "70", "75", "130, 143"]


def test_every_service_says_whose_builds_it_counts() -> None:
    section = CI.split("## Whose builds are counted")[1].split("\n## ")[0]
    named = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", section))
    assert {
        name for patterns in _NUMBERED_IN.values() for text in patterns for name in re.findall(r"{(\w+)}", text)
    } <= named
    assert len(re.findall(r"^\| [A-Z]", section, re.MULTILINE)) == len(_NUMBERED_IN) + 1  # the heading


def test_the_example_in_python_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = bare_repository(tmp_path / "deployments.git")
    (block,) = blocks(README, "python")
    exec(block.replace("https://git.example.com/acme/deployments.git", str(folder)), {})
    with Repo(str(folder)) as repo:
        head = repo.refs[Ref(b"refs/heads/master")]
        assert capsys.readouterr().out == f"updated images/shop/cart/master.yaml {head.decode()}\n"
        made = repo[head]
        assert isinstance(made, Commit)
        assert made.message.startswith(b"Add a basket\n\nKit-Image: registry.example.com/shop/cart:master-42\n")


def test_links_lead_somewhere() -> None:
    for text, folder in (
        (README, ROOT / "images" / "kit-image-deployer"),
        (CI, ROOT / "docs"),
        (TOKENS, ROOT / "docs"),
    ):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (folder / link).exists(), link
