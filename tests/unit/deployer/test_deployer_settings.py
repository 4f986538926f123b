# SPDX-License-Identifier: MIT
"""What can be set, what is refused, what is told to be without effect."""

from __future__ import annotations

import io

import pytest

from kit_core.declare import Setting, declared
from kit_core.entry import main
from kit_core.settings import load_settings
from kit_deployer.cli import STEP
from kit_deployer.compatibility import NOT_YET
from kit_deployer.result import ClusterResult, Failure, RunResult
from kit_deployer.selectors import parse_selector
from kit_deployer.settings import DeployerSettings
from kit_deployer.wiring import options_of
from tests.unit.deployer.desk import Desk, refused


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


@pytest.mark.parametrize("item", [item for item in declared(DeployerSettings) if item.ignored], ids=lambda i: i.field)
def test_each_setting_with_nothing_left_to_do_says_so(desk: Desk, item: Setting) -> None:
    name = item.variables[-1]
    value = "true" if item.kind is bool else "30"
    assert f"{name} is accepted for compatibility and has no effect" in desk.run(**{name: value})[1]


@pytest.mark.parametrize("field", sorted(NOT_YET))
def test_each_setting_whose_time_comes_later_says_so(desk: Desk, field: str) -> None:
    _, log = desk.run(**{field.upper(): "canary-7f3a9d"})
    assert f"without effect yet: {field.upper()}" in log
    assert "canary" not in log


@pytest.mark.parametrize("name", ["ELROY_URL", "ELROY_ENABLED", "WATCHER_TOKEN"])
def test_variables_of_services_that_are_gone(desk: Desk, name: str) -> None:
    _, log = desk.run(**{name: "canary-7f3a9d"})
    assert f"ignored: {name} (services that only the original's makers had)" in log
    assert "canary" not in log
    assert "ignored" not in desk.run(**{name: ""})[1]


def test_the_originals_settings_reach_what_they_are_for() -> None:
    """With its names, units and defaults."""
    found = options_of(load_settings(DeployerSettings, {}, {}).settings)
    assert (found.dry_run, found.force, found.create_only, found.selector) == (True, False, False, None)
    assert (found.waiting.enabled, found.waiting.dependency_timeout, found.waiting.dependency_wait) == (False, 600, 3)
    assert (found.backoff.tries, found.backoff.first, found.backoff.longest) == (10, 1.0, 30.0)
    policy = found.waiting.policy
    assert (policy.fail_early, policy.grace, policy.threshold, policy.timeout) == (True, 10, 0, 600)
    assert policy.ignored == {"Unhealthy", "FailedScheduling"}
    env = {
        "DRY_RUN": "0", "FORCE": "on", "CREATE_ONLY": "yes", "SELECTOR": "a=b", "RAW": "True", "DEPLOY_ID": "7",
        "RESOURCE": "web", "UUID": "u", "STRATEGY": "fast-rollback", "DIFF": "1", "AVAILABLE_ENABLED": "true",
        "BACKOFF_FAIL_AFTER": "2", "BACKOFF_INITIAL_DELAY": "500", "BACKOFF_MAX_DELAY": "4000",
        "AVAILABLE_TIMEOUT": "90",
        "AVAILABLE_HEALTH_CHECK": "false", "AVAILABLE_HEALTH_CHECK_GRACE_PERIOD": "3",
        "AVAILABLE_HEALTH_CHECK_THRESHOLD": "2", "AVAILABLE_HEALTH_CHECK_IGNORED_ERRORS": "none",
        "DEPENDENCY_WAIT": "1", "DEPENDENCY_TIMEOUT": "20",
    }  # fmt: skip
    found = options_of(load_settings(DeployerSettings, env, {}).settings)
    assert (found.dry_run, found.force, found.create_only, found.selector) == (False, True, True, parse_selector("a=b"))
    writing = found.writing
    assert (writing.raw, writing.deploy_id, writing.resource, writing.uuid) == (True, "7", "web", "u")
    assert (writing.strategy, found.diff) == ("fast-rollback", True)
    assert (found.waiting.enabled, found.waiting.dependency_timeout, found.waiting.dependency_wait) == (True, 20, 1)
    assert (found.backoff.tries, found.backoff.first, found.backoff.longest) == (2, 0.5, 4.0)
    policy = found.waiting.policy
    assert (policy.fail_early, policy.grace, policy.threshold, policy.timeout) == (False, 3, 2, 90)
    assert policy.ignored == frozenset()


@pytest.mark.parametrize(
    ("codes", "allowed", "code"),
    [
        ((0, 0), (), 0),
        ((75, 70, 1), (), 1),
        ((75, 70, 0), (), 70),
        ((0, 75), (), 75),
        ((1, 70), (0,), 70),
        ((1, 70), (0, 1), 0),
        ((2, 0), (), 2),
    ],
)
def test_clusters_that_end_differently(codes: tuple[int, ...], allowed: tuple[int, ...], code: int) -> None:
    clusters = tuple(
        ClusterResult(
            name=str(number), server="", namespace="", may_fail=number in allowed,
            failures=(Failure(message="x", exit_code=one),) if one else (),
        )
        for number, one in enumerate(codes)
    )  # fmt: skip
    assert RunResult(clusters=clusters, dry_run=False, started="", seconds=0).exit_code == code


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
