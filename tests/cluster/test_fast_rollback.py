# SPDX-License-Identifier: MIT
"""fast-rollback against real pods: beside each other, Services that switch only to what is ready, reserves, races."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest

from kit_deployer.strategies.fast_rollback import refusal
from tests.cluster.desk import Outcome, autoscaler, config_map, deployment, documents, service
from tests.cluster.town import BUDGET, PROBE, Town


def test_deploys_beside_and_goes_back_without_a_new_pod(town: Town) -> None:
    first = town.deploy("1", autoscaler("web"), BUDGET)
    assert first.code == 0, first.log
    live = town.get("deployment", "web-1")
    version = {"name": "web", "strategy": "fast-rollback", "id": "1"}
    assert live["spec"]["selector"]["matchLabels"] == version
    assert live["metadata"]["annotations"]["kit-deployer/original-name"] == "web"
    assert town.selector() == version

    second = town.deploy("2", autoscaler("web"), BUDGET)
    assert second.code == 0, second.log
    did = second.did("shop")
    assert did["Deployment/web-2"] == "created"
    assert {did["Service/web"], did["HorizontalPodAutoscaler/web"], did["PodDisruptionBudget/web"]} == {"changed"}
    town.answers("2")
    assert town.deployments() == ["web-1", "web-2"]
    assert town.get("hpa", "web")["spec"]["scaleTargetRef"]["name"] == "web-2"
    assert town.get("pdb", "web")["spec"]["selector"]["matchLabels"] == {**version, "id": "2"}
    assert second.cluster("shop")["leftovers"] == [], "what is kept to go back to is none"

    again = town.deploy("2", autoscaler("web"), BUDGET, FORCE="true")
    assert again.did("shop")["Deployment/web-2"] == "unchanged", "what is there is never applied again"

    pods = town.pods("1")
    assert len(pods) == 1
    told = town.deploy("1", autoscaler("web"), BUDGET, DRY_RUN="true")
    assert told.code == 0, told.log
    assert "delete Deployment" in told.log
    assert "deployed later than web-1" in told.log
    assert town.selector()["id"] == "2"
    back = town.deploy("1", autoscaler("web"), BUDGET)
    assert back.code == 0, back.log
    did = back.did("shop")
    assert (did["Deployment/web-1"], did["Service/web"], did["Deployment/web-2"]) == ("unchanged", "changed", "deleted")
    town.answers("1")
    assert town.pods("1") == pods, "going back makes no pods"
    assert town.deployments() == ["web-1"]
    assert town.get("hpa", "web")["spec"]["scaleTargetRef"]["name"] == "web-1"
    inventory = json.loads(town.get("configmap", "kit-deployer-shop")["data"]["inventory.json"])
    assert ["apps", "Deployment", town.namespace, "web-2"] not in inventory["objects"]


def test_a_bad_version_gets_no_request(town: Town) -> None:
    assert town.deploy("1").code == 0
    bad = deployment("web", town.image, container=PROBE, CRASH="on purpose")
    failed = town.deploy("2", text=bad, AVAILABLE_TIMEOUT="3")
    assert failed.code in {1, 70}, failed.log
    assert f"Deployment {town.namespace}/web-2" in failed.log
    assert failed.did("shop")["Service/web"] == "not done"
    assert town.selector()["id"] == "1"
    town.answers("1")

    # The next one is deployed beside both.
    assert town.deploy("3").code == 0
    town.answers("3")
    assert town.deployments() == ["web-1", "web-2", "web-3"]


def test_the_newest_three_are_kept_and_later_ones_go(town: Town) -> None:
    for number in ("a", "b", "c", "d", "e"):
        run = town.deploy(number)
        assert run.code == 0, run.log
        # Ages are whole seconds.
        time.sleep(1.1)
    assert town.deployments() == ["web-b", "web-c", "web-d", "web-e"]
    assert run.did("shop")["Deployment/web-a"] == "deleted"
    assert "in reserve, to go back to" in run.log
    kept = json.loads(town.get("configmap", "kit-deployer-shop")["data"]["inventory.json"])["objects"]
    assert [key[3] for key in kept if key[1] == "Deployment"] == ["web-b", "web-c", "web-d", "web-e"]

    back = town.deploy("c")
    assert back.code == 0, back.log
    assert town.deployments() == ["web-b", "web-c"]
    assert back.cluster("shop")["leftovers"] == []

    # A folder that no longer holds it has all of its versions as leftovers.
    town.desk.write("manifests/shop/web.yaml", config_map("other"))
    gone = town.desk.deploy(STRATEGY="fast-rollback", DEPLOY_ID="f")
    left = {key["name"] for key in gone.cluster("shop")["leftovers"] if key["kind"] == "Deployment"}
    assert left == {"web-b", "web-c"}


def test_an_id_stands_for_one_content(town: Town) -> None:
    assert town.deploy("1").code == 0
    assert town.deploy("2").code == 0
    before = {kind: town.get(kind)["items"] for kind in ("services", "configmaps")}
    other = deployment("web", town.image, container=PROBE, MESSAGE="another")
    for settings in ({}, {"FORCE": "true"}, {"DRY_RUN": "true"}):
        run = town.deploy("1", text=other, **settings)
        assert run.code == 2, run.log
        assert f"Deployment {town.namespace}/web-1 is there already, with another content" in run.log
        assert "spec.template.spec.containers[0].env[0].value" in run.log
    assert before == {kind: town.get(kind)["items"] for kind in ("services", "configmaps")}
    assert town.deployments() == ["web-1", "web-2"]


def test_a_newer_run_that_switched_meanwhile_is_left_alone(town: Town) -> None:
    assert town.deploy("1").code == 0
    slow = deployment("web", town.image, container=PROBE, SLOW_START="4", MESSAGE="deploy 2")
    runs: list[Outcome] = []
    older = Thread(target=lambda: runs.append(town.deploy("2", text=slow)))
    older.start()
    end = time.monotonic() + 20
    while "web-2" not in town.deployments():
        assert time.monotonic() < end
        time.sleep(0.1)
    later = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    newer = {"metadata": {"annotations": {"kit-deployer/last-updated": later}}, "spec": {"selector": {"id": "9"}}}
    town.patch("service", "web", newer)
    older.join()
    (run,) = runs
    assert run.code == 1, run.log
    assert "a newer run changed it" in run.log
    assert run.did("shop")["Service/web"] == "failed"
    assert town.selector()["id"] == "9"
    assert town.deployments() == ["web-1", "web-2"]


def test_a_change_in_the_last_moment_is_read_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server itself refuses a write that was decided on another version of the Service."""
    assert town.deploy("1").code == 0
    decided: list[str] = []

    def slowly(*bodies: Any, **facts: Any) -> str:
        decided.append(refusal(*bodies, **facts))
        if len(decided) == 1:
            town.patch("service", "web", {"metadata": {"annotations": {"example.com/address": "10.0.0.1"}}})
        return decided[-1]

    monkeypatch.setattr("kit_deployer.rollout.switching.refusal", slowly)
    run = town.deploy("2")
    assert run.code == 0, run.log
    assert decided == ["", ""]
    assert town.selector()["id"] == "2"


