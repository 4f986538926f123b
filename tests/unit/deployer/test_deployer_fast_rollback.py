# SPDX-License-Identifier: MIT
"""fast-rollback's decisions: names, what follows a version, what is there already."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError, KitError
from kit_deployer.desired.beside import LONGEST, beside
from kit_deployer.objects import Key
from kit_deployer.plan.plan import Wishes
from kit_deployer.result import ClusterResult, ObjectResult, RunResult, cluster_failure
from tests.unit.deployer.versions import AUTOSCALER, BUDGET, WEB, did, old_service, planned, version, wanted, writing
from tests.unit.deployer.words import CONFIG_MAP, DEPLOYMENT, SERVICE, declared, live, one


def test_a_deployment_is_named_after_its_deploy_and_selects_its_own_pods() -> None:
    deployment, service = wanted()
    mine = {"name": "web", "strategy": "fast-rollback", "id": "8"}
    assert deployment.key == Key("apps", "Deployment", "shop", "web-8")
    assert deployment.body["metadata"]["name"] == "web-8"
    assert deployment.original_name == "web"
    assert deployment.body["spec"]["selector"]["matchLabels"] == mine
    assert deployment.body["spec"]["template"]["metadata"]["labels"] == mine
    assert service.body["spec"]["selector"] == mine
    assert service.serves
    assert wanted(CONFIG_MAP)[0].key.name == "settings", "nothing else gets another name"


def test_a_service_of_something_else_stays_as_written() -> None:
    (service,) = wanted(SERVICE)
    assert service.body["spec"]["selector"] == {"name": "web"}
    assert not service.serves


@pytest.mark.parametrize("number", ["Release_7", "7-", "v" * 60, "a..b", "ä"])
def test_names_that_kubernetes_would_not_take(number: str) -> None:
    with pytest.raises(InputError) as error:
        wanted(number=number)
    assert error.value.exit_code == 2
    assert "its name is followed by DEPLOY_ID" in str(error.value)
    assert (error.value.file, error.value.line) == ("shop/web.yaml", 3)


@given(st.from_regex(r"\A[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?\Z"), st.from_regex(r"\A[A-Za-z0-9._-]{1,40}\Z"))
def test_a_name_is_the_two_parts_or_refused(name: str, number: str) -> None:
    try:
        full = beside(name, number)
    except ValueError:
        return
    assert full == f"{name}-{number}"
    assert len(full) <= LONGEST
    assert full == full.lower()
    assert full[-1].isalnum()


@pytest.mark.parametrize(
    "text",
    [
        DEPLOYMENT.replace("{labels: {name: web}}\n    spec", "{labels: {name: web, id: x}}\n    spec"),
        WEB.replace("selector: {name: web}", "selector: {name: web, id: x}"),
    ],
)
def test_the_id_is_reserved(text: str) -> None:
    with pytest.raises(InputError, match="reserved for the deployer"):
        wanted(text)
    declared(text)


def test_what_scales_and_protects_follows_the_version() -> None:
    items = {item.key.kind: item for item in wanted(f"{WEB}---\n{AUTOSCALER}---\n{BUDGET}")}
    assert items["HorizontalPodAutoscaler"].body["spec"]["scaleTargetRef"]["name"] == "web-8"
    picked = items["PodDisruptionBudget"].body["spec"]["selector"]["matchLabels"]
    assert picked == {"name": "web", "strategy": "fast-rollback", "id": "8"}
    plan = planned(list(items.values()), *(live(item, writing()) for item in items.values()))
    assert {action.key.kind for action in plan.actions if action.waits} == {
        "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"}  # fmt: skip
    for other in (
        AUTOSCALER.replace("kind: Deployment, name: web", "kind: StatefulSet, name: web"),
        AUTOSCALER.replace("kind: Deployment, name: web", "kind: Deployment, name: other"),
        BUDGET.replace("matchLabels: {name: web}", "matchLabels: {name: other}"),
        BUDGET.replace("selector: {matchLabels: {name: web}}", "selector: {}"),
    ):
        (item,) = [item for item in wanted(f"{WEB}---\n{other}") if item.key.kind not in {"Service", "Deployment"}]
        assert item.body["spec"] == item.manifest.body["spec"]
        assert not item.follows


def test_what_scaled_the_previous_version_is_changed_run_after_run() -> None:
    text = f"{WEB}---\n{AUTOSCALER}"
    before = [live(item, writing("7")) for item in wanted(text, "7")]
    assert did(planned(wanted(text), *before)) == {
        "Deployment/web-8": "create", "Service/web": "change", "HorizontalPodAutoscaler/web": "change"}  # fmt: skip
    now = [live(item, writing()) for item in wanted(text)]
    assert not planned(wanted(text), *now).sends


def test_a_new_version_under_an_autoscaler_begins_with_as_many_pods_as_the_one_that_serves() -> None:
    text = f"{WEB}---\n{AUTOSCALER}"
    serving, resting = version("7", replicas=6), version("6", replicas=9)
    plan = planned(wanted(text), serving, resting, old_service())
    assert plan.actions[1].key.name == "web-8"
    assert plan.actions[1].item.body["spec"]["replicas"] == 6
    alone = planned(wanted(text), resting)
    assert "replicas" not in alone.actions[1].item.body["spec"]
    unscaled = planned(wanted(), serving, old_service())
    assert unscaled.actions[1].item.body["spec"]["replicas"] == 2, "as the manifest says"


def test_on_first_contact_it_begins_with_as_many_pods_as_another_tools_deployment_has() -> None:
    """One that kubectl deployed has neither our labels nor annotations, and serves all the same."""
    kubectls = copy.deepcopy(one(DEPLOYMENT).body)
    kubectls["metadata"] |= {"namespace": "shop", "uid": "x", "creationTimestamp": "2026-11-01T00:00:00Z"}
    kubectls["spec"]["replicas"] = 5
    plan = planned(wanted(f"{WEB}---\n{AUTOSCALER}"), kubectls)
    assert [action.item.body["spec"]["replicas"] for action in plan.actions if action.key.kind == "Deployment"] == [5]
    assert plan.outdated == (), "it is not ours to delete"


def test_what_is_there_is_not_applied_again() -> None:
    plan = planned(wanted(), version("8"), old_service("7"))
    assert did(plan) == {"Service/web": "change", "Deployment/web-8": "keep"}
    assert [action.why for action in plan.actions] == [
        "from id 7 to 8, once all Deployments are available", "it is there already"]  # fmt: skip
    assert plan.switches
    forced = planned(wanted(), version("8"), wishes=Wishes(force=True))
    assert did(forced)["Deployment/web-8"] == "keep"
    theirs = version("8")
    theirs["metadata"]["managedFields"] = []
    assert did(planned(wanted(), theirs))["Deployment/web-8"] == "keep", "the original's as well"
    drifted = planned(wanted(), version("8", replicas=0)).actions
    assert [action.state for action in drifted if action.key.kind == "Deployment"] == ["suspect"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"text": DEPLOYMENT.replace("web:1", "web:2")}, "spec.template.spec.containers[0].image"),
        ({"text": DEPLOYMENT.replace("replicas: 2", "replicas: 3")}, "spec.replicas"),
        ({"text": DEPLOYMENT.replace("name: web, labels", "name: web, annotations: {team: b}, labels")}, "annotations"),
        ({"labels": {"id": "7"}}, "was not deployed with this strategy and deploy id"),
        ({"labels": {"strategy": "rolling-update"}}, "was not deployed with this strategy and deploy id"),
        ({"annotations": {"kit-deployer/original-name": "we"}}, "from a manifest named we"),
        ({"annotations": {"kit-deployer/last-applied-configuration": None,
                          "kit-deployer/last-applied-configuration-sha1": "x"}}, "another hash"),
    ],
)  # fmt: skip
def test_the_same_id_with_another_content_is_refused(change: dict[str, Any], why: str) -> None:
    body = version("8", text=change.get("text", DEPLOYMENT))
    for name in ("labels", "annotations"):
        body["metadata"][name] |= change.get(name, {})
    with pytest.raises(InputError) as error:
        planned(wanted(), body)
    assert "Deployment shop/web-8 is there already, with another content" in str(error.value)
    assert why in str(error.value)


def test_what_says_nothing_about_the_pods_is_no_other_content() -> None:
    marked = DEPLOYMENT.replace("name: web, labels", "name: web, annotations: {kit-deployer/timeout: 5}, labels")
    assert did(planned(wanted(), version("8", text=marked)))["Deployment/web-8"] == "keep"
    reordered = version("8")
    note = "kit-deployer/last-applied-configuration"
    reordered["metadata"]["annotations"][f"{note}-sha1"] = "another order"
    assert did(planned(wanted(), reordered))["Deployment/web-8"] == "keep"
    other = version("8", text=DEPLOYMENT.replace("replicas: 2", "replicas: 3"))
    text = f"{WEB}---\n{AUTOSCALER}"
    assert did(planned(wanted(text), other))["Deployment/web-8"] == "keep", "an autoscaler rules the number"


def test_code_2_only_where_nothing_was_touched() -> None:
    error = InputError("other content")
    facts: dict[str, Any] = {"server": "https://x", "namespace": "shop"}
    refused = ClusterResult(name="a", failures=(cluster_failure(error, untouched=True),), **facts)
    key = Key("", "ConfigMap", "shop", "a")
    touched = ClusterResult(name="b", objects=(ObjectResult(key=key, did="changed"),), **facts)
    quiet = ClusterResult(name="b", objects=(ObjectResult(key=key, did="unchanged"),), **facts)
    broken = ClusterResult(name="b", failures=(cluster_failure(KitError("no")),), **facts)

    def code(*clusters: ClusterResult, dry_run: bool = False) -> int:
        return RunResult(clusters=clusters, dry_run=dry_run, started="T", seconds=0).exit_code

    assert code(refused) == code(refused, quiet) == code(refused, touched, dry_run=True) == 2
    assert code(refused, touched) == code(refused, broken) == 1
    assert cluster_failure(error).exit_code == 1
