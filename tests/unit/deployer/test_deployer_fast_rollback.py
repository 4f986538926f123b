# SPDX-License-Identifier: MIT
"""fast-rollback's decisions: names, what follows a version, what is there already, what goes, who may still switch."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit_core.errors import InputError, KitError
from kit_deployer.desired.annotate import Declared, Writing
from kit_deployer.desired.beside import LONGEST, beside
from kit_deployer.desired.scaling import scaled
from kit_deployer.objects import Json, Key, key_of
from kit_deployer.plan.plan import Plan, Seen, Wishes, make_plan
from kit_deployer.result import ClusterResult, ObjectResult, RunResult, cluster_failure
from kit_deployer.strategies import STRATEGIES
from kit_deployer.strategies.fast_rollback import RESERVE, refusal
from tests.unit.deployer.words import CONFIG_MAP, DEPLOYMENT, SERVICE, declared, live, one

FAST = STRATEGIES["fast-rollback"]
NOW = "2026-11-23T12:00:00.000Z"

AUTOSCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
"""
BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {name: web}}}
"""
WEB = f"{DEPLOYMENT}---\n{SERVICE}"
FROZEN = DEPLOYMENT.replace("name: web,", "name: web, annotations: {kit-deployer/freeze: audit},", 1)


def writing(number: str = "8", **more: Any) -> Writing:
    return Writing(strategy="fast-rollback", deploy_id=number, commit="4f2a91c", **{"now": NOW, **more})


def wanted(text: str = WEB, number: str = "8") -> list[Declared]:
    return declared(text, writing(number))


def version(number: str, created: int = 0, text: str = DEPLOYMENT, **spec: Any) -> Json:
    """The live Deployment of another deploy, created so many seconds after noon."""
    (item,) = [item for item in wanted(text, number) if item.key.kind == "Deployment"]
    body = live(item, writing(number), **spec)
    body["metadata"]["creationTimestamp"] = f"2026-11-23T12:{created // 60:02}:{created % 60:02}Z"
    return body


def planned(items: list[Declared], *bodies: Json, wishes: Wishes | None = None, number: str = "8", **more: Any) -> Plan:
    objects = {key_of(body): body for body in bodies}
    deployments = tuple(body for body in bodies if body["kind"] == "Deployment")
    rules = scaled([(item.key.namespace, item.body) for item in items])
    world = Seen(objects=objects, deployments=deployments, scaled=rules)
    return make_plan(items, world, writing=writing(number), wishes=wishes or Wishes(), strategy=FAST, **more)


def did(plan: Plan) -> dict[str, str]:
    return {f"{action.key.kind}/{action.key.name}": action.do for action in plan.actions}


def gone(plan: Plan) -> list[str]:
    return sorted(item.key.name for item in plan.outdated)


def old_service(number: str = "7", text: str = WEB) -> Json:
    return next(live(item, writing(number)) for item in wanted(text, number) if item.key.kind == "Service")


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


def test_one_that_is_new_keeps_the_newest_three_of_the_others() -> None:
    bodies = [version(str(number), created=number) for number in range(1, 6)]
    plan = planned(wanted(), *bodies)
    assert gone(plan) == ["web-1", "web-2"]
    assert {item.why for item in plan.outdated} == {"older than the 3 that are kept in reserve"}
    assert [key.name for key in plan.reserves] == ["web-3", "web-4", "web-5"]


def test_going_back_deletes_what_came_later() -> None:
    bodies = [version(str(number), created=number) for number in range(1, 8)]
    plan = planned(wanted(number="5"), *bodies, number="5")
    assert gone(plan) == ["web-1", "web-6", "web-7"]
    assert {item.key.name: item.why for item in plan.outdated}["web-7"] == "deployed later than web-5"
    same = [version("4", created=9), version("5", created=9)]
    assert gone(planned(wanted(number="5"), *same, number="5")) == [], "of the same second is not later"


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(0, 30) | st.none())
def test_what_goes_and_what_stays(ages: list[int], chosen: int | None) -> None:
    bodies = [version(f"v{index}", created=age) for index, age in enumerate(ages)]
    own = [] if chosen is None else [version("8", created=chosen)]
    plan = planned(wanted(), *own, *bodies)
    assert gone(plan) == gone(planned(wanted(), *reversed(bodies), *own)), "whatever order the server lists them in"
    assert "web-8" not in gone(plan)
    created = {body["metadata"]["name"]: age for body, age in zip(bodies, ages, strict=True)}
    older = {name for name, age in created.items() if chosen is None or age <= chosen}
    kept = set(created) - set(gone(plan))
    assert kept <= older
    assert len(kept) == min(RESERVE, len(older))
    assert all(created[name] >= created[other] for name in kept for other in older - kept)
    assert {key.name for key in plan.reserves} == kept


def test_what_is_not_ours_never_goes() -> None:
    others: list[Json] = []
    for field, change in (
        ("labels", {"name": "other"}),
        ("labels", {"strategy": None}),
        ("annotations", {"kit-deployer/original-name": "other"}),
        ("annotations", {"kit-deployer/freeze": "audit"}),
    ):
        body = version(f"x{len(others)}", created=100)
        body["metadata"][field] |= change
        others.append(body)
    elsewhere = version("x9", created=100)
    elsewhere["metadata"]["namespace"] = "elsewhere"
    assert gone(planned(wanted(), version("8"), *others, elsewhere)) == []
    assert gone(planned(wanted(), version("8"), version("9", created=9), wishes=Wishes(create_only=True))) == []


def test_what_rolling_update_left_goes() -> None:
    (item,) = declared(DEPLOYMENT)
    plan = planned(wanted(), live(item))
    assert [(gone.key.name, gone.why) for gone in plan.outdated] == [("web", "deployed with another strategy")]
    assert plan.reserves == ()


def test_what_a_service_of_another_run_needs_is_kept() -> None:
    other = old_service("7")
    other["metadata"]["name"] = "beside"
    plan = planned(wanted(), version("8"), version("7", created=50), other)
    assert gone(plan) == []
    assert "Service shop/beside" in plan.notes[0]
    assert [key.name for key in plan.reserves] == ["web-7"]


def test_nothing_moves_to_what_is_frozen() -> None:
    text = f"{FROZEN}---\n{SERVICE}---\n{AUTOSCALER}---\n{BUDGET}"
    before = [live(item, writing("7")) for item in wanted(f"{WEB}---\n{AUTOSCALER}---\n{BUDGET}", "7")]
    plan = planned(wanted(text), *before)
    assert not plan.sends
    assert {action.state for action in plan.actions} == {"frozen"}
    assert "Service shop/web is left out of this run (Deployment shop/web-8 is frozen)" in plan.notes


def services(number: str, updated: str | None, **selector: str) -> Json:
    annotations = {} if updated is None else {"kit-deployer/last-updated": updated}
    return {"metadata": {"annotations": annotations}, "spec": {"selector": {"name": "web", "id": number, **selector}}}


BEFORE, AFTER = "2026-11-23T11:59:00.000Z", "2026-11-23T12:00:00.001Z"


@pytest.mark.parametrize(
    ("seen", "now", "why"),
    [
        (services("7", BEFORE), services("7", BEFORE), ""),
        (services("7", BEFORE), None, ""),
        (services("7", None), services("7", None), ""),
        (services("7", BEFORE), services("9", AFTER), "a newer run changed it at 2026-11-23T12:00:00.001Z"),
        (services("7", BEFORE), services("8", AFTER), "a newer run"),
        (services("7", AFTER), services("7", AFTER), "a newer run"),
        (services("7", "2026-11-23T11:00:00Z"), services("6", BEFORE), ""),
        (services("7", BEFORE), services("6", BEFORE), "somebody changed its selector"),
        (services("7", BEFORE), services("8", BEFORE), ""),
        (services("7", "long ago"), services("7", "long ago"), ""),
        (services("7", BEFORE), services("7", "2026-11-23T13:00:00+02:00"), ""),
    ],
)
def test_who_may_still_switch(seen: Json, now: Json | None, why: str) -> None:
    found = refusal(seen, now, wanted=services("8", None), now=NOW)
    assert found.startswith(why) if why else found == ""


def test_force_disregards_a_clock_that_was_ahead_and_no_newer_run() -> None:
    ahead = services("7", AFTER)
    assert refusal(ahead, copy.deepcopy(ahead), wanted=services("8", None), now=NOW, force=True) == ""
    assert "a newer run" in refusal(services("7", BEFORE), ahead, wanted=services("8", None), now=NOW, force=True)
