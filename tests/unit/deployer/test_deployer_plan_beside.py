# SPDX-License-Identifier: MIT
"""What a person is told beside a plan, and what goes: other strategies' objects, old values, what cannot be checked."""

from __future__ import annotations

from kit_deployer.objects import Json, Key
from kit_deployer.plan.plan import Seen, Wishes, make_plan
from kit_deployer.plan.references import referenced
from kit_deployer.plan.restarts import not_restarting
from kit_deployer.plan.unasked import unchecked
from tests.unit.deployer.plans import ROLLING, did, plan_of
from tests.unit.deployer.words import CONFIG_MAP, DEPLOYMENT, SERVICE, WRITING, declared, live, one


def other_strategy(name: str = "web-7", **labels: str) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": name,
            "labels": {"name": "web", "strategy": "fast-rollback", **labels},
            "annotations": {"kit-deployer/original-name": "web"},
        },
    }


def test_what_another_strategy_deployed_is_outdated() -> None:
    items = declared(DEPLOYMENT)
    old = other_strategy()
    assert [item.key.name for item in plan_of(items, deployments=(old,)).outdated] == ["web-7"]
    assert plan_of(items, deployments=(old,)).switches
    gone, left = Key("apps", "Deployment", "shop", "web-7"), Key("", "Secret", "shop", "old")
    plan = make_plan(items, Seen(deployments=(old,)), writing=WRITING, wishes=Wishes(), strategy=ROLLING,
                     leftovers=[gone, left])  # fmt: skip
    assert plan.leftovers == (left,), "what is about to be deleted is no leftover"
    for kept in (
        other_strategy(strategy="rolling-update"),
        other_strategy(name="other"),
        {**other_strategy(), "metadata": {**other_strategy()["metadata"], "annotations": {}}},
        {**other_strategy(), "metadata": {**other_strategy()["metadata"], "labels": {"name": "web"}}},
        {**other_strategy(), "metadata": {**other_strategy()["metadata"], "namespace": "elsewhere"}},
        other_strategy("web"),
    ):
        if kept["metadata"]["labels"].get("name") == "other" or kept["metadata"]["name"] == "other":
            kept["metadata"]["annotations"] = {"kit-deployer/original-name": "other"}
        assert plan_of(items, deployments=(kept,)).outdated == ()
    assert plan_of(items, deployments=(old,), wishes=Wishes(create_only=True)).outdated == ()


def test_nothing_goes_in_favour_of_what_is_frozen() -> None:
    frozen = declared(DEPLOYMENT.replace("name: web,", "name: web, annotations: {kit-deployer/freeze: audit},", 1))
    assert plan_of(frozen, deployments=(other_strategy(),)).outdated == ()
    kept = other_strategy()
    kept["metadata"]["annotations"]["kit-deployer/freeze"] = "audit"
    assert plan_of(declared(DEPLOYMENT), deployments=(kept,)).outdated == ()


def test_what_a_service_still_needs_is_kept() -> None:
    labels = {"name": "web", "strategy": "fast-rollback"}
    old = {**other_strategy(), "spec": {"template": {"metadata": {"labels": labels}}}}
    items = declared(DEPLOYMENT + "---\n" + SERVICE)
    service = live(next(item for item in items if item.key.kind == "Service"))
    service["spec"]["selector"] = {"name": "web", "strategy": "fast-rollback"}
    alone = plan_of(declared(DEPLOYMENT), service, deployments=(old,))
    assert alone.outdated == (), "SELECTOR left the Service out, and its endpoints would go"
    assert "Service shop/web" in alone.notes[0]
    service["metadata"].pop("managedFields")
    assert plan_of(items, service, deployments=(old,)).outdated[0].body == old, "this run switches it first"


def test_orphaned_replica_sets_go_with_their_deployments() -> None:
    orphan = {**other_strategy("web-7-abc", **{"pod-template-hash": "abc"}), "kind": "ReplicaSet"}
    by_hand = {**other_strategy("by-hand"), "kind": "ReplicaSet"}
    owned = {**orphan, "metadata": {**orphan["metadata"], "name": "owned", "ownerReferences": [{"uid": "x"}]}}
    plan = plan_of(declared(DEPLOYMENT), deployments=(other_strategy(),), replica_sets=(orphan, owned, by_hand))
    assert [item.key.name for item in plan.outdated] == ["web-7", "web-7-abc"]


READS = DEPLOYMENT.replace("env: [{name: COLOUR, value: red}]", "envFrom: [{configMapRef: {name: settings}}]")


def test_who_still_runs_with_old_values() -> None:
    items = declared(f"{READS}---\n{CONFIG_MAP}")
    workload = live(items[0])
    old = live(declared(CONFIG_MAP.replace("red", "blue"))[0])
    assert [(str(a), str(b)) for a, b in not_restarting(plan_of(items, workload, old).actions)] == [
        ("Deployment shop/web", "ConfigMap shop/settings")]  # fmt: skip
    assert not_restarting(plan_of(items, workload, live(items[1])).actions) == []
    assert not_restarting(plan_of(items, old).actions) == [], "a new workload starts with the new values"
    before = live(declared(READS.replace("web:1", "web:0"))[0])
    assert not_restarting(plan_of(items, before, old).actions) == [], "a new image restarts it"
    dropped = READS.replace("resources:", "args: [x]\n        resources:")
    assert not_restarting(plan_of(items, live(declared(dropped)[0]), old).actions) == [], "so does an argument dropped"
    scaled_only = live(declared(READS.replace("replicas: 2", "replicas: 5"))[0])
    assert len(not_restarting(plan_of(items, scaled_only, old).actions)) == 1


def test_every_way_to_read_configuration() -> None:
    text = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: a}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          initContainers: [{name: i, envFrom: [{secretRef: {name: s1}}]}]
          containers:
          - name: c
            env:
            - {name: A, valueFrom: {configMapKeyRef: {name: c1, key: k}}}
            - {name: B, valueFrom: {secretKeyRef: {name: s2, key: k}}}
          volumes:
          - {name: v1, configMap: {name: c2}}
          - {name: v2, secret: {secretName: s3}}
          - {name: v3, projected: {sources: [{configMap: {name: c3}}, {secret: {name: s4}}]}}
"""
    found = referenced(one(text).body, "shop")
    assert {f"{key.kind[0].lower()}:{key.name}" for key in found} == {
        "c:c1", "c:c2", "c:c3", "s:s1", "s:s2", "s:s3", "s:s4"}  # fmt: skip


def test_what_the_server_cannot_check() -> None:
    text = """\
apiVersion: v1
kind: Namespace
metadata: {name: new}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: new}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, names: {kind: Widget}}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
"""
    plan = plan_of(declared(text))
    found = {action.key.name: unchecked(action, plan) for action in plan.actions}
    assert found == {
        "new": "",
        "widgets.example.com": "",
        "a": "namespace new is only created by the run",
        "w": "its definition Widget.example.com is only created by the run",
        "b": "",
    }


def test_a_frozen_object_is_left_out_and_named() -> None:
    frozen = declared(CONFIG_MAP.replace("settings}", "settings, annotations: {kit-deployer/freeze: audit}}"))
    other = live(declared(CONFIG_MAP.replace("red", "blue"))[0])
    for bodies in ((), (other,)):
        plan = plan_of(frozen, *bodies, wishes=Wishes(force=True))
        assert did(plan) == {"ConfigMap": "keep"}
        assert plan.notes == ("ConfigMap shop/settings is left out of this run (frozen: audit)",)
