# SPDX-License-Identifier: MIT
"""Folders that end a run with code 2: one sentence that says what, where, why, what next; nothing touched."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from tests.unit.deployer.desk import CONFIG_MAP, Desk, refused


def test_no_kubeconfig_matches(desk: Desk) -> None:
    refused(desk, "No kubeconfig was found", "CONFIGS=/nowhere/*", "Mount the kubeconfigs", CONFIGS="/nowhere/*")


def test_the_original_variable_of_the_dockerfile(desk: Desk) -> None:
    refused(desk, "CONFIGS=/there/*", CONFIGS="", CONFIGS_PATTERN="/there/*")


def test_a_name_that_leads_out_of_the_manifests(desk: Desk) -> None:
    desk.kubeconfig("shop", metadata={"name": "../secrets"})
    refused(desk, "leads out of the manifests")


def test_no_manifests_folder(desk: Desk) -> None:
    refused(desk, "MANIFESTS_DIR=/nowhere is no folder", MANIFESTS_DIR="/nowhere")


def test_manifests_without_a_kubeconfig_and_the_other_way_round(desk: Desk) -> None:
    desk.write("manifests/west/a.yaml", "")
    desk.kubeconfig("north", metadata={"name": "north"}, contexts=[
        {"name": "it", "context": {"cluster": "east", "user": "me", "namespace": "north"}}])  # fmt: skip
    code, log = desk.run()
    assert code == 1, "deploying some clusters by hand is normal"
    assert f"warning: folder {desk.root}/manifests/west has no kubeconfig" in log
    assert f"(north) has no manifests: there is no folder {desk.root}/manifests/north" in log
    refused(desk, "west has no kubeconfig", "(north) has no manifests", "KIT_REQUIRE_ALL=true", KIT_REQUIRE_ALL="true")


def test_a_run_that_would_deploy_nothing_is_no_success(desk: Desk) -> None:
    desk.write("manifests/west/a.yaml", CONFIG_MAP)
    desk.kubeconfig("shop", metadata={"name": "shopp"})
    shutil.rmtree(desk.root / "manifests/shop")
    refused(desk, "Nothing would be deployed", "(shopp) has no manifests", "west has no kubeconfig", "mounts")


@pytest.mark.parametrize("text", ["", "---\n", "# nothing yet\n"])
def test_a_folder_of_empty_files_is_told(desk: Desk, text: str) -> None:
    desk.write("manifests/shop/a.yaml", text)
    _, log = desk.run()
    assert f"folder {desk.root}/manifests/shop holds files, and no object in any of them" in log
    desk.write("manifests/shop/b.yaml", CONFIG_MAP)
    assert "no object in any" not in desk.run()[1]


def test_namespaces_hold_namespaces(desk: Desk) -> None:
    desk.write("namespaces/shop/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    refused(desk, "ConfigMap a is no Namespace")


@pytest.mark.parametrize(
    ("index", "why"),
    [
        ({"version": 1, "complete": False}, "the render was not completed"),
        ({"version": 1}, "the render was not completed"),
        ({"version": 1, "complete": False, "limited_to": None, "left_out": []}, "the render was not completed"),
        (
            {"version": 1, "complete": False, "limited_to": "web"},
            "only the resource web was rendered (set RESOURCE=web",
        ),
        ({"version": 1, "complete": True, "placeholders": True}, "rendered with placeholders"),
        ({"version": 2, "complete": True}, "of a version that this deployer does not know"),
        ([], "of a version"),
    ],
)
def test_an_incomplete_render(desk: Desk, index: Any, why: str) -> None:
    desk.write("manifests/.kit/shop.json", json.dumps(index))
    refused(desk, "The rendered manifests cannot be deployed", why, "Render them again")


def test_a_render_of_one_resource_serves_a_deploy_of_it(desk: Desk) -> None:
    desk.write("manifests/.kit/shop.json", json.dumps({"version": 1, "complete": False, "limited_to": "web"}))
    assert desk.run(RESOURCE="web")[0] == 1
    refused(desk, "only the resource web", RESOURCE="api")


def test_what_may_fail_to_render_does_not_stop_the_rest(desk: Desk) -> None:
    desk.write("manifests/.kit/shop.json", json.dumps({"version": 1, "complete": False, "left_out": ["mailer"]}))
    code, log = desk.run()[:2]
    assert code == 1, "the cluster of this test is dead: the run got as far as asking it"
    assert "rendered without mailer, which failed and may (allowFailure)" in log


def test_a_complete_render_is_taken(desk: Desk) -> None:
    desk.write("manifests/.kit/shop.json", json.dumps({"version": 1, "complete": True, "placeholders": False}))
    assert desk.run()[0] == 1


def test_wrong_input_is_reported_as_well(desk: Desk) -> None:
    desk.write("manifests/shop/z.yaml", "a: b: c\n")
    refused(desk, KIT_REPORT_DIR=f"{desk.root}/reports")
    report = json.loads((desk.root / "reports/report.json").read_text())
    assert report["exit_code"] == 2
    assert report["error"]["place"] == {"file": f"{desk.root}/manifests/shop/z.yaml", "line": 1}
    assert "malformed YAML" in (desk.root / "reports/junit.xml").read_text()
