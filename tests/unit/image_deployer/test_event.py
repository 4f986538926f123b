# SPDX-License-Identifier: MIT
"""The message of the event that GitHub Actions tells of."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from kit_core.settings import load_settings
from kit_image_deployer.message.event import event_message
from kit_image_deployer.request import read_change
from kit_image_deployer.settings import ImageDeployerSettings


def told(path: Path, **env: str) -> str | None:
    return event_message({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(path), **env})


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"head_commit": {"message": "Add it\n\nMore"}, "commits": []}, "Add it\n\nMore"),
        ({"pull_request": {"title": "A request", "body": "x"}}, "A request"),
        ({"workflow_run": {"head_commit": {"message": "Run"}}}, "Run"),
        ({"merge_group": {"head_commit": {"message": "Group"}}}, "Group"),
        ({"head_commit": None, "ref": "refs/heads/x"}, None),
        ({"inputs": {}}, None),
        ([], None),
        ({"head_commit": {"message": "  "}}, None),
        ({"head_commit": {"message": 7}}, None),
    ],
)
def test_where_the_message_is(tmp_path: Path, event: Any, message: str | None) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    assert told(file) == message
    assert told(file, GITHUB_ACTIONS="") is None


def test_what_cannot_be_read_is_no_message(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    assert told(file) is None
    assert told(tmp_path) is None
    assert event_message({"GITHUB_ACTIONS": "true"}) is None
    for content in (b"", b"{", b"\xff\xfe", b"[" * 100_000):
        file.write_bytes(content)
        assert told(file) is None
    with file.open("wb") as opened:
        opened.write(b'{"head_commit": {"message": "x"}}')
        os.truncate(opened.fileno(), 9 << 20)
    assert told(file) is None


def test_the_settings_win_over_the_event(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps({"head_commit": {"message": "From the event"}}))
    env = {
        "GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(file), "GITHUB_REF": "refs/heads/master",
        "GITHUB_SHA": "70c30b1b3a1fce1e6826700c31830f47521292ad", "KIT_GIT_URL": "https://git.example.com/d.git",
        "DOCKER_REGISTRY": "registry.example.com", "DOCKER_REPO": "shop/cart",
    }  # fmt: skip

    def said(**others: str) -> str | None:
        loaded = load_settings(ImageDeployerSettings, {**env, **others})
        return read_change(loaded.settings, {**env, **others}, loaded.given)[0].said

    assert said() == "From the event"
    assert said(CI_COMMIT_MESSAGE="Set") == "Set"
