# SPDX-License-Identifier: MIT
"""What can be set, what is refused, what is told to be without effect."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from kit_core.entry import main
from kit_deployer.cli import STEP
from tests.unit.deployer.desk import Desk, refused


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({"STRATEGY": "fast-rollback"}, "named after DEPLOY_ID, and that is not set"),
        ({"STRATEGY": "fast-rollback", "DEPLOY_ID": "7", "RAW": "true"}, "RAW=true leaves manifests as they are"),
        ({"STRATEGY": "blue-green"}, "STRATEGY"),
        ({"DEPLOY_ID": "no spaces"}, "DEPLOY_ID='no spaces' becomes the value of a label"),
        ({"RESOURCE": "x" * 64}, "at most 63 characters"),
        ({"SELECTOR": "a in b"}, "SELECTOR: cannot read"),
        ({"DRY_RUN": "maybe"}, "DRY_RUN"),
        ({"AVAILABLE_TIMEOUT": "soon"}, "AVAILABLE_TIMEOUT"),
        ({"KIT_MAX_PARALEL": "3"}, "KIT_MAX_PARALLEL is probably meant"),
    ],
)
def test_wrong_settings(desk: Desk, env: dict[str, str], why: str) -> None:
    refused(desk, why, **env)


def test_settings_without_effect_are_told(desk: Desk) -> None:
    _, log = desk.run(GITHUB_USER="shop", ELROY_URL="https://y", API_VERSION="v1")
    assert "without effect yet: GITHUB_USER" in log
    assert "ignored: ELROY_URL" in log
    assert "API_VERSION is accepted for compatibility and has no effect" in log


def test_help_names_every_setting_of_the_original(desk: Desk) -> None:
    out = io.StringIO()
    assert main(STEP, ["--help"], {}, stdout=out, stderr=io.StringIO()) == 0
    names = """API_VERSION CI_COMMIT_ID SELECTOR CONFIGS CONFIGS_PATTERN NAMESPACES_DIR MANIFESTS_DIR DRY_RUN UUID
        DEPLOY_ID STRATEGY RESOURCE DEBUG IS_ROLLBACK DIFF FORCE CREATE_ONLY RAW BACKOFF_FAIL_AFTER
        BACKOFF_INITIAL_DELAY BACKOFF_MAX_DELAY AVAILABLE_ENABLED AVAILABLE_POLLING_INTERVAL AVAILABLE_HEALTH_CHECK
        AVAILABLE_HEALTH_CHECK_GRACE_PERIOD AVAILABLE_HEALTH_CHECK_THRESHOLD AVAILABLE_HEALTH_CHECK_IGNORED_ERRORS
        AVAILABLE_WEBHOOK AVAILABLE_ALL AVAILABLE_REQUIRED AVAILABLE_KEEP_ALIVE AVAILABLE_KEEP_ALIVE_INTERVAL
        AVAILABLE_TIMEOUT DEPENDENCY_WAIT DEPENDENCY_TIMEOUT GITHUB_ENABLED GITHUB_AUTH_TYPE GITHUB_AUTH_TOKEN
        GITHUB_USER GITHUB_REPO BACKUP_ENABLED SAVE_FORMAT AWS_BUCKET AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"""
    text = out.getvalue()
    assert [name for name in names.split() if f" {name}" not in text] == []
