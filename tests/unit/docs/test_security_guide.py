# SPDX-License-Identifier: MIT
"""docs/security.md: its commands are typed, its names are those of the code."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from kit_core.declare import declared
from kit_core.envfile import decrypt, encrypt, form_of
from kit_core.keys import Key, read_key
from kit_deployer.settings import DeployerSettings
from kit_deploymentizer.settings import DeploymentizerSettings
from kit_image_deployer.settings import ImageDeployerSettings
from kit_pipeline.settings import PipelineSettings
from tests.unit.pipeline.sealing_program import TEXT, kit

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/security.md").read_text()


def commands(heading: str) -> list[list[str]]:
    """The commands of the first block under a heading."""
    block = GUIDE.partition(f"## {heading}\n")[2].partition("```sh\n")[2].partition("```")[0]
    return [shlex.split(line, comments=True) for line in block.splitlines()]


def test_the_commands_at_a_desk_do_what_stands_there(tmp_path: Path) -> None:
    kit(tmp_path, "generate")
    (tmp_path / "deploy.env").write_bytes(TEXT)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho NEW=1 >> "$1"\n')
    editor.chmod(0o755)
    said = [kit(tmp_path, *words[1:], EDITOR=str(editor)) for words in commands("At a desk")]
    assert [each.code for each in said] == [0, 0, 0, 0]
    assert said[1].out == TEXT
    assert (tmp_path / "deploy.env").stat().st_mode & 0o777 == 0o600
    assert kit(tmp_path, "decrypt", "deploy.env.encrypted").out == TEXT + b"NEW=1\n"


def test_the_commands_for_a_new_key_leave_nothing_under_the_old_one(tmp_path: Path) -> None:
    old = Key(bytes(32), "the old key")
    (tmp_path / "codeship.aes").write_text(old.text)
    (tmp_path / "web.env.encrypted").write_bytes(encrypt(TEXT, old))
    *typed, last = commands("A new key")
    for words in typed:
        assert kit(tmp_path, *words[1:]).code == 0
    assert last[0] == "mv"
    (tmp_path / last[1]).rename(tmp_path / last[2])
    data = (tmp_path / "web.env.encrypted").read_bytes()
    assert decrypt(data, read_key(folders=[tmp_path]), name="x") == TEXT
    assert read_key(folders=[tmp_path]).raw != old.raw


@pytest.mark.parametrize("header", re.findall(r"^\| ((?:`[a-z]+:v\d`(?:, )?)+) \|", GUIDE, re.MULTILINE))
def test_every_header_of_the_table_is_known(header: str) -> None:
    for name in re.findall("[a-z]+:v[0-9]", header):
        assert form_of(f"{name}\nAAAA".encode()) == name


def test_every_variable_and_option_is_one_of_a_step() -> None:
    steps: list[type[Any]] = [PipelineSettings, DeployerSettings, DeploymentizerSettings, ImageDeployerSettings]
    settings = [item for step in steps for item in declared(step)]
    variables = {name for item in settings for name in item.spellings}
    options = {item.option for item in settings}
    assert set(re.findall(r"`(KIT_[A-Z_]+|CODESHIP_[A-Z_]+)", GUIDE)) <= variables
    assert set(re.findall(r"`(--[a-z-]+)", GUIDE)) <= {*options, "--user"}  # Docker's own