def test_pods_that_are_not_ready_get_no_service(town: Town) -> None:
    assert town.deploy("1").code == 0
    assert town.deploy("2").code == 0
    # Somebody put the reserve to sleep: it counts as available, and would answer nobody.
    town.patch("deployment", "web-1", {"spec": {"replicas": 0}})
    run = town.deploy("1")
    assert run.code == 1, run.log
    assert "no ready pod has the labels of its new selector" in run.log
    assert town.selector()["id"] == "2"
    assert town.deployments() == ["web-1", "web-2"]


def test_from_rolling_update_and_back(town: Town) -> None:
    content = deployment("web", town.image, container=PROBE, MESSAGE="deploy 0")
    town.desk.write("manifests/shop/web.yaml", documents(content, service("web")))
    assert town.desk.deploy().code == 0
    town.answers("0")
    over = town.deploy("1")
    assert over.code == 0, over.log
    assert over.did("shop")["Deployment/web"] == "deleted"
    assert town.deployments() == ["web-1"]
    town.desk.write("manifests/shop/web.yaml", documents(content, service("web")))
    back = town.desk.deploy()
    assert back.code == 0, back.log
    assert town.deployments() == ["web"]
    assert town.selector() == {"name": "web", "strategy": "rolling-update"}
    town.answers("0")
