# SPDX-License-Identifier: MIT
"""The message of the event that GitHub Actions tells of."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from kit_image_deployer.event import event_message


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
